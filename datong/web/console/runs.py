"""What ran, when, by whom, and what came of it; taken back where that is possible."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from datong.operations import undo
from datong.web.console.frame import Visitor, busy, button, empty, rows

_PAGE = 50


async def build(who: Visitor) -> None:
    asked = ui.context.client.request.query_params.get("before", "")
    before = int(asked) if asked.isdecimal() else None
    told = await who.ask(lambda: undo.run_list(who.desk.reading, who.actor, before=before, limit=_PAGE)) or []
    if not told:
        empty(who.t("Nothing ran yet."))
        return
    with ui.row().classes("items-center w-full"):
        ui.label(who.t("Choose a run to take it back: you see first what that changes, and what cannot be undone."))
        hold = ui.switch(who.t("hold what is put back"))
    columns = {"id": "No.", "what": "What", "actor": "Who", "at": "When", "totals": "Changes"}
    table = rows(who, columns, [_line(who, run) for run in told])

    async def take_back(event: GenericEventArguments) -> None:
        name = event.args[1]["name"]
        plan = await busy(
            who, lambda: who.desk.long(who.actor, lambda engine: undo.undo(engine, who.actor, name, hold=hold.value))
        )
        if plan is not None:
            ui.navigate.to(f"/plans/{plan['id']}")

    table.on("rowClick", take_back)
    if len(told) == _PAGE:
        button(who.t("Older"), lambda: ui.navigate.to(f"/runs?before={told[-1]['id']}"), "chevron_left")


def _line(who: Visitor, run: dict[str, Any]) -> dict[str, Any]:
    counts = [f"{who.t(name)} {many}" for name, many in run["totals"].items() if isinstance(many, int) and many]
    return {
        "id": run["id"],
        "name": run["name"],
        "what": who.t(run["what"]),
        "actor": run["actor"],
        "at": who.when(run["at"]),
        "totals": ", ".join(counts) or who.t("nothing"),
    }
