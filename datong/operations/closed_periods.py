"""What a month end need not read again: documents of closed periods of which there is nothing to say any more.

They are found by the comparison itself and kept with the store, which takes them out as soon as they change. So the
comparison of what is read is that of all there is; lost, they are only found again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date as Day
from datetime import timedelta

from datong.base.json import digest
from datong.canon import Invoice, Order, Payment, Return, Shipment
from datong.insight.at_rest import bears_on, last_day
from datong.insight.month_end import Documents, Tolerance, TwoSided
from datong.insight.span import Span
from datong.operations.documents import Shelf
from datong.store import Transaction
from datong.store.bulk import Columns, run
from datong.store.schema import at_rest, at_rest_on, meta

_RULES = 1
"""To be raised where it is decided otherwise what is at rest."""
_KEPT = "at rest"
_REST = Columns(at_rest, ("record_id", "scope", "kind", "until"))
_REST_ON = Columns(at_rest_on, ("record_id", "scope", "to_id"))
_META = Columns(meta, ("name", "value"))
_MOVING = (
    "SELECT id FROM records WHERE kind = ? AND state = 'active' AND NOT EXISTS (SELECT 1 FROM at_rest "
    "WHERE at_rest.record_id = records.id AND at_rest.scope = ? AND at_rest.until < ?) ORDER BY id"
)
_ALL = "SELECT id FROM records WHERE kind = ? AND state = 'active' ORDER BY id"
_BEARING = (
    "SELECT one.record_id, one.kind FROM at_rest_on JOIN at_rest AS one ON one.record_id = at_rest_on.record_id "
    "AND one.scope = at_rest_on.scope WHERE at_rest_on.scope = ? AND at_rest_on.to_id IN ?"
)
_BESIDE = (Payment, Invoice, Shipment, Return)


class ClosedPeriods:
    """Chooses what is read for one span, of one company or of all, and keeps what is found at rest."""

    def __init__(self, shelf: Shelf, span: Span, company: str | None) -> None:
        self.shelf, self.span, self.company = shelf, span, company
        self.scope = company or ""
        self.facts = shelf.systems().facts
        self.rules = _rules(shelf)
        self.changes = shelf.unit.changes()
        self.usable = [row[1] for row in _META.where(shelf.unit.tx, "name = ?", _KEPT)] == [self.rules]
        self.found: dict[int, tuple[str, Day, frozenset[int]]] = {}
        """Documents that were read and are at rest: kind, last day, what they bear on."""
        self.orders: set[int] = set()
        """Orders that were to be read, and of them those that belong to the company."""
        self.mine: set[int] = set()

    def documents(self, tolerance: Tolerance) -> Documents:
        """Enough of them for the comparison to be that of all."""
        chosen = self._chosen(tolerance)
        self.orders = set(chosen[Order.kind])
        return Documents(
            self._noted(self.shelf.documents(Order, self.company, ids=chosen[Order.kind])),
            self.shelf.documents(Shipment, self.company, ids=chosen[Shipment.kind]),
            self.shelf.documents(Invoice, self.company, ids=chosen[Invoice.kind]),
            self.shelf.documents(Payment, self.company, ids=chosen[Payment.kind]),
            self.shelf.documents(Return, self.company, ids=chosen[Return.kind]),
        )

    def _noted(self, orders: Iterable[TwoSided[Order]]) -> Iterator[TwoSided[Order]]:
        for one in orders:
            self.mine.add(_number(one.reference))
            yield one

    def _chosen(self, tolerance: Tolerance) -> Mapping[str, list[int]]:
        """What is not at rest; the orders that it bears on; of orders and invoices everything that bears on them."""
        before = min(self.span.start, self.span.end - timedelta(tolerance.grace_days))
        moving = {one.kind: self._moving(one.kind, before) for one in (*_BESIDE, Order)}
        chosen = {kind: set(ids) for kind, ids in moving.items()}
        chosen[Order.kind] |= self._orders_of(moving)
        self._add(chosen, chosen[Order.kind])
        asked: set[int] = set()
        while more := chosen[Invoice.kind] - asked:
            asked |= more
            self._add(chosen, more)
        return {kind: sorted(ids) for kind, ids in chosen.items()}

    def _moving(self, kind: str, before: Day) -> list[int]:
        tx = self.shelf.unit.tx
        rows = run(tx, _MOVING, kind, self.scope, str(before)) if self.usable else run(tx, _ALL, kind)
        return [row[0] for row in rows]

    def _orders_of(self, moving: Mapping[str, list[int]]) -> set[int]:
        """Orders that these documents bear on; of the documents it is noted which are at rest, as those of other
        companies are."""
        orders: set[int] = set()
        for kind in _BESIDE:
            others = set(moving[kind.kind])
            for one in self.shelf.documents(kind, self.company, ids=moving[kind.kind]):
                others.discard(_number(one.reference))
                named = bears_on(one)
                orders |= _numbers(named, Order.kind)
                day = last_day(one, one.erp if kind.kind in self.facts else one.crm)
                if day is not None and day < self.span.start:
                    on = _numbers(named, Order.kind, Invoice.kind)
                    self.found[_number(one.reference)] = kind.kind, day, on
            self.found |= dict.fromkeys(others, (kind.kind, Day.min, frozenset()))
        return orders

    def _add(self, chosen: Mapping[str, set[int]], to: Iterable[int]) -> None:
        """What is at rest and bears on these."""
        for record_id, kind in run(self.shelf.unit.tx, _BEARING, self.scope, sorted(to)) if self.usable else ():
            chosen[kind].add(record_id)

    def keep(self, tx: Transaction, at_rest_now: Mapping[str, Day]) -> None:
        """Keep what was found at rest. `at_rest_now`: what the comparison says of the orders."""
        if not self.usable:
            run(tx, "DELETE FROM at_rest")
            run(tx, "DELETE FROM at_rest_on")
            run(tx, "DELETE FROM meta WHERE name = ?", _KEPT)
            _META.insert(tx, [(_KEPT, self.rules)])
        orders = {_number(reference): day for reference, day in at_rest_now.items()}
        orders |= dict.fromkeys(self.orders - self.mine, Day.min)
        again = sorted({*self.found, *self.orders})
        run(tx, "DELETE FROM at_rest WHERE scope = ? AND record_id IN ?", self.scope, again)
        run(tx, "DELETE FROM at_rest_on WHERE scope = ? AND record_id IN ?", self.scope, again)
        rows = [(number, self.scope, kind, str(day)) for number, (kind, day, _) in self.found.items()]
        _REST.insert(tx, rows + [(number, self.scope, Order.kind, str(day)) for number, day in orders.items()])
        on = [(number, self.scope, to) for number, (_, _, named) in self.found.items() for to in sorted(named)]
        _REST_ON.insert(tx, on)


def _rules(shelf: Shelf) -> str:
    """What it depends on beside the documents."""
    systems, connections = shelf.systems(), shelf.engine.landscape.connections
    lines = {kind: sorted(has) for kind, has in systems.lines.items()}
    joined = sorted((name, conn.role) for name, conn in connections.items())
    return digest([_RULES, joined, sorted(systems.both), lines, sorted(systems.facts)])


def _number(reference: str) -> int:
    return int(reference.partition(":")[2])


def _numbers(references: Iterable[str], *kinds: str) -> frozenset[int]:
    found = (one.partition(":") for one in references)
    return frozenset(int(number) for kind, _, number in found if kind in kinds and number.isdigit())
