"""What no record tells and rules are asked again for: another day, other settings, other companies."""

from __future__ import annotations

from datong.base import json
from datong.base.clock import local_date
from datong.engine.flow import Figures
from datong.engine.landscape import Landscape
from datong.engine.near import COMPANIES, THE_DAY, settings_of
from datong.store.bulk import Columns, run
from datong.store.schema import meta, records, ties
from datong.store.unit import Unit

_KEPT = Columns(meta, ("name", "value"))
_FROM = Columns(ties, ("from_id",))
_OF_KIND = Columns(records, ("id",))
_DAY = "the day"
_SETTINGS = "the settings"


def asked_again(unit: Unit, landscape: Landscape) -> set[int]:
    """Records of which a rule asked for the date, when it is another day somewhere than when this was last asked; or
    for settings that are others now; and all those for which a flow computes figures that did not do so before."""
    kept: dict[str, str] = dict(_KEPT.where(unit.tx, "name IN ?", [_DAY, _SETTINGS]))
    asked: set[int] = set()
    days = ", ".join(sorted({local_date(unit.now, zone).isoformat() for zone in {"UTC", *landscape.zones.values()}}))
    if kept.get(_DAY) != days:
        _keep(unit, _DAY, days)
        asked |= _looked_at(unit, THE_DAY)
    settings = json.dumps(landscape.fingerprints)
    if kept.get(_SETTINGS) != settings:
        _keep(unit, _SETTINGS, settings)
        asked |= _of_other_settings(unit, landscape, json.loads(kept.get(_SETTINGS, "{}")))
    return asked


def _of_other_settings(unit: Unit, landscape: Landscape, before: dict[str, str]) -> set[int]:
    now = landscape.fingerprints
    asked: set[int] = set()
    for name in {*before, *now}:
        if before.get(name) != now.get(name):
            asked |= _looked_at(unit, settings_of(name))
            if name == COMPANIES:
                asked |= _looked_at(unit, THE_DAY)
            running = landscape.flows.get(name)
            if name not in before and running is not None and isinstance(flow := running.flow, Figures):
                found = _OF_KIND.where(unit.tx, "kind = ? AND state = 'active'", flow.of.kind)
                asked |= {row[0] for row in found}
    return asked


def _looked_at(unit: Unit, place: int) -> set[int]:
    return {row[0] for row in _FROM.select(unit.tx, "to_id", [place], order="from_id")}


def _keep(unit: Unit, name: str, value: str) -> None:
    run(unit.tx, "DELETE FROM meta WHERE name = ?", name)
    _KEPT.insert(unit.tx, [(name, value)])
