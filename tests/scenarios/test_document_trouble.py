"""Documents that cannot go as they are: each is shown with its remedy, none is lost, and it goes on afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from datong.base.errors import ConfigurationError
from datong.canon import Quote
from datong.engine.near import Near
from datong.flows import quotes
from datong.operations import work
from datong.sandbox.fields import Row
from tests.scenarios.documents import BOOKS, LARGE, SMALL, Company, line, opened
from tests.scenarios.pair import WANG


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    flows = ("quotes", "quote_to_order", "orders", "exchange_rates", *BOOKS)
    yield from opened(tmp_path_factory.mktemp("trouble"), 24, flows, all_flows=True)


def held(company: Company, order: Row) -> str:
    """Why an order waits for a person, in words; the one item about it has a remedy."""
    (item,) = company.open_items("order", order["id"])
    assert item["remedy"]
    return str(item["reason"])


def test_a_line_with_a_product_that_the_erp_lacks_holds_the_whole_order_until_it_has_it(company: Company) -> None:
    customer = company.customer()
    product = company.crm.create("products", {"sku": "W-NEW", "name": "新产品", "unit": "pcs", "list_price": "5"})
    made = company.released(customer, [line(SMALL, 1), {"product_id": product["id"], "quantity": "2", "price": "5"}])
    company.settle()
    assert not company.in_erp(customer)
    company.add_product("W-NEW", "新产品", "5")
    company.pair.advance(3600)
    company.settle()
    assert [Decimal(one["qty"]) for one in company.erp_order(customer)["lines"]] == [1, 2]
    assert not company.open_items("order", made["id"])


def test_a_line_without_a_product_is_shown_and_never_dropped(company: Company) -> None:
    customer = company.customer()
    free_text = {"description": "加工费", "quantity": "1", "price": "30"}
    made = company.released(customer, [line(SMALL, 1), free_text])
    company.settle()
    assert not company.in_erp(customer)
    assert "line 20" in held(company, made)
    changed = company.crm.get("orders", made["id"])["lines"][1]["id"]
    product = next(one for one in company.crm.rows("products") if one["sku"] == LARGE)
    company.crm.desk.change_order(made["id"], lines={changed: {"product_id": product["id"]}})
    company.settle()
    assert [Decimal(one["price"]) for one in company.erp_order(customer)["lines"]] == [Decimal("12.5"), 30]
    assert not company.open_items("order", made["id"])


@pytest.mark.parametrize(("quantity", "told"), [("-3", "-3"), ("0", "nothing")])
def test_a_quantity_that_is_not_above_zero_is_shown(company: Company, quantity: str, told: str) -> None:
    customer = company.customer()
    made = company.released(customer, [line(SMALL, quantity)])
    company.settle()
    assert not company.in_erp(customer)
    assert "line 10" in held(company, made) and told in held(company, made)
    company.crm.desk.change_order(made["id"], lines={made["lines"][0]["id"]: {"quantity": "3"}})
    company.settle()
    assert Decimal(company.erp_order(customer)["lines"][0]["qty"]) == 3


def test_an_order_in_a_currency_without_a_rate_waits_for_the_rate(company: Company) -> None:
    customer = company.customer()
    for row in company.erp.rows("exchangeRates"):
        if row["fromCurrency"] == "USD":
            company.erp.delete("exchangeRates", row["id"])
    made = company.released(customer, [line(SMALL, 1, price="4.20")], currency="USD")
    company.settle()
    assert company.crm_order(customer)["state"] != "confirmed"
    assert "rate" in held(company, made).lower()
    rate = {"fromCurrency": "USD", "toCurrency": "CNY", "rateDate": "2026-10-01", "rate": "7.15", "source": "中国银行"}
    company.erp.create("exchangeRates", rate)
    (item,) = company.open_items("order", made["id"])
    work.retry(company.pair.engine, WANG, item["id"])
    company.settle()
    order = company.erp_order(customer)
    assert (order["status"], Decimal(order["exchRate"])) == ("approved", Decimal("7.15"))
    assert not company.open_items("order", made["id"])


def test_a_tax_code_that_the_erp_does_not_know_is_shown(company: Company) -> None:
    customer = company.customer()
    company.crm.create("tax_codes", {"code": "VAT99", "name": "未知税率", "rate": "0.99"})
    made = company.released(customer, [line(SMALL, 1, tax_code="VAT99")])
    company.settle()
    assert not company.in_erp(customer)
    (told,) = [one for one in company.pair.items() if "未知税率" in one["reason"]]
    assert told["cause"] == "missing reference" and told["remedy"]
    company.crm.desk.change_order(made["id"], lines={made["lines"][0]["id"]: {"tax_code": "VAT13"}})
    company.settle()
    assert company.erp_order(customer)["status"] == "approved"


def test_an_order_of_a_blocked_customer_waits_until_the_books_release_him(company: Company) -> None:
    customer = company.customer()
    books = company.books_of(customer)
    company.erp.edit("customers", books["id"], {"companies": {"asia": {"blocked": True}}})
    company.settle()
    made = company.released(customer, [line(SMALL, 1)])
    company.settle()
    assert not company.in_erp(customer) and "blocked" in held(company, made)
    company.erp.edit("customers", books["id"], {"companies": {"asia": {"blocked": False}}})
    company.settle()
    assert company.erp_order(customer)["status"] == "approved"
    assert not company.open_items("order", made["id"])


def test_a_customer_blocked_behind_our_back_is_refused_by_the_erp_and_shown(company: Company) -> None:
    customer = company.customer()
    made = company.released(customer, [line(SMALL, 1)])
    company.erp.edit("customers", company.books_of(customer)["id"], {"companies": {"asia": {"blocked": True}}})
    company.settle()
    assert company.crm_order(customer)["state"] != "confirmed" and "blocked" in held(company, made)
    company.erp.edit("customers", company.books_of(customer)["id"], {"companies": {"asia": {"blocked": False}}})
    company.pair.advance(7200)
    company.settle()
    assert company.erp_order(customer)["status"] == "approved"
    assert not company.open_items("order", made["id"])


def test_a_document_of_a_closed_period_is_shown_with_the_period(company: Company) -> None:
    customer = company.customer()
    company.erp.act("close_period", company="asia", name="2026-10")
    made = company.released(customer, [line(SMALL, 1)], date="2026-10-15")
    company.settle()
    assert company.crm_order(customer)["state"] != "confirmed"
    assert "2026-10" in held(company, made)
    company.crm.desk.change_order(made["id"], date="2026-11-20")
    company.settle()
    assert company.erp_order(customer)["status"] == "approved"
    assert company.erp_order(customer)["orderDate"] == "2026-11-20"
    assert not company.open_items("order", made["id"])


def test_an_erp_that_renumbers_on_approval_and_posting(company: Company) -> None:
    customer = company.customer()
    company.erp.act("settings", renumber_on_approve=True, renumber_on_post=True)
    made = company.released(customer, [line(SMALL, 2)])
    company.settle()
    order = company.erp_order(customer)
    assert company.crm_order(customer)["erp_number"] == order["docNo"]
    company.erp.act("ship", order=order["id"])
    draft = company.erp.act("invoice", order=order["id"], post=False)
    company.settle()
    posted = company.erp.act("post", invoice=draft["id"])
    company.settle()
    company.erp.act("settings", renumber_on_approve=False, renumber_on_post=False)
    assert posted["docNo"] != draft["docNo"]
    assert [one["number"] for one in company.in_crm(customer, "invoices")] == [posted["docNo"]]
    assert not company.open_items("order", made["id"])


def test_an_erp_that_changes_a_price_while_approving_is_seen_and_asked(company: Company) -> None:
    customer = company.customer()
    quote = company.accepted(customer, [line(SMALL, 2)])
    company.erp.faults.add("change_price", object="salesOrders", times=1, percent=10)
    company.settle()
    order = company.erp_order(customer)
    assert Decimal(order["lines"][0]["price"]) == Decimal("13.75"), "what is approved is not overwritten in silence"
    shown = company.crm_order(customer)
    told = company.open_items("order", shown["id"])
    assert any(one["type"] == "conflict" and one["field"] == "lines.main.price" for one in told), told
    assert any(one["cause"] == "money difference" and "28.25" in one["reason"] for one in told), told
    assert Decimal(company.crm.get("quotes", quote["id"])["total"]) == Decimal("28.25")

    company.erp.act(
        "amend",
        order=order["id"],
        row={"lineChanges": {"save": [{"lineId": order["lines"][0]["lineId"], "price": "12.5"}]}},
    )
    company.settle()
    assert not company.open_items("order", shown["id"])


def test_an_erp_that_changes_a_price_while_posting_shows_what_was_invoiced(company: Company) -> None:
    customer = company.customer()
    company.released(customer, [line(SMALL, 2)])
    company.settle()
    order = company.erp_order(customer)
    company.erp.act("ship", order=order["id"])
    company.erp.faults.add("change_price", object="invoices", times=1, percent=10)
    invoice = company.erp.act("invoice", order=order["id"])
    company.settle()
    (shown,) = company.in_crm(customer, "invoices")
    assert Decimal(shown["total"]) == Decimal(invoice["grossAmount"]) != Decimal(order["grossAmount"])
    (told,) = company.open_items("invoice", shown["id"])
    assert told["cause"] == "money difference" and told["remedy"]
    assert "13.75" in told["reason"] and "12.5" in told["reason"]


def test_an_erp_that_is_down_between_approval_and_shipment_with_edits_on_both_sides(company: Company) -> None:
    customer = company.customer()
    made = company.released(customer, [line(SMALL, 2), line(LARGE, 1)])
    company.settle()
    order = company.erp_order(customer)
    lines = company.crm_order(customer)["lines"]
    company.erp.down()
    company.crm.desk.change_order(made["id"], remarks="请尽快", lines={lines[0]["id"]: {"quantity": "4"}})
    for _ in range(3):
        assert company.pair.sync().problems
        company.pair.advance(120)
    company.erp.up()
    row = {"carrier": "德邦物流", "lineChanges": {"save": [{"lineId": order["lines"][1]["lineId"], "qty": "2"}]}}
    company.erp.act("amend", order=order["id"], row=row)
    company.pair.advance(900)
    company.settle()
    order, shown = company.erp_order(customer), company.crm_order(customer)
    assert (order["remarks"], order["carrier"]) == (shown["remarks"], shown["carrier"]) == ("请尽快", "德邦物流")
    assert [Decimal(one["qty"]) for one in order["lines"]] == [4, 2]
    assert [Decimal(one["quantity"]) for one in shown["lines"]] == [4, 2]
    company.erp.act("ship", order=order["id"])
    company.settle()
    assert company.crm_order(customer)["shipping"] == "full"
    assert not company.open_items("order", made["id"])


def test_a_shipment_waits_for_its_order_and_loses_no_line(company: Company) -> None:
    customer = company.customer()
    lines = [{"itemId": company.items[SMALL], "qty": "6"}, {"itemId": company.items[LARGE], "qty": "1"}]
    taken = company.erp.create(
        "salesOrders", {"companyCode": "asia", "custId": company.books_of(customer)["id"], "lines": lines}
    )
    company.erp.act("approve", order=taken["id"])
    company.erp.act("ship", order=taken["id"])
    company.crm.faults.add("refuse", object="orders", field="number", pattern=".*", message="编号不允许", times=1)
    company.pair.sync()
    company.pair.advance(3600)
    company.settle()
    (shown,), (shipment,) = company.in_crm(customer), company.in_crm(customer, "shipments")
    assert shipment["order_id"] == shown["id"] and len(shipment["lines"]) == 2
    assert {one["order_id"] for one in shipment["lines"]} == {shown["id"]}


def test_figures_that_contradict_each_other_are_an_error_that_names_the_document(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fickle(quote: Quote, near: Near) -> dict[str, str]:
        return {"held_by": "乙" if quote.held_by == "甲" else "甲"}

    customer = company.customer()
    quote = company.quote(customer, [line(SMALL, 1)])
    with monkeypatch.context() as patched:
        patched.setattr(quotes, "figures", [*quotes.figures, fickle])
        with pytest.raises(RuntimeError, match=f"{quote['number']}.* never come to rest"):
            company.pair.sync()
    company.pair.restart()
    company.crm.desk.accept_quote(quote["id"])
    company.settle()
    assert company.erp_order(customer)["status"] == "approved", "nothing is left of it"


@pytest.mark.parametrize(("rule", "day"), [("date", "2026-10-01"), ("wait", "2026-09-15")])
def test_an_order_of_a_closed_period_is_dated_by_rule_or_waits_until_it_is_opened(
    company: Company, rule: str, day: str
) -> None:
    company.erp.act("open_period", company="asia", name="2026-10")
    company.erp.act("close_period", company="asia", name="2026-09")
    customer = company.customer()
    with company.with_settings(accounting_periods={}, orders={"closed_period": rule}):
        made = company.released(customer, [line(SMALL, 1)], date="2026-09-15")
        company.settle()
        if rule == "wait":
            assert not company.in_erp(customer) and not company.open_items("order", made["id"])
            (why,) = [why for _, why in company.waits("order", made["id"])]
            assert "2026-09-15" in why and "会计期间" in why
            company.erp.act("open_period", company="asia", name="2026-09")
            company.settle()
        assert company.erp_order(customer)["orderDate"] == company.crm_order(customer)["date"] == day
        assert company.erp_order(customer)["status"] == "approved"


def test_a_price_below_the_list_is_agreed_to_first(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(price_lists={}, prices={}, orders={"approve": [{"under_list": 10}]}):
        company.settle()
        agreed = {"itemId": company.items[SMALL], "custId": company.books_of(customer)["id"], "currency": "CNY"}
        tiers = [{"fromQty": "10", "price": "13"}]
        company.erp.create("prices", {**agreed, "price": "20", "priceIncludesTax": False, "tiers": tiers})
        company.settle()
        few, many = (company.released(customer, [line(SMALL, n, price="12.5")]) for n in (9, 10))
        company.settle()
        (item,) = company.open_items("order", few["id"])
        assert "37.5 % below 20 (the customer's own price" in item["reason"]
        assert not company.open_items("order", many["id"]), "the price from 10 on is 13"
        assert [Decimal(one["lines"][0]["qty"]) for one in company.in_erp(customer)] == [10]


def test_an_expired_quote_is_asked_about_and_ordered_once_it_is_extended(company: Company) -> None:
    customer = company.customer()
    quote = company.accepted(customer, [line(SMALL, 1)], valid_to="2026-01-31")
    company.settle()
    (item,) = company.open_items("quote", quote["id"])
    assert "2026-01-31" in item["reason"] and not company.in_erp(customer)
    company.crm.edit("quotes", quote["id"], {"valid_to": "2027-12-31"})
    company.settle()
    assert company.erp_order(customer)["status"] == "approved"
    assert not company.open_items("quote", quote["id"])


def test_an_e_invoice_that_cannot_be_right_is_shown(company: Company) -> None:
    customer = company.customer()
    company.released(customer, [line(SMALL, 1)])
    company.settle()
    order = company.erp_order(customer)
    company.erp.act("ship", order=order["id"])
    posted = company.erp.act("invoice", order=order["id"])
    company.settle()
    (shown,) = company.in_crm(customer, "invoices")
    assert not [one["reason"] for one in company.open_items("invoice", shown["id"])]
    company.erp.record("invoices", posted["id"], {"eInvoice": {**posted["eInvoice"], "number": "12345678"}})
    company.settle()
    (item,) = company.open_items("invoice", shown["id"])
    assert item["cause"] == "e-invoice" and "数电票号码" in item["reason"]


def test_how_a_company_reckons_is_said_once_for_all_flows(company: Company) -> None:
    path = company.pair.folder / "datong.yaml"
    before = path.read_bytes()
    company.pair.configure(reckoning={"default": {"line_tolerance": 2}, "europe": {"tax": "document"}})
    for flow in ("orders", "invoices", "quote_to_order"):
        settings = company.pair.app.landscape.flows[flow].settings
        assert settings.rules("europe").tax == "document" and settings.rules("asia").line_tolerance == 2
    with pytest.raises(ConfigurationError, match=r"reckoning\.europe\.tax"):
        company.pair.configure(reckoning={"europe": {"tax": "per item"}})
    path.write_bytes(before)
    company.pair.restart()
