"""Closed accounting periods: wait, be dated by rule, or ask."""

from datetime import date as Day

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.reckoning.periods import Period, Rule, posting

OCTOBER = Period(Day(2026, 10, 1), Day(2026, 10, 31), False)
NOVEMBER = Period(Day(2026, 11, 1), Day(2026, 11, 30), True)
DECEMBER = Period(Day(2026, 12, 1), Day(2026, 12, 31), True)
YEAR = [DECEMBER, OCTOBER, NOVEMBER]


@pytest.mark.parametrize(
    ("day", "rule", "action", "on"),
    [
        (Day(2026, 11, 22), "wait", "post", Day(2026, 11, 22)),
        (Day(2026, 10, 31), "wait", "wait", None),
        (Day(2026, 10, 31), "date", "post", Day(2026, 11, 1)),
        (Day(2026, 10, 31), "ask", "ask", Day(2026, 11, 1)),
        (Day(2026, 9, 30), "date", "post", Day(2026, 11, 1)),
        (Day(2027, 1, 1), "date", "wait", None),
        (Day(2027, 1, 1), "ask", "ask", None),
    ],
)
def test_where_a_document_goes(day: Day, rule: Rule, action: str, on: Day | None) -> None:
    told = posting(day, YEAR, rule)
    assert (told.action, told.day, told.moved) == (action, on, on not in (None, day))
    assert told.en and told.zh


def test_the_reason_names_the_day() -> None:
    assert posting(Day(2026, 10, 31), YEAR, "date").en == "the period of 2026-10-31 is closed: dated 2026-11-01 by rule"
    assert posting(Day(2026, 9, 1), YEAR, "wait").zh == "2026-09-01 没有对应的会计期间：等待期间打开"


@given(st.dates(Day(2026, 8, 1), Day(2027, 2, 1)), st.sampled_from(["wait", "date", "ask"]))
def test_nothing_is_posted_into_a_closed_period_or_dated_back(day: Day, rule: Rule) -> None:
    told = posting(day, YEAR, rule)
    if told.day is not None:
        assert told.day >= day
        assert any(one.open and one.start <= told.day <= one.end for one in YEAR)
    assert told.action == "post" or not any(one.open and one.start <= day <= one.end for one in YEAR)
