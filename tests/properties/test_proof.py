"""The laws at length: thousands of new examples of each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.properties.laws import PROFILE

ROOT = Path(__file__).parents[2]


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_the_laws_hold_at_length() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "not proof",
        "-p",
        "no:cacheprovider",
        str(Path(__file__).parent),
    ]
    environment = {**os.environ, PROFILE: "proof"}
    done = subprocess.run([*command, "--timeout", "3000"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
