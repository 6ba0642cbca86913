from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base import errors
from datong.base.errors import (
    AccessDenied,
    BadAnswer,
    ConfigurationError,
    DatongError,
    NotApproved,
    NotFound,
    OutcomeUnknown,
    Problem,
    RateLimited,
    RemoteError,
    RequestRefused,
    StoreBusy,
    StoreError,
    TryLater,
    UsageError,
    WrongSystem,
)
from datong.engine.outcome import Fate, attempt, cause_of, fate


class Stale(TryLater):
    """A connector's own."""


class Locked(AccessDenied):
    pass


TABLE: list[tuple[Exception, str, str]] = [
    (TryLater("down"), "later", "unreachable"),
    (RateLimited("slow", after=7), "later", "unreachable"),
    (Stale("session"), "later", "unreachable"),
    (OutcomeUnknown("cut"), "look", "outcome unknown"),
    (AccessDenied("401"), "suspend", "access"),
    (Locked("locked"), "suspend", "access"),
    (WrongSystem("other database"), "suspend", "wrong system"),
    (BadAnswer("html"), "suspend", "bad answer"),
    (RequestRefused("税号无效", field="vat"), "park", "refused"),
    (RemoteError("?"), "park", "unknown error"),
    (StoreError("full"), "park", "unknown error"),
    (StoreBusy("busy"), "park", "unknown error"),
    (NotApproved("another one"), "park", "unknown error"),
    (UsageError("x"), "park", "unknown error"),
    (NotFound("x"), "park", "unknown error"),
    (ConfigurationError([Problem("a", "b", "c")]), "park", "unknown error"),
    (DatongError("x"), "park", "unknown error"),
    (KeyError("name"), "park", "unknown error"),
    (ValueError(), "park", "unknown error"),
    (RecursionError("deep"), "park", "unknown error"),
    (MemoryError(), "park", "unknown error"),
]


@pytest.mark.parametrize(
    ("error", "step", "cause"), TABLE, ids=lambda e: type(e).__name__ if isinstance(e, Exception) else None
)
def test_every_error_has_one_fate(error: Exception, step: str, cause: str) -> None:
    told = fate(error)
    assert (told.next, told.cause) == (step, cause)
    assert told.reason, "a person must read something"
    if told.next in ("park", "suspend"):
        assert told.remedy, "and be told what to do"


def test_every_error_class_is_in_the_table() -> None:
    ours = {c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception)}
    assert ours == {type(e) for e, _, _ in TABLE} & ours


def test_what_the_error_says_is_kept() -> None:
    assert fate(RateLimited("慢一点", after=7)) == Fate("later", "unreachable", "慢一点", "", 7)
    assert fate(AccessDenied("401", remedy="renew the token")).remedy == "renew the token"
    assert fate(RequestRefused("x", remedy="correct the tax number")).remedy == "correct the tax number"
    assert fate(StoreError("full", remedy="free some disk space")).remedy == "free some disk space"
    assert fate(KeyError("name")).reason == "KeyError: 'name'"
    assert fate(ValueError()).reason == "ValueError: ValueError"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("", "customer 17 is closed", None), ("", "customer 4711 is closed", None)),
        (("", "税号 '9135' 无效", None), ("", "税号 '4403' 无效", None)),
        (("", "客户“大同”已停用", None), ("", "客户“大通”已停用", None)),
        (("", 'no account "A1"', None), ("", 'no account "B2"', None)),
        (("E7", "a", "vat"), ("E7", "quite another", "vat")),
        (("422", "row 1", None), ("422", "row 2", None)),
    ],
)
def test_like_refusals_have_one_cause(one: tuple[str, str, str | None], other: tuple[str, str, str | None]) -> None:
    assert cause_of(*one) == cause_of(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("E7", "a", "vat"), ("E7", "a", "name")),
        (("E7", "a", "vat"), ("E8", "a", "vat")),
        (("", "customer 17 is closed", None), ("", "customer 17 is blocked", None)),
        (("422", "x", None), ("400", "x", None)),
    ],
)
def test_unlike_refusals_have_not(one: tuple[str, str, str | None], other: tuple[str, str, str | None]) -> None:
    assert cause_of(*one) != cause_of(*other)


@given(st.text(), st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_make_no_cause(text: str, one: int, other: int) -> None:
    assert cause_of("", f"{text} {one}", None) == cause_of("", f"{text} {other}", None)


@given(st.text(max_size=40), st.text(max_size=5000), st.none() | st.text(max_size=40))
def test_a_cause_is_short(code: str, reason: str, field: str | None) -> None:
    assert len(cause_of(code, reason, field)) <= 161


def test_what_to_do_where_the_error_does_not_say() -> None:
    assert fate(TryLater("down")).remedy == ""
    assert fate(BadAnswer("html")).remedy == "run `datong check`"
    assert fate(RequestRefused("x")).remedy == "correct the value named, then `datong parked retry`"
    for foreign in (KeyError("name"), RemoteError("?")):
        assert fate(foreign).remedy == "report this; then `datong parked retry`"


def test_an_attempt_is_made_once_and_its_failure_named() -> None:
    made: list[int] = []
    assert attempt(lambda: made.append(1)) is None
    assert made == [1]

    def failing(error: Exception) -> Fate | None:
        def act() -> None:
            raise error

        return attempt(act)

    for error in (TryLater("down"), KeyError("name"), RequestRefused("x")):
        assert failing(error) == fate(error)
    for ours in (StoreError("full"), StoreBusy("busy"), UsageError("x"), NotFound("x")):
        with pytest.raises(type(ours)):
            failing(ours)


def test_what_a_cause_is_made_of() -> None:
    assert cause_of("E7", "row 1 is wrong", "vat") == "E7 vat"
    assert cause_of("E7", "row 1 is wrong", None) == "E7 row … is wrong"
    assert cause_of("", "row 1 is wrong", "vat") == "row … is wrong"
    assert cause_of("E7", "", None) == "E7"
    assert cause_of("", "x" * 500, None) == "x" * 120
