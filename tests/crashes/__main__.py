"""`python -m tests.crashes`: rounds of the crash proof, and a table of what became of them."""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any

from tests.crashes.doors import Point
from tests.crashes.rounds import Ground, Kill, Outcome, drawn, schedule
from tests.crashes.sites import left_out
from tests.crashes.stores import Postgres, Sqlite, StoreKind


def main(arguments: list[str] | None = None) -> int:
    asked = _asked(arguments)
    began = time.monotonic()
    told, outcomes = _played(asked, began)
    print(table(outcomes))
    print(summary(outcomes, told.points, time.monotonic() - began))
    for place in told.left_out:
        print(f"LEFT OUT  {place} commits or calls, and no act of the story comes to it")
    return 1 if told.left_out or not all(one.good for one in outcomes) else 0


Round = tuple[str, tuple[Kill, ...]]


@dataclass
class Told:
    """What a worker says when it has told the story: the rounds there are, how many points, and what was left out."""

    rounds: list[Round]
    points: int
    left_out: list[str]


def _played(asked: argparse.Namespace, began: float) -> tuple[Told, list[Outcome]]:
    """Every round of the list that the first worker makes, dealt out to whoever is free."""
    context = multiprocessing.get_context("fork")
    workers: dict[Any, Any] = {}
    for _ in range(asked.jobs):
        line, theirs = context.Pipe()
        worker = context.Process(target=_work, args=(asked, theirs))
        worker.start()
        theirs.close()
        workers[line] = worker
    first: Told | None = None
    left: list[Round] = []
    outcomes: list[Outcome] = []
    busy = list(workers)
    try:
        while busy:
            for line in wait(busy):
                said = _heard(line)
                if isinstance(said, Outcome):
                    outcomes.append(said)
                    _show_bad(said, asked)
                    _progress(len(outcomes), asked.rounds, began)
                elif first is None:
                    first, left = said, said.rounds[::-1]
                if left:
                    line.send(left.pop())
                else:
                    line.send(None)
                    busy.remove(line)
    except BaseException:
        for worker in workers.values():
            worker.terminate()
        raise
    finally:
        for worker in workers.values():
            worker.join()
    assert first is not None
    return first, outcomes


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.crashes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1, help="rounds side by side, each on systems of its own")
    parser.add_argument("--pair", choices=("sandbox", "real"), default="sandbox")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--random", action="store_true", help="only random kills, no walk through every point")
    parser.add_argument("--replay", metavar="ACT: KILL, KILL", help="one round, as a failing round prints it")
    asked = parser.parse_args(arguments)
    if asked.replay:
        asked.rounds = asked.jobs = 1
    return asked


def _heard(line: Connection) -> Any:
    try:
        said = line.recv()
    except EOFError:
        raise SystemExit("a worker died") from None
    if isinstance(said, str):
        raise SystemExit(said)
    return said


def _work(asked: argparse.Namespace, line: Connection) -> None:
    """Tells the story on systems of its own, then plays the rounds that it is given."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to stop"))
    try:
        with ground(asked.pair, asked.store, asked.seed) as mine:
            line.send(Told(rounds(mine, asked), len(mine.points), left_out(asked.pair, mine.reached)))
            while (given := line.recv()) is not None:
                line.send(mine.play(*given))
    except Exception:
        line.send(traceback.format_exc())


def rounds(ground: Ground, asked: argparse.Namespace) -> list[Round]:
    """First every point once, then random ones."""
    if asked.replay:
        return [replayed(asked.replay)]
    every = [] if asked.random else schedule(ground, asked.seed)
    random = Random(asked.seed)
    return every[: asked.rounds] + [drawn(ground, random) for _ in range(asked.rounds - len(every))]


def replayed(text: str) -> Round:
    act, _, kills = text.partition(": ")
    return act, tuple(_kill(one) for one in kills.split(", "))


def _kill(text: str) -> Kill:
    if text.startswith("after "):
        return Kill(seconds=float(text.split()[1]) / 1000)
    door, _, rest = text.rpartition(" #")
    number, moment = rest.split()
    return Kill(Point(door, int(number), moment))


@contextmanager
def ground(pair: str, store: str, seed: int) -> Iterator[Ground]:
    """In memory where the machine has such a folder: a killed process loses nothing that the kernel was given."""
    memory = Path("/dev/shm")
    base = Path(tempfile.mkdtemp(prefix="datong-crashes-", dir=memory if memory.is_dir() else None))
    try:
        with _systems(pair, seed) as (systems, acts):
            kept: StoreKind = Postgres(base / "postgres") if store == "postgres" else Sqlite()
            try:
                yield Ground(systems, kept, acts, base)
            finally:
                kept.close()
    finally:
        shutil.rmtree(base, ignore_errors=True)


@contextmanager
def _systems(pair: str, seed: int) -> Iterator[Any]:
    if pair == "real":
        from tests.crashes.real import REAL, real_systems

        with real_systems() as systems:
            yield systems, REAL
        return
    from tests.crashes.story import SANDBOX
    from tests.crashes.systems import SandboxSystems

    systems = SandboxSystems(seed)
    try:
        yield systems, SANDBOX
    finally:
        systems.close()


# telling -------------------------------------------------------------------------------------------------------------


def _show_bad(outcome: Outcome, asked: argparse.Namespace) -> None:
    if outcome.good:
        return
    kills = ", ".join(map(str, outcome.kills))
    print(f"\nFAILED  {outcome.act}: {kills}")
    for told in (*outcome.lost, *outcome.twice, outcome.seals, outcome.trouble):
        if told:
            print(f"  {told}")
    more = f" --store {asked.store}" * (asked.store != "sqlite") + f" --pair {asked.pair}" * (asked.pair != "sandbox")
    print(f"  again: python -m tests.crashes --seed {asked.seed}{more} --replay '{outcome.act}: {kills}'", flush=True)


def _progress(done: int, of: int, began: float) -> None:
    told = f"{done} of {of} rounds, {time.monotonic() - began:.0f} s"
    if sys.stderr.isatty():
        print(f"\r{told}", end="", file=sys.stderr, flush=True)
    elif done % 100 == 0:
        print(told, file=sys.stderr, flush=True)


def table(outcomes: list[Outcome]) -> str:
    """One line for each kind of point: the door and the moment, over all acts and times."""
    lines = [("point", "rounds", "lost", "twice", "seals", "verdict")]
    groups: dict[str, list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault(_kind(one), []).append(one)
    for kind in sorted(groups):
        mine = groups[kind]
        lost, twice = sum(bool(o.lost) for o in mine), sum(bool(o.twice) for o in mine)
        seals, troubled = sum(bool(o.seals) for o in mine), sum(bool(o.trouble) for o in mine)
        verdict = "holds" if all(o.good for o in mine) else "FAILS" + f" ({troubled} in trouble)" * bool(troubled)
        lines.append((kind, str(len(mine)), str(lost), str(twice), "intact" if not seals else f"{seals} bad", verdict))
    widths = [max(len(line[n]) for line in lines) for n in range(6)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _kind(outcome: Outcome) -> str:
    if len(outcome.kills) > 1:
        return f"killed {len(outcome.kills)} times at random"
    (kill,) = outcome.kills
    return f"{kill.point.door} {kill.point.moment}" if kill.point else "at a random moment"


def summary(outcomes: list[Outcome], points: int, seconds: float) -> str:
    reached = {(o.act, o.kills[0].point) for o in outcomes if o.reached and len(o.kills) == 1 and o.kills[0].point}
    bad = sum(not o.good for o in outcomes)
    told = f"{len(outcomes)} rounds in {seconds:.0f} s, {len(reached)} of {points} points of the story killed at"
    missed = sum(not o.reached for o in outcomes)
    judged = f"{bad} FAILED" if bad else "nothing lost, nothing twice, seals intact"
    return f"{told}, {missed} rounds done before their kill: {judged}"


if __name__ == "__main__":
    sys.exit(main())
