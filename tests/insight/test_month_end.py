"""What is a mismatch and what is none: laws over made-up months, and the cases that are easily got wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date as Day
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datong.canon import (
    Allocation,
    Invoice,
    InvoiceLine,
    Order,
    OrderLine,
    Payment,
    Return,
    ReturnLine,
    Shipment,
    ShipmentLine,
)
from datong.insight.month_end import Documents, MonthEnd, Systems, Tolerance, TwoSided, compare
from datong.insight.span import Span

NOVEMBER = Span.parse("2026-11")
MIDDLE, LAST, AFTER = Day(2026, 11, 12), Day(2026, 11, 30), Day(2026, 12, 2)
KINDS = frozenset({"order", "shipment", "invoice", "payment", "return"})
SIDES = Systems(KINDS, dict.fromkeys(KINDS - {"payment"}, frozenset({"crm", "erp"})), KINDS)
CODES = {"currency:1": "CNY", "currency:2": "USD"}


def both(reference: str, record: Any, **more: Any) -> TwoSided[Any]:
    return TwoSided(reference, record, record, **more)


def order(
    quantity: str = "10", price: str = "100", number: int = 1, line: Mapping[str, Any] | None = None, **more: Any
) -> TwoSided[Order]:
    told = {"quantity": Decimal(quantity), "price": Decimal(price), "tax_rate": Decimal(13), "product": "product:1"}
    lines = {"a": OrderLine(**{"position": Decimal(10), **told, **(line or {})})}
    head = {"erp_number": f"SO-{number}", "date": MIDDLE, "currency": "currency:1", "state": "confirmed", **more}
    return both(f"order:{number}", Order.model_construct(None, lines=lines, **head))


def shipped(quantity: Any, day: Day = MIDDLE, line: str | None = "10", of: int = 1) -> TwoSided[Shipment]:
    told = ShipmentLine(order=f"order:{of}", order_line=line, quantity=Decimal(quantity), product="product:1")
    made = Shipment.model_construct(None, state="shipped", date=day, lines={"x": told}, erp_number=f"SH-{day}")
    return both(f"shipment:{id(told)}", made)


def invoiced(
    quantity: Any, day: Day = MIDDLE, price: str = "100", line: str | None = "10", of: int = 1, **more: Any
) -> TwoSided[Invoice]:
    total = Decimal(quantity) * Decimal(price) * Decimal("1.13")
    told = InvoiceLine(order=f"order:{of}", order_line=line, product="product:1", quantity=Decimal(quantity))
    told = told.model_copy(update={"price": Decimal(price), "tax_rate": Decimal(13), "total": total})
    head = {"type": "invoice", "state": "posted", "currency": "currency:1", "erp_number": f"IN-{day}", **more}
    made = Invoice.model_construct(None, date=day, total=total, lines={"x": told}, **head)
    return both(more.get("reference", f"invoice:{id(told)}"), made)


def found(
    orders: list[TwoSided[Order]],
    shipments: list[TwoSided[Shipment]],
    invoices: list[TwoSided[Invoice]],
    payments: list[TwoSided[Payment]] | None = None,
    returns: list[TwoSided[Return]] | None = None,
    **how: Any,
) -> MonthEnd:
    tolerance = Tolerance(**{"grace_days": 3, **how.pop("tolerance", {})})
    told = Documents(orders, shipments, invoices, payments or [], returns or [])
    return compare(told, NOVEMBER, how.pop("systems", SIDES), CODES, tolerance, how.pop("today", Day(2027, 1, 1)))


def codes(result: MonthEnd) -> list[tuple[str, Decimal]]:
    return [(one.code, one.amount) for one in result.mismatches]


# laws

splits = st.lists(st.integers(1, 5), min_size=1, max_size=5)
in_november = st.integers(0, 29).map(lambda number: NOVEMBER.start + timedelta(number))


@settings(max_examples=80, deadline=None)
@given(splits, splits, st.data())
def test_what_is_shipped_and_invoiced_agrees_however_it_was_split(
    goods: list[int], bills: list[int], data: st.DataObject
) -> None:
    """And where it does not, the one mismatch is what is missing, at its price."""
    left = data.draw(st.integers(0, 3))
    went, billed = sum(goods), sum(bills)
    shipments = [shipped(n, data.draw(in_november)) for n in goods]
    invoices = [invoiced(n, data.draw(in_november)) for n in bills]
    result = found([order(str(max(went, billed) + left))], shipments, invoices)
    expected = []
    if went != billed:
        code = "SHIPPED_NOT_INVOICED" if went > billed else "INVOICED_NOT_SHIPPED"
        expected = [(code, Decimal(abs(went - billed)) * 113)]
    assert codes(result) == expected
    (row,) = result.rows
    assert (row.shipped, row.invoiced) == (went, billed)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_a_surplus_is_told_once(wanted: int, went: int, billed: int) -> None:
    """Beyond the order it is that and nothing else: the parts add up to what differs."""
    result = found([order(str(wanted))], [shipped(went)] if went else [], [invoiced(billed)] if billed else [])
    told = dict(codes(result))
    assert len(told) == len(result.mismatches)
    assert told.get("OVER_SHIPPED", 0) == max(went - wanted, 0) * 113
    assert told.get("OVER_INVOICED", 0) == max(billed - wanted, 0) * 113
    assert told.get("SHIPPED_NOT_INVOICED", 0) == max(min(went, wanted) - billed, 0) * 113
    assert told.get("INVOICED_NOT_SHIPPED", 0) == max(min(billed, wanted) - went, 0) * 113


# cases


@pytest.mark.parametrize(
    ("went", "billed", "today", "late"),
    [
        (LAST, AFTER, Day(2027, 1, 1), False),
        (LAST, Day(2026, 12, 4), Day(2027, 1, 1), True),
        (LAST, None, LAST, False),  # there is time left
        (LAST, None, Day(2026, 12, 3), True),
        (Day(2026, 11, 27), None, LAST, True),
        (AFTER, None, Day(2027, 1, 1), False),  # of December
        (Day(2026, 3, 1), None, Day(2027, 1, 1), True),  # however old
    ],
)
def test_grace(went: Day, billed: Day | None, today: Day, late: bool) -> None:
    result = found([order(date=went)], [shipped(10, went)], [invoiced(10, billed)] if billed else [], today=today)
    assert codes(result) == ([("SHIPPED_NOT_INVOICED", Decimal(1130))] if late else [])


def test_a_credit_note_takes_back_what_it_reverses_and_a_draft_is_nothing() -> None:
    bill = invoiced(10, state="cancelled", reference="invoice:1")
    note = invoiced(-10, type="credit_note", reverses="invoice:1", state="paid")
    assert codes(found([order()], [shipped(10)], [bill, note])) == [("SHIPPED_NOT_INVOICED", Decimal(1130))]
    again = invoiced(10, LAST)
    assert codes(found([order()], [shipped(10)], [bill, note, again])) == []
    discarded = invoiced(10, state="cancelled", reference="invoice:2")
    assert codes(found([order()], [], [discarded])) == []


@pytest.mark.parametrize(("outcome", "billed"), [("refunded", 8), ("exchanged", 8), ("repaired", 10)])
def test_what_came_back_is_not_to_be_invoiced(outcome: str, billed: int) -> None:
    line = ReturnLine(order_line="10", product="product:1", quantity=Decimal(2), received=Decimal(2))
    back = Return.model_construct(None, order="order:1", outcome=outcome, received_on=LAST, lines={"r": line})
    bills = [invoiced(10), *([invoiced(-2, type="credit_note", state="paid")] if billed == 8 else [])]
    assert codes(found([order()], [shipped(10)], bills, returns=[both("return:1", back)])) == []
    if billed == 8:  # goods are back, and nobody gave the money back
        late = found([order()], [shipped(10)], bills[:1], returns=[both("return:1", back)])
        assert codes(late) == [("INVOICED_NOT_SHIPPED", Decimal(226))] and "2" in late.mismatches[0].why


def test_too_many_that_came_back_are_no_surplus() -> None:
    line = ReturnLine(order_line="10", product="product:1", quantity=Decimal(2), received=Decimal(2))
    back = Return.model_construct(None, order="order:1", outcome="refunded", received_on=LAST, lines={"r": line})
    returns = [both("return:1", back)]
    assert codes(found([order()], [shipped(12)], [invoiced(10)], returns=returns)) == []
    less = found([order()], [shipped(12)], [invoiced(8)], returns=returns)
    assert codes(less) == [("SHIPPED_NOT_INVOICED", Decimal(226))]


def test_what_costs_nothing_needs_no_invoice() -> None:
    assert codes(found([order(price="0", line={"free": "gift"})], [shipped(10)], [])) == []


def test_a_cancelled_order_orders_nothing() -> None:
    assert codes(found([order(state="cancelled")], [], [])) == []
    assert codes(found([order(state="cancelled")], [shipped(3)], [])) == [("OVER_SHIPPED", Decimal(339))]


@pytest.mark.parametrize("line", [None, "10", "a"])
def test_a_line_is_known_by_position_by_key_or_as_the_only_one_of_its_product(line: str | None) -> None:
    assert codes(found([order()], [shipped(4, line=line), shipped(6)], [invoiced(10, line=line)])) == []


def test_prices_are_compared_after_discount_and_with_the_tax_of_each_document() -> None:
    included = invoiced(10, price="113", tax_included=True)
    assert codes(found([order()], [shipped(10)], [included])) == []
    less = found([order(line={"discount": Decimal(10)})], [shipped(10)], [invoiced(10)])
    assert codes(less) == [("INVOICED_PRICE_DIFFERS", Decimal(113))]
    assert (
        codes(found([order()], [shipped(10)], [invoiced(10, price="100.4")], tolerance={"price": Decimal("0.005")}))
        == []
    )
    assert (
        codes(found([order()], [shipped(10)], [invoiced(10, price="99")], tolerance={"amount": Decimal("11.3")})) == []
    )


def test_the_most_money_comes_first_whatever_its_currency() -> None:
    dear = order("1", "1000", 1, currency="currency:2", rate=Decimal(7))
    cheap = order("5", "1000", 2)
    result = found([cheap, dear], [shipped(1, of=1), shipped(5, of=2)], [])
    assert [(one.number, one.currency, one.worth) for one in result.mismatches] == [
        ("SO-1", "USD", Decimal(7910)),
        ("SO-2", "CNY", Decimal(5650)),
    ]


def test_what_a_system_does_not_have_is_not_missed_there() -> None:
    """Without shipments in the ERP nothing is said about shipping; a CRM without invoices lacks none."""
    known = frozenset({"order", "invoice"})
    systems = Systems(frozenset({"order"}), {"order": frozenset({"crm", "erp"})}, known)
    only_there = TwoSided("invoice:1", None, invoiced(10).erp)
    assert codes(found([order()], [], [only_there], systems=systems)) == []


def test_received_is_shared_out_over_the_lines_of_an_invoice() -> None:
    first = InvoiceLine(order="order:1", order_line="10", quantity=Decimal(1), price=Decimal(1), total=Decimal("0.01"))
    second = first.model_copy(update={"order": "order:2", "total": Decimal("0.02")})
    bill = Invoice.model_construct(
        None,
        type="invoice",
        state="posted",
        date=MIDDLE,
        total=Decimal("0.03"),
        currency="currency:1",
        lines={"x": first, "y": second},
    )
    paid = Payment.model_construct(
        None,
        state="posted",
        date=LAST,
        amount=Decimal("0.02"),
        currency="currency:1",
        unallocated=Decimal(0),
        allocations={"p": Allocation(invoice="invoice:1", amount=Decimal("0.02"))},
    )
    orders = [order("1", "0.01", 1), order("1", "0.01", 2)]
    goods = [shipped(1, of=1), shipped(1, of=2)]
    result = found(orders, goods, [both("invoice:1", bill)], [both("payment:1", paid)])
    assert sorted(row.received for row in result.rows) == [Decimal("0.01"), Decimal("0.01")]
    assert result.totals["CNY"].received == Decimal("0.02")
