"""Short makers of the entries that SimCRM's maps are made of: ids end in `_id`, codes are held by code."""

from __future__ import annotations

from collections.abc import Iterator

from datong.mapping import Field, boolean, choice, day, number, reference
from datong.mapping.fieldmap import WriteMode

OWN_KEY = "external_key"
ACTIVE = Field("active", "active", boolean())


def number_of(name: str, path: str = "", *, places: int | None = None, write: WriteMode = "overwrite") -> Field:
    return Field(name, path or name, number(places), write)


def day_of(name: str, path: str = "") -> Field:
    return Field(name, path or name, day())


def truth(name: str) -> Field:
    return Field(name, name, boolean())


def choices(name: str, values: tuple[str, ...], path: str = "", *, write: WriteMode = "overwrite") -> Field:
    """A choice that SimCRM words as we do."""
    return Field(name, path or name, choice({one: one for one in values}), write)


def to(name: str, path: str = "", kind: str = "") -> Field:
    """A reference by id; of the same name unless told."""
    return Field(name, path or f"{name}_id", reference(kind or name))


def code(name: str, path: str = "", kind: str = "") -> Field:
    """A reference by code."""
    return Field(name, path or name, reference(kind or name, by="code"))


def words_of(*names: str) -> Iterator[Field]:
    """Plain texts, called the same on both sides."""
    return (Field(name, name) for name in names)


COMPANY = choices("company", ("asia", "europe"))
CURRENCY = code("currency")
UNIT = code("unit")
