"""Field maps: declared data that says which wire path holds which canonical field, and how to convert.

The wire form of a record is kept by path, so that a changed map can read again what a system held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal

from datong.base.json import digest
from datong.canon.fields import Value
from datong.mapping.convert import Canonical, Converter, Foreign, text

WriteMode = Literal["overwrite", "if_new", "if_empty", "never"]


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""Not in this answer: no evidence of anything. Not null."""
JOIN: Final = " + "
"""Between the paths of a field that lies in several places."""


@dataclass(frozen=True)
class Field:
    """`name` is canonical, `path` the place in the wire record (dots go inside). `{company}` in both stands for each
    company of the connection. `write` says when our value may be written; `read` False makes a field write-only.

    A value that lies in several places has their paths joined: `street + house_no`. Its converter reads and writes a
    list, one value a path; a shorter list writes the first ones only."""

    name: str
    path: str
    convert: Converter = field(default_factory=text)
    write: WriteMode = "overwrite"
    read: bool = True

    @cached_property
    def nested(self) -> bool:
        """Is the path more than a plain name at the top of the record?"""
        return "." in self.path or JOIN in self.path

    def of_company(self, company: str) -> Field:
        return replace(self, name=self.name.replace("{company}", company), path=self.path.replace("{company}", company))


@dataclass(frozen=True)
class Items:
    """A collection: child records under `path`, each with its line id at `id` (None: the system has no line ids)."""

    name: str
    path: str
    fields: tuple[Field, ...]
    id: str | None = "id"
    write: WriteMode = "overwrite"


@dataclass(frozen=True)
class WireItem:
    """One item of a collection as read. `raw` is its wire form by path."""

    native_id: str | None
    values: dict[str, Canonical]
    raw: dict[str, Any]


@dataclass
class Reading:
    """What a wire record says in canonical words. A name that is in neither `values` nor `bad` is absent."""

    values: dict[str, Canonical] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)
    items: dict[str, list[WireItem]] = field(default_factory=dict)


def under_item(name: str) -> bool:
    """Is this the name of a part of an item?"""
    return name.count(".") >= 2 and not name.startswith(("company.", "custom."))


def take(wire: Mapping[str, Any], path: str) -> Any:
    """The value at `path`, or ABSENT; of joined paths a list, ABSENT where the first is."""
    if JOIN in path:
        first, *more = (take(wire, one) for one in path.split(JOIN))
        return ABSENT if first is ABSENT else [first, *(None if one is ABSENT else one for one in more)]
    here: Any = wire
    for step in path.split("."):
        if not isinstance(here, Mapping) or step not in here:
            return ABSENT
        here = here[step]
    return here


def getter(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """`take` with its path known beforehand: for what is done a million times."""
    if JOIN in path and "." not in path:
        first, *more = path.split(JOIN)

        def joined(wire: Mapping[str, Any]) -> Any:
            if first not in wire:
                return ABSENT
            return [wire[first], *map(wire.get, more)]

        return joined
    if JOIN in path or "." in path:
        return lambda wire: take(wire, path)
    return lambda wire: wire.get(path, ABSENT)


def put(wire: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at `path`, making what lies between; a list is spread over joined paths."""
    if JOIN in path:
        for number, (one, part) in enumerate(zip(path.split(JOIN), value, strict=False)):
            if part is not None or not number:
                put(wire, one, part)
        return
    *way, last = path.split(".")
    for step in way:
        wire = wire.setdefault(step, {})
    wire[last] = value


@dataclass(frozen=True)
class FieldMap:
    """One kind of record in one system. `native` is the system's own name of the object."""

    kind: str
    native: str
    fields: tuple[Field, ...]
    items: tuple[Items, ...] = ()
    own_key: str | None = None

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for one in self.fields:
            if one.name in seen:
                raise ValueError(f"{self.kind}: two entries map the field {one.name}")
            seen.add(one.name)

    def for_companies(self, companies: Iterable[str]) -> FieldMap:
        """With every `{company}` written out."""
        codes = list(companies)
        spread: list[Field] = []
        for one in self.fields:
            if "{company}" in one.name or "{company}" in one.path:
                spread.extend(one.of_company(code) for code in codes)
            else:
                spread.append(one)
        return replace(self, fields=tuple(spread))

    @cached_property
    def version(self) -> str:
        """Changes when the meaning of the map changes (names, paths, converters and their behaviour on examples), not
        with the order of its entries."""
        parts = sorted([i.name, i.path, i.id or "", i.write, _meaning(i.fields)] for i in self.items)
        return digest([self.kind, self.native, _meaning(self.fields), parts])

    @cached_property
    def _readers(self) -> tuple[tuple[str, str, Callable[[Any], Canonical]], ...]:
        return tuple((f.name, f.path, f.convert.from_wire) for f in self.fields if f.read)

    @cached_property
    def _paths(self) -> tuple[tuple[str, Callable[[Mapping[str, Any]], Any] | None], ...]:
        """Paths of the fields that are read, with how to take them where that is more than a look-up."""
        return tuple({f.path: getter(f.path) if f.nested else None for f in self.fields if f.read}.items())

    @cached_property
    def writers(self) -> tuple[tuple[str, Field, str | None, Callable[[Any], Any]], ...]:
        """Name, entry, path and converter of the fields that may be written; the path is None where more is to be done
        than to put what the converter gives in its place."""
        return tuple(
            (f.name, f, None if f.nested or f.convert.to else f.path, f.convert.write)
            for f in self.fields
            if f.write != "never"
        )

    def references(self, form: Mapping[str, Any]) -> list[Foreign]:
        """What the plain fields of a wire form point at."""
        found = []
        for path, from_wire in self._pointers:
            if path in form:
                try:
                    value = from_wire(form[path])
                except (ValueError, TypeError, ArithmeticError):
                    continue  # told when the record is read
                if isinstance(value, Foreign):
                    found.append(value)
        return found

    @cached_property
    def _pointers(self) -> tuple[tuple[str, Callable[[Any], Canonical]], ...]:
        return tuple((f.path, f.convert.from_wire) for f in self.fields if f.read and f.convert.to)

    @cached_property
    def under_items(self) -> tuple[str, ...]:
        """Plain fields that stand for a part of an item: `addresses.main.city` in a system with room for one."""
        return tuple(f.name for f in self.fields if under_item(f.name))

    def named(self, name: str) -> Field | None:
        """The entry of a plain field, or of a field of an item (`addresses.a1.city`)."""
        for one in self.fields:
            if one.name == name:
                return one
        head, _, rest = name.partition(".")
        leaf = rest.partition(".")[2]
        for collection in self.items:
            if collection.name == head:
                return next((f for f in collection.fields if f.name == leaf), None)
        return None

    def collection(self, name: str) -> Items | None:
        return next((i for i in self.items if i.name == name), None)

    def read(self, wire: Mapping[str, Any]) -> Reading:
        return self.read_form(self.wire_form(wire))

    def read_form(self, form: Mapping[str, Any]) -> Reading:
        """Read a wire form (values by path, see `wire_form`)."""
        reading = Reading()
        values = reading.values
        for name, path, from_wire in self._readers:
            if path in form:
                try:
                    values[name] = from_wire(form[path])
                except (ValueError, TypeError, ArithmeticError) as error:
                    reading.bad[name] = str(error)
        for collection in self.items:
            rows = form.get(collection.path, ABSENT)
            if rows is ABSENT:
                continue
            if rows is not None and not isinstance(rows, (list, tuple)):
                reading.bad[collection.name] = f"not a list: {rows!r:.60}"
                continue
            reading.items[collection.name] = [self._item(reading, collection, row) for row in rows or []]
        return reading

    def _item(self, reading: Reading, collection: Items, row: Mapping[str, Any]) -> WireItem:
        values: dict[str, Canonical] = {}
        bad: dict[str, str] = {}
        for one in collection.fields:
            _read_into(values, bad, one, row)
        native = take(row, collection.id) if collection.id else None
        shown = str(native) if native not in (None, ABSENT) else None
        for name, why in bad.items():
            reading.bad[f"{collection.name}.{shown}.{name}"] = why
        raw = {f.path: v for f in collection.fields if (v := take(row, f.path)) is not ABSENT}
        return WireItem(shown, values, raw)

    def wire_form(self, wire: Mapping[str, Any]) -> dict[str, Any]:
        """What the system holds, by path, of everything this map reads. Absent paths are left out."""
        form = {}
        for path, taken in self._paths:
            if taken is None:
                if path in wire:
                    form[path] = wire[path]
            elif (value := taken(wire)) is not ABSENT:
                form[path] = value
        for collection in self.items:
            rows = take(wire, collection.path)
            if rows is not ABSENT:
                form[collection.path] = rows
        return form

    def to_wire(self, name: str, value: Value) -> Any:
        """The wire value of a plain field or an item's field. References must be given as native ids already."""
        one = self.named(name)
        if one is None:
            raise KeyError(name)
        return one.convert.to_wire(value)


def _meaning(fields: Iterable[Field]) -> list[list[Any]]:
    told = []
    for one in fields:
        convert = one.convert
        shown = sorted(repr((example, convert.to_wire(example))) for example in convert.examples if not convert.to)
        behaviour = [convert.name, convert.to, convert.by, repr(convert.null), repr(convert.nothing), shown]
        told.append([one.name, one.path, one.write, one.read, behaviour])
    return sorted(told)


def _read_into(values: dict[str, Canonical], bad: dict[str, str], one: Field, wire: Mapping[str, Any]) -> None:
    raw = take(wire, one.path)
    if raw is ABSENT:
        return
    try:
        values[one.name] = one.convert.from_wire(raw)
    except (ValueError, TypeError, ArithmeticError) as error:
        bad[one.name] = str(error)
