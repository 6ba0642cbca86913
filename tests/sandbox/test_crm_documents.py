"""SimCRM's documents: sums, versions of quotes, lines, and what becomes of them with their customer."""

from typing import Any

import httpx2
import pytest

from datong.sandbox import Refusal, Sandbox

DOCUMENTS = [
    "opportunities",
    "quotes",
    "orders",
    "contracts",
    "invoice_requests",
    "shipments",
    "invoices",
    "payments",
    "price_lists",
    "prices",
    "stock_levels",
    "supply_orders",
    "exchange_rates",
]


@pytest.fixture
def account(sandbox: Sandbox) -> str:
    return str(sandbox.crm.create("accounts", {"name": "深圳市大同科技有限公司"})["id"])


def quote(sandbox: Sandbox, account: str, *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    given = {"account_id": account, "currency": "CNY", **values}
    return sandbox.crm.create("quotes", {**given, "lines": list(lines)})


def line(**values: Any) -> dict[str, Any]:
    return {"quantity": "3", "price": "33.33", "tax_code": "VAT13", **values}


@pytest.mark.parametrize(
    ("document", "changed", "expected"),
    [
        ({}, {}, ("99.99", "13", "112.99")),
        ({"tax_included": True}, {}, ("88.49", "11.5", "99.99")),
        ({}, {"discount": "12.5"}, ("87.49", "11.37", "98.86")),
        ({}, {"tax_code": None}, ("99.99", "0", "99.99")),
        ({}, {"tax_code": None, "tax_rate": "0.06"}, ("99.99", "6", "105.99")),
        ({}, {"free_reason": "gift"}, ("0", "0", "0")),
        ({"currency": "USD"}, {"quantity": "0.1", "price": "0.3"}, ("0.03", "0", "0.03")),
    ],
)
def test_amounts_that_nobody_sent_are_worked_out(
    sandbox: Sandbox, account: str, document: dict[str, Any], changed: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    made = quote(sandbox, account, line(**changed), **document)
    (told,) = made["lines"]
    assert (told["net"], told["tax"], told["total"]) == (made["net"], made["tax"], made["total"]) == expected


def test_yen_have_no_cents_and_dinars_have_three(sandbox: Sandbox, account: str) -> None:
    for code in ("JPY", "KWD"):
        sandbox.crm.create("currencies", {"code": code, "name": code})
    cents = {"tax_code": None, "quantity": "3", "price": "0.1005"}
    assert quote(sandbox, account, cents, currency="JPY")["total"] == "0"
    assert quote(sandbox, account, cents, currency="KWD")["total"] == "0.302"
    assert quote(sandbox, account, *[{"quantity": "1", "price": "0.1"}] * 3)["total"] == "0.3"


def test_what_is_sent_is_kept_right_or_wrong(sandbox: Sandbox, account: str) -> None:
    wrong = line(net="100", tax="13", total="113.01")
    made = quote(sandbox, account, wrong, total="99")
    assert made["lines"][0]["total"] == "113.01"
    assert (made["net"], made["total"]) == (None, "99")


def test_a_changed_line_is_added_up_again_and_the_others_stay(sandbox: Sandbox, account: str) -> None:
    made = quote(sandbox, account, line(), line(net="1", tax="0", total="1"))
    first, second = (one["id"] for one in made["lines"])
    changed = sandbox.crm.edit("quotes", made["id"], {"lines_changes": {"update": [{"id": first, "quantity": "6"}]}})
    assert [one["total"] for one in changed["lines"]] == ["225.98", "1"]
    assert changed["total"] == "226.98"
    shorter = sandbox.crm.edit("quotes", made["id"], {"lines_changes": {"delete": [second]}})
    assert shorter["total"] == "225.98"
    dearer = sandbox.crm.edit("quotes", made["id"], {"tax_included": True})
    assert (dearer["net"], dearer["total"]) == ("176.97", "199.98")


def test_an_opportunity_has_the_total_of_its_lines(sandbox: Sandbox, account: str) -> None:
    values = {"name": "年度采购", "account_id": account, "currency": "CNY"}
    assert sandbox.crm.create("opportunities", {**values, "lines": [line(), line()]})["amount"] == "225.98"
    assert sandbox.crm.create("opportunities", {**values, "amount": "500", "lines": [line()]})["amount"] == "500"


def test_a_quote_that_was_sent_and_changed_is_a_new_version(sandbox: Sandbox, account: str) -> None:
    made = quote(sandbox, account, line())
    key, item = made["id"], made["lines"][0]["id"]

    def after(**changes: Any) -> tuple[int, str]:
        told = sandbox.crm.edit("quotes", key, changes)
        return told["revision"], told["state"]

    assert after(carrier="顺丰速运") == (1, "draft")
    assert after(state="sent") == (1, "sent")
    assert after(carrier="德邦物流") == (2, "draft")
    assert after(state="accepted") == (2, "accepted")
    told = {"id": item, "cost": "20", "available": "5", "available_as_of": "2026-11-22T08:00:00Z", "short": "0"}
    assert after(order_number="SO-1", order_status="confirmed", rate="7.1", lines_changes={"update": [told]}) == (
        2,
        "accepted",
    )
    assert after(lines_changes={"update": [{"id": item, "quantity": "4"}]}) == (3, "draft")
    with pytest.raises(Refusal, match="given by the system"):
        after(revision=9)


def test_numbers_are_given_once(sandbox: Sandbox, account: str) -> None:
    made = quote(sandbox, account, line(), date="2026-11-22")
    assert made["number"] == f"Q-2026-{made['id'].removeprefix('QT-')}"
    assert sandbox.crm.edit("quotes", made["id"], {"date": "2027-01-02"})["number"] == made["number"]
    with pytest.raises(Refusal):
        sandbox.crm.edit("quotes", made["id"], {"number": "Q-1"})
    assert sandbox.crm.create("shipments", {"number": "SH-1"})["number"] == "SH-1"


def test_a_new_order_is_a_draft_unless_it_comes_from_the_books(sandbox: Sandbox, account: str) -> None:
    assert sandbox.crm.create("orders", {"account_id": account})["wish"] == "draft"
    assert sandbox.crm.create("orders", {"account_id": account, "wish": "released"})["wish"] == "released"
    assert sandbox.crm.create("orders", {"account_id": account, "erp_number": "SO-1"})["wish"] is None


def test_bad_documents_are_refused_whole(sandbox: Sandbox, crm: httpx2.Client) -> None:
    bad = {
        "date": "22.11.2026",
        "state": "lost",
        "total": "1.2345",
        "lines": [{"product_id": "P-999999", "available_as_of": "2026-11-22T08:00:00", "quantity": "many"}],
    }
    before = len(sandbox.crm.rows("quotes"))
    answer = crm.post("/api/quotes", json=bad)
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {
        "date",
        "state",
        "total",
        "lines[0].product_id",
        "lines[0].available_as_of",
        "lines[0].quantity",
    }
    assert len(sandbox.crm.rows("quotes")) == before


def test_every_document_lists_pages_and_is_made_once(sandbox: Sandbox, crm: httpx2.Client) -> None:
    for name in DOCUMENTS:
        for n in range(7):
            body = {"name": "名称", "code": f"C-{n}", "external_key": f"{name}-{n}"}
            assert crm.post(f"/api/{name}", json=body).status_code == 201
        again = crm.post(f"/api/{name}", json={"name": "名称", "code": "C-9", "external_key": f"{name}-3"})
        assert (again.status_code, again.json()["error"]) == (409, "duplicate external_key")
        found, cursor = [], ""
        while cursor is not None:
            page = crm.get(f"/api/{name}", params={"limit": 3, "cursor": cursor}).json()
            found += page["items"]
            cursor = page["next"]
        assert sorted(one["id"] for one in found) == [one["id"] for one in sandbox.crm.rows(name)]
        assert found == sorted(found, key=lambda one: (one["updated_at"], one["id"]))
        one = crm.get(f"/api/{name}/search", params={"field": "external_key", "value": f"{name}-5"}).json()["items"]
        assert [row["external_key"] for row in one] == [f"{name}-5"]


def test_documents_move_with_a_merged_customer_and_stay_without_a_deleted_one(sandbox: Sandbox, account: str) -> None:
    keep = sandbox.crm.create("accounts", {"name": "保留"})["id"]
    made = quote(sandbox, account, line(), end_customer_id=account)
    sandbox.crm.edit("quotes", made["id"], {"state": "accepted"})
    sandbox.crm.create("prices", {"account_id": account, "price": "1"})
    general = sandbox.crm.create("prices", {"price": "2"})["id"]
    sandbox.crm.merge("accounts", keep, account)
    moved = sandbox.crm.get("quotes", made["id"])
    assert moved is not None
    assert (moved["account_id"], moved["end_customer_id"], moved["state"], moved["revision"]) == (
        keep,
        keep,
        "accepted",
        1,
    )
    sandbox.crm.delete("accounts", keep)
    left = sandbox.crm.get("quotes", made["id"])
    assert left is not None and (left["account_id"], left["state"]) == (None, "accepted")
    assert [one["id"] for one in sandbox.crm.rows("prices")] == [general]


def test_every_list_of_lines_is_changed_line_by_line(sandbox: Sandbox) -> None:
    for name, spec in sandbox.crm.specs.items():
        for one in (one for one in spec.fields if one.type == "lines"):
            row = sandbox.crm.create(
                name, {**dict.fromkeys(("name", "subject", "title"), "x"), "code": f"x-{one.name}", one.name: [{}, {}]}
            )
            first, second = (item["id"] for item in row[one.name])
            changes = {f"{one.name}_changes": {"delete": [first], "create": [{}]}}
            after = [item["id"] for item in sandbox.crm.edit(name, row["id"], changes)[one.name]]
            assert after[0] == second and len(after) == 2 and first not in after
            with pytest.raises(Refusal, match=f"{one.name}_changes"):
                sandbox.crm.edit(name, row["id"], {f"{one.name}_changes": {"update": [{"id": first}]}})


def test_the_page_of_a_document_shows_lines_and_state(sandbox: Sandbox, account: str) -> None:
    made = quote(sandbox, account, line(description="六角螺栓 <M8>"), state="sent")
    shown = httpx2.get(f"{sandbox.crm.url}/ui/quotes/{made['id']}", trust_env=False).text
    for word in ("报价单", made["number"], "六角螺栓 &lt;M8&gt;", "112.99", "<option selected>sent", "明细"):
        assert word in shown
    listed = httpx2.get(f"{sandbox.crm.url}/ui/quotes", trust_env=False).text
    assert "深圳市大同科技有限公司" in listed and "报价单" in listed


def test_a_quote_keeps_the_rate_of_its_day(sandbox: Sandbox, account: str) -> None:
    for day, rate in (("2026-01-01", "7.2"), ("2026-10-01", "7.1"), ("2026-12-01", "7.0")):
        rates = {"currency": "USD", "into_currency": "CNY", "date": day, "rate": rate}
        sandbox.crm.create("exchange_rates", rates)
    dated = {"company": "asia", "date": "2026-11-22"}
    made = quote(sandbox, account, line(), currency="USD", **dated)
    assert (made["rate"], made["rate_date"]) == ("7.1", "2026-10-01")
    own = sandbox.crm.edit("quotes", made["id"], {"currency": "CNY"})
    assert (own["rate"], own["rate_date"]) == ("1", "2026-11-22")
    unknown = sandbox.crm.edit("quotes", made["id"], {"currency": "EUR"})
    assert (unknown["rate"], unknown["rate_date"]) == (None, None)
    given = quote(sandbox, account, line(), currency="USD", rate="6.9", **dated)
    assert (given["rate"], given["rate_date"]) == ("6.9", None)


def test_a_person_writes_and_accepts_a_quote_on_the_page(sandbox: Sandbox, account: str) -> None:
    with httpx2.Client(base_url=sandbox.crm.url, trust_env=False) as browser:
        form = {"account_id": account, "currency": "CNY", "lines.new.quantity": "3", "lines.new.price": "33.33"}
        address = browser.post("/ui/quotes/new", data={**form, "revision": "1"}).headers["location"]
        made = sandbox.crm.rows("quotes")[-1]
        assert (made["account_id"], made["state"], made["total"]) == (account, "draft", "99.99")
        for version, state in ((1, "sent"), (2, "accepted")):
            assert browser.post(address, data={"_version": str(version), "state": state}).status_code == 303
        changed = {"_version": "3", f"lines.{made['lines'][0]['id']}.quantity": "4"}
        assert browser.post(address, data=changed).status_code == 303
        again = sandbox.crm.rows("quotes")[-1]
        assert (again["state"], again["revision"], again["total"]) == ("draft", 2, "133.32")
