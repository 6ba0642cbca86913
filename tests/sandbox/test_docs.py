"""docs/sandbox.md names everything there is."""

from dataclasses import fields
from pathlib import Path

import httpx2

from datong.sandbox import Sandbox
from datong.sandbox.faults import ACTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def test_every_fault_object_and_field_is_described() -> None:
    assert [action for action in ACTIONS if f"`{action}`" not in PAGE] == []
    sandbox = Sandbox(1, 0)
    for system in (sandbox.crm, sandbox.erp):
        for spec in system.specs.values():
            assert spec.name in PAGE
            assert [one.name for one in spec.fields if one.name not in PAGE] == []
    assert [one.name for one in fields(sandbox.expected) if f"`{one.name}`" not in PAGE] == []


def test_every_api_path_is_described(sandbox: Sandbox, crm: httpx2.Client, erp: httpx2.Client) -> None:
    for client in (crm, erp):
        for path in client.get("/openapi.json").json()["paths"]:
            assert path in PAGE, path


def test_no_key_is_401_everywhere(sandbox: Sandbox) -> None:
    for system, paths in ((sandbox.crm, ("whoami", "schema", "accounts")), (sandbox.erp, ("info", "items"))):
        for path in paths:
            assert httpx2.get(f"{system.url}{system.api}{path}", trust_env=False).status_code == 401
