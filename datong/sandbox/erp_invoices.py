"""Invoices and credit notes of SimERP: drafted from orders or shipments, posted, never changed again, countered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from datong.sandbox import erp_prices, erp_sales
from datong.sandbox.erp_books import (
    ZERO,
    Amounts,
    company,
    exact,
    header,
    must_be_open,
    must_have_rate,
    places_of,
    plus,
    priced,
    quantity,
    rounded,
    today,
    totals,
    with_amounts,
)
from datong.sandbox.fields import Row, write_decimal
from datong.sandbox.refusals import Breach, Invalid, Key, Problem

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp

_AMOUNTS = ("netAmount", "taxAmount", "grossAmount")
_FROM_ORDER = ("itemId", "text", "unitId", "price", "discountPct", "taxCodeId", "freeReason", "bundleItemId")
_COUNTED = ("posted", "paid")
_GOODS = "1090511990000000000"  # a tax category code 税收分类编码 of 19 digits
_CHANNEL = "2"  # of an e-invoice number: made on the tax office's platform
_PROVINCE = "31"  # Shanghai, where the Chinese company is registered


def permit(held: Row) -> None:
    if held and held["status"] != "draft":
        raise Breach("POSTED", f"{held['docNo']} is {held['status']}: credit it instead", "status")


def complete(erp: Erp, held: Row, values: Row) -> Row:
    values = header(erp, values, "invoiceDate")
    places = places_of(erp, values["currency"])
    lines = values["lines"]
    if values["docType"] == "INV":
        wrong = [i for i, line in enumerate(lines) if exact(line["qty"]) < 0]
        if wrong:
            raise Invalid({f"lines[{i}].qty": Problem("NEGATIVE_QUANTITY", "credit it instead") for i in wrong})
    lines = priced(erp, lines, values["invoiceDate"], values["priceIncludesTax"], places)
    draft = erp.number("DR", values) if erp.settings.renumber_on_post and not held else ""
    number = values["docNo"] or held.get("docNo") or draft
    sums = totals(lines, places)
    return {**values, "docNo": number, "lines": lines, **sums, "openAmount": sums["grossAmount"]}


def from_orders(erp: Erp, orders: Sequence[Key], quantities: Mapping[Any, Any] | None = None, **more: Any) -> Row:
    """A draft of what is not invoiced yet, or of these quantities by order line id."""
    rows = [erp.row("salesOrders", key) for key in orders]
    wanted = {}
    for row in rows:
        for line in row["lines"]:
            left = max(exact(line["qty"]) - exact(line["invoicedQty"]), ZERO)
            wanted[line["lineId"]] = left if quantities is None else exact(quantities.get(line["lineId"]))
    return _draft(erp, rows, wanted, **more)


def from_shipment(erp: Erp, shipment: Key, **more: Any) -> Row:
    row = erp.row("shipments", shipment)
    if row["status"] not in ("shipped", "delivered"):
        raise Breach("WRONG_STATE", f"{row['docNo']} is {row['status']}, not shipped", "status")
    wanted: dict[Any, Decimal] = {}
    for line in row["lines"]:
        wanted[line["orderLineId"]] = wanted.get(line["orderLineId"], ZERO) + exact(line["qty"])
    keys = dict.fromkeys(line["orderId"] for line in row["lines"] if line["orderId"] is not None)
    return _draft(erp, [erp.row("salesOrders", key) for key in keys], wanted, shipmentId=shipment, **more)


def _draft(erp: Erp, orders: Sequence[Row], wanted: Mapping[Any, Decimal], **more: Any) -> Row:
    if not orders or len({(row["custId"], row["companyCode"], row["currency"]) for row in orders}) > 1:
        raise Breach("MIXED", "an invoice is for one customer, company and currency", "orderId")
    if any(row["status"] not in ("approved", "closed") for row in orders):
        raise Breach("WRONG_STATE", "only approved orders are invoiced", "orderId")
    first = orders[0]
    lines = [
        _line(row, line, wanted[line["lineId"]])
        for row in orders
        for line in row["lines"]
        if wanted.get(line["lineId"])
    ]
    if not lines:
        raise Breach("NOTHING_LEFT", "nothing of it is left to invoice", "lines")
    same = ("companyCode", "custId", "currency", "priceIncludesTax", "paymentTermId")
    data = {
        **{name: first[name] for name in same},
        "orderId": first["id"] if len(orders) == 1 else None,
        "invoiceTitle": erp.row("customers", first["custId"])["invoiceTitle"],
        "lines": lines,
        **{name: value for name, value in more.items() if value is not None},
    }
    state = erp.enter("invoices", data)
    return _take_the_rest(erp, state.data)


def _line(order: Row, line: Row, qty: Decimal) -> Row:
    where = {"orderId": order["id"], "orderLineId": line["lineId"], "orderLineNo": line["lineNo"]}
    return {**{name: line[name] for name in _FROM_ORDER}, **where, "qty": quantity(qty)}


def _take_the_rest(erp: Erp, row: Row) -> Row:
    """The invoice that completes an order line takes what the others left of its amounts: no odd cent 尾差 stays."""
    places = places_of(erp, row["currency"])
    lines = [_rest_of_line(erp, row["id"], line, places) for line in row["lines"]]
    if lines == row["lines"]:
        return row
    sums = totals(lines, places)
    return erp.record("invoices", row["id"], {"lines": lines, **sums, "openAmount": sums["grossAmount"]}).data


def _rest_of_line(erp: Erp, invoice: Key, line: Row, places: int) -> Row:
    ordered = next(
        one for one in erp.row("salesOrders", line["orderId"])["lines"] if one["lineId"] == line["orderLineId"]
    )
    if exact(ordered["invoicedQty"]) + exact(line["qty"]) != exact(ordered["qty"]):
        return line
    if any(exact(ordered[name]) != exact(line[name]) for name in ("price", "discountPct", "taxRate")):
        return line
    told = [exact(ordered[name]) for name in _AMOUNTS]
    for other in _lines_of(erp, line["orderLineId"]):
        told = [left - exact(other[name]) for left, name in zip(told, _AMOUNTS, strict=True)]
    return with_amounts(line, (told[0], told[1], told[2]), places)


def _lines_of(erp: Erp, order_line: Any) -> Iterable[Row]:
    """What invoices and credit notes that count say of an order line."""
    for state in erp.table("invoices").live.find("lines.orderLineId", order_line):
        row = state.data
        counts = row["status"] in _COUNTED or (row["status"] == "cancelled" and exact(row["creditedAmount"]) != 0)
        if counts:
            yield from (line for line in row["lines"] if line["orderLineId"] == order_line)


def post(erp: Erp, key: Key, day: str = "") -> Row:
    """Entered in the books: a number, a due date, an e-invoice. From now on it never changes."""
    row = erp.row("invoices", key)
    if row["status"] != "draft":
        raise Breach("POSTED", f"{row['docNo'] or key} is {row['status']}", "status")
    row = _with_changed_prices(erp, row)
    code = row["companyCode"]
    day = day or row["invoiceDate"]
    must_be_open(erp, code, day, "invoiceDate")
    if day != row["invoiceDate"]:
        row = header(erp, {**row, "invoiceDate": day}, "invoiceDate")
    must_have_rate(erp, row)
    renumbered = erp.settings.renumber_on_post or erp.faults.take("invoices", "renumber")
    number = "" if renumbered else row["docNo"]
    row = {**row, "docNo": number or erp.number("CN" if row["docType"] == "CRN" else "IN", row)}
    changes = {name: row[name] for name in (*_MONEY, "docNo", "invoiceDate", "exchRate", "exchRateDate", "lines")}
    due = row["dueDate"] or _due(erp, row, day)
    changes |= {"status": "posted", "dueDate": due, "eInvoice": _fapiao(erp, row)}
    told = erp.record("invoices", key, changes).data
    _tell_orders(erp, told)
    _tell_requests(erp, told)
    return told


_MONEY = (*_AMOUNTS, "openAmount")


def _due(erp: Erp, row: Row, day: str) -> str:
    days = erp.row("paymentTerms", row["paymentTermId"])["days"] if row["paymentTermId"] else 0
    return plus(day, days or 0)


def _with_changed_prices(erp: Erp, row: Row) -> Row:
    rule = erp.faults.take_one("invoices", "change_price")
    if rule is None:
        return row
    places, percent = places_of(erp, row["currency"]), rule.params.get("percent", 1)
    lines = [{**line, "price": erp_prices.changed(line["price"], percent)} for line in row["lines"]]
    lines = priced(erp, lines, row["invoiceDate"], row["priceIncludesTax"], places)
    sums = totals(lines, places)
    return {**row, "lines": lines, **sums, "openAmount": sums["grossAmount"]}


def _fapiao(erp: Erp, row: Row) -> Row:
    """The facts of the e-invoice 数电票, which a Chinese company issues: its number has 20 digits (year, province,
    channel, running number), special 专用 for buyers with a tax number, else ordinary 普通."""
    seller, buyer = company(erp, row["companyCode"]), erp.row("customers", row["custId"])
    given = dict(row["eInvoice"])
    if seller["currency"] != "CNY" or exact(row["grossAmount"]) == 0:
        return given
    year, count = row["invoiceDate"][2:4], erp.count("fapiao", row["companyCode"], row["invoiceDate"][:4])
    number = f"{year}{_PROVINCE}{_CHANNEL}{count:015d}"
    given |= {
        "number": number,
        "kind": given["kind"] or ("special" if buyer["taxNo"].strip() else "ordinary"),
        "buyerName": row["invoiceTitle"] or buyer["invoiceTitle"] or buyer["custName"],
        "buyerTaxNo": given["buyerTaxNo"] or buyer["taxNo"].strip(),
        "sellerName": seller["legalName"] or seller["name"],
        "sellerTaxNo": seller["taxNo"],
        "taxCategory": _GOODS,
        "fileUrl": f"https://fapiao.example/{number}.ofd",
    }
    if row["docType"] == "CRN":
        given["redLetterNo"] = f"{_PROVINCE}{row['invoiceDate'][2:4]}{row['invoiceDate'][5:7]}{count:014d}"
    return given


def _tell_orders(erp: Erp, row: Row) -> None:
    by_order: dict[Any, dict[Any, Decimal]] = {}
    for line in row["lines"]:
        if line["orderId"] is not None:
            done = by_order.setdefault(line["orderId"], {})
            done[line["orderLineId"]] = done.get(line["orderLineId"], ZERO) + exact(line["qty"])
    for order, quantities in by_order.items():
        erp_sales.done_on_lines(erp, order, "invoicedQty", quantities)


def _tell_requests(erp: Erp, row: Row) -> None:
    for state in erp.table("invoiceRequests").live.find("invoiceId", row["id"]):
        erp.record("invoiceRequests", state.key, {"invoiceNo": row["docNo"], "invoiceStatus": row["status"]})


def discard(erp: Erp, key: Key) -> Row:
    """A draft that nobody wants."""
    row = erp.row("invoices", key)
    if row["status"] != "draft":
        raise Breach("POSTED", f"{row['docNo']} is {row['status']}: credit it instead", "status")
    return erp.record("invoices", key, {"status": "cancelled"}).data


def credit(erp: Erp, key: Key, quantities: Mapping[Any, Any] | None = None, reason: str = "", day: str = "") -> Row:
    """A posted credit note 红字 of the whole invoice, or of these quantities by the invoice's line id.

    What is credited is no longer open; a whole credit of an unpaid invoice cancels it.
    """
    row = erp.row("invoices", key)
    if row["docType"] != "INV" or row["status"] not in _COUNTED:
        raise Breach("WRONG_STATE", f"{row['docNo']} is {row['status']}: only a posted invoice is credited", "status")
    places = places_of(erp, row["currency"])
    lines = [
        _countered(line, exact(line["qty"]) if quantities is None else exact(quantities.get(line["lineId"])), places)
        for line in row["lines"]
        if quantities is None or exact(quantities.get(line["lineId"]))
    ]
    sums = totals(lines, places)
    if not lines or exact(row["creditedAmount"]) - exact(sums["grossAmount"]) > exact(row["grossAmount"]):
        raise Breach("OVER_CREDIT", f"{row['docNo']} was not that much", "lines")
    same = ("companyCode", "custId", "orderId", "currency", "priceIncludesTax", "invoiceTitle")
    data = {**{name: row[name] for name in same}, "docType": "CRN", "reversesId": key, "remarks": reason[:500]}
    note = erp.enter("invoices", {**data, "invoiceDate": day or today(erp, row["companyCode"]), "lines": lines}).data
    stored = [{**new, **{name: old[name] for name in _AMOUNTS}} for new, old in zip(note["lines"], lines, strict=True)]
    rate = {name: row[name] for name in ("exchRate", "exchRateDate")}
    erp.record("invoices", note["id"], {"lines": stored, **sums, "openAmount": sums["grossAmount"], **rate})
    note = post(erp, note["id"])
    note = erp.record("invoices", note["id"], {"openAmount": write_decimal(ZERO, places), "status": "paid"}).data
    settle(erp, key, credited=-exact(sums["grossAmount"]))
    return note


def _countered(line: Row, qty: Decimal, places: int) -> Row:
    """A line of a credit note; its line id is its own."""
    whole = exact(line["qty"])
    amounts = [exact(line[name]) for name in _AMOUNTS]
    if qty != whole:
        amounts = [rounded(one * qty / whole, places) for one in amounts[:2]]
        amounts.append(sum(amounts, ZERO))
    negative: Amounts = (-amounts[0], -amounts[1], -amounts[2])
    told = {**line, "qty": quantity(-qty)}
    del told["lineId"]
    return with_amounts(told, negative, places)


def settle(erp: Erp, key: Key, paid: Decimal = ZERO, credited: Decimal = ZERO) -> Row:
    """So much more of an invoice is paid or credited (less, where negative); its orders are told."""
    row = erp.row("invoices", key)
    places = places_of(erp, row["currency"])
    paid_now, credited_now = exact(row["paidAmount"]) + paid, exact(row["creditedAmount"]) + credited
    left = exact(row["grossAmount"]) - paid_now - credited_now
    status = "posted" if left > 0 else "paid"
    if credited_now and left <= 0 and paid_now <= 0:
        status = "cancelled"
    figures = {"paidAmount": paid_now, "creditedAmount": credited_now, "openAmount": left}
    told = erp.record(
        "invoices", key, {"status": status, **{name: write_decimal(one, places) for name, one in figures.items()}}
    ).data
    if status != row["status"]:
        _tell_requests(erp, told)
    for order in dict.fromkeys(line["orderId"] for line in row["lines"] if line["orderId"] is not None):
        erp_sales.refresh_paid(erp, order)
    return told


# Requests for invoices 开票申请.


def permit_request(held: Row, values: Row) -> None:
    """We may ask, and take back what is not answered yet."""
    if held and held["status"] not in ("draft", "requested"):
        raise Breach("POSTED", f"{held['docNo']} is {held['status']}", "status")
    if values["status"] in ("invoiced", "refused"):
        raise Invalid({"status": Problem("READ_ONLY", "for the accountant to say")})


def permit_removal(held: Row) -> None:
    if held["status"] == "invoiced":
        raise Breach("POSTED", f"{held['docNo']} is invoiced", "status")


def complete_request(erp: Erp, held: Row, values: Row) -> Row:
    amount = exact(values["amount"])
    if amount < 0:
        raise Invalid({"amount": Problem("NEGATIVE_AMOUNT", "must not be negative")})
    order = erp.row("salesOrders", values["orderId"]) if values["orderId"] is not None else None
    if order and (order["custId"], order["companyCode"]) != (values["custId"], values["companyCode"]):
        raise Invalid({"orderId": Problem("INVALID", "of another customer or company")})
    currency = values["currency"] or (order or company(erp, values["companyCode"]))["currency"]
    return {**values, "docNo": values["docNo"] or erp.number("IR", values), "currency": currency}


def answer_request(erp: Erp, key: Key, post_it: bool = True) -> Row:
    """The invoice of a request: the order's lines, scaled to the amount where one was asked for."""
    request = erp.row("invoiceRequests", key)
    if request["status"] != "requested":
        raise Breach("WRONG_STATE", f"{request['docNo']} is {request['status']}, not requested", "status")
    if request["orderId"] is None:
        raise Breach("NO_ORDER", f"{request['docNo']} names no order", "orderId")
    fapiao = {"kind": request["invoiceKind"], "buyerTaxNo": request["taxNo"]}
    more = {"invoiceTitle": request["invoiceTitle"] or None, "remarks": request["remarks"], "eInvoice": fapiao}
    invoice = from_orders(erp, [request["orderId"]], _share(erp, request), **more)
    erp.record("invoiceRequests", key, {"status": "invoiced", "invoiceId": invoice["id"], "invoiceStatus": "draft"})
    return post(erp, invoice["id"]) if post_it else invoice


def _share(erp: Erp, request: Row) -> dict[Any, Decimal] | None:
    order = erp.row("salesOrders", request["orderId"])
    asked, whole = exact(request["amount"]), exact(order["grossAmount"])
    if not asked or asked == whole:
        return None
    if not whole or asked > whole:
        raise Breach("OVER_INVOICED", f"{request['docNo']} asks for more than {order['docNo']} is worth", "amount")
    return {line["lineId"]: rounded(exact(line["qty"]) * asked / whole, 4) for line in order["lines"]}


def refuse_request(erp: Erp, key: Key, reason: str) -> Row:
    request = erp.row("invoiceRequests", key)
    if request["status"] != "requested":
        raise Breach("WRONG_STATE", f"{request['docNo']} is {request['status']}, not requested", "status")
    return erp.record("invoiceRequests", key, {"status": "refused", "refuseReason": reason[:200]}).data
