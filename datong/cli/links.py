"""`link`: what a customer may see of one document of theirs, by a signed link."""

from __future__ import annotations

from typing import Annotated

import typer

from datong.cli.context import Session
from datong.cli.output import document, show
from datong.cli.parts import ConnectionName, NativeId, command, group

OfKind = Annotated[str, typer.Option("--kind", metavar="KIND", help="order, shipment, service_case or return")]
Days = Annotated[int, typer.Option("--days", metavar="N", min=1, max=730, help="how long it holds")]


def add_to(app: typer.Typer) -> None:
    links = group(app, "signed-link", "Signed links by which customers see how a document of theirs stands.")
    command(links)(make)
    command(links)(revoke)


def make(session: Session, connection: ConnectionName, native_id: NativeId, kind: OfKind, days: Days = 30) -> None:
    """A link to one document, for its customer: who has it sees state, days and goods, no names and no prices."""
    from datong.base.tickets import key_in
    from datong.flows.notices import Links
    from datong.operations import public

    config = session.config
    links = Links(config.service.public_url or "", key_in(config.keys_folder()))
    told = public.link(session.engine(), session.actor, links, connection, native_id, kind, days)
    if session.json:
        document(told)
    else:
        show(told["link"])


def revoke(session: Session, connection: ConnectionName, native_id: NativeId, kind: OfKind) -> None:
    """All links to one document that were made until now, those in notices too, open nothing any more."""
    from datong.operations import public

    told = public.revoke(session.engine(), session.actor, connection, native_id, kind)
    if session.json:
        document(told)
    else:
        show("its links open nothing any more")
