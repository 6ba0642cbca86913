"""Taking back what a run, a plan or an act did, or what became of one record since a moment: as a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from datong.base.clock import to_text
from datong.base.errors import NotFound, UsageError
from datong.engine.cycle import Engine
from datong.engine.undo import LATER
from datong.engine.undoing import Scope, steps_of
from datong.operations.actor import Actor, require
from datong.operations.costs import HIDDEN, is_cost
from datong.operations.records import located
from datong.store import runs
from datong.store.unit import Unit


def undo(engine: Engine, actor: Actor, run: str, *, hold: bool = False) -> dict[str, Any]:
    """A plan that takes back a run: by its name or number, or every apply of a plan by the plan's name. `hold`: what is
    put back is held, so that no side changes it again. Raises NotFound, and UsageError where nothing can be undone."""
    require(actor, "operator", "undo")
    with engine.store.read() as tx:
        found = runs.named(tx, run)
    if not found:
        raise NotFound(f"there is no run {run}", remedy="`datong runs` lists them")
    began = min(row["at"] for row in found)
    about = f"{found[0]['name']} of {to_text(began)[:16]} by {', '.join(sorted({row['actor'] for row in found}))}"
    return _planned(engine, actor, Scope(about, tuple(found)), hold)


def undo_record(
    engine: Engine,
    actor: Actor,
    connection: str,
    native_id: str,
    since: datetime,
    kind: str | None = None,
    *,
    hold: bool = False,
) -> dict[str, Any]:
    """A plan that brings one record back to what it was at a moment."""
    require(actor, "operator", "undo")
    with engine.store.read() as tx:
        record, _ = located(Unit(tx, engine.store.clock, actor.name), connection, native_id, kind)
    about = f"{record.kind} {native_id} of {connection} since {to_text(since)[:16]}"
    return _planned(engine, actor, Scope(about, record_id=record.id, since=since), hold)


def _planned(engine: Engine, actor: Actor, scope: Scope, hold: bool) -> dict[str, Any]:
    plan = engine.undo(scope, hold=hold)
    steps = steps_told(engine, actor, plan["id"])
    if not any(step["act"] != "none" for step in steps):
        reasons = "; ".join(dict.fromkeys(step["why"] for step in steps)) or "it changed nothing that can be taken back"
        engine.planner.discard(plan["id"])
        raise UsageError(f"{scope.about} cannot be undone: {reasons}", remedy="correct what is wrong by hand")
    refused = sum(step["refused"] for step in steps)
    return {**plan, "about": scope.about, "ways": ways(steps), "refused": refused, "steps": steps}


def ways(steps: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many steps of each way."""
    return dict(sorted(Counter(step["way"] for step in steps if step["act"] != "rest").items()))


def steps_told(
    engine: Engine, actor: Actor, plan_id: str, *, after: int = 0, limit: int | None = None
) -> list[dict[str, Any]]:
    """The steps of an undo, in order: each says whether it can be taken back, and how."""
    require(actor, "viewer", "see a plan")
    with engine.store.read() as tx:
        rows = steps_of(tx, plan_id, after=after, limit=limit)
    return [_step_told(actor, row) for row in rows]


def _step_told(actor: Actor, row: Mapping[str, Any]) -> dict[str, Any]:
    """A step, without the values that the actor may not see."""
    names = ("number", "kind", "name", "act", "connection", "field", "before", "after", "way", "why")
    told = {name: row[name] for name in names}
    told["refused"] = row["act"] == "none" and row["why"].startswith(LATER)
    if not actor.sees_costs and is_cost(row["kind"], row["field"]):
        told.update(before=HIDDEN, after=HIDDEN, why=LATER if told["refused"] else "")
    return told


def run_list(engine: Engine, actor: Actor, *, before: int | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """The last runs, newest first: what, when, by whom, and how much came of it."""
    require(actor, "viewer", "see the runs")
    with engine.store.read() as tx:
        rows = runs.listed(tx, before=before, limit=limit)
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "what": row["what"],
            "actor": row["actor"],
            "at": to_text(row["at"]),
            "until": to_text(row["until"]) if row["until"] else None,
            "flows": row["flows"],
            "plan": row["plan_id"],
            "totals": row["totals"] or {},
        }
        for row in rows
    ]
