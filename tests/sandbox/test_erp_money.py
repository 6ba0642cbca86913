"""Invoices, credit notes and receipts of SimERP: to the cent, and never changed once posted."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from datong.sandbox import Refusal, Sandbox
from datong.sandbox.erp import Erp
from datong.sandbox.refusals import Breach, Invalid

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture
def erp() -> Erp:
    return Sandbox(seed=3, size=24, start=NOW).erp


def order(erp: Erp, *lines: tuple[str, str], **more: Any) -> dict[str, Any]:
    """An approved order of quantities and prices."""
    id = erp.create("customers", {"custName": "深圳市大同科技有限公司", "taxNo": "91440300MA5DQ1234X"})["id"]
    erp.save_company(id, "asia", {"paymentTermId": 3})
    told = [{"itemId": n, "qty": qty, "price": price} for n, (qty, price) in enumerate(lines or [("10", "100")], 1)]
    data = {"companyCode": "asia", "custId": id, "lines": told, **more}
    return erp.act("approve", order=erp.create("salesOrders", data)["id"])


def held(erp: Erp, object: str, key: int) -> dict[str, Any]:
    row = erp.get(object, key)
    assert row is not None
    return row


def states(erp: Erp, key: int) -> tuple[str, str]:
    row = held(erp, "salesOrders", key)
    return row["invoicedState"], row["paidState"]


def code(refused: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        refused()
    match caught.value:
        case Breach():
            return caught.value.code
        case Invalid():
            return next(iter(caught.value.problems.values())).code
        case _:
            return type(caught.value).__name__


@pytest.mark.parametrize("included", [True, False])
def test_part_invoices_come_to_the_order_to_the_cent(erp: Erp, included: bool) -> None:
    row = order(erp, ("3", "33.335"), ("7", "0.07"), priceIncludesTax=included)
    first, second = (one["lineId"] for one in row["lines"])
    parts = [{first: 1, second: 2}, {first: 1, second: 3}, {first: 1, second: 2}]
    invoices = [erp.act("invoice", order=row["id"], quantities=part) for part in parts]
    for name in ("netAmount", "taxAmount", "grossAmount"):
        assert sum(Decimal(one[name]) for one in invoices) == Decimal(row[name])
    assert states(erp, row["id"]) == ("full", "none")
    assert code(lambda: erp.act("invoice", order=row["id"])) == "NOTHING_LEFT"


def test_a_posted_invoice_has_its_facts_and_stays(erp: Erp) -> None:
    row = order(erp)
    draft = erp.act("invoice", order=row["id"], post=False)
    assert (draft["docNo"], draft["status"], states(erp, row["id"])[0]) == ("", "draft", "none")
    posted = erp.act("post", invoice=draft["id"])
    assert (posted["docNo"], posted["status"], posted["dueDate"]) == ("IN-A-2026-00001", "posted", "2026-12-21")
    told = posted["eInvoice"]
    assert (told["number"], told["kind"]) == ("26312000000000000001", "special")
    assert (told["buyerTaxNo"], told["sellerName"]) == ("91440300MA5DQ1234X", "上海打通贸易有限公司")
    for change in (
        lambda: erp.edit("invoices", posted["id"], {"remarks": "x"}),
        lambda: erp.delete("invoices", posted["id"]),
        lambda: erp.act("post", invoice=posted["id"]),
        lambda: erp.act("discard", invoice=posted["id"]),
    ):
        assert code(change) == "POSTED"
    assert held(erp, "invoices", posted["id"]) == posted


def test_a_company_abroad_issues_no_chinese_invoice(erp: Erp) -> None:
    row = order(erp, companyCode="europe")
    invoice = erp.act("invoice", order=row["id"])
    assert (invoice["currency"], invoice["eInvoice"]["number"]) == ("EUR", "")


def test_part_payment_full_payment_over_payment_and_reversal(erp: Erp) -> None:
    row = order(erp)
    invoice = erp.act("invoice", order=row["id"])
    part = erp.act("pay", invoice=invoice["id"], amount="130")
    assert states(erp, row["id"])[1] == "part"
    assert held(erp, "invoices", invoice["id"])["openAmount"] == "1000.00"
    rest = erp.act("pay", invoice=invoice["id"])
    assert (rest["amount"], states(erp, row["id"])[1]) == ("1000.0000", "full")
    assert held(erp, "invoices", invoice["id"])["status"] == "paid"
    erp.act("pay", invoice=invoice["id"], amount="5")
    now = held(erp, "invoices", invoice["id"])
    assert (now["openAmount"], now["status"], states(erp, row["id"])[1]) == ("-5.00", "paid", "over")
    back = erp.act("reverse", receipt=part["id"], reason="付款退回")
    assert (back["status"], back["allocations"], back["unallocated"]) == ("reversed", [], "0.00")
    now = held(erp, "invoices", invoice["id"])
    assert (now["openAmount"], now["status"], states(erp, row["id"])[1]) == ("125.00", "posted", "part")
    assert code(lambda: erp.act("reverse", receipt=part["id"])) == "WRONG_STATE"


def test_money_on_account_and_unclaimed_money(erp: Erp) -> None:
    row = order(erp)
    invoice = erp.act("invoice", order=row["id"])
    unknown = erp.act("receive", amount="1500", company="asia", payer="大同科技", reference="货款")
    assert (unknown["custId"], unknown["unallocated"]) == (None, "1500.00")
    assert code(lambda: erp.act("allocate", receipt=unknown["id"], invoice=invoice["id"])) == "OTHER_CUSTOMER"
    claimed = erp.act("claim", receipt=unknown["id"], customer=row["custId"])
    assert claimed["custId"] == row["custId"]
    settled = erp.act("allocate", receipt=unknown["id"], invoice=invoice["id"])
    assert settled["unallocated"] == "370.00" and states(erp, row["id"])[1] == "full"
    assert (
        code(lambda: erp.act("allocate", receipt=unknown["id"], invoice=invoice["id"], amount="371"))
        == "OVER_ALLOCATED"
    )


@pytest.mark.parametrize(
    ("state", "status", "paid"),
    [
        ("endorsed", "posted", "full"),
        ("discounted", "posted", "full"),
        ("cleared", "cleared", "full"),
        ("refused", "reversed", "none"),
    ],
)
def test_an_acceptance_bill_has_a_life_of_its_own(erp: Erp, state: str, status: str, paid: str) -> None:
    row = order(erp)
    invoice = erp.act("invoice", order=row["id"])
    receipt = erp.act("pay", invoice=invoice["id"], billNo="1308100000001", billDue="2027-05-21")
    method = held(erp, "paymentMethods", receipt["methodId"])["code"]
    assert (receipt["billState"], receipt["status"], method) == ("held", "posted", "BA")
    told = erp.act("bill", receipt=receipt["id"], state=state)
    assert (told["billState"], told["status"], states(erp, row["id"])[1]) == (state, status, paid)


def test_a_credit_note_counters_and_a_whole_one_cancels(erp: Erp) -> None:
    row = order(erp, ("10", "100"), ("3", "33.33"))
    invoice = erp.act("invoice", order=row["id"])
    first = invoice["lines"][0]["lineId"]
    part = erp.act("credit", invoice=invoice["id"], quantities={first: 4}, reason="退货")
    assert (part["docType"], part["grossAmount"], part["openAmount"]) == ("CRN", "-452.00", "0.00")
    assert part["reversesId"] == invoice["id"] and part["eInvoice"]["redLetterNo"]
    now = held(erp, "invoices", invoice["id"])
    assert Decimal(now["openAmount"]) == Decimal(invoice["grossAmount"]) - 452 and now["status"] == "posted"
    assert (now["grossAmount"], now["lines"]) == (invoice["grossAmount"], invoice["lines"])
    assert held(erp, "salesOrders", row["id"])["lines"][0]["invoicedQty"] == "6.0000"
    assert states(erp, row["id"]) == ("part", "none")
    again = erp.act("invoice", order=row["id"])
    assert again["grossAmount"] == "452.00"
    erp.act("credit", invoice=again["id"])
    assert held(erp, "invoices", again["id"])["status"] == "cancelled"
    assert code(lambda: erp.act("credit", invoice=again["id"])) == "WRONG_STATE"
    assert code(lambda: erp.act("credit", invoice=invoice["id"])) == "OVER_CREDIT"


def test_a_closed_period_takes_no_postings(erp: Erp) -> None:
    row = order(erp)
    draft = erp.act("invoice", order=row["id"], post=False)
    erp.act("close_period", company="asia", name="2026-11")
    assert code(lambda: erp.act("post", invoice=draft["id"])) == "CLOSED_PERIOD"
    assert code(lambda: erp.act("ship", order=row["id"])) == "CLOSED_PERIOD"
    assert code(lambda: erp.act("receive", amount="1", company="asia")) == "CLOSED_PERIOD"
    assert (erp.rows("receipts"), erp.rows("shipments")) == ([], [])
    posted = erp.act("post", invoice=draft["id"], day="2026-12-01")
    assert (posted["invoiceDate"], posted["dueDate"]) == ("2026-12-01", "2026-12-31")
    erp.act("open_period", company="asia", name="2026-11")
    erp.act("ship", order=row["id"])


def test_simerp_may_change_price_and_number_while_posting(erp: Erp) -> None:
    row = order(erp)
    erp.faults.add("change_price", object="invoices", times=1, percent="1.5")
    invoice = erp.act("invoice", order=row["id"])
    assert (invoice["lines"][0]["price"], invoice["netAmount"]) == ("101.500000", "1015.00")
    assert invoice["openAmount"] == invoice["grossAmount"] == "1146.95"
    erp.act("settings", renumber_on_post=True)
    other = order(erp)
    draft = erp.act("invoice", order=other["id"], post=False)
    assert draft["docNo"] == "DR-A-2026-00001"
    assert erp.act("post", invoice=draft["id"])["docNo"] == "IN-A-2026-00002"


def test_a_request_becomes_an_invoice_or_is_refused(erp: Erp) -> None:
    row = order(erp)
    asked = {"companyCode": "asia", "custId": row["custId"], "orderId": row["id"]}
    first = erp.create(
        "invoiceRequests", {**asked, "amount": "565", "invoiceTitle": "大同总部", "invoiceKind": "ordinary"}
    )
    invoice = erp.act("answer_request", request=first["id"])
    assert (invoice["grossAmount"], invoice["eInvoice"]["kind"]) == ("565.00", "ordinary")
    assert invoice["eInvoice"]["buyerName"] == "大同总部"
    told = held(erp, "invoiceRequests", first["id"])
    assert (told["status"], told["invoiceNo"], told["invoiceStatus"]) == ("invoiced", invoice["docNo"], "posted")
    erp.act("pay", invoice=invoice["id"])
    assert held(erp, "invoiceRequests", first["id"])["invoiceStatus"] == "paid"
    second = erp.create("invoiceRequests", {**asked, "amount": "9999"})
    assert code(lambda: erp.act("answer_request", request=second["id"])) == "OVER_INVOICED"
    assert erp.act("refuse_request", request=second["id"], reason="资料不全")["refuseReason"] == "资料不全"
    assert code(lambda: erp.edit("invoiceRequests", second["id"], {"amount": "1"})) == "POSTED"
    assert code(lambda: erp.create("invoiceRequests", {**asked, "status": "invoiced"})) == "READ_ONLY"
    assert code(lambda: erp.delete("invoiceRequests", first["id"])) == "POSTED"


def test_an_invoice_of_several_orders_tells_each(erp: Erp) -> None:
    first = order(erp)
    lines = [{"itemId": 2, "qty": "1", "price": "50"}]
    data = {"companyCode": "asia", "custId": first["custId"], "lines": lines}
    second = erp.act("approve", order=erp.create("salesOrders", data)["id"])
    invoice = erp.act("invoice", order=[first["id"], second["id"]])
    assert invoice["orderId"] is None and {line["orderId"] for line in invoice["lines"]} == {first["id"], second["id"]}
    erp.act("pay", invoice=invoice["id"], amount="100")
    assert [states(erp, one["id"])[1] for one in (first, second)] == ["part", "part"]
    erp.act("pay", invoice=invoice["id"])
    assert [states(erp, one["id"])[1] for one in (first, second)] == ["full", "full"]
    assert code(lambda: erp.act("invoice", order=[first["id"], order(erp)["id"]])) == "MIXED"


def test_the_same_acts_make_the_same_books() -> None:
    books = []
    for _ in range(2):
        erp = Sandbox(seed=5, size=24, start=NOW).erp
        for n in range(5):
            row = order(erp, (str(n + 1), "9.99"), ("2", "0.333"), currency=("CNY", "USD", "EUR")[n % 3])
            erp.act("ship", order=row["id"])
            erp.act("pay", invoice=erp.act("invoice", order=row["id"])["id"])
        books.append({name: erp.rows(name) for name in erp.specs})
    assert books[0] == books[1]
