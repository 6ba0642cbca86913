"""When a delivery fails: later, looked into, suspended or parked. The verdicts come from `outcome`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from datong.base.json import digest
from datong.engine import health, intended
from datong.engine.absorb import describe
from datong.engine.backoff import delay
from datong.engine.confirm import Confirmation
from datong.engine.jobs import Desk, Job, Streak
from datong.engine.landscape import Conn, Running
from datong.engine.outcome import UNFORESEEN, Fate, cause_of
from datong.kit import Refused
from datong.store.schema import due, intents
from datong.store.unit import Unit
from datong.store.work import Item


class Failures:
    """Carries out what `outcome` says of failed calls, and shows refusals to people: alike ones as one."""

    def __init__(self, desk: Desk, confirmation: Confirmation) -> None:
        self.desk = desk
        self.confirmation = confirmation

    def call(self, conn: Conn, running: Running, jobs: Sequence[Job], verdict: Fate) -> None:
        """A whole call failed: nothing is known of these jobs but what the error says."""
        with self.desk.unit() as unit:
            for job in jobs:
                if verdict.next == "look":
                    self.confirmation.lost(unit, conn, job, verdict.reason)
                    continue
                self._settle(unit, conn, job, verdict)
                after = (
                    timedelta(0) if verdict.next == "suspend" else delay(job.attempts, self.desk.random, verdict.after)
                )
                self.desk.postpone(unit, job, verdict.reason, after)
                self.desk.done.later += 1
            if verdict.next == "suspend":
                self._suspend(unit, conn, "", verdict)
            elif verdict.next == "later":
                health.pause(unit, conn.name, verdict.reason, self.desk.random, verdict.after)
            elif verdict.next == "park" and jobs:
                self._park_call(unit, conn, running, jobs, verdict)

    def _settle(self, unit: Unit, conn: Conn, job: Job, verdict: Fate) -> None:
        """Nothing was done, and the intent is void; after an error that nobody foresaw that cannot be known. Where the
        job came to none, one of before stands as it is."""
        if verdict.cause == UNFORESEEN:
            mine = (intents.c.record_id == job.record_id, intents.c.connection == conn.name, intents.c.state == "open")
            unit.tx.execute(intents.update().where(*mine).values(state="unknown", at=unit.now))
        else:
            intended.void(unit.tx, conn.name, job.record_id, job.intent)

    def _park_call(self, unit: Unit, conn: Conn, running: Running, jobs: Sequence[Job], verdict: Fate) -> None:
        for job in jobs:
            self.desk.postpone(unit, job, verdict.reason, None)
            self.desk.done.failed += 1
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
            self.desk.done.suspended.append(f"{conn.name} {flow}".strip())

    def suspend_if_common(self, conn: Conn, running: Running, streak: Streak, page: int) -> None:
        """The same refusal again and again is not the records' fault: one item, and the flow rests."""
        cause = streak.common(page)
        if cause is None:
            return
        guilty = [(j, a) for j, a, c in streak.refused if c == cause]
        answer = guilty[0][1]
        with self.desk.unit() as unit:
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
        streak.refused = [(j, a, c) for j, a, c in streak.refused if c != cause]
        streak.broken()

    def park(self, conn: Conn, running: Running, refused: Sequence[tuple[Job, Refused, str]]) -> None:
        if not refused:
            return
        with self.desk.unit() as unit:
            unit.load([j.record_id for j, _, _ in refused])
            for job, answer, cause in refused:
                self._park_one(unit, conn, running, job, answer, cause)

    def _park_one(self, unit: Unit, conn: Conn, running: Running, job: Job, answer: Refused, cause: str) -> None:
        record = unit.records[job.record_id]
        self.desk.rest(unit, job)
        name = field_at(conn, running, record.kind, answer.field)
        value = record.agreed.get(name) if name else None
        at_fault = f"{name} ({value!r})" if name else "the value named"
        unit.open(
            Item(
                "parked",
                "refused",
                f"refused:{conn.name}:{record.id}",
                f"{conn.name} refuses {describe(record)}: {answer.reason}",
                f"{answer.remedy or f'correct {at_fault} in the system that owns it'}; it is then sent by itself, "
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


def field_at(conn: Conn, running: Running, kind: str, path: str | None) -> str | None:
    if path is None:
        return None
    return next((f.name for f in conn.specs[kind].map.fields if f.path == path), None)
