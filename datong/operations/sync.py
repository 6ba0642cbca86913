"""Plan, apply, sync: thin, with the right to do so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from datong.base import json
from datong.base.errors import NotFound, UsageError
from datong.engine.cycle import Engine, Result
from datong.engine.planning import PlannedChange
from datong.operations.actor import Actor, require
from datong.operations.costs import veiled
from datong.operations.results import report
from datong.store.schema import plan_changes


def check_flows(engine: Engine, flows: Sequence[str]) -> None:
    """Raises NotFound for a flow that is unknown or switched off."""
    for name in flows:
        if name not in engine.landscape.flows:
            known = ", ".join(engine.landscape.flows)
            raise NotFound(f"there is no flow {name} switched on", remedy=f"flows that are on: {known}")


def plan(engine: Engine, actor: Actor, flows: Sequence[str] = (), *, full: bool = False) -> dict[str, Any]:
    """Totals of a new plan, kept in the store under `id`; nothing remote is written."""
    require(actor, "viewer", "plan")
    check_flows(engine, flows)
    return engine.plan(flows, full=full)


def apply(engine: Engine, actor: Actor, plan_id: str, *, accept_mass: bool = False) -> Result:
    """Carry out a plan; what moved meanwhile is listed. `accept_mass` lets a plan pass that the mass guard stopped."""
    require(actor, "approver" if accept_mass else "operator", "apply a plan" + (" of that size" if accept_mass else ""))
    result = engine.apply(plan_id, accept_mass=accept_mass)
    report(engine, actor)
    return result


def sync(
    engine: Engine,
    actor: Actor,
    flows: Sequence[str] = (),
    *,
    full: bool = False,
    record: tuple[str, str, str] | None = None,
    first_load: Callable[[list[PlannedChange]], None] | None = None,
) -> Result:
    """Read, plan and apply in one; `record` is (connection, kind, native id) for one record only."""
    require(actor, "operator", "sync")
    check_flows(engine, flows)
    if record is not None:
        return engine.sync_record(*record)
    result = engine.sync(flows, full=full, first_load=first_load)
    report(engine, actor)
    return result


def plan_changes_of(
    engine: Engine, actor: Actor, plan_id: str, *, after: int = 0, limit: int | None = 100
) -> list[dict[str, Any]]:
    """The changes of a plan, in order."""
    require(actor, "viewer", "see a plan")
    query = sa.select(plan_changes).where(plan_changes.c.plan_id == plan_id, plan_changes.c.number > after)
    query = query.order_by(plan_changes.c.number)
    if limit is not None:
        query = query.limit(limit)
    with engine.store.read() as tx:
        rows = [dict(row) for row in tx.execute(query).mappings()]
    shown = (
        "number",
        "flow",
        "kind",
        "connection",
        "action",
        "native_id",
        "source",
        "name",
        "reason",
        "reversible",
        "fields",
    )
    told = [{name: row[name] for name in shown} for row in rows]
    return [{**row, "fields": veiled(actor, row["kind"], row["fields"])} for row in told]


def write_plan(engine: Engine, actor: Actor, plan_id: str, file: Path) -> None:
    """The plan as a file to look at or send round; `datong apply FILE` takes it as well as its id."""
    told = {"datong_plan": plan_id, "instance": engine.store.instance}
    changes = plan_changes_of(engine, actor, plan_id, limit=None)
    file.write_text(json.pretty({**told, "changes": changes}) + "\n", encoding="utf8")


def plan_named(engine: Engine, text: str) -> str:
    """The plan id that `text` means: an id, or a file written by `write_plan`. Raises UsageError."""
    path = Path(text)
    if not path.is_file():
        return text
    try:
        told = json.loads(path.read_bytes())
        plan_id, instance = str(told["datong_plan"]), told["instance"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{text} is no plan", remedy="`datong plan --out FILE` writes one") from error
    if instance != engine.store.instance:
        raise UsageError(f"{text} was made by another Datong", remedy="apply it where it was made")
    return plan_id
