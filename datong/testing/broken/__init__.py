"""Connectors broken on purpose, each in one way that has been seen in the wild. They prove the suite.

`fails` of each names the cases that must catch the fault; every other case passes, and every case is in some `fails`.
"""

from __future__ import annotations

from collections.abc import Iterator

from datong.testing.broken import declaring, failing, reading, writing
from datong.testing.broken.base import Broken


def _leaves(of: type[Broken]) -> Iterator[type[Broken]]:
    for one in of.__subclasses__():
        if one.fails:
            yield one
        yield from _leaves(one)


BROKEN: tuple[type[Broken], ...] = tuple(_leaves(Broken))
"""Every one of them."""

__all__ = ["BROKEN", "Broken", "declaring", "failing", "reading", "writing"]
