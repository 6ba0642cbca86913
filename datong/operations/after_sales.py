"""What the service desk asks: which articles may help, and what customers complain of."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa

from datong.base.clock import local_date
from datong.canon import Article, Asset, Record, ServiceCase, Shipment
from datong.engine.absorb import describe
from datong.engine.cycle import Engine
from datong.engine.references import References
from datong.insight.articles import Found, ranked
from datong.insight.complaints import By, Complaint, Group, Sent, counted
from datong.insight.span import Span
from datong.operations.actor import Actor, require
from datong.operations.records import located
from datong.store.opening import Transaction
from datong.store.schema import records
from datong.store.unit import Unit

T = TypeVar("T", bound=Record)
OF_COMPLAINTS = ("complaint", "return", "repair")
"""Types of cases that are counted: something was bad."""


def articles(
    engine: Engine, actor: Actor, case: tuple[str, str] | None = None, about: str = "", *, most: int = 5
) -> dict[str, Any]:
    """The articles that fit a case (connection, native id), words, or both, best first; those on the product of the
    case before those on others. Raises NotFound."""
    require(actor, "viewer", "see articles")
    with engine.store.read() as tx:
        unit = Unit(tx, engine.store.clock, actor.name)
        name, product = "", None
        if case is not None:
            record, _ = located(unit, *case, ServiceCase.kind)
            held = ServiceCase.from_fields(record.agreed)
            name, product = describe(record), held.product
            about = " ".join(filter(None, (held.subject, held.text, held.reason, about)))
        every = dict(_all_of(tx, Article))
    mine = {key: one for key, one in every.items() if product and product in _products(one)}
    found = ranked(about, mine, most)
    rest = {key: one for key, one in every.items() if key not in mine}
    found += ranked(about, rest, most - len(found)) if len(found) < most else []
    return {"of": name, "about": about, "articles": [_told(one, one.key in mine) for one in found]}


def _products(article: Article) -> set[str | None]:
    return {one.product for one in article.products.values()}


def _told(found: Found, on_product: bool) -> dict[str, Any]:
    one = found.article
    return {
        "record": found.key,
        "number": one.number,
        "title": one.title,
        "title_en": one.title_en,
        "on the product": on_product,
        "score": f"{found.score:.2f}",
    }


def complaints(engine: Engine, actor: Actor, by: By, span: Span) -> dict[str, Any]:
    """Cases that were opened within days of their companies, counted by product, lot or reason."""
    require(actor, "viewer", "see complaints")
    with engine.store.read() as tx:
        zones = engine.landscape.zones
        shipments = dict(_all_of(tx, Shipment))
        assets = dict(_all_of(tx, Asset))
        found = [
            Complaint(
                local_date(case.opened, zones.get(case.company or "", "UTC")),
                case.product or "",
                _lot(case, shipments, assets),
                case.reason or "",
                case.quantity if case.quantity is not None else Decimal(1),
                open=case.state not in ("closed", "cancelled", "resolved"),
            )
            for _, case in _all_of(tx, ServiceCase)
            if case.type in OF_COMPLAINTS and case.state != "cancelled" and case.opened is not None
        ]
        groups = counted(found, by, span.start, span.end, _sent(shipments.values()))
        names = References(Unit(tx, engine.store.clock, actor.name), engine.landscape)
        rows = [_row(group, names) for group in groups]
    return {"by": by, "period": str(span), "groups": rows, "cases": sum(group.cases for group in groups)}


def _lot(case: ServiceCase, shipments: dict[str, Shipment], assets: dict[str, Asset]) -> str:
    """That of the case, else of the thing, else the only one that its shipment or order brought of the product."""
    asset = assets.get(case.asset or "")
    if case.lot or (asset is not None and asset.lot):
        return case.lot or (asset.lot if asset is not None else None) or ""
    lots = {
        line.lot
        for key, shipment in shipments.items()
        for line in shipment.lines.values()
        if line.lot and line.product == case.product and case.order is not None
        if line.order == case.order and case.shipment in (None, key)
    }
    return lots.pop() if len(lots) == 1 else ""


def _sent(shipments: Any) -> Iterator[Sent]:
    for one in shipments:
        if one.state in ("shipped", "delivered") and one.date is not None:
            for line in one.lines.values():
                if line.product and line.quantity:
                    yield Sent(one.date, line.product, line.lot or "", line.quantity)


def _row(group: Group, names: References) -> dict[str, Any]:
    told = {"product": names.label(group.product).partition(" ")[2] if group.product else "", "lot": group.lot}
    rate = group.per_mille
    return {
        **told,
        "reason": group.reason,
        "cases": group.cases,
        "open": group.open,
        "quantity": f"{group.quantity:f}",
        "shipped": f"{group.shipped:f}",
        "per_mille": f"{rate:f}" if rate is not None else None,
        "reasons": {
            reason or "?": count for reason, count in sorted(group.reasons.items(), key=lambda r: (-r[1], r[0]))
        },
    }


def _all_of(tx: Transaction, kind: type[T]) -> Iterator[tuple[str, T]]:
    """Reference and record of every active record of a kind."""
    query = sa.select(records.c.id, records.c.agreed).where(records.c.kind == kind.kind, records.c.state == "active")
    for row in tx.execute(query.order_by(records.c.id)):
        yield f"{kind.kind}:{row.id}", kind.from_fields(row.agreed)
