"""A unit of work: the records and links that one transaction touches, loaded and written back as sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, TypeVar

from datong.base import json
from datong.base.clock import Clock
from datong.store import schema
from datong.store.bulk import Columns, run
from datong.store.holds import Holds
from datong.store.journal import Entry, Journal
from datong.store.opening import Transaction
from datong.store.work import Item, open_item

T = TypeVar("T")
_MANY = 500
_KEPT_NUMBERS = "numbers kept"
FAR = "9999-12-31T00:00:00.000000Z"


@dataclass(slots=True)
class Rec:
    """A record: our agreed values and where each came from.

    `origin` is field -> [connection, time]; "*" stands for every field that is not named: a record first seen has all
    its values from one place.
    """

    id: int
    kind: str
    state: str = "active"
    hold: str = ""
    merged_into: int | None = None
    agreed: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    turns: dict[str, list[str]] = field(default_factory=dict)
    verdicts: dict[str, list[Any]] = field(default_factory=dict)
    typed: tuple[dict[str, Any], Any] | None = field(default=None, repr=False, compare=False)
    """Agreed values as they were when rules last asked for the record, and what they were given."""

    def came_from(self, name: str) -> tuple[str | None, str | None]:
        """(connection, time as text) of a field's agreed value; (None, None) where there is none."""
        told = self.origin.get(name) or (self.origin.get("*") if name in self.agreed else None)
        return (told[0], told[1]) if told else (None, None)


@dataclass(slots=True)
class Link:
    """One record of ours in one connection: what was sent there, what was seen there."""

    id: int
    record_id: int
    connection: str
    kind: str
    native_id: str
    main: bool = True
    state: str = "live"
    sent: dict[str, Any] = field(default_factory=dict)
    seen_text: str = "{}"
    seen_digest: str | None = None
    items: dict[str, dict[str, str]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    map_version: str = ""
    version: str | None = None
    changed_at: datetime | None = None
    read_at: datetime | None = None
    written_at: datetime | None = None
    missing_at: datetime | None = None
    kept: list[Any] | None = field(default=None, repr=False)
    """The difference between `sent` and the agreed values as the store has it; None for a new link."""

    @property
    def here(self) -> bool:
        """Something can be written there."""
        return self.state in ("live", "inactive")

    @property
    def seen(self) -> dict[str, Any]:
        """Wire path -> what was held when last read. A copy: assign to change it."""
        found: dict[str, Any] = json.loads(self.seen_text)
        return found

    @seen.setter
    def seen(self, form: Mapping[str, Any]) -> None:
        self.seen_text = json.dumps(form)


def difference(sent: Mapping[str, Any], agreed: Mapping[str, Any]) -> list[Any] | None:
    """What a link holds otherwise than its record: [values that differ, names that it lacks]; None: nothing. Where
    both agree nothing is stored twice."""
    if sent == agreed:
        return None
    differing = {n: v for n, v in sent.items() if n not in agreed or agreed[n] != v}
    return [differing, [n for n in agreed if n not in sent]]


def sent_of(stored: Sequence[Any] | None, agreed: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `difference`."""
    if stored is None:
        return dict(agreed)
    differing, lacking = stored
    found = {n: v for n, v in agreed.items() if n not in lacking} if lacking else dict(agreed)
    found.update(differing)
    return found


_REC = Columns(
    schema.records,
    ("id", "kind", "state", "hold", "merged_into", "agreed", "origin", "turns", "verdicts"),
)
_REC_ROW = Columns(schema.records, (*_REC.names, "updated_at"))
_REC_CHANGE = Columns(schema.records, (_REC_ROW.names[0], *_REC_ROW.names[2:]))
"""Without `kind`, which stays: what is in an index and is set is written there again."""
_LINK = Columns(
    schema.links,
    (
        "id",
        "record_id",
        "connection",
        "kind",
        "native_id",
        "main",
        "state",
        "sent",
        "seen",
        "seen_digest",
        "items",
        "held",
        "map_version",
        "version",
        "changed_at",
        "read_at",
        "written_at",
        "missing_at",
    ),
    raw=("seen",),
)
_LINK_ROW = Columns(schema.links, (*_LINK.names, "keyed"), raw=("seen",))
_LINK_CHANGE = Columns(schema.links, (_LINK_ROW.names[0], *_LINK_ROW.names[5:]), raw=("seen",))
"""Without what it is a link of and to: the record changes by `move_link` only, the rest never."""
_SENT = _LINK.names.index("sent")
_OWNERS = Columns(schema.links, ("id", "record_id"))
_BORNE_ON = "SELECT to_id FROM at_rest_on WHERE record_id"
_COUNT = (
    "INSERT INTO meta (name, value) VALUES ('changes', '1') "
    "ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)"
)


def next_record(tx: Transaction) -> int:
    """The number that the next record gets."""
    kept = run(tx, "SELECT value FROM meta WHERE name = ?", _KEPT_NUMBERS)
    return max(_after_last(tx, "records"), int(kept[0][0]) + 1 if kept else 0)


def keep_numbers(tx: Transaction, last: int) -> None:
    """No record gets a number up to `last` any more."""
    run(tx, "DELETE FROM meta WHERE name = ?", _KEPT_NUMBERS)
    run(tx, "INSERT INTO meta (name, value) VALUES (?, ?)", _KEPT_NUMBERS, str(last))


def _after_last(tx: Transaction, table: str) -> int:
    return int(run(tx, f"SELECT MAX(id) FROM {table}")[0][0] or 0) + 1


def chunks(values: Iterable[T], size: int = _MANY) -> Iterator[list[T]]:
    batch: list[T] = []
    for value in values:
        batch.append(value)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class Unit:
    """What one transaction reads, changes and will write. `flush` writes everything as sets."""

    def __init__(self, tx: Transaction, clock: Clock, actor: str) -> None:
        self.tx = tx
        self.clock = clock
        self.actor = actor
        self.now = clock.now()
        self.journal = Journal(tx, clock, actor)
        self.records: dict[int, Rec] = {}
        self._links: dict[int, Link] = {}
        self._by_record: dict[int, list[Link]] = {}
        self._by_native: dict[tuple[str, str, str], Link] = {}
        self._new_records: set[int] = set()
        self._new_links: set[int] = set()
        self._dirty_records: set[int] = set()
        self._dirty_links: set[int] = set()
        self._gone_links: set[int] = set()
        self._moved_links: set[int] = set()
        self._unlinked: set[int] = set()
        """Records that lost a link."""
        self._next: dict[str, int] = {}
        self._counted = False
        self._holds: Holds | None = None

    @property
    def holds(self) -> Holds:
        """What people froze, as it was when it was first asked for, or last forgotten."""
        if self._holds is None:
            self._holds = Holds.loaded(self.tx)
        return self._holds

    def forget_holds(self) -> None:
        """They have changed."""
        self._holds = None

    # loading -----------------------------------------------------------------------------------------------------

    def load(self, record_ids: Iterable[int]) -> dict[int, Rec]:
        """Records with all their links; unknown ids are left out."""
        wanted = set(record_ids)
        missing = wanted - self.records.keys()
        if missing:
            self._load(sorted(missing))
        return {i: self.records[i] for i in wanted if i in self.records}

    def _load(self, ids: list[int]) -> None:
        for number, kind, state, hold, merged, agreed, origin, turns, verdicts in _REC.select(self.tx, "id", ids):
            record = Rec(number, kind, state, hold, merged, agreed, origin, turns or {}, verdicts or {})
            self.records[number] = record
            self._by_record.setdefault(number, [])
        for row in _LINK.select(self.tx, "record_id", ids):
            if row[0] not in self._links and row[0] not in self._gone_links and row[1] in self.records:
                self._hold(_link(row, self.records[row[1]].agreed))

    def _hold(self, link: Link) -> None:
        self._links[link.id] = link
        self._by_record.setdefault(link.record_id, []).append(link)
        self._by_native[link.connection, link.kind, link.native_id] = link

    def load_native(self, connection: str, kind: str, native_ids: Iterable[str]) -> dict[str, Link]:
        """Links by native id, with their records and those records' other links."""
        held = self._by_native
        wanted = {schema.cut(n, 200) for n in native_ids}
        unknown = [n for n in wanted if (connection, kind, n) not in held]
        if unknown:
            also = "connection = ? AND kind = ?"
            rows = _OWNERS.select(self.tx, "native_id", unknown, also, connection, kind)
            self.load({row[1] for row in rows})
        return {n: link for n in wanted if (link := held.get((connection, kind, n))) is not None}

    def forget(self) -> None:
        """Let go of what is loaded: everything is flushed first. Records and links held elsewhere are no longer the
        unit's."""
        self.flush()
        self.records.clear()
        self._links.clear()
        self._by_record.clear()
        self._by_native.clear()

    def changes(self) -> int:
        """How many units have changed records or links of this store so far, whoever's they were."""
        rows = run(self.tx, "SELECT value FROM meta WHERE name = 'changes'")
        return int(rows[0][0]) if rows else 0

    def carry_on(self, before: Unit, changes: int) -> None:
        """Hold what an earlier unit held at its end, when there had been so many `changes`, unless there were others
        since. Its transaction was kept."""
        if len(before.records) > _MANY * 10 or self.changes() != changes:
            return
        self.records = before.records
        self._links = before._links
        self._by_record = before._by_record
        self._by_native = before._by_native

    def links_of(self, record_id: int) -> list[Link]:
        return self._by_record.get(record_id, [])

    def link_in(self, record_id: int, connection: str) -> Link | None:
        """The main link of a record in a connection."""
        for link in self._by_record.get(record_id, ()):
            if link.connection == connection and link.main:
                return link
        return None

    # changing ----------------------------------------------------------------------------------------------------

    def new_record(self, kind: str) -> Rec:
        record = Rec(self._id("records"), kind)
        self.records[record.id] = record
        self._by_record[record.id] = []
        self._new_records.add(record.id)
        return record

    def new_link(self, record: Rec, connection: str, native_id: str) -> Link:
        main = self.link_in(record.id, connection) is None
        native_id = schema.cut(native_id, 200)
        link = Link(self._id("links"), record.id, connection, record.kind, native_id, main)
        self._hold(link)
        self._new_links.add(link.id)
        return link

    def move_link(self, link: Link, record: Rec) -> None:
        """`link` becomes one of `record`; a follower where that record already has a main one in the connection."""
        self._unlinked.add(link.record_id)
        self._by_record[link.record_id].remove(link)
        link.main = self.link_in(record.id, link.connection) is None
        link.record_id = record.id
        self._by_record.setdefault(record.id, []).append(link)
        self._moved_links.add(link.id)
        self.touch_link(link)

    def drop_link(self, link: Link) -> None:
        self._unlinked.add(link.record_id)
        self._by_record[link.record_id].remove(link)
        self._links.pop(link.id)
        self._by_native.pop((link.connection, link.kind, link.native_id), None)
        self._dirty_links.discard(link.id)
        if link.id in self._new_links:
            self._new_links.discard(link.id)
        else:
            self._gone_links.add(link.id)

    def touch(self, record: Rec) -> None:
        self._dirty_records.add(record.id)

    def touch_link(self, link: Link) -> None:
        self._dirty_links.add(link.id)

    def note(
        self,
        event: str,
        *,
        record_id: int | None = None,
        connection: str | None = None,
        kind: str | None = None,
        native_id: str | None = None,
        flow: str | None = None,
        cause: int | None = None,
        why: str = "",
        body: Mapping[str, Any] | None = None,
    ) -> int:
        """A row of the journal to be; gives its id."""
        return self.journal.note(Entry(event, record_id, connection, kind, native_id, flow, cause, why, body or {}))

    def open(self, item: Item) -> int | None:
        """Put an item before people; journalled when it is a new one."""
        opened = open_item(self.tx, self.clock, item)
        if opened is not None:
            self.note(
                {"review": "review", "conflict": "conflict"}.get(item.type, "parked"),
                record_id=item.record_id,
                connection=item.connection,
                kind=item.kind,
                native_id=item.native_id,
                flow=item.flow,
                why=item.reason,
                body={"item": opened, "cause": item.cause, "remedy": item.remedy},
            )
        return opened

    def _id(self, table: str) -> int:
        if table not in self._next:
            known = next_record(self.tx) if table == "records" else _after_last(self.tx, table)
            self._next[table] = known
        self._next[table] += 1
        return self._next[table] - 1

    # writing -----------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what changed. The unit may go on afterwards."""
        dirty = self._new_records | self._dirty_records | self._new_links | self._dirty_links | self._gone_links
        if dirty and not self._counted:
            run(self.tx, _COUNT)
            self._counted = True
        self._wake()
        fresh, changed = self._links_to_write()
        records = self.records
        _REC_ROW.insert(self.tx, [self._record_row(records[i]) for i in sorted(self._new_records)])
        known = [self._record_row(records[i]) for i in sorted(self._dirty_records - self._new_records)]
        _REC_CHANGE.update(self.tx, [(row[0], *row[2:]) for row in known])
        if self._gone_links:
            run(self.tx, "DELETE FROM links WHERE id IN ?", sorted(self._gone_links))
            run(self.tx, "DELETE FROM keys WHERE link_id IN ?", sorted(self._gone_links))
        _LINK_ROW.insert(self.tx, fresh)
        _LINK_CHANGE.update(self.tx, [(row[0], *row[5:]) for row in changed])
        _OWNERS.update(self.tx, [row[:2] for row in changed if row[0] in self._moved_links])
        self._new_records.clear()
        self._dirty_records.clear()
        self._gone_links.clear()
        self._moved_links.clear()
        self._unlinked.clear()
        self._new_links.clear()
        self._dirty_links.clear()
        self.journal.flush()

    def _wake(self) -> None:
        """What changes is not at rest any more, nor are the documents that it bore on."""
        touched = {self._links[i].record_id for i in self._dirty_links | self._new_links}
        ids = sorted(touched | self._dirty_records | self._unlinked)
        if ids and run(self.tx, "SELECT 1 FROM at_rest LIMIT 1"):
            run(self.tx, f"DELETE FROM at_rest WHERE record_id IN ({_BORNE_ON} IN ?)", ids)
            run(self.tx, "DELETE FROM at_rest WHERE record_id IN ?", ids)
            run(self.tx, "DELETE FROM at_rest_on WHERE record_id IN ?", ids)

    def _links_to_write(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Rows of new links and of changed ones. A link changes with its record: it is kept as the difference."""
        fresh, changed = [], []
        by_record = self._by_record
        touched = {self._links[i].record_id for i in self._dirty_links | self._new_links}
        for record_id in sorted(touched | self._dirty_records):
            agreed = self.records[record_id].agreed
            for link in by_record.get(record_id, ()):
                told = difference(link.sent, agreed)
                if link.id in self._new_links:
                    fresh.append(_link_row(link, told))
                elif link.id in self._dirty_links or told != link.kept:
                    changed.append(_link_row(link, told))
                else:
                    continue
                link.kept = told
        fresh.sort(key=itemgetter(0))
        return fresh, changed

    def _record_row(self, record: Rec) -> tuple[Any, ...]:
        return (
            record.id,
            record.kind,
            record.state,
            record.hold,
            record.merged_into,
            record.agreed,
            record.origin,
            record.turns or None,
            record.verdicts or None,
            self.now,
        )


def _link_row(link: Link, told: list[Any] | None) -> tuple[Any, ...]:
    """A link that is written may know other values than its matching keys were made of."""
    return (
        link.id,
        link.record_id,
        link.connection,
        link.kind,
        link.native_id,
        link.main,
        link.state,
        told,
        link.seen_text,
        link.seen_digest,
        link.items or None,
        link.held or None,
        link.map_version,
        link.version,
        link.changed_at,
        link.read_at,
        link.written_at,
        link.missing_at,
        False,
    )


def _link(row: tuple[Any, ...], agreed: Mapping[str, Any]) -> Link:
    link = Link(*row)
    told: list[Any] | None = row[_SENT]
    link.sent = sent_of(told, agreed)
    link.items, link.held, link.kept = link.items or {}, link.held or {}, told
    return link
