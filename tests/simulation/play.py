"""One seed from beginning to end: the story, the calm after it, the people who settle what waits, and the verdict."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from random import Random
from zlib import crc32

from tests.simulation.oracle import judge, sealed
from tests.simulation.steps import FAULTS, Step, Sync, story, week
from tests.simulation.traits import Traits, chosen
from tests.simulation.world import World

STEPS = 200
_QUIET_ROUNDS = 14
_ROUNDS_OF_PEOPLE = 8


@dataclass
class Verdict:
    """What came of a story."""

    seed: int
    faults: tuple[str, ...] = ()
    """Of a week: what went wrong in it."""
    wrong: list[str] = field(default_factory=list)
    fingerprint: str = ""
    writes: int = 0
    unseen_losses: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    """How often what is in STRIKES happened."""


def play(
    seed: int,
    many: int = STEPS,
    *,
    steps: Sequence[Step] | None = None,
    traits: Traits | None = None,
    told: Callable[[str], None] | None = None,
    tamper: Callable[[World], None] | None = None,
) -> Verdict:
    """Live the story of a seed through and judge it. `steps` and `traits` in place of the seed's own shrink it;
    `tamper` breaks the world on purpose."""
    traits = traits or chosen(Random(f"traits {seed}"))
    steps = story(Random(f"story {seed}"), traits, many) if steps is None else steps
    world = World(seed, traits)
    world.told = told or world.told
    verdict = Verdict(seed)
    with _undisturbed(), world.lived():
        if tamper is not None:
            tamper(world)
        world.begin()
        for step in steps:
            world.take(step)
            if world.wrong:
                break
        if not world.wrong:
            verdict.wrong += _end(world)
        verdict.wrong = world.wrong + verdict.wrong + sealed(world)
        verdict.fingerprint = world.fingerprint()
        verdict.writes = sum(s.writes for s in world.systems.values())
        verdict.struck = world.struck
        verdict.unseen_losses = sum(e.unseen_loss for e in world.ledger.entries.values())
    return verdict


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A story makes hardly any rubbish that goes in rings: looking for it less often saves a tenth of its time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def play_week(faults: Sequence[str], many: int = STEPS, told: Callable[[str], None] | None = None) -> Verdict:
    """A week in which only these faults happen, in a world that goes with their names."""
    seed = crc32(" and ".join(faults).encode())
    traits = chosen(Random(f"traits {seed}"))
    verdict = play(seed, traits=traits, steps=week(Random(f"week {seed}"), faults, many), told=told)
    verdict.faults = tuple(faults)
    return verdict


def weeks() -> list[tuple[str, ...]]:
    """Every fault alone, and every two together."""
    return [*((one,) for one in FAULTS), *combinations(FAULTS, 2)]


def _end(world: World) -> list[str]:
    """Everything is well again; then nothing may be left to do, and all must be right, before and after people have
    settled what waits for them."""
    world.told("--- calm")
    world.armed.clear()
    for faults in world.faults.values():
        faults.clear()
    hid = any(system.hidden for system in world.systems.values())
    for system in world.systems.values():
        system.hidden.clear()
    world.clock.off *= 0
    world.time.lapse(8 * 3600)  # longer than the time between two sweeps, also when a clock was wrong
    if hid:
        world.take(Sync("full"))  # what was entered while a field was hidden is in no list of changes any more
    wrong = _quiet(world)
    wrong += world.wrong or judge(world)
    for pick in range(_ROUNDS_OF_PEOPLE):
        items = [] if wrong else world.items()
        if not items:
            break
        world.told(f"--- people settle {len(items)}")
        rested = hid and any(item["cause"] == "map changed" for item in items)
        for item in items:
            if any(i["id"] == item["id"] for i in world.items()):
                world.settle(item, pick)
        if rested:
            world.take(Sync("full"))
        wrong += _quiet(world)
        wrong += world.wrong or judge(world)
    return wrong


def _quiet(world: World) -> list[str]:
    """Cycles until two in a row write nothing, or one, and nothing is left to do."""
    still = 0
    for _ in range(_QUIET_ROUNDS):
        before = sum(s.writes for s in world.systems.values())
        world.time.lapse(1200)
        world.take(Sync())
        still = still + 1 if sum(s.writes for s in world.systems.values()) == before else 0
        if world.wrong or still == 2 or (still and not world.unfinished()):
            return []
    return ["it never stops writing"]
