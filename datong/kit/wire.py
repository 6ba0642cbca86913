"""What travels between a connector and the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class WireRecord:
    """A record as its system has it.

    `version` grows or changes with every change and is what a guarded write is checked against; `changed_at` is the
    system's own change time (aware). None where the system has neither. `active` False is a record that is there but
    switched off.
    """

    id: str
    data: Mapping[str, Any]
    version: str | None = None
    changed_at: datetime | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Missing:
    """A record asked for by id that was not given: what is known of why."""

    id: str
    why: Literal["gone", "merged", "out_of_scope", "no_access"] = "gone"
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a read. `cursor` is where a later read may resume when everything up to here is kept.

    `last` says that the read is whole: without it the read was cut short and proves nothing about what is absent.
    """

    records: Sequence[WireRecord]
    cursor: str | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class ItemWrite:
    """One change of one item of a collection. `id` is the line id (None for a new one)."""

    action: Literal["create", "update", "delete"]
    id: str | None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """One remote record to create, update or delete.

    `ref` is answered back. `values` are wire values nested as the map's paths say: only those to be changed. `key` is
    our own key, to be stored where the system can hold one. `version` is the state that this write was planned on;
    a connector whose kind declares `guard` lets the system check it. `items` are changes by collection path; for a
    system without line ids `items` is the whole new list, all of them `create`.
    """

    ref: int
    action: Literal["create", "update", "delete"]
    id: str | None = None
    key: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    items: Mapping[str, Sequence[ItemWrite]] = field(default_factory=dict)
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """It is done, and `record` is what the system holds now (None for a delete, and for a kind that is never read:
    there it holds what was sent). `existed`: found by our own key."""

    ref: int
    id: str
    record: WireRecord | None
    existed: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The system will not have it. `field` is the wire path at fault where it is named; `code` groups like causes.
    `remedy`: what a person can do, where the connector knows better than to correct the field."""

    ref: int
    reason: str
    field: str | None = None
    code: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """The record is no longer in the state that the write was planned on (version guard), or is gone."""

    ref: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody knows whether it happened. Only for one item of a batch; a whole call that is lost raises."""

    ref: int
    reason: str


Answer = Saved | Refused | Moved | Lost
