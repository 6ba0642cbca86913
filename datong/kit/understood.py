"""Reading what a system answered: where that is not what it promises, this is told, and no Python error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ContextDecorator
from functools import wraps
from inspect import isgeneratorfunction
from types import TracebackType
from typing import Any, Literal, TypeVar, cast

from datong.base.errors import BadAnswer, OutcomeUnknown

F = TypeVar("F", bound=Callable[..., Any])
_STRANGE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


class understood(ContextDecorator):
    """For the methods of a connector, or a part of one: an answer without what is promised raises BadAnswer, and
    OutcomeUnknown where the call `writes`, for then it may have been done."""

    def __init__(self, who: str, *, writes: bool = False) -> None:
        self._who = who
        self._writes = writes

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if isinstance(error, _STRANGE):
            told = f"{self._who} did not answer what it promises: {_cause(error)}"
            remedy = "is this the right address and version? `datong check --debug` shows where it was read"
            raise (OutcomeUnknown if self._writes else BadAnswer)(told, remedy=remedy) from error
        if self._writes and isinstance(error, BadAnswer):
            raise OutcomeUnknown(error.message, remedy=error.remedy) from error
        return False

    def __call__(self, act: F) -> F:
        if not isgeneratorfunction(act):
            return super().__call__(act)

        @wraps(act)
        def steps(*given: Any, **named: Any) -> Iterator[Any]:
            with self:
                yield from act(*given, **named)

        return cast(F, steps)


def _cause(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]!r:.60}"
    if isinstance(error, IndexError):
        return "a list has fewer entries than it should"
    return str(error)[:200]
