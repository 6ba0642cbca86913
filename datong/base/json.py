"""The one door for JSON: orjson, with `Decimal` as text so that no amount becomes a float."""

from __future__ import annotations

import hashlib
import json as stdlib
import re
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
    return orjson.dumps(value, default=_default).decode()


def canonical(value: Any) -> bytes:
    """Bytes that are equal when the values are equal: keys sorted, no spaces."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_SORT_KEYS)


def loads(text: str | bytes) -> Any:
    """Raises ValueError with the position where the text stops being JSON."""
    return orjson.loads(text)


_DIGITS = bytes(48 if chr(c) in "0123456789." else 32 for c in range(256))
_LONG_NUMBER = re.compile(rb"(?:^|[\[:,\s])-?\d[\d.]{15,}")


def exact(raw: bytes) -> Any:
    """Like `loads`, for what others wrote: a number with more digits than a double keeps comes as Decimal.
    Raises ValueError."""
    if b"0" * 16 in raw.translate(_DIGITS) and _LONG_NUMBER.search(raw):
        try:
            return stdlib.loads(raw, parse_float=_number, parse_int=_whole, parse_constant=_refused)
        except RecursionError:
            raise ValueError("nested too deep") from None
    return orjson.loads(raw)


def _whole(text: str) -> int | Decimal:
    """Up to 64 bits, which is what our own JSON holds, an integer is one."""
    number = int(text)
    return number if -(2**63) <= number < 2**64 else Decimal(text)


def _number(text: str) -> float | Decimal:
    return float(text) if len(text) <= 15 else Decimal(text)


def _refused(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def pretty(value: Any) -> str:
    return orjson.dumps(value, default=_default, option=orjson.OPT_INDENT_2).decode()


def digest(value: Any) -> str:
    """A short, stable fingerprint of a JSON value."""
    return hashlib.sha256(canonical(value)).hexdigest()[:16]
