"""What the sides of one record do not hold alike: pure.

The sides are compared with one another. What was agreed is a third witness only: it says which of them went astray.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from datong.canon import is_empty
from datong.canon.catalogue import spec
from datong.engine.flow import ASK, Policy
from datong.engine.reconcile.model import CONFLICT, MONEY, STALE, FieldDifference
from datong.mapping import ABSENT, under_item


def _never(name: str) -> bool:
    return False


@dataclass
class Side:
    """One record in one connection, as it was just read.

    `values`: canonical, references resolved. `shows`: collections that it shows whole, so that an item it lacks is not
    there. `has`: is there a place for a field? `takes`: may our value be written there? `is_form(name, ours, theirs)`:
    is theirs what this system makes of ours? `sent`: what is believed to stand there. `main` False: a follower.
    """

    connection: str
    role: str
    values: Mapping[str, Any]
    shows: frozenset[str] = frozenset()
    sent: Mapping[str, Any] = field(default_factory=dict)
    main: bool = True
    has: Callable[[str], bool] = _never
    takes: Callable[[str], bool] = _never
    is_form: Callable[[str, Any, Any], bool] = lambda name, ours, theirs: False

    def value(self, name: str) -> Any:
        """What stands there; ABSENT where the answer says nothing of it."""
        if name in self.values:
            return self.values[name]
        head, _, rest = name.partition(".")
        item_gone = head in self.shows and bool(rest) and ("." not in rest or self.has(name))
        return None if item_gone else ABSENT

    def holds(self, name: str, ours: Any) -> bool:
        """Does our value stand there, in whatever form?"""
        theirs = self.value(name)
        return theirs is ABSENT or alike(ours, theirs) or self.is_form(name, ours, theirs)


def alike(one: Any, other: Any) -> bool:
    return bool(one == other) or (is_empty(one) and is_empty(other))


def differing(
    kind: str, agreed: Mapping[str, Any], sides: Sequence[Side], policy: Callable[[str], Policy | None]
) -> list[FieldDifference]:
    """Every field that is carried between the sides, or told to one, and does not stand there as it should."""
    found: list[FieldDifference] = []
    lost: set[str] = set()
    mains = [side for side in sides if side.main]
    for name in sorted({name for side in mains for name in side.values}):
        rule = policy(name)
        rule = rule.of(agreed) if rule is not None else None
        item = ".".join(name.split(".")[:2])
        if rule is None or rule.how == "first" or item in lost:
            continue
        astray = _astray(name, agreed, mains, rule)
        if astray:
            found.append(_difference(kind, name, agreed, mains, astray, rule))
            if name == item:
                lost.add(item)
    return found


def following(kind: str, agreed: Mapping[str, Any], side: Side, names: Iterable[str]) -> list[FieldDifference]:
    """What a follower does not hold of the fields that it receives."""
    rule = Policy("told")
    wrong = [n for n in names if n in agreed and side.takes(n) and not side.holds(n, agreed[n])]
    return [_difference(kind, name, agreed, [side], [side], rule) for name in wrong]


def _astray(name: str, agreed: Mapping[str, Any], sides: Sequence[Side], rule: Policy) -> list[Side]:
    there = [side for side in sides if side.value(name) is not ABSENT]
    if rule.how == "told":
        return [s for s in there if name in agreed and s.takes(name) and not s.holds(name, agreed[name])]
    if len(there) < 2 or _all_alike(name, there):
        return []
    apart = [side for side in there if not side.holds(name, agreed.get(name))]
    return [side for side in apart if _to_be_mended(name, side, there, rule)]


def _all_alike(name: str, sides: Sequence[Side]) -> bool:
    """Each two hold the same, or one what it makes of the other's."""
    return all(
        one.holds(name, other.value(name)) or other.holds(name, one.value(name))
        for one, other in combinations(sides, 2)
    )


def _to_be_mended(name: str, side: Side, sides: Sequence[Side], rule: Policy) -> bool:
    """Either is our value to be written there, or may its value travel from there. Else each keeps its own."""
    gives = rule.how in ("shared", "guarded") or rule.owner == side.role
    return side.takes(name) or (gives and any(other.takes(name) for other in sides if other is not side))


def _difference(
    kind: str, name: str, agreed: Mapping[str, Any], sides: Sequence[Side], astray: Sequence[Side], rule: Policy
) -> FieldDifference:
    values = {side.connection: value for side in sides if (value := side.value(name)) is not ABSENT}
    unseen = [side.connection for side in astray if not side.holds(name, side.sent.get(name))]
    return FieldDifference(
        name,
        _class(kind, name, astray, rule),
        agreed.get(name),
        values,
        tuple(side.connection for side in astray),
        tuple(unseen),
    )


def _class(kind: str, name: str, astray: Sequence[Side], rule: Policy) -> str:
    if rule.how == "guarded" and any(side.role != rule.owner for side in astray):
        return CONFLICT
    if rule.how == "shared" and rule.clash == ASK and len(astray) > 1:
        return CONFLICT
    return MONEY if is_money(kind, name) else STALE


def is_money(kind: str, name: str) -> bool:
    """Does the field hold an amount?"""
    try:
        told = spec(kind, name)
    except KeyError:
        return False
    return told.type == "money" or told.unit == "currency"


def class_of(fields: Sequence[FieldDifference]) -> str:
    """The class of a record by those of its fields: the gravest."""
    classes = {one.cls for one in fields}
    return next(cls for cls in (CONFLICT, MONEY, STALE) if cls in classes)


def amounts(kind: str, side: Side, currency: str) -> Iterator[tuple[str, str, str, str]]:
    """(field, company, currency, amount) of every amount that a side holds itself, those of its items left out.
    `currency` is that of the document."""
    company = str(side.values.get("company") or "")
    for name, value in side.values.items():
        if under_item(name) or not isinstance(value, str) or not is_money(kind, name):
            continue
        amount, _, stated = value.partition(" ")
        _, _, rest = name.partition("company.")
        of, _, field_name = rest.partition(".")
        yield (field_name or name, of or company, stated or currency, amount)
