"""Looking up a few records instead of comparing all: keys kept in a table, and how far a decision reaches.

The store keeps `keys(fields, identity)` of every record, one row each (record, rule, value, strong), with the
identity's `fingerprint`; rows are rewritten when the record or the fingerprint changes. On a sync with a few new
records:

    near, far = ...                      # two `Lookup`s: the table, restricted to each system (Index is one in memory)
    found = reach(new_ids, near, far, identity)
    matches = decide(load(found.near), load(found.far), identity, decisions, found.counts).about(left=new_ids)

which gives for these records what `decide` on the two complete sets gives. Write the keys of the new records first: a
record counts among the holders of its own keys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Protocol

from datong.matching.decide import Candidate
from datong.matching.rules import Identity, Key, keys


class Lookup(Protocol):
    """The key table of one system. Each method is one query, whatever the number of keys or records."""

    def keys_of(self, ids: Collection[int]) -> Mapping[int, Collection[Key]]:
        """The stored keys of these records."""

    def counts(self, keys: Collection[Key]) -> Mapping[Key, int]:
        """How many records hold each key; a key nobody holds may be left out."""

    def holders(self, keys: Collection[Key]) -> Mapping[Key, Collection[int]]:
        """Which records hold each key."""


class Index:
    """A `Lookup` in memory, from `(id, keys)` pairs that were stored or from candidates."""

    def __init__(self, stored: Iterable[tuple[int, Iterable[Key]]] = ()) -> None:
        self._keys: dict[int, tuple[Key, ...]] = {}
        self._holders: dict[Key, set[int]] = defaultdict(set)
        for id, found in stored:
            self.put(id, found)

    @classmethod
    def of(cls, candidates: Iterable[Candidate], identity: Identity) -> Index:
        return cls((one.id, keys(one.fields, identity)) for one in candidates)

    def put(self, id: int, found: Iterable[Key]) -> None:
        """Enter a record, or replace its keys."""
        self.remove(id)
        self._keys[id] = tuple(found)
        for key in self._keys[id]:
            self._holders[key].add(id)

    def remove(self, id: int) -> None:
        for key in self._keys.pop(id, ()):
            self._holders[key].discard(id)

    def keys_of(self, ids: Collection[int]) -> dict[int, tuple[Key, ...]]:
        return {id: self._keys.get(id, ()) for id in ids}

    def counts(self, keys: Collection[Key]) -> dict[Key, int]:
        return {key: len(self._holders.get(key, ())) for key in keys}

    def holders(self, keys: Collection[Key]) -> dict[Key, frozenset[int]]:
        return {key: frozenset(self._holders.get(key, ())) for key in keys}


@dataclass(frozen=True, slots=True)
class Reach:
    """The records to fetch on each side, and how many hold their keys in all."""

    near: frozenset[int]
    far: frozenset[int]
    counts: Mapping[Key, tuple[int, int]]


def reach(
    start: Collection[int], near: Lookup, far: Lookup, identity: Identity, start_far: Collection[int] = ()
) -> Reach:
    """Everything a decision about `start` (records of the near side; `start_far`: of the far side) depends on.

    Who shares any key with them, and from there on who shares a strong key with anyone found, until nobody is added:
    "exactly one holds it" is then known for all. Keys held by too many are counted but not followed."""
    walk = _Walk(near, far, identity)
    walk.follow(start, start_far, strong_only=False)
    step: tuple[Set[int], Set[int]] = (walk.near, walk.far)
    while step[0] or step[1]:
        step = walk.follow(*step, strong_only=True)
    return Reach(frozenset(walk.near), frozenset(walk.far), walk.counts)


class _Walk:
    def __init__(self, near: Lookup, far: Lookup, identity: Identity) -> None:
        self.sides = near, far
        self.caps = identity.caps
        self.near: set[int] = set()
        self.far: set[int] = set()
        self.counts: dict[Key, tuple[int, int]] = {}
        self._followed: set[Key] = set()

    def follow(self, near: Collection[int], far: Collection[int], *, strong_only: bool) -> tuple[set[int], set[int]]:
        """Add these records and those that share a key with them; returns who was added beyond what was known."""
        before = set(self.near), set(self.far)
        self.near |= set(near)
        self.far |= set(far)
        held = [side.keys_of(ids) for side, ids in zip(self.sides, (near, far), strict=True) if ids]
        fresh = {key for rows in held for found in rows.values() for key in found if key.strong or not strong_only}
        fresh -= self._followed
        self._followed |= fresh
        self._count(fresh)
        worth = [key for key in fresh if max(self.counts[key]) <= self.caps[key.rule]]
        if worth:
            ours, theirs = (side.holders(worth) for side in self.sides)
            strong = [key for key in worth if key.strong]
            self.far |= {id for found in theirs.values() for id in found}
            self.near |= {id for key in strong for id in ours.get(key, ())}
            if far and not strong_only:
                self.near |= {id for found in ours.values() for id in found}
        return self.near - before[0], self.far - before[1]

    def _count(self, fresh: Collection[Key]) -> None:
        if not fresh:
            return
        ours, theirs = (side.counts(fresh) for side in self.sides)
        self.counts.update({key: (ours.get(key, 0), theirs.get(key, 0)) for key in fresh})
