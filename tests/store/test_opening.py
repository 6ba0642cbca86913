from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from datong.base.clock import ManualClock, SystemClock
from datong.base.errors import StoreBusy, StoreError
from datong.store import Store, opening
from datong.store.migrate import HEAD
from datong.store.schema import Json, Moment, leases, meta, metadata, records
from datong.store.unit import Unit

from .conftest import Open

RECORD = {"kind": "account", "agreed": {"name": "大同"}, "origin": {}, "updated_at": datetime(2026, 11, 21, tzinfo=UTC)}


def count(store: Store, table: sa.Table = records) -> int:
    with store.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


# schema ----------------------------------------------------------------------------------------------------------


def test_the_migrations_make_the_schema(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD


def test_every_named_index_and_constraint_is_there(store: Store) -> None:
    seen = sa.inspect(store.engine)
    for table in metadata.tables.values():
        indexes = {i["name"] for i in seen.get_indexes(table.name)}
        assert {i.name for i in table.indexes} <= indexes
        wanted = {c.name for c in table.constraints if isinstance(c, sa.UniqueConstraint) and c.name}
        assert wanted <= {c["name"] for c in seen.get_unique_constraints(table.name)}
    (once,) = [i for i in seen.get_indexes("work") if i["name"] == "work_once"]
    assert once["unique"]


def test_opening_again_changes_nothing(opened: Open) -> None:
    one = opened()
    with one.write() as tx:
        tx.execute(records.insert().values(**RECORD))
    other = opened()
    assert other.instance == one.instance
    assert len(one.instance) == 8
    assert other.owner != one.owner
    assert count(other) == 1


def test_a_store_of_a_newer_datong_is_left_alone(opened: Open) -> None:
    store = opened()
    with store.write() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="another version of Datong") as raised:
        opened()
    assert "backup" in raised.value.remedy


# transactions ----------------------------------------------------------------------------------------------------


def test_an_exception_takes_everything_back(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        tx.execute(records.insert().values(**RECORD))
        raise ZeroDivisionError
    assert count(store) == 0
    with store.write() as tx:
        tx.execute(records.insert().values(**RECORD))
    assert count(store) == 1


def test_a_trial_leaves_nothing(store: Store) -> None:
    with store.trial() as tx:
        unit = Unit(tx, store.clock, "datong")
        unit.new_record("account")
        unit.note("seen", body={"名": "大同"})
        unit.flush()
        assert tx.execute(sa.select(sa.func.count()).select_from(records)).scalar() == 1
    with pytest.raises(ZeroDivisionError), store.trial() as tx:
        tx.execute(records.insert().values(**RECORD))
        raise ZeroDivisionError
    for table in metadata.tables.values():
        assert count(store, table) == (1 if table.name == "meta" else 0)


def test_a_reader_sees_no_half_done_work_and_does_not_wait(store: Store) -> None:
    with store.write() as tx:
        tx.execute(records.insert().values(**RECORD))
        assert count(store) == 0
    assert count(store) == 1


def test_a_broken_rule_is_not_the_stores_fault(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError), store.write() as tx:
        tx.execute(meta.insert().values(name="instance", value="x"))


def test_moments_and_documents_come_back_as_they_were(store: Store) -> None:
    moment = datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)
    document: Any = {"名": "大同\u0000\n", "zahl": 12345678901234, "leer": None, "liste": [True, 0.1]}
    with store.write() as tx:
        tx.execute(records.insert().values({**RECORD, "updated_at": moment, "agreed": document}))
    with store.read() as tx:
        row = tx.execute(sa.select(records)).mappings().one()
    assert (row["updated_at"], row["agreed"]) == (moment, document)
    assert row["state"] == "active" and row["hold"] == "" and row["turns"] is None
    with pytest.raises(sa.exc.StatementError, match="without a zone"), store.write() as tx:
        tx.execute(records.insert().values({**RECORD, "updated_at": datetime(2026, 11, 21)}))
    assert Moment().process_result_value(None, None) is None and Json().process_bind_param(None, None) is None


def test_writers_side_by_side_give_every_id_once(opened: Open) -> None:
    """Ids are max + 1: writers must not overlap, on PostgreSQL either."""
    stores = [opened() for _ in range(4)]
    failed: list[BaseException] = []

    def work(store: Store) -> None:
        try:
            for _ in range(8):
                with store.write() as tx:
                    unit = Unit(tx, store.clock, store.owner)
                    record = unit.new_record("account")
                    unit.new_link(record, "sales", f"{store.owner}-{record.id}")
                    unit.note("seen", record_id=record.id, body={"id": record.id})
                    unit.flush()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with stores[0].read() as tx:
        for table in ("records", "links", "journal"):
            ids = list(tx.execute(sa.select(metadata.tables[table].c.id).order_by(sa.text("id"))).scalars())
            assert ids == list(range(1, 33)), table


def test_who_waits_for_another_thread_is_told_in_the_end(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_PATIENCE", 0.05)
    told: list[BaseException] = []

    def work() -> None:
        try:
            with sqlite.write() as tx:
                tx.execute(records.insert().values(**RECORD))
        except StoreBusy as error:
            told.append(error)

    with sqlite.write():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(told) == 1 and "another thread" in str(told[0])
    work()
    assert len(told) == 1 and count(sqlite) == 1


# SQLite: files -------------------------------------------------------------------------------------------------


def test_sqlite_is_durable_and_lets_readers_read(sqlite: Store) -> None:
    with sqlite.read() as tx:
        assert tx.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist") as raised:
        Store(f"sqlite:///{tmp_path}/nowhere/datong.db", ManualClock())
    assert "create it" in raised.value.remedy


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "datong.db").write_text("name;country\n大同;CN\n" * 400, encoding="utf8")
    with pytest.raises(StoreError, match="not a database") as raised:
        Store(f"sqlite:///{tmp_path}/datong.db", ManualClock())
    assert "restore it" in raised.value.remedy


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "datong.db"
    store = Store(f"sqlite:///{path}", ManualClock())
    with store.write() as tx:
        tx.execute(records.insert(), [{**RECORD, "agreed": {"x": "y" * 500}} for _ in range(200)])
    store.close()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(path.stat().st_size - 4096 * 3))
    with pytest.raises(StoreError) as raised:
        count(Store(f"sqlite:///{path}", ManualClock()))
    assert "restore it from the backup" in raised.value.remedy


def pragma(store: Store, text: str) -> None:
    """On every connection from now on."""
    store.close()
    sa.event.listen(store.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {text}").close())


def test_a_full_disk(sqlite: Store, tmp_path: Path) -> None:
    with sqlite.write() as tx:
        tx.execute(records.insert().values(**RECORD))
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar()
    pragma(sqlite, f"max_page_count={pages + 2}")
    with pytest.raises(StoreError, match="full") as raised, sqlite.write() as tx:
        tx.execute(records.insert(), [{**RECORD, "agreed": {"x": "y" * 3000}} for _ in range(50)])
    assert "disk space" in raised.value.remedy
    assert str(tmp_path) in raised.value.message
    assert count(sqlite) == 1, "nothing half done"
    again = Store(str(sqlite.url), ManualClock())
    with again.write() as tx:
        tx.execute(records.insert(), [{**RECORD, "agreed": {"x": "y" * 3000}} for _ in range(50)])
    assert count(again) == 51
    again.close()


def test_a_store_that_may_not_be_written(sqlite: Store) -> None:
    pragma(sqlite, "query_only=ON")
    with pytest.raises(StoreError, match="readonly") as raised, sqlite.write() as tx:
        tx.execute(records.insert().values(**RECORD))
    assert "write access" in raised.value.remedy
    assert count(sqlite) == 0


def test_a_file_without_the_right_to_write(clock: ManualClock) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "datong.db"
        Store(f"sqlite:///{path}", clock).close()
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            with pytest.raises(StoreError) as raised:
                Store(f"sqlite:///{path}", clock)
        finally:
            if root:
                os.seteuid(0)
            Path(folder).chmod(0o755)
    assert "access" in raised.value.remedy or "written" in raised.value.remedy


def test_a_store_locked_by_another_program(sqlite: Store) -> None:
    pragma(sqlite, "busy_timeout=50")
    other = sa.create_engine(sqlite.url)
    with other.connect() as holder:
        holder.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="locked") as raised, sqlite.write():
            pass
        assert raised.value.remedy
        assert count(sqlite) == 0  # reading goes on
    other.dispose()


# SQLite: one writer ----------------------------------------------------------------------------------------------

HOLD = """
import sys
from datong.base.clock import SystemClock
from datong.store import Store
store = Store(sys.argv[1], SystemClock())
with store.writer():
    print(store.owner, flush=True)
    sys.stdin.readline()
print("left", flush=True)
"""


def holding(url: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_another_process_is_named_and_its_end_frees_the_lease(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/datong.db", SystemClock())
    process, owner = holding(str(store.url))
    try:
        assert f":{process.pid}:" in owner
        with pytest.raises(StoreBusy, match=f"process {process.pid} on") as raised, store.writer():
            pass
        assert "wait" in raised.value.remedy
        process.communicate("go\n", timeout=20)
        with store.writer():
            pass
    finally:
        process.kill()
        process.wait()
        store.close()


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/datong.db", SystemClock())
    process, owner = holding(str(store.url))
    process.send_signal(signal.SIGKILL)
    process.wait()
    with store.read() as tx:
        assert tx.execute(sa.select(leases.c.owner)).scalar() == owner
    with store.writer():
        with store.read() as tx:
            row = tx.execute(sa.select(leases)).mappings().one()
        assert row["owner"] == store.owner and row["fence"] == 2
    store.close()


def test_a_silent_holder_loses_the_lease_and_learns_of_it(sqlite: Store, tmp_path: Path, clock: ManualClock) -> None:
    other = Store(str(sqlite.url), clock)
    with sqlite.writer():
        clock.advance(59)
        with pytest.raises(StoreBusy), other.writer():
            pass
        sqlite.renew_writer()
        clock.advance(59)
        with pytest.raises(StoreBusy), other.writer():
            pass
        clock.advance(2)
        with other.writer():
            with pytest.raises(StoreBusy, match="taken over"):
                sqlite.renew_writer()
            other.renew_writer()
    assert count(sqlite, leases) == 0
    other.close()


def test_a_holder_elsewhere_is_believed_until_its_time_is_up(sqlite: Store, clock: ManualClock) -> None:
    with sqlite.write() as tx:
        until = clock.now() + timedelta(seconds=60)
        tx.execute(leases.insert().values(name="writer", owner="other-host:1:abc", fence=7, until=until))
    with pytest.raises(StoreBusy, match="process 1 on other-host"), sqlite.writer():
        pass
    with sqlite.writer(wait=120):  # the manual clock moves while we wait
        pass
    assert clock.monotonic() >= 60


def test_waiting_ends(sqlite: Store, clock: ManualClock) -> None:
    other = Store(str(sqlite.url), clock)
    with sqlite.writer(), pytest.raises(StoreBusy), other.writer(wait=5):
        pass
    assert 5 <= clock.monotonic() < 6
    other.close()


def test_the_lease_is_given_back_after_a_failure(sqlite: Store) -> None:
    with pytest.raises(ZeroDivisionError), sqlite.writer():
        raise ZeroDivisionError
    assert count(sqlite, leases) == 0


# PostgreSQL ------------------------------------------------------------------------------------------------------


def test_any_number_of_processes_write_on_postgres(on_postgres: Store, clock: ManualClock) -> None:
    other = Store(on_postgres.url.render_as_string(hide_password=False), clock)
    with on_postgres.writer(), other.writer():
        other.renew_writer()
    assert count(on_postgres, leases) == 0
    other.close()


def test_three_processes_may_make_the_schema_at_once(empty_postgres: str) -> None:
    instances, failed = [], []

    def open_it() -> None:
        try:
            store = Store(empty_postgres, ManualClock())
            instances.append(store.instance)
            store.close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(instances) == 3 and len(set(instances)) == 1


MAKE = """
import sys
from datong.base.clock import SystemClock
from datong.store import Store
print(Store(sys.argv[1], SystemClock()).instance)
"""


def test_two_processes_may_make_the_file_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/datong.db"
    running = [
        subprocess.Popen([sys.executable, "-c", MAKE, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=60) for process in running]
    assert [error for _, error in told if error] == []
    assert len({answer for answer, _ in told}) == 1


def test_a_postgres_that_is_not_there() -> None:
    with pytest.raises(StoreError, match="cannot be used") as raised:
        Store("postgresql://datong:geheim@127.0.0.1:9/datong", ManualClock())
    assert "geheim" not in str(raised.value)
    assert "reached" in raised.value.remedy


def test_a_read_only_postgres_says_so(on_postgres: Store) -> None:
    with pytest.raises(StoreError) as raised, on_postgres.write() as tx:
        tx.exec_driver_sql("SET TRANSACTION READ ONLY")
        tx.execute(records.insert().values(**RECORD))
    assert "read-only" in raised.value.message
    assert count(on_postgres) == 0


def test_a_connection_that_broke_is_replaced(on_postgres: Store) -> None:
    assert count(on_postgres) == 0
    killer = sa.create_engine(on_postgres.engine.url)
    with killer.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    killer.dispose()
    assert count(on_postgres) == 0
    with pytest.raises(StoreError), on_postgres.write() as tx:
        tx.execute(records.insert().values(**RECORD))
        tx.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    assert count(on_postgres) == 0
