"""Do both sides agree, proved: the reports that were made, and a new one."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from datong.base.errors import DatongError
from datong.insight.reconciliation_page import page as page_of
from datong.operations import reconcile
from datong.operations.access import Access, NotLoggedIn
from datong.web.console.frame import Visitor, busy, button, empty, language_of, rows
from datong.web.desk import Desk
from datong.web.visitor import COOKIE


async def build(who: Visitor) -> None:
    async def compare() -> None:
        told = await busy(who, lambda: who.desk.long(who.actor, lambda engine: reconcile.reconcile(engine, who.actor)))
        if told is not None:
            ui.navigate.to(f"/reports/{told['id']}")

    with ui.row().classes("items-center"):
        button(who.t("Compare both sides now"), compare, "balance", main=True)
        ui.label(who.t("Both are read in full; nothing is written. What differs is planned for repair."))
    told = await who.ask(lambda: reconcile.listed(who.desk.reading, who.actor)) or []
    if not told:
        empty(who.t("No report yet."))
        return
    columns = {"at": "When", "author": "By", "equal": "In agreement", "differing": "Differing", "plan": "Plan"}
    table = rows(who, columns, [_line(who, row) for row in told])
    table.on("rowClick", lambda event: ui.navigate.to(f"/reports/{event.args[1]['id']}", new_tab=True))


def _line(who: Visitor, row: dict[str, Any]) -> dict[str, Any]:
    totals = row["totals"]
    return {
        "id": row["id"],
        "at": who.when(row["started_at"]),
        "author": row["author"],
        "equal": f"{totals['equal']} / {totals['compared']}",
        "differing": totals.get("differing", ""),
        "plan": (totals.get("plan") or {}).get("id", ""),
    }


def routes(desk: Desk, access: Access) -> list[Route]:
    """The report itself, a page of its own, for whoever is logged in."""

    async def report(request: Request) -> Response:
        def told() -> str:
            actor = access.of_session(request.cookies.get(COOKIE, ""))
            signed = reconcile.shown(desk.reading, actor, request.path_params["report"])
            return page_of(signed, "zh" if language_of(request) == "zh" else "en")

        try:
            return HTMLResponse(await run_in_threadpool(told), headers={"Cache-Control": "no-store"})
        except NotLoggedIn:
            return RedirectResponse(f"/login?next={request.url.path}", 303)
        except DatongError as error:
            return Response(f"{error}\n{error.remedy}\n", 404, media_type="text/plain; charset=utf-8")

    return [Route("/reports/{report}", report)]
