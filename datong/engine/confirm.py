"""After a write: what was answered, into the store. One transaction a call."""

from __future__ import annotations

from datetime import timedelta

from datong.engine import intended
from datong.engine.absorb import Absorber, describe
from datong.engine.backoff import delay
from datong.engine.evaluate import Evaluator
from datong.engine.intake import hint
from datong.engine.jobs import ACCEPTED, COMPUTED, FIRST_LINK, Desk, Job, Streak, evidence, shown
from datong.engine.landscape import Conn, Running, only_computed
from datong.engine.outcome import cause_of
from datong.kit import Answer, Lost, Moved, Refused, Saved
from datong.store.bulk import Columns, run
from datong.store.schema import due, intents
from datong.store.unit import Link, Rec, Unit, chunks
from datong.store.work import Item, anything_open, close

_SHOWN = timedelta(minutes=5)
"""Refusals are put before people right after, alike ones as one; should that not come to pass, they are tried again."""
_FENCE = Columns(due, ("id", "fence"))


class Confirmation:
    """Takes the answers of a call in."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def written(
        self,
        conn: Conn,
        running: Running,
        kind: str,
        jobs: list[Job],
        answers: dict[int, Answer],
        streak: Streak,
    ) -> None:
        """What was answered, into the store: one transaction a call."""
        if not answers:
            return
        with self.desk.unit() as unit:
            absorber = Absorber(unit, self.desk.landscape)
            unit.load([job.record_id for job in jobs])
            absorber.know_conflicts(job.record_id for job in jobs)
            known = unit.load_native(conn.name, kind, [a.id for a in answers.values() if isinstance(a, Saved)])
            touched: set[int] = set()
            done: list[Job] = []
            ours = self._ours(unit, jobs)
            for number, answer in sorted(answers.items()):
                job = jobs[number]
                if job.due_id not in ours:
                    continue
                other = known.get(answer.id) if isinstance(answer, Saved) else None
                if isinstance(answer, Saved) and other is not None and other.record_id != job.record_id:
                    self._anothers(unit, conn, kind, job, other)
                elif isinstance(answer, Saved):
                    self._saved(unit, absorber, conn, kind, job, answer, known.get(answer.id))
                    streak.broken()
                    touched.add(job.record_id)
                    done.append(job)
                elif isinstance(answer, Refused):
                    self._refused(unit, conn, job, answer, streak)
                elif isinstance(answer, Moved):
                    self._moved(unit, conn, kind, job)
                else:
                    self.lost(unit, conn, job, answer.reason)
            self._settle_done(unit, conn, done)
            unit.flush()
            Evaluator(unit, self.desk.landscape, absorber.references).weigh(touched)
        self.desk.at("confirmed")

    def _ours(self, unit: Unit, jobs: list[Job]) -> set[int]:
        """Deliveries still ours: a confirmation with an old fencing number is refused."""
        fences: dict[int, int] = dict(_FENCE.select(unit.tx, "id", [job.due_id for job in jobs]))
        return {job.due_id for job in jobs if fences.get(job.due_id) == job.fence}

    def _settle_done(self, unit: Unit, conn: Conn, jobs: list[Job]) -> None:
        """What is done is due no more, its intent is fulfilled and what stood open about it is over."""
        ids = [job.record_id for job in jobs]
        run(unit.tx, "DELETE FROM due WHERE id IN ?", [job.due_id for job in jobs])
        run(unit.tx, "DELETE FROM intents WHERE connection = ? AND record_id IN ?", conn.name, ids)
        if anything_open(unit.tx, ["refused", "outcome unknown"]):
            for some in chunks(ids):
                subjects = [f"{what}:{conn.name}:{i}" for what in ("refused", "unknown") for i in some]
                close(unit.tx, unit.clock, "datong", subjects=subjects)

    def _saved(
        self,
        unit: Unit,
        absorber: Absorber,
        conn: Conn,
        kind: str,
        job: Job,
        answer: Saved,
        known: Link | None,
    ) -> None:
        """`known` is the link there was of the native record that was written."""
        record = unit.records[job.record_id]
        link = next((k for k in unit.links_of(record.id) if k.id == job.link_id), None)
        created = link is None
        if link is None:
            link = known or unit.new_link(record, conn.name, answer.id)
        if answer.existed:
            carried = intended.values_of(unit.tx, [job.earlier or job.intent])
            intended.presume(link, conn.specs[kind].map, carried)
        written = {} if answer.existed else {name: after for name, (_, after) in job.change.fields.items()}
        now = self.desk.store.clock.now()
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
            flow=flow.name if (flow := self.desk.landscape.flow_of(kind)) else None,
            cause=job.intent,
            why=self._why_saved(record, answer, job),
            body=None if created else shown(job.change),
        )
        if created:
            self.desk.done.created += 1
        else:
            self.desk.done.updated += 1
        self.desk.progress(f"{conn.name} {kind}", 1)

    def _anothers(self, unit: Unit, conn: Conn, kind: str, job: Job, other: Link) -> None:
        """The system says that it is a record which is another one's already."""
        mine, theirs = unit.records[job.record_id], unit.load([other.record_id])[other.record_id]
        unit.open(
            Item(
                "parked",
                "not ours",
                f"another's:{conn.name}:{job.record_id}",
                f"{conn.name} says that {describe(mine)} is its {kind} {other.native_id}, which is {describe(theirs)} "
                "already",
                f"look at {other.native_id} in {conn.name}: correct what makes the two alike there, or here; then "
                "`datong parked retry`",
                kind=kind,
                record_id=job.record_id,
                other_id=other.record_id,
                connection=conn.name,
                native_id=other.native_id,
            )
        )
        intended.settle(unit.tx, conn.name, job.record_id)
        self.desk.postpone(unit, job, f"{conn.name} says that it is {other.native_id}, another record", None)
        self.desk.done.failed += 1

    def _why_saved(self, record: Rec, answer: Saved, job: Job) -> str:
        if answer.existed:
            return "found by our own key: an earlier create had arrived"
        if self.desk.accepted:
            return ACCEPTED
        if record.id in self.desk.first_links:
            return FIRST_LINK
        running = self.desk.landscape.flow_of(record.kind)
        return COMPUTED if running is not None and only_computed(running, job.change) else ""

    def _refused(self, unit: Unit, conn: Conn, job: Job, answer: Refused, streak: Streak) -> None:
        streak.add(job, answer, cause_of(answer.code, answer.reason, answer.field))
        intended.void(unit.tx, conn.name, job.record_id, job.intent)
        self.desk.postpone(unit, job, answer.reason, _SHOWN)  # waits for a person only together with its item
        self.desk.done.failed += 1

    def _moved(self, unit: Unit, conn: Conn, kind: str, job: Job) -> None:
        """Changed under our hands: nothing was written; look again, then plan anew."""
        intended.void(unit.tx, conn.name, job.record_id, job.intent)
        hint(unit.tx, unit.now, conn.name, kind, str(job.native_id))
        self.desk.postpone(unit, job, "changed there meanwhile; it is read again first", timedelta(seconds=1))
        self.desk.done.moved += 1

    def lost(self, unit: Unit, conn: Conn, job: Job, reason: str) -> None:
        unit.tx.execute(
            intents.update()
            .where(intents.c.record_id == job.record_id, intents.c.connection == conn.name)
            .values(state="unknown", at=unit.now)
        )
        self.desk.postpone(unit, job, reason, delay(job.attempts, self.desk.random))
        self.desk.done.later += 1

    def deleted(
        self, conn: Conn, running: Running, kind: str, jobs: list[Job], answers: dict[int, Answer], streak: Streak
    ) -> None:
        with self.desk.unit() as unit:
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
                    self.lost(unit, conn, job, answer.reason)

    def _struck_out(self, unit: Unit, conn: Conn, running: Running, kind: str, job: Job) -> None:
        record = unit.records[job.record_id]
        link = next(k for k in unit.links_of(record.id) if k.id == job.link_id)
        link.state = "gone"
        unit.touch_link(link)
        if not any(k.here for k in unit.links_of(record.id)):
            record.state = "gone"
            unit.touch(record)
        self.desk.strike(unit, job)
        unit.note(
            "deleted", record_id=record.id, connection=conn.name, kind=kind, native_id=job.native_id, flow=running.name
        )
        self.desk.done.deleted += 1
