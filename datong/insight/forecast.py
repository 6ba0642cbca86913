"""A forecast: what signals of demand come to by product and region, and how far it was from what was ordered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date as Day
from decimal import Decimal
from fractions import Fraction

from datong.base.money import minor_units
from datong.canon import Forecast, ForecastLine, Order
from datong.insight.demand import Around, Signal
from datong.insight.span import Span
from datong.reckoning.exact import rounded, summed

ZERO = Decimal(0)
QUANTITY_PLACES = 4
"""An ERP keeps no more of a quantity."""
Place = tuple[str, str]
"""A company and a month."""


def drafted(signals: Iterable[Signal]) -> dict[Place, list[ForecastLine]]:
    """The lines of each company's months: one for each product, region, source, unit and currency. What names no
    product, or no month, is nothing to plan with."""
    found: dict[Place, dict[tuple[str, ...], list[Signal]]] = {}
    for one in signals:
        if one.product and one.month:
            key = (one.product, one.region, one.source, one.unit, one.currency)
            found.setdefault((one.company, one.month), {}).setdefault(key, []).append(one)
    lines = {place: [_line(some) for _, some in sorted(by.items())] for place, by in sorted(found.items())}
    return {place: kept for place, some in lines.items() if (kept := [one for one in some if one.quantity])}


def _line(some: list[Signal]) -> ForecastLine:
    first = some[0]
    before = summed(one.quantity for one in some)
    likely = rounded(Fraction(summed(one.likely_quantity for one in some)), QUANTITY_PLACES)
    return ForecastLine.model_construct(
        product=first.product,
        region=first.region or None,
        source=first.source,
        quantity=likely,
        unweighted=before,
        weight=rounded(Fraction(likely) / Fraction(before) * 100, 2) if before else None,
        unit=first.unit or None,
        amount=rounded(Fraction(summed(one.likely_amount for one in some)), minor_units(first.currency)),
        unweighted_amount=summed(one.amount for one in some),
        currency=first.currency or None,
        signals=Decimal(len(some)),
    )


def latest(forecasts: Mapping[str, Forecast]) -> dict[Place, str]:
    """Of every company's month the newest version that was not withdrawn, by reference."""
    best: dict[Place, tuple[Decimal, str]] = {}
    for key, one in forecasts.items():
        if one.sight is not None and not one.withdrawn:
            place, mine = (one.company or "", one.month or ""), (one.version or ZERO, key)
            best[place] = max(best.get(place, mine), mine)
    return {place: key for place, (_, key) in sorted(best.items())}


def told(forecast: Forecast, reference: str) -> Iterator[Signal]:
    """A forecast as signals, as it was in sight: each line is one, weighted as it was."""
    for line in forecast.lines.values():
        before, likely = line.unweighted or ZERO, line.quantity or ZERO
        yield Signal(
            line.source or "pipeline",
            reference,
            product=line.product or "",
            region=line.region or "",
            company=forecast.company or "",
            month=forecast.month or "",
            quantity=before,
            unit=line.unit or "",
            amount=line.unweighted_amount or ZERO,
            currency=line.currency or "",
            weight=line.weight if line.weight is not None else Decimal(100),
            likely=(likely, line.amount or ZERO),
        )


@dataclass(frozen=True)
class Hit:
    """What was expected of a product in a region and a month, and what was ordered of it, in one unit."""

    month: str
    company: str
    product: str
    region: str
    unit: str
    expected: Decimal
    ordered: Decimal

    @property
    def off(self) -> Decimal:
        """Ordered less expected."""
        return self.ordered - self.expected

    @property
    def accuracy(self) -> Decimal | None:
        """Per cent, one decimal: 100 where it was hit, 0 where it was missed by as much as was ordered, or by more.
        None where nothing was ordered."""
        if not self.ordered:
            return None
        return rounded(max(Fraction(0), 1 - abs(Fraction(self.off)) / abs(Fraction(self.ordered))) * 100, 1)


def compared(forecasts: Iterable[Forecast], orders: Iterable[Order], around: Around) -> list[Hit]:
    """Every product that was expected or ordered in the companies' months of these forecasts, by the day of the order.
    Orders are those that stand."""
    expected: dict[tuple[str, ...], Decimal] = {}
    months: dict[Place, Span] = {}
    for one in forecasts:
        place = (one.company or "", one.month or "")
        months[place] = Span.parse(place[1])
        for line in one.lines.values():
            key: tuple[str, ...] = (place[1], place[0], *map(around.same, (line.product, line.region, line.unit)))
            expected[key] = expected.get(key, ZERO) + (line.quantity or ZERO)
    ordered: dict[tuple[str, ...], Decimal] = {}
    for order in orders:
        place = (order.company or "", _month(order.date))
        if place in months:
            for key, quantity in _of_order(order, place, around):
                ordered[key] = ordered.get(key, ZERO) + quantity
    return [
        Hit(key[0], key[1], key[2], key[3], key[4], expected.get(key, ZERO), ordered.get(key, ZERO))
        for key in sorted({*expected, *ordered})
    ]


def _of_order(order: Order, place: Place, around: Around) -> Iterator[tuple[tuple[str, ...], Decimal]]:
    region = around.region_of(around.same(order.account)) if order.account else ""
    for line in order.lines.values():
        if line.product and line.quantity:
            product = around.same(line.product)
            unit = around.same(line.unit) or around.unit_of(product)
            yield (place[1], place[0], product, region, unit), line.quantity


def _month(day: Day | None) -> str:
    return f"{day:%Y-%m}" if day is not None else ""
