"""Events leave signed, in order, again until taken, and go wrong only on request."""

import hashlib
import hmac

import httpx2
import pytest

from datong.sandbox import Refusal, Sandbox

from .receiver import receiving


def test_every_change_is_posted_signed_and_whole(sandbox: Sandbox, crm: httpx2.Client) -> None:
    with receiving() as receiver:
        made = crm.post("/api/webhooks", json={"url": receiver.url, "secret": "s3"}).json()
        row = crm.post("/api/accounts", json={"name": "𠮷野家🍜"}).json()
        other = sandbox.crm.create("accounts", {"name": "Other"})
        sandbox.crm.merge("accounts", row["id"], other["id"])
        sandbox.crm.delete("accounts", row["id"])
        assert sandbox.crm.settle()
        events = receiver.events()
        assert [one["event"] for one in events] == [
            "account.created",
            "account.created",
            "account.merged",
            "account.updated",
            "account.deleted",
        ]
        assert events[0]["data"] == row and events[0]["complete"] is True
        assert (events[0]["object_id"], events[0]["version"]) == (row["id"], 1)
        assert events[2]["data"] == {"id": other["id"], "merged_into": row["id"]} and not events[2]["complete"]
        headers, body = receiver.calls[0]
        moment, _, signature = headers["X-SimCRM-Signature"].removeprefix("t=").partition(",v1=")
        assert signature == hmac.new(b"s3", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        listed = crm.get("/api/webhooks").json()["items"]
        assert listed == [{**made, "delivered": 5}]
        assert crm.delete(f"/api/webhooks/{made['id']}").status_code == 204
        assert crm.delete(f"/api/webhooks/{made['id']}").status_code == 404


def test_a_refused_batch_says_nothing(sandbox: Sandbox, crm: httpx2.Client) -> None:
    with receiving() as receiver:
        crm.post("/api/webhooks", json={"url": receiver.url})
        items = [{"op": "create", "data": {"name": "x"}}, {"op": "create", "data": {}}]
        crm.post("/api/accounts/batch", json={"items": items, "all_or_nothing": True})
        with pytest.raises(Refusal):
            sandbox.crm.create("accounts", {})
        assert sandbox.crm.settle() and receiver.calls == []


def test_retries_by_the_sandbox_clock(sandbox: Sandbox, crm: httpx2.Client) -> None:
    with receiving() as receiver:
        receiver.answers = [500, 500]
        crm.post("/api/webhooks", json={"url": receiver.url})
        sandbox.crm.create("accounts", {"name": "x"})
        for attempt in range(1, 3):
            assert len(receiver.wait(attempt)) == attempt
            sandbox.clock.advance(10)
        assert sandbox.crm.settle() and len(receiver.calls) == 3
        assert receiver.calls[0][1] == receiver.calls[2][1]
        assert crm.get("/api/webhooks").json()["items"][0]["delivered"] == 1


def test_given_up_after_the_last_retry(sandbox: Sandbox, crm: httpx2.Client) -> None:
    crm.post("/api/webhooks", json={"url": "http://127.0.0.1:1/"})
    sandbox.crm.create("accounts", {"name": "x"})
    for _ in range(100):
        sandbox.clock.advance(100)
        if sandbox.crm.settle(0.05):
            break
    assert crm.get("/api/webhooks").json()["items"][0]["failed"] == 1


def test_lost_doubled_and_overtaken(sandbox: Sandbox, crm: httpx2.Client) -> None:
    with receiving() as receiver:
        crm.post("/api/webhooks", json={"url": receiver.url})
        sandbox.crm.faults.add("lose_webhooks", times=1)
        for name in ("lost", "kept"):
            sandbox.crm.create("accounts", {"name": name})
        sandbox.crm.faults.add("duplicate_webhooks", times=1)
        sandbox.crm.create("accounts", {"name": "twice"})
        sandbox.crm.faults.add("reorder_webhooks", times=1, seconds=0.2)
        for name in ("late", "early"):
            sandbox.crm.create("accounts", {"name": name})
        assert sandbox.crm.settle()
        names = [one["data"]["name"] for one in receiver.events()]  # type: ignore[index]
        assert names == ["kept", "twice", "twice", "early", "late"]
        assert sandbox.crm.stats()["webhooks"] == {"lost": 1, "sent": 5}


def test_the_erp_sends_thin_notes(sandbox: Sandbox, erp: httpx2.Client) -> None:
    with receiving() as receiver:
        made = erp.post("/v1/subscriptions", json={"url": receiver.url, "token": "t"}).json()["row"]
        row = sandbox.erp.create("customers", {"custName": "x"})
        sandbox.erp.delete("customers", row["id"])
        assert sandbox.erp.settle()
        assert [(one["object"], one["id"]) for one in receiver.events()] == [("customers", row["id"])] * 2
        assert set(receiver.events()[0]) == {"object", "id", "at"}
        assert receiver.calls[0][0]["X-SimERP-Token"] == "t"
        assert len(erp.get("/v1/subscriptions").json()["rows"]) == 1
        assert erp.post("/v1/subscriptions/delete", json={"ids": [made["id"]]}).json()["results"][0]["ok"]
        assert erp.post("/v1/subscriptions", json={"url": "ftp://x"}).json()["error"]["code"] == "BAD_REQUEST"
