"""After the sale on the sandbox pair: complaints, returns in every variant, the rules that hold them, what is told.

All customers live through one story, round by round, for a round costs the same for one as for twelve.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from datong.insight.span import Span
from datong.operations import after_sales, approvals
from datong.sandbox.fields import Row
from tests.cli.conftest import datong
from tests.scenarios.documents import BOOKS, LARGE, SMALL, Company, line, opened
from tests.scenarios.pair import WANG

FLOWS = ("orders", "cases", "returns", "case_to_return", "articles", "assets", *BOOKS)
SMALL_NAME = "小部件"
VARIANTS = {
    "refund": {"outcome": "refunded", "within_days": 30},
    "repair": {"outcome": "repaired", "warranty": True},
    "advance_replacement": {"outcome": "replaced", "advance": True, "warranty": True},
    "exchange": {"outcome": "exchanged"},
    "dear": {"outcome": "refunded"},
}
SETTINGS = {"returns": {"variants": VARIANTS, "approve": [{"variants": ["dear"]}]}}


class Story:
    """What became of each customer: order, case and return, at the end and on the way."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.crm, self.erp = company.crm, company.erp
        self.customers: dict[str, str] = {}
        self.orders: dict[str, Row] = {}
        self.cases: dict[str, str] = {}
        self.heard: dict[str, list[str]] = {}

    def sell(self, *names: str) -> None:
        """Two pieces to each, shipped with serial numbers of one lot, and invoiced but to `unbilled`."""
        item = self.company.items[SMALL]
        for name in names:
            self.customers[name] = self.company.customer()
            self.company.released(self.customers[name], [line(SMALL, 2)])
        self.company.settle()
        for name in names:
            book = self.company.erp_order(self.customers[name])
            serials = {item: [f"SN-{name}-1", f"SN-{name}-2"]}
            self.erp.act("ship", order=book["id"], lots={item: "L-2026"}, serials=serials)
            if name != "unbilled":
                self.erp.act("invoice", order=book["id"])
        self.company.settle()
        self.orders = {name: self.company.crm_order(key) for name, key in self.customers.items()}

    def complain(self, name: str, wish: str, clicks: int = 1, **values: Any) -> None:
        told = {"type": "complaint", "reason": "noise", "order_id": self.orders[name]["id"], "sku": SMALL, **values}
        told = {key: value for key, value in told.items() if value is not None}
        case = self.crm.desk.make_case(self.customers[name], "轴承运转时有异响", **told)
        self.cases[name] = case["id"]
        for _ in range(clicks):
            self.crm.desk.accept_return(case["id"], wish)

    def act(self, name: str, *acts: str, **given: Any) -> None:
        for one in acts:
            self.erp.act(one, rma=self.books(name)["id"], **given)

    def round(self) -> None:
        self.company.settle()
        for name in self.cases:
            state = str(self.case(name)["return_state"])
            if self.heard.setdefault(name, [""])[-1] != state:
                self.heard[name].append(state)

    def books(self, name: str) -> Row:
        (found,) = self.company.in_erp(self.customers[name], "returnOrders")
        return found

    def rma(self, name: str) -> Row:
        (found,) = self.company.in_crm(self.customers[name], "returns")
        return found

    def case(self, name: str) -> Row:
        found = self.crm.get("cases", self.cases[name])
        assert found is not None
        return found


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    for company in opened(tmp_path_factory.mktemp("after"), 10, FLOWS):
        with company.with_settings(**{name: SETTINGS.get(name, {}) for name in FLOWS}):
            yield played(Story(company))


def played(told: Story) -> Story:
    told.crm.desk.make_article("轴承异响的处理", [SMALL], body="先检查润滑脂，再检查安装面。")
    told.crm.desk.make_article("Noise from the bearing", [LARGE], body="Check the grease.")
    told.crm.desk.make_article("发票抬头怎么改", body="联系财务。")
    told.sell("refund", "repair", "advance", "exchange", "greedy", "unbilled", "dear", "serial", "withdrawn", "counter")
    exchange = told.crm.table("products").live.find("sku", LARGE)[0].key
    told.complain("refund", "refund", clicks=2)
    told.complain("repair", "repair", lot="L-2026")
    told.complain("advance", "replacement", variant="advance_replacement")
    told.complain("exchange", "exchange", exchange_for_id=exchange)
    told.complain("greedy", "refund", quantity="3")
    told.complain("unbilled", "refund")
    told.complain("dear", "refund", variant="dear")
    told.complain("serial", "refund", order_id=None, sku=None, serial="SN-serial-2")
    told.complain("withdrawn", "refund", order_id=None, sku=None, order_number=told.orders["withdrawn"]["number"])
    book = told.company.erp_order(told.customers["counter"])
    back = {name: book[name] for name in ("custId", "companyCode")}
    back |= {"orderId": book["id"], "wanted": "refunded", "lines": [{"itemId": book["lines"][0]["itemId"], "qty": "2"}]}
    told.erp.create("returnOrders", back)
    for name in told.cases:
        told.company.hook("crm", "service_case", told.cases[name], times=2)
    told.round()
    for name in ("refund", "repair", "advance", "exchange", "serial"):
        told.act(name, "authorise_return")
    told.crm.desk.withdraw_return(told.rma("withdrawn")["id"])
    told.crm.desk.change_case(told.cases["greedy"], quantity="2")
    (asked,) = told.company.open_items("return", told.rma("dear")["id"])
    approvals.answer(told.company.pair.engine, WANG, asked["id"], yes=True, note="老客户")
    told.round()
    told.act("advance", "replace_return")
    for name in ("refund", "repair", "advance", "exchange", "serial"):
        told.act(name, "receive_return")
    told.round()
    told.act("refund", "inspect_return", result="defective")
    told.round()
    for name, act in (("refund", "refund_return"), ("repair", "repair_return"), ("exchange", "replace_return")):
        if name != "refund":
            told.act(name, "inspect_return")
        told.act(name, act)
    told.act("advance", "inspect_return", "replace_return")
    told.act("serial", "inspect_return")
    told.round()
    told.act("refund", "close_return")
    told.crm.desk.close_case(told.cases["refund"])
    told.round()
    return told


def test_a_complaint_becomes_one_return_and_hears_of_each_step(story: Story) -> None:
    rma = story.rma("refund")
    steps = ["", "requested", "authorised", "received", "inspected", "refunded", "closed"]
    assert story.heard["refund"] == steps
    assert (rma["case_id"], rma["order_id"], rma["outcome"]) == (
        story.cases["refund"],
        story.orders["refund"]["id"],
        "refunded",
    )
    credit = story.crm.get("invoices", rma["credit_note_id"])
    assert credit is not None
    assert (credit["type"], credit["total"], credit["order_id"]) == ("credit_note", "-14.13", rma["order_id"])
    assert (rma["receipt_number"], rma["lines"][0]["result"]) == (story.books("refund")["receiptNo"], "defective")
    assert story.case("refund")["erp_number"] == story.books("refund")["docNo"] == rma["erp_number"]


@pytest.mark.parametrize(
    ("name", "state", "disposition"),
    [("repair", "repaired", "repaired"), ("advance", "replaced", "replaced"), ("exchange", "exchanged", "exchanged")],
)
def test_each_variant_ends_as_its_parameters_say(story: Story, name: str, state: str, disposition: str) -> None:
    rma = story.rma(name)
    assert (rma["state"], rma["outcome"], rma["lines"][0]["disposition"]) == (state, state, disposition)
    assert rma["decision"] == "authorised" and not story.company.open_items("return", rma["id"])
    if name == "repair":
        assert rma["repaired_on"] and not rma["credit_note_id"] and not rma["replacement_id"]
        return
    replacement = story.crm.get("orders", rma["replacement_id"])
    assert replacement is not None and replacement["state"] == "confirmed"
    assert bool(rma["credit_note_id"]) == (name == "exchange")
    assert replacement["total"] == ("111.87" if name == "exchange" else "0")


def test_in_advance_the_replacement_leaves_and_the_state_waits_for_the_goods(story: Story) -> None:
    assert story.heard["advance"] == ["", "requested", "authorised", "received", "replaced"]


def test_more_than_was_shipped_is_held_until_the_case_is_mended(story: Story) -> None:
    """The case is changed after its return was made: people are asked, and nothing enters the ERP meanwhile."""
    assert not story.company.in_erp(story.customers["greedy"], "returnOrders")
    assert "3 are to come back, and 2 were shipped" in story.case("greedy")["return_waits_for"]
    (changed,) = story.company.open_items("service_case", story.cases["greedy"])
    assert changed["cause"] == "changed after acceptance"


def test_what_was_never_invoiced_is_not_refunded(story: Story) -> None:
    assert not story.company.in_erp(story.customers["unbilled"], "returnOrders")
    assert "and 0 were invoiced" in story.case("unbilled")["return_waits_for"]


def test_a_variant_that_asks_for_approval_enters_after_the_yes(story: Story) -> None:
    assert story.heard["dear"] == ["", "waiting", "requested"]
    assert story.books("dear")["status"] == "requested"


def test_the_serial_number_says_the_rest(story: Story) -> None:
    case = story.case("serial")
    product = story.crm.get("products", case["product_id"])
    assert product is not None and product["sku"] == SMALL
    assert (case["order_id"], case["lot"]) == (story.orders["serial"]["id"], "L-2026")
    assert (case["warranty"], case["warranty_until"][:4]) == ("in", str(int(case["shipped_on"][:4]) + 1))
    assert story.rma("serial")["lines"][0]["serial"] == story.books("serial")["lines"][0]["serialNo"] == "SN-serial-2"


def test_the_order_number_that_the_customer_tells_is_looked_up(story: Story) -> None:
    case = story.case("withdrawn")
    assert (case["order_id"], case["order_status"]) == (story.orders["withdrawn"]["id"], "invoiced")
    assert case["product_id"] == story.case("refund")["product_id"]


def test_a_customer_who_keeps_it_withdraws_it_in_the_books_too(story: Story) -> None:
    assert (story.books("withdrawn")["status"], story.rma("withdrawn")["state"]) == ("cancelled", "cancelled")


def test_a_return_that_was_taken_at_the_counter_appears_in_the_crm(story: Story) -> None:
    rma, book = story.rma("counter"), story.books("counter")
    assert (rma["erp_number"], rma["outcome"], rma["state"]) == (book["docNo"], "refunded", "requested")
    assert (rma["order_id"], rma["lines"][0]["quantity"]) == (story.orders["counter"]["id"], "2")
    assert not story.company.open_items("return", rma["id"])


def test_articles_are_offered_by_product_and_symptom(story: Story) -> None:
    assert story.case("repair")["suggested"].endswith("轴承异响的处理")
    told = after_sales.articles(story.company.pair.engine, WANG, ("crm", story.cases["repair"]), "noise grease")
    assert [(one["title"], one["on the product"]) for one in told["articles"]] == [
        ("轴承异响的处理", True),
        ("Noise from the bearing", False),
    ]


def test_satisfaction_is_to_be_asked_once_the_case_is_closed(story: Story) -> None:
    assert (story.case("refund")["survey"], story.case("repair")["survey"]) == ("due", None)


def test_complaints_are_counted_by_product_lot_and_reason(story: Story) -> None:
    day = story.company.pair.clock.now()
    span = Span.parse(f"{day:%Y-%m}")

    def rows(by: Any) -> Sequence[Row]:
        told: Sequence[Row] = after_sales.complaints(story.company.pair.engine, WANG, by, span)["groups"]
        return told

    (lot,) = rows("lot")
    assert (lot["product"], lot["lot"], lot["cases"], lot["open"]) == (SMALL_NAME, "L-2026", 9, 8)
    assert (lot["quantity"], lot["shipped"], lot["per_mille"]) == ("10", "20", "500.0")
    assert [(one["reason"], one["cases"]) for one in rows("reason")] == [("noise", 9)]


def test_the_commands_show_both(story: Story) -> None:
    at = ("--config", story.company.pair.folder / "datong.yaml")
    shown = datong(*at, "articles", "crm", story.cases["repair"])
    assert shown.status == 0 and "轴承异响的处理" in shown.out, shown.err
    shown = datong(*at, "complaints", "--by", "lot", "--period", f"{story.company.pair.clock.now():%Y-%m}")
    assert "L-2026" in shown.out and "500.0" in shown.out and "noise 9" in shown.out, shown.err
    assert "2026-11" in datong(*at, "complaints", "--period", "next year").err
    assert "--about WORDS" in datong(*at, "articles").err


def test_the_chain_shows_case_and_return(story: Story) -> None:
    chain = story.company.chain("service_case", story.cases["refund"])
    kinds = {one["kind"] for one in chain["documents"]}
    assert {"order", "shipment", "invoice", "service_case", "return"} <= kinds
    (rma,) = [one for one in chain["documents"] if one["kind"] == "return"]
    assert [move["after"] for move in rma["moves"] if move["field"] == "state"][-1] == "closed"
    assert ("the ERP", "authorise or refuse the return") in story.company.waits("return", story.rma("dear")["id"])


def test_what_the_books_do_against_a_rule_is_shown(story: Story) -> None:
    """A credit note that somebody ties to goods which are not here: the state does not follow, and people are told."""
    rma = story.books("dear")
    story.act("dear", "authorise_return")
    (invoice,) = [one for one in story.company.in_erp(story.customers["dear"], "invoices") if one["docType"] == "INV"]
    note = story.erp.act("credit", invoice=invoice["id"], quantities={invoice["lines"][0]["lineId"]: "1"})
    story.erp.record("returnOrders", rma["id"], {"status": "refunded", "creditNoteId": note["id"]})
    story.round()
    assert story.rma("dear")["state"] == "authorised"
    (item,) = story.company.open_items("return", story.rma("dear")["id"])
    assert item["cause"] == "return rule" and "not all of it is here" in item["reason"]


def test_the_erp_is_asked_once_for_the_credit_note_of_what_came_back_as_it_should(story: Story) -> None:
    """Also where its answer is lost. What was found damaged is for people to decide."""
    counter = story.books("counter")["id"]
    for act, given in (("authorise_return", {}), ("receive_return", {}), ("inspect_return", {"result": "damaged"})):
        story.erp.act(act, rma=counter, **given)
    assert story.rma("serial")["state"] == story.books("serial")["status"] == "inspected"
    story.erp.faults.add("error_after_commit", path="/refund$", times=1)
    asks = {**SETTINGS["returns"], "credit_note": "ask_erp"}
    with story.company.with_settings(returns=asks):
        for _ in range(4):
            story.company.pair.advance(1300)
            story.company.pair.sync(flows=FLOWS)
    assert [one["fired"] for one in story.erp.faults.rules()] == [1]
    story.erp.faults.clear()
    story.round()
    rma, book = story.rma("serial"), story.books("serial")
    notes = [one for one in story.company.in_erp(story.customers["serial"], "invoices") if one["docType"] == "CRN"]
    assert book["status"] == rma["state"] == story.heard["serial"][-1] == "refunded"
    assert [one["id"] for one in notes] == [book["creditNoteId"]]
    credit = story.crm.get("invoices", rma["credit_note_id"])
    assert credit is not None and (credit["type"], credit["total"]) == ("credit_note", notes[0]["grossAmount"])
    assert (story.books("counter")["status"], story.rma("counter")["state"]) == ("inspected", "inspected")
    assert not story.company.open_items("return", rma["id"])
