"""`journal`: everything that was seen, decided and written, and proof that nobody changed it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datong.base.errors import UsageError
from datong.cli.context import Session
from datong.cli.failures import FAILED
from datong.cli.output import document, listing, moved, show
from datong.cli.parts import Limit, Ndjson, command
from datong.operations.naming import Names

if TYPE_CHECKING:
    from datong.base.clock import Clock

Since = Annotated[
    str | None, typer.Option("--since", metavar="T", help="2026-11-21, 2026-11-21T08:00Z, or 30m, 2h, 1d ago")
]
FromId = Annotated[
    int | None,
    typer.Option("--after", metavar="N", min=0, help="only those after this id; without it and --since the newest"),
]
Verify = Annotated[bool, typer.Option("--verify", help="check every seal and digest; exit status 1 if one is broken")]

COLUMNS = {
    "id": "id",
    "at": "at",
    "actor": "who",
    "event": "event",
    "subject": "record",
    "what": "before -> after",
    "why": "why",
}
_AGO = re.compile(r"([0-9]+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add_to(app: typer.Typer) -> None:
    command(app)(journal)


def journal(
    session: Session,
    since: Since = None,
    verify: Verify = False,
    limit: Limit = 100,
    after: FromId = None,
    ndjson: Ndjson = False,
) -> int | None:
    """The history, oldest first: what was seen, decided and written, by whom and why."""
    if verify:
        return _verify(session)
    items = rows(session, since, limit + 1 if since or after is not None else limit, after)
    if not (session.json or ndjson):
        items = readable(session, items)
    listing(session, items, ndjson=ndjson, limit=limit, title="Journal", columns=COLUMNS)
    return None


def rows(session: Session, since: str | None, limit: int, after: int | None) -> list[dict[str, Any]]:
    from datong.operations import overview

    start = None if since is None else moment(since, session.app.clock)
    return overview.history(session.engine(), session.actor, since=start, after=after, limit=limit)


def moment(text: str, clock: Clock) -> datetime:
    """A point in time, or so long ago. Raises UsageError."""
    from datong.base.clock import from_text

    if ago := _AGO.fullmatch(text):
        return clock.now() - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
    try:
        return from_text(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no time", remedy="such as 2026-11-21T08:00Z, 30m, 2h, 1d") from error


def readable(session: Session, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With names in the place of numbers."""
    names = Names(session.app.store, [i["values"] for i in items], [i["record_id"] for i in items])
    told = []
    for item in items:
        place = " ".join(part for part in (item["connection"], item["native_id"]) if part)
        subject = f"{item['kind'] or ''} {names.of(item['record_id'])}".strip()
        fields = (item["values"] or {}).get("fields") or {}
        shown = {
            "at": item["at"][:19].replace("T", " "),
            "subject": "\n".join(part for part in (subject, place) if part),
            "what": moved(names.in_fields(fields)),
        }
        told.append({**item, **shown})
    return told


def _verify(session: Session) -> int:
    from datong.operations import require

    require(session.actor, "viewer", "check the journal")
    answer = session.app.sealer.verify()
    if session.json:
        document(answer)
    elif answer["intact"]:
        show(f"intact: {answer['rows']} rows, {answer['sealed']} of them sealed")
    else:
        show(f"NOT INTACT from row {answer['first_bad']} on: {answer['why']}")
    return 0 if answer["intact"] else FAILED
