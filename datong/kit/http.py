"""HTTP for connectors: one place turns answers and broken calls into consequences.

| answer | read | write |
|---|---|---|
| 401, 403 | AccessDenied | AccessDenied |
| 429 | RateLimited (and the budget pauses) | the same |
| 408, 502, 503, 504 | TryLater | OutcomeUnknown, but 503 with Retry-After and 429 mean "not done" |
| other 5xx | TryLater | OutcomeUnknown |
| other 4xx | RequestRefused | RequestRefused |
| no connection | TryLater | TryLater: nothing was sent |
| cut or silent after sending | TryLater | OutcomeUnknown |
| not the promised JSON, larger than `most_bytes` | BadAnswer | OutcomeUnknown |

A connector changes a row by a `Rule`, for the statuses its vendor uses in its own way.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

import httpx2

from datong.base import json
from datong.base.clock import SystemClock
from datong.base.errors import (
    AccessDenied,
    BadAnswer,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RequestRefused,
    TryLater,
)
from datong.kit.budget import Budget

Rule = Callable[[int, bytes], RemoteError | None]
"""(status, body) -> the consequence, or None to go by the table."""

Sign = Callable[[str, str, bytes], Mapping[str, str]]
"""(method, whole address, body) -> headers that prove who we are; asked for every call."""

MOST_BYTES = 64 * 1024 * 1024
"""The largest answer that is taken in, packed or not."""

_SECONDS = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)
_LONGEST_PAUSE = 86400.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with all that came with it; header names in lower case."""

    status: int
    data: Any
    headers: Mapping[str, str]


class Http:
    """One connection's client: its own session, never shared with another connection's."""

    def __init__(
        self,
        base_url: str,
        budget: Budget,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        rules: Sequence[Rule] = (),
        sign: Sign | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._date: str | None = None
        self._budget = budget
        self._rules = tuple(rules)
        self._sign = sign
        self._most_bytes = most_bytes
        self._client = httpx2.Client(
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})},
            verify=_certificates(),
            timeout=httpx2.Timeout(timeout, connect=min(10.0, timeout)),
            follow_redirects=False,
            trust_env=False,
        )

    @property
    def server_time(self) -> datetime | None:
        """By the Date header of the last answer that had one."""
        return http_date(self._date)

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None, **more: Any) -> Any:
        return self.call("GET", path, params=params, **more)

    def put(self, path: str, content: bytes) -> None:
        """Send a content as it is to a place that takes the same twice. Raises RemoteError; what is lost of it may be
        sent again."""
        self._budget.take()
        sent = {"Content-Type": "application/octet-stream"}
        status, answer, headers = self._send("PUT", path, None, content, sent, False)
        if status >= 300:
            raise self._consequence("PUT", path, status, answer, headers, False)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        changes: bool | None = None,
        allow: Sequence[int] = (),
    ) -> Any:
        """The decoded JSON answer (None when empty). Raises RemoteError.

        `changes` says whether the call may change something there; by default every method but GET and HEAD.
        `allow` are statuses of 400 and up that the connector reads itself: then (status, body) is returned, where
        the body is JSON or nothing.
        """
        reply = self.exchange(method, path, params=params, body=body, headers=headers, changes=changes, allow=allow)
        return (reply.status, reply.data) if allow else reply.data

    def exchange(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        changes: bool | None = None,
        allow: Sequence[int] = (),
    ) -> Reply:
        """As `call`, with status and headers. `form` is sent as a web form is, in place of a JSON `body`."""
        writes = method not in ("GET", "HEAD") if changes is None else changes
        content: bytes | None = None
        sent = {}
        if form is not None:
            content, sent = urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        elif body is not None:
            content, sent = json.encode(body), {"Content-Type": "application/json"}
        self._budget.take()
        status, answer, answer_headers = self._send(method, path, params, content, {**sent, **(headers or {})}, writes)
        if status in allow:
            try:
                return Reply(status, json.loads(answer) if answer.strip() else None, answer_headers)
            except ValueError:
                pass  # a page for people: the table decides
        for rule in self._rules:
            consequence = rule(status, answer)
            if consequence is not None:
                raise consequence
        if status >= 300:
            raise self._consequence(method, path, status, answer, answer_headers, writes)
        decoded = self._decode(answer, path, writes=writes) if answer.strip() else None
        return Reply(status, decoded, answer_headers)

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        content: bytes | None,
        headers: Mapping[str, str],
        writes: bool,
    ) -> tuple[int, bytes, Mapping[str, str]]:
        where = f"{method} {self.base_url}{path}"
        try:
            request = self._client.build_request(
                method, self.base_url + path, params=params, content=content, headers=headers
            )
            if self._sign is not None:
                request.headers.update(self._sign(method, str(request.url), content or b""))
            response = self._client.send(request, stream=True)
            try:
                raw = self._taken(response, where)
            finally:
                response.close()
            self._date = response.headers.get("date") or self._date
            return response.status_code, _unpacked(raw, self._most_bytes), response.headers
        except _TooLargeError as error:
            told = f"{where} answered more than {self._most_bytes:,} bytes"
            remedy = "read smaller pages, or fewer fields"
            raise (OutcomeUnknown(told, remedy=remedy) if writes else BadAnswer(told, remedy=remedy)) from error
        except zlib.error as error:  # half a packed answer
            told = f"{where} answered a damaged gzip body: {error}"
            raise (OutcomeUnknown(told) if writes else BadAnswer(told)) from error
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise TryLater(
                f"{self.base_url} cannot be reached: {error}", remedy="is the system running, and the address right?"
            ) from error
        except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL) as error:
            raise RequestRefused(
                f"{where}: {error}", remedy="correct the address or the credentials in the configuration"
            ) from error
        except httpx2.HTTPError as error:
            told = f"{where}: {type(error).__name__} {error}".strip()
            raise (OutcomeUnknown(told) if writes else TryLater(told)) from error

    def _taken(self, response: httpx2.Response, where: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_raw():
            size += len(part)
            if size > self._most_bytes:
                raise _TooLargeError
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _decode(self, content: bytes, path: str, *, writes: bool) -> Any:
        try:
            return json.exact(content)
        except ValueError as error:
            told = f"{self.base_url}{path} answered {_instead(content)}: {_around(content, error)!r}"
            raise (OutcomeUnknown(told) if writes else BadAnswer(told)) from error

    def _consequence(
        self, method: str, path: str, status: int, content: bytes, headers: Mapping[str, str], writes: bool
    ) -> RemoteError:
        told = f"{method} {path} answered {status}: {content[:300].decode('utf8', 'replace')}"
        after = retry_after(headers.get("retry-after"), self.server_time or SystemClock().now())
        if status in (401, 403):
            return AccessDenied(told, remedy="check the credentials and the rights of the user they belong to")
        if status == 429:
            self._budget.pause(after if after is not None else 1.0)
            return RateLimited(told, after=after)
        if status == 503 and after is not None:
            return TryLater(told, after=after)
        if status in (408, 425) or status >= 500:
            return OutcomeUnknown(told) if writes else TryLater(told, after=after)
        if status < 400 and (place := headers.get("location")):
            remedy = f"it has moved to {place:.200}: correct the address in the configuration"
            return RequestRefused(told, remedy=remedy, code=str(status))
        return RequestRefused(told, code=str(status))


@cache
def _certificates() -> Any:
    """The authorities we trust: read once a process, for it takes longer than a request."""
    return httpx2.create_ssl_context()


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header, a number or an HTTP date; a day at most, for a wrong one must not stop us."""
    if not text:
        return None
    if _SECONDS.fullmatch(text.strip()):
        return min(_LONGEST_PAUSE, float(text))
    moment = http_date(text)
    return None if moment is None else min(_LONGEST_PAUSE, max(0.0, (moment - now).total_seconds()))


def http_date(text: str | None) -> datetime | None:
    """The moment of a Date or Retry-After header; None where it is missing or no date."""
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _TooLargeError(Exception):
    pass


def _around(content: bytes, error: ValueError) -> str:
    """Where the body stops being JSON, with what stands around it; its beginning where that is not known."""
    at = getattr(error, "pos", 0)
    shown = content.decode("utf8", "replace")[max(0, at - 60) :][:80]
    return f"{'…' if at > 60 else ''}{shown}"


def _instead(content: bytes) -> str:
    """What came in place of JSON."""
    start = content[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page and no JSON (is the address right, is somebody logged out, is a proxy between?)"
    if start.startswith(b"<"):
        return "XML and no JSON"
    if start.startswith((b"{", b"[")):
        return "no JSON: it is cut short or damaged"
    return "no JSON"


def _unpacked(content: bytes, most_bytes: int) -> bytes:
    """Some servers label plain bodies gzip and send packed ones unlabelled: the content tells."""
    if content[:2] != b"\x1f\x8b":
        return content
    found: list[bytes] = []
    size = 0
    while content:  # a body may be of several members
        unpacker = zlib.decompressobj(wbits=31)
        part = unpacker.decompress(content, most_bytes - size + 1)
        size += len(part)
        if size > most_bytes:
            raise _TooLargeError
        if not unpacker.eof:
            raise zlib.error("it ends too early")
        found.append(part)
        content = unpacker.unused_data.lstrip(b"\0")
    return b"".join(found)
