from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.engine.backoff import delay


@given(st.integers(0, 10_000), st.integers())
def test_bounds(attempts: int, seed: int) -> None:
    longest = min(900.0, 2.0 * 2 ** min(attempts, 20))
    waited = delay(attempts, Random(seed)).total_seconds()
    assert longest / 2 - 1e-3 <= waited <= longest + 1e-3


@given(st.integers(0, 100), st.floats(0, 86400), st.integers())
def test_never_sooner_than_asked(attempts: int, asked: float, seed: int) -> None:
    waited = delay(attempts, Random(seed), asked).total_seconds()
    assert waited >= asked - 1e-3
    assert waited <= max(asked, 900.0) + 1e-3


@pytest.mark.parametrize("asked", [1e9, 1e300, float("inf")])
def test_a_mad_wish_counts_for_a_day(asked: float) -> None:
    assert delay(0, Random(1), asked) == timedelta(days=1)


def test_not_all_at_once() -> None:
    random = Random(1)
    assert len({delay(5, random) for _ in range(50)}) == 50
    assert [delay(n, Random(7)) for n in range(9)] == [delay(n, Random(7)) for n in range(9)]


def test_it_grows_to_the_longest() -> None:
    class Most(Random):
        def random(self) -> float:
            return 1.0

    assert [delay(n, Most()).total_seconds() for n in (0, 1, 2, 8, 9, 50)] == [2, 4, 8, 512, 900, 900]
