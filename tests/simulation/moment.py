"""The time of the simulated world, and the clocks in it: each is off by something."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

BEGINNING = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


class Time:
    """The true time. It passes only when told to."""

    def __init__(self) -> None:
        self.now = BEGINNING
        self.passing: list[Callable[[], None]] = []

    def lapse(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        for look in self.passing:
            look()


class SimClock:
    """The clock of the machine that Datong runs on: may be set wrong while it runs. Sleeping takes true time."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.off = timedelta(0)

    def now(self) -> datetime:
        return self.time.now + self.off

    def monotonic(self) -> float:
        return (self.time.now - BEGINNING).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.time.lapse(seconds)
