"""Payment terms: in which shares a sum falls due, counted from which event. `datong.reckoning.spoken` reads them.

A share falls due on the day of its event, plus whole months, then at that month's end where the terms run by month
(月结), plus days. A month that lacks the day ends on its last: one month after January 31st is February 28th or 29th.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Day
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from datong.base.money import Money, minor_units
from datong.reckoning.exact import amount, rounded, share, summed, units

Event = Literal["signed", "order", "shipment", "delivery", "invoice", "acceptance"]
"""What starts the clock: contract signed 签约, order placed 下单, goods sent 发货, goods there 到货, invoice 开票,
goods accepted 验收."""


@dataclass(frozen=True)
class Share:
    """One instalment: so many per cent, due after `event`. `before_shipment` is money without which nothing is sent
    (款到发货); `retention` is what the customer keeps back for a time (质保金)."""

    percent: Decimal
    event: Event
    days: int = 0
    months: int = 0
    end_of_month: bool = False
    before_shipment: bool = False
    retention: bool = False

    def __post_init__(self) -> None:
        if self.days < 0 or self.months < 0:
            raise ValueError("terms count forward from an event")
        if self.before_shipment and (
            self.retention
            or self.event in ("delivery", "acceptance")
            or (self.event == "shipment" and (self.days or self.months or self.end_of_month))
        ):
            raise ValueError("what is due before shipment cannot wait for something after it")

    def due(self, start: Day) -> Day:
        """When it is due, if its event was on `start`."""
        day = _months_on(start, self.months)
        if self.end_of_month:
            day = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        return day + timedelta(days=self.days)


@dataclass(frozen=True)
class EarlyDiscount:
    """So many per cent less for who pays within so many days of the invoice: 2/10."""

    percent: Decimal
    days: int


@dataclass(frozen=True)
class Terms:
    """Shares that make up 100 %, in the order in which they are told. Raises ValueError if they do not."""

    shares: tuple[Share, ...]
    early: EarlyDiscount | None = None

    def __post_init__(self) -> None:
        if not self.shares or min(one.percent for one in self.shares) <= 0:
            raise ValueError("every share of payment terms is more than nothing")
        if (whole := summed(one.percent for one in self.shares)) != 100:
            raise ValueError(f"the shares make up {whole} %, not 100 %")


@dataclass(frozen=True)
class Planned:
    """One instalment of a sum. `due` is None while its event has not happened."""

    share: Share
    amount: Decimal
    due: Day | None


def split(terms: Terms, total: Decimal, currency: str) -> list[Decimal]:
    """`total` in the shares of the terms, each payable in the currency, together exactly `total`.

    Raises ValueError when `total` itself is not payable, such as half a yen.
    """
    places = minor_units(currency)
    whole = units(total, places)
    if amount(whole, places) != total:
        raise ValueError(f"{total} cannot be paid in {currency}")
    return [amount(part, places) for part in share(whole, [one.percent for one in terms.shares])]


def due_dates(terms: Terms, events: Mapping[Event, Day]) -> list[Day | None]:
    """When each share is due by the days of `events`; None for one whose event has not happened. Signing the contract
    and placing the order stand for each other where only one of them is known."""
    known = dict(events)
    if "signed" in known or "order" in known:
        known.setdefault("order", known.get("signed", Day.min))
        known.setdefault("signed", known["order"])
    return [one.due(known[one.event]) if one.event in known else None for one in terms.shares]


def planned(terms: Terms, total: Decimal, currency: str, events: Mapping[Event, Day]) -> list[Planned]:
    """The instalments of `total`: amounts by `split`, days by `due_dates`."""
    parts, days = split(terms, total, currency), due_dates(terms, events)
    return [Planned(one, part, day) for one, part, day in zip(terms.shares, parts, days, strict=True)]


def early_discount(terms: Terms, total: Money, invoiced: Day) -> tuple[Money, Day] | None:
    """What may be left out by paying early, and the last day for it; None if the terms give nothing for it."""
    if terms.early is None:
        return None
    off = Fraction(total.amount) * Fraction(terms.early.percent) / 100
    last = invoiced + timedelta(days=terms.early.days)
    return Money(rounded(off, minor_units(total.currency)), total.currency), last


def _months_on(day: Day, months: int) -> Day:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return Day(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
