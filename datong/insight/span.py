"""The days that are looked at."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date as Day
from datetime import timedelta

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Span:
    """From one day to another, both included."""

    start: Day
    end: Day

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"{self.end} is before {self.start}")

    @classmethod
    def parse(cls, text: str) -> Span:
        """`2026-11` is a month, `2026-10..2026-12` three of them. Raises ValueError."""
        first, dots, last = text.partition("..")
        start, end = _month(first), _month(last if dots else first)
        return cls(start.start, end.end)

    def __contains__(self, day: Day) -> bool:
        return self.start <= day <= self.end

    def __str__(self) -> str:
        """As it is parsed, where it is made of whole months; else both days."""
        if self.start.day != 1 or (self.end + timedelta(1)).day != 1:
            return f"{self.start}..{self.end}"
        first, last = f"{self.start:%Y-%m}", f"{self.end:%Y-%m}"
        return first if first == last else f"{first}..{last}"


def _month(text: str) -> Span:
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= 9998:
        raise ValueError(f"{text!r:.40} is no month: write it as 2026-11")
    year, month = int(found[1]), int(found[2])
    return Span(Day(year, month, 1), Day(year, month, calendar.monthrange(year, month)[1]))
