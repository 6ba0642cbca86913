"""A customer is an aggregate: its row, its sites and its part per company are each written by calls of their own.
Lines of a document go with its row; that a return is to be credited is a call of its own too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from datong.connectors.sandbox_erp.service import CREDIT_ASKED
from datong.kit import ItemWrite, Write

PART = ("open", "accountNo", "paymentTermId", "creditLimit", "currency", "blocked", "priceListId")
LINES = "lines"
_BESIDE = ("companies", CREDIT_ASKED)
"""What is written by calls of its own."""
Companies = Mapping[str, Mapping[str, Any]]
Step = tuple[str, dict[str, Any]]
"""One call after the row: path and body."""


def changes_row(write: Write) -> bool:
    """Whether the row itself is saved: for its values, or for the check of its version before its parts change."""
    if write.action == "update":
        own = any(name not in _BESIDE for name in write.values) or LINES in write.items
        return write.version is not None or own
    return write.action == "create"


def saved_row(write: Write, id_field: str, own_key: str) -> dict[str, Any]:
    """The row as it is saved. Sites may come with a create."""
    values = {name: value for name, value in write.values.items() if name not in _BESIDE}
    if write.action == "create":
        lines = {path: [item.values for item in items] for path, items in write.items.items()}
        return {**values, **lines, **({own_key: write.key} if write.key else {})}
    guard = {} if write.version is None else {"rowVersion": int(write.version)}
    changes = {"lineChanges": line_changes(write.items[LINES])} if LINES in write.items else {}
    return {**values, **changes, id_field: int(write.id or 0), **guard}


def line_changes(items: Sequence[ItemWrite]) -> dict[str, Any]:
    """What becomes of lines, by their ids."""
    gone = [int(item.id) for item in items if item.action == "delete" and item.id]
    return {"save": [_with_id(item, "lineId") for item in items if item.action != "delete"], "delete": gone}


def steps(write: Write, id: str, companies: Companies) -> list[Step]:
    """The calls that follow the row. Each may be repeated, but for new sites: SimERP credits a return once."""
    if write.values.get(CREDIT_ASKED):
        return [(f"/v1/returnOrders/{quote(id, safe='')}/refund", {})]
    customer = f"/v1/customers/{quote(id, safe='')}"
    told: list[Step] = []
    sites = (items for path, items in write.items.items() if path != LINES and write.action == "update")
    for items in sites:
        gone = [int(item.id) for item in items if item.action == "delete" and item.id]
        kept = [_with_id(item, "siteId") for item in items if item.action != "delete"]
        told += [(f"{customer}/sites/delete", {"siteIds": gone})] if gone else []
        told += [(f"{customer}/sites/save", {"sites": kept})] if kept else []
    for code, part in write.values.get("companies", {}).items():
        currency = {"currency": _currency(companies, code)} if "creditLimit" in part else {}
        body = {name: value for name, value in part.items() if name != "open"}
        told.append((f"{customer}/company/{quote(code, safe='')}", {**body, **currency}))
    return told


def all_parts(parts: Mapping[str, Mapping[str, Any]], companies: Companies) -> dict[str, Mapping[str, Any]]:
    """A part that was never made holds nothing: nulls, not absent fields. `open` is ours: whether it was made.

    A credit limit in another currency than the company's carries it, so that the map refuses to read it.
    """
    whole: dict[str, Mapping[str, Any]] = {code: {**dict.fromkeys(PART), "open": False} for code in companies}
    for code, made in parts.items():
        part = {**made, "open": True}
        foreign = part.get("creditLimit") and part.get("currency") not in (None, "", _currency(companies, code))
        whole[code] = {**part, "creditLimit": f"{part['creditLimit']} {part['currency']}"} if foreign else part
    return whole


def _with_id(item: ItemWrite, id_field: str) -> dict[str, Any]:
    return {**item.values, **({id_field: int(item.id)} if item.id else {})}


def _currency(companies: Companies, code: str) -> Any:
    return companies.get(code, {}).get("currency")
