"""Records by the value of a field: kept as ties to numbers that stand for values.

Kept only for fields that a rule asks for: from the first time it asks, of every record of the kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from datong.store.bulk import Columns
from datong.store.schema import meta, records, ties
from datong.store.unit import Rec, Unit

_MARKS = Columns(meta, ("name", "value"))
_HELD = Columns(records, ("id", "agreed"))
_TIES = Columns(ties, ("from_id", "field", "to_id"))
_MARK = "sought:"
_BEGINS = "="
_LARGE = 1 << 62


def tied_as(field: str) -> str:
    """The field of a tie that says: the record has that value there."""
    return f"{_BEGINS}{field}"


def of_value(kind: str, field: str, value: str) -> int:
    """Stands for a value: no record, and nothing else that is looked at, has a number so far below zero."""
    told = blake2b(f"{kind}.{field}={value}".encode("utf8", "surrogatepass"), digest_size=8).digest()
    return -_LARGE - int.from_bytes(told, "big") % _LARGE


def said(field: str, value: Any) -> set[str]:
    """The forms in which a value is found."""
    text = value.strip().casefold() if isinstance(value, str) else ""
    if not text:
        return set()
    if field == "email":
        return {text, f"@{text.rpartition('@')[2]}"}
    if field == "website":
        return {text, text.partition("://")[2].partition("/")[0].removeprefix("www.") or text.removeprefix("www.")}
    return {text}


def sought(unit: Unit) -> dict[str, list[str]]:
    """Kind -> the fields by whose values its records are found."""
    found: dict[str, list[str]] = {}
    for name, _ in _MARKS.where(unit.tx, "name LIKE ?", f"{_MARK}%"):
        kind, _, field = name.removeprefix(_MARK).partition(":")
        found.setdefault(kind, []).append(field)
    return found


def marked(unit: Unit, kind: str, field: str) -> None:
    """From now on records of the kind are found by the field. Those that are there already are tied at once."""
    name = f"{_MARK}{kind}:{field}"
    if _MARKS.where(unit.tx, "name = ?", name):
        return
    _MARKS.insert(unit.tx, [(name, "1")])
    agreed = dict(_HELD.where(unit.tx, "kind = ? AND state = 'active'", kind))
    agreed.update({one.id: one.agreed for one in unit.records.values() if one.kind == kind and one.state == "active"})
    rows = [(i, tied_as(field), place) for i, told in agreed.items() for place in places(kind, (field,), told)]
    _TIES.insert(unit.tx, sorted(rows))


def values_of(record: Rec, fields: Iterable[str]) -> set[tuple[str, int]]:
    """The ties of a record to its values."""
    return {(tied_as(field), place) for field in fields for place in places(record.kind, (field,), record.agreed)}


def places(kind: str, fields: Iterable[str], agreed: dict[str, Any]) -> set[int]:
    return {of_value(kind, field, form) for field in fields for form in said(field, agreed.get(field))}
