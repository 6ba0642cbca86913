from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.engine.guard import Limits, Tally, tripped


def stops(tally: Tally, limits: Limits | None = None) -> list[str]:
    return tripped({("books", "account"): tally}, {"account": limits} if limits else {})


@pytest.mark.parametrize(
    ("tally", "stopped"),
    [
        (Tally(1000, updates=100), False),
        (Tally(1000, updates=101), True),
        (Tally(100, updates=19), False),  # a great share of few is no mass
        (Tally(199, updates=20), True),
        (Tally(200, updates=20), False),
        (Tally(200, updates=21), True),
        (Tally(10, updates=10), False),
        (Tally(20, updates=20), True),
        (Tally(0, updates=20), True),
        (Tally(0), False),
        (Tally(1000, deletes=20), False),
        (Tally(1000, deletes=21), True),
        (Tally(100, deletes=4), False),
        (Tally(249, deletes=5), True),
        (Tally(250, deletes=5), False),
        (Tally(5, deletes=5), True),
    ],
)
def test_more_than_the_share_and_at_least_so_many(tally: Tally, stopped: bool) -> None:
    assert bool(stops(tally)) == stopped


def test_it_says_what_is_too_much() -> None:
    assert stops(Tally(300, updates=200, deletes=7)) == [
        "200 of 300 linked account records in books would be updated: more than 10% and at least 20",
        "7 of 300 linked account records in books would be deleted: more than 2% and at least 5",
    ]
    assert "more than 2.5% and" in stops(Tally(100, updates=50), Limits(updates=0.025))[0]


def test_each_kind_and_connection_counts_for_itself() -> None:
    tallies = {
        ("books", "account"): Tally(1000, updates=60),
        ("sales", "account"): Tally(1000, updates=60),
        ("books", "contact"): Tally(50, updates=30),
    }
    (told,) = tripped(tallies, {"contact": Limits(updates=0.5), "account": Limits()})
    assert "contact" in told
    assert tripped(tallies, {"contact": Limits(updates=1.0)}) == []
    assert tripped({}, {}) == []


def test_limits_of_nought_and_of_all() -> None:
    assert stops(Tally(1000, updates=1), Limits(updates=0.0, updates_at_least=1))
    assert not stops(Tally(1000, updates=1000), Limits(updates=1.0))


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 100), st.integers(1, 50))
def test_the_edge_is_exact(linked: int, updates: int, percent: int, least: int) -> None:
    """29% of 100 is 29, though a float says 28.999999999999996."""
    wanted = updates >= least and updates > Fraction(percent, 100) * linked
    assert bool(stops(Tally(linked, updates=updates), Limits(updates=percent / 100, updates_at_least=least))) == wanted


@given(st.integers(0, 400), st.integers(0, 60), st.integers(0, 4000))
def test_counting_no_further_than_enough_decides_the_same(updates: int, deletes: int, linked: int) -> None:
    limits = Limits()
    place = ("erp", "account")
    whole = tripped({place: Tally(linked, updates, deletes)}, {"account": limits})
    least = tripped({place: Tally(min(linked, limits.enough(updates, deletes)), updates, deletes)}, {"account": limits})
    assert bool(whole) == bool(least)
