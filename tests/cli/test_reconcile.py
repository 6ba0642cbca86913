"""`reconcile` and `verify` from the command line."""

from __future__ import annotations

from datong.base import json
from tests.cli.conftest import Place, pairs
from tests.scenarios.planting import silently


def test_reconcile_shows_proposes_and_keeps(fresh: Place) -> None:
    erp = fresh.sandbox.erp
    fresh.datong("sync", "--json")
    fresh.datong("sync", "--json")
    row = next(customer for _, customer in pairs(fresh) if customer["modifiedAt"] < "2026")
    silently(erp, "customers", row["id"], {"custName": "别名有限公司"})
    page, out = fresh.config.parent / "report.html", fresh.config.parent / "report.json"
    told = fresh.datong("reconcile", "--html", page, "--out", out, "--json")
    assert told.status == 1
    assert told.json == json.loads(out.read_bytes()) and told.json["classes"] == {"stale": 1}
    (one,) = [one for one in told.json["differences"] if one["known"] is None]
    assert one["natives"]["erp"] == str(row["id"])
    kept = fresh.datong("reconcile", "--list", "--json").json["items"]
    assert [item["id"] for item in kept] == [told.json["id"]]
    shown = fresh.datong("reconcile", "--show", told.json["id"])
    assert shown.status == 1 and "别名有限公司" in shown.out and f"apply {told.json['plan']['id']}" in shown.out
    assert fresh.datong("reconcile", "--list").status == 0
    for file in (page, out):
        assert fresh.datong("verify", file).status == 0
        file.write_bytes(file.read_bytes().replace("别名".encode(), "真名".encode()))
        altered = fresh.datong("verify", file, "--json")
        assert altered.status == 1 and not altered.json["intact"]
    assert fresh.datong("verify", fresh.config).status == 2
    assert fresh.datong("apply", told.json["plan"]["id"]).status == 0
    assert erp.get("customers", row["id"])["custName"] == row["custName"]  # type: ignore[index]
    assert fresh.datong("reconcile", "--no-plan", "--flow", "customer_master").status == 0
    assert fresh.datong("reconcile", "--flow", "nothing").status == 2
    assert fresh.datong("reconcile", "--show", "nothing").status == 2
    assert fresh.datong("reconcile", "--html", page, "--language", "fr").status == 2
