"""Who changed when. What belongs to a record shows its changes elsewhere too: a sale's shipping in its moves, its
paying in its invoices. Each model is asked for itself, for one question over all of them (`OR`) takes Tryton seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from datong.connectors.tryton.database import Database, dotted


@dataclass(frozen=True)
class Source:
    """Where a change of a record shows: `owner` in `model` names the record, `time` when. Where it names something
    else, `then` leads on: (model, field) by (model, field). A reference to another model than that leads nowhere."""

    model: str
    owner: str = "id"
    time: str = "last_modified_at"
    then: tuple[tuple[str, str], ...] = ()


def named(value: Any, model: str) -> list[int]:
    """The ids in a field: one, several, or a reference to `model` ("sale.line,5")."""
    if isinstance(value, str):
        head, _, native = value.partition(",")
        return [int(native)] if head == model and native.isdecimal() else []
    if isinstance(value, list):
        return [one for item in value for one in named(item, model)]
    return [value] if isinstance(value, int) else []


def followed(db: Database, source: Source, rows: Iterable[Mapping[str, Any]], record_model: str) -> dict[int, datetime]:
    """The records that changed rows belong to, each with its newest change."""
    models = [*(model for model, _ in source.then), record_model]
    newest: dict[int, datetime] = {}
    for row in rows:
        for one in named(row[source.owner], models[0]):
            _later(newest, one, dotted(row, source.time))
    for (model, field), target in zip(source.then, models[1:], strict=True):
        onward: dict[int, datetime] = {}
        ids = sorted(newest)
        for row in db.all(model, [["id", "in", ids]], [field]) if ids else ():
            for one in named(row[field], target):
                _later(onward, one, newest[row["id"]])
        newest = onward
    return newest


def _later(newest: dict[int, datetime], one: int, moment: datetime) -> None:
    newest[one] = max(moment, newest.get(one, moment))
