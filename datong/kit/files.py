"""Files that came with what customers write: kept once, by their content, for the system that has a place for them."""

from __future__ import annotations

import os
import re
import tempfile
from hashlib import sha256
from pathlib import Path

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Files:
    """A folder of contents. A name is `sha256:` and the digest: the same content lies there once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        """Keep a content; it is on the disk when this returns. Gives its name."""
        digest = sha256(content).hexdigest()
        place = self._place(digest)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            write_durably(place, content)
        return f"sha256:{digest}"

    def get(self, name: str | None) -> bytes | None:
        """The content of that name; None where it was not kept, or is not what it was."""
        if name is None or not _DIGEST.fullmatch(name):
            return None
        digest = name.removeprefix("sha256:")
        try:
            content = self._place(digest).read_bytes()
        except FileNotFoundError:
            return None
        return content if sha256(content).hexdigest() == digest else None

    def _place(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def write_durably(place: Path, content: bytes) -> None:
    """The file is there whole or not at all, also after a power cut."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".new-")
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
