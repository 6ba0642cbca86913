"""Campaign suggestions on the sandbox pair: overstock by warehouse, who bought it, and a campaign of that, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from datong.base.clock import local_date
from datong.base.errors import NotFound
from datong.operations import Actor
from datong.operations.suggest import Suggestions, accept, suggest
from datong.sandbox.fields import Row
from tests.cli.conftest import datong
from tests.scenarios.documents import LARGE, SMALL, Company, line, opened
from tests.scenarios.pair import WANG

FLOWS = ("campaigns", "orders", "shipments", "stock", "demand")
LI = Actor("李娜", ("operator",))


class Warehouse:
    """A product that sells well, one of which far too much is there, and one that nobody ever took."""

    def __init__(self, company: Company) -> None:
        self.company, self.crm, self.erp, self.engine = company, company.crm, company.erp, company.pair.engine
        self.today = local_date(company.pair.clock.now(), "Asia/Shanghai")
        company.add_product("W-300", "滞销部件", "40.00", stock=0, group="配件")
        company.add_product("W-301", "配套部件", "10.00", stock=0, group="配件")
        company.settle()
        self.regular, self.once, self.like = (company.customer() for _ in range(3))
        self.sold = [
            self.order(self.regular, SMALL, 60, 20),
            *(self.order(self.regular, LARGE, 4, days) for days in (170, 110, 50)),
            self.order(self.once, LARGE, 2, 100),
            self.order(self.like, "W-301", 5, 40),
        ]
        company.settle()
        for order in self.erp.rows("salesOrders"):
            self.erp.act("ship", order=order["id"], day=order["orderDate"])
        there = {SMALL: 30, LARGE: 60, "W-300": 25}
        wanted = {company.items[sku]: quantity for sku, quantity in there.items()}
        shanghai = next(one["id"] for one in self.erp.rows("warehouses") if one["code"] == "SH1")
        for level in self.erp.rows("stockLevels"):
            quantity = wanted.get(level["itemId"], 0) if level["warehouseId"] == shanghai else 0
            self.erp.act("set_stock", item=level["itemId"], warehouse=level["warehouseId"], quantity=str(quantity))
        company.settle()

    def order(self, customer: str, sku: str, quantity: int, days_ago: int) -> Row:
        return self.company.released(customer, [line(sku, quantity)], date=str(self.today - timedelta(days_ago)))

    def found(self) -> Suggestions:
        return suggest(self.company.pair.engine, WANG)

    def name(self, customer: str) -> str:
        return str(self.crm.get("accounts", customer)["name"])

    def campaigns(self) -> list[Row]:
        return list(self.crm.rows("campaigns"))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    for company in opened(tmp_path_factory.mktemp("suggest"), 4, FLOWS):
        yield Warehouse(company)


def test_overstock_says_how_long_it_lasts_how_long_it_lies_and_what_it_is_worth(warehouse: Warehouse) -> None:
    over = {one["product"]: one for one in map(warehouse.found().over_told, warehouse.found().over)}
    assert set(over) == {"大部件", "滞销部件"}, over  # of the small part 30 are there, and 10 leave in a month
    large, idle = over["大部件"], over["滞销部件"]
    assert (large["stock"], large["monthly"], large["months"], large["idle_days"]) == ("60", "2.3", "25.7", 50)
    assert (large["excess"], large["worth"], large["currency"]) == ("46", "4554", "CNY")
    assert (idle["monthly"], idle["months"], idle["idle_days"], idle["worth"]) == ("0", None, None, "1000")
    assert large["warehouse"] == idle["warehouse"] != ""


def test_customers_are_those_who_bought_it_or_its_like_the_due_ones_first(warehouse: Warehouse) -> None:
    found = warehouse.found()
    told = [found.customer_told(one) for one in found.customers]
    shown = [(one["product"], one["customer"], one["by"], one["times"], one["is_due"], one["worth"]) for one in told]
    assert shown == [
        ("大部件", warehouse.name(warehouse.regular), "product", 3, True, "396"),
        ("大部件", warehouse.name(warehouse.once), "product", 1, False, "198"),
        ("滞销部件", warehouse.name(warehouse.like), "group", 1, False, "40"),
    ]
    assert told[0]["every_days"] == 60 and told[0]["due"] == str(warehouse.today + timedelta(10))


def test_what_is_accepted_is_one_campaign_in_the_crm_with_its_members_and_reasons(warehouse: Warehouse) -> None:
    found = warehouse.found()
    rows = [one.key for one in found.customers if one.product == found.customers[0].product]
    done = datong(
        *("--config", str(warehouse.company.pair.folder / "datong.yaml"), "--json", "suggest"),
        *("--accept", "大部件清库存", "--to", "2027-01-31", *(f"--row={one}" for one in rows)),
    )
    assert done.status == 0, done.err
    warehouse.company.settle()
    (made,) = warehouse.campaigns()
    assert (made["name"], made["state"], made["end_date"], made["currency"]) == (
        "大部件清库存",
        "planned",
        "2027-01-31",
        "CNY",
    )
    members = {one["account_id"]: (one["reason"], Decimal(one["expected"])) for one in made["accounts"]}
    assert members.keys() == {warehouse.regular, warehouse.once}
    assert members[warehouse.regular][1] == 396 and "3 times" in members[warehouse.regular][0]
    assert [one["product_id"] for one in made["products"]] != []
    with pytest.raises(NotFound, match="nobody is suggested"):
        accept(warehouse.company.pair.engine, LI, "再来一次", rows=rows)
    warehouse.company.settle()
    assert len(warehouse.campaigns()) == 1


def test_the_campaign_is_the_crms_from_then_on(warehouse: Warehouse) -> None:
    (made,) = warehouse.campaigns()
    kept = [one for one in made["accounts"] if one["account_id"] == warehouse.regular]
    gone = [one["id"] for one in made["accounts"] if one["account_id"] != warehouse.regular]
    changes = {"accounts_changes": {"delete": gone}, "state": "cancelled", "name": "另一个名称"}
    warehouse.crm.edit("campaigns", made["id"], changes)
    warehouse.company.settle()
    (now,) = warehouse.campaigns()
    assert [one["account_id"] for one in now["accounts"]] == [kept[0]["account_id"]]
    assert (now["name"], now["state"]) == ("另一个名称", "cancelled")
    assert len(warehouse.found().customers) == 3  # a cancelled campaign serves nobody
