"""BottleCRM tells no change time and pages by a random order: 5,000 accounts, some of which change while we read."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lab
from lab.bottlecrm import server_environ
from tests.real.conftest import unavailable
from tests.real.real_pair import RealPair, real_pair

pytestmark = [pytest.mark.real, pytest.mark.proof, pytest.mark.timeout(3600)]

ACCOUNTS, CHANGED = 5000, 20


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[RealPair]:
    """Two systems of their own, with 5,000 accounts in the CRM."""
    try:
        with lab.running() as real:
            server = real.bottlecrm.server
            script = Path(__file__).with_name("bottlecrm_accounts.py")
            command = [str(server.python), str(script), str(ACCOUNTS)]
            subprocess.run(command, check=True, env=server_environ(server.folder), cwd=server.folder, timeout=600)
            pair = real_pair(real, tmp_path)
            yield pair
            pair.close()
    except lab.LabUnavailable as reason:
        unavailable(reason)


def test_changes_while_the_list_is_read_are_neither_lost_nor_taken_for_deletes(crowded: RealPair) -> None:
    pair = crowded
    off = {f"company.*.{name}": {"off": True} for name in ("number", "terms", "credit_limit", "blocked")}
    pair.configure(flows={"customer_master": {"fields": off, "deletes": "delete"}})
    ids = sorted(pair.crm.customers())
    assert len(ids) == ACCOUNTS
    began = time.monotonic()
    pair.sync()
    pair.settle()
    by_name = {c["name"]: i for i, c in pair.erp.customers().items()}
    assert len(by_name) == ACCOUNTS
    linked = time.monotonic() - began
    crm_names = {i: c["name"] for i, c in pair.crm.customers().items()}
    deleted, edited = ids[:: ACCOUNTS // CHANGED][:CHANGED], ids[7 :: ACCOUNTS // CHANGED][:CHANGED]
    assert not set(deleted) & set(edited)
    during = _changes_while_read(pair, deleted, edited)

    began = time.monotonic()
    pair.sync()
    raced = time.monotonic() - began
    assert during["finished"].wait(600)
    seen_at_once = sum(c["name"].endswith("改") for c in pair.erp.customers().values())

    began = time.monotonic()
    pair.sync(sweep=True)
    swept = time.monotonic() - began
    erp = pair.erp.customers()
    living = {by_name[crm_names[i]] for i in ids if i not in set(deleted)}
    assert living <= erp.keys(), "a false delete"
    names = {i: c["name"] for i, c in pair.crm.customers().items()}
    assert {erp[by_name[crm_names[i]]]["name"] for i in names} == set(names.values()), "a missed change"
    gone_early = ACCOUNTS - len(erp)

    pair.sync(sweep=True)
    pair.settle()
    assert pair.erp.customers().keys() == living, "the deletes are carried over, and no others"
    assert not pair.items()
    print(
        f"\n{ACCOUNTS} accounts linked in {linked:.0f} s; while a list was read {len(during['deleted'])} deleted and "
        f"{len(during['edited'])} edited ({during['within']} of them before it ended); that sync {raced:.0f} s, saw "
        f"{seen_at_once} edits; one more sweep {swept:.0f} s: 0 false deletes, 0 missed changes, {gone_early} deletes "
        f"carried over; all {len(deleted)} after another"
    )


def _changes_while_read(pair: RealPair, deleted: list[str], edited: list[str]) -> dict[str, Any]:
    """From the next list of accounts on, somebody else deletes and edits; tells what was done, and how much of it
    while the list was being read."""
    assert pair.app is not None
    connector: Any = pair.app.landscape.connections["crm"].connector
    told: dict[str, Any] = {"deleted": [], "edited": [], "within": 0, "finished": threading.Event()}
    reading = threading.Event()
    rows, people = connector._rows, pair.crm

    def somebody() -> None:
        for one, other in zip(deleted, edited, strict=True):
            people.remove(one)
            told["deleted"].append(one)
            people.change(other, name=f"{other} 改")
            told["edited"].append(other)
            told["within"] += 2 * reading.is_set()
        told["finished"].set()

    def raced(endpoint: Any, filters: Any) -> Any:
        if endpoint.target != "Account" or told.get("started"):
            return rows(endpoint, filters)
        told["started"] = True
        reading.set()
        threading.Thread(target=somebody, daemon=True).start()
        try:
            return rows(endpoint, filters)
        finally:
            reading.clear()

    connector._rows = raced
    return told
