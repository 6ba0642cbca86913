"""Records that stand in a system and are tied to nothing here: new ones nobody told of, and second ones of a known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datong.base import json
from datong.canon import known_by
from datong.engine.landscape import Conn
from datong.engine.reconcile.compare import Side
from datong.engine.reconcile.model import DUPLICATE, ORPHAN, Difference, Known
from datong.engine.reconcile.survey import Survey, announced, is_person
from datong.mapping import Foreign
from datong.matching import Key, keys
from datong.store.bulk import run
from datong.store.scratch import Met, Scratch


@dataclass
class Stranger:
    """A record that nobody knows. `side` is what stands there; `own` the record of ours whose key it carries."""

    met: Met
    side: Side
    own: int | None = None
    twin: str = ""
    by: str = ""
    keys: Sequence[Key] = field(default_factory=tuple)


class Strangers:
    """Those of one kind in one connection."""

    def __init__(self, survey: Survey, conn: Conn) -> None:
        self.survey = survey
        self.conn = conn

    def judged(self, met: Sequence[Met], scratch: Scratch) -> Iterator[tuple[Stranger, Difference]]:
        """What is still unknown of these, with what it is."""
        fresh = self._still_unknown(met)
        told = [self._stranger(one) for one in fresh]
        self._find_twins(told, scratch)
        waiting = announced(self.survey.unit.tx, self.survey.kind, {(self.conn.name, one.native_id) for one in fresh})
        for one in told:
            yield one, self._difference(one, (self.conn.name, one.met.native_id) in waiting)

    def _still_unknown(self, met: Sequence[Met]) -> list[Met]:
        known = self.survey.unit.load_native(self.conn.name, self.survey.kind, [one.native_id for one in met])
        return [one for one in met if one.native_id not in known]

    def _stranger(self, met: Met) -> Stranger:
        form = json.loads(met.form or "{}")
        values = self._values(form)
        own = self.survey.landscape.record_of_key(form.get("@key"))
        return Stranger(met, Side(self.conn.name, self.conn.role, values), own, keys=self._strong(values))

    def _values(self, form: Mapping[str, Any]) -> dict[str, Any]:
        read = self.conn.specs[self.survey.kind].map.read_form(form).values
        resolve = self.survey.references.resolve
        told = {n: resolve(self.conn, v) if isinstance(v, Foreign) else v for n, v in read.items()}
        return {name: value for name, value in told.items() if value is not None}

    def _strong(self, values: Mapping[str, Any]) -> tuple[Key, ...]:
        master = self.survey.running.master
        return tuple(key for key in keys(values, master.identity) if key.strong) if master is not None else ()

    def _find_twins(self, strangers: Sequence[Stranger], scratch: Scratch) -> None:
        """Of which record of the same system each is a second one: by our key, else by a key that names one alone."""
        for one in strangers:
            link = self._linked(one.own)
            if link is not None:
                one.twin, one.by = link, "our key"
        wanted: dict[tuple[str, str], list[Stranger]] = {}
        for one in strangers:
            for key in one.keys if not one.twin else ():
                wanted.setdefault((key.rule, key.value), []).append(one)
        for page in scratch.pages(self.survey.kind, self.conn.name) if wanted else ():
            for met in page:
                if met.record_id is not None and met.form is not None:
                    for key in self._strong(self._values(json.loads(met.form))):
                        for one in wanted.pop((key.rule, key.value), ()):
                            one.twin, one.by = met.native_id, key.rule

    def _linked(self, record_id: int | None) -> str | None:
        if record_id is None:
            return None
        self.survey.unit.load([record_id])
        link = self.survey.unit.link_in(record_id, self.conn.name)
        return link.native_id if link is not None and link.here else None

    def _difference(self, one: Stranger, told: bool) -> Difference:
        kind, place = self.survey.kind, self.conn.name
        found = Difference(
            DUPLICATE if one.twin else ORPHAN,
            kind,
            self.survey.running.name,
            None,
            {place: one.met.native_id},
            place,
            known_by(one.side.values),
            other=one.twin,
            person=is_person(kind, one.side.values),
            why=f"the same as {one.twin} by {one.by}" if one.twin else "nobody knows it here",
        )
        moment = self.survey.is_young(place, one.met)
        if told:
            found.known = Known("announced", f"{place} said so, and it is about to be read")
        elif one.own is not None and not one.twin and self._under_way(one.own):
            found.known = Known("in flight", f"made there just now as record {one.own}")
        elif moment is not None:
            found.known = Known("young", f"changed in {place} just now: the next look there is not overdue")
        return found

    def _under_way(self, record_id: int) -> bool:
        query = "SELECT 1 FROM intents WHERE record_id = ? AND connection = ? LIMIT 1"
        return bool(run(self.survey.unit.tx, query, record_id, self.conn.name))
