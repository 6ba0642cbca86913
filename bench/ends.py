"""Source and sink as processes, on free ports of the loopback interface."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from bench import machine

REPOSITORY = Path(__file__).resolve().parents[1]


def call(url: str, body: bytes | None = None, timeout: float = 120) -> Any:
    """GET, or POST where there is a body."""
    request = urllib.request.Request(url, data=body, method="GET" if body is None else "POST")
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return orjson.loads(answer.read() or b"{}")


class Ends:
    """A source of `n` customers and an empty sink, while the `with` block lasts."""

    def __init__(self, n: int, cache: Path) -> None:
        self.n, self.cache = n, cache

    def __enter__(self) -> Self:
        self._started: list[subprocess.Popen[str]] = []
        try:
            self.source = self._start("bench.source", "--n", str(self.n), "--cache", str(self.cache.resolve()))
            self.sink = self._start("bench.sink")
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self, module: str, *flags: str) -> str:
        command = [sys.executable, "-m", module, *flags]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        self._started.append(process)
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"{module} did not start")
        return url

    def stop(self) -> None:
        for process in self._started:
            process.terminate()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def cpu(self) -> float:
        return machine.cpu(p.pid for p in self._started)

    def reset(self) -> None:
        """Source at its base state, sink empty, no faults."""
        for url in (self.source, self.sink):
            call(url + "/_control/reset", b"")
        self.faults()

    def touch(self) -> None:
        call(self.source + "/_control/touch?rev=1", b"")

    def schedule(self, customers: range, start: float, rate: float, rev: int) -> None:
        """They change one by one, `rate` a second, from the monotonic time `start` on."""
        told = {"first": customers.start, "count": len(customers), "start": start, "rate": rate, "rev": rev}
        call(self.source + "/_control/schedule", orjson.dumps(told))

    def faults(self, **faults: int) -> None:
        call(self.sink + "/_control/faults", orjson.dumps(faults))

    def record_arrivals(self) -> None:
        call(self.sink + "/_control/record", b"")

    def arrivals(self) -> list[tuple[str, float]]:
        """Account and monotonic time of its upsert."""
        return [(key, at) for key, at in call(self.sink + "/_arrivals")]

    def served(self) -> dict[str, int]:
        told: dict[str, int] = call(self.source + "/_stats")
        return told

    def held(self) -> dict[str, int]:
        """What the sink has: its counts, `accounts` and `total`."""
        told = call(self.sink + "/_stats")
        return {**told, "total": int(told["total"])}
