"""What customers complain of: cases counted by product, lot or reason, against what was shipped. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date as Day
from decimal import Decimal
from typing import Literal

By = Literal["product", "lot", "reason"]
ZERO = Decimal(0)
MILLE = Decimal(1000)


@dataclass(frozen=True)
class Complaint:
    """One case: what it is about, and since when. `quantity` is what was bad; one where nobody said."""

    day: Day
    product: str = ""
    lot: str = ""
    reason: str = ""
    quantity: Decimal = Decimal(1)
    open: bool = False


@dataclass(frozen=True)
class Sent:
    """So much of a product, of a lot, left for customers on a day."""

    day: Day
    product: str
    lot: str
    quantity: Decimal


@dataclass
class Group:
    """Complaints of one product, lot or reason. `lot` names its product too: numbers of lots are not unique."""

    product: str = ""
    lot: str = ""
    reason: str = ""
    cases: int = 0
    open: int = 0
    quantity: Decimal = ZERO
    shipped: Decimal = ZERO
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def per_mille(self) -> Decimal | None:
        """Bad pieces in a thousand that were shipped, to one place; None where none were."""
        return round(self.quantity * MILLE / self.shipped, 1) if self.shipped else None


def counted(complaints: Iterable[Complaint], by: By, first: Day, last: Day, sent: Iterable[Sent] = ()) -> list[Group]:
    """Groups with complaints that began from `first` to `last`, most cases first. What was shipped counts from the
    same days for products; of a lot all of it up to `last` counts, for it is bad whenever it was sent."""
    groups: dict[tuple[str, ...], Group] = {}
    for one in complaints:
        if first <= one.day <= last:
            group = groups.setdefault(_key(one.product, one.lot, one.reason, by), _group(one, by))
            group.cases += 1
            group.open += one.open
            group.quantity += one.quantity
            group.reasons[one.reason] += 1
    shipped = _shipped(sent, by, first, last)
    for key, group in groups.items():
        group.shipped = shipped.get(key, ZERO)
    return sorted(groups.values(), key=lambda one: (-one.cases, -one.quantity, one.product, one.lot, one.reason))


def _key(product: str, lot: str, reason: str, by: By) -> tuple[str, ...]:
    return (reason,) if by == "reason" else (product,) if by == "product" else (product, lot)


def _group(one: Complaint, by: By) -> Group:
    if by == "reason":
        return Group(reason=one.reason)
    return Group(product=one.product, lot=one.lot if by == "lot" else "")


def _shipped(sent: Iterable[Sent], by: By, first: Day, last: Day) -> Mapping[tuple[str, ...], Decimal]:
    found: dict[tuple[str, ...], Decimal] = {}
    for one in sent if by != "reason" else ():
        if one.day <= last and (by == "lot" or one.day >= first):
            key = _key(one.product, one.lot, "", by)
            found[key] = found.get(key, ZERO) + one.quantity
    return found
