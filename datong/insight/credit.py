"""Credit (信用): what counts as used, the limit and its temporary raise (临时额度), a common limit (集团授信)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date as Day
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from datong.reckoning.exact import rounded, summed

ZERO = Decimal(0)


@dataclass(frozen=True)
class CreditRules:
    """What counts as used beside what is owed: `orders` (ordered and not shipped), `shipped` (shipped and not
    invoiced), `bills` (acceptance bills 承兑汇票 that are not due). `group`: a limit at the head of a group is one for
    all who belong to it. `zero`: what a limit of 0 means in the ERP, no limit or no credit."""

    orders: bool = True
    shipped: bool = True
    bills: bool = True
    group: bool = False
    zero: Literal["unlimited", "nothing"] = "unlimited"


@dataclass(frozen=True)
class Sold:
    """One line of an order that stands: what it is worth with tax in the order's currency, and what came of it. Of a
    line that is `closed` nothing more will be shipped."""

    worth: Decimal
    quantity: Decimal
    shipped: Decimal
    invoiced: Decimal
    rate: Decimal = Decimal(1)
    closed: bool = False

    def waiting(self) -> Fraction:
        """What will still be shipped and is not invoiced."""
        return Fraction(0) if self.closed else self._part(self.quantity - max(self.shipped, self.invoiced))

    def under_way(self) -> Fraction:
        """What was shipped and is not invoiced."""
        return self._part(min(self.shipped, self.quantity) - self.invoiced)

    def _part(self, quantity: Decimal) -> Fraction:
        """What so much of it is worth in the books."""
        if not self.quantity or quantity <= 0:
            return Fraction(0)
        return Fraction(self.worth) * Fraction(quantity) / Fraction(self.quantity) * Fraction(self.rate)


@dataclass(frozen=True)
class Used:
    """What counts as used, by what it is, in the currency of the books."""

    receivable: Decimal = ZERO
    shipped: Decimal = ZERO
    orders: Decimal = ZERO
    bills: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return summed((self.receivable, self.shipped, self.orders, self.bills))

    def __add__(self, other: Used) -> Used:
        mine, its = ((one.receivable, one.shipped, one.orders, one.bills) for one in (self, other))
        return Used(*(summed(pair) for pair in zip(mine, its, strict=True)))


@dataclass(frozen=True)
class Credit:
    """A limit as the ERP has it, and what was added to it for a time. A raise without a last day, or by nobody who may,
    adds nothing."""

    limit: Decimal | None
    raised: Decimal = ZERO
    until: Day | None = None
    approved: bool = False

    def on(self, day: Day) -> Decimal | None:
        """The limit of a day; None: there is none."""
        if self.limit is None:
            return None
        return summed((self.limit, self.raised)) if self.raises(day) else self.limit

    def raises(self, day: Day) -> bool:
        return self.approved and self.raised > 0 and self.until is not None and day <= self.until


@dataclass(frozen=True)
class Standing:
    """How a customer's credit stands; without a limit nothing is free and nothing is refused."""

    limit: Decimal | None
    used: Used

    @property
    def free(self) -> Decimal | None:
        return None if self.limit is None else summed((self.limit, -self.used.total))

    def lacks(self, wanted: Decimal) -> Decimal:
        """By how much `wanted` more is over the limit; 0 where it is not."""
        return ZERO if self.free is None else max(ZERO, summed((wanted, -self.free)))


def used(receivable: Decimal, sold: Iterable[Sold], bills: Decimal, rules: CreditRules, places: int) -> Used:
    """What of a customer's documents counts. `receivable` with its sign: money on account makes room."""
    lines = list(sold)
    waiting = sum((one.waiting() for one in lines), Fraction(0)) if rules.orders else Fraction(0)
    under_way = sum((one.under_way() for one in lines), Fraction(0)) if rules.shipped else Fraction(0)
    return Used(receivable, rounded(under_way, places), rounded(waiting, places), bills if rules.bills else ZERO)
