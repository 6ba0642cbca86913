"""`plan`, `apply` and `sync`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Place, pairs

COUNTS = ("read", "created", "updated", "deleted", "unchanged", "skipped", "parked", "reviews", "conflicts")
MORE = ("failed", "later", "linked", "waiting", "problems", "stopped", "plan", "moved", "seconds")
PLANNED = ("read", "creates", "updates", "deletes", "skipped", "parked", "reviews", "conflicts")


def test_plan_writes_nothing_and_apply_does_it(fresh: Place, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    before = fresh.sandbox.crm.rows("accounts"), fresh.sandbox.erp.rows("customers")
    answer = fresh.datong("plan", "--changes", "--out", file, "--json")
    assert answer.status == 0
    plan = answer.json
    assert all(isinstance(plan[name], int) for name in (*PLANNED, "irreversible", "api_calls"))
    changes = plan["changes"]
    assert len(changes) == plan["creates"] + plan["updates"] + plan["deletes"] > 0
    keys = {"flow", "kind", "connection", "action", "key", "native_id", "reason", "reversible", "fields"}
    assert all(keys <= change.keys() for change in changes)
    assert all(v.keys() == {"before", "after"} for change in changes for v in change["fields"].values())
    assert (fresh.sandbox.crm.rows("accounts"), fresh.sandbox.erp.rows("customers")) == before

    applied = fresh.datong("apply", file, "--json")
    assert applied.status == 1  # reviews are new work for a person
    result = applied.json
    assert result["plan"] == plan["id"]
    assert result["updated"] == plan["updates"]
    assert result["moved"] == []
    again = fresh.datong("apply", plan["id"])
    assert again.status == 2
    assert "applied already" in again.err


def test_plan_for_people(fresh: Place) -> None:
    answer = fresh.datong("plan", "--flow", "reference_data", "--flow", "customer_master")
    assert answer.status == 0
    assert answer.err == ""
    for part in ("customer_master", "before -> after", "to review", "apply plan-"):
        assert part in answer.out
    assert "product_catalogue" not in answer.out


def test_sync(fresh: Place) -> None:
    first = fresh.datong("sync", "--json")
    assert first.status == 1
    told = first.json
    assert {*COUNTS, *MORE} <= told.keys()
    assert all(isinstance(told[name], int) for name in COUNTS)
    assert isinstance(told["seconds"], float)
    assert told["first_load"] > 0
    assert told["reviews"] == told["waiting"]["review"] > 0
    fresh.datong("sync")
    quiet = fresh.datong("sync", "--json")
    assert (quiet.status, quiet.err) == (0, "")
    assert [quiet.json[name] for name in ("created", "updated", "deleted")] == [0, 0, 0]
    assert fresh.datong("sync", "--strict", "--json").status == 1
    full = fresh.datong("sync", "--full", "--json").json
    assert [full[name] for name in ("created", "updated", "deleted")] == [0, 0, 0]


def test_first_load_is_shown_before_it_is_written(fresh: Place) -> None:
    out = fresh.datong("sync").out
    assert out.index("this is about to be written") < out.index("waiting for a person")
    assert "->" in out


def test_one_record_now(fresh: Place) -> None:
    fresh.datong("sync")
    crm, erp = pairs(fresh)[0]
    fresh.sandbox.erp.edit("customers", erp["id"], {"tel": "021 5555 0101"})
    other = pairs(fresh)[1][1]
    fresh.sandbox.erp.edit("customers", other["id"], {"tel": "021 5555 0102"})
    answer = fresh.datong("sync", "--record", "erp", "account", erp["id"], "--json")
    assert (answer.status, answer.json["updated"]) == (0, 1)
    assert fresh.sandbox.crm.get("accounts", crm["id"])["phone"] == "+862155550101"
    assert fresh.datong("sync", "--record", "erp", "account", "999999").status == 2
    assert fresh.datong("sync", "--record", "none", "account", "1").status == 2
    assert fresh.datong("sync", "--record", "erp", "account", "1", "--full").status == 2


def test_the_mass_guard_says_how_to_go_on(fresh: Place) -> None:
    fresh.datong("sync")
    fresh.datong("sync")
    fresh.configured(
        "    first_load: crm   #", "    limits: {updates: 10%, updates_at_least: 3}\n    first_load: crm   #"
    )
    for _, erp in pairs(fresh)[:8]:
        fresh.sandbox.erp.edit("customers", erp["id"], {"tel": f"021 5555 {erp['id']:04d}"})
    stopped = fresh.datong("sync", "--json")
    assert stopped.status == 1
    told = stopped.json
    assert told["stopped"]
    assert told["updated"] == 0
    assert fresh.datong("apply", told["plan"]).status == 1
    human = fresh.datong("sync")
    assert "--accept-mass" in human.out
    accepted = fresh.datong("apply", "--accept-mass", told["plan"], "--json")
    assert (accepted.status, accepted.json["updated"]) == (0, 8), accepted


def test_what_moved_is_listed(fresh: Place) -> None:
    fresh.datong("sync")
    fresh.datong("sync")
    (_, one), (_, other) = pairs(fresh)[:2]
    fresh.sandbox.erp.edit("customers", one["id"], {"tel": "021 5555 0101"})
    fresh.sandbox.erp.edit("customers", other["id"], {"tel": "021 5555 0102"})
    plan = fresh.datong("plan", "--json").json
    assert plan["updates"] == 2
    fresh.datong("sync", "--record", "erp", "account", one["id"])
    applied = fresh.datong("apply", plan["id"], "--json")
    assert applied.status == 1
    assert (applied.json["updated"], len(applied.json["moved"])) == (1, 1)


def test_unknown_names(synced: Place) -> None:
    for words in (["plan", "--flow", "nonsense"], ["sync", "--flow", "nonsense"], ["apply", "nonsense"]):
        answer = synced.datong(*words)
        assert (answer.status, answer.out) == (2, ""), words
        assert "nonsense" in answer.err


def test_a_file_that_is_no_plan(synced: Place, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text("{}", encoding="utf8")
    answer = synced.datong("apply", file, "--json")
    assert (answer.status, answer.json["error"]["kind"]) == (2, "Usage")


def test_another_process_holds_the_store(fresh: Place) -> None:
    from datong.bootstrap.build import build
    from datong.bootstrap.config import load

    app = build(load(fresh.config))
    with app.store.writer():
        answer = fresh.datong("sync", "--json")
    app.close()
    assert answer.status == 1
    assert "in use" in answer.json["error"]["message"]
    assert answer.json["error"]["remedy"]
