"""Service cases (服务工单): the CRM's, with what the ERP knows of order, shipment, thing and warranty beside them.

A request that is accepted becomes exactly one return, whose progress is told back. The knowledge base is offered by
product and symptom; the customer is to be asked for a verdict once the case is closed.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import Field

from datong.canon import Article, Asset, Order, Request, Return, ReturnLine, ServiceCase, Shipment, ShipmentLine
from datong.engine.flow import CRM, ERP, GO, Conversion, Master, Park, Policies, Skip, Verdict, owned_by, told
from datong.engine.lifecycle import LifeCycle
from datong.engine.near import Near
from datong.flows.return_rules import ServiceSettings, warranty, warranty_end
from datong.flows.returns import asset_of, ordered_line
from datong.insight.articles import ranked
from datong.matching import Identity, same


class CaseSettings(ServiceSettings):
    """What a company may set for its service cases."""

    articles: int = Field(3, ge=0, le=10)
    """how many articles are suggested on a case"""
    survey: bool = True
    """whether customers are to be asked for a verdict when a case is closed"""


cases = Master(
    name="cases",
    en="Service cases",
    zh="服务工单",
    requires=("orders", "shipments"),
    settings=CaseSettings,
    record=ServiceCase,
    identity=Identity(link=(same("number"),)),
    fields=Policies(
        owned_by(CRM, "number", "account", "contact", "owner", "company", "channel", "thread", "subject", "text"),
        owned_by(CRM, "type", "priority", "state", "resolution", "reason", "product", "quantity", "lot", "serial"),
        owned_by(
            CRM,
            "order_number",
            "order",
            "order_line",
            "shipment",
            "asset",
            "wish",
            "variant",
            "exchange_for",
            "request",
        ),
        owned_by(CRM, "survey_asked", "score", "remark", "opened", "closed", "messages", "files"),
        owned_by(CRM, "custom"),
        told("erp_number", "return_number", "return_state", "held_by", "order_status", "shipped", "warranty"),
        told("warranty_until", "suggested", "survey"),
    ),
    first_load=CRM,
    creates_in=(CRM,),
    busy=True,
    lives=(
        LifeCycle(
            "state",
            ("new", "open", "waiting", "resolved", "closed"),
            ends={"cancelled": ("new", "open", "waiting")},
            back={
                ("waiting", "open"): "the customer answered",
                ("resolved", "open"): "it is not solved",
                ("resolved", "waiting"): "it is not solved",
                ("closed", "open"): "taken up again",
                ("cancelled", "open"): "taken up again",
                ("open", "new"): "given back",
            },
            waits={
                "new": ("the service", "look at the case"),
                "open": ("the service", "answer the customer"),
                "waiting": ("the customer", "answer"),
                "resolved": ("the customer", "agree that it is solved"),
            },
        ),
    ),
)

articles = Master(
    name="articles",
    en="Knowledge base",
    zh="知识库",
    record=Article,
    identity=Identity(link=(same("number"),)),
    fields=Policies(
        owned_by(CRM, "number", "title", "title_en", "symptoms", "symptoms_en", "body", "body_en", "public", "active"),
        owned_by(CRM, "products", "custom"),
    ),
    first_load=CRM,
    creates_in=(),
)

assets = Master(
    name="assets",
    en="Assets",
    zh="客户资产",
    record=Asset,
    identity=Identity(link=(same("serial", within="product"),)),
    fields=Policies(
        owned_by(ERP, "serial", "lot", "product", "account", "company", "order", "shipment", "shipped"),
        owned_by(ERP, "warranty_until", "active", "custom"),
    ),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("account", "product"),
    busy=True,
)


# What stands beside a case -----------------------------------------------------------------------------------------


@cases.tells
def the_thing(case: ServiceCase, near: Near) -> Mapping[str, Any]:
    """What the serial number says, where the agent left it open: product, lot, order and shipment. Else the order whose
    number the customer told, and its product where it has only one."""
    asset = near.of(case.asset, Asset) or asset_of(case.serial, case.account, near)
    if asset is not None:
        known = {"product": asset.product, "lot": asset.lot, "order": asset.order, "shipment": asset.shipment}
        return {name: value for name, value in known.items() if value and not getattr(case, name)}
    reference = case.order or _order_told(case, near)
    order = near.of(reference, Order)
    if order is None:
        return {}
    products = {line.product for line in order.lines.values()}
    only = products.pop() if len(products) == 1 else None
    return {"order": reference, **({"product": only} if only is not None and case.product is None else {})}


def _order_told(case: ServiceCase, near: Near) -> str | None:
    """The customer's order of that number, the CRM's, the ERP's or his own."""
    told = (case.order_number or "").strip().casefold()
    orders = near.with_reference(Order, "account", case.account) if told else {}
    fit = [
        reference
        for reference, one in orders.items()
        if told in {(number or "").casefold() for number in (one.number, one.erp_number, one.customer_reference)}
    ]
    return fit[0] if len(fit) == 1 else None


@cases.tells
def the_sale(case: ServiceCase, near: Near) -> Mapping[str, Any]:
    """How the order stands, when the goods left, of which lot, and whether they are under warranty."""
    order, asset = near.of(case.order, Order), near.of(case.asset, Asset) or asset_of(case.serial, case.account, near)
    lines = _shipped(case, near)
    shipped = asset.shipped if asset is not None else max((day for day, _ in lines if day), default=None)
    until = asset.warranty_until if asset is not None else warranty_end(shipped, near.settings.warranty_months)
    lots = {line.lot for _, line in lines if line.lot}
    figures = {"order_status": order.status if order is not None else None, "shipped": shipped, "warranty_until": until}
    if case.lot is None and len(lots) == 1:
        figures["lot"] = lots.pop()
    known = order is not None or asset is not None
    return {**figures, "warranty": warranty(until, near.today(case.company)) if known else None}


def _shipped(case: ServiceCase, near: Near) -> list[tuple[Any, ShipmentLine]]:
    """What left of the product with the order of the case, or with the shipment that it names."""
    shipments = near.with_reference(Shipment, "lines.*.order", case.order)
    left = [
        one for key, one in shipments.items() if one.state in ("shipped", "delivered") and case.shipment in (None, key)
    ]
    return [
        (one.date, line)
        for one in left
        for line in one.lines.values()
        if line.order == case.order and case.product in (None, line.product)
    ]


@cases.tells
def what_may_help(case: ServiceCase, near: Near) -> Mapping[str, Any]:
    """Articles on the product that fit the symptom. All articles: `datong articles`."""
    if case.state in ("closed", "cancelled"):
        return {}
    on_it = near.with_reference(Article, "products.*.product", case.product)
    question = " ".join(filter(None, (case.subject, case.text, case.reason)))
    found = [one.article for one in ranked(question, on_it, near.settings.articles)]
    return {"suggested": "; ".join(f"{one.number or ''} {one.title or one.title_en}".strip() for one in found) or None}


@cases.tells
def taken_up_again(case: ServiceCase, near: Near) -> Mapping[str, Any]:
    """The customer wrote after it was solved, closed, or left waiting for him: it is open again, where the settings of
    the intake say so."""
    intake = near.settings_of("request_to_case")
    again = {"waiting": True, "resolved": True, "closed": intake is not None and intake.closed == "reopen"}
    over = near.came_in("state", near.reference("service_case"))
    if intake is None or over is None or case.thread is None or not again.get(case.state or ""):
        return {}
    thread = near.having(Request, "thread", case.thread)
    later = [key for key, one in thread.items() if one.speaks and (near.came_in("thread", key) or over) > over]
    return {"state": "open", "closed": None} if later else {}


@cases.tells
def what_the_customer_says(case: ServiceCase, near: Near) -> Mapping[str, Any]:
    """How content he was, by the signed link: the first answer counts, and what an agent entered stands."""
    answers = near.having(Request, "about", near.reference("service_case"))
    said = sorted((one.received, key) for key, one in answers.items() if one.score is not None and one.received)
    if case.score is not None or not said:
        return {}
    first = answers[said[0][1]]
    return {"score": first.score, "remark": case.remark or first.text}


@cases.tells
def satisfaction(case: ServiceCase, near: Near) -> Mapping[str, Any]:
    """Due once the case is closed, asked when somebody has sent the question, answered when there is a score."""
    if case.score is not None:
        return {"survey": "answered"}
    if case.survey_asked is not None:
        return {"survey": "asked"}
    return {"survey": "due" if case.state == "closed" and near.settings.survey else None}


# A case that becomes a return --------------------------------------------------------------------------------------

_USUAL = {"repair": "repair", "replacement": "replacement", "exchange": "exchange", "refund": "refund"}


def accepted(case: ServiceCase, near: Near) -> Verdict:
    if case.request != "accepted":
        return Skip(f"a return is {case.request or 'not asked for'}")
    if case.state == "cancelled":
        return Skip("the case is cancelled")
    if not case.variant and not case.wish:
        return Park("nobody says what the customer wants of the return", "enter the wish, or the variant of return")
    if case.order is None or case.product is None:
        missing = "order" if case.order is None else "product"
        return Park(f"the {missing} is not known", f"enter the {missing}, or the serial number")
    order = near.of(case.order, Order)
    if order is None or ordered_line(order, _line(case)) is None:
        return Park("the order has no line of that product", "correct order, order line or product of the case")
    return GO


def return_of(case: ServiceCase, company: str, near: Near) -> Return:
    """The return that the customer was promised."""
    order = near.of(case.order, Order)
    line = _line(case)
    ordered = ordered_line(order, line) if order is not None else None
    if ordered is not None:
        place = None if ordered.position is None else f"{ordered.position:f}"
        line = line.model_copy(update={"order_line": place, "unit": ordered.unit, "text": ordered.text})
    shared = {name: getattr(case, name) for name in ("account", "contact", "owner", "order", "shipment", "reason")}
    return Return.model_construct(
        **shared,
        case=near.reference("service_case"),
        company=(order.company if order is not None else None) or case.company,
        variant=case.variant or _USUAL[case.wish or ""],
        wish="released",
        remarks=case.subject,
        lines={"main": line},
    )


def _line(case: ServiceCase) -> ReturnLine:
    same_name = ("product", "order_line", "lot", "serial", "exchange_for")
    return ReturnLine.model_construct(
        **{name: getattr(case, name) for name in same_name}, position=Decimal(10), quantity=case.quantity or Decimal(1)
    )


def told_back(case: ServiceCase, made: Sequence[Return], near: Near) -> Mapping[str, Any]:
    """Number and state of the return, and what it waits for."""
    if not made:
        return {"return_number": None, "return_state": None, "erp_number": None, "held_by": None}
    last = made[-1]
    verdict, why = near.verdict_into(ERP)
    waits = verdict == "park" and not last.erp_number
    return {
        "return_number": last.erp_number or last.number,
        "return_state": "waiting" if waits else last.state or "requested",
        "erp_number": last.erp_number,
        "held_by": why if waits else None,
    }


case_to_return = Conversion(
    name="case_to_return",
    en="Case to return",
    zh="工单转退货",
    requires=("cases", "returns"),
    source=ServiceCase,
    target=Return,
    ready=accepted,
    version=lambda case: case.variant or case.wish or "",
    build=return_of,
    live=lambda rma: rma.wish != "cancelled" and rma.state not in ("refused", "cancelled"),
    reply=told_back,
)
