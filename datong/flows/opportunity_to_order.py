"""Won opportunity to order, for companies that do not quote."""

from collections.abc import Mapping, Sequence
from typing import Any

from datong.canon import Opportunity, Order, OrderLine, Quote
from datong.engine.flow import CRM, GO, Conversion, Master, Policies, Skip, Verdict, owned_by, told
from datong.engine.lifecycle import LifeCycle
from datong.engine.near import Near
from datong.flows.demand import results
from datong.flows.orders import numbers_of, stands
from datong.matching import Identity, same

opportunities = Master(
    name="opportunities",
    en="Opportunities",
    zh="商机",
    record=Opportunity,
    identity=Identity(link=(same("name", within="account"),)),
    fields=Policies(
        owned_by(CRM, "name", "account", "owner", "stage", "company", "currency", "amount", "probability", "closing"),
        owned_by(CRM, "lost_reason", "competitor", "campaign", "lines", "custom"),
        told("order_number", "order_status", "ordered", "invoiced", "margin"),
    ),
    creates_in=(),
    whole=True,
    busy=True,
    lives=(
        LifeCycle(
            "stage",
            ("open", "won"),
            ends={"lost": ("open", "won")},
            back={("won", "open"): "taken up again", ("lost", "open"): "taken up again"},
        ),
    ),
)


@opportunities.tells
def came_of_it(deal: Opportunity, near: Near) -> Mapping[str, Any]:
    """Ordered, invoiced and earned."""
    return results(near.pointing(Order, "opportunity"), deal.currency, near)


def won(deal: Opportunity, near: Near) -> Verdict:
    if deal.stage != "won":
        return Skip(f"the opportunity is {deal.stage}")
    quoted = near.pointing(Quote, "opportunity").values()
    if any(quote.state not in ("rejected", "expired", "cancelled") for quote in quoted):
        return Skip("it is quoted: its quote is ordered when it is accepted")
    return GO if deal.lines else Skip("it has no lines to order")


def ordered(deal: Opportunity, company: str, near: Near) -> Order:
    lines = {
        key: OrderLine.model_construct(**{name: getattr(line, name) for name in _LINE})
        for key, line in deal.lines.items()
    }
    terms = {name: getattr(deal, name) for name in ("company", "account", "owner", "currency")}
    return Order.model_construct(**terms, wish="released", opportunity=near.reference("opportunity"), lines=lines)


_LINE = ("position", "product", "text", "quantity", "unit", "price", "discount", "tax_code", "tax_rate", "free", "cost")


def told_back(deal: Opportunity, orders: Sequence[Order], near: Near) -> Mapping[str, Any]:
    return {
        "order_number": numbers_of(orders),
        "order_status": (orders[-1].status or "released") if orders else None,
    }


opportunity_to_order = Conversion(
    name="opportunity_to_order",
    en="Won opportunity to order",
    zh="赢单转订单",
    requires=("opportunities", "orders"),
    source=Opportunity,
    target=Order,
    ready=won,
    companies=lambda deal: (deal.company or "",),
    build=ordered,
    live=stands,
    reply=told_back,
)
