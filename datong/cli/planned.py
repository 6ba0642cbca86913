"""`plans`, `undo`, `runs` and `hold`: what may be applied, what was done, and taking it back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from datong.base.errors import UsageError
from datong.cli import telling
from datong.cli.context import Session
from datong.cli.failures import FAILED
from datong.cli.history import moment
from datong.cli.output import document, listing, show, table
from datong.cli.parts import Kind, Limit, Ndjson, command, group
from datong.cli.syncing import FEW, change_told

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="the plan's id")]
Every = Annotated[bool, typer.Option("--all", help="also those that were applied, rejected or have expired")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="why; a rejection needs it")]
RunName = Annotated[
    str | None, typer.Argument(metavar="RUN", help="a run by name or number, or a plan that was applied")
]
OneRecord = Annotated[
    tuple[str, str] | None, typer.Option("--record", metavar="CONNECTION ID", help="one record instead, with --since")
]
Since = Annotated[str | None, typer.Option("--since", metavar="T", help="2026-11-21T08:00Z, or 30m, 2h, 1d ago")]
Hold = Annotated[bool, typer.Option("--hold", help="hold what is put back, so that no side changes it again by itself")]
Before = Annotated[int | None, typer.Option("--after", metavar="N", min=1, help="only those before this one")]
Field = Annotated[str, typer.Argument(metavar="FIELD", help="a field, a pattern such as company.*.terms, or a list")]
HoldKind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help="every record of this kind")]
HoldRecord = Annotated[
    tuple[str, str] | None, typer.Option("--record", metavar="CONNECTION ID", help="one record, by where it stands")
]
Side = Annotated[str, typer.Option("--side", metavar="CONNECTION", help="only there; every side by default")]
HoldId = Annotated[int, typer.Argument(metavar="ID", help="number of the hold: see `hold list`")]


def add_to(app: typer.Typer) -> None:
    plans = group(app, "plans", "Plans: what there is, what each would do, and agreeing to it.")
    command(plans, "list")(list_plans)
    command(plans, "show")(show_plan)
    command(plans)(approve)
    command(plans)(reject)
    command(app)(undo)
    command(app)(runs)
    holds = group(app, "hold", "Freeze a field of a record or of a kind: neither taken in nor written.")
    command(holds)(field)
    command(holds, "list")(list_holds)
    command(holds)(release)


# plans ---------------------------------------------------------------------------------------------------------------


def list_plans(session: Session, limit: Limit = 100, every: Every = False, ndjson: Ndjson = False) -> None:
    """Plans that may still be applied, newest first."""
    from datong.operations import plans

    items = plans.listed(session.engine(), session.actor, limit=limit + 1, every=every)
    if not (session.json or ndjson):
        items = [{**i, "at": i["at"][:16], "asks": ", ".join(i["waits_for"])} for i in items]
    columns = {"id": "plan", "at": "made", "author": "by", "what": "what", "state": "state", "asks": "waits for"}
    listing(session, items, ndjson=ndjson, limit=limit, title="Plans", columns=columns)


def show_plan(session: Session, plan: PlanId) -> None:
    """One plan: its changes, who is asked, and what they said."""
    from datong.operations import plans
    from datong.operations import sync as operations
    from datong.operations import undo as undoing

    engine, actor = session.engine(), session.actor
    told = plans.shown(engine, actor, plan)
    changes = operations.plan_changes_of(engine, actor, plan, limit=None)
    steps = undoing.steps_told(engine, actor, plan) if told["what"] == "undo" else []
    if session.json:
        document({**told, "changes": [change_told(one) for one in changes], "steps": steps})
        return
    show(f"plan {told['id']}, {told['state']}: {told['what']} by {told['author']}, {told['at'][:16]}", told["about"])
    if steps:
        telling.undo(session, {**told, "steps": steps, "ways": undoing.ways(steps)}, FEW)
    if changes:
        show(telling.counts(changes), telling.differences(session, changes, FEW))
    if told["stopped"]:
        show(f"the mass guard stops it: {told['stopped']}")
    for one in told["asks"]:
        show(f"it needs the approval of {one['who']}: {one['why']}")
    rows = [[a["at"][:16], a["actor"], "yes" if a["yes"] else "no", a["as"], a["note"]] for a in told["answers"]]
    if rows:
        show(table("Answers", ("at", "who", "", "as", "note"), rows))


def approve(session: Session, plan: PlanId, note: Note = "") -> None:
    """Agree to a plan that somebody else made: to the very content it has now."""
    _answer(session, plan, True, note)


def reject(session: Session, plan: PlanId, note: Note = "") -> None:
    """Reject a plan, with the reason."""
    _answer(session, plan, False, note)


def _answer(session: Session, plan: str, yes: bool, note: str) -> None:
    from datong.operations import plans

    told = plans.answer(session.engine(), session.trusted, plan, yes=yes, note=note)
    if session.json:
        document(told)
        return
    show(f"plan {plan}: {told['state']}")
    if told["state"] == "approved":
        words = ("config", "apply", "FILE") if told["what"] == "configuration" else ("apply", plan)
        show(f"next: {session.line(*words)}")
    elif told["waits_for"]:
        show(f"it still waits for {' and '.join(told['waits_for'])}")


# undo ----------------------------------------------------------------------------------------------------------------


def undo(
    session: Session,
    run: RunName = None,
    record: OneRecord = None,
    since: Since = None,
    kind: Kind = None,
    hold: Hold = False,
) -> int:
    """Plan to take back what a run did, or what became of one record since a moment; `apply` carries it out."""
    from datong.operations import undo as operations

    if (run is None) == (record is None) or (record is None) != (since is None):
        raise UsageError("name a run, or a record with --since", remedy="`datong runs` lists the runs")
    with session.working() as engine:
        if run is not None:
            told = operations.undo(engine, session.actor, run, hold=hold)
        else:
            assert record is not None and since is not None
            start = moment(since, session.app.clock)
            told = operations.undo_record(engine, session.actor, *record, start, kind, hold=hold)
    if session.json:
        document(told)
    else:
        telling.undo(session, told, FEW)
        _next(session, told)
    return FAILED if told["refused"] or told["problems"] or told["stopped"] else 0


def _next(session: Session, told: dict[str, Any]) -> None:
    if told["refused"]:
        show(f"{told['refused']} left as they are, for a later change would be lost")
    for by, why in told["asks"]:
        show(f"it needs the approval of {by}: {why}")
    if told["stopped"]:
        show(f"the mass guard stops it: {told['stopped']}")
    more = ("--accept-mass",) if told["stopped"] else ()
    words = ("plans", "approve", told["id"]) if told["asks"] else ("apply", told["id"], *more)
    show(f"next: {session.line(*words)}")


def runs(session: Session, limit: Limit = 20, before: Before = None, ndjson: Ndjson = False) -> None:
    """What was done, newest first: every sync, plan, apply and act of a person, by whom, with how much came of it."""
    from datong.operations import undo as operations

    items = operations.run_list(session.engine(), session.actor, before=before, limit=limit + 1)
    if not (session.json or ndjson):
        items = [{**item, "at": item["at"][:19], "came": _came(item)} for item in items]
    columns = {"name": "run", "at": "began", "what": "what", "actor": "who", "came": "what came of it"}
    listing(session, items, ndjson=ndjson, limit=limit, title="Runs", columns=columns)


def _came(item: dict[str, Any]) -> str:
    if item["until"] is None:
        return "it did not come to its end"
    told = ", ".join(f"{number} {name}" for name, number in item["totals"].items())
    return f"{item['plan']}: {told}" if item["plan"] else told


# hold ----------------------------------------------------------------------------------------------------------------


def field(
    session: Session,
    name: Field,
    record: HoldRecord = None,
    kind: HoldKind = None,
    side: Side = "",
    note: Note = "",
) -> None:
    """Freeze a field of one record (--record) or of every record of a kind (--kind) until it is released."""
    from datong.operations import records

    answer = records.hold_field(
        session.engine(), session.actor, name, record=record, kind=kind, connection=side, why=note
    )
    if session.json:
        document(answer)
    else:
        show(f"hold {answer['id']}: {answer['field']} of {answer['of']} is neither taken in nor written until released")


def list_holds(session: Session, limit: Limit = 100, ndjson: Ndjson = False) -> None:
    """What is held, by whom, since when and why."""
    from datong.operations import records

    items = records.holds_listed(session.engine(), session.actor)
    columns = {"id": "id", "of": "record", "field": "field", "connection": "where", "value": "kept there"}
    columns |= {"actor": "who", "at": "since", "why": "why"}
    listing(session, items[: limit + 1], ndjson=ndjson, limit=limit, title="Held fields", columns=columns)


def release(session: Session, number: HoldId) -> None:
    """End a hold: what changed meanwhile is read again on every side."""
    from datong.operations import records

    answer = records.release_field(session.engine(), session.actor, number)
    if session.json:
        document(answer)
    else:
        show(f"{answer['field']} of {answer['of']} is released")
