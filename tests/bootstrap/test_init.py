from __future__ import annotations

from pathlib import Path

import pytest

from datong.base.errors import ConfigurationError, UsageError
from datong.bootstrap.config import FLOWS_KNOWN, load
from datong.bootstrap.init import MASTERS, Answers, SandboxAnswers, SystemAnswer, sandbox_tokens, write_config

from .conftest import acme

CHINA = {"asia": {"id": 1, "currency": "CNY", "time_zone": "Asia/Shanghai"}}


def test_the_sandbox_example_needs_no_editing(tmp_path: Path) -> None:
    path = write_config(tmp_path, SandboxAnswers("http://127.0.0.1:9001", "http://127.0.0.1:9002", seed=7))
    config = load(path)
    crm, erp = config.connections["crm"], config.connections["erp"]
    assert crm.resolved(tmp_path) == {"url": "http://127.0.0.1:9001", "token": sandbox_tokens(7)[0]}
    assert erp.resolved(tmp_path) == {"url": "http://127.0.0.1:9002", "key": sandbox_tokens(7)[1]}
    assert {name for name, flow in config.flows.items() if flow.on} == set(MASTERS)
    assert set(config.flows) < set(FLOWS_KNOWN)
    assert set(crm.companies) == set(erp.companies) == {"asia", "europe"}
    assert "python -m datong.sandbox --seed 7 --crm-port 9001 --erp-port 9002" in path.read_text(encoding="utf8")


def test_the_value_tables_fit_the_seed(tmp_path: Path) -> None:
    from datong.sandbox.reference import CRM_REFERENCE, ERP_REFERENCE

    tables = load(write_config(tmp_path, SandboxAnswers())).values["crm"]
    natives = {"payment_term": "paymentTerms", "tax_code": "taxCodes", "unit": "units", "region": "regions"}
    for kind, native in natives.items():
        crm = {row["code"] for row in CRM_REFERENCE[native if kind in ("unit", "region") else f"{kind}s"]}
        erp = {row["code"] for row in ERP_REFERENCE[native]}
        assert set(tables[kind]) == crm - {"NET45"} and set(tables[kind].values()) == erp
    crm_users, erp_users = (
        {row["name"] for row in CRM_REFERENCE["users"]},
        {r["fullName"] for r in ERP_REFERENCE["employees"]},
    )
    assert set(tables["user"]) <= crm_users and set(tables["user"].values()) <= erp_users


def test_the_tokens_are_those_of_the_sandbox() -> None:
    from datong.sandbox import Sandbox

    with Sandbox(seed=3, size=5) as sandbox:
        assert sandbox_tokens(3) == (sandbox.crm.token, sandbox.erp.token)


def test_systems_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(
        SystemAnswer("acme", {"url": "https://crm.example.com", "token": "HUSH"}, name="sales"),
        SystemAnswer("acme", {"token": "${file:erp token}", "database": "生产"}, CHINA),
        flows=("contact",),
    )
    path = write_config(tmp_path / "new", answers, settings_class_of=acme)
    assert "HUSH" not in path.read_text(encoding="utf8")
    config = load(path, settings_class_of=acme)
    assert config.connections["sales"].settings == {"url": "https://crm.example.com", "token": "${env:SALES_TOKEN}"}
    assert config.connections["erp"].settings == {
        "url": "${env:ERP_URL}",
        "token": "${file:erp token}",
        "database": "生产",
    }
    assert config.connections["erp"].companies["asia"].time_zone == "Asia/Shanghai"
    assert [name for name, flow in config.flows.items() if flow.on] == ["contact"]


def test_the_installed_connectors(tmp_path: Path) -> None:
    try:
        path = write_config(tmp_path, Answers(SystemAnswer("bottlecrm"), SystemAnswer("tryton", companies=CHINA)))
    except (ImportError, AttributeError) as error:
        pytest.skip(str(error))
    assert load(path).connections["crm"].system == "bottlecrm"


def test_the_examples_in_comments_are_right(tmp_path: Path) -> None:
    path = write_config(tmp_path, Answers(SystemAnswer("acme"), SystemAnswer("acme")), settings_class_of=acme)
    lines = path.read_text(encoding="utf8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("# custom:"))
    shown = [line.removeprefix("# ") if _is_yaml(line) else line for line in lines[start:]]
    path.write_text("\n".join([*lines[:start], *shown]), encoding="utf8")
    config = load(path, settings_class_of=acme)
    assert config.people["li.na"].roles == ["operator"] and config.maps["crm"] and config.values["crm"]
    assert config.custom["account"]["region_code"].label_zh == "区域代码"


def _is_yaml(line: str) -> bool:
    return line.startswith(("# custom:", "# maps:", "# values:", "# people:", "#  "))


def test_nothing_is_overwritten_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "datong.yaml").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        write_config(tmp_path, SandboxAnswers())
    assert (tmp_path / "datong.yaml").read_text() == "mine"
    write_config(tmp_path, SandboxAnswers(), force=True)
    assert load(tmp_path / "datong.yaml").flows


def test_an_unknown_system_or_setting(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        write_config(tmp_path, Answers(SystemAnswer("trytn"), SystemAnswer("acme")), settings_class_of=acme)
    assert error.value.remedy == "did you mean tryton?"
    with pytest.raises(ConfigurationError, match="did you mean url"):
        write_config(tmp_path, Answers(SystemAnswer("acme", {"ur": 1}), SystemAnswer("acme")), settings_class_of=acme)
    assert not list(tmp_path.iterdir())
