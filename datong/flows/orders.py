"""Orders: released in the CRM they become exactly one order in the ERP; one born in the ERP appears in the CRM.

Before the ERP has it, the order is the CRM's. Then both may change it, and the ERP is right where both did. Once goods
have left, or it is closed, only the ERP changes it.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from datong.canon import Account, AccountingPeriod, Contract, Order, OrderLine, Quote
from datong.engine.flow import (
    CRM,
    ERP,
    GO,
    OWNER,
    Approve,
    Master,
    Park,
    Policies,
    Skip,
    Verdict,
    guarded_by,
    owned_by,
    shared,
    told,
)
from datong.engine.lifecycle import LifeCycle, extent
from datong.engine.near import Near
from datong.flows.money import money_guard
from datong.flows.sale_rules import SaleRules, asked_for
from datong.matching import Identity, same
from datong.reckoning import Period, Posting, posting

ZERO = Decimal(0)


class OrderSettings(SaleRules):
    """What a company may set for its orders."""

    delay_tolerance: int = Field(0, ge=0)
    """days by which the expected date may pass the promised one before the salesperson is told"""
    closed_period: Literal["wait", "date", "ask"] = "ask"
    """an order of a day in a closed accounting period: wait until it is opened, date it on the first open day, or ask;
    `accounting_periods` must be on, else the ERP alone knows"""
    unpaid_first: Literal["shipment", "order", "pass"] = "shipment"
    """what waits while an order's contract wants money before shipment (款到发货) that has not come: its shipment (the
    order where the ERP can hold none); the order, before it enters the ERP; nothing"""


def in_the_books(order: Mapping[str, Any]) -> bool:
    return bool(order.get("erp_number"))


def goods_left(order: Mapping[str, Any]) -> bool:
    return order.get("shipping") not in (None, "none") or order.get("state") in ("closed", "cancelled")


def stands(order: Order) -> bool:
    """Neither cancelled nor to be."""
    return order.state != "cancelled" and order.wish != "cancelled"


def numbers_of(orders: Iterable[Order]) -> str | None:
    """The ERP's numbers of orders, as one text."""
    return ", ".join(order.erp_number for order in orders if order.erp_number) or None


def offered(order: Mapping[str, Any]) -> bool:
    """The customer was quoted these prices."""
    return bool(order.get("quote"))


_TERMS = ("account", "end_customer", "contact", "company", "date", "currency", "tax_included", "terms")
_WISHES = ("wanted", "carrier", "packing", "ship_to", "remarks", "customer_reference")
_BOTH = shared(clash=OWNER, owner=ERP)

orders = Master(
    name="orders",
    en="Sales orders",
    zh="销售订单",
    settings=OrderSettings,
    record=Order,
    identity=Identity(link=(same("erp_number"),)),
    fields=Policies(
        owned_by(CRM, "number", "quote", "opportunity", "contract", "owner", "wish", "custom"),
        owned_by(ERP, "erp_number", "state", "shipping", "billing", "paying", "promised", "expected"),
        owned_by(ERP, "rate", "rate_date", "lines.*.promised", "lines.*.expected"),
        owned_by(CRM, "net", "tax", "total", "lines.*.net", "lines.*.tax", "lines.*.total").once(
            in_the_books, owned_by(ERP)
        ),
        owned_by(ERP, "lines.*.shipped", "lines.*.invoiced", "lines.*.supply_state", "lines.*.supply_done"),
        owned_by(CRM, *_TERMS, *_WISHES, "lines").once(in_the_books, _BOTH).once(goods_left, owned_by(ERP)),
        owned_by(CRM, "lines.*.price", "lines.*.discount")
        .once(in_the_books, _BOTH)
        .once(offered, guarded_by(CRM))
        .once(goods_left, owned_by(ERP)),
        told("status", "shipment_hold"),
    ),
    first_load=ERP,
    needs=("account", "lines.*.product"),
    whole=True,
    busy=True,
    lives=(
        LifeCycle(
            "state",
            ("draft", "submitted", "confirmed", "closed"),
            ends={"cancelled": ("draft", "submitted", "confirmed")},
            back={
                ("submitted", "draft"): "withdrawn in the ERP",
                ("confirmed", "draft"): "approval withdrawn in the ERP (反审核)",
                ("confirmed", "submitted"): "approval withdrawn in the ERP (反审核)",
                ("closed", "confirmed"): "opened again in the ERP",
            },
            waits={
                "draft": ("the ERP", "submit and confirm the order"),
                "submitted": ("the ERP", "confirm the order"),
            },
        ),
        extent(
            "shipping",
            "goods came back, or a shipment was cancelled",
            ("the ERP", "ship the goods"),
            held=("shipment_hold", "the customer"),
        ),
        extent("billing", "a credit note", ("the ERP", "invoice the order")),
        extent("paying", "a payment was reversed or paid back", ("the customer", "pay")),
    ),
)


@orders.into(ERP)
def may_enter_the_books(order: Order, near: Near) -> Verdict:
    """Released, complete, for a customer who may buy, and agreed to where the company's rules ask for it."""
    if order.wish == "cancelled":
        return Skip("it was cancelled before it was ordered")
    if order.wish != "released":
        return Skip("it is not released yet")
    unknown = sorted(near.unresolved & {"contract", "quote", "opportunity"})
    if unknown:
        return Skip(f"its {unknown[0]} is not known yet")
    if not order.lines:
        return Park("it has no lines", "add what is ordered, or cancel it")
    for line in order.lines.values():
        wrong = _wrong(line)
        if wrong is not None:
            return wrong
    closed = _closed(order, near)
    if closed is not None and near.settings.closed_period == "wait":
        return Skip(f"{closed.en} ({closed.zh})")
    if closed is not None:
        remedy = "have the period opened in the ERP, or give the order a date in an open one"
        return Park(f"{closed.en} ({closed.zh})", remedy)
    account = near.of(order.account, Account)
    agreed = account.company.get(order.company or "") if account is not None else None
    if account is not None and agreed is not None and agreed.blocked:
        return Park(f"{account.name} is blocked in the ERP", "have the books release the customer, or cancel the order")
    wrong = money_guard(order, near, near.settings)
    if wrong is not None:
        return wrong
    contract = near.of(order.contract, Contract)
    if contract is not None:
        under = _under_contract(order, contract, near)
        if under is not None:
            return under
    steps = asked_for(order, near, near.settings)
    return Approve(steps, also=order.quote) if steps else GO


def _closed(order: Order, near: Near) -> Posting | None:
    """What to do with an order whose day lies in a closed period; None where it does not, or nothing is known."""
    known = [
        Period(one.start, one.end, one.state != "closed")
        for one in near.every(AccountingPeriod).values()
        if one.start is not None and one.end is not None and one.company in (None, order.company)
    ]
    if order.date is None or all(one.open or not one.start <= order.date <= one.end for one in known):
        return None
    return posting(order.date, known, near.settings.closed_period)


@orders.tells
def dated_by_rule(order: Order, near: Near) -> Mapping[str, Any]:
    """The first open day, for an order of a closed period that is not in the books yet."""
    if near.settings.closed_period != "date" or order.wish != "released" or order.erp_number is not None:
        return {}
    moved = _closed(order, near)
    return {"date": moved.day} if moved is not None and moved.moved else {}


def _under_contract(order: Order, contract: Contract, near: Near) -> Verdict | None:
    """An order under a contract keeps to it."""
    called = f"contract {contract.number or contract.name or ''}".strip()
    if contract.state not in ("signed", "active"):
        return Skip(f"its {called} is {contract.state or 'not signed'}")
    if contract.frame and order.total is not None and contract.rest is not None and contract.rest < 0:
        return Park(
            f"it is {order.total:f}, and {contract.rest + order.total:f} is left of {called}",
            "order less, or have the contract raised",
        )
    unpaid = _unpaid_first(contract)
    return Skip(unpaid) if unpaid is not None and _waits_itself(near) else None


def _unpaid_first(contract: Contract) -> str | None:
    """What of a contract is to be paid before goods leave, and is not."""
    first = [one for one in contract.instalments.values() if one.before_shipment and one.state != "paid"]
    owed = sum(((one.amount or ZERO) - (one.paid or ZERO) for one in first), ZERO)
    called = f"contract {contract.number or contract.name or ''}".strip()
    return f"{owed:f} of {called} is to be paid before shipment (款到发货)" if first else None


def _waits_itself(near: Near) -> bool:
    """Does the order wait for money before it enters the ERP, not only its shipment?"""
    rule = near.settings.unpaid_first
    return rule == "order" or (rule == "shipment" and not near.can_hold(ERP, "shipment_hold"))


@orders.tells
def shipment_held(order: Order, near: Near) -> Mapping[str, Any]:
    """The ERP has the order at once and ships nothing of it until the money is there."""
    rule, contract = near.settings.unpaid_first, near.of(order.contract, Contract)
    left = order.shipping in ("full", "over") or order.state in ("closed", "cancelled") or not stands(order)
    if rule != "shipment" or contract is None or left or _waits_itself(near):
        return {"shipment_hold": None}
    return {"shipment_hold": _unpaid_first(contract)}


def _wrong(line: OrderLine) -> Park | None:
    called = f"line {line.position or line.text or '?'}"
    if line.product is None:
        return Park(f"{called} has no product that both sides know", "choose one that the ERP has")
    if line.quantity is None or line.quantity <= 0:
        return Park(
            f"{called} orders {line.quantity or 'nothing'}", "give a quantity above zero; returns are not orders"
        )
    if line.price is None and line.free is None:
        return Park(f"{called} has no price", "give a price, or say why it is free")
    return None


@orders.checks("late")
def later_than_promised(order: Order, near: Near) -> Park | None:
    """The salesperson hears of a delay while the goods have not left."""
    if order.shipping == "full" or order.state in ("closed", "cancelled") or not order.promised or not order.expected:
        return None
    days = (order.expected - order.promised).days
    if days <= near.settings.delay_tolerance:
        return None
    return Park(
        f"expected {order.expected}, {days} days later than promised ({order.promised})",
        "tell the customer, or have production or purchase hurry",
        detail={"owner": near.name(order.owner)},
    )


@orders.checks("money difference")
def money_as_accepted(order: Order, near: Near) -> Park | None:
    """What the ERP made of the amounts, against what the customer accepted and against the rules."""
    if order.erp_number is None or order.state in (None, "cancelled"):
        return None
    quote = near.of(order.quote, Quote)
    whole = quote is not None and quote.state == "accepted" and None not in (quote.total, order.total)
    if quote is not None and whole and quote.currency == order.currency and quote.total != order.total:
        return Park(
            f"the ERP has {order.total:f} as {order.erp_number}, the accepted quote is {quote.total:f}",
            "see which line differs: `datong explain`; correct it in the ERP, or send the customer a new version",
        )
    return money_guard(order, near, near.settings)


@orders.tells
def headline(order: Order) -> Mapping[str, Any]:
    """How far it is, in one word for the salesperson. An order that was born in the ERP, and is confirmed there, is
    released, whatever a CRM makes of an order that nobody released."""
    born = order.erp_number is not None and order.wish is None and order.state in ("confirmed", "closed")
    return {"status": _status(order), **({"wish": "released"} if born else {})}


def _status(order: Order) -> str | None:
    if order.state in (None, "draft", "submitted", "cancelled"):
        return order.state or ("cancelled" if order.wish == "cancelled" else None)
    if order.paying in ("full", "over"):
        return "paid" if order.paying == "full" else "overpaid"
    if order.paying == "part":
        return "part paid"
    if order.billing in ("full", "over"):
        return "invoiced"
    if order.shipping in ("full", "over"):
        return "shipped"
    if order.shipping == "part":
        return "part shipped"
    return order.state
