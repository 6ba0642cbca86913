"""What may be ordered: signals of demand from opportunities, quotes and what people were told. Pure.

A deal counts once: by its order not at all (an order is demand itself), else by its most likely quote, else by its own
lines. What of its amount its lines do not explain stands without a product, so that the sum is the document's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date as Day
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from datong.base.money import minor_units
from datong.canon import DemandSignal, DemandSource, Line, Opportunity, Quote, QuoteLine
from datong.insight.span import Span
from datong.reckoning.exact import amount, exact, rounded, share, summed, units

By = Literal["product", "month", "region", "competitor"]
ZERO, HUNDRED = Decimal(0), Decimal(100)
_LONGEST = 120
"""Months over which one signal is spread at most."""


@dataclass(frozen=True)
class DemandRules:
    """How likely what is: per cent. A quote in a state that is not named counts for nothing."""

    quotes: Mapping[str, Decimal] = field(
        default_factory=lambda: {
            "draft": Decimal(20),
            "sent": Decimal(50),
            "part_accepted": HUNDRED,
            "accepted": HUNDRED,
        }
    )
    pipeline: Decimal = ZERO
    """Of an opportunity without probability."""
    lost: Decimal = ZERO
    told: Decimal = HUNDRED
    """Of a wish or a trend without a weight."""


@dataclass(frozen=True)
class Around:
    """What documents say by reference: the region of a customer, the unit of a product, the code of a currency, and
    the one reference of what has several since two records became one."""

    region_of: Callable[[str], str] = lambda account: ""
    unit_of: Callable[[str], str] = lambda product: ""
    code_of: Callable[[str], str] = lambda currency: currency
    same: Callable[[str | None], str] = lambda reference: reference or ""


@dataclass(frozen=True)
class Signal:
    """So much of a product may be ordered in a month (`2026-11`; empty: nobody said when). Without a product: an amount
    that no line explains, or what was said of no product. `origin`: the record that it comes from."""

    source: DemandSource
    origin: str
    product: str = ""
    region: str = ""
    company: str = ""
    account: str = ""
    month: str = ""
    quantity: Decimal = ZERO
    unit: str = ""
    amount: Decimal = ZERO
    currency: str = ""
    weight: Decimal = HUNDRED
    reason: str = ""
    competitor: str = ""
    text: str = ""
    likely: tuple[Decimal, Decimal] | None = None
    """Quantity and amount after the weight, where they were kept and not only the weight, which is rounded there."""

    @property
    def likely_quantity(self) -> Decimal:
        return _weighted(self.quantity, self.weight) if self.likely is None else self.likely[0]

    @property
    def likely_amount(self) -> Decimal:
        return _weighted(self.amount, self.weight) if self.likely is None else self.likely[1]


@dataclass(frozen=True)
class Group:
    """Signals of one source added up; units and currencies are not mixed. `key` holds what `by` asks for."""

    key: tuple[str, ...]
    month: str
    source: DemandSource
    unit: str
    currency: str
    signals: int
    quantity: Decimal
    likely_quantity: Decimal
    amount: Decimal
    likely_amount: Decimal


def signals_of(
    opportunities: Mapping[str, Opportunity],
    quotes: Mapping[str, Quote],
    ordered: Collection[str],
    rules: DemandRules,
    around: Around,
) -> list[Signal]:
    """Of every deal, by reference. `ordered`: quotes and opportunities of which an order stands."""
    offers = _offers(quotes, opportunities, ordered, rules, around)
    found: list[Signal] = []
    for key, deal in opportunities.items():
        if deal.stage == "lost":
            found += _of_deal(key, deal, "lost", rules.lost, around)
        elif deal.stage != "won" and key not in ordered and not offers.get(key):
            weight = rules.pipeline if deal.probability is None else deal.probability
            found += _of_deal(key, deal, "pipeline", weight, around)
    for key in sorted({one for some in offers.values() for one in some}):
        found += _of_quote(key, quotes[key], opportunities, "quote", rules.quotes[str(quotes[key].state)], around)
    for key, quote in quotes.items():
        if quote.state == "rejected" and around.same(quote.opportunity) not in opportunities:
            found += _of_quote(key, quote, opportunities, "lost", rules.lost, around)
    return found


def _offers(
    quotes: Mapping[str, Quote],
    opportunities: Mapping[str, Opportunity],
    ordered: Collection[str],
    rules: DemandRules,
    around: Around,
) -> dict[str, list[str]]:
    """Deal -> the quotes by which it counts, one for each company of ours: others are alternatives. A quote without
    opportunity is a deal of its own."""
    best: dict[tuple[str, str], tuple[tuple[Decimal, Day, int, str], str]] = {}
    for key, quote in quotes.items():
        deal = around.same(quote.opportunity)
        opportunity = opportunities.get(deal)
        over = key in ordered or deal in ordered or (opportunity is not None and opportunity.stage == "lost")
        if over or (weight := rules.quotes.get(quote.state or "draft")) is None:
            continue
        place = (deal if opportunity is not None else key, quote.company or "")
        mine = ((weight, quote.date or Day.min, len(key), key), key)  # of equal ones the one that was made last
        best[place] = max(best.get(place, mine), mine)
    found: dict[str, list[str]] = {}
    for (deal, _), (_, key) in best.items():
        found.setdefault(deal, []).append(key)
    return found


def _of_deal(key: str, deal: Opportunity, source: DemandSource, weight: Decimal, around: Around) -> Iterator[Signal]:
    common = Signal(
        source,
        key,
        region=_region(deal.account, around),
        company=deal.company or "",
        account=around.same(deal.account),
        month=_month(deal.closing),
        currency=around.code_of(deal.currency) if deal.currency else "",
        weight=weight,
        reason=deal.lost_reason or "",
        competitor=deal.competitor or "",
        text=deal.name or "",
    )
    return _by_line(common, deal.amount, [(one, one.quantity, _worth(one)) for one in deal.lines.values()], around)


def _of_quote(
    key: str,
    quote: Quote,
    opportunities: Mapping[str, Opportunity],
    source: DemandSource,
    weight: Decimal,
    around: Around,
) -> Iterator[Signal]:
    deal = opportunities.get(around.same(quote.opportunity))
    code = around.code_of(quote.currency) if quote.currency else ""
    common = Signal(
        source,
        key,
        region=_region(quote.account, around),
        company=quote.company or "",
        account=around.same(quote.account),
        month=_month((deal.closing if deal is not None else None) or quote.wanted or quote.valid_to or quote.date),
        currency=code,
        weight=weight,
        text=quote.number or "",
    )
    taken = [_taken(one, quote, minor_units(code)) for one in quote.lines.values()]
    whole = quote.state != "part_accepted" and all(one.accepted is None for one in quote.lines.values())
    return _by_line(common, quote.total if whole else None, taken, around)


def _taken(line: QuoteLine, quote: Quote, places: int) -> tuple[Line, Decimal | None, Decimal]:
    """What the customer takes of a line, and what that is worth."""
    worth = _worth(line)
    if line.accepted is None and quote.state != "part_accepted":
        return line, line.quantity, worth
    accepted = line.accepted or ZERO
    if not line.quantity or accepted == line.quantity:
        return line, accepted, worth if accepted else ZERO
    return line, accepted, rounded(Fraction(worth) * Fraction(accepted) / Fraction(line.quantity), places)


def _by_line(
    common: Signal, total: Decimal | None, lines: list[tuple[Line, Decimal | None, Decimal]], around: Around
) -> Iterator[Signal]:
    """A signal of each line, and one of what of the total the lines do not explain."""
    for line, quantity, worth in lines:
        product = around.same(line.product)
        unit = around.same(line.unit) or (around.unit_of(product) if product else "")
        yield replace(common, product=product, quantity=quantity or ZERO, unit=unit, amount=worth)
    if total is not None and (rest := summed([total, *(-worth for _, _, worth in lines)])):
        yield replace(common, amount=rest)


def _worth(line: Line) -> Decimal:
    """As the document says it, with tax where it says that; before anybody has computed it by price and discount."""
    told = line.total if line.total is not None else line.net
    if told is not None:
        return told
    less = Fraction(HUNDRED - (line.discount or ZERO)) / 100
    return exact(Fraction(line.quantity or ZERO) * Fraction(line.price or ZERO) * less)


def spread(key: str, told: DemandSignal, rules: DemandRules, around: Around) -> list[Signal]:
    """What somebody typed, month by month: quantity and amount in even parts that add up to the whole.

    Raises ValueError for a period that is none, or longer than ten years.
    """
    months = months_of(told.period)
    code = around.code_of(told.currency) if told.currency else ""
    product = around.same(told.product)
    quantities = _evenly(told.quantity or ZERO, len(months), 0)
    amounts = _evenly(told.amount or ZERO, len(months), minor_units(code))
    common = Signal(
        told.source or "wish",
        key,
        product=product,
        region=around.same(told.region) or _region(told.account, around),
        company=told.company or "",
        account=around.same(told.account),
        unit=around.same(told.unit) or (around.unit_of(product) if product else ""),
        currency=code,
        weight=(rules.lost if told.source == "lost" else rules.told) if told.weight is None else told.weight,
        reason=told.reason or "",
        competitor=told.competitor or "",
        text=told.text or "",
    )
    return [
        replace(common, month=month, quantity=quantity, amount=worth)
        for month, quantity, worth in zip(months, quantities, amounts, strict=True)
    ]


def months_of(period: str | None) -> list[str]:
    """`2026-10..2026-12` as its months; no period is no month. Raises ValueError."""
    if not period:
        return [""]
    span = Span.parse(period)
    first, last = (day.year * 12 + day.month - 1 for day in (span.start, span.end))
    if last - first >= _LONGEST:
        raise ValueError(f"{period} is longer than {_LONGEST // 12} years")
    return [f"{at // 12:04}-{at % 12 + 1:02}" for at in range(first, last + 1)]


def _evenly(number: Decimal, parts: int, least: int) -> list[Decimal]:
    """Even parts with as many decimals as the number has, `least` at the least."""
    exponent = number.as_tuple().exponent
    places = max(least, -exponent if isinstance(exponent, int) else 0)
    return [amount(one, places) for one in share(units(number, places), [1] * parts)]


def grouped(signals: Iterable[Signal], by: By) -> list[Group]:
    """Every signal in exactly one group, months in their order within what is asked for. By competitor: of lost deals
    only, with the reason."""
    found: dict[tuple[tuple[str, ...], str, DemandSource, str, str], list[Signal]] = {}
    for one in signals:
        if by != "competitor" or one.source == "lost":
            found.setdefault((_key(one, by), one.month, one.source, one.unit, one.currency), []).append(one)
    return [
        Group(
            *place,
            len(some),
            summed(one.quantity for one in some),
            summed(one.likely_quantity for one in some),
            summed(one.amount for one in some),
            summed(one.likely_amount for one in some),
        )
        for place, some in sorted(found.items())
    ]


def _key(one: Signal, by: By) -> tuple[str, ...]:
    return {
        "product": (one.product,),
        "month": (),
        "region": (one.region,),
        "competitor": (one.competitor, one.reason),
    }[by]


def _region(account: str | None, around: Around) -> str:
    return around.region_of(around.same(account)) if account else ""


def _month(day: Day | None) -> str:
    return f"{day:%Y-%m}" if day is not None else ""


def _weighted(number: Decimal, weight: Decimal) -> Decimal:
    return exact(Fraction(number) * Fraction(weight) / 100)
