"""Carrying out what is due: claim, look, write, confirm. Everything that changes a remote system is called from here.

No transaction is open during a remote call. A create is journalled as intended before the call, and the target is
searched right before it; an unknown outcome is never simply repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from datong.base.clock import to_text
from datong.base.errors import RequestRefused, StoreError, UsageError
from datong.engine import health, intended
from datong.engine.confirm import Confirmation
from datong.engine.failures import Failures
from datong.engine.jobs import LEASE, Delivered, Desk, Job, Streak, by_size, claimable, shown, write_of
from datong.engine.landscape import KIND_ORDER, Conn, Running
from datong.engine.outcome import attempt, fate
from datong.engine.plan import Change
from datong.engine.prepare import Preparation
from datong.kit import Answer, Lost, Refused
from datong.store import Transaction
from datong.store.bulk import Columns, run
from datong.store.schema import due, intents

_CALLS = 5
"""Calls to claim deliveries for at a time."""
_JOB = Columns(due, ("id", "fence", "record_id", "task", "attempts"))
_INTENT = Columns(intents, ("record_id", "connection", "kind", "action", "own_key", "at", "state", "journal_id"))


class Deliverer:
    """Delivers for one Datong process."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.preparation = Preparation(desk)
        self.confirmation = Confirmation(desk)
        self.failures = Failures(desk, self.confirmation)

    def run(self, only: set[tuple[int, str]] | None = None, kinds: Sequence[str] = ()) -> Delivered:
        """Deliver what is due now: references first, then what points at them. `only` narrows to (record,
        connection) pairs: what a plan holds."""
        for kind in sorted(KIND_ORDER, key=KIND_ORDER.__getitem__):
            if kinds and kind not in kinds:
                continue
            for conn in self.desk.landscape.targets(kind):
                self._kind(conn, kind, only)
        return self.desk.done

    def _kind(self, conn: Conn, kind: str, only: set[tuple[int, str]] | None) -> None:
        running = self.desk.landscape.flow_of(kind)
        assert running is not None
        streak = Streak()
        batch = max(conn.specs[kind].batch, 1)
        after = 0
        while self._ready(conn, running, kind, after):
            self.desk.store.keep_writer()
            jobs, planned = self._claim(conn, running, kind, max(_CALLS * batch, 20), after, only)
            if not jobs:
                break
            after = jobs[-1].due_id
            verdict = attempt(partial(self._batch, conn, running, kind, planned, streak))
            if verdict is not None:
                self.failures.call(conn, running, jobs, verdict)
                if verdict.next in ("later", "suspend"):
                    break
            self.failures.suspend_if_common(conn, running, streak, len(jobs))
        self.failures.park(conn, running, streak.refused)

    def _ready(self, conn: Conn, running: Running, kind: str, after: int) -> bool:
        """Something is due after this delivery, and may be written."""
        with self.desk.store.read() as tx:
            due_now = self._claimable(tx, conn, kind, after, 1)
            return bool(due_now) and health.may_write(tx, conn.name, running.name, self.desk.store.clock.now())

    def _claimable(self, tx: Transaction, conn: Conn, kind: str, after: int, size: int) -> list[Job]:
        free, values = claimable(self.desk.store, self.desk.store.clock.now())
        condition = f"id > ? AND connection = ? AND kind = ? AND {free} ORDER BY id LIMIT ?"
        rows = _JOB.where(tx, condition, after, conn.name, kind, *values, size)
        return [Job(number, fence + 1, *more) for number, fence, *more in rows]

    def _claim(
        self, conn: Conn, running: Running, kind: str, size: int, after: int, only: set[tuple[int, str]] | None
    ) -> tuple[list[Job], list[Job]]:
        """Take up to `size` due deliveries for ourselves, each with a fencing number; gives them, and what is to be
        done for them."""
        jobs: list[Job] = []
        with self.desk.unit(durable=False) as unit:
            full = True
            while full and len(jobs) < size:
                found = self._claimable(unit.tx, conn, kind, after, size)
                full = len(found) == size
                after = found[-1].due_id if found else after
                jobs += [j for j in found if only is None or (j.record_id, conn.name) in only]
            del jobs[size:]
            run(
                unit.tx,
                "UPDATE due SET owner = ?, fence = fence + 1, until = ? WHERE id IN ?",
                self.desk.store.owner,
                to_text(unit.now + LEASE),
                [job.due_id for job in jobs],
            )
            deletes = [j for j in jobs if j.task == "delete"]
            planned = self.preparation.plan(unit, conn, running, [j for j in jobs if j.task != "delete"])
        return jobs, deletes + planned

    def _batch(self, conn: Conn, running: Running, kind: str, jobs: list[Job], streak: Streak) -> None:
        deletes = [j for j in jobs if j.task == "delete"]
        updates = [j for j in jobs if j.task != "delete" and j.native_id is not None]
        creates = [j for j in jobs if j.task != "delete" and j.native_id is None]
        spec = conn.specs[kind]
        together = min(max(spec.batch, 20), 200)  # looked at right before: not too many at a time
        for some in by_size(updates, together):
            ready = some if spec.guard or spec.reads == "never" else self.preparation.look(conn, running, kind, some)
            for call in by_size(ready, spec.batch):
                self._write(conn, running, kind, call, "update", streak)
        for some in by_size(creates, together):
            for call in by_size(self.preparation.search(conn, running, kind, some), spec.batch):
                self._write(conn, running, kind, call, "create", streak)
        if deletes:
            self._delete(conn, running, kind, deletes, streak)

    def _write(self, conn: Conn, running: Running, kind: str, jobs: list[Job], action: str, streak: Streak) -> None:
        spec = conn.specs[kind]
        if not jobs:
            return
        self._intend(conn, running, kind, jobs, action)
        writes = [write_of(number, job, action) for number, job in enumerate(jobs)]
        answers: dict[int, Answer] = {}
        self.desk.at(f"before {action}")
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
        except (StoreError, UsageError):
            raise
        except Exception as error:  # whatever broke: what was answered is kept, and the rest may have taken effect
            self.desk.at(f"after {action}")
            self.confirmation.written(conn, running, kind, jobs, answers, streak)
            left = [job for number, job in enumerate(jobs) if number not in answers]
            verdict = fate(error)
            self.failures.call(conn, running, left, verdict)
            if verdict.next in ("later", "suspend"):
                raise
            return
        self.desk.at(f"after {action}")
        for number in range(len(jobs)):
            answers.setdefault(number, Lost(number, "the connector gave no answer for it"))
        self.confirmation.written(conn, running, kind, jobs, answers, streak)

    def _halve(self, conn: Conn, running: Running, kind: str, jobs: list[Job], action: str, streak: Streak) -> None:
        """An all-or-nothing call was refused: in halves, until the guilty ones stand alone."""
        middle = len(jobs) // 2
        for half in (jobs[:middle], jobs[middle:]):
            self._write(conn, running, kind, half, action, streak)

    def _intend(self, conn: Conn, running: Running, kind: str, jobs: list[Job], action: str) -> None:
        """The intent is durable before the call."""
        with self.desk.unit() as unit:
            changes = {job.record_id: job.change.after for job in jobs}
            before = intended.unconfirmed(unit.tx, conn.name, changes) if action == "update" else {}
            for job in jobs:
                job.intent = unit.note(
                    "write intended",
                    record_id=job.record_id,
                    connection=conn.name,
                    kind=kind,
                    native_id=job.native_id,
                    flow=running.name,
                    cause=before.get(job.record_id),
                    why=action,
                    body=shown(job.change),
                )
            ids = [job.record_id for job in jobs]
            run(unit.tx, "DELETE FROM intents WHERE connection = ? AND record_id IN ?", conn.name, ids)
            _INTENT.insert(
                unit.tx,
                [(j.record_id, conn.name, kind, action, j.own_key, unit.now, "open", j.intent) for j in jobs],
            )
        self.desk.at(f"intended {action}")

    def _delete(self, conn: Conn, running: Running, kind: str, jobs: list[Job], streak: Streak) -> None:
        with self.desk.unit() as unit:
            unit.load([j.record_id for j in jobs])
            ready = []
            for job in jobs:
                link = unit.link_in(job.record_id, conn.name)
                if link is None or not link.here:
                    self.desk.strike(unit, job)
                    continue
                job.change = Change("delete")
                job.native_id, job.link_id, job.version = link.native_id, link.id, link.version
                ready.append(job)
        for some in by_size(ready, conn.specs[kind].batch):
            self._intend(conn, running, kind, some, "delete")
            self.desk.at("before delete")
            answers: dict[int, Answer] = {}
            writes = [write_of(number, job, "delete") for number, job in enumerate(some)]
            try:
                for answer in conn.connector.write(conn.specs[kind], writes):
                    answers[answer.ref] = answer
            finally:
                self.desk.at("after delete")
                self.confirmation.deleted(conn, running, kind, some, answers, streak)
