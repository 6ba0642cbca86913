"""Reports of reconciliations: kept as they were signed, pruned by age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from datong.store.opening import Transaction
from datong.store.schema import reports

_SHOWN = [column for column in reports.c if column.name != "report"]


@dataclass(frozen=True)
class Keeping:
    """How long reports are kept: so long, and never fewer than that."""

    age: timedelta = timedelta(days=365)
    at_least: int = 30


def keep(tx: Transaction, **row: Any) -> None:
    tx.execute(reports.insert().values(**row))


def listed(tx: Transaction, limit: int | None = 100) -> list[dict[str, Any]]:
    """Newest first, without the reports themselves."""
    query = sa.select(*_SHOWN).order_by(reports.c.started_at.desc(), reports.c.id.desc())
    return [dict(row) for row in tx.execute(query if limit is None else query.limit(limit)).mappings()]


def text_of(tx: Transaction, report_id: str) -> str | None:
    """The document as it was signed."""
    found = tx.execute(sa.select(reports.c.report).where(reports.c.id == report_id)).scalar()
    return None if found is None else str(found)


def last_at(tx: Transaction, author: str) -> datetime | None:
    """When somebody last began one."""
    query = sa.select(sa.func.max(reports.c.started_at)).where(reports.c.author == author)
    found: datetime | None = tx.execute(query).scalar()
    return found


def prune(tx: Transaction, now: datetime, keeping: Keeping) -> int:
    """Remove those that are too old; gives how many."""
    newest = sa.select(reports.c.id).order_by(reports.c.started_at.desc(), reports.c.id.desc()).limit(keeping.at_least)
    kept = list(tx.execute(newest).scalars())
    done = tx.execute(reports.delete().where(reports.c.started_at < now - keeping.age, reports.c.id.not_in(kept)))
    return int(done.rowcount)
