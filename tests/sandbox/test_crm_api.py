"""SimCRM keeps the manners its page promises."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from datong.sandbox import Sandbox


def everything(crm: httpx2.Client, path: str, name: str = "items", **query: Any) -> list[Any]:
    found, cursor = [], ""
    while cursor is not None:
        page = crm.get(path, params={**query, "cursor": cursor}).json()
        found += page[name]
        cursor = page["next"]
    return found


def test_pages_cover_every_row_once_in_change_order(sandbox: Sandbox, crm: httpx2.Client) -> None:
    rows = everything(crm, "/api/accounts", limit=7)
    assert sorted(row["id"] for row in rows) == [row["id"] for row in sandbox.crm.rows("accounts")]
    assert [(row["updated_at"], row["id"]) for row in rows] == sorted((row["updated_at"], row["id"]) for row in rows)


def test_updated_since_is_inclusive(crm: httpx2.Client) -> None:
    rows = everything(crm, "/api/accounts")
    later = everything(crm, "/api/accounts", updated_since=rows[10]["updated_at"])
    assert later == rows[10:]


def test_a_change_while_paging_shows_up_again_at_the_end(sandbox: Sandbox, crm: httpx2.Client) -> None:
    first = crm.get("/api/accounts", params={"limit": 5}).json()
    sandbox.crm.edit("accounts", first["items"][0]["id"], {"phone": "1"})
    rest = everything(crm, "/api/accounts", cursor=first["next"])
    tail = crm.get("/api/accounts", params={"cursor": first["next"], "limit": 500}).json()["items"]
    assert tail[-1]["id"] == first["items"][0]["id"] and tail[-1]["phone"] == "1"
    assert rest


def test_inactive_rows_are_listed_only_when_asked_for(crm: httpx2.Client) -> None:
    active = everything(crm, "/api/users")
    every = everything(crm, "/api/users", include_inactive="true")
    assert {row["name"] for row in every} - {row["name"] for row in active} == {"前员工"}


def test_id_sweep(sandbox: Sandbox, crm: httpx2.Client) -> None:
    ids = everything(crm, "/api/accounts/ids", "ids", limit=9)
    assert ids == [row["id"] for row in sandbox.crm.rows("accounts")]


def test_search_ignores_case_and_outer_spaces_and_reaches_inside(sandbox: Sandbox, crm: httpx2.Client) -> None:
    row = sandbox.crm.create("accounts", {"name": " Straße GmbH ", "erp": {"asia": {"number": "X77"}}})
    for field, value in (("name", "strasse gmbh"), ("erp.asia.number", "x77"), ("id", row["id"])):
        found = crm.get("/api/accounts/search", params={"field": field, "value": value}).json()["items"]
        assert [one["id"] for one in found] == [row["id"]]
    assert crm.get("/api/accounts/search", params={"field": "nope", "value": "1"}).status_code == 422


def test_create_once_by_external_key(sandbox: Sandbox, crm: httpx2.Client) -> None:
    first = crm.post("/api/accounts", json={"name": "One", "external_key": "k-1"})
    again = crm.post("/api/accounts", json={"name": "One", "external_key": "k-1"})
    assert first.status_code == 201
    assert again.status_code == 409
    assert again.json() == {"error": "duplicate external_key", "id": first.json()["id"]}
    other = sandbox.crm.create("accounts", {"name": "Other"})
    sandbox.crm.merge("accounts", other["id"], first.json()["id"])
    assert crm.post("/api/accounts", json={"name": "One", "external_key": "k-1"}).json()["id"] == other["id"]


def test_one_of_many_simultaneous_creates_wins(sandbox: Sandbox, crm: httpx2.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        body = {"name": "One", "external_key": "k-2"}
        codes = [one.status_code for one in pool.map(lambda _: crm.post("/api/accounts", json=body), range(16))]
    assert sorted(codes) == [201, *[409] * 15]


def test_patch_is_partial_and_guarded(crm: httpx2.Client) -> None:
    row = crm.post("/api/accounts", json={"name": "Guarded", "phone": "1"}).json()
    path = f"/api/accounts/{row['id']}"
    changed = crm.patch(path, json={"phone": "2"}, headers={"If-Match": '"1"'}).json()
    assert (changed["name"], changed["phone"], changed["version"]) == ("Guarded", "2", 2)
    refused = crm.patch(path, json={"phone": "3"}, headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()) == (412, {"error": "version_mismatch", "version": 2})
    assert crm.get(path).json() == changed


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({}, {"name": "required"}),
        ({"name": "  "}, {"name": "required"}),
        ({"name": "x" * 121}, {"name": "at most 120 characters"}),
        ({"name": "x", "email": "nobody"}, {"email": "must contain @"}),
        ({"name": "x", "stage": "won"}, {"stage": "must be one of lead, prospect, customer, closed"}),
        ({"name": "x", "owner_id": "U-999999"}, {"owner_id": "no such row in users"}),
        ({"name": "x", "erp": {"asia": {"credit_limit": "1.005"}}}, {"erp.asia.credit_limit": "at most 2 decimals"}),
        ({"name": "x", "erp": {"asia": {"credit_limit": "NaN"}}}, {"erp.asia.credit_limit": "must be a number"}),
        ({"name": "x", "addresses": [{"id": "AD-9"}]}, {"addresses[0].id": "unknown"}),
        ({"name": "x", "addresses": "x"}, {"addresses": "must be a list"}),
    ],
)
def test_validation_names_the_field_and_stores_nothing(
    sandbox: Sandbox, crm: httpx2.Client, data: dict[str, Any], fields: dict[str, str]
) -> None:
    before = sandbox.crm.rows("accounts")
    answer = crm.post("/api/accounts", json=data)
    assert (answer.status_code, answer.json()) == (422, {"error": "validation", "fields": fields})
    assert sandbox.crm.rows("accounts") == before


def test_half_a_character_is_refused(crm: httpx2.Client) -> None:
    answer = crm.post("/api/accounts", content=b'{"name": "\\ud83d"}', headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["fields"]) == (422, {"name": "holds half a character"})


def test_length_counts_characters_outside_the_bmp_once(crm: httpx2.Client) -> None:
    assert crm.post("/api/accounts", json={"name": "𠮷" * 120}).json()["name"] == "𠮷" * 120


def test_unknown_fields_are_ignored_and_listed(crm: httpx2.Client) -> None:
    answer = crm.post("/api/accounts", json={"name": "x", "fax": "1", "custom": {"colour": 1}, "颜色": 1})
    assert answer.status_code == 201
    assert answer.headers["X-Ignored-Fields"] == "fax,%E9%A2%9C%E8%89%B2,custom.colour"
    assert "fax" not in answer.json()


def test_groups_merge_per_key(crm: httpx2.Client) -> None:
    row = crm.post(
        "/api/accounts", json={"name": "x", "erp": {"asia": {"number": "A1", "credit_limit": 1200.50}}}
    ).json()
    changed = crm.patch(f"/api/accounts/{row['id']}", json={"erp": {"asia": {"blocked": True}}}).json()
    assert changed["erp"]["asia"]["number"] == "A1"
    assert changed["erp"]["asia"]["credit_limit"] == "1200.5"
    assert changed["erp"]["asia"]["blocked"] is True
    assert changed["erp"]["europe"]["number"] is None


def test_addresses_as_a_whole_and_one_by_one(crm: httpx2.Client) -> None:
    both = [{"type": "billing", "city": "上海"}, {"type": "shipping", "city": "苏州"}]
    row = crm.post("/api/accounts", json={"name": "x", "addresses": both}).json()
    path, (first, second) = f"/api/accounts/{row['id']}", row["addresses"]
    whole = crm.patch(path, json={"addresses": [{"id": second["id"], "street": "1"}, {"city": "北京"}]}).json()
    assert [line["city"] for line in whole["addresses"]] == ["苏州", "北京"]
    assert whole["addresses"][0] == {**second, "street": "1"}
    assert first["id"] != whole["addresses"][1]["id"]
    changes = {"create": [{"city": "大连"}], "update": [{"id": second["id"], "city": "杭州"}], "delete": []}
    items = crm.patch(path, json={"addresses_changes": changes}).json()["addresses"]
    assert [line["city"] for line in items] == ["杭州", "北京", "大连"]
    gone = crm.patch(path, json={"addresses_changes": {"delete": [second["id"]]}}).json()["addresses"]
    assert gone == items[1:]
    assert crm.patch(path, json={"addresses_changes": {"delete": [second["id"]]}}).status_code == 422
    assert crm.patch(path, json={"addresses_changes": {"create": ["x"]}}).status_code == 422


def test_merge_moves_children_and_leaves_a_trace(sandbox: Sandbox, crm: httpx2.Client) -> None:
    keep = sandbox.crm.create("accounts", {"name": "Keep"})["id"]
    loser = sandbox.crm.create("accounts", {"name": "Loser", "phone": "110", "parent_id": keep})["id"]
    child = sandbox.crm.create("accounts", {"name": "Child", "parent_id": loser})["id"]
    contact = sandbox.crm.create("contacts", {"name": "王伟", "account_id": loser})["id"]
    merged = crm.post(f"/api/accounts/{keep}/merge", json={"loser": loser})
    assert merged.status_code == 200
    assert (merged.json()["name"], merged.json()["phone"], merged.json()["parent_id"]) == ("Keep", "110", None)
    assert crm.get(f"/api/contacts/{contact}").json()["account_id"] == keep
    assert crm.get(f"/api/accounts/{child}").json()["parent_id"] == keep
    gone = crm.get(f"/api/accounts/{loser}")
    assert (gone.status_code, gone.json()) == (410, {"error": "merged", "merged_into": keep})
    assert crm.patch(f"/api/accounts/{loser}", json={"phone": "1"}).status_code == 410
    assert loser not in everything(crm, "/api/accounts/ids", "ids")
    assert crm.post(f"/api/accounts/{keep}/merge", json={"loser": keep}).status_code == 400


def test_a_deleted_row_leaves_no_trace(sandbox: Sandbox, crm: httpx2.Client) -> None:
    account = sandbox.crm.create("accounts", {"name": "Gone", "external_key": "k"})["id"]
    contact = sandbox.crm.create("contacts", {"name": "Stays", "account_id": account})["id"]
    assert crm.delete(f"/api/accounts/{account}").status_code == 204
    assert crm.get(f"/api/accounts/{account}").status_code == 404
    assert crm.delete(f"/api/accounts/{account}").status_code == 404
    assert crm.get(f"/api/contacts/{contact}").json()["account_id"] is None
    assert crm.post("/api/accounts", json={"name": "New", "external_key": "k"}).status_code == 201


def test_batch_item_by_item(crm: httpx2.Client) -> None:
    row = crm.post("/api/accounts", json={"name": "x"}).json()
    items = [
        {"op": "create", "data": {"name": "new", "fax": 1}},
        {"op": "create", "data": {}},
        {"op": "update", "id": row["id"], "version": 1, "data": {"phone": "1"}},
        {"op": "update", "id": row["id"], "version": 1, "data": {"phone": "2"}},
        {"op": "update", "id": "A-999999", "data": {}},
        {"op": "destroy"},
    ]
    answer = crm.post("/api/accounts/batch", json={"items": items})
    results = answer.json()["results"]
    assert (answer.status_code, answer.json()["applied"]) == (207, True)
    assert [one["status"] for one in results] == [201, 422, 200, 412, 404, 400]
    assert results[0]["ignored"] == ["fax"] and results[0]["item"]["name"] == "new"
    assert crm.get(f"/api/accounts/{row['id']}").json()["phone"] == "1"


def test_batch_all_or_nothing_stores_nothing(sandbox: Sandbox, crm: httpx2.Client) -> None:
    row = crm.post("/api/accounts", json={"name": "x"}).json()
    before, stats = sandbox.crm.rows("accounts"), sandbox.crm.stats()["writes"]
    items = [
        {"op": "update", "id": row["id"], "data": {"phone": "1"}},
        {"op": "create", "data": {"name": "n", "external_key": "b"}},
        {"op": "create", "data": {}},
    ]
    answer = crm.post("/api/accounts/batch", json={"items": items, "all_or_nothing": True}).json()
    assert answer["applied"] is False
    assert [one["status"] for one in answer["results"]] == [424, 424, 422]
    assert sandbox.crm.rows("accounts") == before
    assert sandbox.crm.stats()["writes"] == stats
    assert crm.get("/api/accounts/search", params={"field": "external_key", "value": "b"}).json()["items"] == []
    answer = crm.post("/api/accounts/batch", json={"items": items[:2], "all_or_nothing": True}).json()
    assert answer["applied"] is True and len(sandbox.crm.rows("accounts")) == len(before) + 1


def test_a_batch_has_a_limit(crm: httpx2.Client) -> None:
    answer = crm.post("/api/accounts/batch", json={"items": [{}] * 201})
    assert (answer.status_code, answer.json()) == (413, {"error": "too_many", "limit": 200})


def test_rights(sandbox: Sandbox, crm: httpx2.Client) -> None:
    assert crm.get("/api/accounts", headers={"Authorization": "Bearer x"}).status_code == 401
    reader = {"Authorization": f"Bearer {sandbox.crm.read_token}"}
    assert crm.get("/api/accounts", headers=reader).status_code == 200
    refused = crm.post("/api/accounts", json={"name": "x"}, headers=reader)
    assert (refused.status_code, refused.json()) == (403, {"error": "forbidden", "scope": "write"})
    assert crm.get("/api/whoami", headers=reader).json()["scopes"] == ["read"]


@pytest.mark.parametrize("path", ["?limit=0", "?limit=x", "?cursor=zzz", "?updated_since=yesterday"])
def test_malformed_calls_are_400(crm: httpx2.Client, path: str) -> None:
    answer = crm.get(f"/api/accounts{path}")
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


def test_unknown_object_and_malformed_body(crm: httpx2.Client) -> None:
    assert crm.get("/api/errands").json() == {"error": "no_such_object"}
    assert crm.post("/api/accounts", content=b"{").status_code == 400
    assert crm.post("/api/accounts", json=[1]).status_code == 400
    assert crm.patch("/api/accounts/A-000001", json={}, headers={"If-Match": "x"}).status_code == 400


def test_schema_tells_what_the_checks_do(crm: httpx2.Client) -> None:
    fields = {one["name"]: one for one in crm.get("/api/schema").json()["objects"]["accounts"]["fields"]}
    assert fields["name"]["required"] and fields["name"]["max_length"] == 120
    assert fields["owner_id"]["ref"] == "users.id" and fields["region"]["ref"] == "regions.code"
    assert fields["custom"]["custom"] and fields["custom"]["fields"][0]["name"] == "region_code"


def test_openapi(crm: httpx2.Client) -> None:
    assert "/api/{object}/batch" in crm.get("/openapi.json").json()["paths"]
