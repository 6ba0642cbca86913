"""SimERP's connector against the simulated ERP itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from datong.base import json
from datong.base.clock import SystemClock
from datong.base.errors import AccessDenied, BadAnswer, OutcomeUnknown, RequestRefused
from datong.base.money import plain
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
COMPANY_CALL = r"/company/asia$"


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


@pytest.fixture
def customers(erp: SandboxErp) -> KindSpec:
    return erp.kinds["account"]


def connected(sandbox: Sandbox, **settings: Any) -> Iterator[SandboxErp]:
    clock = SystemClock()
    given = {"url": sandbox.erp.url, "key": sandbox.erp.token, **settings}
    connector = SandboxErp(ErpSettings(**given), Context("books", clock, Budget(clock), COMPANIES))
    yield connector
    connector.close()


def create(ref: int, key: str | None, **values: Any) -> Write:
    return Write(ref, "create", key=key, values=values)


def key_of(spec: KindSpec) -> str:
    return "contactId" if spec.kind == "contact" else "id"


def saved(answer: object) -> WireRecord:
    assert isinstance(answer, Saved) and answer.record is not None, answer
    return answer.record


def test_check_names_the_database_and_the_missing_right(sandbox: Sandbox, erp: SandboxErp) -> None:
    found = erp.check()
    assert (found.missing_scopes, found.server_time, found.detail) == ((), NOW, "SimERP 9.2")
    reader = next(connected(sandbox, key=sandbox.erp.read_token))
    assert reader.check().missing_scopes == ("write",)
    assert reader.check().identity == found.identity
    with pytest.raises(AccessDenied):
        list(reader.write(reader.kinds["account"], [create(0, "k", custName="X")]))
    with pytest.raises(AccessDenied):
        next(connected(sandbox, key="wrong")).check()


def test_every_kind_is_read_whole_and_every_mapped_field_is_understood(sandbox: Sandbox, erp: SandboxErp) -> None:
    for spec in (one for one in erp.kinds.values() if one.kind != "aged_balance"):  # it is no row, but a report
        pages = list(erp.read(spec, None))
        held = [str(row[key_of(spec)]) for row in sandbox.erp.rows(spec.map.native)]
        assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
        assert sorted(one.id for page in pages for one in page.records) == sorted(held)
        assert sorted(erp.ids(spec)) == sorted(held)
        for record in (one for page in pages for one in page.records):
            reading = spec.map.read(record.data)
            assert reading.bad == {}
            assert set(reading.values) == {field.name for field in spec.map.fields}


def test_switched_off_records_are_read(sandbox: Sandbox, erp: SandboxErp) -> None:
    for kind, data in {
        "account": {"custName": "Asleep", "status": "inactive"},
        "contact": {"fullName": "Asleep", "disabled": True},
        "product": {"itemNo": "OLD", "description": "Asleep", "discontinued": True},
    }.items():
        spec = erp.kinds[kind]
        row = sandbox.erp.create(spec.map.native, data)
        found = {one.id: one for page in erp.read(spec, None) for one in page.records}
        record = found[str(row[key_of(spec)])]
        assert (record.active, spec.map.read(record.data).values["active"]) == (False, False)


def names(pages: Any) -> set[str]:
    return {one.data["custName"] for page in pages for one in page.records}


@pytest.mark.parametrize("size", [1, 2, 3, 500])
def test_reading_resumes_after_any_page_and_equal_times_cross_page_edges(sandbox: Sandbox, size: int) -> None:
    erp = next(connected(sandbox, page_size=size))
    spec = erp.kinds["account"]
    before = list(erp.read(spec, None))[-1].cursor
    made = set()
    for count in (1, 1, 7, 2, 5):
        sandbox.clock.advance(60)
        for n in range(count):
            made.add(sandbox.erp.create("customers", {"custName": f"Tie {count}.{n}"})["custName"])
    pages = list(erp.read(spec, before))
    assert made <= names(pages) and pages[-1].last
    stamps = [(one.id, one.version) for page in pages for one in page.records]
    assert len(stamps) == len(set(stamps))
    for number, page in enumerate(pages):
        assert names(pages[number + 1 :]) & made <= names(erp.read(spec, page.cursor))
    assert [page.cursor for page in pages] == sorted(str(page.cursor) for page in pages)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("after", range(6))
@pytest.mark.parametrize("how", ["edit", "delete"])
def test_rows_that_move_while_paging_push_none_out_of_sight(sandbox: Sandbox, size: int, after: int, how: str) -> None:
    erp = next(connected(sandbox, page_size=size))
    spec = erp.kinds["account"]
    before = list(erp.read(spec, None))[-1].cursor
    sandbox.clock.advance(60)
    rows = [sandbox.erp.create("customers", {"custName": f"Tie {n}"}) for n in range(7)]
    sandbox.clock.advance(60)
    rows += [sandbox.erp.create("customers", {"custName": f"Next {n}"}) for n in range(2)]
    sandbox.clock.advance(60)
    seen: set[str] = set()
    for number, page in enumerate(erp.read(spec, before)):
        seen |= names([page])
        if number == after:
            for row in rows[:2]:
                if how == "edit":
                    sandbox.erp.edit("customers", row["id"], {"web": "moved.example"})
                else:
                    sandbox.erp.delete("customers", row["id"])
    gone = {row["custName"] for row in rows[:2]} if how == "delete" else set()
    assert {row["custName"] for row in rows} - gone <= seen


def test_a_row_that_shows_up_late_is_read_and_the_cursor_never_goes_back(
    sandbox: Sandbox, erp: SandboxErp, customers: KindSpec
) -> None:
    on_time = sandbox.erp.create("customers", {"custName": "On time"})
    cursor = list(erp.read(customers, None))[-1].cursor
    assert cursor == "2026-11-21T08:00:00Z"
    sandbox.erp.faults.add("late_row", object="customers", times=1, seconds=4)
    sandbox.erp.create("customers", {"custName": "Late"})
    sandbox.erp.delete("customers", on_time["id"])
    page = next(erp.read(customers, cursor))
    assert "Late" in names([page])
    assert page.cursor == cursor


def test_a_create_repeated_with_its_key_finds_the_first_one(
    sandbox: Sandbox, erp: SandboxErp, customers: KindSpec
) -> None:
    sandbox.erp.faults.add("error_after_commit", object="customers", method="POST", times=1)
    with pytest.raises(OutcomeUnknown):
        list(erp.write(customers, [create(0, "dt-1", custName="Once")]))
    (again,) = erp.write(customers, [create(0, "dt-1", custName="Once")])
    assert isinstance(again, Saved) and again.existed
    assert [str(row["id"]) for row in sandbox.erp.rows("customers") if row["extRef"] == "dt-1"] == [again.id]
    assert [one.id for one in erp.find(customers, "own_key", ["dt-1"])] == [again.id]


def test_a_refused_row_stops_nobody_else(sandbox: Sandbox, erp: SandboxErp, customers: KindSpec) -> None:
    batch = [create(0, "a", custName="长" * 81), create(1, "b", custName="Good"), create(2, "c", custName="X", fax="1")]
    long, good, unknown = erp.write(customers, batch)
    assert long == Refused(0, "custName: at most 80 characters", "custName", "TOO_LONG")
    assert saved(good).data["custName"] == "Good"
    assert isinstance(unknown, Refused) and (unknown.field, unknown.code) == ("fax", "UNKNOWN_FIELD")
    item = sandbox.erp.rows("items")[0]
    (double,) = erp.write(erp.kinds["product"], [create(0, "d", itemNo=item["itemNo"], description="X")])
    assert isinstance(double, Refused) and (double.field, double.code) == ("itemNo", "DUPLICATE")


def test_writes_are_guarded_by_the_row_version(sandbox: Sandbox, erp: SandboxErp, customers: KindSpec) -> None:
    id = str(sandbox.erp.create("customers", {"custName": "Guarded"})["id"])
    sandbox.erp.edit("customers", int(id), {"web": "by.a.person"})
    for values in ({"web": "ours"}, {"companies": {"asia": {"blocked": True}}}):
        assert list(erp.write(customers, [Write(0, "update", id, values=values, version="1")])) == [Moved(0)]
    site = {"sites": [ItemWrite("create", None, {"town": "X"})]}
    assert list(erp.write(customers, [Write(0, "update", id, items=site, version="1")])) == [Moved(0)]
    assert list(erp.write(customers, [Write(0, "delete", id, version="1")])) == [Moved(0)]
    held = sandbox.erp.get("customers", int(id))
    assert held is not None and (held["web"], held["sites"], held["companies"]) == ("by.a.person", [], {})
    (answer,) = erp.write(customers, [Write(0, "update", id, values={"web": "ours"}, version="2")])
    assert (saved(answer).version, saved(answer).data["web"]) == ("3", "ours")
    assert list(erp.write(customers, [Write(0, "delete", id, version="3")])) == [Saved(0, id, None)]
    assert list(erp.write(customers, [Write(0, "delete", id)])) == [Saved(0, id, None)]
    assert list(erp.write(customers, [Write(0, "update", id, values={"web": "x"})])) == [Moved(0)]
    parts = {"companies": {"asia": {"blocked": True}}}
    assert list(erp.write(customers, [Write(0, "update", id, values=parts)])) == [Moved(0)]


def test_contacts_are_written_by_their_own_id_field(sandbox: Sandbox, erp: SandboxErp) -> None:
    spec = erp.kinds["contact"]
    (made,) = erp.write(spec, [create(0, "c-1", fullName="李娜", disabled=False)])
    record = saved(made)
    (changed,) = erp.write(spec, [Write(0, "update", record.id, values={"disabled": True}, version=record.version)])
    assert (saved(changed).id, saved(changed).active) == (record.id, False)
    assert list(erp.write(spec, [Write(0, "delete", record.id)])) == [Saved(0, record.id, None)]


def parts(spec: KindSpec, **limits: str) -> dict[str, Any]:
    """Values of a create with a part per company, written through the map."""
    name = "company.{}.credit_limit".format
    return {
        "custName": "Aggregate",
        "companies": {code: {"creditLimit": spec.map.to_wire(name(code), limit)} for code, limit in limits.items()},
    }


def limits(spec: KindSpec, record: WireRecord) -> dict[str, Any]:
    values = spec.map.read(record.data).values
    return {code: values[f"company.{code}.credit_limit"] for code in COMPANIES}


def test_a_customer_is_made_whole(sandbox: Sandbox, erp: SandboxErp, customers: KindSpec) -> None:
    site = {"sites": [ItemWrite("create", None, {"use": "BILL", "town": "深圳"})]}
    values = parts(customers, asia="50000 CNY", europe="100.5 EUR")
    (answer,) = erp.write(customers, [Write(0, "create", key="k", values=values, items=site)])
    record = saved(answer)
    assert limits(customers, record) == {"asia": "50000 CNY", "europe": "100.5 EUR"}
    reading = customers.map.read(record.data)
    assert reading.values["company.asia.number"] == f"A1{int(record.id):05d}"
    assert [item.values["city"] for item in reading.items["addresses"]] == ["深圳"]
    held = sandbox.erp.get("customers", int(record.id))
    assert held is not None and str(held["rowVersion"]) == record.version


def test_a_create_whose_part_is_refused_is_known_and_the_part_is_still_due(
    sandbox: Sandbox, erp: SandboxErp, customers: KindSpec
) -> None:
    sandbox.erp.faults.add("refuse", object="customers", field="companies.asia.creditLimit", message="too much")
    values = parts(customers, asia="50000 CNY", europe="100.5 EUR")
    first, second = erp.write(customers, [create(0, "k", **values), create(1, "l", custName="Plain")])
    assert limits(customers, saved(first)) == {"asia": None, "europe": "100.5 EUR"}
    assert saved(second).data["custName"] == "Plain"
    due = Write(0, "update", saved(first).id, values={"companies": {"asia": {"creditLimit": "50000"}}})
    (refused,) = erp.write(customers, [due])
    assert isinstance(refused, Refused)
    assert (refused.field, refused.code) == ("companies.asia.creditLimit", "REFUSED")
    assert "too much" in refused.reason
    sandbox.erp.faults.clear()
    (done,) = erp.write(customers, [due])
    assert limits(customers, saved(done)) == {"asia": "50000 CNY", "europe": "100.5 EUR"}
    assert len([row for row in sandbox.erp.rows("customers") if row["custName"] == "Aggregate"]) == 1


@pytest.mark.parametrize("commits", [True, False])
def test_a_create_whose_line_breaks_on_a_part_is_known(
    sandbox: Sandbox, erp: SandboxErp, customers: KindSpec, commits: bool
) -> None:
    sandbox.erp.faults.add("drop_connection", method="POST", path=COMPANY_CALL, after_commit=commits, times=1)
    old = str(sandbox.erp.create("customers", {"custName": "Old"})["id"])
    change: Mapping[str, Any] = {"web": "x", "companies": {"asia": {"blocked": True}}}
    batch = [
        create(0, "k", **parts(customers, asia="50000 CNY")),
        create(1, "l", **parts(customers, europe="1 EUR")),
        create(2, "m", custName="Plain"),
        Write(3, "update", old, values=change),
        Write(4, "update", old, values={"tel": "1"}),
    ]
    first, second, plain, update, simple = erp.write(customers, batch)
    for made in (first, second):
        assert limits(customers, saved(made)) == {"asia": None, "europe": None}
    assert isinstance(update, Lost)
    assert (saved(plain).data["custName"], saved(simple).data["tel"]) == ("Plain", "1")
    again = list(erp.write(customers, batch[:2]))
    assert [isinstance(one, Saved) and one.existed for one in again] == [True, True]
    assert limits(customers, saved(again[0]))["asia"] == ("50000 CNY" if commits else None)
    assert len([row for row in sandbox.erp.rows("customers") if row["extRef"] in ("k", "l", "m")]) == 3


def test_a_rate_limit_in_the_middle_of_an_aggregate_is_waited_out(
    sandbox: Sandbox, erp: SandboxErp, customers: KindSpec
) -> None:
    sandbox.erp.faults.add("rate_limit", method="POST", path=COMPANY_CALL, times=2, seconds=0.01)
    (answer,) = erp.write(customers, [create(0, "k", **parts(customers, asia="50000 CNY"))])
    assert limits(customers, saved(answer))["asia"] == "50000 CNY"


def test_sites_are_created_changed_and_deleted_one_by_one(
    sandbox: Sandbox, erp: SandboxErp, customers: KindSpec
) -> None:
    sites = [{"town": "深圳", "use": "BILL"}, {"town": "上海"}]
    row = sandbox.erp.create("customers", {"custName": "Two", "sites": sites})
    id, (first, second) = str(row["id"]), row["sites"]
    changes = [
        ItemWrite("update", str(first["siteId"]), {"town": "广州"}),
        ItemWrite("delete", str(second["siteId"])),
        ItemWrite("create", None, {"town": "北京", "use": "SHIP"}),
    ]
    (answer,) = erp.write(customers, [Write(0, "update", id, items={"sites": changes}, version="1")])
    items = customers.map.read(saved(answer).data).items["addresses"]
    told = [(one.native_id == str(first["siteId"]), one.values["use"], one.values["city"]) for one in items]
    assert told == [(True, "billing", "广州"), (False, "shipping", "北京")]
    long = ItemWrite("create", None, {"street": "x" * 121})
    (refused,) = erp.write(customers, [Write(0, "update", id, items={"sites": [long]})])
    assert isinstance(refused, Refused) and (refused.field, refused.code) == ("sites.street", "TOO_LONG")


def test_nothing_is_null_and_a_hidden_field_is_absent(sandbox: Sandbox, erp: SandboxErp, customers: KindSpec) -> None:
    row = sandbox.erp.create("customers", {"custName": "X", "regionCode": "HB"})
    sandbox.erp.save_company(row["id"], "asia", {"creditLimit": "5"})
    sandbox.erp.faults.add("hide_field", object="customers", field="userFields.regionCode")
    sandbox.erp.faults.add("hide_field", object="customers", field="companies.asia.creditLimit")
    (record,) = erp.get(customers, [str(row["id"])])
    assert isinstance(record, WireRecord)
    values = customers.map.read(record.data).values
    assert values["region"] == Foreign("region", "HB", "code")
    assert values["tax_id"] is None and values["owner"] is None
    assert values["company.europe.credit_limit"] is None and values["company.asia.blocked"] is False
    assert not {"custom.region_code", "company.asia.credit_limit"} & set(values)
    sandbox.erp.faults.add("hide_field", object="customers", field="companies")
    (record,) = erp.get(customers, [str(row["id"])])
    assert isinstance(record, WireRecord)
    assert not [name for name in customers.map.read(record.data).values if name.startswith("company.")]


def test_a_limit_in_a_foreign_currency_is_not_understood(
    sandbox: Sandbox, erp: SandboxErp, customers: KindSpec
) -> None:
    row = sandbox.erp.create("customers", {"custName": "X"})
    sandbox.erp.save_company(row["id"], "asia", {"creditLimit": "5", "currency": "USD"})
    (record,) = erp.get(customers, [str(row["id"])])
    assert isinstance(record, WireRecord)
    assert "company.asia.credit_limit" in customers.map.read(record.data).bad
    values = {"companies": {"asia": {"creditLimit": "7"}}}
    (answer,) = erp.write(customers, [Write(0, "update", record.id, values=values)])
    assert limits(customers, saved(answer))["asia"] == "7 CNY"


def test_get_tells_gone_from_merged(sandbox: Sandbox, erp: SandboxErp, customers: KindSpec) -> None:
    keep, loser, gone = (
        sandbox.erp.create("customers", {"custName": name})["id"] for name in ("keep", "loser", "gone")
    )
    sandbox.erp.merge("customers", keep, loser)
    sandbox.erp.delete("customers", gone)
    record, *missing = erp.get(customers, [str(keep), str(loser), str(gone), str(gone)])
    assert isinstance(record, WireRecord) and record.id == str(keep)
    assert missing == [Missing(str(loser), "merged", into=str(keep)), Missing(str(gone))]


def test_find_by_each_declared_field(sandbox: Sandbox, erp: SandboxErp, customers: KindSpec) -> None:
    wire = {
        "account": {"custName": "Find me", "taxNo": "T-77", "email": "x@find.example"},
        "contact": {"fullName": "Find me", "mail": "y@find.example"},
        "product": {"description": "Find me", "itemNo": "F-1"},
        "user": {"fullName": "Find me", "empNo": "F-1", "mail": "z@find.example"},
        "order": {"companyCode": "asia", "custId": 1, "docNo": "F-1", "externalNo": "F-2"},
        "invoice_request": {"companyCode": "asia", "custId": 1, "externalNo": "F-2"},
        "shipment": {"companyCode": "asia", "custId": 1, "docNo": "F-1"},
        "invoice": {"companyCode": "asia", "custId": 1, "docNo": "F-1"},
        "payment": {"companyCode": "asia", "docNo": "F-1"},
        "price_list": {"companyCode": "asia", "name": "Find me", "code": "F-1"},
        "price": {"itemId": 1, "price": "1"},
        "stock_level": {"itemId": 1, "warehouseId": 2},
        "supply_order": {"companyCode": "asia", "itemId": 1, "docNo": "F-1"},
        "bill_of_materials": {"itemId": 1},
        "exchange_rate": {"fromCurrency": "USD", "toCurrency": "CNY", "rateDate": "2026-11-21", "rate": "7"},
        "return": {"companyCode": "asia", "custId": 1, "orderId": 1, "docNo": "F-1", "externalNo": "F-2"},
        "forecast": {
            "companyCode": "asia",
            "dateFrom": "2031-01-01",
            "dateTo": "2031-01-31",
            "docNo": "F-1",
            "externalNo": "F-2",
        },
        "asset": {"companyCode": "asia", "custId": 1, "itemId": 1, "serialNo": "F-1"},
        "accounting_period": {
            "name": "2031-01",
            "companyCode": "asia",
            "dateFrom": "2031-01-01",
            "dateTo": "2031-01-31",
        },
    }
    for kind, spec in erp.kinds.items():
        if kind == "aged_balance":
            assert spec.find_by == ()
            continue
        row = sandbox.erp.create(spec.map.native, wire.get(kind, {"name": "Find me", "code": "F-1"}))
        id = row[key_of(spec)]
        if kind == "account":
            for code in COMPANIES:
                sandbox.erp.save_company(id, code, {})
        (record,) = erp.get(spec, [str(id)])
        assert isinstance(record, WireRecord)
        values = spec.map.read(record.data).values
        for name in spec.find_by:
            assert [one.id for one in erp.find(spec, name, [str(values[name]), "nobody"])] == [str(id)], (kind, name)
    assert "company.europe.number" in customers.find_by


def test_a_notice_is_believed_with_the_right_token_only(sandbox: Sandbox, erp: SandboxErp) -> None:
    body = json.encode({"object": "customers", "id": 12, "at": "2026-11-21T08:00:00Z"})
    headers = {name.lower(): value for name, value in sandbox.erp.sign("t0", body).items()}
    guarded = next(connected(sandbox, token="t0"))
    assert list(guarded.hints(Incoming(headers, body, NOW))) == [Hint("account", "12")]
    for bad in ({"x-simerp-token": "guess"}, {}):
        with pytest.raises(AccessDenied):
            guarded.hints(Incoming(bad, body, NOW))
    assert list(erp.hints(Incoming({}, body, NOW))) == [Hint("account", "12")]
    assert list(erp.hints(Incoming({}, b'{"object": "companies", "id": 1}', NOW))) == []
    for senseless in (b"<html>", b"[]", b"{}"):
        with pytest.raises(BadAnswer):
            erp.hints(Incoming({}, senseless, NOW))


def test_the_aged_balance_is_a_report_of_what_was_posted(sandbox: Sandbox, erp: SandboxErp) -> None:
    spec, books = erp.kinds["aged_balance"], sandbox.erp
    customer = books.create("customers", {"custName": "账龄有限公司"})["id"]
    books.save_company(customer, "asia", {})
    line = {"itemId": 1, "qty": "2", "price": "50", "taxCodeId": None}
    order = books.create("salesOrders", {"companyCode": "asia", "custId": customer, "currency": "CNY", "lines": [line]})
    books.act("approve", order=order["id"])
    bill = books.act("invoice", order=order["id"])
    whole = Decimal(bill["grossAmount"])
    books.act("pay", invoice=bill["id"], amount="30")
    money = books.act("receive", amount="7", company="asia", customer=customer)
    id = f"{customer}-asia"
    assert id in set(erp.ids(spec)) and erp.kinds["aged_balance"].create == "never"
    (page,) = erp.read(spec, None)
    (record,) = [one for one in page.records if one.id == id]
    assert [record, Missing("0-asia")] == list(erp.get(spec, [id, "0-asia"]))
    reading = spec.map.read(record.data)
    assert not reading.bad and reading.values["total"] == plain(whole - 37)
    items = {one.values["number"]: one.values["amount"] for one in reading.items["items"]}
    assert items == {bill["docNo"]: plain(whole - 30), money["docNo"]: "-7"}
    sandbox.clock.advance(45 * 86400)
    (later,) = erp.get(spec, [id])
    assert isinstance(later, WireRecord) and spec.map.read(later.data).values["due_31_60"] == plain(whole - 37)
    books.act("credit", invoice=bill["id"])
    (later,) = erp.get(spec, [id])
    assert isinstance(later, WireRecord) and spec.map.read(later.data).values["total"] == "-37"


def test_describe_names_the_mapped_fields(erp: SandboxErp, customers: KindSpec) -> None:
    for spec in (one for one in erp.kinds.values() if one.kind != "aged_balance"):
        assert {field.path for field in spec.map.fields} <= {one.path for one in erp.describe(spec)}
    told = {one.path: one for one in erp.describe(customers)}
    assert told["custName"].max_length == 80 and told["custNo"].read_only
    assert told["sites.use"].options == ("BILL", "SHIP", "OFFICE") and told["userFields.vip"].custom


def test_what_answers_in_place_of_the_erp_is_no_answer(sandbox: Sandbox, erp: SandboxErp, customers: KindSpec) -> None:
    sandbox.erp.faults.add("html_200", object="customers", times=2)
    with pytest.raises(BadAnswer):
        list(erp.read(customers, None))
    with pytest.raises(OutcomeUnknown):
        list(erp.write(customers, [create(0, "k", custName="X")]))
    with pytest.raises(RequestRefused):
        list(erp.get(customers, ["no number"]))
