"""When a flow is looked at next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.engine.schedule import Timing, away, due, due_at, next_after

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


def test_every_so_often() -> None:
    assert next_after(Timing(5 * MINUTE), NOON) == NOON + 5 * MINUTE


def test_without_every_the_sweep_still_comes() -> None:
    assert next_after(Timing(sweep=timedelta(hours=6)), NOON) == NOON + timedelta(hours=6)


def test_cron_and_every_both_count() -> None:
    timing = Timing(timedelta(hours=1), "30 12 * * *")
    assert next_after(timing, NOON) == NOON + 30 * MINUTE
    assert next_after(timing, NOON + 30 * MINUTE) == NOON + 90 * MINUTE


@pytest.mark.parametrize(
    ("zone", "hour"), [("UTC", 2), ("Asia/Shanghai", 18), ("Europe/Paris", 1), ("America/New_York", 7)]
)
def test_cron_is_told_in_its_time_zone(zone: str, hour: int) -> None:
    timing = Timing(None, "0 2 * * *", timedelta(days=30), zone)
    assert next_after(timing, NOON).hour == hour


def test_cron_over_the_change_to_summer_time() -> None:
    timing = Timing(None, "30 2 * * *", timedelta(days=30), "Europe/Paris")
    times = [datetime(2026, 3, 27, 12, tzinfo=UTC)]
    for _ in range(4):
        times.append(next_after(timing, times[-1]))
    assert [t.day for t in times[1:]] == [28, 29, 30, 31]


def test_never_looked_at_is_due_now_and_so_it_is_when_the_clock_was_set_back() -> None:
    timing = Timing(5 * MINUTE)
    assert due_at(timing, None, NOON) == NOON
    assert due_at(timing, NOON + timedelta(days=400), NOON) == NOON


def test_after_sleep_each_flow_is_due_once() -> None:
    timings = {"often": Timing(MINUTE), "seldom": Timing(timedelta(days=30), sweep=timedelta(days=30))}
    last = {"often": NOON, "seldom": NOON}
    woken = NOON + timedelta(hours=9)
    assert due(timings, last, woken) == ["often"]
    assert due(timings, {**last, "often": woken}, woken) == []


def test_healthy_webhooks_leave_sweep_and_cron() -> None:
    timing = Timing(5 * MINUTE, "0 * * * *", timedelta(hours=6))
    assert next_after(timing.relaxed(), NOON) == NOON + timedelta(hours=1)
    assert next_after(Timing(5 * MINUTE, None, timedelta(hours=6)).relaxed(), NOON) == NOON + timedelta(hours=6)


def test_away_is_more_than_twice_the_shortest_interval() -> None:
    timings = [Timing(5 * MINUTE), Timing(timedelta(hours=1))]
    assert away(NOON, NOON + 10 * MINUTE, timings) is None
    assert away(NOON, NOON + 11 * MINUTE, timings) == 11 * MINUTE
    assert away(None, NOON, timings) is None
    assert away(NOON, NOON + timedelta(days=9), []) is None


@given(
    last=MOMENTS,
    every=st.none() | st.integers(1, 10**6).map(lambda s: timedelta(seconds=s)),
    cron=st.none() | st.sampled_from(["*/7 * * * *", "0 2 * * 1-5", "15 3 1 * *", "30 2 * * *"]),
    sweep=st.integers(1, 10**6).map(lambda s: timedelta(seconds=s)),
    zone=st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"]),
)
def test_the_next_look_is_later_and_never_beyond_the_sweep(
    last: datetime, every: timedelta | None, cron: str | None, sweep: timedelta, zone: str
) -> None:
    following = next_after(Timing(every, cron, sweep, zone), last)
    assert last < following <= last + sweep
    assert following.utcoffset() == timedelta(0)
