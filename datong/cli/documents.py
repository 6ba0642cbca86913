"""`chain` and `approvals`: documents on their way from quote to cash."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from datong.cli.context import Session
from datong.cli.output import document, listing, show, table
from datong.cli.parts import After, ConnectionName, ItemId, Kind, Limit, NativeId, Ndjson, command, group
from datong.cli.people_work import tell
from datong.cli.records import known_connection

Note = Annotated[str, typer.Option("--note", metavar="WHY", help="kept with the answer")]
COLUMNS = {"id": "id", "kind": "kind", "cause": "cause", "reason": "what is asked", "flow": "flow"}


def add_to(app: typer.Typer) -> None:
    command(app)(chain)
    approvals = group(app, "approvals", "Documents that wait for somebody to agree.")
    command(approvals, "list")(list_approvals)
    command(approvals)(give)
    command(approvals)(refuse)


def chain(session: Session, connection: ConnectionName, native_id: NativeId, kind: Kind = None) -> None:
    """The whole chain of a document over both systems, with times, and who waits for whom."""
    from datong.operations import chain as operation

    engine = session.engine()
    known_connection(session, connection)
    told = operation.chain(engine, session.actor, connection, native_id, kind)
    if session.json:
        document(told)
    else:
        _show(told)


def _show(told: dict[str, Any]) -> None:
    numbered = {one["record"]: number for number, one in enumerate(told["documents"], 1)}
    rows = [_row(one, numbered, told["of"]) for one in told["documents"]]
    show(table("Chain", ("", "document", "of", "stands in", "states", "amount", "dates"), rows))
    moves = sorted(_move(one["name"], move) for one in told["documents"] for move in one["moves"])
    if moves:
        show(table("What happened", ("at", "document", "what", "where", "why"), moves))
    waits = [[one["document"], one["for"], one["why"], one["remedy"]] for one in told["waits"]]
    if waits:
        show(table("Who waits for whom", ("document", "waits for", "why", "what to do"), waits))
    else:
        show("Nothing waits: the chain is closed.")
    if told["cut"]:
        show("There is more than is shown here.")


def _move(name: str, move: dict[str, Any]) -> list[str]:
    what = f"{move['field']}: {move.get('before') or '-'} -> {move['after']}"
    _, _, why = move["why"].partition(f"-> {move['after']}")
    return [move["at"][:19], name, what, move["where"] or "", why.strip(" :")]


def _row(one: dict[str, Any], numbered: dict[int, int], start: int) -> list[str]:
    figures = one["figures"]
    amount = figures.get("total") or figures.get("amount") or ""
    dates = [f"{name} {figures[name]}" for name in ("date", "due", "promised", "expected") if name in figures]
    return [
        f"{numbered[one['record']]}{' <' if one['record'] == start else ''}",
        one["name"],
        ", ".join(str(numbered[i]) for i in one["from"] if i in numbered),
        "\n".join(f"{side['connection']} {side['id']}" for side in one["sides"]) or "nowhere yet",
        "\n".join(f"{name}: {state}" for name, state in one["states"].items()),
        f"{amount}" + (f" (open {figures['open']})" if figures.get("open") not in (None, "0") else ""),
        "\n".join(dates),
    ]


def list_approvals(session: Session, limit: Limit = 100, after: After = 0, ndjson: Ndjson = False) -> None:
    """What waits to be agreed to, oldest first."""
    from datong.operations import approvals

    items = approvals.listed(session.engine(), session.actor, after=after, limit=limit + 1)
    listing(session, items, ndjson=ndjson, limit=limit, title="To approve", columns=COLUMNS)


def give(session: Session, item: ItemId, note: Note = "") -> None:
    """Agree: the document goes on with the next sync."""
    from datong.operations import approvals

    tell(session, approvals.answer(session.engine(), session.actor, item, yes=True, note=note))


def refuse(session: Session, item: ItemId, note: Note = "") -> None:
    """Refuse, and say why: the document stays where it is."""
    from datong.operations import approvals

    tell(session, approvals.answer(session.engine(), session.actor, item, yes=False, note=note))
