"""docs/conformance.md is run, and names everything a bench has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from datong.testing import Bench, Fault

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
SAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("sample", "passed", "skipped"), [(SAMPLES[0], 59, 2), (SAMPLES[1], 23, 38)])
def test_the_samples_run(tmp_path: Path, sample: str, passed: int, skipped: int) -> None:
    file = tmp_path / "test_sample.py"
    file.write_text(sample, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), file]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, timeout=120, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stdout
    assert f"{passed} passed, {skipped} skipped" in done.stdout
    assert "NOT PROVED" in done.stdout


def test_every_method_and_fault_is_described() -> None:
    helpers = {"spec", "wire", "path", "unique", "cannot", "not_promised", "connector", "kind", "promise", "close"}
    names = {name for name in vars(Bench) if not name.startswith("_")} - helpers
    assert [name for name in names if f"`{name}`" not in PAGE] == []
    assert [fault for fault in Fault if f"`{fault}`" not in PAGE] == []
