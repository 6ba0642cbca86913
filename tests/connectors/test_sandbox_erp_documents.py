"""SimERP's connector and the documents: an order is written in steps, and what came of it is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from datong.base import json
from datong.base.clock import SystemClock
from datong.base.errors import OutcomeUnknown
from datong.connectors.sandbox_erp import ErpSettings, SandboxErp
from datong.kit import (
    Context,
    Hint,
    Incoming,
    ItemWrite,
    KindSpec,
    Lost,
    Missing,
    Moved,
    Refused,
    Saved,
    WireRecord,
    Write,
)
from datong.kit.budget import Budget
from datong.mapping import Foreign
from datong.sandbox import Sandbox

COMPANIES = {"asia": {"currency": "CNY"}, "europe": {"currency": "EUR"}}
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
TODAY = "2026-11-21"


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with Sandbox(seed=3, size=40, start=NOW) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    served.reset()
    return served


@pytest.fixture
def erp(sandbox: Sandbox) -> Iterator[SandboxErp]:
    yield from connected(sandbox)


def connected(sandbox: Sandbox, **settings: Any) -> Iterator[SandboxErp]:
    clock = SystemClock()
    given = {"url": sandbox.erp.url, "key": sandbox.erp.token, **settings}
    connector = SandboxErp(ErpSettings(**given), Context("books", clock, Budget(clock), COMPANIES))
    yield connector
    connector.close()


@pytest.fixture
def orders(erp: SandboxErp) -> KindSpec:
    return erp.kinds["order"]


@pytest.fixture
def customer(sandbox: Sandbox) -> int:
    row = sandbox.erp.create("customers", {"custName": "深圳市大同科技有限公司", "taxNo": "91440300MA5DQ1234X"})
    sandbox.erp.save_company(row["id"], "asia", {"paymentTermId": 3, "creditLimit": "100000"})
    return int(row["id"])


def line(item: int = 1, qty: str = "10", price: str = "100", **more: Any) -> ItemWrite:
    return ItemWrite("create", None, {"itemId": item, "qty": qty, "price": price, **more})


def order(customer: int, *lines: ItemWrite, key: str = "k-1", wish: str | None = "released", **more: Any) -> Write:
    values = {"companyCode": "asia", "custId": customer, "externalNo": "O-2026-1", **more}
    if wish:
        values["wish"] = wish
    return Write(0, "create", key=key, values=values, items={"lines": lines or (line(),)})


def one(erp: SandboxErp, spec: KindSpec, write: Write) -> Any:
    (answer,) = erp.write(spec, [write])
    return answer


def saved(answer: object) -> WireRecord:
    assert isinstance(answer, Saved) and answer.record is not None, answer
    return answer.record


def values(spec: KindSpec, record: WireRecord) -> dict[str, Any]:
    reading = spec.map.read(record.data)
    assert reading.bad == {}
    return reading.values


def lines(spec: KindSpec, record: WireRecord) -> list[dict[str, Any]]:
    return [item.values for item in spec.map.read(record.data).items["lines"]]


def read(erp: SandboxErp, kind: str) -> list[dict[str, Any]]:
    spec = erp.kinds[kind]
    return [values(spec, record) for page in erp.read(spec, None) for record in page.records]


def update(id: str, version: str | None = None, *items: ItemWrite, **changed: Any) -> Write:
    return Write(0, "update", id, values=changed, items={"lines": items} if items else {}, version=version)


def test_a_released_order_is_saved_submitted_and_approved(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    record = saved(one(erp, orders, order(customer, line(qty="3", price="33.33", discountPct="5"), line(2))))
    told = values(orders, record)
    assert (told["state"], told["number"], told["erp_number"]) == ("confirmed", "O-2026-1", "SO-A-2026-00001")
    assert told["account"] == Foreign("account", str(customer)) and told["company"] == "asia"
    assert (told["date"], told["currency"], told["rate"]) == (TODAY, Foreign("currency", "CNY", "code"), "1")
    assert (told["net"], told["tax"], told["total"]) == ("1094.99", "142.35", "1237.34")
    assert "wish" not in told
    first, second = lines(orders, record)
    assert (first["position"], second["position"]) == ("10", "20")
    assert (first["net"], first["tax"], first["total"]) == ("94.99", "12.35", "107.34")
    assert (first["tax_rate"], first["shipped"], first["promised"]) == ("13", "0", "2026-11-24")


def test_a_create_repeated_with_its_key_makes_one_order(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    first = one(erp, orders, order(customer))
    again = one(erp, orders, order(customer))
    assert isinstance(again, Saved) and (again.id, again.existed) == (first.id, True)
    assert len(sandbox.erp.rows("salesOrders")) == 1


@pytest.mark.parametrize("step", ["submit", "approve"])
@pytest.mark.parametrize("commits", [True, False])
def test_a_create_whose_line_breaks_on_a_step_goes_on(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int, step: str, commits: bool
) -> None:
    sandbox.erp.faults.add("drop_connection", path=f"/{step}$", after_commit=commits, times=1)
    batch = [order(customer), Write(1, "create", key="k-2", values=dict(order(customer).values))]
    broken, left = erp.write(orders, batch)
    assert isinstance(broken, Lost) and isinstance(left, Lost)
    record = saved(one(erp, orders, batch[0]))
    assert values(orders, record)["state"] == "confirmed"
    refused = one(erp, orders, batch[1])
    assert isinstance(refused, Refused) and refused.code == "NO_LINES"
    assert [row["extRef"] for row in sandbox.erp.rows("salesOrders")] == ["k-1", "k-2"]


def test_a_refused_step_leaves_the_order_saved_and_the_same_write_goes_on(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    sandbox.erp.save_company(customer, "asia", {"blocked": True})
    refused = one(erp, orders, order(customer))
    assert isinstance(refused, Refused) and (refused.code, refused.field) == ("CUSTOMER_BLOCKED", "custId")
    (held,) = sandbox.erp.rows("salesOrders")
    assert (held["status"], held["extRef"]) == ("draft", "k-1")
    due = update(str(held["id"]), wish="released")
    assert one(erp, orders, due).code == "CUSTOMER_BLOCKED"
    sandbox.erp.save_company(customer, "asia", {"blocked": False})
    assert values(orders, saved(one(erp, orders, due)))["state"] == "confirmed"
    again = one(erp, orders, order(customer))
    assert again.existed and values(orders, saved(again))["state"] == "confirmed"


@pytest.mark.parametrize(
    ("lines", "code", "field"),
    [
        ([line(9999)], "UNKNOWN_ITEM", "lines.itemId"),
        ([line(taxCodeId=999)], "UNKNOWN_TAX_CODE", "lines.taxCodeId"),
        ([line(qty="-1")], "NEGATIVE_QUANTITY", "lines.qty"),
        ([line(price="-1")], "NEGATIVE_PRICE", "lines.price"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_nothing_is_made(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int, lines: list[ItemWrite], code: str, field: str
) -> None:
    refused = one(erp, orders, order(customer, *lines))
    assert isinstance(refused, Refused) and (refused.code, refused.field) == (code, field)
    assert sandbox.erp.rows("salesOrders") == []


def test_what_cannot_be_confirmed_is_refused_with_the_reason(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    sandbox.erp.create("currencies", {"code": "JPY", "name": "日元", "decimals": 0})
    sandbox.erp.act("close_period", company="asia", name="2026-10")
    for number, (more, code) in enumerate(
        [({"orderDate": "2026-10-05"}, "CLOSED_PERIOD"), ({"currency": "JPY"}, "NO_RATE")]
    ):
        refused = one(erp, orders, order(customer, key=f"r-{number}", **more))
        assert isinstance(refused, Refused) and refused.code == code


def test_the_credit_warning_is_gone_past_only_where_that_is_set(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    dear = order(customer, line(qty="1000"))
    refused = one(erp, orders, dear)
    assert isinstance(refused, Refused) and refused.code == "CREDIT_LIMIT"
    assert sandbox.erp.rows("salesOrders")[0]["status"] == "submitted"
    lenient = next(connected(sandbox, accept_warnings=["CREDIT_LIMIT"]))
    assert values(orders, saved(one(lenient, orders, dear)))["state"] == "confirmed"


def test_a_draft_is_changed_in_place(sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int) -> None:
    record = saved(one(erp, orders, order(customer, line(), line(2), wish=None)))
    first, second = (item.native_id for item in orders.map.read(record.data).items["lines"])
    changes = [ItemWrite("update", first, {"qty": "7"}), ItemWrite("delete", second), line(3, "1")]
    changed = saved(one(erp, orders, update(record.id, record.version, *changes, remarks="请随货附质检报告")))
    now = lines(orders, changed)
    assert [(one["product"].native, one["quantity"], one["price"]) for one in now] == [
        ("1", "7", "100"),
        ("3", "1", "100"),
    ]
    assert values(orders, changed)["remarks"] == "请随货附质检报告"
    assert orders.map.read(changed.data).items["lines"][0].native_id == first
    assert one(erp, orders, update(record.id, record.version, remarks="late")) == Moved(0)


def test_a_submitted_order_is_taken_back_changed_and_released_again(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    record = saved(one(erp, orders, order(customer, wish=None)))
    sandbox.erp.act("submit", order=int(record.id))
    changed = saved(one(erp, orders, update(record.id, remarks="changed")))
    told = values(orders, changed)
    assert (told["state"], told["remarks"]) == ("confirmed", "changed")
    assert sandbox.erp.rows("orderChanges") == []


def test_an_approved_order_is_amended_with_a_document_of_its_own(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    record = saved(one(erp, orders, order(customer, line(), line(2))))
    first, second = (item.native_id for item in orders.map.read(record.data).items["lines"])
    changes = [ItemWrite("update", first, {"qty": "4", "requestedDate": "2026-12-24"}), ItemWrite("delete", second)]
    changed = saved(one(erp, orders, update(record.id, record.version, *changes, carrier="顺丰速运")))
    assert (values(orders, changed)["state"], values(orders, changed)["total"]) == ("confirmed", "452")
    (document,) = sandbox.erp.rows("orderChanges")
    assert (document["docNo"], document["amendmentNo"]) == ("SC-A-2026-00001", 1)
    assert (document["grossBefore"], document["grossAfter"]) == ("2260.0000", "452.0000")
    told = {(one["field"], one["before"], one["after"]) for one in document["lines"]}
    assert {("qty", "10.0000", "4.0000"), ("carrier", "", "顺丰速运"), ("requestedDate", "", "2026-12-24")} <= told
    same = [ItemWrite("update", first, {"qty": "4"})]
    saved(one(erp, orders, update(record.id, None, *same)))
    assert len(sandbox.erp.rows("orderChanges")) == 1


def test_what_is_shipped_or_invoiced_is_refused_as_posted(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    record = saved(one(erp, orders, order(customer)))
    (id,) = (item.native_id for item in orders.map.read(record.data).items["lines"])
    sandbox.erp.act("ship", order=int(record.id), quantities={int(str(id)): "6"})
    before = sandbox.erp.get("salesOrders", int(record.id))
    for write in (
        update(record.id, None, ItemWrite("update", id, {"qty": "5"})),
        update(record.id, None, ItemWrite("delete", id)),
        update(record.id, wish="cancelled"),
        update(record.id, wish="draft"),
    ):
        refused = one(erp, orders, write)
        assert isinstance(refused, Refused) and refused.code == "POSTED", refused
        assert sandbox.erp.get("salesOrders", int(record.id)) == before
    fewer = saved(one(erp, orders, update(record.id, None, ItemWrite("update", id, {"qty": "6"}))))
    assert values(orders, fewer)["shipping"] == "full"


def test_an_order_is_cancelled_also_when_its_last_change_is_refused(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    record = saved(one(erp, orders, order(customer)))
    cancelled = saved(one(erp, orders, update(record.id, wish="cancelled")))
    assert values(orders, cancelled)["state"] == "cancelled"
    assert values(orders, saved(one(erp, orders, update(record.id, wish="cancelled"))))["state"] == "cancelled"
    assert one(erp, orders, update(record.id, wish="released")).code == "CANCELLED"
    other = saved(one(erp, orders, order(customer, key="k-2")))
    answer = one(erp, orders, update(other.id, wish="cancelled", custOrderNo="x" * 61))
    assert isinstance(answer, Refused) and answer.code == "TOO_LONG"
    held = sandbox.erp.get("salesOrders", int(other.id))
    assert held is not None and held["status"] == "cancelled"


def test_what_came_of_an_order_is_read(sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int) -> None:
    record = saved(one(erp, orders, order(customer)))
    id = int(record.id)
    (line_id,) = (int(str(item.native_id)) for item in orders.map.read(record.data).items["lines"])
    shipment = sandbox.erp.act("ship", order=id, quantities={line_id: "4"}, carrier="顺丰速运", tracking="SF1234567890")
    invoice = sandbox.erp.act("invoice", shipment=shipment["id"])
    sandbox.erp.act("pay", invoice=invoice["id"], amount="100")
    (told,) = read(erp, "order")
    assert (told["shipping"], told["billing"], told["paying"]) == ("part", "part", "part")
    (sent,) = read(erp, "shipment")
    assert (sent["state"], sent["carrier"], sent["tracking"]) == ("shipped", "顺丰速运", "SF1234567890")
    assert (sent["order"], sent["date"]) == (Foreign("order", str(id)), TODAY)
    (billed,) = read(erp, "invoice")
    assert (billed["type"], billed["state"], billed["total"], billed["open"]) == ("invoice", "posted", "452", "352")
    assert (billed["due"], len(billed["fapiao_number"]), billed["fapiao_kind"]) == ("2026-12-21", 20, "special")
    assert billed["buyer_tax_id"] == "91440300MA5DQ1234X"
    (paid,) = read(erp, "payment")
    assert (paid["amount"], paid["unallocated"], paid["state"]) == ("100", "0", "posted")
    payments = erp.kinds["payment"]
    (record,) = (record for page in erp.read(payments, None) for record in page.records)
    (allocation,) = payments.map.read(record.data).items["allocations"]
    assert allocation.values == {"invoice": Foreign("invoice", str(invoice["id"])), "amount": "100"}


def test_goods_are_read(sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int) -> None:
    item = sandbox.erp.create("items", {"itemNo": "N-1", "description": "新品", "salesPrice": "10", "baseUnit": 1})[
        "id"
    ]
    sandbox.clock.advance(60)
    record = saved(one(erp, orders, order(customer, line(item, "25", "10"))))
    (level,) = [one for one in read(erp, "stock_level") if one["product"] == Foreign("product", str(item))]
    assert (level["on_hand"], level["reserved"], level["available"], level["incoming"]) == ("0", "25", "-25", "25")
    assert level["as_of"] == "2026-11-21T08:01:00.000000Z"
    (supply,) = read(erp, "supply_order")
    assert (supply["type"], supply["state"], supply["quantity"], supply["done"]) == ("purchase", "confirmed", "25", "0")
    assert (supply["order"], supply["order_line"]) == (Foreign("order", record.id), "10")
    assert supply["expected_finish"] == "2026-12-01"
    key = sandbox.erp.rows("supplyOrders")[0]["id"]
    sandbox.erp.act("delay", supply=key, days=9)
    (told,) = read(erp, "order")
    assert told["expected"] == "2026-12-11"
    prices = erp.kinds["price"]
    records = [one for page in erp.read(prices, None) for one in page.records]
    tiers = [(one.values["quantity"], one.values["price"]) for one in prices.map.read(records[0].data).items["tiers"]]
    assert [quantity for quantity, _ in tiers] == ["100", "1000"]
    assert Decimal(tiers[0][1]) > Decimal(tiers[1][1])
    rates = [one for one in read(erp, "exchange_rate") if one["currency"] == Foreign("currency", "USD", "code")]
    assert {one["to"].native for one in rates} == {"CNY", "EUR"}


def test_an_invoice_request_is_written_and_becomes_an_invoice(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    requests = erp.kinds["invoice_request"]
    record = saved(one(erp, orders, order(customer)))
    asked = {"companyCode": "asia", "custId": customer, "orderId": int(record.id), "externalNo": "IR-1"}
    made = saved(
        one(erp, requests, Write(0, "create", key="ir", values={**asked, "amount": "565", "status": "requested"}))
    )
    sandbox.erp.act("answer_request", request=int(made.id))
    (told,) = read(erp, "invoice_request")
    (invoice,) = read(erp, "invoice")
    assert (told["state"], told["invoice_state"]) == ("invoiced", "posted")
    assert told["invoice_number"] == invoice["erp_number"] and invoice["total"] == "565"
    refused = one(erp, requests, update(made.id, amount="1"))
    assert isinstance(refused, Refused) and refused.code == "POSTED"


def test_what_simerp_changes_by_itself_is_read_back(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    sandbox.erp.faults.add("change_price", object="salesOrders", times=1, percent=2)
    sandbox.erp.act("settings", renumber_on_approve=True)
    record = saved(one(erp, orders, order(customer, wish=None)))
    assert values(orders, record)["erp_number"] == "SD-A-2026-00001"
    approved = saved(one(erp, orders, update(record.id, record.version, wish="released")))
    assert values(orders, approved)["erp_number"] == "SO-A-2026-00001"
    assert [one["price"] for one in lines(orders, approved)] == ["102"]
    assert values(orders, approved)["net"] == "1020"


def test_documents_of_other_companies_are_out_of_scope(sandbox: Sandbox, customer: int) -> None:
    clock = SystemClock()
    settings = ErpSettings(url=sandbox.erp.url, key=sandbox.erp.token)
    asia = SandboxErp(settings, Context("asia", clock, Budget(clock), {"asia": {"currency": "CNY"}}))
    ours, theirs = (
        str(sandbox.erp.create("salesOrders", {"companyCode": code, "custId": customer, "externalNo": "X"})["id"])
        for code in ("asia", "europe")
    )
    spec = asia.kinds["order"]
    assert [record.id for page in asia.read(spec, None) for record in page.records] == [ours]
    assert list(asia.ids(spec)) == [ours]
    assert [record.id for record in asia.find(spec, "number", ["X"])] == [ours]
    assert list(asia.get(spec, [theirs])) == [Missing(theirs, "out_of_scope")]
    assert len(list(asia.ids(asia.kinds["price"]))) == len(sandbox.erp.rows("prices"))
    asia.close()


@pytest.mark.parametrize("when", ["amend", "approve"])
def test_a_rate_limit_in_the_middle_of_an_order_is_waited_out(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int, when: str
) -> None:
    sandbox.erp.faults.add("rate_limit", path=f"/{when}$", times=2, seconds=0.01)
    record = saved(one(erp, orders, order(customer)))
    changed = saved(one(erp, orders, update(record.id, record.version, carrier="顺丰速运")))
    assert (values(orders, changed)["state"], values(orders, changed)["carrier"]) == ("confirmed", "顺丰速运")


def test_a_step_that_fails_before_anything_was_done_is_raised(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    record = saved(one(erp, orders, order(customer)))
    sandbox.erp.faults.add("drop_connection", path="/cancel$", after_commit=True, times=1)
    with pytest.raises(OutcomeUnknown):
        one(erp, orders, update(record.id, record.version, wish="cancelled"))
    assert values(orders, saved(one(erp, orders, update(record.id, wish="cancelled"))))["state"] == "cancelled"


def test_notices_of_documents_point_at_them(sandbox: Sandbox, erp: SandboxErp) -> None:
    for object, kind in {"salesOrders": "order", "receipts": "payment", "stockLevels": "stock_level"}.items():
        body = json.encode({"object": object, "id": 12, "at": "2026-11-21T08:00:00Z"})
        assert list(erp.hints(Incoming({}, body, NOW))) == [Hint(kind, "12")]
    assert list(erp.hints(Incoming({}, json.encode({"object": "dunningRuns", "id": 1}), NOW))) == []


def test_a_receipt_is_claimed_and_allocated_and_no_more(
    sandbox: Sandbox, erp: SandboxErp, orders: KindSpec, customer: int
) -> None:
    payments = erp.kinds["payment"]
    record = saved(one(erp, orders, order(customer)))
    invoice = sandbox.erp.act("invoice", order=int(record.id))
    receipt = sandbox.erp.act("receive", amount="1500", company="asia", payer="大同科技")
    id = str(receipt["id"])
    (unclaimed,) = read(erp, "payment")
    assert (unclaimed["account"], unclaimed["unallocated"]) == (None, "1500")
    settled = {"allocations": [ItemWrite("create", None, {"invoiceId": invoice["id"], "amount": "1130"})]}
    claim = Write(0, "update", id, values={"custId": customer}, items=settled, version=str(receipt["rowVersion"]))
    told = values(payments, saved(one(erp, payments, claim)))
    assert (told["account"], told["unallocated"]) == (Foreign("account", str(customer)), "370")
    assert read(erp, "order")[0]["paying"] == "full"
    assert one(erp, payments, claim) == Moved(0)
    again = saved(one(erp, payments, Write(0, "update", id, values={"custId": customer}, items=settled)))
    assert len(again.data["allocations"]) == 1
    (line,) = again.data["allocations"]
    for write, code in (
        (Write(0, "update", id, values={"custId": 1}), "CLAIMED"),
        (Write(0, "update", id, values={"custId": None}), "POSTED"),
        (Write(0, "update", id, values={"payer": "x"}), "POSTED"),
        (Write(0, "update", id, items={"allocations": [ItemWrite("delete", str(line["allocationId"]))]}), "POSTED"),
    ):
        refused = one(erp, payments, write)
        assert isinstance(refused, Refused) and refused.code == code, refused
    sandbox.erp.act("reverse", receipt=receipt["id"])
    refused = one(erp, payments, Write(0, "update", id, items=settled))
    assert isinstance(refused, Refused) and refused.code == "WRONG_STATE"


def test_what_goods_are_made_of_is_read(sandbox: Sandbox, erp: SandboxErp) -> None:
    boms = erp.kinds["bill_of_materials"]
    (record, *_) = (record for page in erp.read(boms, None) for record in page.records)
    told = values(boms, record)
    assert (told["product"], told["quantity"], told["lead_days"]) == (Foreign("product", "5"), "1", "5")
    parts = [
        (item.values["product"], item.values["quantity"]) for item in boms.map.read(record.data).items["components"]
    ]
    assert parts[0] == (Foreign("product", "1"), "4")
    assert read(erp, "product")[0]["lead_days"] == "7"
