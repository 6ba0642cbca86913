"""One record: pause, lock, release, explain."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from datong.base.clock import to_text
from datong.base.errors import NotFound, UsageError
from datong.engine.absorb import Absorber, describe
from datong.engine.cycle import Engine
from datong.engine.evaluate import Evaluator
from datong.engine.intake import hint
from datong.operations.actor import Actor, require
from datong.operations.costs import veiled, veiled_body
from datong.operations.work import acting
from datong.store import journal
from datong.store.schema import due, intents, links
from datong.store.unit import Link, Rec, Unit
from datong.store.work import open_conflicts, open_items

HOLDS = {"pause": "paused", "lock": "locked", "release": ""}


class SeveralError(UsageError):
    """More than one record answers to what was asked; `hits` lists them."""

    def __init__(self, message: str, hits: list[dict[str, Any]]) -> None:
        super().__init__(message, remedy="say which with --kind")
        self.hits = hits


def located(unit: Unit, connection: str, native_id: str, kind: str | None) -> tuple[Rec, Link]:
    """The record that stands in `connection` under `native_id`. Raises NotFound or SeveralError."""
    query = sa.select(links.c.kind, links.c.native_id).where(
        links.c.connection == connection, links.c.native_id == native_id
    )
    if kind is not None:
        query = query.where(links.c.kind == kind)
    hits = [dict(row) for row in unit.tx.execute(query).mappings()]
    if not hits:
        told = f"{kind} " if kind else "record "
        raise NotFound(
            f"{connection} has no {told}{native_id} that we know",
            remedy="check the id; `datong sync` reads what is new",
        )
    if len(hits) > 1:
        raise SeveralError(f"{connection} has {len(hits)} records {native_id}", hits)
    link = unit.load_native(connection, hits[0]["kind"], [native_id])[native_id]
    return unit.records[link.record_id], link


def hold(
    engine: Engine, actor: Actor, what: str, connection: str, native_id: str, kind: str | None = None
) -> dict[str, Any]:
    """`pause` a record (nothing of it is read or written), `lock` it (changes are noted, nothing is written), or
    `release` it: it is then read again on every side."""
    require(actor, "operator", f"{what} a record")
    if what not in HOLDS:
        raise UsageError(f"{what} is not one of {', '.join(HOLDS)}")
    with acting(engine, actor) as unit:
        record, _ = located(unit, connection, native_id, kind)
        record.hold = HOLDS[what]
        unit.touch(record)
        if not record.hold:
            for one in unit.links_of(record.id):
                hint(unit.tx, unit.now, one.connection, one.kind, one.native_id)
        event = {"pause": "paused", "lock": "locked", "release": "released"}[what]
        unit.note(event, record_id=record.id, connection=connection, kind=record.kind, native_id=native_id)
        unit.flush()
        Evaluator(unit, engine.landscape, Absorber(unit, engine.landscape).references).weigh({record.id})
        return {"state": record.hold or "released", "record": record.id, "kind": record.kind, "name": describe(record)}


def explain(
    engine: Engine, actor: Actor, connection: str, native_id: str, kind: str | None = None, *, limit: int = 200
) -> dict[str, Any]:
    """Where each value came from, what was decided, what is waiting and why."""
    require(actor, "viewer", "see a record")
    with engine.store.read() as tx:
        unit = Unit(tx, engine.store.clock, actor.name)
        record, _ = located(unit, connection, native_id, kind)
        return _explained(engine, actor, unit, record, limit)


def explain_record(engine: Engine, actor: Actor, record_id: int, *, limit: int = 200) -> dict[str, Any]:
    """The same of a record by its own number. Raises NotFound."""
    require(actor, "viewer", "see a record")
    with engine.store.read() as tx:
        unit = Unit(tx, engine.store.clock, actor.name)
        record = unit.load([record_id]).get(record_id)
        if record is None:
            raise NotFound(f"there is no record {record_id}", remedy="search for it by name or number")
        return _explained(engine, actor, unit, record, limit)


def _explained(engine: Engine, actor: Actor, unit: Unit, record: Rec, limit: int) -> dict[str, Any]:
    mine = unit.links_of(record.id)
    held = open_conflicts(unit.tx, [record.id]).get(record.id, set())
    timeline = journal.entries(unit.tx, record_id=record.id, limit=limit, newest=True)
    return {
        "record": {
            "id": record.id,
            "kind": record.kind,
            "name": describe(record),
            "state": record.state,
            "hold": record.hold or "none",
            "verdicts": {c: {"verdict": v[0], "why": v[1], "remedy": v[2]} for c, v in record.verdicts.items()},
        },
        "links": [_link_told(k) for k in mine],
        "fields": {n: _unseen(actor, record.kind, n, f) for n, f in _fields(engine, record, mine, held).items()},
        "waiting": waiting(unit, record),
        "moves": _next_moves(engine, record),
        "timeline": [_entry_told(actor, row) for row in timeline],
    }


def _link_told(link: Link) -> dict[str, Any]:
    return {
        "connection": link.connection,
        "kind": link.kind,
        "native_id": link.native_id,
        "state": link.state,
        "main": link.main,
        "version": link.version,
        "read_at": to_text(link.read_at) if link.read_at else None,
        "written_at": to_text(link.written_at) if link.written_at else None,
        "held": link.held,
    }


def _fields(engine: Engine, record: Rec, mine: list[Link], held: set[str]) -> dict[str, Any]:
    running = engine.landscape.flow_of(record.kind)
    told: dict[str, Any] = {}
    for name in sorted({*record.agreed, *(n for k in mine for n in k.sent)}):
        policy = running.policy(name) if running else None
        origin = record.came_from(name)
        told[name] = {
            "agreed": record.agreed.get(name),
            "from": origin[0],
            "since": origin[1],
            "policy": _policy_told(policy.of(record.agreed) if policy else None),
            "in": {k.connection: k.sent.get(name) for k in mine if name in k.sent and k.main},
            "held": "conflict" if name in held else next((k.held[name] for k in mine if name in k.held), None),
        }
    return told


def _unseen(actor: Actor, kind: str, name: str, told: dict[str, Any]) -> dict[str, Any]:
    """What is told of a field, without the values that the actor may not see."""
    return {**told, **{what: veiled(actor, kind, {name: told[what]})[name] for what in ("agreed", "in")}}


def _policy_told(policy: Any) -> str:
    if policy is None:
        return "not carried"
    if policy.how in ("owned", "guarded"):
        return f"{policy.how} by {policy.owner}"
    return policy.how if policy.how in ("first", "told") else f"shared, clash: {policy.clash}"


def _next_moves(engine: Engine, record: Rec) -> list[dict[str, Any]]:
    """The states of a document, whose turn it is, and what each may become."""
    running = engine.landscape.flow_of(record.kind)
    lives = running.master.lives if running is not None and running.master is not None else ()
    told = []
    for life in lives:
        state = record.agreed.get(life.name)
        turn = life.waits.get(str(state), ("", ""))
        ahead = [str(move) for move in life.moves() if move.before == state]
        told.append({"field": life.name, "state": state, "whose turn": turn[0], "what": turn[1], "may become": ahead})
    return told


def waiting(unit: Unit, record: Rec) -> list[dict[str, Any]]:
    """What is due, unknown or before people."""
    found: list[dict[str, Any]] = []
    for row in unit.tx.execute(sa.select(due).where(due.c.record_id == record.id)).mappings():
        found.append(
            {
                "what": f"{row['task']} to {row['connection']}",
                "why": row["error"] or "it is due",
                "at": to_text(row["at"]),
                "attempts": row["attempts"],
            }
        )
    for row in unit.tx.execute(sa.select(intents).where(intents.c.record_id == record.id)).mappings():
        found.append(
            {"what": f"create in {row['connection']}", "why": "its outcome is not known yet", "at": to_text(row["at"])}
        )
    for item in open_items(unit.tx, record_ids=[record.id], limit=None):
        found.append({"what": f"{item['type']} {item['id']}", "why": item["reason"], "remedy": item["remedy"]})
    return found


def _entry_told(actor: Actor, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "at": to_text(row["at"]),
        "actor": row["actor"],
        "event": row["event"],
        "connection": row["connection"],
        "native_id": row["native_id"],
        "why": row["why"],
        "values": veiled_body(actor, row["kind"], row["body"]),
    }
