"""The documents of both systems as figures are made of them: what is agreed, and what each side has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from datong.base.clock import to_text
from datong.canon import KINDS, REFERENCE_KINDS, Invoice, Order, Payment, Record, Return, Shipment
from datong.engine.cycle import Engine
from datong.engine.flow import CRM, ERP
from datong.engine.landscape import Conn
from datong.insight.month_end import Systems, TwoSided
from datong.store.bulk import Columns, run
from datong.store.schema import cursors
from datong.store.unit import Link, Rec, Unit, chunks

R = TypeVar("R", bound=Record)
DOCUMENTS: tuple[type[Record], ...] = (Order, Shipment, Invoice, Payment, Return)
_CURSORS = Columns(cursors, ("connection", "kind", "read_at"))
_SHOWN = ("name", "sku", "code", "number", "erp_number")


@dataclass(frozen=True)
class AsOf:
    """Until when a connection is known. `kind`: of which of its documents that is the oldest."""

    connection: str
    at: datetime | None
    kind: str

    @property
    def told(self) -> dict[str, Any]:
        return {"connection": self.connection, "at": to_text(self.at) if self.at else None, "kind": self.kind}


class Shelf:
    """Documents within one unit of work."""

    def __init__(self, engine: Engine, unit: Unit) -> None:
        self.engine = engine
        self.unit = unit

    @property
    def carried(self) -> list[str]:
        """Kinds of documents that a flow carries."""
        return [one.kind for one in DOCUMENTS if self.engine.landscape.flow_of(one.kind) is not None]

    def _offering(self, kind: str, role: str) -> list[Conn]:
        if kind not in self.carried:
            return []
        return [c for c in self.engine.landscape.offering(kind) if c.role == role and c.specs[kind].reads != "never"]

    def systems(self) -> Systems:
        both, lines, facts = set(), {}, set()
        for one in DOCUMENTS:
            sides = {role: self._offering(one.kind, role) for role in (CRM, ERP)}
            if sides[ERP]:
                facts.add(one.kind)
                if sides[CRM]:
                    both.add(one.kind)
            listed = {role for role, found in sides.items() if found and all(_has_lines(c, one.kind) for c in found)}
            lines[one.kind] = frozenset(listed)
        return Systems(frozenset(both), lines, frozenset(facts))

    def as_of(self) -> list[AsOf]:
        """By connection, the oldest read of its documents."""
        rows = {(c, kind): at for c, kind, at in _CURSORS.where(self.unit.tx, "read_at IS NOT NULL")}
        found = []
        for name, conn in self.engine.landscape.connections.items():
            held = [kind for kind in self.carried if conn in self._offering(kind, conn.role)]
            reads = sorted(((rows.get((name, kind)), kind) for kind in held), key=lambda one: (one[0] is not None, one))
            found += [AsOf(name, *reads[0])] if reads else []
        return found

    def records(self, kind: str, ids: Sequence[int] | None = None) -> Iterator[Rec]:
        """Those that stand somewhere, a few hundred at a time."""
        if ids is None:
            ids = [row[0] for row in run(self.unit.tx, _ALL, kind)]
        for some in chunks(ids):
            loaded = self.unit.load(some)
            yield from (loaded[i] for i in some if i in loaded and loaded[i].kind == kind)
            if len(self.unit.records) > _MANY:
                self.unit.forget()

    def documents(
        self,
        kind: type[R],
        company: str | None = None,
        *,
        ids: Sequence[int] | None = None,
        roles: Sequence[str] = (CRM, ERP),
    ) -> Iterator[TwoSided[R]]:
        """Documents of a kind, of one company or of all, with their sides in these roles, where they have one."""
        for record in self.records(kind.kind, ids):
            if company is None or record.agreed.get("company") == company:
                held = self._held(kind, record, roles)
                if held is not None:
                    yield held

    def _held(self, kind: type[R], record: Rec, roles: Sequence[str]) -> TwoSided[R] | None:
        links: dict[str, Link] = {}
        for link in self.unit.links_of(record.id):
            conn = self.engine.landscape.connections.get(link.connection)
            if conn is not None and conn.role in roles and link.here and link.main:
                links.setdefault(conn.role, link)
        if not links:
            return None
        sides = {role: kind.from_fields(link.sent) for role, link in links.items()}
        lacking = sorted(set(roles) - sides.keys())
        return TwoSided(
            f"{kind.kind}:{record.id}",
            sides.get(CRM),
            sides.get(ERP),
            expected=_expected(record.agreed, record.kind, ERP in lacking),
            why="; ".join(why for role in lacking if (why := self._why(record, role))),
        )

    def _why(self, record: Rec, role: str) -> str:
        """What the gate said of a side that lacks it."""
        names = {c.name for c in self.engine.landscape.connections.values() if c.role == role}
        return "; ".join(told[1] for name, told in record.verdicts.items() if name in names and told[1])

    # names

    def survivor(self, reference: str | None) -> int | None:
        """The record that stands for a referenced one now."""
        kind, _, number = (reference or "").partition(":")
        if (kind not in KINDS and kind not in REFERENCE_KINDS) or not number.isdigit():
            return None
        at = int(number)
        for _ in range(_CHAIN):
            record = self.unit.load([at]).get(at)
            if record is None or record.state != "merged" or record.merged_into is None:
                break
            at = record.merged_into
        return at

    def name(self, reference: str | None) -> str:
        """For people: the name of what a reference names."""
        number = self.survivor(reference)
        record = self.unit.load([number]).get(number) if number is not None else None
        return next((str(record.agreed[n]) for n in _SHOWN if record.agreed.get(n)), "") if record is not None else ""

    def currencies(self) -> dict[str, str]:
        """Reference -> ISO 4217 code."""
        found = self.records("currency")
        return {f"currency:{one.id}": str(one.agreed.get("code") or one.agreed.get("name") or "") for one in found}


_ALL = "SELECT id FROM records WHERE kind = ? AND state = 'active' ORDER BY id"
_MANY = 5000
_CHAIN = 50
"""More mergers in a row than this are a ring."""


def _expected(agreed: Mapping[str, Any], kind: str, only_crm: bool) -> bool:
    """Should both sides have it? Not what is a draft of the CRM still, nor what was cancelled."""
    state = agreed.get("state")
    if kind == Order.kind and only_crm:
        return agreed.get("wish") == "released" and state not in ("cancelled", "draft")
    return state not in ("cancelled", "reversed", *(() if kind == Order.kind else ("draft",)))


def _has_lines(conn: Conn, kind: str) -> bool:
    return any(one.name == "lines" for one in conn.specs[kind].map.items)


@contextmanager
def opened(engine: Engine, *, read: bool) -> Iterator[tuple[Shelf, list[str]]]:
    """The documents as the store has them; with `read` both systems are read first, and nothing of that is kept. The
    second is what could not be read."""
    if not read:
        with engine.store.read() as tx:
            yield Shelf(engine, Unit(tx, engine.store.clock, engine.actor)), []
        return
    kinds = [k for k in engine.landscape.kinds() if k in _LOOKED_AT or k in REFERENCE_KINDS]
    with engine.looking(kinds) as (unit, problems):
        yield Shelf(engine, unit), problems


_LOOKED_AT = ("account", "product", *(one.kind for one in DOCUMENTS))
