"""The API: who may what, what is told, and that an act does what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from datong.operations import Actor
from datong.operations.access import Access
from datong.web.service import Service

from .stage import Stage, until

PEOPLE = {"li.na": ("admin",), "wang.wei": ("operator",), "zhao.min": ("viewer",)}
ADMIN = Actor("li.na", ("admin",))


class Client:
    """Calls the API with a token of a person."""

    def __init__(self, service: Service, access: Access, person: str, role: str | None = None) -> None:
        made = access.make_token(ADMIN, person, "test", role or PEOPLE[person][0], 1)
        headers = {"Authorization": f"Bearer {made['token']}"}
        self._http = httpx2.Client(base_url=service.url + "/api/v1", headers=headers, trust_env=False, timeout=60)

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        answer = self._http.get(path, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self._http.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def service(stage: Stage) -> Iterator[Service]:
    stage.employ(PEOPLE)
    with stage.service() as service:
        yield service


@pytest.fixture
def access(service: Service) -> Access:
    return service.access


def test_nobody_is_told_nothing(service: Service, access: Access) -> None:
    http = httpx2.Client(base_url=service.url + "/api/v1", trust_env=False)
    paths = http.get("/openapi.json").json()["paths"]
    assert len(paths) > 20
    strangers = ({}, {"Authorization": "Bearer dt_wrong"}, {"Cookie": "datong_session=wrong", "X-Datong": "1"})
    for path, methods in paths.items():
        for method in methods:
            at = path.replace("{item}", "1").replace("{record}", "1").replace("{what}", "pause")
            for headers in strangers:
                answer = http.request(method, at, headers=headers, json={})
                assert answer.status_code == 401, (method, path, answer.text)


def test_roles_hold_under_the_page(service: Service, access: Access) -> None:
    viewer, operator = Client(service, access, "zhao.min"), Client(service, access, "wang.wei")
    assert viewer.get("/me") == {"name": "zhao.min", "roles": ["viewer"]}
    refused = viewer.post("/sync", {}, 403)
    assert "zhao.min may not sync" in refused["error"] and "administrator" in refused["remedy"]
    viewer.post("/items/1/retry", status=403)
    viewer.post("/connections/crm/account/1/pause", status=403)
    operator.post("/plans/none/apply", {"accept_mass": True}, 403)
    weak = Client(service, access, "li.na", "viewer")
    assert weak.get("/me")["roles"] == ["viewer"], "a token may no more than its role"
    weak.post("/sync", {}, 403)


def test_a_customer_from_the_list_to_the_act(service: Service, access: Access, stage: Stage) -> None:
    operator = Client(service, access, "wang.wei")
    native = stage.customer("上海打通贸易有限公司", short_name="打通")
    until(lambda: stage.in_erp("上海打通贸易有限公司"), "the customer in the ERP")
    (row,) = until(lambda: operator.get("/records", text="打通贸易")["items"], "found by a part of the name")
    assert row["in"]["crm"] == native and row["kind"] == "account"
    assert operator.get("/records", text="打通贸易 上海", kind="account")["items"] == [row]
    assert operator.get("/records", text="打通% _")["items"] == [], "what is typed is no pattern"
    told = operator.get(f"/records/{row['id']}")
    assert told["fields"]["name"]["agreed"] == "上海打通贸易有限公司"
    assert told == operator.get(f"/connections/crm/account/{native}")
    assert operator.post(f"/connections/crm/account/{native}/pause")["state"] == "paused"
    assert operator.get("/records", text="打通贸易")["items"][0]["hold"] == "paused"
    operator.post(f"/connections/crm/account/{native}/release")
    entries = operator.get("/journal", limit=500)["items"]
    assert ["wang.wei", "paused"] in [[e["actor"], e["event"]] for e in entries]
    assert operator.get("/records/999999", 404)["remedy"]


def test_the_overview_counts_what_is_there(service: Service, access: Access, stage: Stage) -> None:
    viewer = Client(service, access, "zhao.min")
    for n in range(3):
        stage.customer(f"客户 {n}")
    until(lambda: all(stage.in_erp(f"客户 {n}") for n in range(3)), "all in the ERP")
    until(lambda: viewer.get("/overview")["agreement"] == 100.0, "in agreement")
    told = viewer.get("/overview")
    flow = next(f for f in told["flows"] if f["name"] == "customer_master")
    assert (flow["records"], flow["out"]) == (3, 0)
    assert told["written"]["created"] >= 3
    assert {c["name"]: c["state"] for c in told["connections"]} == {"crm": "well", "erp": "well"}
    stage.erp.faults.add("unavailable", method="POST")
    stage.customer("落单客户")
    until(lambda: viewer.get("/overview")["agreement"] < 100, "no agreement while the ERP takes nothing")


def test_plan_and_apply(service: Service, access: Access, stage: Stage) -> None:
    operator = Client(service, access, "wang.wei")
    totals = operator.post("/plans", {"flows": ["customer_master"]}, 201)
    assert operator.get("/plans")[0]["id"] == totals["id"] and operator.get("/plans")[0]["author"] == "wang.wei"
    assert operator.get(f"/plans/{totals['id']}")["state"] == "open"
    operator.get("/plans/none", 404)
    assert operator.get(f"/plans/{totals['id']}/changes")["items"] == []
    assert operator.post(f"/plans/{totals['id']}/apply")["failed"] == 0
    assert operator.post("/plans", {"flows": ["nonsense"]}, 404)["remedy"]
    operator.post("/plans", {"flow": "customer_master"}, 422)
    assert operator.post("/sync", {})["failed"] == 0


def test_pages_of_a_list(service: Service, access: Access, stage: Stage) -> None:
    viewer = Client(service, access, "zhao.min")
    for n in range(5):
        stage.customer(f"分页 {n}")
    until(lambda: len(viewer.get("/records", text="分页")["items"]) == 5, "all known")
    names, after = [], 0
    while after is not None:
        page = viewer.get("/records", text="分页", after=after, limit=2)
        names += [row["name"] for row in page["items"]]
        after = page["next"]
    assert names == [f"分页 {n}" for n in range(5)]
    viewer.get("/records", 422, limit=0)
    assert "time zone" in viewer.get("/journal", 400, since="2026-11-21T08:00:00")["error"]


def test_a_run_is_taken_back_and_both_sides_are_compared(service: Service, access: Access, stage: Stage) -> None:
    operator, viewer = Client(service, access, "wang.wei"), Client(service, access, "zhao.min")
    native = stage.customer("撤销贸易有限公司", phone="+86 21 5555 0100")
    row = until(lambda: stage.in_erp("撤销贸易有限公司"), "the customer in the ERP")
    stage.crm.edit("accounts", native, {"phone": "+86 21 5555 0999"})
    until(lambda: "0999" in str(stage.erp.get("customers", row["id"])["tel"]), "the phone in the ERP")
    operator.post("/sync", {})
    changed = next(run for run in viewer.get("/runs") if run["totals"].get("updated"))
    viewer.post(f"/runs/{changed['name']}/undo", {}, 403)
    plan = operator.post(f"/runs/{changed['name']}/undo", {"hold": True}, 201)
    assert any(step["field"] == "phone" for step in operator.get(f"/plans/{plan['id']}/steps")["items"])
    operator.post(f"/plans/{plan['id']}/apply")
    until(lambda: "0100" in str(stage.erp.get("customers", row["id"])["tel"]), "the old phone in the ERP again")
    assert "0100" in str((stage.in_crm(native) or {})["phone"])
    report = operator.post("/reconcile", {}, 201)
    assert viewer.get("/reports")[0]["id"] == report["id"]
    assert viewer.get(f"/reports/{report['id']}")["signature"] == report["signature"]
