"""What counts as used, temporary raises, what is over the limit."""

from __future__ import annotations

from datetime import date as Day
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.insight import Credit, CreditRules, Sold, Standing, Used, used

D = Decimal
TODAY = Day(2026, 11, 22)
LINE = Sold(D("113"), D(10), shipped=D(6), invoiced=D(2))


@pytest.mark.parametrize(
    ("rules", "counts"),
    [
        (CreditRules(), Used(D(50), D("45.20"), D("45.20"), D(7))),
        (CreditRules(orders=False), Used(D(50), D("45.20"), D(0), D(7))),
        (CreditRules(shipped=False), Used(D(50), D(0), D("45.20"), D(7))),
        (CreditRules(bills=False), Used(D(50), D("45.20"), D("45.20"), D(0))),
    ],
)
def test_what_counts_is_a_setting(rules: CreditRules, counts: Used) -> None:
    assert used(D(50), [LINE], D(7), rules, 2) == counts


@pytest.mark.parametrize(
    ("line", "waiting", "under_way"),
    [
        (Sold(D(100), D(10), D(0), D(0)), 100, 0),
        (Sold(D(100), D(10), D(10), D(10)), 0, 0),
        (Sold(D(100), D(10), D(0), D(4)), 60, 0),  # invoiced before it is shipped
        (Sold(D(100), D(10), D(12), D(10)), 0, 0),  # more was shipped than ordered
        (Sold(D(100), D(10), D(4), D(1), closed=True), 0, 30),
        (Sold(D(100), D(0), D(0), D(0)), 0, 0),
        (Sold(D(100), D(10), D(0), D(0), rate=D("7.1")), 710, 0),
    ],
)
def test_what_of_an_order_counts(line: Sold, waiting: int, under_way: int) -> None:
    assert (line.waiting(), line.under_way()) == (waiting, under_way)


@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9), st.integers(1, 99999))
def test_splitting_an_order_changes_nothing(parts: int, shipped: int, invoiced: int, cents: int) -> None:
    worth = D(cents).scaleb(-2)
    whole = Sold(worth * parts, D(9 * parts), D(shipped * parts), D(invoiced * parts), D("7.1"))
    split = [Sold(worth, D(9), D(shipped), D(invoiced), D("7.1"))] * parts
    rules = CreditRules()
    assert used(D(0), [whole], D(0), rules, 2) == used(D(0), split, D(0), rules, 2)


def test_a_raise_holds_until_its_last_day_and_only_when_somebody_agreed() -> None:
    raised = Credit(D(1000), D(200), Day(2026, 11, 22), approved=True)
    assert raised.on(TODAY) == 1200
    assert raised.on(Day(2026, 11, 23)) == 1000
    assert Credit(D(1000), D(200), Day(2026, 12, 1)).on(TODAY) == 1000
    assert Credit(D(1000), D(200), None, approved=True).on(TODAY) == 1000
    assert Credit(None, D(200), Day(2026, 12, 1), approved=True).on(TODAY) is None


def test_what_is_over_the_limit() -> None:
    stands = Standing(D(1000), Used(D(600), D(100), D(100)))
    assert (stands.free, stands.lacks(D(200)), stands.lacks(D("200.01"))) == (D(200), D(0), D("0.01"))
    assert Standing(D(1000), Used(D(1300))).lacks(D(10)) == 310
    assert Standing(None, Used(D(1300))).lacks(D(10)) == 0


def test_members_of_a_group_use_one_limit() -> None:
    both = Used(D(600), D(1), D(2), D(3)) + Used(D(300), D(10), D(20), D(30))
    assert both == Used(D(900), D(11), D(22), D(33)) and both.total == 966
