"""Where notices arrive: a real SMTP server (aiosmtpd), and a gateway over HTTP that may refuse or be silent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Protocol
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from datong.base import json


@dataclass
class PostOffice:
    """The mails that arrived. `answers`: what RCPT says to an address; `silent`: how many mails it takes and hangs up
    without an answer."""

    mails: list[EmailMessage] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    silent: int = 0
    port: int = 0

    async def handle_RCPT(
        self, server: Protocol, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Protocol, session: Session, envelope: Envelope) -> str:
        mail = message_from_bytes(envelope.content or b"", policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        if self.silent:
            self.silent -= 1
            assert server.transport is not None
            server.transport.close()
            await asyncio.sleep(0)
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        return [one for one in self.mails if address in str(one["To"])]

    def settings(self, **more: Any) -> dict[str, Any]:
        told = {"host": "127.0.0.1", "port": self.port, "encryption": "none", "sender": "service@datong.example"}
        return {**told, **more}


@contextmanager
def post_office(password: str = "") -> Iterator[PostOffice]:
    office = PostOffice()

    def let_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == password.encode()
        return AuthResult(success=good, handled=good)

    proof: dict[str, Any] = {"authenticator": let_in, "auth_required": True, "auth_require_tls": False}
    server = _Chosen(office, hostname="127.0.0.1", port=0, **(proof if password else {}))
    server.start()
    office.port = server.port
    try:
        yield office
    finally:
        server.stop()


class _Chosen(Controller):
    def _trigger_server(self) -> None:
        """It greets itself at its port: the one that the system chose."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@dataclass
class Gateway:
    """The calls that came in, newest last. `answer`: what is said to a call; None: the line goes dead."""

    answer: Callable[[str, Any], Any] = lambda path, body: {"code": "0", "id": "g-1"}
    calls: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def bodies(self, path: str) -> list[Any]:
        return [body for at, _, body in self.calls if at == path]


@contextmanager
def gateway() -> Iterator[Gateway]:
    told = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            form = "x-www-form-urlencoded" in (self.headers.get("Content-Type") or "")
            body = one_each(raw.decode()) if form else json.loads(raw) if raw else None
            told.calls.append((parts.path, one_each(parts.query), body))
            told.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = told.answer(parts.path, body)
            if answer is None:
                self.connection.close()
                return
            out = json.encode(answer)
            self.send_response(200)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def one_each(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
