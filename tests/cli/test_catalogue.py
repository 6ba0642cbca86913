"""`connectors` and `flows`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Place, datong


def test_connectors() -> None:
    told = {item["name"]: item for item in datong("connectors", "--json").json["items"]}
    assert {"sandbox_crm", "sandbox_erp", "tryton", "bottlecrm"} <= told.keys()
    crm = told["sandbox_crm"]
    assert crm["kinds"]["account"]["reads"] == "changes"
    assert crm["kinds"]["account"]["create"] == "by_key"
    assert told["bottlecrm"]["kinds"]["account"]["reads"] == "snapshot"
    url = next(s for s in crm["settings"] if s["name"] == "url")
    assert (url["type"], url["required"], bool(url["description"])) == ("string", True, True)
    described = {"files", "mailbox", "rest", "wecom"}  # what they have stands in the configuration
    assert {name for name, item in told.items() if not item["kinds"]} == described
    names = [item["name"] for item in datong("connectors", "--ndjson", "--limit", "2").lines]
    assert names == sorted(told)[:2]
    after = datong("connectors", "--after", names[-1], "--json").json
    assert [item["name"] for item in after["items"]] == sorted(told)[2:]


def test_a_connector_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    from datong.bootstrap import build
    from datong.cli.catalogue import connector_told

    def broken(name: str) -> None:
        raise ImportError("no module acme")

    monkeypatch.setattr(build, "connector_class", broken)
    assert connector_told("acme")["problem"] == "ImportError: no module acme"


def test_flows(synced: Place) -> None:
    told = {item["name"]: item for item in synced.datong("flows", "--json").json["items"]}
    master = told["customer_master"]
    assert (master["zh"], master["kinds"], master["on"], master["direction"]) == (
        "客户主数据",
        ["account"],
        True,
        "both",
    )
    assert master["policies"]["company.*.credit_limit"] == "owned by erp"
    assert master["policies"]["phone"] == "shared (ask)"
    assert master["trigger"]["every"] == "10s"
    assert master["limits"]["updates"] == "10%"
    assert "客户主数据" in synced.datong("flows").out


def test_flows_without_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATONG_CONFIG", raising=False)
    assert {item["on"] for item in datong("flows", "--json").json["items"]} == {False}
    assert datong("--config", "none.yaml", "flows").status == 2
