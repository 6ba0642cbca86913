"""Benches for the connectors of the sandbox. Also the example of a bench: a simulated vendor acted on in-process."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, Self, TypeVar

from datong.base import json
from datong.canon.fields import Value
from datong.connectors.sandbox_crm import CrmSettings, SandboxCrm
from datong.connectors.sandbox_erp import ErpSettings, SandboxErp
from datong.kit import Connector, Incoming
from datong.sandbox import Sandbox
from datong.sandbox.erp import Erp
from datong.sandbox.system import System
from datong.testing.bench import Bench, Fault, Side, context
from datong.testing.manners import ScopedCrm

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
COMPANIES = {"asia": {"currency": "CNY"}, "europe": {"currency": "EUR"}}
SECRET = "bench-secret"
S = TypeVar("S", bound=System)

_CALLS: Mapping[Fault, tuple[str, dict[str, Any]]] = {
    Fault.RATE_LIMIT: ("rate_limit", {}),
    Fault.UNAVAILABLE: ("unavailable", {"seconds": 5}),
    Fault.HTML: ("html_200", {}),
    Fault.TRUNCATED: ("truncated_json", {}),
    Fault.DROPPED: ("drop_connection", {"after_commit": True}),
    Fault.FAILED_AFTER_COMMIT: ("error_after_commit", {}),
    Fault.LATE_COMMIT: ("timeout_late_commit", {"hold": 0}),
}
_VALUES: Mapping[Fault, tuple[str, dict[str, Any]]] = {
    Fault.NORMALISED: ("normalise", {"how": "upper"}),
    Fault.DROPPED_FIELD: ("drop_field", {}),
    Fault.HIDDEN_FIELD: ("hide_field", {}),
    Fault.REFUSED: ("refuse", {}),
}


class SandboxBench(Bench):
    """One kind of one simulated system. Its clock stands still unless advanced, so equal change times are at hand."""

    page_size = 3
    where: ClassVar[Mapping[Side, dict[str, str]]]
    """How the calls of each side are told apart."""

    def __init__(self, system: System, other: System, kind: str, connector: type[Connector[Any]]) -> None:
        self.system = system
        self._other = other
        self._class = connector
        self._strangers: list[Connector[Any]] = []
        super().__init__(self._connected(system, system.token), kind)

    @abstractmethod
    def settings(self, url: str, key: str) -> Any:
        """The connector's settings for one address and key."""

    def _connected(self, system: System, key: str) -> Connector[Any]:
        return self._class(self.settings(system.url, key), context(COMPANIES))

    @property
    def _object(self) -> str:
        return self.spec.map.native

    def _key(self, id: str) -> str | int:
        return id

    def make(self, values: Mapping[str, Value]) -> str:
        own = any(one.write == "never" for one in map(self.spec.map.named, values) if one is not None)
        wire = self.wire(values)
        row = self.system.enter(self._object, wire).data if own else self.system.create(self._object, wire)
        return str(row[self.system.specs[self._object].id_field])

    def edit(self, id: str, values: Mapping[str, Value]) -> None:
        self.system.edit(self._object, self._key(id), self.wire(values))

    def delete(self, id: str) -> None:
        self.system.delete(self._object, self._key(id))

    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        id_field = self.system.specs[self._object].id_field
        return {str(row[id_field]): row for row in self.system.rows(self._object)}

    def deactivate(self, id: str) -> None:
        if self.spec.map.named("active") is None:
            self.cannot("switch a record off: the system has no such field")
        self.edit(id, {"active": False})

    def merge(self, keep: str, loser: str) -> None:
        if self._object != self.system.merge_object:
            self.cannot("merge two records: the system merges only customers")
        self.system.merge(self._object, self._key(keep), self._key(loser))

    def play(self, fault: Fault, *, on: Side = "read", **params: Any) -> None:
        faults = self.system.faults
        if fault is Fault.LATE_ROW:
            faults.add("late_row", object=self._object, times=1, **params)
        elif fault in _VALUES:
            action, more = _VALUES[fault]
            if "containing" in params:
                more = {**more, "pattern": re.escape(params["containing"])}
            faults.add(action, object=self._object, field=self.path(params["field"]), **more)
        else:
            action, more = _CALLS[fault]
            given = {**more, **self.where[on], **params}
            if fault is Fault.LATE_COMMIT:
                given["delay"] = given.pop("seconds")
            faults.add(action, object=self._object, times=1, **given)

    def calm(self) -> None:
        self.system.faults.clear()

    def advance(self, seconds: float) -> None:
        self.system.clock.advance(seconds)
        self.system.settle()

    def second_account(self) -> Connector[Any]:
        return self._stranger(self._connected(self._other, self._other.token))

    def with_wrong_credentials(self) -> Connector[Any]:
        return self._stranger(self._connected(self.system, "wrong"))

    def _stranger(self, connector: Connector[Any]) -> Connector[Any]:
        self._strangers.append(connector)
        return connector

    def event(self, id: str) -> bytes:
        state = self.system.table(self._object).get(self._key(id))
        return json.encode(self.system.event(self._object, state, "updated"))

    def signed(self, body: bytes, *, age: float = 0.0, forged: bool = False) -> Incoming:
        now = self.system.clock.now()
        self.system.clock.advance(-age)
        headers = self.system.sign("guess" if forged else SECRET, body)
        self.system.clock.advance(age)
        return Incoming({name.lower(): value for name, value in headers.items()}, body, now)

    def close(self) -> None:
        if self.system.late_commits:
            self.advance(3600)
        for one in (*self._strangers, self.connector):
            one.close()


class CrmBench(SandboxBench):
    where: ClassVar = {"read": {"method": "GET"}, "write": {"method": "POST"}}

    def settings(self, url: str, key: str) -> Any:
        return CrmSettings(url=url, token=key, webhook_secret=SECRET, page_size=self.page_size)

    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        rows, connector = super().rows(), self.connector
        if isinstance(connector, ScopedCrm):
            return {id: row for id, row in rows.items() if connector.in_scope(row)}
        return rows

    def move_out_of_scope(self, id: str) -> None:
        if not isinstance(self.connector, ScopedCrm):
            self.cannot("move a record out of scope: the connector sees every record")
        self.system.edit(self._object, id, {"short_name": ScopedCrm.OUTSIDE})


class ErpBench(SandboxBench):
    where: ClassVar = {"read": {"method": "GET"}, "write": {"path": "/save$"}}

    def settings(self, url: str, key: str) -> Any:
        return ErpSettings(url=url, key=key, token=SECRET, page_size=self.page_size)

    def _key(self, id: str) -> int:
        return int(id)

    def value(self, name: str) -> Value:
        """References point at rows made for them, but for the tables that are seeded."""
        one = self.spec.map.named(name)
        if name == "company":
            return "asia"
        if one is not None and one.convert.to:
            return self._target(one.convert.to)
        return super().value(name)

    def _target(self, kind: str) -> str:
        if kind == "currency":
            return "USD"
        spec = self.connector.kinds[kind]
        if self.kind == "return" and kind in ("order", "account", "product"):
            return str(self._shipped[kind])
        if kind not in _MADE:
            return str(self.system.rows(spec.map.native)[0]["id"])
        return str(self.system.create(spec.map.native, {_MADE[kind]: self.unique(), **_MORE.get(kind, {})})["id"])

    @cached_property
    def _shipped(self) -> Mapping[str, int]:
        """What may come back: an order that was shipped, its customer and its goods."""
        erp = self.system
        assert isinstance(erp, Erp)
        customer = erp.create("customers", {"custName": self.unique()})["id"]
        item = erp.create("items", {"itemNo": self.unique(), "description": "Conformance"})["id"]
        lines = [{"itemId": item, "qty": "1000", "price": "1"}]
        row = {"custId": customer, "companyCode": "asia", "currency": "CNY", "lines": lines}
        order = erp.create("salesOrders", row)["id"]
        for act in ("approve", "ship"):
            erp.act(act, order=order)
        return {"order": order, "account": customer, "product": item}

    def move_out_of_scope(self, id: str) -> None:
        if self.spec.map.named("company") is None:
            self.cannot("move a record out of scope: it belongs to no company")
        self.system.record(self._object, int(id), {"companyCode": "elsewhere"})

    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        return {id: row for id, row in super().rows().items() if row.get("companyCode") != "elsewhere"}

    @property
    def needed(self) -> tuple[str, ...]:
        return (*self.spec.required, *_NEEDED.get(self.kind, ()))

    def item_sample(self, collection: str) -> dict[str, Value]:
        if self.kind in ("order", "return"):
            return {"product": self._target("product"), "quantity": "3"}
        return {"product": self._target("product")} if self.kind in ("price_list", "forecast") else {}

    def wire(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """`open` of a company's part is the connector's own word: the part is there or not."""
        told = super().wire(values)
        for part in told.get("companies", {}).values():
            part.pop("open", None)
        return told


_MADE = {"account": "custName", "product": "itemNo"}
_MORE = {"product": {"description": "Conformance"}}
_NEEDED = {
    "shipment": ("company", "account"),
    "invoice": ("company", "account"),
    "payment": ("company",),
    "price_list": ("company", "code", "name"),
    "price": ("product", "price"),
    "stock_level": ("product", "warehouse"),
    "supply_order": ("number", "product"),
    "bill_of_materials": ("product",),
    "exchange_rate": ("currency", "to", "date", "rate"),
    "accounting_period": ("name", "company", "start", "end", "state"),
    "asset": ("serial", "company", "account", "product"),
}
"""What a person needs to make a record that SimERP only tells us of."""


class Benches:
    """Fresh benches, one after the other, on two sandboxes that are started once: `with Benches() as benches`."""

    def __init__(self) -> None:
        self._ours = Sandbox(seed=3, size=0, start=START)
        self._theirs = Sandbox(seed=4, size=0, start=START)

    def __enter__(self) -> Self:
        self._ours.start()
        self._theirs.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ours.stop()
        self._theirs.stop()

    @contextmanager
    def crm(self, kind: str = "account", connector: type[SandboxCrm] = SandboxCrm) -> Iterator[CrmBench]:
        bench = CrmBench(self._again(self._ours.crm), self._theirs.crm, kind, connector)
        yield bench
        bench.close()

    @contextmanager
    def erp(self, kind: str = "account", connector: type[SandboxErp] = SandboxErp) -> Iterator[ErpBench]:
        bench = ErpBench(self._again(self._ours.erp), self._theirs.erp, kind, connector)
        yield bench
        bench.close()

    def _again(self, system: S) -> S:
        """As seeded; the other account is only looked at."""
        self._ours.clock.reset()
        system.reset()
        return system
