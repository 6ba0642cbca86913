"""What a customer buys, owes and may still buy, as both systems show it; and who is held until it is paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from datong.base.errors import UsageError
from datong.engine.occasions import asked_again
from datong.operations import approvals
from datong.operations.actor import Actor
from datong.sandbox.fields import Row
from datong.store.unit import Unit
from tests.scenarios.documents import BOOKS, LARGE, SMALL, Company, line, opened

LI = Actor("李总监", ("approver",))
FLOWS = ("orders", "quotes", "quote_to_order", *BOOKS, "aged_balances", "financial_summary")
DAY = 86400


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    for made in opened(tmp_path_factory.mktemp("money"), 16, FLOWS):
        made.erp.act("settings", credit="off")  # the limit is Datong's to watch here
        yield made


def figures(company: Company, customer: str, code: str = "asia") -> Row:
    row: Row = company.crm.get("accounts", customer)["erp"][code]["figures"]
    return row


def amounts(row: Row, *names: str) -> list[str]:
    return [f"{Decimal(row[name]):.2f}" for name in names]


def sold(company: Company, customer: str, *lines: Row, **values: Any) -> Row:
    """An order that is in the books; the ERP's row."""
    before = {row["id"] for row in company.in_erp(customer)}
    company.released(customer, list(lines), **values)
    company.settle()
    (order,) = [row for row in company.in_erp(customer) if row["id"] not in before]
    return order


def invoiced(company: Company, order: Row, **values: Any) -> Row:
    company.erp.act("ship", order=order["id"], carrier="顺丰速运")
    return company.erp.act("invoice", order=order["id"], **values)


# the summary ---------------------------------------------------------------------------------------------------------


def test_the_account_shows_what_the_documents_come_to(company: Company) -> None:
    customer = company.customer()
    order = sold(company, customer, line(SMALL, 8))  # 8 × 12.50 + 13 % = 113.00
    assert amounts(figures(company, customer), "credit_used", "receivable", "ytd") == ["113.00", "0.00", "0.00"]
    bill = invoiced(company, order)
    company.erp.act("pay", invoice=bill["id"], amount="50")
    company.settle()
    told = figures(company, customer)
    assert amounts(told, "receivable", "not_due", "overdue", "credit_used") == ["63.00", "63.00", "0.00", "63.00"]
    assert amounts(told, "ytd", "mtd", "last_year", "average_order") == ["100.00", "100.00", "0.00", "100.00"]
    assert told["last_order"] == told["last_payment"] == company.pair.clock.now().date().isoformat()
    assert "without tax 未税" in told["counted"] and "Asia/Shanghai; CNY" in told["counted"]
    assert told["as_of"] and told["credit_free"] is None, "without a limit nothing is free or taken"
    assert company.crm.get("accounts", customer)["erp"]["asia"]["currency"] == "CNY"


def test_a_debt_grows_old_by_itself(company: Company) -> None:
    customer = company.customer()
    invoiced(company, sold(company, customer, line(SMALL, 8)))  # due at once
    company.settle()
    seen = []
    for _ in range(4):
        company.pair.advance(30 * DAY)
        company.settle()
        told = figures(company, customer)
        seen.append(
            [name for name in ("not_due", "due_1_30", "due_31_60", "due_61_90", "over_90") if told[name] != "0"]
        )
        assert amounts(told, "receivable") == ["113.00"]
    assert seen == [["due_1_30"], ["due_31_60"], ["due_61_90"], ["over_90"]]


def test_an_edit_of_a_figure_is_put_back(company: Company) -> None:
    customer = company.customer()
    sold(company, customer, line(SMALL, 8))
    company.crm.edit("accounts", customer, {"erp": {"asia": {"figures": {"credit_used": "1"}}}})
    company.settle()
    assert amounts(figures(company, customer), "credit_used") == ["113.00"]


def test_the_erps_own_ageing_agrees_or_the_document_is_named(company: Company) -> None:
    customer = company.customer()
    bill = invoiced(company, sold(company, customer, line(SMALL, 8)))
    company.erp.act("pay", invoice=bill["id"], amount="13")
    company.erp.act("receive", amount="7", company="asia", customer=company.books_of(customer)["id"])
    company.settle()
    assert not [one for one in company.pair.items() if one["cause"] == "ageing differs"]
    company.pair.advance(60)
    company.erp.record("invoices", bill["id"], {"grossAmount": "114.00"})  # somebody works on the ledger
    company.pair.sync(flows=("aged_balances",))
    (item,) = [one for one in company.pair.items() if one["cause"] == "ageing differs"]
    assert bill["docNo"] in item["reason"] and "101" in item["reason"] and "100" in item["reason"]
    company.erp.record("invoices", bill["id"], {"grossAmount": "113.00"})
    company.settle()
    assert not [one for one in company.pair.items() if one["cause"] == "ageing differs"]


# the gate ------------------------------------------------------------------------------------------------------------

GATE = {"by": LI.name}
EACH = "113.00"  # what eight of SMALL are worth


def limit(company: Company, customer: str, amount: str) -> None:
    company.erp.save_company(company.books_of(customer)["id"], "asia", {"creditLimit": amount})
    company.settle()


def asked(company: Company) -> list[str]:
    """Why orders wait."""
    return [one["detail"]["reason"] for one in approvals.listed(company.pair.engine, LI)]


def test_an_order_over_the_free_credit_waits_for_who_may_release_it(company: Company) -> None:
    customer = company.customer()
    limit(company, customer, "200")
    with company.with_settings(orders={"credit": GATE}):
        sold(company, customer, line(SMALL, 8))
        assert amounts(figures(company, customer), "credit_used", "credit_free") == [EACH, "87.00"]
        company.released(customer, [line(SMALL, 8)])
        company.settle()
        assert asked(company) == ["26 CNY over the free credit: limit 200, used 113, this order 113"]
        (item,) = approvals.listed(company.pair.engine, LI)
        with pytest.raises(UsageError, match="not asked"):
            approvals.answer(company.pair.engine, Actor("孙助理", ("viewer",)), item["id"], yes=True)
        assert len(company.in_erp(customer)) == 1
        approvals.answer(company.pair.engine, LI, item["id"], yes=True)
        company.settle()
        assert [row["status"] for row in company.in_erp(customer)] == ["approved", "approved"]
        assert amounts(figures(company, customer), "credit_used", "credit_free") == ["226.00", "-26.00"]


def test_two_orders_that_fit_one_by_one_do_not_slip_through_together(company: Company) -> None:
    customer = company.customer()
    limit(company, customer, "350")
    with company.with_settings(orders={"credit": GATE}):
        for quantity in (8, 20, 8):
            company.released(customer, [line(SMALL, quantity)])
        company.settle()
        assert [Decimal(row["grossAmount"]) for row in company.in_erp(customer)] == [113, 113]
        assert asked(company) == ["158.5 CNY over the free credit: limit 350, used 226, this order 282.5"]
        for row in company.in_crm(customer):
            if not row["erp_number"]:
                company.crm.desk.cancel_order(row["id"])
        company.settle()
        assert not asked(company)


def test_a_payment_lets_the_order_go(company: Company) -> None:
    customer = company.customer()
    limit(company, customer, "200")
    with company.with_settings(orders={"credit": GATE}):
        bill = invoiced(company, sold(company, customer, line(SMALL, 8)))
        company.settle()
        company.released(customer, [line(SMALL, 8)])
        company.settle()
        assert len(asked(company)) == 1 and len(company.in_erp(customer)) == 1
        company.erp.act("pay", invoice=bill["id"])
        company.settle()
        assert not asked(company) and len(company.in_erp(customer)) == 2


def test_a_customer_who_is_overdue_too_long_is_held(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(orders={"credit": {**GATE, "overdue_days": 10, "overdue_over": 100}}):
        bill = invoiced(company, sold(company, customer, line(SMALL, 8)))
        due = bill["dueDate"]
        while company.pair.clock.now().date().isoformat() <= due:
            company.pair.advance(DAY)
        company.pair.advance(8 * DAY)
        company.settle()
        assert Decimal(figures(company, customer)["overdue_days"]) <= 10
        company.released(customer, [line(SMALL, 1)])
        company.settle()
        assert len(company.in_erp(customer)) == 2, "ten days are let pass"
        company.pair.advance(3 * DAY)
        company.released(customer, [line(SMALL, 1)])
        company.settle()
        assert asked(company) == [f"113 CNY overdue, the oldest since {due}"]
        company.erp.act("pay", invoice=bill["id"], amount="14")
        company.settle()
        assert not asked(company) and len(company.in_erp(customer)) == 3, "what is left is not over 100"


def test_a_temporary_raise_counts_until_its_day_and_needs_an_approver(company: Company) -> None:
    customer = company.customer()
    limit(company, customer, "100")
    today = company.pair.clock.now().date()
    wang = next(row for row in company.crm.rows("users"))
    raised = {"credit_raise": "20", "raise_until": (today + timedelta(days=5)).isoformat()}
    with company.with_settings(orders={"credit": GATE}, financial_summary={"may_raise": [wang["email"]]}):
        company.crm.edit("accounts", customer, {"erp": {"asia": raised}})
        company.released(customer, [line(SMALL, 8)])
        company.settle()
        assert len(asked(company)) == 1, "nobody agreed to the raise"
        company.crm.edit("accounts", customer, {"erp": {"asia": {"raise_by_id": wang["id"]}}})
        company.settle()
        assert not asked(company) and len(company.in_erp(customer)) == 1
        assert amounts(figures(company, customer), "credit_free") == ["7.00"]
        company.pair.advance(6 * DAY)
        company.settle()
        assert amounts(figures(company, customer), "credit_free") == ["-13.00"], "it is over by itself"


def test_a_group_has_one_limit(company: Company) -> None:
    head, branch = company.customer(), company.customer()
    company.crm.edit("accounts", branch, {"parent_id": head})
    limit(company, head, "300")
    group = {"companies": {"default": {"credit": {"group": True}}}}
    with company.with_settings(orders={"credit": GATE}, financial_summary=group):
        sold(company, head, line(SMALL, 8))
        sold(company, branch, line(SMALL, 8))
        for one in (head, branch):
            assert amounts(figures(company, one), "credit_used", "credit_free") == ["226.00", "74.00"]
        company.released(branch, [line(SMALL, 8)])
        company.settle()
        assert asked(company) == ["39 CNY over the free credit: limit 300, used 226, this order 113"]
        for row in company.in_crm(branch):
            if not row["erp_number"]:
                company.crm.desk.cancel_order(row["id"])
        company.settle()


def test_a_quote_says_what_would_hold_its_order(company: Company) -> None:
    customer = company.customer()
    limit(company, customer, "100")
    with company.with_settings(orders={"credit": GATE}):
        quote = company.quote(customer, [line(SMALL, 8)])
        company.settle()
        told = company.crm.get("quotes", quote["id"])["credit"]
        assert told == "13 CNY over the free credit: limit 100, used 0, this order 113"
        limit(company, customer, "120")
        assert company.crm.get("quotes", quote["id"])["credit"] is None


def test_what_turnover_counts_is_a_setting(company: Company) -> None:
    customer = company.customer()
    rules = {"companies": {"asia": {"summary": {"count": "orders", "tax": "with"}}}}
    with company.with_settings(financial_summary=rules):
        sold(company, customer, line(SMALL, 8), line(LARGE, 1))
        told = figures(company, customer)
        assert amounts(told, "ytd", "mtd") == ["224.87", "224.87"]
        assert told["counted"].startswith("orders 订单, with tax 含税")


def test_figures_follow_other_settings_at_once(company: Company) -> None:
    customer = company.customer()
    invoiced(company, sold(company, customer, line(SMALL, 8)))
    company.settle()
    company.pair.advance(2 * DAY)
    company.erp.act("receive", amount="13", company="asia", customer=company.books_of(customer)["id"])
    company.settle()
    assert amounts(figures(company, customer), "ytd", "not_due", "due_1_30") == ["100.00", "-13.00", "113.00"]
    rules = {"summary": {"tax": "with", "year_starts": 4, "closing_day": 25}, "ageing": {"unallocated": "oldest"}}
    with company.with_settings(financial_summary={"companies": {"asia": rules}}):
        company.pair.sync()
        told = figures(company, customer)
        assert amounts(told, "ytd", "not_due", "due_1_30") == ["113.00", "0.00", "100.00"]
        assert "year from month 4 月起, closing day 25 日" in told["counted"]
        company.pair.restart()
        engine = company.pair.engine
        with engine.store.trial() as tx:
            again = asked_again(Unit(tx, engine.store.clock, "test"), engine.landscape)
        assert not again, "a start with the same settings asks nobody"
    company.pair.sync()
    assert amounts(figures(company, customer), "ytd", "due_1_30") == ["100.00", "113.00"]
    for zone in ("Asia/Tokyo", "Asia/Shanghai"):
        there = {"companies": {"asia": {"time_zone": zone}}}
        company.pair.configure(connections={"crm": there, "erp": there})
        company.pair.sync()
        assert zone in figures(company, customer)["counted"]


def test_figures_that_are_switched_on_later_are_there_with_the_next_cycle(company: Company) -> None:
    customer = company.customer()
    company.pair.configure(flows={"financial_summary": {"on": False}})
    invoiced(company, sold(company, customer, line(SMALL, 8)))
    company.settle()
    before = (company.crm.get("accounts", customer)["erp"]["asia"] or {}).get("figures") or {}
    assert before.get("receivable") in (None, "0"), before
    company.pair.configure(flows={"financial_summary": {"on": True}})
    company.pair.sync()
    assert amounts(figures(company, customer), "receivable") == ["113.00"]
