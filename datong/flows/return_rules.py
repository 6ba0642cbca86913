"""The rules of returns: what may come back, and what its facts prove. Pure, and the same for every variant.

A variant is a row of parameters, not code: what is to become of the goods, whether the replacement leaves first, in
how many days and whether only under warranty.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Day
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from datong.canon.service import Outcome, Warranty

ZERO = Decimal(0)
OUTCOMES: tuple[Outcome, ...] = ("repaired", "replaced", "exchanged", "refunded")


class Variant(BaseModel):
    """One way to return goods (退货方案)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Outcome
    """what is to become of what comes back"""
    advance: bool = False
    """the replacement leaves before the goods are here (先行换货)"""
    within_days: int | None = Field(None, ge=0)
    """how many days after its shipment it may be asked for"""
    warranty: bool = False
    """only under warranty (保修期内)"""


USUAL: dict[str, Variant] = {
    "refund": Variant(outcome="refunded", within_days=30),
    "exchange": Variant(outcome="exchanged", within_days=30),
    "replacement": Variant(outcome="replaced", warranty=True),
    "advance_replacement": Variant(outcome="replaced", advance=True, warranty=True),
    "repair": Variant(outcome="repaired", warranty=True),
    "paid_repair": Variant(outcome="repaired"),
}


class ServiceSettings(BaseModel):
    """How long things are under warranty where the ERP does not say it of one."""

    model_config = ConfigDict(extra="forbid")

    warranty_months: int = Field(12, ge=0)
    """months from shipment under warranty, of a thing of which the ERP tells no date"""


# Hard rules --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sold:
    """What is known of an order line. `returned` and `refunded` are what other returns of it bring back, and of it what
    they refund; of a lot and of serial numbers likewise."""

    shipped: Decimal = ZERO
    invoiced: Decimal = ZERO
    returned: Decimal = ZERO
    refunded: Decimal = ZERO
    shipped_on: Day | None = None
    lots: Mapping[str, Decimal] = field(default_factory=dict)
    lots_returned: Mapping[str, Decimal] = field(default_factory=dict)
    serials: frozenset[str] = frozenset()
    serials_returned: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Asked:
    """What is to come back of an order line."""

    quantity: Decimal | None
    lot: str | None = None
    serial: str | None = None


@dataclass(frozen=True)
class Refusal:
    """Why it may not come back. `late`: only because of the day, which people may overlook."""

    reason: str
    remedy: str
    late: bool = False


def refusal(variant: Variant, asked: Asked, sold: Sold, on: Day, until: Day | None) -> Refusal | None:
    """What forbids a return, asked for on a day, of goods under warranty `until`; None where nothing does.

    Never more than was shipped; never a refund of more than was invoiced; a lot and a serial number only where they
    were shipped; only in time, and only under warranty where the variant says so.
    """
    if asked.quantity is None or asked.quantity <= 0:
        return Refusal(f"{asked.quantity or 'nothing'} is to come back", "give a quantity above zero")
    too_much = _beyond("shipped", asked.quantity, sold.returned, sold.shipped)
    if too_much is None and variant.outcome == "refunded":
        too_much = _beyond("invoiced", asked.quantity, sold.refunded, sold.invoiced)
    if too_much is None:
        too_much = _not_of_it(asked, sold)
    if too_much is not None:
        return too_much
    days = (on - sold.shipped_on).days if sold.shipped_on is not None else 0
    if variant.within_days is not None and days > variant.within_days:
        told = f"shipped {sold.shipped_on}, {days} days before it was asked for; {variant.within_days} are allowed"
        return Refusal(told, "choose a variant without that limit, or refuse the request", late=True)
    if variant.warranty and warranty(until, on) != "in":
        told = f"the warranty ended on {until}" if until else "nobody knows until when it is under warranty"
        return Refusal(told, "offer a paid repair (`paid_repair`), or refuse the request", late=until is not None)
    return None


def _beyond(word: str, quantity: Decimal, before: Decimal, most: Decimal) -> Refusal | None:
    if before + quantity <= most:
        return None
    others = f", with {before:f} of other returns" if before else ""
    remedy = "lower the quantity" if word == "shipped" else "lower the quantity, or have it invoiced first"
    return Refusal(f"{quantity:f} are to come back{others}, and {most:f} were {word}", remedy)


def _not_of_it(asked: Asked, sold: Sold) -> Refusal | None:
    """A lot or serial number that was not shipped with this line, or is back already."""
    if asked.lot and sold.lots:
        most, before = sold.lots.get(asked.lot, ZERO), sold.lots_returned.get(asked.lot, ZERO)
        if asked.quantity is not None and before + asked.quantity > most:
            return Refusal(f"of lot {asked.lot} {most:f} were shipped, {before:f} of it came back", "correct the lot")
    if asked.serial and sold.serials and asked.serial not in sold.serials:
        return Refusal(f"{asked.serial} was not shipped with this order", "correct the serial number or the order")
    if asked.serial and asked.serial in sold.serials_returned:
        return Refusal(f"{asked.serial} is in another return", "see that return, or correct the serial number")
    if asked.serial and asked.quantity != 1:
        return Refusal(f"{asked.quantity} are to come back of one serial number", "give each its own line")
    return None


# Warranty ----------------------------------------------------------------------------------------------------------


def warranty_end(shipped_on: Day | None, months: int) -> Day | None:
    """The same day of a later month, its last where it has no such day; None where nothing was shipped."""
    if shipped_on is None:
        return None
    year, month = divmod(shipped_on.year * 12 + shipped_on.month - 1 + months, 12)
    return Day(year, month + 1, min(shipped_on.day, calendar.monthrange(year, month + 1)[1]))


def warranty(until: Day | None, today: Day) -> Warranty:
    """The last day is under warranty."""
    return "unknown" if until is None else "in" if today <= until else "out"


# What facts prove --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Back:
    """One line of a return: awaited, here, what was found, and what became of it."""

    quantity: Decimal
    received: Decimal = ZERO
    result: str | None = None
    disposition: Outcome | None = None


@dataclass(frozen=True)
class Facts:
    """What the ERP says of a return. `looked_at`: it was inspected, whatever was found on its lines."""

    decision: str | None = None
    lines: Sequence[Back] = ()
    looked_at: bool = False
    repaired: bool = False
    credited: bool = False
    replaced: bool = False
    wanted: Outcome | None = None

    @property
    def received(self) -> bool:
        """All that was awaited is here."""
        return bool(self.lines) and all(line.received >= line.quantity > 0 for line in self.lines)

    @property
    def inspected(self) -> bool:
        return self.received and (self.looked_at or all(line.result for line in self.lines))


def state_of(facts: Facts) -> str:
    """How far a return is: as far as every step before is proved too. So nothing is refunded that is not here, and
    nothing is replaced or exchanged but by an order, whatever a document says."""
    if facts.decision in ("refused", "cancelled"):
        return facts.decision
    if facts.decision not in ("authorised", "closed"):
        return "requested"
    if not facts.received:
        return "authorised"
    if not facts.inspected:
        return "received"
    outcome = _outcome(facts)
    if outcome is None:
        return "inspected"
    return "closed" if facts.decision == "closed" else outcome


def _outcome(facts: Facts) -> Outcome | None:
    """What became of it; where lines differ, what was wanted, if any has it."""
    found = [line.disposition for line in facts.lines if line.disposition is not None]
    if len(found) < len(facts.lines) or not all(_proved(one, facts) for one in found):
        return None
    return facts.wanted if facts.wanted in found else found[0]


def _proved(outcome: Outcome, facts: Facts) -> bool:
    if outcome == "refunded":
        return facts.credited
    return facts.repaired if outcome == "repaired" else facts.replaced


def broken(facts: Facts, advance: bool) -> str | None:
    """Which rule the ERP's own documents go round; None where they keep to all."""
    if facts.credited and not facts.received:
        return "it is refunded, and not all of it is here"
    if facts.replaced and not facts.received and not advance:
        return "it is replaced, and not all of it is here"
    return None
