"""What both simulated systems have in common: tables, the way in for every write, stats, events, faults.

Subclasses say which objects there are, how a row looks on the wire, and which events leave.
"""

import hashlib
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import orjson

from datong.sandbox.clock import SECOND, Clock
from datong.sandbox.faults import Call, Faults, current_call
from datong.sandbox.fields import Check, Field, Manner, Row, find_field, without
from datong.sandbox.refusals import BadRequest, Duplicate, Invalid, Key, NoSuchObject, Problem, Stale
from datong.sandbox.rows import State, Table, View
from datong.sandbox.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Spec:
    """One object of a system. `prefix` makes text ids; without it they are numbers."""

    name: str
    singular: str
    fields: tuple[Field, ...]
    label: str
    label_zh: str
    title: str  # the field that names a row
    prefix: str | None = None
    id_field: str = "id"
    made_here: bool = False  # only people and the system itself make such rows; the API reads them
    columns: tuple[str, ...] = ()  # what the list on its page shows; else its first fields

    def key(self, number: int) -> Key:
        return f"{self.prefix}-{number:06d}" if self.prefix else number


@dataclass(frozen=True, slots=True)
class Step:
    """A button on the page of a row."""

    name: str
    label: str
    label_zh: str


class Listener(Protocol):
    """A port that stays bound while nobody listens there."""

    def open(self) -> None: ...

    def close(self, keep: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Written:
    """A stored write: the new state and the fields the system did not know."""

    state: State
    ignored: Sequence[str]


class System(ABC):
    name: ClassVar[str]
    title: ClassVar[str]
    title_zh: ClassVar[str]
    specs: ClassVar[Mapping[str, Spec]]
    manner: ClassVar[Manner]
    tick: ClassVar[int]  # precision of change times, in microseconds
    api: ClassVar[str]  # where the API begins; faults fire only there
    own_key: ClassVar[str]  # the unique field that is free for the caller
    merge_object: ClassVar[str]

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.seed = seed
        self.faults = Faults(seed)
        self.lock = threading.RLock()
        self.url = ""
        self.token = f"{self.name}-{_digest(seed, self.name, 'write')}"
        self.read_token = f"{self.name}-{_digest(seed, self.name, 'read')}"
        self.webhooks = Webhooks(clock, self.sign)
        self.out_of_service = False
        self.late_commits = 0
        self.listener: Listener | None = None
        self.on_reset: Callable[[], None] | None = None
        self._undo: list[Callable[[], None]] | None = None
        self._pending: list[Callable[[], None]] = []
        self.empty()

    # In-process: what a person does, without HTTP.

    def rows(self, object: str) -> list[Row]:
        with self.lock:
            table = self.table(object)
            return [copied(table.live.states[key].data) for key in table.live.ids()]

    def get(self, object: str, key: Key) -> Row | None:
        with self.lock:
            state = self.table(object).live.states.get(key)
            return copied(state.data) if state else None

    def create(self, object: str, data: Mapping[str, Any]) -> Row:
        return copied(self.write(object, None, data).state.data)

    def edit(self, object: str, key: Key, changes: Mapping[str, Any], version: int | None = None) -> Row:
        return copied(self.write(object, key, changes, version).state.data)

    def delete(self, object: str, key: Key) -> None:
        with self.transaction():
            state = self.table(object).get(key)
            self._put(object, replace(state, version=state.version + 1, gone=True, data={}), "deleted")
            if object == self.merge_object:
                self.leave_children(key)

    def merge(self, object: str, keep: Key, loser: Key) -> Row:
        if object != self.merge_object or keep == loser:
            raise BadRequest(f"only two different {self.merge_object} can be merged")
        with self.transaction():
            kept, lost = self.table(object).get(keep), self.table(object).get(loser)
            trace = {self.own_key: lost.data[self.own_key]}
            gone = replace(lost, version=lost.version + 1, gone=True, merged_into=keep, data=trace)
            self._put(object, gone, "merged")
            for child_object, field in self.pointers(object):
                for child in self.table(child_object).live.find(field, loser):
                    own = (child_object, child.key) == (object, keep)
                    self.record(child_object, child.key, {field: None if own else keep})
            return copied(self.write(object, keep, self._inherited(kept, lost)).state.data)

    def stats(self) -> dict[str, Any]:
        with self.lock:
            return {
                "requests": dict(self._requests),
                "writes": {object: dict(counts) for object, counts in self._writes.items()},
                "edits": {object: dict(counts) for object, counts in self._edits.items()},
                "webhooks": dict(self._events),
            }

    def state(self) -> dict[str, Any]:
        with self.lock:
            merged = {name: {str(key): into for key, into in self.table(name).merged().items()} for name in self.specs}
            return {
                "system": self.name,
                "time": self.clock.now().isoformat(),
                "objects": {name: self.rows(name) for name in self.specs},
                "merged": {name: pairs for name, pairs in merged.items() if pairs},
                "webhooks": self.webhooks.subscriptions(),
                "faults": self.faults.rules(),
                "stats": self.stats(),
            }

    def reset(self) -> None:
        """Rows as seeded, no faults, no webhooks, no counts."""
        with self.lock:
            self.empty()
            if self.on_reset:
                self.on_reset()

    def down(self, closed: bool = True) -> None:
        """Out of reach, with its data: the port refuses, or (`closed=False`) every call gets 503."""
        if closed and self.listener:
            self.listener.close(keep=True)
        else:
            self.out_of_service = True

    def up(self) -> None:
        self.out_of_service = False
        if self.listener:
            self.listener.open()

    def settle(self, seconds: float = 5.0) -> bool:
        """Waits until webhooks and late commits are out; False when they are not in time."""
        deadline = time.monotonic() + seconds
        while not self.webhooks.idle() or self.late_commits:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    # For the API.

    def table(self, object: str) -> Table:
        try:
            return self._tables[object]
        except KeyError:
            raise NoSuchObject(object) from None

    def view(self, object: str, *actions: str) -> View:
        """The rows to read from: the present ones, or older ones where one of the faults fires."""
        table = self.table(object)
        rule = self.faults.take_one(object, *actions)
        return table.as_of(self.clock.micros() - round(rule.seconds(5) * SECOND)) if rule else table.live

    def write(self, object: str, key: Key | None, sent: Mapping[str, Any], version: int | None = None) -> Written:
        """Creates (no key) or changes a row; what was not sent stays."""
        with self.transaction():
            table, spec = self.table(object), self.specs[object]
            before = table.get(key) if key is not None else None
            if before and version is not None and version != before.version:
                raise Stale(before.version)
            held = before.data if before else {}
            data = self.faults.on_values(object, spec.fields, self.expand(spec, held, dict(sent)))
            check = self.check()
            values = check.merge(spec.fields, data, held)
            keep_read_only(spec.fields, check, values, held)
            if check.problems:
                raise Invalid(check.problems)
            self.permit(spec, held, values)
            return Written(self._store(spec, before, self.complete(spec, held, values)), check.ignored)

    def enter(self, object: str, data: Mapping[str, Any]) -> State:
        """A row that the system makes itself: checked, but what is read-only may be given."""
        with self.transaction():
            spec, check = self.specs[object], self.check()
            values = check.merge(spec.fields, data, {})
            if check.problems:
                raise Invalid(check.problems)
            return self._store(spec, None, self.complete(spec, {}, values))

    def record(self, object: str, key: Key, changes: Mapping[str, Any]) -> State:
        """The system's own change of a row: the values are stored as they are."""
        with self.transaction():
            spec, before = self.specs[object], self.table(object).get(key)
            held = {one.name: before.data[one.name] for one in spec.fields}
            return self._store(spec, before, {**held, **changes})

    def check(self) -> Check:
        return Check(self.manner, self._ref_exists, self._line_id)

    def encode(self, object: str, states: Sequence[State], variant: str = "") -> list[bytes]:
        """The rows as JSON, each encoded once as long as nothing hides a field."""
        hidden = self.faults.hidden(object)
        if hidden:
            return [orjson.dumps(self.strip(self.shape(state, variant), hidden)) for state in states]
        return [state.encoded.get(variant) or self._encode(state, variant) for state in states]

    def wire(self, object: str, state: State, variant: str = "") -> Row:
        """One row as this call may see it."""
        return self.strip(self.shape(state, variant), self.faults.hidden(object))

    def strip(self, row: Row, hidden: Sequence[str]) -> Row:
        for path in hidden:
            row = without(row, path)
        return row

    def count_request(self, call: Call) -> None:
        with self.lock:
            self._requests[f"{call.method} {call.object}"] += 1

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are kept, or none; events leave when the outermost one ends well."""
        with self.lock:
            outermost = self._undo is None
            undo = self._undo = self._undo if self._undo is not None else []
            events, mark, said = self._pending, len(undo), len(self._pending)
            try:
                yield
            except BaseException:
                while len(undo) > mark:
                    undo.pop()()
                del events[said:]
                raise
            finally:
                if outermost:
                    self._undo = None
            if outermost:
                for event in events:
                    event()
                events.clear()

    def forget_counts(self) -> None:
        """What was done up to now was the seed's doing."""
        self._edits.clear()

    def undo_with(self, undo: Callable[[], None]) -> None:
        """What takes back a change beside the rows, when the transaction at work is."""
        if self._undo is not None:
            self._undo.append(undo)

    def line_id(self) -> int:
        """A new id for a line that the system adds itself."""
        self._lines += 1
        return self._lines

    def load(self, object: str, data: Row, at: int) -> Key:
        """For the seed: a row as it was entered long ago. Nobody is told."""
        spec = self.specs[object]
        check = self.check()
        values = check.merge(spec.fields, data, {})
        if check.problems:
            raise Invalid(check.problems)
        state = self._first_state(spec, self.complete(spec, {}, values), at - at % self.tick, at)
        self.table(object).put(state)
        return state.key

    def empty(self) -> None:
        self._tables = {name: Table(name, self.fold, spec.key) for name, spec in self.specs.items()}
        self._lines = 0
        self._event_count = 0
        self._requests: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._writes: dict[str, Counter[str]] = {}
        self._edits: dict[str, Counter[str]] = {}
        self.faults.clear()
        self.webhooks.clear()

    # What a subclass says.

    @abstractmethod
    def fold(self, value: Any) -> str:
        """How values are compared in a search."""

    @abstractmethod
    def envelope(self, spec: Spec, state: State, values: Row) -> Row:
        """The row with the fields every row has."""

    def shape(self, state: State, variant: str) -> Row:
        """The row in the variant a reader asked for."""
        return state.data

    @abstractmethod
    def expand(self, spec: Spec, held: Row, sent: Row) -> Row:
        """Turns special forms of a change into plain fields, and takes out what every row has."""

    def permit(self, spec: Spec, held: Row, values: Row) -> None:  # noqa: B027  most rows may be changed
        """Raises a Refusal where the rules of the business forbid a writer this change."""

    def steps(self, object: str, row: Row) -> Sequence[Step]:
        """What a person may do next with a row, beside editing it."""
        return ()

    def take_step(self, object: str, key: Key, name: str) -> None:
        """Raises a Refusal where it cannot be done."""
        raise BadRequest(f"{object} have no step {name}")

    def complete(self, spec: Spec, held: Row, values: Row) -> Row:
        """Values the system works out from others, such as totals; `held` is empty for a new row."""
        return values

    def pointers(self, object: str) -> list[tuple[str, str]]:
        """The objects and fields that point to a row of `object` by its id; those inside lines are left out."""
        return [
            (name, one.name)
            for name, spec in self.specs.items()
            for one in spec.fields
            if one.ref == object and one.ref_by == "id"
        ]

    def assign(self, spec: Spec, key: Key, values: Row) -> Row:
        """Values the system gives itself."""
        return values

    @abstractmethod
    def event(self, object: str, state: State, happened: str) -> Row:
        """The body of the notice that something happened."""

    @abstractmethod
    def sign(self, secret: str, body: bytes) -> dict[str, str]:
        """The headers that vouch for a notice."""

    @abstractmethod
    def leave_children(self, key: Key) -> None:
        """What becomes of the contacts and children of a deleted row."""

    # Inside.

    def _store(self, spec: Spec, before: State | None, values: Row) -> State:
        now = self.clock.micros()
        late = self.faults.take_one(spec.name, "late_row")
        updated = now - round(late.seconds(5) * SECOND) if late else now
        updated -= updated % self.tick
        key = before.key if before else None
        self._refuse_duplicates(spec, key, values)
        if before is None:
            return self._put(spec.name, self._first_state(spec, values, updated, now), "created")
        state = replace(before, version=before.version + 1, updated=updated, committed=now, encoded={})
        return self._put(spec.name, self._finish(spec, state, values), "updated")

    def _first_state(self, spec: Spec, values: Row, updated: int, now: int) -> State:
        key = self.table(spec.name).next_key()
        state = State(key, 1, updated, updated, now, {})
        return self._finish(spec, state, values)

    def _finish(self, spec: Spec, state: State, values: Row) -> State:
        values = self.assign(spec, state.key, values)
        return replace(state, data=self.envelope(spec, state, values), active=values.get("active", True))

    def _put(self, object: str, state: State, happened: str) -> State:
        if state.gone:
            state = replace(state, committed=self.clock.micros(), encoded={})
        undo = self.table(object).put(state)
        assert self._undo is not None
        self._undo.append(undo)
        self._pending.append(lambda: self._tell(object, state, happened))
        return state

    def _tell(self, object: str, state: State, happened: str) -> None:
        counts = self._edits if current_call.get() is None else self._writes
        counts.setdefault(object, Counter())[str(state.key)] += 1
        if not self.webhooks.wanted():
            return
        self._event_count += 1
        if self.faults.take_one(object, "lose_webhooks"):
            self._events["lost"] += 1
            return
        twice = self.faults.take_one(object, "duplicate_webhooks")
        late = self.faults.take_one(object, "reorder_webhooks")
        body = orjson.dumps(self.event(object, state, happened))
        self._events["sent"] += 2 if twice else 1
        self.webhooks.send(body, 2 if twice else 1, late.seconds(0.5) if late else 0.0)

    def _refuse_duplicates(self, spec: Spec, key: Key | None, values: Row) -> None:
        table = self.table(spec.name)
        for one in spec.fields:
            value = values[one.name]
            if not one.unique or value in (None, ""):
                continue
            for other in table.live.find(one.name, value):
                if other.key != key:
                    raise Duplicate(one.name, other.key)
            heir = table.heir(one.name, value)
            if heir is not None and heir != key:
                raise Duplicate(one.name, heir)

    def _ref_exists(self, object: str, by: str, value: Any) -> bool:
        view = self.table(object).live
        return value in view.states if by == "id" else any(one.data[by] == value for one in view.find(by, value))

    def _line_id(self, one: Field) -> str | int:
        self._lines += 1
        return f"{one.line_prefix}-{self._lines:06d}" if one.line_prefix else self._lines

    def _inherited(self, kept: State, lost: State) -> Row:
        """What a kept row takes from the one merged into it: plain values where its own are empty."""
        plain = ("text", "email", "decimal", "ref", "option")
        fields = self.specs[self.merge_object].fields
        names = [one.name for one in fields if one.type in plain and not one.unique and not one.read_only]
        return {
            name: lost.data[name]
            for name in names
            if not kept.data[name] and lost.data[name] and lost.data[name] not in (kept.key, lost.key)
        }

    def _encode(self, state: State, variant: str) -> bytes:
        body = state.encoded[variant] = orjson.dumps(self.shape(state, variant))
        return body


def known_field(system: System, object: str, path: str) -> bool:
    """Whether rows of the object can be searched by the path."""
    spec = system.specs[object]
    return path == spec.id_field or find_field(spec.fields, path) is not None


def keep_read_only(fields: Sequence[Field], check: Check, values: Row, held: Row, at: str = "") -> None:
    """Notes a problem for each field that only the system gives, where it would change."""
    for one in fields:
        value = values.get(one.name)
        if one.read_only and value != (held[one.name] if one.name in held else check.default(one)):
            check.problems[f"{at}{one.name}"] = Problem("READ_ONLY", "given by the system")
        elif one.type == "lines":
            before = {line[one.line_id]: line for line in held.get(one.name, [])}
            for i, line in enumerate(value or []):
                if line:  # empty where it was no line at all; that is told already
                    there = before.get(line[one.line_id], {})
                    keep_read_only(one.fields, check, line, there, f"{at}{one.name}[{i}].")


def copied(row: Row) -> Row:
    """A row that its reader may change."""
    twin: Row = orjson.loads(orjson.dumps(row))
    return twin


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]
