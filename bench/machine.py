"""What processes cost: CPU, memory, and what else the machine was doing meanwhile."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

TICK = os.sysconf("SC_CLK_TCK")


def busy() -> float:
    """CPU seconds that the whole machine has spent since it was started (user, nice, system, interrupts)."""
    spent = psutil.cpu_times()
    return float(spent.user + spent.nice + spent.system + spent.irq + spent.softirq)


def tree(pid: int) -> list[psutil.Process]:
    """A process and its descendants; none where it has ended."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def cpu(pids: Iterable[int]) -> float:
    """CPU seconds of these processes, their descendants included."""
    total = 0.0
    for process in [p for pid in pids for p in tree(pid)]:
        with suppress(psutil.NoSuchProcess):
            spent = process.cpu_times()
            total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def own_cpu(pid: int) -> float:
    """CPU seconds of one process without its children, from /proc/<pid>/stat."""
    spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(spent[11]) + int(spent[12])) / TICK


class Peak(threading.Thread):
    """The most resident memory that a process tree held, in MB: the kernel's own peak, asked every 0.05 s.

    Not `ru_maxrss`, which counts what the parent held when it forked.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most = pid, 0
        self._ended = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._ended.wait(0.05):
            self.most = max(self.most, sum(_peak_kb(pid) for pid in _family(self.pid)))

    def stop(self) -> float:
        self._ended.set()
        self.join()
        return round(self.most / 1024, 1)


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


def _peak_kb(pid: int) -> int:
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def wait_quiet(seconds: float, limit: float = 0.25) -> float | None:
    """Wait until other programs use less than `limit` of a core, at most so long (0: not); gives what they use."""
    if not seconds:
        return None
    end = time.monotonic() + seconds
    while True:
        before = busy()
        time.sleep(1)
        used = busy() - before
        if used < limit or time.monotonic() > end:
            return round(used, 2)


@contextmanager
def stopping_on_sigterm() -> Iterator[None]:
    """So that whoever ends the bench ends what it started, too."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
