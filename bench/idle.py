"""What a running service costs when nothing changes.

The service loads everything, then polls at a short interval; its CPU is read from /proc, its cycles are counted at the
source, which sees one request a cycle. What it costs when it does not poll at all is measured in the same way with a
long interval, and taken off: `cycle_ms` is the CPU of one cycle, `standing` that of just being there, as a share of a
core.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
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


def measure(*, n: int, seconds: float, root: Path, wait: float = 5) -> Iterator[dict[str, Any]]:
    want = expected(n, root / "data")["base"]
    with Ends(n, root / "data") as ends:
        peer = Polling(ends, root)
        peer.prepare()
        peer.start()
        try:
            until(lambda: agrees(ends, n, want), 600, "it does not load all", peer.process)
            machine.wait_quiet(wait)
            busy_cpu, cycles, rss = _watched(peer, ends, seconds)
        finally:
            peer.stop()
        peer.configure({EVERY: "every: 366d"})
        peer.start()
        try:
            machine.wait_quiet(wait)
            quiet_cpu, beside, _ = _watched(peer, ends, seconds)
        finally:
            peer.stop()
        yield {
            "part": "idle",
            "peer": "datong-run",
            "n": n,
            "ok": agrees(ends, n, want) and cycles > 0 and beside == 0,
            "seconds": seconds,
            "cycles": cycles,
            "cycle_ms": round((busy_cpu - quiet_cpu) / cycles / KINDS * 1000, 2) if cycles else None,
            "standing": round(quiet_cpu / seconds, 4),
            "rss_mb": rss,
        }


def _watched(peer: Polling, ends: Ends, seconds: float) -> tuple[float, int, float]:
    """CPU seconds, cycles and peak memory of a while."""
    peak = machine.Peak(peer.pid)
    cpu, requests = machine.own_cpu(peer.pid), ends.served()["requests"]
    time.sleep(seconds)
    return machine.own_cpu(peer.pid) - cpu, ends.served()["requests"] - requests, peak.stop()
