"""References between records: a native id, code or name on the wire against `kind:record id` in our records."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from datong.canon import known_by
from datong.engine.landscape import Conn, Landscape
from datong.mapping import Converter, Foreign
from datong.store.schema import links, records
from datong.store.unit import Unit, sent_of

_SPELLED = ("code", "sku", "name")
"""By which of its values another system may name a record."""


def target(reference: str) -> tuple[str, int]:
    """(kind, record id) of `payment_term:3`."""
    kind, _, number = reference.partition(":")
    return kind, int(number)


class References:
    """Resolves within one unit of work; reference tables (small) are held whole."""

    def __init__(self, unit: Unit, landscape: Landscape) -> None:
        self._unit = unit
        self._landscape = landscape
        self._coded: dict[tuple[str, str], dict[str, int]] = {}
        self._native: dict[tuple[str, str], dict[str, int]] = {}
        self._codes: dict[tuple[str, str], dict[int, dict[str, str]]] = {}

    def forget(self, kind: str) -> None:
        """The table of a kind has changed."""
        for cache in (self._coded, self._native, self._codes):
            for place in [p for p in cache if p[1] == kind]:
                del cache[place]

    def prefetch(self, conn: Conn, wanted: Iterable[Foreign]) -> None:
        """One query a kind for all references of a page."""
        by_kind: dict[str, set[str]] = {}
        for one in wanted:
            if one.by == "id":
                by_kind.setdefault(one.kind, set()).add(one.native)
        for kind, natives in by_kind.items():
            held = self._native.setdefault((conn.name, kind), {})
            fresh = natives - held.keys()
            if fresh:
                for native, link in self._unit.load_native(conn.name, kind, fresh).items():
                    held[native] = link.record_id

    def resolve(self, conn: Conn, foreign: Foreign) -> str | None:
        """`kind:record id`, the survivor's where records were merged; None: nothing is known by that name."""
        if foreign.by == "id":
            self.prefetch(conn, [foreign])
            found = self._native[(conn.name, foreign.kind)].get(foreign.native)
        else:
            table = self._table(conn, foreign.kind)
            found = table.get(foreign.native.casefold())
        return None if found is None else f"{foreign.kind}:{self.survivor(found)}"

    def survivor(self, record_id: int) -> int:
        """The record that stands for this one now."""
        seen: set[int] = set()
        while record_id not in seen:
            seen.add(record_id)
            record = self._unit.load([record_id]).get(record_id)
            if record is None or record.state != "merged" or record.merged_into is None:
                break
            record_id = record.merged_into
        return record_id

    def _table(self, conn: Conn, kind: str) -> dict[str, int]:
        """Code, SKU, name -> record id, as this connection spells them; any spelling where it has no table itself."""
        place = (conn.name, kind)
        if place not in self._coded:
            spelled: dict[str, int] = {}
            loose: dict[str, int] = {}
            query = (
                sa.select(links.c.record_id, links.c.connection, links.c.sent, records.c.agreed)
                .join(records, records.c.id == links.c.record_id)
                .where(links.c.connection.in_(list(self._landscape.connections)), links.c.kind == kind)
                .order_by(links.c.id)
            )
            for record_id, connection, told, agreed in self._unit.tx.execute(query):
                sent = sent_of(told, agreed)
                for name in _SPELLED:
                    if sent.get(name):
                        into = spelled if connection == conn.name else loose
                        into.setdefault(str(sent[name]).casefold(), record_id)
            for native, ours in conn.tables.get(kind, {}).items():
                if ours.casefold() in loose:
                    spelled.setdefault(native.casefold(), loose[ours.casefold()])
            self._coded[place] = {**loose, **spelled} if kind not in conn.specs else spelled
        return self._coded[place]

    def native(self, conn: Conn, convert: Converter, reference: str) -> str | None:
        """What stands for `reference` in `conn`: a native id, code or name; None when there is nothing yet."""
        kind, number = target(reference)
        number = self.survivor(number)
        if convert.by == "id":
            self._unit.load([number])
            link = self._unit.link_in(number, conn.name)
            return link.native_id if link is not None and link.here else None
        return self._code(conn, kind, number, convert.by)

    def _code(self, conn: Conn, kind: str, number: int, by: str) -> str | None:
        self._unit.load([number])
        link = self._unit.link_in(number, conn.name)
        if link is not None:
            found = link.sent.get(by)
            return str(found) if found else None
        if kind in conn.specs:
            return None
        record = self._unit.records.get(number)
        if record is None:
            return None
        ours = {str(record.agreed.get(n)).casefold() for n in ("code", "name") if record.agreed.get(n)}
        for native, theirs in conn.tables.get(kind, {}).items():
            if theirs.casefold() in ours:
                return native
        found = record.agreed.get(by) or record.agreed.get("name") or record.agreed.get("code")
        return str(found) if found else None

    def label(self, reference: str) -> str:
        """For people: the record's name or code."""
        kind, number = target(reference)
        record = self._unit.load([number]).get(number)
        told = known_by(record.agreed) if record else ""
        return f"{kind} {told or number}"
