"""Full, delta, idle: runs side by side on the same job, one row a measurement.

In each repetition the peers take turns, so that noise falls on all alike; each begins with source, sink and its own
state fresh. Then: `full`, everything is new; `delta`, one customer in a hundred changed; `idle`, nothing changed.

Wall time is from the start of the process to its end, `cpu` is the user and system time of its tree, `rss_mb` its peak,
`foreign` what other programs of the machine took meanwhile, in cores: where it is high the wall time says little.
A run is `ok` when the sink then holds the right number of accounts with the right sum of fingerprints.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench import machine
from bench.ends import Ends
from bench.expected import expected
from bench.peers import PEERS, Peer

JOBS = ("full", "delta", "idle")
Row = dict[str, Any]


def measure(
    n: int,
    peers: Sequence[str],
    *,
    reps: int,
    root: Path,
    jobs: Sequence[str] = JOBS,
    timeout: float = 900,
    wait: float = 20,
) -> Iterator[Row]:
    """`wait`: the most seconds to wait for a quiet machine before a full run."""
    want = expected(n, root / "data")
    with Ends(n, root / "data") as ends:
        for rep in range(reps):
            for name in peers:
                peer = PEERS[name](ends, root)
                peer.prepare()
                ends.reset()
                state = "base"
                for job in jobs:
                    if job == "delta":
                        ends.touch()
                        state = "after"
                    quiet = machine.wait_quiet(wait if job == "full" else min(wait, 2))
                    row = {"part": "job", "peer": name, "n": n, "rep": rep, "job": job, "quiet": quiet}
                    row |= run_once(peer, ends, timeout)
                    row["ok"] = row["exit"] == 0 and agrees(ends, n, want[state])
                    row["bytes"] = peer.bytes_kept()
                    yield row
                    if not row["ok"]:
                        break


def agrees(ends: Ends, n: int, total: int) -> bool:
    held = ends.held()
    return (held["accounts"], held["total"]) == (n, total)


def run_once(peer: Peer, ends: Ends, timeout: float) -> Row:
    """One process, from its start to its end."""
    held, served, serving = ends.held(), ends.served(), ends.cpu()
    busy, own, other = machine.busy(), time.process_time(), peer.other_cpu()
    wall, cpu, peak, code = timed(peer, timeout)
    other, serving = peer.other_cpu() - other, ends.cpu() - serving
    foreign = machine.busy() - busy - cpu - other - serving - (time.process_time() - own)
    now, served_now = ends.held(), ends.served()
    return {
        "exit": code,
        "wall": round(wall, 3),
        "cpu": round(cpu, 2),
        "database_cpu": round(other, 2),
        "ends_cpu": round(serving, 2),
        "foreign": round(max(foreign, 0) / wall, 2),
        "rss_mb": peak,
        "sink_requests": now["requests"] - held["requests"],
        "sink_writes": sum(now[k] - held[k] for k in ("created", "updated", "identical")),
        "sent_twice": now["identical"] - held["identical"],
        "source_requests": served_now["requests"] - served["requests"],
    }


def timed(peer: Peer, timeout: float) -> tuple[float, float, float, int]:
    """Wall and CPU seconds, peak memory in MB, exit status."""
    began = time.monotonic()
    process = peer.spawn()
    peak = machine.Peak(process.pid)
    killer = threading.Timer(timeout, lambda: end_group(process))
    killer.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
    except BaseException:  # told to stop: leave no run behind
        end_group(process)
        raise
    finally:
        killer.cancel()
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return wall, used.ru_utime + used.ru_stime, peak.stop(), process.returncode


def end_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
