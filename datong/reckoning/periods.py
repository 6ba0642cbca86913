"""Closed accounting periods: what becomes of a document whose day lies in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Day
from typing import Literal

Rule = Literal["wait", "date", "ask"]
"""Wait until the period is opened, date the document on the first open day after it, or ask a person."""


@dataclass(frozen=True)
class Period:
    """An accounting period, both days included."""

    start: Day
    end: Day
    open: bool


@dataclass(frozen=True)
class Posting:
    """`post` on `day`; `wait` for the period; `ask` a person, who may choose `day` if there is one. `moved` says that
    the day is not the document's own."""

    action: Literal["post", "wait", "ask"]
    day: Day | None
    moved: bool
    en: str
    zh: str


def posting(day: Day, periods: Sequence[Period], rule: Rule) -> Posting:
    """What to do with a document of `day`. A day that no period has is as closed as one in a closed period. The first
    open day is searched after `day` only: nothing is ever dated back."""
    here = next((one for one in periods if one.start <= day <= one.end), None)
    if here is not None and here.open:
        return Posting("post", day, False, f"{day} is open", f"{day} 所在期间已打开")
    later = [max(day, one.start) for one in periods if one.open and one.end >= day]
    first = min(later, default=None)
    en = f"the period of {day} is closed" if here is not None else f"there is no accounting period for {day}"
    zh = f"{day} 所在会计期间已关闭" if here is not None else f"{day} 没有对应的会计期间"
    if rule == "ask":
        choice = f"; {first} is the first open day" if first else ""
        choice_zh = f"；最早的可用日期为 {first}" if first else ""
        return Posting("ask", first, first is not None, en + choice, zh + choice_zh)
    if rule == "date" and first is not None:
        return Posting("post", first, True, f"{en}: dated {first} by rule", f"{zh}：按规则改记 {first}")
    return Posting("wait", None, False, f"{en}: waits until it is opened", f"{zh}：等待期间打开")
