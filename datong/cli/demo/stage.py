"""What the demo stands on: both simulated systems, a configuration, and Datong between them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from datong.bootstrap.init import SandboxAnswers, write_config
from datong.cli.demo.acts import Scene
from datong.sandbox import Sandbox

if TYPE_CHECKING:
    from datong.cli.context import Session

SECRET = "demo-only"
"""Between the simulated systems and us, on this machine; it guards nothing."""


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for."""

    once: bool = False
    seed: int = 1
    size: int = 60
    crm_port: int = 0
    erp_port: int = 0
    port: int = 0
    folder: Path | None = None


@dataclass
class Stage(Scene):
    sandbox: Sandbox


@contextmanager
def set_up(session: Session, wishes: Wishes) -> Iterator[Stage]:
    """Both systems listen and the configuration is written; everything is gone at the end, unless a folder is kept."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        folder = wishes.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="datong-demo-")))
        crm_port, erp_port = wishes.crm_port, wishes.erp_port
        both = Sandbox(wishes.seed, wishes.size, crm_port=crm_port, erp_port=erp_port)
        sandbox = stack.enter_context(both)
        session.config_file = configured(folder, sandbox, wishes)
        stack.callback(session.close)
        yield Stage(session, session.actor, sandbox)


def configured(folder: Path, sandbox: Sandbox, wishes: Wishes) -> Path:
    """The example of `datong init --example sandbox`, and the secrets of the webhooks; a visitor waits for no sweep."""
    answers = SandboxAnswers(sandbox.crm.url, sandbox.erp.url, wishes.seed)
    path = write_config(folder, answers, force=True)
    text = path.read_text(encoding="utf8")
    for key, name in (("    token: ", "webhook_secret"), ("    key: ", "token")):
        head, found, rest = text.partition(key)
        value, _, rest = rest.partition("\n")
        text = f"{head}{found}{value}\n    {name}: {SECRET}\n{rest}"
    text = text.replace("sweep: 10m", "sweep: 20s")
    path.write_text(text, encoding="utf8", newline="\n")
    return path
