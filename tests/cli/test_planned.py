"""`plans`, `undo`, `runs`, `hold` and `config`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Place, pairs


def test_taking_back_from_beginning_to_end(fresh: Place, tmp_path: Path) -> None:
    fresh.datong("sync")
    fresh.datong("sync")
    crm, erp = pairs(fresh)[0]
    fresh.sandbox.crm.edit("accounts", crm["id"], {"website": "wrong.example", "short_name": "错"})
    run = fresh.datong("sync", "--json").json["run"]
    assert run in fresh.datong("runs").out
    fresh.sandbox.crm.edit("accounts", crm["id"], {"short_name": "另"})

    told = fresh.datong("undo", run)
    assert told.status == 1, told.err
    assert "left as they are, for a later change would be lost" in told.out and "另" in told.out
    plan = told.out.split()[1]
    assert plan in fresh.datong("plans", "list").out
    shown = fresh.datong("plans", "show", plan)
    assert "wrong.example" in shown.out and "open" in shown.out
    applied = fresh.datong("apply", plan, "--json")
    assert applied.json["moved"] == [], applied.out
    assert fresh.sandbox.crm.get("accounts", crm["id"])["website"] == crm["website"]
    assert fresh.sandbox.erp.get("customers", erp["id"])["web"] == erp["web"]
    assert fresh.datong("plans", "list", "--all", "--json").json["items"][0]["state"] == "applied"

    nothing = fresh.datong("undo", "--record", "crm", crm["id"], "--since", "2099-01-01", "--kind", "account")
    assert nothing.status == 2 and "cannot be undone" in nothing.err
    assert fresh.datong("undo").status == 2
    assert fresh.datong("undo", "sync-never").status == 2

    held = fresh.datong("hold", "field", "website", "--record", "crm", crm["id"], "--kind", "account", "--note", "等")
    assert held.status == 0, held.err
    assert "website" in fresh.datong("hold", "list").out
    assert fresh.datong("hold", "field", "websites", "--kind", "account").status == 2
    assert fresh.datong("hold", "release", "1").status == 0
    assert fresh.datong("hold", "list", "--json").json["items"] == []


def test_another_configuration(fresh: Place) -> None:
    fresh.datong("sync", "--flow", "reference_data")
    other = fresh.config.with_name("new.yaml")
    text = fresh.config.read_text(encoding="utf8")
    other.write_text(text + "\nplans: {configuration: approver, approve: {by: approver}}\n", encoding="utf8")
    assert "configuration: nothing -> approver" in fresh.datong("config", "diff", other).out
    plan = fresh.datong("config", "plan", other, "--flow", "reference_data", "--json").json
    assert "plans" in plan["about"] and plan["asks"] == []
    assert fresh.datong("config", "apply", other).status == 0
    assert fresh.config.read_text(encoding="utf8") == other.read_text(encoding="utf8")
    assert len(fresh.datong("config", "history", "--json").json["items"]) == 2

    fresh.configured("by: approver", "by: operator")
    refused = fresh.datong("sync")
    assert refused.status == 1 and "people agreed to" in refused.err and "config plan" in refused.err
    assert fresh.datong("config", "apply", fresh.config).status == 2
    assert fresh.datong("config", "restore").status == 0
    assert "by: approver" in fresh.config.read_text(encoding="utf8")
    stopped = fresh.datong("sync", "--json").json
    assert "approval of approver" in stopped["stopped"]
    waiting = fresh.datong("plans", "show", stopped["plan"], "--json").json
    assert waiting["state"] == "waits for approval" and waiting["waits_for"] == ["approver"]
    mine = fresh.datong("plans", "approve", stopped["plan"])
    assert mine.status == 2 and "somebody else" in mine.err
    assert fresh.datong("plans", "reject", stopped["plan"], "--note", "x").status == 2
    assert fresh.datong("apply", stopped["plan"]).status == 2
    first = fresh.datong("config", "history", "--json").json["items"][-1]["version"]
    assert fresh.datong("config", "show", first, "--json").json["files"]["datong.yaml"] == text
    assert fresh.datong("config", "plan", first, "--flow", "reference_data").status == 0
