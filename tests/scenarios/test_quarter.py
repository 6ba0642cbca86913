"""A quarter of business on the two simulated systems, with faults: whatever people do and whatever fails, every
accepted quote and every released order has one order in the ERP, no document stands twice, money agrees to the cent.

Judged by what the two systems hold. A few days run with every test run; the whole quarter is a long proof.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from datong.sandbox import Sandbox
from datong.sandbox.quarter import Quarter
from tests.scenarios.sandbox_pair import SandboxPair, sandbox_pair

ON = ("prices", "stock", "supply", "exchange_rates", "quote_to_order", "orders", "shipments", "invoices", "payments")
FAULTS = ("error_before", "error_after_commit", "timeout_late_commit", "drop_connection", "unavailable", "html_200")
STATES = {"saved": "draft", "submitted": "submitted", "approved": "confirmed"}
CUSTOMERS = (
    ("深圳大同", "CN"),
    ("上海明日", "CN"),
    ("東京商事", "JP"),
    ("Müller München", "DE"),
    ("Lyon Outils", "FR"),
)
INVOICE = {"net": "netAmount", "tax": "taxAmount", "total": "grossAmount", "open": "openAmount"}
Row = Mapping[str, Any]


@pytest.mark.parametrize("seed", [1])
def test_a_week_of_business(tmp_path: Path, seed: int) -> None:
    lived_and_judged(tmp_path, seed, days=7, busy=4)


@pytest.mark.proof
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", [2, 3])
def test_a_quarter_of_business(tmp_path: Path, seed: int) -> None:
    quarter = lived_and_judged(tmp_path, seed, days=90, busy=12)
    assert sum(quarter.done[act] for act in ("make_quote", "make_order", "telephone", "ship", "invoice", "pay")) > 2000


def lived_and_judged(folder: Path, seed: int, days: int, busy: int) -> Quarter:
    with Sandbox(seed=1, size=0, start=datetime(2026, 9, 1, 8, 0, tzinfo=UTC)) as sandbox:
        pair = sandbox_pair(sandbox, folder)
        pair.configure(flows=dict.fromkeys(ON, True))
        quarter = Quarter(sandbox, seed, days, accounts=_customers(pair), skus=_products(pair), busy=busy)
        sandbox.erp.act("settings", credit="off")
        chance = Random(seed)
        while not quarter.over:
            quarter.day()
            _fault(sandbox, chance)
            pair.sync()
            pair.sync()
        for system in (sandbox.crm, sandbox.erp):
            system.faults.clear()
        for _ in range(12):  # what was postponed by faults comes due
            pair.advance(3600)
            pair.sync()
        _judge(pair, quarter)
        pair.close()
        return quarter


def _customers(pair: SandboxPair) -> list[str]:
    pair.sync()
    made = [
        pair.crm.make(
            name=f"{name}有限公司",
            email=f"info@c{number}.example",
            addresses=[{"type": "billing", "country": country, "city": name, "street": "人民路1号"}],
        )
        for number, (name, country) in enumerate(CUSTOMERS)
    ]
    pair.settle()
    assert len(pair.erp.customers()) == len(made)
    return made


def _products(pair: SandboxPair) -> list[str]:
    erp = pair.sandbox.erp
    skus = [f"W-{number}" for number in range(1, 7)]
    for number, sku in enumerate(skus):
        told = {"itemNo": sku, "description": f"小部件{number}", "baseUnit": 1, "currency": "CNY", "taxCodeId": 1}
        erp.create("items", {**told, "salesPrice": f"{12 + number}.50"})
    pair.settle()
    return skus


def _fault(sandbox: Sandbox, chance: Random) -> None:
    """One thing goes wrong a day, somewhere, for a few calls. Where no answer comes the caller is not kept waiting:
    the sandbox's clock stands still meanwhile."""
    system = chance.choice((sandbox.crm, sandbox.erp))
    system.faults.clear()
    action, times, skip = chance.choice(FAULTS), chance.randint(1, 3), chance.randint(0, 20)
    system.faults.add(action, times=times, skip=skip, **({"hold": 0} if action == "timeout_late_commit" else {}))


def _judge(pair: SandboxPair, quarter: Quarter) -> None:
    crm, erp = pair.sandbox.crm, pair.sandbox.erp
    ours, theirs = crm.rows("orders"), {row["docNo"]: row for row in erp.rows("salesOrders")}
    assert not [key for key, many in Counter(row["extRef"] for row in theirs.values()).items() if key and many > 1]
    made = Counter(row["quote_id"] for row in ours if row["quote_id"])
    promised = quarter.promises
    assert not [id for id in (*promised.accepted, *promised.part_accepted) if made[id] != 1]
    assert not [id for id in promised.never if made[id]]
    numbers = Counter(row["erp_number"] for row in ours if row["erp_number"])
    assert numbers == Counter(theirs.keys()), "each order of the ERP is one order of the CRM"
    by_id = {row["id"]: row for row in ours}
    released = [by_id[id] for id in promised.released]
    assert not [row["id"] for row in released if not row["erp_number"] and row["id"] not in promised.cancelled]
    assert not [by_id[id]["erp_number"] for id in promised.never if id in by_id and by_id[id]["erp_number"]]
    for row in ours:
        if row["erp_number"]:
            _same_order(row, theirs[row["erp_number"]])
    for mine, its, amounts in (
        ("shipments", "shipments", {}),
        (
            "invoices",
            "invoices",
            {"net": "netAmount", "tax": "taxAmount", "total": "grossAmount", "open": "openAmount"},
        ),
        ("payments", "receipts", {"amount": "amount", "unallocated": "unallocated"}),
    ):
        _same_documents(crm.rows(mine), {row["docNo"]: row for row in erp.rows(its) if row["docNo"]}, amounts, mine)


def _same_order(mine: Row, its: Row) -> None:
    where = its["docNo"]
    assert mine["state"] == STATES.get(its["status"], its["status"]), where
    for own, other in (("shipping", "shippedState"), ("billing", "invoicedState"), ("paying", "paidState")):
        assert mine[own] == its[other], where
    for own, other in (("net", "netAmount"), ("tax", "taxAmount"), ("total", "grossAmount")):
        assert Decimal(mine[own]) == Decimal(its[other]), where
    lines = [_figures(one, "quantity", "price", "total") for one in mine["lines"]]
    rows = [_figures(one, "qty", "price", "grossAmount") for one in its["lines"]]
    assert sorted(lines) == sorted(rows), where  # a draft may have no price yet, on both sides


def _figures(line: Row, *names: str) -> list[str]:
    return ["" if line[name] is None else f"{Decimal(line[name]).normalize():f}" for name in names]


def _same_documents(mine: list[Row], its: Mapping[str, Row], amounts: Mapping[str, str], what: str) -> None:
    held = Counter(row["number"] for row in mine)
    assert held == Counter(its.keys()), what
    for row in mine:
        for own, other in amounts.items():
            if own in row and row[own] is not None:
                assert Decimal(row[own]) == Decimal(its[row["number"]][other]), (what, row["number"], own)
