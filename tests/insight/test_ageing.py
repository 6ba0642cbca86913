"""The age of what a customer owes: by example, and what holds whatever the documents are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import date as Day
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datong.base.clock import local_date
from datong.insight import BUCKETS, AgeingRules, Charge, Received, aged, bucket, open_items
from datong.reckoning.instalments import Bill

D = Decimal
TODAY = Day(2026, 11, 22)
EVERY_RULE = [
    AgeingRules(part, loose, bills)
    for part in ("document", "own_day")
    for loose in ("own_day", "not_due", "oldest")
    for bills in ("receipt", "maturity", "clearing")
]


def invoice(number: str, amount: str, due: Day, **more: Any) -> Charge:
    day = more.pop("day", min(due, TODAY) - timedelta(days=30))
    return Charge(number, number, day, D(amount), ((due, D(amount)),), **more)


def note(number: str, amount: str, day: Day, **more: Any) -> Charge:
    return Charge(number, number, day, -D(amount), ((day, -D(amount)),), **more)


def receipt(number: str, amount: str, day: Day, **shares: str) -> Received:
    return Received(number, number, day, D(amount), {key: D(share) for key, share in shares.items()})


def ages(charges: list[Charge], receipts: list[Received], rules: AgeingRules, today: Day = TODAY) -> list[str]:
    found = aged(open_items(charges, receipts, today, rules), today, 2, rules)
    return [f"{found.buckets[one].normalize():f}" for one in BUCKETS]


@pytest.mark.parametrize(
    ("due", "today", "name"),
    [
        (TODAY, TODAY, "not_due"),
        (Day(2026, 11, 21), TODAY, "due_1_30"),
        (Day(2026, 10, 23), TODAY, "due_1_30"),
        (Day(2026, 10, 22), TODAY, "due_31_60"),
        (Day(2026, 9, 23), TODAY, "due_31_60"),
        (Day(2026, 9, 22), TODAY, "due_61_90"),
        (Day(2026, 8, 24), TODAY, "due_61_90"),
        (Day(2026, 8, 23), TODAY, "over_90"),
        (Day(2027, 1, 31), Day(2027, 3, 1), "due_1_30"),  # 29 days: February has 28
        (Day(2027, 1, 30), Day(2027, 3, 1), "due_1_30"),
        (Day(2027, 1, 29), Day(2027, 3, 1), "due_31_60"),
        (Day(2028, 1, 31), Day(2028, 3, 1), "due_1_30"),  # 30 days: a leap year
        (Day(2028, 1, 30), Day(2028, 3, 1), "due_31_60"),
        (Day(2028, 2, 29), Day(2028, 3, 1), "due_1_30"),
        (Day(2026, 12, 31), Day(2027, 1, 1), "due_1_30"),
    ],
)
def test_days_are_counted_over_month_ends_and_leap_days(due: Day, today: Day, name: str) -> None:
    assert bucket(due, today) == name


def test_a_bill_falls_due_where_the_company_is() -> None:
    """One moment is two days: overdue in Shanghai, due today in Paris."""
    moment = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
    due = invoice("1", "100", Day(2026, 11, 22))
    shanghai, paris = (local_date(moment, zone) for zone in ("Asia/Shanghai", "Europe/Paris"))
    assert ages([due], [], AgeingRules(), shanghai) == ["0", "100", "0", "0", "0"]
    assert ages([due], [], AgeingRules(), paris) == ["100", "0", "0", "0", "0"]


OLD, NEW = Day(2026, 10, 1), Day(2026, 12, 1)


@pytest.mark.parametrize(
    ("rules", "stands"),
    [
        (AgeingRules(), ["100", "0", "60", "0", "0"]),
        (AgeingRules(part_payments="own_day"), ["100", "-40", "100", "0", "0"]),
    ],
)
def test_a_part_payment(rules: AgeingRules, stands: list[str]) -> None:
    charges = [invoice("1", "100", OLD), invoice("2", "100", NEW)]
    paid = receipt("r", "40", Day(2026, 11, 10), **{"1": "40"})
    assert ages(charges, [paid], rules) == stands


@pytest.mark.parametrize(
    ("rules", "stands"),
    [
        (AgeingRules(), ["100", "-150", "100", "0", "0"]),
        (AgeingRules(unallocated="not_due"), ["-50", "0", "100", "0", "0"]),
        (AgeingRules(unallocated="oldest"), ["50", "0", "0", "0", "0"]),
    ],
)
def test_money_on_account(rules: AgeingRules, stands: list[str]) -> None:
    charges = [invoice("1", "100", OLD), invoice("2", "100", NEW)]
    assert ages(charges, [receipt("r", "150", Day(2026, 11, 10))], rules) == stands


def test_more_money_than_debt_is_not_due() -> None:
    rules = AgeingRules(unallocated="oldest")
    advance = [receipt("r", "150", Day(2026, 5, 1))]
    assert ages([invoice("1", "100", OLD)], advance, rules) == ["-50", "0", "0", "0", "0"]


def test_a_credit_note_before_its_invoice_waits_for_it() -> None:
    early = note("c", "30", Day(2026, 9, 1), reverses="1")
    later = invoice("1", "100", Day(2026, 12, 1), day=Day(2026, 11, 1))
    assert ages([early, later], [], AgeingRules(), Day(2026, 10, 15)) == ["0", "0", "-30", "0", "0"]
    assert ages([early, later], [], AgeingRules()) == ["70", "0", "0", "0", "0"]


def test_a_credit_note_of_a_paid_invoice_is_money_on_account() -> None:
    paid = receipt("r", "100", Day(2026, 11, 1), **{"1": "100"})
    back = note("c", "30", Day(2026, 11, 10), reverses="1")
    assert ages([invoice("1", "100", OLD), back], [paid], AgeingRules()) == ["0", "-30", "0", "0", "0"]


def test_what_the_erp_says_is_left_counts() -> None:
    """It tells what is reconciled with what: this credit note is not, though it reverses the invoice."""
    charges = [invoice("1", "100", OLD, open=D(100)), note("c", "30", Day(2026, 11, 10), reverses="1", open=D(-30))]
    assert ages(charges, [], AgeingRules()) == ["0", "-30", "100", "0", "0"]


def test_instalments_are_settled_in_order() -> None:
    dues = ((Day(2026, 12, 31), D(100)), (Day(2026, 8, 1), D(300)), (Day(2026, 11, 1), D(600)))
    one = Charge("1", "1", Day(2026, 7, 1), D(1000), dues)
    paid = receipt("r", "350", Day(2026, 11, 5), **{"1": "350"})
    assert ages([one], [paid], AgeingRules()) == ["100", "550", "0", "0", "0"]
    assert ages([one], [paid], AgeingRules(part_payments="own_day")) == ["100", "550", "0", "0", "0"]
    late = Day(2026, 12, 10)
    assert ages([one], [paid], AgeingRules(part_payments="own_day"), late) == ["100", "0", "550", "0", "0"]


@pytest.mark.parametrize(
    ("bills", "state", "stands"),
    [
        ("receipt", "held", "0"),
        ("maturity", "held", "100"),
        ("maturity", "discounted", "0"),
        ("clearing", "endorsed", "100"),
        ("clearing", "cleared", "0"),
    ],
)
def test_a_bill_that_is_not_money_yet_is_owed_until_it_falls_due(bills: Any, state: Any, stands: str) -> None:
    paid = replace(receipt("r", "100", Day(2026, 11, 1), **{"1": "100"}), bill=Bill(Day(2027, 4, 30), state))
    assert ages([invoice("1", "100", OLD)], [paid], AgeingRules(bills=bills)) == [stands, "0", "0", "0", "0"]


def test_what_is_dated_tomorrow_does_not_count_today() -> None:
    """Not the invoice, and not the receipt, though the ERP has lowered what is open."""
    tomorrow = TODAY + timedelta(days=1)
    charges = [invoice("1", "100", OLD, open=D(20)), invoice("2", "50", tomorrow, day=tomorrow)]
    paid = receipt("r", "80", tomorrow, **{"1": "80"})
    assert ages(charges, [paid], AgeingRules()) == ["0", "0", "100", "0", "0"]
    assert ages(charges, [paid], AgeingRules(), tomorrow) == ["50", "0", "20", "0", "0"]


def test_an_advance_for_an_invoice_of_tomorrow_is_money_on_account() -> None:
    tomorrow = TODAY + timedelta(days=1)
    charges = [invoice("1", "100", NEW, day=tomorrow)]
    paid = receipt("r", "100", TODAY, **{"1": "100"})
    assert ages(charges, [paid], AgeingRules()) == ["-100", "0", "0", "0", "0"]
    assert ages(charges, [paid], AgeingRules(), tomorrow) == ["0", "0", "0", "0", "0"]


def test_foreign_currency_is_rounded_item_by_item() -> None:
    charges = [invoice(str(n), "10.05", OLD, rate=D("7.1234")) for n in range(3)]
    found = aged(open_items(charges, [], TODAY), TODAY, 2)
    assert found.receivable == found.buckets["due_31_60"] == 3 * D("71.59")


def test_the_days_of_the_oldest_debt() -> None:
    charges = [invoice("1", "100", Day(2026, 11, 2)), invoice("2", "100", Day(2026, 11, 12))]
    paid = [receipt("r", "100", Day(2026, 11, 15))]
    assert aged(open_items(charges, paid, TODAY), TODAY, 2).late == 20
    rules = AgeingRules(unallocated="oldest")
    assert aged(open_items(charges, paid, TODAY, rules), TODAY, 2, rules).late == 10
    assert aged([], TODAY, 2).late == 0


# what holds whatever the documents are --------------------------------------------------------------------------------

days = st.dates(Day(2027, 12, 1), Day(2028, 4, 30))
cents = st.integers(1, 100_000).map(lambda n: D(n).scaleb(-2))
rules_of = st.sampled_from(EVERY_RULE)
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine proves as much


@st.composite
def books(draw: st.DrawFn) -> tuple[list[Charge], list[Received]]:
    charges: list[Charge] = []
    for number in range(draw(st.integers(1, 5))):
        parts = draw(st.lists(st.tuples(days, cents), min_size=1, max_size=3))
        total = sum((amount for _, amount in parts), D(0))
        charges.append(Charge(f"i{number}", f"I{number}", draw(days), total, tuple(parts)))
    for number in range(draw(st.integers(0, 3))):
        amount, day = draw(cents), draw(days)
        of = draw(st.sampled_from([None, *(one.key for one in charges)]))
        charges.append(Charge(f"c{number}", f"C{number}", day, -amount, ((day, -amount),), reverses=of))
    receipts: list[Received] = []
    left = {one.key: one.amount for one in charges if one.amount > 0}
    for number in range(draw(st.integers(0, 4))):
        amount, shares = draw(cents), {}
        rest = amount
        for key in draw(st.lists(st.sampled_from(sorted(left)), unique=True, max_size=3)):
            share = min(draw(cents), rest, left[key])
            if share > 0:
                shares[key], rest, left[key] = share, rest - share, left[key] - share
        bill = draw(st.sampled_from([None, Bill(draw(days)), Bill(draw(days), "cleared")]))
        receipts.append(Received(f"r{number}", f"R{number}", draw(days), amount, shares, bill))
    return charges, receipts


@patient
@given(books(), rules_of, days)
def test_buckets_add_up_to_what_is_owed(
    held: tuple[list[Charge], list[Received]], rules: AgeingRules, today: Day
) -> None:
    """And that is what was charged less what was received, until that day."""
    charges, receipts = held
    items = open_items(charges, receipts, today, rules)
    found = aged(items, today, 2, rules)
    ledger = sum((one.amount for one in charges if one.day <= today), D(0))
    ledger -= sum(
        (one.amount for one in receipts if one.day <= today and not one.outstanding(today, rules.bills)), D(0)
    )
    assert found.receivable == sum((one.amount for one in items), D(0)) == ledger
    assert found.overdue == found.receivable - found.buckets["not_due"]


@patient
@given(books(), rules_of, days, st.randoms(use_true_random=False))
def test_the_order_of_documents_does_not_matter(
    held: tuple[list[Charge], list[Received]], rules: AgeingRules, today: Day, chance: Any
) -> None:
    charges, receipts = held
    before = aged(open_items(charges, receipts, today, rules), today, 2, rules)
    mixed, moved = list(charges), list(receipts)
    chance.shuffle(mixed)
    chance.shuffle(moved)
    assert aged(open_items(mixed, moved, today, rules), today, 2, rules) == before


@patient
@given(books(), rules_of, days, st.data())
def test_splitting_an_invoice_changes_nothing(
    held: tuple[list[Charge], list[Received]], rules: AgeingRules, today: Day, data: st.DataObject
) -> None:
    """One with several due days becomes one for each, and what settled it is told for those that it settled."""
    charges, receipts = held
    one = data.draw(st.sampled_from([c for c in charges if c.amount > 0]))
    assume(not any(c.reverses == one.key for c in charges))
    parts = [
        Charge(f"{one.key}/{n}", one.number, one.day, amount, ((due, amount),))
        for n, (due, amount) in enumerate(sorted(one.dues, key=lambda part: part[0]))
    ]
    room = {part.key: part.amount for part in parts}
    split = []
    for receipt in sorted(receipts, key=lambda r: (r.day, r.key)):
        shares = {key: share for key, share in receipt.shares.items() if key != one.key}
        rest = receipt.shares.get(one.key, D(0))
        for part in parts:
            share = min(rest, room[part.key])
            if share:
                shares[part.key], rest, room[part.key] = share, rest - share, room[part.key] - share
        split.append(replace(receipt, shares=shares))
    whole = aged(open_items(charges, receipts, today, rules), today, 2, rules)
    others = [c for c in charges if c.key != one.key]
    assert aged(open_items([*others, *parts], split, today, rules), today, 2, rules) == whole


@patient
@given(books(), days)
def test_a_day_makes_debts_older_and_none_younger(held: tuple[list[Charge], list[Received]], today: Day) -> None:
    """Where nothing new is dated on it."""
    charges, receipts = held
    tomorrow = today + timedelta(days=1)
    assume(all(one.day != tomorrow for one in (*charges, *receipts)))
    rules = AgeingRules(unallocated="not_due")
    items = open_items(charges, receipts, today, rules)
    assert open_items(charges, receipts, tomorrow, rules) == items
    now, then = (aged(items, day, 2, rules).buckets for day in (today, tomorrow))
    for number in range(len(BUCKETS)):
        older = BUCKETS[number:]
        assert sum(then[one] for one in older) >= sum(now[one] for one in older) or number == 0


@settings(max_examples=50)
@given(st.datetimes(datetime(2027, 1, 1), datetime(2029, 1, 1)), st.sampled_from(["Asia/Shanghai", "America/New_York"]))
def test_a_debt_is_overdue_from_local_midnight_on(moment: datetime, zone: str) -> None:
    today = local_date(moment.replace(tzinfo=UTC), zone)
    assert ages([invoice("1", "5", today, day=today)], [], AgeingRules(), today)[0] == "5"
    assert ages([invoice("1", "5", today, day=today)], [], AgeingRules(), today + timedelta(days=1))[1] == "5"
