"""Reading the systems into the spool: pages of wire records as they were, with the moment each read began.

Nothing is decided here. What is spooled belongs to a run; a plan keeps its run's spool until it is applied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from datong.base import json
from datong.base.clock import to_text
from datong.base.errors import BadAnswer
from datong.engine import health
from datong.engine.landscape import Conn, record_of_key
from datong.kit import KindSpec, Missing, Page, WireRecord
from datong.store import Store, Transaction
from datong.store.bulk import Columns, run
from datong.store.journal import Entry, append
from datong.store.schema import cursors, inbox, links, spool
from datong.store.unit import Unit, chunks, keep_numbers, next_record
from datong.store.work import Item

Progress = Callable[[str, int], None]
"""(what, how many more)"""


BACKLOG = 500
"""Hints for one kind beyond which one list read is cheaper."""
_SPOOLED = Columns(
    spool, ("read_id", "number", "native_id", "wire", "digest", "version", "changed_at", "active"), raw=("wire",)
)
_MISSED = Columns(spool, ("read_id", "number", "native_id", "absence", "into", "active"))
_KNOWN = Columns(links, ("native_id", "seen_digest", "version"))
_WAITING = Columns(inbox, ("id", "native_id", "wire", "received_at"))
_CURSOR = Columns(cursors, [column.name for column in cursors.c])
SET_BACK = timedelta(seconds=10)
"""A clock that shows less than it should by more than this was set back."""
SWEPT = "@swept"
"""The cursor of a read that was a sweep of ids."""
AGAIN = "@again"
"""The cursor of a read of records that are weighed anew, also where they are as last seen."""


@dataclass
class _Read:
    """What is read of one kind in one go; `began` is the time of its evidence."""

    conn: Conn
    spec: KindSpec
    began: datetime
    id: int = 0
    kept: int = 1
    """The number of the next row in the spool."""


class Reader:
    """Reads for one run."""

    def __init__(self, store: Store, run: str, progress: Progress | None = None) -> None:
        self._store = store
        self.run = run
        self._progress = progress or (lambda what, more: None)
        self.records = 0

    def changes(self, conn: Conn, kind: str, *, full: bool = False) -> None:
        """Read what changed (all of it for a snapshot kind, with `full`, or without a baseline)."""
        spec = conn.specs[kind]
        cursor = None if full or spec.reads == "snapshot" else self._cursor(conn, spec)
        whole = cursor is None
        began = self._store.clock.now()
        read = _Read(conn, spec, began)
        last = False
        newest: datetime | None = None
        for page in sane(conn.connector.read(spec, cursor), conn.name):
            self._spool(read, page.records)
            if page.cursor is not None:
                cursor = page.cursor
            if whole:
                stamps = [r.changed_at for r in page.records if r.changed_at]
                newest = max([*stamps, newest] if newest else stamps, default=None)
            last = page.last
        if not last:
            raise BadAnswer(f"the read of {kind} in {conn.name} ended before its last page", remedy="try again")
        if newest is not None and self._is_yet_to_come(conn, newest):
            cursor = None
        self._close(read, cursor, whole)
        if whole:
            self._absent(read)

    def _is_yet_to_come(self, conn: Conn, newest: datetime) -> bool:
        """The clock over there was set back: until it has caught up with the newest change, others bear times before
        it and are not in the list of what changed since."""
        with self._store.read() as tx:
            offset = health.clock_offsets(tx).get(conn.name)
        now = self._store.clock.now()
        return offset is not None and newest > now + timedelta(seconds=offset) + SET_BACK

    def sweep(self, conn: Conn, kind: str) -> None:
        """Find what is no longer listed: every id that exists, against every link."""
        spec = conn.specs[kind]
        read = _Read(conn, spec, self._store.clock.now())
        there = _existing(conn.connector.ids(spec), conn.name)
        with self._store.read() as tx:
            gone = [n for n in _linked(tx, conn.name, kind) if n not in there]
        self.by_id(conn, kind, gone)
        self._close(read, SWEPT, whole=False)

    def by_id(self, conn: Conn, kind: str, ids: Sequence[str]) -> None:
        """Read records by id: what is not given is spooled with the reason."""
        for some in chunks(sorted(set(ids)), 200):
            self._ask(_Read(conn, conn.specs[kind], self._store.clock.now()), some)

    def again(self, conn: Conn, kind: str, ids: Sequence[str]) -> list[str]:
        """Read records by id that are to be weighed anew, whatever is known of them; gives those that were not
        given."""
        absent: list[str] = []
        for some in chunks(sorted(set(ids)), 200):
            read = _Read(conn, conn.specs[kind], self._store.clock.now())
            absent += self._ask(read, some)
            self._close(read, AGAIN, whole=False)
        return absent

    def hints(self, conn: Conn, kind: str, limit: int = 2000, *, listed: bool = False) -> list[int]:
        """Look where hints point; gives the inbox rows answered, to be removed when their run is taken in.

        `listed`: the list is read and swept anyhow, which answers a backlog of hints better than one read each.
        """
        with self._store.read() as tx:
            waiting = _WAITING.where(tx, "connection = ? AND kind = ? ORDER BY id LIMIT ?", conn.name, kind, limit)
            answered = [row[0] for row in waiting]
            if not waiting or (listed and len(waiting) > BACKLOG):
                return answered
            known = _digests(tx, conn.name, conn.specs[kind], [native_id for _, native_id, _, _ in waiting])
        carried = [(wire, at) for _, native_id, wire, at in waiting if wire is not None and native_id in known]
        bare = [native_id for _, native_id, wire, _ in waiting if wire is None or native_id not in known]
        if carried:
            self._carried(conn, kind, carried)
        if bare:
            self.by_id(conn, kind, bare)
        return answered

    def _carried(self, conn: Conn, kind: str, brought: Sequence[tuple[dict[str, Any], datetime]]) -> None:
        """Hints that brought the whole record: their time is when the first of them came in."""
        read = _Read(conn, conn.specs[kind], min(at for _, at in brought))
        self._spool(read, [record_of(wire) for wire, _ in brought])

    def _absent(self, read: _Read) -> None:
        """After a whole read: what is linked but was not listed is asked for by id. Absence alone proves nothing."""
        with self._store.read() as tx:
            listed = sa.select(spool.c.native_id).where(spool.c.read_id == read.id)
            query = sa.select(links.c.native_id).where(
                links.c.connection == read.conn.name,
                links.c.kind == read.spec.kind,
                links.c.state.in_(("live", "inactive", "missing")),
                links.c.native_id.not_in(listed),
            )
            gone = list(tx.execute(query).scalars())
        self.by_id(read.conn, read.spec.kind, gone)

    def _ask(self, read: _Read, ids: Sequence[str]) -> list[str]:
        """Gives those that were not given."""
        found: list[WireRecord] = []
        missing: list[Missing] = []
        answered: set[str] = set()
        for answer in read.conn.connector.get(read.spec, ids):
            answered.add(answer.id)
            (missing if isinstance(answer, Missing) else found).append(answer)  # type: ignore[arg-type]
        missing.extend(Missing(i) for i in ids if i not in answered)
        self._spool(read, found, missing)
        return [one.id for one in missing]

    def _spool(self, read: _Read, found: Sequence[WireRecord], missing: Sequence[Missing] = ()) -> None:
        """Keep a page. A record that is as last seen is kept by its id alone, and its version where that moved on."""
        conn, spec = read.conn, read.spec
        if not found and not missing:
            return
        forms = [(record, form_of(spec, record)) for record in found]
        rows: list[tuple[Any, ...]] = []
        with self._store.write(durable=False) as tx:
            keys = [key for _, form in forms if (key := form.get("@key")) is not None]
            if keys:
                self._reserve(tx, keys)
            read_id = self._opened(tx, read)
            known = _digests(tx, conn.name, spec, [r.id for r in found])
            for number, (record, form) in enumerate(forms, read.kept):
                try:
                    wire: str | None = json.canonical(form).decode()
                except TypeError as error:  # what no JSON can hold: nested beyond measure, half a character
                    self._unkept(tx, conn, spec, record, str(error))
                    rows.append((read_id, number, record.id, None, None, None, None, record.active))
                    continue
                version = record.version
                told = form_digest(wire, record.active, spec.map.version)
                before = known.get(record.id)
                if before is not None and before[0] == told:
                    wire, version = None, (version if version != before[1] else None)
                rows.append((read_id, number, record.id, wire, told, version, record.changed_at, record.active))
            _SPOOLED.insert(tx, rows)
            read.kept += len(rows)
            _MISSED.insert(tx, [(read_id, n, m.id, m.why, m.into, False) for n, m in enumerate(missing, read.kept)])
            read.kept += len(missing)
        self.records += len(rows)
        self._store.keep_writer()
        self._progress(f"{conn.name} {spec.kind}", len(rows))

    def _reserve(self, tx: Transaction, keys: Sequence[Any]) -> None:
        """A key of ours that names a record yet to come was given before an older store was put back in the place of
        this one. The records that are lost leave their numbers: no other may ever be taken for one of them."""
        numbers = [number for key in keys if (number := record_of_key(self._store.instance, key)) is not None]
        if numbers and max(numbers) >= (first := next_record(tx)):
            keep_numbers(tx, max(numbers))
            told = f"records up to {max(numbers)} were known once and are lost; the next one would have been {first}"
            append(tx, self._store.clock, "datong", [Entry("numbers kept", why=told)])

    def _unkept(self, tx: Transaction, conn: Conn, spec: KindSpec, record: WireRecord, why: str) -> None:
        """A record that cannot be kept is shown; it stands as last seen, and the others go on."""
        unit = Unit(tx, self._store.clock, "datong")
        unit.open(
            Item(
                "parked",
                "value",
                f"unkept:{conn.name}:{spec.kind}:{record.id}",
                f"the {spec.kind} {record.id} of {conn.name} cannot be taken in: {why}",
                f"correct it in {conn.name}; it is read again when it changes there",
                kind=spec.kind,
                connection=conn.name,
                native_id=record.id,
            )
        )
        unit.flush()

    def _opened(self, tx: Transaction, read: _Read) -> int:
        """The number of the read, which gets its row together with the first thing there is to keep."""
        if not read.id:
            told = "INSERT INTO reads (run, connection, kind, read_at, whole) VALUES (?, ?, ?, ?, ?) RETURNING id"
            values = (self.run, read.conn.name, read.spec.kind, to_text(read.began), False)
            read.id = int(run(tx, told, *values)[0][0])
        return read.id

    def _close(self, read: _Read, cursor: str | None, whole: bool) -> None:
        with self._store.write(durable=False) as tx:
            number = self._opened(tx, read)
            run(tx, "UPDATE reads SET cursor = ?, whole = ? WHERE id = ?", cursor, whole, number)

    def _cursor(self, conn: Conn, spec: KindSpec) -> str | None:
        """Where the last read ended; None where all is to be read: what a new map reads is known of no record."""
        with self._store.read() as tx:
            row = cursor_of(tx, conn.name, spec.kind)
        known = row is not None and row["baseline_at"] and row["map_version"] in (None, spec.map.version)
        return row["cursor"] if row is not None and known else None


def record_of(told: dict[str, Any]) -> WireRecord:
    """The wire record that a complete hint brought, as the inbox keeps it."""
    from datong.base.clock import from_text

    changed = told.get("changed_at")
    return WireRecord(
        told["id"], told["data"], told.get("version"), from_text(changed) if changed else None, told.get("active", True)
    )


def form_of(spec: KindSpec, record: WireRecord) -> dict[str, Any]:
    """The wire form of what the map reads, and our own key where it lies."""
    from datong.mapping import ABSENT, take

    form = spec.map.wire_form(record.data)
    if spec.map.own_key:
        key = take(record.data, spec.map.own_key)
        if key is not ABSENT and key:
            form["@key"] = key
    return form


def form_digest(text: str | None, active: bool, map_version: str) -> str:
    """A short fingerprint of what a map reads; `text` is the wire form as canonical JSON."""
    return hashlib.sha256(f"{text}{active}{map_version}".encode()).hexdigest()[:16]


def _digests(
    tx: Transaction, connection: str, spec: KindSpec, ids: Sequence[str]
) -> dict[str, tuple[str | None, str | None]]:
    """Native id -> (digest, version) as last seen."""
    also = "connection = ? AND kind = ? AND state IN ('live', 'inactive')"
    rows = _KNOWN.select(tx, "native_id", ids, also, connection, spec.kind)
    return {row[0]: (row[1], row[2]) for row in rows}


def _linked(tx: Transaction, connection: str, kind: str) -> Iterable[str]:
    query = sa.select(links.c.native_id).where(
        links.c.connection == connection, links.c.kind == kind, links.c.state.in_(("live", "inactive", "missing"))
    )
    return tx.execute(query).scalars()


def sane(pages: Iterator[Page], connection: str) -> Iterator[Page]:
    """Pages that get on: one that repeats for ever, or a cursor that stands still, is no answer."""
    met: set[str] = set()
    for page in pages:
        here = json.digest([page.cursor, [r.id for r in page.records]])
        if here in met and not page.last:
            raise BadAnswer(
                f"{connection} gives the same page for ever", remedy="report this to the connector's author"
            )
        met.add(here)
        yield page


def _existing(ids: Iterator[str], connection: str) -> set[str]:
    """Every id there is; one that comes again and again is no end of a list."""
    there: set[str] = set()
    again = 0
    for one in ids:
        again += one in there
        there.add(one)
        if again > len(there) + 1000:
            raise BadAnswer(f"{connection} lists the same ids for ever", remedy="report this to the connector's author")
    return there


def cursor_of(tx: Transaction, connection: str, kind: str) -> dict[str, Any] | None:
    rows = _CURSOR.where(tx, "connection = ? AND kind = ?", connection, kind)
    return dict(zip(_CURSOR.names, rows[0], strict=True)) if rows else None


def cursor_set(tx: Transaction, connection: str, kind: str, **values: Any) -> None:
    if cursor_of(tx, connection, kind) is None:
        tx.execute(cursors.insert().values(connection=connection, kind=kind, **values))
    else:
        tx.execute(cursors.update().where(cursors.c.connection == connection, cursors.c.kind == kind).values(**values))
