"""Why a difference is no news: it is on its way, waits for a person, or is meant to be. Pure.

What nothing explains is drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from datong.base.clock import to_text
from datong.engine.reconcile.model import FieldDifference, Known
from datong.store.unit import FAR


@dataclass(frozen=True)
class Due:
    """A delivery that is to be made."""

    at: datetime
    attempts: int = 0
    error: str = ""


@dataclass(frozen=True)
class Waiting:
    """An item that is open."""

    id: int
    type: str
    cause: str
    connection: str | None = None
    field: str | None = None


@dataclass
class Facts:
    """What is known of one record, by connection where it is of one.

    `hold`: what a person asked. `outside`: of the scope. `held`: fields that rest, and why. `announced`: a hint waits
    to be followed. `young`: changed since it was last looked at there, and the next look is not overdue. `resting`:
    the connection is suspended.
    """

    hold: str = ""
    outside: bool = False
    left_behind: bool = False
    due: Mapping[str, Due] = field(default_factory=dict)
    under_way: frozenset[str] = frozenset()
    items: Sequence[Waiting] = ()
    held: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    announced: frozenset[str] = frozenset()
    young: Mapping[str, datetime] = field(default_factory=dict)
    resting: Mapping[str, str] = field(default_factory=dict)


def of_fields(fields: Sequence[FieldDifference], facts: Facts) -> Known | None:
    """Of a record: known when every field that differs is."""
    told = [of_field(one, facts) for one in fields]
    return told[0] if all(told) else None


def of_field(one: FieldDifference, facts: Facts) -> Known | None:
    known = of_record(facts) or _item(facts, one.name, None, ("conflict",))
    if known is not None:
        return known
    told = [_in_place(one, place, facts) for place in one.astray]
    return told[0] if all(told) else None


def of_record(facts: Facts) -> Known | None:
    """What holds for everything of a record."""
    if facts.hold:
        return Known("held", f"a person {facts.hold} the record")
    if facts.outside:
        return Known("scope", "outside the scope of the flow")
    if facts.left_behind:
        return Known("gate", "it takes part no longer, and is left as it is")
    return None


def of_missing(place: str, facts: Facts) -> Known | None:
    """Of a record that is not there: not yet, or somebody is asked about it."""
    return (
        of_record(facts)
        or _item(facts, None, place, ("parked", "review"))
        or _on_its_way(place, facts)
        or _announced(place, facts)
    )


def _in_place(one: FieldDifference, place: str, facts: Facts) -> Known | None:
    why = _rests(facts.held.get(place, {}), one.name)
    parked = _item(facts, one.name, place, ("parked",))
    if why or parked:
        return parked or Known("rests", f"{one.name} rests in {place}: {why}")
    if place in one.unseen:
        return _announced(place, facts)
    return _item(facts, None, place, ("parked",)) or _on_its_way(place, facts)


def _rests(held: Mapping[str, str], name: str) -> str:
    collection = name.partition(".")[0]
    return held.get(name) or held.get(collection) or ""


def _item(facts: Facts, name: str | None, place: str | None, types: Sequence[str]) -> Known | None:
    """An open item about this field, or about the record as a whole in this place."""
    for one in facts.items:
        here = one.connection in (place, None) or place is None or one.type == "review"
        if one.type in types and here and one.field == name:
            told = f"item {one.id}: {one.cause}" if one.id else one.cause
            return Known("conflict" if one.type == "conflict" else "parked", told)
    return None


def _on_its_way(place: str, facts: Facts) -> Known | None:
    told = facts.due.get(place)
    if told is not None and to_text(told.at) == FAR:
        return Known("parked", f"not written to {place}: {told.error}")
    if told is not None:
        tried = f"; tried {told.attempts} times: {told.error}" if told.attempts else ""
        return Known("due", f"to be written to {place} at {to_text(told.at)}{tried}")
    if place in facts.under_way:
        return Known("in flight", f"a write to {place} is under way")
    if place in facts.resting:
        return Known("suspended", f"{place} rests: {facts.resting[place]}")
    return None


def _announced(place: str, facts: Facts) -> Known | None:
    if place in facts.announced:
        return Known("announced", f"{place} said so, and it is about to be read")
    moment = facts.young.get(place)
    if moment is not None:
        return Known("young", f"changed in {place} at {to_text(moment)}: the next look there is not overdue")
    if place in facts.resting:
        return Known("suspended", f"{place} rests: {facts.resting[place]}")
    return None


CODES: Mapping[str, tuple[str, str]] = {
    "held": ("held by a person", "由人暂停或锁定"),
    "scope": ("outside the scope", "范围之外"),
    "gate": ("kept back by a gate", "被准入规则拦下"),
    "conflict": ("waits in conflict", "冲突待处理"),
    "parked": ("waits for a person", "搁置，等人处理"),
    "rests": ("field rests", "字段暂停"),
    "in flight": ("being written", "正在写入"),
    "due": ("to be written", "待写入"),
    "suspended": ("connection rests", "连接暂停中"),
    "announced": ("announced, about to be read", "已通知，即将读取"),
    "young": ("changed just now", "刚刚改动"),
    "moving": ("still being changed", "仍在变动"),
    "unconfirmed": ("could not be looked at twice", "未能复核"),
    "gone": ("known to be gone", "已知删除"),
}
"""What each code is called."""


def called(code: str) -> dict[str, Any]:
    en, zh = CODES[code]
    return {"code": code, "en": en, "zh": zh}
