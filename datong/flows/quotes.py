"""Quotes: written in the CRM; what became of them, and what stock says, is told back."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from datong.canon import Quote, QuoteLine, StockLevel
from datong.engine.approving import APPROVAL
from datong.engine.flow import CRM, Approve, Master, Park, Policies, owned_by, told
from datong.engine.lifecycle import LifeCycle
from datong.engine.near import Near
from datong.flows.availability import availability
from datong.flows.credit import credit_of_quote
from datong.flows.money import MoneySettings
from datong.flows.orders import OrderSettings, orders
from datong.flows.prices import PRICES, listed
from datong.flows.sale_rules import asked_for, cost_of
from datong.matching import Identity, same

ZERO = Decimal(0)


class QuoteSettings(MoneySettings):
    """What a company may set for its quotes."""

    prices: Literal["off", "suggest", "fill"] = "suggest"
    """the price that holds in the ERP: not told, told beside the salesperson's own, or also entered in the lines of a
    draft that have none; needs `prices`"""
    approve: Literal["order", "quote"] = "order"
    """what the rules of `orders` ask people of: the order when it is to enter the ERP, or its quote already; what was
    said of the quote is not asked of the order again, as long as it is the same"""
    cost: bool = False
    """whether the ERP's cost of the product is entered in the lines of an open quote that have none"""


quotes = Master(
    name="quotes",
    en="Quotes",
    zh="报价",
    settings=QuoteSettings,
    record=Quote,
    identity=Identity(link=(same("number"),)),
    fields=Policies(
        owned_by(CRM, "number", "version", "state", "opportunity", "account", "contact", "owner", "end_customer"),
        owned_by(CRM, "company", "date", "valid_to", "currency", "rate", "rate_date", "tax_included", "terms"),
        owned_by(
            CRM, "net", "tax", "total", "remarks", "customer_reference", "wanted", "carrier", "packing", "ship_to"
        ),
        owned_by(CRM, "lines", "custom"),
        told("order_number", "order_status", "held_by", "credit", "approval"),
        told("lines.*.available", "lines.*.available_as_of", "lines.*.short", "lines.*.earliest"),
        told("lines.*.listed", "lines.*.listed_from"),
    ),
    creates_in=(),
    whole=True,
    busy=True,
    lives=(
        LifeCycle(
            "state",
            ("draft", "sent", "accepted"),
            ends={
                "part_accepted": ("draft", "sent"),
                "rejected": ("draft", "sent", "part_accepted", "accepted"),
                "expired": ("draft", "sent"),
                "cancelled": ("draft", "sent", "part_accepted", "accepted", "rejected", "expired"),
            },
            back={
                ("sent", "draft"): "revised",
                ("part_accepted", "draft"): "revised after acceptance",
                ("part_accepted", "sent"): "revised after acceptance",
                ("accepted", "draft"): "revised after acceptance",
                ("accepted", "sent"): "revised after acceptance",
                ("accepted", "part_accepted"): "part of the acceptance was withdrawn",
                ("part_accepted", "accepted"): "the rest was accepted too",
                ("rejected", "draft"): "taken up again",
                ("rejected", "sent"): "taken up again",
                ("expired", "draft"): "taken up again",
                ("expired", "sent"): "extended",
                ("cancelled", "draft"): "taken up again",
            },
            waits={"draft": ("the CRM", "send the quote"), "sent": ("the customer", "accept or reject the quote")},
        ),
    ),
)


@quotes.tells
def stock_of_the_moment(quote: Quote, near: Near) -> Mapping[str, Any]:
    """What is available of each product while the quote is open, what is short, and when all of it can be there. Never
    without the time of the oldest figure."""
    if quote.state not in (None, "draft", "sent"):
        return {}
    figures: dict[str, Any] = {}
    promises = availability(quote.lines, near, quote.company)
    for key, promise in promises.items():
        levels = near.with_reference(StockLevel, "product", quote.lines[key].product).values()
        times: list[datetime] = [level.as_of for level in levels if level.as_of is not None]
        if times and len(times) == len(levels):
            figures[f"lines.{key}.available"] = sum((level.available or ZERO for level in levels), ZERO)
            figures[f"lines.{key}.available_as_of"] = min(times)
            figures[f"lines.{key}.short"] = promise.short
            figures[f"lines.{key}.earliest"] = promise.earliest
    return figures


@quotes.tells
def price_that_holds(quote: Quote, near: Near) -> Mapping[str, Any]:
    """What the ERP would ask, and why, while the quote is open. A line of a draft without a price gets it where the
    company says so, and follows it as long as nobody typed another."""
    if quote.state not in (None, "draft", "sent") or near.settings_of(PRICES) is None:
        return {}
    figures: dict[str, Any] = {}
    for key, line in quote.lines.items():
        held = listed(line, quote, near, near.settings) if near.settings.prices != "off" and not line.free else None
        name = f"lines.{key}.price"
        figures[f"lines.{key}.listed"] = held.price if held is not None else None
        figures[f"lines.{key}.listed_from"] = held.source if held is not None else None
        ours = line.price is None or near.from_whom(name) == quotes.name
        if held is not None and ours and near.settings.prices == "fill" and quote.state != "sent":
            figures[name] = held.price
    return figures


@quotes.tells
def credit_of_the_moment(quote: Quote, near: Near) -> Mapping[str, Any]:
    """What of the customer's credit or debts would hold the order, while the quote is open."""
    settings = near.settings_of(orders.name)
    gate = settings.credit if isinstance(settings, OrderSettings) else None
    if quote.state not in (None, "draft", "sent") or gate is None:
        return {"credit": None}
    return {"credit": credit_of_quote(quote, near, gate)}


@quotes.tells
def cost_of_the_moment(quote: Quote, near: Near) -> Mapping[str, Any]:
    """What the goods cost us, in lines of an open quote in which nobody typed it."""
    if not near.settings.cost or quote.state not in (None, "draft", "sent"):
        return {}
    figures: dict[str, Any] = {}
    for key, line in quote.lines.items():
        name = f"lines.{key}.cost"
        if line.cost is None or near.from_whom(name) == quotes.name:
            cost = cost_of(QuoteLine.model_construct(product=line.product), quote, near)
            figures |= {name: cost} if cost is not None else {}
    return figures


@quotes.tells
def approval_of_the_quote(quote: Quote, near: Near) -> Mapping[str, Any]:
    """What people said, or are to say, before it is sent."""
    asked = _asked_of_the_quote(quote, near)
    if asked is None:
        return {"approval": None} if quote.state in (None, "draft", "sent") else {}
    verdict = near.judged(asked)
    return {"approval": verdict.reason if isinstance(verdict, Park) else "agreed 已同意"}


@quotes.checks(APPROVAL)
def people_are_asked(quote: Quote, near: Near) -> Park | None:
    """The next who is to agree."""
    asked = _asked_of_the_quote(quote, near)
    verdict = near.judged(asked) if asked is not None else None
    return verdict if isinstance(verdict, Park) and verdict.cause == APPROVAL else None


def _asked_of_the_quote(quote: Quote, near: Near) -> Approve | None:
    rules = near.settings_of(orders.name)
    wanted = near.settings.approve == "quote" and quote.state in (None, "draft", "sent")
    if not wanted or not isinstance(rules, OrderSettings) or not quote.lines:
        return None
    steps = asked_for(quote, near, rules)
    return Approve(steps) if steps else None
