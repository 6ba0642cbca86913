"""Stock of SimERP: what is there, what orders hold, what supply brings; all from documents and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any

from datong.sandbox.erp_books import ONE, QUANTITY, ZERO, exact, plus, quantity, rounded, today
from datong.sandbox.fields import Row
from datong.sandbox.refusals import Breach, Invalid, Key, Problem
from datong.sandbox.rows import State

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp

_LEAD_DAYS = 10
_BY_ROAD = 1  # days from supply to the customer's dock


def complete(values: Row) -> Row:
    available = exact(values["onHand"]) - exact(values["reserved"])
    return {**values, "available": quantity(available)}


def complete_supply(erp: Erp, values: Row) -> Row:
    for name in ("qty", "doneQty"):
        if exact(values[name]) < 0:
            raise Invalid({name: Problem("NEGATIVE_QUANTITY", "must not be negative")})
    item = erp.row("items", values["itemId"])
    values = {**values, "companyCode": values["companyCode"] or _company_of(erp, values)}
    planned = values["plannedFinish"] or plus(today(erp, values["companyCode"]), _LEAD_DAYS)
    return {
        **values,
        "docNo": values["docNo"] or erp.number("MO" if values["supplyType"] == "production" else "PO", values),
        "unitId": values["unitId"] or item["baseUnit"],
        "plannedFinish": planned,
        "expectedFinish": values["expectedFinish"] or planned,
        "warehouseId": values["warehouseId"] or warehouse_of(erp, values["companyCode"]),
    }


def _company_of(erp: Erp, supply: Row) -> str:
    """Whose order it is for, or whose warehouse it comes to; else the first company's."""
    if supply["orderId"] is not None:
        code = erp.row("salesOrders", supply["orderId"])["companyCode"]
    elif supply["warehouseId"] is not None:
        code = erp.row("warehouses", supply["warehouseId"])["companyCode"]
    else:
        code = erp.row("companies", 1)["code"]
    return str(code)


def warehouse_of(erp: Erp, code: str) -> Key | None:
    """Where a company ships from when nobody says."""
    found = erp.table("warehouses").live.find("companyCode", code)
    return found[0].key if found else None


def level(erp: Erp, item: Key, warehouse: Key) -> State | None:
    rows = erp.table("stockLevels").live.find("itemId", item)
    return next((state for state in rows if state.data["warehouseId"] == warehouse), None)


def move(erp: Erp, item: Key, warehouse: Key | None, **by: Decimal) -> None:
    """Changes `onHand`, `reserved` or `incoming` of one item in one warehouse by so much."""
    by = {name: change for name, change in by.items() if change}
    if warehouse is None or not by:
        return
    found = level(erp, item, warehouse)
    if found is None:
        unit = erp.row("items", item)["baseUnit"]
        found = erp.enter("stockLevels", {"itemId": item, "warehouseId": warehouse, "unitId": unit})
    held = {**found.data, **{name: quantity(exact(found.data[name]) + change) for name, change in by.items()}}
    told = complete(held)
    erp.record("stockLevels", found.key, {name: told[name] for name in (*by, "available")})


def count(erp: Erp, item: Key, warehouse: Key, on_hand: Decimal) -> Row:
    """Somebody counted."""
    found = level(erp, item, warehouse)
    move(erp, item, warehouse, onHand=on_hand - (exact(found.data["onHand"]) if found else ZERO))
    found = level(erp, item, warehouse)
    if found is None:
        unit = erp.row("items", item)["baseUnit"]
        found = erp.enter("stockLevels", {"itemId": item, "warehouseId": warehouse, "unitId": unit})
    return found.data


def held_by(line: Mapping[str, Any]) -> Decimal:
    """What a line of an approved order still keeps from others."""
    return max(exact(line["qty"]) - exact(line["shippedQty"]), ZERO)


def reserve(erp: Erp, lines: Sequence[Row]) -> None:
    for line in lines:
        move(erp, line["itemId"], line["warehouseId"], reserved=held_by(line))


def release(erp: Erp, lines: Sequence[Row]) -> None:
    for line in lines:
        move(erp, line["itemId"], line["warehouseId"], reserved=-held_by(line))


def shortage(erp: Erp, line: Mapping[str, Any]) -> Decimal:
    """How much of a reserved line neither stock nor supply under way covers."""
    if line["warehouseId"] is None:
        return ZERO
    found = level(erp, line["itemId"], line["warehouseId"])
    free = exact(found.data["available"]) + exact(found.data["incoming"]) if found else ZERO
    return min(max(-free, ZERO), held_by(line))


def order_supply(erp: Erp, order: Row, line: Row, qty: Decimal) -> Row:
    """A confirmed production or purchase order for a line that stock does not cover; its row."""
    made = bom_of(erp, line["itemId"])
    days = made["leadDays"] if made else erp.row("items", line["itemId"])["leadDays"]
    data = {
        "supplyType": "production" if made else "purchase",
        "companyCode": order["companyCode"],
        "status": "confirmed",
        "orderId": order["id"],
        "orderLineId": line["lineId"],
        "orderLineNo": line["lineNo"],
        "itemId": line["itemId"],
        "qty": quantity(qty),
        "warehouseId": line["warehouseId"],
        "plannedFinish": plus(today(erp, order["companyCode"]), _LEAD_DAYS if days is None else ceil(exact(days))),
    }
    row = erp.enter("supplyOrders", data).data
    move(erp, line["itemId"], line["warehouseId"], incoming=qty)
    return row


def bom_of(erp: Erp, item: Key) -> Row | None:
    """What an item is made of here; a bundle is not made, it is sold as its parts."""
    rows = [state.data for state in erp.table("boms").live.find("itemId", item)]
    return next((row for row in rows if not row["bundle"] and not row["disabled"]), None)


def supply_of(erp: Erp, order: Key) -> list[Row]:
    return [state.data for state in erp.table("supplyOrders").live.find("orderId", order)]


def told_by_supply(lines: Sequence[Row], supply: Sequence[Row]) -> list[Row]:
    """The lines of an order with what their supply says: state, quantity done, expected date."""
    return [_told(line, [one for one in supply if one["orderLineId"] == line["lineId"]]) for line in lines]


def _told(line: Row, supply: Sequence[Row]) -> Row:
    alive = [one for one in supply if one["status"] != "cancelled"]
    if not alive:
        return {**line, "expectedDate": line["promisedDate"], "supplyState": None, "supplyDone": quantity(ZERO)}
    slowest = min(alive, key=lambda one: _PROGRESS.index(one["status"]))
    finish = max(one["expectedFinish"] for one in alive)
    return {
        **line,
        "supplyState": slowest["status"],
        "supplyDone": quantity(sum((exact(one["doneQty"]) for one in alive), ZERO)),
        "expectedDate": max(plus(finish, _BY_ROAD), line["promisedDate"] or ""),
    }


_PROGRESS = ("draft", "confirmed", "running", "done")


def produce(erp: Erp, key: Key, qty: Decimal | None) -> Row:
    """Goods come in from supply: all that is left, or so much. Components of production are used up."""
    row = erp.row("supplyOrders", key)
    if row["status"] in ("done", "cancelled"):
        raise Breach("WRONG_STATE", f"{row['docNo']} is {row['status']}")
    left = max(exact(row["qty"]) - exact(row["doneQty"]), ZERO)
    come = left if qty is None else qty
    if come <= 0:
        raise Invalid({"qty": Problem("NEGATIVE_QUANTITY", "must be more than nothing")})
    move(erp, row["itemId"], row["warehouseId"], onHand=come, incoming=-min(come, left))
    if row["supplyType"] == "production":
        _use_up(erp, row, come)
    done = exact(row["doneQty"]) + come
    status = "done" if done >= exact(row["qty"]) else "running"
    return erp.record("supplyOrders", key, {"doneQty": quantity(done), "status": status}).data


def _use_up(erp: Erp, row: Row, come: Decimal) -> None:
    made = bom_of(erp, row["itemId"])
    if made is None:
        return
    for part in made["components"]:
        used = come * exact(part["qtyPer"]) / (exact(made["qty"]) or ONE)
        move(erp, part["itemId"], row["warehouseId"], onHand=-rounded(used, QUANTITY))


def cancel_supply(erp: Erp, order: Key) -> None:
    """The order no longer waits for it."""
    for row in supply_of(erp, order):
        if row["status"] in ("draft", "confirmed"):
            left = max(exact(row["qty"]) - exact(row["doneQty"]), ZERO)
            move(erp, row["itemId"], row["warehouseId"], incoming=-left)
            erp.record("supplyOrders", row["id"], {"status": "cancelled"})
