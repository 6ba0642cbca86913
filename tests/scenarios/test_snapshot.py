"""A system without a modified-since, read by offset in no useful order while rows vanish: rows are missed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from datong.connectors.sandbox_crm import SandboxCrm
from datong.kit import KindSpec, Page, WireRecord
from tests.scenarios.sandbox_pair import SandboxPair


class OffsetCrm(SandboxCrm):
    """The CRM as a connector that can only list by offset, ordered by an id that looks random, without versions."""

    between_pages: Callable[[], None] = staticmethod(lambda: None)
    page = 200

    @property
    def kinds(self) -> dict[str, KindSpec]:
        told = dict(super().kinds)
        told["account"] = replace(told["account"], reads="snapshot", guard=False, change_time=False)
        return told

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        if spec.kind != "account":
            yield from super().read(spec, since)
            return
        offset = 0
        while True:
            there = sorted(self.ids(spec), key=lambda i: hashlib.sha256(i.encode()).hexdigest())
            some = there[offset : offset + self.page]
            found = [r for r in self.get(spec, some) if isinstance(r, WireRecord)]
            offset += self.page
            yield Page([replace(r, version=None, changed_at=None) for r in found], last=offset >= len(there))
            if offset >= len(there):
                return
            type(self).between_pages()


@pytest.mark.parametrize("customers", [1000, pytest.param(5000, marks=pytest.mark.proof)])
def test_rows_missed_while_paging_are_no_deletes_and_no_missed_changes(
    empty: SandboxPair, monkeypatch: pytest.MonkeyPatch, customers: int
) -> None:
    import datong.bootstrap.build as build

    real = build.connector_class
    monkeypatch.setattr(build, "connector_class", lambda system: OffsetCrm if system == "sandbox_crm" else real(system))
    pair = empty
    pair.configure(flows={"customer_master": {"deletes": "delete", "limits": {"deletes": "100%", "updates": "100%"}}})
    pair.sync()
    ids = [pair.crm.make(name=f"客户第{n}号有限公司") for n in range(customers)]
    pair.settle()
    assert len(pair.erp.customers()) == customers

    doomed = ids[:: customers // 20][:20]
    left = [i for i in ids if i not in set(doomed)]
    waiting = list(doomed)

    def meanwhile() -> None:
        for _ in range(10):
            if waiting:
                pair.crm.remove(waiting.pop())

    for number, one in enumerate(left[:50]):
        pair.crm.change(one, name=f"改名{number}")
    monkeypatch.setattr(OffsetCrm, "between_pages", staticmethod(meanwhile))
    pair.sync()
    monkeypatch.setattr(OffsetCrm, "between_pages", staticmethod(lambda: None))
    pair.sync()
    pair.sync()

    names = {row["name"] for row in pair.erp.customers().values()}
    expected = {pair.crm.customer(i)["name"] for i in left}  # type: ignore[index]
    assert names == expected, "no false delete, no missed change"
    assert len(pair.erp.customers()) == customers - 20
    assert not _parked(pair)


def _parked(pair: SandboxPair) -> list[dict[str, Any]]:
    return pair.items("parked")
