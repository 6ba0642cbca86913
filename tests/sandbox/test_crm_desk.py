"""The salesperson of SimCRM: what a screen would allow, and nothing else."""

from typing import Any

import httpx2
import pytest

from datong.sandbox import Refusal, Sandbox

LINES = [{"sku": "SKU-00001", "quantity": "3", "discount": "5"}, {"sku": "SKU-00002", "quantity": "2"}]


@pytest.fixture
def account(sandbox: Sandbox) -> str:
    values = {"name": "深圳市大同科技有限公司", "tax_id": "91350100M000100Y43 ", "owner_id": "U-000002"}
    return str(sandbox.crm.create("accounts", values)["id"])


def test_a_quote_from_draft_to_a_double_click(sandbox: Sandbox, account: str) -> None:
    desk = sandbox.crm.desk
    made = desk.make_quote(account, LINES, tax_included=True, packing="木箱")
    assert [(one["position"], one["description"], one["price"], one["tax_rate"]) for one in made["lines"]] == [
        (10, "六角螺栓 M8", "0.85", "0.13"),
        (20, "不锈钢螺母 M8", "0.4275", "0.13"),
    ]
    assert (made["state"], made["owner_id"], made["total"]) == ("draft", "U-000002", "3.28")
    with pytest.raises(Refusal, match="is draft, not sent"):
        desk.accept_quote(made["id"])
    sent = desk.send_quote(made["id"])
    twice = desk.accept_quote(made["id"], clicks=2)
    assert (twice["state"], twice["version"], twice["revision"]) == ("accepted", sent["version"] + 2, 1)
    with pytest.raises(Refusal):
        desk.reject_quote(made["id"])


def test_a_quote_is_changed_after_it_was_accepted_and_then_taken_in_part(sandbox: Sandbox, account: str) -> None:
    desk = sandbox.crm.desk
    made = desk.make_quote(account, LINES)
    first, second = (one["id"] for one in made["lines"])
    desk.send_quote(made["id"])
    desk.accept_quote(made["id"])
    again = desk.change_quote(made["id"], lines={first: {"quantity": "9"}, second: None}, more=LINES[:1], carrier="DHL")
    assert (again["state"], again["revision"], again["carrier"]) == ("draft", 2, "DHL")
    assert [(one["position"], one["quantity"]) for one in again["lines"]] == [(10, "9"), (30, "3")]
    desk.send_quote(made["id"])
    taken = desk.part_accept_quote(made["id"], {first: 4})
    assert taken["state"] == "part_accepted" and taken["revision"] == 2
    assert [one["accepted_quantity"] for one in taken["lines"]] == ["4", "0"]
    with pytest.raises(Refusal, match="no such line"):
        desk.part_accept_quote(made["id"], {"QL-999999": 1})
    assert desk.cancel_quote(made["id"])["state"] == "cancelled"


def test_only_what_was_sent_expires(sandbox: Sandbox, account: str) -> None:
    desk = sandbox.crm.desk
    yesterday, today = "2020-01-01", sandbox.clock.now().date().isoformat()
    for key in [one["id"] for one in sandbox.crm.rows("quotes")]:
        sandbox.crm.delete("quotes", key)
    late, draft, fresh = (desk.make_quote(account, LINES, valid_to=day)["id"] for day in (yesterday, yesterday, today))
    desk.send_quote(late)
    desk.send_quote(fresh)
    assert [one["id"] for one in desk.expire_quotes()] == [late]
    states = {one["id"]: one["state"] for one in sandbox.crm.rows("quotes")}
    assert states == {late: "expired", draft: "draft", fresh: "sent"}


def test_an_order_is_released_changed_and_cancelled(sandbox: Sandbox, account: str) -> None:
    desk = sandbox.crm.desk
    made = desk.make_order(account, LINES, currency="EUR", customer_reference="PO-778")
    assert [one["price"] for one in made["lines"]] == [None, None]  # list prices are in CNY
    assert desk.release_order(made["id"], clicks=2)["wish"] == "released"
    first = made["lines"][0]["id"]
    changed = desk.change_order(made["id"], lines={first: {"price": "2", "quantity": "5"}})
    assert (changed["wish"], changed["lines"][0]["net"]) == ("released", "9.5")
    assert desk.cancel_order(made["id"])["wish"] == "cancelled"
    with pytest.raises(Refusal, match="the order is cancelled"):
        desk.release_order(made["id"])


def test_an_opportunity_is_won_once_and_for_all(sandbox: Sandbox, account: str) -> None:
    desk = sandbox.crm.desk
    made = desk.make_opportunity(account, LINES)
    assert (made["name"], made["stage"], made["amount"]) == ("深圳市大同科技有限公司 采购", "open", "3.7")
    assert desk.win(made["id"])["stage"] == "won"
    with pytest.raises(Refusal, match="closed already"):
        desk.lose(made["id"])


def test_a_contract_is_signed_invoiced_and_paid_by_a_claimed_receipt(sandbox: Sandbox, account: str) -> None:
    desk = sandbox.crm.desk
    plan: list[dict[str, Any]] = [
        {"name": "预付款", "percent": "30", "before_shipment": True},
        {"name": "质保金", "percent": "10"},
    ]
    made = desk.make_contract(account, LINES, plan, spoken_terms="30/60/10 %")
    first = made["instalments"][0]["id"]
    assert desk.sign_contract(made["id"])["state"] == "signed"
    asked = desk.ask_for_invoice("1.11", contract=made["id"], instalment=first)
    assert (asked["state"], asked["account_id"], asked["instalment"]) == ("requested", account, first)
    assert (asked["title"], asked["tax_id"], asked["fapiao_kind"]) == (
        "深圳市大同科技有限公司",
        "91350100M000100Y43",
        "special",
    )
    receipt = sandbox.crm.create("payments", {"number": "RC-1", "amount": "1.11", "unallocated": "1.11"})["id"]
    claimed = desk.claim_receipt(receipt, account, by="U-000003", contract=made["id"], instalment=first)
    (share,) = claimed["allocations"]
    assert (claimed["account_id"], claimed["claimed_by_id"], claimed["unallocated"]) == (account, "U-000003", "0")
    assert (share["contract_id"], share["instalment"], share["amount"]) == (made["id"], first, "1.11")
    other = sandbox.crm.create("accounts", {"name": "别人"})["id"]
    with pytest.raises(Refusal, match="belongs to"):
        desk.claim_receipt(receipt, other)


def test_the_desk_over_http_counts_as_edits_of_people(sandbox: Sandbox, account: str) -> None:
    def act(name: str, **arguments: Any) -> httpx2.Response:
        return httpx2.post(f"{sandbox.crm.url}/_control/desk/{name}", json=arguments, trust_env=False)

    made = act("make_quote", account=account, lines=LINES, currency="CNY").json()
    assert act("send_quote", quote=made["id"]).json()["state"] == "sent"
    assert sandbox.crm.stats()["edits"]["quotes"][made["id"]] == 2
    assert "quotes" not in sandbox.crm.stats()["writes"]
    for name, arguments in (
        ("send_quote", {"quote": made["id"]}),
        ("send_quote", {"what": 1}),
        ("_make", {}),
        ("make_quote", {"account": account, "lines": [{"sku": "none"}]}),
    ):
        assert act(name, **arguments).status_code in (400, 404), name
