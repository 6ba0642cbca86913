"""A small HTTP client for the lab's own calls: JSON in, JSON out, one kept connection per thread."""

from __future__ import annotations

import gzip
import http.client
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit

HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "gzip"}


class Http:
    """Calls to one server on loopback."""

    def __init__(self, url: str, timeout: float = 120.0) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._timeout = timeout
        self._local = threading.local()

    def send(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> tuple[int, str]:
        """Status and text. A kept connection that the server has closed meanwhile is opened again, once."""
        kept: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if kept is not None:
            try:
                return self._exchange(kept, method, path, body, headers)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                kept.close()
        fresh = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        self._local.connection = fresh
        try:
            return self._exchange(fresh, method, path, body, headers)
        except BaseException:
            self._local.connection = None
            fresh.close()
            raise

    def _exchange(
        self, to: http.client.HTTPConnection, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[int, str]:
        to.request(method, path, body.encode() if body is not None else None, {**HEADERS, **headers})
        answer = to.getresponse()
        data = answer.read()
        if data[:2] == b"\x1f\x8b":  # Tryton labels long bodies gzip even when they are not: believe the bytes
            data = gzip.decompress(data)
        return answer.status, data.decode("utf-8", "replace")

    def answers(self, method: str, path: str, body: str | None = None) -> bool:
        """Whether the server gives a good answer right now."""
        try:
            return self.send(method, path, body, {})[0] == 200
        except (OSError, http.client.HTTPException):
            return False
