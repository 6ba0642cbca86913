"""The two systems of a proof and the clock that they and Datong share; each state can be kept and put back."""

from __future__ import annotations

import copy
import json
import logging
import mmap
import multiprocessing
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from datong.base.clock import SystemClock
from datong.bootstrap.init import SandboxAnswers, write_config
from datong.sandbox import Sandbox
from lab.client import Http
from tests.scenarios.pair import Side
from tests.scenarios.sandbox_pair import CrmSide, ErpSide

Rows = dict[str, list[dict[str, Any]]]
"""Object -> what stands there, each told in plain words under `name`."""


class SharedClock(SystemClock):
    """Real time and an offset that a child process moves for its parent too. Nobody really sleeps long."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 8)

    @property
    def offset(self) -> float:
        told: float = struct.unpack("d", self._shared[:])[0]
        return told

    @offset.setter
    def offset(self, seconds: float) -> None:
        self._shared[:] = struct.pack("d", seconds)

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.offset)

    def monotonic(self) -> float:
        return super().monotonic() + self.offset

    def sleep(self, seconds: float) -> None:
        if seconds > 0.05:
            self.advance(seconds)
        else:
            super().sleep(seconds)

    def advance(self, seconds: float) -> None:
        self.offset += seconds


class Systems(ABC):
    """A CRM and an ERP, what people do there by the systems' own APIs, and what a reader finds there."""

    crm: Side
    erp: Side
    clock: SharedClock

    @abstractmethod
    def write_config(self, folder: Path) -> Path:
        """A first datong.yaml for the two."""

    @abstractmethod
    def keep(self, name: str) -> None:
        """Remember how both stand now."""

    @abstractmethod
    def put_back(self, name: str) -> None:
        """As they stood when `name` was kept, with no faults."""

    @abstractmethod
    def read(self) -> dict[str, Rows]:
        """Side -> everything that stands there."""

    @abstractmethod
    def close(self) -> None: ...


# The sandbox ---------------------------------------------------------------------------------------------------------


class SandboxSystems(Systems):
    """The simulated pair in a process of its own: real HTTP, its clock moved together with ours."""

    def __init__(self, seed: int) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._pipe, seed), daemon=True)
        self._process.start()
        theirs.close()
        told = self._pipe.recv()
        self.clock = SandboxClock(told["crm_url"])
        self._seed = seed
        self._urls = told["crm_url"], told["erp_url"]
        self.crm = CrmByHttp(CrmApi(told["crm_url"], {"Authorization": f"Bearer {told['crm_token']}"}))
        self.erp = ErpByHttp(ErpApi(told["erp_url"], {"X-Api-Key": told["erp_token"]}))
        self._offsets: dict[str, float] = {}

    def write_config(self, folder: Path) -> Path:
        return write_config(folder, SandboxAnswers(*self._urls, self._seed))

    def keep(self, name: str) -> None:
        self._offsets[name] = self.clock.offset
        self._ask("keep", name)

    def put_back(self, name: str) -> None:
        self._ask("put_back", name)
        self.clock.set_back(self._offsets[name])

    def fault(self, system: str, action: str, **told: Any) -> None:
        self._ask("fault", (system, action, told))

    def read(self) -> dict[str, Rows]:
        return {"crm": self.crm.read(), "erp": self.erp.read()}

    def close(self) -> None:
        self._pipe.close()
        self._process.join(20)

    def _ask(self, what: str, told: Any) -> None:
        self._pipe.send((what, told))
        answer = self._pipe.recv()
        if answer is not None:
            raise RuntimeError(answer)


class SandboxClock(SharedClock):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def advance(self, seconds: float) -> None:
        _call(Http(self._url), "POST", "/_control/clock", {"advance": seconds})
        super().advance(seconds)

    def set_back(self, offset: float) -> None:
        _call(Http(self._url), "POST", "/_control/clock", {"reset": True, "advance": offset})
        self.offset = offset


def _serve(pipe: Connection, other_end: Connection, seed: int) -> None:
    """The process of the sandbox: serves until the pipe is closed."""
    other_end.close()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # calls are cut on purpose
    with Sandbox(seed=seed, size=0) as sandbox:
        crm, erp = sandbox.crm, sandbox.erp
        pipe.send({"crm_url": crm.url, "erp_url": erp.url, "crm_token": crm.token, "erp_token": erp.token})
        kept: dict[str, Any] = {}
        while True:
            try:
                what, told = pipe.recv()
            except EOFError:
                return
            if what == "keep":
                kept[told] = [_copied(system) for system in (crm, erp)]
            elif what == "put_back":
                for system, rows in zip((crm, erp), kept[told], strict=True):
                    with system.lock:
                        system.faults.clear()
                        vars(system).update(copy.deepcopy(rows, {id(system): system}))
            elif what == "fault":
                name, action, params = told
                getattr(sandbox, name).faults.add(action, **params)
            pipe.send(None)


def _copied(system: Any) -> dict[str, Any]:
    """The rows and the counters that ids come from."""
    with system.lock:
        mine = {name: vars(system)[name] for name in ("_tables", "_lines", "_event_count")}
        return copy.deepcopy(mine, {id(system): system})


def _call(http: Http, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
    status, text = http.send(method, path, None if body is None else json.dumps(body), headers or {})
    if status >= 400:
        raise AssertionError(f"{method} {path}: {status} {text}")
    told = json.loads(text) if text else None
    if isinstance(told, dict) and told.get("ok") is False:
        raise AssertionError(f"{method} {path}: {text}")
    return told


class CrmApi:
    """SimCRM by its API, with the words of the sandbox's own in-process interface."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._http, self._headers = Http(url), headers

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return _call(self._http, method, path, body, self._headers)

    def create(self, object: str, data: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self.call("POST", f"/api/{object}", data)
        return made

    def edit(self, object: str, id: str, changes: dict[str, Any]) -> None:
        self.call("PATCH", f"/api/{object}/{id}", changes)

    def delete(self, object: str, id: str) -> None:
        self.call("DELETE", f"/api/{object}/{id}")

    def merge(self, object: str, keep: str, loser: str) -> None:
        self.call("POST", f"/api/{object}/{keep}/merge", {"loser": loser})

    def get(self, object: str, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/api/{object}/{id}")
        return found

    def rows(self, object: str) -> list[dict[str, Any]]:
        found, cursor = [], ""
        while True:
            page = self.call("GET", f"/api/{object}?limit=500&include_inactive=true&cursor={quote(cursor)}")
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found


class ErpApi:
    """SimERP by its API; what it keeps apart by company or site is written there."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._http, self._headers = Http(url), headers

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return _call(self._http, method, path, body, self._headers)

    def create(self, object: str, data: dict[str, Any]) -> dict[str, Any]:
        return self._save(object, None, data)

    def edit(self, object: str, id: int, changes: dict[str, Any]) -> None:
        self._save(object, id, changes)

    def _save(self, object: str, id: int | None, data: dict[str, Any]) -> dict[str, Any]:
        row = {name: value for name, value in data.items() if name != "companies"}
        named = {} if id is None else {"contactId" if object == "contacts" else "id": id}
        (result,) = self.call("POST", f"/v1/{object}/save", {"rows": [{**row, **named}]})["results"]
        assert result["ok"], result
        for company, part in data.get("companies", {}).items():
            self.call("POST", f"/v1/{object}/{result['id']}/company/{company}", part)
        return {"id": result["id"]}

    def delete(self, object: str, id: int) -> None:
        self.call("POST", f"/v1/{object}/delete", {"ids": [id]})

    def get(self, object: str, id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/v1/{object}/{id}?with=companies")["row"]
        return found

    def rows(self, object: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            number = len(found) // 500 + 1
            page = self.call("GET", f"/v1/{object}?page={number}&pageSize=500&with=companies")
            found += page["rows"]
            if len(found) >= page["total"]:
                return found


class CrmByHttp(CrmSide):
    def __init__(self, api: CrmApi) -> None:
        super().__init__(SimpleNamespace(crm=api))  # type: ignore[arg-type]

    def read(self) -> Rows:
        accounts = self.system.rows("accounts")
        names = {row["id"]: row["name"] for row in accounts}
        return {
            "customers": [
                {**self._told(row), "id": row["id"], "parent": names.get(row["parent_id"])} for row in accounts
            ],
            "contacts": [
                {"id": row["id"], "name": row["name"], "of": names.get(row["account_id"]), "email": row["email"]}
                for row in self.system.rows("contacts")
            ],
            "products": [
                {"id": row["id"], "name": row["sku"], "title": row["name"], "price": _plain(row["list_price"])}
                for row in self.system.rows("products")
            ],
        }

    def make_contact(self, of: str, name: str, email: str) -> str:
        return str(self.system.create("contacts", {"account_id": of, "name": name, "email": email})["id"])


class ErpByHttp(ErpSide):
    def __init__(self, api: ErpApi) -> None:
        super().__init__(SimpleNamespace(erp=api))  # type: ignore[arg-type]

    def read(self) -> Rows:
        customers = self.system.rows("customers")
        names = {row["id"]: row["custName"] for row in customers}
        return {
            "customers": [
                {**self._told(row), "id": str(row["id"]), "parent": names.get(row["parentId"])} for row in customers
            ],
            "contacts": [
                {
                    "id": str(row["contactId"]),
                    "name": row["fullName"],
                    "of": names.get(row["custId"]),
                    "email": row["mail"] or None,
                }
                for row in self.system.rows("contacts")
            ],
            "products": [
                {
                    "id": str(row["id"]),
                    "name": row["itemNo"],
                    "title": row["description"],
                    "price": _plain(row["salesPrice"]),
                }
                for row in self.system.rows("items")
            ],
        }


def _plain(text: Any) -> str | None:
    from datong.base.money import decimal, plain

    return None if text in (None, "") else plain(decimal(text))
