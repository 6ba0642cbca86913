"""What a rule may look at beside its record: other records, by reference, and the settings of its flow.

It remembers what was looked at, so that the rule is asked again when one of these changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any, TypeVar, cast
from zlib import crc32

from datong.base.clock import from_text, local_date
from datong.canon import KINDS, Record, known_by
from datong.engine.sought import marked, of_value, said, tied_as
from datong.store.bulk import Columns
from datong.store.schema import records, ties
from datong.store.unit import Rec, Unit

T = TypeVar("T", bound=Record)
THE_DAY = 0
"""Stands for a record in what was looked at: no record has this id."""
COMPANIES = "companies of the connections"
"""Beside the names of flows: what connections say of companies, such as the currency of their books."""
_OF_KIND = Columns(records, ("id",))
_POINTING = Columns(ties, ("from_id", "field"))


def any_of(kind: str) -> int:
    """Stands for every record of a kind, also those to come, in what was looked at: no record has a negative id."""
    return -1 - crc32(kind.encode())


def settings_of(flow: str) -> int:
    """Stands for the settings of a flow, or for what is set of `COMPANIES`."""
    return any_of(f"settings of {flow}")


def typed(record: Rec, kind: type[T]) -> T:
    """A record as rules see it: made once for the same values, for many rules look at the same documents."""
    held = record.typed
    if held is None or held[1].__class__ is not kind or held[0] != record.agreed:
        held = record.typed = dict(record.agreed), kind.from_fields(record.agreed)
    return cast(T, held[1])


class Near:
    """The surroundings of one record within a unit of work."""

    def __init__(
        self,
        unit: Unit,
        record: Rec,
        survivor: Callable[[int], int],
        flow: str = "",
        zones: Mapping[str, str] | None = None,
        verdict: Callable[[str], tuple[str, str]] = lambda role: ("", ""),
        unresolved: frozenset[str] = frozenset(),
        read_at: Callable[..., datetime | None] = lambda *kinds: None,
        currencies: Mapping[str, str] | None = None,
        settings_of: Callable[[str], Any] = lambda flow: None,
        began: Callable[[str, str], datetime | None] = lambda connection, what: None,
        can_hold: Callable[[str, str], bool] = lambda role, field: False,
        judged: Callable[[Any], Any] = lambda approve: None,
        keeps: Collection[str] = (),
    ) -> None:
        self._unit = unit
        self._record = record
        self._survivor = survivor
        self._zones = zones or {}
        self._flow = flow
        self.verdict_into = verdict
        """Role -> (verdict, reason) of this record there: what it waits for."""
        self.unresolved = unresolved
        """Fields of the record that point at something which is not known yet."""
        self.read_at = read_at
        """Kinds -> when the ERP was last read for all of them: its answers are no younger than that. None: not yet."""
        self._currencies = currencies or {}
        self._settings_of = settings_of
        self._began = began
        self.keeps = keeps
        """In a gate: the companies that the connection keeps; none where it keeps no books."""
        self.can_hold = can_hold
        """(role, field) -> whether every system of the role that has such records is told that field."""
        self.judged = judged
        """`Approve` of a check that asks people -> GO where they agreed, else the `Park` that asks the next one."""
        self.looked_at: set[int] = set()

    @property
    def settings(self) -> Any:
        """The settings of the flow that asks. Who looked at settings is asked again when they are others."""
        return self.settings_of(self._flow)

    def settings_of(self, flow: str) -> Any:
        """The settings of a flow by its name; None where it is off."""
        self.looked_at.add(settings_of(flow))
        return self._settings_of(flow)

    def of(self, reference: str | None, kind: type[T]) -> T | None:
        """The record that a reference names; None where there is none (yet)."""
        found = self._rec(reference)
        return typed(found, kind) if found is not None and found.kind == kind.kind else None

    def code(self, reference: str | None) -> str | None:
        """The code of what a reference names: `CNY` of a currency; its name where it has no code."""
        found = self._rec(reference)
        return (found.agreed.get("code") or found.agreed.get("name")) if found is not None else None

    def name(self, reference: str | None) -> str:
        """For people: the name of what a reference names."""
        found = self._rec(reference)
        return known_by(found.agreed) if found is not None else ""

    def pointing(self, kind: type[T], field: str) -> dict[str, T]:
        """Reference -> record of those of a kind whose `field` (`lines.*.order` in their lines) points at this one."""
        return self._pointing(kind, field, self._record.id)

    def with_reference(self, kind: type[T], field: str, reference: str | None) -> dict[str, T]:
        """The same of what `reference` names."""
        found = self._rec(reference)
        return self._pointing(kind, field, found.id) if found is not None else {}

    def every(self, kind: type[T]) -> dict[str, T]:
        """Reference -> record of all of a kind: for short tables, such as accounting periods and price lists."""
        self.looked_at.add(any_of(kind.kind))
        ids = [row[0] for row in _OF_KIND.where(self._unit.tx, "kind = ? AND state = 'active' ORDER BY id", kind.kind)]
        fresh = [record.id for record in self._unit.records.values() if record.kind == kind.kind]
        loaded = self._unit.load({*ids, *fresh})
        return {f"{kind.kind}:{i}": typed(one, kind) for i, one in loaded.items() if one.state == "active"}

    def having(self, kind: type[T], field: str, value: str | None) -> dict[str, T]:
        """The same of those of a kind whose `field` is `value`, whatever the case of its letters; of an e-mail address
        also by `@domain`, of a website by its host. Who asks is asked again when one more has it."""
        wanted = (value or "").strip().casefold()
        if not wanted:
            return {}
        marked(self._unit, kind.kind, field)
        place = of_value(kind.kind, field, wanted)
        self.looked_at.add(place)
        found = self._pointing(kind, tied_as(field), place)
        return {reference: one for reference, one in found.items() if wanted in said(field, getattr(one, field))}

    def _pointing(self, kind: type[T], field: str, to: int) -> dict[str, T]:
        rows = _POINTING.select(self._unit.tx, "to_id", [to], "field = ?", field, order="from_id")
        ids = sorted({row[0] for row in rows})
        self.looked_at.update(ids)
        loaded = self._unit.load(ids)
        return {
            f"{kind.kind}:{i}": typed(loaded[i], kind)
            for i in ids
            if i in loaded and loaded[i].kind == kind.kind and loaded[i].state == "active"
        }

    def reference(self, kind: str) -> str:
        """The reference that names this record."""
        return f"{kind}:{self._record.id}"

    def from_whom(self, name: str) -> str | None:
        """Of which connection a value of this record came, or which flow computed it; None where there is none."""
        return self._record.came_from(name)[0]

    def changed_at(self, reference: str) -> datetime | None:
        """When a value of what a reference names last came in, by our clock: as its system dates the change, else when
        it was read."""
        found = self._rec(reference)
        moments = [moment for _, moment in found.origin.values()] if found is not None else []
        return from_text(max(moments)) if moments else None

    def came_in(self, field: str, reference: str | None = None) -> datetime | None:
        """When the value of a field came in, by our clock: as its system dates the change, else when it was read or
        computed. Of this record, or of what `reference` names."""
        found = self._record if reference is None else self._rec(reference)
        moment = found.came_from(field)[1] if found is not None else None
        return from_text(moment) if moment else None

    def news(self, field: str, what: str) -> bool:
        """Did the value of a field come in after `what` was switched on, and after what was there already had been
        read? `what` is one of those that the flow names as `news`."""
        links = self._unit.links_of(self._record.id)
        maker = self._record.came_from(field)[0] or ""
        began = self._began(links[0].connection if links else maker, what)
        moment = self.came_in(field)
        return began is not None and moment is not None and moment > began

    @property
    def now(self) -> datetime:
        """This moment. Who asks says in the verdict until when it holds."""
        return self._unit.now

    def today(self, company: str | None = None) -> date:
        """The local date of a company; of UTC where none is named. Who asks is asked again on every new day."""
        self.looked_at.add(THE_DAY)
        return local_date(self._unit.now, self._zones.get(company or "", "UTC"))

    def zone(self, company: str | None = None) -> str:
        """The time zone of a company."""
        self.looked_at.add(settings_of(COMPANIES))
        return self._zones.get(company or "", "UTC")

    def currency(self, company: str | None) -> str | None:
        """The currency in which a company keeps its books; None of one that no connection knows."""
        self.looked_at.add(settings_of(COMPANIES))
        return self._currencies.get(company or "")

    def _rec(self, reference: str | None) -> Rec | None:
        kind, _, number = (reference or "").partition(":")
        if kind not in KINDS or not number.isdigit():
            return None
        survivor = self._survivor(int(number))
        self.looked_at.add(survivor)
        return self._unit.load([survivor]).get(survivor)
