"""Plans: what would be written, before it is; applied by whoever may."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from datong.operations import overview, sync
from datong.web.console.flows import _busy
from datong.web.console.frame import Visitor, button, card, empty, heading, rows
from datong.web.console.values import Shown

_PAGE = 100


async def build(who: Visitor) -> None:
    async def make() -> None:
        totals = await _busy(who, lambda: who.desk.long(who.actor, lambda engine: sync.plan(engine, who.actor)))
        if totals is not None:
            ui.navigate.to(f"/plans/{totals['id']}")

    button(who.t("Make a plan of everything"), make, "fact_check", main=True)
    told = await who.ask(lambda: overview.saved_plans(who.desk.reading, who.actor))
    if not told:
        empty(who.t("No plan yet. A plan shows everything that would be written, and writes nothing."))
        return
    lines = [
        {
            "id": plan["id"],
            "at": who.when(plan["at"]),
            "author": plan["author"],
            "flows": ", ".join(who.t(flow) for flow in plan["flows"]),
            "changes": _totals(who, plan["totals"]),
            "state": who.t("stopped") if plan["stopped"] and plan["state"] == "open" else who.t(plan["state"]),
        }
        for plan in told
    ]
    columns = {"at": "Made", "author": "By", "flows": "Flows", "changes": "Changes", "state": "State"}
    rows(who, columns, lines).on("rowClick", lambda event: ui.navigate.to(f"/plans/{event.args[1]['id']}"))


async def build_one(who: Visitor, plan_id: str) -> None:
    plans = await who.ask(lambda: overview.saved_plans(who.desk.reading, who.actor, limit=1000)) or []
    plan = next((one for one in plans if one["id"] == plan_id), None)
    changes = await who.ask(lambda: sync.plan_changes_of(who.desk.reading, who.actor, plan_id, limit=_PAGE + 1))
    if plan is None or changes is None:
        empty(who.t("There is no such plan."))
        return
    with card():
        heading(f"{who.when(plan['at'])} · {plan['author']}")
        ui.label(_totals(who, plan["totals"]))
        if plan["stopped"]:
            ui.label(plan["stopped"]).classes("text-accent")
        if plan["state"] == "open":
            with ui.row():
                _apply(who, plan_id, mass=bool(plan["stopped"]))
        else:
            ui.badge(who.t(plan["state"]))
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
        done = await _busy(
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
