"""One lab for the session. Each scenario begins with two empty systems and a Datong of its own."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import lab
from tests.real.real_pair import RealPair, real_pair


def unavailable(reason: lab.LabUnavailable) -> None:
    """Skip with one loud line, or fail where the real systems are required."""
    told = f"NOT PROVED on real Tryton and BottleCRM: {reason}"
    if os.environ.get("DATONG_REQUIRE_REAL") == "1":
        pytest.fail(told, pytrace=False)
    warnings.warn(told, stacklevel=2)
    pytest.skip(str(reason))


@pytest.fixture(scope="session")
def real() -> Iterator[lab.Real]:
    try:
        with lab.running() as both:
            yield both
    except lab.LabUnavailable as reason:
        unavailable(reason)


@pytest.fixture
def pair(real: lab.Real, tmp_path: Path) -> Iterator[RealPair]:
    """Both systems with their master data and no customers."""
    made = real_pair(real, tmp_path)
    made.configure()
    yield made
    made.close()
    for side in (made.erp, made.crm):
        if not side.system.server.running():
            side.start()
        side.clear()
