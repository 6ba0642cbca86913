"""When to try again. Pure."""

from __future__ import annotations

from datetime import timedelta
from random import Random

_FIRST = 2.0
_LONGEST = 900.0
_FARTHEST = 86400.0


def delay(attempts: int, random: Random, asked: float | None = None) -> timedelta:
    """Twice as long each time, up to 15 minutes, between half and all of it by chance.

    Never sooner than asked, but what is asked counts for a day at most.
    """
    longest = min(_LONGEST, _FIRST * 2.0 ** min(attempts, 16))
    jittered = longest * (0.5 + random.random() / 2)
    return timedelta(seconds=max(jittered, min(asked or 0.0, _FARTHEST)))
