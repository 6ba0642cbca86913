"""The pages and their addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from nicegui import app, ui
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from datong.operations.access import Access
from datong.web.console import (
    chain,
    connections,
    entrance,
    flows,
    journal,
    overview,
    people,
    plans,
    reconciliation,
    record,
    runs,
    worklist,
)
from datong.web.console.frame import House, Visitor, page
from datong.web.desk import Desk

_POLICY = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; font-src 'self' data:; "
    # its components are compiled in the browser, which takes both
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)

_BUILT: dict[str, tuple[str, Callable[[Visitor], Awaitable[None]]]] = {
    "/": ("Overview", overview.build),
    "/items": ("Work list", worklist.build),
    "/records": ("Records", record.build_search),
    "/chain": ("Chain", chain.build),
    "/flows": ("Flows", flows.build),
    "/plans": ("Plans", plans.build),
    "/runs": ("Runs", runs.build),
    "/reconciliation": ("Reconciliation", reconciliation.build),
    "/connections": ("Connections", connections.build),
    "/journal": ("Journal", journal.build),
    "/people": ("People", people.build),
}


def mount(parent: Starlette, desk: Desk, access: Access, zone: str) -> None:
    """Everything that `parent` does not serve itself is the console's. One service a process has it."""
    app.state.house = House(desk, access, zone)
    parent.router.routes.extend([*entrance.routes(access), *reconciliation.routes(desk, access)])
    for path, (title, build) in _BUILT.items():
        ui.page(path)(_shown(title, build))

    @ui.page("/records/{number}")
    async def one(request: Request, number: int) -> Response | None:
        return await page(request, "Record", lambda who: record.build(who, number))

    @ui.page("/plans/{plan}")
    async def changes(request: Request, plan: str) -> Response | None:
        return await page(request, "Plan", lambda who: plans.build_one(who, plan))

    ui.run_with(parent, title="Datong 打通", mount_path="/", show_welcome_message=False)  # type: ignore[arg-type]
    parent.add_middleware(_Guarded)


def _shown(title: str, build: Callable[[Visitor], Awaitable[None]]) -> Callable[[Request], Awaitable[Response | None]]:
    async def show(request: Request) -> Response | None:
        return await page(request, title, build)

    return show


class _Guarded:
    """Every answer says what a browser may do with it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._inner(scope, receive, guarded if scope["type"] == "http" else send)
