"""What may be wrong with a file, and with a row of it."""

from __future__ import annotations

from dataclasses import dataclass


class WrongFile(ValueError):
    """The whole file cannot be read as described. `remedy` says what a person can do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class Unfinished(ValueError):
    """The file is still being written, or was cut short: nothing of it counts yet."""


@dataclass(frozen=True)
class RowProblem:
    """Why a row is no record. `id` is the record it speaks of, where that could be read."""

    row: int
    id: str | None
    reason: str
    remedy: str
