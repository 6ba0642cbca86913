"""The crash proof itself: a few rounds with every `make test`, and as many as it takes with `make proof`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crashes.__main__ import replayed, table
from tests.crashes.doors import Point
from tests.crashes.rounds import Kill, Outcome

ROOT = Path(__file__).parents[2]


def proof(*arguments: str) -> str:
    """`python -m tests.crashes`, in a process that has no threads when it forks. Fails as the proof does."""
    command = [sys.executable, "-m", "tests.crashes", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(900)
def test_some_rounds_and_no_place_left_out() -> None:
    """Every place of the code that commits or calls is in the story; a sample of its points is killed at."""
    told = proof("--rounds", "12")
    assert re.search(r"^12 rounds in .*nothing lost, nothing twice, seals intact$", told, re.MULTILINE)


@pytest.mark.proof
@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    ("what", "rounds"),
    [
        ("", os.environ.get("DATONG_CRASH_ROUNDS", "1000")),
        ("--random", "200"),
        ("--store postgres", "150"),
        ("--store postgres --random", "50"),
    ],
)
def test_rounds(what: str, rounds: str) -> None:
    proof("--rounds", rounds, "--jobs", "2", *what.split())


@pytest.mark.proof
@pytest.mark.real
@pytest.mark.timeout(0)
@pytest.mark.parametrize(("what", "rounds"), [("", "150"), ("--random", "20")])
def test_rounds_on_the_real_pair(what: str, rounds: str) -> None:
    import lab
    from tests.real.conftest import unavailable

    try:
        lab.install()
    except lab.LabUnavailable as reason:
        unavailable(reason)
    proof("--pair", "real", "--rounds", rounds, *what.split())


SABOTAGE = """
import sys, tempfile
from pathlib import Path
from dataclasses import replace
from tests.crashes.rounds import Ground, Kill
from tests.crashes.stores import Sqlite
from tests.crashes.story import SANDBOX
from tests.crashes.systems import SandboxSystems

def forgetful(systems):
    systems.fault("erp", "drop_field", object="customers", field="extRef")

acts = [act for act in SANDBOX if act.name in ("first load", "review", "creates")]
acts[2] = replace(acts[2], faults=forgetful)
systems = SandboxSystems(1)
try:
    ground = Ground(systems, Sqlite(), acts, Path(sys.argv[1]) / "base")
    points = [p for p in ground.stages["creates"].points if p.door == "POST /v1/customers/save" and p.moment == "after"]
    for point in points[:1]:
        print("GOOD" if ground.play("creates", [Kill(point)]).good else "BAD")
finally:
    systems.close()
"""


@pytest.mark.timeout(900)
def test_the_proof_sees_a_system_that_forgets_our_key(tmp_path: Path) -> None:
    """Where the ERP keeps no key of ours, a create whose answer died with us cannot be told from another's."""
    done = subprocess.run(
        [sys.executable, "-c", SABOTAGE, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, timeout=600
    )
    assert done.stdout.split() == ["BAD"], done.stdout + done.stderr


def test_a_round_is_named_as_it_is_replayed() -> None:
    kills = (Kill(Point("commit in engine.x.Y.z", 3, "after")), Kill(seconds=0.25))
    told = ", ".join(map(str, kills))
    assert replayed(f"first load: {told}") == ("first load", kills)


def test_the_table_counts_what_went_wrong() -> None:
    point = Point("POST /v1/customers/save", 1, "after")
    good = Outcome("creates", (Kill(point),))
    bad = Outcome("creates", (Kill(point),), twice=["戊"])
    lines = table([good, bad]).splitlines()
    assert lines[1].split() == ["POST", "/v1/customers/save", "after", "2", "0", "1", "intact", "FAILS"]
