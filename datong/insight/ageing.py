"""What a customer owes and how old it is (账龄): open items of invoices, credit notes and receipts, by due date.

A day is the company's local date. An amount is in its document's currency; `rate` makes it one of the books, rounded
item by item, so that the buckets always add up to what is owed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Day
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from datong.reckoning.exact import rounded, summed
from datong.reckoning.instalments import Bill, BillsCount, Receipt

ZERO = Decimal(0)
ONE = Decimal(1)
Bucket = Literal["not_due", "due_1_30", "due_31_60", "due_61_90", "over_90"]
BUCKETS: tuple[Bucket, ...] = ("not_due", "due_1_30", "due_31_60", "due_61_90", "over_90")
Kind = Literal["invoice", "credit_note", "receipt", "part", "bill"]


@dataclass(frozen=True)
class AgeingRules:
    """How open items are aged. `part_payments`: what was paid of an invoice lowers it (`document`), or stands beside it
    with the day of the receipt until the invoice is paid in full (`own_day`, as Tryton does). `unallocated`: receipts
    and credit notes that settle nothing yet age by their own day (`own_day`), lower what is not due (`not_due`), or
    lower the oldest debt first (`oldest`, 先进先出). `bills`: when an acceptance bill (承兑汇票) counts as paid."""

    part_payments: Literal["document", "own_day"] = "document"
    unallocated: Literal["own_day", "not_due", "oldest"] = "own_day"
    bills: BillsCount = "receipt"


@dataclass(frozen=True)
class Charge:
    """A posted invoice, or a credit note (`amount` is negative). `dues`: its instalments, which add up to `amount`.
    `open`: what the ERP says is left of it; where it says nothing that follows from receipts and from the credit notes
    that reverse it."""

    key: str
    number: str
    day: Day
    amount: Decimal
    dues: tuple[tuple[Day, Decimal], ...]
    open: Decimal | None = None
    reverses: str | None = None
    rate: Decimal = ONE


@dataclass(frozen=True)
class Received:
    """Money that came in (negative: paid back). `shares`: what of it settles which charge."""

    key: str
    number: str
    day: Day
    amount: Decimal
    shares: Mapping[str, Decimal] = field(default_factory=dict)
    bill: Bill | None = None
    rate: Decimal = ONE

    def outstanding(self, today: Day, bills: BillsCount) -> bool:
        """Is it a bill that is not money yet?"""
        return self.bill is not None and not Receipt(self.key, self.amount, self.day, bill=self.bill).counts(
            today, bills
        )


@dataclass(frozen=True)
class OpenItem:
    """What is left of a document, due on a day; negative is what we owe."""

    number: str
    kind: Kind
    due: Day
    amount: Decimal
    rate: Decimal = ONE

    def booked(self, places: int) -> Decimal:
        """In the currency of the books."""
        return rounded(Fraction(self.amount) * Fraction(self.rate), places)


@dataclass(frozen=True)
class Aged:
    """Open items by age. `late`: the days by which the oldest debt is overdue; 0 where none is."""

    buckets: Mapping[Bucket, Decimal]
    late: int

    @property
    def receivable(self) -> Decimal:
        return summed(self.buckets.values())

    @property
    def overdue(self) -> Decimal:
        return summed(amount for name, amount in self.buckets.items() if name != "not_due")


def bucket(due: Day, today: Day) -> Bucket:
    """What is due today is not overdue yet."""
    days = (today - due).days
    if days <= 0:
        return "not_due"
    return "due_1_30" if days <= 30 else "due_31_60" if days <= 60 else "due_61_90" if days <= 90 else "over_90"


def open_items(
    charges: Sequence[Charge], receipts: Sequence[Received], today: Day, rules: AgeingRules | None = None
) -> list[OpenItem]:
    """What is open at the end of `today`. Documents of a later day do not count yet, nor does what they settled."""
    rules = rules or AgeingRules()
    known = {one.key: one for one in charges}
    shares: dict[str, list[tuple[Received, Decimal]]] = {}
    for receipt in sorted(receipts, key=lambda one: (one.day, one.key)):
        for key, amount in receipt.shares.items():
            shares.setdefault(key, []).append((receipt, amount))
    used = _used(charges, shares, today)
    items: list[OpenItem] = []
    for one in charges:
        if one.day <= today:
            of_it = shares.get(one.key, [])
            left = _left(one, of_it, used, today)
            items += _of_charge(one, left, [(r, s) for r, s in of_it if r.day <= today], rules)
    for receipt in receipts:
        if receipt.day <= today:
            items += _of_receipt(receipt, known, today, rules)
    return [one for one in items if one.amount]


def _used(
    charges: Sequence[Charge], shares: Mapping[str, Sequence[tuple[Received, Decimal]]], today: Day
) -> dict[str, Decimal]:
    """What credit notes took off the invoices that they reverse: by invoice positive, by note negative. A note that is
    older than its invoice waits for it."""
    found: dict[str, Decimal] = {}
    known = {one.key: one for one in charges if one.day <= today}
    for note in sorted(known.values(), key=lambda one: (one.day, one.key)):
        invoice = known.get(note.reverses or "")
        if invoice is None or note.amount >= 0:
            continue
        paid = sum((s for r, s in shares.get(invoice.key, ()) if r.day <= today), ZERO)
        rest = invoice.amount - paid - found.get(invoice.key, ZERO)
        part = max(ZERO, min(rest, -note.amount))
        found[invoice.key] = found.get(invoice.key, ZERO) + part
        found[note.key] = found.get(note.key, ZERO) - part
    return found


def _left(one: Charge, shares: Sequence[tuple[Received, Decimal]], used: Mapping[str, Decimal], today: Day) -> Decimal:
    if one.open is not None:
        return one.open + sum((share for receipt, share in shares if receipt.day > today), ZERO)
    paid = sum((share for receipt, share in shares if receipt.day <= today), ZERO)
    return one.amount - paid - used.get(one.key, ZERO)


def _of_charge(
    one: Charge, left: Decimal, shares: Sequence[tuple[Received, Decimal]], rules: AgeingRules
) -> Iterable[OpenItem]:
    """The instalments of which something is left: the earliest are settled first."""
    kind: Kind = "invoice" if one.amount >= 0 else "credit_note"
    paid = list(shares)
    for due, whole, rest in _instalments(one, left):
        own = rules.part_payments == "own_day" and 0 < rest < whole
        back = _latest(paid, whole - rest) if own else []
        yield OpenItem(one.number, kind, due, rest + sum((share for _, share in back), ZERO), one.rate)
        for receipt, share in back:
            yield OpenItem(receipt.number, "part", receipt.day, -share, receipt.rate)


def _instalments(one: Charge, left: Decimal) -> list[tuple[Day, Decimal, Decimal]]:
    """Due day, amount and what is left of it. More than the document was, or less than nothing, is the last one's."""
    dues = sorted(one.dues, key=lambda due: due[0])
    found: list[tuple[Day, Decimal, Decimal]] = []
    for number, (due, whole) in enumerate(reversed(dues), 1):
        ours = max(ZERO, min(whole, left)) if one.amount >= 0 else min(ZERO, max(whole, left))
        found.insert(0, (due, whole, ours))
        left -= ours
        if number == len(dues):
            last = found[-1]
            found[-1] = (last[0], last[1], last[2] + left)
    return found


def _latest(shares: list[tuple[Received, Decimal]], amount: Decimal) -> list[tuple[Received, Decimal]]:
    """The last payments that make up `amount`; they are taken out of `shares`."""
    found: list[tuple[Received, Decimal]] = []
    while shares and amount > 0:
        receipt, share = shares.pop()
        part = min(share, amount)
        if part < share:
            shares.append((receipt, share - part))
        found.append((receipt, part))
        amount -= part
    return found


def _of_receipt(one: Received, known: Mapping[str, Charge], today: Day, rules: AgeingRules) -> Iterable[OpenItem]:
    """What of it settles nothing yet (预收、待核销), and a bill that is not money yet: it is still owed."""
    given = sum((share for key, share in one.shares.items() if key not in known or known[key].day <= today), ZERO)
    yield OpenItem(one.number, "receipt", one.day, given - one.amount, one.rate)
    if one.outstanding(today, rules.bills):
        due = one.bill.due if one.bill is not None else None
        yield OpenItem(one.number, "bill", due or one.day, one.amount, one.rate)


def aged(items: Iterable[OpenItem], today: Day, places: int, rules: AgeingRules | None = None) -> Aged:
    """The items in their buckets, in the currency of the books, which has so many decimals."""
    rules = rules or AgeingRules()
    parts = [(one.due, one.booked(places), one.kind) for one in items]
    loose = [(due, amount) for due, amount, kind in parts if amount < 0 and kind != "part"]
    owed = sorted((due, amount) for due, amount, kind in parts if amount >= 0 or kind == "part")
    if rules.unallocated == "own_day":
        owed += loose
    elif rules.unallocated == "not_due":
        owed += [(max(today, due), amount) for due, amount in loose]
    else:
        owed = _oldest_first(owed, -summed(amount for _, amount in loose), today)
    buckets: dict[Bucket, Decimal] = dict.fromkeys(BUCKETS, ZERO)
    for due, amount in owed:
        buckets[bucket(due, today)] += amount
    late = max(((today - due).days for due, amount in owed if amount > 0), default=0)
    return Aged(buckets, max(0, late))


def _oldest_first(owed: Sequence[tuple[Day, Decimal]], credit: Decimal, today: Day) -> list[tuple[Day, Decimal]]:
    """What is left of `owed`, by due date, when `credit` settles the oldest; more credit than debt is not due."""
    left: list[tuple[Day, Decimal]] = []
    for due, amount in owed:
        part = max(ZERO, min(amount, credit))
        credit -= part
        left.append((due, amount - part))
    return [*left, (today, -credit)]
