"""The door of a system: counts calls and plays the faults that concern whole calls, outside the application."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from datong.sandbox.clock import SECOND
from datong.sandbox.faults import ON_CALLS, Call, Rule, current_call
from datong.sandbox.system import System

_LOGIN_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"
_JSON = (b"content-type", b"application/json")


@dataclass(slots=True)
class _Answer:
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


class Gate:
    def __init__(self, app: ASGIApp, system: System) -> None:
        self._app = app
        self._system = system
        self._late: set[asyncio.Task[None]] = set()
        self._players: dict[str, Callable[[Rule, Scope, Receive, Send], Awaitable[None]]] = {
            "rate_limit": self._rate_limit,
            "unavailable": self._unavailable,
            "error_before": self._error_before,
            "error_after_commit": self._error_after_commit,
            "timeout_late_commit": self._timeout_late_commit,
            "drop_connection": self._drop_connection,
            "html_200": self._html_200,
            "truncated_json": self._truncated_json,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _is_foreign(scope):
            await _error(send, 403, "calls from other sites are refused")
        elif scope["path"].startswith("/_control"):
            await self._app(scope, receive, send)
        elif self._system.out_of_service:
            await _error(send, 503, "out of service")
        elif scope["path"].startswith(self._system.api):
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(scope["method"], scope["path"], scope["path"].removeprefix(self._system.api).partition("/")[0])
        current_call.set(call)
        self._system.count_request(call)
        for rule in self._system.faults.take(call.object, "latency"):
            await asyncio.sleep(rule.seconds(0.2))
        fault = self._system.faults.take_one(call.object, *ON_CALLS)
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._players[fault.action](fault, scope, receive, send)

    async def _rate_limit(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        await _error(send, 429, "too many requests", rule.seconds(1))

    async def _unavailable(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        await _error(send, 503, "unavailable", rule.params.get("seconds"))

    async def _error_before(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        await _error(send, int(rule.params.get("status", 500)), "internal error")

    async def _error_after_commit(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        await self._collect(scope, receive)
        await _error(send, int(rule.params.get("status", 500)), "internal error")

    async def _timeout_late_commit(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        delay = rule.seconds(1, "delay")
        start = self._system.clock.micros()
        self._system.late_commits += 1
        task = asyncio.create_task(self._commit_later(scope, await _replayed(receive), start + round(delay * SECOND)))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        try:
            await self._system.clock.until(start + round(rule.seconds(delay, "hold") * SECOND))
        finally:
            _hang_up(scope)

    async def _commit_later(self, scope: Scope, receive: Receive, due: int) -> None:
        try:
            await self._system.clock.until(due)
            await self._collect(scope, receive)
        finally:
            self._system.late_commits -= 1

    async def _drop_connection(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        if rule.params.get("after_commit"):
            await self._collect(scope, receive)
        _hang_up(scope)

    async def _html_200(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        await _reply(send, _Answer(200, [(b"content-type", b"text/html; charset=utf-8")], _LOGIN_PAGE))

    async def _truncated_json(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._collect(scope, receive)
        await _reply(send, _Answer(answer.status, [_JSON], answer.body[: len(answer.body) // 2]))

    async def _collect(self, scope: Scope, receive: Receive) -> _Answer:
        """Lets the application do its work and keeps the answer back."""
        answer = _Answer()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message["headers"])
            else:
                answer.body += message.get("body", b"")

        await self._app(scope, receive, keep)
        return answer


def _is_foreign(scope: Scope) -> bool:
    """A browser page of another site must not steer the sandbox."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin-1")
    return bool(origin) and urlsplit(origin).netloc != headers.get(b"host", b"").decode("latin-1")


async def _replayed(receive: Receive) -> Receive:
    """The whole body read now, to be handed on later, when the caller may be gone."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _error(send: Send, status: int, message: str, retry_after: Any = None) -> None:
    headers = [_JSON]
    if retry_after is not None:
        headers.append((b"retry-after", f"{float(retry_after):g}".encode()))
    await _reply(send, _Answer(status, headers, orjson.dumps({"error": message})))


async def _reply(send: Send, answer: _Answer) -> None:
    headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _hang_up(scope: Scope) -> None:
    """Closes the connection under the caller; the server puts it into the scope (see serve.py)."""
    transport = scope.get("state", {}).get("transport")
    if transport is None:
        raise RuntimeError("this server does not hand over its connections")
    transport.abort()
