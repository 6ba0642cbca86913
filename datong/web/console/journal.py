"""The journal: everything seen, decided and written, and proof that nobody changed it."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from datong.operations import overview
from datong.web.console.frame import Visitor, button, empty, rows
from datong.web.console.values import Shown

_PAGE = 100


async def build(who: Visitor) -> None:
    asked = ui.context.client.request.query_params.get("after", "")
    after = int(asked) if asked.isdecimal() else None

    async def verify() -> None:
        told = await who.ask(lambda: who.desk.app.sealer.verify())
        if told is None:
            return
        if told["intact"]:
            ui.notify(who.t("Intact: {rows} rows, {sealed} of them sealed", **told), type="positive", timeout=10_000)
        else:
            ui.notify(
                f"{who.t('NOT INTACT from row')} {told['first_bad']}: {told['why']}",
                type="negative",
                timeout=0,
                close_button=who.t("Close"),
            )

    found = await who.ask(lambda: overview.history(who.desk.reading, who.actor, after=after, limit=_PAGE)) or []
    with ui.row():
        button(who.t("Verify all seals"), verify, "verified")
        if found:
            before = max(0, found[0]["id"] - 1 - _PAGE)
            button(who.t("Older"), lambda: ui.navigate.to(f"/journal?after={before}"), "chevron_left")
            button(who.t("Newer"), lambda: ui.navigate.to(f"/journal?after={found[-1]['id']}"), "chevron_right")
        button(who.t("Newest"), lambda: ui.navigate.to("/journal"), "last_page")
    if not found:
        empty(who.t("Nothing after this."))
        return
    columns = {"at": "When", "actor": "Who", "event": "Event", "subject": "Record", "what": "Values", "why": "Why"}
    shown = Shown(who, [row["values"] or {} for row in found])
    table = rows(who, columns, [_line(who, shown, row) for row in reversed(found)]).props("dense")

    def opened(event: GenericEventArguments) -> None:
        if event.args[1]["record"]:
            ui.navigate.to(f"/records/{event.args[1]['record']}")

    table.on("rowClick", opened)


def _line(who: Visitor, shown: Shown, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "record": row["record_id"],
        "at": who.when(row["at"]),
        "actor": row["actor"],
        "event": who.t(row["event"]),
        "subject": " ".join(
            str(part) for part in (row["kind"] and who.t(row["kind"]), row["connection"], row["native_id"]) if part
        ),
        "what": shown.moved(row["kind"], (row["values"] or {}).get("fields") or {}, 6),
        "why": row["why"],
    }
