"""Writes whose outcome is not known: what they carried, for the day it is met there.

What the system then holds is our own write, or an edit of it made there since; it is no word of its own against ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from datong.base import json
from datong.mapping import FieldMap, under_item
from datong.store import Transaction
from datong.store.bulk import Columns, run
from datong.store.schema import intents
from datong.store.unit import Link, Unit

UNSEEN = "unseen"
"""Why a field is held that was written, and not shown in an answer: what stands there is judged when it is seen."""
_MOST_TRIES = 50
_OPEN = Columns(intents, ("record_id", "at", "journal_id"))


def remember(unit: Unit, link: Link, fmap: FieldMap) -> None:
    """`link` is to a record that an earlier create of ours made: what that carried is what was sent there. The intent
    is fulfilled."""
    rows = run(
        unit.tx,
        "SELECT journal_id FROM intents WHERE record_id = ? AND connection = ?",
        link.record_id,
        link.connection,
    )
    settle(unit.tx, link.connection, link.record_id)
    presume(link, fmap, values_of(unit.tx, [row[0] for row in rows]))


def made(tx: Transaction, connection: str, record_id: int) -> bool:
    """Did we ever mean to make this record there? A key that says so of another one was given before an older store
    was put back in the place of this one, and the number now stands for something else."""
    told = "SELECT 1 FROM journal WHERE record_id = ? AND connection = ? AND event = 'write intended' LIMIT 1"
    return bool(run(tx, told, record_id, connection))


def presume(link: Link, fmap: FieldMap, values: Mapping[str, Any]) -> None:
    """The values were sent; whether they arrived is seen when the record is read. What is only ever written (a wish
    that is carried out in steps) may have been lost half-way without a trace: it is told again."""
    readable = {name: value for name, value in values.items() if (one := fmap.named(name)) is None or one.read}
    link.sent.update(readable)
    link.held.update({name: UNSEEN for name in readable if not under_item(name)})


def values_of(tx: Transaction, journal_ids: Sequence[int | None]) -> dict[str, Any]:
    """What these rows of the journal say was to be written; nothing where that was erased."""
    found: dict[str, Any] = {}
    wanted = [number for number in journal_ids if number is not None]
    for (body,) in run(tx, "SELECT body FROM journal WHERE id IN ? AND body IS NOT NULL", wanted):
        told = json.loads(body)
        found.update(told.get("values", {}))
        found.update({name: change["after"] for name, change in told.get("fields", {}).items()})
    return found


Unconfirmed = tuple[datetime, list[dict[str, Any]]]
"""When it was last tried, and what each try was to write (field -> value), the latest first."""


def open_ones(tx: Transaction, connection: str, record_ids: Sequence[int]) -> dict[int, Unconfirmed]:
    """Record -> the writes to a connection that were not confirmed."""
    rows = _OPEN.select(tx, "record_id", record_ids, "connection = ?", connection)
    return {record_id: (at, _tries(tx, journal_id)) for record_id, at, journal_id in rows}


def _tries(tx: Transaction, journal_id: int | None) -> list[dict[str, Any]]:
    tries: list[dict[str, Any]] = []
    while journal_id is not None and len(tries) < _MOST_TRIES:
        tries.append(values_of(tx, [journal_id]))
        journal_id = _before(tx, journal_id)
    return tries


def _before(tx: Transaction, journal_id: int) -> int | None:
    """The row of the try before it, of which nothing was known either."""
    rows = run(tx, "SELECT cause FROM journal WHERE id = ?", journal_id)
    return rows[0][0] if rows else None


def unconfirmed(tx: Transaction, connection: str, changes: Mapping[int, Mapping[str, Any]]) -> dict[int, int]:
    """Record -> the row of an earlier update of which nothing is known, for the records in `changes`: what each is to
    be written now. A try of the very same is passed over for the one before it."""
    rows = _OPEN.select(tx, "record_id", list(changes), "connection = ? AND action = 'update'", connection)
    found: dict[int, int] = {}
    for record_id, _, journal_id in rows:
        same = journal_id is not None and values_of(tx, [journal_id]) == dict(changes[record_id])
        before = _before(tx, journal_id) if same else journal_id
        if before is not None:
            found[record_id] = before
    return found


def void(tx: Transaction, connection: str, record_id: int, journal_id: int | None) -> None:
    """The write that was intended in this row of the journal did nothing. What is not known of one before it still is
    not."""
    if journal_id is None:
        return
    mine, values = "record_id = ? AND connection = ? AND journal_id = ?", (record_id, connection, journal_id)
    before = _before(tx, journal_id)
    if before is None:
        run(tx, f"DELETE FROM intents WHERE {mine}", *values)
    else:
        run(tx, f"UPDATE intents SET journal_id = ?, state = 'unknown' WHERE {mine}", before, *values)


def settle(tx: Transaction, connection: str, record_id: int) -> None:
    """The write is past, whatever became of it."""
    run(tx, "DELETE FROM intents WHERE record_id = ? AND connection = ?", record_id, connection)
