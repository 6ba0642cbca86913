"""What a person froze of a record: those fields are neither taken in from a side nor delivered to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from datong.canon.catalogue import pattern
from datong.store.holds import Hold
from datong.store.unit import Rec, Unit

EVERY = "*"


@dataclass(frozen=True)
class Frozen:
    """What is held of one record on one side; what says the most stands first: this side before every side, this
    record before its kind."""

    holds: tuple[Hold, ...]

    def hold_of(self, name: str) -> Hold | None:
        """The hold on a field: by its name, its pattern or its collection; what names it alone comes first."""
        for wanted in (name, pattern(name), name.partition(".")[0], EVERY):
            for hold in self.holds:
                if hold.field == wanted:
                    return hold
        return None

    def among(self, names: Iterable[str]) -> set[str]:
        """Of these names those that are held."""
        return {name for name in names if self.hold_of(name) is not None}

    def resting(self, names: Iterable[str]) -> set[str]:
        """Of these names those that are not written now: held, and no value is to stand there meanwhile."""
        return {name for name in names if (hold := self.hold_of(name)) is not None and not hold.keeps}

    @property
    def kept(self) -> dict[str, Any]:
        """Field -> what is to stand there meanwhile."""
        return {hold.field: hold.value for hold in reversed(self.holds) if hold.keeps}


def frozen(unit: Unit, record: Rec, connection: str) -> Frozen | None:
    """What is held of the record on that side; None, as mostly, where nothing is."""
    if not unit.holds:
        return None
    held = unit.holds.on(record.id, record.kind, connection)
    held.sort(key=lambda hold: (hold.connection == "", hold.record_id is None))
    return Frozen(tuple(held)) if held else None
