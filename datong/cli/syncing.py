"""`plan`, `apply` and `sync`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datong.base.errors import UsageError
from datong.cli import telling
from datong.cli.context import Session
from datong.cli.failures import FAILED
from datong.cli.output import document, note
from datong.cli.parts import Flows, command

if TYPE_CHECKING:
    from datong.engine.cycle import Engine, Result
    from datong.engine.planning import PlannedChange

Full = Annotated[bool, typer.Option("--full", help="ignore cursors and read everything; what is equal stays as it is")]
Strict = Annotated[bool, typer.Option("--strict", help="exit status 1 while any work waits for a person, old or new")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="also write the plan to a file")]
Changes = Annotated[bool, typer.Option("--changes", help="every change; in the table too")]
PlanName = Annotated[str, typer.Argument(metavar="PLAN", help="the plan's id, or a file that `plan --out` wrote")]
AcceptMass = Annotated[
    bool, typer.Option("--accept-mass", help="also a plan that the mass guard stopped; takes the role approver")
]
OneRecord = Annotated[
    tuple[str, str, str] | None,
    typer.Option("--record", metavar="CONNECTION KIND ID", help="only this record, on every side, now"),
]
FEW = 20


def add_to(app: typer.Typer) -> None:
    command(app)(plan)
    command(app)(apply)
    command(app)(sync)


def plan(session: Session, flow: Flows = None, out: Out = None, full: Full = False, changes: Changes = False) -> int:
    """What would be written where and why; writes nothing to any system."""
    from datong.operations import sync as operations

    with session.working() as engine:
        told = operations.plan(engine, session.actor, flow or (), full=full)
    return tell_plan(session, engine, told, out, changes=changes)


def tell_plan(session: Session, engine: Engine, told: dict[str, Any], out: Path | None, *, changes: bool) -> int:
    """Tell what a new plan would do; gives the exit status."""
    from datong.operations import sync as operations

    planned = operations.plan_changes_of(engine, session.actor, told["id"], limit=None)
    if out is not None:
        operations.write_plan(engine, session.actor, told["id"], out)
    if session.json:
        document({**told, **({"changes": [change_told(c) for c in planned]} if changes else {})})
    else:
        telling.plan(session, told, planned, None if changes else FEW)
        if out is not None:
            note(f"written to {out}")
    return FAILED if told["problems"] or told["stopped"] else 0


def change_told(change: dict[str, Any]) -> dict[str, Any]:
    """A change as scripts get it: `key` names the record by where it was first known."""
    return {**{name: value for name, value in change.items() if name != "source"}, "key": change["source"]}


def apply(session: Session, plan: PlanName, accept_mass: AcceptMass = False, strict: Strict = False) -> int:
    """Apply what still holds of a plan, and list what moved."""
    from datong.operations import sync as operations

    with session.working() as engine:
        result = operations.apply(engine, session.actor, operations.plan_named(engine, plan), accept_mass=accept_mass)
    return finished(session, result, strict)


def sync(
    session: Session,
    flow: Flows = None,
    full: Full = False,
    record: OneRecord = None,
    strict: Strict = False,
) -> int:
    """Read, plan and apply in one."""
    from datong.operations import sync as operations

    if record is not None and (flow or full):
        raise UsageError("--record goes with neither --flow nor --full", remedy="leave one of them out")
    first: list[PlannedChange] = []

    def first_load(differences: list[PlannedChange]) -> None:
        first.extend(differences)
        if not session.json:
            telling.first_load(session, differences, FEW)

    with session.working() as engine:
        result = operations.sync(engine, session.actor, flow or (), full=full, record=record, first_load=first_load)
    return finished(session, result, strict, first_load=len(first))


def finished(session: Session, result: Result, strict: bool, **more: Any) -> int:
    """Tell what a cycle did; gives the exit status."""
    if session.json:
        document({**result.told, **more})
    else:
        telling.result(session, result)
    return status(result, strict)


def status(result: Result, strict: bool = False) -> int:
    """1 when something failed or a person has new work; when `strict`, while any work waits."""
    new = result.parked or result.reviews or result.conflicts
    failed = result.failed or result.stopped or result.moved or result.problems
    return FAILED if new or failed or (strict and any(result.waiting.values())) else 0
