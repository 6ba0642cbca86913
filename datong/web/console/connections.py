"""The connected systems: do they answer, since when not, what to do; try everything at once."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from datong.operations import checking, overview
from datong.web.console.frame import Visitor, busy, button, card, heading, rows


async def build(who: Visitor) -> None:
    answers = ui.column().classes("w-full")

    async def check() -> None:
        told = await busy(who, lambda: who.desk.long(who.actor, lambda engine: checking.check(engine, who.actor)))
        if told is not None:
            answers.clear()
            with answers:
                _answers(who, told)

    with ui.row():
        button(who.t("Try everything"), check, "network_check", main=True)
    for conn in await who.ask(lambda: overview.connections(who.desk.reading, who.actor)) or []:
        _connection(who, conn)


def _connection(who: Visitor, conn: dict[str, Any]) -> None:
    well = conn["state"] == "well"
    with card():
        with ui.row().classes("items-center w-full"):
            ui.icon("check_circle" if well else "error").props(f"color={'positive' if well else 'negative'}")
            heading(conn["name"])
            ui.badge(who.t(conn["role"])).props("outline")
            if conn["read_only"]:
                ui.badge(who.t("read only")).props("outline")
            ui.space()
            ui.label(who.t("{n} records", n=conn["records"])).classes("tabular-nums")
        if not well:
            ui.label(f"{who.t('suspended')} {who.when(conn['since'])}: {conn['cause']}").classes("text-negative")
            ui.label(conn["remedy"] or "")
        facts = [", ".join(conn["companies"]), ", ".join(who.t(kind) for kind in conn["kinds"])]
        ui.label(" · ".join(fact for fact in facts if fact)).classes("text-sm text-gray-600 dark:text-gray-300")


def _answers(who: Visitor, told: dict[str, Any]) -> None:
    with card():
        heading(who.t("In order") if told["ok"] else who.t("Something is to be corrected"))
        lines = [{**one, "ok": "✓" if one["ok"] else "✗"} for one in told["connections"]]
        rows(who, {"name": "System", "ok": "Answers", "detail": "What it says"}, lines, "name").props("dense")
        if told["problems"]:
            lines = [{**one, "id": number} for number, one in enumerate(told["problems"])]
            rows(who, {"severity": "", "where": "Where", "cause": "What", "remedy": "What to do"}, lines).props("dense")
