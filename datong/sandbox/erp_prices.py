"""What an item costs at SimERP: the customer's price, that of the customer's list, of a list for everybody, the item's
own, each by quantity and day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from datong.sandbox.erp_books import HUNDRED, ONE, dated_rate, exact, is_valid
from datong.sandbox.fields import Row, write_decimal
from datong.sandbox.refusals import Key

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp

_PLACES = 6


def complete(values: Row) -> Row:
    """Tiers stand in the order of their quantities."""
    return {**values, "tiers": sorted(values["tiers"], key=lambda tier: exact(tier["fromQty"]))}


def post_entries(erp: Erp, of: Row) -> None:
    """The entries of a price list as prices of their own: made, changed with their list, off when their entry goes."""
    held = {state.data["listLineId"]: state for state in erp.table("prices").live.find("priceListId", of["id"])}
    shared = {name: of[name] for name in ("currency", "priceIncludesTax", "validFrom", "validTo", "disabled")}
    for line in of["lines"]:
        told = {**shared, "itemId": line["itemId"], "unitId": line["unitId"], "price": line["price"]}
        state = held.pop(line["lineId"], None)
        if state is None:
            erp.enter("prices", {**told, "priceListId": of["id"], "listLineId": line["lineId"]})
        elif any(state.data[name] != value for name, value in told.items()):
            erp.record("prices", state.key, told)
    for line_id, state in held.items():
        if line_id is not None and not state.data["disabled"]:
            erp.record("prices", state.key, {"disabled": True})


def price_of(erp: Erp, order: Mapping[str, Any], item: Key, qty: Decimal, tax_code: Key | None) -> str | None:
    """The most particular valid price, as the order counts it: with tax or without. None where there is none."""
    day, rate = order["orderDate"], exact(dated_rate(erp, tax_code, order["orderDate"]))
    for row, included in _candidates(erp, order, item):
        if row["currency"] not in (None, "", order["currency"]):
            continue
        price = exact(_tier(row, qty)) if "tiers" in row else exact(row["salesPrice"])
        if "tiers" in row and not is_valid(row, day):
            continue
        wanted = bool(order["priceIncludesTax"])
        if included != wanted:
            price = price * (ONE + rate) if wanted else price / (ONE + rate)
        return write_decimal(price, _PLACES)
    return None


def _candidates(erp: Erp, order: Mapping[str, Any], item: Key) -> Iterator[tuple[Row, bool]]:
    rows = [state.data for state in erp.table("prices").live.find("itemId", item)]
    yield from ((row, row["priceIncludesTax"]) for row in rows if row["custId"] == order["custId"])
    own = erp.row("customers", order["custId"])["companies"].get(order["companyCode"], {}).get("priceListId")
    of_lists = [row for row in rows if row["custId"] is None and row["priceListId"] is not None]
    for row in sorted(of_lists, key=lambda row: row["priceListId"] != own):
        listed = erp.row("priceLists", row["priceListId"])
        named = row["priceListId"] == own or not listed["restricted"]
        if named and listed["companyCode"] == order["companyCode"] and is_valid(listed, order["orderDate"]):
            yield {**row, "currency": row["currency"] or listed["currency"]}, row["priceIncludesTax"]
    yield erp.row("items", item), False


def _tier(row: Mapping[str, Any], qty: Decimal) -> Any:
    reached = [tier for tier in row["tiers"] if exact(tier["fromQty"]) <= qty]
    return reached[-1]["price"] if reached else row["price"]


def changed(price: Any, percent: Any) -> str:
    """A price that SimERP raises or lowers by itself."""
    return write_decimal(exact(price) * (HUNDRED + exact(percent)) / HUNDRED, _PLACES)
