"""One cycle: read, take in, weigh, guard, deliver, seal. `plan` stops before anything is kept or written."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, fields
from functools import partial
from random import Random
from typing import Any

import sqlalchemy as sa

from datong.base import json
from datong.base.clock import to_text
from datong.base.errors import NotFound
from datong.engine.absence import CONFIRM
from datong.engine.asking import asked, asking_subject
from datong.engine.configured import differences, live, run_under
from datong.engine.deliver import Deliverer
from datong.engine.evaluate import Evaluator, expired_verdicts
from datong.engine.gather import Gatherer
from datong.engine.intake import Intake, Taken, changed_maps, drop_run, hint, remap
from datong.engine.jobs import ACCEPTED, Delivered, Desk
from datong.engine.landscape import Conn, Landscape
from datong.engine.mended import CAUSES, Mended
from datong.engine.news import begin_news
from datong.engine.occasions import asked_again
from datong.engine.planning import PlannedChange, Planner, plan_row
from datong.engine.reading import Progress, Reader
from datong.engine.references import References
from datong.engine.undo import COUNTER, NOT
from datong.engine.undoing import Scope, StepOf, Undoer, steps_of, taken_of
from datong.store import Store, Transaction, runs
from datong.store.bulk import run as ask
from datong.store.journal import Sealer
from datong.store.schema import plans, records
from datong.store.unit import Unit, chunks
from datong.store.work import Item, anything_open, close, count_open, last_item

ENGINE = "datong"
_ROUNDS = 3
_COUNTED = ("changed", "linked", "created", "updated", "deleted", "failed", "later", "parked", "reviews", "conflicts")
_DUE_NOW = "SELECT id FROM due WHERE at <= ? AND kind IN ? AND owner IS NULL LIMIT 1"
Place = tuple[str, str]
"""(connection, kind)"""
MASS = "mass"
"""The subject of the item about a stopped mass change."""


@dataclass
class Result:
    """What a cycle did. `parked`, `reviews` and `conflicts` arose in it and are open at its end; `waiting` is all that
    is open. `moved_on` counts writes that met a record changed under our hands; `before` is the last item that was
    there when it began."""

    run: str = ""
    plan: str = ""
    read: int = 0
    changed: int = 0
    unchanged: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    skipped: int = 0
    failed: int = 0
    later: int = 0
    linked: int = 0
    parked: int = 0
    reviews: int = 0
    conflicts: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    stopped: str = ""
    moved: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    moved_on: int = field(default=0, repr=False)
    before: int = field(default=0, repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """What was done, as the list of runs tells it."""
        return {name: value for name in _COUNTED if (value := getattr(self, name))}

    @property
    def told(self) -> dict[str, Any]:
        """What there is to tell: the totals, without what only the cycle itself needs."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.repr}


class Engine:
    """Keeps a landscape in agreement. Clock, randomness, store and sealer are given."""

    def __init__(
        self,
        store: Store,
        landscape: Landscape,
        sealer: Sealer,
        random: Random | None = None,
        *,
        actor: str = ENGINE,
        progress: Progress | None = None,
        checkpoint: Callable[[str], None] | None = None,
    ) -> None:
        self.store = store
        self.landscape = landscape
        self.sealer = sealer
        self.random = random or Random()
        self.actor = actor
        self.progress = progress
        self._checkpoint = checkpoint
        self.planner = Planner(store, landscape, actor)
        self.gatherer = Gatherer(store, landscape, actor, self.random)
        self._first_links: set[int] = set()
        self._taken: tuple[Unit, int] | None = None
        self.seals_each_cycle = True
        """False where somebody else seals, every few seconds: a worker with many short cycles."""

    # sync --------------------------------------------------------------------------------------------------------

    def sync(
        self,
        flows: Sequence[str] = (),
        *,
        full: bool = False,
        hints_only: bool = False,
        sweep: bool | None = None,
        first_load: Callable[[list[PlannedChange]], None] | None = None,
    ) -> Result:
        """Read, plan and apply in one. `hints_only` looks only where hints point. `first_load` is shown the
        differences at first link before anything is written."""
        with self._running("sync", flows) as result:
            kinds = self._steady_kinds(flows, result)
            reader = Reader(self.store, result.run, self.progress)
            answered = self._read(reader, kinds, result, full=full, hints_only=hints_only, sweep=sweep)
            if self._take_in(result.run, kinds, answered, result, first_load):
                self._deliver(kinds, None, result)
                self._look_again(kinds, result)
                self._deliver_consequences(kinds, result)
                if not hints_only:
                    self._close_mended(mass=not flows)
        return result

    def sync_record(self, connection: str, kind: str, native_id: str) -> Result:
        """Read one record on every side it stands on, and bring it into agreement now."""
        conn = self._connection(connection, kind)
        with self._running("sync") as result:
            reader = Reader(self.store, result.run, self.progress)
            self.gatherer.attempt(conn, lambda: reader.by_id(conn, kind, [native_id]))
            with self.store.read() as tx:
                unit = Unit(tx, self.store.clock, self.actor)
                known = unit.load_native(connection, kind, [native_id]).get(native_id)
                others = [k for k in unit.links_of(known.record_id) if k.id != known.id] if known else []
            for other in others:
                there = self._connection(other.connection, kind)
                self.gatherer.attempt(there, partial(reader.by_id, there, kind, [other.native_id]))
            self._went_wrong(result)
            if self._take_in(result.run, [kind], [], result, None):
                with self.store.read() as tx:
                    unit = Unit(tx, self.store.clock, self.actor)
                    known = unit.load_native(connection, kind, [native_id]).get(native_id)
                if known is None:
                    raise NotFound(f"{connection} has no {kind} {native_id}", remedy="check the id and the kind")
                pairs = {(known.record_id, c.name) for c in self.landscape.targets(kind)}
                self._deliver([kind], pairs, result)
        return result

    def deliver_due(self, flows: Sequence[str] = ()) -> Result:
        """Only carry out what is due by now: retries, what a person has just settled."""
        with self._running("retry", flows) as result:
            self._deliver(self._steady_kinds(flows, result), None, result)
        return result

    @contextmanager
    def looking(self, kinds: Sequence[str]) -> Iterator[tuple[Unit, list[str]]]:
        """What would be known after both sides were read anew, with what could not be read: documents whole, the
        others what changed. A unit of work of which nothing is kept; nothing is written to any system."""
        with self.store.writer():
            result, run = Result(), self.run_name("look")
            reader = Reader(self.store, run, self.progress)
            whole = [
                kind for kind in kinds if (one := self.landscape.flow_of(kind)) and one.master and one.master.whole
            ]
            self._read(reader, [kind for kind in kinds if kind not in whole], result)
            self._read(reader, whole, result, full=True)
            try:
                with self.store.trial() as tx:
                    unit = Unit(tx, self.store.clock, self.actor)
                    self._decide(unit, run, kinds, remapped=False)
                    yield unit, result.problems
            finally:
                with self.store.write() as tx:
                    drop_run(tx, run)

    # plan and apply ----------------------------------------------------------------------------------------------

    def plan(self, flows: Sequence[str] = (), *, full: bool = False) -> dict[str, Any]:
        """What would be written where and why; nothing is kept but the plan itself and what was read for it."""
        kinds = self.landscape.kinds(flows)
        with self._running("plan", flows) as result:
            reader = Reader(self.store, result.run, self.progress)
            answered = self._read(reader, kinds, result, full=full)
            return self._save_plan(result.run, kinds, flows, answered, result)

    def _save_plan(
        self,
        run: str,
        kinds: Sequence[str],
        flows: Sequence[str],
        answered: list[int],
        result: Result,
        only: Mapping[Place, Sequence[str]] | None = None,
    ) -> dict[str, Any]:
        """`only`: the plan is of these records alone, and not of everything that is due."""
        about, must = self._other_configuration()
        with tempfile.TemporaryFile("w+b") as buffer:
            with self.store.trial() as tx:
                unit = Unit(tx, self.store.clock, self.actor)
                taken, skipped = self._decide(unit, run, kinds, remapped=True)
                totals = self._totals(unit, taken, skipped, result)
                stopped = self.planner.tripped(unit, taken)
                wanted = None if only is None else _records_at(unit, only)
                self._spool_changes(buffer, self.planner.changes(unit, kinds, wanted), totals)
            buffer.seek(0)
            asks = self.planner.keep(run, flows, totals, stopped, buffer, about=about, asks=must)
        told = {"id": run, **totals, "stopped": stopped, "asks": asks, "problems": result.problems}
        return {**told, "about": about} if about else told

    def _other_configuration(self) -> tuple[str, list[list[str]]]:
        """How the configuration of this engine differs from the live one, and who must agree to that."""
        configured = self.landscape.configured
        with self.store.read() as tx:
            now = live(tx)
        if configured is None or now is None or now["version"] == configured.version:
            return "", []
        about = "; ".join(differences(now["told"], configured.told)) or "another text of the same"
        return about, [[by, "another configuration"] for by in now["asks"] or ()]

    def _spool_changes(self, buffer: Any, changes: Iterator[PlannedChange], totals: dict[str, Any]) -> None:
        """Out of memory until the transaction that shows them is over; counted on the way."""
        calls: dict[tuple[str, str, str], int] = {}
        for change in changes:
            buffer.write(json.encode(change.__dict__) + b"\n")
            totals[f"{change.action}s"] += 1
            totals["irreversible"] += change.reversible in (NOT, COUNTER)
            place = (change.connection, change.kind, change.action)
            calls[place] = calls.get(place, 0) + 1
        totals["api_calls"] = self.planner.calls(calls)

    def undo(self, scope: Scope, *, hold: bool = False) -> dict[str, Any]:
        """A plan that takes back what was done: the values of before become the agreed ones, and every side is planned.
        The records are read anew first, so that what was changed since is known. `hold`: what is put back is held."""
        with self._running("undo") as result:
            ids = self._read_scope(scope, result)
            kinds = self.landscape.kinds()
            steps: list[StepOf] = []
            with tempfile.TemporaryFile("w+b") as buffer:
                with self.store.trial() as tx:
                    unit = Unit(tx, self.store.clock, self.actor)
                    taken, skipped = self._decide(unit, result.run, kinds, remapped=False)
                    totals = self._totals(unit, taken, skipped, result)
                    undoer = Undoer(unit, self.landscape)
                    steps.extend(undoer.steps(scope, hold=hold))
                    undoer.weigh(undoer.enact([one for one in steps if one.step.act != "none"], scope.about))
                    stopped = self.planner.tripped(unit, taken)
                    changes = list(self.planner.changes(unit, kinds, ids))
                    self._spool_changes(buffer, iter(changes), totals)
                    planned = {(c.record_id, c.connection, name) for c in changes for name in c.fields}
                    steps.extend(undoer.unwritten(list(steps), planned))
                with self.store.write() as tx:
                    drop_run(tx, result.run)
                buffer.seek(0)
                asks = self.planner.keep(result.run, (), totals, stopped, buffer, undo=(scope.about, steps))
        return {"id": result.run, **totals, "stopped": stopped, "asks": asks, "problems": result.problems}

    def _read_scope(self, scope: Scope, result: Result) -> set[int]:
        """Every record of the scope, read anew on every side it stands on."""
        with self.store.read() as tx:
            ids = set(scope.records(tx))
            unit = Unit(tx, self.store.clock, self.actor)
            places: dict[tuple[str, str], list[str]] = {}
            for some in chunks(sorted(ids)):
                unit.load(some)
                for link in (link for number in some for link in unit.links_of(number)):
                    if link.here and link.connection in self.landscape.connections:
                        places.setdefault((link.connection, link.kind), []).append(link.native_id)
        reader = Reader(self.store, result.run, self.progress)
        for (name, kind), natives in places.items():
            conn = self.landscape.connections[name]
            if kind in conn.specs and conn.specs[kind].reads != "never":
                self.gatherer.attempt(conn, partial(reader.by_id, conn, kind, natives))
        self._went_wrong(result)
        return ids

    def _apply_undo(self, plan: dict[str, Any], result: Result) -> None:
        """The records are read once more: what moved since the plan is left alone and told of."""
        with self.store.read() as tx:
            steps = [taken_of(row) for row in steps_of(tx, plan["id"]) if row["act"] != "none"]
        ids = {one.record_id for one in steps}
        self._read_scope(Scope(plan["about"], ids=frozenset(ids)), result)
        kinds = self.landscape.kinds()
        with self.store.write() as tx:
            unit = Unit(tx, self.store.clock, self.actor)
            taken, result.skipped = self._decide(unit, result.run, kinds, remapped=False)
            undoer = Undoer(unit, self.landscape)
            still = [one for one in steps if undoer.still(one)]
            result.moved = [_moved_step(one) for one in steps if one not in still]
            undoer.weigh(undoer.enact(still, f"undo of {plan['about']}"))
            pairs, moved = self.planner.still_holding(unit, plan["id"], kinds, ids)
            result.moved += moved
            self._applied(unit, plan, len(pairs), result)
            drop_run(tx, result.run)
            result.read, result.changed = taken.read, taken.changed
        self._deliver(kinds, pairs, result, accepted=bool(plan["stopped"]))

    def propose(self, natives: Mapping[Place, Sequence[str]], flows: Sequence[str] = ()) -> dict[str, Any]:
        """A plan of what these records alone (by connection and kind, their native ids) need, whatever is believed of
        them: they are read once more. What is not given is asked for a second time, for only then it counts as gone.
        Nothing is kept but the plan; the lease is not needed."""
        with self._running("plan", flows, alone=False) as result:
            self._read_twice(Reader(self.store, result.run, self.progress), natives)
            self._went_wrong(result)
            return self._save_plan(result.run, self.landscape.kinds(flows), flows, [], result, only=natives)

    def _read_twice(self, reader: Reader, natives: Mapping[Place, Sequence[str]]) -> None:
        absent: dict[Place, list[str]] = {}
        for (connection, kind), ids in natives.items():
            conn = self._connection(connection, kind)
            self.gatherer.attempt(conn, partial(self._read_again, reader, conn, kind, ids, absent))
        lags = [self._connection(*place).specs[place[1]].read_lag for place, ids in absent.items() if ids]
        if lags:
            self.store.clock.sleep((CONFIRM + max(lags)).total_seconds() + 0.5)
        for (connection, kind), ids in absent.items():
            conn = self._connection(connection, kind)
            self.gatherer.attempt(conn, partial(self._read_again, reader, conn, kind, ids, {}))

    def _read_again(
        self, reader: Reader, conn: Conn, kind: str, ids: Sequence[str], absent: dict[Place, list[str]]
    ) -> None:
        absent[conn.name, kind] = reader.again(conn, kind, ids)

    def apply(self, plan_id: str, *, accept_mass: bool = False) -> Result:
        """Carry out what still holds of a plan; what moved meanwhile is listed in `moved`."""
        plan = self.planner.open_plan(plan_id)
        with self._running("apply", plan["flows"], plan_id) as result:
            if plan["stopped"] and not accept_mass:
                result.stopped = plan["stopped"]
                result.problems.append(f"the plan is stopped: {plan['stopped']}")
                return result
            if plan["what"] == "undo":
                self._apply_undo(plan, result)
                return result
            kinds = self.landscape.kinds(plan["flows"])
            with self.store.write() as tx:
                unit = Unit(tx, self.store.clock, self.actor)
                taken, result.skipped = self._decide(unit, plan_id, kinds, remapped=True)
                pairs, result.moved = self.planner.still_holding(unit, plan_id, kinds)
                result.read, result.changed, result.linked = taken.read, taken.changed, taken.linked
                self._applied(unit, plan, len(pairs), result)
                drop_run(tx, plan_id)
            self._first_links = taken.first_links
            self._deliver(kinds, pairs, result, accepted=bool(plan["stopped"]))
        return result

    def _applied(self, unit: Unit, plan: dict[str, Any], changes: int, result: Result) -> None:
        """The plan is applied: in the same transaction as what it decides."""
        unit.note("applied", why=plan["id"], body={"changes": changes, "moved": len(result.moved)})
        if plan["stopped"]:
            close(unit.tx, self.store.clock, self.actor, subjects=[MASS])
            unit.note(ACCEPTED, why=f"{plan['id']}: {plan['stopped']}")
        close(unit.tx, self.store.clock, self.actor, subjects=[asking_subject(plan["id"])])
        unit.flush()
        unit.tx.execute(plans.update().where(plans.c.id == plan["id"]).values(state="applied"))

    # steps -------------------------------------------------------------------------------------------------------

    def run_name(self, what: str) -> str:
        """A name for a run: what it is, when, and four digits drawn by lot."""
        return f"{what}-{self.store.clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"

    def _connection(self, name: str, kind: str) -> Conn:
        conn = self.landscape.connections.get(name)
        if conn is None:
            known = ", ".join(self.landscape.connections)
            raise NotFound(f"there is no connection {name}", remedy=f"connections are: {known}")
        if kind not in conn.specs:
            raise NotFound(f"{name} has no records of kind {kind}", remedy=f"it has: {', '.join(conn.specs)}")
        return conn

    def _steady_kinds(self, flows: Sequence[str], result: Result) -> list[str]:
        """The kinds to work on: without those whose map changed, which need a plan that shows the effect."""
        kinds = self.landscape.kinds(flows)
        with self.store.read() as tx:
            changed = changed_maps(tx, self.landscape)
        if not changed:
            return kinds
        with self.store.write() as tx:
            unit = Unit(tx, self.store.clock, self.actor)
            for connection, kind in changed:
                if kind in kinds:
                    told = f"the map of {connection} {kind} changed: it rests until a plan of the effect is applied"
                    result.problems.append(f"{told}; run `datong plan`, then `datong apply`")
                    unit.open(
                        Item(
                            "parked",
                            "map changed",
                            f"map:{connection}:{kind}",
                            told,
                            "`datong plan`, look at it, `datong apply PLAN`",
                            kind=kind,
                            connection=connection,
                        )
                    )
            unit.flush()
        resting = {kind for _, kind in changed}
        return [k for k in kinds if k not in resting]

    def _read(self, reader: Reader, kinds: Sequence[str], result: Result, **how: Any) -> list[int]:
        """Read round; gives the hints answered."""
        answered = self.gatherer.gather(reader, kinds, **how)
        self._went_wrong(result)
        return answered

    def _went_wrong(self, result: Result) -> None:
        """What went wrong on the round, into the result."""
        result.problems.extend(self.gatherer.problems)
        self.gatherer.problems = []

    def _decide(self, unit: Unit, run: str, kinds: Sequence[str], *, remapped: bool) -> tuple[Taken, int]:
        """Everything that follows from what was read, within one transaction."""
        touched: set[int] = set()
        if remapped:
            for connection, kind in changed_maps(unit.tx, self.landscape):
                if kind in kinds:
                    touched |= remap(unit, self.landscape, self.landscape.connections[connection], kind)
                    close(unit.tx, unit.clock, self.actor, subjects=[f"map:{connection}:{kind}"])
        intake = Intake(unit, self.landscape)
        taken = intake.run(run)
        taken.touched |= touched
        again = self._waiting_for_baseline(unit, run, kinds) | expired_verdicts(unit, kinds)
        if self.landscape.has_consequences:
            again |= asked_again(unit, self.landscape)
        weighed = self._evaluator(unit).weigh(taken.touched | again)
        unit.flush()
        begin_news(unit, self.landscape)
        return taken, taken.skipped + weighed.skipped

    def _waiting_for_baseline(self, unit: Unit, run: str, kinds: Sequence[str]) -> set[int]:
        """Records that stand on one side only and may be created now that the other was read completely."""
        if not ask(unit.tx, "SELECT id FROM reads WHERE run = ? AND whole LIMIT 1", run):
            return set()
        query = sa.select(records.c.id).where(
            records.c.kind.in_(list(kinds)),
            records.c.state == "active",
            sa.cast(records.c.verdicts, sa.Text).contains("not been read completely yet"),
        )
        return set(unit.tx.execute(query).scalars())

    def _evaluator(self, unit: Unit) -> Evaluator:
        return Evaluator(unit, self.landscape, References(unit, self.landscape))

    def _take_in(
        self,
        run: str,
        kinds: Sequence[str],
        answered: list[int],
        result: Result,
        first_load: Callable[[list[PlannedChange]], None] | None,
    ) -> bool:
        """Take the run in and keep it, unless the mass guard stops it: then a plan is kept instead."""
        stopped = needs = ""
        try:
            with self.store.write(durable=False) as tx:  # were it lost, cursors and hints stand as before
                unit = Unit(tx, self.store.clock, self.actor)
                taken, result.skipped = self._decide(unit, run, kinds, remapped=False)
                stopped = self.planner.tripped(unit, taken)
                if self.landscape.asking:
                    asks = asked(self.landscape.asking, self.planner.fresh_counts(unit, kinds))
                    needs = "; ".join(f"it needs the approval of {by}: {why}" for by, why in asks)
                if stopped or needs:
                    raise _StoppedError
                if first_load is not None and taken.first_links:
                    first_load([c for c in self.planner.changes(unit, kinds) if c.record_id in taken.first_links])
                if answered:
                    ask(tx, "DELETE FROM inbox WHERE id IN ?", answered)
                drop_run(tx, run)
                unit.flush()
                changes = unit.changes()
        except _StoppedError:
            plan = self._save_plan(run, kinds, (), answered, result)
            result.stopped = "; ".join(why for why in (stopped, needs) if why)
            result.plan = self._ask_about(plan["id"], stopped, needs)
            result.problems.append(f"stopped before the first write: {result.stopped}")
            return False
        result.read += taken.read
        result.changed += taken.changed
        result.linked += taken.linked
        self._first_links = taken.first_links
        self._taken = (unit, changes)
        return True

    def _ask_about(self, plan_id: str, stopped: str, needs: str) -> str:
        """One item and one plan for what was stopped, however often it is met; gives the plan's id."""
        with self.store.write() as tx:
            plan_id = self.planner.one_stopped(tx, plan_id)
            unit = Unit(tx, self.store.clock, self.actor)
            detail = {"plan": plan_id}
            if stopped:
                why, way = f"stopped before the first write: {stopped}", f"`datong apply {plan_id} --accept-mass`"
                remedy = f"if it is meant: {way}; else mend the source"
                unit.open(Item("parked", "mass change", MASS, why, remedy, detail=detail))
            if needs and plan_row(tx, plan_id)["state"] == "open":
                why = f"the plan {plan_id} was stopped before its first write: {needs}"
                remedy = (
                    f"`datong plans show {plan_id}`, then `datong plans approve {plan_id}` or `datong plans reject`"
                )
                unit.open(Item("parked", "plan approval", asking_subject(plan_id), why, remedy, detail=detail))
            unit.flush()
        return plan_id

    def _deliver(
        self, kinds: Sequence[str], only: set[tuple[int, str]] | None, result: Result, *, accepted: bool = False
    ) -> None:
        desk = Desk(self.store, self.landscape, self.actor, self.random, self._first_links, accepted)
        desk.before, self._taken = self._taken, None
        desk.progress, desk.at = self.progress or desk.progress, self._checkpoint or desk.at
        done = Deliverer(desk).run(only, kinds)
        self._add(result, done)

    def _close_mended(self, *, mass: bool) -> None:
        """Items whose cause is gone. `mass`: everything was read, and nothing was too much."""
        with self.store.read() as tx:
            if not anything_open(tx, [*CAUSES, "mass change"]):
                return
        with self.store.write() as tx:
            unit = Unit(tx, self.store.clock, self.actor)
            Mended(unit, self.landscape).close()
            if mass:
                close(tx, self.store.clock, self.actor, subjects=[MASS])
            unit.flush()

    def _look_again(self, kinds: Sequence[str], result: Result) -> None:
        """What moved under our hands is read again and delivered once more in the same cycle."""
        for _ in range(3):
            if not result.moved_on:
                return
            result.moved_on = 0
            with self.store.read() as tx:
                waiting = ask(tx, "SELECT id FROM inbox WHERE kind IN ? LIMIT 1", list(kinds))
            if not waiting:
                return
            run = self.run_name("again")
            reader = Reader(self.store, run, self.progress)
            result.later = 0  # tried again now
            answered = self._read(reader, kinds, result, hints_only=True)
            if not answered or not self._take_in(run, kinds, answered, result, None):
                return
            self._deliver(kinds, None, result)

    def _deliver_consequences(self, kinds: Sequence[str], result: Result) -> None:
        """What followed from these deliveries for other records: the number of a new order, told to its quote."""
        for _ in range(_ROUNDS if self.landscape.has_consequences else 0):
            with self.store.read() as tx:
                waiting = ask(tx, _DUE_NOW, to_text(self.store.clock.now()), list(kinds))
            if not waiting:
                return
            self._deliver(kinds, None, result)

    def _add(self, result: Result, done: Delivered) -> None:
        result.created += done.created
        result.updated += done.updated
        result.deleted += done.deleted
        result.failed += done.failed
        result.later += done.later + done.moved
        result.moved_on += done.moved
        result.problems.extend(f"{name} is suspended" for name in done.suspended)

    @contextmanager
    def _running(self, what: str, flows: Sequence[str] = (), plan: str = "", *, alone: bool = True) -> Iterator[Result]:
        """A run, with its result, which knows what was open before. One that does not come to its end stays without
        totals. `alone`: it takes the writer lease."""
        began = self.store.clock.monotonic()
        with self.store.writer() if alone else nullcontext():
            with self.store.write(durable=False) as tx:
                if what not in ("plan", "undo"):
                    self._under_live(tx)
                name = self.run_name(what)
                run = runs.begin(tx, self.store.clock, self.actor, what, name, flows, plan or None)
                result = Result(run=name, plan=plan, before=last_item(tx))
            with runs.under(run):
                yield result
            with self.store.write(durable=False) as tx:
                result.waiting = count_open(tx)
                _count_new(tx, result)
                result.unchanged = max(0, result.read - result.changed)
                runs.end(tx, self.store.clock, run, result.counts)
            if self.seals_each_cycle:
                self.sealer.seal()
            result.seconds = round(self.store.clock.monotonic() - began, 3)

    def _under_live(self, tx: Transaction) -> None:
        """Raises NotApproved where people must agree to another configuration than the live one, and have not."""
        configured = self.landscape.configured
        if configured is not None:
            run_under(tx, self.store.clock, self.actor, configured)

    # totals ------------------------------------------------------------------------------------------------------

    def _totals(self, unit: Unit, taken: Taken, skipped: int, result: Result) -> dict[str, Any]:
        _count_new(unit.tx, result)
        return {
            "read": taken.read,
            "creates": 0,
            "updates": 0,
            "deletes": 0,
            "skipped": skipped,
            "parked": result.parked,
            "reviews": result.reviews,
            "conflicts": result.conflicts,
            "linked": taken.linked,
            "irreversible": 0,
            "api_calls": 0,
        }

    def note_hint(self, connection: str, kind: str, native_id: str, wire: Any = None) -> None:
        """A webhook says *look here*: durable when this returns."""
        with self.store.write() as tx:
            hint(tx, self.store.clock.now(), connection, kind, native_id, wire)


def _count_new(tx: Transaction, result: Result) -> None:
    """What arose in this cycle for people, and is open still."""
    new = count_open(tx, after=result.before)
    result.parked, result.reviews, result.conflicts = new["parked"], new["review"], new["conflict"]


def _moved_step(taken: StepOf) -> dict[str, Any]:
    """A step that does not hold any more, told as a change that moved."""
    step = taken.step
    told = {"flow": "", "kind": taken.kind, "connection": step.connection, "action": f"undo {step.field}".strip()}
    return {**told, "native_id": None, "source": taken.name}


def _records_at(unit: Unit, natives: Mapping[Place, Sequence[str]]) -> set[int]:
    """The records of ours that these native ones are tied to."""
    return {
        link.record_id
        for (connection, kind), ids in natives.items()
        for link in unit.load_native(connection, kind, ids).values()
    }


class _StoppedError(Exception):
    """Leaves the transaction without keeping it."""
