"""What came of a deal or a campaign: ordered, invoiced, earned. Without tax. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from datong.canon import Invoice, InvoiceLine, Order
from datong.insight.documents import counts
from datong.insight.goods_and_money import Place, names_of, place_of, signed
from datong.reckoning.exact import rounded, summed

ZERO = Decimal(0)


@dataclass(frozen=True)
class Proceeds:
    """`margin`: invoiced less the cost of what was invoiced; None while the cost of some of it is not known."""

    ordered: Decimal
    invoiced: Decimal
    margin: Decimal | None


def proceeds(
    orders: Mapping[str, Order],
    invoices: Mapping[str, Invoice],
    rates: Mapping[str, Decimal],
    places: int,
    usual: Mapping[str, Decimal] | None = None,
) -> Proceeds:
    """Of orders that stand, and of the invoices and credit notes of these, by reference. `rates`: what one unit of a
    document's currency is in the one that is told; a document without rate is in no amount. `usual`: what one unit of a
    product costs, as it is told, where no document says so."""
    ordered = [
        rounded(Fraction(_net(one)) * Fraction(rates[key]), places) for key, one in orders.items() if key in rates
    ]
    countered = {one.reverses for one in invoices.values() if one.reverses and one.state in ("posted", "paid")}
    costs = {name: cost for key, one in orders.items() if key in rates for name, cost in _costs(key, one, rates[key])}
    invoiced, spent, known = Fraction(0), Fraction(0), True
    for key, invoice in invoices.items():
        if key in rates and counts(invoice, key in countered):
            for line in _of_orders(invoice, orders):
                net = line.net if line.net is not None else line.total
                invoiced += Fraction(signed(invoice, net)) * Fraction(rates[key])
                cost = _cost(invoice, line, costs, rates[key])
                if cost is None and line.product in (usual or {}):
                    cost = Fraction((usual or {})[line.product or ""])
                known = known and cost is not None
                spent += Fraction(signed(invoice, line.quantity)) * (cost or 0)
    turnover = rounded(invoiced, places)
    margin = rounded(invoiced - spent, places) if known and invoiced else None
    return Proceeds(summed(ordered), turnover, margin)


def _net(order: Order) -> Decimal:
    if order.net is not None:
        return order.net
    nets = [one.net for one in order.lines.values()]
    return (
        summed(one for one in nets if one is not None) if any(one is not None for one in nets) else order.total or ZERO
    )


def _costs(key: str, order: Order, rate: Decimal) -> Iterator[tuple[Place, Fraction]]:
    """How documents may name a line of an order -> what one unit of it costs, as it is told."""
    for at, line in order.lines.items():
        if line.cost is not None:
            for name in names_of(at, order):
                yield (key, name), Fraction(line.cost) * Fraction(rate)


def _of_orders(invoice: Invoice, orders: Mapping[str, Order]) -> list[InvoiceLine]:
    """The lines that are for one of the orders; an invoice that shows no lines is one line."""
    if not invoice.lines:
        return [_whole(invoice)] if invoice.order in orders else []
    return [line for line in invoice.lines.values() if (line.order or invoice.order) in orders]


def _whole(invoice: Invoice) -> InvoiceLine:
    return InvoiceLine.model_construct(net=invoice.net, total=invoice.total)


def _cost(invoice: Invoice, line: InvoiceLine, costs: Mapping[Place, Fraction], rate: Decimal) -> Fraction | None:
    if line.cost is not None:
        return Fraction(line.cost) * Fraction(rate)
    order = line.order or invoice.order or ""
    found = costs.get(place_of(order, line.order_line, line.product))
    return costs.get(place_of(order, None, line.product)) if found is None else found
