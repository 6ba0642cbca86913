"""Contract to cash: terms, payment plan, payment before shipment, invoice requests and receipts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from datong.sandbox import Refusal
from datong.sandbox.fields import Row
from tests.scenarios.documents import BOOKS, CONTRACT_TO_CASH, SMALL, Company, line, opened

DAY = 24 * 3600
THREE_PARTS = "预付30%，发货后30天60%，质保金10% 12个月"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    yield from opened(tmp_path_factory.mktemp("contracts"), 20, (*CONTRACT_TO_CASH, *BOOKS))


def signed(company: Company, customer: str, terms: str = "", price: str = "100", **values: Any) -> Row:
    """Ten pieces: 1000 and 13 % tax."""
    lines = [line(SMALL, 10, price=price)]
    made = company.crm.desk.make_contract(customer, lines, spoken_terms=terms or None, **values)
    return company.crm.desk.sign_contract(made["id"])


def plan(company: Company, contract: Row) -> list[tuple[str, str | None, str, bool, bool]]:
    """Amount, due date, state, before shipment, retention of each instalment."""
    found = company.crm.get("contracts", contract["id"])["instalments"]
    return [
        (one["amount"], one["due_date"], one["state"], bool(one["before_shipment"]), bool(one["retention"]))
        for one in found
    ]


def causes(company: Company, contract: Row) -> list[str]:
    return [one["cause"] for one in company.open_items("contract", contract["id"])]


def instalment(company: Company, contract: Row, number: int) -> str:
    return str(company.crm.get("contracts", contract["id"])["instalments"][number]["id"])


def test_spoken_terms_become_a_plan_that_holds_shipment_until_it_is_paid(company: Company) -> None:
    customer = company.customer()
    contract = signed(company, customer, THREE_PARTS, date="2026-11-22")
    order = company.released(customer, [line(SMALL, 10, price="100")], contract_id=contract["id"])
    company.settle()
    assert plan(company, contract) == [
        ("339", "2026-11-22", "open", True, False),
        ("678", None, "open", False, False),
        ("113", None, "open", False, True),
    ]
    held = f"339 of contract {contract['number']} is to be paid before shipment (款到发货)"
    booked = company.erp_order(customer)
    assert (booked["status"], booked["shipHold"]) == ("approved", held), "in the books at once, its shipment held"
    assert company.crm_order(customer)["shipment_hold"] == held
    assert ("the customer", held) in company.waits("order", order["id"])
    with pytest.raises(Refusal, match="is held"):
        company.erp.act("ship", order=booked["id"])

    receipt = company.erp.act("receive", amount="339", company="asia")
    company.settle()
    (shown,) = [one for one in company.crm.rows("payments") if one["number"] == receipt["docNo"]]
    assert shown["account_id"] is None, "nobody claimed it yet"
    first = instalment(company, contract, 0)
    company.crm.desk.claim_receipt(shown["id"], customer, contract=contract["id"], instalment=first)
    company.settle()
    assert [one[2] for one in plan(company, contract)] == ["paid", "open", "open"]
    told = company.crm.get("contracts", contract["id"])
    assert (told["paid"], told["ordered"], told["rest"]) == ("339", "1130", "0")
    assert not company.erp_order(customer)["shipHold"] and not company.crm_order(customer)["shipment_hold"]
    assert company.erp_order(customer)["amendmentNo"] == 0, "a hold is no amendment"
    assert ("the ERP", "ship the goods") in company.waits("order", order["id"])
    assert causes(company, contract) == []

    company.erp.act("ship", order=company.erp_order(customer)["id"], day="2026-11-25")
    company.settle()
    assert [one[1] for one in plan(company, contract)][1] == "2026-12-25", "30 days after the shipment"
    assert [one[3:] for one in plan(company, contract)][2] == (False, True)


def paid(company: Company, customer: str, contract: Row) -> Row:
    """All of it, as its first instalment."""
    receipt: Row = company.erp.act("receive", amount="1130", company="asia")
    company.settle()
    (shown,) = [one for one in company.crm.rows("payments") if one["number"] == receipt["docNo"]]
    first = instalment(company, contract, 0)
    company.crm.desk.claim_receipt(shown["id"], customer, contract=contract["id"], instalment=first)
    company.settle()
    return receipt


def test_a_claim_that_names_an_instalment_settles_that_one(company: Company) -> None:
    customer = company.customer()
    instalments = [{"name": name, "amount": amount} for name, amount in (("预付款", "330"), ("尾款", "800"))]
    contract = signed(company, customer, instalments=instalments)
    for amount in ("500", "300"):
        receipt = company.erp.act("receive", amount=amount, company="asia")
        company.settle()
        (shown,) = [one for one in company.crm.rows("payments") if one["number"] == receipt["docNo"]]
        last = instalment(company, contract, 1)
        company.crm.desk.claim_receipt(shown["id"], customer, contract=contract["id"], instalment=last)
        company.settle()
    told = company.crm.get("contracts", contract["id"])["instalments"]
    assert [(one["state"], one["paid"]) for one in told] == [("open", "0"), ("paid", "800")]


def test_money_that_goes_back_holds_the_shipment_again(company: Company) -> None:
    customer = company.customer()
    contract = signed(company, customer, "款到发货")
    company.released(customer, [line(SMALL, 1, price="100")], contract_id=contract["id"])
    receipt = paid(company, customer, contract)
    assert not company.erp_order(customer)["shipHold"]
    company.erp.act("reverse", receipt=receipt["id"])
    company.settle()
    assert "1130" in company.erp_order(customer)["shipHold"]
    company.erp.act("hold", order=company.erp_order(customer)["id"], reason="")
    company.settle()
    assert "1130" in company.erp_order(customer)["shipHold"], "taken away by hand it is put back"


def test_the_order_itself_waits_for_money_where_the_company_says_so(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(orders={"unpaid_first": "order"}):
        contract = signed(company, customer, "款到发货")
        order = company.released(customer, [line(SMALL, 1, price="100")], contract_id=contract["id"])
        company.settle()
        assert not company.in_erp(customer)
        held = [why for _, why in company.waits("order", order["id"])]
        assert any("1130" in why and "款到发货" in why for why in held), held
        paid(company, customer, contract)
        assert company.erp_order(customer)["status"] == "approved" and not company.erp_order(customer)["shipHold"]


def test_the_claim_of_a_receipt_reaches_the_erp(company: Company) -> None:
    customer = company.customer()
    receipt = company.erp.act("receive", amount="50", company="asia")
    company.settle()
    (shown,) = [one for one in company.crm.rows("payments") if one["number"] == receipt["docNo"]]
    company.crm.desk.claim_receipt(shown["id"], customer)
    company.settle()
    assert company.erp.get("receipts", receipt["id"])["custId"] == company.books_of(customer)["id"]


def test_a_shipment_that_is_held_for_money_goes_where_the_company_says_so(company: Company) -> None:
    customer = company.customer()
    with company.with_settings(orders={"unpaid_first": "pass"}):
        contract = signed(company, customer, "款到发货")
        company.released(customer, [line(SMALL, 1, price="100")], contract_id=contract["id"])
        company.settle()
        assert company.erp_order(customer)["status"] == "approved"


def test_a_plan_above_the_contract_is_shown(company: Company) -> None:
    customer = company.customer()
    instalments = [{"name": "预付款", "amount": "600"}, {"name": "尾款", "amount": "531"}]
    contract = signed(company, customer, instalments=instalments)
    company.settle()
    (item,) = company.open_items("contract", contract["id"])
    assert item["cause"] == "payment plan" and item["remedy"] and "1131" in item["reason"]
    second = instalment(company, contract, 1)
    company.crm.edit(
        "contracts", contract["id"], {"instalments_changes": {"update": [{"id": second, "amount": "530"}]}}
    )
    company.settle()
    assert causes(company, contract) == []


def test_terms_that_nobody_can_read_are_shown_and_make_no_plan(company: Company) -> None:
    customer = company.customer()
    contract = signed(company, customer, "老规矩")
    company.settle()
    (item,) = company.open_items("contract", contract["id"])
    assert item["cause"] == "payment terms" and item["remedy"] and "老规矩" in item["reason"]
    assert plan(company, contract) == []
    company.crm.edit("contracts", contract["id"], {"spoken_terms": "30/70"})
    company.settle()
    assert [one[0] for one in plan(company, contract)] == ["339", "791"]
    assert "payment terms" not in causes(company, contract)


def test_an_instalment_is_told_before_and_after_it_falls_due_until_it_is_paid(company: Company) -> None:
    customer = company.customer()
    today = company.pair.clock.now().date()
    due = today.replace(year=today.year + 1, month=1, day=20)
    contract = signed(company, customer, instalments=[{"name": "全款", "amount": "1130", "due_date": due.isoformat()}])
    company.settle()
    assert causes(company, contract) == [], "it is far away"
    company.pair.advance(((due - today).days - 5) * DAY)
    company.settle()
    (item,) = company.open_items("contract", contract["id"])
    assert item["cause"] == "instalment due" and "due in" in item["reason"] and "1130 CNY" in item["reason"]
    company.pair.advance(9 * DAY)
    company.settle()
    (item,) = company.open_items("contract", contract["id"])
    assert "overdue" in item["reason"]
    assert [one[2] for one in plan(company, contract)] == ["overdue"]
    books = company.books_of(customer)["id"]
    receipt = company.erp.act("receive", amount="1130", company="asia", customer=books)
    company.settle()
    (shown,) = [one for one in company.crm.rows("payments") if one["number"] == receipt["docNo"]]
    first = instalment(company, contract, 0)
    company.crm.desk.claim_receipt(shown["id"], customer, contract=contract["id"], instalment=first)
    company.settle()
    assert causes(company, contract) == [] and [one[2] for one in plan(company, contract)] == ["paid"]
    company.erp.act("reverse", receipt=receipt["id"])
    company.settle()
    assert [one[2] for one in plan(company, contract)] == ["overdue"], "the money went back"
    assert causes(company, contract) == ["instalment due"]


@pytest.mark.parametrize(("counts", "at_once"), [("receipt", True), ("clearing", False)])
def test_an_acceptance_bill_counts_as_the_company_says(company: Company, counts: str, at_once: bool) -> None:
    customer = company.customer()
    with company.with_settings(contracts={"bills": counts}):
        contract = signed(company, customer, instalments=[{"name": "全款", "amount": "1130"}])
        company.settle()
        bill = {"billNo": "1308100000001", "billDue": "2027-12-20"}
        books = company.books_of(customer)["id"]
        receipt = company.erp.act("receive", amount="1130", company="asia", customer=books, **bill)
        company.settle()
        (shown,) = [one for one in company.crm.rows("payments") if one["number"] == receipt["docNo"]]
        assert (shown["bill"]["number"], shown["bill"]["state"]) == (bill["billNo"], "held")
        first = instalment(company, contract, 0)
        company.crm.desk.claim_receipt(shown["id"], customer, contract=contract["id"], instalment=first)
        company.settle()
        assert [one[2] for one in plan(company, contract)] == (["paid"] if at_once else ["open"])
        company.erp.act("bill", receipt=receipt["id"], state="cleared")
        company.settle()
        assert [one[2] for one in plan(company, contract)] == ["paid"]


def test_an_invoice_that_sales_asks_for_is_issued_once_and_told_back(company: Company) -> None:
    customer = company.customer()
    made = company.released(customer, [line(SMALL, 10, price="100")])
    company.settle()
    asked = company.crm.desk.ask_for_invoice("1130", order=made["id"], title="深圳市大同科技有限公司")
    company.hook("crm", "invoice_request", asked["id"], times=2)
    company.settle()
    (request,) = company.in_erp(customer, "invoiceRequests")
    assert (Decimal(request["amount"]), request["externalNo"]) == (1130, asked["number"])
    assert ("the ERP", "issue the invoice") in company.waits("invoice_request", asked["id"])
    invoice = company.erp.act("answer_request", request=request["id"])
    company.settle()
    told = company.crm.get("invoice_requests", asked["id"])
    assert (told["state"], told["invoice_number"]) == ("invoiced", invoice["docNo"])
    assert told["invoice_state"] == "posted"


def test_a_refused_invoice_request_is_told_back(company: Company) -> None:
    customer = company.customer()
    made = company.released(customer, [line(SMALL, 10, price="100")])
    company.settle()
    asked = company.crm.desk.ask_for_invoice("100", order=made["id"])
    company.settle()
    (request,) = company.in_erp(customer, "invoiceRequests")
    company.erp.act("refuse_request", request=request["id"], reason="税号不对")
    company.settle()
    told = company.crm.get("invoice_requests", asked["id"])
    assert (told["state"], told["refusal"]) == ("refused", "税号不对")


def test_an_invoice_for_more_than_was_ordered_is_not_asked_for(company: Company) -> None:
    customer = company.customer()
    made = company.released(customer, [line(SMALL, 10, price="100")])
    company.settle()
    asked = company.crm.desk.ask_for_invoice("1130.01", order=made["id"])
    company.settle()
    assert not company.in_erp(customer, "invoiceRequests")
    (item,) = company.open_items("invoice_request", asked["id"])
    assert "1130.01" in item["reason"] and item["remedy"]


def test_an_order_beyond_the_rest_of_a_frame_contract_is_held(company: Company) -> None:
    customer = company.customer()
    contract = signed(company, customer, frame=True)
    first = company.released(customer, [line(SMALL, 6, price="100")], contract_id=contract["id"])
    company.settle()
    assert company.erp_order(customer)["externalNo"] == first["number"]
    told = company.crm.get("contracts", contract["id"])
    assert (told["ordered"], told["rest"]) == ("678", "452")
    second = company.released(customer, [line(SMALL, 5, price="100")], contract_id=contract["id"])
    company.settle()
    assert len(company.in_erp(customer)) == 1
    (item,) = company.open_items("order", second["id"])
    assert "452 is left" in item["reason"] and item["remedy"]
    company.crm.desk.change_order(second["id"], lines={second["lines"][0]["id"]: {"quantity": "4"}})
    company.settle()
    assert len(company.in_erp(customer)) == 2
    assert company.crm.get("contracts", contract["id"])["rest"] == "0"


def test_an_order_under_a_contract_that_is_not_signed_waits(company: Company) -> None:
    customer = company.customer()
    draft = company.crm.desk.make_contract(customer, [line(SMALL, 10, price="100")])
    order = company.released(customer, [line(SMALL, 1, price="100")], contract_id=draft["id"])
    company.settle()
    assert not company.in_erp(customer)
    assert any("draft" in why for _, why in company.waits("order", order["id"]))
    company.crm.desk.sign_contract(draft["id"])
    company.settle()
    assert company.erp_order(customer)["status"] == "approved"
