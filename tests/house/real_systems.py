"""A pytest plugin, given by `make test`: what was not proved on the real systems is said, or fails.

With DATONG_REQUIRE_REAL=1, set by `.ci/run` where both systems can be installed, a skipped test marked `real` is a
failure. Elsewhere one loud line says what was not proved.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and "real" in item.keywords and required():
        report.outcome = "failed"
        report.longrepr = f"skipped, but the real systems are required here: {reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Before the closing line, so that it is read."""
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "real" in r.keywords]
    for why, count in Counter(map(reason, skipped)).items():
        told = f"NOT PROVED on real Tryton and BottleCRM: {count} tests were skipped. {why}"
        terminalreporter.write_line(told, red=True, bold=True)


def required() -> bool:
    return os.environ.get("DATONG_REQUIRE_REAL") == "1"


def reason(report: pytest.TestReport) -> str:
    """Why it was skipped: pytest keeps file, line and text."""
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr).removeprefix("Skipped: ")
