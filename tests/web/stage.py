"""A sandbox, a configuration against it with webhook secrets, and the service in this process."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
from ruamel.yaml import YAML

from datong.base import json
from datong.bootstrap.build import App, build
from datong.bootstrap.config import load
from datong.bootstrap.init import SandboxAnswers, write_config
from datong.sandbox import Refusal, Sandbox
from datong.web.service import Service

SECRET, TOKEN = "s3cret", "t0ken"
PATIENCE = 60.0
_CLIENT = httpx2.Client(timeout=30, trust_env=False)


class SandboxClock:
    """The clock of the sandbox, so that both know the same hour."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def now(self) -> datetime:
        return self._sandbox.clock.now()

    def monotonic(self) -> float:
        return self._sandbox.clock.now().timestamp()

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.05))


class Stage:
    """`trigger` of every flow is given, so that a test knows whether polling can have found a change."""

    def __init__(self, sandbox: Sandbox, folder: Path, trigger: Mapping[str, Any]) -> None:
        self.sandbox = sandbox
        self.crm, self.erp = sandbox.crm, sandbox.erp
        self.config = write_config(folder, SandboxAnswers(sandbox.crm.url, sandbox.erp.url, 1))
        self._edit(trigger)

    def _edit(self, trigger: Mapping[str, Any]) -> None:
        yaml = YAML()
        told = yaml.load(self.config.read_text(encoding="utf8"))
        told["connections"]["crm"]["webhook_secret"] = SECRET
        told["connections"]["erp"]["token"] = TOKEN
        told["flows"]["reference_data"] = {"trigger": dict(trigger)}
        for flow in ("customer_master", "contact", "product_catalogue"):
            told["flows"][flow]["trigger"] = dict(trigger)
        with self.config.open("w", encoding="utf8") as file:
            yaml.dump(told, file)

    def employ(self, people: Mapping[str, Sequence[str]]) -> None:
        """Only they may act, in their roles."""
        yaml = YAML()
        told = yaml.load(self.config.read_text(encoding="utf8"))
        told["people"] = {name: {"roles": list(roles)} for name, roles in people.items()}
        with self.config.open("w", encoding="utf8") as file:
            yaml.dump(told, file)

    def app(self) -> App:
        return build(load(self.config), SandboxClock(self.sandbox))

    @contextmanager
    def service(self, *, subscribe: bool = True, **more: Any) -> Iterator[Service]:
        """A service that has read everything once."""
        app = self.app()
        try:
            with Service(app, tick=0.02, **more) as service:
                until(lambda: service.worker.turned_at is not None, "the first turn")
                if subscribe:
                    self.subscribe(service.url)
                yield service
        finally:
            app.close()

    def subscribe(self, url: str) -> None:
        """Both systems post their events to the service."""
        crm = {"Authorization": f"Bearer {self.crm.token}"}
        told = {"url": f"{url}/hooks/crm", "secret": SECRET}
        _CLIENT.post(f"{self.crm.url}/api/webhooks", json=told, headers=crm).raise_for_status()
        erp = {"X-Api-Key": self.erp.token}
        note = {"url": f"{url}/hooks/erp", "token": TOKEN}
        _CLIENT.post(f"{self.erp.url}/v1/subscriptions", json=note, headers=erp).raise_for_status()

    def advance(self, seconds: float) -> None:
        self.sandbox.clock.advance(seconds)

    # customers

    def customer(self, name: str, **more: Any) -> str:
        """A customer of the CRM that the ERP should have."""
        return str(self.crm.create("accounts", {"name": name, "stage": "customer", "type": "company", **more})["id"])

    def in_erp(self, name: str) -> dict[str, Any] | None:
        return next((row for row in self.erp.rows("customers") if row["custName"] == name), None)

    def in_crm(self, native_id: str) -> dict[str, Any] | None:
        try:
            return dict(self.crm.get("accounts", native_id))
        except Refusal:
            return None

    def writes(self, system: str, object: str, native_id: Any) -> int:
        """How often the API wrote this row."""
        stats = (self.crm if system == "crm" else self.erp).stats()
        counts = stats["writes"].get(object, {})
        return int(counts.get(native_id, counts.get(str(native_id), 0)))


def signed(body: bytes, at: float, secret: str = SECRET) -> dict[str, str]:
    moment = str(int(at))
    told = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-SimCRM-Signature": f"t={moment},v1={told}", "Content-Type": "application/json"}


def event(row: Mapping[str, Any], name: str = "account.updated", *, complete: bool = True) -> bytes:
    """What SimCRM posts about a row."""
    data = dict(row) if complete else {"id": row["id"]}
    told = {"id": "ev-1", "event": name, "object": "accounts", "object_id": row["id"], "data": data}
    return json.encode({**told, "complete": complete})


def post(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    return _CLIENT.post(url, content=body, headers=dict(headers or {}))


def get(url: str) -> httpx2.Response:
    return _CLIENT.get(url)


def until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait for `holds`; its value."""
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.01)
    return value
