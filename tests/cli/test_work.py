"""What waits for people, one record, and the journal."""

from __future__ import annotations

import pytest

from datong.cli import context
from tests.cli.conftest import Place, pairs


def test_lists_page(synced: Place) -> None:
    first = synced.datong("review", "list", "--limit", "2", "--json").json
    assert len(first["items"]) == 2
    assert {"id", "type", "cause", "reason", "remedy", "kind", "opened_at"} <= first["items"][0].keys()
    rest = synced.datong("--json", "review", "list", "--after", first["next"]).json
    assert rest["next"] is None
    lines = synced.datong("review", "list", "--ndjson").lines
    assert [one["id"] for one in lines] == [one["id"] for one in [*first["items"], *rest["items"]]]
    assert synced.datong("conflict", "list", "--json").json == {"items": [], "next": None}
    assert "none" in synced.datong("conflict", "list").out
    assert "--after" in synced.datong("review", "list", "--limit", "1").err


def test_show_and_unknown_items(synced: Place) -> None:
    (item,) = synced.datong("review", "list", "--limit", "1", "--json").json["items"]
    assert synced.datong("review", "show", item["id"], "--json").json["detail"]["reasons"]
    assert "Reasons" in synced.datong("review", "show", item["id"]).out
    for words in (
        ["review", "show", "9999"],
        ["parked", "retry", "9999"],
        ["conflict", "resolve", "9999", "--value", "x"],
    ):
        answer = synced.datong(*words)
        assert (answer.status, answer.out) == (2, "")
        assert "9999" in answer.err


def test_link_and_separate(fresh: Place) -> None:
    fresh.datong("sync")
    items = fresh.datong("review", "list", "--json").json["items"]
    one, other = [i for i in items if "several candidates" not in i["reason"] and i["kind"] == "account"][:2]
    assert fresh.datong("review", "link", one["id"], "--json").json["state"] == "resolved"
    assert fresh.datong("review", "separate", other["id"], "--json").json["state"] == "resolved"
    assert fresh.datong("review", "link", one["id"]).status == 2
    fresh.datong("sync")
    links = fresh.datong("explain", "crm", one["native_id"], "--kind", "account", "--json").json["links"]
    assert {k["connection"] for k in links} == {"crm", "erp"}
    assert other["subject"] not in {i["subject"] for i in fresh.datong("review", "list", "--json").json["items"]}


@pytest.mark.parametrize("how", [("--take", "erp"), ("--value", "https://third.example.com")])
def test_resolve_a_conflict(fresh: Place, how: tuple[str, str]) -> None:
    fresh.datong("sync")
    fresh.datong("sync")
    crm, erp = pairs(fresh)[0]
    fresh.sandbox.crm.edit("accounts", crm["id"], {"website": "https://crm.example.com"})
    fresh.sandbox.erp.edit("customers", erp["id"], {"web": "https://erp.example.com"})
    clash = fresh.datong("sync", "--json")
    assert (clash.status, clash.json["conflicts"]) == (1, 1)
    (item,) = fresh.datong("conflict", "list", "--json").json["items"]
    assert item["field"] == "website"
    assert fresh.datong("conflict", "resolve", item["id"]).status == 2
    assert fresh.datong("conflict", "resolve", item["id"], *how, "--json").json["state"] == "resolved"
    assert fresh.datong("sync").status == 0
    wanted = "https://erp.example.com" if how[0] == "--take" else how[1]
    assert fresh.sandbox.crm.get("accounts", crm["id"])["website"] == wanted
    assert fresh.sandbox.erp.get("customers", erp["id"])["web"] == wanted


def test_retry_and_dismiss(fresh: Place) -> None:
    fresh.sandbox.crm.create("accounts", {"name": "长" * 100, "stage": "customer"})
    fresh.datong("sync")
    parked = fresh.datong("parked", "list", "--json").json["items"]
    mine = next(i for i in parked if "长长" in i["reason"])
    assert fresh.datong("parked", "retry", mine["id"], "--json").json["state"] == "resolved"
    assert fresh.datong("sync", "--json").json["parked"] == 1
    again = next(i for i in fresh.datong("parked", "list", "--json").json["items"] if "长长" in i["reason"])
    assert fresh.datong("parked", "dismiss", again["id"], "--json").json["state"] == "dismissed"
    assert fresh.datong("sync", "--json").json["parked"] == 0


def test_hold_one_record(fresh: Place) -> None:
    fresh.datong("sync")
    fresh.datong("sync")
    crm, erp = pairs(fresh)[0]
    record = ("crm", crm["id"], "--json")
    assert fresh.datong("record", "lock", *record).json["state"] == "locked"
    fresh.sandbox.crm.edit("accounts", crm["id"], {"name": "新名称"})
    assert fresh.datong("sync", "--json").json["updated"] == 0
    assert fresh.datong("record", "release", *record).json["state"] == "released"
    assert fresh.datong("sync", "--json").json["updated"] == 1
    assert fresh.sandbox.erp.get("customers", erp["id"])["custName"] == "新名称"
    assert fresh.datong("record", "pause", *record).json["state"] == "paused"


def test_unlink(fresh: Place) -> None:
    fresh.datong("sync")
    crm, erp = pairs(fresh)[0]
    told = fresh.datong("record", "unlink", "erp", erp["id"], "--kind", "account", "--json")
    assert (told.status, told.json["state"]) == (0, "unlinked")
    links = fresh.datong("explain", "crm", crm["id"], "--kind", "account", "--json").json["links"]
    assert [k["connection"] for k in links] == ["crm"]
    assert fresh.datong("record", "unlink", "erp", erp["id"], "--kind", "account").status == 2


def test_explain(synced: Place) -> None:
    crm, _ = pairs(synced)[0]
    answer = synced.datong("explain", "crm", crm["id"], "--json")
    assert answer.status == 0
    assert {"record", "links", "fields", "timeline", "waiting"} <= answer.json.keys()
    assert answer.json["fields"]["name"]["from"] == "crm"
    assert len(synced.datong("explain", "crm", crm["id"], "--limit", "1", "--json").json["timeline"]) == 1
    human = synced.datong("explain", "crm", crm["id"])
    for part in ("Stands in", "Fields", "Timeline", "owned by erp"):
        assert part in human.out


def test_explain_with_several_hits(synced: Place) -> None:
    answer = synced.datong("explain", "erp", "1", "--json")
    assert answer.status == 2
    kinds = {hit["kind"] for hit in answer.json["error"]["hits"]}
    assert {"account", "contact", "product"} <= kinds
    human = synced.datong("explain", "erp", "1")
    assert (human.status, human.out) == (2, "")
    assert "account 1" in human.err
    assert "--kind" in human.err
    assert synced.datong("explain", "erp", "1", "--kind", "account").status == 0


def test_explain_what_is_not_there(synced: Place) -> None:
    for words, told in ((["crm", "A-999999"], "A-999999"), (["none", "1"], "connections are: crm, erp")):
        answer = synced.datong("explain", *words)
        assert (answer.status, answer.out) == (2, "")
        assert told in answer.err


def test_journal(synced: Place) -> None:
    newest = synced.datong("journal", "--limit", "3", "--json").json
    assert len(newest["items"]) == 3
    assert newest["next"] is None
    item = newest["items"][0]
    assert {"id", "at", "actor", "event", "why", "values"} <= item.keys()
    page = synced.datong("journal", "--after", "0", "--limit", "3", "--json").json
    assert [i["id"] for i in page["items"]] == [1, 2, 3]
    assert page["next"] == 3
    lines = synced.datong("journal", "--after", "3", "--limit", "2", "--ndjson").lines
    assert [i["id"] for i in lines] == [4, 5]
    assert synced.datong("journal", "--since", "1h", "--limit", "1", "--json").json["items"]
    assert synced.datong("journal", "--since", "2999-01-01", "--json").json["items"] == []
    assert synced.datong("journal", "--since", "yesterday").status == 2
    assert "before -> after" in synced.datong("journal").out


def test_verify(fresh: Place) -> None:
    fresh.datong("sync")
    intact = fresh.datong("journal", "--verify", "--json")
    assert intact.status == 0
    assert intact.json["intact"] is True
    assert intact.json["first_bad"] is None
    import sqlite3

    with sqlite3.connect(fresh.config.parent / "datong.db") as database:
        database.execute("update journal set why = 'nothing happened' where id = 7")
    database.close()
    broken = fresh.datong("journal", "--verify", "--json")
    assert broken.status == 1
    assert (broken.json["intact"], broken.json["first_bad"]) == (False, 7)


def test_who_acts(fresh: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    people = "people:\n  li.na: {roles: [operator], os_user: [lina]}\n  boss: {roles: [admin]}\n\nservice:"
    fresh.configured("service:", people)
    monkeypatch.setattr(context, "os_user", lambda: "lina")
    assert fresh.datong("sync").status == 1
    actors = {i["actor"] for i in fresh.datong("journal", "--json").json["items"]}
    assert "li.na" in actors
    (review, *_) = fresh.datong("review", "list", "--json").json["items"]
    monkeypatch.setattr(context, "os_user", lambda: "stranger")
    refused = fresh.datong("review", "link", review["id"], "--json")
    assert refused.status == 2
    assert "operator" in refused.json["error"]["message"]
    assert "stranger is not under people" in refused.err
    assert fresh.datong("review", "list", "--json").status == 0
    monkeypatch.setattr(context, "os_user", lambda: "boss")
    assert fresh.datong("review", "link", review["id"], "--json").status in (0, 2)
