"""Carrying out what is due: claim, look, write, confirm. Everything that changes a remote system is called from here.

No transaction is open during a remote call. A create is journalled as intended before the call, and the target is
searched right before it; an unknown outcome is never simply repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa

from datong.base.errors import RemoteError, RequestRefused
from datong.engine import health
from datong.engine.confirm import Confirmation
from datong.engine.failures import Failures
from datong.engine.jobs import LEASE, Delivered, Desk, Job, Streak, by_size, claimable, shown, write_of
from datong.engine.landscape import KIND_ORDER, Conn, Running
from datong.engine.outcome import attempt, fate
from datong.engine.plan import Change
from datong.engine.prepare import Preparation
from datong.kit import Answer, Lost, Refused
from datong.store.schema import due, intents


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
        tried: set[int] = set()
        streak = Streak()
        size = max(conn.specs[kind].batch, 1)
        while not self._resting(conn, running):
            self.desk.store.keep_writer()
            jobs = self._claim(conn, kind, min(max(size, 20), 200), tried, only)
            if not jobs:
                break
            tried |= {job.due_id for job in jobs}
            verdict = attempt(partial(self._batch, conn, running, kind, jobs, streak))
            if verdict is not None:
                self.failures.call(conn, running, jobs, verdict)
                if verdict.next in ("later", "suspend"):
                    break
            self.failures.suspend_if_common(conn, running, streak, len(jobs))
        self.failures.park(conn, running, streak.refused)

    def _resting(self, conn: Conn, running: Running) -> bool:
        with self.desk.store.read() as tx:
            return not health.may_write(tx, conn.name, running.name, self.desk.store.clock.now())

    def _claim(self, conn: Conn, kind: str, size: int, tried: set[int], only: set[tuple[int, str]] | None) -> list[Job]:
        """Take up to `size` due deliveries for ourselves, each with a fencing number."""
        now = self.desk.store.clock.now()
        with self.desk.store.write() as tx:
            query = (
                sa.select(due)
                .where(due.c.connection == conn.name, due.c.kind == kind, due.c.at <= now)
                .where(claimable(self.desk.store, now))
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
                    .values(owner=self.desk.store.owner, fence=due.c.fence + 1, until=now + LEASE)
                )
            return [Job(r["id"], r["fence"] + 1, r["record_id"], r["task"], r["attempts"]) for r in rows]

    def _batch(self, conn: Conn, running: Running, kind: str, jobs: list[Job], streak: Streak) -> None:
        deletes = [j for j in jobs if j.task == "delete"]
        planned = self.preparation.plan(conn, running, [j for j in jobs if j.task != "delete"])
        updates = [j for j in planned if j.native_id is not None]
        creates = [j for j in planned if j.native_id is None]
        if updates and not conn.specs[kind].guard:
            updates = self.preparation.look(conn, running, kind, updates)
        if creates:
            creates = self.preparation.search(conn, running, kind, creates)
        for some in by_size(updates, conn.specs[kind].batch):
            self._write(conn, running, kind, some, "update", streak)
        for some in by_size(creates, conn.specs[kind].batch):
            self._write(conn, running, kind, some, "create", streak)
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
        except RemoteError as error:
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
            for job in jobs:
                unit.note(
                    "write intended",
                    record_id=job.record_id,
                    connection=conn.name,
                    kind=kind,
                    native_id=job.native_id,
                    flow=running.name,
                    why=action,
                    body={"fields": shown(job.change)},
                )
            if action == "create":
                unit.tx.execute(
                    intents.delete().where(
                        intents.c.connection == conn.name, intents.c.record_id.in_([j.record_id for j in jobs])
                    )
                )
                unit.tx.execute(
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
            answers = {}
            for answer in conn.connector.write(
                conn.specs[kind], [write_of(n, j, "delete") for n, j in enumerate(some)]
            ):
                answers[answer.ref] = answer
            self.desk.at("after delete")
            self.confirmation.deleted(conn, running, kind, some, answers, streak)
