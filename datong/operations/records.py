"""One record: pause, lock, release, explain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from datong.base.clock import to_text
from datong.base.errors import NotFound, UsageError
from datong.canon import KINDS, catalogue
from datong.canon.catalogue import pattern
from datong.engine.absorb import Absorber, describe
from datong.engine.cycle import Engine
from datong.engine.evaluate import Evaluator
from datong.engine.holding import Frozen
from datong.engine.intake import hint
from datong.engine.undo import in_list
from datong.engine.undoing import freeze, read_again, thaw
from datong.operations.actor import Actor, require
from datong.operations.costs import veiled, veiled_body
from datong.operations.work import acting
from datong.store import holds, journal
from datong.store.schema import due, intents, links
from datong.store.unit import Link, Rec, Unit, chunks
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


def hold_field(
    engine: Engine,
    actor: Actor,
    field: str,
    *,
    record: tuple[str, str] | None = None,
    kind: str | None = None,
    connection: str = "",
    why: str = "",
) -> dict[str, Any]:
    """Freeze a field of one record (by a connection and its id there) or of every record of a kind: it is neither taken
    in nor written until it is released. Raises NotFound, and UsageError for a field there is not."""
    require(actor, "operator", "hold a field")
    with acting(engine, actor) as unit:
        if record is not None:
            held, _ = located(unit, *record, kind)
            kind_of, number, of = held.kind, held.id, describe(held)
        elif kind is not None:
            held, kind_of, number, of = None, kind, None, f"every {kind}"
        else:
            raise UsageError("say what is to be held", remedy="--record CONNECTION ID, or --kind KIND")
        _known_field(engine, kind_of, field, connection)
        if held is not None:
            hold_id = freeze(unit, held, connection, field, why)
        else:
            hold_id = holds.put(unit.tx, unit.now, actor.name, kind_of, None, field, connection=connection, why=why)
            body = {"fields": {field: {"before": None, "after": None}}, "keeps": False}
            unit.note("held", kind=kind_of, connection=connection or None, why=why, body=body)
        unit.forget_holds()
        if number is not None:
            unit.flush()
            Evaluator(unit, engine.landscape, Absorber(unit, engine.landscape).references).weigh({number})
        return {"id": hold_id, "field": field, "kind": kind_of, "record": number, "of": of}


def _known_field(engine: Engine, kind: str, field: str, connection: str) -> None:
    if kind not in KINDS:
        raise NotFound(f"there is no kind {kind}", remedy=f"kinds are: {', '.join(sorted(KINDS))}")
    names = set(catalogue(kind))
    heads = {name.partition(".")[0] for name in names}
    if pattern(field) not in names and field not in heads and not field.startswith("custom."):
        raise NotFound(f"{kind} has no field {field}", remedy="`datong flows` lists them")
    if in_list(field):
        raise UsageError(f"{field} is a part of a list", remedy=f"hold {field.partition('.')[0]} as a whole")
    if connection and connection not in engine.landscape.connections:
        known = ", ".join(engine.landscape.connections)
        raise NotFound(f"there is no connection {connection}", remedy=f"connections are: {known}")


def holds_listed(engine: Engine, actor: Actor) -> list[dict[str, Any]]:
    """What is held, oldest first."""
    require(actor, "viewer", "see what is held")
    with engine.store.read() as tx:
        unit = Unit(tx, engine.store.clock, actor.name)
        found = holds.listed(tx)
        loaded = unit.load({h.record_id for h in found if h.record_id is not None})
        return [_hold_told(one, loaded) for one in found]


def _hold_told(one: holds.Hold, loaded: Mapping[int, Rec]) -> dict[str, Any]:
    record = loaded.get(one.record_id) if one.record_id is not None else None
    names = ("id", "kind", "field", "connection", "keeps", "value", "actor", "why")
    of = describe(record) if record is not None else f"every {one.kind}"
    return {**{name: getattr(one, name) for name in names}, "record": one.record_id, "of": of, "at": to_text(one.at)}


def release_field(engine: Engine, actor: Actor, hold_id: int) -> dict[str, Any]:
    """End a hold: what is new of the field on any side is taken in or written with the next sync. Raises NotFound."""
    require(actor, "operator", "release a field")
    with acting(engine, actor) as unit:
        one = next((h for h in holds.listed(unit.tx) if h.id == hold_id), None)
        if one is None:
            raise NotFound(f"there is no hold {hold_id}", remedy="`datong hold list` shows them")
        loaded = unit.load([one.record_id]) if one.record_id is not None else {}
        told = _hold_told(one, loaded)
        if one.record_id is not None:
            thaw(unit, loaded[one.record_id], one.connection, one.field, "released by a person")
            touched = {one.record_id}
        else:
            holds.release(unit.tx, {"id": one.id})
            body = {"fields": {one.field: {"before": one.value, "after": None}}, "keeps": one.keeps}
            unit.note("hold released", kind=one.kind, connection=one.connection or None, body=body)
            touched = _look_again(engine, unit, one)
        unit.forget_holds()
        unit.flush()
        Evaluator(unit, engine.landscape, Absorber(unit, engine.landscape).references).weigh(touched)
        return told


def _look_again(engine: Engine, unit: Unit, one: holds.Hold) -> set[int]:
    """Records of a kind of which something new was not taken in are read again; gives all that stand somewhere."""
    live = sa.select(links.c.record_id).where(links.c.kind == one.kind, links.c.state.in_(("live", "inactive")))
    ids = set(unit.tx.execute(live.distinct()).scalars())
    for some in chunks(sorted(ids)):
        unit.load(some)
        for link in (link for number in some for link in unit.links_of(number)):
            conn = engine.landscape.connections.get(link.connection)
            if conn is not None and link.here and one.connection in ("", link.connection):
                held = Frozen((one,)).among(f.name for f in (*conn.specs[one.kind].map.fields,))
                paths = {f.path for f in conn.specs[one.kind].map.fields if f.name in held}
                if paths - link.seen.keys():
                    read_again(unit, link)
    return ids


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
        "fields": {n: _unseen(actor, record.kind, n, f) for n, f in _fields(engine, unit, record, mine, held).items()},
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


def _fields(engine: Engine, unit: Unit, record: Rec, mine: list[Link], held: set[str]) -> dict[str, Any]:
    by_person = Frozen(tuple(unit.holds.on(record.id, record.kind, "")))
    at = {k.connection: Frozen(tuple(unit.holds.on(record.id, record.kind, k.connection))) for k in mine}
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
            "held": "conflict"
            if name in held
            else next((k.held[name] for k in mine if name in k.held), None) or _held_by(name, by_person, at),
        }
    return told


def _held_by(name: str, everywhere: Frozen, at: Mapping[str, Frozen]) -> str | None:
    """Which person holds the field, and where."""
    for place, frozen in (("", everywhere), *at.items()):
        hold = frozen.hold_of(name)
        if hold is not None:
            where = f" in {place}" if place else ""
            return f"by {hold.actor}{where} (hold {hold.id})"
    return None


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
