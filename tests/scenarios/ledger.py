"""What a customer's figures must be, worked out anew from the rows of SimERP: by the definitions of the page on
customers' money, with nothing of Datong's own arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from datong.sandbox.erp import Erp

Row = Mapping[str, Any]
CENT = Decimal("0.01")
NAMES = ("not_due", "due_1_30", "due_31_60", "due_61_90", "over_90")


def expected(erp: Erp, customer: Any, code: str, today: date) -> dict[str, str]:
    """Figure -> text, what is empty left out. Turnover: invoices without tax, calendar year; everything counts as
    used but for money on account, which makes room."""
    mine = {
        name: [row for row in erp.rows(name) if row["custId"] == customer and row["companyCode"] == code]
        for name in ("invoices", "receipts", "salesOrders")
    }
    invoices = [row for row in mine["invoices"] if row["status"] in ("posted", "paid") or _taken_back(row)]
    receipts = [row for row in mine["receipts"] if row["status"] in ("posted", "cleared")]
    orders = [row for row in mine["salesOrders"] if row["status"] in ("approved", "closed")]
    limit = _number(erp.get("customers", customer)["companies"].get(code, {}).get("creditLimit"))
    ages = _ages(invoices, receipts, today)
    owed = sum(ages.values(), Decimal(0))
    bills = _sum(_booked(row, row["amount"]) for row in receipts if _not_due(row, today))
    used = owed + _waiting(mine["salesOrders"]) + bills
    return _without_empty(
        {
            "receivable": owed,
            **ages,
            "overdue": owed - ages["not_due"],
            "overdue_days": _late(invoices, receipts, today),
            "bills": bills,
            "credit_used": used,
            "credit_free": limit - used if limit else None,
            **_turnover(invoices, today),
            **_habits(erp, invoices, receipts, orders, today),
        }
    )


def _taken_back(row: Row) -> bool:
    return row["status"] == "cancelled" and bool(_number(row["creditedAmount"]))


def _number(text: Any) -> Decimal:
    return Decimal(text) if text not in (None, "") else Decimal(0)


def _booked(row: Row, amount: Any) -> Decimal:
    return (_number(amount) * Decimal(row["exchRate"])).quantize(CENT, ROUND_HALF_UP)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _open(invoices: list[Row], receipts: list[Row]) -> list[tuple[str, Decimal]]:
    """Due day and what is left, in the books, of every document that is not settled."""
    left = {row["id"]: Decimal(row["grossAmount"]) for row in invoices if row["docType"] == "INV"}
    for row in invoices:
        if row["docType"] == "CRN":
            left[row["reversesId"]] += Decimal(row["grossAmount"])
    for row in receipts:
        for one in row["allocations"]:
            left[one["invoiceId"]] -= Decimal(one["amount"])
    rows = {row["id"]: row for row in invoices}
    found = [(rows[key]["dueDate"], _booked(rows[key], amount)) for key, amount in left.items()]
    for row in receipts:
        loose = Decimal(row["amount"]) - _sum(Decimal(one["amount"]) for one in row["allocations"])
        found.append((row["receiptDate"], -_booked(row, loose)))
    return [(due, amount) for due, amount in found if amount]


def _ages(invoices: list[Row], receipts: list[Row], today: date) -> dict[str, Decimal]:
    ages = dict.fromkeys(NAMES, Decimal(0))
    for due, amount in _open(invoices, receipts):
        days = (today - date.fromisoformat(due)).days
        name = "not_due" if days < 1 else "over_90" if days > 90 else NAMES[1 + (days - 1) // 30]
        ages[name] += amount
    return ages


def _late(invoices: list[Row], receipts: list[Row], today: date) -> int:
    days = [(today - date.fromisoformat(due)).days for due, left in _open(invoices, receipts) if left > 0]
    return max([0, *days])


def _not_due(row: Row, today: date) -> bool:
    """A bill that will still be presented."""
    if not row["billNo"] or row["billState"] in ("cleared", "discounted"):
        return False
    return not row["billDue"] or date.fromisoformat(row["billDue"]) > today


def _waiting(orders: list[Row]) -> Decimal:
    """What was shipped and is not invoiced, and what is still to be shipped: each summed, then rounded."""
    to_invoice, to_ship = Fraction(0), Fraction(0)
    for row in orders:
        if row["status"] == "cancelled":
            continue
        for line in row["lines"]:
            whole, gone, billed = (Fraction(line[name]) for name in ("qty", "shippedQty", "invoicedQty"))
            worth = Fraction(line["grossAmount"]) * Fraction(row["exchRate"])
            if whole:
                to_invoice += worth * max(min(gone, whole) - billed, 0) / whole
                to_ship += worth * max(whole - max(gone, billed), 0) / whole if row["status"] != "closed" else 0
    return _cents(to_invoice) + _cents(to_ship)


def _cents(amount: Fraction, step: Decimal = CENT) -> Decimal:
    doubled = 2 * amount / Fraction(step)
    whole = (abs(doubled.numerator) + doubled.denominator) // (2 * doubled.denominator)
    return step * (whole if amount >= 0 else -whole)


def _turnover(invoices: list[Row], today: date) -> dict[str, Decimal]:
    def within(start: str) -> Decimal:
        days = [row for row in invoices if row["invoiceDate"].startswith(start) and row["invoiceDate"] <= str(today)]
        return _sum(_booked(row, row["netAmount"]) for row in days)

    return {"ytd": within(f"{today:%Y-}"), "mtd": within(f"{today:%Y-%m-}"), "last_year": within(f"{today.year - 1}-")}


def _habits(erp: Erp, invoices: list[Row], receipts: list[Row], orders: list[Row], today: date) -> dict[str, Any]:
    since = str(today - timedelta(days=364))
    recent = [row for row in orders if since <= row["orderDate"]]
    days = sorted({date.fromisoformat(row["orderDate"]) for row in recent})
    gaps = [(after - before).days for before, after in pairwise(days)]
    worth = [_booked(row, row["netAmount"]) for row in recent]
    billed = {row["id"]: date.fromisoformat(row["invoiceDate"]) for row in invoices if row["docType"] == "INV"}
    paid = [
        (
            Fraction(one["amount"]) * Fraction(row["exchRate"]),
            max(0, (date.fromisoformat(row["receiptDate"]) - billed[one["invoiceId"]]).days),
        )
        for row in receipts
        if row["receiptDate"] >= since
        for one in row["allocations"]
    ]
    weights = sum((weight for weight, _ in paid), Fraction(0))
    groups: dict[str, Fraction] = {}
    for row in invoices:
        for line in row["lines"] if row["invoiceDate"] >= since else ():
            group = erp.get("items", line["itemId"])["group"]
            groups[group] = groups.get(group, Fraction(0)) + Fraction(line["netAmount"]) * Fraction(row["exchRate"])
    best = sorted(
        ((amount, name) for name, amount in groups.items() if name and amount > 0), key=lambda g: (-g[0], g[1])
    )
    tenth = Decimal("0.1")
    return {
        "last_order": max((row["orderDate"] for row in orders), default=None),
        "last_payment": max((row["receiptDate"] for row in receipts if Decimal(row["amount"]) > 0), default=None),
        "days_to_pay": _cents(sum((w * d for w, d in paid), Fraction(0)) / weights, tenth) if weights else None,
        "order_every": _cents(Fraction(sum(gaps), len(gaps)), tenth) if gaps else None,
        "average_order": _cents(Fraction(_sum(worth)) / len(worth)) if worth else None,
        "favourites": ", ".join(name for _, name in best[:3]),
    }


def _without_empty(figures: Mapping[str, Any]) -> dict[str, str]:
    return {name: plain(value) for name, value in figures.items() if value not in (None, "")}


def plain(value: Any) -> str:
    """One text for one number."""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return str(value)
    return f"{number.normalize() if number else Decimal(0):f}"
