"""The suite is proved in both directions: healthy connectors pass, and each broken one fails where it is broken."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from datong.connectors.sandbox_crm import SandboxCrm
from datong.testing import Verdict, cases, verdicts
from datong.testing.bench_sandbox import Benches
from datong.testing.broken import BROKEN, Broken
from datong.testing.manners import AllOrNothingCrm, ScopedCrm, SearchedKeyCrm, SnapshotCrm
from datong.testing.suite import promise

HEALTHY = (SandboxCrm, AllOrNothingCrm, ScopedCrm, SearchedKeyCrm, SnapshotCrm)
Found = dict[str, dict[str, Verdict]]


@pytest.fixture(scope="module")
def healthy(benches: Benches) -> Found:
    return {one.__name__: verdicts(functools.partial(benches.crm, "account", one)) for one in HEALTHY}


def failures(found: dict[str, Verdict]) -> dict[str, str]:
    return {name: one.why for name, one in found.items() if one.outcome == "failed"}


def _some_now_all_in_the_proof() -> list[Any]:
    """Every fourth with each change, all of them by `make proof`: each costs a whole suite."""
    return [pytest.param(one, marks=[pytest.mark.proof] if n % 4 else []) for n, one in enumerate(BROKEN)]


@pytest.mark.parametrize("connector", _some_now_all_in_the_proof(), ids=lambda one: one.__name__)
def test_a_broken_connector_fails_its_cases_and_no_other(benches: Benches, connector: type[Broken]) -> None:
    found = failures(verdicts(functools.partial(benches.crm, "account", connector)))
    assert set(found) == connector.fails, found


def test_healthy_connectors_fail_nothing(healthy: Found) -> None:
    assert {name: failures(found) for name, found in healthy.items()} == {one.__name__: {} for one in HEALTHY}


def test_every_case_is_passed_by_a_healthy_connector(healthy: Found) -> None:
    found = [one for verdicts in healthy.values() for one in verdicts.items()]
    assert {name for name, verdict in found if verdict.outcome == "passed"} == set(cases())


def test_every_case_catches_a_broken_connector() -> None:
    assert {name for one in BROKEN for name in one.fails} == set(cases())


def test_every_case_tells_its_promise() -> None:
    assert [name for name, case in cases().items() if not promise(case).endswith(".")] == []
    assert [one for one in BROKEN if not (one.__doc__ or "").endswith(".")] == []


def test_what_a_bench_cannot_play_is_said(healthy: Found) -> None:
    unproved = {name: one.why for name, one in healthy["SandboxCrm"].items() if "NOT PROVED" in one.why}
    assert set(unproved) == {"test_out_of_scope_is_not_gone"}
    for name, why in unproved.items():
        assert promise(cases()[name]) in why and "This bench cannot move a record out of scope" in why
