"""What people do in Tryton after an order is confirmed: the warehouse ships, the books post and receive money.

Each call is the one that Tryton's own client makes for the button or wizard.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lab.tryton import Tryton


def ship(
    erp: Tryton, shipment: int, quantities: Mapping[int, float] | None = None, tracking: str | None = None
) -> None:
    """Pick, pack and do a shipment. `quantities`: how much of a product goes now; Tryton keeps the rest for a new one.

    It goes by our own lorry, for Tryton warns of a shipment without a carrier. Goods that are not in stock are shipped
    all the same (`assign_force`)."""
    model = "model.stock.shipment.out"
    (row,) = erp.call(f"{model}.read", [shipment], ["company"])
    company = {"company": row["company"]}
    goes = {"carrier": erp.ids["carriers"]["own"], "shipping_reference": tracking}
    erp.call(f"{model}.write", [shipment], goes, context=company)
    if quantities is not None:
        (row,) = erp.call(f"{model}.read", [shipment], ["inventory_moves"], context=company)
        for move in erp.call("model.stock.move.read", row["inventory_moves"], ["product"], context=company):
            if move["product"] in quantities:
                change = {"quantity": float(quantities[move["product"]])}
                erp.call("model.stock.move.write", [move["id"]], change, context=company)
    for button in ("assign_force", "pick", "pack", "do"):
        erp.call(f"{model}.{button}", [shipment], context=company)


def produce(erp: Tryton, production: int) -> None:
    """Take a production from request to done; its parts are taken even where they are not in stock."""
    company = _company(erp, "production", production)
    for button in ("draft", "wait", "assign_force", "run", "do"):
        erp.call(f"model.production.{button}", [production], context=company)


def post(erp: Tryton, invoice: int, date: dt.date | None = None) -> None:
    """Post a draft invoice with its date; today where none is given."""
    company = _company(erp, "account.invoice", invoice)
    change = {"invoice_date": date or dt.date.today()}
    erp.call("model.account.invoice.write", [invoice], change, context=company)
    erp.call("model.account.invoice.post", [invoice], context=company)


def pay(erp: Tryton, invoice: int, amount: Decimal | None = None, date: dt.date | None = None) -> None:
    """Receive money for an invoice by the wizard *Pay Invoice*: all of what is open, or a part or more than that."""
    company = _company(erp, "account.invoice", invoice)
    context = {**company, "active_model": "account.invoice", "active_id": invoice, "active_ids": [invoice]}
    wizard = "wizard.account.invoice.pay"
    session, start, _ = erp.call(f"{wizard}.create", context=context)
    shown = erp.call(f"{wizard}.execute", session, {}, start, context=context)
    form = _entered(shown["view"]["defaults"])
    methods = [["company", "=", company["company"]]]
    (form["payment_method"], *_) = erp.call("model.account.invoice.payment.method.search", methods, 0, 1, None)
    form["date"] = date or dt.date.today()
    form["amount"] = form["amount"] if amount is None else amount
    shown = erp.call(f"{wizard}.execute", session, {start: form}, "choice", context=context)
    if shown.get("view"):
        asked = _entered(shown["view"]["defaults"])
        asked.setdefault("type", "partial")
        data = {start: form, shown["view"]["state"]: asked}
        erp.call(f"{wizard}.execute", session, data, "pay", context=context)
    erp.call(f"{wizard}.delete", session, context=context)


def credit(erp: Tryton, invoice: int) -> list[int]:
    """Credit an invoice by the wizard *Credit*, with a refund: the credit note is posted and settles it."""
    company = _company(erp, "account.invoice", invoice)
    context = {**company, "active_model": "account.invoice", "active_id": invoice, "active_ids": [invoice]}
    wizard = "wizard.account.invoice.credit"
    before = set(erp.call("model.account.invoice.search", [], 0, None, None))
    session, start, _ = erp.call(f"{wizard}.create", context=context)
    erp.call(f"{wizard}.execute", session, {}, start, context=context)
    form = {"with_refund": True, "invoice_date": dt.date.today()}
    erp.call(f"{wizard}.execute", session, {start: form}, "credit", context=context)
    erp.call(f"{wizard}.delete", session, context=context)
    return sorted(set(erp.call("model.account.invoice.search", [], 0, None, None)) - before)


def approve_return(erp: Tryton, complaint: int) -> int:
    """Approve a complaint, and confirm the return sale that Tryton makes of it; gives that sale."""
    company = _company(erp, "sale.complaint", complaint)
    erp.call("model.sale.complaint.approve", [complaint], context=company)
    actions = [["complaint", "=", complaint]]
    (action,) = erp.call("model.sale.complaint.action.search_read", actions, 0, 1, None, ["result"], context=company)
    sale = int(action["result"].partition(",")[2])
    for button in ("quote", "confirm"):
        erp.call(f"model.sale.sale.{button}", [sale], context=company)
    return sale


def take_back(erp: Tryton, sale: int) -> None:
    """Receive the goods of a return sale."""
    _return_shipments(erp, sale, "receive")


def put_away(erp: Tryton, sale: int) -> None:
    """Look at the goods of a return sale, and put them into stock."""
    _return_shipments(erp, sale, "do")


def _return_shipments(erp: Tryton, sale: int, button: str) -> None:
    company = _company(erp, "sale.sale", sale)
    (row,) = erp.call("model.sale.sale.read", [sale], ["shipment_returns"], context=company)
    erp.call(f"model.stock.shipment.out.return.{button}", row["shipment_returns"], context=company)


def _company(erp: Tryton, model: str, native: int) -> dict[str, Any]:
    (row,) = erp.call(f"model.{model}.read", [native], ["company"])
    return {"company": row["company"]}


def _entered(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a form without the names that the client shows beside them."""
    return {name: value for name, value in defaults.items() if not name.endswith(".")}
