"""Laws of the statement: it adds up, months join, and how movements are split over documents changes no balance."""

from __future__ import annotations

from datetime import date as Day
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datong.canon import Allocation, Invoice, Payment
from datong.insight.span import Span
from datong.insight.statement import Ledger, Statement, Undated, ledger, statement

FIRST = Day(2026, 9, 1)
SEPTEMBER, OCTOBER, NOVEMBER = (Span.parse(f"2026-{month:02}") for month in (9, 10, 11))
days = st.integers(0, 120).map(lambda number: FIRST + timedelta(number))
cents = st.integers(0, 10**7).map(lambda number: Decimal(number).scaleb(-2))
Books = tuple[dict[str, Invoice], dict[str, Payment]]


def invoice(day: Day, total: Decimal, **more: object) -> Invoice:
    told = {"type": "invoice", "state": "posted", "due": day + timedelta(30), "erp_number": f"IN-{day}", **more}
    return Invoice.model_construct(None, date=day, total=total, **told)


@st.composite
def books(draw: st.DrawFn) -> Books:
    """Invoices, credit notes before and after them, receipts with and without allocations, reversed and drafts too."""
    invoices: dict[str, Invoice] = {}
    payments: dict[str, Payment] = {}
    for number in range(draw(st.integers(0, 6))):
        key = f"invoice:{number}"
        state = draw(st.sampled_from(("posted", "paid", "draft", "cancelled")))
        invoices[key] = invoice(draw(days), draw(cents), state=state, due=draw(days))
        if draw(st.booleans()):
            total = draw(st.sampled_from((invoices[key].total, draw(cents)))) or Decimal(0)
            note = invoice(draw(days), -total, type="credit_note", reverses=key)
            invoices[f"invoice:9{number}"] = note
    for number in range(draw(st.integers(0, 6))):
        amount = draw(cents)
        parts = {}
        if invoices and draw(st.booleans()):
            parts["a"] = Allocation(invoice=draw(st.sampled_from(sorted(invoices))), amount=draw(st.just(amount)))
        state = draw(st.sampled_from(("posted", "cleared", "reversed")))
        values = {"state": state, "date": draw(days), "amount": amount, "allocations": parts}
        if state == "reversed" and draw(st.booleans()):
            values["reversed_on"] = draw(days)
        payments[f"payment:{number}"] = Payment.model_construct(None, erp_number=f"RC-{number}", **values)
    return invoices, payments


def made(told: Books | Ledger, span: Span) -> Statement:
    of = told if isinstance(told, Ledger) else ledger(*told)
    return statement("account:1", "asia", "CNY", of, span)


def independent(told: Books, until: Day) -> Decimal:
    """What is owed at the end of a day, straight from the documents."""
    invoices, payments = told
    notes = {one.reverses for one in invoices.values() if one.type == "credit_note"}
    owed = Decimal(0)
    for key, one in invoices.items():
        stands = one.state in ("posted", "paid") or (one.state == "cancelled" and key in notes)
        if stands and one.date and one.date <= until:
            owed += one.total or 0
    for p in payments.values():
        there = p.date is not None and p.date <= until
        if p.state == "reversed":
            there = there and p.reversed_on is not None and p.reversed_on > until
        owed -= (p.amount or Decimal(0)) if there else Decimal(0)
    return owed


@settings(max_examples=60, deadline=None)
@given(books())
def test_opening_and_movements_are_the_closing_balance(told: Books) -> None:
    one = made(told, OCTOBER)
    assert one.opening + one.debit - one.credited == one.closing
    assert [line.balance for line in one.lines][-1:] in ([], [one.closing])
    assert one.opening == independent(told, SEPTEMBER.end) and one.closing == independent(told, OCTOBER.end)
    assert all(line.entry.day in OCTOBER for line in one.lines)


@settings(max_examples=60, deadline=None)
@given(books())
def test_two_months_join(told: Books) -> None:
    first, second = made(told, SEPTEMBER), made(told, OCTOBER)
    both = made(told, Span(SEPTEMBER.start, OCTOBER.end))
    assert first.closing == second.opening
    assert [line.entry for line in (*first.lines, *second.lines)] == [line.entry for line in both.lines]
    assert (both.opening, both.closing) == (first.opening, second.closing)


@settings(max_examples=60, deadline=None)
@given(books())
def test_the_ages_add_up_to_the_closing_balance(told: Books) -> None:
    for span in (SEPTEMBER, OCTOBER, NOVEMBER):
        one = made(told, span)
        assert sum(one.buckets.values(), Decimal(0)) + one.credit == one.closing
        assert min(one.buckets.values()) >= 0 >= one.credit


@settings(max_examples=60, deadline=None)
@given(books(), st.data())
def test_any_split_of_a_movement_leaves_every_balance(told: Books, data: st.DataObject) -> None:
    """An invoice in two parts, a receipt in two parts: the same days, the same balances."""
    invoices, payments = dict(told[0]), dict(told[1])
    notes = {one.reverses for one in invoices.values()}
    for key, one in told[0].items():
        if one.type == "invoice" and one.state == "posted" and key not in notes and one.total and one.total > 1:
            part = Decimal(data.draw(st.integers(1, int(one.total * 100) - 1))).scaleb(-2)
            invoices[key] = one.model_copy(update={"total": one.total - part})
            invoices[f"{key}0"] = one.model_copy(update={"total": part})
    for key, paid in told[1].items():
        if not paid.allocations and paid.amount and paid.amount > 1:
            part = Decimal(data.draw(st.integers(1, int(paid.amount * 100) - 1))).scaleb(-2)
            payments[key] = paid.model_copy(update={"amount": paid.amount - part})
            payments[f"{key}0"] = paid.model_copy(update={"amount": part})
    for span in (SEPTEMBER, OCTOBER, NOVEMBER):
        whole, split = made(told, span), made((invoices, payments), span)
        assert (whole.opening, whole.closing, whole.debit, whole.credited) == (
            split.opening,
            split.closing,
            split.debit,
            split.credited,
        )


@settings(max_examples=60, deadline=None)
@given(books())
def test_what_is_confirmed_stands_for_its_figures(told: Books) -> None:
    before = made(told, OCTOBER)
    assert made(told, OCTOBER).stands_for == before.stands_for
    more = {**told[0], "invoice:x": invoice(Day(2026, 10, 31), Decimal("0.01"))}
    assert made((more, told[1]), OCTOBER).stands_for != before.stands_for
    later = {**told[0], "invoice:x": invoice(Day(2026, 11, 1), Decimal("0.01"))}
    assert made((later, told[1]), OCTOBER).stands_for == before.stands_for


def test_a_document_without_a_day_is_told_and_not_left_out() -> None:
    with pytest.raises(Undated, match="IN-7"):
        ledger({"invoice:1": Invoice.model_construct(None, state="posted", erp_number="IN-7", total=Decimal(1))}, {})


def test_a_month_is_whole() -> None:
    assert Span.parse("2028-02").end == Day(2028, 2, 29)
    assert Span.parse("2026-10..2026-12") == Span(Day(2026, 10, 1), Day(2026, 12, 31))
    assert [str(Span.parse(text)) for text in ("2026-12", "2026-10..2027-01")] == ["2026-12", "2026-10..2027-01"]
    for wrong in ("2026", "2026-13", "11-2026", "2026-12..2026-10", "0000-01", "2026-11-01", ""):
        with pytest.raises(ValueError):
            Span.parse(wrong)


def test_a_reversed_receipt_stands_until_its_reversal_and_both_are_shown() -> None:
    paid = {"state": "reversed", "date": Day(2026, 9, 20), "amount": Decimal(70), "erp_number": "RC-1"}
    told: Books = (
        {"invoice:1": invoice(Day(2026, 9, 1), Decimal(100))},
        {"payment:1": Payment.model_construct(None, reversed_on=Day(2026, 11, 5), **paid)},
    )
    september, october, november = (made(told, span) for span in (SEPTEMBER, OCTOBER, NOVEMBER))
    assert [line.entry.kind for line in september.lines] == ["invoice", "receipt"]
    assert (september.closing, october.opening, october.lines, october.closing) == (30, 30, (), 30)
    assert (october.credit, sum(october.buckets.values())) == (-70, 100)
    assert [(line.entry.kind, line.entry.amount) for line in november.lines] == [("reversal", 70)]
    assert (november.closing, november.credit, november.buckets["due_31_60"]) == (100, 0, 100)
    december = made(told, Span.parse("2026-12"))
    assert (december.opening, december.lines, december.closing) == (100, (), 100), "both lie in earlier months"
