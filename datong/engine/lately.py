"""What was changed within the last hour, as the journal tells it.

The journal is read on from where it was read before: a look at one hint must not count an hour's changes again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from datong.base.clock import to_text
from datong.engine.jobs import ACCEPTED, COMPUTED, FIRST_LINK
from datong.store import Store
from datong.store.bulk import run

Place = tuple[str, str, str]
"""(event, connection, kind)"""

HOUR = timedelta(hours=1)
CREATED_SINCE = """EXISTS (
    SELECT 1 FROM journal made WHERE made.record_id = {}.record_id AND made.event = 'created' AND made.at >= ?
)"""
_CHANGES = (
    "SELECT at, event, connection, kind, record_id, why FROM journal done "
    "WHERE event IN ('updated', 'deleted', 'mass accepted') "  # as the index `journal_done` says it
    f"AND {{0}} > ? AND NOT {CREATED_SINCE.format('done')} ORDER BY {{0}}, id"
)


class Lately:
    """Records changed within the hour, and since a person last let a mass change pass. Those that had been created
    within the hour before do not count, nor does what was done for a first link, or wrote what is computed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read = 0
        self._changed: dict[Place, dict[int, str]] = {}

    def counts(self, now: datetime) -> dict[Place, int]:
        """How many records of each place."""
        hour = to_text(now - HOUR)
        self._read_on(hour)
        for records in self._changed.values():
            while records and next(iter(records.values())) <= hour:
                del records[next(iter(records))]
        return {place: len(records) for place, records in self._changed.items() if records}

    def _read_on(self, hour: str) -> None:
        """What is committed: the rows of a transaction that is under way may yet be rolled back."""
        with self._store.read() as tx:
            last = run(tx, "SELECT MAX(id) FROM journal")[0][0] or 0
            if last < self._read:  # an older store stands here now
                self._read = 0
                self._changed.clear()
            since = ("id", self._read) if self._read else ("at", hour)
            rows = run(tx, _CHANGES.format(since[0]), since[1], hour)
        self._read = last
        for at, event, connection, kind, record_id, why in rows:
            if event == ACCEPTED:
                self._changed.clear()
            elif why not in (FIRST_LINK, ACCEPTED, COMPUTED):
                records = self._changed.setdefault((event, connection, kind), {})
                records.pop(record_id, None)
                records[record_id] = at
