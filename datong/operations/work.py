"""Settling what waits for a person: parked items, reviews, conflicts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from datong.base.clock import to_text
from datong.base.errors import NotFound, UsageError
from datong.canon import check, spec
from datong.engine import health
from datong.engine.absence import Absences
from datong.engine.absorb import Absorber
from datong.engine.cycle import Engine
from datong.engine.evaluate import Evaluator
from datong.engine.matchmaking import Matchmaker
from datong.mapping import Foreign
from datong.matching import evidence_digest
from datong.operations.actor import Actor, require
from datong.operations.costs import veiled_item
from datong.store import runs
from datong.store.schema import due, intents
from datong.store.unit import Link, Unit
from datong.store.work import close, decide, get, open_items


@contextmanager
def acting(engine: Engine, actor: Actor) -> Iterator[Unit]:
    """A unit of work of a person: a run of its own, kept whole, journalled under their name, sealed."""
    with engine.store.write() as tx:
        run = runs.begin(tx, engine.store.clock, actor.name, "act", engine.run_name("act"))
        with runs.under(run):
            unit = Unit(tx, engine.store.clock, actor.name)
            yield unit
            unit.flush()
        runs.end(tx, engine.store.clock, run, {})
    engine.sealer.seal()


def listed(
    engine: Engine, actor: Actor, types: tuple[str, ...], *, after: int = 0, limit: int | None = 100, cause: str = ""
) -> list[dict[str, Any]]:
    """Open items, oldest first; of one cause only, where it is given."""
    require(actor, "viewer", "see what waits")
    with engine.store.read() as tx:
        items = open_items(tx, types=types, after=after, limit=limit, cause=cause or None)
    return [veiled_item(actor, one) for one in items]


def shown(engine: Engine, actor: Actor, item_id: int) -> dict[str, Any]:
    """One item, open or settled. Raises NotFound."""
    require(actor, "viewer", "see what waits")
    with engine.store.read() as tx:
        item = get(tx, item_id)
    if item is None:
        raise NotFound(f"there is no item {item_id}", remedy="`datong parked list` and `datong review list` show them")
    return veiled_item(actor, item)


def _open(unit: Unit, item_id: int, *types: str) -> dict[str, Any]:
    item = get(unit.tx, item_id)
    if item is None or item["type"] not in types:
        raise NotFound(
            f"there is no {' or '.join(types)} item {item_id}", remedy="see `datong parked|review|conflict list`"
        )
    if item["state"] != "open":
        raise UsageError(f"item {item_id} is {item['state']} already", remedy="")
    return item


# parked --------------------------------------------------------------------------------------------------------------


def retry(engine: Engine, actor: Actor, item_id: int) -> dict[str, Any]:
    """Try again what an item holds up: it is due now, and goes with the next sync."""
    require(actor, "operator", "retry")
    with acting(engine, actor) as unit:
        item = _open(unit, item_id, "parked")
        if item["cause"] == "delete":
            _delete_elsewhere(unit, item)
        elif str(item["subject"]).startswith("suspended:"):
            health.recover(unit, item["connection"], item["flow"] or "")
            _all_due(unit, item["connection"])
        elif item["record_id"] is not None:
            _release_field(engine, unit, item)
        close(unit.tx, unit.clock, actor.name, ids=[item_id])
        _noted(unit, item, "retried")
        return get(unit.tx, item_id) or {}


def dismiss(engine: Engine, actor: Actor, item_id: int) -> dict[str, Any]:
    """Leave it as it is; that holds until one of its values changes."""
    require(actor, "operator", "dismiss")
    with acting(engine, actor) as unit:
        item = _open(unit, item_id, "parked")
        decide(unit.tx, unit.clock, "dismiss", item["subject"], item["digest"], actor.name)
        close(unit.tx, unit.clock, actor.name, state="dismissed", ids=[item_id])
        _noted(unit, item, "dismissed")
        return get(unit.tx, item_id) or {}


def _delete_elsewhere(unit: Unit, item: dict[str, Any]) -> None:
    record = unit.load([item["record_id"]])[item["record_id"]]
    for link in unit.links_of(record.id):
        if link.here:
            unit.tx.execute(due.delete().where(due.c.record_id == record.id, due.c.connection == link.connection))
            values = {"record_id": record.id, "connection": link.connection, "kind": record.kind, "task": "delete"}
            unit.tx.execute(due.insert().values(**values, at=unit.now, attempts=0, fence=0))


def _all_due(unit: Unit, connection: str) -> None:
    unit.tx.execute(due.update().where(due.c.connection == connection).values(at=unit.now, attempts=0))


def _release_field(engine: Engine, unit: Unit, item: dict[str, Any]) -> None:
    """Let go of what the item held, and weigh the record anew."""
    record_id, connection = item["record_id"], item["connection"]
    record = unit.load([record_id]).get(record_id)
    if record is None:
        return
    for link in unit.links_of(record_id):
        if item["field"] and (connection is None or link.connection == connection):
            link.held.pop(item["field"], None)
            if item["cause"] in ("not accepted", "disagree on form"):
                _due_again(engine, link, item["field"])
            unit.touch_link(link)
    record.turns.pop(item["field"] or "", None)
    unit.touch(record)
    if item["cause"] == "outcome unknown":
        unit.tx.execute(intents.delete().where(intents.c.record_id == record_id, intents.c.connection == connection))
    unit.flush()
    _weigh(engine, unit, {record_id})
    query = due.update().where(due.c.record_id == record_id)
    if connection:
        query = query.where(due.c.connection == connection)
    unit.tx.execute(query.values(at=unit.now, attempts=0))


def _due_again(engine: Engine, link: Link, field: str) -> None:
    """The field is due once more, against what stands there as far as was seen: an edit made there meanwhile is still
    told from our own value."""
    conn = engine.landscape.connections.get(link.connection)
    held = conn.specs[link.kind].map.read_form(link.seen).values if conn is not None else {}
    if field in held and not isinstance(held[field], Foreign):
        link.sent[field] = held[field]
    else:
        link.sent.pop(field, None)


# reviews -------------------------------------------------------------------------------------------------------------


def link(engine: Engine, actor: Actor, item_id: int) -> dict[str, Any]:
    """The two are one: their links are joined; a proposed merge is carried over."""
    require(actor, "operator", "link records")
    with acting(engine, actor) as unit:
        item = _open(unit, item_id, "review")
        absorber = Absorber(unit, engine.landscape)
        one, other = (absorber.references.survivor(item[n]) for n in ("record_id", "other_id"))
        if one == other:
            raise UsageError(f"the records of item {item_id} are one already", remedy="")
        records = unit.load([one, other])
        running = engine.landscape.flow_of(records[one].kind)
        if item["cause"] == "merge":
            Absences(unit, engine.landscape).merge_records(records[one], records[other], f"{actor.name} says so")
            touched = {other, *_pointing_at(unit, records[one].kind, one)}
        elif running is not None:
            conn = engine.landscape.connections[item["connection"]]
            maker = Matchmaker(unit, engine.landscape, absorber)
            maker.join(running, min(one, other), max(one, other), conn, f"{actor.name} says so")
            touched = maker.made.touched
        else:
            raise UsageError(f"no flow carries {records[one].kind} any more", remedy="switch its flow on again")
        close(unit.tx, unit.clock, actor.name, ids=[item_id])
        unit.flush()
        _weigh(engine, unit, touched)
        _noted(unit, item, "linked by a person")
        return get(unit.tx, item_id) or {}


def _pointing_at(unit: Unit, kind: str, record_id: int) -> list[int]:
    from datong.engine.relatives import children

    return children(unit, kind, record_id)


def separate(engine: Engine, actor: Actor, item_id: int) -> dict[str, Any]:
    """The two are not one; asked again only when what speaks for it changes."""
    require(actor, "operator", "separate records")
    with acting(engine, actor) as unit:
        item = _open(unit, item_id, "review")
        one, other = sorted((item["record_id"], item["other_id"]))
        _decide_separate(engine, unit, actor, one, other)
        close(unit.tx, unit.clock, actor.name, ids=[item_id])
        _noted(unit, item, "separated")
        unit.flush()
        _weigh(engine, unit, {one, other})
        return get(unit.tx, item_id) or {}


def _decide_separate(engine: Engine, unit: Unit, actor: Actor, one: int, other: int) -> None:
    records = unit.load([one, other])
    running = engine.landscape.flow_of(records[one].kind)
    if running is None or running.master is None:
        return
    held = [next((k.sent for k in unit.links_of(i) if k.main), {}) for i in (one, other)]
    told = evidence_digest(held[0], held[1], running.master.identity)
    decide(unit.tx, unit.clock, "separate", f"match:{one}:{other}", told, actor.name)


def unlink(engine: Engine, actor: Actor, connection: str, native_id: str, kind: str) -> dict[str, Any]:
    """Take one native record out of its record: the two are apart from now on.

    The record of ours stays with the side that carries its own key: a later search by that key must not find the
    other one.
    """
    require(actor, "operator", "unlink records")
    with acting(engine, actor) as unit:
        mine = unit.load_native(connection, kind, [native_id]).get(native_id)
        if mine is None:
            raise NotFound(f"{connection} {kind} {native_id} is not known", remedy="check the connection, kind and id")
        old = unit.records[mine.record_id]
        if len(unit.links_of(old.id)) < 2:
            raise UsageError(f"{connection} {kind} {native_id} is linked to nothing", remedy="")
        fresh = unit.new_record(old.kind)
        carries_key = engine.landscape.record_of_key(mine.seen.get("@key")) == old.id
        leaving = [k for k in unit.links_of(old.id) if (k is not mine) == carries_key]
        staying = [k for k in unit.links_of(old.id) if k not in leaving]
        for one in leaving:
            unit.move_link(one, fresh)
        for record, held in ((fresh, leaving), (old, staying)):
            record.agreed = {name: value for k in reversed(held) for name, value in k.sent.items()}
            record.origin = {"*": [held[0].connection, to_text(unit.now)]}
            unit.touch(record)
        unit.note("unlinked", record_id=old.id, connection=connection, kind=kind, native_id=native_id)
        unit.flush()
        _decide_separate(engine, unit, actor, *sorted((old.id, fresh.id)))
        _weigh(engine, unit, {old.id, fresh.id})
        return {"record": mine.record_id, "from": fresh.id if carries_key else old.id}


# conflicts -----------------------------------------------------------------------------------------------------------


def resolve(
    engine: Engine, actor: Actor, item_id: int, *, take: str | None = None, value: str | None = None
) -> dict[str, Any]:
    """Settle a conflict: `take` the value of one connection, or give a `value` (text; empty clears the field)."""
    require(actor, "operator", "resolve conflicts")
    if (take is None) == (value is None):
        raise UsageError(
            "give either a connection whose value stands, or a value", remedy="--take NAME or --value TEXT"
        )
    with acting(engine, actor) as unit:
        item = _open(unit, item_id, "conflict")
        record = unit.load([item["record_id"]])[item["record_id"]]
        name = item["field"]
        chosen = _chosen(unit, record.id, record.kind, name, take, value)
        before = record.agreed.get(name)
        record.agreed[name] = chosen
        record.origin[name] = ["person", to_text(unit.now)]
        unit.touch(record)
        unit.note(
            "resolved",
            record_id=record.id,
            kind=record.kind,
            flow=item["flow"],
            why=f"by {actor.name}",
            body={
                "fields": {name: {"before": before, "after": chosen}},
                "sides": (item["detail"] or {}).get("values"),
            },
        )
        close(unit.tx, unit.clock, actor.name, ids=[item_id])
        unit.flush()
        _weigh(engine, unit, {record.id})
        return get(unit.tx, item_id) or {}


def _chosen(unit: Unit, record_id: int, kind: str, name: str, take: str | None, value: str | None) -> Any:
    if take is not None:
        held = unit.link_in(record_id, take)
        if held is None or name not in held.sent:
            known = ", ".join(k.connection for k in unit.links_of(record_id) if name in k.sent)
            raise UsageError(f"{take} holds no {name} of it", remedy=f"choose one of: {known}")
        return held.sent[name]
    try:
        return check(spec(kind, name).type, value) if value else None
    except ValueError as error:
        raise UsageError(
            f"{value!r} is no value for {name}: {error}", remedy="see the field in `datong flows`"
        ) from error


def _weigh(engine: Engine, unit: Unit, ids: set[int]) -> None:
    Evaluator(unit, engine.landscape, Absorber(unit, engine.landscape).references).weigh(ids)
    unit.flush()


def _noted(unit: Unit, item: dict[str, Any], event: str) -> None:
    unit.note(
        event,
        record_id=item["record_id"],
        connection=item["connection"],
        kind=item["kind"],
        native_id=item["native_id"],
        flow=item["flow"],
        why=str(item["reason"]),
        body={"item": item["id"]},
    )
