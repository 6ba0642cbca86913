"""What a supervisor asks: alive, ready, how is it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from datong.base.clock import SystemClock
from datong.base.errors import StoreError, UsageError
from datong.bootstrap.build import build
from datong.bootstrap.config import load
from datong.operations import Actor
from datong.store import Store
from datong.store.schema import inbox
from datong.web.hooks import Letterbox
from datong.web.service import Service, serve

from .stage import Stage, get, until

WANTED = {
    "datong_cycles",
    "datong_cycle_seconds",
    "datong_records",
    "datong_waiting_items",
    "datong_due_deliveries",
    "datong_due_later_deliveries",
    "datong_due_oldest_seconds",
    "datong_inbox_hints",
    "datong_hints",
    "datong_connection_state",
    "datong_last_read_seconds",
    "datong_seals",
    "datong_journal_unsealed_rows",
}


def test_ready_until_the_worker_is_dead(stage: Stage) -> None:
    with stage.service(subscribe=False) as service:
        until(lambda: get(f"{service.url}/readyz").status_code == 200, "ready")
        assert get(f"{service.url}/readyz").json()["ready"] is True
        service.worker.stop()
        answer = get(f"{service.url}/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["the worker is not running"])
        assert get(f"{service.url}/healthz").status_code == 200


def test_not_ready_while_another_holds_the_store(stage: Stage) -> None:
    other = Store(load(stage.config).store_url(), SystemClock())
    app = stage.app()
    with other.writer(), Service(app, tick=0.02) as service:
        until(lambda: "in use by" in str(get(f"{service.url}/readyz").json()["reasons"]), "it says who holds it")
        other._release_writer()
        until(lambda: get(f"{service.url}/readyz").status_code == 200, "ready")
    app.close()
    other.close()


def test_not_ready_when_the_store_cannot_be_written(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with stage.service(subscribe=False) as service:

        def full(box: Letterbox, posts: object) -> list[int]:
            raise StoreError("the disk is full", remedy="free some disk space")

        monkeypatch.setattr(Letterbox, "_note", full)
        answer = get(f"{service.url}/readyz")
        assert answer.status_code == 503 and "the disk is full" in answer.text


def test_metrics_are_what_prometheus_reads(stage: Stage) -> None:
    with stage.service() as service:
        stage.customer("Acme")
        until(lambda: stage.in_erp("Acme"), "Acme in the ERP")
        until(lambda: 'action="created"} 2.0' in get(f"{service.url}/metrics").text, "the creates counted")
        families = {one.name: one for one in text_string_to_metric_families(get(f"{service.url}/metrics").text)}
        assert families.keys() >= WANTED
        reads = {(s.labels["connection"], s.labels["kind"]) for s in families["datong_last_read_seconds"].samples}
        assert {("crm", "account"), ("erp", "account"), ("erp", "product")} <= reads
        states = {s.labels["connection"]: s.value for s in families["datong_connection_state"].samples if s.value}
        assert states == {"crm": 1.0, "erp": 1.0}


def test_who_may_not_sync_may_not_run(stage: Stage) -> None:
    app = stage.app()
    with pytest.raises(UsageError, match="may not run the service"):
        serve(app, "127.0.0.1", 0, Actor("guest", ("viewer",)))
    app.close()


def test_a_port_in_use_is_named(stage: Stage) -> None:
    app = stage.app()
    with stage.service(subscribe=False) as service, pytest.raises(UsageError, match="cannot listen on"):
        Service(app, port=int(service.url.rpartition(":")[2]))
    app.close()


PROGRAM = """
import sys
from datong.bootstrap.build import build
from datong.bootstrap.config import load
from datong.web.service import serve
serve(build(load(sys.argv[1])), "127.0.0.1", 0, "test", ready=lambda url: print(url, flush=True))
"""


@contextmanager
def process(config: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(config)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert started.stdout is not None
    try:
        yield started, _address(started)
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGKILL)
        started.wait(30)
        started.stdout.close()


def _address(started: subprocess.Popen[str]) -> str:
    """The first line that is one; the log may stand before it."""
    assert started.stdout is not None
    for line in started.stdout:
        if line.startswith("http://"):
            return line.strip()
    raise AssertionError("the service did not start")


def test_killed_with_hints_in_the_inbox_it_delivers_them_at_the_next_start(stage: Stage) -> None:
    with process(stage.config) as (started, url):
        until(lambda: get(f"{url}/readyz").status_code == 200, "ready")
        stage.subscribe(url)
        account = stage.customer("Acme")
        row = until(lambda: stage.in_erp("Acme"), "Acme in the ERP")
        assert stage.erp.settle(30)
        until(lambda: not _waiting(stage), "the echo followed")
        stage.erp.faults.add("latency", method="GET", path="^/v1/customers", seconds=60)
        stage.erp.edit("customers", row["id"], {"web": "https://acme.example"})
        until(lambda: _waiting(stage), "the hint kept")
        os.kill(started.pid, signal.SIGKILL)
        started.wait(30)
    assert _waiting(stage) and not (stage.in_crm(account) or {}).get("website")
    stage.erp.faults.clear()
    with process(stage.config) as (started, url):
        until(lambda: (stage.in_crm(account) or {}).get("website"), "the website in the CRM")
        started.send_signal(signal.SIGTERM)
        assert started.wait(60) == 0


def _waiting(stage: Stage) -> int:
    app = build(load(stage.config))
    try:
        with app.store.read() as tx:
            return int(tx.execute(sa.select(sa.func.count()).select_from(inbox)).scalar_one())
    finally:
        app.close()
