"""Canonical values are JSON scalars, one text for one meaning, so that equal values are equal as they are stored.

text: str (NFC, no surrounding space) · number: plain decimal text · money: `100.5 CNY` · truth: bool ·
date: `2026-11-21` · time: ISO UTC · reference: `kind:record id` · set: sorted list of str. Null is None.
"""

from __future__ import annotations

import types
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Literal, Union, cast, get_args, get_origin

from datong.base.clock import from_text, to_text
from datong.base.money import Money, decimal, plain

Value = str | bool | list[str] | None


def is_empty(value: Any) -> bool:
    """Null, blank text or an empty set; `False` and `0` are values."""
    return value is None or value == "" or value == []


def base_type(annotation: Any) -> Any:
    """`str` of `str | None`."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(a for a in get_args(annotation) if a is not type(None))
    return annotation


def type_name(annotation: Any) -> str:
    plain_type = base_type(annotation)
    if get_origin(plain_type) is Literal:
        return "choice"
    names = {str: "text", Decimal: "number", Money: "money", bool: "truth", date: "date", datetime: "time"}
    return names.get(plain_type, "set" if get_origin(plain_type) in (list, frozenset) else "any")


def reader(annotation: Any) -> Callable[[Any], Any]:
    """From the stored scalar to the Python value; a value that does not fit is returned as it is."""
    return partial(_typed, _READERS.get(type_name(annotation)))


def _typed(read: Callable[[str], Any] | None, value: Any) -> Any:
    if read is None or not isinstance(value, str):
        return value
    try:
        return read(value)
    except ValueError:
        return value


_READERS: dict[str, Callable[[str], Any]] = {
    "number": decimal,
    "money": Money.parse,
    "date": date.fromisoformat,
    "time": from_text,
}


def check(kind: str, value: Any) -> Value:
    """The one canonical scalar for `value` in a field of type `kind` (see `type_name`). Raises ValueError."""
    if value is None:
        return None
    if kind == "truth":
        if isinstance(value, bool):
            return value
        raise ValueError(f"not true or false: {value!r}")
    if kind == "number":
        return plain(decimal(value))
    if kind == "money":
        return str(value if isinstance(value, Money) else Money.parse(str(value)))
    if kind == "date":
        return date.fromisoformat(str(value)).isoformat()
    if kind == "time":
        return to_text(value if isinstance(value, datetime) else from_text(str(value)))
    if kind == "set":
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise ValueError(f"not a set: {value!r:.60}")
        return sorted({str(v) for v in value})
    if kind == "any":
        return cast(Value, value)
    if isinstance(value, (bool, dict, list)):
        raise ValueError(f"not a text: {value!r:.60}")
    return unicodedata.normalize("NFC", str(value)).strip() or None
