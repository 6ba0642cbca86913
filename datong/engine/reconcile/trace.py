"""Since when two systems differ, and what of: told from the journal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from datong.base.clock import from_text, to_text
from datong.engine.reconcile.model import (
    CONFLICT,
    DUPLICATE,
    MISSING,
    MONEY,
    ORPHAN,
    STALE,
    Difference,
    FieldDifference,
    Trace,
)
from datong.store.scratch import Met
from datong.store.unit import Link

CAUSES: Mapping[str, tuple[str, str]] = {
    "unannounced": ("an edit that no webhook and no read told of", "改动没有通知，也没有读到"),
    "silent": ("an edit without a new time of change", "改动未更新修改时间"),
    "undelivered": ("a change seen, and never delivered", "已看到的改动没有送达"),
    "deleted": ("deleted there", "已在对方删除"),
    "merged": ("merged there into another", "在对方被合并"),
    "never made": ("to be made there, and never was", "应在对方新建而没有"),
    "created": ("made there, and nobody told", "在对方新建而没有通知"),
    "doubled": ("made there a second time", "在对方重复新建"),
    "out of sight": ("not to be seen by us", "对我方不可见"),
    "system": ("the system did not answer", "系统没有应答"),
}
"""What each cause is called."""
Row = Mapping[str, Any]


def traced(
    one: Difference, link: Link | None, met: Met | None, rows: Sequence[Row], looked: datetime | None = None
) -> Trace:
    """`link` and `met` of the place that the difference is about, and when it was last looked at as a whole; `rows` of
    the journal about the record, oldest first."""
    if one.cls in (STALE, MONEY, CONFLICT):
        field = next((f for f in one.fields if one.place in f.astray and f.cls == one.cls), one.fields[0])
        return _unseen(one, field, link, met) if one.place in field.unseen else _undelivered(one, field, rows)
    changed = from_text(met.changed_at) if met is not None and met.changed_at else None
    if one.cls == ORPHAN:
        why = f"made in {one.place}; no webhook and no read told of it"
        return Trace("created", why, changed or looked, exact=changed is not None)
    if one.cls == DUPLICATE:
        return Trace("doubled", f"made in {one.place}: {one.why}", changed or looked, exact=changed is not None)
    if one.cls == MISSING:
        return _missing(one, link, rows)
    return Trace("out of sight", one.why, _last_seen(link), exact=False)


def _unseen(one: Difference, field: FieldDifference, link: Link | None, met: Met | None) -> Trace:
    changed = from_text(met.changed_at) if met is not None and met.changed_at else None
    before = link.changed_at if link is not None else None
    if changed is not None and before is not None and changed <= before:
        why = f"{field.name} is another in {one.place} under the same time of change: no list of changes tells of it"
        return Trace("silent", why, _last_seen(link), exact=False)
    if changed is None:
        return Trace("unannounced", f"{field.name} was edited in {one.place}", _last_seen(link), exact=False)
    return Trace("unannounced", f"{field.name} was edited in {one.place} at {to_text(changed)}", changed)


def _undelivered(one: Difference, field: FieldDifference, rows: Sequence[Row]) -> Trace:
    """The newest row that gave the field its agreed value, and what became of it."""
    for row in reversed(rows):
        change = ((row["body"] or {}).get("fields") or {}).get(field.name)
        if change is None or row["event"] in ("write intended", "updated", "created"):
            continue
        tried = [r for r in rows if r["id"] > row["id"] and r["connection"] == one.place and r["event"] in _TRIES]
        told = f"; last tried in row {tried[-1]['id']}" if tried else "; never tried"
        came = f" from {row['connection']}" if row["connection"] else ""
        why = f"{field.name} {row['event']}{came} in row {row['id']}, not delivered to {one.place}{told}"
        return Trace("undelivered", why, row["at"], row=row["id"])
    return Trace("undelivered", f"{field.name} was agreed and not delivered to {one.place}")


_TRIES = ("write intended", "updated", "parked", "created")


def _missing(one: Difference, link: Link | None, rows: Sequence[Row]) -> Trace:
    if link is not None:
        cause = "merged" if one.why.startswith("merged") else "deleted"
        return Trace(cause, f"{one.why} in {one.place}", _last_seen(link), exact=False)
    first = rows[0] if rows else None
    if first is None:
        return Trace("never made", f"never made in {one.place}")
    why = f"known since row {first['id']}, never made in {one.place}"
    return Trace("never made", why, first["at"], row=first["id"])


def _last_seen(link: Link | None) -> datetime | None:
    """When it was as it should be, for the last time that anybody looked: it is not older than that."""
    times = [t for t in (link.read_at, link.written_at) if t is not None] if link is not None else []
    return max(times, default=None)
