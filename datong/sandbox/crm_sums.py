"""SimCRM does its sums: amounts, totals and exchange rates where nobody gave them; versions of quotes.

A value that a caller sends is kept as sent, also a wrong one: a CRM is no bookkeeper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from datong.sandbox.fields import Row, write_decimal

_AMOUNTS = ("net", "tax", "total")
_INPUTS = ("quantity", "price", "discount", "tax_code", "tax_rate", "free_reason")
_HEAD = ("currency", "tax_included")
_PLACES = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3}
_HUNDRED = Decimal(100)
_SHOWN = (
    *("account_id", "end_customer_id", "company", "currency", "tax_included", "payment_term", "remarks"),
    *("customer_reference", "wanted_date", "carrier", "packing", "ship_to"),
)
"""What a quote shows its customer, apart from its lines."""
_NOT_SHOWN = (
    *("cost", "available", "available_as_of", "short", "earliest_date", "accepted_quantity"),
    *("listed_price", "listed_from"),
)

_BOOKED = {"asia": "CNY", "europe": "EUR"}
"""The currency in which a company keeps its books."""

Rate = Callable[[str], str | None]
"""The rate of a tax code, as a share of one."""
ExchangeRate = Callable[[str, str, str], tuple[str, str] | None]
"""What one unit of a currency is worth in another on a day, and the day that rate is of."""


def summed(held: Row, values: Row, rate: Rate, total: Sequence[str] = _AMOUNTS) -> Row:
    """The document with the amounts that follow from what changed. `total`: where its own net, tax and total go; an
    opportunity has one amount only."""
    before = {line["id"]: line for line in held.get("lines", ())}
    head = any(values[name] != held.get(name) for name in _HEAD)
    found = [_line(before.get(line["id"], {}), line, values, rate, head) for line in values["lines"]]
    values = {**values, "lines": found}
    asked = _amounts(found) != _amounts(held.get("lines", ()))
    if asked and all(values[name] == held.get(name) for name in total):
        for name, part in zip(total, _AMOUNTS[-len(total) :], strict=True):
            values[name] = _sum(found, part)
    return values


def revised(held: Row, values: Row) -> Row:
    """A quote that was sent and then changed is a new version, and a draft until it is sent again."""
    if not held or held["state"] == "draft":
        return values
    if all(values[name] == held[name] for name in _SHOWN) and _offer(values) == _offer(held):
        return values
    values = {**values, "revision": held["revision"] + 1}
    if values["state"] == held["state"]:
        values["state"] = "draft"
        values["lines"] = [{**line, "accepted_quantity": None} for line in values["lines"]]
    return values


def rated(held: Row, values: Row, rate: ExchangeRate) -> Row:
    """The document with the exchange rate of its day into its company's currency, when the currency is new to it."""
    asked = any(values[name] != held.get(name) for name in ("currency", "company"))
    given = any(values[name] != held.get(name) for name in ("rate", "rate_date"))
    into = _BOOKED.get(values["company"] or "")
    if not asked or given or not values["currency"] or not into or not values["date"]:
        return values
    if values["currency"] == into:
        return {**values, "rate": "1", "rate_date": values["date"]}
    found = rate(values["currency"], into, values["date"])
    return {**values, "rate": found[0] if found else None, "rate_date": found[1] if found else None}


def _line(held: Mapping[str, Any], line: Row, document: Row, rate: Rate, head: bool) -> Row:
    inputs = head or any(line[name] != held.get(name) for name in _INPUTS)
    if not inputs or any(line[name] != held.get(name) for name in _AMOUNTS):
        return line
    if line["tax_code"] and line["tax_code"] != held.get("tax_code") and line["tax_rate"] == held.get("tax_rate"):
        line = {**line, "tax_rate": rate(line["tax_code"])}
    if line["quantity"] is None or line["price"] is None:
        return line
    return {**line, **_worked_out(line, document)}


def _worked_out(line: Row, document: Row) -> Row:
    places = _PLACES.get(document["currency"] or "", 2)
    discount = 1 - Decimal(line["discount"] or 0) / _HUNDRED
    gross = Decimal(0) if line["free_reason"] else Decimal(line["quantity"]) * Decimal(line["price"]) * discount
    share = Decimal(line["tax_rate"] or 0)
    if document["tax_included"]:
        total = _rounded(gross, places)
        net = _rounded(total / (1 + share), places)
        tax = total - net
    else:
        net = _rounded(gross, places)
        tax = _rounded(net * share, places)
        total = net + tax
    return {name: write_decimal(one, None) for name, one in zip(_AMOUNTS, (net, tax, total), strict=True)}


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _amounts(lines: Sequence[Row]) -> list[list[Any]]:
    return [[line[name] for name in _AMOUNTS] for line in lines]


def _sum(lines: Sequence[Row], name: str) -> str | None:
    """None while a line has no amount yet."""
    if not lines or any(line[name] is None for line in lines):
        return None
    return write_decimal(sum((Decimal(line[name]) for line in lines), Decimal(0)), None)


def _offer(quote: Row) -> list[Row]:
    return [{name: value for name, value in line.items() if name not in _NOT_SHOWN} for line in quote["lines"]]
