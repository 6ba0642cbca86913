"""Reading the systems for a comparison, into the scratch: in full, then single records by id. Nothing is decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from datong.base import json
from datong.base.clock import to_text
from datong.base.errors import BadAnswer, WrongSystem
from datong.engine import health
from datong.engine.landscape import Conn
from datong.engine.outcome import Fate, attempt
from datong.engine.reading import Progress, form_of, sane
from datong.kit import KindSpec, Missing, WireRecord
from datong.store import Store
from datong.store.bulk import Columns
from datong.store.schema import cut, links
from datong.store.scratch import Met, Scratch
from datong.store.unit import chunks

UNREADABLE = "unreadable"
"""Why a record that was given cannot be compared: no JSON can hold it."""
_OURS = Columns(links, ("native_id", "record_id"))
_LINKED = Columns(links, ("id", "native_id"))
_AT_ONCE = 200


@dataclass
class Read:
    """One kind of one connection, read in full. `missed` are records that are there, and were not in the list."""

    connection: str
    kind: str
    began: datetime
    ended: datetime | None = None
    records: int = 0
    missed: int = 0
    failed: Fate | None = None


class Looker:
    """Reads for one reconciliation. It touches neither cursors nor what is known of a connection's health."""

    def __init__(self, store: Store, scratch: Scratch, progress: Progress | None = None) -> None:
        self._store = store
        self._scratch = scratch
        self._progress = progress or (lambda what, more: None)
        self.identities: dict[str, str] = {}

    def check(self, conn: Conn) -> Fate | None:
        """Does the system answer that we know by this name? What stands in the way otherwise."""
        return attempt(lambda: self._check(conn))

    def _check(self, conn: Conn) -> None:
        found = conn.connector.check().identity
        with self._store.read() as tx:
            known = health.state_of(tx, conn.name)
        before = known["identity"] if known is not None else None
        if before is not None and before != found:
            raise WrongSystem(f"{conn.name} answers as {found}, but we know {before}", remedy="run `datong check`")
        self.identities[conn.name] = found

    def whole(self, conn: Conn, kind: str) -> Read:
        """Everything of a kind; what is linked and not in the list is asked for by id. A read that breaks off says
        nothing, and leaves nothing behind."""
        read = Read(conn.name, kind, self._store.clock.now())
        read.failed = attempt(lambda: self._whole(conn, conn.specs[kind], read))
        if read.failed is not None:
            self._scratch.drop(kind, conn.name)
        read.ended = self._store.clock.now()
        return read

    def _whole(self, conn: Conn, spec: KindSpec, read: Read) -> None:
        last = False
        for page in sane(conn.connector.read(spec, None), conn.name):
            self._keep(conn, spec, read.began, page.records)
            last = page.last
        if not last:
            raise BadAnswer(f"the read of {spec.kind} in {conn.name} ended before its last page", remedy="run it again")
        for some in self._not_listed(conn, spec.kind):
            read.missed += self.by_id(conn, spec.kind, some)
        read.records = self._scratch.count(spec.kind, conn.name)

    def _not_listed(self, conn: Conn, kind: str) -> Iterator[list[str]]:
        """What is linked and was not in the list, page by page."""
        after = 0
        condition = "connection = ? AND kind = ? AND state IN ('live', 'inactive', 'missing') AND id > ?"
        while True:
            with self._store.read() as tx:
                rows = _LINKED.where(tx, f"{condition} ORDER BY id LIMIT 1000", conn.name, kind, after)
            if not rows:
                return
            after = rows[-1][0]
            listed = self._scratch.get(kind, conn.name, [native for _, native in rows])
            lacking = [native for _, native in rows if native not in listed]
            yield from chunks(lacking, _AT_ONCE)

    def by_id(self, conn: Conn, kind: str, ids: Sequence[str]) -> int:
        """Ask for records by id; what is not given is kept with the reason. Gives how many were given. Raises what the
        connector does."""
        spec, found = conn.specs[kind], 0
        for some in chunks(ids, _AT_ONCE):
            began = self._store.clock.now()
            answers = list(conn.connector.get(spec, some))
            given = {cut(answer.id, 200) for answer in answers}
            self._scratch.forget(kind, conn.name, some)
            records = [one for one in answers if isinstance(one, WireRecord)]
            self._keep(conn, spec, began, records)
            found += len(records)
            absent = [one for one in answers if isinstance(one, Missing)]
            absent += [Missing(native) for native in some if native not in given]
            ours = self._ours(conn, kind, [one.id for one in absent])
            at = to_text(began)
            met = (Met(one.id, ours.get(one.id), None, at, absence=one.why, into=one.into) for one in absent)
            self._scratch.put(kind, conn.name, met)
        return found

    def _keep(self, conn: Conn, spec: KindSpec, began: datetime, records: Sequence[WireRecord]) -> None:
        ours = self._ours(conn, spec.kind, [cut(record.id, 200) for record in records])
        at = to_text(began)
        self._scratch.put(spec.kind, conn.name, [_met(spec, record, at, ours) for record in records])
        self._progress(f"{conn.name} {spec.kind}", len(records))

    def _ours(self, conn: Conn, kind: str, natives: Iterable[str]) -> dict[str, int]:
        with self._store.read() as tx:
            return dict(_OURS.select(tx, "native_id", list(natives), "connection = ? AND kind = ?", conn.name, kind))


def _met(spec: KindSpec, record: WireRecord, at: str, ours: dict[str, int]) -> Met:
    native = cut(record.id, 200)
    changed = to_text(record.changed_at) if record.changed_at else None
    try:
        form = json.canonical(form_of(spec, record)).decode()
    except TypeError:  # what no JSON can hold: nested beyond measure, half a character
        return Met(native, ours.get(native), None, at, record.version, changed, record.active, UNREADABLE)
    return Met(native, ours.get(native), form, at, record.version, changed, record.active)
