"""Whom to offer what: goods of which there is too much, and customers who bought them or their like. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date as Day
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from datong.reckoning.exact import rounded, summed

ZERO = Decimal(0)
_MONTH = Fraction(3652425, 120000)
"""Days, on average."""
_TOLD = 1
"""Decimals of a number of months, and of pieces a month."""


@dataclass(frozen=True)
class SuggestRules:
    """What too much is, and who may want it.

    `months` of sales are what stock may cover, by the sales of the last `back` months; after `idle_days` without a
    movement out all of it is too much. A purchase tells for `history_days` that somebody may buy again, and is due
    `due_days` before its day. `customers` are the most for one product.
    """

    months: Decimal = Decimal(6)
    idle_days: int = 90
    back: int = 6
    history_days: int = 730
    due_days: int = 30
    customers: int = 20


@dataclass(frozen=True)
class Held:
    """So much of a product is free in a warehouse."""

    product: str
    warehouse: str
    unit: str
    quantity: Decimal


@dataclass(frozen=True)
class Left:
    """So much of a product left a warehouse on a day."""

    product: str
    warehouse: str
    unit: str
    day: Day
    quantity: Decimal


@dataclass(frozen=True)
class Bought:
    """A customer ordered so much of a product on a day, at a net price in a currency."""

    account: str
    product: str
    unit: str
    day: Day
    quantity: Decimal
    price: Decimal | None
    currency: str


@dataclass(frozen=True)
class Goods:
    """What is known of a product: its group, and what one unit of it is sold for."""

    group: str = ""
    price: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class Overstock:
    """Too much of a product in a warehouse. `monthly`: what leaves in a month; `months`: how long that lasts (None: for
    ever); `idle`: days since something left (None: nothing ever did); `excess`: what is too much."""

    product: str
    warehouse: str
    unit: str
    stock: Decimal
    monthly: Decimal
    months: Decimal | None
    idle: int | None
    excess: Decimal
    worth: Decimal | None
    currency: str


@dataclass(frozen=True)
class Suggestion:
    """A customer to whom a product is offered. `by`: they bought it, or others of its group. `every`: days between
    purchases; `due`: when the next one is to come. `worth`: `quantity` at the price they paid last, else the list's.
    """

    product: str
    account: str
    by: Literal["product", "group"]
    times: int
    last: Day
    every: int | None
    due: Day | None
    is_due: bool
    quantity: Decimal
    unit: str
    worth: Decimal | None
    currency: str

    @property
    def key(self) -> str:
        """By which people choose it."""
        return "-".join(one.partition(":")[2] for one in (self.product, self.account))


def overstock(
    held: Iterable[Held], left: Iterable[Left], goods: Mapping[str, Goods], rules: SuggestRules, today: Day
) -> list[Overstock]:
    """Stock that lasts too long or lies still, the most money first. What left in another unit is not counted."""
    begin = today - timedelta(days=round(rules.back * _MONTH))
    moved: dict[tuple[str, str, str], list[Left]] = {}
    for one in left:
        moved.setdefault((one.product, one.warehouse, one.unit), []).append(one)
    found = []
    for stock in held:
        mine = [one for one in moved.get((stock.product, stock.warehouse, stock.unit), []) if one.day <= today]
        sold = Fraction(summed(one.quantity for one in mine if one.day > begin))
        monthly = sold / rules.back
        last = max((one.day for one in mine), default=None)
        idle = None if last is None else (today - last).days
        too_much = Fraction(stock.quantity) - Fraction(rules.months) * monthly
        still = idle is None or idle >= rules.idle_days
        excess = Fraction(stock.quantity) if still else too_much
        if stock.quantity <= 0 or excess <= 0:
            continue
        about = goods.get(stock.product, Goods())
        found.append(
            Overstock(
                product=stock.product,
                warehouse=stock.warehouse,
                unit=stock.unit,
                stock=stock.quantity,
                monthly=rounded(monthly, _TOLD),
                months=rounded(Fraction(stock.quantity) / monthly, _TOLD) if monthly else None,
                idle=idle,
                excess=rounded(excess, 0, "down") if excess >= 1 else rounded(excess, 4),
                worth=None if about.price is None else rounded(excess * Fraction(about.price), 2),
                currency=about.currency,
            )
        )
    return sorted(found, key=lambda one: (-(one.worth or ZERO), one.product, one.warehouse))


def suggestions(
    over: Iterable[Overstock],
    bought: Iterable[Bought],
    goods: Mapping[str, Goods],
    rules: SuggestRules,
    today: Day,
    *,
    served: frozenset[tuple[str, str]] = frozenset(),
) -> list[Suggestion]:
    """Customers for each product of which there is too much: who bought it, then who bought of its group and never
    that. Of a product those first who are due, then by money. `served`: (product, customer) that a campaign has."""
    since = today - timedelta(days=rules.history_days)
    history = [one for one in bought if since < one.day <= today and one.quantity > 0]
    excess: dict[tuple[str, str], Decimal] = {}
    for one in over:
        excess[one.product, one.unit] = excess.get((one.product, one.unit), ZERO) + one.excess
    found: list[Suggestion] = []
    for (product, unit), most in excess.items():
        mine = _by_account(one for one in history if one.product == product)
        group = goods.get(product, Goods()).group
        like = _by_account(one for one in history if group and goods.get(one.product, Goods()).group == group)
        of_it = [_again(product, unit, account, some, most, goods, rules, today) for account, some in mine.items()]
        of_group = [
            _like(product, unit, account, some, most, goods) for account, some in like.items() if account not in mine
        ]
        fresh = [one for one in (*of_it, *of_group) if (one.product, one.account) not in served]
        found += sorted(fresh, key=_urgency)[: rules.customers]
    return found


def _urgency(one: Suggestion) -> tuple[bool, bool, Decimal, str]:
    return not one.is_due, one.by == "group", -(one.worth or ZERO), one.account


def _by_account(history: Iterable[Bought]) -> dict[str, list[Bought]]:
    found: dict[str, list[Bought]] = {}
    for one in history:
        found.setdefault(one.account, []).append(one)
    return {account: sorted(some, key=lambda one: one.day) for account, some in sorted(found.items())}


def _again(
    product: str,
    unit: str,
    account: str,
    some: list[Bought],
    most: Decimal,
    goods: Mapping[str, Goods],
    rules: SuggestRules,
    today: Day,
) -> Suggestion:
    days = sorted({one.day for one in some})
    every = round(Fraction((days[-1] - days[0]).days, len(days) - 1)) if len(days) > 1 else None
    due = days[-1] + timedelta(days=every) if every is not None else None
    usual = Fraction(summed(one.quantity for one in some if one.unit == unit)) / len(days)
    quantity = min(rounded(usual, 0) if usual >= 1 else rounded(usual, 4), most)
    priced = next((one for one in reversed(some) if one.price is not None and one.unit == unit), None)
    worth, currency = _worth(quantity, priced, goods.get(product, Goods()))
    is_due = due is not None and due - timedelta(days=rules.due_days) <= today
    return Suggestion(
        product, account, "product", len(days), days[-1], every, due, is_due, quantity, unit, worth, currency
    )


def _like(
    product: str, unit: str, account: str, some: list[Bought], most: Decimal, goods: Mapping[str, Goods]
) -> Suggestion:
    """Who never bought it: of how much is not known, so one piece counts."""
    days = sorted({one.day for one in some})
    quantity = min(Decimal(1), most)
    worth, currency = _worth(quantity, None, goods.get(product, Goods()))
    return Suggestion(
        product, account, "group", len(days), days[-1], None, None, False, quantity, unit, worth, currency
    )


def _worth(quantity: Decimal, paid: Bought | None, about: Goods) -> tuple[Decimal | None, str]:
    price, currency = (paid.price, paid.currency) if paid is not None else (about.price, about.currency)
    return (None, "") if price is None else (rounded(Fraction(quantity) * Fraction(price), 2), currency)
