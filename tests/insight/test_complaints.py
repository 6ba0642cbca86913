"""Complaints counted: every case once, whatever they are grouped by."""

from __future__ import annotations

from datetime import date as Day
from datetime import timedelta
from decimal import Decimal
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from datong.insight.complaints import By, Complaint, Sent, counted
from tests.properties.laws import law

FIRST, LAST = Day(2026, 11, 1), Day(2026, 11, 30)
DAYS = st.integers(-40, 40).map(lambda n: Day(2026, 11, 15) + timedelta(n))
NAMES = st.sampled_from(["", "A", "B"])
COMPLAINTS = st.lists(
    st.builds(Complaint, DAYS, NAMES, NAMES, NAMES, st.integers(1, 4).map(Decimal), st.booleans()), max_size=20
)


@law
@given(COMPLAINTS, st.sampled_from(get_args(By)))
def test_every_case_of_the_period_is_counted_once(complaints: list[Complaint], by: By) -> None:
    groups = counted(complaints, by, FIRST, LAST)
    mine = [one for one in complaints if FIRST <= one.day <= LAST]
    assert sum(group.cases for group in groups) == len(mine)
    assert sum(group.open for group in groups) == sum(one.open for one in mine)
    assert sum(group.quantity for group in groups) == sum(one.quantity for one in mine)
    assert all(sum(group.reasons.values()) == group.cases > 0 for group in groups)
    keys = [{"product": (g.product,), "lot": (g.product, g.lot), "reason": (g.reason,)}[by] for g in groups]
    assert len(set(keys)) == len(keys)
    assert [group.cases for group in groups] == sorted((group.cases for group in groups), reverse=True)


def test_a_lot_is_set_against_all_that_was_shipped_of_it_and_a_product_against_the_period() -> None:
    bad = [Complaint(Day(2026, 11, 3), "A", "L1", "noise", Decimal(2))]
    sent = [
        Sent(Day(2026, 10, 1), "A", "L1", Decimal(300)),
        Sent(Day(2026, 11, 1), "A", "L1", Decimal(100)),
        Sent(Day(2026, 11, 2), "A", "L2", Decimal(50)),
        Sent(Day(2026, 12, 1), "A", "L1", Decimal(999)),
        Sent(Day(2026, 11, 2), "B", "L1", Decimal(7)),
    ]
    (lot,) = counted(bad, "lot", FIRST, LAST, sent)
    assert (lot.shipped, lot.per_mille) == (Decimal(400), Decimal("5.0"))
    (product,) = counted(bad, "product", FIRST, LAST, sent)
    assert (product.shipped, product.per_mille) == (Decimal(150), Decimal("13.3"))
    (reason,) = counted(bad, "reason", FIRST, LAST, sent)
    assert (reason.shipped, reason.per_mille) == (Decimal(0), None)
