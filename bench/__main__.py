"""Measure Datong beside the same job written by hand.

    python -m bench                                        full, delta, idle; 100,000 customers, 3 repetitions
    python -m bench --parts jobs,latency,idle --store both the table of all targets
    python -m bench --parts growth                         10,000, 100,000, 1,000,000
    python -m bench report FILE...                         the table again

Prints a row of JSON as each measurement is done (to standard error), and the table in the end.
"""

from __future__ import annotations

import argparse
import compileall
import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import durability, idle, jobs, latency, machine
from bench.ends import REPOSITORY
from bench.report import passed, read, report

STORES = {"sqlite": ["datong"], "postgres": ["datong-pg"], "both": ["datong", "datong-pg"]}
PARTS = ("jobs", "latency", "idle", "growth", "durability")
SIZES = (10_000, 100_000, 1_000_000)
HOOKS = ("bound-hook", "datong-run", "bound-hook-get", "datong-run-get")
KNOWN_AT_SERVICE = 10_000


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--parts", default="jobs", help=f"some of {','.join(PARTS)}")
    top.add_argument("--n", type=int, default=100_000, help="customers")
    top.add_argument("--reps", type=int, default=3)
    top.add_argument("--store", choices=sorted(STORES), default="sqlite", help="where Datong remembers")
    top.add_argument("--peers", help="whom to measure, instead of the bound and Datong")
    top.add_argument("--jobs", default=",".join(jobs.JOBS), help="which of them, for jobs and growth")
    top.add_argument("--sizes", default=",".join(map(str, SIZES)), help="for growth")
    top.add_argument("--rates", default="200", help="events a second, for latency")
    top.add_argument("--seconds", type=float, default=10, help="how long each rate lasts")
    top.add_argument("--cycles", type=int, default=30, help="how many idle cycles are watched")
    top.add_argument("--timeout", type=float, default=900, help="the most seconds of one run")
    top.add_argument("--wait", type=float, default=20, help="the most seconds to wait for a quiet machine before a run")
    top.add_argument("--root", type=Path, default=REPOSITORY / ".cache/bench", help="data, state, logs, results")
    top.add_argument("--out", type=Path, help="where the rows go; default ROOT/results/<time>.jsonl")
    return top


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["report"]:
        print(report(read(Path(name) for name in arguments[1:])), end="")
        return 0
    options = parser().parse_args(arguments)
    began = datetime.now(UTC)
    out = options.out or options.root / "results" / f"{began:%Y%m%dT%H%M%S}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    compiled()
    with machine.stopping_on_sigterm(), out.open("a", encoding="utf8") as file:
        file.write(json.dumps(about(began)) + "\n")
        for row in rows(options):
            print(json.dumps(row), file=sys.stderr, flush=True)
            file.write(json.dumps(row) + "\n")
            file.flush()
    measured = read([out])
    print(report(measured), end="")
    return 0 if passed(measured) else 1


def rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    peers = options.peers.split(",") if options.peers else None
    root = options.root
    sized = {"root": root, "timeout": options.timeout}
    kinds = {"wait": options.wait, "jobs": options.jobs.split(",")}
    for part in options.parts.split(","):
        if part == "jobs":
            both = peers or ["bound-rows", *STORES[options.store]]
            yield from jobs.measure(options.n, both, reps=options.reps, **kinds, **sized)
        elif part == "growth":
            for n in map(int, options.sizes.split(",")):
                both = peers or ["bound-rows", *STORES[options.store]]
                yield from jobs.measure(n, both, reps=1, **kinds, **sized)
        elif part == "latency":
            rates = [float(rate) for rate in options.rates.split(",")]
            n = max(min(options.n, KNOWN_AT_SERVICE), latency.customers(rates, options.seconds))
            yield from latency.measure(
                peers or HOOKS, rates, n=n, seconds=options.seconds, reps=options.reps, root=root
            )
        elif part == "idle":
            yield from idle.measure(
                n=min(options.n, KNOWN_AT_SERVICE), cycles=options.cycles, seconds=options.seconds, root=root
            )
        elif part == "durability":
            yield from durability.measure(peers or ["bound-rows", *STORES[options.store]], n=options.n, **sized)
        else:
            raise SystemExit(f"there is no part {part}; there are {', '.join(PARTS)}")


def compiled() -> None:
    """As an installed package is: no run pays for compiling sources."""
    for package in ("datong", "bench"):
        if not compileall.compile_dir(REPOSITORY / package, quiet=1):
            raise SystemExit(f"{package} does not compile")


def about(began: datetime) -> dict[str, Any]:
    """When, where and of what."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    cpus = Path("/proc/cpuinfo").read_text().count("processor\t")
    return {
        "part": "about",
        "date": f"{began:%Y-%m-%d %H:%M} UTC",
        "commit": commit.stdout.strip() or "unknown",
        "python": platform.python_version(),
        "machine": f"{cpus} CPUs, {platform.system()} {platform.machine()}",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
