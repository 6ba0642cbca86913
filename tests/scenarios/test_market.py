"""Market facts on the sandbox pair: what may be ordered, what was lost and why, what came of a campaign."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from datong.insight.span import Span
from datong.operations.demand import Demand, book
from datong.operations.demand import demand as demand_of
from datong.sandbox.fields import Row
from tests.cli.conftest import datong
from tests.scenarios.documents import BOOKS, LARGE, SMALL, Company, line, opened
from tests.scenarios.pair import WANG

FLOWS = ("campaigns", "quotes", "quote_to_order", "opportunities", "opportunity_to_order", "orders", "demand", *BOOKS)
DECEMBER, JANUARY = "2026-12-15", "2027-01-20"
WISHES = """编号,来源,产品,期间,数量,权重,说明,竞争对手,原因
W-1,希望,W-200,2026-11..2027-01,100,60,客户希望有防水型,,
W-2,趋势,W-100,2027-01,40,,展会走访,,
W-3,希望,W-100,下个月,5,,电话记录,,
W-4,希望,W-999,2028-01,7,,还没有的产品,,
W-5,丢单,W-200,2027-05,9,,老系统里的丢单,黄河泵业,交期太长
"""
LISTS: dict[str, Any] = {
    "system": "files",
    "role": "crm",
    "folder": "lists",
    "settled": 0,
    "kinds": {
        "demand_signal": {
            "files": ["wishes.csv"],
            "whole": False,
            "id": "number",
            "fields": {
                "number": "编号",
                "source": {"column": "来源", "convert": {"choice": {"wish": "希望", "trend": "趋势", "lost": "丢单"}}},
                "product": {"column": "产品", "convert": {"reference": {"kind": "product", "by": "sku"}}},
                "period": "期间",
                "quantity": {"column": "数量", "convert": "local_number"},
                "weight": {"column": "权重", "convert": "local_number"},
                "text": "说明",
                "competitor": "竞争对手",
                "reason": "原因",
            },
        }
    },
}


class Market:
    """Deals of a few customers: one quoted, one not, one lost, one sold and invoiced under a campaign."""

    def __init__(self, company: Company) -> None:
        self.company, self.crm, self.erp = company, company.crm, company.erp
        desk = self.crm.desk
        self.campaign = desk.make_campaign("2026 秋季推广", skus=[SMALL])["id"]
        self.open = self.deal([line(SMALL, 10)], probability="60", close_date=DECEMBER)
        self.quoted = self.deal([line(SMALL, 100)], probability="90", close_date=JANUARY)
        quote = company.quote(self.quoted["account_id"], [line(SMALL, 30)], opportunity_id=self.quoted["id"])
        company.quote(self.quoted["account_id"], [line(SMALL, 20)], opportunity_id=self.quoted["id"])
        self.quote = quote["id"]
        lost = self.deal([line(LARGE, 4)], close_date=DECEMBER)
        desk.lose(lost["id"], "价格偏高", "长江机电")
        self.won = self.deal([line(SMALL, 4, cost="8.00")], close_date=DECEMBER, campaign_id=self.campaign)
        desk.win(self.won["id"])
        company.settle()
        sold = company.erp_order(self.won["account_id"])
        self.erp.act("ship", order=sold["id"])
        self.erp.act("invoice", order=sold["id"])
        company.settle()

    def deal(self, lines: list[Row], **values: Any) -> Row:
        return self.crm.desk.make_opportunity(self.company.customer(), lines, **values)

    def demand(self, by: Any, period: str | None = None) -> Demand:
        return demand_of(self.company.pair.engine, WANG, by, Span.parse(period) if period else None)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    folder: Path = tmp_path_factory.mktemp("market")
    (folder / "lists").mkdir()
    (folder / "lists" / "wishes.csv").write_text(WISHES, encoding="utf8")
    for company in opened(folder, 4, FLOWS):
        company.pair.configure(connections={"lists": LISTS})
        yield Market(company)


def told(found: Demand, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(found.group_told(one)[name] for name in names) for one in found.groups]


def test_demand_by_product_and_month_counts_every_deal_once(market: Market) -> None:
    figures = told(market.demand("product"), "product", "month", "source", "quantity", "likely_quantity")
    assert sorted(figures) == [
        ("", "2028-01", "wish", "7", "7"),
        ("大部件", "2026-11", "wish", "34", "20.4"),
        ("大部件", "2026-12", "lost", "4", "0"),
        ("大部件", "2026-12", "wish", "33", "19.8"),
        ("大部件", "2027-01", "wish", "33", "19.8"),
        ("大部件", "2027-05", "lost", "9", "0"),
        ("小部件", "2026-12", "pipeline", "10", "6"),
        ("小部件", "2027-01", "quote", "20", "10"),
        ("小部件", "2027-01", "trend", "40", "40"),
    ]


def test_lost_deals_say_to_whom_and_why_and_a_period_bounds_what_is_shown(market: Market) -> None:
    lost = market.demand("competitor")
    assert told(lost, "competitor", "reason", "amount", "currency", "signals") == [
        ("长江机电", "价格偏高", "447.48", "CNY", 1),
        ("黄河泵业", "交期太长", "0", "", 1),
    ]
    months = told(market.demand("month", "2026-12"), "month", "source")
    assert months == [("2026-12", "lost"), ("2026-12", "pipeline"), ("2026-12", "wish")]


def test_a_wish_of_which_nobody_can_say_when_waits_for_a_person(market: Market) -> None:
    (problem,) = market.demand("product").problems
    assert problem.startswith("W-3: '下个月' is no month")
    (item,) = [one for one in market.company.pair.items() if one["cause"] == "period"]
    assert "W-3" in item["reason"] and "2026-10..2026-12" in item["remedy"]


def test_a_wish_for_a_product_that_nobody_knows_is_said_once_and_is_no_news_again(market: Market) -> None:
    (item,) = [one for one in market.company.pair.items() if one["cause"] == "unknown product"]
    assert "W-4" in item["reason"]
    again = market.company.pair.sync(flows=("demand",))
    assert (again.changed, again.read > 0) == (0, True)
    market.company.add_product("W-999", "新产品", "5.00")
    market.company.settle()
    assert ("新产品", "2028-01") in told(market.demand("product"), "product", "month")
    assert [one for one in market.company.pair.items() if one["cause"] == "unknown product"] == []


def test_a_deal_and_its_campaign_hear_what_was_ordered_invoiced_and_earned(market: Market) -> None:
    figures = {"ordered": "50", "invoiced": "50", "margin": "18"}
    deal = market.crm.get("opportunities", market.won["id"])
    campaign = market.crm.get("campaigns", market.campaign)
    assert {name: deal[name] for name in figures} == figures
    assert {name: campaign[name] for name in figures} == figures
    assert market.crm.get("opportunities", market.open["id"])["ordered"] is None


def test_demand_on_the_command_line_and_as_a_workbook(market: Market, tmp_path: Path) -> None:
    file = tmp_path / "demand.xlsx"
    config = str(market.company.pair.folder / "datong.yaml")
    done = datong("--config", config, "--json", "demand", "--by", "region", "--excel", str(file))
    assert done.status == 0, done.err
    assert sum(one["signals"] for one in done.json["groups"]) == len(done.json["signals"])
    groups, signals = (
        CalamineWorkbook.from_filelike(io.BytesIO(file.read_bytes())).get_sheet_by_index(n) for n in (0, 1)
    )
    assert len(groups.to_python()) == 3 + len(done.json["groups"])
    assert len(signals.to_python()) == 3 + len(done.json["signals"])
    assert book(market.demand("competitor")).startswith(b"PK")
