"""The whole chain of a document over both systems: from what it came, what came of it, and who waits for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datong.base.clock import to_text
from datong.base.errors import NotFound
from datong.engine.absorb import describe
from datong.engine.consequences import IS_WATCH
from datong.engine.cycle import Engine
from datong.engine.landscape import Running
from datong.operations.actor import Actor, require
from datong.operations.records import located, waiting
from datong.store import journal
from datong.store.bulk import Columns
from datong.store.schema import origins, ties
from datong.store.unit import Link, Rec, Unit

KINDS = (
    "opportunity",
    "quote",
    "contract",
    "order",
    "supply_order",
    "shipment",
    "invoice_request",
    "invoice",
    "payment",
    "service_case",
    "return",
)
"""The documents of a chain, in the order in which they come about."""
_MOST = 500
_REAL = f"to_id > 0 AND NOT ({IS_WATCH})"
_TIES = Columns(ties, ("from_id", "to_id", "field"))
_MADE = Columns(origins, ("source_id", "target_id"))
_FIGURES = ("total", "amount", "open", "currency", "date", "due", "expected", "promised", "tracking", "carrier")


def chain(engine: Engine, actor: Actor, connection: str, native_id: str, kind: str | None = None) -> dict[str, Any]:
    """Every document that belongs to one, earliest first, each with its sides, its states and their times, and what
    it waits for. Raises NotFound and SeveralError as `explain` does."""
    require(actor, "viewer", "see a chain")
    with engine.store.read() as tx:
        unit = Unit(tx, engine.store.clock, actor.name)
        start, _ = located(unit, connection, native_id, kind)
        return _chain(engine, unit, start)


def chain_of(engine: Engine, actor: Actor, record_id: int) -> dict[str, Any]:
    """The same of a document by our own number. Raises NotFound."""
    require(actor, "viewer", "see a chain")
    with engine.store.read() as tx:
        unit = Unit(tx, engine.store.clock, actor.name)
        start = unit.load([record_id]).get(record_id)
        if start is None:
            raise NotFound(f"there is no record {record_id}", remedy="search for it by name or number")
        return _chain(engine, unit, start)


def _chain(engine: Engine, unit: Unit, start: Rec) -> dict[str, Any]:
    graph = _Graph(unit)
    ids = graph.chain_of(start.id)
    found = sorted(unit.load(ids).values(), key=lambda r: (KINDS.index(r.kind) if r.kind in KINDS else 99, r.id))
    documents = [_told(engine, unit, record, graph) for record in found]
    return {
        "of": start.id,
        "documents": documents,
        "waits": [{"document": one["name"], **wait} for one in documents for wait in one["waits"]],
        "cut": len(ids) >= _MOST,
    }


class _Graph:
    """Who points at whom among documents: `before` is what a document came from, `after` what came of it."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    def chain_of(self, start: int) -> set[int]:
        """All that belongs to the orders near it: a payment for three orders shows the chains of the three."""
        near = self._reach({start}, self.before) | self._reach({start}, self.after)
        orders = {i for i, r in self.unit.load(near).items() if r.kind == "order"}
        ancestors = self._reach(orders, self.before)
        return near | ancestors | self._reach(orders, self.after)

    def _reach(self, start: Iterable[int], step: Any) -> set[int]:
        seen = set(start)
        todo = set(seen)
        while todo and len(seen) < _MOST:
            todo = step(todo) - seen
            seen |= todo
        return seen

    def before(self, ids: set[int]) -> set[int]:
        rows = _TIES.select(self.unit.tx, "from_id", sorted(ids), _REAL, order="to_id")
        made = _MADE.select(self.unit.tx, "target_id", sorted(ids), order="source_id")
        return self._documents({row[1] for row in rows} | {row[0] for row in made})

    def after(self, ids: set[int]) -> set[int]:
        rows = _TIES.select(self.unit.tx, "to_id", sorted(ids), _REAL, order="from_id")
        made = _MADE.select(self.unit.tx, "source_id", sorted(ids), order="target_id")
        return self._documents({row[0] for row in rows} | {row[1] for row in made})

    def _documents(self, ids: set[int]) -> set[int]:
        return {i for i, record in self.unit.load(ids).items() if record.kind in KINDS and record.state == "active"}


def _told(engine: Engine, unit: Unit, record: Rec, graph: _Graph) -> dict[str, Any]:
    running = engine.landscape.flow_of(record.kind)
    return {
        "record": record.id,
        "kind": record.kind,
        "name": describe(record),
        "from": sorted(graph.before({record.id})),
        "states": _states(running, record),
        "figures": {name: record.agreed[name] for name in _FIGURES if record.agreed.get(name) is not None},
        "sides": [_side(link) for link in unit.links_of(record.id)],
        "moves": _moves(unit, running, record),
        "waits": _waits(engine, unit, running, record),
    }


def _side(link: Link) -> dict[str, Any]:
    seen = link.written_at or link.read_at
    told = {"connection": link.connection, "id": link.native_id, "state": link.state}
    return {**told, "since": to_text(seen) if seen is not None else None}


def _states(running: Running | None, record: Rec) -> dict[str, str]:
    lives = running.master.lives if running is not None and running.master is not None else ()
    return {life.name: str(record.agreed[life.name]) for life in lives if record.agreed.get(life.name)}


def _moves(unit: Unit, running: Running | None, record: Rec) -> list[dict[str, Any]]:
    """When its states moved, by the journal."""
    lives = running.master.lives if running is not None and running.master is not None else ()
    names = {life.name for life in lives}
    found = []
    for row in journal.entries(unit.tx, record_id=record.id, limit=_MOST):
        for name, change in ((row["body"] or {}).get("fields") or {}).items():
            if name in names and row["event"] in ("seen", "taken in", "resolved", "made", "computed"):
                at = to_text(row["at"])
                found.append(
                    {"at": at, "field": name, **change, "where": row["connection"] or row["flow"], "why": row["why"]}
                )
    return found


def _waits(engine: Engine, unit: Unit, running: Running | None, record: Rec) -> list[dict[str, Any]]:
    """What it waits for: what we know, then whose turn it is by its life."""
    found: list[dict[str, Any]] = []
    awaited = _awaited(engine, running, record)
    for connection, held in record.verdicts.items():
        if held[0] == "park":
            found.append({"for": f"a person, before {connection}", "why": held[1], "remedy": held[2]})
        elif held[0] == "skip" and connection in awaited and unit.link_in(record.id, connection) is None:
            found.append({"for": f"its turn, before {connection}", "why": held[1], "remedy": ""})
    told = {one["why"] for one in found}
    found += [
        {"for": one["what"], "why": one["why"], "remedy": one.get("remedy", "")}
        for one in waiting(unit, record)
        if not any(why in one["why"] for why in told)
    ]
    lives = running.master.lives if running is not None and running.master is not None else ()
    for life in lives:
        turn = life.waits.get(str(record.agreed.get(life.name)))
        if turn is not None and life.held is not None and (why := record.agreed.get(life.held[0])):
            turn = (life.held[1], str(why))
        if turn is not None and not found and not _over(record):
            found.append({"for": turn[0], "why": turn[1], "remedy": ""})
    return found


def _over(fields: Rec) -> bool:
    """A cancelled document waits for nothing."""
    agreed: Mapping[str, Any] = fields.agreed
    return agreed.get("state") in ("cancelled", "closed", "rejected", "expired", "reversed")


def _awaited(engine: Engine, running: Running | None, record: Rec) -> set[str]:
    """The connections in which the document is to be created one day."""
    master = running.master if running is not None else None
    if master is None or _over(record) or record.agreed.get("wish") == "cancelled":
        return set()
    offering = engine.landscape.offering(record.kind)
    return {
        c.name
        for c in offering
        if c.role in master.creates_in
        and c.specs[record.kind].create != "never"
        and not c.specs[record.kind].holds_none(record.agreed)
    }
