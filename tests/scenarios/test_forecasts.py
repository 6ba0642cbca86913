"""Forecasts on the sandbox pair: agreed to, told to the ERP once a version, asked for again, compared with orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from datong.base.clock import local_date
from datong.base.errors import NotFound
from datong.insight.span import Span
from datong.operations import Actor, approvals, forecasts
from datong.sandbox.fields import Row
from tests.cli.conftest import datong
from tests.scenarios.documents import LARGE, SMALL, Company, line, opened
from tests.scenarios.pair import WANG

FLOWS = ("opportunities", "orders", "demand", "forecasts")
MONTH = Span.parse("2026-12")
LI = Actor("李娜", ("operator",))


class Planning:
    """Deals that close in December, and the planners of the ERP."""

    def __init__(self, company: Company) -> None:
        self.company, self.crm, self.erp, self.engine = company, company.crm, company.erp, company.pair.engine
        self.deal([line(SMALL, 10)], "60")
        self.deal([line(SMALL, 30), line(LARGE, 5)], "50")
        company.settle()

    def deal(self, lines: list[Row], probability: str) -> Row:
        desk = self.crm.desk
        return desk.make_opportunity(self.company.customer(), lines, probability=probability, close_date="2026-12-15")

    def make(self) -> list[Row]:
        return forecasts.make(self.company.pair.engine, LI, MONTH)

    def agree(self, yes: bool = True, note: str = "") -> Row:
        (item,) = [one for one in approvals.listed(self.company.pair.engine, WANG) if one["kind"] == "forecast"]
        approvals.answer(self.company.pair.engine, WANG, item["id"], yes=yes, note=note)
        return item

    def in_erp(self) -> list[Row]:
        return sorted(self.erp.rows("forecasts"), key=lambda row: row["id"])


@pytest.fixture(scope="module")
def planning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planning]:
    for company in opened(tmp_path_factory.mktemp("forecasts"), 6, FLOWS):
        yield Planning(company)


def test_a_forecast_reaches_the_erp_when_somebody_agreed_once_and_never_again(planning: Planning) -> None:
    (made,) = planning.make()
    assert (made["number"], made["state"], made["lines"]) == ("FC-asia-2026-12-1", "proposed", 2)
    planning.company.settle()
    assert planning.in_erp() == []
    item = planning.agree()
    assert "小部件 21" in item["reason"] and "大部件 2.5" in item["reason"], item["reason"]
    planning.company.settle()
    (told,) = planning.in_erp()
    assert (told["status"], told["dateFrom"], told["dateTo"], told["version"]) == (
        "active",
        "2026-12-01",
        "2026-12-31",
        "1",
    )
    figures = {(one["itemId"], one["qty"], one["qtyBefore"], one["weightPct"], one["source"]) for one in told["lines"]}
    small, large = planning.company.items[SMALL], planning.company.items[LARGE]
    assert figures == {
        (small, "21.0000", "40.0000", "52.50", "pipeline"),
        (large, "2.5000", "5.0000", "50.00", "pipeline"),
    }
    assert planning.make() == []
    planning.company.settle()
    assert len(planning.in_erp()) == 1


def test_what_planners_change_in_it_is_refused_or_put_back_and_their_own_are_left_alone(planning: Planning) -> None:
    item = planning.company.items[SMALL]
    theirs = {"companyCode": "asia", "dateFrom": "2027-03-01", "dateTo": "2027-03-31", "status": "active"}
    made = planning.erp.create("forecasts", {**theirs, "lines": [{"itemId": item, "qty": "7", "unitId": 1}]})
    planning.company.settle()
    planning.erp.edit("forecasts", made["id"], {"status": "cancelled"})
    planning.company.settle()
    assert planning.erp.get("forecasts", made["id"])["status"] == "cancelled"
    assert [one["number"] for one in forecasts.listed(planning.company.pair.engine, WANG)] == ["FC-asia-2026-12-1"]


def test_a_later_sight_is_the_next_version_and_no_month_is_planned_with_twice(planning: Planning) -> None:
    planning.deal([line(LARGE, 100)], "10")
    planning.company.settle()
    (second,) = planning.make()
    planning.agree(yes=False, note="数量太高")
    planning.company.settle()
    assert [one["status"] for one in planning.in_erp() if one["version"]] == ["active"]
    forecasts.withdraw(planning.company.pair.engine, LI, second["number"])
    planning.company.settle()
    planning.deal([line(LARGE, 10)], "10")
    planning.company.settle()
    (third,) = planning.make()
    assert third["number"] == "FC-asia-2026-12-3"
    planning.agree()
    planning.company.settle()
    states = [(one["version"], one["status"]) for one in planning.in_erp() if one["version"]]
    assert states == [("1", "cancelled"), ("3", "active")]
    kept = {one["number"]: one["state"] for one in forecasts.listed(planning.company.pair.engine, WANG)}
    assert kept == {
        "FC-asia-2026-12-1": "replaced",
        "FC-asia-2026-12-2": "withdrawn",
        "FC-asia-2026-12-3": "current",
    }


def test_what_was_in_sight_on_a_day_is_asked_for_again(planning: Planning) -> None:
    pair = planning.company.pair
    pair.advance(2 * 86400)
    planning.deal([line(SMALL, 100)], "100")
    planning.company.settle()
    (later,) = planning.make()
    today = local_date(pair.clock.now(), "Asia/Shanghai")
    then = forecasts.as_of(pair.engine, WANG, "product", today - timedelta(2))
    now = forecasts.as_of(pair.engine, WANG, "product", today)
    quantities = [
        {one["product"]: one["likely_quantity"] for one in map(found.group_told, found.groups)} for found in (then, now)
    ]
    assert quantities == [{"小部件": "21", "大部件": "13.5"}, {"小部件": "121", "大部件": "13.5"}]
    with pytest.raises(NotFound, match="there is no forecast"):
        forecasts.as_of(pair.engine, WANG, "product", today - timedelta(30))
    done = datong(
        "--config", str(pair.folder / "datong.yaml"), "--json", "demand", "--as-of", str(today - timedelta(2))
    )
    assert {one["product"]: one["amount"] for one in done.json["groups"]} == {"小部件": "565", "大部件": "12865.05"}
    forecasts.withdraw(pair.engine, LI, later["number"])


def test_a_forecast_beside_what_was_ordered(planning: Planning) -> None:
    company = planning.company
    company.released(company.customer(), [line(SMALL, 14), line(LARGE, 20)], date="2026-12-03")
    company.settle()
    found = forecasts.compare(company.pair.engine, WANG, MONTH)
    assert [one["number"] for one in found.of] == ["FC-asia-2026-12-3"]
    hits = {
        one["product"]: (one["expected"], one["ordered"], one["off"], one["accuracy"]) for one in found.told["hits"]
    }
    assert hits == {"小部件": ("21", "14", "-7", "50"), "大部件": ("13.5", "20", "6.5", "67.5")}
