"""Shipments of SimERP: picked, shipped, delivered. What ships leaves the stock and stands on the order's lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from datong.sandbox import erp_sales, erp_stock
from datong.sandbox.erp_books import ZERO, exact, months_later, must_be_open, quantity, today
from datong.sandbox.fields import Row
from datong.sandbox.refusals import Breach, Invalid, Key, Problem

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp

Quantities = Mapping[Any, Any] | None
"""By line id of the order; None is all that is left."""


def permit(held: Row) -> None:
    if held and held["status"] not in ("draft", "ready"):
        raise Breach("POSTED", f"{held['docNo']} is {held['status']}", "status")


def complete(erp: Erp, held: Row, values: Row) -> Row:
    for i, line in enumerate(values["lines"]):
        if exact(line["qty"]) < 0:
            raise Invalid({f"lines[{i}].qty": Problem("NEGATIVE_QUANTITY", "must not be negative")})
    number = values["docNo"] or held.get("docNo") or erp.number("SH", values)
    warehouse = values["warehouseId"] or erp_stock.warehouse_of(erp, values["companyCode"])
    return {**values, "docNo": number, "warehouseId": warehouse}


def pick(erp: Erp, orders: Sequence[Key], quantities: Quantities = None, **more: Any) -> Row:
    """A shipment that is ready to go: of one order, or of several of one customer and company."""
    rows = [erp.row("salesOrders", key) for key in orders]
    if not rows or len({(row["custId"], row["companyCode"]) for row in rows}) > 1:
        raise Breach("MIXED", "a shipment is for one customer and one company", "orderId")
    for row in rows:
        if row["status"] != "approved":
            raise Breach("WRONG_STATE", f"{row['docNo']} is {row['status']}, not approved", "orderId")
        _must_be_free(row)
    lines = [line for row in rows for line in _lines(row, quantities)]
    if not lines:
        raise Breach("NOTHING_LEFT", "nothing of it is left to ship", "lines")
    first = rows[0]
    data = {
        "companyCode": first["companyCode"],
        "custId": first["custId"],
        "orderId": first["id"] if len(rows) == 1 else None,
        "status": "ready",
        "plannedDate": first["expectedDate"] or first["promisedDate"] or today(erp, first["companyCode"]),
        "carrier": first["carrier"],
        "warehouseId": next((line["warehouseId"] for row in rows for line in row["lines"]), None),
        "lines": lines,
    }
    return erp.enter("shipments", {**data, **{name: value for name, value in more.items() if value is not None}}).data


def _must_be_free(order: Row) -> None:
    if order["shipHold"]:
        raise Breach("SHIP_HOLD", f"the shipment of {order['docNo']} is held: {order['shipHold']}", "orderId")


def _lines(order: Row, quantities: Quantities) -> list[Row]:
    told = []
    for line in order["lines"]:
        left = exact(line["qty"]) - exact(line["shippedQty"])
        qty = max(left, ZERO) if quantities is None else exact(quantities.get(line["lineId"]))
        if qty < 0:
            raise Invalid({"quantities": Problem("NEGATIVE_QUANTITY", "must not be negative")})
        if qty:
            told.append(
                {
                    "orderId": order["id"],
                    "orderLineId": line["lineId"],
                    "orderLineNo": line["lineNo"],
                    "itemId": line["itemId"],
                    "unitId": line["unitId"],
                    "qty": quantity(qty),
                }
            )
    return told


def ship(
    erp: Erp,
    key: Key,
    carrier: str = "",
    tracking: str = "",
    day: str = "",
    lots: Quantities = None,
    serials: Quantities = None,
) -> Row:
    """It leaves the house. `lots`: lot numbers by item id; `serials`: lists of serial numbers by item id, each of
    which is a thing that the customer has from now on."""
    row = _in_state(erp, key, "draft", "ready")
    day = day or today(erp, row["companyCode"])
    must_be_open(erp, row["companyCode"], day, "shipDate")
    for order in {line["orderId"] for line in row["lines"]} - {None}:
        _must_be_free(erp.row("salesOrders", order))
    _move(erp, row, ONE_WAY)
    lines = [
        {
            **line,
            "lotNo": str((lots or {}).get(line["itemId"], line["lotNo"])),
            "serialNo": ",".join((serials or {}).get(line["itemId"], [])) or line["serialNo"],
        }
        for line in row["lines"]
    ]
    changes = {
        "status": "shipped",
        "shipDate": day,
        "carrier": carrier or row["carrier"],
        "trackingNo": tracking or row["trackingNo"],
        "lines": lines,
    }
    shipped = erp.record("shipments", key, changes).data
    _keep_assets(erp, shipped)
    return shipped


def _keep_assets(erp: Erp, row: Row) -> None:
    for line in row["lines"]:
        months = erp.row("items", line["itemId"])["warrantyMonths"]
        for serial in filter(None, line["serialNo"].split(",")):
            asset = {
                "serialNo": serial,
                "lotNo": line["lotNo"],
                "itemId": line["itemId"],
                "custId": row["custId"],
                "companyCode": row["companyCode"],
                "orderId": line["orderId"],
                "shipmentId": row["id"],
                "shipDate": row["shipDate"],
                "warrantyUntil": months_later(row["shipDate"], months) if months else None,
            }
            held = erp.table("assets").live.find("serialNo", serial)
            if held:
                erp.record("assets", held[0].key, asset)
            else:
                erp.enter("assets", asset)


ONE_WAY, BACK = Decimal(1), Decimal(-1)


def _move(erp: Erp, row: Row, way: Decimal) -> None:
    by_order: dict[Any, dict[Any, Decimal]] = {}
    for line in row["lines"]:
        qty = exact(line["qty"]) * way
        if way > 0 and not erp.settings.negative_stock:
            _must_be_there(erp, row, line)
        erp_stock.move(erp, line["itemId"], row["warehouseId"], onHand=-qty)
        if line["orderId"] is not None:
            done = by_order.setdefault(line["orderId"], {})
            done[line["orderLineId"]] = done.get(line["orderLineId"], ZERO) + qty
    for order, quantities in by_order.items():
        before = erp.row("salesOrders", order)
        touched = set(quantities)
        approved = before["status"] == "approved"
        if approved:
            erp_stock.release(erp, [line for line in before["lines"] if line["lineId"] in touched])
        after = erp_sales.done_on_lines(erp, order, "shippedQty", quantities)
        if approved:
            erp_stock.reserve(erp, [line for line in after["lines"] if line["lineId"] in touched])


def _must_be_there(erp: Erp, row: Row, line: Row) -> None:
    found = erp_stock.level(erp, line["itemId"], row["warehouseId"])
    if found is None or exact(found.data["onHand"]) < exact(line["qty"]):
        raise Breach("NO_STOCK", f"{row['docNo']}: not enough of item {line['itemId']} in the warehouse", "lines")


def deliver(erp: Erp, key: Key) -> Row:
    _in_state(erp, key, "shipped")
    return erp.record("shipments", key, {"status": "delivered"}).data


def cancel(erp: Erp, key: Key) -> Row:
    """Before it leaves, it is only forgotten; after, the goods come back."""
    row = _in_state(erp, key, "draft", "ready", "shipped")
    if row["status"] == "shipped":
        _move(erp, row, BACK)
    return erp.record("shipments", key, {"status": "cancelled"}).data


def _in_state(erp: Erp, key: Key, *wanted: str) -> Row:
    row = erp.row("shipments", key)
    if row["status"] not in wanted:
        raise Breach("WRONG_STATE", f"{row['docNo']} is {row['status']}, not {' or '.join(wanted)}", "status")
    return row
