"""The people in SimERP: what the warehouse, the accountant and the planner do, by name. In-process and over HTTP.

`sb.erp.act("ship", order=5)` and `POST /_control/act {"act": "ship", "order": 5}` are the same.
Each act happens whole or not at all, and gives the row it made or changed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import Response

from datong.sandbox import erp_invoices, erp_receipts, erp_returns, erp_sales, erp_shipments, erp_stock
from datong.sandbox.control import answer
from datong.sandbox.erp_books import exact, plus
from datong.sandbox.erp_service import OUTCOMES
from datong.sandbox.fields import Row
from datong.sandbox.refusals import BadRequest, Breach, Key, NotFound
from datong.sandbox.system import Step

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp


def _keys(one: Any) -> list[Key]:
    return list(one) if isinstance(one, list | tuple) else [one]


def _by_line(quantities: Mapping[Any, Any] | None) -> Mapping[Any, Any] | None:
    """JSON has texts for keys; ids are numbers."""
    return None if quantities is None else {int(key): value for key, value in quantities.items()}


# The warehouse.


def pick(erp: Erp, order: Any, quantities: Mapping[Any, Any] | None = None, planned: str | None = None) -> Row:
    """A shipment made ready: of one order or of a list of them; `quantities` by order line id."""
    return erp_shipments.pick(erp, _keys(order), _by_line(quantities), plannedDate=planned)


def ship(
    erp: Erp,
    order: Any = None,
    quantities: Mapping[Any, Any] | None = None,
    carrier: str = "",
    tracking: str = "",
    shipment: Key | None = None,
    day: str = "",
    lots: Mapping[Any, Any] | None = None,
    serials: Mapping[Any, Any] | None = None,
) -> Row:
    """What is picked leaves, or is picked and leaves; `lots` and lists of `serials` by item id."""
    key = shipment if shipment is not None else pick(erp, order, quantities)["id"]
    return erp_shipments.ship(erp, key, carrier, tracking, day, _by_line(lots), _by_line(serials))


def deliver(erp: Erp, shipment: Key) -> Row:
    return erp_shipments.deliver(erp, shipment)


def cancel_shipment(erp: Erp, shipment: Key) -> Row:
    return erp_shipments.cancel(erp, shipment)


def set_stock(erp: Erp, item: Key, warehouse: Key, quantity: Any) -> Row:
    """Somebody counted."""
    erp.row("warehouses", warehouse)
    return erp_stock.count(erp, item, warehouse, exact(quantity))


# The planner.


def produce(erp: Erp, supply: Key, quantity: Any = None) -> Row:
    """Goods come in: all that is left, or so much."""
    row = erp_stock.produce(erp, supply, None if quantity is None else exact(quantity))
    return _told(erp, row)


def start(erp: Erp, supply: Key) -> Row:
    row = erp.row("supplyOrders", supply)
    if row["status"] not in ("draft", "confirmed"):
        raise Breach("WRONG_STATE", f"{row['docNo']} is {row['status']}", "status")
    return _told(erp, erp.record("supplyOrders", supply, {"status": "running"}).data)


def delay(erp: Erp, supply: Key, days: int) -> Row:
    """It takes so many days longer (fewer, where negative) than expected up to now."""
    row = erp.row("supplyOrders", supply)
    expected = plus(row["expectedFinish"], days)
    return _told(erp, erp.record("supplyOrders", supply, {"expectedFinish": expected}).data)


def _told(erp: Erp, row: Row) -> Row:
    if row["orderId"] is not None:
        erp_sales.refresh_supply(erp, row["orderId"])
    return row


# The desk of the sales office.


def submit(erp: Erp, order: Key) -> Row:
    return erp_sales.submit(erp, order)


def approve(erp: Erp, order: Key, accept: Any = ("CREDIT_LIMIT",)) -> Row:
    """Submitted first where it is a draft; a person goes past warnings."""
    if erp.row("salesOrders", order)["status"] == "draft":
        erp_sales.submit(erp, order)
    return erp_sales.approve(erp, order, [str(one) for one in _keys(accept)])


def unapprove(erp: Erp, order: Key) -> Row:
    return erp_sales.unapprove(erp, order)


def close(erp: Erp, order: Key) -> Row:
    return erp_sales.close(erp, order)


def cancel(erp: Erp, order: Key, reason: str = "") -> Row:
    return erp_sales.cancel(erp, order, reason)


def hold(erp: Erp, order: Key, reason: str = "") -> Row:
    """Its shipment is held; without a reason it is free again."""
    return erp_sales.hold(erp, order, reason)


def amend(erp: Erp, order: Key, row: Mapping[str, Any], reason: str = "by telephone") -> Row:
    return erp_sales.amend(erp, order, dict(row), reason)


# The accountant.


def invoice(
    erp: Erp,
    order: Any = None,
    shipment: Key | None = None,
    quantities: Mapping[Any, Any] | None = None,
    day: str | None = None,
    post: bool = True,
) -> Row:
    """An invoice of orders or of a shipment; posted, unless said."""
    if shipment is not None:
        row = erp_invoices.from_shipment(erp, shipment, invoiceDate=day)
    else:
        row = erp_invoices.from_orders(erp, _keys(order), _by_line(quantities), invoiceDate=day)
    return erp_invoices.post(erp, row["id"]) if post else row


def post(erp: Erp, invoice: Key, day: str = "") -> Row:
    return erp_invoices.post(erp, invoice, day)


def discard(erp: Erp, invoice: Key) -> Row:
    return erp_invoices.discard(erp, invoice)


def credit(erp: Erp, invoice: Key, quantities: Mapping[Any, Any] | None = None, reason: str = "") -> Row:
    """A credit note of the whole, or of quantities by the invoice's line id; gives the note."""
    return erp_invoices.credit(erp, invoice, _by_line(quantities), reason)


def pay(erp: Erp, invoice: Key, amount: Any = None, **data: Any) -> Row:
    """Money for an invoice: what is open, or so much, also too much; gives the receipt. `data`: fields of receipts,
    `method` (code), `billNo` and `billDue` for an acceptance bill."""
    return erp_receipts.pay(erp, invoice, amount, **data)


def receive(erp: Erp, amount: Any, company: str, customer: Key | None = None, **data: Any) -> Row:
    """Money on account, or without a customer: unclaimed."""
    return erp_receipts.receive(erp, amount, companyCode=company, custId=customer, **data)


def claim(erp: Erp, receipt: Key, customer: Key) -> Row:
    return erp_receipts.claim(erp, receipt, customer)


def allocate(erp: Erp, receipt: Key, invoice: Key, amount: Any = None) -> Row:
    return erp_receipts.allocate(erp, receipt, invoice, amount)


def reverse(erp: Erp, receipt: Key, reason: str = "", day: str = "") -> Row:
    return erp_receipts.reverse(erp, receipt, reason, day)


def bill(erp: Erp, receipt: Key, state: str) -> Row:
    return erp_receipts.bill(erp, receipt, state)


def answer_request(erp: Erp, request: Key, post: bool = True) -> Row:
    """The invoice that sales asked for."""
    return erp_invoices.answer_request(erp, request, post)


def refuse_request(erp: Erp, request: Key, reason: str) -> Row:
    return erp_invoices.refuse_request(erp, request, reason)


# The service desk.


def authorise_return(erp: Erp, rma: Key) -> Row:
    return erp_returns.authorise(erp, rma)


def refuse_return(erp: Erp, rma: Key, reason: str) -> Row:
    return erp_returns.refuse(erp, rma, reason)


def cancel_return(erp: Erp, rma: Key) -> Row:
    return erp_returns.cancel(erp, rma)


def receive_return(erp: Erp, rma: Key, quantities: Mapping[Any, Any] | None = None, day: str = "") -> Row:
    """Goods are back: all that is awaited, or quantities by the return's line id."""
    return erp_returns.receive(erp, rma, _by_line(quantities), day)


def inspect_return(erp: Erp, rma: Key, result: str = "defective", results: Mapping[Any, Any] | None = None) -> Row:
    """What was found: `result` of all, `results` by line id."""
    return erp_returns.inspect(erp, rma, result, _by_line(results))


def repair_return(erp: Erp, rma: Key) -> Row:
    return erp_returns.repair(erp, rma)


def replace_return(erp: Erp, rma: Key) -> Row:
    """Makes the order that replaces or exchanges it."""
    return erp_returns.replace(erp, rma)


def refund_return(erp: Erp, rma: Key) -> Row:
    """Makes the credit note."""
    return erp_returns.refund(erp, rma)


def close_return(erp: Erp, rma: Key) -> Row:
    return erp_returns.close(erp, rma)


def close_period(erp: Erp, company: str, name: str) -> Row:
    return _period(erp, company, name, "closed")


def open_period(erp: Erp, company: str, name: str) -> Row:
    return _period(erp, company, name, "open")


def _period(erp: Erp, company: str, name: str, status: str) -> Row:
    for state in erp.table("periods").live.find("companyCode", company):
        if state.data["name"] == name:
            return erp.record("periods", state.key, {"status": status}).data
    raise NotFound(f"period {name} of {company}")


def renumber(erp: Erp, order: Key | None = None, invoice: Key | None = None) -> Row:
    """The document gets the next number, and loses the one it had."""
    object, key = ("salesOrders", order) if order is not None else ("invoices", invoice)
    row = erp.row(object, key)
    series = "SO" if object == "salesOrders" else "CN" if row["docType"] == "CRN" else "IN"
    return erp.record(object, row["id"], {"docNo": erp.number(series, row)}).data


def settings(erp: Erp, **chosen: Any) -> Row:
    """Sets up SimERP otherwise, until it is reset: `credit`, `supply_to_order`, `negative_stock`,
    `renumber_on_approve`, `renumber_on_post`."""
    for name, value in chosen.items():
        if type(value) is not type(getattr(erp.settings, name, None)):
            raise BadRequest(f"no setting {name} = {value!r}")
        setattr(erp.settings, name, value)
    return dict(vars(erp.settings))


ACTS: Mapping[str, Callable[..., Row]] = {
    one.__name__: one
    for one in (
        pick,
        ship,
        deliver,
        cancel_shipment,
        set_stock,
        produce,
        start,
        delay,
        submit,
        approve,
        unapprove,
        close,
        cancel,
        hold,
        amend,
        invoice,
        post,
        discard,
        credit,
        pay,
        receive,
        claim,
        allocate,
        reverse,
        bill,
        answer_request,
        refuse_request,
        authorise_return,
        refuse_return,
        cancel_return,
        receive_return,
        inspect_return,
        repair_return,
        replace_return,
        refund_return,
        close_return,
        close_period,
        open_period,
        renumber,
        settings,
    )
}


_STEPS: Mapping[str, Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "salesOrders": {
        "draft": (("submit", "Submit", "提交"), ("approve", "Approve", "审核"), ("cancel", "Cancel", "作废")),
        "submitted": (("approve", "Approve", "审核"), ("unapprove", "Withdraw", "撤销"), ("cancel", "Cancel", "作废")),
        "approved": (
            ("ship", "Ship the rest", "全部发货"),
            ("invoice", "Invoice the rest", "开票"),
            ("unapprove", "Take back", "反审核"),
            ("close", "Close", "关闭"),
            ("cancel", "Cancel", "作废"),
        ),
    },
    "shipments": {
        "ready": (("ship", "Ship", "发货"), ("cancel_shipment", "Cancel", "作废")),
        "shipped": (
            ("deliver", "Delivered", "签收"),
            ("invoice", "Invoice", "开票"),
            ("cancel_shipment", "Back in stock", "退回入库"),
        ),
        "delivered": (("invoice", "Invoice", "开票"),),
    },
    "invoices": {
        "draft": (("post", "Post", "过账"), ("discard", "Discard", "作废")),
        "posted": (("pay", "Paid in full", "全额收款"), ("credit", "Credit note", "红字冲销")),
        "paid": (("credit", "Credit note", "红字冲销"),),
    },
    "receipts": {
        "posted": (("reverse", "Reverse", "冲销"),),
        "cleared": (("reverse", "Reverse", "冲销"),),
    },
    "invoiceRequests": {"requested": (("answer_request", "Invoice", "开票"),)},
    "returnOrders": {
        "requested": (("authorise_return", "Authorise", "同意退货"), ("cancel_return", "Cancel", "作废")),
        "authorised": (("receive_return", "Received", "收货"), ("cancel_return", "Cancel", "作废")),
        "received": (("inspect_return", "Defective", "检验：有缺陷"),),
        "inspected": (
            ("repair_return", "Repaired", "已修复"),
            ("replace_return", "Replace", "换货"),
            ("refund_return", "Refund", "退款"),
        ),
        **dict.fromkeys(OUTCOMES, (("close_return", "Close", "关闭"),)),
    },
    "supplyOrders": {
        "confirmed": (("start", "Start", "开工"), ("produce", "All done", "完工入库")),
        "running": (("produce", "All done", "完工入库"),),
    },
}
"""What the page of a document offers, by its state: act and labels."""
_GIVEN = {
    "salesOrders": "order",
    "shipments": "shipment",
    "invoices": "invoice",
    "receipts": "receipt",
    "invoiceRequests": "request",
    "supplyOrders": "supply",
    "returnOrders": "rma",
}


def steps(object: str, row: Row) -> list[Step]:
    return [Step(*told) for told in _STEPS.get(object, {}).get(row.get("status", ""), ())]


def take_step(erp: Erp, object: str, key: Key, name: str) -> None:
    if name not in {one.name for one in steps(object, erp.row(object, key))}:
        raise Breach("WRONG_STATE", f"not now: {name}")
    act(erp, name, **{_GIVEN[object]: key})


def act(erp: Erp, name: str, /, **given: Any) -> Row:
    """What a person does, whole or not at all. Raises Refusal."""
    try:
        doing = ACTS[name]
        inspect.signature(doing).bind(erp, **given)
    except (KeyError, TypeError) as error:
        raise BadRequest(f"no act {name} with {', '.join(given) or 'nothing'}; acts: {', '.join(ACTS)}") from error
    with erp.transaction():
        return dict(doing(erp, **given))


def acting(erp: Erp) -> APIRouter:
    router = APIRouter(prefix="/_control", tags=["control"])

    @router.post("/act")
    async def do(body: Annotated[dict[str, Any], Body()]) -> Response:
        given = {name: value for name, value in body.items() if name != "act"}
        return answer({"ok": True, "row": act(erp, str(body.get("act")), **given)})

    return router
