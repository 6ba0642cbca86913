"""What became of the records that were read, told back to connections that pass it on, such as lists in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa

from datong.base.errors import NotFound, RemoteError
from datong.engine.cycle import Engine
from datong.engine.reading import cursor_of
from datong.operations.actor import Actor, require
from datong.store import Transaction
from datong.store.schema import due, journal, links, records, work
from datong.store.unit import chunks

Fate = tuple[str, str, str]
"""What happened, why, and what a person can do."""
Fates = Callable[[Sequence[str], datetime], Mapping[str, Fate]]
"""(native ids, since when) -> what became of them; an id that is not among them waits to be taken in."""
_NOTHING: Fate = ("unchanged", "", "")
_DONE = ("created", "updated", "deleted", "put back")


@runtime_checkable
class Reporting(Protocol):
    """A connector that can pass on what became of each record: `kind` and a way to ask."""

    def report(self, kind: str, fates: Fates) -> Sequence[Path]:
        """Gives the files that were written anew. Raises RemoteError."""


def report(engine: Engine, actor: Actor, connection: str | None = None) -> list[Path]:
    """Tell every connection that can pass it on (or the one named) what became of what was read; gives what changed.

    Raises NotFound for a connection that cannot, and RemoteError where the one named cannot be reached.
    """
    require(actor, "operator", "report results")
    able = {
        name: conn
        for name, conn in engine.landscape.connections.items()
        if isinstance(conn.connector, Reporting) and connection in (None, name)
    }
    if connection is not None and not able:
        raise NotFound(f"{connection} passes no results on", remedy="connections to lists (system: files) do")
    written: list[Path] = []
    for name, conn in able.items():
        for kind in conn.specs:
            try:
                written += conn.connector.report(kind, partial(fates, engine, name, kind))  # type: ignore[attr-defined]
            except RemoteError:
                if connection is not None:
                    raise  # else it was told when the connection was read
    return written


def fates(engine: Engine, connection: str, kind: str, ids: Sequence[str], since: datetime) -> dict[str, Fate]:
    """What became of native records as they stood at `since`."""
    told: dict[str, Fate] = {}
    with engine.store.read() as tx:
        row = cursor_of(tx, connection, kind)
        if row is None or row["read_at"] is None or row["read_at"] < since:
            return {}
        for some in chunks(ids):
            query = sa.select(links.c.native_id, links.c.record_id).where(
                links.c.connection == connection, links.c.kind == kind, links.c.native_id.in_(some)
            )
            by_record = {r.record_id: r.native_id for r in tx.execute(query)}
            outcome = _of_records(tx, connection, list(by_record), since)
            told.update((native, outcome.get(record, _NOTHING)) for record, native in by_record.items())
    return told


def _of_records(tx: Transaction, connection: str, ids: Sequence[int], since: datetime) -> dict[int, Fate]:
    """What is strongest is said last: done < not for us < still to be done < waits for a person."""
    told: dict[int, Fate] = {}
    for row in _done(tx, ids, since):
        if not (row["connection"] == connection and told.get(row["record_id"], _NOTHING)[0] == "put back"):
            told[row["record_id"]] = _said(row, connection)  # what is written here after it is the putting back
    for row in tx.execute(sa.select(records.c.id, records.c.verdicts, records.c.hold).where(records.c.id.in_(ids))):
        for there, verdict in (row.verdicts or {}).items():
            if verdict[0] == "skip" and there != connection:
                told.setdefault(row.id, ("skipped", f"{there}: {verdict[1]}", ""))
        if row.hold:
            told[row.id] = (
                "waiting",
                f"a person has {row.hold} the record",
                "`datong record release CONNECTION NATIVE_ID` lets go of it",
            )
    for row in tx.execute(sa.select(due).where(due.c.record_id.in_(ids), due.c.connection != connection)):
        told[row.record_id] = ("waiting", row.error or f"to be written to {row.connection}", "")
    waiting: dict[int, list[Any]] = {}
    here = sa.or_(work.c.record_id.in_(ids), work.c.other_id.in_(ids))
    for item in tx.execute(sa.select(work).where(work.c.state == "open", here).order_by(work.c.id)).mappings():
        for record in {item["record_id"], item["other_id"]} & set(ids):
            waiting.setdefault(record, []).append(item)
    told.update((record, _waits(items)) for record, items in waiting.items())
    return told


def _done(tx: Transaction, ids: Sequence[int], since: datetime) -> list[Any]:
    query = (
        sa.select(journal)
        .where(journal.c.record_id.in_(ids), journal.c.event.in_(_DONE), journal.c.at >= since)
        .order_by(journal.c.id)
    )
    return list(tx.execute(query).mappings())


def _waits(items: Sequence[Any]) -> Fate:
    name = {"parked": "parked", "review": "to review", "conflict": "in conflict"}[items[0]["type"]]
    reasons = (f"{item['reason']} (item {item['id']})" for item in items)
    return (name, "; ".join(reasons), "; ".join(dict.fromkeys(item["remedy"] for item in items)))


def _said(row: Any, connection: str) -> Fate:
    fields = ", ".join((row["body"] or {}).get("fields", ()))
    if row["connection"] == connection:
        return (row["event"], f"here, by the other side: {fields}" if fields else "here, by the other side", "")
    where = f"in {row['connection']} as {row['native_id']}"
    return (row["event"], f"{where}: {fields}" if row["event"] == "updated" and fields else where, "")
