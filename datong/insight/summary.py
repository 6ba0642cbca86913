"""What a customer bought and how it pays: turnover of the fiscal year and month, habits, favourite product groups.

A fiscal month is named by the calendar month in which it closes: with the closing day 25 the month of March goes from
26 February to 25 March. A closing day that a month does not have is that month's last.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Day
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from datong.base.money import plain
from datong.insight.ageing import Charge, Received
from datong.reckoning.exact import rounded, summed

ZERO = Decimal(0)
_DAY = timedelta(days=1)
Span = tuple[Day, Day]
"""First and last day."""


@dataclass(frozen=True)
class SummaryRules:
    """What turnover counts, and when a year begins. `year_starts` is the number of the fiscal year's first month,
    `closing_day` the last day of each. Habits are taken from the last `window` days; `groups` is how many favourite
    product groups are named."""

    count: Literal["invoices", "orders"] = "invoices"
    tax: Literal["without", "with"] = "without"
    year_starts: int = 1
    closing_day: int = 31
    window: int = 365
    groups: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.year_starts <= 12 or not 1 <= self.closing_day <= 31:
            raise ValueError("year_starts is a month from 1 to 12, closing_day a day from 1 to 31")
        if self.window < 1 or self.groups < 0:
            raise ValueError("window is at least one day, groups at least 0")


@dataclass(frozen=True)
class Worth:
    """An amount without and with tax, in the document's currency."""

    net: Decimal
    total: Decimal

    def by(self, rules: SummaryRules) -> Decimal:
        return self.net if rules.tax == "without" else self.total


@dataclass(frozen=True)
class Sale:
    """An order or an invoice that counts; a credit note is negative. `groups`: what of it is of which product group."""

    day: Day
    worth: Worth
    rate: Decimal = Decimal(1)
    groups: Mapping[str, Worth] = field(default_factory=dict)

    def booked(self, rules: SummaryRules, places: int) -> Decimal:
        return rounded(Fraction(self.worth.by(rules)) * Fraction(self.rate), places)


@dataclass(frozen=True)
class Turnover:
    """In the currency of the books. `last_year` is all of the fiscal year before."""

    ytd: Decimal
    mtd: Decimal
    last_year: Decimal


@dataclass(frozen=True)
class Habits:
    """`days_to_pay` from an invoice's day to the money, by amount; `order_every` days from one order day to the next;
    both with one decimal."""

    last_order: Day | None
    last_payment: Day | None
    days_to_pay: Decimal | None
    order_every: Decimal | None
    average_order: Decimal | None
    favourites: tuple[str, ...]


def fiscal_month(day: Day, rules: SummaryRules) -> Span:
    """The fiscal month that `day` lies in."""
    closes = _close(day.year, day.month, rules.closing_day)
    if day > closes:
        year, month = _next(day.year, day.month)
        closes = _close(year, month, rules.closing_day)
    year, month = _before(closes.year, closes.month)
    return _close(year, month, rules.closing_day) + _DAY, closes


def fiscal_year(day: Day, rules: SummaryRules) -> Span:
    """The fiscal year that `day` lies in."""
    closes = fiscal_month(day, rules)[1]
    starts = closes.year if closes.month >= rules.year_starts else closes.year - 1
    year, month = _before(starts, rules.year_starts)
    following, last = _before(starts + 1, rules.year_starts)
    return _close(year, month, rules.closing_day) + _DAY, _close(following, last, rules.closing_day)


def _close(year: int, month: int, day: int) -> Day:
    return Day(year, month, min(day, monthrange(year, month)[1]))


def _next(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)


def _before(year: int, month: int) -> tuple[int, int]:
    return (year - 1, 12) if month == 1 else (year, month - 1)


def turnover(sales: Iterable[Sale], today: Day, rules: SummaryRules, places: int) -> Turnover:
    """What was sold until the end of `today`."""
    month, year = fiscal_month(today, rules)[0], fiscal_year(today, rules)[0]
    before = fiscal_year(year - _DAY, rules)[0]
    past = [(one.day, one.booked(rules, places)) for one in sales if before <= one.day <= today]
    return Turnover(
        ytd=summed(amount for day, amount in past if day >= year),
        mtd=summed(amount for day, amount in past if day >= month),
        last_year=summed(amount for day, amount in past if day < year),
    )


def habits_of(
    orders: Sequence[Sale],
    counted: Sequence[Sale],
    charges: Sequence[Charge],
    receipts: Sequence[Received],
    today: Day,
    rules: SummaryRules,
    places: int,
) -> Habits:
    """`counted` is what turnover counts; favourites are taken from it."""
    since = today - timedelta(days=rules.window - 1)
    recent = [one for one in orders if since <= one.day <= today]
    days = sorted({one.day for one in recent})
    every = Fraction((days[-1] - days[0]).days, len(days) - 1) if len(days) > 1 else None
    worth = [one.booked(rules, places) for one in recent]
    return Habits(
        last_order=max((one.day for one in orders if one.day <= today), default=None),
        last_payment=max((one.day for one in receipts if one.amount > 0 and one.day <= today), default=None),
        days_to_pay=_days_to_pay(charges, receipts, since, today, places),
        order_every=None if every is None else rounded(every, 1),
        average_order=rounded(Fraction(summed(worth)) / len(worth), places) if worth else None,
        favourites=_favourites([one for one in counted if since <= one.day <= today], rules),
    )


def _days_to_pay(
    charges: Sequence[Charge], receipts: Sequence[Received], since: Day, today: Day, places: int
) -> Decimal | None:
    """By amount in the currency of the books, over what was received in the window. Money that was there before the
    invoice took no time."""
    days = {one.key: one.day for one in charges if one.amount > 0}
    weights = Fraction(0)
    time = Fraction(0)
    for one in receipts:
        if since <= one.day <= today:
            for key, share in one.shares.items():
                if key in days and share > 0:
                    weight = Fraction(share) * Fraction(one.rate)
                    weights += weight
                    time += weight * max(0, (one.day - days[key]).days)
    return rounded(time / weights, 1) if weights else None


def _favourites(sales: Iterable[Sale], rules: SummaryRules) -> tuple[str, ...]:
    """The groups with the largest turnover, in that order; of equal ones the first by name."""
    sums: dict[str, Fraction] = {}
    for one in sales:
        for group, worth in one.groups.items():
            sums[group] = sums.get(group, Fraction(0)) + Fraction(worth.by(rules)) * Fraction(one.rate)
    best = sorted((-amount, group) for group, amount in sums.items() if amount > 0)
    return tuple(group for _, group in best[: rules.groups])


def said(rules: SummaryRules, zone: str, currency: str) -> str:
    """What turnover counts, for people: shown with the figure."""
    what = {"invoices": "invoices 开票", "orders": "orders 订单"}[rules.count]
    tax = {"without": "without tax 未税", "with": "with tax 含税"}[rules.tax]
    closing = "month end 月末" if rules.closing_day == 31 else f"day {plain(Decimal(rules.closing_day))} 日"
    return f"{what}, {tax}; year from month {rules.year_starts} 月起, closing {closing}; {zone}; {currency}"
