"""Carrying out what is due: claim, look, write, confirm. Everything that calls a remote system to change it is here.

No transaction is open during a remote call. A create is journalled as intended before the call, and the target is
searched right before it; an unknown outcome is never simply repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import sqlalchemy as sa

from datong.base.clock import from_text
from datong.base.errors import RemoteError, RequestRefused
from datong.engine import health
from datong.engine.absorb import Absorber, Evidence, describe
from datong.engine.backoff import delay
from datong.engine.evaluate import Evaluator
from datong.engine.intake import hint
from datong.engine.landscape import KIND_ORDER, Conn, Landscape, Running
from datong.engine.matchmaking import Matchmaker, unmatched_reviews
from datong.engine.outcome import Fate, attempt, cause_of, fate
from datong.engine.plan import Change
from datong.engine.reading import form_digest, form_of
from datong.kit import Answer, KindSpec, Lost, Missing, Moved, Refused, Saved, WireRecord, Write
from datong.store import Store
from datong.store.schema import due, intents
from datong.store.unit import FAR, Link, Rec, Unit, chunks
from datong.store.work import Item, close, open_conflicts

LEASE = timedelta(minutes=5)
_SAME_CAUSE = 20
_SHARE = 0.2
NEVER = from_text(FAR)
FIRST_LINK = "first link"
"""Why an update happened that brought two records into agreement for the first time."""


@dataclass
class Delivered:
    created: int = 0
    updated: int = 0
    deleted: int = 0
    failed: int = 0
    later: int = 0
    moved: int = 0
    opened: dict[str, int] = field(default_factory=dict)
    suspended: list[str] = field(default_factory=list)


@dataclass
class Job:
    """One remote record to write, claimed by us."""

    due_id: int
    fence: int
    record_id: int
    task: str
    attempts: int
    change: Change = field(default_factory=lambda: Change("update"))
    native_id: str | None = None
    link_id: int | None = None
    version: str | None = None
    intent: int | None = None
    own_key: str | None = None


class _Streak:
    """Refusals for one cause in a row, and how they share a page."""

    def __init__(self) -> None:
        self.refused: list[tuple[Job, Refused, str]] = []
        self.row = 0
        self._last = ""

    def add(self, job: Job, answer: Refused, cause: str) -> None:
        self.row = self.row + 1 if cause == self._last else 1
        self._last = cause
        self.refused.append((job, answer, cause))

    def broken(self) -> None:
        self.row, self._last = 0, ""

    def common(self, page: int) -> str | None:
        """The cause that so many share that it is not the records' fault."""
        if self.row >= _SAME_CAUSE:
            return self._last
        for cause in {c for _, _, c in self.refused}:
            many = sum(c == cause for _, _, c in self.refused)
            if many >= _SAME_CAUSE and many >= _SHARE * page:
                return cause
        return None


class Deliverer:
    """Delivers for one Datong process."""

    def __init__(
        self,
        store: Store,
        landscape: Landscape,
        actor: str,
        random: Random,
        *,
        first_links: set[int] | None = None,
        progress: Callable[[str, int], None] | None = None,
        checkpoint: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._landscape = landscape
        self._actor = actor
        self._random = random
        self._first_links = first_links or set()
        self._progress = progress or (lambda what, more: None)
        self._at = checkpoint or (lambda where: None)
        self.done = Delivered()

    # the round ---------------------------------------------------------------------------------------------------

    def run(self, only: set[tuple[int, str]] | None = None, kinds: Sequence[str] = ()) -> Delivered:
        """Deliver what is due now: references first, then what points at them. `only` narrows to (record,
        connection) pairs: what a plan holds."""
        for kind in sorted(KIND_ORDER, key=KIND_ORDER.__getitem__):
            if kinds and kind not in kinds:
                continue
            for conn in self._landscape.targets(kind):
                self._kind(conn, kind, only)
        return self.done

    def _kind(self, conn: Conn, kind: str, only: set[tuple[int, str]] | None) -> None:
        running = self._landscape.flow_of(kind)
        assert running is not None
        tried: set[int] = set()
        streak = _Streak()
        size = max(conn.specs[kind].batch, 1)
        while not self._resting(conn, running):
            jobs = self._claim(conn, kind, min(max(size, 20), 200), tried, only)
            if not jobs:
                break
            tried |= {job.due_id for job in jobs}
            verdict = attempt(partial(self._batch, conn, running, kind, jobs, streak))
            if verdict is not None:
                self._failed(conn, running, jobs, verdict)
                if verdict.next in ("later", "suspend"):
                    break
            self._suspend_if_common(conn, running, streak, len(jobs))
        self._park(conn, running, streak.refused)

    def _resting(self, conn: Conn, running: Running) -> bool:
        with self._store.read() as tx:
            return health.resting(tx, conn.name, running.name, self._store.clock.now())

    def _claim(self, conn: Conn, kind: str, size: int, tried: set[int], only: set[tuple[int, str]] | None) -> list[Job]:
        """Take up to `size` due deliveries for ourselves, each with a fencing number."""
        now = self._store.clock.now()
        with self._store.write() as tx:
            query = (
                sa.select(due)
                .where(due.c.connection == conn.name, due.c.kind == kind, due.c.at <= now)
                .where(sa.or_(due.c.until.is_(None), due.c.until <= now, due.c.owner == self._store.owner))
                .order_by(due.c.id)
            )
            rows = []
            for row in tx.execute(query).mappings():
                if row["id"] in tried or (only is not None and (row["record_id"], conn.name) not in only):
                    continue
                rows.append(row)
                if len(rows) == size:
                    break
            if rows:
                tx.execute(
                    due.update()
                    .where(due.c.id.in_([r["id"] for r in rows]))
                    .values(owner=self._store.owner, fence=due.c.fence + 1, until=now + LEASE)
                )
            return [Job(r["id"], r["fence"] + 1, r["record_id"], r["task"], r["attempts"]) for r in rows]

    def _batch(self, conn: Conn, running: Running, kind: str, jobs: list[Job], streak: _Streak) -> None:
        deletes = [j for j in jobs if j.task == "delete"]
        planned = self._plan(conn, running, [j for j in jobs if j.task != "delete"])
        updates = [j for j in planned if j.native_id is not None]
        creates = [j for j in planned if j.native_id is None]
        if updates and not conn.specs[kind].guard:
            updates = self._look(conn, running, kind, updates)
        if creates:
            creates = self._search(conn, running, kind, creates)
        for some in _by_size(updates, conn.specs[kind].batch):
            self._write(conn, running, kind, some, "update", streak)
        for some in _by_size(creates, conn.specs[kind].batch):
            self._write(conn, running, kind, some, "create", streak)
        if deletes:
            self._delete(conn, running, kind, deletes, streak)

    # planning ----------------------------------------------------------------------------------------------------

    def _plan(self, conn: Conn, running: Running, jobs: list[Job]) -> list[Job]:
        """What each job has to write now; jobs with nothing left to do are struck off."""
        planned: list[Job] = []
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            evaluator = Evaluator(unit, self._landscape, Absorber(unit, self._landscape).references)
            loaded = unit.load([j.record_id for j in jobs])
            conflicts = open_conflicts(tx, [j.record_id for j in jobs])
            reviews = unmatched_reviews(unit, [j.record_id for j in jobs])
            for job in jobs:
                record = loaded.get(job.record_id)
                todo = self._todo(evaluator, unit, conn, running, record, job, conflicts, reviews)
                if todo:
                    planned.extend(todo)
                else:
                    self._strike(unit, job)
            unit.flush()
        return planned

    def _todo(
        self,
        evaluator: Evaluator,
        unit: Unit,
        conn: Conn,
        running: Running,
        record: Rec | None,
        job: Job,
        conflicts: dict[int, set[str]],
        reviews: set[int],
    ) -> list[Job]:
        if record is None or record.state != "active" or record.hold:
            return []
        held = conflicts.get(record.id, set())
        mine = [k for k in unit.links_of(record.id) if k.connection == conn.name]
        if not mine:
            if record.id in reviews or not any(k.here for k in unit.links_of(record.id)):
                return []
            job.change = evaluator.change(running, record, conn, None, held)
            evaluator.explain_gaps(running, record, conn, job.change)
            if running.master is not None and set(running.master.needs) & job.change.waiting.keys():
                return []  # what it points at was not created after all; it is woken when that stands there
            job.own_key = self._landscape.key_of(record.id)
            return [job]
        found: list[Job] = []
        for link in mine:
            if link.here:
                change = evaluator.change(running, record, conn, link, held)
                evaluator.explain_gaps(running, record, conn, change)
                if change.something and not found:
                    one = Job(job.due_id, job.fence, record.id, job.task, job.attempts, change, link.native_id, link.id)
                    one.version = link.version
                    found.append(one)
        return found

    def _strike(self, unit: Unit, job: Job) -> None:
        """The job is done or void. A delivery claimed anew by another worker is not ours to strike."""
        unit.tx.execute(due.delete().where(due.c.id == job.due_id, due.c.fence == job.fence))

    # looking before writing --------------------------------------------------------------------------------------

    def _look(self, conn: Conn, running: Running, kind: str, jobs: list[Job]) -> list[Job]:
        """For systems without conditional writes: read right before, and take in first what has moved."""
        spec = conn.specs[kind]
        began = self._store.clock.now()
        self._at("before get")
        answers = {a.id: a for a in conn.connector.get(spec, sorted({str(j.native_id) for j in jobs}))}
        steady: list[Job] = []
        moved: list[Job] = []
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            links = unit.load_native(conn.name, kind, answers)
            absorber = Absorber(unit, self._landscape)
            for job in jobs:
                answer, link = answers.get(str(job.native_id)), links.get(str(job.native_id))
                if link is None or answer is None or isinstance(answer, Missing):
                    hint(tx, unit.now, conn.name, kind, str(job.native_id))
                    self._postpone(unit, job, "it was not found right before the write", timedelta(seconds=30))
                    continue
                told = evidence(spec, answer, began)
                if told.digest == link.seen_digest:
                    steady.append(job)
                elif absorber.is_evidence(conn, link, told):
                    absorber.absorb(conn, link, told)
                    moved.append(job)
                else:
                    steady.append(job)
            unit.flush()
        return steady + self._plan(conn, running, _distinct(moved)) if moved else steady

    def _search(self, conn: Conn, running: Running, kind: str, jobs: list[Job]) -> list[Job]:
        """Right before a create: is it there already, by our key or by an exact key of its identity?"""
        spec = conn.specs[kind]
        began = self._store.clock.now()
        found: dict[str, WireRecord] = {}
        if spec.map.own_key:
            self._at("before find")
            for record in conn.connector.find(spec, "own_key", [str(j.own_key) for j in jobs]):
                found[record.id] = record
        for name, values in self._exact_keys(spec, jobs).items():
            for record in conn.connector.find(spec, name, values):
                found.setdefault(record.id, record)
        if not found:
            return self._settled(conn, running, kind, jobs)
        self._take_found(conn, kind, found.values(), began)
        return self._settled(conn, running, kind, self._plan_creates(conn, running, jobs))

    def _plan_creates(self, conn: Conn, running: Running, jobs: list[Job]) -> list[Job]:
        planned = self._plan(conn, running, jobs)
        return [j for j in planned if j.native_id is None]

    def _exact_keys(self, spec: KindSpec, jobs: list[Job]) -> dict[str, list[str]]:
        running = self._landscape.flow_of(spec.kind)
        master = running.master if running else None
        strong = {name for rule in (master.identity.link if master else ()) for name in rule.fields}
        wanted: dict[str, list[str]] = {}
        for name in spec.find_by:
            if name in strong:
                values = [str(j.change.fields[name][1]) for j in jobs if j.change.fields.get(name, (0, None))[1]]
                if values:
                    wanted[name] = sorted(set(values))
        return wanted

    def _take_found(self, conn: Conn, kind: str, found: Iterable[WireRecord], began: datetime) -> None:
        """Records met by the search enter like any other: linked by our key, matched by the rules."""
        spec = conn.specs[kind]
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            absorber = Absorber(unit, self._landscape)
            known = unit.load_native(conn.name, kind, [r.id for r in found])
            fresh: set[int] = set()
            for native in found:
                link = known.get(native.id) or self._welcome(unit, conn, kind, native)
                told = evidence(spec, native, began)
                if absorber.is_evidence(conn, link, told) and link.seen_digest != told.digest:
                    absorber.absorb(conn, link, told)
                fresh.add(link.record_id)
            unit.flush()
            made = Matchmaker(unit, self._landscape, absorber).match(kind, fresh)
            Evaluator(unit, self._landscape, absorber.references).weigh(fresh | made.touched)
            unit.flush()
            self._count_opened(unit)

    def _welcome(self, unit: Unit, conn: Conn, kind: str, native: WireRecord) -> Link:
        form = form_of(conn.specs[kind], native)
        number = self._landscape.record_of_key(form.get("@key"))
        record = unit.load([number]).get(number) if number is not None else None
        if record is not None and record.state == "active" and unit.link_in(record.id, conn.name) is None:
            link = unit.new_link(record, conn.name, native.id)
            unit.tx.execute(intents.delete().where(intents.c.record_id == record.id, intents.c.connection == conn.name))
            unit.note(
                "linked",
                record_id=record.id,
                connection=conn.name,
                kind=kind,
                native_id=native.id,
                why="found by our own key before creating: an earlier create had arrived",
            )
            return link
        fresh = unit.new_record(kind)
        return unit.new_link(fresh, conn.name, native.id)

    def _settled(self, conn: Conn, running: Running, kind: str, jobs: list[Job]) -> list[Job]:
        """Leave out creates whose earlier try may still arrive, and those that only a person can settle."""
        spec = conn.specs[kind]
        now = self._store.clock.now()
        ready: list[Job] = []
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            query = sa.select(intents).where(
                intents.c.connection == conn.name, intents.c.record_id.in_([j.record_id for j in jobs])
            )
            pending = {r["record_id"]: r for r in tx.execute(query).mappings()}
            for job in jobs:
                intent = pending.get(job.record_id)
                if intent is None:
                    ready.append(job)
                elif spec.create == "ask":
                    self._outcome_unknown(unit, conn, running, job)
                elif now < intent["at"] + spec.settle:
                    self._postpone(unit, job, "an earlier create may still arrive", intent["at"] + spec.settle - now)
                else:
                    tx.execute(intents.delete().where(intents.c.id == intent["id"]))
                    ready.append(job)
            unit.flush()
            self._count_opened(unit)
        return ready

    def _outcome_unknown(self, unit: Unit, conn: Conn, running: Running, job: Job) -> None:
        record = unit.load([job.record_id])[job.record_id]
        unit.open(
            Item(
                "parked",
                "outcome unknown",
                f"unknown:{conn.name}:{record.id}",
                f"nobody knows whether {describe(record)} was created in {conn.name}: the answer was lost",
                f"look for it in {conn.name}: if it is there, `datong review link`; if not, `datong parked retry`",
                kind=record.kind,
                record_id=record.id,
                connection=conn.name,
                flow=running.name,
            )
        )
        self._postpone(unit, job, "outcome unknown", None)

    # writing -----------------------------------------------------------------------------------------------------

    def _write(self, conn: Conn, running: Running, kind: str, jobs: list[Job], action: str, streak: _Streak) -> None:
        spec = conn.specs[kind]
        if not jobs:
            return
        self._intend(conn, running, kind, jobs, action)
        writes = [_write_of(number, job, action) for number, job in enumerate(jobs)]
        answers: dict[int, Answer] = {}
        self._at(f"before {action}")
        try:
            for answer in conn.connector.write(spec, writes):
                answers[answer.ref] = answer
        except RequestRefused as error:
            if len(jobs) > 1 and spec.one_fails_all:
                self._halve(conn, running, kind, jobs, action, streak)
                return
            answers.update(
                {n: Refused(n, str(error), error.field, error.code) for n in range(len(jobs)) if n not in answers}
            )
        except RemoteError as error:
            self._at(f"after {action}")
            self._confirm(conn, running, kind, jobs, answers, streak)
            left = [job for number, job in enumerate(jobs) if number not in answers]
            verdict = fate(error)
            self._failed(conn, running, left, verdict)
            if verdict.next in ("later", "suspend"):
                raise
            return
        self._at(f"after {action}")
        for number in range(len(jobs)):
            answers.setdefault(number, Lost(number, "the connector gave no answer for it"))
        self._confirm(conn, running, kind, jobs, answers, streak)

    def _halve(self, conn: Conn, running: Running, kind: str, jobs: list[Job], action: str, streak: _Streak) -> None:
        """An all-or-nothing call was refused: in halves, until the guilty ones stand alone."""
        middle = len(jobs) // 2
        for half in (jobs[:middle], jobs[middle:]):
            self._write(conn, running, kind, half, action, streak)

    def _intend(self, conn: Conn, running: Running, kind: str, jobs: list[Job], action: str) -> None:
        """The intent is durable before the call."""
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            for job in jobs:
                unit.note(
                    "write intended",
                    record_id=job.record_id,
                    connection=conn.name,
                    kind=kind,
                    native_id=job.native_id,
                    flow=running.name,
                    why=action,
                    body={"fields": _shown(job.change)},
                )
            if action == "create":
                tx.execute(
                    intents.delete().where(
                        intents.c.connection == conn.name, intents.c.record_id.in_([j.record_id for j in jobs])
                    )
                )
                tx.execute(
                    intents.insert(),
                    [
                        {
                            "record_id": job.record_id,
                            "connection": conn.name,
                            "kind": kind,
                            "action": action,
                            "own_key": job.own_key,
                            "at": unit.now,
                            "state": "open",
                        }
                        for job in jobs
                    ],
                )
            unit.flush()
        self._at(f"intended {action}")

    def _confirm(
        self,
        conn: Conn,
        running: Running,
        kind: str,
        jobs: list[Job],
        answers: dict[int, Answer],
        streak: _Streak,
    ) -> None:
        """What was answered, into the store: one transaction a call."""
        if not answers:
            return
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            absorber = Absorber(unit, self._landscape)
            unit.load([job.record_id for job in jobs])
            absorber.know_conflicts(job.record_id for job in jobs)
            touched: set[int] = set()
            done: list[Job] = []
            ours = self._ours(unit, jobs)
            for number, answer in sorted(answers.items()):
                job = jobs[number]
                if job.due_id not in ours:
                    continue
                if isinstance(answer, Saved):
                    self._saved(unit, absorber, conn, running, kind, job, answer)
                    streak.broken()
                    touched.add(job.record_id)
                    done.append(job)
                elif isinstance(answer, Refused):
                    self._refused(unit, conn, job, answer, streak)
                elif isinstance(answer, Moved):
                    self._moved(unit, conn, kind, job)
                else:
                    self._lost(unit, conn, job, answer.reason)
            self._settle_done(unit, conn, done)
            unit.flush()
            for some in chunks(touched):
                self._rekey(unit, absorber, running, kind, some)
            Evaluator(unit, self._landscape, absorber.references).weigh(touched)
            unit.flush()
            self._count_opened(unit)
        self._at("confirmed")

    def _rekey(self, unit: Unit, absorber: Absorber, running: Running, kind: str, ids: list[int]) -> None:
        if running.master is not None:
            Matchmaker(unit, self._landscape, absorber).rekey(kind, running.master.identity, ids)

    def _ours(self, unit: Unit, jobs: list[Job]) -> set[int]:
        """Deliveries still ours: a confirmation with an old fencing number is refused."""
        fences = {job.due_id: job.fence for job in jobs}
        query = sa.select(due.c.id, due.c.fence).where(due.c.id.in_(list(fences)))
        return {row.id for row in unit.tx.execute(query) if row.fence == fences[row.id]}

    def _settle_done(self, unit: Unit, conn: Conn, jobs: list[Job]) -> None:
        """What is done is due no more, its intent is fulfilled and what stood open about it is over."""
        for some in chunks(jobs):
            ids = [job.record_id for job in some]
            unit.tx.execute(due.delete().where(due.c.id.in_([job.due_id for job in some])))
            unit.tx.execute(intents.delete().where(intents.c.record_id.in_(ids), intents.c.connection == conn.name))
            subjects = [f"{what}:{conn.name}:{i}" for what in ("refused", "unknown") for i in ids]
            close(unit.tx, unit.clock, "datong", subjects=subjects)

    def _saved(
        self,
        unit: Unit,
        absorber: Absorber,
        conn: Conn,
        running: Running,
        kind: str,
        job: Job,
        answer: Saved,
    ) -> None:
        record = unit.records[job.record_id]
        link = next((k for k in unit.links_of(record.id) if k.id == job.link_id), None)
        created = link is None
        if link is None:
            link = unit.load_native(conn.name, kind, [answer.id]).get(answer.id)
            if link is None:
                link = unit.new_link(record, conn.name, answer.id)
        written = {} if answer.existed else {name: after for name, (_, after) in job.change.fields.items()}
        now = self._store.clock.now()
        if answer.record is not None:
            absorber.absorb(
                conn, link, evidence(conn.specs[kind], answer.record, now), written=written, created=created
            )
        else:
            link.sent.update(written)
            unit.touch_link(link)
        link.written_at = now
        unit.note(
            "created" if created else "updated",
            record_id=record.id,
            connection=conn.name,
            kind=kind,
            native_id=answer.id,
            flow=running.name,
            why=self._why_saved(record.id, answer),
            body={"fields": _shown(job.change)},
        )
        if created:
            self.done.created += 1
        else:
            self.done.updated += 1
        self._progress(f"{conn.name} {kind}", 1)

    def _why_saved(self, record_id: int, answer: Saved) -> str:
        if answer.existed:
            return "found by our own key: an earlier create had arrived"
        return FIRST_LINK if record_id in self._first_links else ""

    def _refused(self, unit: Unit, conn: Conn, job: Job, answer: Refused, streak: _Streak) -> None:
        streak.add(job, answer, cause_of(answer.code, answer.reason, answer.field))
        unit.tx.execute(intents.delete().where(intents.c.record_id == job.record_id, intents.c.connection == conn.name))
        self._postpone(unit, job, answer.reason, None)
        self.done.failed += 1

    def _moved(self, unit: Unit, conn: Conn, kind: str, job: Job) -> None:
        """Changed under our hands: look again, then plan anew."""
        hint(unit.tx, unit.now, conn.name, kind, str(job.native_id))
        self._postpone(unit, job, "changed there meanwhile; it is read again first", timedelta(seconds=1))
        self.done.moved += 1

    def _lost(self, unit: Unit, conn: Conn, job: Job, reason: str) -> None:
        unit.tx.execute(
            intents.update()
            .where(intents.c.record_id == job.record_id, intents.c.connection == conn.name)
            .values(state="unknown", at=unit.now)
        )
        self._postpone(unit, job, reason, delay(job.attempts, self._random))
        self.done.later += 1

    # deletes -----------------------------------------------------------------------------------------------------

    def _delete(self, conn: Conn, running: Running, kind: str, jobs: list[Job], streak: _Streak) -> None:
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            unit.load([j.record_id for j in jobs])
            ready = []
            for job in jobs:
                link = unit.link_in(job.record_id, conn.name)
                if link is None or not link.here:
                    self._strike(unit, job)
                    continue
                job.change = Change("delete")
                job.native_id, job.link_id, job.version = link.native_id, link.id, link.version
                ready.append(job)
        for some in _by_size(ready, conn.specs[kind].batch):
            self._intend(conn, running, kind, some, "delete")
            self._at("before delete")
            answers = {}
            for answer in conn.connector.write(
                conn.specs[kind], [_write_of(n, j, "delete") for n, j in enumerate(some)]
            ):
                answers[answer.ref] = answer
            self._at("after delete")
            self._deleted(conn, running, kind, some, answers, streak)

    def _deleted(
        self, conn: Conn, running: Running, kind: str, jobs: list[Job], answers: dict[int, Answer], streak: _Streak
    ) -> None:
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            unit.load([j.record_id for j in jobs])
            for number, job in enumerate(jobs):
                answer = answers.get(number, Lost(number, "no answer"))
                if isinstance(answer, Saved):
                    self._struck_out(unit, conn, running, kind, job)
                elif isinstance(answer, Refused):
                    self._refused(unit, conn, job, answer, streak)
                elif isinstance(answer, Moved):
                    self._moved(unit, conn, kind, job)
                else:
                    self._lost(unit, conn, job, answer.reason)
            unit.flush()

    def _struck_out(self, unit: Unit, conn: Conn, running: Running, kind: str, job: Job) -> None:
        record = unit.records[job.record_id]
        link = next(k for k in unit.links_of(record.id) if k.id == job.link_id)
        link.state = "gone"
        unit.touch_link(link)
        if not any(k.here for k in unit.links_of(record.id)):
            record.state = "gone"
            unit.touch(record)
        self._strike(unit, job)
        unit.note(
            "deleted", record_id=record.id, connection=conn.name, kind=kind, native_id=job.native_id, flow=running.name
        )
        self.done.deleted += 1

    # failures ----------------------------------------------------------------------------------------------------

    def _postpone(self, unit: Unit, job: Job, why: str, after: timedelta | None) -> None:
        """Give the claim back. Without a time it waits for a person or for a change."""
        unit.tx.execute(
            due.update()
            .where(due.c.id == job.due_id, due.c.fence == job.fence)
            .values(
                at=unit.now + after if after is not None else NEVER,
                attempts=job.attempts + 1,
                error=why[:1000],
                owner=None,
                until=None,
            )
        )

    def _failed(self, conn: Conn, running: Running, jobs: Sequence[Job], verdict: Fate) -> None:
        """A whole call failed: nothing is known of these jobs but what the error says."""
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            for job in jobs:
                if verdict.next == "look":
                    self._lost(unit, conn, job, verdict.reason)
                    continue
                tx.execute(
                    intents.delete().where(
                        intents.c.record_id == job.record_id,
                        intents.c.connection == conn.name,
                        intents.c.state == "open",
                    )
                )
                after = timedelta(0) if verdict.next == "suspend" else delay(job.attempts, self._random, verdict.after)
                self._postpone(unit, job, verdict.reason, after)
                self.done.later += 1
            if verdict.next == "suspend":
                self._suspend(unit, conn, "", verdict)
            elif verdict.next == "later":
                health.pause(unit, conn.name, verdict.reason, self._random)
            elif verdict.next == "park" and jobs:
                self._park_call(unit, conn, running, jobs, verdict)
            unit.flush()
            self._count_opened(unit)

    def _park_call(self, unit: Unit, conn: Conn, running: Running, jobs: Sequence[Job], verdict: Fate) -> None:
        for job in jobs:
            self._postpone(unit, job, verdict.reason, None)
            self.done.failed += 1
        unit.open(
            Item(
                "parked",
                verdict.cause,
                f"call:{conn.name}:{running.name}:{cause_of('', verdict.reason, None)}"[:300],
                f"{conn.name} refused a call for {len(jobs)} record(s) of {running.name}: {verdict.reason}",
                verdict.remedy,
                connection=conn.name,
                flow=running.name,
                detail={"records": [j.record_id for j in jobs][:100]},
            )
        )

    def _suspend(self, unit: Unit, conn: Conn, flow: str, verdict: Fate) -> None:
        if health.suspend(unit, conn.name, flow, verdict.cause, verdict.reason, verdict.remedy):
            self.done.suspended.append(f"{conn.name} {flow}".strip())

    def _suspend_if_common(self, conn: Conn, running: Running, streak: _Streak, page: int) -> None:
        """The same refusal again and again is not the records' fault: one item, and the flow rests."""
        cause = streak.common(page)
        if cause is None:
            return
        guilty = [(j, a) for j, a, c in streak.refused if c == cause]
        answer = guilty[0][1]
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            for job, _ in guilty:
                unit.tx.execute(due.update().where(due.c.id == job.due_id).values(at=unit.now, owner=None, until=None))
            verdict = Fate(
                "suspend",
                "same refusal",
                f"{conn.name} refuses every {running.name} record for one cause: {answer.reason}",
                f"mend the cause in {conn.name} or in the map"
                + (f" of {answer.field}" if answer.field else "")
                + "; the records stay due, `datong parked retry` starts the flow again",
            )
            self._suspend(unit, conn, running.name, verdict)
            unit.flush()
            self._count_opened(unit)
        streak.refused = [(j, a, c) for j, a, c in streak.refused if c != cause]
        streak.broken()

    def _park(self, conn: Conn, running: Running, refused: Sequence[tuple[Job, Refused, str]]) -> None:
        if not refused:
            return
        with self._store.write() as tx:
            unit = Unit(tx, self._store.clock, self._actor)
            unit.load([j.record_id for j, _, _ in refused])
            for job, answer, cause in refused:
                self._park_one(unit, conn, running, job, answer, cause)
            unit.flush()
            self._count_opened(unit)

    def _park_one(self, unit: Unit, conn: Conn, running: Running, job: Job, answer: Refused, cause: str) -> None:
        from datong.base.json import digest

        record = unit.records[job.record_id]
        name = _field_at(conn, running, record.kind, answer.field)
        value = record.agreed.get(name) if name else None
        at_fault = f"{name} ({value!r})" if name else "the value named"
        unit.open(
            Item(
                "parked",
                "refused",
                f"refused:{conn.name}:{record.id}",
                f"{conn.name} refuses {describe(record)}: {answer.reason}",
                f"correct {at_fault} in the system that owns it; it is then sent by itself, "
                "or after `datong parked retry`",
                kind=record.kind,
                record_id=record.id,
                connection=conn.name,
                native_id=job.native_id,
                field=name,
                flow=running.name,
                detail={"code": answer.code, "cause": cause},
                digest=digest(record.agreed),
            )
        )

    def _count_opened(self, unit: Unit) -> None:
        for type_, many in unit.opened.items():
            self.done.opened[type_] = self.done.opened.get(type_, 0) + many
        unit.opened.clear()


def evidence(spec: KindSpec, record: WireRecord, read_at: datetime) -> Evidence:
    form = form_of(spec, record)
    told = form_digest(form, record.active, spec.map.version)
    return Evidence(form, told, read_at, record.version, record.changed_at, record.active)


def _write_of(number: int, job: Job, action: Any) -> Write:
    return Write(number, action, job.native_id, job.own_key, job.change.values, job.change.items, job.version)


def _shown(change: Change) -> dict[str, Any]:
    return {name: {"before": before, "after": after} for name, (before, after) in change.fields.items()}


def _by_size(jobs: list[Job], size: int) -> Iterator[list[Job]]:
    return chunks(jobs, max(size, 1))


def _distinct(jobs: list[Job]) -> list[Job]:
    """One job a delivery: planning finds the links of a record again."""
    seen: dict[int, Job] = {}
    for job in jobs:
        seen.setdefault(job.due_id, Job(job.due_id, job.fence, job.record_id, job.task, job.attempts))
    return list(seen.values())


def _field_at(conn: Conn, running: Running, kind: str, path: str | None) -> str | None:
    if path is None:
        return None
    return next((f.name for f in conn.specs[kind].map.fields if f.path == path), None)
