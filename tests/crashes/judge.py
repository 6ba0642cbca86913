"""What stands in the two systems against what must stand there. Datong is not asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.crashes.story import Expected
from tests.crashes.systems import Rows

_POINTERS = ("parent", "of")


@dataclass
class Verdict:
    """What is missing or has not arrived, and what stands there that should not, or more than once."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)


def judged(expected: Expected, found: dict[str, Rows]) -> Verdict:
    verdict = Verdict()
    for side, objects in found.items():
        for object, rows in objects.items():
            wanted = expected.stands[side].get(object, {})
            _object(verdict, f"{side} {object}", _named(expected, side, wanted), rows)
    return verdict


def _named(expected: Expected, side: str, wanted: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """With names in the place of the labels that point at customers."""
    return {
        label: {n: expected.name(side, v) if n in _POINTERS and v else v for n, v in told.items()}
        for label, told in wanted.items()
    }


def _object(verdict: Verdict, place: str, wanted: dict[str, dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    left = list(rows)
    for label, told in sorted(wanted.items(), key=lambda one: "id" not in one[1]):
        mine = [row for row in left if row["name"] == told["name"]]
        row = next((one for one in mine if one["id"] == told.get("id")), mine[0] if mine else None)
        if row is None:
            verdict.lost.append(f"{place}: {label} {told['name']} is not there")
            continue
        left.remove(row)
        for name, value in told.items():
            _value(verdict, f"{place}: {label} {name}", value, row.get(name))
    verdict.twice += [f"{place}: {row['name']} ({row['id']}) stands there and should not" for row in left]


def _value(verdict: Verdict, place: str, wanted: Any, found: Any) -> None:
    if isinstance(wanted, dict):
        for name, value in wanted.items():
            _value(verdict, f"{place} {name}", value, (found or {}).get(name))
    elif isinstance(wanted, list):
        mine, theirs = Counter(map(tuple, wanted)), Counter(map(tuple, found or []))
        verdict.lost += [f"{place}: {one} is missing" for one in _all(mine - theirs)]
        verdict.twice += [f"{place}: {one} is too many" for one in _all(theirs - mine)]
    elif found != wanted:
        verdict.lost.append(f"{place}: {found!r} stands there, not {wanted!r}")


def _all(counted: Counter[Any]) -> Iterator[Any]:
    return counted.elements()
