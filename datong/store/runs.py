"""Runs: one cycle, plan, apply or act of a person under one name. What it does bears its number in the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from datong.base.clock import Clock
from datong.store.opening import Transaction
from datong.store.schema import journal, runs


@dataclass
class Run:
    """A run that is under way. `noted`: something was written into the journal under it."""

    number: int
    name: str
    noted: bool = False


_PRESENT: ContextVar[Run | None] = ContextVar("run", default=None)
"""Of this thread: what others do meanwhile is none of it."""


def present() -> int | None:
    """The number of the run that is under way here, for a row of the journal."""
    run = _PRESENT.get()
    if run is None:
        return None
    run.noted = True
    return run.number


@contextmanager
def under(run: Run) -> Iterator[Run]:
    """What is journalled within bears the run's number."""
    token = _PRESENT.set(run)
    try:
        yield run
    finally:
        _PRESENT.reset(token)


def begin(
    tx: Transaction, clock: Clock, actor: str, what: str, name: str, flows: Sequence[str] = (), plan: str | None = None
) -> Run:
    values: dict[str, Any] = {
        "name": name,
        "what": what,
        "actor": actor,
        "flows": list(flows),
        "plan_id": plan,
        "at": clock.now(),
    }
    values["after_journal"] = _last_row(tx)
    return Run(int(tx.execute(runs.insert().values(**values).returning(runs.c.id)).scalar_one()), name)


def end(tx: Transaction, clock: Clock, run: Run, totals: Mapping[str, Any]) -> None:
    """Keep what came of it; of a run that did nothing there is nothing to keep."""
    here = runs.c.id == run.number
    if run.noted or any(totals.values()):
        tx.execute(runs.update().where(here).values(until=clock.now(), totals=dict(totals), last_journal=_last_row(tx)))
    else:
        tx.execute(runs.delete().where(here))


def _last_row(tx: Transaction) -> int:
    return int(tx.execute(sa.select(sa.func.max(journal.c.id))).scalar() or 0)


def listed(tx: Transaction, *, before: int | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """The last runs, newest first."""
    query = sa.select(runs).order_by(runs.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(runs.c.id < before)
    return [dict(row) for row in tx.execute(query).mappings()]


def named(tx: Transaction, name: str) -> list[dict[str, Any]]:
    """The run of this name or number; of a plan, every apply of it."""
    wanted = sa.or_(runs.c.name == name, sa.and_(runs.c.plan_id == name, runs.c.what == "apply"))
    if name.isdigit():
        wanted = sa.or_(wanted, runs.c.id == int(name))
    rows = [dict(row) for row in tx.execute(sa.select(runs).where(wanted).order_by(runs.c.id)).mappings()]
    applied = [row for row in rows if row["what"] == "apply"]
    return applied or rows
