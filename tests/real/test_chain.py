"""The chain on real systems: an estimate accepted in BottleCRM becomes one sale in Tryton, and BottleCRM is told each
step until the last payment. Then the customer complains: the ticket becomes one return, until the credit note."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import lab
from lab import staff
from tests.real.conftest import unavailable
from tests.real.real_pair import RealPair, real_pair

pytestmark = pytest.mark.real
FLOWS = ("reference_data", "contact", "product_catalogue", "quotes", "orders", "quote_to_order")
AFTERWARDS = ("cases", "returns", "orders", "shipments", "invoices")


@pytest.fixture
def selling(tmp_path: Path) -> Iterator[RealPair]:
    """Systems of their own: a customer with a sale cannot be cleared away."""
    try:
        with lab.running() as real:
            made = real_pair(real, tmp_path)
            switched_on(made, FLOWS)
            yield made
            made.close()
    except lab.LabUnavailable as reason:
        unavailable(reason)


def switched_on(pair: RealPair, flows: tuple[str, ...], **settings: Any) -> None:
    crm = {"sales": True, "service": True}
    erp = {"warehouses": {"asia": "SHA", "europe": "RTM"}, "returns": True}
    told = {name: {"on": True, "settings": one} for name, one in settings.items()}
    pair.configure(connections={"crm": crm, "erp": erp}, flows={**dict.fromkeys(flows, True), **told})
    pair.app.landscape.connections["crm"].connector.check()  # makes the custom fields


def accepted(crm: lab.BottleCrm, account: str, contact: str) -> dict[str, Any]:
    """An estimate that the customer accepts through its public link."""
    (bearing,) = [p for p in crm.call("GET", "/api/invoices/products/?limit=100")["results"] if p["sku"] == "W-100"]
    line = {"product": bearing["id"], "name": "轴承", "quantity": "2", "unit_price": "12.5", "tax_rate": "13"}
    told = {
        "title": "轴承报价",
        "account_id": account,
        "contact_id": contact,
        "currency": "CNY",
        "issue_date": "2026-11-22",
        "expiry_date": "2099-12-31",
        "custom_fields": {"company": "asia", "packing": "木箱"},
        "line_items": [{**line, "discount_type": "PERCENTAGE", "discount_value": "5"}],
    }
    made = crm.call("POST", "/api/invoices/estimates/", told)["estimate"]
    crm.call("POST", f"/api/invoices/estimates/{made['id']}/send/")
    person = {"name": "李娜", "email": "li.na@example.com"}
    crm.call("POST", f"/api/public/estimate/{made['public_token']}/accept/", person)
    return dict(made)


@pytest.mark.timeout(900)  # on a busy machine the two servers need longer than any other test
def test_an_accepted_estimate_goes_all_the_way_to_the_last_payment(selling: RealPair) -> None:
    crm, erp = selling.crm.system, selling.erp.system
    place = {"address_line": "科技园路1号", "city": "深圳市", "country": "CN"}
    account = crm.call("POST", "/api/accounts/", {"name": "深圳市大同科技有限公司", **place})["id"]
    contact = selling.crm.make_contact(account, "娜", "李", "li.na@example.com")
    selling.settle()
    quote = accepted(crm, account, contact)
    selling.settle()
    fields = ["number", "state", "total_amount", "untaxed_amount", "comment", "shipments", "invoices"]
    (sale,) = erp.call("model.sale.sale.search_read", [], 0, None, None, fields)
    assert sale["state"] == "processing"
    assert (sale["untaxed_amount"], sale["total_amount"]) == (Decimal("23.75"), Decimal("26.84"))
    assert "木箱" in sale["comment"]

    def told() -> tuple[str, str]:
        held = crm.call("GET", f"/api/invoices/estimates/{quote['id']}/")["estimate"]["custom_fields"]
        return held["order_number"], held["order_status"]

    assert told() == (sale["number"], "confirmed")
    steps = (
        ("shipped", lambda: staff.ship(erp, sale["shipments"][0])),
        ("invoiced", lambda: staff.post(erp, sale["invoices"][0])),
        ("part paid", lambda: staff.pay(erp, sale["invoices"][0], Decimal("10"))),
        ("paid", lambda: staff.pay(erp, sale["invoices"][0])),
    )
    for status, act in steps:
        act()
        selling.settle()
        assert told() == (sale["number"], status)
    assert erp.call("model.sale.sale.search_count", []) == 1
    assert selling.items("parked", "conflict", "review") == []
    complain_and_return(selling, account, contact, sale["number"])


def complain_and_return(selling: RealPair, account: str, contact: str, order: str) -> None:
    crm, erp = selling.crm.system, selling.erp.system
    switched_on(selling, (*FLOWS, "case_to_return"), returns={"credit_note": "ask_erp"})
    ticket = {
        "name": "轴承运转时有异响",
        "status": "New",
        "priority": "High",
        "case_type": "Problem",
        "account": account,
        "contacts": [contact],
        "custom_fields": {
            "order_number": order,
            "quantity": "1",
            "reason": "noise",
            "wish": "refund",
            "request": "accepted",
        },
    }
    case = crm.call("POST", "/api/cases/", ticket)["id"]
    selling.settle(flows=AFTERWARDS)

    def told() -> tuple[str, ...]:
        held = crm.call("GET", f"/api/cases/{case}/")["cases_obj"]["custom_fields"]
        return tuple(held.get(name) for name in ("order_status", "warranty", "return_number", "return_state"))

    (complaint,) = erp.call("model.sale.complaint.search_read", [], 0, None, None, ["number", "state"])
    assert complaint["state"] == "waiting"
    assert told() == ("paid", "in", complaint["number"], "requested")
    back = staff.approve_return(erp, complaint["id"])
    selling.settle(flows=AFTERWARDS)
    assert told()[3] == "authorised"
    (row,) = erp.call("model.sale.sale.read", [back], ["invoices", "lines.quantity", "lines.unit_price"])
    assert [(one["quantity"], one["unit_price"]) for one in row["lines."]] == [(-1.0, Decimal("11.8750"))]
    staff.take_back(erp, back)
    selling.settle(flows=AFTERWARDS)
    assert told()[3] == "received"
    staff.put_away(erp, back)
    selling.settle(flows=AFTERWARDS)  # Datong asks for the credit note: nobody else posts it
    assert told()[3] == "refunded"
    (row,) = erp.call("model.sale.sale.read", [back], ["invoices"])
    (credit,) = erp.call("model.account.invoice.read", row["invoices"], ["total_amount", "state"])
    assert (credit["total_amount"], credit["state"]) == (Decimal("-13.42"), "posted")
    assert erp.call("model.sale.complaint.search_count", []) == 1
    assert not selling.items("parked", "conflict", "review"), "BottleCRM holds no credit notes, and nobody is asked"
