"""Customer statement 往来对账单: opening balance, movements, closing balance and its age, for one customer, company and
currency, by the ERP's documents. A balance is what the customer owes; negative is what we owe.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Day
from decimal import Decimal
from typing import Literal

from datong.base.json import digest
from datong.canon import Invoice, Payment
from datong.insight.ageing import BUCKETS, Bucket, Charge, Received, bucket, open_items
from datong.insight.documents import charge_of, counts, received_of
from datong.insight.span import Span
from datong.reckoning.exact import summed

ZERO = Decimal(0)
_RECEIVED = ("posted", "cleared")
Kind = Literal["invoice", "credit_note", "receipt", "paid_back", "reversal"]


@dataclass(frozen=True)
class Entry:
    """One document of the ledger. `amount` is what it adds to the balance. `remark`: what it says of itself."""

    key: str
    day: Day
    kind: Kind
    number: str
    amount: Decimal
    remark: str = ""
    due: Day | None = None

    @property
    def debit(self) -> Decimal:
        return max(self.amount, ZERO)

    @property
    def credit(self) -> Decimal:
        return max(-self.amount, ZERO)


@dataclass(frozen=True)
class Ledger:
    """The documents of one customer, company and currency; `charges` and `receipts` are the same for ageing.
    `reversed_on`: the days on which receipts were reversed."""

    entries: Sequence[Entry]
    charges: Sequence[Charge]
    receipts: Sequence[Received]
    reversed_on: Mapping[str, Day] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    entry: Entry
    balance: Decimal


@dataclass(frozen=True)
class Statement:
    """`buckets` is what is owed by age at the end of the span, `credit` what is not set against anything (negative):
    together they are the closing balance."""

    account: str
    company: str
    currency: str
    span: Span
    opening: Decimal
    lines: tuple[Line, ...]
    closing: Decimal
    buckets: Mapping[Bucket, Decimal]
    credit: Decimal

    @property
    def debit(self) -> Decimal:
        return summed(line.entry.debit for line in self.lines)

    @property
    def credited(self) -> Decimal:
        return summed(line.entry.credit for line in self.lines)

    @property
    def stands_for(self) -> str:
        """A fingerprint of its figures: what a customer confirms."""
        told = [[one.entry.key, str(one.entry.day), one.entry.amount] for one in self.lines]
        return digest([self.company, self.currency, str(self.span), self.opening, told, self.closing])

    @property
    def moved(self) -> bool:
        return bool(self.lines or self.opening or self.closing)


class Undated(ValueError):
    """A document of the ledger says neither when it was nor what it comes to."""


def ledger(invoices: Mapping[str, Invoice], payments: Mapping[str, Payment]) -> Ledger:
    """What of the documents (by reference, as the ERP has them) stands in the books: posted invoices and credit notes,
    an invoice that a credit note cancelled, receipts, and their reversal on its own day. Raises Undated."""
    notes = {one.reverses for one in invoices.values() if one.type == "credit_note" and counts(one, False)}
    stands = {key: one for key, one in invoices.items() if counts(one, key in notes)}
    charges = [_charge(key, one) for key, one in stands.items()]
    undone = {key: one.reversed_on for key, one in payments.items() if one.state == "reversed" and one.reversed_on}
    paid = {
        key: one
        for key, one in payments.items()
        if key in undone or (one.state in _RECEIVED and one.bill_state != "refused")
    }
    receipts = [_received(key, one, stands.keys()) for key, one in paid.items()]
    entries = [_of_invoice(stands[one.key], one) for one in charges]
    entries += [_of_payment(paid[one.key], one) for one in receipts]
    entries += [_of_reversal(one, undone[one.key]) for one in receipts if one.key in undone]
    entries.sort(key=lambda one: (one.day, one.kind, one.number, one.key))
    return Ledger(entries, charges, receipts, undone)


def _charge(key: str, one: Invoice) -> Charge:
    """What is open of it follows from the other documents: the ERP's own word for that is of today."""
    made = charge_of(one, key, Decimal(1), countered=True)
    if made is None:
        raise Undated(f"{one.erp_number or key} has no date or no amount")
    return replace(made, open=None)


def _received(key: str, one: Payment, known: Collection[str]) -> Received:
    stood = one.model_copy(update={"state": "posted", "bill_state": None}) if one.state == "reversed" else one
    made = received_of(stood, key, Decimal(1))
    if made is None:
        raise Undated(f"{one.erp_number or key} has no date or no amount")
    return replace(made, shares={to: amount for to, amount in made.shares.items() if to in known})


def _of_invoice(one: Invoice, charge: Charge) -> Entry:
    kind: Kind = "credit_note" if one.type == "credit_note" else "invoice"
    due = max((day for day, _ in charge.dues), default=charge.day)
    return Entry(charge.key, charge.day, kind, charge.number, charge.amount, one.fapiao_number or "", due)


def _of_payment(one: Payment, receipt: Received) -> Entry:
    kind: Kind = "receipt" if receipt.amount >= 0 else "paid_back"
    return Entry(receipt.key, receipt.day, kind, receipt.number, -receipt.amount, one.reference or "")


def _of_reversal(receipt: Received, day: Day) -> Entry:
    """Never before the receipt: somebody who dates it so takes it back the same day."""
    return Entry(f"{receipt.key} reversed", max(day, receipt.day), "reversal", receipt.number, receipt.amount)


def statement(account: str, company: str, currency: str, books: Ledger, span: Span) -> Statement:
    """The statement of a span. What is dated after it counts for nothing."""
    opening = summed(one.amount for one in books.entries if one.day < span.start)
    balance, lines = opening, []
    for one in books.entries:
        if one.day in span:
            balance = summed((balance, one.amount))
            lines.append(Line(one, balance))
    standing = [one for one in books.receipts if max(books.reversed_on.get(one.key, Day.max), one.day) > span.end]
    items = open_items(books.charges, standing, span.end)
    buckets: dict[Bucket, Decimal] = dict.fromkeys(BUCKETS, ZERO)
    for item in items:
        if item.amount > 0:
            buckets[bucket(item.due, span.end)] += item.amount
    credit = summed(item.amount for item in items if item.amount < 0)
    return Statement(account, company, currency, span, opening, tuple(lines), balance, buckets, credit)
