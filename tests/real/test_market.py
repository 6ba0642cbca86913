"""The market on real systems: deals of BottleCRM become a forecast in Tryton, and hear what came of them; a campaign's
price list is made in Tryton once, with its days, and ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import lab
from datong.base.clock import SystemClock
from datong.connectors.tryton import Tryton, TrytonSettings
from datong.insight.span import Span
from datong.kit import Context, ItemWrite, Refused, Saved, Write
from datong.kit.budget import Budget
from datong.operations import approvals, forecasts
from lab import staff
from tests.real.conftest import unavailable
from tests.real.real_pair import COMPANIES, RealPair, real_pair
from tests.scenarios.pair import WANG

pytestmark = [pytest.mark.real, pytest.mark.proof, pytest.mark.timeout(900)]
FLOWS = (
    "reference_data",
    "contact",
    "product_catalogue",
    "opportunities",
    "opportunity_to_order",
    "orders",
    "invoices",
    "forecasts",
)
TODAY = dt.date.today()
MONTH = Span.parse("2027-03")


@pytest.fixture(scope="module")
def both() -> Iterator[lab.Real]:
    """Systems of their own: what is planned with cannot be cleared away."""
    try:
        with lab.running() as real:
            yield real
    except lab.LabUnavailable as reason:
        unavailable(reason)


@pytest.fixture
def market(both: lab.Real, tmp_path: Path) -> Iterator[RealPair]:
    made = real_pair(both, tmp_path)
    erp = {"warehouses": {"asia": "SHA", "europe": "RTM"}, "forecasts": True}
    made.configure(connections={"crm": {"sales": True}, "erp": erp}, flows=dict.fromkeys(FLOWS, True))
    made.app.landscape.connections["crm"].connector.check()  # makes the custom fields
    yield made
    made.close()


class Deals:
    def __init__(self, market: RealPair) -> None:
        self.crm, self.erp = market.crm.system, market.erp.system
        place = {"address_line": "科技园路1号", "city": "深圳市", "country": "CN"}
        self.account = self.crm.call("POST", "/api/accounts/", {"name": "长江机电有限公司", **place})["id"]
        market.crm.make_contact(self.account, "娜", "李", "li.na@example.com")
        market.settle()
        goods = self.crm.call("GET", "/api/invoices/products/?limit=100")["results"]
        (self.bearing,) = [one for one in goods if one["sku"] == "W-100"]

    def deal(self, name: str, quantity: str, probability: int) -> str:
        told = {
            "name": name,
            "account": self.account,
            "stage": "PROSPECTING",
            "currency": "CNY",
            "probability": probability,
            "closed_on": "2027-03-15",
            "custom_fields": {"company": "asia"},
        }
        made = self.crm.call("POST", "/api/opportunities/", told)
        key = str(made.get("id") or made["opportunity"]["id"])
        line = {"product_id": self.bearing["id"], "quantity": quantity, "unit_price": "12.5"}
        self.crm.call("POST", f"/api/opportunities/{key}/line-items/", line)
        return key

    def told(self, key: str) -> dict[str, Any]:
        return dict(self.crm.call("GET", f"/api/opportunities/{key}/")["opportunity_obj"]["custom_fields"])

    def planned(self) -> list[dict[str, Any]]:
        fields = ["state", "from_date", "to_date", "lines."]
        names = [*fields[:3], "lines.product", "lines.quantity"]
        rows = self.erp.call("model.stock.forecast.search_read", [], 0, None, [["id", "ASC"]], names)
        return [
            {**{n: row[n] for n in fields[:3]}, "lines": {one["product"]: one["quantity"] for one in row["lines."]}}
            for row in rows
        ]


def agree(market: RealPair) -> None:
    (item,) = [one for one in approvals.listed(market.engine, WANG) if one["kind"] == "forecast"]
    approvals.answer(market.engine, WANG, item["id"], yes=True)


def test_deals_become_a_forecast_of_tryton_and_hear_what_came_of_them(market: RealPair) -> None:
    deals = Deals(market)
    deals.deal("轴承大单", "40", 60)
    won = deals.deal("轴承小单", "10", 50)
    market.settle()
    forecasts.make(market.engine, WANG, MONTH)
    market.settle()
    assert deals.planned() == []
    agree(market)
    market.settle()
    bearing = deals.erp.ids["products"]["W-100"]
    first = {"state": "done", "from_date": dt.date(2027, 3, 1), "to_date": dt.date(2027, 3, 31), "lines": {bearing: 29}}
    assert deals.planned() == [first]

    deals.crm.call("PATCH", f"/api/opportunities/{won}/", {"stage": "CLOSED_WON", "closed_on": "2027-03-15"})
    market.settle()
    forecasts.make(market.engine, WANG, MONTH)
    agree(market)
    market.settle()
    second = {**first, "lines": {bearing: 24}}
    assert deals.planned() == [{**first, "state": "cancelled"}, second]
    kept = {one["number"]: one["state"] for one in forecasts.listed(market.engine, WANG)}
    assert kept == {"FC-asia-2027-03-1": "replaced", "FC-asia-2027-03-2": "current"}

    (sale,) = deals.erp.call("model.sale.sale.search_read", [], 0, None, None, ["shipments", "invoices"])
    staff.ship(deals.erp, sale["shipments"][0])
    staff.post(deals.erp, sale["invoices"][0])
    market.settle()
    (cost,) = deals.erp.call("model.product.product.read", [bearing], ["cost_price"])
    came = {name: Decimal(deals.told(won)[name]) for name in ("ordered", "invoiced", "margin")}
    assert came == {"ordered": 125, "invoiced": 125, "margin": 125 - 10 * cost["cost_price"]}
    assert [(one["cause"], one["reason"]) for one in market.items("parked", "conflict", "review")] == []


@pytest.fixture
def books(both: lab.Real) -> Iterator[Tryton]:
    clock = SystemClock()
    erp = both.tryton
    settings = TrytonSettings(
        url=erp.url,
        database=erp.database,
        login=erp.login,
        password=erp.password,
        campaign_prices=True,
    )
    made = Tryton(settings, Context("books", clock, Budget(clock), COMPANIES))
    yield made
    made.close()


def test_a_campaigns_price_list_is_made_once_with_its_days_and_ends(both: lab.Real, books: Tryton) -> None:
    erp, spec = both.tryton, books.kinds["price_list"]
    bearing, last = erp.ids["products"]["W-100"], TODAY + dt.timedelta(30)
    values = {
        "code": "MC-2026-0001-3f2a9c1b",
        "name": "秋季推广 活动价",
        "company": 1,
        "tax_included": False,
        "currency": erp.ids["currencies"]["CNY"],
        "valid_from": TODAY.isoformat(),
        "valid_to": last.isoformat(),
        "active": True,
    }
    line = ItemWrite("create", None, {"product": bearing, "price": "11"})
    made = Write(1, "create", None, "dt-t-77", values, {"lines": [line]})
    first, again = (next(iter(books.write(spec, [made]))) for _ in range(2))
    assert isinstance(first, Saved) and isinstance(again, Saved)
    assert again.existed and first.id == again.id

    def charged(day: dt.date) -> Decimal | None:
        context = {"price_list": int(first.id), "company": 1, "quantity": 1, "date": day}
        (row,) = erp.call("model.product.product.read", [bearing], ["sale_price_uom"], context=context)
        return row["sale_price_uom"]

    assert charged(TODAY) == 11 and charged(last) == 11 and charged(last + dt.timedelta(1)) != 11
    prices = {
        one.id: books.kinds["price"].map.read(one.data).values
        for p in books.read(books.kinds["price"], None)
        for one in p.records
    }
    mine = prices[f"{first.id}-{bearing}"]
    assert (mine["price"], mine["valid_from"], mine["valid_to"]) == ("11", TODAY.isoformat(), last.isoformat())

    shorter = (TODAY + dt.timedelta(10)).isoformat()
    (cut,) = books.write(spec, [Write(2, "update", first.id, None, {"valid_to": shorter})])
    assert isinstance(cut, Saved) and cut.record is not None and cut.record.data["valid_to"] == shorter
    assert charged(TODAY + dt.timedelta(11)) != 11
    (over,) = books.write(spec, [Write(3, "update", first.id, None, {"active": False})])
    assert isinstance(over, Saved) and over.record is not None and over.record.data["active"] is False
    half = {"name": "冬季推广 活动价", "company": 1, "tax_included": False, "unit": "product_default"}
    (left,) = erp.call(
        "model.product.price_list.create", [{**half, "lines": [["create", [{"product": bearing, "formula": "9"}]]]}]
    )
    again = {**values, "name": half["name"], "code": "MC-2026-0002-77aa01bc"}
    nine = ItemWrite("create", None, {"product": bearing, "price": "9"})
    (taken,) = books.write(spec, [Write(5, "create", None, "dt-t-79", again, {"lines": [nine]})])
    assert isinstance(taken, Saved) and taken.id == str(left), "a create that stopped before its note is gone on with"
    dollars = {**values, "currency": erp.ids["currencies"]["USD"]}
    (refused,) = books.write(spec, [Write(4, "create", None, "dt-t-78", dollars, {"lines": [line]})])
    assert isinstance(refused, Refused) and "currency of its company" in refused.reason
