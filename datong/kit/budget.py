"""Rate budgets: how many requests a connection may make, shared by all flows that use it."""

from __future__ import annotations

import threading

from datong.base.clock import Clock
from datong.base.errors import RateLimited

PATIENCE = 30.0
"""Seconds that a caller waits in place; beyond it the work is put off."""


class Budget:
    """A token bucket: `per_second` on average, `burst` at once. `pause` stops everyone until a moment passes."""

    def __init__(self, clock: Clock, per_second: float | None = None, burst: int = 10) -> None:
        self._clock = clock
        self._rate = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._then = clock.monotonic()
        self._not_before = 0.0
        self._lock = threading.Lock()
        self.spent = 0

    def take(self) -> None:
        """Wait for one request's worth."""
        wait = self._claim()
        if wait > PATIENCE:
            raise RateLimited(f"nobody may call for another {wait:.0f} s", after=wait)
        while wait > 0:
            self._clock.sleep(wait)
            wait = self._paused()  # somebody may have been told to pause meanwhile

    def _paused(self) -> float:
        with self._lock:
            return max(0.0, self._not_before - self._clock.monotonic())

    def _claim(self) -> float:
        with self._lock:
            now = self._clock.monotonic()
            self.spent += 1
            wait = max(0.0, self._not_before - now)
            if self._rate is None:
                return wait
            self._tokens = min(self._burst, self._tokens + (now - self._then) * self._rate) - 1.0
            self._then = now
            return max(wait, -self._tokens / self._rate)

    def pause(self, seconds: float) -> None:
        """Nobody calls before this has passed: what a 429 with Retry-After asks for."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock.monotonic() + seconds)
