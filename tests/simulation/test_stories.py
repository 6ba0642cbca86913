"""Sixty stories of two hundred steps; every one must end well. A long run: `python -m tests.simulation`."""

from __future__ import annotations

import pytest

from tests.simulation.play import STEPS, play
from tests.simulation.shrink import shrunk, tale

_TOGETHER = 10


def _all_end_well(first: int) -> None:
    for seed in range(first, first + _TOGETHER):
        verdict = play(seed)
        if verdict.wrong:
            told = tale(seed, *shrunk(seed, STEPS))
            replay = f"python -m tests.simulation --seed {seed} --steps {STEPS} -v"
            pytest.fail(f"{replay}\n{verdict.wrong[0]}\n\n{told}", pytrace=False)


class TestFirstHalf:
    """Classes, so that two processes share the work."""

    @pytest.mark.parametrize("first", range(0, 30, _TOGETHER))
    def test_all_end_well(self, first: int) -> None:
        _all_end_well(first)


class TestSecondHalf:
    @pytest.mark.parametrize("first", range(30, 60, _TOGETHER))
    def test_all_end_well(self, first: int) -> None:
        _all_end_well(first)
