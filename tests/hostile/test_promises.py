"""Whatever a system answers in place of what it promises, a connector names it: RemoteError, and nothing else.

One answer at a time is told wrongly: a value missing or of another kind, anywhere in it.
"""

from __future__ import annotations

import copy
import http.client
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from datong.base import json
from datong.base.clock import SystemClock
from datong.base.errors import OutcomeUnknown, RemoteError
from datong.connectors.bottlecrm import BottleCrm, BottleCrmSettings
from datong.connectors.bottlecrm.access import NOBODY
from datong.connectors.rest import Rest, RestSettings
from datong.connectors.sandbox_crm import CrmSettings, SandboxCrm
from datong.connectors.sandbox_erp import ErpSettings, SandboxErp
from datong.connectors.tryton import Tryton, TrytonSettings
from datong.kit import Connector, Context, Missing, Refused, Saved, WireRecord, Write
from datong.kit.budget import Budget
from datong.sandbox import Sandbox
from tests.connectors.rest.vendors import Answer, Asked, Told, serving

from .stubs import ID, bottlecrm, tryton

LIES: list[Any] = ["missing", None, {}, [], "乱", -1, True]
ANSWERS = [b"null", b"[]", b"{}", b'"ok"', b"", b"[" * 10_000, b'{"a": "\\ud800"}', b'{"result": [{}]}']
SINCE = "2026-11-21T08:00:00.000000Z"
PLACES = 4
"""Of one answer so many are tried."""
COMPANIES: dict[str, dict[str, Any]] = {"asia": {"id": 1, "currency": "CNY"}}


class Door:
    """Stands before a system. `lie` changes the true answer of call number `at`, counted from 0."""

    def __init__(self, true: Answer) -> None:
        self._true = true
        self.tell(None, -1)

    def tell(self, lie: Callable[[Told], Told] | None, at: int) -> None:
        self.lie, self.at, self.told, self.wrote = lie, at, [], False

    def __call__(self, asked: Asked) -> Told:
        true = self._true(asked)
        self.told.append(copy.deepcopy(true))
        self.wrote = self.wrote or writes(asked)
        return self.lie(true) if self.lie is not None and len(self.told) == self.at + 1 else true


def writes(asked: Asked) -> bool:
    """Does this call of one of the five change something?"""
    if "/rpc/" in asked.path:
        return str(asked.body["method"]).endswith((".create", ".write"))
    if asked.path.endswith(f"{NOBODY}/"):  # how BottleCRM's connector finds out what it may do
        return False
    return asked.method == "PATCH" or (asked.method == "POST" and not asked.path.endswith(("/query", "/search")))


def forward(url: str) -> Answer:
    """The system behind an address."""
    address = url.removeprefix("http://")

    def answer(asked: Asked) -> Told:
        there = http.client.HTTPConnection(address)
        headers = {n: v for n, v in asked.headers.items() if n not in ("host", "accept-encoding", "content-length")}
        there.request(asked.method, asked.target, asked.raw or None, headers)
        reply = there.getresponse()
        raw = reply.read()
        there.close()
        return Told(reply.status, json.loads(raw) if raw else None)

    return answer


def made(name: str, url: str, sandbox: Sandbox) -> Connector[Any]:
    clock = SystemClock()
    context = Context("lab", clock, Budget(clock), {} if name == "tryton" else COMPANIES)
    if name == "sandbox_crm":
        return SandboxCrm(CrmSettings(url=url, token=sandbox.crm.token), context)
    if name == "sandbox_erp":
        return SandboxErp(ErpSettings(url=url, key=sandbox.erp.token), context)
    if name == "bottlecrm":
        return BottleCrm(BottleCrmSettings(url=url, token="t", custom_fields={}), context)
    if name == "tryton":
        settings = TrytonSettings(url=url, database="d", login="l", password="p", staff_are_customers=True)
        return Tryton(settings, context)
    described = YAML(typ="safe").load(Path(__file__).parents[1] / "connectors" / "rest" / "simcrm.yaml")
    del described["webhook"]
    bearer = {"bearer": {"token": sandbox.crm.token}}
    return Rest(RestSettings.model_validate({"url": url, "auth": bearer, **described}), context)


@contextmanager
def joined(name: str) -> Iterator[tuple[Connector[Any], Door, str]]:
    """A connector, the door before its system, and the id of a record there."""
    with Sandbox(seed=1, size=2) as sandbox:
        stubs: dict[str, tuple[Answer, str]] = {"bottlecrm": (bottlecrm, ID), "tryton": (tryton, "7")}
        erp = (forward(sandbox.erp.url), str(sandbox.erp.rows("customers")[0]["id"]))
        crm = (forward(sandbox.crm.url), str(sandbox.crm.rows("accounts")[0]["id"]))
        true, id = stubs.get(name) or (erp if name == "sandbox_erp" else crm)
        door = Door(true)
        with serving(door) as url:
            connector = made(name, url, sandbox)
            yield connector, door, id
            connector.close()


def acts(connector: Connector[Any], id: str) -> dict[str, Callable[[], list[Any]]]:
    """Everything that is asked of a system, as lists of what was given."""
    spec = connector.kinds["account"]
    path = next(one.path for one in spec.map.fields if one.name == "name")
    keys = iter(range(10_000))

    def write(action: Any, native: str | None) -> list[Any]:
        number = next(keys)
        values = {} if action == "delete" else {path: f"客户 {number}"}
        return list(connector.write(spec, [Write(0, action, native, f"dt-lab-{number}", values)]))

    return {
        "check": lambda: [connector.check()],
        "read": lambda: [one for page in connector.read(spec, None) for one in page.records],
        "changes": lambda: [one for page in connector.read(spec, SINCE) for one in page.records],
        "get": lambda: list(connector.get(spec, [id])),
        "ids": lambda: list(connector.ids(spec)),
        "find": lambda: list(connector.find(spec, "own_key", ["dt-1"])),
        "describe": lambda: list(connector.describe(spec)),
        "create": lambda: write("create", None),
        "update": lambda: write("update", id),
    }


def places(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something can be told wrongly; of the entries of a list only the first."""
    yield at
    if isinstance(data, dict):
        for name in data:
            yield from places(data[name], (*at, name))
    elif isinstance(data, list) and data:
        yield from places(data[0], (*at, 0))


def lied(place: tuple[Any, ...], lie: Any) -> Callable[[Told], Told]:
    def changed(true: Told) -> Told:
        data = copy.deepcopy(true.data)
        if not place:
            return Told(true.status, None if lie == "missing" else lie, raw=b"null" if lie is None else None)
        here = data
        for step in place[:-1]:
            here = here[step]
        if lie == "missing":
            del here[place[-1]]
        else:
            here[place[-1]] = lie
        return Told(true.status, data)

    return changed


def judged(act: Callable[[], list[Any]], door: Door) -> str:
    """How it ended. Records have ids; an error is one of the named, in words. What may be done is never said to be
    not done."""
    try:
        given = act()
    except RemoteError as error:
        assert isinstance(error, OutcomeUnknown) or not door.wrote, error
        assert len(str(error)) > 20 and "Traceback" not in str(error)
        return type(error).__name__
    for one in given:
        if isinstance(one, (WireRecord, Missing, Saved)):
            assert isinstance(one.id, str) and one.id not in ("", "None", "True"), one
        if isinstance(one, str):
            assert one not in ("", "None", "True")
        if isinstance(one, Refused):
            assert one.reason
    return "given"


NAMES = ["sandbox_crm", "sandbox_erp", "rest", "bottlecrm", "tryton"]


@pytest.mark.parametrize("name", NAMES)
def test_a_part_of_an_answer_that_is_not_as_promised(name: str) -> None:
    ends: Counter[str] = Counter()
    tried: set[str] = set()
    with joined(name) as (connector, door, id):
        for what, act in acts(connector, id).items():
            door.tell(None, -1)
            act()
            true = list(door.told)
            if not true:
                continue  # known from before
            for at, told in enumerate(true):
                known = json.dumps([what in ("create", "update"), told.data])
                if known in tried:
                    continue
                tried.add(known)
                for number, place in enumerate(islice(places(told.data), PLACES)):
                    lie = LIES[(number + at) % len(LIES)]
                    if place or lie != "missing":
                        door.tell(lied(place, lie), at)
                        try:
                            ends[judged(act, door)] += 1
                        except Exception as error:
                            raise AssertionError(f"{what}, answer {at}, {place} told as {lie!r}: {error!r}") from error
    assert ends["BadAnswer"] > 3 and ends["given"] > 3, ends


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_is_something_else(name: str) -> None:
    with joined(name) as (connector, door, id):
        for what, act in acts(connector, id).items():
            for raw in ANSWERS:
                door.tell(lambda true, raw=raw: Told(200, raw=raw), 0)  # type: ignore[misc]
                try:
                    judged(act, door)
                except Exception as error:
                    raise AssertionError(f"{what} answered {raw[:40]!r}: {error!r}") from error
