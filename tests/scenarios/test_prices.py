"""Which price holds for a customer, as the quote shows it and the ERP would ask it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from datong.sandbox.fields import Row
from tests.scenarios.documents import LARGE, ORDER_TO_CASH, SMALL, Company, line, opened


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Dealers pay 11.30 with tax for SMALL, from 100 on 10.17; everybody else 12."""
    flows = (*ORDER_TO_CASH, "price_lists", "prices")
    for made in opened(tmp_path_factory.mktemp("prices"), 14, flows):
        shared = {"companyCode": "asia", "currency": "CNY"}
        dealers = made.erp.create(
            "priceLists",
            {**shared, "code": "DEALER", "name": "经销商价目表", "restricted": True, "priceIncludesTax": True},
        )["id"]
        everybody = made.erp.create("priceLists", {**shared, "code": "ALL", "name": "通用价目表"})["id"]
        small = {"itemId": made.items[SMALL], "currency": "CNY"}
        tiers = [{"fromQty": "100", "price": "10.17"}]
        dealer = {"priceListId": dealers, "price": "11.30", "priceIncludesTax": True, "validTo": "2027-06-30"}
        made.erp.create("prices", {**small, **dealer, "tiers": tiers})
        made.erp.create("prices", {**small, "priceListId": everybody, "price": "12"})
        made.settle()
        yield made


def dealer(company: Company) -> str:
    customer = company.customer()
    company.settle()
    (dealers,) = [row["id"] for row in company.erp.rows("priceLists") if row["code"] == "DEALER"]
    books = company.books_of(customer)
    company.erp.save_company(books["id"], "asia", {"priceListId": dealers})
    company.settle()
    return customer


def lines_of(company: Company, quote: Row) -> list[Row]:
    return list(company.crm.get("quotes", quote["id"])["lines"])


def price(row: Row, name: str = "price") -> Decimal | None:
    return None if row[name] is None else Decimal(row[name])


def asked_by_the_erp(company: Company, customer: str, quantity: Any, **values: Any) -> Decimal:
    """The price that the ERP itself puts into an order that names none."""
    row = {"custId": company.books_of(customer)["id"], "companyCode": "asia", "currency": "CNY", **values}
    made = company.erp.create("salesOrders", {**row, "lines": [{"itemId": company.items[SMALL], "qty": str(quantity)}]})
    company.erp.act("cancel", order=made["id"])
    return Decimal(made["lines"][0]["price"])


def test_the_customers_list_is_known_and_its_price_shown_beside_the_salespersons(company: Company) -> None:
    customer = dealer(company)
    (shown,) = [row for row in company.crm.rows("price_lists") if row["code"] == "DEALER"]
    assert company.crm.get("accounts", customer)["erp"]["asia"]["price_list_id"] == shown["id"]
    quote = company.quote(customer, [line(SMALL, 3, price="9.9"), line(SMALL, 100), line(LARGE, 1)])
    company.settle()
    few, many, other = lines_of(company, quote)
    assert (price(few, "listed_price"), price(few)) == (Decimal("10"), Decimal("9.9")), "nobody's price is touched"
    assert price(many, "listed_price") == Decimal("9") and price(other, "listed_price") == Decimal("99")
    assert few["listed_from"] == (
        "the customer's price list 客户价目表价; 经销商价目表; 11.3 CNY with tax 含税; to 2027-06-30"
    )
    assert "from 100 on" in many["listed_from"] and "the product's list price" in other["listed_from"]
    assert [asked_by_the_erp(company, customer, n) for n in (3, 100)] == [10, 9]
    assert company.crm.get("quotes", quote["id"])["revision"] == 1, "what is told makes no new version"


def test_who_has_no_list_pays_the_price_for_everybody(company: Company) -> None:
    customer = company.customer()
    quote = company.quote(customer, [line(SMALL, 100)])
    company.settle()
    (shown,) = lines_of(company, quote)
    assert price(shown, "listed_price") == 12 == asked_by_the_erp(company, customer, 100)
    assert "a price list for everybody" in shown["listed_from"]


def test_a_quote_with_tax_is_told_the_price_with_tax(company: Company) -> None:
    customer = company.customer()
    quote = company.quote(customer, [line(SMALL, 1)], tax_included=True)
    company.settle()
    (shown,) = lines_of(company, quote)
    assert (
        price(shown, "listed_price")
        == Decimal("13.56")
        == asked_by_the_erp(company, customer, 1, priceIncludesTax=True)
    )
    foreign = company.quote(customer, [line(SMALL, 1, price="2")], currency="USD")
    company.settle()
    assert price(lines_of(company, foreign)[0], "listed_price") is None, "no price in dollars is known"


def test_a_line_without_a_price_gets_it_and_follows_it_until_somebody_types_another(company: Company) -> None:
    customer = dealer(company)
    with company.with_settings(quotes={"prices": "fill"}):
        quote = company.crm.desk.make_quote(customer, [line(SMALL, 3, price=None), line(SMALL, 3, price="10.5")])
        company.settle()
        empty, typed = lines_of(company, quote)
        assert (price(empty), price(typed)) == (Decimal("10"), Decimal("10.5"))
        assert Decimal(empty["net"]) == 30, "the CRM does its sums"
        both = {one["id"]: {"quantity": "100"} for one in (empty, typed)}
        company.crm.desk.change_quote(quote["id"], lines=both)
        company.settle()
        assert [price(one) for one in lines_of(company, quote)] == [Decimal("9"), Decimal("10.5")]
        company.crm.desk.change_quote(quote["id"], lines={empty["id"]: {"price": "9.5"}})
        company.settle()
        company.crm.desk.change_quote(quote["id"], lines={empty["id"]: {"quantity": "3"}})
        company.settle()
        (mine, _) = lines_of(company, quote)
        assert (price(mine), price(mine, "listed_price")) == (Decimal("9.5"), Decimal("10")), "it is typed now"
        company.crm.desk.send_quote(quote["id"])
        company.settle()
        company.crm.desk.accept_quote(quote["id"])
        company.settle()
        assert [Decimal(one["price"]) for one in company.erp_order(customer)["lines"]] == [
            Decimal("9.5"),
            Decimal("10.5"),
        ]


def test_what_the_customer_was_shown_does_not_move_with_the_list(company: Company) -> None:
    customer = dealer(company)
    (row,) = [
        one for one in company.erp.rows("prices") if one["priceListId"] and Decimal(one["price"]) == Decimal("11.3")
    ]
    with company.with_settings(quotes={"prices": "fill"}):
        sent = company.crm.desk.make_quote(customer, [line(SMALL, 3, price=None)])
        draft = company.crm.desk.make_quote(customer, [line(SMALL, 3, price=None)])
        company.settle()
        company.crm.desk.send_quote(sent["id"])
        company.settle()
        company.erp.edit("prices", row["id"], {"price": "22.6"})
        company.settle()
        told = [(price(one), price(one, "listed_price")) for quote in (sent, draft) for one in lines_of(company, quote)]
        assert told == [(Decimal("10"), Decimal("20")), (Decimal("20"), Decimal("20"))]
        company.erp.edit("prices", row["id"], {"price": "11.3"})
        company.settle()
    with company.with_settings(quotes={"prices": "off"}):
        quiet = company.quote(customer, [line(SMALL, 3)])
        company.settle()
        assert lines_of(company, quiet)[0]["listed_from"] is None


def test_a_price_below_the_customers_list_is_agreed_to_first(company: Company) -> None:
    known, other = dealer(company), company.customer()
    with company.with_settings(orders={"approve": [{"under_list": 10}]}):
        company.settle()
        orders = [company.released(one, [line(SMALL, 1, price="9.5")]) for one in (known, other)]
        company.settle()
        assert not company.open_items("order", orders[0]["id"]), "5 % below what dealers pay"
        (item,) = company.open_items("order", orders[1]["id"])
        assert "20.8 % below 12 (a price list for everybody" in item["reason"]
