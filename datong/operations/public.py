"""What customers may see without a password: public articles, and by a signed link how one document of theirs stands.

Of a document only what it says itself: numbers, states, days, goods. No names, no addresses, no prices, no text that
somebody wrote. Whoever made a link can take it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from datong.base import tickets
from datong.base.clock import Clock, from_text, to_text
from datong.base.errors import UsageError
from datong.base.money import plain
from datong.base.tickets import Ticket
from datong.canon import KINDS, Article, Order, Product, Return, ServiceCase, Shipment
from datong.engine.cycle import Engine
from datong.engine.landscape import Landscape
from datong.engine.references import References, target
from datong.flows.notices import SEE, Links
from datong.insight.articles import ranked
from datong.operations.actor import Actor, require
from datong.operations.records import located
from datong.store import Store
from datong.store.bulk import Columns, run
from datong.store.schema import meta, records, ties
from datong.store.unit import Rec, Unit

SHOWN = ("order", "shipment", "service_case", "return")
"""Kinds of which a customer may see how they stand."""
MOST = 20
_REVOKED = Columns(meta, ("name", "value"))
_POINTING = Columns(ties, ("from_id",))


@dataclass(frozen=True)
class Desk:
    """What the public pages look things up in."""

    store: Store
    landscape: Landscape
    clock: Clock
    key: bytes

    def ticket(self, text: str, purpose: str) -> Ticket | None:
        """The ticket of a link, where it was ours, is for this, has not expired and was not taken back."""
        found = tickets.read(self.key, text, self.clock.now())
        if found is None or found.purpose != purpose or not _is_reference(found.of):
            return None
        with self.store.read() as tx:
            rows = _REVOKED.where(tx, "name = ?", _revoked(found.of))
        return None if rows and found.issued <= from_text(rows[0][1]) else found

    def articles(self, question: str, most: int = MOST) -> list[Article]:
        """The articles for customers that fit a question, best first; all of them, where nothing is asked."""
        with self.store.read() as tx:
            found = dict(self._public(tx))
        if not question.strip():
            return sorted(found.values(), key=lambda one: one.number or "")[:most]
        return [one.article for one in ranked(question[:200], found, most)]

    def article(self, number: str) -> Article | None:
        with self.store.read() as tx:
            return next((one for _, one in self._public(tx) if one.number == number), None)

    def _public(self, tx: Any) -> Iterator[tuple[str, Article]]:
        query = sa.select(records.c.id, records.c.agreed).where(
            records.c.kind == Article.kind, records.c.state == "active"
        )
        for number, fields in tx.execute(query):
            one = Article.from_fields(fields)
            if one.public and one.number and one.active is not False:
                yield f"article:{number}", one

    def state(self, reference: str) -> dict[str, Any] | None:
        """How a document stands; None where there is none any more."""
        with self.store.read() as tx:
            unit = Unit(tx, self.clock, "customer")
            record = _of(unit, self.landscape, reference)
            return _Shown(unit, self.landscape).of(record) if record is not None else None

    def thread(self, reference: str) -> str:
        """The thread of a case, to which an answer belongs; empty of others."""
        with self.store.read() as tx:
            record = _of(Unit(tx, self.clock, "customer"), self.landscape, reference)
        return str(record.agreed.get("thread") or "") if record is not None and record.kind == ServiceCase.kind else ""

    def rated(self, reference: str) -> bool:
        """Has the customer said already whether he is content?"""
        with self.store.read() as tx:
            record = _of(Unit(tx, self.clock, "customer"), self.landscape, reference)
        return record is None or record.agreed.get("score") is not None


def _is_reference(of: str) -> bool:
    kind, _, number = of.partition(":")
    return kind in KINDS and number.isdigit()


def _of(unit: Unit, landscape: Landscape, reference: str) -> Rec | None:
    kind, number = target(reference)
    survivor = References(unit, landscape).survivor(number)
    record = unit.load([survivor]).get(survivor)
    return record if record is not None and record.kind == kind and record.state == "active" else None


class _Shown:
    """Documents as a customer sees them."""

    def __init__(self, unit: Unit, landscape: Landscape) -> None:
        self._unit = unit
        self._landscape = landscape

    def of(self, record: Rec) -> dict[str, Any] | None:
        told = KINDS[record.kind].from_fields(record.agreed)
        if isinstance(told, Order):
            return self._order(record, told)
        if isinstance(told, Shipment):
            return {**self._shipment(told), "order": self._order_number(told.order)}
        if isinstance(told, ServiceCase):
            return self._case(record, told)
        return self._return(told) if isinstance(told, Return) else None

    def _order(self, record: Rec, told: Order) -> dict[str, Any]:
        sent = self._pointing(record, "order", Shipment)
        return {
            "kind": "order",
            "number": told.customer_reference or told.number or told.erp_number,
            "state": told.status or told.state,
            "date": told.date,
            "goods": self._goods(list(told.lines.values())),
            "parts": [self._shipment(one) for one in sent if one.state in ("shipped", "delivered")],
        }

    def _shipment(self, told: Shipment) -> dict[str, Any]:
        return {
            "kind": "shipment",
            "number": told.erp_number,
            "state": told.state,
            "date": told.date,
            "carrier": told.carrier,
            "tracking": told.tracking,
            "goods": self._goods(list(told.lines.values())),
        }

    def _case(self, record: Rec, told: ServiceCase) -> dict[str, Any]:
        return {
            "kind": "service_case",
            "number": told.number,
            "state": told.state,
            "opened": told.opened,
            "closed": told.closed,
            "order": self._order_number(told.order),
            "parts": [self._return(one) for one in self._pointing(record, "case", Return)],
        }

    def _return(self, told: Return) -> dict[str, Any]:
        return {
            "kind": "return",
            "number": told.erp_number or told.number,
            "state": told.state,
            "date": told.date,
            "received": told.received_on,
            "order": self._order_number(told.order),
            "goods": self._goods(list(told.lines.values())),
        }

    def _order_number(self, reference: str | None) -> str | None:
        record = _of(self._unit, self._landscape, reference) if reference else None
        return next((record.agreed[n] for n in _NUMBERS if record.agreed.get(n)), None) if record is not None else None

    def _goods(self, lines: Sequence[Any]) -> list[dict[str, str]]:
        found = []
        for line in lines:
            record = _of(self._unit, self._landscape, line.product) if line.product else None
            told = Product.from_fields(record.agreed) if record is not None else None
            name = " ".join(filter(None, (told.sku, told.name))) if told is not None else ""
            if line.quantity is not None and name:
                found.append({"name": name, "quantity": plain(line.quantity)})
        return found

    def _pointing(self, record: Rec, field: str, kind: type[Any]) -> list[Any]:
        rows = _POINTING.select(self._unit.tx, "to_id", [record.id], "field = ?", field, order="from_id")
        loaded = self._unit.load([row[0] for row in rows])
        return [
            kind.from_fields(one.agreed)
            for _, one in sorted(loaded.items())
            if one.kind == kind.kind and one.state == "active"
        ]


_NUMBERS = ("customer_reference", "number", "erp_number")


# Links, made and taken back ----------------------------------------------------------------------------------------


def link(
    engine: Engine, actor: Actor, links: Links, connection: str, native_id: str, kind: str, days: int
) -> dict[str, Any]:
    """A link by which a customer sees how a document stands. Raises NotFound, UsageError."""
    require(actor, "operator", "give a customer a link")
    if kind not in SHOWN:
        raise UsageError(f"customers are shown no {kind}", remedy=f"there are pages of {', '.join(SHOWN)}")
    if not links.url:
        raise UsageError("there is no address for links", remedy="set `service.public_url` in datong.yaml")
    with engine.store.write() as tx:
        unit = Unit(tx, engine.store.clock, actor.name)
        record, _ = located(unit, connection, native_id, kind)
        expires = unit.now + timedelta(days=days)
        unit.note("signed link made", record_id=record.id, kind=kind, why=f"until {to_text(expires)}")
        unit.flush()
    made = links.to(SEE, f"{kind}:{record.id}", unit.now, expires)
    return {"link": made, "expires": to_text(expires)}


def revoke(engine: Engine, actor: Actor, connection: str, native_id: str, kind: str) -> dict[str, Any]:
    """All links to a document that were made until now open nothing any more. Raises NotFound."""
    require(actor, "operator", "take links back")
    with engine.store.write() as tx:
        unit = Unit(tx, engine.store.clock, actor.name)
        record, _ = located(unit, connection, native_id, kind)
        name = _revoked(f"{kind}:{record.id}")
        run(tx, "DELETE FROM meta WHERE name = ?", name)
        _REVOKED.insert(tx, [(name, to_text(unit.now))])
        unit.note("signed links revoked", record_id=record.id, kind=kind)
        unit.flush()
    return {"record": record.id, "revoked": to_text(unit.now)}


def _revoked(of: str) -> str:
    return f"links {of}"
