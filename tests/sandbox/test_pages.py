"""The plain pages work without a script and escape what they show."""

import httpx2

from datong.sandbox import Sandbox

from .receiver import receiving


def test_every_list_and_record_opens(sandbox: Sandbox) -> None:
    for system in (sandbox.crm, sandbox.erp):
        with httpx2.Client(base_url=system.url, follow_redirects=True, trust_env=False) as browser:
            assert system.title in browser.get("/").text
            for name, spec in system.specs.items():
                assert spec.label_zh in browser.get(f"/ui/{name}").text
                assert browser.get(f"/ui/{name}/new").status_code == 200
                for row in system.rows(name)[:1]:
                    assert "Save 保存" in browser.get(f"/ui/{name}/{row[spec.id_field]}").text


def test_create_edit_and_delete_by_form(sandbox: Sandbox) -> None:
    with receiving() as receiver, httpx2.Client(base_url=sandbox.crm.url, trust_env=False) as browser:
        sandbox.crm.webhooks.subscribe(str, receiver.url, "")
        name = "<script>alert('㐂')</script>"
        form = {"name": name, "addresses.new.city": "上海", "erp.asia.number": "A1", "custom.vip": "true"}
        made = browser.post("/ui/accounts/new", data=form)
        assert made.status_code == 303
        address = made.headers["location"]
        row = sandbox.crm.rows("accounts")[-1]
        assert (row["name"], row["addresses"][0]["city"], row["erp"]["asia"]["number"]) == (name, "上海", "A1")
        assert row["custom"]["vip"] is True
        page = browser.get(address).text
        assert "<script>" not in page and "&lt;script&gt;" in page
        line = row["addresses"][0]["id"]
        form = {"_version": "1", "name": name, "phone": "1", f"addresses.{line}.city": "苏州"}
        assert browser.post(address, data=form).status_code == 303
        assert sandbox.crm.rows("accounts")[-1]["addresses"] == [{**row["addresses"][0], "city": "苏州"}]
        form = {"_version": "2", f"addresses.{line}._remove": "on"}
        assert browser.post(address, data=form).status_code == 303
        assert sandbox.crm.rows("accounts")[-1]["addresses"] == []
        assert browser.post(f"{address}/delete").status_code == 303
        assert sandbox.crm.get("accounts", row["id"]) is None
        assert sandbox.crm.settle()
        assert [one["event"] for one in receiver.events()] == [
            "account.created",
            "account.updated",
            "account.updated",
            "account.deleted",
        ]
        assert sandbox.crm.stats()["writes"] == {} and sandbox.crm.stats()["edits"]["accounts"] == {row["id"]: 4}


def test_a_refused_form_keeps_what_was_typed(sandbox: Sandbox) -> None:
    with httpx2.Client(base_url=sandbox.crm.url, trust_env=False) as browser:
        answer = browser.post("/ui/accounts/new", data={"name": "Typed", "email": "no'where"})
        assert answer.status_code == 422
        assert "must contain @" in answer.text and "no&#x27;where" in answer.text
        sandbox.crm.edit("accounts", "A-000001", {"phone": "1"})
        answer = browser.post("/ui/accounts/A-000001", data={"_version": "1", "phone": "2"})
        assert answer.status_code == 422 and "Somebody else" in answer.text
        assert sandbox.crm.rows("accounts")[0]["phone"] == "1"


def test_saving_an_untouched_form_changes_no_field(sandbox: Sandbox) -> None:
    before = sandbox.erp.rows("customers")[0]
    with httpx2.Client(base_url=sandbox.erp.url, trust_env=False) as browser:
        form = {"_version": "1", "custName": before["custName"], "isPerson": "false", "custNo": before["custNo"]}
        assert browser.post("/ui/customers/1", data=form).status_code == 303
    after = sandbox.erp.rows("customers")[0]
    assert after == {**before, "rowVersion": 2, "modifiedAt": after["modifiedAt"]}


def test_company_part_and_sites_by_form(sandbox: Sandbox) -> None:
    row = sandbox.erp.create("customers", {"custName": "x"})
    with httpx2.Client(base_url=sandbox.erp.url, trust_env=False) as browser:
        form = {"_version": "1", "companies.europe.creditLimit": "10", "sites.new.town": "Paris"}
        assert browser.post(f"/ui/customers/{row['id']}", data=form).status_code == 303
        stored = sandbox.erp.get("customers", row["id"])
        assert stored and list(stored["companies"]) == ["europe"]
        assert stored["companies"]["europe"]["creditLimit"] == "10.00" and stored["sites"][0]["town"] == "Paris"


def test_search_and_merge(sandbox: Sandbox) -> None:
    keep = sandbox.crm.create("accounts", {"name": "Unmistakable & Sons"})["id"]
    loser = sandbox.crm.create("accounts", {"name": "Unmistakeable"})["id"]
    with httpx2.Client(base_url=sandbox.crm.url, trust_env=False) as browser:
        found = browser.get("/ui/accounts", params={"q": "unmistakable &"}).text
        assert keep in found and loser not in found and "Unmistakable &amp; Sons" in found
        assert browser.post(f"/ui/accounts/{keep}/merge", data={"loser": "A-999999"}).status_code == 422
        assert browser.post(f"/ui/accounts/{keep}/merge", data={"loser": loser}).status_code == 303
        assert browser.get(f"/ui/accounts/{loser}").headers["location"] == f"/ui/accounts/{keep}"
        assert browser.get("/ui/accounts/A-999999").status_code == 404


def test_a_person_sees_and_moves_documents(sandbox: Sandbox) -> None:
    lines = [{"itemId": 1, "qty": "3", "price": "10"}]
    row = sandbox.erp.create("salesOrders", {"companyCode": "asia", "custId": 1, "lines": lines})
    sandbox.erp.act("settings", credit="off")
    sandbox.erp.save_company(1, "asia", {"blocked": False})
    with httpx2.Client(base_url=sandbox.erp.url, trust_env=False) as browser:
        listing = browser.get("/ui/salesOrders").text
        assert row["docNo"] in listing and "销售订单" in listing and "33.90" in listing
        address = f"/ui/salesOrders/{row['id']}"
        page = browser.get(address).text
        assert "Approve 审核" in page and "Ship the rest" not in page
        assert browser.post(f"{address}/step/approve").status_code == 303
        assert "Ship the rest 全部发货" in browser.get(address).text
        assert browser.post(f"{address}/step/ship").status_code == 303
        refused = browser.post(f"{address}/step/unapprove")
        assert refused.status_code == 422 and "no longer free" in refused.text
        assert browser.post(f"{address}/step/submit").status_code == 422
        assert browser.post(address, data={"_version": "1", "remarks": "x"}).status_code == 422
        (shipment,) = sandbox.erp.rows("shipments")
        assert browser.post(f"/ui/shipments/{shipment['id']}/step/invoice").status_code == 303
        (invoice,) = sandbox.erp.rows("invoices")
        assert browser.post(f"/ui/invoices/{invoice['id']}/step/pay").status_code == 303
        assert [one["paidState"] for one in sandbox.erp.rows("salesOrders")] == ["full"]
        for object in ("invoices", "receipts", "stockLevels", "prices", "periods", "orderChanges"):
            assert browser.get(f"/ui/{object}").status_code == 200
        assert "26312000000000000001" in browser.get(f"/ui/invoices/{invoice['id']}").text
        assert browser.post("/ui/customers/1/step/fly").status_code == 422
