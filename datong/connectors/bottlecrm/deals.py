"""Deals, estimates and tickets in their wire form: what is nested laid flat, discounts as a percentage. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from datong.base.money import decimal, plain, shifted

_PLACES = 6


def deal(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row.get(name) for name in ("name", "stage_kind", "currency", "amount", "probability", "closed_on")},
        "account": id_of(row.get("account")),
        "is_active": row.get("is_active", True),
        "line_items": [flat_line(one, "total") for one in row.get("line_items") or ()],
    }


def estimate(row: Mapping[str, Any]) -> dict[str, Any]:
    """The total that an estimate shows leaves the taxes of its lines out, so tax and total are added up here."""
    net = decimal(row["subtotal"]) - decimal(row["discount_amount"])
    tax = decimal(row["tax_amount"]) + sum((decimal(one["tax_amount"]) for one in row["line_items"]), Decimal(0))
    plain_names = ("estimate_number", "title", "status", "currency", "issue_date", "expiry_date", "notes", "updated_at")
    return {
        **{name: row.get(name) for name in plain_names},
        "account": id_of(row.get("account")),
        "contact": id_of(row.get("contact")),
        "opportunity": id_of(row.get("opportunity")),
        "tax_included": False,
        "net": plain(net),
        "tax": plain(tax),
        "total": plain(net + tax),
        "line_items": [
            {
                **flat_line(one, "net_amount"),
                "tax_rate": one["tax_rate"],
                "tax": one["tax_amount"],
                "total": one["total"],
            }
            for one in row["line_items"]
        ],
    }


def flat_line(one: Mapping[str, Any], net: str) -> dict[str, Any]:
    return {
        **{name: one.get(name) for name in ("id", "name", "quantity", "unit_price", "order")},
        "product": id_of(one.get("product")),
        "discount": _discount(one),
        "net": one[net],
    }


def _discount(one: Mapping[str, Any]) -> str | None:
    """A discount by amount is a percentage where that is exact; else it is shown as what it is, which no map reads."""
    value = decimal(one.get("discount_value") or 0)
    if not value or not one.get("discount_type"):
        return None
    if one["discount_type"] == "PERCENTAGE":
        return plain(value)
    share = shifted(decimal(one["discount_amount"]), 2) / decimal(one["subtotal"])
    exact = len(plain(share).partition(".")[2]) <= _PLACES
    return plain(share) if exact else f"{one['discount_type']} {plain(value)}"


def ticket(row: Mapping[str, Any]) -> dict[str, Any]:
    contacts = row.get("contacts") or []
    return {"account": id_of(row.get("account")), "contact": id_of(contacts[0]) if len(contacts) == 1 else None}


def id_of(value: Any) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("id")
    return None if value is None else str(value)
