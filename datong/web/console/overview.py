"""Are we in agreement? Per cent of each flow, what waits for a person, which systems answer; kept current."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from datong.operations import overview
from datong.web.console.frame import Visitor, card, empty, heading

_EVERY = 5.0
TYPES = {"parked": "Parked", "review": "To review", "conflict": "In conflict"}


async def build(who: Visitor) -> None:
    @ui.refreshable
    async def whole() -> None:
        told = await who.ask(lambda: overview.overview(who.desk.reading, who.actor))
        if told is not None:
            _whole(who, told)

    await whole()
    ui.timer(_EVERY, whole.refresh, immediate=False)


def _whole(who: Visitor, told: dict[str, Any]) -> None:
    with ui.grid().classes("w-full grid-cols-2 lg:grid-cols-4 gap-3"):
        agreement = told["agreement"]
        _figure(
            who.t("In agreement"),
            "–" if agreement is None else f"{agreement:g} %",
            who.t("{n} records", n=told["records"]),
            good=agreement is None or agreement >= 99,
        )
        waiting = sum(one["many"] for one in told["items"])
        _figure(who.t("Waits for a person"), str(waiting), who.t("see the work list"), good=not waiting, to="/items")
        _figure(who.t("To be written"), str(told["due"]), who.t("{n} hints not looked at", n=told["hints"]))
        written = told["written"]
        _figure(
            who.t("Written in the last hour"),
            str(sum(written.values())),
            who.t("{created} created, {updated} updated, {deleted} deleted", **written),
        )
    with ui.grid().classes("w-full grid-cols-1 lg:grid-cols-3 gap-3"):
        with card().classes("lg:col-span-2"):
            heading(who.t("Flows"))
            for flow in told["flows"]:
                _flow(who, flow)
        with ui.column().classes("w-full gap-3"):
            with card():
                heading(who.t("Systems"))
                for conn in told["connections"]:
                    _connection(who, conn)
            with card():
                heading(who.t("Waits for a person"))
                if not told["items"]:
                    empty(who.t("Nothing waits. What cannot go on by itself appears here, with what to do."))
                for one in told["items"]:
                    with ui.row().classes("w-full justify-between items-center no-wrap"):
                        ui.link(f"{who.t(TYPES[one['type']])}: {who.t(one['cause'])}", f"/items?cause={one['cause']}")
                        ui.badge(str(one["many"])).props("color=accent")
    ui.label(who.t("as of {time}", time=who.when(told["at"]))).classes("text-xs text-gray-600 dark:text-gray-300")


def _figure(name: str, value: str, below: str, *, good: bool = True, to: str = "") -> None:
    with card().classes("gap-1"):
        ui.label(name).classes("text-sm text-gray-600 dark:text-gray-300")
        ui.label(value).classes("text-2xl font-semibold" + ("" if good else " text-accent"))
        if to:
            ui.link(below, to).classes("text-sm")
        else:
            ui.label(below).classes("text-sm text-gray-600 dark:text-gray-300")


def _flow(who: Visitor, flow: dict[str, Any]) -> None:
    share = flow["agreement"]
    with ui.row().classes("w-full items-center no-wrap gap-3"):
        ui.link(who.t(flow["name"]), f"/records?kind={flow['kinds'][0]}" if flow["kinds"] else "/flows").classes(
            "w-48 shrink-0"
        )
        ui.linear_progress(1 if share is None else share / 100, show_value=False).props(
            f"size=8px rounded color={'positive' if share is None or share >= 99 else 'accent'} "
            f'aria-label="{who.t(flow["name"])}"'
        ).classes("grow")
        ui.label("–" if share is None else f"{share:g} %").classes("w-20 text-right tabular-nums whitespace-nowrap")
        ui.label(str(flow["records"])).classes(
            "w-16 text-right tabular-nums text-gray-600 dark:text-gray-300 max-sm:hidden"
        )


def _connection(who: Visitor, conn: dict[str, Any]) -> None:
    well = conn["state"] == "well"
    with ui.row().classes("w-full items-start no-wrap gap-2"):
        ui.icon("check_circle" if well else "error").classes("text-xl").props(
            f"color={'positive' if well else 'negative'} aria-hidden=true"
        )
        with ui.column().classes("gap-0"):
            ui.label(f"{conn['name']} · {who.t('{n} records', n=conn['records'])}")
            if not well:
                ui.label(f"{who.t('suspended')}: {conn['cause']}").classes("text-sm text-negative")
                ui.label(conn["remedy"] or "").classes("text-sm")
