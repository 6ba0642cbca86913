"""Order to cash with the connector of Tryton alone: after each step it must say what Tryton's own data say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

import lab
from datong.base.clock import SystemClock, to_text
from datong.connectors.tryton import Tryton, TrytonSettings
from datong.kit import Answer, Context, ItemWrite, Missing, Refused, Saved, WireRecord, Write
from datong.kit.budget import Budget
from datong.mapping import Foreign
from datong.mapping.fieldmap import Reading
from lab import staff

pytestmark = [pytest.mark.real, pytest.mark.proof]
COMPANIES: dict[str, dict[str, Any]] = {"asia": {"id": 1, "currency": "CNY"}, "europe": {"id": 2, "currency": "EUR"}}
TODAY = dt.date.today()
_numbers = count(1)


@pytest.fixture(scope="module")
def erp() -> Iterator[lab.Tryton]:
    try:
        with lab.running() as real:
            yield real.tryton
    except lab.LabUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def books(erp: lab.Tryton) -> Iterator[Tryton]:
    clock = SystemClock()
    settings = TrytonSettings(
        url=erp.url,
        database=erp.database,
        login=erp.login,
        password=erp.password,
        overlap_seconds=0,
        warehouses={"asia": "SHA", "europe": "RTM"},
        returns=True,
    )
    connector = Tryton(settings, Context("books", clock, Budget(clock), COMPANIES))
    yield connector
    connector.close()


@pytest.fixture(scope="module")
def customer(books: Tryton) -> int:
    address = {"country": "CN", "city": "深圳市", "street": "科技园路1号"}
    made = Write(1, "create", None, "dt-t-0", {"name": "深圳市大同科技有限公司"}, {"addresses": [new(**address)]})
    (answer,) = books.write(books.kinds["account"], [made])
    assert isinstance(answer, Saved), answer
    return int(answer.id)


def new(**values: Any) -> ItemWrite:
    return ItemWrite("create", None, values)


def line(erp: lab.Tryton, sku: str, quantity: float, **values: Any) -> ItemWrite:
    return new(product=erp.ids["products"][sku], quantity=quantity, **values)


def order(customer: int, *lines: ItemWrite, wish: str = "released", key: str | None = None, **values: Any) -> Write:
    number = next(_numbers)
    told = {"crm_number": f"SO-{number:04}", "company": 1, "party": customer, "wish": wish, **values}
    return Write(1, "create", None, key or f"dt-t-{number}", told, {"lines": lines})


def one(books: Tryton, write: Write) -> Answer:
    (answer,) = books.write(books.kinds["order"], [write])
    return answer


def saved(books: Tryton, write: Write) -> WireRecord:
    answer = one(books, write)
    assert isinstance(answer, Saved), answer
    assert answer.record is not None
    return answer.record


def refused(books: Tryton, write: Write) -> Refused:
    answer = one(books, write)
    assert isinstance(answer, Refused), answer
    return answer


def changed(books: Tryton, record: WireRecord, *items: ItemWrite, **values: Any) -> Write:
    return Write(1, "update", record.id, None, values, {"lines": items} if items else {}, record.version)


def since_now(books: Tryton) -> str:
    """A cursor behind all that has happened."""
    stamps = [
        r.changed_at for kind in (*DOCUMENTS, "return") for p in books.read(books.kinds[kind], None) for r in p.records
    ]
    newest = max((one for one in stamps if one), default=dt.datetime.now(dt.UTC))
    return to_text(newest + dt.timedelta(microseconds=1))


DOCUMENTS = ("order", "shipment", "invoice", "payment")


class News:
    """What an incremental read tells since the last time."""

    def __init__(self, books: Tryton) -> None:
        self.books, self.since = books, since_now(books)

    def all(self) -> dict[str, list[WireRecord]]:
        found = {kind: [r for p in self.books.read(self.books.kinds[kind], self.since) for r in p.records]
                 for kind in DOCUMENTS}  # fmt: skip
        self.since = since_now(self.books)
        return found

    def the_order(self, native: str) -> Reading:
        (record,) = [r for r in self.all()["order"] if r.id == native]
        return self.books.kinds["order"].map.read(record.data)


def read(books: Tryton, kind: str, native: str) -> Reading:
    (found,) = books.get(books.kinds[kind], [native])
    assert isinstance(found, WireRecord), found
    reading = books.kinds[kind].map.read(found.data)
    assert not reading.bad
    return reading


def row(erp: lab.Tryton, model: str, native: Any, *fields: str) -> dict[str, Any]:
    (found,) = erp.call(f"model.{model}.read", [int(native)], list(fields))
    return dict(found)


def progress(reading: Reading) -> tuple[Any, ...]:
    return tuple(reading.values[name] for name in ("state", "shipping", "billing", "paying"))


def of_lines(reading: Reading, name: str) -> list[Any]:
    return [item.values[name] for item in reading.items["lines"]]


class TestTheWholeWay:
    def test_from_release_to_the_last_payment(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        texts = {
            "remarks": "请随货附质检报告\n第二行",
            "packing": "木箱",
            "carrier": "顺丰速运",
            "ship_to": "深圳\n科技园",
        }
        record = saved(
            books,
            order(
                customer,
                line(erp, "W-100", 10, sequence=10, price="12.5", discount="0.05", description="轴承，蓝色"),
                line(erp, "G-200", 4, sequence=20),
                reference="PO-778",
                payment_term=erp.ids["payment_terms"]["Net 30"],
                sale_date=TODAY.isoformat(),
                **texts,
            ),
        )
        sale = int(record.id)
        told = books.kinds["order"].map.read(record.data)
        held = row(erp, "sale.sale", sale, "number", "state", "untaxed_amount", "tax_amount", "total_amount",
                   "reference", "shipments", "invoices")  # fmt: skip
        assert not told.bad
        assert held["state"] == "processing"
        assert progress(told) == ("confirmed", "none", "none", "none")
        assert {name: told.values[name] for name in texts} == texts
        assert told.values["number"] == record.data["crm_number"]
        assert (told.values["erp_number"], told.values["customer_reference"]) == (held["number"], "PO-778")
        assert [Decimal(str(told.values[n])) for n in ("net", "tax", "total")] == [
            held["untaxed_amount"], held["tax_amount"], held["total_amount"],
        ]  # fmt: skip
        assert of_lines(told, "price") == ["12.5", "99"]
        assert of_lines(told, "discount") == ["5", None]
        assert of_lines(told, "net") == ["118.75", "396"]
        assert of_lines(told, "tax_rate") == ["13", "13"]
        news = News(books)

        (shipment,) = held["shipments"]
        staff.ship(erp, shipment, {erp.ids["products"]["W-100"]: 6, erp.ids["products"]["G-200"]: 4}, "SF1234567890")
        told = news.the_order(record.id)
        assert row(erp, "sale.sale", sale, "shipment_state")["shipment_state"] == "partially shipped"
        assert progress(told) == ("confirmed", "part", "none", "none")
        assert of_lines(told, "shipped") == ["6", "4"]
        sent = read(books, "shipment", str(shipment))
        assert (sent.values["state"], sent.values["date"]) == ("shipped", TODAY.isoformat())
        assert (sent.values["carrier"], sent.values["tracking"]) == ("达通亚洲贸易有限公司", "SF1234567890")
        assert sent.values["order"] == Foreign("order", record.id)
        assert {(i.values["order_line"], i.values["quantity"]) for i in sent.items["lines"]} == {
            ("10", "6"),
            ("20", "4"),
        }

        (rest,) = set(row(erp, "sale.sale", sale, "shipments")["shipments"]) - {shipment}
        staff.ship(erp, rest)
        told = news.the_order(record.id)
        assert row(erp, "sale.sale", sale, "shipment_state")["shipment_state"] == "sent"
        assert progress(told) == ("confirmed", "full", "none", "none")

        (invoice,) = held["invoices"]
        staff.post(erp, invoice)
        found = news.all()
        assert [r.id for r in found["order"]] == [record.id]
        assert [r.id for r in found["invoice"]] == [str(invoice)]
        assert progress(read(books, "order", record.id)) == ("confirmed", "full", "full", "none")
        bill, entry = read(books, "invoice", str(invoice)), row(erp, "account.invoice", invoice, "number",
                                                                "total_amount", "amount_to_pay")  # fmt: skip
        assert (bill.values["state"], bill.values["type"]) == ("posted", "invoice")
        assert bill.values["erp_number"] == entry["number"]
        assert Decimal(str(bill.values["total"])) == Decimal(str(bill.values["open"])) == entry["total_amount"]
        assert bill.values["due"] == (TODAY + dt.timedelta(days=30)).isoformat()
        assert bill.values["order"] == Foreign("order", record.id)
        assert of_lines(bill, "order_line") == ["10", "20"]

        staff.pay(erp, invoice, Decimal("100.00"))
        found = news.all()
        assert [r.id for r in found["order"]] == [record.id]
        assert progress(read(books, "order", record.id)) == ("confirmed", "full", "full", "part")
        bill = read(books, "invoice", str(invoice))
        still = row(erp, "account.invoice", invoice, "amount_to_pay")["amount_to_pay"]
        assert Decimal(str(bill.values["open"])) == still == entry["total_amount"] - 100
        (receipt,) = found["payment"]
        paid = books.kinds["payment"].map.read(receipt.data)
        assert (paid.values["amount"], paid.values["unallocated"], paid.values["state"]) == ("100", "0", "posted")
        assert [i.values for i in paid.items["allocations"]] == [
            {"invoice": Foreign("invoice", str(invoice)), "amount": "100"}
        ]
        assert paid.values["account"] == Foreign("account", str(customer))
        assert isinstance(paid.values["method"], Foreign)

        staff.pay(erp, invoice)
        found = news.all()
        bill = read(books, "invoice", str(invoice))
        assert (bill.values["state"], bill.values["open"]) == ("paid", "0")
        assert progress(read(books, "order", record.id)) == ("closed", "full", "full", "full")
        amounts = [Decimal(r.data["amount"]) for r in self._receipts_of(books, invoice)]
        assert sum(amounts) == entry["total_amount"]
        assert len(amounts) == 2
        late = changed(books, self._held(books, record.id), ItemWrite("update", record.data["lines"][0]["id"],
                                                                      {"quantity": 1}))  # fmt: skip
        assert refused(books, late).code == "POSTED"

    def _held(self, books: Tryton, native: str) -> WireRecord:
        (found,) = books.get(books.kinds["order"], [native])
        assert isinstance(found, WireRecord)
        return found

    def _receipts_of(self, books: Tryton, invoice: int) -> list[WireRecord]:
        every = [r for p in books.read(books.kinds["payment"], None) for r in p.records]
        return [r for r in every if any(a["invoice"] == str(invoice) for a in r.data["allocations"])]

    def test_more_money_than_owed_and_a_credit_note(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        record = saved(books, order(customer, line(erp, "S-300", 2, price="75")))
        (invoice,) = row(erp, "sale.sale", record.id, "invoices")["invoices"]
        staff.post(erp, invoice)
        news = News(books)
        staff.pay(erp, invoice, Decimal("200.00"))
        (receipt,) = news.all()["payment"]
        paid = books.kinds["payment"].map.read(receipt.data).values
        assert (paid["amount"], paid["unallocated"]) == ("200", "30.5")
        assert progress(read(books, "order", record.id))[2:] == ("full", "full")
        other = saved(books, order(customer, line(erp, "S-300", 1, price="75")))
        (second,) = row(erp, "sale.sale", other.id, "invoices")["invoices"]
        staff.post(erp, second)
        (note,) = staff.credit(erp, second)
        told = read(books, "invoice", str(note)).values
        assert (told["type"], told["total"], told["reverses"]) == (
            "credit_note",
            "-84.75",
            Foreign("invoice", str(second)),
        )


class TestOnce:
    def test_our_key_finds_the_first_sale(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        write = order(customer, line(erp, "W-100", 1), key="dt-t_50%-once")
        first = saved(books, write)
        again = one(books, write)
        assert isinstance(again, Saved)
        assert (again.id, again.existed) == (first.id, True)
        assert [r.id for r in books.find(books.kinds["order"], "own_key", ["dt-t_50%-once", "dt-tx50--once"])] == [
            first.id
        ]
        numbers = {"description": first.data["crm_number"]}
        assert erp.call("model.sale.sale.search_count", [["description", "like", numbers["description"] + " %"]]) == 1

    def test_a_create_that_stopped_half_way_is_taken_on(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        write = order(customer, line(erp, "W-100", 1), wish="draft", key="dt-t-half")
        assert saved(books, write).data["state"] == "draft"
        released = order(customer, line(erp, "W-100", 1), key="dt-t-half")
        again = one(books, released)
        assert isinstance(again, Saved)
        assert again.existed and again.record is not None
        assert again.record.data["state"] == "processing"


class TestChanges:
    def test_a_draft_is_written_and_released_in_steps(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        record = saved(books, order(customer, line(erp, "W-100", 5), line(erp, "G-200", 1), wish="draft"))
        first, second = (one["id"] for one in record.data["lines"])
        record = saved(
            books,
            changed(
                books, record, ItemWrite("update", first, {"quantity": 7, "price": "10", "discount": "0.1"}),
                ItemWrite("delete", second), line(erp, "S-300", 1, sequence=30), reference="PO-9", remarks="加急",
            ),
        )  # fmt: skip
        told = books.kinds["order"].map.read(record.data)
        assert (of_lines(told, "quantity"), of_lines(told, "discount")) == (["1", "7"], [None, "10"])
        assert (told.values["customer_reference"], told.values["remarks"], told.values["state"]) == (
            "PO-9",
            "加急",
            "draft",
        )
        erp.call("model.sale.sale.quote", [int(record.id)])
        (record,) = [r for r in books.get(books.kinds["order"], [record.id]) if isinstance(r, WireRecord)]
        record = saved(books, changed(books, record, shipment_party=customer))
        assert record.data["state"] == "quotation"  # written as a draft and quoted again
        assert saved(books, changed(books, record, wish="draft")).data["state"] == "draft"
        (record,) = [r for r in books.get(books.kinds["order"], [record.id]) if isinstance(r, WireRecord)]
        record = saved(books, changed(books, record, wish="released"))
        assert record.data["state"] == "processing"
        assert refused(books, changed(books, record, wish="draft")).code == "WRONG_STATE"

    def test_a_stale_write_is_told(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        record = saved(books, order(customer, line(erp, "W-100", 5), wish="draft"))
        erp.call("model.sale.sale.write", [int(record.id)], {"reference": "by a person"})
        assert type(one(books, changed(books, record, reference="ours"))).__name__ == "Moved"

    def test_what_is_confirmed_is_amended_before_it_is_shipped(
        self, books: Tryton, erp: lab.Tryton, customer: int
    ) -> None:
        record = saved(
            books, order(customer, line(erp, "W-100", 5, price="12.5", discount="0.1"), line(erp, "G-200", 2))
        )
        first, second = (one["id"] for one in record.data["lines"])
        terms = erp.ids["payment_terms"]["Net 60"]
        record = saved(
            books,
            changed(
                books, record, ItemWrite("update", first, {"quantity": 8, "discount": "0.2"}),
                ItemWrite("delete", second), payment_term=terms, reference="PO-10",
            ),
        )  # fmt: skip
        told = books.kinds["order"].map.read(record.data)
        assert (of_lines(told, "quantity"), of_lines(told, "discount"), of_lines(told, "price")) == (
            ["8"],
            ["20"],
            ["12.5"],
        )
        assert told.values["net"] == "80"
        assert (told.values["terms"], told.values["customer_reference"]) == (
            Foreign("payment_term", str(terms)), "PO-10",
        )  # fmt: skip
        assert len(row(erp, "sale.sale", record.id, "amendments")["amendments"]) == 1
        (shipment,) = row(erp, "sale.sale", record.id, "shipments")["shipments"]
        moves = row(erp, "stock.shipment.out", shipment, "outgoing_moves")["outgoing_moves"]
        assert [row(erp, "stock.move", one, "quantity")["quantity"] for one in moves] == [8.0]
        answer = refused(books, changed(books, record, line(erp, "S-300", 1)))
        assert answer.code == "no_new_lines"
        answer = refused(books, changed(books, record, ItemWrite("update", first, {"price": "11"})))
        assert (answer.code, answer.field) == ("not_amendable", "lines.price")
        staff.ship(erp, shipment)
        (record,) = [r for r in books.get(books.kinds["order"], [record.id]) if isinstance(r, WireRecord)]
        answer = refused(books, changed(books, record, ItemWrite("update", first, {"quantity": 1})))
        assert (answer.code, "shipped" in answer.reason) == ("POSTED", True)
        assert refused(books, changed(books, record, wish="cancelled")).code == "POSTED"
        assert saved(books, changed(books, record, remarks="still free")).data["remarks"] == "still free"

    def test_an_order_is_cancelled_before_and_after_confirmation(
        self, books: Tryton, erp: lab.Tryton, customer: int
    ) -> None:
        for wish, state in (("draft", "cancelled"), ("released", "cancelled")):
            record = saved(books, order(customer, line(erp, "W-100", 5), wish=wish))
            gone = saved(books, changed(books, record, wish="cancelled"))
            assert books.kinds["order"].map.read(gone.data).values["state"] == state
        assert row(erp, "sale.sale", record.id, "shipments", "invoices", "total_amount") == {
            "id": int(record.id), "shipments": [], "invoices": [], "total_amount": Decimal("0.00"),
        }  # fmt: skip


class TestRefusals:
    def test_a_warning_leaves_the_sale_as_quotation(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        erp.call("model.party.party.write", [customer], {"credit_limit_amount": Decimal("1")})
        try:
            write = order(customer, line(erp, "G-200", 1), key="dt-t-credit")
            answer = refused(books, write)
            assert answer.code == "warning"
            assert "credit" in answer.reason.lower()
            (left,) = books.find(books.kinds["order"], "own_key", ["dt-t-credit"])
            assert left.data["state"] == "quotation"
        finally:
            erp.call("model.party.party.write", [customer], {"credit_limit_amount": None})
        again = one(books, write)
        assert isinstance(again, Saved)
        assert (again.existed, again.id) == (True, left.id)
        assert again.record is not None and again.record.data["state"] == "processing"

    @pytest.mark.parametrize(
        ("values", "line_values", "code"),
        [
            ({"tax_included": True}, {}, "tax"),
            ({"company": None}, {}, "company"),
            ({}, {"product": 999_999}, "UserError"),
        ],
    )
    def test_what_cannot_be_is_refused_with_its_reason(
        self, books: Tryton, erp: lab.Tryton, customer: int, values: Any, line_values: Any, code: str
    ) -> None:
        before = erp.call("model.sale.sale.search_count", [])
        told = {"product": erp.ids["products"]["W-100"], "quantity": 1, **line_values}
        answer = refused(books, order(customer, new(**told), **values))
        assert (answer.code, bool(answer.reason)) == (code, True)
        assert erp.call("model.sale.sale.search_count", []) == before

    def test_lines_of_two_warehouses_are_refused(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        two = [line(erp, "W-100", 1, warehouse=erp.ids["warehouses"][code]) for code in ("SHA", "RTM")]
        assert refused(books, order(customer, *two)).code == "one_warehouse"

    def test_another_company_sells_with_its_own_tax_and_warehouse(
        self, books: Tryton, erp: lab.Tryton, customer: int
    ) -> None:
        told = books.kinds["order"].map.read(saved(books, order(customer, line(erp, "W-100", 2), company=2)).data)
        assert (told.values["company"], of_lines(told, "tax_rate")) == ("europe", ["21"])
        assert of_lines(told, "warehouse") == [Foreign("warehouse", str(erp.ids["warehouses"]["RTM"]))]

    def test_a_deleted_sale_is_gone(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        record = saved(books, order(customer, line(erp, "W-100", 1), wish="draft"))
        assert isinstance(one(books, Write(1, "delete", record.id)), Refused | Saved)
        (missing,) = books.get(books.kinds["order"], [record.id])
        assert missing == Missing(record.id)


class TestShipmentHold:
    REASON = "339 of contract HT-1 is to be paid before shipment (款到发货)"

    def test_a_held_sale_is_in_the_books_and_its_shipment_is_made_once_it_is_free(
        self, books: Tryton, erp: lab.Tryton, customer: int
    ) -> None:
        record = saved(
            books, order(customer, line(erp, "W-100", 2), shipment_hold=self.REASON, remarks="随货附质检报告")
        )
        held = row(erp, "sale.sale", record.id, "state", "shipments", "invoices", "comment")
        assert held["state"] == "processing" and not held["shipments"] and held["invoices"]
        told = books.kinds["order"].map.read(record.data).values
        assert (told["shipment_hold"], told["remarks"]) == (self.REASON, "随货附质检报告")
        paid_in_part = saved(books, changed(books, record, shipment_hold="9 is left (款到发货)"))
        assert not row(erp, "sale.sale", record.id, "shipments")["shipments"]
        free = saved(books, changed(books, paid_in_part, shipment_hold=None))
        (shipment,) = row(erp, "sale.sale", record.id, "shipments")["shipments"]
        assert books.kinds["order"].map.read(free.data).values["shipment_hold"] is None
        answer = refused(books, changed(books, free, shipment_hold=self.REASON))
        assert (answer.field, answer.code) == ("shipment_hold", "SHIPMENT_MADE")
        staff.ship(erp, shipment)
        assert read(books, "order", record.id).values["shipping"] == "full"

    def test_a_sale_that_is_not_in_process_yet_is_held_and_freed_by_its_way_of_shipping(
        self, books: Tryton, erp: lab.Tryton, customer: int
    ) -> None:
        record = saved(books, order(customer, line(erp, "W-100", 2), wish="draft"))
        held = saved(books, changed(books, record, shipment_hold=self.REASON))
        assert row(erp, "sale.sale", record.id, "shipment_method")["shipment_method"] == "manual"
        freed = saved(books, changed(books, held, shipment_hold=None))
        saved(books, changed(books, freed, wish="released"))
        assert row(erp, "sale.sale", record.id, "shipments")["shipments"]


class TestGoods:
    def all_of(self, books: Tryton, kind: str) -> dict[str, Reading]:
        spec = books.kinds[kind]
        found = {r.id: spec.map.read(r.data) for p in books.read(spec, None) for r in p.records}
        assert sorted(found) == sorted(books.ids(spec))
        assert not any(one.bad for one in found.values())
        return found

    def test_prices_are_those_that_tryton_asks(self, books: Tryton, erp: lab.Tryton) -> None:
        bearing, wholesale = erp.ids["products"]["W-100"], erp.ids["price_lists"]["asia"]
        told = self.all_of(books, "price")[f"{wholesale}-{bearing}"]
        assert (told.values["price"], told.values["tax_included"]) == ("12.5", False)
        assert told.values["price_list"] == Foreign("price_list", str(wholesale))
        assert [item.values for item in told.items["tiers"]] == [{"quantity": "100", "price": "11.25"}]
        lists = self.all_of(books, "price_list")
        assert [one.values["company"] for one in lists.values()] == ["asia", "europe"]
        assert all(one.values["restricted"] for one in lists.values())

    def test_a_customers_price_list_is_told_company_by_company(
        self, books: Tryton, erp: lab.Tryton, customer: int
    ) -> None:
        def told() -> list[Any]:
            values = read(books, "account", str(customer)).values
            return [values[f"company.{code}.price_list"] for code in COMPANIES]

        assert told() == [None, None]
        for code, company in COMPANIES.items():
            wanted = {"sale_price_list": erp.ids["price_lists"][code]}
            erp.call("model.party.party.write", [customer], wanted, context={"company": company["id"]})
        assert told() == [Foreign("price_list", str(erp.ids["price_lists"][code])) for code in COMPANIES]
        for company in COMPANIES.values():
            erp.call(
                "model.party.party.write", [customer], {"sale_price_list": None}, context={"company": company["id"]}
            )

    def test_rates_count_from_the_base_currency(self, books: Tryton, erp: lab.Tryton) -> None:
        currencies = {str(native): code for code, native in erp.ids["currencies"].items()}
        told = {
            (currencies[one.values["currency"].native], currencies[one.values["to"].native]): one.values["rate"]  # type: ignore[union-attr]
            for one in self.all_of(books, "exchange_rate").values()
        }
        assert told == {("EUR", "CNY"): "7.8", ("EUR", "USD"): "1.1"}

    def test_what_is_ordered_is_reserved_until_it_leaves(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        sensor, house = erp.ids["products"]["G-200"], erp.ids["warehouses"]["SHA"]
        native = f"{sensor}-{house}"
        before = self.all_of(books, "stock_level")[native].values
        since = since_now(books)
        record = saved(books, order(customer, line(erp, "G-200", 3)))
        (told,) = [r for p in books.read(books.kinds["stock_level"], since) for r in p.records if r.id == native]
        after = books.kinds["stock_level"].map.read(told.data).values
        figures = ("on_hand", "reserved", "available")
        was = [Decimal(str(before[name])) for name in figures]
        assert [Decimal(str(after[name])) for name in figures] == [was[0], was[1] + 3, was[2] - 3]
        assert after["as_of"]
        (shipment,) = row(erp, "sale.sale", record.id, "shipments")["shipments"]
        staff.ship(erp, shipment)
        gone = read(books, "stock_level", native).values
        assert [Decimal(str(gone[name])) for name in figures] == [was[0] - 3, was[1], was[2] - 3]
        context = {"locations": [house], "stock_date_end": TODAY}
        (counted,) = erp.call("model.product.product.read", [sensor], ["quantity"], context=context)
        assert Decimal(str(counted["quantity"])) == Decimal(str(gone["on_hand"]))

    def test_supply_is_tied_to_the_line_that_waits_for_it(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        record = saved(books, order(customer, line(erp, "M-400", 3, sequence=10), line(erp, "P-500", 2, sequence=20)))
        assert [one["supply_state"] for one in record.data["lines"]] == ["requested", "requested"]
        mine = {
            one.values["order_line"]: (native, one.values)
            for native, one in self.all_of(books, "supply_order").items()
            if one.values["order"] == Foreign("order", record.id)
        }
        assert {n: (v["type"], v["state"], v["quantity"], v["done"]) for n, (_, v) in mine.items()} == {
            "10": ("production", "draft", "3", "0"),
            "20": ("purchase", "draft", "2", "0"),
        }
        native = mine["10"][0]
        staff.produce(erp, int(native.partition("-")[2]))
        done = read(books, "supply_order", native).values
        assert (done["state"], done["done"], done["expected_finish"]) == ("done", "3", TODAY.isoformat())
        (now,) = [r for r in books.get(books.kinds["order"], [record.id]) if isinstance(r, WireRecord)]
        assert [one["supply_state"] for one in now.data["lines"]] == ["supplied", "requested"]


class TestReturns:
    """A complaint about a sale, from the request to the credit note."""

    def sold(self, books: Tryton, erp: lab.Tryton, customer: int) -> int:
        lines = line(erp, "W-100", 3, sequence=10), line(erp, "G-200", 2, sequence=20)
        record = saved(books, order(customer, *lines))
        (shipment,) = row(erp, "sale.sale", record.id, "shipments")["shipments"]
        staff.ship(erp, shipment)
        return int(record.id)

    def asked(self, erp: lab.Tryton, customer: int, sale: int, key: str, place: str = "20", **values: Any) -> Write:
        told = {"customer": customer, "company": 1, "sale": sale, "wish": "released", "outcome": "refunded", **values}
        back = line(erp, "G-200", 1, order_line=place)
        return Write(1, "create", None, key, {"reference": "RT-1", "remarks": "有异响", **told}, {"lines": [back]})

    def answer(self, books: Tryton, write: Write) -> Answer:
        (found,) = books.write(books.kinds["return"], [write])
        return found

    def news(self, books: Tryton, since: str) -> dict[str, Any]:
        """What the only return that changed says of itself and its only line."""
        (told,) = [r for p in books.read(books.kinds["return"], since) for r in p.records]
        reading = books.kinds["return"].map.read(told.data)
        assert not reading.bad
        (item,) = reading.items["lines"]
        return {**reading.values, **item.values}

    def test_it_is_made_once_and_each_step_is_news(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        sale = self.sold(books, erp, customer)
        write = self.asked(erp, customer, sale, "dt-t-r1")
        made, again = self.answer(books, write), self.answer(books, write)
        assert isinstance(made, Saved) and isinstance(again, Saved) and again.existed and again.id == made.id
        assert [r.id for r in books.find(books.kinds["return"], "own_key", ["dt-t-r1"])] == [made.id]
        since = since_now(books)
        back = staff.approve_return(erp, int(made.id))
        told = self.news(books, since)
        assert (told["order"], told["order_line"], told["quantity"]) == (Foreign("order", str(sale)), "20", "1")
        assert (told["decision"], told["received"], told["credit_note"]) == ("authorised", "0", None)
        since = since_now(books)
        staff.take_back(erp, back)
        told = self.news(books, since)
        assert (told["received"], told["inspected_on"]) == ("1", None) and told["receipt_number"]
        since = since_now(books)
        staff.put_away(erp, back)
        assert self.news(books, since)["inspected_on"] == TODAY.isoformat()
        (credit,) = row(erp, "sale.sale", back, "invoices")["invoices"]
        since = since_now(books)
        staff.post(erp, credit)
        told = self.news(books, since)
        assert (told["disposition"], told["credit_note"]) == ("refunded", Foreign("invoice", str(credit)))
        note = read(books, "invoice", str(credit))
        assert (note.values["type"], note.values["order"]) == ("credit_note", Foreign("order", str(sale)))
        assert [(i.values["order_line"], i.values["quantity"]) for i in note.items["lines"]] == [("20", "-1")]
        assert str(back) not in set(books.ids(books.kinds["order"]))

    def test_it_is_withdrawn_as_long_as_nobody_approved(self, books: Tryton, erp: lab.Tryton, customer: int) -> None:
        made = self.answer(books, self.asked(erp, customer, self.sold(books, erp, customer), "dt-t-r2"))
        assert isinstance(made, Saved) and made.record is not None
        done = self.answer(books, changed(books, made.record, wish="cancelled"))
        assert isinstance(done, Saved)
        assert row(erp, "sale.complaint", made.id, "state")["state"] == "cancelled"

    def test_what_tryton_cannot_do_is_refused_and_leaves_nothing(
        self, books: Tryton, erp: lab.Tryton, customer: int
    ) -> None:
        sale, before = self.sold(books, erp, customer), erp.call("model.sale.complaint.search_count", [])
        for key, more, field in (
            ("dt-t-r3", {"outcome": "repaired"}, "outcome"),
            ("dt-t-r4", {"place": "10"}, "lines.order_line"),
        ):
            answer = self.answer(books, self.asked(erp, customer, sale, key, **more))
            assert isinstance(answer, Refused) and answer.field == field
        assert erp.call("model.sale.complaint.search_count", []) == before
