"""The pair of simulated systems."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from datong.bootstrap.init import SandboxAnswers, write_config
from datong.sandbox import Refusal, Sandbox
from tests.scenarios.pair import Pair, Side

NAME = "深圳市大同科技有限公司"
TAX_ID = "91350100M000100Y43"


class SandboxClock:
    """The clock of the sandbox, so that both know the same hour."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def now(self) -> datetime:
        return self._sandbox.clock.now()

    def monotonic(self) -> float:
        return self._sandbox.clock.now().timestamp()

    def sleep(self, seconds: float) -> None:
        if seconds > 0.3:
            self._sandbox.clock.advance(seconds)
        else:
            time.sleep(seconds)


class CrmSide(Side):
    def __init__(self, sandbox: Sandbox) -> None:
        self.system = sandbox.crm

    def _wire(self, customer: dict[str, Any]) -> dict[str, Any]:
        wire: dict[str, Any] = {}
        for name, value in customer.items():
            if name in ("terms", "credit_limit", "number"):
                for company, one in value.items():
                    key = {"terms": "payment_term"}.get(name, name)
                    wire.setdefault("erp", {}).setdefault(company, {})[key] = one
            elif name == "region_code":
                wire.setdefault("custom", {})["region_code"] = value
            elif name == "owner":
                wire["owner_id"] = value
            else:
                wire[name] = value
        return wire

    def make(self, **customer: Any) -> str:
        return str(
            self.system.create("accounts", {"stage": "customer", "type": "company", **self._wire(customer)})["id"]
        )

    def change(self, native_id: str, **customer: Any) -> None:
        self.system.edit("accounts", native_id, self._wire(customer))

    def remove(self, native_id: str) -> None:
        self.system.delete("accounts", native_id)

    def customer(self, native_id: str) -> dict[str, Any] | None:
        row = _or_none(lambda: self.system.get("accounts", native_id))
        return None if row is None else self._told(row)

    def customers(self) -> dict[str, dict[str, Any]]:
        return {row["id"]: self._told(row) for row in self.system.rows("accounts")}

    def _told(self, row: dict[str, Any]) -> dict[str, Any]:
        erp = row.get("erp") or {}
        plain = ("name", "phone", "email", "tax_id", "active", "website", "stage")
        return {
            **{n: row.get(n) for n in plain},
            "owner": row.get("owner_id"),
            "region_code": (row.get("custom") or {}).get("region_code"),
            "number": {c: part.get("number") for c, part in erp.items()},
            "terms": {c: part.get("payment_term") for c, part in erp.items()},
            "credit_limit": {c: _number(part.get("credit_limit")) for c, part in erp.items()},
            "addresses": [(a.get("street"), a.get("city"), a.get("postcode")) for a in row.get("addresses") or []],
        }

    def stop(self) -> None:
        self.system.down()

    def start(self) -> None:
        self.system.up()

    def writes(self) -> int:
        return sum(sum(rows.values()) for rows in self.system.stats()["writes"].values())


class ErpSide(Side):
    def __init__(self, sandbox: Sandbox) -> None:
        self.system = sandbox.erp

    _NAMES: ClassVar = {"name": "custName", "phone": "tel", "email": "email", "tax_id": "taxNo", "website": "web"}

    def _wire(self, customer: dict[str, Any]) -> dict[str, Any]:
        wire: dict[str, Any] = {}
        for name, value in customer.items():
            if name in ("terms", "credit_limit"):
                key = {"terms": "paymentTermId", "credit_limit": "creditLimit"}[name]
                for company, one in value.items():
                    wire.setdefault("companies", {}).setdefault(company, {})[key] = one
            elif name == "region_code":
                wire.setdefault("userFields", {})["regionCode"] = value
            elif name == "active":
                wire["status"] = "active" if value else "inactive"
            else:
                wire[self._NAMES.get(name, name)] = value
        return wire

    def make(self, **customer: Any) -> str:
        return str(self.system.create("customers", self._wire(customer))["id"])

    def change(self, native_id: str, **customer: Any) -> None:
        self.system.edit("customers", int(native_id), self._wire(customer))

    def remove(self, native_id: str) -> None:
        self.system.delete("customers", int(native_id))

    def customer(self, native_id: str) -> dict[str, Any] | None:
        row = _or_none(lambda: self.system.get("customers", int(native_id)))
        return None if row is None else self._told(row)

    def customers(self) -> dict[str, dict[str, Any]]:
        return {str(row["id"]): self._told(row) for row in self.system.rows("customers")}

    def _told(self, row: dict[str, Any]) -> dict[str, Any]:
        parts = row.get("companies") or {}
        return {
            **{n: row.get(w) or None for n, w in self._NAMES.items()},
            "active": row.get("status") == "active",
            "owner": row.get("salesEmployeeId"),
            "region_code": (row.get("userFields") or {}).get("regionCode") or None,
            "number": {c: p.get("accountNo") for c, p in parts.items()},
            "terms": {c: p.get("paymentTermId") for c, p in parts.items()},
            "credit_limit": {c: _number(p.get("creditLimit")) for c, p in parts.items()},
            "addresses": [(s.get("street"), s.get("town"), s.get("zip")) for s in row.get("sites") or []],
        }

    def stop(self) -> None:
        self.system.down()

    def start(self) -> None:
        self.system.up()

    def writes(self) -> int:
        return sum(sum(rows.values()) for rows in self.system.stats()["writes"].values())


def _or_none(get: Callable[[], Any]) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] | None = get()
    except Refusal:
        return None
    return found


def _number(text: Any) -> str | None:
    from datong.base.money import decimal, plain

    return None if text in (None, "") else plain(decimal(text))


class SandboxPair(Pair):
    sandbox: Sandbox

    def advance(self, seconds: float) -> None:
        self.sandbox.clock.advance(seconds)


def sandbox_pair(sandbox: Sandbox, folder: Path) -> SandboxPair:
    def write(target: Path) -> Path:
        return write_config(target, SandboxAnswers(sandbox.crm.url, sandbox.erp.url, 1))

    pair = SandboxPair(CrmSide(sandbox), ErpSide(sandbox), folder, SandboxClock(sandbox), write)
    pair.sandbox = sandbox
    return pair
