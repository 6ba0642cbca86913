"""A very small HTTP/1.1 server: httptools parses, a plain function answers.

The handler gets (method, path, query, body) and returns (status, parts, headers), where parts is a list of byte
buffers, so that a large rendered slice is sent without being copied into a new body.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from http import HTTPStatus
from urllib.parse import parse_qsl

import httptools
import uvloop

Part = bytes | memoryview
Reply = tuple[int, Sequence[Part], bytes]
Handler = Callable[[bytes, bytes, dict[str, str], bytes], Reply]

_REASON = {s.value: s.phrase.encode() for s in HTTPStatus}


class _Connection(asyncio.Protocol):
    __slots__ = ("chunks", "handler", "parser", "transport", "url")

    transport: asyncio.Transport

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.chunks: list[bytes] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def on_url(self, url: bytes) -> None:
        self.url = url
        self.chunks = []

    def on_body(self, body: bytes) -> None:
        self.chunks.append(body)

    def on_message_complete(self) -> None:
        path, _, query = self.url.partition(b"?")
        body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        try:
            asked = dict(parse_qsl(query.decode())) if query else {}
            status, parts, extra = self.handler(self.parser.get_method(), path, asked, body)
        except Exception as error:  # a mistake of the bench must be seen by the peer's run
            status, parts, extra = 500, [repr(error).encode()], b""
        keep = self.parser.should_keep_alive()
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b%b\r\n" % (
            status,
            _REASON.get(status, b"Status"),
            sum(map(len, parts)),
            extra,
            b"" if keep else b"Connection: close\r\n",
        )
        self.transport.writelines([head, *parts])
        if not keep:
            self.transport.close()


def serve(handler: Handler, host: str, port: int) -> None:
    """Answers until SIGTERM or SIGINT. Port 0 takes a free one; the first line of standard output is the address."""

    async def answering() -> None:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, done.set)
        server = await loop.create_server(lambda: _Connection(handler), host, port, backlog=1024)
        print(f"http://{host}:{server.sockets[0].getsockname()[1]}", flush=True)
        await done.wait()
        server.close()

    uvloop.run(answering())
