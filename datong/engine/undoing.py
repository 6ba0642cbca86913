"""Taking back, on the records: the steps of a run, kept as a plan, and carried out in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from datong.base import json
from datong.base.clock import to_text
from datong.canon import is_empty
from datong.engine.absorb import Absorber, describe
from datong.engine.evaluate import Evaluator
from datong.engine.intake import hint
from datong.engine.landscape import Landscape
from datong.engine.undo import AGREED_EVENTS, LATER, NOT, Row, Side, Step, decided, heard
from datong.store import Transaction, holds
from datong.store.bulk import run as ask
from datong.store.journal import spelled
from datong.store.schema import journal, undo_steps
from datong.store.unit import Link, Rec, Unit, chunks
from datong.store.work import open_conflicts

_SAYS = (*sorted(AGREED_EVENTS), "updated", "created", "deleted", "linked", "held", "hold released")
"""Events of which an undo has something to say."""


@dataclass(frozen=True)
class Scope:
    """What is to be undone: whole runs (rows of `runs`), or one record since a moment. `about` says it in words; `ids`
    names the records where that is known already."""

    about: str
    runs: tuple[Mapping[str, Any], ...] = ()
    record_id: int | None = None
    since: datetime | None = None
    ids: frozenset[int] = frozenset()

    def holds(self, row: Row) -> bool:
        """Is this row of the journal a part of it?"""
        if self.since is not None:
            return bool(row["at"] >= self.since)
        return any(row["run"] == run["id"] for run in self.runs)

    def records(self, tx: Transaction) -> list[int]:
        """The records of ours that it touched."""
        if self.record_id is not None:
            return [self.record_id]
        if self.ids:
            return sorted(self.ids)
        told = (
            "SELECT DISTINCT record_id FROM journal WHERE run = ? AND id > ? AND id <= ? AND event IN ? "
            "AND record_id IS NOT NULL"
        )
        found: set[int] = set()
        for run in self.runs:
            last = run["last_journal"] if run["last_journal"] is not None else 2**62
            rows = ask(tx, told, run["id"], run["after_journal"], last, list(_SAYS))
            found.update(number for (number,) in rows)
        return sorted(found)


@dataclass(frozen=True)
class StepOf:
    """A step of one record."""

    record_id: int
    kind: str
    name: str
    step: Step


class Undoer:
    """Decides and carries out within one unit of work."""

    def __init__(self, unit: Unit, landscape: Landscape) -> None:
        self.unit = unit
        self.landscape = landscape

    # deciding ----------------------------------------------------------------------------------------------------

    def steps(self, scope: Scope, *, hold: bool = False) -> Iterator[StepOf]:
        """What taking this back means, record by record."""
        for some in chunks(scope.records(self.unit.tx)):
            rows = _rows_of(self.unit.tx, some)
            loaded = self.unit.load(some)
            conflicts = open_conflicts(self.unit.tx, some)
            for number in some:
                record = loaded.get(number)
                if record is not None:
                    found = self._steps_of(record, rows.get(number, []), scope.holds, hold)
                    for step in self._possible(record, found, conflicts.get(number, set())):
                        yield StepOf(number, record.kind, describe(record), step)

    def _steps_of(self, record: Rec, rows: Sequence[Row], inside: Callable[[Row], bool], hold: bool) -> list[Step]:
        running = self.landscape.flow_of(record.kind)

        def carried(name: str) -> str | None:
            policy = running.policy(name) if running is not None else None
            return policy.of(record.agreed).how if policy is not None else None

        return decided(heard(rows, inside), record.kind, record.agreed, self._sides(record), carried, hold=hold)

    def _sides(self, record: Rec) -> dict[str, Side]:
        found = {}
        for link in self.unit.links_of(record.id):
            conn = self.landscape.connections.get(link.connection)
            if link.main and link.here and conn is not None and record.kind in conn.specs:
                found[link.connection] = Side(link.native_id, link.sent, conn.specs[record.kind].map)
        return found

    def _possible(self, record: Rec, steps: Sequence[Step], conflicts: set[str]) -> list[Step]:
        """What stands in the way of the whole record, or of a field that waits for a person."""
        if record.state != "active":
            now = "was merged into another one" if record.state == "merged" else f"is {record.state}"
            return [Step("none", NOT, why=f"{LATER}it {now}")] if steps else []
        if record.hold and steps:
            return [Step("none", NOT, why=f"a person has {record.hold} it: `datong record release` first")]
        return [
            replace(step, act="none", way=NOT, why="it is in conflict: `datong conflict resolve` first")
            if step.act == "agree" and step.field in conflicts
            else step
            for step in steps
        ]

    def unwritten(self, taken: Sequence[StepOf], planned: set[tuple[int, str, str]]) -> Iterator[StepOf]:
        """For each side that would not get what it should: why. `planned` are (record, connection, field)."""
        kept = {(t.record_id, t.step.connection, t.step.field) for t in taken if t.step.act in ("keep", "known")}
        for one in taken:
            if one.step.act not in ("agree", "keep") or one.step.after == one.step.before:
                continue
            for link in self.unit.links_of(one.record_id):
                if one.step.act == "agree" and (one.record_id, link.connection, one.step.field) in kept:
                    continue
                if one.step.connection in ("", link.connection) and link.main and link.here:
                    why = self._why_not(link, one, planned)
                    if why:
                        step = Step("none", NOT, link.connection, one.step.field, one.step.before, one.step.after, why)
                        yield replace(one, step=step)

    def _why_not(self, link: Link, one: StepOf, planned: set[tuple[int, str, str]]) -> str:
        name = one.step.field
        conn = self.landscape.connections[link.connection]
        if (one.record_id, link.connection, name) in planned or name not in link.sent:
            return ""
        if link.sent[name] == one.step.after or (is_empty(link.sent[name]) and is_empty(one.step.after)):
            return ""
        field = conn.specs[link.kind].map.named(name)
        if conn.read_only:
            return f"{conn.name} is read only: it stays {link.sent[name]!r} there"
        if field is not None and field.write != "overwrite":
            return f"{conn.name} does not take it from us (write: {field.write}): correct it there"
        if name in link.held:
            return f"it is held there: {link.held[name]}"
        return f"it is not written to {conn.name} now: `datong explain {conn.name} {link.native_id}` says why"

    # carrying out ------------------------------------------------------------------------------------------------

    def still(self, taken: StepOf) -> bool:
        """Are things as they were when the step was decided?"""
        record = self.unit.load([taken.record_id]).get(taken.record_id)
        step = taken.step
        if record is None or record.state != "active" or record.hold:
            return False
        if step.act == "agree":
            return bool(_plain(record.agreed.get(step.field)) == _plain(step.before))
        if step.act in ("keep", "known") and step.connection:
            link = self.unit.link_in(record.id, step.connection)
            return link is not None and link.here and bool(_plain(link.sent.get(step.field)) == _plain(step.before))
        return True

    def enact(self, taken: Sequence[StepOf], why: str) -> set[int]:
        """Make it so; gives the records, which are to be weighed."""
        by_record: dict[int, list[Step]] = {}
        for one in taken:
            by_record.setdefault(one.record_id, []).append(one.step)
        for some in chunks(by_record):
            loaded = self.unit.load(some)
            for number in some:
                self._enact(loaded[number], by_record[number], why)
        self.unit.forget_holds()
        self.unit.flush()
        return set(by_record)

    def _enact(self, record: Rec, steps: Sequence[Step], why: str) -> None:
        agreed = {s.field: {"before": s.before, "after": s.after} for s in steps if s.act == "agree"}
        for name, told in agreed.items():
            record.agreed[name] = told["after"]
            record.origin[name] = ["person", to_text(self.unit.now)]
            record.turns.pop(name, None)
        if agreed:
            self.unit.note("undone", record_id=record.id, kind=record.kind, why=why, body={"fields": agreed})
        for step in steps:
            if step.act == "known":
                link = self.unit.link_in(record.id, step.connection)
                assert link is not None
                link.sent[step.field] = step.after
                self.unit.touch_link(link)
            elif step.act in ("keep", "rest"):
                freeze(self.unit, record, step.connection, step.field, why, step.act == "keep", step.after)
            elif step.act == "release":
                thaw(self.unit, record, step.connection, step.field, why)
        self.unit.touch(record)

    def weigh(self, ids: set[int]) -> None:
        """What follows: what is due where."""
        Evaluator(self.unit, self.landscape, Absorber(self.unit, self.landscape).references).weigh(ids)
        self.unit.flush()


def freeze(
    unit: Unit, record: Rec, connection: str, field: str, why: str, keeps: bool = False, value: Any = None
) -> int:
    """Hold a field of a record; with `keeps` that value is to stand there meanwhile."""
    number = holds.put(
        unit.tx,
        unit.now,
        unit.actor,
        record.kind,
        record.id,
        field,
        connection=connection,
        keeps=keeps,
        value=value,
        why=why,
    )
    _note_hold(unit, "held", record, connection, field, why, keeps, None, value)
    return number


def thaw(unit: Unit, record: Rec, connection: str, field: str, why: str) -> bool:
    """Let go of a held field: what is new about it on any side is read again. False where it was not held."""
    held = [h for h in holds.listed(unit.tx, record_id=record.id) if (h.connection, h.field) == (connection, field)]
    for hold in held:
        holds.release(unit.tx, {"id": hold.id})
        _note_hold(unit, "hold released", record, connection, field, why, hold.keeps, hold.value, None)
    for link in unit.links_of(record.id) if held else ():
        if connection in ("", link.connection):
            read_again(unit, link)
    return bool(held)


def read_again(unit: Unit, link: Link) -> None:
    """Look at it anew, also where it is as it was last read: what was held of it is met now."""
    link.seen_digest = None
    unit.touch_link(link)
    hint(unit.tx, unit.now, link.connection, link.kind, link.native_id)


def _note_hold(
    unit: Unit, event: str, record: Rec, connection: str, field: str, why: str, keeps: bool, before: Any, after: Any
) -> None:
    body = {"fields": {field: {"before": before, "after": after}}, "keeps": keeps}
    unit.note(event, record_id=record.id, kind=record.kind, connection=connection or None, why=why, body=body)


def _rows_of(tx: Transaction, ids: Sequence[int]) -> dict[int, list[Row]]:
    columns = [column for column in journal.c if column.name not in ("leaf", "salt")]
    query = sa.select(*columns).where(journal.c.record_id.in_(ids), journal.c.event.in_(_SAYS)).order_by(journal.c.id)
    found: dict[int, list[Row]] = {}
    for row in tx.execute(query).mappings():
        found.setdefault(row["record_id"], []).append({**row, "body": spelled(row["body"])})
    return found


def _plain(value: Any) -> Any:
    """As the store keeps it; an empty value is null."""
    return None if is_empty(value) else json.loads(json.dumps(value))


# steps in the store --------------------------------------------------------------------------------------------------


def keep_steps(tx: Transaction, plan_id: str, taken: Sequence[StepOf]) -> None:
    for some in chunks(enumerate(taken, 1)):
        rows = [{"plan_id": plan_id, "number": n, **_told(one), **vars(one.step)} for n, one in some]
        tx.execute(undo_steps.insert(), rows)


def _told(taken: StepOf) -> dict[str, Any]:
    return {"record_id": taken.record_id, "kind": taken.kind, "name": taken.name}


def steps_of(tx: Transaction, plan_id: str, *, after: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
    query = sa.select(undo_steps).where(undo_steps.c.plan_id == plan_id, undo_steps.c.number > after)
    query = query.order_by(undo_steps.c.number)
    return [dict(row) for row in tx.execute(query if limit is None else query.limit(limit)).mappings()]


def taken_of(row: Mapping[str, Any]) -> StepOf:
    names = ("act", "way", "connection", "field", "before", "after", "why")
    return StepOf(row["record_id"], row["kind"], row["name"], Step(**{name: row[name] for name in names}))
