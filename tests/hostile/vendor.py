"""A small customer system over real HTTP that misbehaves on demand, and its description for the connector `rest`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.connectors.rest.vendors import Asked, Told

Spoil = Callable[[Asked, Told], Told]
"""(what was asked, the true answer) -> what is answered instead. The call has taken effect."""

SIZE = 3
"""Rows of a page."""
KINDS = """
    kinds:
      account:
        object: customers
        id: id
        changed_at: updated_at
        key: key
        read:
          path: /customers
          params: {since: "{since}", cursor: "{cursor}", size: "{size}"}
          items: items
          page: {by: cursor, next: next, size: 3}
        since: {precision: us}
        ids: {path: /ids, items: items}
        get: {path: "/customers/{id}", missing: {404: gone}}
        find:
          key: {path: /find, params: {key: "{value}"}, items: items}
        once: by_key
        create: &batch
          path: /batch
          size: 50
          body: {rows: "{records}"}
          each: {op: create, data: "{record}"}
          results: results
          position: index
          ok: {path: status, equals: ok}
          exists: {path: status, equals: exists}
          item: item
          id: item.id
          text: message
          field: field
        update: {<<: *batch, each: {op: update, id: "{id}", data: "{record}"}}
        required: [name]
        fields:
          name: name
          tax_id: {path: tax_id, convert: trimmed}
          phone: {path: phone, convert: {phone: CN}}
          email: {path: email, convert: email}
          website: website
          notes: notes
          company.asia.credit_limit: {path: [limit, currency], convert: money}
          custom.stock: {path: stock, convert: number}
          custom.founded: {path: founded, convert: day}
"""


@dataclass
class Vendor:
    """Rows by id. `spoil` stands between the true answer and the one that is given."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    spoil: Spoil | None = None
    asked: list[Asked] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def add(self, id: str | None = None, **more: Any) -> str:
        id = id if id is not None else f"K{len(self.rows):03}"
        self.rows[id] = {"id": id, "key": None}
        self.edit(id, **more)
        return id

    def edit(self, id: str, **more: Any) -> None:
        self.now += timedelta(milliseconds=1)
        self.rows[id] |= {**more, "updated_at": self.now.isoformat(timespec="microseconds").replace("+00:00", "Z")}

    def named(self, name: str) -> list[dict[str, Any]]:
        return [row for row in self.rows.values() if row.get("name") == name]

    def writes(self) -> int:
        return sum(len(one.body["rows"]) for one in self.asked if one.path == "/batch")

    def __call__(self, asked: Asked) -> Told:
        self.asked.append(asked)
        told = self._true(asked)
        return self.spoil(asked, told) if self.spoil else told

    def _true(self, asked: Asked) -> Told:
        if asked.path == "/customers":
            return self._list(asked)
        if asked.path == "/ids":
            return Told(data={"items": [{"id": id} for id in self.rows]})
        if asked.path == "/find":
            return Told(data={"items": [row for row in self.rows.values() if row["key"] == asked.query["key"]]})
        if asked.path == "/batch":
            return Told(data={"results": [self._write(at, one) for at, one in enumerate(asked.body["rows"])]})
        from urllib.parse import unquote

        row = self.rows.get(unquote(asked.path.removeprefix("/customers/")))
        return Told(404, {"error": "no such customer"}) if row is None else Told(data=row)

    def _list(self, asked: Asked) -> Told:
        rows = sorted(self.rows.values(), key=lambda row: (str(row["updated_at"]), str(row["id"])))
        since = asked.query.get("since")
        rows = [row for row in rows if since is None or str(row["updated_at"]) >= since]
        start = int(asked.query.get("cursor", 0))
        end = start + SIZE
        return Told(data={"items": rows[start:end], "next": str(end) if end < len(rows) else None})

    def _write(self, at: int, one: dict[str, Any]) -> dict[str, Any]:
        data = one["data"]
        twin = [row for row in self.rows.values() if data.get("key") and row["key"] == data["key"]]
        if one["op"] == "create" and twin:
            return {"index": at, "status": "exists", "item": twin[0]}
        if not (data.get("name") or one["op"] == "update"):
            return {"index": at, "status": "refused", "message": "a name is needed", "field": "name"}
        id = one["id"] if one["op"] == "update" else self.add()
        self.edit(id, **data)
        return {"index": at, "status": "ok", "item": dict(self.rows[id])}
