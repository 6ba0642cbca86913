"""Search, and one record over all systems: values side by side with where they came from, what waits, what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from datong.operations import overview, records
from datong.operations.chain import KINDS
from datong.web.console.frame import Visitor, button, card, empty, heading, rows
from datong.web.console.values import Shown

_PAGE = 50
_EVENTS = 60


async def build_search(who: Visitor) -> None:
    """Find a record by any of its values."""
    asked = ui.context.client.request.query_params
    text, kind, after = asked.get("text", ""), asked.get("kind", ""), asked.get("after", "0")
    kinds = sorted({kind for flow in overview.flows(who.desk.reading, who.actor) for kind in flow["kinds"]})
    with ui.row().classes("w-full items-center"):
        field = (
            ui.input(who.t("Name, number, tax id …"), value=text)
            .props("outlined dense clearable autofocus")
            .classes("grow")
        )
        options = {"": who.t("every kind"), **{one: who.t(one) for one in kinds}}
        which = ui.select(options, value=kind if kind in options else "").props("outlined dense").classes("w-48")

        def go(start: int = 0) -> None:
            ui.navigate.to(f"/records?text={_spelt(field.value or '')}&kind={which.value}&after={start}")

        field.on("keydown.enter", lambda: go())
        which.on_value_change(lambda: go())
        button(who.t("Search"), lambda: go(), "search", main=True)
    start = int(after) if after.isdecimal() else 0
    found = await who.ask(
        lambda: overview.found(who.desk.reading, who.actor, text, [kind] if kind else [], after=start, limit=_PAGE + 1)
    )
    if not found:
        empty(who.t("No record holds all these words."))
        return
    told = [
        {
            **row,
            "kind": who.t(row["kind"]),
            "in": "\n".join(f"{c} {i}" for c, i in row["in"].items()),
            "updated_at": who.when(row["updated_at"]),
        }
        for row in found[:_PAGE]
    ]
    columns = {"name": "Name", "number": "Number", "kind": "Kind", "in": "In", "updated_at": "Changed"}
    rows(who, columns, told).on("rowClick", lambda event: ui.navigate.to(f"/records/{event.args[1]['id']}"))
    if len(found) > _PAGE:
        button(who.t("More"), lambda: go(found[_PAGE - 1]["id"]), "chevron_right")


def _spelt(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


async def build(who: Visitor, number: int) -> None:
    """One record."""

    @ui.refreshable
    async def whole() -> None:
        told = await who.ask(lambda: records.explain_record(who.desk.reading, who.actor, number))
        if told is None:
            empty(who.t("There is no such record."))
            return
        _head(who, told, whole.refresh)
        _waiting(who, told)
        _fields(who, told)
        _timeline(who, told)

    await whole()


def _head(who: Visitor, told: dict[str, Any], again: Callable[[], Any]) -> None:
    record, main = told["record"], [link for link in told["links"] if link["main"]]
    with card():
        with ui.row().classes("w-full items-center"):
            ui.label(record["name"].removeprefix(record["kind"]).strip()).classes("text-xl font-semibold")
            ui.badge(who.t(record["kind"])).props("outline")
            if record["hold"] != "none":
                ui.badge(who.t(record["hold"])).props("color=accent")
            ui.space()
            if main:
                held = record["hold"] != "none"
                for what in ("release",) if held else ("pause", "lock"):
                    _hold(who, what, main[0], record["kind"], again)
        if record["kind"] in KINDS:
            ui.link(who.t("Its chain"), f"/chain?record={record['id']}")
        for link in told["links"]:
            state = "" if link["state"] == "live" else f" · {who.t(link['state'])}"
            times = [who.t("read {time}", time=who.when(link["read_at"]))]
            if link["written_at"]:
                times.append(who.t("written {time}", time=who.when(link["written_at"])))
            ui.label(f"{link['connection']} {link['native_id']}{state} · {' · '.join(times)}").classes("text-sm")
        for connection, verdict in record["verdicts"].items():
            if verdict["verdict"] != "go":
                ui.label(
                    f"{connection}: {who.t(verdict['verdict'])} – {verdict['why']}. {verdict['remedy'] or ''}"
                ).classes("text-sm text-accent")


def _hold(who: Visitor, what: str, link: dict[str, Any], kind: str, again: Callable[[], Any]) -> None:
    texts = {"pause": ("Pause", "pause"), "lock": ("Lock", "lock"), "release": ("Release", "play_arrow")}

    async def do() -> None:
        place = link["connection"], link["native_id"], kind
        done = await who.ask(lambda: who.desk.act(who.actor, lambda e: records.hold(e, who.actor, what, *place)))
        if done is not None:
            again()

    text, icon = texts[what]
    button(who.t(text), do, icon)


def _waiting(who: Visitor, told: dict[str, Any]) -> None:
    if not told["waiting"]:
        return
    with card():
        heading(who.t("What waits"))
        for one in told["waiting"]:
            ui.label(f"{one['what']}: {one['why']}").classes("break-words")
            if one.get("remedy"):
                ui.label(one["remedy"]).classes("text-sm text-gray-600 dark:text-gray-300 break-words")


def _fields(who: Visitor, told: dict[str, Any]) -> None:
    places = [link["connection"] for link in told["links"] if link["main"]]
    shown = Shown(who, [{"agreed": one["agreed"], **one["in"]} for one in told["fields"].values()])
    lines = []
    for name, field in told["fields"].items():
        sides = {f"in {c}": shown.value(field["in"][c]) if c in field["in"] else "" for c in places}
        lines.append(
            {
                "name": name,
                "field": shown.field(told["record"]["kind"], name),
                "agreed": shown.value(field["agreed"]),
                **sides,
                "from": f"{field['from'] or ''}\n{who.when(field['since'])[:16]}",
                "policy": shown.rule(field["policy"]),
                "held": field["held"] or "",
            }
        )
    with card():
        heading(who.t("Values"))
        columns = {"field": "Field", "agreed": "Agreed", **{f"in {c}": c for c in places}}
        rows(who, {**columns, "from": "From", "policy": "Rule", "held": "Held"}, lines, "name").props("dense")


def _timeline(who: Visitor, told: dict[str, Any]) -> None:
    entries = told["timeline"][-_EVENTS:]
    shown = Shown(who, [entry["values"] or {} for entry in entries])
    with card():
        heading(who.t("What happened"))
        with ui.timeline(side="right").classes("w-full"):
            for entry in reversed(entries):
                place = " ".join(part for part in (entry["connection"], entry["native_id"]) if part)
                body = shown.moved(told["record"]["kind"], (entry["values"] or {}).get("fields") or {})
                title = f"{who.t(entry['event'])} {place}".strip()
                with ui.timeline_entry(title=title, subtitle=f"{who.when(entry['at'])} · {entry['actor']}"):
                    text = "\n".join(part for part in (entry["why"], body) if part)
                    ui.label(text).classes("whitespace-pre-line break-words")
