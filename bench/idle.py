"""What a running service costs when nothing changes.

The service loads everything, then polls at a short interval; its CPU is read from /proc, its cycles are counted at the
source, which sees one request a cycle. What it costs when it does not poll at all is measured in the same way with a
long interval, and taken off: `cycle_ms` is the CPU of one cycle, `standing` that of just being there, as a share of a
core.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import machine
from bench.ends import Ends
from bench.expected import expected
from bench.jobs import agrees
from bench.peers import DatongRunGet, until

EVERY = "every: 1m"
KINDS = 1
"""Kinds of record that bench/datong.yaml keeps in agreement."""


class Polling(DatongRunGet):
    """`datong run`, polling every second."""

    name = "datong-run-polling"
    changes = {EVERY: "every: 1s"}  # noqa: RUF012


def measure(*, n: int, cycles: int, seconds: float, root: Path, wait: float = 5) -> Iterator[dict[str, Any]]:
    """Watched for at least so many `cycles`, then for so many `seconds` without any."""
    want = expected(n, root / "data")["base"]
    with Ends(n, root / "data") as ends:
        peer = Polling(ends, root)
        peer.prepare()
        peer.start()
        try:
            until(lambda: agrees(ends, n, want), 600, "it does not load all", peer.process)
            machine.wait_quiet(wait)
            busy = _watched(peer, ends, lambda watch: watch.cycles() >= cycles)
        finally:
            peer.stop()
        peer.configure({EVERY: "every: 366d"})
        peer.start()
        try:
            machine.wait_quiet(wait)
            quiet = _watched(peer, ends, lambda watch: watch.seconds() >= seconds)
        finally:
            peer.stop()
        standing = quiet["cpu"] / quiet["seconds"]
        yield {
            "part": "idle",
            "peer": "datong-run",
            "n": n,
            "ok": agrees(ends, n, want) and quiet["cycles"] == 0,
            "cycles": busy["cycles"],
            "cycle_ms": round((busy["cpu"] - standing * busy["seconds"]) / busy["cycles"] / KINDS * 1000, 2),
            "standing": round(standing, 4),
            "rss_mb": busy["rss_mb"],
        }


class Watch:
    """What has passed since it was made."""

    def __init__(self, peer: Polling, ends: Ends) -> None:
        self.peer, self.ends = peer, ends
        self.peak = machine.Peak(peer.pid)
        self._began, self._cpu = time.monotonic(), machine.own_cpu(peer.pid)
        self._requests = ends.served()["requests"]

    def seconds(self) -> float:
        return time.monotonic() - self._began

    def cpu(self) -> float:
        return machine.own_cpu(self.peer.pid) - self._cpu

    def cycles(self) -> int:
        return self.ends.served()["requests"] - self._requests


def _watched(peer: Polling, ends: Ends, ended: Callable[[Watch], bool]) -> dict[str, Any]:
    watch = Watch(peer, ends)
    until(lambda: ended(watch), 900, "nothing happens", peer.process)
    told = {"seconds": watch.seconds(), "cpu": watch.cpu(), "cycles": watch.cycles()}
    return {**told, "rss_mb": watch.peak.stop()}
