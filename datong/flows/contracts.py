"""Contract to cash (合同到回款): the contract is the CRM's; what was ordered and paid under it is told back.

Terms as people say them (月结30天, 30/60/10 %) become a payment plan where the contract has none; receipts settle it.
"""

from collections.abc import Mapping
from datetime import date as Day
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from datong.canon import Contract, Invoice, InvoiceRequest, Order, Payment, Shipment
from datong.engine.flow import CRM, ERP, GO, OWNER, Master, Park, Policies, Skip, Verdict, owned_by, shared, told
from datong.engine.lifecycle import LifeCycle
from datong.engine.near import Near
from datong.flows.money import parked
from datong.flows.orders import stands
from datong.matching import Identity, same
from datong.reckoning import CannotReckon, due_dates, parse, planned
from datong.reckoning.instalments import Receipt, State, frame_rest, plan_of, plan_problems, receipt_of, settle, to_tell
from datong.reckoning.terms import Event


class ContractSettings(BaseModel):
    """What a company may set for its contracts."""

    model_config = ConfigDict(extra="forbid")

    bills: Literal["receipt", "maturity", "clearing"] = "maturity"
    """when an acceptance bill (承兑汇票) counts as paid"""
    tell_before: int = Field(7, ge=0)
    """days before an instalment falls due at which its owner is told"""


contracts = Master(
    name="contracts",
    en="Contracts",
    zh="合同",
    settings=ContractSettings,
    record=Contract,
    identity=Identity(link=(same("number"),)),
    fields=Policies(
        owned_by(CRM, "number", "erp_number", "name", "opportunity", "account", "contact", "owner", "company", "date"),
        owned_by(CRM, "state", "start", "end", "frame", "currency", "rate", "rate_date", "tax_included", "terms"),
        owned_by(CRM, "spoken_terms", "net", "tax", "total", "remarks", "lines", "instalments", "custom"),
        told("ordered", "rest", "paid", "instalments.*.paid", "instalments.*.state"),
    ),
    creates_in=(),
    whole=True,
    busy=True,
    lives=(
        LifeCycle(
            "state",
            ("draft", "signed", "active", "completed"),
            ends={"terminated": ("draft", "signed", "active")},
            back={("signed", "draft"): "revised", ("active", "signed"): "revised", ("completed", "active"): "reopened"},
            waits={"draft": ("the CRM", "have the contract signed")},
        ),
    ),
)


@contracts.tells
def payment_plan(contract: Contract, near: Near) -> Mapping[str, Any]:
    """The plan that the spoken terms mean, where there is none; due dates as soon as what they hang on has happened."""
    if contract.state == "draft" or contract.total is None:
        return {}
    events = _events(contract, near)
    if contract.instalments or not contract.spoken_terms:
        return _dates(contract, events)
    currency = near.code(contract.currency) or ""
    try:
        terms = parse(contract.spoken_terms)
        parts = planned(terms, contract.total, currency, events) if currency else []
    except CannotReckon:
        return {}  # shown by `terms_understood`
    figures: dict[str, Any] = {}
    for number, part in enumerate(parts, 1):
        head = f"instalments.p{number}"
        figures |= {
            head: True,
            f"{head}.name": f"{number}/{len(parts)}",
            f"{head}.percent": part.share.percent,
            f"{head}.amount": part.amount,
            f"{head}.due": part.due,
            f"{head}.rule": contract.spoken_terms,
            f"{head}.before_shipment": part.share.before_shipment,
            f"{head}.retention": part.share.retention,
        }
    return figures


def _events(contract: Contract, near: Near) -> dict[Event, Day]:
    """When what payment hangs on first happened."""
    orders = near.pointing(Order, "contract")
    days: dict[str, list[Day | None]] = {
        "signed": [contract.date or contract.start],
        "order": [order.date for order in orders.values()],
        "shipment": [],
        "invoice": [],
    }
    for reference in orders:
        shipped = near.with_reference(Shipment, "order", reference).values()
        days["shipment"] += [one.date for one in shipped if one.state in ("shipped", "delivered")]
        invoiced = near.with_reference(Invoice, "order", reference).values()
        days["invoice"] += [one.date for one in invoiced if one.erp_number]
    return {cast(Event, event): min(d for d in found if d) for event, found in days.items() if any(found)}


def _dates(contract: Contract, events: Mapping[Event, Day]) -> Mapping[str, Any]:
    """Due dates of instalments that have a rule and no date yet."""
    found: dict[str, Any] = {}
    for key, one in contract.instalments.items():
        if one.due is None and one.rule:
            try:
                terms = parse(one.rule)
            except CannotReckon:
                continue  # shown by `terms_understood`
            place = int(key[1:]) - 1 if key[:1] == "p" and key[1:].isdigit() else 0
            dates = due_dates(terms, events)
            if place < len(dates) and dates[place] is not None:
                found[f"instalments.{key}.due"] = dates[place]
    return found


@contracts.tells
def standing(contract: Contract, near: Near) -> Mapping[str, Any]:
    """What was ordered under it, what is left, what was paid, instalment by instalment."""
    figures: dict[str, Any] = {}
    orders = near.pointing(Order, "contract").values()
    if contract.total is not None:
        standing = [one for one in orders if stands(one) and (one.wish == "released" or one.erp_number)]
        totals = [one.total for one in standing if one.total is not None]
        rest = frame_rest(contract.total, totals)
        figures |= {"ordered": rest.ordered, "rest": rest.rest}
    state = _settled(contract, near)
    figures["paid"] = state.paid
    for one in state.instalments:
        figures[f"instalments.{one.key}.paid"] = one.paid
        figures[f"instalments.{one.key}.state"] = one.state
    return figures


def _settled(contract: Contract, near: Near) -> State:
    today = near.today(contract.company)
    return settle(plan_of(contract), _receipts(contract, near), today, bills=near.settings.bills)


def _receipts(contract: Contract, near: Near) -> list[Receipt]:
    """Money for the contract itself, and for the invoices of its orders."""
    invoices: dict[str, Invoice] = {}
    for reference in near.pointing(Order, "contract"):
        invoices |= near.with_reference(Invoice, "order", reference)
    payments = dict(near.pointing(Payment, "allocations.*.contract"))
    for reference in invoices:
        payments |= near.with_reference(Payment, "allocations.*.invoice", reference)
    mine = near.reference("contract")
    # in the CRM an instalment is named by its own code there, or by what people call it
    called = {name: key for key, one in contract.instalments.items() for name in (one.name, one.code) if name}
    found = [receipt_of(one, reference, mine, tuple(invoices), called) for reference, one in payments.items()]
    return [one for one in found if one is not None and one.claimed]


@contracts.checks("payment terms")
def terms_understood(contract: Contract, near: Near) -> Park | None:
    """Terms that nobody can read make no plan."""
    rules = {one.rule for one in contract.instalments.values()} or {contract.spoken_terms}
    for text in sorted(rule for rule in rules if rule):
        try:
            parse(text)
        except CannotReckon as error:
            return parked(error.problem)
    return None


@contracts.checks("payment plan")
def plan_within_contract(contract: Contract, near: Near) -> Park | None:
    """A plan never exceeds its contract."""
    if contract.total is None:
        return None
    found = plan_problems(contract.total, plan_of(contract), near.code(contract.currency) or "CNY")
    return parked(found[0]) if found else None


@contracts.checks("instalment due")
def owner_is_told(contract: Contract, near: Near) -> Park | None:
    """Before and after an instalment falls due, until it is paid."""
    if contract.state not in ("signed", "active"):
        return None
    today, state = near.today(contract.company), _settled(contract, near)
    urgent = to_tell(state, today, ahead=near.settings.tell_before)
    if not urgent:
        return None
    key, days = urgent[0]
    one = contract.instalments[key]
    when = f"{-days} days overdue" if days < 0 else "due today" if not days else f"due in {days} days"
    return Park(
        f"instalment {one.name or key} of {state.of(key).open:f} {near.code(contract.currency) or ''} is {when}",
        "remind the customer; a receipt that is claimed for it closes this",
        detail={"owner": near.name(contract.owner), "instalment": key, "due": str(one.due)},
    )


invoice_requests = Master(
    name="invoice_requests",
    en="Invoice requests",
    zh="开票申请",
    record=InvoiceRequest,
    identity=Identity(link=(same("number"),)),
    fields=Policies(
        owned_by(CRM, "number", "account", "company", "order", "contract", "instalment", "currency", "amount"),
        owned_by(CRM, "title", "tax_id", "fapiao_kind", "remarks", "custom"),
        shared("state", clash=OWNER, owner=ERP),
        owned_by(ERP, "invoice_number", "invoice_state", "refusal"),
    ),
    creates_in=(ERP,),
    needs=("account",),
    whole=True,
    busy=True,
    lives=(
        LifeCycle(
            "state",
            ("draft", "requested", "invoiced"),
            ends={"refused": ("requested",), "cancelled": ("draft", "requested", "refused")},
            back={("requested", "draft"): "withdrawn", ("refused", "requested"): "asked again"},
            waits={"draft": ("the CRM", "ask for the invoice"), "requested": ("the ERP", "issue the invoice")},
        ),
    ),
)


@invoice_requests.into(ERP)
def may_be_invoiced(request: InvoiceRequest, near: Near) -> Verdict:
    """Asked for, for something, and not for more than there is."""
    if request.state != "requested":
        return Skip(f"it is {request.state or 'not asked for yet'}")
    if request.amount is None or request.amount <= 0:
        return Park(f"it asks for {request.amount or 'nothing'}", "give the amount that is to be invoiced")
    order, contract = near.of(request.order, Order), near.of(request.contract, Contract)
    most = order.total if order is not None else contract.total if contract is not None else None
    if most is not None and request.amount > most:
        return Park(
            f"it asks for {request.amount:f}, more than the {most:f} that was ordered",
            "lower the amount, or raise the order or contract first",
        )
    return GO
