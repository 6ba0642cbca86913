"""Quote to order to cash, as both systems show it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from datong.base.errors import UsageError
from datong.operations import approvals, work
from datong.operations.actor import Actor
from datong.operations.records import explain
from datong.sandbox.fields import Row
from tests.scenarios.documents import BOOKS, LARGE, ORDER_TO_CASH, SMALL, Company, line, opened
from tests.scenarios.pair import WANG

ZHAO = Actor("赵经理", ("approver",))
QIAN = Actor("钱总", ("admin",))
SUN = Actor("孙助理", ("viewer",))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    yield from opened(tmp_path_factory.mktemp("books"), 40, (*ORDER_TO_CASH, *BOOKS))


def amounts(rows: list[Row], name: str) -> list[Decimal]:
    return [Decimal(row[name]) for row in rows]


# one order each ------------------------------------------------------------------------------------------------------


def test_a_quote_accepted_twice_and_announced_three_times_is_one_order(company: Company) -> None:
    customer = company.customer()
    quote = company.quote(customer, [line(SMALL, 3, discount="5"), line(LARGE, 2)], remarks="请随货附质检报告")
    company.crm.desk.accept_quote(quote["id"], clicks=2)
    company.hook("crm", "quote", quote["id"], times=3)
    company.settle()
    company.hook("crm", "quote", quote["id"])
    company.settle()
    order, shown = company.erp_order(customer), company.crm_order(customer)
    assert order["status"] == "approved" and order["remarks"] == "请随货附质检报告"
    assert [(Decimal(one["qty"]), Decimal(one["price"])) for one in order["lines"]] == [
        (3, Decimal("12.5")),
        (2, Decimal("99")),
    ]
    assert amounts([order], "grossAmount") == amounts([shown], "total") == [Decimal("264.00")]
    assert shown["quote_id"] == quote["id"] and shown["state"] == shown["status"] == "confirmed"
    told = company.crm.get("quotes", quote["id"])
    assert (told["order_number"], told["order_status"]) == (order["docNo"], "confirmed")


def test_each_side_keeps_its_number_and_holds_the_others(company: Company) -> None:
    customer = company.customer()
    first = company.released(customer, [line(SMALL)])
    company.settle()
    order, shown = company.erp_order(customer), company.crm_order(customer)
    assert order["externalNo"] == shown["number"] == first["number"]
    assert shown["erp_number"] == order["docNo"] != first["number"]
    second = company.released(customer, [line(SMALL)])
    company.settle()
    numbers = {one["externalNo"]: one["docNo"] for one in company.in_erp(customer)}
    assert set(numbers) == {first["number"], second["number"]} and len(set(numbers.values())) == 2
    assert {one["number"]: one["erp_number"] for one in company.in_crm(customer)} == numbers


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("where", ["intended create", "after create", "confirmed"])
def test_a_process_stopped_in_the_middle_leaves_one_order(company: Company, where: str) -> None:
    customer = company.customer()
    company.settle()
    quote = company.accepted(customer, [line(SMALL, 2)])

    def die(at: str) -> None:
        if at == where:
            raise Killed

    company.pair.restart(checkpoint=die)
    with pytest.raises(Killed):
        company.pair.sync()
    company.pair.restart()
    company.pair.advance(600)
    company.settle()
    assert company.erp_order(customer)["status"] == "approved"
    assert company.crm.get("quotes", quote["id"])["order_number"] == company.erp_order(customer)["docNo"]
    assert company.crm_order(customer)["state"] == "confirmed"


@pytest.mark.parametrize("path", ["salesOrders/save", "salesOrders/\\d+/submit", "salesOrders/\\d+/approve"])
def test_an_answer_lost_between_saved_and_approved_leaves_one_approved_order(company: Company, path: str) -> None:
    customer = company.customer()
    company.erp.faults.add("error_after_commit", method="POST", path=path, times=1)
    company.released(customer, [line(SMALL)])
    for _ in range(3):
        company.pair.sync()
        company.pair.advance(120)
    company.settle()
    assert company.erp_order(customer)["status"] == "approved"
    assert company.crm_order(customer)["state"] == "confirmed"


def test_a_cycle_repeated_without_a_change_writes_nothing(company: Company) -> None:
    company.settle()
    before = company.pair.crm.writes(), company.pair.erp.writes()
    company.pair.advance(3600)
    company.pair.sync()
    company.pair.sync()
    assert (company.pair.crm.writes(), company.pair.erp.writes()) == before


# what of a quote is ordered ------------------------------------------------------------------------------------------


def test_only_the_accepted_part_of_a_quote_is_ordered(company: Company) -> None:
    customer = company.customer()
    quote = company.quote(customer, [line(SMALL, 3), line(LARGE, 2)])
    company.crm.desk.part_accept_quote(quote["id"], {quote["lines"][0]["id"]: 2})
    company.settle()
    assert [(one["itemId"], Decimal(one["qty"])) for one in company.erp_order(customer)["lines"]] == [
        (company.items[SMALL], 2)
    ]


def reaccepted(company: Company, quote: Row, quantity: str) -> None:
    """The customer takes a new version of it."""
    first = company.crm.get("quotes", quote["id"])["lines"][0]["id"]
    company.crm.desk.change_quote(quote["id"], lines={first: {"quantity": quantity}})
    company.settle()
    company.crm.desk.send_quote(quote["id"])
    company.crm.desk.accept_quote(quote["id"])
    company.settle()


def test_a_quote_changed_after_acceptance_is_asked_and_then_changes_the_same_order(company: Company) -> None:
    customer = company.customer()
    quote = company.accepted(customer, [line(SMALL, 3)])
    company.settle()
    reaccepted(company, quote, "5")
    assert Decimal(company.erp_order(customer)["lines"][0]["qty"]) == 3
    (item,) = company.open_items("quote", quote["id"])
    assert item["cause"] == "changed after acceptance" and item["remedy"]
    approvals.answer(company.pair.engine, ZHAO, item["id"], yes=True)
    company.settle()
    order = company.erp_order(customer)
    assert Decimal(order["lines"][0]["qty"]) == 5 and order["status"] == "approved" and order["amendmentNo"] == 1
    assert Decimal(company.crm_order(customer)["lines"][0]["quantity"]) == 5
    assert not company.open_items("quote", quote["id"])


def test_a_quote_changed_after_acceptance_amends_where_the_company_says_so(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(quote_to_order={"changed": "amend"}):
        quote = company.accepted(customer, [line(SMALL, 3)])
        company.settle()
        reaccepted(company, quote, "4")
        order = company.erp_order(customer)
        assert Decimal(order["lines"][0]["qty"]) == 4 and order["amendmentNo"] == 1
        assert not company.open_items("quote", quote["id"])


def test_a_cancelled_order_makes_room_for_the_next_version(company: Company) -> None:
    customer = company.customer()
    quote = company.accepted(customer, [line(SMALL, 3)])
    company.settle()
    company.crm.desk.cancel_order(company.crm_order(customer)["id"])
    company.settle()
    assert [one["status"] for one in company.in_erp(customer)] == ["cancelled"]
    assert company.crm.get("quotes", quote["id"])["order_status"] == "cancelled"
    reaccepted(company, quote, "7")
    made = {one["status"]: Decimal(one["lines"][0]["qty"]) for one in company.in_erp(customer)}
    assert made == {"cancelled": 3, "approved": 7}


def test_a_won_opportunity_becomes_one_order(company: Company) -> None:
    customer = company.customer()
    deal = company.crm.desk.make_opportunity(customer, [line(SMALL, 4)])
    company.settle()
    assert not company.in_erp(customer)
    company.crm.desk.win(deal["id"])
    company.settle()
    order = company.erp_order(customer)
    assert order["status"] == "approved" and Decimal(order["lines"][0]["qty"]) == 4
    assert company.crm.get("opportunities", deal["id"])["order_number"] == order["docNo"]


def test_the_quote_of_a_won_opportunity_is_ordered_once(company: Company) -> None:
    customer = company.customer()
    deal = company.crm.desk.make_opportunity(customer, [line(SMALL, 4)])
    quote = company.quote(customer, [line(SMALL, 4)], opportunity_id=deal["id"])
    company.settle()
    company.crm.desk.accept_quote(quote["id"])
    company.crm.desk.win(deal["id"])
    company.settle()
    assert Decimal(company.erp_order(customer)["lines"][0]["qty"]) == 4


# orders of their own -------------------------------------------------------------------------------------------------


def test_an_order_released_in_the_crm_is_ordered_once(company: Company) -> None:
    customer = company.customer()
    made = company.crm.desk.make_order(customer, [line(SMALL, 2)], wanted_date="2026-12-24", carrier="顺丰速运")
    company.settle()
    assert not company.in_erp(customer), "a draft is nobody's business"
    company.crm.desk.release_order(made["id"], clicks=2)
    company.hook("crm", "order", made["id"], times=2)
    company.settle()
    order = company.erp_order(customer)
    assert (order["status"], order["requestedDate"], order["carrier"]) == ("approved", "2026-12-24", "顺丰速运")


def test_an_order_taken_by_telephone_appears_in_the_crm_and_is_not_sent_back(company: Company) -> None:
    customer = company.customer()
    row = {"companyCode": "asia", "custId": company.books_of(customer)["id"]}
    lines = [{"itemId": company.items[SMALL], "qty": "6", "price": "11"}]
    taken = company.erp.create("salesOrders", {**row, "lines": lines})
    company.erp.act("approve", order=taken["id"])
    company.settle()
    order, shown = company.erp_order(customer), company.crm_order(customer)
    assert shown["erp_number"] == order["docNo"] and shown["state"] == "confirmed"
    assert [(Decimal(one["quantity"]), Decimal(one["price"])) for one in shown["lines"]] == [(6, 11)]
    assert order["externalNo"] == shown["number"], "the CRM's number is noted in the ERP"
    assert [(Decimal(one["qty"]), Decimal(one["price"])) for one in order["lines"]] == [(6, 11)]
    assert order["status"] == "approved"


def test_a_change_before_shipment_is_an_amendment(company: Company) -> None:
    customer = company.customer()
    made = company.released(customer, [line(SMALL, 2), line(LARGE, 1)])
    company.settle()
    lines = company.crm_order(customer)["lines"]
    changes = {lines[0]["id"]: {"quantity": "5"}, lines[1]["id"]: None}
    company.crm.desk.change_order(made["id"], lines=changes, remarks="请尽快")
    company.settle()
    order = company.erp_order(customer)
    assert (order["status"], order["amendmentNo"], order["remarks"]) == ("approved", 1, "请尽快")
    assert [Decimal(one["qty"]) for one in order["lines"]] == [5]
    assert amounts([order], "grossAmount") == amounts(company.in_crm(customer), "total")


def test_a_change_after_shipment_is_put_back_and_told(company: Company) -> None:
    customer = company.customer()
    made = company.released(customer, [line(SMALL, 2)])
    company.settle()
    company.erp.act("ship", order=company.erp_order(customer)["id"])
    company.settle()
    shown = company.crm_order(customer)
    company.crm.desk.change_order(made["id"], lines={shown["lines"][0]["id"]: {"quantity": "9"}})
    company.settle()
    assert Decimal(company.erp_order(customer)["lines"][0]["qty"]) == 2
    assert Decimal(company.crm_order(customer)["lines"][0]["quantity"]) == 2
    events = [one["event"] for one in explain(company.pair.engine, WANG, "crm", made["id"], "order")["timeline"]]
    assert "put back" in events


def test_a_cancellation_after_shipment_is_refused_with_the_reason(company: Company) -> None:
    customer = company.customer()
    made = company.released(customer, [line(SMALL, 2)])
    company.settle()
    company.erp.act("ship", order=company.erp_order(customer)["id"])
    company.settle()
    company.crm.desk.cancel_order(made["id"])
    company.settle()
    assert company.erp_order(customer)["status"] == "approved"
    assert company.crm_order(customer)["state"] == "confirmed"
    (item,) = company.open_items("order", made["id"])
    assert "ship" in item["reason"] and item["remedy"], item


# goods and money -----------------------------------------------------------------------------------------------------


def test_part_shipment_part_invoice_part_payment_and_the_rest(company: Company) -> None:
    customer = company.customer()
    quote = company.accepted(customer, [line(SMALL, 4), line(LARGE, 2)])
    company.settle()
    order = company.erp_order(customer)
    small, large = (one["lineId"] for one in order["lines"])

    def shown() -> tuple[Any, ...]:
        company.settle()
        one = company.crm_order(customer)
        assert company.crm.get("quotes", quote["id"])["order_status"] == one["status"]
        return one["shipping"], one["billing"], one["paying"], one["status"]

    assert shown() == ("none", "none", "none", "confirmed")
    assert company.waits("quote", quote["id"]) == [("the ERP", "ship the goods")]

    company.erp.act("ship", order=order["id"], quantities={small: "3"}, carrier="顺丰速运", tracking="SF1234567890")
    assert shown() == ("part", "none", "none", "part shipped")
    (shipment,) = company.in_crm(customer, "shipments")
    assert (shipment["carrier"], shipment["tracking"], shipment["state"]) == ("顺丰速运", "SF1234567890", "shipped")
    assert [Decimal(one["shipped_quantity"]) for one in company.crm_order(customer)["lines"]] == [3, 0]

    company.erp.act("ship", order=order["id"])
    assert shown() == ("full", "none", "none", "shipped")
    assert company.waits("quote", quote["id"]) == [("the ERP", "invoice the order")]

    first = company.erp.act("invoice", order=order["id"], quantities={small: "4", large: "1"})
    assert shown() == ("full", "part", "none", "shipped")
    company.erp.act("invoice", order=order["id"])
    assert shown() == ("full", "full", "none", "invoiced")
    assert company.waits("quote", quote["id"]) == [("the customer", "pay")]
    invoices = company.in_crm(customer, "invoices")
    assert sorted(amounts(invoices, "total")) == [Decimal("111.87"), Decimal("168.37")]

    company.erp.act("pay", invoice=first["id"], amount="100")
    assert shown() == ("full", "full", "part", "part paid")
    for one in company.in_erp(customer, "invoices"):
        company.erp.act("pay", invoice=one["id"])
    assert shown() == ("full", "full", "full", "paid")
    assert company.waits("quote", quote["id"]) == []
    assert {one["state"] for one in company.in_crm(customer, "invoices")} == {"paid"}
    kinds = [one["kind"] for one in company.chain("quote", quote["id"])["documents"]]
    assert kinds == ["quote", "order", "shipment", "shipment", "invoice", "invoice", "payment", "payment", "payment"]


def test_over_payment_reversal_and_credit_note(company: Company) -> None:
    customer = company.customer()
    company.released(customer, [line(SMALL, 4)])
    company.settle()
    order = company.erp_order(customer)
    company.erp.act("ship", order=order["id"])
    invoice = company.erp.act("invoice", order=order["id"])
    receipt = company.erp.act("pay", invoice=invoice["id"], amount="60")
    company.settle()
    assert (company.crm_order(customer)["paying"], company.crm_order(customer)["status"]) == ("over", "overpaid")
    company.erp.act("reverse", receipt=receipt["id"])
    company.settle()
    assert company.crm_order(customer)["paying"] == "none"
    assert [one["state"] for one in company.in_crm(customer, "payments")] == ["reversed"]
    assert [one["state"] for one in company.in_crm(customer, "invoices")] == ["posted"]

    note = company.erp.act("credit", invoice=invoice["id"])
    company.settle()
    notes = [one for one in company.in_crm(customer, "invoices") if one["number"] == note["docNo"]]
    assert amounts(notes, "total") == [-Decimal(invoice["grossAmount"])]
    assert [one["type"] for one in notes] == ["credit_note"]
    assert company.crm_order(customer)["billing"] == "none"
    assert not company.open_items("order", company.crm_order(customer)["id"])


def test_money_on_account_and_money_for_several_orders(company: Company) -> None:
    customer = company.customer()
    company.released(customer, [line(SMALL, 2)])
    company.released(customer, [line(LARGE, 1)])
    company.settle()
    orders = [one["id"] for one in company.in_erp(customer)]
    company.erp.act("ship", order=orders)
    invoice = company.erp.act("invoice", order=orders)
    receipt = company.erp.act("receive", amount="500", company="asia", customer=company.books_of(customer)["id"])
    company.settle()
    (paid,) = company.in_crm(customer, "payments")
    assert (Decimal(paid["amount"]), Decimal(paid["unallocated"])) == (500, 500)
    assert {one["paying"] for one in company.in_crm(customer)} == {"none"}
    company.erp.act("allocate", receipt=receipt["id"], invoice=invoice["id"])
    company.settle()
    assert {one["status"] for one in company.in_crm(customer)} == {"paid"}
    assert {one["shipping"] for one in company.in_crm(customer)} == {"full"}
    (paid,) = company.in_crm(customer, "payments")
    assert Decimal(paid["unallocated"]) == 500 - Decimal(invoice["grossAmount"])
    kinds = [one["kind"] for one in company.chain("payment", paid["id"])["documents"]]
    assert kinds == ["order", "order", "shipment", "invoice", "payment"]


def test_saved_submitted_and_approved_are_three_proofs(company: Company) -> None:
    """保存, 提交, 审核: the CRM shows what was read in the ERP, and what is refused there leaves what was reached."""
    customer = company.customer()
    books = company.books_of(customer)["id"]
    company.erp.save_company(books, "asia", {"creditLimit": "1"})
    company.erp.faults.add("error_before", method="POST", path="salesOrders/\\d+/submit", times=999)
    made = company.released(customer, [line(SMALL, 2)])
    company.pair.sync()
    company.pair.sync()
    assert company.erp_order(customer)["status"] == "draft" and company.crm_order(customer)["state"] in (None, "draft")
    company.erp.faults.clear()
    company.pair.advance(3600)
    company.pair.sync()
    company.settle()
    assert company.erp_order(customer)["status"] == company.crm_order(customer)["state"] == "submitted"
    (item,) = company.open_items("order", made["id"])
    assert item["cause"] == "refused" and item["detail"]["code"] == "CREDIT_LIMIT"
    company.erp.save_company(books, "asia", {"creditLimit": "0"})
    work.retry(company.pair.engine, WANG, item["id"])
    company.settle()
    assert company.erp_order(customer)["status"] == "approved" and company.crm_order(customer)["state"] == "confirmed"


def test_an_order_taken_back_in_the_erp_is_shown_with_the_reason_and_stays_taken_back(company: Company) -> None:
    customer = company.customer()
    made = company.released(customer, [line(SMALL)])
    company.settle()
    key = company.erp_order(customer)["id"]
    company.erp.act("unapprove", order=key)
    company.pair.sync()
    company.pair.sync()
    assert company.crm_order(customer)["state"] == "draft"
    moves = [one for d in company.chain("order", made["id"])["documents"] for one in d["moves"] if d["kind"] == "order"]
    assert any(one["after"] == "draft" and "反审核" in one["why"] for one in moves), moves
    assert ("the ERP", "submit and confirm the order") in company.waits("order", made["id"])
    company.crm.desk.change_order(made["id"], remarks="加急")
    company.settle()
    held = company.erp_order(customer)
    assert (held["status"], held["remarks"]) == ("draft", "加急"), "nobody approves behind the back of who took it back"
    company.erp.act("approve", order=key)
    company.settle()
    assert company.crm_order(customer)["state"] == "confirmed"


# companies and currencies --------------------------------------------------------------------------------------------


def test_two_companies_and_three_currencies_stay_apart(company: Company) -> None:
    customer = company.customer()
    asked = {"CNY": "asia", "USD": "asia", "EUR": "europe"}
    quotes = {
        currency: company.accepted(customer, [line(SMALL, 3, price="10.10")], company=where, currency=currency)
        for currency, where in asked.items()
    }
    company.settle()
    orders = {one["currency"]: one for one in company.in_erp(customer)}
    assert {currency: one["companyCode"] for currency, one in orders.items()} == asked
    for currency, quote in quotes.items():
        told = company.crm.get("quotes", quote["id"])
        assert told["order_number"] == orders[currency]["docNo"]
        (shown,) = [one for one in company.in_crm(customer) if one["currency"] == currency]
        assert amounts([shown], "total") == amounts([orders[currency]], "grossAmount") == amounts([told], "total")
        assert (Decimal(shown["rate"]), shown["rate_date"]) == (
            Decimal(orders[currency]["exchRate"]),
            orders[currency]["exchRateDate"],
        )


# approvals -----------------------------------------------------------------------------------------------------------


def test_discount_margin_total_and_stock_are_agreed_to_step_by_step(company: Company) -> None:
    company.add_product("W-RARE", "稀有部件", "100.00", stock=1)
    company.settle()
    customer = company.customer()
    rules = [{"discount_over": 15}, {"margin_under": 30}, {"total_over": 200}, {"stock_short": True, "by": "admin"}]
    with company.with_settings(orders={"approve": rules}):
        quote = company.accepted(customer, [line("W-RARE", 3, discount="20", cost="70")])
        company.settle()
        given = []
        for _ in rules:
            assert not company.in_erp(customer)
            told = company.crm.get("quotes", quote["id"])
            (item,) = approvals.listed(company.pair.engine, SUN)
            assert told["order_status"] == "waiting" and item["detail"]["reason"] in told["order_waits_for"]
            given.append(item["detail"]["rule"])
            approvals.answer(company.pair.engine, QIAN, item["id"], yes=True)
            company.settle()
        assert given == ["discount", "margin", "total", "stock 10"]
        assert company.erp_order(customer)["status"] == "approved"
        assert not company.crm.get("quotes", quote["id"])["order_waits_for"]


def test_who_is_not_asked_may_not_agree_and_the_deputy_may_after_the_deadline(company: Company) -> None:
    customer = company.customer()
    rule = {"discount_over": 15, "by": QIAN.name, "deputy": "approver", "within": "P2D"}
    with company.with_settings(orders={"approve": [rule]}):
        company.accepted(customer, [line(SMALL, 3, discount="20")])
        company.settle()
        (item,) = approvals.listed(company.pair.engine, SUN)
        for who in (SUN, ZHAO):
            with pytest.raises(UsageError, match="not asked"):
                approvals.answer(company.pair.engine, who, item["id"], yes=True)
        company.pair.advance(2 * 24 * 3600 + 60)
        company.settle()
        (item,) = approvals.listed(company.pair.engine, SUN)
        assert item["detail"]["deputy"] == "approver" and "overdue" in item["reason"]
        approvals.answer(company.pair.engine, ZHAO, item["id"], yes=True)
        company.settle()
        assert company.erp_order(customer)["status"] == "approved"


def test_a_refused_order_waits_until_its_figures_are_others_and_is_asked_again(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(orders={"approve": [{"discount_over": 15}]}):
        made = company.released(customer, [line(SMALL, 3, discount="40")])
        company.settle()
        (item,) = approvals.listed(company.pair.engine, SUN)
        with pytest.raises(UsageError, match="reason"):
            approvals.answer(company.pair.engine, ZHAO, item["id"], yes=False)
        approvals.answer(company.pair.engine, ZHAO, item["id"], yes=False, note="太低")
        company.settle()
        assert not company.in_erp(customer) and not approvals.listed(company.pair.engine, SUN)
        (held,) = company.open_items("order", made["id"])
        assert "太低" in held["reason"] and ZHAO.name in held["reason"]
        assert ("a person, before erp", held["reason"].split(": ", 1)[1]) in company.waits("order", made["id"])

        changes = {made["lines"][0]["id"]: {"discount": "30"}}
        company.crm.desk.change_order(made["id"], lines=changes)
        company.settle()
        (item,) = approvals.listed(company.pair.engine, SUN)
        assert "30 %" in item["reason"]
        approvals.answer(company.pair.engine, ZHAO, item["id"], yes=True)
        company.crm.desk.change_order(made["id"], lines={made["lines"][0]["id"]: {"discount": "35"}})
        company.settle()
        assert not company.in_erp(customer), "35 % was never agreed to"
        (item,) = approvals.listed(company.pair.engine, SUN)
        approvals.answer(company.pair.engine, ZHAO, item["id"], yes=True)
        company.settle()
        assert Decimal(company.erp_order(customer)["lines"][0]["discountPct"]) == 35


def test_a_cancelled_order_asks_nobody_any_more(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(orders={"approve": [{"discount_over": 15}]}):
        made = company.released(customer, [line(SMALL, 3, discount="40")])
        company.settle()
        assert approvals.listed(company.pair.engine, SUN)
        company.crm.desk.cancel_order(made["id"])
        company.settle()
        assert not approvals.listed(company.pair.engine, SUN)
        assert not company.in_erp(customer)


def test_a_delay_is_told_to_the_salesperson(company: Company) -> None:
    customer = company.customer()
    company.add_product("W-MADE", "定制部件", "50.00", stock=0)
    company.settle()
    made = company.released(customer, [line("W-MADE", 2)])
    company.settle()
    (supply,) = [one for one in company.erp.rows("supplyOrders") if one["orderId"] == company.erp_order(customer)["id"]]
    company.erp.act("delay", supply=supply["id"], days=9)
    company.settle()
    shown = company.crm_order(customer)
    assert shown["expected_date"] == company.erp_order(customer)["expectedDate"] > shown["promised_date"]
    late = [one for one in company.open_items("order", made["id"]) if one["cause"] == "late"]
    assert len(late) == 1 and shown["expected_date"] in late[0]["reason"]
    company.erp.act("produce", supply=supply["id"])
    company.erp.act("ship", order=company.erp_order(customer)["id"])
    company.settle()
    assert not [one for one in company.open_items("order", made["id"]) if one["cause"] == "late"]
