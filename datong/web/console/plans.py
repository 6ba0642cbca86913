"""Plans: what would be written, before it is; agreed to by whoever is asked, applied by whoever may."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from datong.operations import plans, sync, undo
from datong.web.console.frame import Visitor, busy, button, card, empty, heading, rows
from datong.web.console.values import Shown

_PAGE = 100


async def build(who: Visitor) -> None:
    async def make() -> None:
        totals = await busy(who, lambda: who.desk.long(who.actor, lambda engine: sync.plan(engine, who.actor)))
        if totals is not None:
            ui.navigate.to(f"/plans/{totals['id']}")

    button(who.t("Make a plan of everything"), make, "fact_check", main=True)
    told = await who.ask(lambda: plans.listed(who.desk.reading, who.actor, every=True))
    if not told:
        empty(who.t("No plan yet. A plan shows everything that would be written, and writes nothing."))
        return
    lines = [
        {
            "id": plan["id"],
            "at": who.when(plan["at"]),
            "author": plan["author"],
            "what": f"{who.t(plan['what'])}\n{plan['about']}".strip(),
            "changes": _totals(who, plan["totals"]),
            "state": who.t("stopped") if plan["stopped"] and plan["state"] == "open" else who.t(plan["state"]),
        }
        for plan in told
    ]
    columns = {"at": "Made", "author": "By", "what": "What", "changes": "Changes", "state": "State"}
    rows(who, columns, lines).on("rowClick", lambda event: ui.navigate.to(f"/plans/{event.args[1]['id']}"))


async def build_one(who: Visitor, plan_id: str) -> None:
    plan = await who.ask(lambda: plans.shown(who.desk.reading, who.actor, plan_id))
    changes = await who.ask(lambda: sync.plan_changes_of(who.desk.reading, who.actor, plan_id, limit=_PAGE + 1))
    if plan is None or changes is None:
        empty(who.t("There is no such plan."))
        return
    with card():
        heading(f"{who.when(plan['at'])} · {plan['author']}")
        ui.label(_totals(who, plan["totals"]))
        if plan["stopped"]:
            ui.label(plan["stopped"]).classes("text-accent")
        for one in plan["answers"]:
            said = who.t("agreed") if one["yes"] else who.t("rejected")
            ui.label(f"{one['actor']} ({one['as']}): {said} {one['note']}").classes("text-sm")
        ui.badge(who.t(plan["state"])).props("outline")
        if plan["waits_for"]:
            ui.label(who.t("waits for {who}", who=", ".join(plan["waits_for"])))
            with ui.row().classes("items-center w-full"):
                _answer(who, plan_id)
        if plan["state"] in ("open", "approved"):
            with ui.row():
                _apply(who, plan_id, mass=bool(plan["stopped"]))
    if plan["what"] == "undo":
        await _steps(who, plan_id)
    shown = Shown(who, [one["fields"] for one in changes])
    lines = [
        {
            "number": one["number"],
            "action": who.t(one["action"]),
            "connection": one["connection"],
            "record": f"{who.t(one['kind'])} {one['name']}".strip(),
            "fields": shown.moved(one["kind"], one["fields"], 10),
            "reason": f"{one['reason']}\n{one['reversible']}",
        }
        for one in changes[:_PAGE]
    ]
    if not lines:
        empty(who.t("Nothing to write: both sides agree."))
        return
    columns = {"action": "What", "connection": "System", "record": "Record", "fields": "Values", "reason": "Why"}
    rows(who, columns, lines, "number")
    if len(changes) > _PAGE:
        ui.label(who.t("The first {n} are shown; `datong plan --out` writes all.", n=_PAGE)).classes("text-sm")


async def _steps(who: Visitor, plan_id: str) -> None:
    """What an undo takes back, and what it cannot."""
    told = await who.ask(lambda: undo.steps_told(who.desk.reading, who.actor, plan_id, limit=_PAGE)) or []
    shown = Shown(who, [{"before": one["before"], "after": one["after"]} for one in told])
    lines = [
        {
            "number": one["number"],
            "record": f"{who.t(one['kind'])} {one['name']}",
            "field": shown.field(one["kind"], one["field"]) if one["field"] else "",
            "values": f"{shown.value(one['before'])} → {shown.value(one['after'])}",
            "way": who.t(one["way"]),
            "why": one["why"],
        }
        for one in told
    ]
    with card():
        heading(who.t("What is taken back"))
        columns = {"record": "Record", "field": "Field", "values": "Values", "way": "How", "why": "Why"}
        rows(who, columns, lines, "number").props("dense")


def _answer(who: Visitor, plan_id: str) -> None:
    note = ui.input(who.t("Reason")).props("dense outlined").classes("grow")

    async def say(yes: bool) -> None:
        done = await who.ask(
            lambda: who.desk.act(who.actor, lambda e: plans.answer(e, who.actor, plan_id, yes=yes, note=note.value))
        )
        if done is not None:
            ui.navigate.reload()

    button(who.t("Approve"), lambda: say(True), "check", main=True)
    button(who.t("Refuse"), lambda: say(False), "block")


def _apply(who: Visitor, plan_id: str, *, mass: bool) -> None:
    async def apply() -> None:
        with ui.dialog() as sure, ui.card():
            told = "The mass guard stopped this plan. Apply it nevertheless?" if mass else "Apply this plan?"
            ui.label(who.t(told))
            with ui.row():
                button(who.t("Apply"), lambda: sure.submit(True), "done", main=True)
                button(who.t("Not now"), lambda: sure.submit(False))
        if not await sure:
            return
        done = await busy(
            who,
            lambda: who.desk.long(who.actor, lambda engine: sync.apply(engine, who.actor, plan_id, accept_mass=mass)),
        )
        if done is not None:
            ui.notify(
                who.t("{read} read, {created} created, {updated} updated, {failed} failed", **done.told),
                type="positive",
            )
            ui.navigate.reload()

    button(who.t("Apply"), apply, "done_all", main=True)


def _totals(who: Visitor, totals: dict[str, Any]) -> str:
    told = [who.t(f"{{n}} {name}", n=totals[name]) for name in ("creates", "updates", "deletes") if totals.get(name)]
    return ", ".join(told) or who.t("nothing")
