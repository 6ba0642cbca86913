"""What came of the lines of orders, by the ERP's shipments, invoices and payments, with the days on which it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Day
from decimal import Decimal
from fractions import Fraction

from datong.base.money import minor_units, plain
from datong.canon import Invoice, InvoiceLine, Line, Order, OrderLine, Payment, Return, Shipment
from datong.reckoning.exact import amount, share, units

ZERO = Decimal(0)
HUNDRED = Decimal(100)
SHIPPED = ("shipped", "delivered")
POSTED = ("posted", "paid")
RECEIVED = ("posted", "cleared")
FOR_GOOD = ("refunded", "exchanged")
UNDATED = Day.max


@dataclass(frozen=True, slots=True)
class Movement:
    """So much of an order line shipped or invoiced on a day. `money` is what an invoice charges for it, with tax, and
    `received` what was paid of that by the end of the span."""

    day: Day
    quantity: Decimal
    document: str
    number: str
    line: str = ""
    money: Decimal = ZERO
    received: Decimal = ZERO
    price: Fraction | None = None
    tax_included: bool | None = None


@dataclass
class Came:
    """What came of one order line."""

    shipped: list[Movement] = field(default_factory=list)
    invoiced: list[Movement] = field(default_factory=list)
    returned: list[Movement] = field(default_factory=list)
    """What came back for good: for money or in exchange, not for repair."""

    def until(self, what: str, day: Day) -> Decimal:
        """The quantity shipped, invoiced or returned up to a day."""
        moved: Sequence[Movement] = getattr(self, what)
        return sum((one.quantity for one in moved if one.day <= day), ZERO)


Place = tuple[str, str]
"""An order, and a line of it as documents name it: its position, else its product."""


def place_of(order: str, line: str | None, product: str | None) -> Place:
    return order, f"#{line}" if line else f"@{product}"


def names_of(key: str, of: Order) -> list[str]:
    """How documents may name a line: its position, its key, its product where no other line of the order has it."""
    line = of.lines[key]
    names = [f"#{key}"]
    if line.position is not None:
        names.append(f"#{plain(line.position)}")
    if line.product and sum(one.product == line.product for one in of.lines.values()) == 1:
        names.append(f"@{line.product}")
    return list(dict.fromkeys(names))


def came_of(order: str, key: str, of: Order, known: Mapping[Place, Came]) -> Came:
    """What came of a line, under whatever name."""
    found = [known[order, name] for name in names_of(key, of) if (order, name) in known]
    if len(found) == 1:
        return found[0]
    return Came(*([m for one in found for m in getattr(one, what)] for what in ("shipped", "invoiced", "returned")))


def signed(invoice: Invoice, number: Decimal | None) -> Decimal:
    """What a credit note says is taken away, however its system writes that."""
    return -abs(number or ZERO) if invoice.type == "credit_note" else number or ZERO


def price_of(line: Line) -> Fraction | None:
    """The unit price after discount."""
    if line.price is None:
        return None
    return Fraction(line.price) * Fraction(HUNDRED - (line.discount or ZERO)) / 100


def with_tax(price: Fraction, line: Line, tax_included: bool | None) -> Fraction:
    rate = ZERO if tax_included else line.tax_rate or ZERO
    return price * (100 + Fraction(rate)) / 100


def worth_of_one(line: Line, tax_included: bool | None) -> Fraction:
    """One unit with tax, by the line's own amount where it has one."""
    if line.total is not None and line.quantity:
        return Fraction(line.total) / Fraction(line.quantity)
    return with_tax(price_of(line) or Fraction(0), line, tax_included)


def payable(number: Fraction | Decimal, currency: str) -> Decimal:
    """Rounded to what can be paid in a currency."""
    places = minor_units(currency)
    return amount(units(number, places), places)


def settled_by(payments: Iterable[Payment], end: Day) -> dict[str, Decimal]:
    """Invoice -> what payments up to a day settle of it."""
    found: dict[str, Decimal] = {}
    for payment in payments:
        if payment.state in RECEIVED and (payment.date or UNDATED) <= end:
            for one in payment.allocations.values():
                if one.invoice and one.amount is not None:
                    found[one.invoice] = found.get(one.invoice, ZERO) + one.amount
    return found


def ship(known: dict[Place, Came], reference: str, shipment: Shipment) -> list[Decimal]:
    """Enter a shipment that left; gives the quantities that name no order."""
    lost = []
    for line in shipment.lines.values():
        order = line.order or shipment.order
        if order is None:
            lost.append(line.quantity or ZERO)
            continue
        moved = Movement(shipment.date or UNDATED, line.quantity or ZERO, reference, shipment.erp_number or "")
        known.setdefault(place_of(order, line.order_line, line.product), Came()).shipped.append(moved)
    return lost


def give_back(known: dict[Place, Came], reference: str, told: Return) -> None:
    """Enter what a return brought back for good."""
    for line in told.lines.values():
        if told.order and line.received and (line.disposition or told.outcome) in FOR_GOOD:
            moved = Movement(told.received_on or UNDATED, line.received, reference, told.erp_number or "")
            known.setdefault(place_of(told.order, line.order_line, line.product), Came()).returned.append(moved)


def invoice(
    known: dict[Place, Came], reference: str, told: Invoice, settled: Decimal, currency: str
) -> list[tuple[str, InvoiceLine]]:
    """Enter an invoice that counts, with what was `settled` of it shared out over its lines by their amounts; gives the
    lines that name no order."""
    places = minor_units(currency)
    weights = [max(line.total or ZERO, ZERO) for line in told.lines.values()]
    parts = share(units(settled, places), weights) if weights and settled else [0] * len(weights)
    lost = []
    for (key, line), part in zip(told.lines.items(), parts, strict=True):
        order = line.order or told.order
        if order is None:
            lost.append((key, line))
            continue
        moved = Movement(
            told.date or UNDATED,
            signed(told, line.quantity),
            reference,
            told.erp_number or "",
            key,
            signed(told, line.total),
            amount(part, places),
            None if told.type == "credit_note" else price_of(line),
            told.tax_included,
        )
        known.setdefault(place_of(order, line.order_line, line.product), Came()).invoiced.append(moved)
    return lost


def ordered(order: Order, line: OrderLine) -> Decimal:
    """What is to be shipped and invoiced of a line: nothing once the order is cancelled."""
    return ZERO if order.state == "cancelled" else line.quantity or ZERO
