"""The connectors that are installed: the entry point group `datong.connectors`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points


@cache
def connectors() -> Mapping[str, EntryPoint]:
    """By name, as `system:` says it. Every installed distribution is looked at, so it is done once."""
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group="datong.connectors"):
        found.setdefault(entry.name, entry)
    return found
