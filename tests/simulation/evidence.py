"""What Datong has told people, by its journal and its open items."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from datong.base import json
from datong.store.schema import links
from tests.simulation.system import serials_in
from tests.simulation.traits import FIELDS

if TYPE_CHECKING:
    from tests.simulation.world import World

_SHOWN = ("put back", "conflict", "resolved", "conflict closed", "parked")
_BY_RULE = ("taken in",)


@dataclass
class Evidence:
    """What Datong has told people."""

    shown: set[int] = field(default_factory=set)
    """Serials in put-backs, conflicts and parked items."""
    taken_over: set[int] = field(default_factory=set)
    """Serials that another value took the place of when it was taken in."""
    chosen: set[int] = field(default_factory=set)
    """Serials that a person chose when settling a conflict."""
    cleared: set[tuple[int, str]] = field(default_factory=set)
    """(customer, field) of which it was told that a side had emptied it."""
    retried: set[tuple[int, str]] = field(default_factory=set)
    """(customer, field) that a person had written once more: since then it clashes with what is entered there."""
    dismissed: set[tuple[int, str]] = field(default_factory=set)
    """(customer, field) whose difference a person let stand."""
    waiting: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """Customer -> open items about it."""
    general: list[dict[str, Any]] = field(default_factory=list)
    """Open items about no customer."""


def evidence(world: World) -> Evidence:
    told = Evidence()
    for before in world.earlier:
        for name in ("shown", "taken_over", "chosen", "cleared", "retried", "dismissed"):
            getattr(told, name).update(getattr(before, name))
    whose = _customers(world)
    items = {item["id"]: item for item in world.items(settled=True)}
    for row in world.journal():
        fields = (row["body"] or {}).get("fields", {})
        if row["event"] in _SHOWN:
            told.shown.update(serials_in(_text(row["body"]) + " " + row["why"]))
            if row["event"] == "resolved":
                told.chosen.update(serials_in(_text([f.get("after") for f in fields.values()])))
        elif row["event"] in ("retried", "dismissed") and items[row["body"]["item"]]["field"]:
            settled = told.retried if row["event"] == "retried" else told.dismissed
            settled |= {(c, items[row["body"]["item"]]["field"]) for c in whose[row["record_id"]]}
        elif row["event"] in _BY_RULE:
            told.taken_over.update(serials_in(_text([f.get("before") for f in fields.values()])))
        else:
            continue
        emptied = {name for name, f in fields.items() if f.get("before") is None}
        emptied |= {name for name in FIELDS if row["event"] == "conflict" and "says None" in row["why"]}
        told.cleared |= {(c, name) for c in whose[row["record_id"]] for name in emptied}
    for item in items.values():
        told.shown.update(serials_in(_text(item["detail"]) + " " + item["reason"]))
        if None in ((item["detail"] or {}).get("values") or {}).values():
            told.cleared |= {(c, item["field"]) for c in whose[item["record_id"]]}
    for item in world.items():
        about = {c for n in (item["record_id"], item["other_id"]) if n is not None for c in whose.get(n, ())}
        for customer in about:
            told.waiting[customer].append(item)
        if not about:
            told.general.append(item)
    return told


def _text(value: Any) -> str:
    return json.dumps(value) if value else ""


def _customers(world: World) -> dict[int, set[int]]:
    """Record of Datong -> the customers it stands for."""
    assert world.process is not None
    known = {(s.side, row.id): row.customer for s in world.systems.values() for row in s.rows.values()}
    found: dict[int, set[int]] = defaultdict(set)
    with world.process.store.read() as tx:
        for row in tx.execute(sa.select(links.c.record_id, links.c.connection, links.c.native_id)):
            if (row.connection, row.native_id) in known:
                found[row.record_id].add(known[row.connection, row.native_id])
    return found
