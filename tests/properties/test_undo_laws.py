"""Laws of taking back, in two systems of any manners: what Datong wrote is what stood there before, and what it took
from a side is what stood there before somebody changed it. Judged by what the systems hold."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from datong.engine.cycle import Engine
from datong.engine.planning import plan_row
from datong.engine.undoing import Scope
from datong.operations.undo import undo
from datong.store import runs
from datong.store.work import open_conflicts
from tests.simulation.steps import Edit, EditBoth, Kill, Sync
from tests.simulation.system import canon
from tests.simulation.traits import FIELDS, SIDES, Form, Traits, chosen
from tests.simulation.world import WANG, World

Held = dict[tuple[str, str, str], str | None]
"""(side, row, field) -> what the system holds."""


def traits_of(seed: int) -> Traits:
    """Systems that keep what they are given, in their own way where the map says so; everything else by chance."""
    traits = replace(chosen(Random(f"undo {seed}")), scope=False)
    for side in SIDES:
        forms = {"name": Form("upper case"), "industry": Form("trimmed")} if side == "erp" else {}
        traits = traits.with_manners(side, forms=forms, deaf=frozenset(), computes="", stale=0.0, late=0.0)
    return traits


def held(world: World) -> Held:
    return {
        (side, row.id, name): canon(row.values.get(name))
        for side, system in world.systems.items()
        for row in system.rows.values()
        for name in FIELDS
    }


def quiet(world: World) -> None:
    for _ in range(8):
        before = sum(system.writes for system in world.systems.values())
        world.time.lapse(1200)
        world.take(Sync())
        if sum(system.writes for system in world.systems.values()) == before and not world.unfinished():
            return
    raise AssertionError("it never stops writing")


def last_run(world: World) -> int:
    with world._running.store.read() as tx:
        return max((row["id"] for row in runs.listed(tx, limit=1)), default=0)


def undone(world: World, since: int) -> dict[str, Any]:
    """Take back every run after this one, as one plan."""
    plan = planned(world, since)
    result = world._running.engine.apply(plan["id"], accept_mass=True)
    assert not result.moved and not result.problems, (result.moved, result.problems)
    return plan


@pytest.mark.parametrize("seed", range(12))
def test_apply_and_undo_leave_what_was_there(seed: int) -> None:
    dice = Random(f"story {seed}")
    world = World(seed, traits_of(seed))
    with world.lived():
        world.begin()
        quiet(world)
        first, mark = held(world), last_run(world)
        for _ in range(dice.randint(2, 8)):
            side, pick, name, shape = dice.choice(SIDES), dice.randrange(99), dice.choice(FIELDS), dice.randrange(9)
            world.take(dice.choice((Edit(side, pick, name, shape), EditBoth(pick, name, shape, side))))
            world.time.lapse(60)
        edited = held(world)
        quiet(world)
        applied = held(world)
        unsettled = in_conflict(world)
        undone(world, mark)
        quiet(world)
        back = held(world)
        overwritten = {place for place in first if applied[place] != edited[place]} - taken_in(world, mark)
        expected = {place: edited[place] if place in overwritten | unsettled else first[place] for place in first}
        assert {p: (v, back[p]) for p, v in expected.items() if back[p] != v} == {}, world.traits.policies

        if back != applied:
            redo(world)
            assert held(world) == applied, "the undo itself is taken back"


@pytest.mark.parametrize("seed", range(6))
def test_killed_while_it_is_applied_an_undo_is_finished_once(seed: int) -> None:
    """Before its transaction it is applied anew; after it the deliveries go on."""
    dice = Random(f"killed {seed}")
    world = World(seed, traits_of(seed))
    with world.lived():
        world.begin()
        quiet(world)
        first, mark = held(world), last_run(world)
        rows = [row for row in world.systems["crm"].rows.values() if world.linked("crm", row.id)]
        owned = [name for name in FIELDS if world.traits.policies[name].owner in (None, "crm")]
        for row in rows:
            world._change("crm", row, owned[seed % len(owned)], seed % 9)
        quiet(world)
        plan = planned(world, mark)
        world.armed.append([dice.randint(1, 14), Kill(False)])
        for _ in range(3):
            world._work(lambda engine: carried_out(engine, plan["id"]))
        world.armed.clear()
        quiet(world)
        for _ in range(2):  # what the guard stops after the restart, a person lets pass
            for item in world.items():
                if item["cause"] == "mass change":
                    world.settle(item, 0)
            quiet(world)
        back, unsettled = held(world), in_conflict(world)
        assert {p: (v, back[p]) for p, v in first.items() if back[p] != v and p not in unsettled} == {}
        assert [row["event"] for row in world.journal()].count("applied") >= 1


def carried_out(engine: Engine, plan_id: str) -> None:
    with engine.store.read() as tx:
        state = plan_row(tx, plan_id)["state"]
    if state == "open":
        engine.apply(plan_id, accept_mass=True)


def planned(world: World, since: int) -> dict[str, Any]:
    """A plan that takes back every run after this one."""
    engine = world._running.engine
    with engine.store.read() as tx:
        rows = tuple(row for row in runs.listed(tx, limit=1000) if row["id"] > since)
    return engine.undo(Scope("everything since", rows))


def taken_in(world: World, since: int) -> set[tuple[str, str, str]]:
    """Places from which a value was taken, if only for a while."""
    return {
        (row["connection"], row["native_id"], name)
        for row in world.journal()
        if row["event"] == "taken in" and row["run"] is not None and row["run"] > since
        for name in row["body"]["fields"]
    }


def redo(world: World) -> dict[str, Any]:
    """Take the undo itself back."""
    engine = world._running.engine
    with engine.store.read() as tx:
        name = next(row["name"] for row in runs.listed(tx) if row["what"] == "apply")
    plan = undo(engine, WANG, name)
    engine.apply(plan["id"], accept_mass=True)
    quiet(world)
    return plan


def in_conflict(world: World) -> set[tuple[str, str, str]]:
    """Places that wait for a person."""
    engine = world._running.engine
    with engine.store.read() as tx:
        found = set()
        rows = tx.exec_driver_sql("SELECT record_id, connection, native_id FROM links").all()
        conflicts = open_conflicts(tx, [row[0] for row in rows])
        for record_id, side, native in rows:
            found |= {(side, native, name) for name in conflicts.get(record_id, ())}
    return found
