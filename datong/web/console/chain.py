"""The chain of a document over both systems: who made what of what, in which state, and who waits for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui
from nicegui.events import EChartPointClickEventArguments

from datong.operations import chain, overview
from datong.web.console.frame import Visitor, button, card, empty, heading, rows
from datong.web.console.values import Shown

_WIDE, _HIGH = 200, 104
_LINE = "#64748b"
_MANY = 20


async def build(who: Visitor) -> None:
    asked = ui.context.client.request.query_params
    text, record = asked.get("text", ""), asked.get("record", "")
    with ui.row().classes("w-full items-center"):
        field = ui.input(who.t("Number of a document"), value=text).props("outlined dense clearable").classes("grow")

        def go() -> None:
            ui.navigate.to(f"/chain?text={field.value or ''}")

        field.on("keydown.enter", go)
        button(who.t("Show"), go, "account_tree", main=True)
    number = int(record) if record.isdecimal() else await _chosen(who, text)
    if number is not None:
        told = await who.ask(lambda: chain.chain_of(who.desk.reading, who.actor, number))
        if told is not None:
            _picture(who, told)
            _waits(who, told)
            _documents(who, told)


async def _chosen(who: Visitor, text: str) -> int | None:
    """The document that answers to what was typed; several are listed."""
    if not text.strip():
        empty(who.t("Quote, order, shipments, invoices, payments: who made what of what, and who waits for whom."))
        return None
    found = await who.ask(lambda: overview.found(who.desk.reading, who.actor, text, chain.KINDS, limit=_MANY)) or []
    if len(found) == 1:
        return int(found[0]["id"])
    if not found:
        empty(who.t("No document holds all these words."))
    for one in found:
        ui.link(f"{who.t(one['kind'])} {one['name']}", f"/chain?record={one['id']}")
    return None


def places(documents: Sequence[Mapping[str, Any]]) -> dict[int, tuple[int, int]]:
    """Where each document stands: a column for each kind that there is, those of a kind below one another."""
    columns = {kind: number for number, kind in enumerate(dict.fromkeys(one["kind"] for one in documents))}
    below: dict[str, int] = {}
    found = {}
    for one in documents:
        row = below.get(one["kind"], 0)
        below[one["kind"]] = row + 1
        found[one["record"]] = (columns[one["kind"]] * _WIDE, row * _HIGH)
    return found


def _picture(who: Visitor, told: dict[str, Any]) -> None:
    documents = told["documents"]
    at = places(documents)
    shown = Shown(who, [one["figures"] for one in documents])
    nodes = [
        {
            "id": str(one["record"]),
            "name": str(one["record"]),
            "x": at[one["record"]][0],
            "y": at[one["record"]][1],
            "symbol": "roundRect",
            "symbolSize": [_WIDE - 40, _HIGH - 26],
            "itemStyle": {"color": "#b45309" if one["waits"] else "#0f766e"},
            "label": {
                "show": True,
                "color": "#fff",
                "fontSize": 11,
                "width": _WIDE - 56,
                "overflow": "truncate",
                "formatter": _label(who, shown, one),
            },
        }
        for one in documents
    ]
    edges = [
        {"source": str(before), "target": str(one["record"])}
        for one in documents
        for before in one["from"]
        if before in at
    ]
    high = max((y for _, y in at.values()), default=0) + _HIGH
    series = {
        "type": "graph",
        "layout": "none",
        "data": nodes,
        "links": edges,
        "edgeSymbol": ["none", "arrow"],
        "edgeSymbolSize": 8,
        "lineStyle": {"color": _LINE, "width": 1.5, "curveness": 0.1},
        "roam": True,
    }

    def opened(event: EChartPointClickEventArguments) -> None:
        if str(event.name).isdecimal():
            ui.navigate.to(f"/records/{event.name}")

    with card():
        heading(who.t("From left to right"))
        ui.echart({"series": [series]}, on_point_click=opened).style(
            f"height: {max(180, min(high + 60, 640))}px"
        ).classes("w-full").props(f'role=img aria-label="{who.t("The same stands in the table below.")}"')


def _label(who: Visitor, shown: Shown, one: Mapping[str, Any]) -> str:
    states = ", ".join(who.t(state) for state in list(one["states"].values())[:2])
    total, currency = one["figures"].get("total") or one["figures"].get("amount"), one["figures"].get("currency")
    name = one["name"].removeprefix(one["kind"]).strip()
    money = f"{total} {shown.value(currency)}" if total and currency else str(total or "")
    return "\n".join(part for part in (who.t(one["kind"]), name, states, money) if part)


def _waits(who: Visitor, told: dict[str, Any]) -> None:
    if not told["waits"]:
        return
    with card():
        heading(who.t("Who waits for whom"))
        for one in told["waits"]:
            ui.label(
                f"{one['document']}: {' · '.join(str(v) for k, v in one.items() if k != 'document' and v)}"
            ).classes("break-words")


def _documents(who: Visitor, told: dict[str, Any]) -> None:
    shown = Shown(who, [one["figures"] for one in told["documents"]])
    lines = [
        {
            "record": one["record"],
            "kind": who.t(one["kind"]),
            "name": one["name"].removeprefix(one["kind"]).strip(),
            "states": "\n".join(f"{shown.field(one['kind'], n)}: {who.t(s)}" for n, s in one["states"].items()),
            "figures": "\n".join(f"{shown.field(one['kind'], n)}: {shown.value(v)}" for n, v in one["figures"].items()),
            "sides": "\n".join(f"{side['connection']} {side['id']}" for side in one["sides"]),
            "moves": "\n".join(
                f"{who.when(move.get('at'))} {who.t(str(move.get('after') or ''))}" for move in one["moves"]
            ),
        }
        for one in told["documents"]
    ]
    columns = {
        "kind": "Kind",
        "name": "Number",
        "states": "State",
        "figures": "Figures",
        "sides": "In",
        "moves": "Moves",
    }
    with card():
        heading(who.t("Documents"))
        table = rows(who, columns, lines, "record").props("dense")
        table.on("rowClick", lambda event: ui.navigate.to(f"/records/{event.args[1]['record']}"))
