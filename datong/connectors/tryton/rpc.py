"""Tryton's JSON-RPC: its typed JSON, its session, and its error answers as consequences.

Tryton answers 200 for most failures and says which in the body; everything it says there means that the transaction
was rolled back: nothing was done.

| error in the body | consequence |
|---|---|
| UserError | RequestRefused, code `UserError` |
| UserWarning | RequestRefused, code `warning`: a person would have to accept it |
| ConcurrencyException | Stale: the record is no longer what was read |
| LoginException | AccessDenied |
| "could not serialize", "database is locked" | TryLater |
| anything else (unknown field, a bug) | RequestRefused, code `server_error` |
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from datong.base.errors import AccessDenied, BadAnswer, OutcomeUnknown, RemoteError, RequestRefused, TryLater
from datong.kit import Http

BUSY = ("could not serialize access", "database is locked", "deadlock detected")


class Stale(TryLater):
    """A record was changed since the state that the call was made for."""


def busy(status: int, body: bytes) -> RemoteError | None:
    """503 with a lost race is certain to have done nothing; other 503s go by the kit's table."""
    if status == 503 and any(sign in body.decode("utf8", "replace") for sign in BUSY):
        return TryLater(f"Tryton is busy: {_plain_text(body)}")
    return None


class Session:
    """One login. A session that has expired is opened again once; a second refusal is the person's to mend."""

    def __init__(self, http: Http, database: str, login: str, password: str, language: str) -> None:
        self._http = http
        self._path = f"/{database}/rpc/"
        self._login, self._password, self._language = login, password, language
        self._authorization: str | None = None
        self._lock = threading.Lock()

    def call(self, method: str, *params: Any, context: Mapping[str, Any], changes: bool = False) -> Any:
        """The result of `method`. Raises RemoteError."""
        arguments = [*params, context]
        used = self._open(None)
        status, answer = self._send(method, arguments, used, changes)
        if status == 401:
            status, answer = self._send(method, arguments, self._open(used), changes)
        if status == 401:
            raise AccessDenied(
                f"Tryton does not accept the session of {self._login}", remedy="check login and password"
            )
        return self._result(method, answer, changes)

    def server_version(self) -> str:
        return str(self._result("version", self._post("/rpc/", "common.server.version", [], None, False)[1], False))

    def _open(self, refused: str | None) -> str:
        """The session to use; `refused` is the one that was not accepted."""
        with self._lock:
            if self._authorization is None or self._authorization == refused:
                self._authorization = None
                self._authorization = self._log_in()
            return self._authorization

    def _log_in(self) -> str:
        body = {
            "id": 0,
            "method": "common.db.login",
            "params": [self._login, {"password": self._password}, self._language],
        }
        try:
            answer = self._http.call("POST", self._path, body=body, changes=False)
        except AccessDenied as error:
            raise AccessDenied(
                f"Tryton does not let {self._login} in", remedy="check login and password in the configuration"
            ) from error
        except RequestRefused as error:
            if error.code != "404":
                raise
            raise AccessDenied(
                f"Tryton has no database at {self._path}", remedy="correct `database` in the configuration"
            ) from error
        user, key, *_ = self._result("common.db.login", answer, False)
        return "Session " + base64.b64encode(f"{self._login}:{user}:{key}".encode()).decode()

    def _send(self, method: str, params: list[Any], session: str, changes: bool) -> tuple[int, Any]:
        return self._post(self._path, method, params, session, changes)

    def _post(self, path: str, method: str, params: list[Any], session: str | None, changes: bool) -> tuple[int, Any]:
        body = {"id": 0, "method": method, "params": encode(params)}  # exactly these three: else errors come as HTML
        headers = {"Authorization": session} if session else {}
        answer: tuple[int, Any] = self._http.call(
            "POST", path, body=body, headers=headers, changes=changes, allow=(401,)
        )
        return answer

    def _result(self, method: str, answer: Any, changes: bool) -> Any:
        if isinstance(answer, Mapping) and "error" in answer:
            raise consequence(method, answer["error"])
        if not isinstance(answer, Mapping) or "result" not in answer:
            told = f"Tryton answered {method} with neither result nor error: {str(answer)[:80]!r}"
            raise OutcomeUnknown(told) if changes else BadAnswer(told)
        return decode(answer["result"])


def consequence(method: str, error: Any) -> RemoteError:
    """What an `error` member means."""
    name, told = (error[0], error[1]) if isinstance(error, list) and len(error) >= 2 else (str(error), "")
    parts = [str(p) for p in told] if isinstance(told, list) else [str(told)]
    if name == "UserError":
        return RequestRefused(" ".join(p for p in parts[:2] if p), code="UserError")
    if name == "UserWarning":
        return RequestRefused(
            f"Tryton warns: {' '.join(p for p in parts[1:3] if p)}",
            remedy="do it in Tryton, where the warning can be read and accepted, or remove its cause",
            code="warning",
        )
    if name == "ConcurrencyException":
        return Stale(parts[0])
    if name == "LoginException":
        return AccessDenied(f"Tryton asks for more than a password: {' '.join(parts)}", remedy="use a plain login")
    if any(sign in str(name) for sign in BUSY):
        return TryLater(f"Tryton is busy: {name}")
    return RequestRefused(
        f"Tryton failed in {method}: {name}",
        remedy="see Tryton's log; is the module that has this field activated?",
        code="server_error",
    )


def encode(value: Any) -> Any:
    """Tryton's typed JSON, outwards."""
    if isinstance(value, Mapping):
        return {key: encode(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(one) for one in value]
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime", **{name: getattr(moment, name) for name in names}}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    return value


_TYPED: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "Decimal": lambda v: Decimal(v["decimal"]),
    "datetime": lambda v: datetime(
        v["year"], v["month"], v["day"], v["hour"], v["minute"], v["second"], v["microsecond"], tzinfo=UTC
    ),
    "date": lambda v: date(v["year"], v["month"], v["day"]),
    "timedelta": lambda v: timedelta(seconds=v["seconds"]),
    "bytes": lambda v: base64.b64decode(v["base64"]),
}


def decode(value: Any) -> Any:
    """Tryton's typed JSON, inwards. Its times are UTC without saying so."""
    if isinstance(value, list):
        return [decode(one) for one in value]
    if isinstance(value, dict):
        reader = _TYPED.get(value.get("__class__", ""))
        return reader(value) if reader else {key: decode(one) for key, one in value.items()}
    return value


def _plain_text(body: bytes) -> str:
    import re

    return re.sub(r"<[^>]+>|\s+", " ", body.decode("utf8", "replace")).strip()[:200]
