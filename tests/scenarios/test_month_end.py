"""The end of a month with everything that happens in one, and fifty things that do not agree: all are found, and no
other. Judged by what was planted in the two systems, not by what Datong says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from datong.base.errors import NotFound, UsageError
from datong.insight.mismatches import SORTS
from datong.insight.month_end import Tolerance
from datong.insight.span import Span
from datong.operations.actor import Actor
from datong.operations.closed_periods import ClosedPeriods
from datong.operations.documents import opened
from datong.operations.month_end import Match, match, sign_off
from datong.operations.pdf import has_chinese_font
from datong.operations.statements import all_statements
from datong.sandbox import Sandbox
from datong.sandbox.fields import Row
from tests.cli.conftest import datong
from tests.scenarios.documents import BOOKS, LARGE, SMALL, Company, line
from tests.scenarios.pair import WANG
from tests.scenarios.sandbox_pair import sandbox_pair

NOVEMBER = Span.parse("2026-11")
FLOWS = ("orders", *BOOKS, "returns")
EARLY, LATE, AFTER = "2026-11-10", "2026-11-30", "2026-12-02"
DAY = 86400.0
THIRD = "W-300"
Told = tuple[str, str, str]
"""Code, number of the document, position of the line."""


class Books:
    """What the people of the month do. `planted`: what of it does not agree, with the money at stake."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.crm, self.erp = company.crm, company.erp
        self.planted: dict[Told, Decimal] = {}
        self.customers = [company.customer() for _ in range(3)]
        self.made = self._orders(28)

    def plant_one(self, code: str, number: str, amount: str, position: str = "") -> None:
        assert (code, number, position) not in self.planted
        self.planted[code, number, position] = Decimal(amount)

    def plant(self, code: str, number: str, amounts: str) -> None:
        """On the lines of an order; `-` is a line that is as it should be."""
        for position, amount in zip(("10", "20", "30"), amounts.split(), strict=True):
            if amount != "-":
                self.plant_one(code, number, amount, position)

    def orders(self, many: int) -> list[Row]:
        """So many of those that nothing happened to yet."""
        return [next(self.made) for _ in range(many)]

    def _orders(self, many: int) -> Iterator[Row]:
        """Orders that both systems have: ten of the small part, four of the large one, six of the third."""
        made = [
            self.company.released(
                self.customers[n % 3], [line(SMALL, 10), line(LARGE, 4, discount="5"), line(THIRD, 6)]
            )
            for n in range(many)
        ]
        self.company.settle()
        known = {one["externalNo"]: one for one in self.erp.rows("salesOrders")}
        return iter([known[one["number"]] for one in made])

    def by_line(self, order: Row, *quantities: Any) -> dict[int, str]:
        return {told["lineId"]: str(q) for told, q in zip(order["lines"], quantities, strict=True)}

    def ship(self, order: Row, *quantities: Any, day: str = EARLY) -> Row:
        told = self.by_line(order, *quantities) if quantities else None
        return self.erp.act("ship", order=order["id"], quantities=told, day=day)

    def bill(self, order: Row, *quantities: Any, day: str = EARLY, **more: Any) -> Row:
        told = self.by_line(order, *quantities) if quantities else None
        return self.erp.act("invoice", order=order["id"], quantities=told, day=day, **more)

    def done(self, order: Row) -> tuple[Row, Row]:
        """Shipped and invoiced as ordered."""
        return self.ship(order), self.bill(order)

    def come_back(self, order: Row, quantity: int, *, day: str) -> Row:
        """Shipped and invoiced, then so much of the first line is sent back and inspected."""
        self.done(order)
        same = {name: order[name] for name in ("companyCode", "custId")}
        line = {"itemId": order["lines"][0]["itemId"], "orderLineId": order["lines"][0]["lineId"], "qty": str(quantity)}
        made = self.erp.create("returnOrders", {**same, "orderId": order["id"], "lines": [line]})
        self.erp.act("authorise_return", rma=made["id"])
        self.erp.act("receive_return", rma=made["id"], day=day)
        return self.erp.act("inspect_return", rma=made["id"])

    def shown(self, what: str, number: str, key: str = "erp_number") -> Row:
        """A document as the CRM has it."""
        (found,) = [row for row in self.crm.rows(what) if row[key] == number]
        return found

    def edit_line(self, what: str, row: Row, at: int, **changes: Any) -> None:
        change = {"id": row["lines"][at]["id"], **changes}
        self.crm.edit(what, row["id"], {"lines_changes": {"update": [change]}})


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    start = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
    with Sandbox(seed=1, size=0, start=start) as sandbox:
        pair = sandbox_pair(sandbox, tmp_path_factory.mktemp("month_end"))
        pair.configure(flows={name: {"on": True} for name in FLOWS})
        company = Company(pair, (*FLOWS, "customer_master", "product_catalogue"))
        company.open_shop(3)
        company.add_product(THIRD, "第三种部件", "20.00")
        company.settle()
        sandbox.erp.act("settings", credit="off")
        told = Books(company)
        as_it_should_be(told)
        in_the_erp(told)
        sandbox.clock.advance(36 * DAY)  # 9 December
        company.settle()
        in_between(told)
        yield told
        pair.close()


def as_it_should_be(books: Books) -> None:
    """What happens in every month and is no mismatch."""
    whole, parts, late, prepaid, back, several, other, paid, gone, waiting, worn, broken = books.orders(12)
    books.done(whole)
    books.ship(parts, 4, 4, 0), books.ship(parts, 6, 0, 0)
    books.bill(parts, 3, 4, 0), books.bill(parts, 7, 0, 0)
    books.ship(late, day=LATE), books.bill(late, day=AFTER)
    books.bill(prepaid, day=LATE), books.ship(prepaid, day=AFTER)
    books.erp.act("cancel_shipment", shipment=books.ship(back)["id"])  # the goods came back, and the invoice too
    books.erp.act("credit", invoice=books.bill(back)["id"], reason="退货")
    for one in (several, other):
        books.ship(one)
    both = [one for one in (several, other) if one["custId"] == several["custId"]]
    for one in (several, other):
        if one not in both:
            books.bill(one)
    books.erp.act("invoice", order=[one["id"] for one in both], day=EARLY)
    _, first = books.done(paid)
    books.erp.act("pay", invoice=first["id"], amount="100", receiptDate=EARLY)
    books.erp.act("pay", invoice=first["id"], receiptDate=LATE)
    left = books.erp.act("receive", amount="80", company="asia", customer=gone["custId"], receiptDate=EARLY)
    _, second = books.done(gone)
    books.erp.act("allocate", receipt=left["id"], invoice=second["id"])
    for day in (LATE, AFTER):
        bounced = books.erp.act("receive", amount="55", company="asia", customer=gone["custId"], receiptDate=EARLY)
        books.erp.act("reverse", receipt=bounced["id"], reason="支票退票", day=day)
    books.erp.act("discard", invoice=books.bill(waiting, 1, 0, 0, post=False)["id"])
    refunded, replaced = (books.come_back(one, 3, day=LATE) for one in (worn, broken))
    books.erp.act("refund_return", rma=refunded["id"])
    again = books.erp.act("replace_return", rma=replaced["id"])["replacementId"]  # for nothing
    books.erp.act("ship", order=again, day=LATE)
    draft = books.company.crm.desk.make_order(books.customers[0], [line(SMALL, 3)])
    assert draft["wish"] == "draft"


def in_the_erp(books: Books) -> None:
    """Mismatches of the books themselves. With tax a small part is 14.125, a large one 106.2775, a third one 22.6."""
    erp = books.erp
    for order in books.orders(2):
        books.ship(order), books.bill(order, 9, 2, 0)
        books.plant("SHIPPED_NOT_INVOICED", order["docNo"], "14.13 212.56 135.60")
    for order in books.orders(2):
        books.ship(order, 0, 1, 6), books.bill(order)
        books.plant("INVOICED_NOT_SHIPPED", order["docNo"], "141.25 318.83 -")
    for order in books.orders(2):
        books.ship(order, 11, 4, 8), books.bill(order)
        books.plant("OVER_SHIPPED", order["docNo"], "14.13 - 45.20")
    (order,) = books.orders(1)
    books.ship(order), books.bill(order, 13, 5, 7)
    books.plant("OVER_INVOICED", order["docNo"], "42.38 106.28 22.60")
    (order,) = books.orders(1)
    erp.faults.add("change_price", object="invoices", times=1, percent=10)
    books.done(order)
    books.plant("INVOICED_PRICE_DIFFERS", order["docNo"], "14.13 42.51 13.56")
    (order,) = books.orders(1)
    for n in (1, 2):
        draft = books.bill(order, n, 0, 0, post=False)
        books.plant_one("NOT_POSTED", f"draft of {draft['grossAmount']}", draft["grossAmount"])
    for order in books.orders(2):
        _, bill = books.done(order)
        paid = Decimal(bill["grossAmount"]) + 7
        erp.act("pay", invoice=bill["id"], amount=str(paid), receiptDate=LATE)
        books.plant_one("OVERPAID", bill["docNo"], "7")
    customer = order["custId"]
    for n, owner in enumerate((customer, customer, None, None), 1):
        got = erp.act("receive", amount=f"{n}00", company="asia", customer=owner, receiptDate=EARLY, payer="张三")
        books.plant_one("RECEIPT_UNALLOCATED" if owner else "RECEIPT_UNCLAIMED", got["docNo"], f"{n}00")
    of_nobody = {
        "companyCode": "asia",
        "custId": customer,
        "lines": [{"itemId": books.company.items[SMALL], "qty": "2"}],
    }
    with erp.transaction():
        goods = erp.enter("shipments", {**of_nobody, "status": "ready"}).data
        lines = [{**of_nobody["lines"][0], "price": "12.5", "taxCodeId": 1}]
        bill = erp.enter("invoices", {**of_nobody, "lines": lines, "invoiceDate": EARLY}).data
    erp.act("ship", shipment=goods["id"], day=EARLY)
    erp.act("post", invoice=bill["id"])
    books.plant_one("NO_ORDER", goods["docNo"], "0")
    books.plant_one("NO_ORDER", erp.get("invoices", bill["id"])["docNo"], "28.25")


def in_between(books: Books) -> None:
    """Mismatches between the two systems: somebody was at work where Datong has not looked yet."""
    erp, crm = books.erp, books.crm
    for row in books.orders(2):
        books.edit_line("orders", books.shown("orders", row["docNo"]), 0, quantity="12")
        books.edit_line("orders", books.shown("orders", row["docNo"]), 2, quantity="5")
        books.plant("QUANTITY_DIFFERS", row["docNo"], "28.25 - 22.60")
    (row,) = books.orders(1)
    for at, price in enumerate(("12", "100", "19")):
        books.edit_line("orders", books.shown("orders", row["docNo"]), at, price=price)
    books.plant("PRICE_DIFFERS", row["docNo"], "5.65 4.29 6.78")
    (row,) = books.orders(1)
    shown = books.shown("orders", row["docNo"])
    books.edit_line("orders", shown, 0, product_id=shown["lines"][1]["product_id"])
    books.edit_line("orders", shown, 1, shipped_quantity="2")
    crm.edit("orders", shown["id"], {"lines_changes": {"delete": [shown["lines"][2]["id"]]}})
    books.plant("PRODUCT_DIFFERS", row["docNo"], "141.25 - -")
    books.plant("COUNT_DIFFERS", row["docNo"], "- 212.56 -")
    books.plant("LINE_IN_ONE_SYSTEM", row["docNo"], "- - 135.60")
    (row,) = books.orders(1)
    crm.edit("orders", books.shown("orders", row["docNo"])["id"], {"currency": "USD", "account_id": books.customers[2]})
    books.plant_one("CURRENCY_DIFFERS", row["docNo"], row["grossAmount"])
    books.plant_one("CUSTOMER_DIFFERS", row["docNo"], row["grossAmount"])
    bill, lost, *_ = (one for one in erp.rows("invoices") if one["status"] == "posted" and one["orderId"] is not None)
    crm.edit(
        "invoices", books.shown("invoices", bill["docNo"], "number")["id"], {"total": "1.00", "open_amount": "1.00"}
    )
    books.plant_one("AMOUNT_DIFFERS", bill["docNo"], str(Decimal(bill["grossAmount"]) - 1), "total")
    books.plant_one("AMOUNT_DIFFERS", bill["docNo"], str(Decimal(bill["openAmount"]) - 1), "open")
    receipt = next(one for one in erp.rows("receipts") if one["status"] == "posted" and one["unallocated"] == "0.00")
    crm.edit("payments", books.shown("payments", receipt["docNo"], "number")["id"], {"amount": "9"})
    books.plant_one("AMOUNT_DIFFERS", receipt["docNo"], str(Decimal(receipt["amount"]) - 9), "amount")
    crm.delete("invoices", books.shown("invoices", lost["docNo"], "number")["id"])
    books.plant_one("ONE_SYSTEM_ONLY", lost["docNo"], lost["grossAmount"])
    goods = next(one for one in erp.rows("shipments") if one["status"] == "shipped" and len(one["lines"]) == 3)
    crm.delete("shipments", books.shown("shipments", goods["docNo"], "number")["id"])
    books.plant_one("ONE_SYSTEM_ONLY", goods["docNo"], "701.96")
    typed = {"number": "手工-1", "type": "invoice", "state": "posted", "account_id": books.customers[0], "date": EARLY}
    crm.create("invoices", {**typed, "company": "asia", "currency": "CNY", "total": "5", "lines": []})
    books.plant_one("ONE_SYSTEM_ONLY", "手工-1", "5")
    nothing = books.company.released(books.customers[1], [line(SMALL, 0)], date=LATE)
    books.plant_one("ONE_SYSTEM_ONLY", nothing["number"], "0")
    told = {"companyCode": "asia", "custId": row["custId"], "orderDate": LATE}
    told["lines"] = [{"itemId": books.company.items[SMALL], "qty": "4"}]
    born = erp.act("approve", order=erp.create("salesOrders", told)["id"])
    books.plant_one("ONE_SYSTEM_ONLY", born["docNo"], "56.50")


def looked(books: Books, *, read: bool = True, **more: Any) -> Match:
    return match(books.company.pair.engine, WANG, NOVEMBER, Tolerance(grace_days=3), read=read, **more)


def told(found: Match) -> dict[Told, Decimal]:
    """What was found in the words of `planted`."""
    by_name: dict[Told, Decimal] = {}
    for one in (each.mismatch for each in found.found):
        number = f"draft of {one.amount}" if one.code == "NOT_POSTED" else one.number
        place = one.figures["what"] if one.code == "AMOUNT_DIFFERS" else one.position
        assert (one.code, number, place) not in by_name
        by_name[one.code, number, place] = one.amount
    return by_name


@pytest.fixture(scope="module")
def seen(books: Books) -> Match:
    """Both systems read anew, which changes nothing in them."""
    before = [system.stats()["writes"] for system in (books.crm, books.erp)]
    found = looked(books)
    assert [system.stats()["writes"] for system in (books.crm, books.erp)] == before
    return found


def test_all_fifty_are_found_and_none_is_invented(books: Books, seen: Match) -> None:
    assert len(books.planted) == 50 and {code for code, _, _ in books.planted} == SORTS.keys()
    assert told(seen) == books.planted
    amounts = [one.mismatch.worth for one in seen.found]
    assert amounts == sorted(amounts, reverse=True)
    assert seen.problems == []


def test_what_the_store_knows_is_compared_without_a_call(books: Books) -> None:
    """What people did in between is not known yet; the books' own mismatches are."""
    calls = [system.stats()["requests"] for system in (books.crm, books.erp)]
    known = told(looked(books, read=False))
    assert [system.stats()["requests"] for system in (books.crm, books.erp)] == calls
    between = {"QUANTITY_DIFFERS", "PRICE_DIFFERS", "PRODUCT_DIFFERS", "COUNT_DIFFERS", "LINE_IN_ONE_SYSTEM"}
    between |= {"CURRENCY_DIFFERS", "CUSTOMER_DIFFERS", "AMOUNT_DIFFERS", "ONE_SYSTEM_ONLY"}
    assert known == {name: amount for name, amount in books.planted.items() if name[0] not in between}


def test_the_table_has_every_line_side_by_side(books: Books, seen: Match) -> None:
    rows = {(one.number, one.position): one for one in seen.result.rows}
    order = next(
        one for one in books.erp.rows("salesOrders") if one["paidState"] == "full" and not found_in(books, one)
    )
    for sold in order["lines"]:
        row = rows[order["docNo"], str(sold["lineNo"])]
        assert row.crm == row.erp == row.shipped == row.invoiced == Decimal(sold["qty"])
        assert row.ordered_amount == row.shipped_amount == row.invoiced_amount == Decimal(sold["grossAmount"])
        assert row.received == Decimal(sold["grossAmount"])
    assert seen.result.totals["CNY"].received == sum(
        Decimal(one["amount"])
        for one in books.erp.rows("receipts")
        if one["receiptDate"].startswith("2026-11") and one["status"] != "reversed"
    )


def found_in(books: Books, order: Row) -> bool:
    return any(number == order["docNo"] for _, number, _ in books.planted)


def test_the_next_month_reads_what_is_not_at_rest(books: Books) -> None:
    """Also when everything was read anew meanwhile: what did not change stays at rest."""
    engine, december = books.company.pair.engine, Span.parse("2026-12")
    whole = match(engine, WANG, december, Tolerance())
    books.company.pair.sync(full=True, flows=FLOWS)

    def read_anew() -> set[int]:
        with opened(engine, read=False) as (shelf, _):
            periods = ClosedPeriods(shelf, december, None)
            documents = periods.documents(Tolerance())
            return {int(one.reference.partition(":")[2]) for one in documents.orders}

    again = read_anew()
    open_ones = {int(one.mismatch.document.partition(":")[2]) for one in whole.found}
    orders = {number for number in again if number in open_ones}
    assert 0 < len(again) < len(books.erp.rows("salesOrders")) and orders
    assert match(engine, WANG, december, Tolerance()).told["mismatches"] == whole.told["mismatches"]


def test_grace_days_decide_what_is_late(books: Books) -> None:
    """Without grace the order that was shipped on the last day and invoiced in December is one of November."""
    strict = match(books.company.pair.engine, WANG, NOVEMBER, Tolerance(grace_days=0))
    more = told(strict).keys() - told(looked(books, read=False)).keys()
    assert {code for code, _, _ in more} == {"SHIPPED_NOT_INVOICED", "INVOICED_NOT_SHIPPED"} and len(more) == 6


def test_the_command_tells_it_to_people_to_scripts_and_as_a_workbook(books: Books, tmp_path: Path) -> None:
    config = ("--config", books.company.pair.folder / "datong.yaml", "match", "--period", "2026-11")
    shown = datong(*config, "--lines", "3", "--excel", tmp_path / "november.xlsx")
    assert shown.status == 1 and "已发货未开票" in shown.out and "more lines" in shown.err
    answer = datong(*config, "--json")
    told_so = answer.json
    assert answer.status == 1 and told_so["unaccepted"] == len(told_so["mismatches"]) > 25
    assert {one["connection"] for one in told_so["as_of"]} == {"crm", "erp"} and all(o["at"] for o in told_so["as_of"])
    sheet = CalamineWorkbook.from_path(tmp_path / "november.xlsx").get_sheet_by_index(0).to_python()
    at = sheet[3].index("At stake 涉及金额")
    assert [(r[0], Decimal(str(r[at]))) for r in sheet[4:]] == [
        (one["id"], Decimal(one["amount"])) for one in told_so["mismatches"]
    ]
    for words in (("--period", "2026-13"), ("--period", "2026-11", "--company", "mars")):
        assert datong(*config[:3], *words).status == 2
    ids = [one["id"] for one in told_so["mismatches"]]
    late = looked(books, read=False, company="europe")
    assert late.found == [] and late.result.rows == []
    done = datong(*config[:3], "sign-off", *ids[-2:], "--period", "2026-11", "--note", "样品", "--json")
    assert [one["id"] for one in done.json["items"]] == ids[-2:]
    after = datong(*config, "--json").json
    assert after["unaccepted"] == told_so["unaccepted"] - 2
    assert {o["id"]: o["signed_off"]["note"] for o in after["mismatches"] if o["accepted"]} == dict.fromkeys(
        ids[-2:], "样品"
    )
    (noted, _) = [
        o
        for o in datong(*config[:2], "journal", "--limit", "500", "--json").json["items"]
        if o["event"] == "signed off"
    ]
    assert noted["why"].endswith("(样品)")


# statements ----------------------------------------------------------------------------------------------------------


def ledger_of(books: Books, customer: Any, first: str, last: str) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Opening, charged, credited and closing by SimERP's own rows."""
    moves = [
        (row["invoiceDate"], Decimal(row["grossAmount"]))
        for row in books.erp.rows("invoices")
        if row["custId"] == customer
        and (row["status"] in ("posted", "paid") or (row["status"] == "cancelled" and Decimal(row["creditedAmount"])))
    ]
    receipts = [row for row in books.erp.rows("receipts") if row["custId"] == customer]
    moves += [(row["receiptDate"], -Decimal(row["amount"])) for row in receipts if row["status"] != "draft"]
    moves += [(row["reverseDate"], Decimal(row["amount"])) for row in receipts if row["status"] == "reversed"]
    opening = sum((amount for day, amount in moves if day < first), Decimal(0))
    within = [amount for day, amount in moves if first <= day <= last]
    charged, credited = sum((a for a in within if a > 0), Decimal(0)), -sum((a for a in within if a < 0), Decimal(0))
    return opening, charged, credited, opening + charged - credited


@pytest.mark.parametrize("month", ["2026-10", "2026-11", "2026-12"])
def test_statements_equal_the_books_to_the_cent(books: Books, month: str) -> None:
    span = Span.parse(month)
    made = {
        one.paper.customer: one.paper.statement
        for one in all_statements(books.company.pair.engine, WANG, span, "zh", {})
    }
    for row in books.erp.rows("customers"):
        told = ledger_of(books, row["id"], str(span.start), str(span.end))
        one = made.pop(row["custName"], None)
        assert told == ((one.opening, one.debit, one.credited, one.closing) if one else (0, 0, 0, 0))
        if one and month == "2026-12":  # today: what SimERP itself says is open
            stands = [
                Decimal(bill["openAmount"])
                for bill in books.erp.rows("invoices")
                if bill["custId"] == row["id"]
                and (bill["status"] in ("posted", "paid") or Decimal(bill["creditedAmount"]))
            ]
            loose = [Decimal(got["unallocated"]) for got in books.erp.rows("receipts") if got["custId"] == row["id"]]
            assert one.closing == sum(stands, Decimal(0)) - sum(loose, Decimal(0))
    assert made == {}


@pytest.mark.skipif(not has_chinese_font(), reason="no font with Chinese characters is installed")
def test_statements_are_written_to_files(books: Books, tmp_path: Path) -> None:
    config = ("--config", books.company.pair.folder / "datong.yaml", "statement")
    name, month = books.erp.rows("customers")[0]["custName"], ("--period", "2026-11")
    files = ("--pdf", tmp_path / "a.pdf", "--excel", tmp_path / "a.xlsx")
    shown = datong(*config, name, *month, "--language", "en", *files)
    assert shown.status == 0 and "Opening balance" in shown.out
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF") and (tmp_path / "a.xlsx").stat().st_size > 1000
    everyone = datong(*config, "--all", tmp_path / "all", *month, "--json").json
    assert everyone["statements"] == 3 and len(list((tmp_path / "all").iterdir())) == len(everyone["written"]) == 6


def test_the_confirmation_of_a_statement_is_kept(books: Books, tmp_path: Path) -> None:
    config = ("--config", books.company.pair.folder / "datong.yaml", "statement")
    customer = books.erp.rows("customers")[0]
    name, month = customer["custName"], ("--period", "2026-11")
    (told,) = datong(*config, name, *month, "--json").json["items"]
    number = customer["companies"]["asia"]["accountNo"]
    for other in (number, f"erp:{customer['id']}"):
        assert datong(*config, other, *month, "--json").json["items"] == [told]
    assert datong(*config, "confirm", name, *month, "--by", "李娜", "--agreed", "--on", "2026-12-02").status == 0
    other = ("--by", "王芳", "--amount", "12.5", "--on", "2026-12-03", "--remark", "运费未计")
    assert datong(*config, "confirm", name, *month, *other).status == 0
    (again,) = datong(*config, name, *month, "--json").json["items"]
    said = [(one["by"], one["on"], one["agreed"], one["amount"], one["remark"]) for one in again["answers"]]
    assert said == [
        ("李娜", "2026-12-02", True, told["closing"], ""),
        ("王芳", "2026-12-03", False, "12.5", "运费未计"),
    ]
    assert all(one["stands"] for one in again["answers"])
    for wrong in (("火星有限公司",), (name, "--language", "fr"), ("--all", tmp_path, "--pdf", tmp_path / "x"), ()):
        assert datong(*config, *wrong, *month).status == 2
    for unclear in (("--by", "李娜"), ("--by", "李娜", "--agreed", "--amount", "1"), ("--by", " ", "--agreed")):
        assert datong(*config, "confirm", name, *month, *unclear).status == 2


# accepted ------------------------------------------------------------------------------------------------------------


def test_what_is_accepted_stays_so_until_its_figures_change(books: Books) -> None:
    engine = books.company.pair.engine
    before = looked(books, read=False)
    one = next(one for one in before.found if one.mismatch.code == "INVOICED_NOT_SHIPPED")
    key = one.mismatch.key

    def now() -> Any:
        return next(one for one in looked(books, read=False).found if one.mismatch.key == key)

    with pytest.raises(UsageError, match="reason"):
        sign_off(engine, WANG, [key], " ", lambda: before)
    with pytest.raises(UsageError, match="approver"):
        sign_off(engine, Actor("li.na", ("operator",)), [key], "预收款", lambda: before)
    with pytest.raises(NotFound):
        sign_off(engine, WANG, ["0123456789"], "预收款", lambda: before)
    sign_off(engine, WANG, [key], "客户要求先开票", lambda: before)
    after = looked(books, read=False)
    sign_off(engine, WANG, [key], "再说一遍", lambda: after)  # was accepted already: the first stands
    told_now = now()
    assert (told_now.signed.by, told_now.signed.note, told_now.accepted) == ("wang.wei", "客户要求先开票", True)
    assert len(after.unaccepted) == len(before.unaccepted) - 1
    (order,) = (row for row in books.erp.rows("salesOrders") if row["docNo"] == one.mismatch.number)
    at = next(line for line in order["lines"] if str(line["lineNo"]) == one.mismatch.position)
    books.erp.act("ship", order=order["id"], quantities={at["lineId"]: "1"}, day=LATE)
    books.company.pair.sync(flows=("shipments",))
    told_now = now()
    assert told_now.signed.stands is False and not told_now.accepted
    assert told_now.mismatch.amount < one.mismatch.amount
