"""What one delivery round shares: its jobs, its means, and the count of what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from datong.base import json
from datong.base.clock import from_text, to_text
from datong.engine.absorb import Evidence
from datong.engine.landscape import Landscape
from datong.engine.plan import Change
from datong.engine.reading import form_digest, form_of
from datong.kit import KindSpec, Refused, WireRecord, Write
from datong.store import Store
from datong.store.schema import due
from datong.store.unit import FAR, Unit, chunks

LEASE = timedelta(minutes=5)
SAME_CAUSE = 20
SHARE = 0.2
NEVER = from_text(FAR)
FIRST_LINK = "first link"
"""Why an update happened that brought two records into agreement for the first time."""
ACCEPTED = "mass accepted"
"""Why one happened that a person let pass: the event of that, too."""
COMPUTED = "computed"
"""Why one happened that wrote nothing but computed fields. The mass guard counts none of the three."""


@dataclass
class Delivered:
    created: int = 0
    updated: int = 0
    deleted: int = 0
    failed: int = 0
    later: int = 0
    moved: int = 0
    suspended: list[str] = field(default_factory=list)


@dataclass(slots=True)
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
    """The journal's row of what is intended; `earlier` of an earlier try whose outcome was not known."""
    earlier: int | None = None
    own_key: str | None = None


class Streak:
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
        if self.row >= SAME_CAUSE:
            return self._last
        for cause in {c for _, _, c in self.refused}:
            many = sum(c == cause for _, _, c in self.refused)
            if many >= SAME_CAUSE and many >= SHARE * page:
                return cause
        return None


@dataclass
class Desk:
    """The means of a delivery round. `at` is told each step, for tests that stop the process there."""

    store: Store
    landscape: Landscape
    actor: str
    random: Random
    first_links: set[int] = field(default_factory=set)
    accepted: bool = False
    progress: Callable[[str, int], None] = lambda what, more: None
    at: Callable[[str], None] = lambda where: None
    done: Delivered = field(default_factory=Delivered)
    before: tuple[Unit, int] | None = field(default=None, repr=False)
    """The last unit and the changes at its end: what it holds is loaded already, while nobody else changes anything."""

    @contextmanager
    def unit(self, *, durable: bool = True) -> Iterator[Unit]:
        """One transaction of the round, written back at its end."""
        with self.store.write(durable=durable) as tx:
            unit = Unit(tx, self.store.clock, self.actor)
            before, self.before = self.before, None
            if before is not None:
                unit.carry_on(*before)
            yield unit
            unit.flush()
            changes = unit.changes()
        self.before = (unit, changes)

    def strike(self, unit: Unit, job: Job) -> None:
        """The job is done or void. A delivery claimed anew by another worker is not ours to strike."""
        unit.tx.execute(due.delete().where(due.c.id == job.due_id, due.c.fence == job.fence))

    def rest(self, unit: Unit, job: Job) -> None:
        """A delivery that was given back waits for a person or for a change."""
        unit.tx.execute(due.update().where(due.c.id == job.due_id, due.c.fence == job.fence).values(at=NEVER))

    def postpone(self, unit: Unit, job: Job, why: str, after: timedelta | None) -> None:
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


def claimable(store: Store, now: datetime) -> tuple[str, tuple[str, ...]]:
    """The condition, in SQL with its values, that a delivery is due and nobody works on it: never claimed, or claimed
    by a lease that has run out. On SQLite the writer lease makes us the only process, so another's claim is that of a
    process that is no more."""
    others = " OR owner <> ?" if store.is_sqlite else ""
    condition = f"at <= ? AND (until IS NULL OR until <= ?{others})"
    return condition, (to_text(now), to_text(now), *((store.owner,) if others else ()))


def evidence(spec: KindSpec, record: WireRecord, read_at: datetime) -> Evidence:
    form = form_of(spec, record)
    text = json.canonical(form).decode()
    told = form_digest(text, record.active, spec.map.version)
    return Evidence(form, told, read_at, record.version, record.changed_at, record.active, text)


def write_of(number: int, job: Job, action: Any) -> Write:
    return Write(number, action, job.native_id, job.own_key, job.change.values, job.change.items, job.version)


def shown(change: Change) -> dict[str, Any]:
    """The change as the journal keeps it: what was nothing before as plain `values`."""
    fields = change.fields
    if change.action == "create":
        return {"values": {name: after for name, (_, after) in fields.items()}}
    return {"fields": {name: {"before": before, "after": after} for name, (before, after) in fields.items()}}


def by_size(jobs: list[Job], size: int) -> Iterator[list[Job]]:
    return chunks(jobs, max(size, 1))


def distinct(jobs: list[Job]) -> list[Job]:
    """One job a delivery: planning finds the links of a record again."""
    seen: dict[int, Job] = {}
    for job in jobs:
        seen.setdefault(job.due_id, Job(job.due_id, job.fence, job.record_id, job.task, job.attempts))
    return list(seen.values())
