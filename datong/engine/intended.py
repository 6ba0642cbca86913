"""Creates whose outcome was not known: what they carried, for the day the record they made is met.

What the system then holds is our own write, or an edit of it made there since; it is no word of its own against ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datong.base import json
from datong.store import Transaction
from datong.store.bulk import run
from datong.store.unit import Link, Unit


def remember(unit: Unit, link: Link) -> None:
    """`link` is to a record that an earlier create of ours made: what that carried is what was sent there. The intent
    is fulfilled."""
    rows = run(
        unit.tx,
        "SELECT journal_id FROM intents WHERE record_id = ? AND connection = ?",
        link.record_id,
        link.connection,
    )
    run(unit.tx, "DELETE FROM intents WHERE record_id = ? AND connection = ?", link.record_id, link.connection)
    link.sent.update(values_of(unit.tx, [row[0] for row in rows]))


def values_of(tx: Transaction, journal_ids: Sequence[int | None]) -> dict[str, Any]:
    """What these rows of the journal say was to be written; nothing where that was erased."""
    found: dict[str, Any] = {}
    wanted = [number for number in journal_ids if number is not None]
    for (body,) in run(tx, "SELECT body FROM journal WHERE id IN ? AND body IS NOT NULL", wanted):
        found.update(json.loads(body).get("values", {}))
    return found
