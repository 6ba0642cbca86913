"""Errors are named by what happens next.

DatongError                what, and what to do about it
├── ConfigurationError     the configuration is wrong: every mistake at once; exit status 2
├── UsageError             the person asked for something that cannot be: exit status 2
├── NotFound               no such record, plan or item: exit status 2
├── StoreError             the store cannot be used
│   ├── StoreBusy          another process holds the writer lease: it is named
│   └── NotApproved        people have not agreed to this configuration: nothing is read or written under it
└── RemoteError            another system answered, or did not
    ├── TryLater           nothing happened: the same call may be made again after a while
    │   └── RateLimited    the same, and the system said when
    ├── OutcomeUnknown     the call may or may not have taken effect: look before repeating
    ├── AccessDenied       credentials or rights: the connection is suspended until a person mends it
    ├── WrongSystem        another database or organisation answers than the one we know: suspended
    ├── BadAnswer          the answer cannot be what the contract says (HTML, half a JSON): suspended when it lasts
    └── RequestRefused     this request is wrong and will stay wrong: parked
"""

from __future__ import annotations

from dataclasses import dataclass


class DatongError(Exception):
    """Something a person can act on: `message` says what happened to which record, `remedy` what to do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True)
class Problem:
    """One mistake in the configuration."""

    where: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.cause}. {self.remedy}"


class ConfigurationError(DatongError):
    """Every mistake found, at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems), remedy="correct the configuration and run `datong check`")
        self.problems = problems


class UsageError(DatongError):
    pass


class NotFound(UsageError):
    pass


class StoreError(DatongError):
    pass


class StoreBusy(StoreError):
    pass


class NotApproved(StoreError):
    pass


class RemoteError(DatongError):
    """A remote system did not do what was asked. `connection` is filled in by the engine."""

    connection: str = ""


class TryLater(RemoteError):
    """Nothing happened remotely. `after` is the number of seconds the system asked us to wait, if it did."""

    def __init__(self, message: str, *, remedy: str = "", after: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.after = after


class RateLimited(TryLater):
    pass


class OutcomeUnknown(RemoteError):
    pass


class AccessDenied(RemoteError):
    pass


class WrongSystem(RemoteError):
    pass


class BadAnswer(RemoteError):
    pass


class RequestRefused(RemoteError):
    """The request itself was refused. `field` is the wire field at fault where the system names one."""

    def __init__(self, message: str, *, remedy: str = "", field: str | None = None, code: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.field = field
        self.code = code
