"""Names for people: `payment_term:3` is what the store holds, NET30 what one understands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datong.store import Store

REFERENCE = re.compile(r"[a-z_]+:([0-9]+)\Z")


class Names:
    """The names of all records that some values point at, looked up at once."""

    def __init__(self, store: Store, values: Iterable[Any], ids: Iterable[int | None] = ()) -> None:
        wanted = {i for i in ids if i is not None}
        for value in values:
            wanted |= set(_references(value))
        self._names = _looked_up(store, sorted(wanted)) if wanted else {}

    def of(self, record_id: int | None) -> str:
        return self._names.get(record_id, "") if record_id is not None else ""

    def value(self, value: Any) -> Any:
        match = REFERENCE.match(value) if isinstance(value, str) else None
        return self.of(int(match[1])) or value if match else value

    def in_fields(self, fields: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """`{name: {before, after}}` with names in the place of references."""
        return {n: {side: self.value(v) for side, v in told.items()} for n, told in fields.items()}


def _references(value: Any) -> Iterable[int]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, str) and (match := REFERENCE.match(value)):
        yield int(match[1])


def _looked_up(store: Store, ids: list[int]) -> dict[int, str]:
    import sqlalchemy as sa

    from datong.canon import known_by
    from datong.store.schema import records

    found: dict[int, str] = {}
    with store.read() as tx:
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            for row in tx.execute(sa.select(records.c.id, records.c.agreed).where(records.c.id.in_(some))):
                found[row.id] = known_by(row.agreed, "code")
    return found
