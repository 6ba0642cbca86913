"""A campaign's prices on the sandbox pair: agreed to, a dated price list of the ERP, shown in the CRM, over in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from datong.base.clock import local_date
from datong.base.errors import UsageError
from datong.operations import Actor, approvals
from datong.sandbox.fields import Row
from tests.scenarios.documents import LARGE, SMALL, Company, opened
from tests.scenarios.pair import WANG

FLOWS = ("campaigns", "campaign_prices", "price_lists", "prices", "orders")
LI = Actor("李娜", ("operator",))
CHEN = Actor("陈总", ("viewer",))


class Sale:
    """Campaigns of the marketing desk, and the prices that the ERP asks for. SMALL costs us 8.00, LARGE 60.00."""

    def __init__(self, company: Company) -> None:
        self.company, self.crm, self.erp = company, company.crm, company.erp
        self.today = local_date(company.pair.clock.now(), "Asia/Shanghai")
        for sku, cost in ((SMALL, "8.00"), (LARGE, "60.00")):
            self.erp.edit("items", company.items[sku], {"standardCost": cost})
        company.settle()
        self.customer = company.customer()

    def campaign(self, name: str, **values: Any) -> str:
        days = {"start_date": str(self.today), "end_date": str(self.today + timedelta(30))}
        made = self.crm.desk.make_campaign(name, **{**days, "state": "running", **values})
        self.company.settle()
        return str(made["id"])

    def change(self, campaign: str, **changes: Any) -> None:
        self.crm.desk.change_campaign(campaign, **changes)
        self.company.settle()

    def asked(self) -> list[Row]:
        return [one for one in approvals.listed(self.company.pair.engine, WANG) if one["kind"] == "price_list"]

    def agree(self, actor: Actor = WANG) -> str:
        (item,) = self.asked()
        approvals.answer(self.company.pair.engine, actor, item["id"], yes=True)
        self.company.settle()
        return str(item["reason"])

    def lists(self, name: str) -> list[Row]:
        """Of a campaign, in the ERP, as they were made."""
        return [one for one in self.erp.rows("priceLists") if one["name"].startswith(name)]

    def charged(self, sku: str, day: date) -> Decimal:
        """What the ERP itself asks for one piece, in an order of that day."""
        customer = self.company.books_of(self.customer)["id"]
        order = self.erp.create(
            "salesOrders",
            {
                "companyCode": "asia",
                "custId": customer,
                "orderDate": str(day),
                "currency": "CNY",
                "lines": [{"itemId": self.company.items[sku], "qty": "1"}],
            },
        )
        self.erp.act("cancel", order=order["id"])
        return Decimal(order["lines"][0]["price"])


@pytest.fixture(scope="module")
def sale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sale]:
    for company in opened(tmp_path_factory.mktemp("prices"), 2, FLOWS):
        yield Sale(company)


def test_a_campaigns_prices_are_a_dated_list_of_the_erp_when_somebody_agreed(sale: Sale) -> None:
    campaign = sale.campaign("秋季推广", prices={SMALL: "11.00"}, discounts={LARGE: "15"})
    assert sale.lists("秋季推广") == []
    assert "is to agree" in sale.crm.get("campaigns", campaign)["price_state"]
    reason = sale.agree()
    assert "小部件 11" in reason and "大部件 84.15" in reason and str(sale.today) in reason
    (made,) = sale.lists("秋季推广")
    assert (made["validFrom"], made["validTo"], made["disabled"], made["currency"], made["priceIncludesTax"]) == (
        str(sale.today),
        str(sale.today + timedelta(30)),
        False,
        "CNY",
        False,
    )
    assert sale.charged(SMALL, sale.today) == 11 and sale.charged(LARGE, sale.today) == Decimal("84.15")
    assert sale.charged(SMALL, sale.today + timedelta(31)) == Decimal("12.5")
    (shown,) = [one for one in sale.crm.rows("price_lists") if one["code"] == made["code"]]
    prices = {one["price"] for one in sale.crm.rows("prices") if one["price_list_id"] == shown["id"]}
    assert {Decimal(one) for one in prices} == {Decimal(11), Decimal("84.15")}
    told = sale.crm.get("campaigns", campaign)
    assert (told["price_list"], told["price_state"]) == (made["code"], "in force")


def test_a_price_below_cost_waits_until_a_named_person_agrees(sale: Sale) -> None:
    sale.campaign("清仓", prices={SMALL: "7.00"})
    (item,) = [one for one in sale.company.pair.items() if one["cause"] == "below cost"]
    assert "below its cost" in item["reason"] and "below_cost.by" in item["remedy"]
    assert sale.asked() == [] and sale.lists("清仓") == []
    with sale.company.with_settings(campaign_prices={"below_cost": {"by": "陈总"}}):
        campaign = sale.campaign("清仓二", prices={SMALL: "7.10"})
        (first,) = [one for one in sale.asked() if "清仓二" in one["reason"]]
        approvals.answer(sale.company.pair.engine, WANG, first["id"], yes=True)
        sale.company.settle()
        (second,) = [one for one in sale.asked() if "清仓二" in one["reason"]]
        assert "below its cost" in second["reason"]
        with pytest.raises(UsageError, match="that is for 陈总"):
            approvals.answer(sale.company.pair.engine, LI, second["id"], yes=True)
        assert sale.lists("清仓二") == []
        approvals.answer(sale.company.pair.engine, CHEN, second["id"], yes=True)
        sale.company.settle()
        assert len(sale.lists("清仓二")) == 1
        sale.change(campaign, state="cancelled")
    for one in sale.crm.rows("campaigns"):
        if one["name"] == "清仓":
            sale.change(one["id"], state="cancelled")


def test_a_changed_campaign_is_agreed_to_anew_and_the_list_before_gives_way(sale: Sale) -> None:
    campaign = sale.campaign("冬季推广", prices={LARGE: "90.00"})
    sale.agree()
    (line,) = sale.crm.get("campaigns", campaign)["products"]
    sale.change(campaign, products_changes={"update": [{"id": line["id"], "price": "88.00"}]})
    (before,) = sale.lists("冬季推广")
    assert not before["disabled"]
    sale.agree()
    first, second = sale.lists("冬季推广")
    assert (first["disabled"], second["disabled"]) == (True, False)
    assert {one["disabled"] for one in sale.erp.rows("prices") if one["priceListId"] == first["id"]} == {True}
    shortened = str(sale.today + timedelta(10))
    sale.change(campaign, end_date=shortened)
    assert sale.lists("冬季推广")[1]["validTo"] == shortened, "a shorter campaign needs nobody's yes"
    sale.change(campaign, state="done")
    assert [one["disabled"] for one in sale.lists("冬季推广")] == [True, True]
    assert sale.crm.get("campaigns", campaign)["price_state"] == "ended"
    assert sale.asked() == []


def test_what_the_erp_makes_of_the_list_is_put_back_and_its_own_lists_are_left_alone(sale: Sale) -> None:
    (made,) = sale.lists("秋季推广")
    sale.erp.edit("priceLists", made["id"], {"validTo": "2029-12-31"})
    own = sale.erp.create("priceLists", {"code": "PL-9", "name": "自建", "companyCode": "asia", "currency": "CNY"})
    sale.company.settle()
    assert sale.lists("秋季推广")[0]["validTo"] == str(sale.today + timedelta(30))
    sale.erp.edit("priceLists", own["id"], {"name": "自建二"})
    sale.company.settle()
    assert sale.erp.get("priceLists", own["id"])["name"] == "自建二"
    assert [one["name"] for one in sale.crm.rows("price_lists") if one["code"] == "PL-9"] == ["自建二"]


def test_what_cannot_be_a_price_is_said(sale: Sale) -> None:
    sale.campaign("没有日期", prices={SMALL: "11"}, end_date=None)
    sale.campaign("太便宜", discounts={SMALL: "100"})
    reasons = [one["reason"] for one in sale.company.pair.items() if one["kind"] == "campaign"]
    assert any("no first and last day" in one for one in reasons)
    assert any("100 % off 小部件" in one for one in reasons)
