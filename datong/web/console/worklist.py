"""The work list: what waits for a person, the values side by side, and what they can do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.events import KeyEventArguments

from datong.engine.cycle import Engine
from datong.operations import approvals, overview, work
from datong.operations.actor import Actor
from datong.web.console.frame import Visitor, button, card, empty, heading
from datong.web.console.overview import TYPES

_PAGE = 50
Act = Callable[[Engine, Actor], Any]


async def build(who: Visitor) -> None:
    await _List(who, str(ui.context.client.request.query_params.get("cause", ""))).build()


class _List:
    """The items that are open, one of them chosen. Keys: J and K go down and up."""

    def __init__(self, who: Visitor, cause: str) -> None:
        self.who, self.cause = who, cause
        self.items: list[dict[str, Any]] = []
        self.pages: list[int] = [0]
        self.chosen = 0
        self.more = False

    async def build(self) -> None:
        ui.keyboard(on_key=self._key)
        await self._load()
        with ui.grid().classes("w-full grid-cols-1 lg:grid-cols-5 gap-3 items-start"):
            with ui.column().classes("w-full lg:col-span-2 gap-2"):
                await self.causes()
                self.listed()
            with ui.column().classes("w-full lg:col-span-3"):
                await self.one()

    async def _load(self) -> None:
        who, cause = self.who, self.cause
        rows = await who.ask(
            lambda: work.listed(
                who.desk.reading, who.actor, tuple(TYPES), after=self.pages[-1], limit=_PAGE + 1, cause=cause
            )
        )
        self.items = (rows or [])[:_PAGE]
        self.more = len(rows or []) > _PAGE
        self.chosen = min(self.chosen, max(0, len(self.items) - 1))

    @ui.refreshable_method
    async def causes(self) -> None:
        """How many of each cause; a press shows these only."""
        told = await self.who.ask(lambda: overview.overview(self.who.desk.reading, self.who.actor)["items"])
        with ui.row().classes("gap-1"):
            for one in told or []:
                on = one["cause"] == self.cause
                chip = ui.chip(
                    f"{self.who.t(one['cause'])} {one['many']}", selectable=False, on_click=self._only(one["cause"])
                )
                chip.props("outline" if not on else "color=primary text-color=white")

    def _only(self, cause: str) -> Callable[[], Any]:
        async def show() -> None:
            self.cause = "" if self.cause == cause else cause
            self.pages, self.chosen = [0], 0
            await self._again()

        return show

    @ui.refreshable_method
    def listed(self) -> None:
        if not self.items:
            empty(self.who.t("Nothing waits. What cannot go on by itself appears here, with what to do."))
            return
        with ui.list().props("bordered separator").classes("w-full rounded max-h-[45vh] lg:max-h-[78vh] overflow-auto"):
            for number, item in enumerate(self.items):
                with ui.item(on_click=self._choose(number)).classes("bg-primary/10" if number == self.chosen else ""):
                    with ui.item_section():
                        ui.item_label(f"{self.who.t(TYPES[item['type']])}: {self.who.t(item['cause'])}")
                        ui.item_label(item["reason"]).props("caption lines=2")
                    with ui.item_section().props("side top"):
                        ui.item_label(self.who.when(item["opened_at"])[5:16]).props("caption")
        with ui.row():
            if len(self.pages) > 1:
                button(self.who.t("Back"), self._turn(-1), "chevron_left")
            if self.more:
                button(self.who.t("More"), self._turn(1), "chevron_right")

    def _choose(self, number: int) -> Callable[[], Any]:
        async def choose() -> None:
            self.chosen = number
            self.listed.refresh()
            await self.one.refresh()

        return choose

    def _turn(self, way: int) -> Callable[[], Any]:
        async def turn() -> None:
            if way > 0:
                self.pages.append(self.items[-1]["id"])
            else:
                self.pages.pop()
            self.chosen = 0
            await self._again()

        return turn

    async def _again(self) -> None:
        await self._load()
        await self.causes.refresh()
        self.listed.refresh()
        await self.one.refresh()

    async def _key(self, event: KeyEventArguments) -> None:
        step = {"j": 1, "k": -1}.get(str(event.key)) if event.action.keydown else None
        if step is not None and self.items:
            await self._choose(max(0, min(len(self.items) - 1, self.chosen + step)))()

    # one item --------------------------------------------------------------------------------------------------------

    @ui.refreshable_method
    async def one(self) -> None:
        if not self.items:
            return
        item, who = self.items[self.chosen], self.who
        with card():
            heading(f"{who.t(TYPES[item['type']])}: {who.t(item['cause'])}")
            ui.label(item["reason"]).classes("break-words w-full")
            with ui.row().classes("items-start no-wrap bg-primary/10 rounded p-2 w-full"):
                ui.icon("lightbulb").props("aria-hidden=true")
                ui.label(item["remedy"]).classes("break-words min-w-0")
            _sides(who, item["detail"] or {})
            if item["record_id"] is not None:
                ui.link(who.t("The record over all systems"), f"/records/{item['record_id']}")
            with ui.row().classes("w-full items-center"):
                self._moves(item)
            facts = [f"#{item['id']}", who.when(item["opened_at"]), who.t("{n} times", n=item["times"])]
            ui.label(" · ".join(facts)).classes("text-xs text-gray-600 dark:text-gray-300")

    def _moves(self, item: dict[str, Any]) -> None:
        number = item["id"]
        if item["cause"] == "approval":
            note = ui.input(self.who.t("Reason")).props("dense outlined").classes("grow")
            self._move("Approve", lambda e, a: approvals.answer(e, a, number, yes=True, note=note.value), "check", True)
            self._move("Refuse", lambda e, a: approvals.answer(e, a, number, yes=False, note=note.value), "block")
        elif item["type"] == "parked":
            self._move("Try again", lambda e, a: work.retry(e, a, number), "replay", True)
            self._move("Leave it so", lambda e, a: work.dismiss(e, a, number), "do_not_disturb_on")
        elif item["type"] == "review":
            self._move("They are one", lambda e, a: work.link(e, a, number), "link", True)
            self._move("They are two", lambda e, a: work.separate(e, a, number), "link_off")
        else:
            for connection in (item["detail"] or {}).get("values", {}):
                self._move(connection, self._take(number, connection), "done", True)
            value = ui.input(self.who.t("Another value")).props("dense outlined").classes("grow")
            self._move("This value", lambda e, a: work.resolve(e, a, number, value=value.value), "edit")

    def _take(self, number: int, connection: str) -> Act:
        return lambda engine, actor: work.resolve(engine, actor, number, take=connection)

    def _move(self, text: str, act: Act, icon: str, main: bool = False) -> None:
        async def do() -> None:
            who = self.who
            done = await who.ask(lambda: who.desk.act(who.actor, lambda engine: act(engine, who.actor)))
            if done is not None:
                ui.notify(who.t("Done; the next cycle carries it out."), type="positive")
                await self._again()

        button(self.who.t(text), do, icon, main=main)


def _sides(who: Visitor, detail: dict[str, Any]) -> None:
    """What the two sides hold, beside one another."""
    if "reasons" in detail and "left" in detail:
        left, right = detail["left"], detail["right"]
        told = [{"what": r["rule"], "left": r["left"], "right": r["right"]} for r in detail["reasons"]]
        names = {
            "what": who.t("What"),
            "left": f"{left['connection']} {left['id']}",
            "right": f"{right['connection']} {right['id']}",
        }
    elif isinstance(detail.get("values"), dict):
        told = [{"what": name, "left": str(value)} for name, value in detail["values"].items()]
        names = {"what": who.t("System"), "left": who.t("Value")}
    else:
        return
    columns = [{"name": n, "label": label, "field": n, "align": "left"} for n, label in names.items()]
    ui.table(columns=columns, rows=told, row_key="what").props("flat dense wrap-cells").classes("w-full")
