"""The oracle notices: when the systems are tampered with, and when the engine is broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from datong.engine import absorb, merge
from datong.engine.cycle import Engine
from datong.engine.flow import Policy
from datong.engine.merge import Step as Merged
from datong.engine.prepare import Preparation
from datong.store import work
from datong.store.journal import Sealer
from tests.simulation import oracle
from tests.simulation.play import play
from tests.simulation.steps import During, Edit, EditBoth, Make, Pass, Respell, Step, Sync, Trouble
from tests.simulation.system import entered
from tests.simulation.traits import FIELDS, LEVEL, Manners, Traits
from tests.simulation.world import World

SIMPLE = Traits({"crm": Manners(), "erp": Manners()}, {n: Policy("shared") for n in FIELDS}, first_load="crm", people=3)
"""Two systems as one would wish them."""


def _ruled(how: str, owner: str | None = None, clash: str = "ask") -> Traits:
    return replace(SIMPLE, policies={name: Policy(how, owner, clash) for name in FIELDS})


def _after(steps: list[Step], act: Callable[[World], None], traits: Traits = SIMPLE) -> list[str]:
    """What the oracle says when everything was well and then `act` happened."""
    world = World(1, traits)
    with world.lived():
        world.begin()
        for step in [*steps, Pass(600), Sync(), Pass(600), Sync(), Pass(600), Sync()]:
            world.take(step)
        for item in world.items():
            world.settle(item, 0)
        for step in (Pass(600), Sync(), Pass(600), Sync()):
            world.take(step)
        assert world.wrong + oracle.judge(world) == []
        act(world)
        return world.wrong + oracle.judge(world) + oracle.sealed(world)


def _first(world: World, side: str) -> Any:
    return next(iter(world.systems[side].rows.values()))


def _changed(world: World) -> None:
    row = _first(world, "erp")
    row.values["name"] = "e10001 with a tail"


def _another_value(world: World) -> None:
    row = _first(world, "erp")
    serial = world.ledger.serial()
    world.systems["erp"].edit(row, "short_name", entered("short_name", serial, 2), serial)


def _lost_record(world: World) -> None:
    world.systems["erp"].rows.pop(_first(world, "erp").id)


def _doubled(world: World) -> None:
    row = _first(world, "erp")
    world.systems["erp"].rows["e99"] = replace(row, id="e99", by_person=False)


def _nobodys(world: World) -> None:
    row = _first(world, "crm")
    row.values["short_name"], row.entries["short_name"] = "from nowhere", None


def _of_somebody_else(world: World) -> None:
    one, other = list(world.systems["crm"].rows.values())[:2]
    one.values["name"], one.entries["name"] = other.values["name"], other.entries["name"]


def _another_level(world: World) -> None:
    row = _first(world, "crm")
    row.values[LEVEL] = {"A": "C"}.get(str(row.values[LEVEL]), "A")


def _journal_altered(world: World) -> None:
    assert world.process is not None
    with world.process.store.write() as tx:
        tx.exec_driver_sql("update journal set why = 'nothing happened' where id = 3")


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (_changed, "was entered"),
        (_another_value, "differs and nothing waits"),
        (_lost_record, "is not in erp"),
        (_doubled, "stands 2 times in erp"),
        (_nobodys, "which nobody entered"),
        (_of_somebody_else, "which was entered elsewhere"),
        (_another_level, "dealer_level of customer 1 differs"),
        (_journal_altered, "the seals do not verify"),
    ],
)
def test_tampering_shows(act: Callable[[World], None], said: str) -> None:
    wrong = _after([], act)
    assert any(said in line for line in wrong), wrong


# engines broken on purpose -------------------------------------------------------------------------------------------


def _forgets_a_field(patch: pytest.MonkeyPatch) -> None:
    """Whatever is due, `industry` is not written."""
    from datong.engine import evaluate

    right = evaluate.change_of

    def wrong(fmap: Any, agreed: Any, *more: Any, **how: Any) -> Any:
        return right(fmap, {n: v for n, v in agreed.items() if n != "industry"}, *more, **how)

    patch.setattr(evaluate, "change_of", wrong)


def _lets_the_guest_win(patch: pytest.MonkeyPatch) -> None:
    """What the other side says of an owned field is taken, and its owner's value put back."""
    turned = {Merged.ACCEPT: Merged.PUT_BACK, Merged.PUT_BACK: Merged.ACCEPT}
    right = absorb.merge

    def wrong(agreed: Any, sent: Any, value: Any, policy: Any, role: str, **how: Any) -> Merged:
        step = right(agreed, sent, value, policy, role, **how)
        return turned.get(step, step) if policy.how == "owned" and sent is not merge.UNKNOWN else step

    patch.setattr(absorb, "merge", wrong)


def _never_asks(patch: pytest.MonkeyPatch) -> None:
    """The last one read wins."""
    right = absorb.merge

    def wrong(agreed: Any, sent: Any, value: Any, policy: Any, role: str, **how: Any) -> Merged:
        step = right(agreed, sent, value, policy, role, **how)
        return Merged.ACCEPT if step is Merged.CONFLICT else step

    patch.setattr(absorb, "merge", wrong)


def _never_looks(patch: pytest.MonkeyPatch) -> None:
    """Systems without a guard are written to without a look."""
    patch.setattr(Preparation, "look", lambda self, conn, running, kind, jobs: jobs)


def _never_searches(patch: pytest.MonkeyPatch) -> None:
    """A create is simply repeated."""
    patch.setattr(Preparation, "search", lambda self, conn, running, kind, jobs: jobs)


def _breaks_down(patch: pytest.MonkeyPatch) -> None:
    right = absorb.merge

    def wrong(agreed: Any, sent: Any, value: Any, *more: Any, **how: Any) -> Merged:
        if value is None and sent is not merge.UNKNOWN:
            raise ZeroDivisionError("nobody foresaw an empty value")
        return right(agreed, sent, value, *more, **how)

    patch.setattr(absorb, "merge", wrong)


def _seals_nothing_twice(patch: pytest.MonkeyPatch) -> None:
    """The journal is changed after it was sealed."""
    right = Sealer.seal

    def wrong(self: Sealer) -> int:
        sealed = right(self)
        with self._store.write() as tx:
            tx.exec_driver_sql("update journal set actor = 'nobody' where id = 2")
        return sealed

    patch.setattr(Sealer, "seal", wrong)


def _says_no_remedy(patch: pytest.MonkeyPatch) -> None:
    from datong.store import unit

    patch.setattr(unit, "open_item", lambda tx, clock, item: work.open_item(tx, clock, replace(item, remedy="")))


def _writes_on_and_on(patch: pytest.MonkeyPatch) -> None:
    """Each cycle touches a record of the ERP again."""
    right = Engine.sync

    def wrong(self: Engine, *more: Any, **how: Any) -> Any:
        for conn in self.landscape.connections.values():
            conn.connector.system.writes += 1  # type: ignore[attr-defined]
        return right(self, *more, **how)

    patch.setattr(Engine, "sync", wrong)


_EDITED_MEANWHILE: list[Step] = [
    step
    for point in range(8, 40, 3)
    for step in (Edit("crm", 0, "name", point), During(point, Edit("erp", 0, "name", point)), Sync(), Pass(120))
]

BROKEN: list[tuple[Callable[[pytest.MonkeyPatch], None], Traits, list[Step], str]] = [
    (_forgets_a_field, SIMPLE, [Make("crm", 1)], "industry of customer"),
    (_lets_the_guest_win, _ruled("owned", "crm"), [Edit("crm", 0, "name", 2)], "should (owned crm"),
    (_never_asks, _ruled("shared"), [EditBoth(0, "name", 2, "crm")], "is lost unseen"),
    (
        _never_looks,
        _ruled("shared", "crm", "owner").with_manners("erp", guard=False),
        _EDITED_MEANWHILE,
        "without having looked",
    ),
    (
        _never_searches,
        SIMPLE.with_manners("erp", create="by_search"),
        [Trouble("erp", "write", "time-out", "done", 1), Make("crm", 1), Sync(), Pass(300), Sync("retry")],
        "times in erp",
    ),
    (_breaks_down, SIMPLE, [Edit("crm", 0, "name_en", 10)], "nobody foresaw an empty value"),
    (_seals_nothing_twice, SIMPLE, [Respell("crm", 0, "name")], "seals do not verify"),
    (_says_no_remedy, _ruled("shared"), [EditBoth(0, "name", 2, "crm")], "has no remedy"),
    (_writes_on_and_on, SIMPLE, [], "never stops writing"),
]


@pytest.mark.parametrize(("break_it", "traits", "steps", "said"), BROKEN, ids=lambda v: getattr(v, "__name__", ""))
def test_a_broken_engine_shows(
    break_it: Callable[[pytest.MonkeyPatch], None],
    traits: Traits,
    steps: list[Step],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole: list[Step] = [Sync(), Pass(60), Sync(), Pass(60), *steps, Sync(), Pass(300), Sync()]
    assert play(1, traits=traits, steps=whole).wrong == [], "the engine as it is goes through"
    break_it(monkeypatch)
    wrong = play(1, traits=traits, steps=whole).wrong
    assert wrong and any(said in line for line in wrong), wrong
