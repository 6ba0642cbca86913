"""Wire record <-> canonical record, by one declared map a kind. Pure; knows one system at a time."""

from datong.mapping.convert import (
    Converter,
    Foreign,
    boolean,
    choice,
    country,
    day,
    email,
    number,
    phone,
    reference,
    table,
    tags,
    text,
    trimmed,
)
from datong.mapping.fieldmap import ABSENT, Field, FieldMap, Items, Reading, WireItem, put, take
from datong.mapping.override import FieldOverride, overridden

__all__ = [
    "ABSENT",
    "Converter",
    "Field",
    "FieldMap",
    "FieldOverride",
    "Foreign",
    "Items",
    "Reading",
    "WireItem",
    "boolean",
    "choice",
    "country",
    "day",
    "email",
    "number",
    "overridden",
    "phone",
    "put",
    "reference",
    "table",
    "tags",
    "take",
    "text",
    "trimmed",
]
