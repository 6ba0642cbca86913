"""A unit of work: the records and links that one transaction touches, loaded and written back as sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from datong.base.clock import Clock
from datong.store import schema
from datong.store.journal import Entry, Journal
from datong.store.opening import Transaction
from datong.store.work import Item, open_item

T = TypeVar("T")
_MANY = 500
FAR = "9999-12-31T00:00:00.000000Z"


@dataclass
class Rec:
    """A record: our agreed values and where each came from."""

    id: int
    kind: str
    state: str = "active"
    hold: str = ""
    merged_into: int | None = None
    agreed: dict[str, Any] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)
    turns: dict[str, list[str]] = field(default_factory=dict)
    verdicts: dict[str, list[Any]] = field(default_factory=dict)


@dataclass
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
    seen: dict[str, Any] = field(default_factory=dict)
    seen_digest: str | None = None
    items: dict[str, dict[str, str]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    map_version: str = ""
    version: str | None = None
    changed_at: datetime | None = None
    read_at: datetime | None = None
    written_at: datetime | None = None
    missing_at: datetime | None = None

    @property
    def here(self) -> bool:
        """Something can be written there."""
        return self.state in ("live", "inactive")


_LINK_FIELDS = tuple(Link.__dataclass_fields__)
_REC_FIELDS = tuple(Rec.__dataclass_fields__)


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
        self._new_records: set[int] = set()
        self._new_links: set[int] = set()
        self._dirty_records: set[int] = set()
        self._dirty_links: set[int] = set()
        self._gone_links: set[int] = set()
        self._next: dict[str, int] = {}

    # loading -----------------------------------------------------------------------------------------------------

    def load(self, record_ids: Iterable[int]) -> dict[int, Rec]:
        """Records with all their links; unknown ids are left out."""
        wanted = set(record_ids)
        for ids in chunks(sorted(wanted - self.records.keys())):
            for row in self.tx.execute(sa.select(schema.records).where(schema.records.c.id.in_(ids))).mappings():
                self.records[row["id"]] = Rec(
                    **{name: row[name] for name in _REC_FIELDS if row[name] is not None or name == "merged_into"}
                )
                self._by_record.setdefault(row["id"], [])
            for row in self.tx.execute(
                sa.select(schema.links).where(schema.links.c.record_id.in_(ids)).order_by(schema.links.c.id)
            ).mappings():
                if row["id"] not in self._links and row["id"] not in self._gone_links:
                    link = _link(row)
                    self._links[link.id] = link
                    self._by_record.setdefault(link.record_id, []).append(link)
        return {i: self.records[i] for i in wanted if i in self.records}

    def load_native(self, connection: str, kind: str, native_ids: Iterable[str]) -> dict[str, Link]:
        """Links by native id, with their records and those records' other links."""
        wanted = set(native_ids)
        ids: set[int] = set()
        for some in chunks(sorted(wanted)):
            query = sa.select(schema.links.c.record_id).where(
                schema.links.c.connection == connection,
                schema.links.c.kind == kind,
                schema.links.c.native_id.in_(some),
            )
            ids.update(self.tx.execute(query).scalars())
        self.load(ids)
        return {
            link.native_id: link
            for link in self._links.values()
            if link.connection == connection and link.kind == kind and link.native_id in wanted
        }

    def links_of(self, record_id: int) -> list[Link]:
        return self._by_record.get(record_id, [])

    def link_in(self, record_id: int, connection: str) -> Link | None:
        """The main link of a record in a connection."""
        return next((k for k in self.links_of(record_id) if k.connection == connection and k.main), None)

    # changing ----------------------------------------------------------------------------------------------------

    def new_record(self, kind: str) -> Rec:
        record = Rec(self._id("records"), kind)
        self.records[record.id] = record
        self._by_record[record.id] = []
        self._new_records.add(record.id)
        return record

    def new_link(self, record: Rec, connection: str, native_id: str) -> Link:
        main = self.link_in(record.id, connection) is None
        link = Link(self._id("links"), record.id, connection, record.kind, native_id, main=main)
        self._links[link.id] = link
        self._by_record[record.id].append(link)
        self._new_links.add(link.id)
        return link

    def move_link(self, link: Link, record: Rec) -> None:
        """`link` becomes one of `record`; a follower where that record already has a main one in the connection."""
        self._by_record[link.record_id].remove(link)
        link.main = self.link_in(record.id, link.connection) is None
        link.record_id = record.id
        self._by_record.setdefault(record.id, []).append(link)
        self.touch_link(link)

    def drop_link(self, link: Link) -> None:
        self._by_record[link.record_id].remove(link)
        self._links.pop(link.id)
        self._dirty_links.discard(link.id)
        if link.id in self._new_links:
            self._new_links.discard(link.id)
        else:
            self._gone_links.add(link.id)

    def touch(self, record: Rec) -> None:
        self._dirty_records.add(record.id)

    def touch_link(self, link: Link) -> None:
        self._dirty_links.add(link.id)

    def note(self, event: str, **told: Any) -> None:
        self.journal.note(Entry(event, **told))

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
            column = schema.metadata.tables[table].c.id
            self._next[table] = (self.tx.execute(sa.select(sa.func.max(column))).scalar() or 0) + 1
        self._next[table] += 1
        return self._next[table] - 1

    # writing -----------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what changed. The unit may go on afterwards."""
        self._flush_records()
        self._flush_links()
        self.journal.flush()

    def _flush_records(self) -> None:
        fresh = [self._record_row(self.records[i]) for i in sorted(self._new_records)]
        if fresh:
            self.tx.execute(schema.records.insert(), fresh)
        changed = sorted(self._dirty_records - self._new_records)
        _update(self.tx, schema.records, [self._record_row(self.records[i]) for i in changed])
        self._new_records.clear()
        self._dirty_records.clear()

    def _flush_links(self) -> None:
        if self._gone_links:
            for ids in chunks(sorted(self._gone_links)):
                self.tx.execute(schema.links.delete().where(schema.links.c.id.in_(ids)))
                self.tx.execute(schema.keys.delete().where(schema.keys.c.link_id.in_(ids)))
        fresh = [_row(self._links[i], _LINK_FIELDS) for i in sorted(self._new_links)]
        if fresh:
            self.tx.execute(schema.links.insert(), fresh)
        changed = sorted(self._dirty_links - self._new_links)
        _update(self.tx, schema.links, [_row(self._links[i], _LINK_FIELDS) for i in changed])
        self._gone_links.clear()
        self._new_links.clear()
        self._dirty_links.clear()

    def _record_row(self, record: Rec) -> dict[str, Any]:
        return {**_row(record, _REC_FIELDS), "updated_at": self.now}


def _row(thing: Rec | Link, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def _link(row: Any) -> Link:
    return Link(**{name: row[name] for name in _LINK_FIELDS if row[name] is not None})


def _update(tx: Transaction, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = [name for name in rows[0] if name != "id"]
    statement = (
        table.update()
        .where(table.c.id == sa.bindparam("row_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in names})
    )
    tx.execute(statement, [{"row_id": row["id"], **{f"new_{n}": row[n] for n in names}} for row in rows])
