"""What a document amounts to: lines and totals from quantity, price, discount and tax, to the cent.

The order of things, for each line and then for the document:

1. The price is held with the places that the connection's prices have; quantity times price less the line's discount
   is rounded once (`discounted="amount"`), or the discounted price is rounded first (`discounted="price"`).
2. A discount of the document is shared out over the lines by their amounts.
3. Prices without tax (未税): tax = net x rate, total = net + tax. Prices with tax (含税): the total is known,
   tax = total x rate / (100 + rate) is rounded, net = total - tax. So net and tax always make up the total. Kingdee's
   FTaxPrice with FEntryTaxRate and Yonyou's oriTaxUnitPrice with `taxInclusive` are the second case, FPrice and
   oriUnitPrice the first; a sample row of Yonyou's order page (oriSum 1, 13 %, oriTax 0.115, oriMoney 0.885, three
   places) comes out so.
4. Tax per document: the lines of one rate are taxed together; where the taxes of the lines do not make up that sum, the
   odd cent (尾差) goes where `odd_cent` says.

A discount *before* tax lowers what is taxed. A discount *after* tax is taken off what is to be paid, the tax stays:
then `net + tax - off = total`; else `off` is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from datong.base.money import minor_units
from datong.reckoning.exact import Rounding, amount, share, units

OddCent = Literal["last", "largest", "spread", "own", "none"]
"""Where a cent that does not come out even goes: on the last line, on the largest one, one each from the first line on,
on a rounding line of its own, or nowhere (the lines then do not make up the document)."""


@dataclass(frozen=True)
class Rules:
    """How the documents of one connection, or of one of its companies, are reckoned.

    `price_places` are the decimals of a unit price. The tolerances are in the smallest unit of the currency (分, 円).
    `free_goods` says what becomes of the tax on goods given away (赠品): none, owed by us (视同销售: the line shows
    nothing, `deemed` tells what is owed), or charged to the customer. `tax_included` counts where a document does not
    say it.
    """

    tax: Literal["line", "document"] = "line"
    discount: Literal["before", "after"] = "before"
    discounted: Literal["amount", "price"] = "amount"
    rounding: Rounding = "half_up"
    price_places: int = 6
    odd_cent: OddCent = "last"
    line_tolerance: int = 0
    document_tolerance: int = 0
    free_goods: Literal["untaxed", "owed", "charged"] = "untaxed"
    tax_included: bool = False


@dataclass(frozen=True)
class Item:
    """What a line says. `discount` and `rate` are in per cent; `rate` None is not taxed at all (exempt 免税, or no
    matter of the tax 不征税), which is not the rate of 0 %. `free` is the reason why goods cost nothing: the price
    then only tells their worth; money given back (返利) is a rebate with a negative price."""

    quantity: Decimal
    price: Decimal
    rate: Decimal | None = Decimal(0)
    discount: Decimal = Decimal(0)
    free: str | None = None

    @property
    def given(self) -> bool:
        """Whether the customer gets this for nothing."""
        return self.free is not None and self.price >= 0


@dataclass(frozen=True)
class Discount:
    """A discount on a whole document: in per cent of its lines, or an amount in the lines' own terms (with tax where
    prices include it; with tax in any case when it is taken off after tax)."""

    percent: Decimal | None = None
    amount: Decimal | None = None


@dataclass(frozen=True)
class Amounts:
    """In the document's currency: `net + tax - off = total`. `deemed` is tax that we owe on goods given away."""

    net: Decimal
    tax: Decimal
    total: Decimal
    off: Decimal
    deemed: Decimal


@dataclass(frozen=True)
class Reckoned:
    """The lines in their order, the document, its tax by rate (None: not taxed), and the rounding line if there is one.

    The lines and `rounding` make up `document`, unless the odd cent goes nowhere.
    """

    lines: tuple[Amounts, ...]
    document: Amounts
    taxes: Mapping[Decimal | None, Decimal]
    rounding: Amounts


@dataclass
class _Cents:
    """A line while it is worked on, in whole units of the currency."""

    net: int = 0
    tax: int = 0
    off: int = 0
    deemed: int = 0

    @property
    def total(self) -> int:
        return self.net + self.tax - self.off


@dataclass
class _Work:
    """One document on the bench."""

    rules: Rules
    places: int
    included: bool
    items: Sequence[Item]
    lines: list[_Cents] = field(default_factory=list)
    rounding: _Cents = field(default_factory=_Cents)

    def cents(self, number: Fraction) -> int:
        return units(number, self.places, self.rules.rounding)

    def tax_of(self, base: int, rate: Decimal | None) -> int:
        return tax_units(base, rate, self.included, self.rules.rounding)


def tax_units(base: int, rate: Decimal | None, included: bool, rounding: Rounding) -> int:
    """The tax in (`included`) or on so many units of money, in units."""
    if rate is None:
        return 0
    percent = Fraction(rate)
    return units(base * percent / (100 + (percent if included else 0)), 0, rounding)


def reckon(
    items: Sequence[Item],
    rules: Rules,
    currency: str,
    *,
    tax_included: bool | None = None,
    discount: Discount | None = None,
) -> Reckoned:
    """All amounts of a document in `currency` (ISO 4217). `tax_included` None leaves it to the rules."""
    included = rules.tax_included if tax_included is None else tax_included
    work = _Work(rules, minor_units(currency), included, items)
    gross = [_gross(work, item) for item in items]
    before = [_less(work, item, base) for item, base in zip(items, gross, strict=True)]
    if rules.discount == "before":
        before = _discounted(work, before, discount)
        work.lines = [_line(work, item, base) for item, base in zip(items, before, strict=True)]
        taxes = _taxes(work, before)
    else:
        work.lines = [_line(work, item, base) for item, base in zip(items, gross, strict=True)]
        taxes = _taxes(work, gross)
        _take_off(work, gross, before, discount)
    return _result(work, taxes)


def _price(work: _Work, item: Item) -> Fraction:
    places = work.rules.price_places
    return Fraction(units(item.price, places, work.rules.rounding), 10**places)


def _gross(work: _Work, item: Item) -> int:
    return 0 if item.given else work.cents(Fraction(item.quantity) * _price(work, item))


def _less(work: _Work, item: Item, gross: int) -> int:
    """The line's amount with its discount taken off, rounded once."""
    if item.given or not item.discount:
        return gross
    left = 1 - Fraction(item.discount) / 100
    if work.rules.discounted == "amount":
        return work.cents(Fraction(item.quantity) * _price(work, item) * left)
    places = work.rules.price_places
    price = Fraction(units(_price(work, item) * left, places, work.rules.rounding), 10**places)
    return work.cents(Fraction(item.quantity) * price)


def _discounted(work: _Work, bases: Sequence[int], discount: Discount | None) -> list[int]:
    taken = _apportioned(work, bases, _discount(work, sum(bases), discount))
    return [base - part for base, part in zip(bases, taken, strict=True)]


def _discount(work: _Work, whole: int, discount: Discount | None) -> int:
    if discount is None:
        return 0
    if discount.amount is not None:
        return work.cents(Fraction(discount.amount))
    return units(whole * Fraction(discount.percent or 0) / 100, 0, work.rules.rounding)


def _apportioned(work: _Work, bases: Sequence[int], whole: int) -> list[int]:
    """`whole` shared out by the lines' amounts. Lines that lower the document take no part."""
    if not whole or not bases:
        return [0] * len(bases)
    sign = -1 if sum(bases) < 0 else 1
    weights = [max(0, sign * base) for base in bases]
    if not sum(weights):
        weights = [int(not item.given) for item in work.items]
    if work.rules.odd_cent in ("spread", "own", "none"):
        return share(whole, weights)
    parts = [units(Fraction(whole * weight, sum(weights) or 1), 0, work.rules.rounding) for weight in weights]
    parts[_place(work.rules.odd_cent, weights, range(len(bases)))] += whole - sum(parts)
    return parts


def _line(work: _Work, item: Item, base: int) -> _Cents:
    if item.given:
        return _given(work, item)
    tax = work.tax_of(base, item.rate)
    return _Cents(net=base - tax if work.included else base, tax=tax)


def _given(work: _Work, item: Item) -> _Cents:
    if work.rules.free_goods == "untaxed":
        return _Cents()
    tax = work.tax_of(work.cents(Fraction(item.quantity) * _price(work, item)), item.rate)
    return _Cents(tax=tax) if work.rules.free_goods == "charged" else _Cents(deemed=tax)


def _taxes(work: _Work, bases: Sequence[int]) -> dict[Decimal | None, int]:
    """The tax by rate; per document, the odd cents are placed on the way."""
    groups: dict[Decimal | None, list[int]] = {}
    for at, item in enumerate(work.items):
        groups.setdefault(item.rate, []).append(at)
    return {rate: _group(work, bases, rate, members) for rate, members in groups.items()}


def _group(work: _Work, bases: Sequence[int], rate: Decimal | None, members: list[int]) -> int:
    by_line = sum(work.lines[at].tax for at in members)
    sold = [at for at in members if not work.items[at].given]
    if work.rules.tax == "line" or not sold:
        return by_line
    together = work.tax_of(sum(bases[at] for at in sold), rate)
    odd = together - sum(work.lines[at].tax for at in sold)
    _place_odd(work, odd, [abs(base) for base in bases], sold)
    return by_line + odd


def _place_odd(work: _Work, odd: int, weights: Sequence[int], members: Sequence[int]) -> None:
    """More or less tax where the rules want it. With prices that include tax the net gives way, not the total."""
    rule = work.rules.odd_cent
    targets: Iterable[tuple[_Cents, int]]
    if rule == "spread":
        step = 1 if odd > 0 else -1
        bearing = [at for at in members if weights[at]] or list(members)
        targets = [(work.lines[bearing[nth % len(bearing)]], step) for nth in range(abs(odd))]
    elif rule in ("own", "none"):
        targets = [(work.rounding, odd)]
    else:
        targets = [(work.lines[_place(rule, weights, members)], odd)]
    for line, part in targets:
        line.tax += part
        line.net -= part if work.included else 0


def _place(rule: OddCent, weights: Sequence[int], members: Sequence[int]) -> int:
    """The line that takes the odd cent: one with an amount, if there is any."""
    bearing = [at for at in members if weights[at]] or list(members)
    return bearing[-1] if rule == "last" else max(bearing, key=lambda at: (weights[at], -at))


def _take_off(work: _Work, gross: Sequence[int], left: Sequence[int], discount: Discount | None) -> None:
    """Discounts after tax: the lines' own in the same proportion as their price, then the document's."""
    for line, full, rest in zip(work.lines, gross, left, strict=True):
        if full:
            line.off = line.total - units(Fraction(line.total * rest, full), 0, work.rules.rounding)
    totals = [line.total for line in work.lines]
    whole = _discount(work, sum(totals) + work.rounding.total, discount)
    for line, part in zip(work.lines, _apportioned(work, totals, whole), strict=True):
        line.off += part


def _result(work: _Work, taxes: Mapping[Decimal | None, int]) -> Reckoned:
    own = _Cents() if work.rules.odd_cent == "none" else work.rounding
    return Reckoned(
        lines=tuple(_amounts([line], work.places) for line in work.lines),
        document=_amounts([*work.lines, work.rounding], work.places),
        taxes={rate: amount(tax, work.places) for rate, tax in taxes.items()},
        rounding=_amounts([own], work.places),
    )


def _amounts(parts: Iterable[_Cents], places: int) -> Amounts:
    net = tax = off = deemed = 0
    for part in parts:
        net, tax, off, deemed = net + part.net, tax + part.tax, off + part.off, deemed + part.deemed
    numbers = (net, tax, net + tax - off, off, deemed)
    return Amounts(*(amount(number, places) for number in numbers))


def price_with_tax(price: Decimal, rate: Decimal | None, rules: Rules) -> Decimal:
    """含税单价 from 未税单价, with as many decimals as prices have. `rate` is in per cent, None is not taxed."""
    whole = Fraction(price) * (100 + Fraction(rate or 0)) / 100
    return amount(units(whole, rules.price_places, rules.rounding), rules.price_places)


def price_without_tax(price: Decimal, rate: Decimal | None, rules: Rules) -> Decimal:
    """未税单价 from 含税单价, with as many decimals as prices have. Amounts are never made from it: a document whose
    prices include tax is reckoned from them (`reckon`), or it is off by its quantity times the lost digits."""
    whole = Fraction(price) * 100 / (100 + Fraction(rate or 0))
    return amount(units(whole, rules.price_places, rules.rounding), rules.price_places)
