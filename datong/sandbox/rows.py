"""The rows of one object: present state in change order, search indexes, and a history for reads that lag.

Rows are never changed in place: a write puts a new `State`. Ids grow, so their order is the order of creation.
"""

import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from datong.sandbox.fields import Row, pluck
from datong.sandbox.refusals import Key, Merged, NotFound

_HISTORY = 32


@dataclass(frozen=True, slots=True)
class State:
    """A row as it was from `committed` on. `data` is complete and on the wire as it stands."""

    key: Key
    version: int
    created: int
    updated: int
    committed: int
    data: Row
    active: bool = True
    gone: bool = False
    merged_into: Key | None = None
    encoded: dict[str, bytes] = field(default_factory=dict, compare=False)


class View:
    """The rows at one moment, in change order."""

    def __init__(self, fold: Callable[[Any], str]) -> None:
        self.states: dict[Key, State] = {}
        self.order: list[tuple[int, Any]] = []
        self._fold = fold
        self._indexes: dict[str, dict[str, dict[Key, None]]] = {}

    def put(self, state: State) -> None:
        self.remove(state.key)
        self.states[state.key] = state
        bisect.insort(self.order, (state.updated, state.key))
        for path, index in self._indexes.items():
            self._enter(index, path, state)

    def remove(self, key: Key) -> None:
        old = self.states.pop(key, None)
        if old is None:
            return
        del self.order[bisect.bisect_left(self.order, (old.updated, key))]
        for path, index in self._indexes.items():
            for value in pluck(old.data, path):
                index.get(self._fold(value), {}).pop(key, None)

    def after(self, updated: int, key: Key | None, inclusive: bool) -> Iterator[State]:
        """In change order from a point on; without key, from that time on."""
        start = 0
        if key is not None:
            find = bisect.bisect_left if inclusive else bisect.bisect_right
            start = find(self.order, (updated, key))
        elif updated:
            start = bisect.bisect_left(self.order, updated, key=lambda entry: entry[0])
        for position in range(start, len(self.order)):
            yield self.states[self.order[position][1]]

    def ids(self) -> list[Any]:
        return sorted(self.states)

    def find(self, path: str, value: Any) -> list[State]:
        """Every row that holds the value at the path, by id."""
        index = self._indexes.get(path)
        if index is None:
            index = self._indexes[path] = {}
            for state in self.states.values():
                self._enter(index, path, state)
        keys: list[Any] = list(index.get(self._fold(value), ()))
        return [self.states[key] for key in sorted(keys)]

    def _enter(self, index: dict[str, dict[Key, None]], path: str, state: State) -> None:
        for value in pluck(state.data, path):
            index.setdefault(self._fold(value), {})[state.key] = None


class Table:
    def __init__(self, name: str, fold: Callable[[Any], str], make_key: Callable[[int], Key]) -> None:
        self.name = name
        self.live = View(fold)
        self._fold = fold
        self._make_key = make_key
        self._count = 0
        self._history: dict[Key, list[State]] = {}
        self._merged: set[Key] = set()

    def next_key(self) -> Key:
        self._count += 1
        return self._make_key(self._count)

    def get(self, key: Key) -> State:
        return self.get_from(self.live, key)

    def get_from(self, view: View, key: Key) -> State:
        state = view.states.get(key)
        if state is not None:
            return state
        if key in self._merged:
            raise Merged(key, self.survivor(key))
        raise NotFound(key)

    def survivor(self, key: Key) -> Key:
        """Where a chain of merges ends."""
        while (into := self._history[key][-1].merged_into) is not None:
            key = into
        return key

    def heir(self, field: str, value: Any) -> Key | None:
        """The living row into which the holder of a unique value was merged."""
        for key in self._merged:
            if self._history[key][-1].data.get(field) == value and (survivor := self.survivor(key)) in self.live.states:
                return survivor
        return None

    def merged(self) -> dict[Key, Key]:
        return {key: self.survivor(key) for key in self._merged}

    def put(self, state: State) -> Callable[[], None]:
        """Stores a new state; returns what takes it back."""
        past = self._history.setdefault(state.key, [])
        before = past[-1] if past else None
        past.append(state)
        del past[:-_HISTORY]
        self._show(state.key, state)

        def undo() -> None:
            past.pop()
            if not past:
                del self._history[state.key]
            self._show(state.key, before)

        return undo

    def as_of(self, moment: int) -> View:
        """The rows as they were committed at a moment."""
        view = View(self._fold)
        for past in self._history.values():
            state = next((one for one in reversed(past) if one.committed <= moment), None)
            if state is not None and not state.gone:
                view.put(state)
        return view

    def _show(self, key: Key, state: State | None) -> None:
        if state is not None and state.merged_into is not None:
            self._merged.add(key)
        else:
            self._merged.discard(key)
        if state is None or state.gone:
            self.live.remove(key)
        else:
            self.live.put(state)
