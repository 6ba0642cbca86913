"""A real HTTP server that answers as it is told, byte by byte where need be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None  # what Content-Length says, when it lies; -1: none is given
    wait: float = 0.0
    drop: bool = False  # hang up without a word


@dataclass
class Server:
    url: str
    seen: list[tuple[str, str, bytes]]
    headers: list[dict[str, str]]
    answer: Callable[[str], Reply]

    def says(self, *replies: Reply) -> None:
        """Each in turn; the last for ever."""
        queue = list(replies)
        self.answer = lambda _: queue.pop(0) if len(queue) > 1 else queue[0]


@contextmanager
def serving() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            told.seen.append((self.command, self.path, body))
            told.headers.append({k.lower(): v for k, v in self.headers.items()})
            reply = told.answer(self.path)
            time.sleep(reply.wait)
            if reply.drop:
                self.close_connection = True
                return
            if "Date" in reply.headers:
                self.send_response_only(reply.status)
            else:
                self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.length != -1:
                self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
            self.close_connection = reply.length is not None
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told = Server(f"http://127.0.0.1:{server.server_address[1]}", [], [], lambda _: Reply())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
