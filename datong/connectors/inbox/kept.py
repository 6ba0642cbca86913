"""A folder of messages: one file each, named by the moment it came and by its id, so that names are their order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from datong.base import json
from datong.base.clock import to_text
from datong.kit.files import write_durably

_NAME = re.compile(r"(\d{8}T\d{12}Z)-([0-9a-f]{32})\.json")


class Kept:
    """The messages as they came."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, id: str, received: datetime, message: Mapping[str, Any]) -> None:
        """On the disk when this returns. Where a message of this id is there already, that one stands."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._named(id) is None:
            write_durably(self._folder / f"{_stamp(to_text(received))}-{id}.json", json.encode(dict(message)))

    def find(self, id: str) -> dict[str, Any] | None:
        name = self._named(id)
        return self.read(name) if name is not None else None

    def read(self, name: str) -> dict[str, Any] | None:
        """The message of a file; None where somebody took it away."""
        try:
            told: dict[str, Any] = json.loads((self._folder / name).read_bytes())
        except FileNotFoundError:
            return None
        return told

    def names(self, after: str = "") -> list[str]:
        """Names of files, in the order in which they came, from a moment on."""
        start = _stamp(after) if after else ""
        return sorted(name for name in self._all() if name >= start)

    def ids(self) -> Iterator[str]:
        for name in self.names():
            match = _NAME.fullmatch(name)
            if match is not None:
                yield match[2]

    def count(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        return len(list(self._all()))

    def _named(self, id: str) -> str | None:
        return next((name for name in self._all() if name[-37:-5] == id), None)

    def _all(self) -> Iterator[str]:
        if self._folder.exists():
            yield from (one.name for one in self._folder.iterdir() if _NAME.fullmatch(one.name))


def _stamp(moment: str) -> str:
    """2026-11-22T08:00:00.000000Z -> 20261122T080000000000Z"""
    return re.sub(r"[-:.]", "", moment)
