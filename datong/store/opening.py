"""Opening the store: SQLite (WAL) by default, PostgreSQL by psycopg 3; transactions; the writer lease of SQLite."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from datong.base.clock import Clock
from datong.base.errors import StoreBusy, StoreError
from datong.store import schema

Transaction = Connection

_PATIENCE = 30.0
"""Seconds to wait for another who writes."""
_LEASE = timedelta(seconds=60)
_WRITER = "writer"
_OURS = (IntegrityError, ProgrammingError, DataError)  # what we asked was wrong, not the store
_POSTGRES_LOCK = 0x6461746F6E67  # "datong"


class Store:
    """The memory of one Datong. `instance` is its own name, part of every key it gives to remote records."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.clock = clock
        self.url = make_url(url)
        self._sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _engine(self.url)
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._entered = 0
        self._renewed = 0.0
        self._entering = threading.Lock()
        self._writing = threading.RLock()
        self._idle: list[Connection] = []
        self._migrate()
        self.instance = self._instance()

    @property
    def is_sqlite(self) -> bool:
        return self._sqlite

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Transaction]:
        """One transaction that may write; committed at the end, rolled back by an exception.

        Without `durable` the commit does not wait for the disk: what it keeps survives the process, and a failure of
        the power may take it, though never what was committed after it. For what is simply done again then.
        """
        how = {"writes": True, "durable": durable}
        with self._turn(), self._opened() as connection, connection.execution_options(**how).begin():
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The threads of this process take turns at writing: SQLite lets who waits for another sleep, for up to a tenth
        of a second at a time."""
        if not self._writing.acquire(timeout=_PATIENCE):
            raise StoreBusy("another thread writes to the store", remedy="try again in a moment")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        with self._opened() as connection, connection.execution_options(writes=False).begin():
            yield connection

    @contextmanager
    def trial(self) -> Iterator[Transaction]:
        """A transaction that is always rolled back: how a plan sees what would be."""
        with self._turn(), self._opened() as connection:
            transaction = connection.execution_options(writes=True, durable=True).begin()
            try:
                yield connection
            finally:
                transaction.rollback()

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        try:
            with self._connection() as connection:
                yield connection
        except _OURS:
            raise
        except DatabaseError as error:
            raise _told(error, self.url) from error

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """On SQLite one that is kept at hand, for a transaction of few statements costs less than getting a connection
        from the pool. One that failed is not kept."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.engine.connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if self.is_sqlite:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()

    def _migrate(self) -> None:
        from datong.store.migrate import upgrade

        try:
            upgrade(self.engine)
        except DatabaseError as error:
            raise _told(error, self.url) from error

    def _instance(self) -> str:
        with self.write() as tx:
            found = tx.execute(sa.select(schema.meta.c.value).where(schema.meta.c.name == "instance")).scalar()
            if found is None:
                found = secrets.token_hex(4)
                tx.execute(schema.meta.insert().values(name="instance", value=found))
            return str(found)

    @contextmanager
    def writer(self, wait: float = 0.0) -> Iterator[None]:
        """Be the one process that syncs on this SQLite store. Raises StoreBusy naming the holder.

        Who holds it may enter again; the lease ends when the last one leaves.
        On PostgreSQL any number of processes work side by side and claim single deliveries instead.
        """
        if not self.is_sqlite:
            yield
            return
        deadline = self.clock.monotonic() + wait
        while (holder := self._enter_writer()) is not None:
            if self.clock.monotonic() >= deadline:
                host, pid, *_ = holder.split(":")
                raise StoreBusy(
                    f"the store is in use by process {pid} on {host}",
                    remedy="wait until it is done, or stop it (a running `datong run` does the work itself)",
                )
            self.clock.sleep(0.2)
        try:
            yield
        finally:
            self._leave_writer()

    def _enter_writer(self) -> str | None:
        with self._entering:
            holder = None if self._entered else self._claim_writer()
            self._entered += holder is None
            return holder

    def _leave_writer(self) -> None:
        with self._entering:
            self._entered -= 1
            if not self._entered:
                self._release_writer()

    def _claim_writer(self) -> str | None:
        """None when the lease is ours now, else who holds it. A holder of this machine that is no more is no holder."""
        with self.write() as tx:
            row = tx.execute(sa.select(schema.leases).where(schema.leases.c.name == _WRITER)).mappings().first()
            now = self.clock.now()
            if row is not None and row["owner"] != self.owner and row["until"] > now and _alive(row["owner"]):
                return str(row["owner"])
            tx.execute(schema.leases.delete().where(schema.leases.c.name == _WRITER))
            fence = (row["fence"] if row is not None else 0) + 1
            tx.execute(schema.leases.insert().values(name=_WRITER, owner=self.owner, fence=fence, until=now + _LEASE))
            return None

    def keep_writer(self) -> None:
        """To be called every now and then during long work: renews the lease when a quarter of it has passed."""
        now = self.clock.monotonic()
        if self._entered and now - self._renewed > _LEASE.total_seconds() / 4:
            self.renew_writer()
            self._renewed = now

    def renew_writer(self) -> None:
        """Say that we are still at it. Raises StoreBusy when the lease was taken from us meanwhile."""
        if not self.is_sqlite:
            return
        with self.write() as tx:
            changed = tx.execute(
                schema.leases.update()
                .where(schema.leases.c.name == _WRITER, schema.leases.c.owner == self.owner)
                .values(until=self.clock.now() + _LEASE)
            )
            if not changed.rowcount:
                raise StoreBusy("the writer lease was taken over by another process", remedy="this run has stopped")

    def _release_writer(self) -> None:
        with self.write() as tx:
            tx.execute(
                schema.leases.delete().where(schema.leases.c.name == _WRITER, schema.leases.c.owner == self.owner)
            )


def _alive(owner: str) -> bool:
    host, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        sa.event.listen(engine, "begin", _begin_postgres)
        return engine
    if url.database and url.database != ":memory:":
        folder = Path(url.database).parent
        if not folder.is_dir():
            raise StoreError(
                f"the folder {folder} of the store does not exist", remedy="create it, or change store.url"
            )
    engine = sa.create_engine(url, connect_args={"timeout": _PATIENCE, "check_same_thread": False})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN, not the driver
    # a page that is written again and again goes from the log into the file less often than every 1,000 pages
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY", "cache_size=-32768")
    for pragma in (*pragmas, "wal_autocheckpoint=4000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    how = connection.get_execution_options()
    with raised_as_ours(connection, "BEGIN"):
        if not how.get("writes"):
            driver(connection).execute("BEGIN")
            return
        wanted = "FULL" if how.get("durable", True) else "NORMAL"
        if connection.info.get("synchronous") != wanted:
            driver(connection).execute(f"PRAGMA synchronous={wanted}")
            connection.info["synchronous"] = wanted
        driver(connection).execute("BEGIN IMMEDIATE")


def driver(tx: Transaction) -> Any:
    """SQLite's own connection: SQLAlchemy takes longer over a short statement than SQLite over carrying it out."""
    return tx.connection.driver_connection


def driver_error(tx: Transaction) -> type[Exception]:
    return tx.dialect.dbapi.Error  # type: ignore[union-attr]


@contextmanager
def raised_as_ours(tx: Transaction, statement: str) -> Iterator[None]:
    """What the driver raises within, raised as SQLAlchemy would."""
    try:
        yield
    except driver_error(tx) as error:
        raise sa.exc.DBAPIError.instance(statement, None, error, driver_error(tx)) from error


def _begin_postgres(connection: Connection) -> None:
    """One writer at a time, as on SQLite: ids are given by max + 1 and the journal has no gaps."""
    how = connection.get_execution_options()
    if how.get("writes"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})")
        if not how.get("durable", True):
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def _told(error: DatabaseError, url: URL) -> StoreError:
    cause = str(error.orig)
    shown = url.render_as_string(hide_password=True)
    if "locked" in cause:
        return StoreBusy(f"the store {shown} is locked by another process", remedy="try again in a moment")
    remedies = {
        "full": "free some disk space",
        "No space left": "free some disk space",
        "readonly": "give write access to the file and its folder",
        "not a database": "that file is no store: give another store.url, or restore it from the backup",
        "malformed": "the file is damaged: restore it from the backup",
    }
    remedy = next(
        (r for word, r in remedies.items() if word in cause), "check that the store can be reached and written"
    )
    return StoreError(f"the store {shown} cannot be used: {cause}", remedy=remedy)
