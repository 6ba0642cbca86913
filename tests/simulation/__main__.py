"""Many stories, or one told. Exit status 1 when a story went wrong, or when something never happened that should."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.play import STEPS, Verdict, play, play_week, weeks
from tests.simulation.shrink import cause, shrunk, tale
from tests.simulation.steps import FAULTS
from tests.simulation.traits import STRIKES

_ENOUGH = 200
"""Stories in which everything must have happened that can."""


def main() -> int:
    told = _asked()
    if told.week is not None:
        return _one(told, play_week(told.week, told.steps, told=print if told.verbose else None))
    if told.seed is not None:
        return _one(told, play(told.seed, told.steps, told=print if told.verbose else None))
    if told.weeks:
        return _many(told, play_week, weeks())
    return _many(told, play, range(told.first, told.first + told.seeds))


def _asked() -> argparse.Namespace:
    width = max(map(len, STRIKES))
    happens = "\n".join(f"  {name:{width}}  {meaning}" for name, meaning in STRIKES.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description=__doc__,
        epilog=f"What happens in a story, counted in the table at the end:\n{happens}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="one story")
    parser.add_argument("--seeds", type=int, default=500, help="how many stories")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed: to go on where a run ended")
    parser.add_argument("--weeks", action="store_true", help="a week for each fault alone, and for every two together")
    parser.add_argument("--week", nargs="+", choices=FAULTS, metavar="FAULT", help=f"one week: {', '.join(FAULTS)}")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--shrink", action="store_true", help="with --seed: the shortest story that still goes wrong")
    parser.add_argument("-v", "--verbose", action="store_true", help="with --seed or --week: tell the story")
    return parser.parse_args()


def _one(told: argparse.Namespace, verdict: Verdict) -> int:
    print(f"{_name(verdict)}, {told.steps} steps: {verdict.fingerprint}, {verdict.writes} writes")
    for line in verdict.wrong:
        print(f"WRONG: {line}")
    if verdict.wrong and told.shrink and told.seed is not None:
        print(tale(told.seed, *shrunk(told.seed, told.steps)))
    return 1 if verdict.wrong else 0


def _many(told: argparse.Namespace, live: Callable[..., Verdict], stories: Iterable[object]) -> int:
    began, wrong = time.monotonic(), []
    causes: Counter[str] = Counter()
    struck: Counter[str] = Counter()
    writes = losses = 0
    stories = list(stories)
    with ProcessPoolExecutor(told.jobs) as pool:
        for number, verdict in enumerate(pool.map(live, stories, [told.steps] * len(stories), chunksize=5), 1):
            writes, losses = writes + verdict.writes, losses + verdict.unseen_losses
            struck.update(verdict.struck)
            if verdict.wrong:
                wrong.append(verdict)
                causes.update(cause(verdict.wrong))
                print(f"\r{_name(verdict)}: {verdict.wrong[0].splitlines()[0]}", flush=True)
            if sys.stderr.isatty() or number % 100 == 0:
                spent = time.monotonic() - began
                line = f"next --from {told.first + number}: {number} stories, {len(wrong)} wrong, {spent:.0f} s"
                print(line, end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
    print()
    print(f"stories        {len(stories)} of {told.steps} steps" + ("" if told.weeks else f", from seed {told.first}"))
    print(f"writes         {writes}")
    print(f"unseen losses  {losses} (between look and write, in systems without a guard)")
    print(f"wrong          {len(wrong)}")
    for what, times in causes.most_common():
        print(f"  {times:5}  {what}")
    for name, meaning in STRIKES.items():
        print(f"  {struck[name] or 'NEVER':>7}  {name:14} {meaning}")
    for verdict in wrong[:5]:
        how = f"--week {' '.join(map(repr, verdict.faults))}" if verdict.faults else f"--seed {verdict.seed} --shrink"
        print(f"replay: python -m tests.simulation {how} --steps {told.steps} -v")
    never = len(stories) >= _ENOUGH and any(not struck[name] for name in STRIKES)
    return 1 if wrong or never else 0


def _name(verdict: Verdict) -> str:
    return f"week of {' and '.join(verdict.faults)}" if verdict.faults else f"seed {verdict.seed}"


if __name__ == "__main__":
    sys.exit(main())
