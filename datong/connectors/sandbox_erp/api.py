"""Calls to SimERP: status 200 for nearly everything, so the answer itself says what happens next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datong.base.errors import AccessDenied, BadAnswer, OutcomeUnknown, RateLimited, RemoteError, RequestRefused
from datong.kit import Http


class Api:
    def __init__(self, http: Http) -> None:
        self._http = http

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, Any] | None = None,
        changes: bool | None = None,
        patience: int = 0,
    ) -> dict[str, Any]:
        """The answer, be it a refusal. `patience`: how often a rate limit is waited out (by the budget)."""
        try:
            told = self._http.call(method, path, params=params, body=body, changes=changes)
        except RateLimited:
            if patience == 0:
                raise
            return self.ask(method, path, body, params=params, changes=changes, patience=patience - 1)
        if not isinstance(told, dict) or not isinstance(told.get("ok"), bool):
            strange = f"{method} {path} answered {str(told)[:80]!r}"
            raise BadAnswer(strange) if method == "GET" or changes is False else OutcomeUnknown(strange)
        return told

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """The answer. A refusal of the whole call is raised."""
        told = self.ask(method, path, body, **more)
        if not told["ok"]:
            raise refusal(f"{method} {path}", told["error"])
        return told

    def close(self) -> None:
        self._http.close()


def refusal(what: str, error: Mapping[str, Any]) -> RemoteError:
    code, message = error["code"], error.get("message", "")
    if code == "NO_RIGHT":
        return AccessDenied(f"{what}: {message}", remedy="give the API key the right to write")
    return RequestRefused(f"{what}: {message or code}", field=error.get("field"), code=code)
