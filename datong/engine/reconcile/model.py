"""What a reconciliation may find: the words of it. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MISSING = "missing"
"""Stands on one side, and not on the other where it stood or should stand."""
STALE = "stale"
"""One side holds another value than was agreed."""
CONFLICT = "conflict"
"""Both sides changed the same field, and no rule says who is right."""
ORPHAN = "orphan"
"""Stands on one side, and nobody knows it here."""
DUPLICATE = "duplicate"
"""A second record of one that is linked there already."""
MONEY = "money"
"""One side holds another amount than was agreed."""
UNREACHABLE = "unreachable"
"""Could not be compared."""
CLASSES = (MONEY, CONFLICT, MISSING, DUPLICATE, ORPHAN, STALE, UNREACHABLE)
"""In the order in which they are shown: what costs most first."""


@dataclass(frozen=True)
class FieldDifference:
    """One field that the sides do not hold alike. `values` by connection; `astray` are the connections that hold
    something else than was agreed; `unseen` those of them that hold what was never read there."""

    name: str
    cls: str
    agreed: Any
    values: Mapping[str, Any]
    astray: tuple[str, ...]
    unseen: tuple[str, ...] = ()

    @property
    def told(self) -> dict[str, Any]:
        return {
            "field": self.name,
            "class": self.cls,
            "agreed": self.agreed,
            "values": dict(self.values),
            "astray": list(self.astray),
            "unseen": list(self.unseen),
        }


@dataclass(frozen=True)
class Known:
    """Why a difference is no news: `code` groups what is alike, `why` says it of this one."""

    code: str
    why: str


@dataclass(frozen=True)
class Trace:
    """Since when, and what of. `since` None: not to be told. Not `exact`: some time after that. `row` is the row
    of the journal that tells it."""

    cause: str
    why: str
    since: datetime | None = None
    exact: bool = True
    row: int | None = None


@dataclass
class Difference:
    """One record about which the systems do not agree. `place` is the connection it is about: where it is missing, or
    unknown, or holds something else. `other`: of a duplicate the record it is a second one of. `person`: it is about a
    natural person."""

    cls: str
    kind: str
    flow: str
    record_id: int | None
    natives: dict[str, str]
    place: str
    name: str
    fields: list[FieldDifference] = field(default_factory=list)
    known: Known | None = None
    why: str = ""
    other: str = ""
    person: bool = False
    trace: Trace | None = None

    @property
    def key(self) -> str:
        """The same for the same difference, whenever it is looked for."""
        if self.record_id is not None:
            return f"r{self.record_id}"
        return f"n{self.place}:{self.natives[self.place]}"
