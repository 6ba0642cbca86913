"""Why a system refuses a request. Each system words them in its own manner.

Refusal
├── NoSuchObject  the system keeps no such object
├── NotFound      no such row, or deleted
├── Merged        the row was merged into another
├── Duplicate     a unique value is taken by another row
├── Stale         the version given is not the current one
├── Invalid       one or more fields are wrong
├── Breach        a rule of the business forbids it, with a code of its own
└── BadRequest    the request itself makes no sense
"""

from collections.abc import Mapping
from dataclasses import dataclass

Key = str | int


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field; `code` is REQUIRED, INVALID, TOO_LONG, READ_ONLY, UNKNOWN_FIELD or REFUSED."""

    code: str
    message: str


class Refusal(Exception):
    """A system said no; nothing was changed."""


class NotFound(Refusal):
    def __init__(self, key: object) -> None:
        super().__init__(f"not found: {key}")
        self.key = key


class NoSuchObject(Refusal):
    def __init__(self, name: str) -> None:
        super().__init__(f"no such object: {name}")


class Merged(Refusal):
    def __init__(self, key: Key, into: Key) -> None:
        super().__init__(f"{key} was merged into {into}")
        self.key = key
        self.into = into


class Duplicate(Refusal):
    def __init__(self, field: str, key: Key) -> None:
        super().__init__(f"duplicate {field}: already held by {key}")
        self.field = field
        self.key = key


class Stale(Refusal):
    def __init__(self, version: int) -> None:
        super().__init__(f"the current version is {version}")
        self.version = version


class Invalid(Refusal):
    def __init__(self, problems: Mapping[str, Problem]) -> None:
        super().__init__("; ".join(f"{field}: {problem.message}" for field, problem in problems.items()))
        self.problems = dict(problems)


class Breach(Refusal):
    def __init__(self, code: str, message: str, field: str | None = None, *, warning: bool = False) -> None:
        """`warning`: the caller may accept it and go on."""
        super().__init__(message)
        self.code = code
        self.field = field
        self.warning = warning


class BadRequest(Refusal):
    pass
