"""`results`: what became of each row of a list, written beside it."""

from __future__ import annotations

from typing import Annotated

import typer

from datong.cli.context import Session
from datong.cli.output import document, show
from datong.cli.parts import command

Which = Annotated[str | None, typer.Argument(metavar="CONNECTION", help="name of the connection; else every one")]


def add_to(app: typer.Typer) -> None:
    command(app)(results)


def results(session: Session, connection: Which = None) -> None:
    """Write beside each list (`system: files`) what became of its rows, as `sync` and `apply` do."""
    from datong.operations.results import report

    written = [str(path) for path in report(session.engine(), session.actor, connection)]
    if session.json:
        document({"written": written})
    else:
        show("\n".join(written) or "nothing is new")
