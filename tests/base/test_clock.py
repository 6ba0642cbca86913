from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base.clock import ManualClock, SystemClock, from_text, local_date, to_text

moments = st.datetimes(
    min_value=datetime(1, 1, 3),
    max_value=datetime(9999, 12, 29),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-9, minutes=-30))]),
)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        to_text(datetime(2026, 11, 21, 8, 0))


@given(moments)
def test_there_and_back(moment: datetime) -> None:
    assert from_text(to_text(moment)) == moment
    assert len(to_text(moment)) == 27


@given(moments, moments)
def test_the_text_sorts_by_time(one: datetime, other: datetime) -> None:
    assert (to_text(one) < to_text(other)) == (one < other)


def test_the_first_year_sorts_first() -> None:
    """What some systems say for *no date*; strftime writes its year as one digit."""
    assert to_text(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-11-21T16:00:00+08:00", "UTC", "2026-11-21T08:00:00.000000Z"),
        ("2026-11-21T08:00:00Z", "Asia/Shanghai", "2026-11-21T08:00:00.000000Z"),
        ("2026-11-21 16:00:00.123456", "Asia/Shanghai", "2026-11-21T08:00:00.123456Z"),
        ("2026-11-21T16:00:00.123456789", "Asia/Shanghai", "2026-11-21T08:00:00.123456Z"),
        ("2026-11-21", "Asia/Shanghai", "2026-11-20T16:00:00.000000Z"),
        ("2026-07-01T12:00:00", "Europe/Paris", "2026-07-01T10:00:00.000000Z"),
        ("2026-12-01T12:00:00", "Europe/Paris", "2026-12-01T11:00:00.000000Z"),
        ("2026-10-25T02:30:00", "Europe/Paris", "2026-10-25T00:30:00.000000Z"),  # happens twice: the first
        ("2026-03-29T02:30:00", "Europe/Paris", "2026-03-29T01:30:00.000000Z"),  # does not happen
        ("1988-07-01T12:00:00", "Asia/Shanghai", "1988-07-01T03:00:00.000000Z"),  # China had summer time
    ],
)
def test_texts_are_read(text: str, zone: str, utc: str) -> None:
    assert to_text(from_text(text, zone)) == utc


@pytest.mark.parametrize("bad", ["", "yesterday", "21.11.2026", "2026-13-01", "昨天", "0001-01-01T00:00:00+08:00"])
def test_what_is_no_time_is_a_value_error(bad: str) -> None:
    with pytest.raises(ValueError):
        from_text(bad)


@pytest.mark.parametrize(
    ("utc", "zone", "day"),
    [
        ("2026-11-20T16:00:00Z", "Asia/Shanghai", date(2026, 11, 21)),
        ("2026-11-20T15:59:59Z", "Asia/Shanghai", date(2026, 11, 20)),
        ("2026-06-30T22:00:00Z", "Europe/Paris", date(2026, 7, 1)),
        ("2026-12-31T22:30:00Z", "Europe/Paris", date(2026, 12, 31)),
    ],
)
def test_today_is_where_the_company_is(utc: str, zone: str, day: date) -> None:
    assert local_date(from_text(utc), zone) == day


def test_a_manual_clock_moves_when_told() -> None:
    clock = ManualClock()
    start = clock.now()
    clock.sleep(90)
    assert clock.now() - start == timedelta(seconds=90)
    assert clock.monotonic() == 90
    clock.advance(-3600)  # the wall clock is put back; the other is not
    assert clock.monotonic() == 90
    assert clock.now() < start


def test_the_system_clock_knows_its_zone() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
