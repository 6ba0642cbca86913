"""Taking a run's spool in: links found or made, edits merged, absences judged, cursors moved. One transaction.

The caller opens the transaction: a sync commits it, a plan rolls it back. Nothing remote is called here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from datong.base import json
from datong.engine import intended
from datong.engine.absence import Absences
from datong.engine.absorb import Absorber, Evidence
from datong.engine.evaluate import Evaluator
from datong.engine.holding import frozen
from datong.engine.landscape import KIND_ORDER, Conn, Landscape
from datong.engine.matchmaking import Matchmaker
from datong.engine.reading import AGAIN, SWEPT, cursor_set
from datong.kit import KindSpec
from datong.mapping import Foreign
from datong.store import Transaction
from datong.store.bulk import Columns
from datong.store.bulk import run as ask
from datong.store.schema import inbox, links, reads, spool
from datong.store.unit import Link, Rec, Unit, chunks
from datong.store.work import Item


@dataclass
class Taken:
    """What an intake did. `touched` are records that may have to be delivered."""

    read: int = 0
    changed: int = 0
    touched: set[int] = field(default_factory=set)
    linked: int = 0
    reviews: int = 0
    skipped: int = 0
    first_links: set[int] = field(default_factory=set)


_ENOUGH = 1000
"""Records to hold in memory at a time. What is held at the end needs not be loaded for its delivery."""
_HELD = Columns(links, ("kind", "native_id", "held"))
_MAPS = "SELECT connection, kind, map_version FROM cursors"
_READS = Columns(reads, [column.name for column in reads.c])


class Intake:
    """Takes the reads of runs into the records."""

    def __init__(self, unit: Unit, landscape: Landscape) -> None:
        self.unit = unit
        self.landscape = landscape
        self.absorber = Absorber(unit, landscape)
        self.absences = Absences(unit, landscape)
        self.evaluator = Evaluator(unit, landscape, self.absorber.references, makes=False)
        self.matchmaker = Matchmaker(unit, landscape, self.absorber)
        self.taken = Taken()

    def run(self, run: str) -> Taken:
        """Take in everything of one run, kind by kind; what others point at first."""
        for kind, rows in _by_kind(self.unit.tx, run):
            fresh: set[int] = set()
            peopled = self._peopled(kind, rows)
            known = [(self.landscape.connections.get(read["connection"]), read) for read in rows]
            ours = [(conn, conn.specs[kind], read) for conn, read in known if conn is not None and kind in conn.specs]
            for conn, spec, read in ours:  # first: whether a side was read completely decides what may be created
                self._move_cursor(conn, spec, read)
            for conn, spec, read in ours:
                if read["cursor"] != SWEPT:
                    fresh |= self._read(conn, spec, read, peopled)
                    self._awaken(conn, kind)
            self.absorber.references.forget(kind)
            self._match(kind, fresh)
            self.unit.flush()
        return self.taken

    def _peopled(self, kind: str, rows: Sequence[Any]) -> set[str]:
        """Connections that hold records of the kind, by what is linked and by what was just read."""
        spooled = {row["connection"] for row in rows if _SPOOLED.where(self.unit.tx, "read_id = ? LIMIT 1", row["id"])}
        return spooled | {c.name for c in self.landscape.offering(kind) if self.matchmaker.peopled(c, kind)}

    def _match(self, kind: str, fresh: set[int]) -> None:
        made = self.matchmaker.match(kind, fresh)
        self.taken.linked += made.linked
        self.taken.reviews += made.reviews
        self.taken.touched |= made.touched
        self.taken.first_links |= made.joined

    def _read(self, conn: Conn, spec: KindSpec, read: Any, peopled: set[str]) -> set[int]:
        """One read; gives the records for which a partner must be looked for. The others are weighed at once."""
        fresh: set[int] = set()
        for page in _spooled(self.unit.tx, read):
            self.taken.read += len(page)
            telling = _latest(row for row in page if row.told is not None or row.absence or row.version)
            known = self.unit.load_native(conn.name, spec.kind, [row.native_id for row in telling])
            present = [row for row in telling if row.told is not None]
            self.absorber.know_conflicts(link.record_id for link in known.values())
            self.absorber.know_intended(conn, {link.record_id for link in known.values()})
            if read["cursor"] == AGAIN:
                asked = self.unit.load_native(conn.name, spec.kind, [row.native_id for row in page])
                self.taken.touched |= {link.record_id for link in asked.values()}
            self._prefetch(conn, spec, present)
            found = [self._row(conn, spec, row, read["read_at"], known.get(row.native_id)) for row in telling]
            changed = {record_id for record_id in found if record_id is not None}
            self._drift(conn, spec, present, known)
            alone = self._alone(changed, conn, spec.kind, peopled)
            fresh |= changed - alone
            self.taken.touched |= changed - alone
            if spec.kind in self.landscape.conversions:
                self.taken.touched |= changed  # what is to be made of them is seen when everything is taken in
            self.taken.skipped += self.evaluator.weigh(alone).skipped
            self.unit.flush()
            if len(self.unit.records) > _ENOUGH:
                self.unit.forget()
            self.absorber.forget()
        return fresh

    def _alone(self, record_ids: set[int], conn: Conn, kind: str, peopled: set[str]) -> set[int]:
        """Those for which there is no side on which a partner may stand that they are not linked to."""
        if self.landscape.is_reference(kind):
            return set()
        others = [c.name for c in self.landscape.offering(kind) if c.role != conn.role and c.name in peopled]
        link_in = self.unit.link_in
        return {i for i in record_ids if all(link_in(i, name) is not None for name in others)}

    def _row(self, conn: Conn, spec: KindSpec, row: _Spooled, read_at: datetime, link: Link | None) -> int | None:
        """One spooled row; gives the record whose keys must be looked at."""
        if row.absence is not None:
            if link is not None and self.absences.found(conn, spec, link, row, read_at):
                self.taken.touched.add(link.record_id)
            elif link is not None:
                hint(self.unit.tx, self.unit.clock.now(), conn.name, spec.kind, link.native_id)
            return None
        if row.told is None:
            if link is not None and (link.read_at is None or read_at > link.read_at):
                # as last seen in all that we map, but a later version: what guarded writes are checked against
                link.version, link.changed_at, link.read_at = row.version, row.changed_at, read_at
                self.unit.touch_link(link)
            return None
        record = self._take(conn, spec, row, link)
        return record.id if record is not None else None

    def _awaken(self, conn: Conn, kind: str) -> None:
        """Links whose reference into this kind was unknown are read again now that its table was."""
        for kind_of, native_id, held in _HELD.where(self.unit.tx, "connection = ? AND held IS NOT NULL", conn.name):
            natives = [why.split(":", 2)[2] for why in held.values() if why.startswith(f"ref:{kind}:")]
            if any(self.absorber.references.resolve(conn, Foreign(kind, n)) for n in natives):
                hint(self.unit.tx, self.unit.now, conn.name, kind_of, native_id)

    def _prefetch(self, conn: Conn, spec: KindSpec, rows: Sequence[Any]) -> None:
        wanted = [v for row in rows if row.told is not None for v in spec.map.references(row.told.form)]
        if wanted:
            self.absorber.references.prefetch(conn, wanted)

    def _take(self, conn: Conn, spec: KindSpec, row: _Spooled, link: Link | None) -> Rec | None:
        told = row.told
        assert told is not None
        if link is not None:
            if not self.absorber.admits(conn, link, told):
                hint(self.unit.tx, self.unit.clock.now(), conn.name, spec.kind, link.native_id)
                return None
            if link.seen_digest == told.digest and link.state in ("live", "inactive"):
                link.version, link.changed_at, link.read_at = told.version, told.changed_at, told.read_at
                self.unit.touch_link(link)
                return None
            if self._still_lost(conn, spec, link, told):
                link.version, link.changed_at, link.read_at = told.version, told.changed_at, told.read_at
                self.unit.touch_link(link)
                return None
            if self.unit.records[link.record_id].hold == "paused":
                return None  # read again when it is released
        else:
            link = self._welcome(conn, spec, row)
        self.taken.changed += 1
        return self.absorber.absorb(conn, link, told)

    def _still_lost(self, conn: Conn, spec: KindSpec, link: Link, told: Evidence) -> bool:
        """It points at what is not known, as it did before, and nothing else of it is new either."""
        lost = {name: why for name, why in link.held.items() if why.startswith("ref:")}
        if not lost or link.seen_digest is not None or link.map_version != spec.map.version:
            return False
        paths = {one.path for one in spec.map.fields if one.name in lost}
        same = link.seen == {path: value for path, value in told.form.items() if path not in paths}
        active = "live" if told.active else "inactive"
        return same and link.state == active and self.absorber.lost(conn, spec.map.read_form(told.form)) == lost

    def _welcome(self, conn: Conn, spec: KindSpec, row: _Spooled) -> Link:
        """A native record not known yet: the one our own key names, else a new record of ours."""
        number = self.landscape.record_of_key(row.told.form.get("@key")) if row.told is not None else None
        if number is not None:
            number = self.absorber.references.survivor(number)
            record = self.unit.load([number]).get(number)
            if record is not None and record.kind == spec.kind and self._is_ours(conn, number):
                link = self.unit.new_link(record, conn.name, row.native_id)
                intended.remember(self.unit, link, spec.map)
                self._note_link(link, "our own key found in it")
                self.taken.linked += 1
                return link
        record = self.unit.new_record(spec.kind)
        self.absorber.new(record)
        return self.unit.new_link(record, conn.name, row.native_id)

    def _is_ours(self, conn: Conn, number: int) -> bool:
        """The record is not linked there, and was to be created there once."""
        return self.unit.link_in(number, conn.name) is None and intended.made(self.unit.tx, conn.name, number)

    def _note_link(self, link: Link, why: str) -> None:
        self.unit.note(
            "linked",
            record_id=link.record_id,
            connection=link.connection,
            kind=link.kind,
            native_id=link.native_id,
            why=why,
        )

    def _drift(self, conn: Conn, spec: KindSpec, rows: Sequence[_Spooled], known: dict[str, Link]) -> None:
        """A field that every record of a page lacks though it was there before: the schema changed, nothing was
        cleared."""
        if len(rows) < 5:
            return
        forms = [row.told.form for row in rows if row.told is not None]
        lacking = []
        for one in spec.map.fields:
            if any(one.path in form for form in forms):
                self._drift_over(conn, spec, one.name)
            else:
                lacking.append(one)
        had: set[str] = set()
        for link in (known[row.native_id] for row in rows if lacking and row.native_id in known):
            had |= link.seen.keys()
        for one in lacking:
            if one.path in had:
                self._drifted(conn, spec, one.name, one.path)

    def _drifted(self, conn: Conn, spec: KindSpec, name: str, path: str) -> None:
        self.unit.open(
            Item(
                "parked",
                "schema drift",
                f"drift:{conn.name}:{spec.kind}:{name}",
                f"{conn.name} shows {path} on no {spec.kind} now: {name} rests, nothing is cleared",
                f"give the user of the connection the right to see {path}, or correct its path under "
                f"maps.{conn.name}.{spec.kind}.{name}",
                kind=spec.kind,
                connection=conn.name,
                field=name,
            )
        )

    def _drift_over(self, conn: Conn, spec: KindSpec, name: str) -> None:
        from datong.store.work import close

        subject = f"drift:{conn.name}:{spec.kind}:{name}"
        if subject in self.open_drifts:
            close(self.unit.tx, self.unit.clock, "datong", subjects=[subject])
            self.open_drifts.discard(subject)

    @property
    def open_drifts(self) -> set[str]:
        if not hasattr(self, "_open_drifts"):
            from datong.store.work import open_items

            found = open_items(self.unit.tx, cause="schema drift", limit=None)
            self._open_drifts = {str(item["subject"]) for item in found}
        return self._open_drifts

    def _move_cursor(self, conn: Conn, spec: KindSpec, read: Any) -> None:
        values: dict[str, Any] = {}
        if read["cursor"] == SWEPT:
            values["sweep_at"] = read["read_at"]
        elif read["cursor"] not in (None, AGAIN):
            values["cursor"] = read["cursor"]
            values["read_at"] = read["read_at"]
        if read["whole"]:
            values["cursor"] = read["cursor"]
            values.update(baseline_at=read["read_at"], sweep_at=read["read_at"], read_at=read["read_at"])
            values["map_version"] = spec.map.version
        if values:
            cursor_set(self.unit.tx, conn.name, spec.kind, **values)


def remap(unit: Unit, landscape: Landscape, conn: Conn, kind: str) -> set[int]:
    """The effect of a changed map on what is known already: `seen` is read again with the new map.

    Where this connection is the origin of a value, the new reading becomes the agreed one; elsewhere it is what the
    connection is now known to hold, so that the agreed value is delivered in its new form. What the system makes of the
    value that was sent is that value still: a number it rounds is no other number under a new map. The links keep the
    version that they were last read with: what that map did not read is new to them.
    """
    spec = conn.specs[kind]
    query = sa.select(links.c.native_id).where(
        links.c.connection == conn.name, links.c.kind == kind, links.c.map_version != spec.map.version
    )
    touched: set[int] = set()
    absorber = Absorber(unit, landscape)
    for natives in chunks(list(unit.tx.execute(query).scalars())):
        for link in unit.load_native(conn.name, kind, natives).values():
            _remap_link(unit, landscape, absorber, conn, spec, link)
            touched.add(link.record_id)
    cursor_set(unit.tx, conn.name, kind, map_version=spec.map.version)
    unit.flush()
    return touched


def _remap_link(unit: Unit, landscape: Landscape, absorber: Absorber, conn: Conn, spec: KindSpec, link: Link) -> None:
    record = unit.records[link.record_id]
    reading = spec.map.read_form(link.seen)
    absorber.resolve(conn, record, link, reading)
    running = landscape.flow_of(link.kind)
    rest = frozen(unit, record, conn.name)
    for name, value in reading.values.items():
        if rest is not None and rest.hold_of(name) is not None:
            continue
        if running is None or running.policy(name) is None or link.sent.get(name) == value or name not in link.sent:
            continue
        if link.main and record.came_from(name)[0] == conn.name:
            unit.note(
                "taken in",
                record_id=record.id,
                connection=conn.name,
                kind=link.kind,
                native_id=link.native_id,
                flow=running.name,
                why="the map changed",
                body={"fields": {name: {"before": record.agreed.get(name), "after": value}}},
            )
            record.agreed[name] = value
        elif (one := spec.map.named(name)) is not None and absorber.same_form(conn, one, link.sent[name], value):
            if link.held.get(name) == "not accepted":
                del link.held[name]  # the new map says that this is how it writes what was sent
            continue
        link.sent[name] = value
    link.seen_digest = None
    unit.touch(record)
    unit.touch_link(link)


def changed_maps(tx: Transaction, landscape: Landscape) -> list[tuple[str, str]]:
    """(connection, kind) whose map is another than the one its records were last taken in with."""
    known = {(name, kind): version for name, kind, version in ask(tx, _MAPS)}
    return [
        (conn.name, kind)
        for conn in landscape.connections.values()
        for kind, spec in conn.specs.items()
        if known.get((conn.name, kind)) not in (None, spec.map.version) and landscape.flow_of(kind) is not None
    ]


def hint(tx: Transaction, now: datetime, connection: str, kind: str, native_id: str, wire: Any = None) -> None:
    """Note that a record is to be looked at; hints for one record coalesce while they wait.

    The row is a new one each time: who is just answering the old one does not answer this. Of two records brought
    along, the later one is kept.
    """
    here = (inbox.c.connection == connection, inbox.c.kind == kind, inbox.c.native_id == native_id)
    waiting = tx.execute(sa.select(inbox.c.times, inbox.c.wire).where(*here)).first()
    if waiting is not None:
        tx.execute(inbox.delete().where(*here))
        wire = _later(wire, waiting.wire)
    times = waiting.times + 1 if waiting is not None else 1
    tx.execute(
        inbox.insert().values(
            connection=connection, kind=kind, native_id=native_id, received_at=now, wire=wire, times=times
        )
    )


def _later(new: Any, old: Any) -> Any:
    """The later of two records brought along; a bare hint means that it must be read."""
    if new is None or old is None:
        return new
    return old if (old.get("changed_at") or "") > (new.get("changed_at") or "") else new


def drop_run(tx: Transaction, run: str) -> None:
    """The spool of a run is no longer needed."""
    ids = [number for (number,) in ask(tx, "SELECT id FROM reads WHERE run = ?", run)]
    if ids:
        ask(tx, "DELETE FROM spool WHERE read_id IN ?", ids)
        ask(tx, "DELETE FROM reads WHERE id IN ?", ids)


def _by_kind(tx: Transaction, run: str) -> Iterator[tuple[str, list[Any]]]:
    rows = [dict(zip(_READS.names, row, strict=True)) for row in _READS.where(tx, "run = ? ORDER BY id", run)]
    kinds = sorted({r["kind"] for r in rows}, key=lambda k: KIND_ORDER.get(k, 99))
    for kind in kinds:
        yield kind, [r for r in rows if r["kind"] == kind]


@dataclass(slots=True)
class _Spooled:
    """A row of the spool; `told` is None for a record that is as last seen, or was not given."""

    native_id: str
    told: Evidence | None
    version: str | None
    changed_at: datetime | None
    absence: str | None
    into: str | None


_SPOOLED = Columns(
    spool,
    ("number", "native_id", "wire", "digest", "version", "changed_at", "active", "absence", "into"),
    raw=("wire",),
)


def _latest(rows: Iterable[_Spooled]) -> list[_Spooled]:
    """One row a record: what was edited while we paged comes again further on, later than before."""
    latest: dict[str, _Spooled] = {}
    for row in rows:
        before = latest.get(row.native_id)
        if before is None or not (before.changed_at and row.changed_at and row.changed_at < before.changed_at):
            latest[row.native_id] = row
    return list(latest.values())


def _spooled(tx: Transaction, read: Any, size: int = 500) -> Iterator[list[_Spooled]]:
    after, full = 0, True
    while full:
        rows = _SPOOLED.where(tx, "read_id = ? AND number > ? ORDER BY number LIMIT ?", read["id"], after, size)
        full = len(rows) == size
        if rows:
            after = rows[-1][0]
            yield [_spooled_row(read["read_at"], *row[1:]) for row in rows]


def _spooled_row(
    read_at: datetime,
    native_id: str,
    wire: str | None,
    digest: str,
    version: str | None,
    changed_at: datetime | None,
    active: bool,
    absence: str | None,
    into: str | None,
) -> _Spooled:
    told = None
    if wire is not None:
        told = Evidence(json.loads(wire), digest, read_at, version, changed_at, active, wire)
    return _Spooled(native_id, told, version, changed_at, absence, into)
