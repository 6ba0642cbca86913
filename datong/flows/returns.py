"""Returns (退货, RMA): asked for in the CRM, carried out in the ERP, and told back until they are closed.

The company's variants say what may be asked for. What may not come back never enters the ERP; how far a return is
follows from the ERP's facts, so that no state goes round a rule.
"""

from collections.abc import Iterator, Mapping
from datetime import date as Day
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from datong.canon import Account, Asset, Invoice, Order, OrderLine, Return, ReturnLine, Shipment
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
    Step,
    Verdict,
    owned_by,
    shared,
    told,
)
from datong.engine.lifecycle import LifeCycle
from datong.engine.near import Near
from datong.flows.approval import Approver
from datong.flows.return_rules import (
    OUTCOMES,
    USUAL,
    ZERO,
    Asked,
    Back,
    Facts,
    Refusal,
    ServiceSettings,
    Sold,
    Variant,
    broken,
    refusal,
    state_of,
    warranty,
    warranty_end,
)
from datong.matching import Identity, same


class ReturnApproval(Approver):
    """When a person must agree before a return enters the ERP."""

    worth_over: Decimal | None = Field(None, ge=0)
    """goods worth more than this, in the currency of their order, at the prices they were sold for"""
    variants: tuple[str, ...] = ()
    """always for these variants"""


class ReturnSettings(ServiceSettings):
    """What a company may set for its returns."""

    variants: dict[str, Variant] = USUAL
    """the ways in which goods may be returned, by name"""
    approve: tuple[ReturnApproval, ...] = ()
    """when people must agree"""
    credit_note: Literal["ask_erp", "person"] = "person"
    """who sees to the credit note of goods that came back for money and were inspected: the ERP is asked for it, or a
    person makes it there"""
    late: Literal["refuse", "ask"] = "refuse"
    """what becomes of one that is asked for too late: refused, or let in when an approver agrees (售后特批)"""


def decided(fields: Mapping[str, Any]) -> bool:
    return fields.get("decision") not in (None, "requested")


_SOUND = ("ok", "defective")
"""Results of an inspection that a customer gets the money back for without a question."""
_TERMS = ("account", "contact", "company", "date", "order", "shipment", "invoice", "reason", "remarks", "lines")

returns = Master(
    name="returns",
    en="Returns",
    zh="退货",
    requires=("orders", "shipments", "invoices"),
    settings=ReturnSettings,
    record=Return,
    identity=Identity(link=(same("erp_number"),)),
    fields=Policies(
        owned_by(CRM, "number", "case", "owner", "wish", "custom"),
        owned_by(CRM, "variant").once(decided, owned_by(ERP)),
        owned_by(CRM, *_TERMS)
        .once(lambda fields: bool(fields.get("erp_number")), shared(clash=OWNER, owner=ERP))
        .once(decided, owned_by(ERP)),
        owned_by(ERP, "erp_number", "decision", "decision_reason", "received_on", "receipt_number", "inspected_on"),
        owned_by(ERP, "repaired_on", "credit_note", "replacement"),
        owned_by(ERP, "lines.*.received", "lines.*.result", "lines.*.disposition"),
        shared("outcome", "advance", clash=OWNER, owner=ERP),
        told("state", "credit_asked", "warranty", "warranty_until"),
    ),
    first_load=ERP,
    needs=("account", "order", "lines.*.product"),
    whole=True,
    busy=True,
    lives=(
        LifeCycle(
            "state",
            ("requested", "authorised", "received", "inspected"),
            ends={
                **dict.fromkeys(OUTCOMES, ("requested", "authorised", "received", "inspected")),
                "closed": ("requested", "authorised", "received", "inspected", *OUTCOMES),
                "refused": ("requested",),
                "cancelled": ("requested", "authorised"),
            },
            back={
                ("authorised", "requested"): "the ERP took its consent back",
                ("received", "authorised"): "the receipt was cancelled",
                ("inspected", "received"): "inspected anew",
                **{(one, "inspected"): "what came of it was cancelled" for one in OUTCOMES},
                **{("closed", one): "opened again in the ERP" for one in OUTCOMES},
                ("refused", "requested"): "looked at again",
            },
            waits={
                "requested": ("the ERP", "authorise or refuse the return"),
                "authorised": ("the customer", "send the goods"),
                "received": ("the ERP", "inspect the goods"),
                "inspected": ("the ERP", "repair, replace or refund"),
                **dict.fromkeys(OUTCOMES, ("the ERP", "close the return")),
            },
        ),
    ),
)


@returns.into(ERP)
def may_come_back(rma: Return, near: Near) -> Verdict:
    """Released, of an order that is known, in a variant that the company has, and against no rule."""
    if rma.wish == "cancelled":
        return Skip("the customer keeps it after all")
    if rma.wish != "released":
        return Skip("it is not released yet")
    if not rma.lines:
        return Park("it has no lines", "add what is to come back, or cancel it")
    variant = near.settings.variants.get(rma.variant or "")
    if variant is None:
        known = ", ".join(near.settings.variants)
        return Park(f"there is no variant {rma.variant or 'given'}", f"choose one of {known}")
    order = near.of(rma.order, Order)
    if order is None:
        return Park("it names no order that is known", "enter the order that the goods came with")
    if variant.outcome == "exchanged" and any(line.exchange_for is None for line in rma.lines.values()):
        return Park("nobody says what it is exchanged for", "enter the product that the customer wants instead")
    refusals = [found for _, found in _refusals(rma, variant, order, near) if found is not None]
    hard = next((one for one in refusals if not (one.late and near.settings.late == "ask")), None)
    if hard is not None:
        return Park(hard.reason, hard.remedy)
    late = [Step("late", one.reason, "approver") for one in refusals[:1]]
    asked = [step for rule in near.settings.approve for step in _asked(rule, rma, order, near)]
    return Approve((*late, *asked)) if late or asked else GO


def _refusals(rma: Return, variant: Variant, order: Order, near: Near) -> Iterator[tuple[str, Refusal | None]]:
    on = rma.date or near.today(rma.company)
    for key, line in rma.lines.items():
        ordered = ordered_line(order, line)
        if ordered is None:
            where = f"{line.order_line or near.name(line.product)} in {order.erp_number or order.number}"
            yield key, Refusal(f"there is no line {where}", "enter the line of the order that it came with")
            continue
        sold = sold_of(rma, ordered, near)
        asked = Asked(_together(rma, line), line.lot, line.serial)
        until = _until(line, rma.account, sold.shipped_on, near)
        yield key, refusal(variant, asked, sold, on, until)


def _together(rma: Return, line: ReturnLine) -> Decimal | None:
    """What of one order line comes back with this return, of this lot and serial number where it has one."""
    if line.serial:
        return line.quantity
    mine = [one for one in rma.lines.values() if (one.order_line, one.product, one.lot) == _place(line)]
    return sum((one.quantity or ZERO for one in mine), ZERO) if line.quantity is not None else None


def _place(line: ReturnLine) -> tuple[str | None, str | None, str | None]:
    return line.order_line, line.product, line.lot


def _asked(rule: ReturnApproval, rma: Return, order: Order, near: Near) -> Iterator[Step]:
    """The approvals one rule asks for, with the figures that people are to agree to."""
    if rma.variant in rule.variants:
        yield rule.step("variant", f"a return as {rma.variant}")
    worth = _worth(rma, order)
    if rule.worth_over is not None and worth > rule.worth_over:
        told = f"goods worth {worth:f} {near.code(order.currency) or ''}".strip()
        yield rule.step("worth", f"{told}, above {rule.worth_over:f}")


def _worth(rma: Return, order: Order) -> Decimal:
    """At the prices of the order, with tax where its lines have it; rounded to cents."""
    total = ZERO
    for line in rma.lines.values():
        one = ordered_line(order, line)
        if one is not None and one.quantity and line.quantity:
            whole = one.total if one.total is not None else (one.net or (one.price or ZERO) * one.quantity)
            total += whole * line.quantity / one.quantity
    return round(total, 2)


# What is known of what was sold ------------------------------------------------------------------------------------


def ordered_line(order: Order, line: ReturnLine) -> OrderLine | None:
    """The line of the order that it came with: by its number, else the only one of that product."""
    if line.order_line:
        found = [one for one in order.lines.values() if _number(one.position) == line.order_line]
    else:
        found = [one for one in order.lines.values() if one.product == line.product]
    return found[0] if len(found) == 1 and found[0].product == line.product else None


def _number(position: Decimal | None) -> str:
    return "" if position is None else f"{position:f}"


def sold_of(rma: Return, ordered: OrderLine, near: Near) -> Sold:
    """What was shipped and invoiced of an order line, and what other returns bring back of it: those that the ERP has,
    and those that were asked for before this one."""
    number, ours = _number(ordered.position), near.reference("return")
    shipments = near.with_reference(Shipment, "lines.*.order", rma.order).values()
    left = [one for one in shipments if one.state in ("shipped", "delivered")]
    sent = [line for one in left for line in one.lines.values() if (line.order, line.order_line) == (rma.order, number)]
    days = [one.date for one in left if one.date and any(line in sent for line in one.lines.values())]
    others = {
        key: one for key, one in near.with_reference(Return, "order", rma.order).items() if _counts(key, one, ours)
    }
    back = [
        (one, line)
        for one in others.values()
        for line in one.lines.values()
        if (line.order_line or number) == number and line.product == ordered.product
    ]
    shipped = ordered.shipped if ordered.shipped is not None else sum((one.quantity or ZERO for one in sent), ZERO)
    return Sold(
        shipped=shipped,
        invoiced=_invoiced(rma, number, near),
        returned=sum((line.quantity or ZERO for _, line in back), ZERO),
        refunded=sum((line.quantity or ZERO for one, line in back if one.outcome == "refunded"), ZERO),
        shipped_on=max(days, default=None),
        lots=_by_lot((line.lot, line.quantity) for line in sent),
        lots_returned=_by_lot((line.lot, line.quantity) for _, line in back),
        serials=frozenset(serial for line in sent for serial in _serials(line.serial)),
        serials_returned=frozenset(serial for _, line in back for serial in _serials(line.serial)),
    )


def _counts(key: str, other: Return, ours: str) -> bool:
    """Of two returns that would be too much together, the one that was there first counts for the other."""
    if key == ours or other.wish == "cancelled" or other.state in ("refused", "cancelled"):
        return False
    first = int(key.partition(":")[2]) < int(ours.partition(":")[2])
    return bool(other.erp_number) or (other.wish == "released" and first)


def _invoiced(rma: Return, number: str, near: Near) -> Decimal:
    """What invoices charged of an order line, less credit notes that belong to no return."""
    invoices = near.with_reference(Invoice, "lines.*.order", rma.order)
    credited = {one.reverses for one in invoices.values() if one.type == "credit_note"}
    of_returns = {one.credit_note for one in near.with_reference(Return, "order", rma.order).values()}
    counts = {
        key: one
        for key, one in invoices.items()
        if (one.state in ("posted", "paid") or (one.state == "cancelled" and key in credited)) and key not in of_returns
    }
    lines = [line for one in counts.values() for line in one.lines.values()]
    return sum((line.quantity or ZERO for line in lines if (line.order, line.order_line) == (rma.order, number)), ZERO)


def _by_lot(lines: Any) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for lot, quantity in lines:
        if lot:
            found[lot] = found.get(lot, ZERO) + (quantity or ZERO)
    return found


def _serials(text: str | None) -> list[str]:
    """A shipment line may name several, parted by commas."""
    return [one.strip() for one in (text or "").split(",") if one.strip()]


def _until(line: ReturnLine, account: str | None, shipped_on: Day | None, near: Near) -> Day | None:
    asset = asset_of(line.serial, account, near)
    if asset is not None and asset.warranty_until is not None:
        return asset.warranty_until
    return warranty_end(shipped_on, near.settings.warranty_months)


def asset_of(serial: str | None, account: str | None, near: Near) -> Asset | None:
    """The thing with that serial number that the customer has."""
    if not serial:
        return None
    assets = near.with_reference(Asset, "account", account).values()
    return next((one for one in assets if one.serial == serial), None)


# What is told ------------------------------------------------------------------------------------------------------


@returns.tells
def parameters(rma: Return, near: Near) -> Mapping[str, Any]:
    """What the variant means, until the ERP has decided. A return that was born there says it itself."""
    variant = near.settings.variants.get(rma.variant or "")
    return (
        {}
        if variant is None or rma.decision not in (None, "requested")
        else {"outcome": variant.outcome, "advance": variant.advance}
    )


@returns.tells
def standing(rma: Return, near: Near) -> Mapping[str, Any]:
    """How far it is, by what the ERP proves."""
    if rma.erp_number is None and rma.wish != "released":
        return {"state": "cancelled" if rma.wish == "cancelled" and rma.state else None}
    return {"state": "cancelled" if rma.erp_number is None and rma.wish == "cancelled" else state_of(_facts(rma, near))}


@returns.tells
def credit_asked(rma: Return, near: Near) -> Mapping[str, Any]:
    """The ERP is asked for the credit note once everything is here, inspected and as it should be, and no rule is
    against it. What was asked for once stays so: where the ERP cancels what came of it, a person decides."""
    asks = near.settings.credit_note == "ask_erp" and rma.outcome == "refunded" and rma.erp_number is not None
    if not asks or rma.credit_asked or rma.credit_note is not None or state_of(_facts(rma, near)) != "inspected":
        return {}
    as_it_should_be = all(line.result in (None, *_SOUND) for line in rma.lines.values())
    return {"credit_asked": True} if as_it_should_be and keeps_to_the_rules(rma, near) is None else {}


@returns.tells
def under_warranty(rma: Return, near: Near) -> Mapping[str, Any]:
    """On the day it was asked for; of several lines the first that ends."""
    order = near.of(rma.order, Order)
    if order is None or near.of(rma.account, Account) is None:
        return {}
    ends = []
    for line in rma.lines.values():
        ordered = ordered_line(order, line)
        if ordered is not None:
            ends.append(_until(line, rma.account, sold_of(rma, ordered, near).shipped_on, near))
    until = min((one for one in ends if one is not None), default=None)
    return {"warranty": warranty(until, rma.date or near.today(rma.company)), "warranty_until": until}


def _facts(rma: Return, near: Near) -> Facts:
    credit, order = near.of(rma.credit_note, Invoice), near.of(rma.replacement, Order)
    return Facts(
        decision=rma.decision,
        lines=[
            Back(line.quantity or ZERO, line.received or ZERO, line.result, line.disposition)
            for line in rma.lines.values()
        ],
        looked_at=rma.inspected_on is not None,
        repaired=rma.repaired_on is not None,
        credited=credit is not None and credit.state in ("posted", "paid"),
        replaced=order is not None and order.state != "cancelled",
        wanted=rma.outcome,
    )


@returns.checks("return rule")
def keeps_to_the_rules(rma: Return, near: Near) -> Park | None:
    """What the ERP did, against the hard rules: for people, who can still stop the money."""
    if rma.erp_number is None or rma.state in ("refused", "cancelled"):
        return None
    wrong = broken(_facts(rma, near), bool(rma.advance))
    if wrong is not None:
        return Park(wrong, "stop the payment or the goods in the ERP, or record there what came back")
    order, variant = near.of(rma.order, Order), near.settings.variants.get(rma.variant or "")
    if order is None or variant is None:
        return None
    for _, found in _refusals(rma, variant, order, near):
        if found is not None and not found.late:
            return Park(found.reason, f"{found.remedy}; in the ERP")
    return None
