"""A seed is one story: whatever the process, the same journal and the same systems come of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

from tests.simulation.play import play
from tests.simulation.steps import story
from tests.simulation.traits import chosen

_TOLD = "from tests.simulation.play import play; print([play(n, 60).fingerprint for n in (3, 4)])"


def test_two_processes_tell_the_same() -> None:
    root = Path(__file__).parents[2]
    told = [
        subprocess.run(
            [sys.executable, "-c", _TOLD], cwd=root, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        for seed in ("1", "2")
    ]
    assert told[0].returncode == 0, told[0].stderr
    assert told[0].stdout == told[1].stdout


def test_another_seed_is_another_story() -> None:
    assert play(3, 20).fingerprint != play(4, 20).fingerprint


def test_telling_it_changes_nothing() -> None:
    lines: list[str] = []
    assert play(5, 40, told=lines.append).fingerprint == play(5, 40).fingerprint
    assert lines


def test_a_longer_story_begins_with_the_shorter_one() -> None:
    traits = chosen(Random(1))
    assert story(Random(2), traits, 50) == story(Random(2), traits, 80)[:50]
