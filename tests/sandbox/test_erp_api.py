"""SimERP keeps the manners its page promises."""

from typing import Any

import httpx2
import pytest

from datong.sandbox import Sandbox


def save(erp: httpx2.Client, object: str, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = erp.post(f"/v1/{object}/save", json={"rows": rows, **more})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def save_one(erp: httpx2.Client, object: str, row: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = save(erp, object, row)["results"][0]
    return result


def test_pages_cover_every_row_once(sandbox: Sandbox, erp: httpx2.Client) -> None:
    rows: list[dict[str, Any]] = []
    for page in range(1, 100):
        body = erp.get("/v1/customers", params={"page": page, "pageSize": 7, "with": "companies"}).json()
        if not body["rows"]:
            break
        rows += body["rows"]
    assert body["total"] == len(rows)
    assert sorted(rows, key=lambda row: row["id"]) == sandbox.erp.rows("customers")
    assert [(row["modifiedAt"], row["id"]) for row in rows] == sorted((row["modifiedAt"], row["id"]) for row in rows)


def test_change_times_are_equal_and_inclusive(erp: httpx2.Client) -> None:
    rows = erp.get("/v1/customers", params={"pageSize": 500}).json()["rows"]
    last = rows[-1]["modifiedAt"]
    later = erp.get("/v1/customers", params={"pageSize": 500, "modifiedFrom": last}).json()["rows"]
    assert len(later) > 1 and later == [row for row in rows if row["modifiedAt"] == last]
    assert erp.get("/v1/customers", params={"modifiedFrom": "soon"}).json()["error"]["code"] == "BAD_REQUEST"


def test_create_gives_number_and_padded_decimals(erp: httpx2.Client) -> None:
    result = save_one(erp, "customers", {"custName": "Neu", "sites": [{"use": "BILL", "town": "Paris"}]})
    assert result["ok"] and result["rowVersion"] == 1
    assert result["row"]["custNo"] == f"C{result['id']:05d}"
    assert result["row"]["taxNo"] == "" and result["row"]["parentId"] is None
    assert "companies" not in result["row"]
    item = save_one(erp, "items", {"itemNo": "N-1", "description": "x", "salesPrice": 12.5})
    assert item["row"]["salesPrice"] == "12.5000"


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        ({}, "REQUIRED", "custName"),
        ({"custName": "x" * 81}, "TOO_LONG", "custName"),
        ({"custName": "x", "fax": "1"}, "UNKNOWN_FIELD", "fax"),
        ({"custName": "x", "userFields": {"z": 1}}, "UNKNOWN_FIELD", "userFields.z"),
        ({"custName": "x", "email": "x"}, "INVALID", "email"),
        ({"custName": "x", "custNo": "C9"}, "READ_ONLY", "custNo"),
        ({"custName": "x", "companies": {}}, "READ_ONLY", "companies"),
        ({"id": 1, "sites": []}, "READ_ONLY", "sites"),
        ({"id": 1, "modifiedAt": "2020-01-01T00:00:00Z"}, "READ_ONLY", "modifiedAt"),
        ({"id": 99999, "custName": "x"}, "NOT_FOUND", None),
        ({"id": 1, "rowVersion": 7}, "STALE", None),
        ({"id": "x"}, "BAD_REQUEST", None),
    ],
)
def test_business_errors_come_with_200(
    sandbox: Sandbox, erp: httpx2.Client, row: dict[str, Any], code: str, field: str | None
) -> None:
    before = sandbox.erp.rows("customers")
    result = save_one(erp, "customers", row)
    assert not result["ok"]
    assert (result["error"]["code"], result["error"].get("field")) == (code, field)
    assert sandbox.erp.rows("customers") == before


def test_a_row_can_be_sent_back_as_it_was_read(erp: httpx2.Client) -> None:
    row = erp.get("/v1/items/1").json()["row"]
    assert save_one(erp, "items", row)["rowVersion"] == row["rowVersion"] + 1
    customer = erp.get("/v1/customers/1").json()["row"]
    del customer["sites"]
    assert save_one(erp, "customers", customer)["ok"]


def test_ext_ref_is_unique(erp: httpx2.Client) -> None:
    first = save_one(erp, "customers", {"custName": "A", "extRef": "k"})
    again = save_one(erp, "customers", {"custName": "B", "extRef": "k"})
    assert (again["error"]["code"], again["error"]["id"]) == ("DUPLICATE", first["id"])


def test_mode_all_stores_nothing_when_one_row_is_bad(sandbox: Sandbox, erp: httpx2.Client) -> None:
    before = sandbox.erp.rows("customers")
    body = save(erp, "customers", {"custName": "A"}, {"custName": ""}, {"id": 1, "tel": "9"}, mode="all")
    assert body["error"]["code"] == "BATCH_REFUSED"
    assert [one["error"]["code"] for one in body["results"]] == ["ROLLED_BACK", "REQUIRED", "ROLLED_BACK"]
    assert sandbox.erp.rows("customers") == before
    each = save(erp, "customers", {"custName": "A"}, {"custName": ""})
    assert each["ok"] and [one["ok"] for one in each["results"]] == [True, False]


def test_company_part_is_written_apart_and_idempotent(erp: httpx2.Client) -> None:
    key = save_one(erp, "customers", {"custName": "A"})["id"]
    path = f"/v1/customers/{key}/company/europe"
    first = erp.post(path, json={"paymentTermId": 3, "creditLimit": "5000"}).json()
    assert first["company"] == {
        "accountNo": f"E1{key:05d}",
        "paymentTermId": 3,
        "creditLimit": "5000.00",
        "currency": "EUR",
        "blocked": False,
        "priceListId": None,
    }
    assert erp.post(path, json={"paymentTermId": 3, "creditLimit": "5000"}).json()["company"] == first["company"]
    row = erp.get(f"/v1/customers/{key}", params={"with": "companies"}).json()["row"]
    assert list(row["companies"]) == ["europe"] and row["rowVersion"] == 3
    assert "companies" not in erp.get(f"/v1/customers/{key}").json()["row"]
    assert erp.post(f"/v1/customers/{key}/company/mars", json={}).json()["error"]["code"] == "NOT_FOUND"
    assert erp.post(path, json={"paymentTermId": 99}).json()["error"]["field"] == "companies.europe.paymentTermId"


def test_sites_one_by_one(erp: httpx2.Client) -> None:
    key = save_one(erp, "customers", {"custName": "A", "sites": [{"town": "Paris"}, {"town": "Lyon"}]})["id"]
    paris, lyon = (site["siteId"] for site in erp.get(f"/v1/customers/{key}").json()["row"]["sites"])
    sites = [{"town": "Rennes"}, {"siteId": lyon, "zip": "69002"}, {"town": "Nantes"}]
    body = erp.post(f"/v1/customers/{key}/sites/save", json={"sites": sites}).json()
    assert [site["town"] for site in body["row"]["sites"]] == ["Paris", "Lyon", "Rennes", "Nantes"]
    assert body["siteIds"][1] == lyon and body["siteIds"][0] == body["row"]["sites"][2]["siteId"]
    body = erp.post(f"/v1/customers/{key}/sites/delete", json={"siteIds": [paris]}).json()
    assert [site["town"] for site in body["row"]["sites"]] == ["Lyon", "Rennes", "Nantes"]
    assert not erp.post(f"/v1/customers/{key}/sites/delete", json={"siteIds": [paris]}).json()["ok"]
    assert not erp.post(f"/v1/customers/{key}/sites/save", json={"sites": [{"siteId": paris}]}).json()["ok"]


def test_query_is_exact_and_reaches_inside(erp: httpx2.Client) -> None:
    key = save_one(erp, "customers", {"custName": "Exact", "userFields": {"regionCode": "Q"}})["id"]
    erp.post(f"/v1/customers/{key}/company/asia", json={})

    def found(field: str, *values: Any) -> list[int]:
        body = erp.post("/v1/customers/query", json={"field": field, "values": values}).json()
        return [row["id"] for row in body["rows"]]

    assert found("custName", "Exact", "none") == [key]
    assert found("custName", "exact") == []
    assert found("userFields.regionCode", "Q") == [key]
    assert found("companies.asia.accountNo", f"A1{key:05d}") == [key]
    assert found("id", key) == [key]
    assert erp.post("/v1/customers/query", json={"field": "x", "values": []}).json()["error"]["code"] == "INVALID"


def test_merge_and_delete(sandbox: Sandbox, erp: httpx2.Client) -> None:
    keep = sandbox.erp.create("customers", {"custName": "Keep"})["id"]
    loser = sandbox.erp.create("customers", {"custName": "Loser", "tel": "110"})["id"]
    contact = sandbox.erp.create("contacts", {"fullName": "王伟", "custId": loser})["contactId"]
    assert erp.post(f"/v1/customers/{keep}/merge", json={"loser": loser}).json()["row"]["tel"] == "110"
    assert erp.get(f"/v1/contacts/{contact}").json()["row"]["custId"] == keep
    error = erp.get(f"/v1/customers/{loser}").json()["error"]
    assert (error["code"], error["mergedInto"]) == ("MERGED", keep)
    results = erp.post("/v1/customers/delete", json={"ids": [keep, 99999]}).json()["results"]
    assert [one["ok"] for one in results] == [True, False]
    assert erp.get(f"/v1/contacts/{contact}").json()["error"]["code"] == "NOT_FOUND"
    assert keep not in erp.get("/v1/customers/ids").json()["ids"]


def test_keys_and_rights(sandbox: Sandbox, erp: httpx2.Client) -> None:
    assert erp.get("/v1/customers", headers={"X-Api-Key": "x"}).status_code == 401
    reader = {"X-Api-Key": sandbox.erp.read_token}
    refused = erp.post("/v1/customers/save", json={"rows": []}, headers=reader)
    assert (refused.status_code, refused.json()["error"]["code"]) == (200, "NO_RIGHT")
    assert erp.post("/v1/customers/query", json={"field": "id", "values": [1]}, headers=reader).json()["total"] == 1
    assert erp.get("/v1/info", headers=reader).json()["rights"] == ["read"]


def test_info_metadata_and_unknown_object(erp: httpx2.Client) -> None:
    assert erp.get("/v1/info").json()["databaseId"] == erp.get("/v1/info").json()["databaseId"]
    metadata = erp.get("/v1/metadata").json()["objects"]
    assert metadata["contacts"]["idField"] == "contactId"
    assert {one["name"]: one for one in metadata["customers"]["fields"]}["custName"]["maxLength"] == 80
    assert erp.get("/v1/orders").json()["error"]["code"] == "NO_SUCH_OBJECT"
    assert erp.post("/v1/customers/save", content=b"{").json()["error"]["code"] == "BAD_REQUEST"
