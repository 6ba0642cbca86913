"""Quote to order: an accepted quote becomes exactly one order for each version and company, and hears of it.

A quote that is changed after its acceptance does not change the order in silence: it is asked, or amended where the
company says so. A cancelled order makes room for a later version of the quote.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from datong.canon import Opportunity, Order, OrderLine, Quote
from datong.engine.flow import GO, Conversion, Park, Skip, Verdict
from datong.engine.near import Near


class QuoteToOrderSettings(BaseModel):
    """What a company may set for quotes that become orders."""

    model_config = ConfigDict(extra="forbid")

    changed: Literal["ask", "amend"] = "ask"
    """what happens to the order when the quote is changed after its acceptance"""


def accepted(quote: Quote, near: Near) -> Verdict:
    if quote.state not in ("accepted", "part_accepted"):
        return Skip(f"the quote is {quote.state}")
    deal = near.of(quote.opportunity, Opportunity)
    if deal is not None and deal.order_number:
        return Park(
            f"its opportunity was ordered already as {deal.order_number}",
            "cancel that order, or reject the quote; `opportunity_to_order` is for companies that do not quote",
        )
    return GO


def ordered(quote: Quote, company: str, near: Near) -> Order | None:
    """The order that an accepted quote asks for: its terms, its wishes, what of its lines is accepted."""
    lines = {}
    for key, line in quote.lines.items():
        quantity = line.accepted if quote.state == "part_accepted" or line.accepted is not None else line.quantity
        if quantity is None or quantity != 0:
            terms = {name: getattr(line, name) for name in _LINE}
            lines[key] = OrderLine.model_construct(**terms, quantity=quantity)
    shared = {name: getattr(quote, name) for name in _TERMS}
    return Order.model_construct(
        **shared, wish="released", quote=near.reference("quote"), opportunity=quote.opportunity, lines=lines
    )


_TERMS = (
    *("company", "account", "contact", "owner", "end_customer", "customer_reference", "currency", "tax_included"),
    *("terms", "wanted", "carrier", "packing", "ship_to", "remarks"),
)
_LINE = (
    *("position", "product", "text", "unit", "price", "discount", "tax_code", "tax_rate", "free", "bundle"),
    *("warehouse", "wanted", "cost"),
)


def told_back(quote: Quote, orders: Sequence[Order], near: Near) -> Mapping[str, Any]:
    """Number and state of the order, and what it waits for."""
    if not orders:
        return {"order_number": None, "order_status": None, "held_by": None}
    last = orders[-1]
    verdict, why = near.verdict_into("erp")
    waits = verdict == "park" and not last.erp_number
    return {
        "order_number": ", ".join(one.erp_number for one in orders if one.erp_number) or None,
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
    live=lambda order: order.state != "cancelled" and order.wish != "cancelled",
    reply=told_back,
)
