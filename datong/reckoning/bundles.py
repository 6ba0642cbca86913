"""A bundle (套装) on a line: kept as it is, or exploded into its components with the same money to the cent.

The line's amount is shared out by what the components cost alone (list price times quantity), odd cents to the largest
remainders. Cents are then moved between components until the tax of the parts, each rounded, is the tax of the whole;
where that cannot be, the amounts told on the lines make up the whole and differ from their own rate by a cent. A unit
price that cannot hold its amount exactly leaves one piece to a line of its own. Components with tax rates of their own
keep the amount that prices are told in (with or without tax); the tax follows their rates.

What depends on more than the line is left to the document: tax amounts where tax is reckoned per document or where the
line tells no rate (its code may mean one, or that it is exempt), and totals
where a discount comes off after tax (the components then keep the discount, their prices are without it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from typing import TypeVar

from datong.base.money import minor_units
from datong.canon import Line
from datong.reckoning.amounts import Item, Rules, reckon, tax_units
from datong.reckoning.exact import amount, exact, rounded, share, units
from datong.reckoning.paper import number
from datong.reckoning.problem import CannotReckon, Problem

AnyLine = TypeVar("AnyLine", bound=Line)


@dataclass(frozen=True)
class Component:
    """What one bundle holds of a product. `list_price` is what one unit costs alone, in the document's currency and as
    the document tells prices. Without a tax code and rate of its own it has those of the bundle."""

    product: str
    quantity: Decimal
    list_price: Decimal
    unit: str | None = None
    tax_code: str | None = None
    tax_rate: Decimal | None = None


def explode(
    line: AnyLine, components: Sequence[Component], rules: Rules, currency: str, *, tax_included: bool | None = None
) -> list[AnyLine]:
    """The lines that stand for a bundle's line: each names the bundle, has the discount already in its price, and tells
    its amounts. Raises CannotReckon: BUNDLE_INCOMPLETE (quantity or price is missing, or there are no components),
    BUNDLE_WITHOUT_WORTH (no component has a list price)."""
    item = _item(line)
    if item is None or not components:
        raise CannotReckon(_incomplete())
    if item.given:
        return [_given(line, one, item.quantity) for one in components]
    weights = [Fraction(one.list_price) * Fraction(one.quantity) for one in components]
    if min(weights) < 0 or not sum(weights):
        raise CannotReckon(_worthless())
    included = rules.tax_included if tax_included is None else tax_included
    split = _Split(rules, minor_units(currency), included, item)
    parts = split.parts(split.base(currency), weights, [_rate(one, item) for one in components])
    exploded = [
        made
        for one, part in zip(components, parts, strict=True)
        for made in _lines(line, one, part, split, one.quantity)
    ]
    return [_placed(made, line, nth) for nth, made in enumerate(exploded, 1)]


@dataclass(frozen=True)
class _Part:
    base: int
    tax: int
    rate: Decimal | None


@dataclass(frozen=True)
class _Split:
    rules: Rules
    places: int
    included: bool
    item: Item

    def base(self, currency: str) -> int:
        """The whole, discount taken off unless it comes after tax, in what prices are told in."""
        whole = reckon([self.item], self.rules, currency, tax_included=self.included).document
        if self.rules.discount == "after":
            return units(whole.net + whole.tax if self.included else whole.net, self.places)
        return units(whole.total if self.included else whole.net, self.places)

    def tax(self, base: int, rate: Decimal | None) -> int:
        return tax_units(base, rate, self.included, self.rules.rounding)

    def parts(self, base: int, weights: Sequence[Fraction], rates: Sequence[Decimal | None]) -> list[_Part]:
        shares = share(base, weights)
        if any(rate != self.item.rate for rate in rates):
            return [_Part(part, self.tax(part, rate), rate) for part, rate in zip(shares, rates, strict=True)]
        whole = self.tax(base, self.item.rate)
        for tried in _moved(shares):
            taxes = [self.tax(part, self.item.rate) for part in tried]
            if sum(taxes) == whole:
                break
        else:
            taxes = [self.tax(part, self.item.rate) for part in shares]
            taxes[max(range(len(shares)), key=lambda at: abs(shares[at]))] += whole - sum(taxes)
            tried = shares
        return [_Part(part, tax, self.item.rate) for part, tax in zip(tried, taxes, strict=True)]


_FARTHEST = 8  # cents that may move from one component to another so that the taxes come out even


def _moved(shares: list[int]) -> Iterator[list[int]]:
    """The shares as they are, then with a few cents moved from one to another, the fewest first."""
    yield shares
    for cents in range(1, _FARTHEST + 1):
        for giver, taker in permutations(range(len(shares)), 2):
            if abs(shares[giver]) > cents:
                tried = list(shares)
                tried[giver] -= cents
                tried[taker] += cents
                yield tried


def _lines(line: AnyLine, one: Component, part: _Part, split: _Split, each: Decimal) -> Iterator[AnyLine]:
    """One line, or two where the price of all pieces cannot hold the amount exactly."""
    quantity = exact(Fraction(split.item.quantity) * Fraction(each))
    price = rounded(Fraction(part.base, 10**split.places) / Fraction(quantity), split.rules.price_places)
    if quantity <= 1 or _paid(quantity, price, split) == part.base:
        yield _line(line, one, quantity, price, part, split)
        return
    most = exact(Fraction(quantity) - 1)
    base = _paid(most, price, split)
    tax = split.tax(base, part.rate)
    rest = _Part(part.base - base, part.tax - tax, part.rate)
    yield _line(line, one, most, price, _Part(base, tax, part.rate), split)
    yield _line(line, one, Decimal(1), amount(rest.base, split.places), rest, split)


def _paid(quantity: Decimal, price: Decimal, split: _Split) -> int:
    return units(Fraction(quantity) * Fraction(price), split.places, split.rules.rounding)


def _line(line: AnyLine, one: Component, quantity: Decimal, price: Decimal, part: _Part, split: _Split) -> AnyLine:
    net = part.base - part.tax if split.included else part.base
    told = {"net": net, "tax": part.tax, "total": net + part.tax}
    after = split.rules.discount == "after" and bool(split.item.discount)
    if split.rules.tax == "document" or part.rate is None:
        told = {"total" if split.included else "net": part.base}
    if after:
        told.pop("total", None)
    amounts = {name: amount(told[name], split.places) if name in told else None for name in ("net", "tax", "total")}
    terms = {"quantity": quantity, "price": price, "discount": line.discount if after else None, "tax_rate": part.rate}
    return _named(line, one).model_copy(update={**terms, **amounts})


def _given(line: AnyLine, one: Component, quantity: Decimal) -> AnyLine:
    """Of a bundle that costs nothing, every component costs nothing; its price is what it is worth."""
    return _named(line, one).model_copy(
        update={"quantity": exact(Fraction(quantity) * Fraction(one.quantity)), "price": one.list_price}
    )


def _named(line: AnyLine, one: Component) -> AnyLine:
    return line.model_copy(
        update={
            "product": one.product,
            "bundle": line.product,
            "unit": one.unit,
            "text": None,
            "tax_code": one.tax_code or line.tax_code,
            "tax_rate": line.tax_rate if one.tax_rate is None else one.tax_rate,
        }
    )


def _placed(made: AnyLine, line: AnyLine, nth: int) -> AnyLine:
    """Behind its bundle's place: 10.01, 10.02 and so on."""
    position = number(line.position)
    if position is None:
        return made
    return made.model_copy(update={"position": exact(Fraction(position) + Fraction(nth, 100))})


def _item(line: Line) -> Item | None:
    quantity, price, rate = number(line.quantity), number(line.price), number(line.tax_rate)
    if not quantity or (price is None and line.free is None):
        return None
    return Item(quantity, price or Decimal(0), rate, number(line.discount) or Decimal(0), line.free)


def _rate(one: Component, item: Item) -> Decimal | None:
    return item.rate if one.tax_rate is None else one.tax_rate


def _incomplete() -> Problem:
    return Problem(
        "BUNDLE_INCOMPLETE",
        "a bundle cannot be exploded without quantity, price and components",
        "套装缺少数量、单价或组件，无法拆分",
        "fill in what is missing, or keep the bundle whole",
        "请补全缺少的内容，或设为不拆分",
    )


def _worthless() -> Problem:
    return Problem(
        "BUNDLE_WITHOUT_WORTH",
        "no component of the bundle has a list price to share its money by",
        "套装组件均无标准价，无法分摊金额",
        "enter list prices of the components, or keep the bundle whole",
        "请维护组件的标准价，或设为不拆分",
    )
