"""Documents at rest 已了结: of which a month end that begins after their day has nothing to say, as long as they do not
change. Orders are at rest by what came of them (`month_end`), the others by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date as Day
from typing import Any

from datong.canon import Invoice, Payment, Return, Shipment
from datong.insight.goods_and_money import RECEIVED, UNDATED, ZERO
from datong.insight.month_end import TwoSided


def last_day(one: TwoSided[Any], fact: Any) -> Day | None:
    """The last day on which a document is to be looked at of itself; None where that has no end. `fact`: what counts
    of its two sides, if any does. What came back is looked at with its order only."""
    if isinstance(one.held, Return):
        return Day.min
    day = max(one.held.date or UNDATED, UNDATED if fact is not None and fact.date is None else Day.min)
    if fact is not None and fact.date is not None:
        day = max(day, fact.date)
    return None if day == UNDATED or _open(fact) else day


def _open(fact: Any) -> bool:
    """Is something to be done about it, however old it is?"""
    if isinstance(fact, Payment):
        return fact.state in RECEIVED and (fact.unallocated or ZERO) > 0
    if isinstance(fact, Invoice):
        overpaid = fact.type != "credit_note" and (fact.open or ZERO) < 0
        return fact.state == "draft" or overpaid
    return False


def bears_on(one: TwoSided[Any]) -> frozenset[str]:
    """References of the documents that are judged by this one, as either side has it: the orders of its lines, the
    invoices that it settles or reverses."""
    return frozenset(told for side in (one.crm, one.erp) if side is not None for told in _named(side) if told)


def _named(side: Invoice | Payment | Return | Shipment) -> Iterator[str | None]:
    if isinstance(side, Payment):
        yield from (part.invoice for part in side.allocations.values())
        return
    yield side.order
    if isinstance(side, Invoice):
        yield side.reverses
    if not isinstance(side, Return):
        yield from (line.order for line in side.lines.values())
