"""Are we in agreement, how fresh is it, and what waits: the state of the whole, and lists of what there is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from datong.base.clock import to_text
from datong.base.json import dumps
from datong.canon import known_by
from datong.engine.cycle import Engine
from datong.operations.actor import Actor, require
from datong.operations.costs import veiled_body
from datong.store import Transaction, journal
from datong.store.schema import due, health, inbox, links, records, schedule, work
from datong.store.schema import journal as journal_table

_LATELY = timedelta(hours=1)
_WRITTEN = ("created", "updated", "deleted")


def overview(engine: Engine, actor: Actor) -> dict[str, Any]:
    """Agreement of each flow in per cent, what waits for people, the connections, what was written of late."""
    require(actor, "viewer", "see the overview")
    now = engine.store.clock.now()
    with engine.store.read() as tx:
        told = flows_told(tx, engine)
        linked, out = sum(f["records"] for f in told), sum(f["out"] for f in told)
        return {
            "at": to_text(now),
            "agreement": _share(linked, out),
            "records": linked,
            "flows": told,
            "connections": connections_told(tx, engine),
            "items": causes(tx),
            "due": tx.execute(sa.select(sa.func.count()).select_from(due)).scalar_one(),
            "hints": tx.execute(sa.select(sa.func.count()).select_from(inbox)).scalar_one(),
            "written": _written(tx, now),
        }


def flows(engine: Engine, actor: Actor) -> list[dict[str, Any]]:
    """The flows that run: how many records they keep in agreement, when they were last looked at."""
    require(actor, "viewer", "see the flows")
    with engine.store.read() as tx:
        return flows_told(tx, engine)


def connections(engine: Engine, actor: Actor) -> list[dict[str, Any]]:
    """The connections: system, role, whether they answer."""
    require(actor, "viewer", "see the connections")
    with engine.store.read() as tx:
        return connections_told(tx, engine)


def flows_told(tx: Transaction, engine: Engine) -> list[dict[str, Any]]:
    """A record is out of agreement while something of it is to be written, or waits for a person."""
    there = dict(_pairs(tx, sa.select(records.c.kind, sa.func.count()).where(records.c.state == "active"), "kind"))
    waiting = sa.union(sa.select(due.c.record_id), sa.select(work.c.record_id).where(work.c.state == "open")).subquery()
    query = sa.select(records.c.kind, sa.func.count()).join(waiting, waiting.c.record_id == records.c.id)
    out = dict(_pairs(tx, query.where(records.c.state == "active"), "kind"))
    times = {row.flow: row for row in tx.execute(sa.select(schedule))}
    told = []
    for name, running in engine.landscape.flows.items():
        kinds = [kind for kind in running.flow.kinds if engine.landscape.flow_of(kind) is running]
        many, waits = sum(there.get(k, 0) for k in kinds), sum(out.get(k, 0) for k in kinds)
        when = times.get(name)
        told.append(
            {
                "name": name,
                "shape": type(running.flow).__name__.lower(),
                "kinds": kinds,
                "direction": running.direction,
                "webhook": running.webhook,
                "every": running.every.total_seconds() if running.every else None,
                "records": many,
                "out": waits,
                "agreement": _share(many, waits),
                "last_at": _text(when.last_at if when else None),
                "next_at": _text(when.next_at if when else None),
            }
        )
    return told


def connections_told(tx: Transaction, engine: Engine) -> list[dict[str, Any]]:
    known = {row.connection: row for row in tx.execute(sa.select(health).where(health.c.flow == ""))}
    query = sa.select(links.c.connection, sa.func.count()).where(links.c.state == "live")
    many = dict(_pairs(tx, query, "connection", links))
    told = []
    for name, conn in engine.landscape.connections.items():
        row = known.get(name)
        told.append(
            {
                "name": name,
                "role": conn.role,
                "read_only": conn.read_only,
                "companies": list(conn.companies),
                "kinds": list(conn.specs),
                "records": many.get(name, 0),
                "state": row.state if row else "well",
                "cause": row.cause if row else None,
                "remedy": row.remedy if row else None,
                "since": _text(row.since if row else None),
            }
        )
    return told


def causes(tx: Transaction) -> list[dict[str, Any]]:
    """Open items by type and cause, the most first."""
    query = sa.select(work.c.type, work.c.cause, sa.func.count().label("many"), sa.func.min(work.c.opened_at))
    query = query.where(work.c.state == "open").group_by(work.c.type, work.c.cause).order_by(sa.desc("many"))
    return [
        {"type": type_, "cause": cause, "many": many, "since": _text(since)}
        for type_, cause, many, since in tx.execute(query)
    ]


def found(
    engine: Engine, actor: Actor, text: str = "", kinds: Sequence[str] = (), *, after: int = 0, limit: int = 50
) -> list[dict[str, Any]]:
    """Records whose agreed values or ids hold `text`, in the order in which they were first seen.

    Every word of `text` must stand in the record; capitals make no difference in Latin letters.
    """
    require(actor, "viewer", "see records")
    query = sa.select(
        records.c.id, records.c.kind, records.c.state, records.c.hold, records.c.agreed, records.c.updated_at
    )
    query = query.where(records.c.id > after, records.c.state == "active").order_by(records.c.id).limit(limit)
    if kinds:
        query = query.where(records.c.kind.in_(kinds))
    for word in text.split():
        inside = dumps(word)[1:-1]
        ids = sa.select(links.c.record_id).where(links.c.native_id == word)
        held = sa.cast(records.c.agreed, sa.Text)
        query = query.where(sa.or_(held.icontains(inside, autoescape=True), records.c.id.in_(ids)))
    with engine.store.read() as tx:
        rows = tx.execute(query).all()
        places = _places(tx, [row.id for row in rows])
    return [
        {
            "id": row.id,
            "kind": row.kind,
            "name": known_by(row.agreed) or f"#{row.id}",
            "number": row.agreed.get("number") or row.agreed.get("code") or row.agreed.get("sku"),
            "hold": row.hold or "none",
            "in": places.get(row.id, {}),
            "updated_at": to_text(row.updated_at),
        }
        for row in rows
    ]


def history(
    engine: Engine, actor: Actor, *, since: datetime | None = None, after: int | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Rows of the journal, oldest first: from a moment or a row on, else the newest."""
    require(actor, "viewer", "see the journal")
    newest = since is None and after is None
    with engine.store.read() as tx:
        rows = journal.entries(tx, since=since, after=after or 0, limit=limit, newest=newest)
    names = ("id", "at", "actor", "event", "record_id", "connection", "kind", "native_id", "flow", "cause", "why")
    return [
        {
            **{name: row[name] for name in names},
            "at": to_text(row["at"]),
            "values": veiled_body(actor, row["kind"], row["body"]),
        }
        for row in rows
    ]


def _written(tx: Transaction, now: datetime) -> dict[str, int]:
    """How much was written elsewhere in the last hour."""
    rows = journal_table.c
    query = sa.select(rows.event, sa.func.count()).where(rows.id >= _first_since(tx, now - _LATELY))
    counts = dict(_pairs(tx, query.where(rows.event.in_(_WRITTEN)), "event", journal_table))
    return {event: counts.get(event, 0) for event in _WRITTEN}


def _first_since(tx: Transaction, moment: datetime) -> int:
    """The first row of the journal that is as young: its times have no index, but they grow with its numbers."""
    rows = journal_table.c
    low, high = tx.execute(sa.select(sa.func.min(rows.id), sa.func.max(rows.id))).one()
    if low is None:
        return 0
    high += 1
    while low < high:
        middle = (low + high) // 2
        at = tx.execute(sa.select(rows.at).where(rows.id >= middle).order_by(rows.id).limit(1)).scalar_one()
        low, high = (middle + 1, high) if at < moment else (low, middle)
    return int(low)


def _places(tx: Transaction, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Record -> connection -> id there."""
    query = sa.select(links.c.record_id, links.c.connection, links.c.native_id)
    told: dict[int, dict[str, str]] = {}
    for record_id, connection, native_id in tx.execute(query.where(links.c.record_id.in_(ids), links.c.main)):
        told.setdefault(record_id, {})[connection] = native_id
    return told


def _pairs(tx: Transaction, query: sa.Select[Any], by: str, of: sa.Table = records) -> list[tuple[str, int]]:
    return [(name, many) for name, many in tx.execute(query.group_by(of.c[by]))]


def _share(many: int, out: int) -> float | None:
    """Per cent, never rounded up to a whole hundred; None where there is nothing."""
    return None if many == 0 else int(10000 * (many - out) / many) / 100


def _text(at: datetime | None) -> str | None:
    return to_text(at) if at is not None else None
