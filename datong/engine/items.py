"""Collections: items told apart by key, merged item by item. Pure.

An item's fields are fields of the record under `<collection>.<key>.<field>`; `<collection>.<key>` itself is true
while the item exists. A link knows which native line id belongs to which key; systems without line ids are matched
by content, then by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datong.mapping import WireItem

MAIN = "main"


def keys_of(agreed: Mapping[str, Any], collection: str) -> list[str]:
    """Keys of the items that exist, in the order of their making."""
    head = f"{collection}."
    return [n[len(head) :] for n, v in agreed.items() if n.startswith(head) and "." not in n[len(head) :] and v]


def content(agreed: Mapping[str, Any], collection: str, key: str) -> dict[str, Any]:
    head = f"{collection}.{key}."
    return {n[len(head) :]: v for n, v in agreed.items() if n.startswith(head)}


def assign(agreed: Mapping[str, Any], collection: str, wire: Sequence[WireItem], known: Mapping[str, str]) -> list[str]:
    """A key for each wire item, in order: a known line id keeps its key; a new one takes the key of an equal item
    that no other line stands for, else a new key."""
    given: list[str | None] = []
    for item in wire:
        key = known.get(item.native_id) if item.native_id else None
        given.append(key if key not in given else None)  # a line id that comes twice stands for its first line
    free = [k for k in keys_of(agreed, collection) if k not in given and k not in known.values()]
    for alike in (_identical, _equal, _same_position, _same_product, _same_use):
        for position, item in enumerate(wire):
            if given[position] is None:
                match = next((k for k in free if alike(content(agreed, collection, k), item.values)), None)
                if match is not None:
                    given[position] = match
                    free.remove(match)
    if all(item.native_id is None for item in wire):
        for position in range(len(wire)):
            if given[position] is None and free:
                given[position] = free.pop(0)
    taken = {k for k in given if k} | _ever(agreed, collection) | set(known.values())
    for position in range(len(wire)):
        if given[position] is None:
            given[position] = _new_key(taken)
            taken.add(str(given[position]))
    return [str(k) for k in given]


def _ever(agreed: Mapping[str, Any], collection: str) -> set[str]:
    """Keys that are or were in use: a removed item's fields may still be there."""
    head = f"{collection}."
    return {n[len(head) :].partition(".")[0] for n in agreed if n.startswith(head)}


def _new_key(taken: set[str]) -> str:
    if MAIN not in taken:
        return MAIN
    number = len(taken) + 1
    while f"i{number}" in taken:
        number += 1
    return f"i{number}"


def _identical(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    names = ours.keys() | theirs.keys()
    return any(theirs.values()) and all(ours.get(n) == theirs.get(n) for n in names)


def _equal(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    shared = [n for n in theirs if n in ours and ours[n] is not None and theirs[n] is not None]
    return bool(shared) and all(ours[n] == theirs[n] for n in shared)


def _same_position(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Two lines in one place of a document, of one product where both say which."""
    position = ours.get("position")
    return position is not None and position == theirs.get("position") and _not_another_product(ours, theirs)


def _same_product(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Lines of one product, of which the system made other figures than it was told."""
    return ours.get("product") is not None and ours["product"] == theirs.get("product")


def _not_another_product(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return None in (ours.get("product"), theirs.get("product")) or ours["product"] == theirs["product"]


def _same_use(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Two addresses for the same use, of which at least the place agrees."""
    if ours.get("use") is not None and theirs.get("use") is not None and ours["use"] != theirs["use"]:
        return False
    return any(ours.get(n) is not None and ours.get(n) == theirs.get(n) for n in ("street", "postcode", "city"))


def flattened(collection: str, keys: Sequence[str], wire: Sequence[WireItem]) -> dict[str, Any]:
    """Field name -> value of all items, presence included."""
    flat: dict[str, Any] = {}
    for key, item in zip(keys, wire, strict=True):
        flat[f"{collection}.{key}"] = True
        for leaf, value in item.values.items():
            flat[f"{collection}.{key}.{leaf}"] = value
    return flat
