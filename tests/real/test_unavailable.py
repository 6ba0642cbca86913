"""A machine that cannot run the lab says so loudly; where the real systems are required, that is a failure."""

from __future__ import annotations

import pytest

from lab import LabUnavailable
from tests.real.conftest import unavailable


def test_it_is_said_what_was_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATONG_REQUIRE_REAL", raising=False)
    with (
        pytest.warns(UserWarning, match="NOT PROVED on real Tryton and BottleCRM"),
        pytest.raises(pytest.skip.Exception),
    ):
        unavailable(LabUnavailable("no Python 3.12"))


def test_it_fails_where_the_real_systems_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATONG_REQUIRE_REAL", "1")
    with pytest.raises(pytest.fail.Exception, match="no Python"):
        unavailable(LabUnavailable("no Python 3.12"))
