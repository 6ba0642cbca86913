"""Orders of SimERP: its own arithmetic, its rules, its steps, and the stock and supply behind them."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from datong.sandbox import Refusal, Sandbox
from datong.sandbox.erp import Erp
from datong.sandbox.refusals import Breach, Invalid

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture
def erp() -> Erp:
    return Sandbox(seed=3, size=24, start=NOW).erp


def customer(erp: Erp, **part: Any) -> int:
    id = erp.create("customers", {"custName": "深圳市大同科技有限公司"})["id"]
    erp.save_company(id, "asia", {"paymentTermId": 3, **part})
    return int(id)


def order(erp: Erp, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"companyCode": "asia", "custId": more.pop("custId", None) or customer(erp), **more}
    return erp.create("salesOrders", {**given, "lines": list(lines) or [line()]})


def line(item: int = 1, qty: str = "10", price: str = "100", **more: Any) -> dict[str, Any]:
    return {"itemId": item, "qty": qty, "price": price, **more}


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


def test_tax_is_counted_by_line_and_rounded_by_currency(erp: Erp) -> None:
    row = order(erp, *(line(qty="1", price="0.1") for _ in range(3)))
    assert (row["netAmount"], row["taxAmount"], row["grossAmount"]) == ("0.30", "0.03", "0.33")
    row = order(erp, line(qty="3", price="9.99", discountPct="12.5"), priceIncludesTax=True)
    assert (row["netAmount"], row["taxAmount"], row["grossAmount"]) == ("23.20", "3.02", "26.22")


@pytest.mark.parametrize(
    ("currency", "decimals", "net", "tax"), [("JPY", 0, "1235", "161"), ("KWD", 3, "1234.568", "160.494")]
)
def test_currencies_have_their_own_decimals(erp: Erp, currency: str, decimals: int, net: str, tax: str) -> None:
    erp.create("currencies", {"code": currency, "name": currency, "decimals": decimals})
    row = order(erp, line(qty="1", price="1234.5678"), currency=currency)
    assert (row["netAmount"], row["taxAmount"]) == (net, tax)


def test_the_most_particular_price_counts_by_quantity_and_with_or_without_tax(erp: Erp) -> None:
    item = erp.create("items", {"itemNo": "P-1", "description": "新品", "salesPrice": "50", "taxCodeId": 1})["id"]
    who = customer(erp)

    def price(qty: str, **more: Any) -> Any:
        row = order(erp, {"itemId": item, "qty": qty}, custId=who, **more)
        return row["lines"][0]["price"]

    assert price("1") == "50.000000" and price("1", priceIncludesTax=True) == "56.500000"
    common = {"itemId": item, "currency": "CNY", "validFrom": "2026-01-01"}
    tiers = [{"fromQty": "100", "price": "36"}, {"fromQty": "10", "price": "38"}]
    erp.create("prices", {**common, "priceListId": 1, "price": "40", "tiers": tiers})
    assert [price(qty) for qty in ("1", "10", "99", "100")] == ["40.000000", "38.000000", "38.000000", "36.000000"]
    erp.create("prices", {**common, "custId": who, "price": "33.9", "priceIncludesTax": True})
    assert price("1") == "30.000000"
    erp.create("prices", {**common, "custId": who, "price": "1", "validTo": "2026-06-30"})
    assert price("1") == "30.000000"


def test_tax_follows_the_day(erp: Erp) -> None:
    held = erp.get("taxCodes", 1)
    assert held is not None and [one["rate"] for one in held["rates"]] == ["0.1600", "0.1300"]
    rates = [*held["rates"], {"validFrom": "2026-12-01", "rate": "0.12"}]
    erp.edit("taxCodes", 1, {"rates": rates})
    assert [order(erp, orderDate=day)["lines"][0]["taxRate"] for day in ("2026-11-30", "2026-12-01")] == [
        "0.1300",
        "0.1200",
    ]


def test_numbers_are_by_company_and_year_and_a_refused_order_takes_none(erp: Erp) -> None:
    assert order(erp)["docNo"] == "SO-A-2026-00001"
    with pytest.raises(Refusal), erp.transaction():
        order(erp)
        erp.act("approve", order=1, accept=[])
        raise Refusal("and now for something else")
    assert order(erp)["docNo"] == "SO-A-2026-00002"
    assert order(erp, companyCode="europe")["docNo"] == "SO-E-2026-00001"
    assert order(erp, orderDate="2027-01-05")["docNo"] == "SO-A-2027-00001"


def test_the_rate_of_the_day_stands_on_the_order(erp: Erp) -> None:
    row = order(erp, currency="USD", orderDate="2026-08-15")
    rate = next(
        one for one in erp.rows("exchangeRates") if (one["fromCurrency"], one["rateDate"]) == ("USD", "2026-07-01")
    )
    assert (row["exchRate"], row["exchRateDate"]) == (rate["rate"], "2026-07-01")
    assert order(erp, currency="USD", orderDate="2024-12-31")["exchRate"] is None


def test_every_step_refuses_what_it_must(erp: Erp) -> None:
    blocked = order(erp, custId=customer(erp, blocked=True))["id"]
    assert code(lambda: erp.act("submit", order=blocked)) == "CUSTOMER_BLOCKED"
    closed = order(erp, orderDate="2025-06-01")["id"]
    assert code(lambda: erp.act("submit", order=closed)) == "CLOSED_PERIOD"
    empty = erp.create("salesOrders", {"companyCode": "asia", "custId": customer(erp)})["id"]
    assert code(lambda: erp.act("submit", order=empty)) == "NO_LINES"
    free = order(erp)["id"]
    assert code(lambda: erp.act("unapprove", order=free)) == "WRONG_STATE"
    erp.act("approve", order=free)
    assert code(lambda: erp.edit("salesOrders", free, {"remarks": "x"})) == "NOT_DRAFT"
    assert code(lambda: erp.delete("salesOrders", free)) == "NOT_DRAFT"
    erp.act("close", order=free)
    assert code(lambda: erp.act("cancel", order=free)) == "CLOSED"
    assert code(lambda: erp.delete("customers", erp.rows("salesOrders")[0]["custId"])) == "IN_USE"
    assert code(lambda: order(erp, line(shippedQty="1"))) == "READ_ONLY"


@pytest.mark.parametrize(
    ("how", "accepted", "told"),
    [("warn", [], True), ("warn", ["CREDIT_LIMIT"], None), ("off", [], None), ("refuse", ["CREDIT_LIMIT"], False)],
)
def test_credit_counts_what_is_owed_and_ordered(erp: Erp, how: str, accepted: list[str], told: bool | None) -> None:
    who = customer(erp, creditLimit="2000")
    first = order(erp, line(qty="10", price="100"), custId=who)["id"]
    erp.act("approve", order=first)
    erp.act("ship", order=first)
    erp.act("invoice", order=first)
    erp.act("settings", credit=how)
    second = order(erp, line(qty="8", price="100"), custId=who)["id"]
    erp.act("submit", order=second)
    if told is None:
        erp.act("approve", order=second, accept=accepted)
        return
    with pytest.raises(Breach) as caught:
        erp.act("approve", order=second, accept=accepted)
    assert (caught.value.code, caught.value.warning) == ("CREDIT_LIMIT", told)
    erp.act("pay", invoice=1)
    erp.act("approve", order=second, accept=[])


def test_taken_back_before_shipment_only_and_nothing_stays_held(erp: Erp) -> None:
    row = order(erp, line(item=2, qty="100000"))
    before = erp.rows("stockLevels")
    erp.act("approve", order=row["id"])
    assert erp.rows("supplyOrders")[0]["status"] == "confirmed"
    back = erp.act("unapprove", order=row["id"])
    assert (back["status"], back["expectedDate"]) == ("draft", None) or back["lines"][0]["supplyState"] is None
    figures = ("onHand", "reserved", "available", "incoming")
    assert [[one[name] for name in figures] for one in erp.rows("stockLevels")] == [
        [one[name] for name in figures] for one in before
    ]
    assert erp.rows("supplyOrders")[0]["status"] == "cancelled"
    erp.act("approve", order=row["id"])
    erp.act("ship", order=row["id"], quantities={row["lines"][0]["lineId"]: 1})
    assert code(lambda: erp.act("unapprove", order=row["id"])) == "POSTED"
    assert code(lambda: erp.act("cancel", order=row["id"])) == "POSTED"


def test_part_shipments_stand_on_the_lines(erp: Erp) -> None:
    row = order(erp, line(), line(2, "4"))
    id, (first, second) = row["id"], [one["lineId"] for one in row["lines"]]
    erp.act("approve", order=id)

    def states() -> Any:
        held = erp.get("salesOrders", id)
        assert held is not None
        return held["shippedState"], [one["shippedQty"] for one in held["lines"]]

    shipment = erp.act(
        "ship", order=id, quantities={first: 4}, carrier="顺丰速运", tracking="SF1", lots={1: "L2026-11"}
    )
    assert states() == ("part", ["4.0000", "0.0000"])
    assert (shipment["lines"][0]["lotNo"], shipment["status"]) == ("L2026-11", "shipped")
    erp.act("ship", order=id)
    assert states() == ("full", ["10.0000", "4.0000"])
    assert code(lambda: erp.act("ship", order=id)) == "NOTHING_LEFT"
    erp.act("ship", order=id, quantities={second: 1})
    assert states() == ("over", ["10.0000", "5.0000"])
    erp.act("cancel_shipment", shipment=3)
    assert states() == ("full", ["10.0000", "4.0000"])
    assert erp.act("deliver", shipment=1)["status"] == "delivered"


def test_one_shipment_may_carry_several_orders(erp: Erp) -> None:
    who = customer(erp)
    ids = [order(erp, custId=who)["id"] for _ in range(2)]
    for id in ids:
        erp.act("approve", order=id)
    shipment = erp.act("ship", order=ids)
    assert [one["orderId"] for one in shipment["lines"]] == ids and shipment["orderId"] is None
    assert {row["shippedState"] for row in erp.rows("salesOrders")} == {"full"}
    other = order(erp)["id"]
    erp.act("approve", order=other)
    assert code(lambda: erp.act("ship", order=[*ids, other])) == "MIXED"


def test_goods_that_are_not_there_leave_only_where_that_is_allowed(erp: Erp) -> None:
    row = order(erp, line(3, "999999"))
    erp.act("approve", order=row["id"])
    erp.act("settings", negative_stock=False)
    assert code(lambda: erp.act("ship", order=row["id"])) == "NO_STOCK"
    assert erp.rows("shipments") == []


def figures(erp: Erp) -> dict[tuple[int, int], tuple[Decimal, Decimal, Decimal]]:
    """Reserved, incoming and available by item and warehouse, counted anew from documents."""
    reserved: Counter[tuple[int, int]] = Counter()
    incoming: Counter[tuple[int, int]] = Counter()
    for row in erp.rows("salesOrders"):
        for one in row["lines"] if row["status"] == "approved" else ():
            left = max(Decimal(one["qty"]) - Decimal(one["shippedQty"]), Decimal(0))
            reserved[one["itemId"], one["warehouseId"]] += left  # type: ignore[assignment]
    for row in erp.rows("supplyOrders"):
        if row["status"] in ("confirmed", "running"):
            left = max(Decimal(row["qty"]) - Decimal(row["doneQty"]), Decimal(0))
            incoming[row["itemId"], row["warehouseId"]] += left  # type: ignore[assignment]
    told = {}
    for level in erp.rows("stockLevels"):
        key = (level["itemId"], level["warehouseId"])
        held = Decimal(reserved[key])
        told[key] = (held, Decimal(incoming[key]), Decimal(level["onHand"]) - held)
    return told


def test_stock_agrees_with_the_documents(erp: Erp) -> None:
    rows = [order(erp, line(n % 5 + 1, str(n * 17 % 900 + 1)), line(n % 7 + 1, "3")) for n in range(30)]
    for n, row in enumerate(rows):
        id = row["id"]
        erp.act("approve", order=id)
        if n % 3 == 0:
            erp.act("ship", order=id, quantities={row["lines"][0]["lineId"]: 1})
        if n % 5 == 0:
            change = {"save": [{"lineId": row["lines"][1]["lineId"], "qty": "9"}]}
            erp.act("amend", order=id, row={"lineChanges": change})
        if n % 7 == 1 and n % 3:
            erp.act("cancel", order=id)
        if n % 7 == 2 and n % 3:
            erp.act("unapprove", order=id)
        if n % 7 == 3:
            erp.act("close", order=id)
    for supply in erp.rows("supplyOrders")[::2]:
        if supply["status"] == "confirmed":
            erp.act("produce", supply=supply["id"], quantity=1)
    erp.act("set_stock", item=1, warehouse=1, quantity="777")
    told = {
        (one["itemId"], one["warehouseId"]): tuple(Decimal(one[name]) for name in ("reserved", "incoming", "available"))
        for one in erp.rows("stockLevels")
    }
    assert told == figures(erp)
    assert any(one[1] for one in told.values())
    level = next(one for one in erp.rows("stockLevels") if (one["itemId"], one["warehouseId"]) == (1, 1))
    assert level["onHand"] == "777.0000"


def test_a_stock_level_shows_when_it_changed(erp: Erp) -> None:
    before = {one["id"]: one["modifiedAt"] for one in erp.rows("stockLevels")}
    erp.clock.advance(3600)
    row = order(erp, line(1, "1"))
    erp.act("approve", order=row["id"])
    moved = [one for one in erp.rows("stockLevels") if one["modifiedAt"] != before[one["id"]]]
    assert [(one["itemId"], one["modifiedAt"]) for one in moved] == [(1, "2026-11-21T09:00:00Z")]


def test_supply_tells_the_line_when_and_how_much(erp: Erp) -> None:
    row = order(erp, line(5, "100000"))
    id = row["id"]
    erp.act("approve", order=id)
    (supply,) = erp.rows("supplyOrders")
    assert supply["supplyType"] == "production" and supply["orderLineId"] == row["lines"][0]["lineId"]

    def told() -> Any:
        held = erp.get("salesOrders", id)
        assert held is not None
        return tuple(held["lines"][0][name] for name in ("supplyState", "supplyDone", "expectedDate"))

    assert told() == ("confirmed", "0.0000", "2026-11-27")
    erp.act("start", supply=supply["id"])
    erp.act("delay", supply=supply["id"], days=5)
    part = next(one for one in erp.rows("boms") if one["itemId"] == 5)["components"][0]
    before = next(one for one in erp.rows("stockLevels") if one["itemId"] == part["itemId"])
    erp.act("produce", supply=supply["id"], quantity="10")
    assert told() == ("running", "10.0000", "2026-12-02")
    after = next(one for one in erp.rows("stockLevels") if one["itemId"] == part["itemId"])
    assert Decimal(before["onHand"]) - Decimal(after["onHand"]) == 10 * Decimal(part["qtyPer"])
    erp.act("produce", supply=supply["id"])
    assert told()[0] == "done" and told()[1] == supply["qty"]
    assert code(lambda: erp.act("produce", supply=supply["id"])) == "WRONG_STATE"


def test_an_amendment_has_a_number_and_a_history(erp: Erp) -> None:
    row = order(erp, line(), line(2))
    id, (first, second) = row["id"], [one["lineId"] for one in row["lines"]]
    erp.act("approve", order=id)
    change = {"save": [{"lineId": first, "qty": "12"}, line(3, "1")], "delete": [second]}
    now = erp.act("amend", order=id, row={"lineChanges": change, "requestedDate": "2026-12-24"}, reason="客户加急")
    assert (now["amendmentNo"], [one["lineNo"] for one in now["lines"]]) == (1, [10, 30])
    assert (now["netAmount"], now["lines"][1]["promisedDate"]) == ("1300.00", "2026-11-24")
    (document,) = erp.rows("orderChanges")
    assert document["reason"] == "客户加急" and document["grossBefore"] == "2260.0000"
    fields = Counter(one["field"] for one in document["lines"])
    assert fields == {"qty": 1, "requestedDate": 1, "line": 2}
    erp.act("amend", order=id, row={"requestedDate": "2026-12-24"})
    assert len(erp.rows("orderChanges")) == 1
    erp.act("ship", order=id, quantities={first: 5})
    erp.act("invoice", order=id, quantities={first: 5})
    for change in (
        {"save": [{"lineId": first, "qty": "4"}]},
        {"save": [{"lineId": first, "itemId": 2}]},
        {"save": [{"lineId": first, "price": "1"}]},
        {"delete": [first]},
    ):
        assert code(lambda change=change: erp.act("amend", order=id, row={"lineChanges": change})) == "POSTED"  # type: ignore[misc]
    assert code(lambda: erp.act("amend", order=id, row={"custId": customer(erp)})) == "READ_ONLY"
    assert len(erp.rows("orderChanges")) == 1


def test_steps_over_http_are_guarded_and_speak_the_manners(sandbox: Sandbox, erp_client: httpx2.Client) -> None:
    row = order(sandbox.erp)
    path = f"/v1/salesOrders/{row['id']}"

    def post(step: str, **body: Any) -> Any:
        answer = erp_client.post(f"{path}/{step}", json=body)
        assert answer.status_code == 200
        return answer.json()

    assert post("submit", rowVersion=9)["error"]["code"] == "STALE"
    assert post("submit", rowVersion=1)["row"]["status"] == "submitted"
    assert post("approve")["row"]["status"] == "approved"
    assert post("approve")["error"]["code"] == "WRONG_STATE"
    assert post("amend", row={"carrier": "DHL"})["error"]["code"] == "REQUIRED"
    assert post("amend", row={"carrier": "DHL"}, reason="x")["row"]["amendmentNo"] == 1
    assert post("amend", row={"fax": "1"}, reason="x")["error"]["code"] == "UNKNOWN_FIELD"
    assert post("cancel", reason="客户取消")["row"]["cancelReason"] == "客户取消"
    act = erp_client.post("/_control/act", json={"act": "close_period", "company": "asia", "name": "2026-11"}).json()
    assert act["row"]["status"] == "closed"
    assert erp_client.post("/_control/act", json={"act": "fly"}).json()["error"]["code"] == "BAD_REQUEST"
    saved = erp_client.post("/v1/invoices/save", json={"rows": [{"companyCode": "asia", "custId": 1}]}).json()
    assert saved["results"][0]["error"]["code"] == "READ_ONLY"
    some = erp_client.get("/v1/salesOrders", params={"company": "europe"}).json()
    assert some["total"] == 0 and erp_client.get("/v1/salesOrders", params={"company": "asia"}).json()["total"] == 1


@pytest.fixture
def erp_client(sandbox: Sandbox) -> Any:
    headers = {"X-Api-Key": sandbox.erp.token}
    with httpx2.Client(base_url=sandbox.erp.url, headers=headers, timeout=5, trust_env=False) as client:
        yield client


def test_a_merged_customer_takes_its_documents_along(erp: Erp) -> None:
    keep, loser = customer(erp), customer(erp)
    row = order(erp, custId=loser)
    erp.act("approve", order=row["id"])
    erp.act("ship", order=row["id"])
    erp.act("invoice", order=row["id"])
    erp.merge("customers", keep, loser)
    for object in ("salesOrders", "shipments", "invoices"):
        (told,) = erp.rows(object)
        assert told["custId"] == keep and told["rowVersion"] > 1
    assert erp.rows("invoices")[0]["status"] == "posted"


def test_documents_are_renumbered_by_a_person_or_by_a_fault(erp: Erp) -> None:
    row = order(erp)
    erp.faults.add("renumber", object="salesOrders", times=1)
    assert erp.act("approve", order=row["id"])["docNo"] == "SO-A-2026-00002"
    assert erp.act("renumber", order=row["id"])["docNo"] == "SO-A-2026-00003"
    assert order(erp)["docNo"] == "SO-A-2026-00004"
