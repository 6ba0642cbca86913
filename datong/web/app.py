"""The HTTP side of the service: `POST /hooks/{connection}`, probes and metrics. What asks the store happens in threads;
what a webhook points at is found right here, for it takes less time than handing it to one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from anyio import to_thread
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from datong.base import log
from datong.base.errors import AccessDenied, RemoteError, StoreError
from datong.bootstrap.build import App
from datong.engine.worker import Worker
from datong.kit import Hint, Incoming
from datong.operations.access import Access
from datong.web import api
from datong.web.desk import Desk
from datong.web.hooks import Letterbox
from datong.web.metrics import Metrics
from datong.web.pages import routes as public_routes

LARGEST_BODY = 1_000_000
_RETRY_AFTER = "5"
_LONG = 30.0


@dataclass
class Parts:
    """What the routes work with. `patience`: seconds a vendor is kept waiting for the store."""

    app: App
    worker: Worker
    letterbox: Letterbox
    metrics: Metrics
    desk: Desk
    access: Access
    patience: float = 4.0
    zone: str = "UTC"
    written_at: float = field(default=float("-inf"))


class _RefusedError(Exception):
    """The webhook is not taken: status, and what its sender may know."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status = status


def create(parts: Parts) -> Starlette:
    async def hook(request: Request) -> Response:
        return await _hook(parts, request.path_params["connection"], request)

    async def healthz(_: Request) -> Response:
        """The process is alive."""
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        """It can do its work; else why not."""
        reasons = await _reasons(parts)
        told = {"ready": not reasons, "reasons": reasons, "config": parts.app.config.version}
        return JSONResponse(told, 503 if reasons else 200)

    async def metrics(_: Request) -> Response:
        try:
            text = await to_thread.run_sync(parts.metrics.text)
        except StoreError as error:
            return PlainTextResponse(f"{error}\n", 503)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def keep(connection: str, hint: Hint, at: datetime) -> None:
        """A message is on the disk already: that the store is busy costs it time only."""
        try:
            accepted = await _patiently(parts, parts.letterbox.post(connection, [hint], at))
        except (StoreError, TimeoutError) as error:
            log.get("web").warning("a message waits for the next look", connection=connection, cause=str(error))
            return
        parts.metrics.noted(connection, accepted)
        if accepted:
            parts.worker.wake()

    return Starlette(
        routes=[
            Route("/hooks/{connection}", hook, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            *public_routes(parts.app, keep, parts.zone),
            Mount(f"/api/{api.VERSION}", api.create(parts.desk, parts.access)),
        ]
    )


async def _hook(parts: Parts, connection: str, request: Request) -> Response:
    try:
        if connection not in parts.app.landscape.connections:
            raise _RefusedError(404, "there is no such connection")
        headers = {name.lower(): value for name, value in request.headers.items()}
        incoming = Incoming(headers, await _body(request), parts.app.clock.now())
        hints = _hints(parts, connection, incoming)
        accepted = await _noted(parts, connection, hints, incoming.received_at)
    except _RefusedError as refused:
        if refused.status != 404:
            parts.metrics.refused(connection, refused.status)
        headers = {"Retry-After": _RETRY_AFTER} if refused.status == 503 else {}
        return JSONResponse({"error": str(refused)}, refused.status, headers=headers)
    parts.metrics.noted(connection, accepted)
    parts.worker.heard(connection, incoming.received_at)
    if accepted:
        parts.worker.wake()
    return JSONResponse({"accepted": accepted}, 202)


async def _body(request: Request) -> bytes:
    """The body, as long as it is of a sane size: an announced one is not even read."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST_BODY:
        raise _RefusedError(413, f"more than {LARGEST_BODY} bytes")
    body = bytearray()
    async for some in request.stream():
        body += some
        if len(body) > LARGEST_BODY:
            raise _RefusedError(413, f"more than {LARGEST_BODY} bytes")
    return bytes(body)


def _hints(parts: Parts, connection: str, incoming: Incoming) -> Sequence[Hint]:
    """What the webhook points at. Its sender is told little; the log says what is wrong."""
    try:
        return list(parts.app.landscape.connections[connection].connector.hints(incoming))
    except RemoteError as error:
        status, told = (401, "not authorised") if isinstance(error, AccessDenied) else (400, "not understood")
        log.get("web").warning("webhook refused", connection=connection, cause=str(error), remedy=error.remedy)
        raise _RefusedError(status, told) from error
    except Exception as error:  # a webhook is answered whatever the connector makes of it; the vendor tries again
        log.get("web").exception("a connector failed on a webhook", connection=connection)
        raise _RefusedError(500, "failed") from error


async def _noted(parts: Parts, connection: str, hints: Sequence[Hint], at: datetime) -> int:
    """Durable when this returns. A sender that is put off tries again; a hint noted twice does no harm."""
    try:
        return await _patiently(parts, parts.letterbox.post(connection, hints, at))
    except (StoreError, TimeoutError) as error:
        log.get("web").warning("webhook put off", connection=connection, cause=str(error) or "the store is busy")
        raise _RefusedError(503, "the store is busy, try again") from error


async def _patiently(parts: Parts, noted: Future[int]) -> int:
    here = asyncio.wrap_future(noted)
    here.add_done_callback(lambda done: done.cancelled() or done.exception())  # also when nobody waits any more
    done = await asyncio.wait_for(asyncio.shield(here), parts.patience)
    parts.written_at = parts.app.clock.monotonic()
    return done


async def _reasons(parts: Parts) -> list[str]:
    """Why the service cannot do its work now."""
    reasons: list[str] = []
    if not parts.worker.alive:
        reasons.append("the worker is not running")
    elif parts.worker.problem:
        reasons.append(f"the worker: {parts.worker.problem}")
    trouble = await _store_trouble(parts)
    return [*reasons, trouble] if trouble else reasons


async def _store_trouble(parts: Parts) -> str:
    """A store that is busy just now is well, unless it has been so for long."""
    try:
        await _patiently(parts, parts.letterbox.ping())
    except TimeoutError:
        if parts.app.clock.monotonic() - parts.written_at > _LONG:
            return "the store has been locked for long"
    except StoreError as error:
        return f"the store cannot be written: {error}"
    return ""
