"""One clock for both systems: real time plus an offset, or frozen and moved by hand. Counted in microseconds."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_datetime(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def parse_time(text: str) -> int:
    """ISO 8601, with or without zone (then UTC). Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


class Clock:
    def __init__(self, start: datetime | None = None) -> None:
        self._frozen = to_micros(start) if start else None
        self._offset = 0
        self._lock = threading.Lock()

    def micros(self) -> int:
        base = time.time_ns() // 1000 if self._frozen is None else self._frozen
        return base + self._offset

    def now(self) -> datetime:
        return to_datetime(self.micros())

    def offset(self) -> float:
        return self._offset / SECOND

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._offset += round(seconds * SECOND)

    def reset(self) -> None:
        with self._lock:
            self._offset = 0

    async def until(self, due: int) -> None:
        """Sleeps until the clock shows `due`, also when it is moved by hand meanwhile."""
        while (left := due - self.micros()) > 0:
            await asyncio.sleep(min(left / SECOND, 0.02))
