"""`init` and `check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from datong.base.json import loads
from tests.cli.conftest import Place, datong


def test_init_example(tmp_path: Path) -> None:
    answer = datong("init", "--example", "sandbox", "--json", tmp_path / "new")
    assert (answer.status, answer.json) == (0, {"path": str(tmp_path / "new" / "datong.yaml")})
    again = datong("init", "--example", "sandbox", tmp_path / "new")
    assert again.status == 2
    assert "exists already" in again.err
    assert "--force" in again.err


def test_init_by_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = ["--crm", "bottlecrm", "--crm-url", "https://crm.example.com", "--erp", "tryton"]
    told += ["--erp-url", "https://erp.example.com", "--set", "erp.database=prod", "--set", "erp.login=datong"]
    answer = datong("init", *told, "--company", "asia:CNY:1", "--company", "europe:EUR:2", tmp_path)
    assert answer.status == 0, answer.err
    text = (tmp_path / "datong.yaml").read_text(encoding="utf8")
    assert 'database: "prod"' in text
    assert "password: ${env:ERP_PASSWORD}" in text
    monkeypatch.setenv("CRM_TOKEN", "t")
    monkeypatch.setenv("ERP_PASSWORD", "p")
    flows = datong("--config", tmp_path / "datong.yaml", "flows", "--json")
    assert flows.status == 0, flows.err


def test_init_says_what_is_missing(tmp_path: Path) -> None:
    for words, told in (
        ([], "--crm SYSTEM"),
        (["--crm", "nonsense", "--erp", "tryton"], "nonsense"),
        (["--example", "nonsense"], "no example nonsense"),
        (["--crm", "tryton", "--erp", "tryton", "--set", "x"], "--set erp.database=prod"),
    ):
        answer = datong("init", *words, tmp_path)
        assert answer.status == 2, words
        assert told in answer.err


def test_check(synced: Place) -> None:
    answer = synced.datong("check", "--json")
    assert answer.status == 0
    told = answer.json
    assert told["ok"] is True
    assert [(c["name"], c["ok"]) for c in told["connections"]] == [("crm", True), ("erp", True)]
    assert all({"where", "cause", "remedy", "severity"} <= p.keys() for p in told["problems"])
    assert any("NET45" in p["cause"] for p in told["problems"])
    assert {"flow", "kind", "connection", "requests_per_day"} <= told["cost"][0].keys()
    assert "NET45" in synced.datong("check").out


def test_check_tells_every_mistake_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "datong.yaml"
    file.write_text("connections:\n  crm: {system: nonsense, role: crm}\nflows: {nonsense: true}\n", encoding="utf8")
    answer = datong("check", "--config", file, "--json")
    assert answer.status == 2
    told = answer.json
    assert told["ok"] is False
    assert len(told["problems"]) >= 2
    assert all("datong.yaml:" in p["where"] and p["remedy"] for p in told["problems"])
    human = datong("--config", file, "check")
    assert (human.status, human.out) == (2, "")
    assert "datong.yaml:2" in human.err
    assert "->" in human.err


def test_no_configuration(tmp_path: Path) -> None:
    answer = datong("--config", tmp_path / "none.yaml", "sync", "--json")
    assert answer.status == 2
    assert "none.yaml" in answer.json["error"]["problems"][0]["where"]


def test_an_unreachable_system(fresh: Place) -> None:
    fresh.sandbox.erp.down()
    answer = fresh.datong("check", "--json")
    assert answer.status == 1
    states = {c["name"]: c["ok"] for c in answer.json["connections"]}
    assert states == {"crm": True, "erp": False}
    synced = fresh.datong("sync", "--json")
    assert synced.status == 1
    assert "erp" in " ".join(synced.json["problems"])
    assert "cannot be reached" in fresh.datong("plan").out


def test_a_wrong_token(fresh: Place) -> None:
    fresh.configured(fresh.sandbox.erp.token, "wrong")
    answer = fresh.datong("check", "--json")
    assert answer.status == 1
    (problem,) = [p for p in answer.json["problems"] if p["where"] == "connections.erp"]
    assert problem["remedy"]
    synced = fresh.datong("sync", "--json")
    assert synced.status == 1
    assert synced.json["parked"] == 1


def test_a_secret_that_is_not_there(fresh: Place) -> None:
    fresh.configured(f'"{fresh.sandbox.crm.token}"', "${env:NO_SUCH_VARIABLE}")
    answer = fresh.datong("sync")
    assert (answer.status, answer.out) == (2, "")
    assert "NO_SUCH_VARIABLE" in answer.err


def test_the_variable_names_the_configuration(synced: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATONG_CONFIG", str(synced.config))
    answer = datong("journal", "--verify", "--json")
    assert loads(answer.out)["intact"] is True
