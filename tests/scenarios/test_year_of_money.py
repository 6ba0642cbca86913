"""A year of business on the two simulated systems, with faults: every figure on every CRM account is what the ERP's
documents come to, to the cent, and the ERP's own ageing says the same.

A few days, some of them in the next year, run with every test run; the whole year is a long proof.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from datong.sandbox import Sandbox
from datong.sandbox.quarter import Quarter
from tests.scenarios.ledger import expected, plain
from tests.scenarios.sandbox_pair import SandboxPair, sandbox_pair

ON = ("quote_to_order", "orders", "shipments", "invoices", "payments", "exchange_rates", "aged_balances")
FAULTS = ("error_before", "error_after_commit", "timeout_late_commit", "drop_connection", "unavailable", "html_200")
CUSTOMERS = (("深圳大同", "CN"), ("上海明日", "CN"), ("東京商事", "JP"), ("Müller München", "DE"))
GROUPS = ("泵", "阀门", "轴承")
ZONES = {"asia": "Asia/Shanghai", "europe": "Europe/Paris"}
SAID = ("counted", "as_of")
"""What is told with the figures and is none."""


def test_days_over_the_turn_of_a_year(tmp_path: Path) -> None:
    start = datetime(2026, 12, 27, 15, 30, tzinfo=UTC)  # in Shanghai a day begins half an hour later
    compared, owing = lived_and_judged(tmp_path, 1, days=8, busy=6, start=start, looks=1, after=(95,))
    assert compared > 100 and owing >= 3


@pytest.mark.proof
@pytest.mark.timeout(7200)
def test_a_year(tmp_path: Path) -> None:
    start = datetime(2027, 1, 1, 8, 0, tzinfo=UTC)
    compared, owing = lived_and_judged(tmp_path, 2, days=73, busy=2, start=start, looks=9, after=(29, 29), pace=5)
    assert compared > 1000 and owing >= 4


def lived_and_judged(
    folder: Path, seed: int, days: int, busy: int, start: datetime, looks: int, after: tuple[int, ...], pace: int = 1
) -> tuple[int, int]:
    """Figures compared, and customers' accounts that owed something when they were. `looks`: how often it is compared
    while people act; `after`: days that then pass, one look after each. `pace`: people act every so many days."""
    with Sandbox(seed=1, size=0, start=start) as sandbox:
        pair = sandbox_pair(sandbox, folder)
        pair.configure(flows={**dict.fromkeys(ON, True), "financial_summary": True})
        accounts = _customers(pair)
        year = Quarter(sandbox, seed, days, accounts=accounts, skus=_products(pair), busy=busy, cash=True)
        sandbox.erp.act("settings", credit="off")
        chance = Random(seed)
        compared, owing = 0, set[tuple[Any, str]]()
        while not year.over:
            year.day()
            pair.advance((pace - 1) * 86400)
            _fault(sandbox, chance)
            pair.sync()
            if year.today % (days // looks) == 0 or year.over:
                _rest(pair)
                compared += _judge(pair, accounts, owing)
        for idle in after:  # nobody acts any more, and debts grow old
            pair.advance(idle * 86400)
            _rest(pair)
            compared += _judge(pair, accounts, owing)
        pair.close()
        return compared, len(owing)


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
    terms = pair.sandbox.erp.rows("paymentTerms")
    for number, row in enumerate(pair.sandbox.erp.rows("customers")):
        for code in ZONES:
            part = {"paymentTermId": terms[number % len(terms)]["id"], "creditLimit": f"{number * 50000}.00"}
            pair.sandbox.erp.save_company(row["id"], code, part)
    pair.settle()
    return made


def _products(pair: SandboxPair) -> list[str]:
    skus = [f"W-{number}" for number in range(1, 7)]
    for number, sku in enumerate(skus):
        told = {"itemNo": sku, "description": f"小部件{number}", "baseUnit": 1, "currency": "CNY", "taxCodeId": 1}
        more = {"salesPrice": f"{12 + number}.50", "group": GROUPS[number % 3]}
        pair.sandbox.erp.create("items", {**told, **more})
    pair.settle()
    return skus


def _fault(sandbox: Sandbox, chance: Random) -> None:
    """One thing goes wrong a day, somewhere, for a few calls. Where no answer comes the caller is not kept waiting:
    the sandbox's clock stands still meanwhile."""
    system = chance.choice((sandbox.crm, sandbox.erp))
    system.faults.clear()
    action, times, skip = chance.choice(FAULTS), chance.randint(1, 3), chance.randint(0, 20)
    system.faults.add(action, times=times, skip=skip, **({"hold": 0} if action == "timeout_late_commit" else {}))


def _rest(pair: SandboxPair) -> None:
    """No more faults, and what they postponed comes due; within the same day."""
    for system in (pair.sandbox.crm, pair.sandbox.erp):
        system.faults.clear()
    for _ in range(3):
        pair.advance(1300)
        pair.sync()
    for _ in range(6):
        done = pair.sync()
        if not (done.created or done.updated or done.changed):
            return
    raise AssertionError(f"never quiet: {done}")


def _judge(pair: SandboxPair, accounts: list[str], owing: set[tuple[Any, str]]) -> int:
    crm, erp = pair.sandbox.crm, pair.sandbox.erp
    assert not [one for one in pair.items("parked") if one["cause"] == "ageing differs"]
    compared = 0
    for account in accounts:
        row = crm.get("accounts", account)
        (customer,) = [one for one in erp.rows("customers") if one["custName"] == row["name"]]
        for code, zone in ZONES.items():
            shown = (row["erp"][code] or {}).get("figures") or {}
            told = {name: plain(value) for name, value in shown.items() if name not in SAID and value is not None}
            today = _today(pair, zone)
            assert told == expected(erp, customer["id"], code, today), (row["name"], code, today)
            assert shown["as_of"] and shown["counted"]
            compared += len(told)
            if told["receivable"] != "0":
                owing.add((account, code))
    return compared


def _today(pair: SandboxPair, zone: str) -> date:
    return pair.clock.now().astimezone(ZoneInfo(zone)).date()
