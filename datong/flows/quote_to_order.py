"""Quote to order: an accepted quote becomes exactly one order for each version and company, and hears of it.

A quote that is changed after its acceptance does not change the order in silence: it is asked, or amended where the
company says so. A cancelled order makes room for a later version of the quote.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from datong.canon import BillOfMaterials, Order, OrderLine, Product, Quote
from datong.engine.flow import GO, Conversion, ConversionSettings, Park, Skip, Verdict
from datong.engine.near import Near
from datong.flows.money import MoneySettings, parked
from datong.flows.orders import numbers_of, stands
from datong.reckoning import CannotReckon, Component, explode

ZERO = Decimal(0)


class QuoteToOrderSettings(ConversionSettings, MoneySettings):
    """What a company may set for quotes that become orders."""

    expired: Literal["ask", "pass"] = "ask"
    """what becomes of a quote whose acceptance is seen after its last day"""
    bundles: Literal["keep", "explode"] = "keep"
    """whether a bundle (套装) is ordered as one line or as its components"""


def accepted(quote: Quote, near: Near) -> Verdict:
    if quote.state not in ("accepted", "part_accepted"):
        return Skip(f"the quote is {quote.state}")
    open_to = quote.valid_to if near.settings.expired == "ask" else None
    if open_to is not None and not near.pointing(Order, "quote") and near.today(quote.company) > open_to:
        return Park(
            f"it was valid to {open_to} and is ordered after that",
            "extend it in the CRM (valid to) where its prices still stand, or send a new version",
        )
    of_the_deal = near.with_reference(Order, "opportunity", quote.opportunity).values()
    ordered_already = [one for one in of_the_deal if one.quote is None and stands(one)]
    if ordered_already:
        return Park(
            f"its opportunity was ordered already as {ordered_already[0].erp_number or 'an order of its own'}",
            "cancel that order, or reject the quote; `opportunity_to_order` is for companies that do not quote",
        )
    try:
        ordered(quote, quote.company or "", near)
    except CannotReckon as error:
        return parked(error.problem)
    return GO


def ordered(quote: Quote, company: str, near: Near) -> Order | None:
    """The order that an accepted quote asks for: its terms, its wishes, what of its lines is accepted. Amounts are
    carried over where the whole line is."""
    lines: dict[str, OrderLine] = {}
    for key, line in quote.lines.items():
        quantity = line.accepted if quote.state == "part_accepted" or line.accepted is not None else line.quantity
        if quantity is None or quantity != 0:
            names = (*_LINE, *_AMOUNTS) if quantity == line.quantity else _LINE
            one = OrderLine.model_construct(**{name: getattr(line, name) for name in names}, quantity=quantity)
            lines |= _unbundled(key, one, quote, near) if near.settings.bundles == "explode" else {key: one}
    whole = all(one.net is not None for one in lines.values()) and quote.state == "accepted"
    shared = {name: getattr(quote, name) for name in (*_TERMS, *(_AMOUNTS if whole else ()))}
    return Order.model_construct(
        **shared, wish="released", quote=near.reference("quote"), opportunity=quote.opportunity, lines=lines
    )


def _unbundled(key: str, line: OrderLine, quote: Quote, near: Near) -> dict[str, OrderLine]:
    """A bundle (套装) as the components it is sold as, with the same money to the cent; what is none as it is."""
    found = near.with_reference(BillOfMaterials, "product", line.product).values()
    bundle = next((one for one in found if one.bundle and one.active is not False), None)
    if bundle is None:
        return {key: line}
    made = bundle.quantity or Decimal(1)
    parts = [
        Component(part.product, (part.quantity or ZERO) / made, product.list_price or ZERO, product.unit)
        for part in bundle.components.values()
        if part.product and (product := near.of(part.product, Product)) is not None
    ]
    exploded = explode(
        line,
        parts,
        near.settings.rules(quote.company),
        near.code(quote.currency) or "",
        tax_included=quote.tax_included,
    )
    return {f"{key}_{number}": one for number, one in enumerate(exploded, 1)}


_TERMS = (
    *("company", "account", "contact", "owner", "end_customer", "customer_reference", "currency", "tax_included"),
    *("terms", "wanted", "carrier", "packing", "ship_to", "remarks"),
)
_LINE = (
    *("position", "product", "text", "unit", "price", "discount", "tax_code", "tax_rate", "free", "bundle"),
    *("warehouse", "wanted", "cost"),
)
_AMOUNTS = ("net", "tax", "total")


def told_back(quote: Quote, orders: Sequence[Order], near: Near) -> Mapping[str, Any]:
    """Number and state of the order, and what it waits for."""
    if not orders:
        return {"order_number": None, "order_status": None, "held_by": None}
    last = orders[-1]
    verdict, why = near.verdict_into("erp")
    waits = verdict == "park" and not last.erp_number
    return {
        "order_number": numbers_of(orders),
        "order_status": last.status or ("waiting" if waits else "released"),
        "held_by": why if waits else None,
    }


quote_to_order = Conversion(
    name="quote_to_order",
    en="Quote to order",
    zh="报价转订单",
    requires=("quotes", "orders"),
    settings=QuoteToOrderSettings,
    source=Quote,
    target=Order,
    ready=accepted,
    version=lambda quote: f"{quote.version or 1}",
    companies=lambda quote: (quote.company or "",),
    build=ordered,
    live=stands,
    reply=told_back,
)
