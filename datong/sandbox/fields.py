"""What a field may hold, and the check that turns what was sent into what is stored.

A `lines` field is a list of objects with an id each; a `group` is one object with fixed keys. Both check their
own `fields`, and what was sent for them is laid over what is there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from datong.sandbox.refusals import Problem

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: str = "text"  # text, email, bool, int, decimal, date, moment, option, ref, lines, group
    label: str = ""
    label_zh: str = ""
    max_length: int | None = None
    decimals: int | None = None
    required: bool = False
    unique: bool = False
    read_only: bool = False
    custom: bool = False
    sparse: bool = False  # a group that holds only the keys once written
    options: tuple[str, ...] = ()
    ref: str | None = None  # the object referred to
    ref_by: str = "id"  # by its id or by its code
    unknown: str = "INVALID"  # what a reference to nothing is called
    default: Any = None
    fields: tuple["Field", ...] = ()
    line_id: str = "id"
    line_prefix: str | None = None  # ids of lines are texts with this prefix, or numbers


@dataclass(frozen=True, slots=True)
class Manner:
    """How one system treats values: what empty looks like, whether decimals are padded, what an unknown field is."""

    empty_text: str | None
    pad_decimals: bool
    unknown_is_error: bool
    times: str = "microseconds"


@dataclass(slots=True)
class Check:
    """One pass over what was sent. Collects problems and ignored names instead of stopping at the first."""

    manner: Manner
    ref_exists: Callable[[str, str, Any], bool]
    new_line_id: Callable[[Field], str | int]
    problems: dict[str, Problem] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    def merge(self, fields: Sequence[Field], sent: Mapping[str, Any], held: Mapping[str, Any], at: str = "") -> Row:
        """`held` with `sent` laid over it, checked; every known field is present in the answer."""
        known = _by_name(fields)
        for name in sent:
            if name not in known:
                self._unknown(f"{at}{name}")
        result: Row = {}
        for name, one in known.items():
            value = held[name] if name in held else self.default(one)
            result[name] = self._value(one, sent[name], value, f"{at}{name}") if name in sent else value
            if one.required and _is_empty(result[name]):
                self.problems.setdefault(f"{at}{name}", Problem("REQUIRED", "required"))
        return result

    def lines(self, one: Field, sent: Any, held: Sequence[Row], at: str) -> list[Row]:
        """The whole list: known ids are changed, items without id are new, missing ones go."""
        if sent is None:
            return []
        if not isinstance(sent, list):
            self._wrong(at, "must be a list", sent)
            return list(held)
        existing = {line[one.line_id]: line for line in held}
        return [self.line(one, item, existing, f"{at}[{i}]") for i, item in enumerate(sent)]

    def line(self, one: Field, item: Any, existing: Mapping[Any, Row], at: str) -> Row:
        if not isinstance(item, dict):
            self._wrong(at, "must be an object", item)
            return {}
        key = item.get(one.line_id)
        if key is not None and (not isinstance(key, str | int) or key not in existing):
            self._wrong(f"{at}.{one.line_id}", "unknown", key)
            return {}
        rest = {name: value for name, value in item.items() if name != one.line_id}
        held = existing[key] if key is not None else {}
        merged = self.merge(one.fields, rest, held, f"{at}.")
        return {one.line_id: self.new_line_id(one) if key is None else key, **merged}

    def default(self, one: Field) -> Any:
        if one.type == "lines":
            return []
        if one.type == "group":
            return {} if one.sparse else {inner.name: self.default(inner) for inner in one.fields}
        if one.type in ("text", "email") and one.default is None:
            return self.manner.empty_text
        return one.default

    def _value(self, one: Field, value: Any, held: Any, at: str) -> Any:
        if one.type == "lines":
            return self.lines(one, value, held, at)
        if one.type == "group":
            return self._group(one, value, held, at)
        if value is None:
            return self.default(one) if one.type in ("text", "email", "bool") else None
        if value == "" and one.type != "bool":
            return "" if one.type in ("text", "email") else None
        return _PLAIN[one.type](self, one, value, at)

    def _group(self, one: Field, value: Any, held: Any, at: str) -> Any:
        if value is None:
            return self.default(one)
        if not isinstance(value, dict):
            return self._wrong(at, "must be an object", held)
        merged = self.merge(one.fields, value, held or {}, f"{at}.")
        return {name: part for name, part in merged.items() if name in value or name in held} if one.sparse else merged

    def _text(self, one: Field, value: Any, at: str) -> Any:
        if not isinstance(value, str):
            return self._wrong(at, "must be a text", value)
        if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
            return self._wrong(at, "holds half a character", value)
        if one.max_length is not None and len(value) > one.max_length:
            self.problems[at] = Problem("TOO_LONG", f"at most {one.max_length} characters")
        return value

    def _email(self, one: Field, value: Any, at: str) -> Any:
        if isinstance(value, str) and "@" not in value:
            return self._wrong(at, "must contain @", value)
        return self._text(one, value, at)

    def _bool(self, one: Field, value: Any, at: str) -> Any:
        return value if isinstance(value, bool) else self._wrong(at, "must be true or false", value)

    def _int(self, one: Field, value: Any, at: str) -> Any:
        number = _as_int(value)
        return self._wrong(at, "must be a whole number", value) if number is None else number

    def _decimal(self, one: Field, value: Any, at: str) -> Any:
        number = as_decimal(value)
        if number is None:
            return self._wrong(at, "must be a number", value)
        places = one.decimals or 0
        if number != number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):
            return self._wrong(at, f"at most {places} decimals", value)
        return write_decimal(number, places if self.manner.pad_decimals else None)

    def _date(self, one: Field, value: Any, at: str) -> Any:
        """A calendar day, `2026-11-22` and nothing else."""
        try:
            return date.fromisoformat(value).isoformat() if len(value) == 10 else self._wrong(at, "not a date", value)
        except (TypeError, ValueError):
            return self._wrong(at, "not a date", value)

    def _moment(self, one: Field, value: Any, at: str) -> Any:
        """A time with its zone; kept in UTC, as exact as this system's times are."""
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return self._wrong(at, "not a time", value)
        if moment.tzinfo is None:
            return self._wrong(at, "a time needs its zone", value)
        return moment.astimezone(UTC).isoformat(timespec=self.manner.times).replace("+00:00", "Z")

    def _option(self, one: Field, value: Any, at: str) -> Any:
        if value in one.options:
            return value
        return self._wrong(at, f"must be one of {', '.join(one.options)}", value)

    def _ref(self, one: Field, value: Any, at: str) -> Any:
        if isinstance(value, str | int) and not isinstance(value, bool):
            if self.ref_exists(one.ref or "", one.ref_by, value):
                return value
            number = _as_int(value)
            if number is not None and self.ref_exists(one.ref or "", one.ref_by, number):
                return number
        self.problems[at] = Problem(one.unknown, f"no such row in {one.ref}")
        return value

    def _unknown(self, at: str) -> None:
        if self.manner.unknown_is_error:
            self.problems[at] = Problem("UNKNOWN_FIELD", "unknown field")
        else:
            self.ignored.append(at)

    def _wrong(self, at: str, message: str, value: Any) -> Any:
        self.problems[at] = Problem("INVALID", message)
        return value


_PLAIN: dict[str, Callable[[Check, Field, Any, str], Any]] = {
    "text": Check._text,
    "email": Check._email,
    "bool": Check._bool,
    "int": Check._int,
    "decimal": Check._decimal,
    "date": Check._date,
    "moment": Check._moment,
    "option": Check._option,
    "ref": Check._ref,
}


_NAMES: dict[int, tuple[Sequence[Field], dict[str, Field]]] = {}


def _by_name(fields: Sequence[Field]) -> dict[str, Field]:
    """Looked up by identity: the sequences are constants, and hashing them costs more than a check."""
    found = _NAMES.get(id(fields))
    if found is None:
        found = _NAMES[id(fields)] = (fields, {one.name: one for one in fields})
    return found[1]


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _as_int(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return None


def as_decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal("1e15") else None


def write_decimal(number: Decimal, places: int | None) -> str:
    """Padded to `places`, or as short as it goes."""
    if places is not None:
        return f"{number:.{places}f}"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def find_field(fields: Sequence[Field], path: str) -> Field | None:
    """The field at a dotted path, or None."""
    head, _, rest = path.partition(".")
    one = next((one for one in fields if one.name == head), None)
    if one is None or not rest:
        return one
    if one.type == "lines" and rest == one.line_id:
        return one
    return find_field(one.fields, rest)


def pluck(data: Any, path: str) -> Iterator[Any]:
    """Every value at a dotted path, through lists."""
    head, _, rest = path.partition(".")
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, dict) and head in item:
            if rest:
                yield from pluck(item[head], rest)
            else:
                yield item[head]


def alter(data: Any, path: str, change: Callable[[Any], Any]) -> Any:
    """A copy of `data` with every value at a dotted path changed, through lists; absent values stay absent."""
    if isinstance(data, list):
        return [alter(item, path, change) for item in data]
    head, _, rest = path.partition(".")
    if not isinstance(data, dict) or head not in data:
        return data
    return {**data, head: alter(data[head], rest, change) if rest else change(data[head])}


def without(data: Any, path: str) -> Any:
    """A copy of `data` without a dotted path, through lists."""
    if isinstance(data, list):
        return [without(item, path) for item in data]
    head, _, rest = path.partition(".")
    if not isinstance(data, dict) or head not in data:
        return data
    if rest:
        return {**data, head: without(data[head], rest)}
    return {name: value for name, value in data.items() if name != head}


def inner_paths(name: str, paths: Sequence[str]) -> list[str]:
    """The paths below a field, as that field sees them."""
    return [path.removeprefix(f"{name}.") for path in paths if path.startswith(f"{name}.")]
