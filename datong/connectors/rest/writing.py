"""Writing one kind of record: singly or in batches, each answered for itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from datong.base import json
from datong.base.errors import BadAnswer, RemoteError, RequestRefused
from datong.connectors.rest.calls import OWN_AFFAIR, Api, Call, one_at
from datong.connectors.rest.description import Condition, field_at, text_at, value_at, whole_at
from datong.connectors.rest.kinds import KindTold, Save
from datong.connectors.rest.reading import Reading, as_id
from datong.connectors.rest.template import NOTHING, compiled
from datong.kit import Answer, Lost, Missing, Moved, Refused, Saved, WireRecord, Write
from datong.mapping import ABSENT, FieldMap, getter, put, take
from datong.mapping.joined import PLACE, template_paths

Data = dict[str, Any]


class Writing:
    """The writing side of one kind."""

    def __init__(self, kind: str, told: KindTold, map: FieldMap, api: Api, reading: Reading) -> None:
        self._kind = kind
        self._told = told
        self._api = api
        self._reading = reading
        self._compose = [_composer(place, template) for place, template in told.composed.items()]
        self._nulls = _nulls(map) if told.whole else {}
        self._given = getter(told.id)
        self._flat = not any("." in path for path in self._nulls)
        creates, updates = told.upsert or told.create, told.upsert or told.update
        self._creates = _Saving(creates) if creates else None
        self._updates = self._creates if told.upsert else _Saving(updates) if updates else None
        self._deletes = _Saving(told.delete) if told.delete else None

    def write(self, batch: Sequence[Write]) -> Iterator[Answer]:
        """Answers in the order in which the system gives them. A failed call is raised; what was answered before it
        stands."""
        groups: dict[int, tuple[_Saving, list[Write]]] = {}
        for one in batch:
            saving = {"create": self._creates, "update": self._updates, "delete": self._deletes}[one.action]
            if saving is None:
                yield Refused(one.ref, f"{self._kind}: no way to {one.action} is described", code="not described")
            else:
                groups.setdefault(id(saving), (saving, []))[1].append(one)
        for saving, writes in groups.values():
            size = saving.told.size if saving.told.batched else 1
            for at in range(0, len(writes), size):
                some = writes[at : at + size]
                if saving is self._deletes:
                    yield from (self._delete(saving, one) for one in some)
                elif saving.told.batched:
                    yield from self._several(saving, some)
                else:
                    yield self._single(saving, some[0])

    # what is sent ------------------------------------------------------------------------------------------------

    def _data(self, write: Write, saving: _Saving | None = None) -> Data:
        """The record as the system is told it."""
        data: Data = {**self._nulls, **write.values} if self._flat else dict(write.values)
        if not self._flat:
            for path, null in self._nulls.items():
                if take(data, path) is ABSENT:
                    put(data, path, null)
        for path, items in write.items.items():
            put(data, path, [dict(item.values) for item in items])
        if self._told.key is not None and write.key is not None and write.action == "create":
            put(data, self._told.key, write.key)
        if self._compose:
            self._composed(write, data)
        for path, made in saving.also if saving is not None else ():
            told = made(self._known(write, None))
            if told is not NOTHING:
                put(data, path, told)
        return data

    def _composed(self, write: Write, data: Data) -> None:
        """Places that are made of others; where only some of those are written, the rest is what the system holds."""
        rest: Mapping[str, Any] | None = None
        for place, paths, at_once, made in self._compose:
            if at_once is not None and (quick := at_once(data)) is not None:
                data[place] = quick
                continue
            parts = [one(data) for one in paths]
            missing = [at for at, part in enumerate(parts) if part is ABSENT]
            if len(missing) == len(parts):
                continue
            if missing and write.action == "update" and self._reading.possible and rest is None:
                rest = self._held(str(write.id))
            for at in missing:
                parts[at] = paths[at](rest) if rest is not None else None
            put(data, place, made(parts))

    def _held(self, id: str) -> Mapping[str, Any]:
        found = next(iter(self._reading.by_id([id])))
        return found.data if isinstance(found, WireRecord) else {}

    def _known(self, write: Write, data: Any, position: int = 0) -> Data:
        told = {"id": write.id, "key": write.key, "version": write.version, "record": data}
        return {**told, "position": str(position)}

    # single ------------------------------------------------------------------------------------------------------

    def _single(self, saving: _Saving, write: Write) -> Answer:
        told = saving.told
        data = self._data(write, saving)
        try:
            reply = self._api.ask(saving.call, self._known(write, data), changes=True, allow=OWN_AFFAIR)
        except RequestRefused as error:
            return Refused(write.ref, str(error), error.field, error.code)
        if reply.status in told.moved_status or _yes(told.moved, reply.data):
            return Moved(write.ref)
        if write.action == "create" and (reply.status in told.exists_status or _yes(told.exists, reply.data)):
            return self._double(saving, write, reply.data)
        if reply.status >= 400 or not (told.ok is None or told.ok.holds(reply.data)):
            if reply.status in (404, 410) and write.action == "update":
                return Moved(write.ref)
            return self._refused(told, write, reply.data, reply.status)
        id = self._id(told, write, data, reply.data)
        if id is None:
            return Lost(write.ref, f"the answer has no id at {told.id}: {json.dumps(reply.data)[:200]}")
        return self._saved(write, id, self._record(saving, reply.data) or self._read_back([id]).get(id))

    def _delete(self, saving: _Saving, write: Write) -> Answer:
        told = self._told.delete
        assert told is not None
        id = write.id or ""
        if write.version is not None and not told.guarded and self._reading.told.version is not None:
            now = next(iter(self._reading.by_id([id])))
            if isinstance(now, WireRecord) and now.version != write.version:
                return Moved(write.ref)
        try:
            reply = self._api.ask(saving.call, self._known(write, None), changes=True, allow=OWN_AFFAIR)
        except RequestRefused as error:
            return Refused(write.ref, str(error), error.field, error.code)
        if reply.status in told.moved_status or _yes(told.moved, reply.data):
            return Moved(write.ref)
        if (reply.status < 400 and (told.ok is None or told.ok.holds(reply.data))) or reply.status in told.gone:
            return Saved(write.ref, id, None)
        return self._refused(told, write, reply.data, reply.status)

    # several -----------------------------------------------------------------------------------------------------

    def _several(self, saving: _Saving, writes: Sequence[Write]) -> Iterator[Answer]:
        told = saving.told
        sent = [self._data(one, saving) for one in writes]
        records = sent
        if saving.each is not None:
            pairs = enumerate(zip(writes, sent, strict=True))
            records = [_made(saving.each, self._known(one, data, at)) for at, (one, data) in pairs]
        reply = self._api.ask(saving.call, {"records": records}, changes=True)
        if told.results is None:  # all or nothing, and it was all
            results: list[Any] = [None] * len(writes)
        else:
            results = self._results(told, reply.data, len(writes))
        left: list[tuple[Write, str]] = []
        ids = [
            self._id(told, *one) if _is_saved(saving, one[2]) else None
            for one in zip(writes, sent, results, strict=True)
        ]
        often = Counter(ids)
        for write, id, result in zip(writes, ids, results, strict=True):
            if result is ABSENT:
                yield Lost(write.ref, "the answer of the batch does not speak of it")
            elif not isinstance(result, _Failed) and told.ok is not None and told.ok.silent(result):
                yield Lost(write.ref, f"its result says nothing at {told.ok.path}: {json.dumps(result)[:200]}")
            elif not _is_saved(saving, result):
                yield self._not_saved(saving, write, result.told if isinstance(result, _Failed) else result)
            elif id is None:
                yield Lost(write.ref, f"its result has no id at {told.id}")
            elif often[id] > 1:
                yield Lost(write.ref, f"the answer of the batch gives the id {id} to {often[id]} records")
            else:
                record = self._record(saving, result)
                if record is None and self._reading.possible:
                    left.append((write, id))
                else:
                    yield self._saved(write, id, record)
        if left:
            found = self._read_back([id for _, id in left])
            yield from (self._saved(write, id, found.get(id)) for write, id in left)

    def _saved(self, write: Write, id: str, record: WireRecord | None) -> Answer:
        """A create that is answered with a record of another key is not ours, whatever the answer says."""
        key = self._told.key
        if record is not None and write.action == "create" and key is not None and write.key is not None:
            held = take(record.data, key)
            if held not in (ABSENT, None, "", write.key):
                return Lost(write.ref, f"the answer to a create is the record {record.id}, whose key is {held!r:.80}")
        return Saved(write.ref, id, record)

    def _results(self, told: Save, data: Any, count: int) -> list[Any]:
        """One result a record, ABSENT where the answer has none."""
        found = value_at(data, told.results or "")
        rows = found if isinstance(found, list) else []
        if told.position is None:
            return [*rows[:count], *[ABSENT] * (count - len(rows))] if len(rows) <= count else [ABSENT] * count
        results: list[Any] = [ABSENT] * count
        failed = value_at(data, told.failures) if told.failures is not None else None
        for row in failed if isinstance(failed, list) else ():
            _place(results, whole_at(row, told.failure_position or ""), _Failed(row))
        for row in rows:
            _place(results, whole_at(row, told.position), row)
        return [ABSENT if one is _TWICE else one for one in results]

    def _not_saved(self, saving: _Saving, write: Write, result: Any) -> Answer:
        told = saving.told
        if _yes(told.moved, result):
            return Moved(write.ref)
        if write.action == "create" and _yes(told.exists, result):
            return self._double(saving, write, result)
        return self._refused(told, write, result, 0)

    # what comes back ---------------------------------------------------------------------------------------------

    def _id(self, told: Save, write: Write, data: Data, result: Any) -> str | None:
        """The id in the answer, or the one that we know, or gave ourselves."""
        found = value_at(result, told.id) if told.id is not None and result is not None else ABSENT
        if found is ABSENT or found is None or found == "":
            found = write.id if write.id is not None else self._given(data)
        return as_id(found)

    def _record(self, saving: _Saving, result: Any) -> WireRecord | None:
        if saving.told.item is None:
            return None
        try:
            row = one_at(result, saving.told.item, lambda: f"the answer to a write of {self._kind}")
            return None if row is None else self._reading.record(row)
        except BadAnswer:  # it was saved all the same, and is read back
            return None

    def _read_back(self, ids: Sequence[str]) -> dict[str, WireRecord]:
        """What the system holds now. That it cannot be read this moment must not hide that it was saved: then the next
        reading finds it."""
        if not self._reading.possible:
            return {}
        try:
            return {one.id: one for one in self._reading.by_id(ids) if not isinstance(one, Missing)}
        except RemoteError:
            return {}

    def _refused(self, told: Save, write: Write, data: Any, status: int) -> Refused:
        reason = text_at(data, told.text) or json.dumps(data)[:300]
        code = text_at(data, told.code) or (str(status) if status else "")
        return Refused(write.ref, reason, field_at(data, told.field), code)

    def _double(self, saving: _Saving, write: Write, result: Any) -> Answer:
        """Something stands there already: it is ours if it has our key, else it is in the way."""
        refused = self._refused(saving.told, write, result, 409)
        if write.key is None or "key" not in self._told.find:
            return refused
        try:
            ours = next(self._reading.find("own_key", [write.key]), None)
        except RemoteError as error:
            return Lost(write.ref, f"a double is reported, and our key cannot be searched: {error}")
        return refused if ours is None else Saved(write.ref, ours.id, ours, existed=True)


@dataclass(frozen=True)
class _Failed:
    """A result out of the list of failures."""

    told: Any


def _is_saved(saving: _Saving, result: Any) -> bool:
    """Does its result say that the record is saved? None where a call is all or nothing: then it was all."""
    return (
        result is not ABSENT and not isinstance(result, _Failed) and (saving.told.results is None or saving.ok(result))
    )


_TWICE = object()
"""Two results speak of one record: neither is believed."""


def _place(results: list[Any], at: int | None, told: Any) -> None:
    if at is not None and at < len(results):
        results[at] = told if results[at] is ABSENT else _TWICE


class _Saving:
    """A call that writes, made for being sent often."""

    def __init__(self, told: Save) -> None:
        self.told = told
        self.call = Call(told)
        self.also = [(place, compiled(value)) for place, value in told.also.items()]
        self.each = None if told.each == "{record}" else compiled(told.each)
        self.ok: Callable[[Any], bool] = told.ok.asked() if told.ok else lambda result: True


def _made(each: Callable[[Data], Any], known: Data) -> Any:
    made = each(known)
    return {} if made is NOTHING else made


def _yes(condition: Condition | None, data: Any) -> bool:
    return condition is not None and condition.holds(data)


def _nulls(map: FieldMap) -> dict[str, Any]:
    """What every written place holds when there is nothing to tell."""
    found: dict[str, Any] = {}
    for one in map.fields:
        if one.write != "never":
            for path in one.path.split(" + "):
                found[path] = one.convert.null
    return found


AtOnce = Callable[[Data], str | None]


def _composer(
    place: str, template: str
) -> tuple[str, list[Callable[[Any], Any]], AtOnce | None, Callable[[list[Any]], str]]:
    """The getters of its parts, and how it is made of them; `AtOnce` where they are texts that lie at the top."""
    paths = template_paths(template)
    form = PLACE.sub(lambda found: f"{{{paths.index(found[1])}}}", template)

    def made(parts: list[Any]) -> str:
        return form.format(*("" if part is None or part is ABSENT else part for part in parts))

    flat = (
        len(paths) > 1 and len(PLACE.findall(template)) == len(paths) and not any("." in one for one in (*paths, place))
    )
    return place, [getter(path) for path in paths], _at_once(template, paths) if flat else None, made


def _at_once(template: str, paths: Sequence[str]) -> AtOnce:
    parts, quick = itemgetter(*paths), PLACE.sub("%s", template.replace("%", "%%"))

    def made(data: Data) -> str | None:
        try:
            told = parts(data)
        except KeyError:
            return None
        return None if None in told else quick % told

    return made
