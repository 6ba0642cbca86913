"""Forecasts: nothing that names a product and a month is lost, and what is kept says again what was in sight."""

from __future__ import annotations

from datetime import date as Day
from datetime import datetime
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datong.base.clock import UTC
from datong.canon import Forecast, ForecastLine, Order, OrderLine
from datong.insight.demand import Around, Signal, grouped
from datong.insight.forecast import compared, drafted, latest, told
from datong.reckoning.exact import summed

SEEN = datetime(2026, 11, 22, tzinfo=UTC)
signals = st.builds(
    Signal,
    source=st.sampled_from(("pipeline", "quote", "wish")),
    origin=st.just("opportunity:1"),
    product=st.sampled_from(("", "product:1", "product:2")),
    region=st.sampled_from(("", "region:1")),
    company=st.sampled_from(("asia", "europe")),
    month=st.sampled_from(("", "2026-12", "2027-01")),
    quantity=st.decimals("0", "100000", places=2),
    unit=st.sampled_from(("unit:1", "unit:2")),
    amount=st.decimals("0", "100000", places=2),
    currency=st.sampled_from(("CNY", "JPY")),
    weight=st.integers(0, 100).map(Decimal),
)


def forecast(lines: dict[str, ForecastLine], version: str = "1", **more: object) -> Forecast:
    head = {"company": "asia", "month": "2026-12", "version": Decimal(version), "sight": SEEN, **more}
    return Forecast.model_construct(**head, lines=lines)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(signals, max_size=12))
def test_the_quantities_of_a_month_are_kept_and_told_again(given_signals: list[Signal]) -> None:
    drafts = drafted(given_signals)
    for (company, month), lines in drafts.items():
        mine = [one for one in given_signals if (one.company, one.month) == (company, month) and one.product]
        kept = forecast({str(n): line for n, line in enumerate(lines)}, company=company, month=month)
        again = list(told(kept, "forecast:1"))
        assert summed(one.likely_quantity for one in again) == summed(one.likely_quantity for one in mine)
        assert {one.month for one in again} == {month}
        shown = summed(group.likely_quantity for group in grouped(again, "product"))
        assert shown == summed(one.likely_quantity for one in mine)
    expected = {(one.company, one.month) for one in given_signals if one.product and one.month and one.likely_quantity}
    assert drafts.keys() == expected


def test_the_latest_is_by_version_and_not_withdrawn() -> None:
    several = {
        "forecast:1": forecast({}, "9"),
        "forecast:2": forecast({}, "10"),
        "forecast:3": forecast({}, "11", withdrawn=True),
        "forecast:4": forecast({}, "12", sight=None),
    }
    assert latest(several) == {("asia", "2026-12"): "forecast:2"}


def test_what_was_ordered_is_set_beside_it_by_unit_and_month() -> None:
    line = ForecastLine.model_construct(product="product:1", unit="unit:1", quantity=Decimal(10))

    def order(day: str, quantity: str, unit: str = "unit:1", company: str = "asia") -> Order:
        one = OrderLine.model_construct(product="product:1", quantity=Decimal(quantity), unit=unit)
        return Order.model_construct(company=company, date=Day.fromisoformat(day), lines={"a": one})

    orders = [
        order("2026-12-01", "4"),
        order("2026-12-31", "4"),
        order("2026-12-05", "3", unit="unit:2"),
        order("2027-01-01", "50"),
        order("2026-12-05", "50", company="europe"),
    ]
    hits = {one.unit: one for one in compared([forecast({"1": line})], orders, Around())}
    assert {unit: (one.expected, one.ordered) for unit, one in hits.items()} == {"unit:1": (10, 8), "unit:2": (0, 3)}
    assert (hits["unit:1"].off, hits["unit:1"].accuracy) == (-2, Decimal("75.0"))
    assert hits["unit:2"].accuracy == 0
