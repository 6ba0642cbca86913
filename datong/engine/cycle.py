"""One cycle: read, take in, weigh, guard, deliver, seal. `plan` stops before anything is kept or written."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from datong.base import json
from datong.base.errors import NotFound, UsageError, WrongSystem
from datong.engine import health
from datong.engine.absorb import Absorber
from datong.engine.deliver import Deliverer
from datong.engine.evaluate import Evaluator, expired_verdicts
from datong.engine.guard import Tally, tripped
from datong.engine.intake import Intake, Taken, changed_maps, drop_run, hint, remap
from datong.engine.jobs import FIRST_LINK, Delivered, Desk
from datong.engine.landscape import Conn, Landscape
from datong.engine.outcome import Fate, attempt
from datong.engine.plan import Change
from datong.engine.reading import Progress, Reader, cursor_of
from datong.engine.references import References
from datong.store import Store, Transaction
from datong.store.journal import Entry, Sealer, append
from datong.store.schema import due, inbox, journal, links, plan_changes, plans
from datong.store.unit import Unit, chunks
from datong.store.work import Item, count_open, open_conflicts

ENGINE = "datong"


@dataclass
class Result:
    """What a cycle did; totals are of this cycle, `waiting` of all that is open."""

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


@dataclass
class PlannedChange:
    flow: str
    kind: str
    connection: str
    action: str
    record_id: int
    source: str
    native_id: str | None
    reason: str
    reversible: str
    fields: dict[str, dict[str, Any]]

    @property
    def digest(self) -> str:
        return json.digest(
            [self.connection, self.action, self.native_id, {n: v["after"] for n, v in self.fields.items()}]
        )


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
        self._checked: set[str] = set()
        self._first_links: set[int] = set()

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
        began = self.store.clock.monotonic()
        result = Result()
        with self.store.writer():
            run = self._run_name("sync")
            kinds = self._steady_kinds(flows, result)
            reader = Reader(self.store, run, self.progress)
            answered = self._gather(reader, kinds, result, full=full, hints_only=hints_only, sweep=sweep)
            if self._take_in(run, kinds, answered, result, first_load):
                self._deliver(kinds, None, result)
                self._look_again(kinds, result)
            self._finish(result, began)
        return result

    def sync_record(self, connection: str, kind: str, native_id: str) -> Result:
        """Read one record on every side it stands on, and bring it into agreement now."""
        began = self.store.clock.monotonic()
        result = Result()
        conn = self._connection(connection, kind)
        with self.store.writer():
            run = self._run_name("sync")
            reader = Reader(self.store, run, self.progress)
            self._try(conn, result, lambda: reader.by_id(conn, kind, [native_id]))
            with self.store.read() as tx:
                unit = Unit(tx, self.store.clock, self.actor)
                known = unit.load_native(connection, kind, [native_id]).get(native_id)
                others = [k for k in unit.links_of(known.record_id) if k.id != known.id] if known else []
            for other in others:
                there = self._connection(other.connection, kind)
                self._try(there, result, lambda t=there, o=other: reader.by_id(t, kind, [o.native_id]))  # type: ignore[misc]
            if self._take_in(run, [kind], [], result, None):
                with self.store.read() as tx:
                    unit = Unit(tx, self.store.clock, self.actor)
                    known = unit.load_native(connection, kind, [native_id]).get(native_id)
                if known is None:
                    raise NotFound(f"{connection} has no {kind} {native_id}", remedy="check the id and the kind")
                pairs = {(known.record_id, c.name) for c in self.landscape.targets(kind)}
                self._deliver([kind], pairs, result)
            self._finish(result, began)
        return result

    def deliver_due(self, flows: Sequence[str] = ()) -> Result:
        """Only carry out what is due by now: retries, what a person has just settled."""
        began = self.store.clock.monotonic()
        result = Result()
        with self.store.writer():
            self._deliver(self._steady_kinds(flows, result), None, result)
            self._finish(result, began)
        return result

    # plan and apply ----------------------------------------------------------------------------------------------

    def plan(self, flows: Sequence[str] = (), *, full: bool = False) -> dict[str, Any]:
        """What would be written where and why; nothing is kept but the plan itself and what was read for it."""
        result = Result()
        kinds = self.landscape.kinds(flows)
        with self.store.writer():
            run = self._run_name("plan")
            reader = Reader(self.store, run, self.progress)
            answered = self._gather(reader, kinds, result, full=full)
            return self._save_plan(run, kinds, flows, answered, result)

    def _save_plan(
        self, run: str, kinds: Sequence[str], flows: Sequence[str], answered: list[int], result: Result
    ) -> dict[str, Any]:
        with tempfile.TemporaryFile("w+b") as buffer:
            with self.store.trial() as tx:
                unit = Unit(tx, self.store.clock, self.actor)
                taken, skipped = self._decide(unit, run, kinds, remapped=True)
                totals = self._totals(unit, taken, skipped, kinds, result)
                stopped = self._tripped(unit, taken)
                calls: dict[tuple[str, str, str], int] = {}
                for change in self._planned(unit, kinds):
                    buffer.write(json.encode(change.__dict__) + b"\n")
                    totals[f"{change.action}s"] += 1
                    totals["irreversible"] += change.reversible == "no"
                    place = (change.connection, change.kind, change.action)
                    calls[place] = calls.get(place, 0) + 1
                totals["api_calls"] = self._calls(calls)
            buffer.seek(0)
            self._store_plan(run, flows, totals, stopped, buffer)
        return {"id": run, **totals, "stopped": stopped, "problems": result.problems}

    def _calls(self, changes: Mapping[tuple[str, str, str], int]) -> int:
        """Requests that the writes will take: looking first, then writing, by batches."""
        total = 0
        for (connection, kind, action), many in changes.items():
            spec = self.landscape.connections[connection].specs[kind]
            batches = -(-many // max(spec.batch, 1))
            searches = (1 if spec.map.own_key else 0) + len(spec.find_by) if action == "create" else 0
            looks = 0 if spec.guard or action != "update" else 1
            total += batches * (1 + searches + looks)
        return total

    def _store_plan(self, run: str, flows: Sequence[str], totals: dict[str, Any], stopped: str, buffer: Any) -> None:
        with self.store.write() as tx:
            tx.execute(
                plans.insert().values(
                    id=run,
                    at=self.store.clock.now(),
                    author=self.actor,
                    flows=list(flows),
                    config_version=self.landscape.config_version,
                    state="open",
                    totals=totals,
                    stopped=stopped or None,
                )
            )
            numbered = enumerate((PlannedChange(**json.loads(line)) for line in buffer), 1)
            for some in chunks(numbered):
                tx.execute(
                    plan_changes.insert(),
                    [{"plan_id": run, "number": n, "digest": c.digest, **c.__dict__} for n, c in some],
                )
            append(tx, self.store.clock, self.actor, [Entry("planned", why=run, body={"totals": totals})])

    def apply(self, plan_id: str, *, accept_mass: bool = False) -> Result:
        """Carry out what still holds of a plan; what moved meanwhile is listed in `moved`."""
        began = self.store.clock.monotonic()
        plan = self.plan_of(plan_id)
        result = Result(plan=plan_id)
        with self.store.writer():
            if plan["stopped"] and not accept_mass:
                result.stopped = plan["stopped"]
                result.problems.append(f"the plan is stopped: {plan['stopped']}")
                return result
            kinds = self.landscape.kinds(plan["flows"])
            with self.store.write() as tx:
                unit = Unit(tx, self.store.clock, self.actor)
                taken, result.skipped = self._decide(unit, plan_id, kinds, remapped=True)
                pairs, result.moved = self._still_holding(unit, plan_id, kinds)
                result.read, result.changed, result.linked = taken.read, taken.changed, taken.linked
                unit.note("applied", why=plan_id, body={"changes": len(pairs), "moved": len(result.moved)})
                unit.flush()
                self._opened(result, unit.opened)
                tx.execute(plans.update().where(plans.c.id == plan_id).values(state="applied"))
                drop_run(tx, plan_id)
            self._first_links = taken.first_links
            self._deliver(kinds, pairs, result)
            self._finish(result, began)
        return result

    def plan_of(self, plan_id: str) -> dict[str, Any]:
        """An open plan made under the present configuration. Raises NotFound or UsageError."""
        with self.store.read() as tx:
            plan = tx.execute(sa.select(plans).where(plans.c.id == plan_id)).mappings().first()
        if plan is None:
            raise NotFound(f"there is no plan {plan_id}", remedy="`datong plan` makes one")
        if plan["state"] != "open":
            raise UsageError(f"the plan {plan_id} was applied already", remedy="make a new one with `datong plan`")
        if plan["config_version"] != self.landscape.config_version:
            raise UsageError(
                f"the plan {plan_id} was made under another configuration", remedy="make a new one with `datong plan`"
            )
        return dict(plan)

    def _still_holding(
        self, unit: Unit, plan_id: str, kinds: Sequence[str]
    ) -> tuple[set[tuple[int, str]], list[dict[str, Any]]]:
        """(record, connection) pairs whose change is the planned one, and the planned changes that moved."""
        query = sa.select(plan_changes).where(plan_changes.c.plan_id == plan_id)
        planned = {(r["connection"], r["source"], r["action"]): dict(r) for r in unit.tx.execute(query).mappings()}
        pairs: set[tuple[int, str]] = set()
        for change in self._planned(unit, kinds):
            row = planned.get((change.connection, change.source, change.action))
            if row is not None and row["digest"] == change.digest:
                planned.pop((change.connection, change.source, change.action))
                pairs.add((change.record_id, change.connection))
        moved = [
            {k: r[k] for k in ("flow", "kind", "connection", "action", "native_id", "source")} for r in planned.values()
        ]
        return pairs, moved

    # steps -------------------------------------------------------------------------------------------------------

    def _run_name(self, what: str) -> str:
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
        with self.store.write() as tx:
            changed = changed_maps(tx, self.landscape)
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
            self._opened(result, unit.opened)
        resting = {kind for _, kind in changed}
        return [k for k in kinds if k not in resting]

    def _gather(
        self,
        reader: Reader,
        kinds: Sequence[str],
        result: Result,
        *,
        full: bool = False,
        hints_only: bool = False,
        sweep: bool | None = None,
    ) -> list[int]:
        """Read every connection that is well; gives the hints answered. One that fails stops no other."""
        answered: list[int] = []
        for conn in self.landscape.connections.values():
            if not self._awake(conn, result):
                continue

            def read_all(conn: Conn = conn) -> None:
                for kind in kinds:
                    if kind in conn.specs:
                        answered.extend(reader.hints(conn, kind))
                        if not hints_only:
                            reader.changes(conn, kind, full=full)
                            self._sweep(reader, conn, kind, full or bool(sweep), sweep)

            self._try(conn, result, read_all)
        return answered

    def _sweep(self, reader: Reader, conn: Conn, kind: str, now: bool, asked: bool | None) -> None:
        """Sweep for what is no longer there: by schedule, or when asked; a snapshot finds it by itself."""
        running = self.landscape.flow_of(kind)
        if conn.specs[kind].reads == "snapshot" or running is None or asked is False:
            return
        with self.store.read() as tx:
            row = cursor_of(tx, conn.name, kind)
            missing = tx.execute(
                sa.select(links.c.native_id).where(
                    links.c.connection == conn.name, links.c.kind == kind, links.c.state == "missing"
                )
            ).scalars()
            doubtful = list(missing)
        if row is None or row["baseline_at"] is None:
            return
        last = row["sweep_at"]
        if now or last is None or self.store.clock.now() >= last + running.sweep:
            reader.sweep(conn, kind)
        elif doubtful:
            reader.by_id(conn, kind, doubtful)

    def _awake(self, conn: Conn, result: Result) -> bool:
        """Is the connection usable? Probes one whose time has come; checks its identity once a process."""
        now = self.store.clock.now()
        with self.store.read() as tx:
            state = health.state_of(tx, conn.name)
            rests = health.resting(tx, conn.name, "", now)
        if rests and state is not None:
            result.problems.append(f"{conn.name} rests: {state['cause']}")
            return False
        if conn.name in self._checked and (state is None or not state["probes"]):
            return True
        return self._try(conn, result, lambda: self._check(conn))

    def _check(self, conn: Conn) -> None:
        before = self.store.clock.now()
        checked = conn.connector.check()
        offset = checked.server_time - before if checked.server_time is not None else None
        with self.store.write() as tx:
            unit = Unit(tx, self.store.clock, self.actor)
            other = health.know_identity(unit, conn.name, checked.identity, offset)
            if other is not None:
                raise WrongSystem(
                    f"{conn.name} answers as {checked.identity}, but we know {other}",
                    remedy="is it a copy or a restored backup? Correct the address, or make a new connection for it",
                )
            health.recover(unit, conn.name)
            unit.flush()
        self._checked.add(conn.name)

    def _try(self, conn: Conn, result: Result, act: Callable[[], None]) -> bool:
        """Do something with a connection; what goes wrong is its health's affair and stops nothing else."""
        verdict = attempt(act)
        if verdict is not None:
            self._unwell(conn, verdict, result)
        return verdict is None

    def _unwell(self, conn: Conn, verdict: Fate, result: Result) -> None:
        remedy = f" ({verdict.remedy})" if verdict.remedy else ""
        result.problems.append(f"{conn.name}: {verdict.reason}{remedy}")
        with self.store.write() as tx:
            unit = Unit(tx, self.store.clock, self.actor)
            if verdict.next in ("later", "look"):
                health.pause(unit, conn.name, verdict.reason, self.random)
            else:
                health.suspend(unit, conn.name, "", verdict.cause, verdict.reason, verdict.remedy)
            unit.flush()
            self._opened(result, unit.opened)
        self._checked.discard(conn.name)

    def _decide(self, unit: Unit, run: str, kinds: Sequence[str], *, remapped: bool) -> tuple[Taken, int]:
        """Everything that follows from what was read, within one transaction."""
        touched: set[int] = set()
        if remapped:
            for connection, kind in changed_maps(unit.tx, self.landscape):
                if kind in kinds:
                    touched |= remap(unit, self.landscape, self.landscape.connections[connection], kind)
                    from datong.store.work import close

                    close(unit.tx, unit.clock, self.actor, subjects=[f"map:{connection}:{kind}"])
        intake = Intake(unit, self.landscape)
        taken = intake.run(run)
        taken.touched |= touched
        again = self._waiting_for_baseline(unit, kinds) | expired_verdicts(unit, kinds)
        weighed = self._evaluator(unit).weigh(taken.touched | again)
        unit.flush()
        return taken, weighed.skipped

    def _waiting_for_baseline(self, unit: Unit, kinds: Sequence[str]) -> set[int]:
        """Records that stand on one side only and may be created now: their verdict said to wait."""
        from datong.store.schema import records

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
        stopped = ""
        try:
            with self.store.write() as tx:
                unit = Unit(tx, self.store.clock, self.actor)
                taken, result.skipped = self._decide(unit, run, kinds, remapped=False)
                stopped = self._tripped(unit, taken)
                if stopped:
                    raise _StoppedError
                if first_load is not None and taken.first_links:
                    first_load([c for c in self._planned(unit, kinds) if c.record_id in taken.first_links])
                for some in chunks(answered):
                    tx.execute(inbox.delete().where(inbox.c.id.in_(some)))
                drop_run(tx, run)
        except _StoppedError:
            plan = self._save_plan(run, kinds, (), answered, result)
            result.stopped, result.plan = stopped, plan["id"]
            result.problems.append(f"stopped before the first write: {stopped}")
            return False
        result.read += taken.read
        result.changed += taken.changed
        result.linked += taken.linked
        self._first_links = taken.first_links
        self._opened(result, unit.opened)
        return True

    def _deliver(self, kinds: Sequence[str], only: set[tuple[int, str]] | None, result: Result) -> None:
        desk = Desk(self.store, self.landscape, self.actor, self.random, self._first_links)
        desk.progress, desk.at = self.progress or desk.progress, self._checkpoint or desk.at
        done = Deliverer(desk).run(only, kinds)
        self._add(result, done)

    def _look_again(self, kinds: Sequence[str], result: Result) -> None:
        """What moved under our hands is read again and delivered once more in the same cycle."""
        for _ in range(3):
            with self.store.read() as tx:
                waiting = tx.execute(
                    sa.select(sa.func.count()).select_from(inbox).where(inbox.c.kind.in_(kinds))
                ).scalar()
            if not waiting:
                return
            run = self._run_name("again")
            reader = Reader(self.store, run, self.progress)
            answered = self._gather(reader, kinds, result, hints_only=True)
            if not answered or not self._take_in(run, kinds, answered, result, None):
                return
            self._deliver(kinds, None, result)

    def _add(self, result: Result, done: Delivered) -> None:
        result.created += done.created
        result.updated += done.updated
        result.deleted += done.deleted
        result.failed += done.failed
        result.later += done.later
        result.problems.extend(f"{name} is suspended" for name in done.suspended)
        self._opened(result, done.opened)

    def _opened(self, result: Result, opened: Mapping[str, int]) -> None:
        result.parked += opened.get("parked", 0)
        result.reviews += opened.get("review", 0)
        result.conflicts += opened.get("conflict", 0)

    def _finish(self, result: Result, began: float) -> None:
        with self.store.read() as tx:
            result.waiting = count_open(tx)
        result.unchanged = max(0, result.read - result.changed)
        self.sealer.seal()
        result.seconds = round(self.store.clock.monotonic() - began, 3)

    # totals ------------------------------------------------------------------------------------------------------

    def _planned(self, unit: Unit, kinds: Sequence[str]) -> Iterator[PlannedChange]:
        """The change of every delivery due now."""
        evaluator = self._evaluator(unit)
        now = unit.now
        for kind in kinds:
            for conn in self.landscape.targets(kind):
                query = sa.select(due.c.record_id, due.c.task).where(
                    due.c.connection == conn.name, due.c.kind == kind, due.c.at <= now
                )
                for some in chunks(list(unit.tx.execute(query.order_by(due.c.id)))):
                    yield from self._planned_page(unit, evaluator, conn, some)

    def _planned_page(
        self, unit: Unit, evaluator: Evaluator, conn: Conn, rows: Sequence[Any]
    ) -> Iterator[PlannedChange]:
        ids = [row.record_id for row in rows]
        loaded, conflicts = unit.load(ids), open_conflicts(unit.tx, ids)
        for row in rows:
            record = loaded.get(row.record_id)
            running = self.landscape.flow_of(record.kind) if record else None
            if record is None or running is None:
                continue
            mine = [k for k in unit.links_of(record.id) if k.connection == conn.name]
            if row.task == "delete":
                for link in mine:
                    yield _planned_change(unit, running.name, record, conn, Change("delete"), link.native_id)
            elif not mine:
                change = evaluator.change(running, record, conn, None, conflicts.get(record.id, set()))
                yield _planned_change(unit, running.name, record, conn, change, None)
            for link in mine if row.task != "delete" else ():
                change = evaluator.change(running, record, conn, link, conflicts.get(record.id, set()))
                if link.here and change.something:
                    yield _planned_change(unit, running.name, record, conn, change, link.native_id)

    def _totals(self, unit: Unit, taken: Taken, skipped: int, kinds: Sequence[str], result: Result) -> dict[str, Any]:
        self._opened(result, unit.opened)
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

    def _tripped(self, unit: Unit, taken: Taken) -> str:
        """What the mass guard says of everything due now and done in the last hour."""
        hour = unit.now - timedelta(hours=1)
        updates = _counts(unit.tx, "deliver", taken.first_links, self.landscape)
        deletes = _counts(unit.tx, "delete", set(), self.landscape)
        done = _done_since(unit.tx, hour)
        tallies: dict[tuple[str, str], Tally] = {}
        for place in {*updates, *deletes}:
            linked = unit.tx.execute(
                sa.select(sa.func.count())
                .select_from(links)
                .where(links.c.connection == place[0], links.c.kind == place[1], links.c.state == "live")
            ).scalar()
            tallies[place] = Tally(
                linked or 0,
                updates.get(place, 0) + (done.get(("updated", *place), 0) if updates.get(place) else 0),
                deletes.get(place, 0) + (done.get(("deleted", *place), 0) if deletes.get(place) else 0),
            )
        limits = {k: r.limits for r in self.landscape.flows.values() for k in r.flow.kinds}
        return "; ".join(tripped(tallies, limits))

    def note_hint(self, connection: str, kind: str, native_id: str, wire: Any = None) -> None:
        """A webhook says *look here*: durable when this returns."""
        with self.store.write() as tx:
            hint(tx, self.store.clock.now(), connection, kind, native_id, wire)

    def absorber(self, unit: Unit) -> Absorber:
        return Absorber(unit, self.landscape)

    def evaluate(self, unit: Unit, ids: Collection[int]) -> None:
        """Weigh records anew after a person's act."""
        self._evaluator(unit).weigh(ids)


class _StoppedError(Exception):
    """Leaves the transaction without keeping it."""


def _planned_change(
    unit: Unit, flow: str, record: Any, conn: Conn, change: Change, native_id: str | None
) -> PlannedChange:
    shown = {n: {"before": before, "after": after} for n, (before, after) in change.fields.items()}
    origins = sorted({str(o[0]) for n in shown if (o := record.origin.get(n))})
    reasons = {
        "create": f"it stands in {', '.join(sorted({k.connection for k in unit.links_of(record.id)}))} only",
        "update": f"changed in {', '.join(origins)}" if origins else "brought into agreement",
        "delete": "it was deleted on the other side",
    }
    source = next((f"{k.connection}:{k.kind}:{k.native_id}" for k in unit.links_of(record.id)), f"record:{record.id}")
    reversible = {"create": "by deleting it", "update": "yes", "delete": "no"}[change.action]
    return PlannedChange(
        flow,
        record.kind,
        conn.name,
        change.action,
        record.id,
        source,
        native_id,
        reasons[change.action],
        reversible,
        shown,
    )


def _counts(tx: Transaction, task: str, leave_out: set[int], landscape: Landscape) -> dict[tuple[str, str], int]:
    """(connection, kind) -> deliveries due for records that are linked there."""
    query = (
        sa.select(due.c.connection, due.c.kind, due.c.record_id)
        .join(links, sa.and_(links.c.record_id == due.c.record_id, links.c.connection == due.c.connection))
        .where(due.c.task == task, due.c.at <= sa.bindparam("now", type_=due.c.at.type))
        .distinct()
    )
    found: dict[tuple[str, str], int] = {}
    from datong.base.clock import from_text

    for row in tx.execute(query, {"now": from_text("9999-01-01T00:00:00Z")}):
        if row.record_id not in leave_out:
            place = (row.connection, row.kind)
            found[place] = found.get(place, 0) + 1
    return found


def _done_since(tx: Transaction, since: datetime) -> dict[tuple[str, str, str], int]:
    query = (
        sa.select(journal.c.event, journal.c.connection, journal.c.kind, sa.func.count(journal.c.record_id.distinct()))
        .where(journal.c.at >= since, journal.c.event.in_(("updated", "deleted")), journal.c.why != FIRST_LINK)
        .group_by(journal.c.event, journal.c.connection, journal.c.kind)
    )
    return {(row[0], row[1], row[2]): row[3] for row in tx.execute(query)}
