from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base.clock import ManualClock
from datong.kit.budget import Budget


def test_without_a_rate_nobody_waits() -> None:
    clock = ManualClock()
    budget = Budget(clock)
    for _ in range(1000):
        budget.take()
    assert clock.monotonic() == 0
    assert budget.spent == 1000


def test_a_burst_then_the_rate() -> None:
    clock = ManualClock()
    budget = Budget(clock, per_second=2, burst=4)
    times = []
    for _ in range(8):
        budget.take()
        times.append(clock.monotonic())
    assert times == pytest.approx([0, 0, 0, 0, 0.5, 1.0, 1.5, 2.0])


def test_rest_fills_it_to_the_burst_and_no_more() -> None:
    clock = ManualClock()
    budget = Budget(clock, per_second=1, burst=3)
    for _ in range(3):
        budget.take()
    clock.advance(1000)
    before = clock.monotonic()
    for _ in range(5):
        budget.take()
    assert clock.monotonic() - before == pytest.approx(2)


@given(
    st.floats(0.1, 50),
    st.integers(1, 20),
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_never_more_than_burst_and_rate_allow(rate: float, burst: int, pauses: list[float]) -> None:
    clock = ManualClock()
    budget = Budget(clock, per_second=rate, burst=burst)
    taken: list[float] = []
    for pause in pauses:
        clock.advance(pause)
        budget.take()
        taken.append(clock.monotonic())
    for i, start in enumerate(taken):
        for j in range(i, len(taken)):
            assert j - i + 1 <= burst + rate * (taken[j] - start) + 1 + 1e-6


def test_a_pause_stops_everyone_and_the_longest_counts() -> None:
    clock = ManualClock()
    budget = Budget(clock, per_second=10, burst=5)
    budget.pause(30)
    budget.pause(5)
    budget.take()
    assert clock.monotonic() == 30
    budget.take()
    assert clock.monotonic() == 30


class Stepped(ManualClock):
    """Somebody else is told to pause while we sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.budget: Budget | None = None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.budget is not None:
            budget, self.budget = self.budget, None
            budget.pause(60)


def test_who_slept_through_the_pause_waits_too() -> None:
    clock = Stepped()
    budget = Budget(clock, per_second=1, burst=1)
    budget.take()
    clock.budget = budget
    budget.take()
    assert clock.monotonic() == 61


def test_many_threads_share_one_budget() -> None:
    clock = ManualClock()
    budget = Budget(clock, per_second=100, burst=1)
    threads = [threading.Thread(target=lambda: [budget.take() for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.spent == 200
