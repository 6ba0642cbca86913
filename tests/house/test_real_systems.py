"""A test of the real systems that is skipped: said loudly, or a failure where they are required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPING = """
import pytest

@pytest.mark.real
def test_real():
    pytest.skip("no Python 3.12")

def test_other():
    pytest.skip("not today")
"""


@pytest.mark.parametrize(("required", "status", "workers"), [("", 0, ()), ("1", 1, ("-n", "1"))])
def test_a_skip(tmp_path: Path, required: str, status: int, workers: tuple[str, ...]) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPING, encoding="utf8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = real", encoding="utf8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.house.real_systems", *workers, "--rootdir", tmp_path, tmp_path],
        cwd=ROOT,
        env={**os.environ, "DATONG_REQUIRE_REAL": required},
        capture_output=True,
        text=True,
    )
    *lines, closing = done.stdout.splitlines()
    assert done.returncode == status, done.stdout
    loud = [line for line in lines if "NOT PROVED" in line]
    if required:
        assert loud == [] and "1 failed, 1 skipped" in closing and "required here: no Python 3.12" in done.stdout
    else:
        assert loud == ["NOT PROVED on real Tryton and BottleCRM: 1 tests were skipped. no Python 3.12"]
        assert "2 skipped" in closing
