"""The mass guard: a change of many linked records at once stops before its first write. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_ROUNDING = 1e-6  # 29% of 100 is 28.999999999999996


@dataclass(frozen=True)
class Limits:
    """More than `updates` (a share of the linked records) and at least `updates_at_least` stops; deletes likewise."""

    updates: float = 0.10
    updates_at_least: int = 20
    deletes: float = 0.02
    deletes_at_least: int = 5

    def enough(self, updates: int, deletes: int) -> int:
        """With so many linked records this many changes are too few to stop, however many more are linked."""
        bounds = [
            many / share
            for many, share, least in (
                (updates, self.updates, self.updates_at_least),
                (deletes, self.deletes, self.deletes_at_least),
            )
            if many >= least and share > 0
        ]
        return int(max(bounds, default=0)) + 1


@dataclass(frozen=True)
class Tally:
    """Of one kind in one connection: how many are linked, and how many would change (the last hour included)."""

    linked: int
    updates: int = 0
    deletes: int = 0


def tripped(tallies: Mapping[tuple[str, str], Tally], limits: Mapping[str, Limits]) -> list[str]:
    """What is too much, in words; empty when all is well. Keys are (connection, kind)."""
    told = []
    for (connection, kind), tally in sorted(tallies.items()):
        limit = limits.get(kind, Limits())
        for what, count, share, least in (
            ("updated", tally.updates, limit.updates, limit.updates_at_least),
            ("deleted", tally.deletes, limit.deletes, limit.deletes_at_least),
        ):
            if count >= least and count > share * tally.linked + _ROUNDING:
                told.append(
                    f"{count} of {tally.linked} linked {kind} records in {connection} would be {what}: "
                    f"more than {share * 100:g}% and at least {least}"
                )
    return told
