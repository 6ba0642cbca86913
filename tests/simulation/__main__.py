"""Many stories, or one told. Exit status 1 when a story went wrong."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.play import STEPS, Verdict, play
from tests.simulation.shrink import cause, shrunk, tale


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="one story")
    parser.add_argument("--seeds", type=int, default=500, help="how many stories")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed: to go on where a run ended")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--shrink", action="store_true", help="with --seed: the shortest story that still goes wrong")
    parser.add_argument("-v", "--verbose", action="store_true", help="with --seed: tell the story")
    told = parser.parse_args()
    return _one(told) if told.seed is not None else _many(told)


def _one(told: argparse.Namespace) -> int:
    verdict = play(told.seed, told.steps, told=print if told.verbose else None)
    print(f"seed {told.seed}, {told.steps} steps: {verdict.fingerprint}, {verdict.writes} writes")
    for line in verdict.wrong:
        print(f"WRONG: {line}")
    if verdict.wrong and told.shrink:
        print(tale(told.seed, *shrunk(told.seed, told.steps)))
    return 1 if verdict.wrong else 0


def _many(told: argparse.Namespace) -> int:
    began, wrong = time.monotonic(), []
    causes: Counter[str] = Counter()
    writes = losses = 0
    seeds = range(told.first, told.first + told.seeds)
    with ProcessPoolExecutor(told.jobs) as pool:
        for number, verdict in enumerate(pool.map(_quietly, seeds, [told.steps] * told.seeds, chunksize=5), 1):
            writes, losses = writes + verdict.writes, losses + verdict.unseen_losses
            if verdict.wrong:
                wrong.append(verdict)
                causes.update(cause(verdict.wrong))
                print(f"\rseed {verdict.seed}: {verdict.wrong[0].splitlines()[0]}", flush=True)
            if sys.stderr.isatty() or number % 100 == 0:
                spent = time.monotonic() - began
                line = f"next --from {seeds.start + number}: {number} stories, {len(wrong)} wrong, {spent:.0f} s"
                print(line, end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
    print()
    print(f"stories        {told.seeds} of {told.steps} steps, from seed {told.first}")
    print(f"writes         {writes}")
    print(f"unseen losses  {losses} (between look and write, in systems without a guard)")
    print(f"wrong          {len(wrong)}")
    for what, times in causes.most_common():
        print(f"  {times:5}  {what}")
    for verdict in wrong[:5]:
        print(f"replay: python -m tests.simulation --seed {verdict.seed} --steps {told.steps} -v --shrink")
    return 1 if wrong else 0


def _quietly(seed: int, steps: int) -> Verdict:
    return play(seed, steps)


if __name__ == "__main__":
    sys.exit(main())
