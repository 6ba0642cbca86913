"""`demo`: the whole thing on two simulated systems."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from datong.base.errors import UsageError
from datong.cli.context import Session
from datong.cli.output import document
from datong.cli.parts import command
from datong.cli.service import CrmPort, ErpPort, Seed, Size

Once = Annotated[bool, typer.Option("--once", help="without a person; exit status 0 only if both sides agree")]
Folder = Annotated[Path | None, typer.Option("--dir", metavar="DIR", help="keep configuration and store here")]
HookPort = Annotated[
    int, typer.Option("--port", metavar="N", min=0, max=65535, help="port of Datong itself; 0 takes a free one")
]


def add_to(app: typer.Typer) -> None:
    command(app)(demo)


def demo(
    session: Session,
    once: Once = False,
    seed: Seed = 1,
    size: Size = 60,
    crm_port: CrmPort = 0,
    erp_port: ErpPort = 0,
    port: HookPort = 0,
    directory: Folder = None,
) -> int:
    """See it work: a CRM and an ERP that disagree are brought into agreement, and kept there while you edit either."""
    try:
        from datong.cli.demo.play import Wishes, perform
    except ImportError as error:
        raise UsageError(f"the demo needs {error.name}", remedy="install datong[web]") from error
    wishes = Wishes(once, seed, size, crm_port, erp_port, port, directory)
    if not session.json:
        return perform(session, wishes)
    with redirect_stdout(sys.stderr):
        status = perform(session, wishes)
    document({"agree": status == 0})
    return status
