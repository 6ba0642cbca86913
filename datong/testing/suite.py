"""The suite itself: a connector is proved by cases that its author did not write."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from datong.testing.bench import Bench
from datong.testing.declaring import DeclaringCases
from datong.testing.failing import FailingCases
from datong.testing.hinting import HintingCases
from datong.testing.reading import ReadingCases
from datong.testing.writing import WritingCases


class ConformanceSuite(ReadingCases, WritingCases, FailingCases, DeclaringCases, HintingCases):
    """Subclass it in a test file and give it a `bench`. Every `test_` method is a case; its docstring the promise."""

    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        raise NotImplementedError("give your subclass of ConformanceSuite a fixture `bench` that yields a Bench")

    @pytest.fixture(autouse=True)
    def _promised(self, request: pytest.FixtureRequest, bench: Bench) -> None:
        bench.promise = promise(request.function)
        bench.calm()


@dataclass(frozen=True)
class Verdict:
    """What became of one case. `why` is the failure, or why the case was skipped."""

    outcome: Literal["passed", "failed", "skipped"]
    why: str = ""


def cases(suite: type[ConformanceSuite] = ConformanceSuite) -> dict[str, Callable[[Any, Bench], None]]:
    """Every case by name."""
    return {name: case for name, case in inspect.getmembers(suite, inspect.isfunction) if name.startswith("test_")}


def promise(case: Callable[..., None]) -> str:
    return (inspect.getdoc(case) or "").partition("\n")[0]


def verdicts(
    stand: Callable[[], AbstractContextManager[Bench]], suite: type[ConformanceSuite] = ConformanceSuite
) -> dict[str, Verdict]:
    """The cases run without pytest around them, each on a fresh bench."""
    if not __debug__:
        raise RuntimeError("the cases are assert statements: do not run Python with -O")
    found: dict[str, Verdict] = {}
    for name, case in cases(suite).items():
        with stand() as bench:
            bench.promise = promise(case)
            found[name] = _verdict(case, suite(), bench)
    return found


def _verdict(case: Callable[[Any, Bench], None], suite: ConformanceSuite, bench: Bench) -> Verdict:
    try:
        case(suite, bench)
    except pytest.skip.Exception as skipped:
        return Verdict("skipped", str(skipped))
    except (Exception, pytest.fail.Exception) as error:
        return Verdict("failed", f"{type(error).__name__}: {error}")
    return Verdict("passed")
