"""The ERP's own ageing (账龄表), set against what Datong computes from the documents: equal to the cent, or an item
that names the document."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import cast

from datong.canon import AgedBalance
from datong.engine.flow import ERP, Master, Park, Policies, owned_by
from datong.engine.near import Near
from datong.flows.customer_books import Books, books_of
from datong.insight import BUCKETS, AgeingRules, OpenItem, aged, bucket
from datong.matching import Identity

ZERO = Decimal(0)
_MEANWHILE = timedelta(seconds=5)
"""By so much the clocks that date a change and a read may differ."""

aged_balances = Master(
    name="aged_balances",
    en="Aged balances",
    zh="账龄核对",
    requires=("invoices", "payments"),
    record=AgedBalance,
    identity=Identity(),
    fields=Policies(
        owned_by(ERP, "account", "company", "currency", "day", "part_payments", "unallocated", "total", *BUCKETS),
        owned_by(ERP, "items", "custom"),
    ),
    first_load=ERP,
    creates_in=(),
    needs=("account",),
    whole=True,
    busy=True,
)


@aged_balances.checks("ageing differs")
def as_the_documents_say(balance: AgedBalance, near: Near) -> Park | None:
    """The ERP's report and the documents that it is made from, by document and by age, on the report's own day."""
    if balance.account is None or balance.company is None or balance.day is None:
        return None
    books = books_of(balance.account, near, (balance.company,)).get(balance.company)
    if books is None:
        return None
    rules = AgeingRules(balance.part_payments or "document", balance.unallocated or "own_day")
    items = books.items(rules, balance.day)
    newer = _newer(books, near)
    differences = [one for one in _by_document(balance, items) if one[0] not in newer]
    if not newer:
        differences += _by_age(balance, books, items, rules)
    near.today(balance.company)  # what could not be judged is judged tomorrow at the latest
    if not differences:
        return None
    number, what = differences[0]
    more = f"; and {len(differences) - 1} more" if len(differences) > 1 else ""
    return Park(
        f"{what}{more}",
        f"look at {number} in the ERP: a document that Datong does not see, or a booking without one; "
        "then read both sides again with `datong sync`",
        detail={"document": number, "day": str(balance.day), "company": balance.company},
    )


def _newer(books: Books, near: Near) -> set[str]:
    """Documents that changed when the report was made, or since: it may not know of that."""
    made = near.read_at(AgedBalance.kind)
    numbers = {one.key: one.number for one in books.charges} | {one.key: one.number for one in books.receipts}
    changes = {number: near.changed_at(key) for key, number in numbers.items()}
    return {
        number for number, changed in changes.items() if made is None or changed is None or changed > made - _MEANWHILE
    }


def _by_document(balance: AgedBalance, items: list[OpenItem]) -> Iterator[tuple[str, str]]:
    """What each has open of a document, whatever of it is due when."""
    ours: dict[str, Decimal] = {}
    for one in items:
        ours[one.number] = ours.get(one.number, ZERO) + one.amount
    theirs: dict[str, Decimal] = {}
    for item in balance.items.values():
        theirs[item.number or ""] = theirs.get(item.number or "", ZERO) + (item.amount or ZERO)
    for number in sorted({*ours, *theirs}):
        mine, its = ours.get(number, ZERO), theirs.get(number, ZERO)
        if mine != its:
            yield number, f"the ERP's ageing has {its:f} open of {number}, its documents say {mine:f}"


def _by_age(balance: AgedBalance, books: Books, items: list[OpenItem], rules: AgeingRules) -> Iterator[tuple[str, str]]:
    assert balance.day is not None
    found = aged(items, balance.day, books.places, rules)
    for name in BUCKETS:
        its = cast("Decimal | None", getattr(balance, name))
        if its is not None and its != found.buckets[name]:
            words = name.replace("_", " ")
            number = next((one.number for one in items if bucket(one.due, balance.day) == name), "the balance")
            yield number, f"the ERP's ageing has {its:f} as {words}, its documents say {found.buckets[name]:f}"
    if balance.total is not None and balance.total != found.receivable:
        yield "the balance", f"the ERP's ageing is {balance.total:f} in all, its documents say {found.receivable:f}"
