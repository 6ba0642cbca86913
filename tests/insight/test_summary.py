"""Turnover by fiscal year and month, habits, favourite groups."""

from __future__ import annotations

from calendar import monthrange
from datetime import date as Day
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.insight import (
    Charge,
    Received,
    Sale,
    SummaryRules,
    Turnover,
    Worth,
    fiscal_month,
    fiscal_year,
    habits_of,
    said,
    turnover,
)

D = Decimal
TODAY = Day(2026, 11, 22)


def sale(day: Day, net: str, total: str = "", **groups: str) -> Sale:
    worth = Worth(D(net), D(total or net))
    return Sale(day, worth, groups={name: Worth(D(one), D(one)) for name, one in groups.items()})


@pytest.mark.parametrize(
    ("day", "closing", "first", "last"),
    [
        (TODAY, 31, Day(2026, 11, 1), Day(2026, 11, 30)),
        (TODAY, 25, Day(2026, 10, 26), Day(2026, 11, 25)),
        (Day(2026, 11, 26), 25, Day(2026, 11, 26), Day(2026, 12, 25)),
        (Day(2026, 12, 31), 25, Day(2026, 12, 26), Day(2027, 1, 25)),
        (Day(2027, 2, 28), 30, Day(2027, 1, 31), Day(2027, 2, 28)),
        (Day(2027, 3, 1), 30, Day(2027, 3, 1), Day(2027, 3, 30)),
        (Day(2028, 2, 29), 29, Day(2028, 1, 30), Day(2028, 2, 29)),
        (Day(2027, 3, 1), 29, Day(2027, 3, 1), Day(2027, 3, 29)),
        (Day(2027, 1, 1), 31, Day(2027, 1, 1), Day(2027, 1, 31)),
    ],
)
def test_the_fiscal_month(day: Day, closing: int, first: Day, last: Day) -> None:
    assert fiscal_month(day, SummaryRules(closing_day=closing)) == (first, last)


@pytest.mark.parametrize(
    ("day", "starts", "closing", "first", "last"),
    [
        (TODAY, 1, 31, Day(2026, 1, 1), Day(2026, 12, 31)),
        (TODAY, 4, 31, Day(2026, 4, 1), Day(2027, 3, 31)),
        (Day(2026, 3, 31), 4, 31, Day(2025, 4, 1), Day(2026, 3, 31)),
        (Day(2026, 12, 26), 1, 25, Day(2026, 12, 26), Day(2027, 12, 25)),
        (Day(2026, 12, 25), 1, 25, Day(2025, 12, 26), Day(2026, 12, 25)),
        (Day(2028, 2, 29), 3, 31, Day(2027, 3, 1), Day(2028, 2, 29)),
    ],
)
def test_the_fiscal_year(day: Day, starts: int, closing: int, first: Day, last: Day) -> None:
    assert fiscal_year(day, SummaryRules(year_starts=starts, closing_day=closing)) == (first, last)


@given(st.dates(Day(2024, 1, 1), Day(2032, 12, 31)), st.integers(1, 12), st.integers(1, 31))
def test_fiscal_months_and_years_cover_every_day_once(day: Day, starts: int, closing: int) -> None:
    rules = SummaryRules(year_starts=starts, closing_day=closing)
    for span in (fiscal_month, fiscal_year):
        first, last = span(day, rules)
        assert first <= day <= last
        assert span(first, rules) == span(last, rules) == (first, last)
        assert span(last + timedelta(days=1), rules)[0] == last + timedelta(days=1)
    month, year = fiscal_month(day, rules), fiscal_year(day, rules)
    assert year[0] <= month[0] and month[1] <= year[1]
    assert year[1].day == min(closing, monthrange(year[1].year, year[1].month)[1])
    assert 365 <= (year[1] - year[0]).days + 1 <= 367  # 31 days of January become 28 or 29 of February


def test_turnover_of_year_month_and_last_year() -> None:
    sales = [
        sale(Day(2025, 12, 31), "100", "113"),
        sale(Day(2026, 1, 1), "10", "11.3"),
        sale(Day(2026, 11, 1), "5", "5.65"),
        sale(Day(2026, 11, 10), "-2", "-2.26"),
        sale(Day(2026, 11, 23), "1000", "1130"),
        sale(Day(2024, 12, 31), "7", "7.91"),
    ]
    assert turnover(sales, TODAY, SummaryRules(), 2) == Turnover(D(13), D(3), D(100))
    with_tax = turnover(sales, TODAY, SummaryRules(tax="with"), 2)
    assert with_tax == Turnover(D("14.69"), D("3.39"), D(113))
    april = turnover(sales, TODAY, SummaryRules(year_starts=4), 2)
    assert april == Turnover(D(3), D(3), D(110))


def test_habits() -> None:
    orders = [sale(Day(2026, 9, 1), "100"), sale(Day(2026, 9, 1), "20"), sale(Day(2026, 10, 2), "30")]
    old = sale(Day(2025, 1, 1), "9999")
    charges = [Charge("1", "1", Day(2026, 9, 10), D(150), ((Day(2026, 10, 10), D(150)),))]
    receipts = [
        Received("a", "a", Day(2026, 9, 20), D(100), {"1": D(100)}),
        Received("b", "b", Day(2026, 10, 10), D(60), {"1": D(50)}),
        Received("c", "c", Day(2026, 11, 30), D(60)),
    ]
    found = habits_of([*orders, old], [], charges, receipts, TODAY, SummaryRules(), 2)
    assert (found.last_order, found.last_payment) == (Day(2026, 10, 2), Day(2026, 10, 10))
    assert found.days_to_pay == D("16.7")  # 100 after 10 days, 50 after 30
    assert (found.order_every, found.average_order) == (D(31), D(50))


def test_money_before_the_invoice_took_no_time() -> None:
    charges = [Charge("1", "1", Day(2026, 9, 10), D(100), ((Day(2026, 9, 10), D(100)),))]
    receipts = [Received("a", "a", Day(2026, 9, 1), D(100), {"1": D(100)})]
    assert habits_of([], [], charges, receipts, TODAY, SummaryRules(), 2).days_to_pay == 0


def test_who_never_ordered_has_no_habits() -> None:
    found = habits_of([], [], [], [], TODAY, SummaryRules(), 2)
    assert (found.last_order, found.order_every, found.average_order, found.favourites) == (None, None, None, ())
    once = habits_of([sale(TODAY, "5")], [], [], [], TODAY, SummaryRules(), 2)
    assert (once.order_every, once.average_order) == (None, D(5))


def test_favourite_groups_by_turnover() -> None:
    sales = [
        sale(TODAY, "10", 泵="10", 阀门="5", 轴承="4"),
        sale(Day(2026, 5, 1), "20", 轴承="6", 电缆="10"),
        sale(Day(2026, 6, 1), "-9", 泵="-9"),
        sale(Day(2025, 1, 1), "900", 仪表="900"),
    ]
    found = habits_of([], sales, [], [], TODAY, SummaryRules(), 2)
    assert found.favourites == ("电缆", "轴承", "阀门")


def test_what_turnover_counts_is_said() -> None:
    assert said(SummaryRules(), "Asia/Shanghai", "CNY") == (
        "invoices 开票, without tax 未税; year from month 1 月起, closing month end 月末; Asia/Shanghai; CNY"
    )
    assert "orders 订单, with tax 含税; year from month 4 月起, closing day 25 日" in said(
        SummaryRules(count="orders", tax="with", year_starts=4, closing_day=25), "UTC", "EUR"
    )


@pytest.mark.parametrize("wrong", [{"year_starts": 13}, {"closing_day": 0}, {"window": 0}, {"groups": -1}])
def test_rules_that_mean_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        SummaryRules(**wrong)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.dates(Day(2025, 1, 1), Day(2026, 12, 31)), st.integers(-1000, 1000)), max_size=12),
    st.sampled_from([D(1), D("7.1234")]),
)
def test_the_months_of_a_year_add_up_to_it(sold: list[tuple[Day, int]], rate: Decimal) -> None:
    sales = [Sale(day, Worth(D(amount), D(amount)), rate) for day, amount in sold]
    ends = [Day(2026, month, monthrange(2026, month)[1]) for month in range(1, 13)]
    found = [turnover(sales, day, SummaryRules(), 2) for day in ends]
    assert sum((one.mtd for one in found), D(0)) == found[-1].ytd
    assert turnover(sales, Day(2027, 1, 1), SummaryRules(), 2).last_year == found[-1].ytd
