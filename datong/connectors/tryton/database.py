"""One Tryton database as this connection uses it: language and company of each call, lists by pages, known fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datong.base.errors import BadAnswer
from datong.connectors.tryton.party import Company
from datong.connectors.tryton.rpc import Session

LISTED = 1000
"""Rows asked for at once; a Tryton with a lower `[request] records_limit` refuses the call."""


class Database:
    """Calls are made in the first company, unless their context says otherwise."""

    def __init__(self, session: Session, language: str, companies: Sequence[Company]) -> None:
        self._session = session
        self._context: dict[str, Any] = {"language": language}
        if companies:
            self._context["company"] = companies[0].id
        self._described: dict[str, dict[str, Any]] = {}

    def call(self, method: str, *params: Any, context: Mapping[str, Any] | None = None) -> Any:
        """A read, of inactive records too."""
        return self._session.call(method, *params, context={**self._context, "active_test": False, **(context or {})})

    def change(self, method: str, *params: Any, stamps: Mapping[str, str], company: int | None = None) -> Any:
        """A write, in `company` where it is one's own affair."""
        context = {**self._context, **({} if company is None else {"company": company}), "_timestamp": dict(stamps)}
        return self._session.call(method, *params, context=context, changes=True)

    def all(self, model: str, domain: list[Any], fields: Sequence[str], size: int = LISTED) -> list[dict[str, Any]]:
        """Every row of `domain` in order of id, page by page behind the last id, so that none is skipped."""
        rows: list[dict[str, Any]] = []
        while True:
            behind = [["id", ">", rows[-1]["id"]]] if rows else []
            more = self.call(
                f"model.{model}.search_read", [*domain, *behind], 0, size, [["id", "ASC"]], ["id", *fields]
            )
            if more and rows and more[-1]["id"] <= rows[-1]["id"]:
                raise BadAnswer(f"Tryton gives the same rows of {model} for ever", remedy="look into its log")
            rows += more
            if len(more) < size:
                return rows

    def fields_of(self, model: str) -> dict[str, Any]:
        """The fields of a model that this database has and this user may read."""
        if model not in self._described:
            self._described[model] = self.call(f"model.{model}.fields_get", [])
        return self._described[model]


def dotted(row: Mapping[str, Any], path: str) -> Any:
    """`template.name` of a row that Tryton answers as {"template.": {"name": ...}}."""
    *way, last = path.split(".")
    here: Any = row
    for step in way:
        here = (here or {}).get(f"{step}.")
    return (here or {}).get(last)
