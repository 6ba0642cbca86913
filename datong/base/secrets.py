"""Secrets are named in the configuration, never written there: `${env:NAME}` or `${file:PATH}`."""

from __future__ import annotations

import os
import re
from pathlib import Path

_REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}\Z")


def is_reference(text: str) -> bool:
    return bool(_REFERENCE.match(text))


def resolve(text: str, base: Path) -> str:
    """The secret that `text` names; a text that names none is returned as it is.

    `base` is the folder of the configuration file, for relative paths. Raises ValueError saying what is missing.
    """
    match = _REFERENCE.match(text)
    if not match:
        return text
    how, name = match.groups()
    if how == "env":
        if name not in os.environ:
            raise ValueError(f"the environment variable {name} is not set")
        return os.environ[name]
    path = base / name
    try:
        return path.read_text(encoding="utf8").strip()
    except OSError as error:
        raise ValueError(f"the secret file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:  # its own words would quote the secret
        raise ValueError(f"the secret file {path} cannot be read: it is not UTF-8 text") from None
