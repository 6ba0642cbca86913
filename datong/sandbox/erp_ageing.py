"""The aged balance 账龄表 of SimERP: what each customer owes each company at the end of a day, by due date.

It is read from the ledger, that is from what was posted (invoices, credit notes, receipts and what they settle), not
from the open amounts that stand on the documents. Part payments lower their invoice; money that settles nothing yet
ages by its own day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from datong.sandbox.erp_books import ONE, ZERO, company, exact, places_of, rounded, today
from datong.sandbox.fields import Row, write_decimal

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp

_COLUMNS = ("notDue", "days30", "days60", "days90", "over90")
_ENDS = (0, 30, 60, 90)


@dataclass
class _Open:
    """One document in the ledger."""

    number: str
    due: str
    currency: str
    rate: Decimal
    amount: Decimal


def aged_balances(erp: Erp, companies: Iterable[str] = ()) -> list[Row]:
    """Of every customer who was ever invoiced or paid, by company; of all companies where none is named."""
    wanted = set(companies)
    ledgers: dict[tuple[str, Any], dict[Any, _Open]] = {}
    _invoices(erp, ledgers)
    _receipts(erp, ledgers)
    keys = sorted((key for key in ledgers if not wanted or key[0] in wanted), key=lambda key: (key[1], key[0]))
    return [_report(erp, code, customer, ledgers[code, customer].values()) for code, customer in keys]


def _invoices(erp: Erp, ledgers: dict[tuple[str, Any], dict[Any, _Open]]) -> None:
    """A credit note takes from the invoice that it reverses."""
    rows = [state.data for state in erp.table("invoices").live.after(0, None, inclusive=True)]
    posted = [row for row in rows if row["status"] in ("posted", "paid") or _credited(row)]
    for row in posted:
        if row["docType"] == "INV":
            _post(ledgers, row)
    for row in posted:
        if row["docType"] == "CRN":
            ledger = ledgers.get((row["companyCode"], row["custId"]), {})
            reversed_one = ledger.get(("invoice", row["reversesId"]))
            if reversed_one is None:
                _post(ledgers, row)
            else:
                reversed_one.amount += exact(row["grossAmount"])


def _post(ledgers: dict[tuple[str, Any], dict[Any, _Open]], row: Row) -> None:
    one = _Open(row["docNo"], row["dueDate"], row["currency"], exact(row["exchRate"]), exact(row["grossAmount"]))
    ledgers.setdefault((row["companyCode"], row["custId"]), {})["invoice", row["id"]] = one


def _credited(row: Row) -> bool:
    return row["status"] == "cancelled" and exact(row["creditedAmount"]) != 0


def _receipts(erp: Erp, ledgers: dict[tuple[str, Any], dict[Any, _Open]]) -> None:
    for state in erp.table("receipts").live.after(0, None, inclusive=True):
        row = state.data
        if row["status"] not in ("posted", "cleared") or row["custId"] is None:
            continue
        ledger = ledgers.setdefault((row["companyCode"], row["custId"]), {})
        left = exact(row["amount"])
        for one in row["allocations"]:
            ledger["invoice", one["invoiceId"]].amount -= exact(one["amount"])
            left -= exact(one["amount"])
        ledger["receipt", row["id"]] = _Open(
            row["docNo"], row["receiptDate"], row["currency"], exact(row["exchRate"]), -left
        )


def _report(erp: Erp, code: str, customer: Any, documents: Iterable[_Open]) -> Row:
    base = company(erp, code)["currency"]
    places, day = places_of(erp, base), today(erp, code)
    sums = dict.fromkeys(_COLUMNS, ZERO)
    items = []
    for one in documents:
        if one.amount:
            booked = rounded(one.amount * (one.rate or ONE), places)
            days = (date.fromisoformat(day) - date.fromisoformat(one.due)).days
            sums[_COLUMNS[sum(days > end for end in _ENDS)]] += booked
            own = write_decimal(one.amount, places_of(erp, one.currency))
            items.append({"docNo": one.number, "dueDate": one.due, "currency": one.currency, "openAmount": own})
    return {
        "id": f"{customer}-{code}",
        "custId": customer,
        "companyCode": code,
        "currency": base,
        "day": day,
        "total": write_decimal(sum(sums.values(), ZERO), places),
        **{name: write_decimal(amount, places) for name, amount in sums.items()},
        "items": items,
    }
