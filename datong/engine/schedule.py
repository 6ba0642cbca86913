"""When a flow is looked at next. Pure: times in, times out.

A time that was slept through is not made up for: one look, now, answers them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim


@dataclass(frozen=True)
class Timing:
    """`every` and `cron` (in the time zone `zone`) both count; `sweep` is the longest a flow goes without a look."""

    every: timedelta | None = None
    cron: str | None = None
    sweep: timedelta = timedelta(hours=6)
    zone: str = "UTC"

    def relaxed(self) -> Timing:
        """With webhooks that are well: at the times of `cron`, else at the sweep interval."""
        return replace(self, every=None)

    @property
    def interval(self) -> timedelta:
        """The longest between two looks, as far as it is even."""
        return min(self.sweep, self.every or self.sweep)


def next_after(timing: Timing, last: datetime) -> datetime:
    """When to look next after a look at `last`."""
    evenly = last + timing.interval
    if timing.cron is None:
        return evenly
    planned = next(CronSim(timing.cron, last.astimezone(ZoneInfo(timing.zone))))
    return min(evenly, planned.astimezone(UTC))


def due_at(timing: Timing, last: datetime | None, now: datetime) -> datetime:
    """When the look is due: at once for a flow never looked at, and where the clock was set back."""
    if last is None or last > now:
        return now
    return next_after(timing, last)


def due(timings: Mapping[str, Timing], last: Mapping[str, datetime], now: datetime) -> list[str]:
    """The flows whose time has come: each once, however many of its times have passed."""
    return [name for name, timing in timings.items() if due_at(timing, last.get(name), now) <= now]


def away(seen: datetime | None, now: datetime, timings: Iterable[Timing]) -> timedelta | None:
    """How long nobody looked, where that is more than twice the shortest interval; None otherwise."""
    shortest = min((one.interval for one in timings), default=None)
    if seen is None or shortest is None or now - seen <= 2 * shortest:
        return None
    return now - seen
