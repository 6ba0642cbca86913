"""From documents as both systems know them to what is computed with. Drafts, cancelled and reversed ones count for
nothing; of those that count, one without day or amount is None too: nothing can be said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date as Day
from decimal import Decimal
from fractions import Fraction

from datong.canon import Invoice, Line, Order, Payment
from datong.insight.ageing import Charge, Received
from datong.insight.credit import Sold
from datong.insight.summary import Sale, Worth
from datong.reckoning.exact import exact, summed
from datong.reckoning.instalments import Bill

ZERO = Decimal(0)
HUNDRED = Decimal(100)
_ORDERED = ("confirmed", "closed")
_POSTED = ("posted", "paid")
GroupOf = Callable[[str], str | None]
"""Reference of a product -> its product group."""


def counts(invoice: Invoice, countered: bool) -> bool:
    """Is it in the books? One that a credit note cancelled (`countered`) is, and so is the note."""
    return invoice.state in _POSTED or (invoice.state == "cancelled" and countered)


def charge_of(invoice: Invoice, key: str, rate: Decimal, *, countered: bool = False) -> Charge | None:
    if not counts(invoice, countered) or not isinstance(invoice.total, Decimal) or not isinstance(invoice.date, Day):
        return None
    dues = tuple(
        (one.due, one.amount)
        for one in invoice.instalments.values()
        if isinstance(one.due, Day) and isinstance(one.amount, Decimal)
    )
    if summed(amount for _, amount in dues) != invoice.total:
        dues = ((invoice.due or invoice.date, invoice.total),)
    number = invoice.erp_number or key
    return Charge(key, number, invoice.date, invoice.total, dues, invoice.open, invoice.reverses, rate)


def received_of(payment: Payment, key: str, rate: Decimal) -> Received | None:
    known = isinstance(payment.amount, Decimal) and isinstance(payment.date, Day)
    if not known or payment.state not in ("posted", "cleared") or payment.bill_state == "refused":
        return None
    shares: dict[str, Decimal] = {}
    for one in payment.allocations.values():
        if one.invoice and isinstance(one.amount, Decimal):
            shares[one.invoice] = summed((shares.get(one.invoice, ZERO), one.amount))
    bill = Bill(payment.bill_due, payment.bill_state or "held") if payment.bill_number or payment.bill_state else None
    assert payment.amount is not None and payment.date is not None
    return Received(key, payment.erp_number or key, payment.date, payment.amount, shares, bill, rate)


def sale_of(document: Order | Invoice, rate: Decimal, group_of: GroupOf, *, countered: bool = False) -> Sale | None:
    stands = counts(document, countered) if isinstance(document, Invoice) else document.state in _ORDERED
    if not stands or not isinstance(document.total, Decimal) or not isinstance(document.date, Day):
        return None
    groups: dict[str, Worth] = {}
    for line in document.lines.values():
        group = group_of(line.product) if line.product else None
        if group and isinstance(line.total, Decimal):
            before = groups.get(group, Worth(ZERO, ZERO))
            net = line.total if line.net is None else line.net
            groups[group] = Worth(summed((before.net, net)), summed((before.total, line.total)))
    net = document.total if document.net is None else document.net
    return Sale(document.date, Worth(net, document.total), rate, groups)


def sold_of(order: Order, rate: Decimal) -> Iterator[Sold]:
    """The lines of an order that stands in the books, or is about to enter them. Of a closed one nothing more goes."""
    for line in order.lines.values():
        if isinstance(line.quantity, Decimal):
            done = line.shipped or ZERO, line.invoiced or ZERO
            yield Sold(worth_of(line, order), line.quantity, *done, rate, order.state == "closed")


def worth_of(line: Line, order: Order) -> Decimal:
    """With tax; before anybody has computed it by price, discount and rate."""
    if line.total is not None:
        return line.total
    net = Fraction(line.quantity or ZERO) * Fraction(line.price or ZERO) * Fraction(HUNDRED - (line.discount or ZERO))
    rate = ZERO if order.tax_included else line.tax_rate or ZERO
    return exact(net / 100 * Fraction(HUNDRED + rate) / 100)
