"""The one place that decides a delivery's fate. An error nobody foresaw parks; it never loops."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from datong.base.errors import (
    AccessDenied,
    BadAnswer,
    DatongError,
    OutcomeUnknown,
    RequestRefused,
    StoreError,
    TryLater,
    UsageError,
    WrongSystem,
)

UNFORESEEN = "unknown error"


@dataclass(frozen=True)
class Fate:
    """`next`: later (the same again), look (find out whether it happened), suspend (the connection rests until a
    probe succeeds), park (a person). `cause` groups what is alike."""

    next: Literal["later", "look", "suspend", "park"]
    cause: str
    reason: str
    remedy: str
    after: float | None = None


def fate(error: Exception) -> Fate:
    """What happens next after `error`."""
    reason = str(error) or type(error).__name__
    remedy = error.remedy if isinstance(error, DatongError) else ""
    if isinstance(error, TryLater):
        return Fate("later", "unreachable", reason, remedy, error.after)
    if isinstance(error, OutcomeUnknown):
        return Fate("look", "outcome unknown", reason, remedy)
    if isinstance(error, (AccessDenied, WrongSystem, BadAnswer)):
        named = ((AccessDenied, "access"), (WrongSystem, "wrong system"), (BadAnswer, "bad answer"))
        cause = next(name for kind, name in named if isinstance(error, kind))
        return Fate("suspend", cause, reason, remedy or "run `datong check`")
    if isinstance(error, RequestRefused):
        return Fate("park", "refused", reason, remedy or "correct the value named, then `datong parked retry`")
    told = f"{type(error).__name__}: {reason}"
    return Fate("park", UNFORESEEN, told, remedy or "report this; then `datong parked retry`")


def attempt(act: Callable[[], None]) -> Fate | None:
    """Do something with a remote system; None when it went well. Only here any exception is caught: one that nobody
    foresaw parks. Trouble with our own store, and what a person got wrong, is not the remote system's affair."""
    try:
        act()
    except (StoreError, UsageError):
        raise
    except Exception as error:
        return fate(error)
    return None


_PARTICULAR = re.compile(r"\d+|'[^']*'|\"[^\"]*\"|“[^”]*”")


def cause_of(code: str, reason: str, field: str | None) -> str:
    """What like refusals have in common: the code and field, or the reason without what is particular to a record."""
    if code and field:
        return f"{code} {field}"
    return f"{code} {_PARTICULAR.sub('…', reason)[:120]}".strip()
