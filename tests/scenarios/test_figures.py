"""Figures: computed from documents, told to a record, and true of a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from datong.bootstrap import build, config
from datong.canon import Account, Order
from datong.engine.flow import Figures
from datong.engine.near import Near
from datong.flows import FLOWS
from datong.sandbox import Sandbox
from tests.scenarios.documents import Company, line
from tests.scenarios.sandbox_pair import sandbox_pair

CUSTOMERS = 25


def told(account: Account, near: Near) -> Mapping[str, Any]:
    orders = near.pointing(Order, "account")
    return {"notes": f"{near.today()}: {len(orders)} 张订单", "website": str(near.read_at("order"))}


diary = Figures(name="diary", of=Account, fields=("notes", "website"), as_of=("website",), compute=told)


@pytest.fixture
def company(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    monkeypatch.setattr(build, "FLOWS", (*FLOWS, diary))
    monkeypatch.setitem(config.FLOWS_KNOWN, diary.name, "figures")  # type: ignore[arg-type]
    with Sandbox(seed=1, size=0) as sandbox:
        pair = sandbox_pair(sandbox, tmp_path)
        pair.configure(flows={name: {"on": True} for name in ("orders", "diary")})
        made = Company(pair, ("orders", "customer_master", "product_catalogue"))
        made.open_shop(CUSTOMERS)
        yield made
        pair.close()


def test_figures_follow_their_documents_and_the_day(company: Company) -> None:
    customer = company.customer()
    notes = company.crm.get("accounts", customer)["notes"]
    assert notes.endswith(": 0 张订单")
    company.released(customer, [line("W-100")])
    company.settle()
    row = company.crm.get("accounts", customer)
    assert row["notes"] == notes.replace("0 张", "1 张") and row["website"] != "None"
    writes = company.pair.crm.writes()
    company.pair.advance(3600)
    company.settle()
    assert company.pair.crm.writes() == writes, "that it was read anew is no news"
    company.crm.edit("accounts", customer, {"notes": "我的备注"})
    company.settle()
    assert company.crm.get("accounts", customer)["notes"] == row["notes"], "a computed field is put back"
    company.pair.advance(86400)
    company.settle()
    days = {one["notes"][:10] for one in company.crm.rows("accounts")}
    assert len(days) == 1 and days != {notes[:10]}, "all were told at once: what is computed is no mass change"
