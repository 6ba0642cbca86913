"""The worker, turn by turn, with the clock in our hands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from datong.base.clock import ManualClock
from datong.base.errors import StoreBusy
from datong.bootstrap.build import App, build
from datong.bootstrap.config import load
from datong.bootstrap.init import SandboxAnswers, write_config
from datong.engine.cycle import Engine, Result
from datong.engine.worker import Cycle, Halt, HaltedError, Worker
from datong.sandbox import Sandbox
from datong.store import Store
from datong.store.journal import entries
from datong.store.schema import due, leases, schedule

ALL = ["reference_data", "customer_master", "contact", "product_catalogue"]


class Scripted(Engine):
    """Notes what it is asked; fails for the flows in `broken`, stops with `stops`, takes that many seconds."""

    calls: list[tuple[str, list[str]]]
    broken: set[str]
    stops: str = ""
    takes: float = 0.0

    def sync(self, flows: Sequence[str] = (), **more: Any) -> Result:
        self._asked("look" if more["hints_only"] else "sync", flows)
        self.store.clock.sleep(self.takes)
        return Result(stopped=self.stops, plan="plan-1") if self.stops else super().sync(flows, **more)

    def deliver_due(self, flows: Sequence[str] = ()) -> Result:
        self._asked("retry", flows)
        return super().deliver_due(flows)

    def _asked(self, what: str, flows: Sequence[str]) -> None:
        self.calls.append((what, list(flows)))
        if self.broken & set(flows):
            raise ZeroDivisionError("nobody foresaw this")


class Bench:
    """A worker on a sandbox; every flow is looked at every 10 minutes and swept every 6 hours."""

    def __init__(self, folder: Path, sandbox: Sandbox, clock: ManualClock) -> None:
        self.sandbox, self.clock = sandbox, clock
        config = write_config(folder, SandboxAnswers(sandbox.crm.url, sandbox.erp.url, 1))
        _every(config, "10m")
        self.app = build(load(config), clock)
        self.cycles: list[Cycle] = []
        self.halt = Halt()
        self.engine = self._engine(self.app, self.halt)
        self.worker = self.started()

    def _engine(self, app: App, halt: Halt) -> Scripted:
        engine = Scripted(app.store, app.landscape, app.sealer, Random(1), checkpoint=halt)
        engine.calls, engine.broken = [], set()
        return engine

    def started(self) -> Worker:
        """As after a restart."""
        worker = Worker(self.engine, halt=self.halt, random=Random(1), observe=self.cycles.append)
        worker.begin()
        return worker

    def asked(self) -> list[tuple[str, list[str]]]:
        """What the engine was asked since the last time."""
        told, self.engine.calls = self.engine.calls, []
        return told

    def step(self, seconds: float = 0.0) -> list[tuple[str, list[str]]]:
        self.clock.advance(seconds)
        self.worker.step()
        return self.asked()

    def events(self, event: str) -> list[dict[str, Any]]:
        with self.app.store.read() as tx:
            return [row for row in entries(tx, limit=10_000) if row["event"] == event]


def _every(config: Path, every: str) -> None:
    yaml = YAML()
    told = yaml.load(config.read_text(encoding="utf8"))
    for flow in ALL:
        more = {} if flow == "reference_data" else told["flows"][flow]
        told["flows"][flow] = {**more, "trigger": {"every": every, "sweep": "6h"}}
    with config.open("w", encoding="utf8") as file:
        yaml.dump(told, file)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Sandbox(seed=1, size=0) as sandbox:
        bench = Bench(tmp_path, sandbox, ManualClock(sandbox.clock.now()))
        yield bench
        bench.app.close()


def test_everything_once_then_at_its_time(bench: Bench) -> None:
    assert bench.step() == [("sync", ALL)]
    assert bench.step() == bench.step(300) == []
    assert bench.step(301) == [("sync", ALL)]
    assert [cycle.what for cycle in bench.cycles] == ["sync", "sync"] and not bench.cycles[0].error


def test_a_restart_knows_when_it_last_looked(bench: Bench) -> None:
    bench.step()
    with bench.app.store.read() as tx:
        planned = {row.flow: row.next_at for row in tx.execute(sa.select(schedule))}
    assert planned.keys() == set(ALL)
    bench.worker = bench.started()
    assert bench.step(60) == []
    bench.clock.advance(540)
    assert bench.step() == [("sync", ALL)]


def test_back_from_sleep_it_looks_once_and_says_how_long_it_was_away(bench: Bench) -> None:
    bench.step()
    assert bench.step(9 * 3600 + 60) == [("sync", ALL)]
    assert bench.step() == []
    assert [row["why"] for row in bench.events("back")] == ["nobody looked for 9 h 1 min"]


def test_polling_slows_down_only_while_webhooks_come_from_every_side(bench: Bench) -> None:
    bench.step()
    bench.worker.heard("crm", bench.clock.now())
    assert bench.step(601) == [("sync", ALL)]
    bench.worker.heard("erp", bench.clock.now())
    for _ in range(30):
        assert bench.step(600) == []
    assert bench.step(3700) == [("sync", ALL)]  # the sweep interval; and nobody was heard of within it
    assert bench.step(601) == [("sync", ALL)]


def test_after_sleep_webhooks_are_not_relied_on(bench: Bench) -> None:
    bench.step()
    for name in ("crm", "erp"):
        bench.worker.heard(name, bench.clock.now())
    assert bench.step(3600) == [("sync", ALL)]


def test_a_flow_that_fails_rests_alone(bench: Bench) -> None:
    bench.engine.broken = {"contact"}
    assert bench.step() == [("sync", ALL), *[("sync", [name]) for name in ALL]]
    assert [c.error for c in bench.cycles if c.error] == ["ZeroDivisionError"] * 2
    (row,) = bench.events("worker failed")
    assert (row["flow"], row["why"]) == ("contact", "ZeroDivisionError: nobody foresaw this")
    assert bench.step() == []
    waits = []
    for _ in range(4):
        bench.clock.advance(1)
        waited = 1
        while not bench.step():
            bench.clock.advance(1)
            waited += 1
        waits.append(waited)
    assert waits == sorted(waits) and waits[-1] > waits[0]
    bench.engine.broken = set()
    bench.clock.advance(60)
    assert bench.step() == [("sync", ["contact"])]
    assert bench.step() == []


def test_hints_are_followed_at_once_and_then_together(bench: Bench) -> None:
    bench.step()
    bench.clock.advance(30)
    bench.engine.note_hint("erp", "account", "1")
    bench.engine.takes = 0.2
    assert bench.step() == [("look", ["customer_master"])]
    for _ in range(3):
        bench.engine.note_hint("erp", "account", "1")
        assert bench.step(0.05) == []
    assert bench.step(0.06) == [("look", ["customer_master"])]
    assert bench.step(5) == []


def test_an_endless_stream_of_hints_is_not_waited_for(bench: Bench) -> None:
    bench.step()
    looks = 0
    bench.engine.takes = 2.0
    for _ in range(100):
        bench.engine.note_hint("erp", "account", "1")
        looks += len(bench.step(0.1))
    assert 5 <= looks <= 12, "slow as looking is, it is put off by 0.3 s at most; in vain, by ever longer"


def test_a_backlog_becomes_one_read_of_the_list(bench: Bench) -> None:
    bench.step()
    for number in range(501):
        bench.engine.note_hint("erp", "contact", str(number + 1))
    assert bench.step(5) == [("sync", ["contact"])]
    assert bench.step(5) == []


def test_hints_for_a_connection_that_rests_are_kept_until_it_answers(bench: Bench) -> None:
    bench.step()
    row = bench.sandbox.erp.create("customers", {"custName": "Acme"})
    bench.sandbox.erp.down()
    bench.clock.advance(30)
    bench.engine.note_hint("erp", "account", str(row["id"]))
    assert bench.step() == [("look", ["customer_master"])]
    assert bench.step() == bench.step() == []
    bench.sandbox.erp.up()
    assert bench.step(60) == [("look", ALL)]  # the probe
    assert bench.step(10) == []
    assert any(row["name"] == "Acme" for row in bench.sandbox.crm.rows("accounts"))


def test_what_is_due_is_tried_again_at_its_time(bench: Bench) -> None:
    bench.step()
    bench.sandbox.erp.faults.add("error_after_commit", method="POST", path="customers/save", times=1)
    account = bench.sandbox.crm.create("accounts", {"name": "Acme", "stage": "customer", "type": "company"})
    bench.clock.advance(60)
    bench.engine.note_hint("crm", "account", account["id"])
    bench.step()
    with bench.app.store.read() as tx:
        (at,) = tx.execute(sa.select(due.c.at)).scalars()
    assert bench.step() == []
    bench.clock.advance((at - bench.clock.now()).total_seconds())
    assert ("retry", ["customer_master"]) in [*bench.step(), *bench.step(120), *bench.step(120)]
    assert [row["custName"] for row in bench.sandbox.erp.rows("customers")] == ["Acme"]


def test_what_the_mass_guard_stopped_waits_for_a_person(bench: Bench) -> None:
    bench.step()
    (bench.engine.stops, told) = ("too much", "plan-1")
    with bench.app.store.write() as tx:
        from datong.store.schema import plans

        values = {"id": told, "at": bench.clock.now(), "author": "a", "flows": [], "config_version": "", "totals": {}}
        tx.execute(plans.insert().values(**values, state="open"))
    assert bench.step(601) == [("sync", ALL)]
    assert bench.step(601) == bench.step(601) == []
    bench.engine.stops = ""
    with bench.app.store.write() as tx:
        tx.execute(plans.update().values(state="applied"))
    assert bench.step() == [("sync", ALL)]


def test_the_journal_is_sealed_every_few_seconds(bench: Bench) -> None:
    bench.step()
    with bench.app.store.write() as tx:
        from datong.store.journal import Entry, append

        append(tx, bench.clock, "somebody", [Entry("dismissed")])
    bench.step(6)
    verified = bench.app.sealer.verify()
    assert verified["intact"] and verified["rows"] == verified["sealed"]


def test_a_task_is_done_between_cycles(bench: Bench) -> None:
    done = bench.worker.submit(lambda engine: engine.sync(["contact"], hints_only=False).read)
    failed = bench.worker.submit(lambda engine: 1 / 0)
    bench.step()
    assert done.result(0) >= 0
    with pytest.raises(ZeroDivisionError):
        failed.result(0)


def test_asked_to_stop_it_ends_after_the_batch_in_hand(bench: Bench) -> None:
    bench.step()
    for number in range(450):
        bench.sandbox.crm.create("accounts", {"name": f"Many {number}", "stage": "customer", "type": "company"})
    bench.halt.ask()
    bench.clock.advance(601)
    with pytest.raises(HaltedError):
        bench.worker.step()
    there = len(bench.sandbox.erp.rows("customers"))
    assert 0 < there < 450
    bench.worker._leave()
    bench.halt = Halt()
    bench.engine = bench._engine(bench.app, bench.halt)
    bench.worker = bench.started()
    bench.step()
    assert len(bench.sandbox.erp.rows("customers")) == 450


def test_the_lease_is_held_from_the_first_turn_to_the_last(bench: Bench) -> None:
    other = Store(str(bench.app.store.url), bench.clock)
    with other.writer():
        bench.worker.start()
        _until(lambda: "in use by" in bench.worker.problem)
    _until(lambda: not bench.worker.problem)
    with pytest.raises(StoreBusy), other.writer():
        pass
    assert bench.worker.stop() and not bench.worker.alive
    with other.writer():
        pass
    other.close()


def test_the_lease_may_be_entered_again_and_ends_with_the_outermost(bench: Bench) -> None:
    store = bench.app.store

    def held() -> bool:
        with store.read() as tx:
            return tx.execute(sa.select(leases.c.owner)).scalar() == store.owner

    with store.writer():
        with store.writer():
            assert held()
        assert held()
        store.renew_writer()
        bench.clock.advance(50)
    assert not held()


def test_what_nobody_foresaw_outside_a_cycle_does_not_end_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = bench.worker.owed
    troubles = iter([KeyError("odd"), KeyError("odd")])

    def odd() -> Any:
        if (error := next(troubles, None)) is not None:
            raise error
        return plain()

    monkeypatch.setattr(bench.worker, "owed", odd)
    bench.worker.start()
    _until(lambda: bench.asked())
    assert bench.worker.alive and len(bench.events("worker failed")) == 1
    assert bench.worker.stop()


def _until(holds: Any, seconds: float = 30.0) -> None:
    import time

    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_flow_under_a_cron_is_looked_at_in_the_zone_given(bench: Bench) -> None:
    for running in bench.app.landscape.flows.values():
        running.every, running.cron, running.sweep = None, "0 2 * * *", timedelta(days=7)
    bench.worker = Worker(bench.engine, halt=bench.halt, zone="Asia/Shanghai")
    bench.step()
    looked = []
    for _ in range(48):
        if bench.step(1800):
            looked.append(bench.clock.now())
    assert len(looked) == 1 and looked[0].hour == 18
