"""Returns of SimERP: requested, authorised, received, inspected, then repaired, replaced, exchanged or refunded.

Nothing is refunded before it is here, and no more comes back than was shipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from datong.sandbox import erp_invoices, erp_sales, erp_stock
from datong.sandbox.erp_books import ZERO, exact, must_be_open, quantity, today
from datong.sandbox.erp_service import OUTCOMES
from datong.sandbox.fields import Row
from datong.sandbox.refusals import Breach, Invalid, Key, Problem

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp

_DEAD = ("refused", "cancelled")
_UNTOUCHED = ("requested", "authorised")


def permit(held: Row, values: Row) -> None:
    """A writer may change what nobody has answered yet, and take back what has not come."""
    if not held or held["status"] == "requested":
        return
    changed = [name for name in values if name in held and values[name] != held[name]]
    taken_back = values["withdrawn"] and held["status"] in _UNTOUCHED
    if set(changed) - ({"withdrawn", "status"} if taken_back else {"extRef"}):
        raise Breach("POSTED", f"{held['docNo']} is {held['status']}", changed[0])


def complete(erp: Erp, held: Row, values: Row) -> Row:
    order = erp.row("salesOrders", values["orderId"])
    if (order["custId"], order["companyCode"]) != (values["custId"], values["companyCode"]):
        raise Invalid({"orderId": Problem("INVALID", "of another customer or company")})
    lines = [_of_order(order, line, i) for i, line in enumerate(values["lines"])]
    told = {
        **values,
        "docNo": values["docNo"] or held.get("docNo") or erp.number("RA", values),
        "requestDate": values["requestDate"] or today(erp, values["companyCode"]),
        "lines": lines,
    }
    if values["withdrawn"] and values["status"] in _UNTOUCHED:
        told["status"] = "cancelled"
    if told["status"] not in _DEAD:
        _must_be_shipped(erp, order, told, held.get("id"))
    return told


def _of_order(order: Row, line: Row, i: int) -> Row:
    """The line with what the order's line says; found by its number, else the only one of that item."""
    mine = [one for one in order["lines"] if one["itemId"] == line["itemId"]]
    if line["orderLineId"] is not None:
        mine = [one for one in mine if one["lineId"] == line["orderLineId"]]
    elif line["orderLineNo"] is not None:
        mine = [one for one in mine if one["lineNo"] == line["orderLineNo"]]
    if len(mine) != 1:
        raise Invalid({f"lines[{i}].orderLineNo": Problem("INVALID", "no such line in the order")})
    if exact(line["qty"]) <= 0:
        raise Invalid({f"lines[{i}].qty": Problem("NEGATIVE_QUANTITY", "must be more than nothing")})
    same = {"orderLineId": mine[0]["lineId"], "orderLineNo": mine[0]["lineNo"]}
    number = line["lineNo"] or (i + 1) * 10
    return {**line, **same, "lineNo": number, "unitId": line["unitId"] or mine[0]["unitId"]}


def _must_be_shipped(erp: Erp, order: Row, row: Row, key: Key | None) -> None:
    shipped = {line["lineId"]: exact(line["shippedQty"]) for line in order["lines"]}
    for i, line in enumerate(row["lines"]):
        back = sum((exact(one["qty"]) for one in _returned(erp, line["orderLineId"], key)), ZERO)
        here = sum((exact(one["qty"]) for one in row["lines"] if one["orderLineId"] == line["orderLineId"]), ZERO)
        if back + here > shipped[line["orderLineId"]]:
            raise Breach("OVER_RETURNED", f"no more than {shipped[line['orderLineId']]} was shipped", f"lines[{i}].qty")


def _returned(erp: Erp, order_line: Any, but: Key | None) -> Iterator[Row]:
    for state in erp.table("returnOrders").live.find("lines.orderLineId", order_line):
        if state.key != but and state.data["status"] not in _DEAD:
            yield from (line for line in state.data["lines"] if line["orderLineId"] == order_line)


# What the people of the service do.


def authorise(erp: Erp, key: Key) -> Row:
    _in_state(erp, key, "requested")
    return erp.record("returnOrders", key, {"status": "authorised"}).data


def refuse(erp: Erp, key: Key, reason: str) -> Row:
    _in_state(erp, key, "requested")
    return erp.record("returnOrders", key, {"status": "refused", "statusReason": reason[:200]}).data


def cancel(erp: Erp, key: Key) -> Row:
    row = _in_state(erp, key, *_UNTOUCHED)
    if any(exact(line["receivedQty"]) for line in row["lines"]):
        raise Breach("RECEIVED", f"something of {row['docNo']} is here", "status")
    return erp.record("returnOrders", key, {"status": "cancelled"}).data


def receive(erp: Erp, key: Key, quantities: Mapping[Any, Any] | None = None, day: str = "") -> Row:
    """All that is awaited, or these quantities by line id. Received is what came whole."""
    row = _in_state(erp, key, "authorised")
    code = row["companyCode"]
    day = day or today(erp, code)
    must_be_open(erp, code, day, "receivedDate")
    lines = []
    for i, line in enumerate(row["lines"]):
        left = exact(line["qty"]) - exact(line["receivedQty"])
        come = left if quantities is None else exact(quantities.get(line["lineId"]))
        if not ZERO <= come <= left:
            raise Breach("OVER_RECEIVED", f"{left} is awaited", f"lines[{i}].receivedQty")
        erp_stock.move(erp, line["itemId"], erp_stock.warehouse_of(erp, code), onHand=come)
        lines.append({**line, "receivedQty": quantity(exact(line["receivedQty"]) + come)})
    whole = all(exact(line["receivedQty"]) == exact(line["qty"]) for line in lines)
    changes: Row = {"lines": lines, "receiptNo": row["receiptNo"] or erp.number("RR", row), "receivedDate": day}
    return erp.record("returnOrders", key, {**changes, **({"status": "received"} if whole else {})}).data


def inspect(erp: Erp, key: Key, result: str = "defective", results: Mapping[Any, str] | None = None) -> Row:
    """What was found: one result for all lines, or by line id."""
    row = _in_state(erp, key, "received")
    lines = [{**line, "result": (results or {}).get(line["lineId"], result)} for line in row["lines"]]
    changes = {"lines": lines, "status": "inspected", "inspectedDate": today(erp, row["companyCode"])}
    return erp.record("returnOrders", key, changes).data


def repair(erp: Erp, key: Key) -> Row:
    """Repaired, and on its way back."""
    row = _in_state(erp, key, "inspected")
    return _settled(erp, row, "repaired", {"repairedDate": today(erp, row["companyCode"])})


def replace(erp: Erp, key: Key) -> Row:
    """An order for the same again, free of charge, or for what it is exchanged for. In advance it leaves before the
    goods are here; the return is then settled once they are inspected."""
    row = erp.row("returnOrders", key)
    exchanged = any(line["exchangeItemId"] for line in row["lines"])
    in_advance = row["advance"] and not exchanged and row["status"] in ("authorised", "received")
    if not in_advance:
        _in_state(erp, key, "inspected")
    made = row["replacementId"] or _replacement(erp, row)["id"]
    changes: Row = {"replacementId": made}
    if exchanged and not row["creditNoteId"] and _invoiced(erp, row):
        changes["creditNoteId"] = _credit(erp, row)["id"]
    if in_advance:
        return erp.record("returnOrders", key, changes).data
    return _settled(erp, row, "exchanged" if exchanged else "replaced", changes)


def refund(erp: Erp, key: Key) -> Row:
    """A credit note for what came back."""
    row = erp.row("returnOrders", key)
    if row["status"] in (*_UNTOUCHED, "received"):
        raise Breach(
            "NOT_RECEIVED", f"{row['docNo']} is {row['status']}: nothing is refunded before it is here", "status"
        )
    _in_state(erp, key, "inspected")
    return _settled(erp, row, "refunded", {"creditNoteId": _credit(erp, row)["id"]})


def ask_refund(erp: Erp, key: Key) -> Row:
    """The same for another system that asks for it: asked again, nothing more is credited."""
    row = erp.row("returnOrders", key)
    return row if row["creditNoteId"] else refund(erp, key)


def close(erp: Erp, key: Key) -> Row:
    _in_state(erp, key, *OUTCOMES)
    return erp.record("returnOrders", key, {"status": "closed"}).data


def _settled(erp: Erp, row: Row, outcome: str, changes: Row) -> Row:
    lines = [{**line, "disposition": outcome} for line in row["lines"]]
    return erp.record("returnOrders", row["id"], {**changes, "lines": lines, "status": outcome}).data


def _replacement(erp: Erp, row: Row) -> Row:
    order = erp.row("salesOrders", row["orderId"])
    same = ("companyCode", "custId", "contactId", "currency", "priceIncludesTax", "paymentTermId", "shipTo", "carrier")
    lines = [
        {"itemId": line["exchangeItemId"], "qty": line["qty"]}
        if line["exchangeItemId"]
        else {"itemId": line["itemId"], "qty": line["qty"], "price": "0", "freeReason": "warranty"}
        for line in row["lines"]
    ]
    told = {**{name: order[name] for name in same}, "remarks": f"换货 {row['docNo']}", "lines": lines}
    made = erp.write("salesOrders", None, told).state
    erp_sales.submit(erp, made.key)
    return erp_sales.approve(erp, made.key, ("CREDIT_LIMIT",))


def _invoiced(erp: Erp, row: Row) -> dict[Key, dict[Any, Decimal]]:
    """Invoice -> its line id -> how much of the return it charged; the return's own invoice first."""
    found: dict[Key, dict[Any, Decimal]] = {}
    left = {line["orderLineId"]: exact(line["receivedQty"]) for line in row["lines"]}
    for order_line in left:
        states = erp.table("invoices").live.find("lines.orderLineId", order_line)
        for state in sorted(states, key=lambda one: (one.key != row["invoiceId"], one.key)):
            if state.data["docType"] == "INV" and state.data["status"] in ("posted", "paid"):
                for line in state.data["lines"]:
                    some = min(left[order_line], exact(line["qty"])) if line["orderLineId"] == order_line else ZERO
                    if some > 0:
                        found.setdefault(state.key, {})[line["lineId"]] = some
                        left[order_line] -= some
    return found if not any(left.values()) else {}


def _credit(erp: Erp, row: Row) -> Row:
    found = _invoiced(erp, row)
    if len(found) != 1:
        raise Breach("NOT_INVOICED", f"{row['docNo']}: no one invoice charged all of it", "invoiceId")
    ((invoice, quantities),) = found.items()
    return erp_invoices.credit(erp, invoice, quantities, f"退货 {row['docNo']}")


def _in_state(erp: Erp, key: Key, *wanted: str) -> Row:
    row = erp.row("returnOrders", key)
    if row["status"] not in wanted:
        raise Breach("WRONG_STATE", f"{row['docNo']} is {row['status']}, not {' or '.join(wanted)}", "status")
    return row
