"""The one door for JSON: orjson, with `Decimal` as text so that no amount becomes a float."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import orjson

from datong.base.money import plain


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"cannot be written as JSON: {type(value).__name__}")


def encode(value: Any) -> bytes:
    return orjson.dumps(value, default=_default)


def dumps(value: Any) -> str:
    return encode(value).decode()


def canonical(value: Any) -> bytes:
    """Bytes that are equal when the values are equal: keys sorted, no spaces."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_SORT_KEYS)


def loads(text: str | bytes) -> Any:
    """Raises ValueError with the position where the text stops being JSON."""
    return orjson.loads(text)


def pretty(value: Any) -> str:
    return orjson.dumps(value, default=_default, option=orjson.OPT_INDENT_2).decode()


def digest(value: Any) -> str:
    """A short, stable fingerprint of a JSON value."""
    return hashlib.sha256(canonical(value)).hexdigest()[:16]
