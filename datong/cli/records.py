"""`explain` and `record`: one record, where its values came from, and whether Datong may touch it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from datong.base.errors import NotFound
from datong.cli.context import Session
from datong.cli.output import document, moved, short, show, table
from datong.cli.parts import ConnectionName, Kind, NativeId, command, group
from datong.operations.naming import Names

Rows = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, help="at most so many rows of the timeline, the newest")
]


def add_to(app: typer.Typer) -> None:
    command(app)(explain)
    record = group(app, "record", "One record: pause, lock, release or unlink it.")
    command(record)(pause)
    command(record)(lock)
    command(record)(release)
    command(record)(unlink)


def explain(
    session: Session, connection: ConnectionName, native_id: NativeId, kind: Kind = None, limit: Rows = 100
) -> None:
    """Where each value came from, what was decided, what is waiting and why."""
    from datong.operations import records

    engine = session.engine()
    known_connection(session, connection)
    answer = records.explain(engine, session.actor, connection, native_id, kind, limit=limit)
    if session.json:
        document(answer)
    else:
        _show(session, answer)


def known_connection(session: Session, name: str) -> None:
    """Raises NotFound with the names there are."""
    connections = session.app.landscape.connections
    if name not in connections:
        raise NotFound(f"there is no connection {name}", remedy=f"connections are: {', '.join(connections)}")


def _show(session: Session, answer: dict[str, Any]) -> None:
    record, fields = answer["record"], answer["fields"]
    names = Names(session.app.store, [fields, *(row["values"] for row in answer["timeline"])])
    hold = "" if record["hold"] == "none" else f", {record['hold']}"
    show(f"{record['name']} (record {record['id']}, {record['state']}{hold})")
    for connection, told in record["verdicts"].items():
        show(f"  into {connection}: {': '.join(v for v in told.values() if v)}")
    links = [[k["connection"], k["native_id"], k["state"], "" if k["main"] else "follower"] for k in answer["links"]]
    show(table("Stands in", ("connection", "id", "state", ""), links))
    sides = [k["connection"] for k in answer["links"] if k["main"]]
    rows = [_field(name, told, sides, names) for name, told in fields.items()]
    show(table("Fields", ("field", "agreed", *sides, "from", "policy", "held"), rows))
    if answer["moves"]:
        turns = [
            [m["field"], m["state"] or "", m["whose turn"], m["what"], "; ".join(m["may become"])]
            for m in answer["moves"]
        ]
        show(table("Life", ("field", "state", "whose turn", "to do", "may become"), turns))
    waiting = [[one["what"], one["why"], one.get("at") or one.get("remedy") or ""] for one in answer["waiting"]]
    if waiting:
        show(table("Waiting", ("what", "why", "when, or what to do"), waiting))
    show(
        table("Timeline", ("at", "who", "event", "where", "what", "why"), [_row(r, names) for r in answer["timeline"]])
    )


def _field(name: str, told: dict[str, Any], sides: list[str], names: Names) -> list[str]:
    held = [short(names.value(told["in"][side]), 30) if side in told["in"] else "" for side in sides]
    return [name, short(names.value(told["agreed"]), 40), *held, told["from"] or "", told["policy"], told["held"] or ""]


def _row(row: dict[str, Any], names: Names) -> list[str]:
    where = " ".join(part for part in (row["connection"], row["native_id"]) if part)
    fields = (row["values"] or {}).get("fields") or {}
    return [row["at"][:19], row["actor"], row["event"], where, moved(names.in_fields(fields)), row["why"]]


def pause(session: Session, connection: ConnectionName, native_id: NativeId, kind: Kind = None) -> None:
    """Let a record rest: nothing of it is taken in or written until it is released."""
    _hold(session, "pause", connection, native_id, kind)


def lock(session: Session, connection: ConnectionName, native_id: NativeId, kind: Kind = None) -> None:
    """Write nothing to any side of a record until it is released."""
    _hold(session, "lock", connection, native_id, kind)


def release(session: Session, connection: ConnectionName, native_id: NativeId, kind: Kind = None) -> None:
    """End a pause or a lock."""
    _hold(session, "release", connection, native_id, kind)


def _hold(session: Session, what: str, connection: str, native_id: str, kind: str | None) -> None:
    from datong.operations import records

    engine = session.engine()
    known_connection(session, connection)
    _tell(session, records.hold(engine, session.actor, what, connection, native_id, kind))


def unlink(session: Session, connection: ConnectionName, native_id: NativeId, kind: Kind = None) -> None:
    """Take one native record out of its record: it stands alone from now on, and stays apart."""
    from datong.operations import records, work
    from datong.store.unit import Unit

    engine = session.engine()
    known_connection(session, connection)
    with engine.store.read() as tx:
        record, _ = records.located(Unit(tx, engine.store.clock, session.actor.name), connection, native_id, kind)
    answer = work.unlink(engine, session.actor, connection, native_id, record.kind)
    _tell(session, {"state": "unlinked", "kind": record.kind, "name": f"{record.kind} {native_id}", **answer})


def _tell(session: Session, answer: dict[str, Any]) -> None:
    if session.json:
        document(answer)
    else:
        show(f"{answer['name']}: {answer['state']}")
