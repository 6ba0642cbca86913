"""What waits for a person: parked items, reviews of possible matches, conflicts. One open item a subject."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from datong.base.clock import Clock, from_text
from datong.store.bulk import Columns, run
from datong.store.opening import Transaction
from datong.store.schema import decisions, work

_HOLDING = Columns(work, ("record_id", "field"))
_OPEN = Columns(work, ("id",))
_PAIR = Columns(work, ("record_id", "other_id"))


@dataclass
class Item:
    """One thing a person must see. `subject` names it: opening it again counts, and makes no second item."""

    type: str
    cause: str
    subject: str
    reason: str
    remedy: str
    kind: str | None = None
    record_id: int | None = None
    other_id: int | None = None
    connection: str | None = None
    native_id: str | None = None
    field: str | None = None
    flow: str | None = None
    detail: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    digest: str | None = None


def open_item(tx: Transaction, clock: Clock, item: Item) -> int | None:
    """The id of a newly opened item; None when it is open already, or was dismissed on these very values."""
    told = tx.execute(
        sa.select(work.c.id, work.c.reason).where(work.c.subject == item.subject, work.c.state == "open")
    ).first()
    if told is not None:
        tx.execute(
            work.update()
            .where(work.c.id == told.id)
            .values(
                times=work.c.times + 1,
                cause=item.cause,
                reason=item.reason,
                remedy=item.remedy,
                detail=dict(item.detail),
                digest=item.digest,
            )
        )
        return None
    if item.digest and dismissed(tx, item.subject, item.digest):
        return None
    values = {**item.__dict__, "detail": dict(item.detail), "opened_at": clock.now(), "state": "open"}
    return int(tx.execute(work.insert().values(**values).returning(work.c.id)).scalar_one())


def dismissed(tx: Transaction, subject: str, digest: str) -> bool:
    """A person said so about these values; when one changes, the decision has lapsed."""
    found = tx.execute(sa.select(decisions.c.digest).where(decisions.c.subject == subject)).scalar()
    return found is not None and found == digest


def decide(tx: Transaction, clock: Clock, type_: str, subject: str, digest: str | None, actor: str) -> None:
    tx.execute(decisions.delete().where(decisions.c.subject == subject))
    tx.execute(decisions.insert().values(type=type_, subject=subject, digest=digest, actor=actor, at=clock.now()))


def close(
    tx: Transaction,
    clock: Clock,
    actor: str,
    *,
    state: str = "resolved",
    ids: Iterable[int] = (),
    subjects: Iterable[str] = (),
) -> int:
    """Close open items by id or subject; gives how many."""
    ids, subjects = list(ids), list(subjects)
    if not ids and not subjects:
        return 0
    done = tx.execute(
        work.update()
        .where(work.c.state == "open", sa.or_(work.c.id.in_(ids), work.c.subject.in_(subjects)))
        .values(state=state, closed_at=clock.now(), closed_by=actor)
    )
    return int(done.rowcount)


def settle(tx: Transaction, clock: Clock, subject: str) -> None:
    """What was wrong with a subject is right again: its open item closes, where there is one."""
    if _OPEN.where(tx, "subject = ? AND state = 'open' LIMIT 1", subject):
        close(tx, clock, "datong", subjects=[subject])


def open_since(tx: Transaction, subject: str, rule: str) -> datetime | None:
    """When an open item first asked for what `rule` asks."""
    query = sa.select(work.c.opened_at, work.c.detail).where(work.c.subject == subject, work.c.state == "open")
    row = tx.execute(query).first()
    told = (row.detail or {}) if row is not None else {}
    if row is None or told.get("rule") != rule:
        return None
    return from_text(told["asked"]) if "asked" in told else row.opened_at


def get(tx: Transaction, item_id: int) -> dict[str, Any] | None:
    row = tx.execute(sa.select(work).where(work.c.id == item_id)).mappings().first()
    return dict(row) if row else None


def open_items(
    tx: Transaction,
    *,
    types: Sequence[str] = (),
    record_ids: Sequence[int] = (),
    after: int = 0,
    limit: int | None = 100,
    cause: str | None = None,
) -> list[dict[str, Any]]:
    query = sa.select(work).where(work.c.state == "open", work.c.id > after)
    if types:
        query = query.where(work.c.type.in_(types))
    if record_ids:
        query = query.where(sa.or_(work.c.record_id.in_(record_ids), work.c.other_id.in_(record_ids)))
    if cause:
        query = query.where(work.c.cause == cause)
    query = query.order_by(work.c.id)
    if limit is not None:
        query = query.limit(limit)
    return [dict(row) for row in tx.execute(query).mappings()]


def count_open(tx: Transaction, *, after: int = 0) -> dict[str, int]:
    """Open items by type; only those newer than item `after`."""
    found: dict[str, int] = dict(
        run(tx, "SELECT type, COUNT(*) FROM work WHERE state = 'open' AND id > ? GROUP BY type", after)
    )
    return {"parked": 0, "review": 0, "conflict": 0, **found}


def last_item(tx: Transaction) -> int:
    return run(tx, "SELECT MAX(id) FROM work")[0][0] or 0


def open_conflicts(tx: Transaction, record_ids: Sequence[int]) -> dict[int, set[str]]:
    """Record -> fields that an open conflict holds everywhere."""
    found: dict[int, set[str]] = {}
    for record_id, field in _HOLDING.select(tx, "record_id", record_ids, "state = 'open' AND type = 'conflict'"):
        found.setdefault(record_id, set()).add(field)
    return found


def pairs_in_review(tx: Transaction, record_ids: Sequence[int]) -> list[tuple[int, int]]:
    """Open reviews of possible matches in which one of these records stands."""
    also = "state = 'open' AND cause = 'possible match'"
    found = {row for name in ("record_id", "other_id") for row in _PAIR.select(tx, name, record_ids, also)}
    return sorted((row[0], row[1]) for row in found)


def anything_open(tx: Transaction, causes: Sequence[str]) -> bool:
    """Is an item of one of these causes open?"""
    return bool(_PAIR.where(tx, "state = 'open' AND cause IN ? LIMIT 1", list(causes)))
