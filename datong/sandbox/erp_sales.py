"""Sales orders of SimERP: saved 保存, submitted 提交, approved 审核, taken back 反审核, amended 变更, cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from datong.sandbox import erp_prices, erp_stock
from datong.sandbox.erp_books import (
    ZERO,
    company,
    exact,
    extent,
    extent_of_lines,
    header,
    in_books,
    latest,
    must_be_open,
    must_have_rate,
    places_of,
    plus,
    priced,
    quantity,
    rate_of,
    rounded,
    today,
    totals,
)
from datong.sandbox.fields import Row
from datong.sandbox.refusals import Breach, Invalid, Key, Problem

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp

_USUAL_DAYS = 3  # from order to shipment when the goods are there
_HISTORY = (
    "qty",
    "price",
    "discountPct",
    "itemId",
    "requestedDate",
    "promisedDate",
    "warehouseId",
    "taxCodeId",
    "text",
)
_HEADER_HISTORY = ("requestedDate", "carrier", "packing", "shipTo", "remarks", "custOrderNo", "externalNo", "contactId")


def permit(held: Row, values: Row) -> None:
    """A writer may change drafts only. Raises Breach."""
    if held and held["status"] != "draft":
        raise (
            _posted(held) if _is_posted(held) else Breach("NOT_DRAFT", f"{held['docNo']} is {held['status']}", "status")
        )
    if held and values["companyCode"] != held["companyCode"]:
        raise Invalid({"companyCode": Problem("READ_ONLY", "its number belongs to its company")})


def complete(erp: Erp, held: Row, values: Row) -> Row:
    """Number, rate, defaults of the customer and the items, amounts of the lines, totals."""
    _refuse_negative(values["lines"])
    values = header(erp, values, "orderDate")
    customer = erp.row("customers", values["custId"])
    values["salesEmployeeId"] = values["salesEmployeeId"] or customer["salesEmployeeId"]
    values["docNo"] = values["docNo"] or held.get("docNo") or erp.number(_series(erp, values["status"]), values)
    places = places_of(erp, values["currency"])
    lines = [_defaults(erp, values, line) for line in _numbered(values["lines"], held.get("lines", ()))]
    lines = priced(erp, lines, values["orderDate"], values["priceIncludesTax"], places)
    return {**values, "lines": lines, **totals(lines, places), **_dates(lines), **extents(lines)}


def _series(erp: Erp, status: str) -> str:
    return "SD" if erp.settings.renumber_on_approve and status == "draft" else "SO"


def _refuse_negative(lines: Sequence[Row]) -> None:
    names = ("qty", "price", "discountPct")
    wrong = {f"lines[{i}].{name}": line[name] for i, line in enumerate(lines) for name in names}
    wrong = {at: value for at, value in wrong.items() if exact(value) < 0}
    if wrong:
        code = {at: "NEGATIVE_QUANTITY" if at.endswith("qty") else "NEGATIVE_PRICE" for at in wrong}
        raise Invalid({at: Problem(code[at], "must not be negative") for at in wrong})


def _numbered(lines: Sequence[Row], held: Sequence[Row]) -> list[Row]:
    """Lines without a number follow, in tens; the number of a line that goes is not given again."""
    last = max((line["lineNo"] or 0 for line in (*lines, *held)), default=0)
    told = []
    for line in lines:
        if line["lineNo"] is None:
            last = last - last % 10 + 10
        told.append({**line, "lineNo": line["lineNo"] or last})
    return told


def _defaults(erp: Erp, order: Row, line: Row) -> Row:
    item = erp.row("items", line["itemId"])
    tax_code = line["taxCodeId"] or item["taxCodeId"]
    price = line["price"]
    if price is None:
        price = erp_prices.price_of(erp, order, line["itemId"], exact(line["qty"]), tax_code)
    warehouse = line["warehouseId"] or erp_stock.warehouse_of(erp, order["companyCode"])
    return {**line, "price": price, "taxCodeId": tax_code, "warehouseId": warehouse}


def _dates(lines: Sequence[Row]) -> Row:
    return {name: latest(line[name] for line in lines) for name in ("promisedDate", "expectedDate")}


def extents(lines: Sequence[Row]) -> Row:
    return {
        "shippedState": extent_of_lines(lines, "shippedQty"),
        "invoicedState": extent_of_lines(lines, "invoicedQty"),
    }


# What a person, or we, do with an order. Each gives the row it came to.


def submit(erp: Erp, key: Key) -> Row:
    order = _in_state(erp, key, "draft")
    if not order["lines"]:
        raise Breach("NO_LINES", f"{order['docNo']} has no lines", "lines")
    for i, line in enumerate(order["lines"]):
        if exact(line["qty"]) == 0:
            raise Invalid({f"lines[{i}].qty": Problem("REQUIRED", "required")})
        if line["price"] is None:
            raise Invalid({f"lines[{i}].price": Problem("NO_PRICE", "no valid price")})
    rate = _rate_by_now(erp, order)
    _may_be_sold(erp, {**order, **rate})
    return erp.record("salesOrders", key, {"status": "submitted", **rate}).data


def approve(erp: Erp, key: Key, accepted: Sequence[str] = ()) -> Row:
    """`accepted`: codes of warnings that the caller goes past."""
    order = _in_state(erp, key, "submitted")
    _may_be_sold(erp, order)
    _within_credit(erp, order, accepted)
    changes: Row = {"status": "approved"}
    if erp.settings.renumber_on_approve or erp.faults.take("salesOrders", "renumber"):
        changes["docNo"] = erp.number("SO", order)
    order = _with_changed_prices(erp, {**order, **changes})
    promised = plus(max(order["orderDate"], today(erp, order["companyCode"])), _USUAL_DAYS)
    lines = [
        {**line, "promisedDate": line["promisedDate"] or line["requestedDate"] or promised} for line in order["lines"]
    ]
    erp_stock.reserve(erp, lines)
    _order_supply(erp, {**order, "id": key}, lines)
    return _store_lines(erp, key, lines, {**changes, **{name: order[name] for name in _TOTALS}})


_TOTALS = ("netAmount", "taxAmount", "grossAmount")


def unapprove(erp: Erp, key: Key) -> Row:
    """Back to draft, before anything came of it. A submitted order is only withdrawn 撤销."""
    order = _in_state(erp, key, "submitted", "approved")
    if _is_posted(order):
        raise _posted(order)
    if order["status"] == "approved":
        _forget_plans(erp, key, order)
    lines = erp_stock.told_by_supply(erp.row("salesOrders", key)["lines"], ())
    return _store_lines(erp, key, lines, {"status": "draft"})


def close(erp: Erp, key: Key) -> Row:
    """Nothing more is to come of it."""
    order = _in_state(erp, key, "approved")
    erp_stock.release(erp, order["lines"])
    erp_stock.cancel_supply(erp, key)
    return erp.record("salesOrders", key, {"status": "closed"}).data


def cancel(erp: Erp, key: Key, reason: str = "") -> Row:
    order = _in_state(erp, key, "draft", "submitted", "approved")
    if _is_posted(order):
        raise _posted(order)
    if order["status"] == "approved":
        _forget_plans(erp, key, order)
    return erp.record("salesOrders", key, {"status": "cancelled", "cancelReason": reason[:200]}).data


def hold(erp: Erp, key: Key, reason: str) -> Row:
    """发货冻结: nothing of it leaves for as long as a reason is given; without one it is free again."""
    order = _in_state(erp, key, "draft", "submitted", "approved")
    return order if order["shipHold"] == reason else erp.record("salesOrders", key, {"shipHold": reason[:200]}).data


def amend(erp: Erp, key: Key, sent: Row, reason: str, ext_ref: str = "") -> Row:
    """Changes an approved order by a document of its own. `sent` is as for a save; nothing changed, nothing made."""
    order = _in_state(erp, key, "approved")
    spec, check = erp.specs["salesOrders"], erp.check()
    data = erp.faults.on_values("salesOrders", spec.fields, erp.expand(spec, order, dict(sent)))
    erp.refuse_read_only(spec, check, values := check.merge(spec.fields, data, order), order)
    if values["companyCode"] != order["companyCode"] or values["custId"] != order["custId"]:
        raise Invalid({"custId": Problem("READ_ONLY", "company and customer of an approved order stay")})
    values = complete(erp, order, values)
    _refuse_what_is_done(order, values)
    told = _differences(order, values)
    if not told:
        return order
    erp_stock.release(erp, order["lines"])
    erp_stock.reserve(erp, values["lines"])
    known = {line["lineId"] for line in order["lines"]}
    promised = plus(today(erp, order["companyCode"]), _USUAL_DAYS)
    lines = [
        line
        if line["lineId"] in known
        else {**line, "promisedDate": line["promisedDate"] or line["requestedDate"] or promised}
        for line in values["lines"]
    ]
    _order_supply(erp, order, lines)
    number = order["amendmentNo"] + 1
    document = {
        "companyCode": order["companyCode"],
        "orderId": key,
        "amendmentNo": number,
        "reason": reason[:200],
        "changeDate": today(erp, order["companyCode"]),
        "grossBefore": order["grossAmount"],
        "grossAfter": values["grossAmount"],
        "lines": told,
        "extRef": ext_ref,
    }
    erp.enter("orderChanges", document)
    changes = {name: values[name] for name in values if name not in ("lines", "status")}
    row = _store_lines(erp, key, lines, {**changes, "amendmentNo": number})
    paid = refresh_paid(erp, key)
    return paid or row


def complete_change(erp: Erp, values: Row) -> Row:
    return {**values, "docNo": values["docNo"] or erp.number("SC", values)}


def refresh_supply(erp: Erp, key: Key) -> None:
    """The lines say again what their supply says."""
    _store_lines(erp, key, erp.row("salesOrders", key)["lines"], {})


def done_on_lines(erp: Erp, key: Key, field: str, by_line: Mapping[Any, Decimal]) -> Row:
    """Adds quantities to `shippedQty` or `invoicedQty` of lines, by line id."""
    held = erp.row("salesOrders", key)["lines"]
    lines = [{**line, field: quantity(exact(line[field]) + by_line.get(line["lineId"], ZERO))} for line in held]
    return erp.record("salesOrders", key, {"lines": lines, **extents(lines)}).data


def refresh_paid(erp: Erp, key: Key) -> Row | None:
    """What of the order is paid, from its invoices; its row where that changed."""
    order = erp.row("salesOrders", key)
    paid, credited = ZERO, ZERO
    for state in erp.table("invoices").live.find("lines.orderId", key):
        invoice, whole = state.data, exact(state.data["grossAmount"])
        if invoice["docType"] == "INV" and invoice["status"] in ("posted", "paid", "cancelled") and whole:
            ours = sum((exact(line["grossAmount"]) for line in invoice["lines"] if line["orderId"] == key), ZERO)
            paid += exact(invoice["paidAmount"]) * ours / whole
            credited += exact(invoice["creditedAmount"]) * ours / whole
    places = places_of(erp, order["currency"])
    state_now = extent(rounded(paid, places), exact(order["grossAmount"]) - rounded(credited, places))
    if state_now == order["paidState"]:
        return None
    return erp.record("salesOrders", key, {"paidState": state_now}).data


# Inside.


def _in_state(erp: Erp, key: Key, *wanted: str) -> Row:
    order = erp.row("salesOrders", key)
    if order["status"] not in wanted:
        code = {"closed": "CLOSED", "cancelled": "CANCELLED"}.get(order["status"], "WRONG_STATE")
        raise Breach(code, f"{order['docNo']} is {order['status']}, not {' or '.join(wanted)}", "status")
    return order


def _is_posted(order: Row) -> bool:
    return bool(order["shippedState"] != "none") or bool(order["invoicedState"] != "none")


def _posted(order: Row) -> Breach:
    done = [f"{what}: {order[name]}" for name, what in (("shippedState", "shipped"), ("invoicedState", "invoiced"))]
    return Breach("POSTED", f"{order['docNo']} is no longer free ({', '.join(done)})", "status")


def _rate_by_now(erp: Erp, order: Row) -> Row:
    """The exchange rate of an order that was saved before there was one."""
    if order["exchRate"] is not None:
        return {}
    found = rate_of(erp, order["currency"], company(erp, order["companyCode"])["currency"], order["orderDate"])
    return {} if found is None else {"exchRate": found[0], "exchRateDate": found[1]}


def _may_be_sold(erp: Erp, order: Row) -> None:
    customer = erp.row("customers", order["custId"])
    part = customer["companies"].get(order["companyCode"], {})
    if part.get("blocked") or customer["status"] == "inactive":
        why = "blocked" if part.get("blocked") else "inactive"
        raise Breach("CUSTOMER_BLOCKED", f"{customer['custName']} is {why} in {order['companyCode']}", "custId")
    must_be_open(erp, order["companyCode"], order["orderDate"], "orderDate")
    must_have_rate(erp, order)


def _within_credit(erp: Erp, order: Row, accepted: Sequence[str]) -> None:
    """A limit of zero is none. What is owed: open invoices, and approved orders that are not invoiced."""
    how = erp.settings.credit
    limit = exact(erp.part_of_customer(order["custId"], order["companyCode"]).get("creditLimit"))
    if how == "off" or limit <= 0 or (how == "warn" and "CREDIT_LIMIT" in accepted):
        return
    owed = credit_used(erp, order["custId"], order["companyCode"]) + in_books(erp, order, exact(order["grossAmount"]))
    if owed > limit:
        message = f"{order['docNo']} would bring the customer to {owed}, above the limit of {limit}"
        raise Breach("CREDIT_LIMIT", message, "custId", warning=how == "warn")


def credit_used(erp: Erp, customer: Key, code: str) -> Decimal:
    """What a customer owes or has ordered, in the currency of the company."""
    used = ZERO
    for state in erp.table("invoices").live.find("custId", customer):
        row = state.data
        if row["companyCode"] == code and row["status"] == "posted":
            used += in_books(erp, row, exact(row["openAmount"]))
    for state in erp.table("salesOrders").live.find("custId", customer):
        row = state.data
        if row["companyCode"] == code and row["status"] == "approved":
            used += in_books(erp, row, sum((_not_invoiced(line) for line in row["lines"]), ZERO))
    return used


def _not_invoiced(line: Mapping[str, Any]) -> Decimal:
    whole = exact(line["qty"])
    return exact(line["grossAmount"]) * max(whole - exact(line["invoicedQty"]), ZERO) / whole if whole else ZERO


def _with_changed_prices(erp: Erp, order: Row) -> Row:
    """A fault on request: the ERP has a mind of its own about prices."""
    rule = erp.faults.take_one("salesOrders", "change_price")
    if rule is None:
        return order
    percent = rule.params.get("percent", 1)
    places = places_of(erp, order["currency"])
    lines = [{**line, "price": erp_prices.changed(line["price"], percent)} for line in order["lines"]]
    lines = priced(erp, lines, order["orderDate"], order["priceIncludesTax"], places)
    return {**order, "lines": lines, **totals(lines, places)}


def _order_supply(erp: Erp, order: Row, lines: Sequence[Row]) -> None:
    if not erp.settings.supply_to_order:
        return
    for line in lines:
        short = erp_stock.shortage(erp, line)
        if short:
            erp_stock.order_supply(erp, order, line, short)


def _store_lines(erp: Erp, key: Key, lines: Sequence[Row], changes: Row) -> Row:
    told = erp_stock.told_by_supply(lines, erp_stock.supply_of(erp, key))
    return erp.record("salesOrders", key, {**changes, "lines": told, **_dates(told), **extents(told)}).data


def _forget_plans(erp: Erp, key: Key, order: Row) -> None:
    erp_stock.release(erp, order["lines"])
    erp_stock.cancel_supply(erp, key)
    for object in ("shipments", "invoices"):
        for state in erp.table(object).live.find("lines.orderId", key):
            if state.data["status"] in ("draft", "ready"):
                erp.record(object, state.key, {"status": "cancelled"})


def _refuse_what_is_done(order: Row, values: Row) -> None:
    """A line cannot become less than what left, nor another thing once something left, nor dearer once invoiced."""
    now = {line["lineId"]: line for line in values["lines"]}
    for i, line in enumerate(order["lines"]):
        shipped, invoiced = exact(line["shippedQty"]), exact(line["invoicedQty"])
        if not shipped and not invoiced:
            continue
        new = now.get(line["lineId"])
        at = f"lines[{i}]"
        if new is None or new["itemId"] != line["itemId"]:
            raise Breach("POSTED", f"line {line['lineNo']} has shipments or invoices: it stays", at)
        if exact(new["qty"]) < max(shipped, invoiced):
            done = max(shipped, invoiced)
            raise Breach("POSTED", f"line {line['lineNo']}: {done} are shipped or invoiced already", f"{at}.qty")
        if invoiced and any(exact(new[name]) != exact(line[name]) for name in ("price", "discountPct")):
            raise Breach("POSTED", f"line {line['lineNo']} is invoiced: its price stays", f"{at}.price")
    if order["shippedState"] in ("full", "over") and any(values[one] != order[one] for one in ("shipTo", "carrier")):
        raise Breach("POSTED", f"{order['docNo']} is shipped: where to and by whom stays", "shipTo")


def _differences(order: Row, values: Row) -> list[Row]:
    told = [
        _difference(None, name, order[name], values[name]) for name in _HEADER_HISTORY if order[name] != values[name]
    ]
    before = {line["lineId"]: line for line in order["lines"]}
    after = {line["lineId"]: line for line in values["lines"]}
    for id, line in after.items():
        if id not in before:
            told.append(_difference(id, "line", "", f"{line['text']} × {line['qty']}"))
            continue
        names = [name for name in _HISTORY if before[id][name] != line[name]]
        told += [_difference(id, name, before[id][name], line[name]) for name in names]
    told += [_difference(id, "line", before[id]["text"], "") for id in before if id not in after]
    others = [n for n in order if n in values and n not in (*_HEADER_HISTORY, "lines") and order[n] != values[n]]
    return told + [_difference(None, name, order[name], values[name]) for name in others if name in _CHANGEABLE]


_CHANGEABLE = ("currency", "priceIncludesTax", "paymentTermId", "salesEmployeeId", "endCustId", "orderDate")


def _difference(line: Any, field: str, before: Any, after: Any) -> Row:
    told = ["" if value is None else str(value)[:500] for value in (before, after)]
    return {"orderLineId": line, "field": field, "before": told[0], "after": told[1]}
