"""Each fault does what its row in docs/sandbox.md says."""

import threading
import time
from typing import Any

import httpx2
import pytest

from datong.sandbox import Refusal, Sandbox


def names(sandbox: Sandbox) -> list[str]:
    return [row["name"] for row in sandbox.crm.rows("accounts")]


@pytest.mark.parametrize(
    ("action", "params", "status", "stored"),
    [
        ("rate_limit", {"seconds": 3}, 429, False),
        ("unavailable", {}, 503, False),
        ("error_before", {}, 500, False),
        ("error_before", {"status": 502}, 502, False),
        ("error_after_commit", {}, 500, True),
    ],
)
def test_refused_calls(
    sandbox: Sandbox, crm: httpx2.Client, action: str, params: dict[str, Any], status: int, stored: bool
) -> None:
    sandbox.crm.faults.add(action, object="accounts", method="POST", times=1, **params)
    assert crm.get("/api/accounts").status_code == 200
    answer = crm.post("/api/accounts", json={"name": "Fault"})
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == (f"{params['seconds']}" if "seconds" in params else None)
    assert ("Fault" in names(sandbox)) is stored
    assert crm.post("/api/accounts", json={"name": "Next"}).status_code == 201


def test_latency(sandbox: Sandbox, crm: httpx2.Client) -> None:
    sandbox.crm.faults.add("latency", seconds=0.2, times=1)
    start = time.monotonic()
    assert crm.get("/api/whoami").status_code == 200
    assert time.monotonic() - start >= 0.2


def test_rate_limit_per_second(sandbox: Sandbox, crm: httpx2.Client) -> None:
    sandbox.crm.faults.add("rate_limit", per_second=3)
    codes = [crm.get("/api/whoami").status_code for _ in range(12)]
    assert codes[0] == 200 and 429 in codes


@pytest.mark.parametrize("after_commit", [False, True])
def test_drop_connection(sandbox: Sandbox, crm: httpx2.Client, after_commit: bool) -> None:
    sandbox.crm.faults.add("drop_connection", method="POST", after_commit=after_commit)
    with pytest.raises(httpx2.TransportError):
        crm.post("/api/accounts", json={"name": "Fault"})
    assert ("Fault" in names(sandbox)) is after_commit


def test_timeout_with_late_commit(sandbox: Sandbox, crm: httpx2.Client) -> None:
    sandbox.crm.faults.add("timeout_late_commit", method="POST", delay=60)
    with pytest.raises(httpx2.TimeoutException):
        crm.post("/api/accounts", json={"name": "Late"}, timeout=0.2)
    assert "Late" not in names(sandbox) and not sandbox.crm.settle(0.05)
    sandbox.clock.advance(61)
    assert sandbox.crm.settle() and "Late" in names(sandbox)
    assert sum(sandbox.crm.stats()["writes"]["accounts"].values()) == 1


def test_timeout_that_closes_at_once(sandbox: Sandbox, erp: httpx2.Client) -> None:
    sandbox.erp.faults.add("timeout_late_commit", path="save$", delay=0.2, hold=0)
    with pytest.raises(httpx2.TransportError):
        erp.post("/v1/customers/save", json={"rows": [{"custName": "Late"}]})
    assert sandbox.erp.settle()
    assert sandbox.erp.rows("customers")[-1]["custName"] == "Late"


def test_answers_that_are_no_json(sandbox: Sandbox, crm: httpx2.Client) -> None:
    sandbox.crm.faults.add("html_200", times=1)
    page = crm.get("/api/accounts")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    sandbox.crm.faults.add("truncated_json", times=1)
    half = crm.get("/api/accounts")
    assert half.status_code == 200
    with pytest.raises(ValueError, match=r".*"):
        half.json()


def test_stale_read_and_search_lag(sandbox: Sandbox, crm: httpx2.Client) -> None:
    row = sandbox.crm.create("accounts", {"name": "Before"})
    sandbox.clock.advance(60)
    sandbox.crm.edit("accounts", row["id"], {"name": "After"})
    fresh = sandbox.crm.create("accounts", {"name": "Fresh"})
    search = {"field": "name", "value": "Fresh"}
    sandbox.crm.faults.add("search_lag", seconds=30)
    assert crm.get("/api/accounts/search", params=search).json()["items"] == []
    assert crm.get(f"/api/accounts/{row['id']}").json()["name"] == "After"
    sandbox.crm.faults.add("stale_read", object="accounts", seconds=30)
    assert crm.get(f"/api/accounts/{row['id']}").json() == row
    assert crm.get(f"/api/accounts/{fresh['id']}").status_code == 404
    assert fresh["id"] not in crm.get("/api/accounts/ids").json()["ids"]
    listed = crm.get("/api/accounts", params={"updated_since": row["updated_at"]}).json()["items"]
    assert listed == [row]
    sandbox.clock.advance(30)
    assert crm.get(f"/api/accounts/{row['id']}").json()["name"] == "After"
    assert crm.get("/api/accounts/search", params=search).json()["items"] == [fresh]


def test_late_row_appears_behind_the_cursor(sandbox: Sandbox, crm: httpx2.Client) -> None:
    first = sandbox.crm.create("accounts", {"name": "First"})
    sandbox.crm.faults.add("late_row", seconds=60, times=1)
    late = sandbox.crm.create("accounts", {"name": "Late"})
    assert late["updated_at"] < first["updated_at"]
    seen = crm.get("/api/accounts", params={"updated_since": first["updated_at"]}).json()["items"]
    assert [row["id"] for row in seen] == [first["id"]]


def test_hidden_fields_are_absent_everywhere(sandbox: Sandbox, crm: httpx2.Client) -> None:
    assert "phone" in crm.get("/api/accounts").json()["items"][0]
    sandbox.crm.faults.add("hide_field", object="accounts", field="phone")
    sandbox.crm.faults.add("hide_field", object="accounts", field="addresses.street", schema=True)
    row = crm.get("/api/accounts").json()["items"][0]
    assert "phone" not in row and "street" not in row["addresses"][0] and "city" in row["addresses"][0]
    assert "phone" not in crm.post("/api/accounts", json={"name": "x", "phone": "1"}).json()
    fields = {one["name"]: one for one in crm.get("/api/schema").json()["objects"]["accounts"]["fields"]}
    assert "phone" in fields
    assert "street" not in [one["name"] for one in fields["addresses"]["fields"]]
    sandbox.crm.faults.clear()
    assert "phone" in crm.get("/api/accounts").json()["items"][0]


@pytest.mark.parametrize(
    ("action", "params", "sent", "stored"),
    [
        ("normalise", {"field": "name", "how": "upper"}, {"name": "abc"}, {"name": "ABC"}),
        ("normalise", {"field": "phone", "how": "phone"}, {"phone": "(021) 5-5 #1"}, {"phone": "021551"}),
        ("normalise", {"field": "addresses.city", "how": "strip"}, {"addresses": [{"city": " x "}]}, {}),
        ("round", {"field": "custom.score"}, {"custom": {"score": "1.005"}}, {}),
        ("truncate", {"field": "name"}, {"name": "x" * 200}, {"name": "x" * 120}),
        ("truncate", {"field": "name", "length": 3}, {"name": "abcdef"}, {"name": "abc"}),
        ("drop_field", {"field": "phone"}, {"phone": "1"}, {"phone": None}),
    ],
)
def test_values_are_changed_on_the_way_in(
    sandbox: Sandbox,
    crm: httpx2.Client,
    action: str,
    params: dict[str, Any],
    sent: dict[str, Any],
    stored: dict[str, Any],
) -> None:
    sandbox.crm.faults.add(action, object="accounts", **params)
    answer = crm.post("/api/accounts", json={"name": "x", **sent})
    assert answer.status_code == 201
    row = answer.json()
    assert {name: row[name] for name in stored} == stored
    if action == "round":
        assert row["custom"]["score"] == "1.01"
    if params.get("how") == "strip":
        assert row["addresses"][0]["city"] == "x"


def test_refuse(sandbox: Sandbox, erp: httpx2.Client, crm: httpx2.Client) -> None:
    sandbox.erp.faults.add("refuse", object="customers", field="taxNo", pattern="^9", message="税号重复")
    rows = [{"custName": "a", "taxNo": "91"}, {"custName": "b", "taxNo": "81"}]
    results = erp.post("/v1/customers/save", json={"rows": rows}).json()["results"]
    assert results[0]["error"] == {"code": "REFUSED", "message": "taxNo: 税号重复", "field": "taxNo"}
    assert results[1]["ok"]
    with pytest.raises(Refusal, match="税号重复"):
        sandbox.erp.create("customers", {"custName": "c", "taxNo": "92"})


def test_a_rule_bound_to_calls_leaves_people_alone(sandbox: Sandbox, crm: httpx2.Client) -> None:
    sandbox.crm.faults.add("drop_field", method="POST", field="phone")
    assert sandbox.crm.create("accounts", {"name": "x", "phone": "1"})["phone"] == "1"
    assert crm.post("/api/accounts", json={"name": "x", "phone": "1"}).json()["phone"] is None


def test_probability_is_seeded(sandbox: Sandbox, crm: httpx2.Client) -> None:
    def codes() -> list[int]:
        sandbox.crm.faults.clear()
        sandbox.crm.faults.add("unavailable", probability=0.5)
        return [crm.get("/api/whoami").status_code for _ in range(20)]

    first = codes()
    assert set(first) == {200, 503} and codes() == first


def test_control_over_http(sandbox: Sandbox, crm: httpx2.Client) -> None:
    rule = {"action": "unavailable", "object": "accounts", "times": 1, "params": {"seconds": 2}}
    made = crm.post("/_control/faults", json=rule)
    assert made.status_code == 201
    assert crm.get("/api/accounts").headers["Retry-After"] == "2"
    assert crm.get("/_control/faults").json()["items"][0]["fired"] == 1
    assert crm.delete("/_control/faults", params={"id": made.json()["id"]}).json() == {"items": []}
    for wrong in (
        {"action": "explode"},
        {"action": "unavailable", "seconds": 2},
        {"action": "drop_field"},
        {"action": "latency", "times": "3"},
    ):
        assert crm.post("/_control/faults", json=wrong).status_code == 400
    assert crm.post("/_control/clock", json={"advance": 3600}).json()["offset"] == 3600
    assert crm.post("/_control/clock", json={"reset": True}).json()["offset"] == 0
    crm.post("/api/accounts", json={"name": "x"})
    assert crm.get("/_control/stats").json()["requests"]["POST accounts"] == 1
    state = crm.get("/_control/state").json()
    assert state["objects"]["accounts"][-1]["name"] == "x"
    crm.post("/_control/reset")
    fresh = crm.get("/_control/state").json()
    assert fresh["objects"]["accounts"] == state["objects"]["accounts"][:-1] and fresh["stats"]["requests"] == {}


def test_other_sites_cannot_steer_it(sandbox: Sandbox, crm: httpx2.Client) -> None:
    evil = {"Origin": "https://evil.example"}
    assert crm.post("/_control/reset", headers=evil).status_code == 403
    assert crm.post("/ui/accounts/new", headers=evil).status_code == 403
    assert crm.get("/_control/stats", headers={"Origin": sandbox.crm.url}).status_code == 200


def test_out_of_reach_and_back(sandbox: Sandbox, crm: httpx2.Client) -> None:
    row = sandbox.crm.create("accounts", {"name": "x"})
    sandbox.crm.down()
    with pytest.raises(httpx2.ConnectError):
        crm.get("/api/accounts")
    sandbox.crm.edit("accounts", row["id"], {"phone": "1"})
    sandbox.crm.up()
    assert crm.get(f"/api/accounts/{row['id']}").json()["phone"] == "1"
    sandbox.crm.down(closed=False)
    assert crm.get("/api/accounts").status_code == 503
    sandbox.crm.up()
    assert crm.get("/api/accounts").status_code == 200


def test_stopping_does_not_wait_for_a_held_call() -> None:
    with Sandbox(seed=1, size=3) as sandbox:
        sandbox.crm.faults.add("timeout_late_commit", delay=600)
        address, headers = f"{sandbox.crm.url}/api/whoami", {"Authorization": f"Bearer {sandbox.crm.token}"}

        def call() -> None:
            with pytest.raises(httpx2.TransportError):
                httpx2.get(address, headers=headers, timeout=30, trust_env=False)

        thread = threading.Thread(target=call)
        thread.start()
        time.sleep(0.2)
        start = time.monotonic()
    thread.join(5)
    assert not thread.is_alive() and time.monotonic() - start < 4
