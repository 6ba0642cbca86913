"""The flows that run: which way, how often, how many records; run one now."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from datong.operations import overview, sync
from datong.web.console.frame import Visitor, busy, button, card


async def build(who: Visitor) -> None:
    @ui.refreshable
    async def whole() -> None:
        for flow in await who.ask(lambda: overview.flows(who.desk.reading, who.actor)) or []:
            _flow(who, flow, whole.refresh)

    await whole()


def _flow(who: Visitor, flow: dict[str, Any], again: Any) -> None:
    with card(), ui.row().classes("w-full items-center"):
        with ui.column().classes("gap-0 grow min-w-0"):
            ui.label(f"{who.t(flow['name'])}").classes("font-medium")
            every = who.t("every {n} s", n=f"{flow['every']:g}") if flow["every"] else who.t("not by itself")
            facts = [who.t(flow["direction"]), every, who.t("webhooks") if flow["webhook"] else ""]
            ui.label(" · ".join(fact for fact in facts if fact)).classes("text-sm text-gray-600 dark:text-gray-300")
            looked = who.t(
                "looked at {last}, next {next}", last=who.when(flow["last_at"]), next=who.when(flow["next_at"])
            )
            ui.label(looked).classes("text-sm text-gray-600 dark:text-gray-300")
        share = "–" if flow["agreement"] is None else f"{flow['agreement']:g} %"
        ui.label(f"{share} · {who.t('{n} records', n=flow['records'])}").classes("tabular-nums")

        async def plan() -> None:
            totals = await busy(
                who, lambda: who.desk.long(who.actor, lambda e: sync.plan(e, who.actor, [flow["name"]]))
            )
            if totals is not None:
                ui.navigate.to(f"/plans/{totals['id']}")

        async def run() -> None:
            done = await busy(who, lambda: who.desk.long(who.actor, lambda e: sync.sync(e, who.actor, [flow["name"]])))
            if done is not None:
                ui.notify(
                    who.t("{read} read, {created} created, {updated} updated, {failed} failed", **done.told),
                    type="positive",
                )
                again()

        button(who.t("Plan"), plan, "fact_check")
        button(who.t("Run now"), run, "play_arrow", main=True)
