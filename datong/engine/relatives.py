"""Who points at whom: children of a record, and where they went."""

from __future__ import annotations

import sqlalchemy as sa

from datong.canon import KINDS, catalogue
from datong.store.schema import journal, records
from datong.store.unit import Rec, Unit


def child_fields(kind: str) -> list[tuple[str, str]]:
    """(kind, field) of every plain reference field that points at `kind`."""
    return [
        (child, name)
        for child in KINDS
        for name, spec in catalogue(child).items()
        if spec.to == kind and "*" not in name
    ]


def former_children(unit: Unit, record: Rec, connection: str) -> set[int]:
    """Records to which this connection moved what pointed at `record` before (by the journal)."""
    me = f"{record.kind}:{record.id}"
    homes: set[int] = set()
    for child_kind, field in child_fields(record.kind):
        query = sa.select(journal.c.record_id, journal.c.body).where(
            journal.c.event == "taken in",
            journal.c.kind == child_kind,
            journal.c.connection == connection,
            sa.cast(journal.c.body, sa.Text).contains(f'"{me}"'),
        )
        for _child, body in unit.tx.execute(query):
            change = body.get("fields", {}).get(field)
            after = change and change.get("after")
            if change and change.get("before") == me and after and after != me:
                homes.add(int(str(after).partition(":")[2]))
    return homes


def children(unit: Unit, kind: str, record_id: int) -> list[int]:
    """Ids of the records that point at this one now."""
    me = f"{kind}:{record_id}"
    found: list[int] = []
    for child_kind, field in child_fields(kind):
        query = sa.select(records.c.id, records.c.agreed).where(
            records.c.kind == child_kind, sa.cast(records.c.agreed, sa.Text).contains(f'"{me}"')
        )
        found.extend(row.id for row in unit.tx.execute(query) if row.agreed.get(field) == me)
    return found
