"""Two CRMs and one ERP: the Chinese sales office has one, the European the other; the books are kept in one place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from datong.bootstrap.init import sandbox_tokens
from datong.sandbox import Sandbox
from datong.sandbox.crm import Crm
from datong.sandbox.fields import Row
from tests.scenarios.documents import BOOKS, ORDER_TO_CASH, PLACE, SMALL, Company, line
from tests.scenarios.sandbox_pair import SandboxPair, sandbox_pair

SECOND = "export"
TAX_ID = "91350100M000100Y43"


class TwoCrms(Company):
    """The usual pair, and a second CRM beside it, which its people use as they do the first."""

    def __init__(self, pair: SandboxPair, flows: tuple[str, ...], export: Crm) -> None:
        super().__init__(pair, flows)
        self.export = export

    def known_in(self, crm: Crm) -> list[str]:
        return sorted(row["name"] for row in crm.rows("accounts"))

    def same(self, name: str, crm: Crm) -> Row:
        (found,) = [row for row in crm.rows("accounts") if row["name"] == name]
        return found

    def both(self, first: Row, second: Row) -> list[tuple[Crm, str]]:
        return [(self.crm, first["id"]), (self.export, second["id"])]

    def release_in(self, crm: Crm, account: str, **values: Any) -> Row:
        return crm.desk.release_order(crm.desk.make_order(account, [line(SMALL, 2)], **values)["id"])


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoCrms]:
    flows = (*ORDER_TO_CASH, *BOOKS, "invoice_requests")
    with Sandbox(seed=1, size=0) as sandbox, Sandbox(seed=2, size=0) as other:
        pair = sandbox_pair(sandbox, tmp_path_factory.mktemp("two"))
        other.crm.clock = sandbox.clock
        pair.configure(flows={name: {"on": True} for name in flows})
        companies = {"asia": {"currency": "CNY", "time_zone": "Asia/Shanghai"}, "europe": {"currency": "EUR"}}
        token = sandbox_tokens(2)[0]
        connection = {"system": "sandbox_crm", "role": "crm", "url": other.crm.url, "token": token}
        pair.configure(
            connections={SECOND: {**connection, "companies": companies}},
            values={SECOND: YAML().load((pair.folder / "datong.yaml").read_text(encoding="utf8"))["values"]["crm"]},
        )
        made = TwoCrms(pair, (*flows, "customer_master", "product_catalogue"), other.crm)
        made.open_shop(3)
        yield made
        pair.close()


def test_customers_and_products_are_in_both(company: TwoCrms) -> None:
    names = company.known_in(company.crm)
    assert names and company.known_in(company.export) == names
    skus = sorted(row["sku"] for row in company.crm.rows("products"))
    assert sorted(row["sku"] for row in company.export.rows("products")) == skus and "W-100" in skus
    assert len(company.erp.rows("customers")) == len(names)


def test_a_customer_that_both_know_before_is_one(company: TwoCrms) -> None:
    """Each sales office entered it on its own, before the books knew it."""
    name = "深圳市大同科技有限公司"
    told = {"name": name, "stage": "customer", "type": "company", "tax_id": TAX_ID, "addresses": [PLACE]}
    first, second = (crm.create("accounts", told) for crm in (company.crm, company.export))
    company.settle()
    assert [crm.rows("accounts").count(crm.get("accounts", key)) for crm, key in company.both(first, second)] == [1, 1]
    assert [company.known_in(crm).count(name) for crm, _ in company.both(first, second)] == [1, 1]
    (books,) = [row for row in company.erp.rows("customers") if row["custName"] == name]
    company.export.edit("accounts", second["id"], {"phone": "+86 755 26001234"})
    company.erp.save_company(books["id"], "asia", {"creditLimit": "5000"})
    company.settle()
    assert company.erp.get("customers", books["id"])["tel"] == company.crm.get("accounts", first["id"])["phone"]
    for crm, key in company.both(first, second):
        assert crm.get("accounts", key)["erp"]["asia"]["credit_limit"] == "5000"


def test_an_order_of_each_goes_to_the_books_and_what_comes_of_it_back_to_its_own_crm(company: TwoCrms) -> None:
    customer = company.customer()
    company.settle()
    name = company.crm.get("accounts", customer)["name"]
    here, there = company.crm, company.export
    also = company.same(name, there)["id"]
    orders = [company.release_in(here, customer), company.release_in(there, also)]
    assert orders[0]["number"] == orders[1]["number"], "each counts for itself"
    company.settle()
    held = company.in_erp(customer)
    assert [row["status"] for row in held] == ["approved", "approved"]
    assert [len(crm.rows("orders")) for crm in (here, there)] == [1, 1], "an order is shown where it was written"
    numbers = [crm.rows("orders")[0]["erp_number"] for crm in (here, there)]
    assert sorted(numbers) == sorted(row["docNo"] for row in held) and len(set(numbers)) == 2
    asked = [
        crm.desk.ask_for_invoice("28.25", order=order["id"]) for crm, order in zip((here, there), orders, strict=True)
    ]
    assert asked[0]["number"] == asked[1]["number"]
    company.settle()
    requests = company.in_erp(customer, "invoiceRequests")
    assert sorted(row["orderId"] for row in requests) == sorted(row["id"] for row in held), "two, though of one number"
    exported = next(row for row in held if row["docNo"] == numbers[1])
    company.erp.act("ship", order=exported["id"])
    invoice = company.erp.act("invoice", order=exported["id"])
    company.erp.act("pay", invoice=invoice["id"])
    company.settle()
    assert [crm.rows("orders")[0]["status"] for crm in (here, there)] == ["confirmed", "paid"]
    for what in ("shipments", "invoices", "payments"):
        assert [len(crm.rows(what)) for crm in (here, there)] == [0, 1], what
    (shown,) = there.rows("invoices")
    assert shown["order_id"] == orders[1]["id"] and shown["account_id"] == also


def test_quotes_of_the_same_number_are_two(company: TwoCrms) -> None:
    customer = company.customer()
    company.settle()
    name = company.crm.get("accounts", customer)["name"]
    quotes = []
    for crm in (company.crm, company.export):
        quote = crm.desk.make_quote(company.same(name, crm)["id"], [line(SMALL, 1)])
        crm.desk.send_quote(quote["id"])
        quotes.append(crm.desk.accept_quote(quote["id"]))
    assert quotes[0]["number"] == quotes[1]["number"]
    company.settle()
    told = [
        crm.get("quotes", quote["id"])["order_number"]
        for crm, quote in zip((company.crm, company.export), quotes, strict=True)
    ]
    assert sorted(told) == sorted(row["docNo"] for row in company.in_erp(customer)) and len(set(told)) == 2


def test_an_order_by_telephone_is_shown_where_the_company_says_so(company: TwoCrms) -> None:
    customer = company.customer()
    company.settle()
    books = company.books_of(customer)
    before = len(company.export.rows("orders"))
    path = company.pair.folder / "datong.yaml"
    kept = path.read_bytes()
    company.pair.configure(flows={"orders": {"on": True, "into": {SECOND: "order.carrier == 'DHL'"}}})
    for carrier in ("DHL", "顺丰速运"):
        lines = [{"itemId": company.items[SMALL], "qty": "1"}]
        made = company.erp.create(
            "salesOrders", {"custId": books["id"], "companyCode": "asia", "carrier": carrier, "lines": lines}
        )
        company.erp.act("approve", order=made["id"])
    company.settle()
    assert [row["carrier"] for row in company.export.rows("orders")[before:]] == ["DHL"]
    assert sorted(row["carrier"] for row in company.in_crm(customer)) == ["DHL", "顺丰速运"]
    path.write_bytes(kept)
    company.pair.restart()
