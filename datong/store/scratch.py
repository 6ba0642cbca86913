"""Scratch: what one comparison read of the systems, in a file of its own that is deleted with it.

Nothing of it belongs to the store: a look at everything leaves no trace there, holds no lock there and makes it no
larger. What is kept in memory does not grow with the number of records.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from datong.base import json

_PAGE = 500


@dataclass(slots=True)
class Met:
    """A record of a system as it was met. `form` is its wire form as JSON, None where it was asked for by id and not
    given; then `absence` says why (and `into` where it went). `record_id` is ours, where there is a link."""

    native_id: str
    record_id: int | None
    form: str | None
    read_at: str
    version: str | None = None
    changed_at: str | None = None
    active: bool = True
    absence: str | None = None
    into: str | None = None


_NAMES = tuple(field.name for field in fields(Met))
_LISTED = ", ".join(f'"{name}"' for name in _NAMES)
_MARKS = ", ".join("?" for _ in range(len(_NAMES) + 2))


class Scratch:
    """To be used in a `with` block, by one thread."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="datong-")
        self._db = sqlite3.connect(Path(self._folder.name) / "scratch.db", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "CREATE TABLE met (kind, connection, native_id, record_id, form, read_at, version, changed_at, active, "
            "absence, into_, PRIMARY KEY (kind, connection, native_id)) WITHOUT ROWID".replace("into_", '"into"'),
            "CREATE TABLE suspects (id INTEGER PRIMARY KEY, kind, key, body, UNIQUE (kind, key))",
            "CREATE TABLE findings (id INTEGER PRIMARY KEY, rank, body)",
        ):
            self._db.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        self._folder.cleanup()

    # what was read -----------------------------------------------------------------------------------------------

    def put(self, kind: str, connection: str, met: Iterable[Met]) -> None:
        """Keep; of a record met twice the later state."""
        rows = [(kind, connection, *astuple(one)) for one in met]
        self._db.executemany(
            f"INSERT INTO met (kind, connection, {_LISTED}) VALUES ({_MARKS}) ON CONFLICT DO UPDATE SET "
            + ", ".join(f'"{name}" = excluded."{name}"' for name in _NAMES)
            + " WHERE COALESCE(excluded.changed_at, '~') >= COALESCE(met.changed_at, '')",
            rows,
        )

    def drop(self, kind: str, connection: str) -> None:
        """A read that did not end says nothing of what is absent."""
        self._db.execute("DELETE FROM met WHERE kind = ? AND connection = ?", (kind, connection))

    def forget(self, kind: str, connection: str, native_ids: Sequence[str]) -> None:
        """They are about to be read once more."""
        within = "native_id IN (SELECT value FROM json_each(?))"
        self._db.execute(
            f"DELETE FROM met WHERE kind = ? AND connection = ? AND {within}",
            (kind, connection, json.dumps(list(native_ids))),
        )

    def get(self, kind: str, connection: str, native_ids: Sequence[str]) -> dict[str, Met]:
        rows = self._db.execute(
            f"SELECT {_LISTED} FROM met WHERE kind = ? AND connection = ? "
            "AND native_id IN (SELECT value FROM json_each(?))",
            (kind, connection, json.dumps(list(native_ids))),
        )
        return {row[0]: _met(row) for row in rows}

    def pages(self, kind: str, connection: str, *, unknown: bool = False) -> Iterator[list[Met]]:
        """Everything met there; with `unknown` only what is no record of ours."""
        after = ""
        only = "AND record_id IS NULL AND form IS NOT NULL" if unknown else ""
        while True:
            found = self._db.execute(
                f"SELECT {_LISTED} FROM met WHERE kind = ? AND connection = ? AND native_id > ? {only} "
                "ORDER BY native_id LIMIT ?",
                (kind, connection, after, _PAGE),
            ).fetchall()
            if not found:
                return
            after = found[-1][0]
            yield [_met(row) for row in found]

    def count(self, kind: str, connection: str) -> int:
        """How many exist there."""
        query = "SELECT COUNT(*) FROM met WHERE kind = ? AND connection = ? AND form IS NOT NULL"
        return int(self._db.execute(query, (kind, connection)).fetchone()[0])

    # what is doubtful, and what was found ------------------------------------------------------------------------

    def suspect(self, kind: str, told: Iterable[tuple[str, Any]]) -> None:
        """(key, what was seen of it); the same key again replaces what was seen."""
        self._db.executemany(
            "INSERT INTO suspects (kind, key, body) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            [(kind, key, json.dumps(body)) for key, body in told],
        )

    def suspects(self, kind: str) -> Iterator[list[tuple[str, Any]]]:
        """Page by page; those of a page may be cleared while it is held."""
        after = 0
        while True:
            query = "SELECT id, key, body FROM suspects WHERE kind = ? AND id > ? ORDER BY id LIMIT ?"
            rows = self._db.execute(query, (kind, after, _PAGE)).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield [(key, json.loads(body)) for _, key, body in rows]

    def suspected(self) -> dict[str, int]:
        """How many of each kind."""
        return dict(self._db.execute("SELECT kind, COUNT(*) FROM suspects GROUP BY kind").fetchall())

    def clear(self, kind: str, keys: Iterable[str]) -> None:
        self._db.executemany("DELETE FROM suspects WHERE kind = ? AND key = ?", [(kind, key) for key in keys])

    def find(self, rank: int, body: Any) -> None:
        """A finding; lower ranks come first."""
        self._db.execute("INSERT INTO findings (rank, body) VALUES (?, ?)", (rank, json.dumps(body)))

    def findings(self) -> Iterator[Any]:
        after = (-1, 0)
        query = "SELECT rank, id, body FROM findings WHERE (rank, id) > (?, ?) ORDER BY rank, id LIMIT ?"
        while rows := self._db.execute(query, (*after, _PAGE)).fetchall():
            after = rows[-1][:2]
            yield from (json.loads(row[2]) for row in rows)


def _met(row: Sequence[Any]) -> Met:
    met = Met(*row)
    met.active = bool(met.active)
    return met
