"""Reading one kind of record: changes, by id, by value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from datong.base.clock import Clock, from_text, to_text
from datong.base.errors import BadAnswer, RequestRefused
from datong.connectors.rest.calls import Api, Call, Listing, one_at
from datong.connectors.rest.description import Since, text_at, value_at
from datong.connectors.rest.kinds import Find, Get, KindTold
from datong.connectors.rest.template import compiled
from datong.kit import Missing, Page, WireRecord
from datong.mapping import ABSENT, Field, FieldMap, getter, take
from datong.mapping.convert import EPOCH, moment_read

_UNIT = {
    "us": timedelta(microseconds=1),
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "day": timedelta(days=1),
}
AHEAD = timedelta(days=1)
"""A change time further ahead than this is no clock that is wrong but a value that is: it is none."""
TWO_CLOCKS = timedelta(minutes=10)
"""So far the clock of a system's answers and that of its records may be apart."""
SET_BACK = timedelta(hours=1)
"""Where the cursor lies ahead of the system's clock, that was set back: so much of what it wrote since is asked for."""


class Reading:
    """The reading side of one kind."""

    def __init__(self, kind: str, told: KindTold, map: FieldMap, api: Api, clock: Clock) -> None:
        self.kind = kind
        self.told = told
        self.map = map
        self._api = api
        self._clock = clock
        self._listing = Listing(api, told.read) if told.read else None
        self._ids = Listing(api, told.ids, told.id) if told.ids else self._listing
        self._get = Call(told.get) if told.get else None
        self._got = Listing(api, told.get) if told.get else None
        self._finds = {name: (one, Listing(api, one)) for name, one in told.find.items()}
        self.record = self._maker()

    @property
    def possible(self) -> bool:
        return self._listing is not None

    def _maker(self) -> Callable[[Mapping[str, Any]], WireRecord]:
        """A wire record from a row: done for every row, so all that can be known before is."""
        told = self.told
        clock = self._clock
        id_at, version_at = _getter(told.id), _getter(told.version) if told.version else None
        changed = told.changed_at
        changed_at = _getter(changed.path) if changed else None
        active = told.active.asked() if told.active else None

        def record(row: Mapping[str, Any]) -> WireRecord:
            id = id_at(row)
            if id.__class__ is not str or not id:
                id = as_id(id)
            if id is None:
                raise BadAnswer(
                    f"{self.kind}: a record without an id at {told.id}: it has {_shown_row(row)}",
                    remedy="correct `id`, or ask the system for that field as a text or a whole number",
                )
            version = version_at(row) if version_at else None
            moment: datetime | None = None
            if changed_at is not None and changed is not None:
                shown = changed_at(row)
                if shown is not ABSENT and shown is not None and shown != "":
                    moment = _moment(shown, changed.zone, changed.form, self.kind, changed.path)
                    if moment > clock.now() + AHEAD:
                        moment = None
            return WireRecord(
                id,
                row,
                None if version is None or version is ABSENT else str(version),
                moment,
                active is None or active(row),
            )

        return record

    # what changed ------------------------------------------------------------------------------------------------

    def changes(self, since: str | None) -> Iterator[Page]:
        """Pages with a cursor that is a safe place to resume from: the change time reached."""
        if self._listing is None:
            raise RequestRefused(f"{self.kind} cannot be read", remedy="describe `read` for it")
        told = self.told.since
        if told is None:
            for rows, last in self._listing.pages({}):
                yield Page([self.record(row) for row in rows], None, last)
            return
        if told.sorted:
            yield from self._in_order(told, since)
        else:
            yield from self._in_disorder(told, since)

    def _in_order(self, told: Since, since: str | None) -> Iterator[Page]:
        """Oldest change first. Where pages are counted, rows that move to the end while we read would shift others out
        of our sight: there every page asks anew from the moment reached; so it is done where a list ends early."""
        assert self._listing is not None
        reached = from_text(since) if since is not None else None
        asked = self._asked(told, self._not_ahead(reached))
        while True:
            anew, count = False, 0
            for rows, last in self._listing.pages({"since": _shown(told, asked)}):
                records = [self.record(row) for row in rows]
                reached = _latest(reached, records)
                count += len(records)
                full = self._listing.most is not None and count >= self._listing.most
                yield Page(records, to_text(reached) if reached else None, last and not full)
                further = self._asked(told, reached)
                ahead = further is not None and (asked is None or further > asked)
                if (full or (self._listing.counts and not last)) and ahead:
                    asked, anew = further, True
                    break
                if full:
                    raise BadAnswer(
                        f"{self.kind}: more than {count} records changed at one moment ({reached}), and a list gives"
                        f" {self._listing.most} at most",
                        remedy="read with a smaller `overlap`, or in another way",
                    )
                if last:
                    return
            if not anew:
                return

    def _in_disorder(self, told: Since, since: str | None) -> Iterator[Page]:
        """No page is a safe place but the last, and no later moment than the one at which we began."""
        assert self._listing is not None
        reached = from_text(since) if since is not None else None
        began: datetime | None = None
        for rows, last in self._listing.pages({"since": _shown(told, self._asked(told, reached))}):
            began = began or self._api.http.server_time or self._clock.now()
            records = [self.record(row) for row in rows]
            reached = _latest(reached, records)
            safe = min(reached, began) if reached else None
            before = from_text(since) if since is not None else None
            if safe is not None and before is not None:
                safe = max(safe, before)
            yield Page(records, to_text(safe) if last and safe else None, last)

    def _asked(self, told: Since, reached: datetime | None) -> datetime | None:
        """The moment we ask from: rounded down to what the system tells apart, one step earlier where it is strict."""
        if reached is None:
            return None
        unit = _UNIT[told.precision]
        back = reached - told.overlap - (unit if told.strict else timedelta(0))
        if told.precision == "day":
            local = back.astimezone(ZoneInfo(told.zone))
            return local.replace(hour=0, minute=0, second=0, microsecond=0)
        return back - (back - EPOCH) % unit

    def _not_ahead(self, reached: datetime | None) -> datetime | None:
        """The moment to ask from, at the latest the system's own: its clock may have been set back since."""
        now = self._api.http.server_time
        if reached is None or now is None or reached <= now + TWO_CLOCKS:
            return reached
        return now - SET_BACK

    # by id -------------------------------------------------------------------------------------------------------

    def ids(self) -> Iterator[str]:
        if self._ids is None:
            raise RequestRefused(f"{self.kind} cannot be read", remedy="describe `read` for it")
        for rows, _ in self._ids.pages({}):
            for row in rows:
                yield self.record(row).id if self.told.ids is None else self._id(row)

    def _id(self, row: Mapping[str, Any]) -> str:
        found = as_id(value_at(row, self.told.id))
        if found is None:
            raise BadAnswer(f"the list of ids of {self.kind} has none at {self.told.id}", remedy="correct `ids`")
        return found

    def by_id(self, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        wanted = list(dict.fromkeys(ids))
        told = self.told.get
        if told is None:
            yield from self._picked(wanted)
        elif "ids" in told.places:
            for at in range(0, len(wanted), told.size):
                yield from self._several(wanted[at : at + told.size])
        else:
            yield from self._one_by_one(told, wanted)

    def _picked(self, wanted: Sequence[str]) -> Iterator[WireRecord | Missing]:
        """There is no way but reading all."""
        if self._listing is None:
            raise RequestRefused(f"{self.kind} cannot be read", remedy="describe `read` for it")
        left = dict.fromkeys(wanted)
        for rows, _ in self._listing.pages({}):
            for row in rows:
                found = self.record(row)
                if found.id in left:
                    del left[found.id]
                    yield found
        yield from (Missing(id) for id in left)

    def _several(self, wanted: Sequence[str]) -> Iterator[WireRecord | Missing]:
        assert self._got is not None
        left = dict.fromkeys(wanted)
        assert self.told.get is not None
        each = compiled(self.told.get.each)
        for rows, _ in self._got.pages({"ids": [each({"id": id}) for id in wanted]}):
            for row in rows:
                found = self.record(row)
                if found.id in left:
                    del left[found.id]
                    yield found
        yield from (Missing(id) for id in left)

    def _one_by_one(self, told: Get, wanted: Sequence[str]) -> Iterator[WireRecord | Missing]:
        """A call each, a few of them at a time; answers in the order asked. What one raises ends the others."""
        at_once = min(self._api.at_once, len(wanted))
        if at_once < 2:
            yield from (self._one(told, id) for id in wanted)
            return
        with ThreadPoolExecutor(at_once, "datong-get") as callers:
            yield from callers.map(partial(self._one, told), wanted)

    def _one(self, told: Get, id: str) -> WireRecord | Missing:
        assert self._get is not None and self._got is not None
        reply = self._api.ask(self._get, {"id": id}, allow=tuple(told.missing))
        if reply.status in told.missing:
            if told.answers is not None and not told.answers.holds(reply.data):
                raise RequestRefused(f"{told.path} answered {reply.status}, but not about {id}", code=str(reply.status))
            return Missing(id, told.missing[reply.status], text_at(reply.data, told.into) or None)
        if told.items or told.columns:
            rows = self._got.rows(reply.data)
            return self.record(rows[0]) if rows else Missing(id)
        row = one_at(reply.data, told.item, lambda: f"{told.path} for {id}")
        return Missing(id) if row is None else self.record(row)

    # by value ----------------------------------------------------------------------------------------------------

    def find(self, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        """Exactly those that have the value: what a search finds beside is left out."""
        told, listing = self._finds["key" if by == "own_key" else by]
        one = None if by == "own_key" else self.map.named(by)
        if one is None and by != "own_key":
            raise RequestRefused(f"{self.kind} has no field {by} to be found by", remedy="is the company configured?")
        wire = [value if one is None else _wire(one, value) for value in dict.fromkeys(values)]
        found: set[str] = set()
        for known in _portions(told, wire):
            for rows, _ in listing.pages(known):
                for row in rows:
                    record = self.record(row)
                    if record.id not in found and self._has(record, one, wire):
                        found.add(record.id)
                        yield record

    def _has(self, record: WireRecord, one: Field | None, wanted: Sequence[Any]) -> bool:
        if one is None:
            return take(record.data, self.map.own_key or "") in wanted
        return _folded(take(record.data, _first(one))) in {_folded(value) for value in wanted}


def as_id(value: Any) -> str | None:
    """The id as text; None for what is none. A number with a point is none either: it may have lost its last digits,
    and two records would become one."""
    if value.__class__ is str:
        return value or None
    whole = value.__class__ is int or (isinstance(value, Decimal) and value == value.to_integral_value())
    return str(int(value)) if whole else None


def _shown_row(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value!r:.40}" for name, value in list(row.items())[:6])


def _wire(one: Field, value: str) -> Any:
    told = one.convert.to_wire(value)
    return told[0] if isinstance(told, list) and told else told


def _first(one: Field) -> str:
    return one.path.partition(" + ")[0]


def _folded(value: Any) -> str:
    return str(value).strip().casefold()


def _portions(told: Find, values: Sequence[Any]) -> Iterator[dict[str, Any]]:
    if "values" in told.places:
        for at in range(0, len(values), told.size):
            yield {"values": list(values[at : at + told.size])}
    else:
        yield from ({"value": value} for value in values)


def _latest(reached: datetime | None, records: Sequence[WireRecord]) -> datetime | None:
    for one in records:
        if one.changed_at is not None and (reached is None or one.changed_at > reached):
            reached = one.changed_at
    return reached


def _moment(shown: Any, zone: str, form: str, kind: str, path: str) -> datetime:
    try:
        if form == "iso" and shown.__class__ is str and shown[-1:] == "Z":
            return datetime.fromisoformat(shown)
        return moment_read(shown, zone, form)
    except ValueError as error:
        raise BadAnswer(
            f"the change time of a {kind} at {path} cannot be read: {error}", remedy="correct `changed_at`"
        ) from None


def _shown(told: Since, moment: datetime | None) -> Any:
    """The moment as the system is asked."""
    if moment is None:
        return None
    if told.form in ("unix", "unix_ms"):
        return int((moment - EPOCH) // (_UNIT["s"] if told.form == "unix" else _UNIT["ms"]))
    if told.precision == "day":
        return moment.date().isoformat()
    spec = {"us": "microseconds", "ms": "milliseconds", "s": "seconds"}[told.precision]
    if told.form == "plain":
        return moment.astimezone(ZoneInfo(told.zone)).replace(tzinfo=None).isoformat(sep=" ", timespec=spec)
    return moment.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def _getter(path: str) -> Callable[[Mapping[str, Any]], Any]:
    return getter(path) if not any(step.isdigit() for step in path.split(".")) else lambda row: value_at(row, path)
