"""Fields that a person froze: of one record or of a kind, on one side or on all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from datong.store.opening import Transaction
from datong.store.schema import holds


@dataclass(frozen=True)
class Hold:
    """`field` is a name or a pattern of the catalogue, "*" every field. `connection` "" is every side. Where it
    `keeps`, `value` is to stand there meanwhile, whatever is agreed."""

    id: int
    kind: str
    record_id: int | None
    connection: str
    field: str
    keeps: bool
    value: Any
    actor: str
    at: Any
    why: str = ""


@dataclass
class Holds:
    """All that is held, by record and by kind."""

    by_record: dict[int, list[Hold]] = field(default_factory=dict)
    by_kind: dict[str, list[Hold]] = field(default_factory=dict)

    @classmethod
    def loaded(cls, tx: Transaction) -> Holds:
        found = cls()
        for hold in listed(tx):
            if hold.record_id is None:
                found.by_kind.setdefault(hold.kind, []).append(hold)
            else:
                found.by_record.setdefault(hold.record_id, []).append(hold)
        return found

    def __bool__(self) -> bool:
        return bool(self.by_record or self.by_kind)

    def on(self, record_id: int, kind: str, connection: str) -> list[Hold]:
        """What is held of a record on a side."""
        held = (*self.by_kind.get(kind, ()), *self.by_record.get(record_id, ()))
        return [hold for hold in held if hold.connection in ("", connection)]


def listed(tx: Transaction, *, record_id: int | None = None) -> list[Hold]:
    query = sa.select(holds).order_by(holds.c.id)
    if record_id is not None:
        query = query.where(holds.c.record_id == record_id)
    return [Hold(**row) for row in tx.execute(query).mappings()]


def put(tx: Transaction, at: Any, actor: str, kind: str, record_id: int | None, field: str, **more: Any) -> int:
    """Hold a field; what was held of it at the same place is replaced. `more`: connection, keeps, value, why."""
    place = {"kind": kind, "record_id": record_id, "connection": more.pop("connection", ""), "field": field}
    release(tx, place)
    return int(
        tx.execute(holds.insert().values(**place, at=at, actor=actor, **more).returning(holds.c.id)).scalar_one()
    )


def release(tx: Transaction, place: dict[str, Any]) -> int:
    """Let go of what is held at a place: columns and their values; gives how many."""
    condition: Sequence[Any] = [holds.c[name] == value for name, value in place.items()]
    return int(tx.execute(holds.delete().where(*condition)).rowcount)
