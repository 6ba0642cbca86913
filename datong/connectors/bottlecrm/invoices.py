"""Invoices of the ERP in BottleCRM: a copy whose figures agree to the cent. Pure.

BottleCRM keeps two decimals of quantities and prices, leaves the taxes of lines out of the total, and gives its own
number. So a line that two decimals cannot tell is one piece at its net amount, and the tax stands in the header where
one rate gives it exactly, else in a line of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from datong.base.money import decimal, plain, round_to, shifted
from datong.connectors.bottlecrm.deals import flat_line, id_of

OURS = "ERP"
"""Reference of the payments that we record."""
TAX = "Tax 税额"
OWED = frozenset({"Draft", "Sent", "Viewed", "Partially_Paid", "Overdue", "Pending"})


def invoice(row: Mapping[str, Any]) -> dict[str, Any]:
    """The wire form. A draft there is posted in the ERP: only the ERP's copies are ours to read."""
    state = {"Cancelled": "cancelled", "Paid": "paid"}.get(row["status"], "posted")
    lines = [one for one in row["line_items"] if one["name"] != TAX]
    tax_lines = sum((decimal(one["net_amount"]) for one in row["line_items"] if one["name"] == TAX), Decimal(0))
    return {
        **{name: row.get(name) for name in ("issue_date", "due_date", "currency", "updated_at")},
        "account": id_of(row.get("account")),
        "type": "invoice",
        "state": state,
        "net": plain(decimal(row["subtotal"]) - tax_lines),
        "tax": plain(decimal(row["tax_amount"]) + tax_lines),
        "total": row["total_amount"],
        "open": "0" if state == "cancelled" else row["amount_due"],
        "line_items": [flat_line(one, "net_amount") for one in lines],
        "payments": [
            {"id": one["id"], "amount": one["amount"], "reference": one["reference_number"]}
            for one in row.get("payments") or ()
        ],
    }


def lines_of(lines: Sequence[Mapping[str, Any]], tax: Decimal) -> tuple[list[dict[str, Any]], str]:
    """The lines to be created, and the tax rate of the header."""
    made = [_line(one, place) for place, one in enumerate(lines)]
    rates = {decimal(one["tax_rate"]) for one in lines if one.get("tax_rate") is not None}
    net = sum((decimal(one["net"]) for one in lines), Decimal(0))
    if len(rates) == 1 and round_to(shifted(net * next(iter(rates)), -2), 2) == tax:
        return made, plain(next(iter(rates)))
    if tax:
        made.append({"name": TAX, "quantity": "1", "unit_price": plain(tax), "tax_rate": "0", "order": len(made)})
    return made, "0"


def _line(one: Mapping[str, Any], place: int) -> dict[str, Any]:
    net, name = decimal(one["net"]), one.get("name") or ""
    quantity, price = decimal(one.get("quantity") or 1), decimal(one.get("unit_price") or 0)
    discount = decimal(one.get("discount") or 0)
    told: dict[str, Any] = {"product": one.get("product"), "name": name, "tax_rate": "0", "order": place}
    charged = round_to(quantity * price, 2) - round_to(shifted(quantity * price * discount, -2), 2)
    if all(round_to(value, 2) == value for value in (quantity, price, discount)) and charged == net and quantity > 0:
        told |= {"quantity": plain(quantity), "unit_price": plain(price)}
        if discount:
            told |= {"discount_type": "PERCENTAGE", "discount_value": plain(discount)}
        return told
    shown = f"{name} ({plain(quantity)} × {plain(price)})".strip()
    return {**told, "name": shown[:255], "quantity": "1", "unit_price": plain(net)}


def settled(held: Mapping[str, Any], wanted: Decimal) -> tuple[list[str], Decimal]:
    """How the open amount becomes `wanted`: payments of ours to be taken back, and the amount to be recorded."""
    due = decimal(held["open"])
    if wanted <= due:
        return [], due - wanted
    ours = [one for one in held["payments"] if one["reference"] == OURS]
    back = sum((decimal(one["amount"]) for one in ours), Decimal(0))
    return [str(one["id"]) for one in ours], due + back - wanted
