"""Plans and results as people read them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datong.cli.output import moved, show, table
from datong.operations.naming import Names

if TYPE_CHECKING:
    from datong.cli.context import Session
    from datong.engine.cycle import Result
    from datong.engine.planning import PlannedChange

PLANNED = (
    "read",
    "linked",
    "creates",
    "updates",
    "deletes",
    "skipped",
    "parked",
    "reviews",
    "conflicts",
    "irreversible",
)
DONE = ("read", "linked", "created", "updated", "deleted", "unchanged", "skipped", "failed", "later")


def plan(session: Session, told: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], few: int | None) -> None:
    """Totals, counts by flow and connection, the first changes, what needs a person, and what to do next."""
    show(f"plan {told['id']}", totals(told, (*PLANNED, "api_calls")))
    if changes:
        show(counts(changes), differences(session, changes, few))
    _for_people(told["parked"], told["reviews"], told["conflicts"], "would wait for a person")
    _problems(told["problems"])
    if told.get("about"):
        show(f"it was made under another configuration than the live one: {told['about']}")
    for by, why in told["asks"]:
        show(f"it needs the approval of {by}: {why}")
    if told["stopped"]:
        show(f"the mass guard stops it: {told['stopped']}")
        show(f"if that is what you want: {session.line('apply', told['id'], '--accept-mass')}")
    elif told["asks"]:
        show(f"next, somebody else: {session.line('plans', 'approve', told['id'])}")
    elif changes or told["linked"] or told["reviews"]:
        show(f"next: {session.line('apply', told['id'])}")
    else:
        show("both sides agree: nothing to write")


def totals(told: Mapping[str, Any], names: Sequence[str]) -> str:
    return ", ".join(f"{told[name]} {name.replace('_', ' ')}" for name in names if told[name]) or "nothing"


def counts(changes: Sequence[Mapping[str, Any]]) -> Any:
    found = Counter((c["flow"], c["kind"], c["connection"], c["action"]) for c in changes)
    rows = [[*place, number] for place, number in sorted(found.items())]
    return table("What would be written", ("flow", "kind", "connection", "action", "records"), rows)


def differences(session: Session, changes: Sequence[Mapping[str, Any]], few: int | None) -> Any:
    shown = changes if few is None else changes[:few]
    names = Names(session.app.store, [c["fields"] for c in shown])
    rows = [[c["action"], c["connection"], _record(c), moved(names.in_fields(c["fields"])), c["reason"]] for c in shown]
    title = "" if len(shown) == len(changes) else f"The first {len(shown)} of {len(changes)}; --changes shows all"
    return table(title, ("", "where", "record", "before -> after", "why"), rows)


def _record(change: Mapping[str, Any]) -> str:
    """The kind, the name if the change tells it, and where the record stands."""
    fields = change["fields"]
    name = next((fields[n]["after"] for n in ("name", "sku") if n in fields and fields[n]["after"]), "")
    told = f"from {change['source']}" if change["native_id"] is None else change["native_id"]
    return "\n".join(part for part in (f"{change['kind']} {name}", told) if part)


def undo(session: Session, told: Mapping[str, Any], few: int) -> None:
    """What would be taken back and how, what cannot be and why."""
    ways = ", ".join(f"{number} {way}" for way, number in told["ways"].items())
    show(f"plan {told['id']} takes back {told['about']}: {ways}")
    names = Names(session.app.store, [(step["before"], step["after"]) for step in told["steps"]])
    done = [step for step in told["steps"] if step["act"] != "none"]
    for title, steps in (("Taken back", done), ("Left as it is", [s for s in told["steps"] if s["act"] == "none"])):
        rows = [_step(step, names) for step in steps[:few]]
        if rows:
            more = f" (the first {few} of {len(steps)})" if len(steps) > few else ""
            show(table(f"{title}{more}", ("record", "field", "where", "now -> then", "how", "why"), rows))


def _step(step: Mapping[str, Any], names: Names) -> list[str]:
    values = {step["field"]: {"before": step["before"], "after": step["after"]}} if step["field"] else {}
    where = step["connection"] or ("everywhere" if step["field"] else "")
    return [step["name"], step["field"], where, moved(names.in_fields(values)), step["way"], step["why"]]


def first_load(session: Session, changes: Sequence[PlannedChange], few: int) -> None:
    """What a first sync is about to make equal, before it does."""
    if not changes:
        return
    told = [vars(change) for change in changes]
    show(f"first load: {len(told)} linked records differ; this is about to be written", counts(told))
    show(differences(session, told, few))
    sys.stdout.flush()


def result(session: Session, told: Result) -> None:
    """What a cycle did, what needs a person, and what to do next."""
    show(f"{totals(vars(told), DONE)}; {told.seconds:.1f} s; run {told.run}")
    _for_people(told.parked, told.reviews, told.conflicts, "new for a person")
    _problems(told.problems)
    if told.moved:
        names = ("action", "connection", "kind", "native_id", "source")
        rows = [[one[name] for name in names] for one in told.moved]
        show(table("Moved since the plan, not applied", ("", "where", "kind", "id", "from"), rows))
        show(f"next: {session.line('plan')}")
    if told.stopped:
        show(f"the plan is kept: {session.line('plans', 'show', told.plan)} says what it would do and who is asked")
    waiting = {name: number for name, number in told.waiting.items() if number}
    if waiting:
        lists = "; ".join(f"{number} {name}: {session.line(name, 'list')}" for name, number in waiting.items())
        show(f"waiting for a person: {lists}")


def _for_people(parked: int, reviews: int, conflicts: int, what: str) -> None:
    told = [f"{n} {name}" for n, name in ((parked, "parked"), (reviews, "to review"), (conflicts, "in conflict")) if n]
    if told:
        show(f"{what}: {', '.join(told)}")


def _problems(problems: Sequence[str]) -> None:
    for problem in problems:
        show(f"! {problem}")
