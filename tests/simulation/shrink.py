"""From a story that goes wrong to the shortest one that still does, told so that a person can follow it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

from tests.simulation.play import Verdict, play
from tests.simulation.steps import Step, story
from tests.simulation.traits import FIELDS, SIDES, Form, Manners, Traits, chosen
from tests.simulation.world import World

_MOST_TRIES = 500
_PARTICULAR = re.compile(r"'[^']*'|\d+|" + "|".join(map(re.escape, (*FIELDS, *SIDES))))


def shrunk(seed: int, many: int, tamper: Callable[[World], None] | None = None) -> tuple[Traits, list[Step]]:
    """The plainest world and the fewest steps found in which the seed's story still goes wrong."""
    traits = chosen(Random(f"traits {seed}"))
    steps = story(Random(f"story {seed}"), traits, many)
    known = cause(play(seed, traits=traits, steps=steps, tamper=tamper).wrong)
    if not known:
        raise ValueError(f"nothing is wrong with seed {seed} in {many} steps")
    left = [_MOST_TRIES]

    def fails(traits: Traits, steps: Sequence[Step]) -> bool:
        left[0] -= 1
        return left[0] >= 0 and bool(known & cause(play(seed, traits=traits, steps=steps, tamper=tamper).wrong))

    steps = _fewer(steps, lambda some: fails(traits, some))
    plainer = True
    while plainer:
        plainer = False
        for candidate in _plainer(traits):
            if fails(candidate, steps):
                traits, plainer = candidate, True
                break
    return traits, _fewer(steps, lambda some: fails(traits, some))


def cause(wrong: Sequence[str]) -> set[str]:
    """What is wrong, without what is particular to a customer or a value."""
    return {_PARTICULAR.sub("…", line.splitlines()[0]) for line in wrong}


def _fewer(steps: list[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """Delta debugging: leave out as large pieces as possible, down to single steps."""
    size = max(1, len(steps) // 2)
    while True:
        at, shorter = 0, False
        while at < len(steps):
            some = steps[:at] + steps[at + size :]
            if fails(some):
                steps, shorter = some, True
            else:
                at += size
        if size == 1 and not shorter:
            return steps
        if not shorter or size > len(steps):
            size = max(1, min(size, len(steps)) // 2)


def _plainer(traits: Traits) -> Iterator[Traits]:
    """Worlds with one oddity less."""
    if traits.people > 1:
        yield replace(traits, people=1)
        yield replace(traits, people=traits.people - 1)
    for name, value in (("deletes", "ask"), ("shared_store", False)):
        if getattr(traits, name) != value:
            yield replace(traits, **{name: value})  # type: ignore[arg-type]
    plain = Manners()
    for side in SIDES:
        mine = traits.manners[side]
        if mine.forms:
            yield traits.with_manners(side, forms={})
        for name, form in mine.forms.items():
            if form != Form():
                yield traits.with_manners(side, forms={n: f for n, f in mine.forms.items() if n != name})
        for name in Manners.__dataclass_fields__:
            if name != "forms" and getattr(mine, name) != getattr(plain, name):
                yield traits.with_manners(side, **{name: getattr(plain, name)})


def tale(seed: int, traits: Traits, steps: Sequence[Step], tamper: Callable[[World], None] | None = None) -> str:
    """The story in words, with what was wrong in the end."""
    lines: list[str] = []
    verdict: Verdict = play(seed, traits=traits, steps=steps, told=lines.append, tamper=tamper)
    plain = Manners()
    for side in SIDES:
        odd = {n: v for n, v in vars(traits.manners[side]).items() if v != getattr(plain, n)}
        lines.insert(0, f"{side}: {odd or 'as one would wish'}")
    lines.insert(0, f"{traits.people} customers, deletes: {traits.deletes}, first load: {traits.first_load}")
    return "\n".join([*lines, *(f"WRONG: {w}" for w in verdict.wrong)])
