"""After the sale on the sandbox pair: complaints, returns in all variants, the rules that hold them, what is told back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from datong.sandbox.fields import Row
from tests.scenarios.documents import BOOKS, LARGE, SMALL, Company, line, opened

FLOWS = ("orders", "cases", "returns", "case_to_return", "articles", "assets", *BOOKS)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    yield from opened(tmp_path_factory.mktemp("after"), 12, FLOWS)


def sold(company: Company, customer: str, quantity: int = 2, *, invoiced: bool = True, lot: str = "L1") -> Row:
    """An order that was shipped, each piece with its serial number, and invoiced; the CRM knows of it."""
    order = company.released(customer, [line(SMALL, quantity)])
    company.settle()
    book = company.erp_order(customer)
    item = company.items[SMALL]
    serials = {item: [f"{order['number']}-{n}" for n in range(1, quantity + 1)]}
    company.erp.act("ship", order=book["id"], lots={item: lot}, serials=serials)
    if invoiced:
        company.erp.act("invoice", order=book["id"])
    company.settle()
    return company.crm_order(customer)


def complaint(company: Company, customer: str, order: Row, wish: str, **values: object) -> Row:
    """A case in which the agent said yes to a return."""
    told = {"type": "complaint", "reason": "noise", "order_id": order["id"], **values}
    case = company.crm.desk.make_case(customer, "轴承运转时有异响", sku=SMALL, **told)
    return company.crm.desk.accept_return(case["id"], wish)


def test_a_complaint_becomes_a_return_and_a_credit_note_and_hears_of_each_step(company: Company) -> None:
    customer = company.customer()
    order = sold(company, customer)
    case = complaint(company, customer, order, "refund")
    company.settle()
    (rma,) = company.in_erp(customer, "returnOrders")
    assert (rma["status"], rma["wanted"], rma["lines"][0]["qty"]) == ("requested", "refunded", "1.0000")

    def told() -> tuple[str, str]:
        (held,) = company.in_crm(customer, "returns")
        here = company.crm.get("cases", case["id"])
        assert (here["return_number"], here["return_state"]) == (rma["docNo"], held["state"])
        return held["state"], held["decision"]

    assert told() == ("requested", "requested")
    steps = (
        ("authorise_return", "authorised"),
        ("receive_return", "received"),
        ("inspect_return", "inspected"),
        ("refund_return", "refunded"),
        ("close_return", "closed"),
    )
    for act, state in steps:
        rma = company.erp.act(act, rma=rma["id"])
        company.settle()
        assert told()[0] == state
    (held,) = company.in_crm(customer, "returns")
    credit = company.crm.get("invoices", held["credit_note_id"])
    assert (credit["type"], credit["total"], credit["order_id"]) == ("credit_note", "-14.13", order["id"])
    assert held["receipt_number"] == rma["receiptNo"] and held["case_id"] == case["id"]
    chain = company.chain("service_case", case["id"])
    assert {"order", "shipment", "invoice", "service_case", "return"} <= {one["kind"] for one in chain["documents"]}
    assert not company.open_items("return", held["id"])
