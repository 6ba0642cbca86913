"""Before a write: what each job has to do now, and whether the remote record is still as we think.

For systems without conditional writes the record is read right before; before a create the target is searched by our
key and by the exact keys of the identity.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from datong.engine import intended
from datong.engine.absorb import OLDER, Absorber, describe
from datong.engine.evaluate import Evaluator, needed
from datong.engine.intake import hint
from datong.engine.jobs import Desk, Job, distinct, evidence
from datong.engine.landscape import Conn, Running
from datong.engine.matchmaking import Matchmaker, unmatched_reviews
from datong.engine.reading import form_of
from datong.engine.references import References
from datong.kit import KindSpec, Missing, WireRecord
from datong.store.bulk import Columns
from datong.store.schema import intents
from datong.store.unit import Link, Rec, Unit
from datong.store.work import Item, open_conflicts

_INTENT = Columns(intents, ("id", "record_id", "at", "journal_id"))


class Preparation:
    """Turns claimed jobs into writes to be made."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def plan(self, unit: Unit, conn: Conn, running: Running, jobs: list[Job]) -> list[Job]:
        """What each job has to write now; jobs with nothing left to do are struck off."""
        planned: list[Job] = []
        evaluator = Evaluator(unit, self.desk.landscape, References(unit, self.desk.landscape))
        ids = [j.record_id for j in jobs]
        loaded = unit.load(ids)
        conflicts = open_conflicts(unit.tx, ids)
        reviews = unmatched_reviews(unit, ids)
        for job in jobs:
            record = loaded.get(job.record_id)
            todo = self._todo(evaluator, unit, conn, running, record, job, conflicts, reviews)
            if todo:
                planned.extend(todo)
            else:
                self.desk.strike(unit, job)
        return planned

    def plan_again(self, conn: Conn, running: Running, jobs: list[Job]) -> list[Job]:
        """The same in a transaction of its own, after something was taken in."""
        with self.desk.unit() as unit:
            return self.plan(unit, conn, running, distinct(jobs))

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
            stands = any(k.here for k in unit.links_of(record.id)) or self.desk.landscape.built(record)
            if record.id in reviews or not stands:
                return []
            job.change = evaluator.change(running, record, conn, None, held)
            evaluator.explain_gaps(running, record, conn, job.change)
            master = running.master
            if master is not None and set(needed(master.needs, record.agreed)) & job.change.waiting.keys():
                return []  # what it points at was not created after all; it is woken when that stands there
            if master is not None and master.whole and job.change.unsaid_items:
                return []  # an item that cannot be written yet: never a part of a document
            job.own_key = self.desk.landscape.key_of(record.id)
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

    def look(self, conn: Conn, running: Running, kind: str, jobs: list[Job]) -> list[Job]:
        """For systems without conditional writes: read right before, and take in first what has moved."""
        spec = conn.specs[kind]
        began = self.desk.store.clock.now()
        self.desk.at("before get")
        answers = {a.id: a for a in conn.connector.get(spec, sorted({str(j.native_id) for j in jobs}))}
        steady: list[Job] = []
        moved: list[Job] = []
        with self.desk.unit() as unit:
            links = unit.load_native(conn.name, kind, answers)
            absorber = Absorber(unit, self.desk.landscape)
            absorber.know_intended(conn, {link.record_id for link in links.values()})
            for job in jobs:
                answer, link = answers.get(str(job.native_id)), links.get(str(job.native_id))
                if link is None or answer is None or isinstance(answer, Missing):
                    hint(unit.tx, unit.now, conn.name, kind, str(job.native_id))
                    self.desk.postpone(unit, job, "it was not found right before the write", timedelta(seconds=30))
                    continue
                told = evidence(spec, answer, began)
                if told.digest == link.seen_digest:
                    steady.append(job)
                elif absorber.admits(conn, link, told):
                    absorber.absorb(conn, link, told)
                    moved.append(job)
                elif OLDER in link.held:
                    hint(unit.tx, unit.now, conn.name, kind, link.native_id)
                    why = "it shows an older change than the known one; it is read again first"
                    self.desk.postpone(unit, job, why, spec.read_lag + timedelta(seconds=1))
                else:
                    steady.append(job)
            if moved:  # the other sides are to be told of it too
                unit.flush()
                Evaluator(unit, self.desk.landscape, absorber.references).weigh({job.record_id for job in moved})
        return steady + self.plan_again(conn, running, moved) if moved else steady

    def search(self, conn: Conn, running: Running, kind: str, jobs: list[Job]) -> list[Job]:
        """Right before a create: is it there already, by our key or by an exact key of its identity?"""
        spec = conn.specs[kind]
        began = self.desk.store.clock.now()
        found: dict[str, WireRecord] = {}
        if spec.map.own_key:
            self.desk.at("before find")
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
        planned = self.plan_again(conn, running, jobs)
        return [j for j in planned if j.native_id is None]

    def _exact_keys(self, spec: KindSpec, jobs: list[Job]) -> dict[str, list[str]]:
        running = self.desk.landscape.flow_of(spec.kind)
        master = running.master if running else None
        strong = {name for rule in (master.identity.link if master else ()) for name in rule.fields}
        wanted: dict[str, list[str]] = {}
        for name in spec.find_by:
            if name.rpartition(".")[2] in strong:  # a number is held once per company
                values = [str(j.change.fields[name][1]) for j in jobs if j.change.fields.get(name, (0, None))[1]]
                if values:
                    wanted[name] = sorted(set(values))
        return wanted

    def _take_found(self, conn: Conn, kind: str, found: Iterable[WireRecord], began: datetime) -> None:
        """Records met by the search enter like any other: linked by our key, matched by the rules."""
        spec = conn.specs[kind]
        with self.desk.unit() as unit:
            absorber = Absorber(unit, self.desk.landscape)
            known = unit.load_native(conn.name, kind, [r.id for r in found])
            absorber.know_intended(conn, {link.record_id for link in known.values()})
            fresh: set[int] = set()
            for native in found:
                link = known.get(native.id) or self._welcome(unit, conn, kind, native)
                told = evidence(spec, native, began)
                if absorber.admits(conn, link, told) and link.seen_digest != told.digest:
                    absorber.absorb(conn, link, told)
                fresh.add(link.record_id)
            unit.flush()
            made = Matchmaker(unit, self.desk.landscape, absorber).match(kind, fresh)
            Evaluator(unit, self.desk.landscape, absorber.references).weigh(fresh | made.touched)

    def _welcome(self, unit: Unit, conn: Conn, kind: str, native: WireRecord) -> Link:
        form = form_of(conn.specs[kind], native)
        number = self.desk.landscape.record_of_key(form.get("@key"))
        record = unit.load([number]).get(number) if number is not None else None
        free = record is not None and record.state == "active" and unit.link_in(record.id, conn.name) is None
        if record is not None and free and intended.made(unit.tx, conn.name, record.id):
            link = unit.new_link(record, conn.name, native.id)
            intended.remember(unit, link, conn.specs[kind].map)
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
        now = self.desk.store.clock.now()
        ready: list[Job] = []
        with self.desk.unit() as unit:
            ids = [j.record_id for j in jobs]
            rows = _INTENT.select(unit.tx, "record_id", ids, "connection = ? AND action = 'create'", conn.name)
            pending = {record_id: (number, at, journal_id) for number, record_id, at, journal_id in rows}
            for job in jobs:
                intent = pending.get(job.record_id)
                if intent is None:
                    ready.append(job)
                elif spec.create == "ask":
                    self._outcome_unknown(unit, conn, running, job)
                elif now < intent[1] + spec.settle:
                    self.desk.postpone(unit, job, "an earlier create may still arrive", intent[1] + spec.settle - now)
                else:
                    unit.tx.execute(intents.delete().where(intents.c.id == intent[0]))
                    job.earlier = intent[2]
                    ready.append(job)
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
        self.desk.postpone(unit, job, "outcome unknown", None)
