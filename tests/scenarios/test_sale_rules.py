"""Who is asked before a sale goes on, of the quote already, and who sees what things cost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from datong.operations import Actor, approvals, sync, work
from datong.operations.records import explain
from datong.sandbox.fields import Row
from tests.scenarios.documents import BOOKS, LARGE, ORDER_TO_CASH, SMALL, Company, line, opened

ZHAO = Actor("赵经理", ("approver",))
SUN = Actor("孙助理", ("viewer",))
QIAN = Actor("钱会计", ("viewer", "cost"))
OF_THE_QUOTE = {"approve": "quote"}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """SMALL costs 10, at 12.50."""
    for made in opened(tmp_path_factory.mktemp("rules"), 12, (*ORDER_TO_CASH, *BOOKS)):
        made.erp.edit("items", made.items[SMALL], {"standardCost": "10"})
        made.settle()
        yield made


def asked(company: Company, who: Actor = ZHAO) -> list[dict[str, Any]]:
    return approvals.listed(company.pair.engine, who)


def told(company: Company, quote: Row) -> str | None:
    text: str | None = company.crm.get("quotes", quote["id"])["approval"]
    return text


# of the quote --------------------------------------------------------------------------------------------------------


def test_what_was_agreed_of_the_quote_is_not_asked_of_its_order(company: Company) -> None:
    customer = company.customer()
    rules = [{"discount_over": 15}, {"margin_under": 10}, {"total_over": 20}]
    with company.with_settings(orders={"approve": rules}, quotes=OF_THE_QUOTE):
        quote = company.crm.desk.make_quote(customer, [line(SMALL, 3, discount="20")])
        company.settle()
        given = []
        for _ in rules:
            (item,) = asked(company)
            assert (
                item["kind"] == "quote" and told(company, quote) == f"{item['detail']['reason']}: approver is to agree"
            )
            given.append(item["detail"]["rule"])
            approvals.answer(company.pair.engine, ZHAO, item["id"], yes=True)
            company.settle()
        assert given == ["discount", "margin", "total"] and told(company, quote) == "agreed 已同意"
        company.crm.desk.send_quote(quote["id"])
        company.crm.desk.accept_quote(quote["id"])
        company.settle()
        assert company.erp_order(customer)["status"] == "approved" and not asked(company)


def test_an_answer_stands_for_the_lines_as_they_were(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(orders={"approve": [{"discount_over": 15}]}, quotes=OF_THE_QUOTE):
        quote = company.crm.desk.make_quote(customer, [line(SMALL, 3, discount="20")])
        company.settle()
        approvals.answer(company.pair.engine, ZHAO, asked(company)[0]["id"], yes=True)
        company.settle()
        more = {company.crm.get("quotes", quote["id"])["lines"][0]["id"]: {"quantity": "3000"}}
        company.crm.desk.change_quote(quote["id"], lines=more)
        company.settle()
        (item,) = asked(company)
        assert item["detail"]["reason"] == "a discount of 20 %, above 15 %", (
            "the same words, of a thousand times as much"
        )
        company.crm.desk.send_quote(quote["id"])
        company.crm.desk.accept_quote(quote["id"])
        company.settle()
        assert not company.in_erp(customer), "nobody agreed to 3000"
        (item,) = asked(company)
        assert item["kind"] == "order"
        approvals.answer(company.pair.engine, ZHAO, item["id"], yes=True)
        company.settle()
        assert Decimal(company.erp_order(customer)["lines"][0]["qty"]) == 3000


def test_a_refusal_is_told_on_the_quote_and_holds_its_order(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(orders={"approve": [{"discount_over": 15}]}, quotes=OF_THE_QUOTE):
        quote = company.quote(customer, [line(LARGE, 1, discount="50")])
        company.settle()
        approvals.answer(company.pair.engine, ZHAO, asked(company)[0]["id"], yes=False, note="太低")
        company.settle()
        assert "赵经理 refused (太低)" in (told(company, quote) or "") and not asked(company)
        company.crm.desk.accept_quote(quote["id"])
        company.settle()
        assert not company.in_erp(customer)
        assert "太低" in company.crm.get("quotes", quote["id"])["order_waits_for"]


def test_by_default_the_order_is_asked_and_the_quote_says_nothing(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(orders={"approve": [{"discount_over": 15}]}):
        quote = company.quote(customer, [line(LARGE, 1, discount="50")])
        company.settle()
        assert told(company, quote) is None and not asked(company)


# what things cost ----------------------------------------------------------------------------------------------------


def test_the_margin_is_told_to_who_is_asked_and_to_who_may_see_costs(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(orders={"approve": [{"margin_under": 30}]}):
        quote = company.accepted(customer, [line(SMALL, 2)])
        company.settle()
        shown = {who.name: asked(company, who)[0]["detail"].get("shown") for who in (SUN, QIAN, ZHAO)}
        assert shown == {SUN.name: None, QIAN.name: {"margin": "20.0 %"}, ZHAO.name: {"margin": "20.0 %"}}
        parked = work.listed(company.pair.engine, SUN, ("parked",))
        assert "20.0 %" not in str([(one["reason"], one["detail"]) for one in parked])
        waits = company.crm.get("quotes", quote["id"])["order_waits_for"]
        assert waits == "a margin below 30 %: approver is to agree", "the CRM is not told the figure"
        approvals.answer(company.pair.engine, ZHAO, asked(company)[0]["id"], yes=True)
        company.settle()


def test_costs_are_shown_to_who_may_see_them(company: Company) -> None:
    customer = company.customer()
    quote = company.quote(customer, [line(SMALL, 2, cost="7.77")])
    company.settle()

    def seen(who: Actor) -> str:
        return str(explain(company.pair.engine, who, "crm", quote["id"], "quote"))

    assert "7.77" in seen(QIAN) and "7.77" not in seen(SUN)
    product = explain(company.pair.engine, SUN, "erp", str(company.items[SMALL]), "product")["fields"]["cost"]
    assert product["agreed"] == "***" and set(product["in"].values()) == {"***"}
    company.erp.edit("items", company.items[LARGE], {"standardCost": "66.6"})
    with company.with_settings(quotes={"cost": True}):
        company.quote(customer, [line(LARGE, 1)])
        plan = company.pair.engine.plan()
        changes = {who.name: str(sync.plan_changes_of(company.pair.engine, who, plan["id"])) for who in (SUN, QIAN)}
        assert "66.6" in changes[QIAN.name] and "66.6" not in changes[SUN.name] and "***" in changes[SUN.name]
        company.settle()


def test_the_crm_is_told_the_cost_only_where_the_flow_says_so(company: Company) -> None:
    customer = company.customer()
    first = company.quote(customer, [line(SMALL, 2)])
    company.settle()
    assert company.crm.get("quotes", first["id"])["lines"][0]["cost"] is None
    assert not any("cost" in name for name in company.crm.rows("products")[0])
    with company.with_settings(quotes={"cost": True}):
        second = company.quote(customer, [line(SMALL, 2), line(SMALL, 1, cost="9.5")])
        company.settle()
        lines = company.crm.get("quotes", second["id"])["lines"]
        assert [Decimal(one["cost"]) for one in lines] == [10, Decimal("9.5")], "what is typed stays"
