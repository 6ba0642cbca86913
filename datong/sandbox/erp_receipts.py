"""Receipts of SimERP: money that comes in, what it settles, and what becomes of it; acceptance bills 承兑汇票."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from datong.sandbox import erp_invoices
from datong.sandbox.erp_books import ZERO, exact, header, must_be_open, must_have_rate, places_of, today
from datong.sandbox.fields import Row, write_decimal
from datong.sandbox.refusals import Breach, Invalid, Key, Problem

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp

BILL = "BA"  # the method of an acceptance bill


def permit(held: Row) -> None:
    if held and held["status"] != "draft":
        raise Breach("POSTED", f"{held['docNo']} is {held['status']}", "status")


def complete(erp: Erp, held: Row, values: Row) -> Row:
    values = header(erp, values, "receiptDate")
    places = places_of(erp, values["currency"])
    if exact(values["amount"]) < 0 and not held.get("reverseReason"):
        raise Invalid({"amount": Problem("NEGATIVE_AMOUNT", "reverse it instead")})
    number = values["docNo"] or held.get("docNo") or erp.number("RC", values)
    return {**values, "docNo": number, "unallocated": _left(values, places)}


def _left(row: Row, places: int) -> str:
    given = sum((exact(one["amount"]) for one in row["allocations"]), ZERO)
    return write_decimal(exact(row["amount"]) - given, places)


def receive(erp: Erp, amount: Any, **data: Any) -> Row:
    """Money comes in: on account of `custId`, or unclaimed 待认领 without one. Posted at once."""
    known = {name: value for name, value in data.items() if value is not None}
    method = known.pop("method", None) or (BILL if known.get("billNo") else "TT")
    found = erp.table("paymentMethods").live.find("code", method)
    if not found:
        raise Invalid({"methodId": Problem("INVALID", f"no payment method {method}")})
    if method == BILL:
        known.setdefault("billState", "held")
    row = erp.enter("receipts", {**known, "amount": str(amount), "methodId": found[0].key}).data
    must_be_open(erp, row["companyCode"], row["receiptDate"], "receiptDate")
    must_have_rate(erp, row)
    return erp.record("receipts", row["id"], {"status": "posted"}).data


def pay(erp: Erp, invoice: Key, amount: Any = None, **data: Any) -> Row:
    """Money for one invoice, all of it set against it, also where that is more than is open."""
    row = erp.row("invoices", invoice)
    _must_be_open(row)
    if amount is None:
        amount = row["openAmount"]
    same = {name: row[name] for name in ("companyCode", "custId", "currency")}
    payer = erp.row("customers", row["custId"])["custName"]
    receipt = receive(erp, amount, **{**same, "payer": payer, "reference": row["docNo"], **data})
    return allocate(erp, receipt["id"], invoice, amount)


def allocate(erp: Erp, key: Key, invoice: Key, amount: Any = None) -> Row:
    """So much of a receipt settles an invoice: what is left of it, unless said."""
    receipt, row = _alive(erp, key), erp.row("invoices", invoice)
    _must_be_open(row)
    if receipt["custId"] != row["custId"] or receipt["companyCode"] != row["companyCode"]:
        raise Breach("OTHER_CUSTOMER", f"{row['docNo']} is of another customer or company", "custId")
    if receipt["currency"] != row["currency"]:
        raise Breach("OTHER_CURRENCY", f"{row['docNo']} is in {row['currency']}", "currency")
    left = exact(receipt["unallocated"])
    wanted = min(left, exact(row["openAmount"])) if amount is None else exact(amount)
    if wanted <= 0 or wanted > left:
        raise Breach("OVER_ALLOCATED", f"{receipt['docNo']} has {left} left", "amount")
    line = {"allocationId": erp.line_id(), "invoiceId": invoice, "amount": write_decimal(wanted, 4)}
    told = _store(erp, receipt, [*receipt["allocations"], line])
    erp_invoices.settle(erp, invoice, paid=wanted)
    return told


def claim(erp: Erp, key: Key, customer: Key) -> Row:
    """Somebody knows whose money it is 认领."""
    receipt = _alive(erp, key)
    if receipt["custId"] == customer:
        return receipt
    if receipt["custId"] is not None:
        raise Breach("CLAIMED", f"{receipt['docNo']} is claimed by customer {receipt['custId']}", "custId")
    erp.row("customers", customer)
    return erp.record("receipts", key, {"custId": customer}).data


def reverse(erp: Erp, key: Key, reason: str = "", day: str = "") -> Row:
    """The money went back, or never was: its invoices are open again. On `day`; today where none is given."""
    receipt = _alive(erp, key)
    day = day or today(erp, receipt["companyCode"])
    must_be_open(erp, receipt["companyCode"], day, "reverseDate")
    _take_back(erp, receipt)
    why = reason[:200] or "reversed"
    changes: Row = {"status": "reversed", "allocations": [], "reverseReason": why, "reverseDate": day}
    places = places_of(erp, receipt["currency"])
    return erp.record("receipts", key, {**changes, "unallocated": write_decimal(ZERO, places)}).data


def bill(erp: Erp, key: Key, state: str) -> Row:
    """What becomes of an acceptance bill; a refused one is reversed."""
    receipt = _alive(erp, key)
    states = ("held", "endorsed", "discounted", "cleared", "refused")
    if not receipt["billNo"] or state not in states:
        raise Breach("WRONG_STATE", f"{receipt['docNo']} is no bill, or {state} is no state of one", "billState")
    if state == "refused":
        reverse(erp, key, "bill refused 拒付")
    status = {"cleared": "cleared", "refused": "reversed"}.get(state, receipt["status"])
    return erp.record("receipts", key, {"billState": state, "status": status}).data


def _store(erp: Erp, receipt: Row, allocations: Sequence[Row]) -> Row:
    places = places_of(erp, receipt["currency"])
    row = {**receipt, "allocations": list(allocations)}
    changes = {"allocations": row["allocations"], "unallocated": _left(row, places)}
    return erp.record("receipts", receipt["id"], changes).data


def _take_back(erp: Erp, receipt: Row) -> None:
    paid: dict[Any, Decimal] = {}
    for one in receipt["allocations"]:
        paid[one["invoiceId"]] = paid.get(one["invoiceId"], ZERO) + exact(one["amount"])
    for invoice, amount in paid.items():
        erp_invoices.settle(erp, invoice, paid=-amount)


def _alive(erp: Erp, key: Key) -> Row:
    receipt = erp.row("receipts", key)
    if receipt["status"] not in ("posted", "cleared"):
        raise Breach("WRONG_STATE", f"{receipt['docNo']} is {receipt['status']}, not posted", "status")
    return receipt


def _must_be_open(row: Row) -> None:
    if row["docType"] != "INV" or row["status"] not in ("posted", "paid"):
        raise Breach("WRONG_STATE", f"{row['docNo'] or row['id']} is {row['status']}: nobody owes it", "status")
