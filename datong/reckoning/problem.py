"""What keeps something from being reckoned, and what a person can do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`code` is for programs, `en` and `zh` are for people. `line` is the key of a line, None for the document."""

    code: str
    en: str
    zh: str
    remedy: str
    remedy_zh: str
    line: str | None = None

    def __str__(self) -> str:
        return f"{self.en}. {self.remedy[:1].upper()}{self.remedy[1:]}"


class CannotReckon(ValueError):
    """Nothing can be computed before a person has done something: `problem` says what."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem
