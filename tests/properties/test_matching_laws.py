"""Laws of matching on made-up companies: the same two sets give the same decisions, however they come."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "matching"))
from parties import ACCOUNT, two_systems

from datong.matching import Candidate, Matches, decide
from tests.properties.laws import law


def outcome(found: Matches) -> tuple[Any, ...]:
    links = sorted((one.left_id, one.right_id) for one in found.links)
    reviews = sorted((one.left_id, one.right_id, one.score, one.held) for one in found.reviews)
    return links, reviews, sorted(found.crowded)


@law
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_the_records_decides_nothing(seed: int, random: Any) -> None:
    left, right = two_systems(12, seed)
    expected = outcome(decide(left, right, ACCOUNT))
    random.shuffle(left)
    random.shuffle(right)
    assert outcome(decide(left, right, ACCOUNT)) == expected


@law
@given(st.integers(0, 10_000))
def test_nobody_is_linked_twice_and_every_link_has_a_reason(seed: int) -> None:
    left, right = two_systems(12, seed)
    found = decide(left, right, ACCOUNT)
    assert len({one.left_id for one in found.links}) == len({one.right_id for one in found.links}) == len(found.links)
    assert all(any(reason.weight > 0 for reason in one.reasons) for one in found.links)
    joined = {one[:2] for one in found.links}
    assert not joined & {(one.left_id, one.right_id) for one in found.reviews}


@law
@given(st.integers(0, 10_000))
def test_what_is_linked_stays_so_and_is_not_asked_again(seed: int) -> None:
    """After the links are made the same sets give no link, and no review of two that have partners."""
    left, right = two_systems(12, seed)
    first = decide(left, right, ACCOUNT)
    lefts, rights = {one.left_id for one in first.links}, {one.right_id for one in first.links}
    again = decide(
        [Candidate(one.id, one.fields, one.id in lefts) for one in left],
        [Candidate(one.id, one.fields, one.id in rights) for one in right],
        ACCOUNT,
    )
    assert again.links == ()
    assert not [one for one in again.reviews if one.left_id in lefts and one.right_id in rights]
