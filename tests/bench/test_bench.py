"""The bench itself, on few customers: what it calls right is right, and what is not, it calls wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from bench import dataset, durability, idle, jobs, latency
from bench.ends import Ends, call
from bench.expected import expected, print_of, turned
from bench.mapping import MASK, map_customer
from bench.peers import BoundRows
from bench.report import report

N = 300


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def ends(root: Path) -> Iterator[Ends]:
    with Ends(N, root / "data") as both:
        yield both


@pytest.fixture(autouse=True)
def fresh(ends: Ends) -> None:
    ends.reset()


def upsert(ends: Ends, *accounts: dict[str, str]) -> list[str]:
    body = orjson.dumps({"accounts": accounts})
    return [one["status"] for one in call(ends.sink + "/accounts/upsert_batch", body)["results"]]


def customers(ends: Ends, **asked: str) -> list[Any]:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    found: list[Any] = call(f"{ends.source}/customers?{query}")["data"]
    return found


def test_a_customer_by_number_is_as_it_is_now(ends: Ends) -> None:
    changed, other = 37, 38
    assert dataset.touched(changed, 1) and not dataset.touched(other, 1)
    one = f"{ends.source}/customers/"
    assert call(one + dataset.number(changed)) == dataset.record(changed)
    ends.touch()
    assert call(one + dataset.number(changed)) == dataset.record(changed, 1)
    assert call(one + dataset.number(other)) == dataset.record(other)
    assert [c["customer_no"] for c in customers(ends, updated_since=dataset.updated_at(N, 0))] == [
        dataset.number(i) for i in range(N) if dataset.touched(i, 1)
    ]


def test_customers_change_when_it_is_time(ends: Ends) -> None:
    ends.schedule(range(5, 7), time.monotonic(), 1e6, 2)
    ends.schedule(range(7, 8), time.monotonic() + 3600, 1, 2)
    assert call(f"{ends.source}/customers/{dataset.number(5)}") == dataset.record(5, 2)
    assert call(f"{ends.source}/customers/{dataset.number(7)}") == dataset.record(7)
    assert customers(ends, updated_since=dataset.updated_at(N, 0)) == [dataset.record(5, 2), dataset.record(6, 2)]
    whole = customers(ends, limit="500")
    assert [c["customer_no"] for c in whole] == [dataset.number(i) for i in (*range(5), *range(7, N), 5, 6)]


def test_the_sink_takes_whole_accounts_only(ends: Ends) -> None:
    account = map_customer(dataset.record(1))
    partly = {name: value for name, value in account.items() if name != "phone"}
    nameless = {**account, "external_id": ""}
    assert upsert(ends, account, account, partly, nameless) == ["created", "identical", "rejected", "rejected"]
    assert (ends.held()["accounts"], ends.held()["total"]) == (1, print_of(1))


def test_a_wrong_account_is_not_verified(ends: Ends, root: Path) -> None:
    want = expected(N, root / "data")
    accounts = [map_customer(dataset.record(i)) for i in range(N)]
    for start in range(0, N, 200):
        upsert(ends, *accounts[start : start + 200])
    assert jobs.agrees(ends, N, want["base"])
    upsert(ends, {**accounts[7], "phone": "+49"})
    assert not jobs.agrees(ends, N, want["base"])


def test_what_is_expected_after_changes(root: Path) -> None:
    want = expected(N, root / "data")
    changed = [i for i in range(N) if dataset.touched(i, 1)]
    assert want["changed"] == len(changed) == N // 100
    assert want["after"] == (want["base"] + turned(changed, 1, known=True)) & MASK


def test_the_bound_and_datong_do_the_same_job(root: Path) -> None:
    rows = list(jobs.measure(N, ["bound-cursor", "bound-rows", "datong"], reps=1, root=root, wait=0))
    assert [(r["peer"], r["job"]) for r in rows if not r["ok"]] == []
    assert len(rows) == 9
    assert {r["sink_writes"] for r in rows if r["job"] == "full"} == {N}
    assert {r["sink_writes"] for r in rows if r["job"] == "delta"} == {N // 100}
    assert {r["sink_writes"] for r in rows if r["job"] == "idle"} == {0}


def test_webhooks_arrive_at_the_sink(root: Path) -> None:
    peers = ["bound-hook", "bound-hook-get", "datong-run", "datong-run-get"]
    rows = list(latency.measure(peers, [20], n=N, seconds=1, reps=1, root=root, drain=20, wait=0))
    assert [(r["peer"], r["arrived"], r["ok"]) for r in rows] == [(peer, 20, True) for peer in peers]


def test_an_idle_service_is_watched(root: Path) -> None:
    (row,) = idle.measure(n=N, cycles=2, seconds=1, root=root, wait=0)
    assert row["ok"] and row["cycles"] >= 2 and row["standing"] >= 0


def test_a_killed_run_is_finished_by_the_next(root: Path) -> None:
    kill, flaky, reject = durability.measure(["bound-rows"], n=3000, root=root)
    assert (kill["complete"], flaky["complete"]) == (True, True)
    assert (reject["accounts"], reject["rejected"]) == (2997, 3)


def test_a_run_is_not_charged_for_its_parent(ends: Ends, root: Path) -> None:
    """What a process holds right after the fork is the memory of who started it."""
    ballast = bytearray(300_000_000)
    peer = BoundRows(ends, root)
    peer.prepare()
    assert 0 < jobs.run_once(peer, ends, 60)["rss_mb"] < len(ballast) / 2**20


def job(peer: str, name: str, wall: float, **more: Any) -> dict[str, Any]:
    row = {"part": "job", "peer": peer, "n": 100_000, "rep": 0, "job": name, "wall": wall, "cpu": wall, "ok": True}
    row |= {"database_cpu": 0.0, "rss_mb": 50.0, "foreign": 0.0, "sink_requests": 500, "bytes": 1000}
    return row | ({"rate": 100_000 / wall} if name == "full" else {}) | more


def verdicts(*rows: dict[str, Any]) -> list[str]:
    """The last column of the table."""
    table = report(rows).split("|---|---|---|---|---|---|---|\n")[1].split("\n\n")[0]
    return [line.split("|")[-2].strip() for line in table.splitlines()]


def test_the_table_says_what_was_reached() -> None:
    bound = job("bound-rows", "full", 2)
    assert verdicts(bound, job("datong", "full", 5)) == ["PASS", "PASS"]  # the rate, and memory
    assert verdicts(bound, job("datong", "full", 6)) == ["FAIL", "PASS"]
    assert verdicts(bound, job("datong", "full", 5, rss_mb=200.0)) == ["PASS", "FAIL"]
    assert verdicts(bound, job("datong", "full", 1, ok=False)) == ["FAIL", "PASS"]
    assert verdicts(job("bound-rows", "idle", 0.2), job("datong", "idle", 0.7)) == ["PASS", "PASS"]
    assert verdicts(job("bound-rows", "idle", 0.2), job("datong", "idle", 0.9)) == ["FAIL", "PASS"]


def test_a_target_is_judged_at_its_own_size_only() -> None:
    small = [job("bound-rows", "full", 2, n=1000, rate=500), job("datong", "full", 200, n=1000, rate=5)]
    assert verdicts(*small)[0] == "other size"


def test_growth_is_judged() -> None:
    base, million = job("datong", "full", 5), {"n": 1_000_000, "rate": 1.0}
    assert verdicts(base, job("datong", "full", 55, **million))[-1] == "PASS"
    assert verdicts(base, job("datong", "full", 56, **million))[-1] == "FAIL"
