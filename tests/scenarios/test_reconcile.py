"""Both sides compared in full: what was planted is found, and nothing else; what is on its way is told apart."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from datong.base import json
from datong.base.errors import UsageError
from datong.bootstrap.build import build
from datong.bootstrap.config import load
from datong.connectors.sandbox_crm import SandboxCrm
from datong.engine.cycle import Result
from datong.engine.worker import Halt, Worker
from datong.insight.reconciliation_page import page
from datong.kit import KindSpec, Page
from datong.operations import reconcile as operations
from datong.operations.records import hold
from datong.sandbox import Sandbox
from datong.store.bulk import run
from datong.store.reports import Keeping
from datong.web.standing import Standing
from tests.scenarios.documents import SMALL, Company, line, opened
from tests.scenarios.pair import WANG
from tests.scenarios.planting import Planter, found, populate, silently
from tests.scenarios.sandbox_pair import SandboxPair, sandbox_pair

Row = dict[str, Any]
HOUR = 3600
UNGUARDED = {
    name: {"deletes": "delete", "limits": {"updates": "100%", "deletes": "100%"}}
    for name in ("customer_master", "contact", "product_catalogue")
}


def reconciled(pair: SandboxPair, **how: Any) -> Row:
    return operations.reconcile(pair.engine, WANG, **how)


def drift(report: Row) -> list[Row]:
    return [one for one in report["differences"] if one["known"] is None]


def codes(report: Row) -> dict[str, int]:
    return {one["code"]: one["records"] for one in report["waits"]}


@contextmanager
def shop_of(folder: Path, customers: int, products: int) -> Iterator[SandboxPair]:
    with Sandbox(seed=1, size=0) as sandbox:
        pair = sandbox_pair(sandbox, folder)
        pair.configure(flows=UNGUARDED)
        populate(pair, customers, products)
        pair.advance(HOUR)
        yield pair
        pair.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxPair]:
    """In agreement, at the begin and the end of each test."""
    with shop_of(tmp_path_factory.mktemp("shop"), 12, 4) as pair:
        yield pair


@pytest.mark.parametrize(
    ("many", "customers", "products"),
    [(36, 20, 8), pytest.param(1000, 520, 190, marks=[pytest.mark.proof, pytest.mark.timeout(1800)])],
)
def test_exactly_what_was_planted_is_found_and_the_plan_puts_it_right(
    tmp_path: Path, many: int, customers: int, products: int
) -> None:
    with shop_of(tmp_path, customers, products) as pair:
        assert reconciled(pair)["differing"] == 0
        planted = Planter(pair).plant(many)
        pair.advance(HOUR)
        report = reconciled(pair)
        assert Counter(found(drift(report))) == Counter(planted)
        assert report["differing"] == many and report["waiting"] == 0 and report["not_listed"] == 0
        assert report["compared"] == report["equal"] + many
        assert all(one["since"] for one in drift(report)), "each is dated"
        sums_tie_out(report)
        plan = report["plan"]
        result = pair.engine.apply(plan["id"])
        assert not result.problems and not result.moved and not result.failed
        pair.settle()
        pair.advance(HOUR)
        after = reconciled(pair)
        assert drift(after) == []
        people = Counter(one.cls for one in planted)
        assert codes(after) == {"conflict": people["conflict"], "parked": people["duplicate"]}, "only what is asked"


def sums_tie_out(report: Row) -> None:
    """What the sums of both sides differ by is what the records listed do."""
    (told,) = [one for one in report["money"] if one["field"] == "credit_limit"]
    apart = Decimal(0)
    for one in drift(report):
        for field in one["fields"]:
            if field["field"] == "company.asia.credit_limit":
                crm, erp = (Decimal(field["values"][side].split()[0]) for side in ("crm", "erp"))
                apart += abs(crm - erp)
    assert apart and Decimal(told["apart"]) == apart


def test_traffic_alone_is_no_difference(tmp_path: Path) -> None:
    """People edit on both sides and the service works, while a few records were changed behind its back."""
    with shop_of(tmp_path, 16, 2) as pair:
        pair.configure(flows={name: {"trigger": {"every": "1s"}} for name in UNGUARDED})
        crm, erp = pair.sandbox.crm, pair.sandbox.erp
        accounts = crm.rows("accounts")
        customers = {row["custName"]: row["id"] for row in erp.rows("customers")}
        for row in accounts[:3]:
            silently(erp, "customers", customers[row["name"]], {"web": "behind.example"})
        busy = accounts[3:]
        elsewhere = build(load(pair.folder / "datong.yaml"), pair.clock)
        halt = Halt()
        worker = Worker(elsewhere.engine("datong", checkpoint=halt), halt=halt, tick=0.02)
        over = threading.Event()

        def people() -> None:
            number = 0
            while not over.wait(0.004):
                number += 1
                row = busy[number % len(busy)]
                if number % 2:
                    crm.edit("accounts", row["id"], {"website": f"w{number}.example"})
                else:
                    limit = {"companies": {"asia": {"creditLimit": str(10000 + number)}}}
                    erp.edit("customers", customers[row["name"]], limit)

        traffic = threading.Thread(target=people)
        worker.start()
        traffic.start()
        try:
            report = reconciled(pair, plan=False)
        finally:
            over.set()
            traffic.join()
            worker.stop()
            elsewhere.close()
        assert {one["name"] for one in drift(report)} == {row["name"] for row in accounts[:3]}
        assert report["looked_at_twice"] > 3, "there was something in motion"


def test_a_system_that_fails_in_the_middle_stops_nothing_else(shop: SandboxPair) -> None:
    erp, crm = shop.sandbox.erp, shop.sandbox.crm
    row = erp.rows("customers")[0]
    silently(erp, "customers", row["id"], {"web": "behind.example"})
    erp.faults.add("unavailable", object="contacts")
    shop.advance(HOUR)
    report = reconciled(shop)
    erp.faults.clear()
    told = {(one["class"], one["kind"], one["place"]) for one in drift(report)}
    assert told == {
        ("stale", "account", "erp"),
        ("unreachable", "contact", "erp"),
        ("unreachable", "product", "erp"),
    }
    left_out = {one["kind"]: one["left_out"] for one in report["agreement"]}
    assert left_out["contact"]["unreachable"] == len(crm.rows("contacts"))
    shop.engine.apply(report["plan"]["id"])
    assert reconciled(shop)["differing"] == 0


def test_rows_that_a_list_misses_are_asked_for_by_id(shop: SandboxPair, monkeypatch: pytest.MonkeyPatch) -> None:
    real = SandboxCrm.read

    def forgetful(self: SandboxCrm, spec: KindSpec, since: str | None) -> Iterator[Page]:
        for one in real(self, spec, since):
            yield replace(one, records=[r for r in one.records if not r.id.endswith("3")])

    monkeypatch.setattr(SandboxCrm, "read", forgetful)
    report = reconciled(shop)
    assert report["differing"] == 0
    (crm,) = [one for one in report["connections"] if one["name"] == "crm"]
    missed = {one["kind"]: one["missed_by_the_list"] for one in crm["kinds"]}
    assert missed["account"] == missed["contact"] == 1


def test_what_is_known_already_is_told_apart(shop: SandboxPair) -> None:
    """On its way, announced, held by a person, or changed just now: different, and no drift."""
    crm, erp = shop.sandbox.crm, shop.sandbox.erp
    due, announced, paused, young, drifted = crm.rows("accounts")[:5]
    crm.edit("accounts", due["id"], {"website": "due.example"})
    erp.faults.add("unavailable", method="POST")
    erp.faults.add("unavailable", method="PUT")
    erp.faults.add("unavailable", method="PATCH")
    shop.engine.sync()
    erp.faults.clear()
    shop.advance(HOUR)
    hold(shop.engine, WANG, "pause", "crm", paused["id"], "account")
    for row in (announced, paused, drifted):
        crm.edit("accounts", row["id"], {"website": f"new-{row['id']}.example"})
    shop.engine.note_hint("crm", "account", announced["id"])
    shop.advance(HOUR)
    crm.edit("accounts", young["id"], {"website": "young.example"})
    report = reconciled(shop)
    assert [one["natives"]["crm"] for one in drift(report)] == [drifted["id"]]
    told = {one["natives"]["crm"]: one["known"]["code"] for one in report["differences"] if one["known"]}
    assert told == {due["id"]: "due", announced["id"]: "announced", paused["id"]: "held", young["id"]: "young"}
    hold(shop.engine, WANG, "release", "crm", paused["id"], "account")
    shop.advance(HOUR)
    shop.settle(full=True)
    assert reconciled(shop)["differing"] == 0


def test_a_change_that_was_taken_in_and_never_delivered_is_dated_and_repaired(shop: SandboxPair) -> None:
    crm = shop.sandbox.crm
    row = crm.rows("accounts")[5]
    crm.edit("accounts", row["id"], {"website": "lost.example"})
    run_id = "lost"
    with shop.engine.store.writer():
        from datong.engine.reading import Reader

        reader = Reader(shop.engine.store, run_id)
        shop.advance(20)
        reader.changes(shop.engine.landscape.connections["crm"], "account")
        shop.engine._take_in(run_id, ["account"], [], Result(), None)
        with shop.engine.store.write() as tx:
            run(tx, "DELETE FROM due")
    shop.advance(HOUR)
    report = reconciled(shop)
    (one,) = drift(report)
    assert (one["class"], one["place"], one["cause"]) == ("stale", "erp", "undelivered")
    with shop.engine.store.read() as tx:
        ((event, at),) = run(tx, "SELECT event, at FROM journal WHERE id = ?", one["journal_row"])
    assert event == "taken in" and one["since"] == at
    shop.engine.apply(report["plan"]["id"])
    assert shop.erp.customers()[one["natives"]["erp"]]["website"] == "lost.example"


def test_lines_and_told_fields_of_documents(tmp_path: Path) -> None:
    company: Company
    for company in opened(tmp_path, 2, ("quotes", "quote_to_order", "orders")):
        quote = company.accepted(company.customer(), [line(SMALL, 5)])
        company.settle()
        company.settle()
        (order,) = company.erp.rows("salesOrders")
        lines = [{**one, "price": "11.00"} for one in order["lines"]]
        silently(company.erp, "salesOrders", order["id"], {"lines": lines})
        silently(company.crm, "quotes", quote["id"], {"order_number": "SO-00000"})
        company.pair.advance(HOUR)
        report = operations.reconcile(company.pair.engine, WANG)
        told = {(one["class"], one["kind"], one["place"]): one["fields"] for one in drift(report)}
        assert told.keys() == {("conflict", "order", "erp"), ("stale", "quote", "crm")}, "a quoted price is guarded"
        (price,) = told["conflict", "order", "erp"]
        assert price["field"].endswith(".price") and price["values"]["erp"] == "11"


def test_by_schedule_a_few_are_put_right_and_more_are_asked(shop: SandboxPair) -> None:
    erp = shop.sandbox.erp
    shop.advance(HOUR)
    shop.settle()  # looked at since the last change, so that none is young
    seldom = {name: {"trigger": {"every": "100d", "sweep": "100d"}} for name in (*UNGUARDED, "reference_data")}
    shop.configure(reconcile={"every": "24h", "repair": {"up_to": 2}}, flows=seldom)
    assert shop.app is not None
    halt = Halt()
    worker = Worker(shop.app.engine("datong", checkpoint=halt), halt=halt, tick=0.02)
    standing = Standing(shop.app, worker, "datong")
    rows = erp.rows("customers")
    worker.start()
    try:
        for _ in range(2):  # its first cycle is over
            worker.submit(lambda engine: None).result()
        assert standing.step() and standing.step() == "", "not again before its time"
        for many, some in ((2, rows[:2]), (3, rows[2:5])):
            for row in some:
                silently(erp, "customers", row["id"], {"shortName": f"背后{many}"})
            shop.advance(25 * HOUR)
            assert standing.step()
            wrong = [row for row in erp.rows("customers") if row["shortName"].startswith("背后")]
            assert len(wrong) == (0 if many == 2 else 3)
    finally:
        worker.stop()
    (item,) = [one for one in shop.items("parked") if one["cause"] == "differences"]
    assert "3 stale" in item["reason"] and item["detail"]["plan"] in item["remedy"]
    shop.configure(flows={name: {"trigger": {"every": "5m", "sweep": "6h"}} for name in seldom})
    plan = operations.shown(shop.engine, WANG, item["detail"]["report"])["plan"]
    assert plan["updates"] == 3
    shop.engine.apply(reconciled(shop)["plan"]["id"])
    shop.advance(HOUR)
    assert reconciled(shop)["differing"] == 0
    assert not [one for one in shop.items("parked") if one["cause"] == "differences"], "it closes by itself"


def test_reports_are_signed_kept_and_pruned(shop: SandboxPair) -> None:
    report = reconciled(shop)
    key = operations.own_key(shop.engine)
    kept = operations.listed(shop.engine, WANG)
    assert kept[0]["id"] == report["id"] and operations.shown(shop.engine, WANG, report["id"]) == report
    data = json.pretty(report).encode()
    shown = operations.sign_page(shop.engine, page(report, "zh"))
    for one in (data, shown):
        assert operations.verify(one, key)["intact"]
        assert operations.verify(one, key)["id"] == report["id"]
        assert not operations.verify(one, "00" * 32)["intact"], "another key"
    assert not operations.verify(data.replace(b'"differing": 0', b'"differing": 1'), key)["intact"]
    assert not operations.verify(shown.replace(b"<h1>", b"<h1> ", 1), key)["intact"]
    with pytest.raises(UsageError):
        operations.verify(b"<html></html>", key)
    reconciled(shop, keeping=Keeping(timedelta(0), 2))
    assert len(operations.listed(shop.engine, WANG)) == 2


def test_the_page_loads_nothing_and_shows_what_systems_say_as_text(shop: SandboxPair) -> None:
    erp = shop.sandbox.erp
    row = erp.rows("items")[0]
    silently(erp, "items", row["id"], {"description": "<script>alert(1)</script>", "salesPrice": "13.75"})
    shop.advance(HOUR)
    report = reconciled(shop)
    told = page(report, "en")
    assert "<script" not in told and "&lt;script&gt;" in told
    assert not [part for part in ("http://", "https://", "url(", "src=", "@import") if part in told]
    shop.engine.apply(report["plan"]["id"])
    shop.settle()
