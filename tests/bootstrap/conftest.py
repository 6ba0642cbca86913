"""A configuration that is right, and a way to get the mistakes of one that is not."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from datong.base.errors import ConfigurationError, Problem
from datong.bootstrap.config import Config, load
from datong.bootstrap.installed import connectors
from datong.kit import ConnectorSettings

RIGHT = """\
connections:
  sales:
    system: acme
    role: crm
    url: https://crm.example.com
    token: ${env:CRM_TOKEN}
    companies:
      asia: {currency: CNY, time_zone: Asia/Shanghai}
  books:
    system: acme
    role: erp
    url: https://erp.example.com
    token: ${file:erp.token}
    database: prod
    companies:
      asia: {id: 1, currency: CNY, time_zone: Asia/Shanghai}
      europe: {id: 2, currency: EUR, time_zone: Europe/Paris}
flows:
  customer_master:
    trigger: {every: 2m}
    scope: 'account.country in ["CN", "FR"]'
    fields:
      phone: {shared: ask}
      company.*.credit_limit: {owned_by: erp}
      custom.region_code: {owned_by: crm}
  contact: true
custom:
  account:
    region_code: {label_en: Region code, label_zh: 区域代码}
maps:
  sales:
    account:
      custom.region_code: {field: custom.region, read: 'value.upperAscii()', write: 'value.lowerAscii()'}
values:
  sales:
    stage: {LEAD: lead, CLIENT: customer}
    payment_terms: {NET30: "30 days", 012: 1.10}
people:
  li.na: {roles: [operator], mail: li.na@example.com, os_user: lina}
"""


class AcmeSettings(ConnectorSettings):
    url: str
    token: SecretStr
    database: str | None = None
    page_size: int = 100
    merchant: SecretStr | None = None
    oauth: dict[str, str] | None = None


def acme(system: str) -> type | None:
    return AcmeSettings if system in ("acme", "sandbox_acme") else None


def load_text(folder: Path, text: str) -> Config:
    path = folder / "datong.yaml"
    path.write_text(text, encoding="utf8")
    return load(path, settings_class_of=acme)


@pytest.fixture(autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Datong's own connectors are found as if it were installed, also in a bare working tree."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf8"))["project"]
    entries = project["entry-points"]["datong.connectors"]
    folder = tmp_path_factory.mktemp("installed")
    (folder / "datong-0.dist-info").mkdir()
    (folder / "datong-0.dist-info" / "METADATA").write_text("Name: datong\nVersion: 0\n")
    lines = ["[datong.connectors]", *(f"{name} = {value}" for name, value in entries.items())]
    (folder / "datong-0.dist-info" / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(folder))
    connectors.cache_clear()


@pytest.fixture
def problems(tmp_path: Path) -> Callable[[str], list[Problem]]:
    def find(text: str) -> list[Problem]:
        try:
            load_text(tmp_path, text)
        except ConfigurationError as error:
            return error.problems
        return []

    return find
