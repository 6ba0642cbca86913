"""Since when something is switched on: what happened before counts as told."""

from __future__ import annotations

from datetime import datetime

from datong.base import json
from datong.base.clock import from_text, to_text
from datong.engine.flow import Conversion
from datong.engine.landscape import Landscape
from datong.engine.reading import cursor_of
from datong.store.bulk import Columns, run
from datong.store.schema import cut, meta
from datong.store.unit import Unit

_KEPT = Columns(meta, ("name", "value"))


def begin_news(unit: Unit, landscape: Landscape) -> None:
    """Note of what is newly switched on that it begins now, in each connection whose records of the kind were read
    completely; of what was switched off that it begins anew one day. At the end of a unit of work: all that was there
    before is known by then."""
    for running in landscape.flows.values():
        flow = running.flow
        if not isinstance(flow, Conversion) or flow.news is None:
            continue
        wanted = set(flow.news(landscape.settings_of))
        for conn in landscape.offering(flow.source.kind):
            row = cursor_of(unit.tx, conn.name, flow.source.kind)
            if row is None or row["baseline_at"] is None:
                continue
            known = _begun(unit, running.name, conn.name)
            if known.keys() != wanted:
                told = {what: known.get(what, to_text(unit.now)) for what in sorted(wanted)}
                run(unit.tx, "DELETE FROM meta WHERE name = ?", _place(running.name, conn.name))
                _KEPT.insert(unit.tx, [(_place(running.name, conn.name), json.dumps(told))])


def news_since(unit: Unit, landscape: Landscape, flow: str, connection: str, what: str) -> datetime | None:
    """When `what` began there; of a record that was made here and stands nowhere yet, when it began everywhere."""
    places = [connection] if connection in landscape.connections else list(landscape.connections)
    began = [moment for name in places if (moment := _begun(unit, flow, name).get(what))]
    return from_text(max(began)) if began else None


def _begun(unit: Unit, flow: str, connection: str) -> dict[str, str]:
    rows = _KEPT.where(unit.tx, "name = ?", _place(flow, connection))
    told: dict[str, str] = json.loads(rows[0][1]) if rows else {}
    return told


def _place(flow: str, connection: str) -> str:
    return cut(f"news {flow} {connection}", 60)
