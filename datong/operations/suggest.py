"""Campaign suggestions: overstock and buying history read from the store; what people accept becomes a campaign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date as Day
from decimal import Decimal
from fractions import Fraction
from typing import Any

from datong.base.clock import local_date, to_text
from datong.base.errors import NotFound, UsageError
from datong.base.money import plain
from datong.canon import Account, Campaign, Order, Product, Shipment, StockLevel
from datong.canon.market import CampaignAccount, CampaignProduct
from datong.engine.absorb import Absorber
from datong.engine.cycle import Engine
from datong.engine.evaluate import Evaluator
from datong.flows.demand import CAMPAIGNS, CampaignSettings
from datong.flows.orders import stands
from datong.insight.demand import Around
from datong.insight.suggest import (
    Bought,
    Goods,
    Held,
    Left,
    Overstock,
    Suggestion,
    SuggestRules,
    overstock,
    suggestions,
)
from datong.operations.actor import Actor, require
from datong.operations.demand import around_of, every
from datong.operations.documents import Shelf, opened
from datong.operations.work import acting
from datong.reckoning.exact import rounded, summed
from datong.store.unit import Unit

_PLANNED = ("planned", "running", None)


@dataclass(frozen=True)
class Suggestions:
    """Goods of which there is too much, and to whom they may be offered."""

    day: Day
    over: list[Overstock]
    customers: list[Suggestion]
    names: dict[str, str]

    @property
    def told(self) -> dict[str, Any]:
        return {
            "day": str(self.day),
            "overstock": [self.over_told(one) for one in self.over],
            "customers": [self.customer_told(one) for one in self.customers],
        }

    def named(self, reference: str) -> str:
        return self.names.get(reference, reference)

    def over_told(self, one: Overstock) -> dict[str, Any]:
        named = {name: self.named(getattr(one, name)) for name in ("product", "warehouse", "unit")}
        numbers = {name: _text(getattr(one, name)) for name in ("stock", "monthly", "months", "excess", "worth")}
        return {**named, **numbers, "idle_days": one.idle, "currency": one.currency}

    def customer_told(self, one: Suggestion) -> dict[str, Any]:
        return {
            "id": one.key,
            "product": self.named(one.product),
            "customer": self.named(one.account),
            "by": one.by,
            "times": one.times,
            "last": str(one.last),
            "every_days": one.every,
            "due": str(one.due) if one.due else None,
            "is_due": one.is_due,
            "quantity": plain(one.quantity),
            "unit": self.named(one.unit),
            "worth": _text(one.worth),
            "currency": one.currency,
            "reason": self.reason(one),
        }

    def reason(self, one: Suggestion) -> str:
        """Why this customer, in a line."""
        product = self.named(one.product)
        if one.by == "group":
            return f"{product}: bought others of its group {one.times} times, last on {one.last}"
        again = f", again {'since' if one.is_due and one.due and one.due <= self.day else 'on'} {one.due}"
        return f"{product}: bought {one.times} times, last on {one.last}{again if one.due else ''}"


def _text(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def suggest(engine: Engine, actor: Actor, *, company: str | None = None, months: Decimal | None = None) -> Suggestions:
    """What there is too much of today, and customers who may want it. `months`: another bound than the settings have.

    Raises UsageError where no flow carries stock.
    """
    require(actor, "viewer", "see suggestions")
    with opened(engine, read=False) as (shelf, _):
        return _found(engine, shelf, company, months)


def _found(engine: Engine, shelf: Shelf, company: str | None, months: Decimal | None) -> Suggestions:
    if engine.landscape.flow_of(StockLevel.kind) is None:
        raise UsageError("no flow carries stock", remedy="switch `stock` on under flows: in datong.yaml")
    settings = engine.landscape.settings_of(CAMPAIGNS)
    rules = settings.rules() if isinstance(settings, CampaignSettings) else SuggestRules()
    if months is not None:
        rules = SuggestRules(**{**rules.__dict__, "months": months})
    around, today = around_of(shelf), local_date(engine.store.clock.now(), _zone(engine, company))
    orders = {key: one for key, one in every(shelf, Order).items() if stands(one) and company in (None, one.company)}
    products = every(shelf, Product)
    goods = {key: _goods(one, around) for key, one in products.items() if one.active is not False}
    left = _left(every(shelf, Shipment), company, around)
    mine = {one.warehouse for one in left}
    held = [
        one
        for one in _held(every(shelf, StockLevel), around)
        if one.product in goods and (company is None or one.warehouse in mine)
    ]
    over = overstock(held, left, goods, rules, today)
    open_to = _open_accounts(every(shelf, Account), company)
    bought = [one for one in _bought(orders, around) if one.account in open_to]
    served = frozenset(_served(every(shelf, Campaign), around))
    found = suggestions(over, bought, goods, rules, today, served=served)
    wanted = {v for one in over for v in (one.product, one.warehouse, one.unit)}
    wanted |= {v for one in found for v in (one.product, one.account, one.unit)}
    names = {reference: shelf.name(reference) or reference for reference in sorted(wanted) if ":" in reference}
    return Suggestions(today, over, found, names)


def _zone(engine: Engine, company: str | None) -> str:
    zones = engine.landscape.zones
    return zones.get(company, "UTC") if company else next(iter(zones.values()), "UTC")


def _goods(one: Product, around: Around) -> Goods:
    currency = around.code_of(one.currency) if one.currency else ""
    return Goods(one.category or "", one.list_price, currency)


def _held(levels: dict[str, StockLevel], around: Around) -> Iterator[Held]:
    """What is free: available, else on hand."""
    for one in levels.values():
        free = one.available if one.available is not None else one.on_hand
        if one.product and free is not None:
            product = around.same(one.product)
            yield Held(product, around.same(one.warehouse), around.same(one.unit) or around.unit_of(product), free)


def _left(shipments: dict[str, Shipment], company: str | None, around: Around) -> list[Left]:
    found = []
    for one in shipments.values():
        if one.state in ("shipped", "delivered") and one.date and company in (None, one.company):
            for line in one.lines.values():
                if line.product and line.quantity:
                    product = around.same(line.product)
                    unit = around.same(line.unit) or around.unit_of(product)
                    found.append(Left(product, around.same(one.warehouse), unit, one.date, line.quantity))
    return found


def _bought(orders: dict[str, Order], around: Around) -> Iterator[Bought]:
    for order in orders.values():
        if order.account and order.date:
            code = around.code_of(order.currency) if order.currency else ""
            for line in order.lines.values():
                if line.product and line.quantity and line.free is None:
                    product = around.same(line.product)
                    unit = around.same(line.unit) or around.unit_of(product)
                    price = None if line.net is None else rounded(Fraction(line.net) / Fraction(line.quantity), 6)
                    account = around.same(order.account)
                    yield Bought(account, product, unit, order.date, line.quantity, price, code)


def _open_accounts(accounts: dict[str, Account], company: str | None) -> set[str]:
    """To whom something may be offered: not closed, and not blocked where we sell."""
    return {
        key
        for key, one in accounts.items()
        if one.active is not False
        and one.stage != "closed"
        and not any(part.blocked for code, part in one.company.items() if company in (None, code))
    }


def _served(campaigns: dict[str, Campaign], around: Around) -> Iterator[tuple[str, str]]:
    """What is offered already, or is to be."""
    for one in campaigns.values():
        if one.state in _PLANNED:
            for product in one.products.values():
                for account in one.accounts.values():
                    yield around.same(product.product), around.same(account.account)


def accept(
    engine: Engine,
    actor: Actor,
    name: str,
    *,
    rows: Sequence[str] = (),
    company: str | None = None,
    months: Decimal | None = None,
    start: Day | None = None,
    end: Day | None = None,
) -> dict[str, Any]:
    """Make a campaign of what is suggested now: of all rows, or of those named by their ids. It goes to the CRM with
    its list of customers, once.

    Raises UsageError where nothing is suggested, no flow carries campaigns or it has no name, NotFound for a row that
    is not suggested (any more).
    """
    require(actor, "operator", "accept suggestions")
    if engine.landscape.flow_of(Campaign.kind) is None:
        raise UsageError("no flow carries campaigns", remedy="switch `campaigns` on under flows: in datong.yaml")
    if not name.strip():
        raise UsageError("a campaign needs a name", remedy="--accept NAME")
    with acting(engine, actor) as unit:
        shelf = Shelf(engine, unit)
        found = _found(engine, shelf, company, months)
        chosen = {one.key: one for one in found.customers if not rows or one.key in rows}
        if missing := [one for one in rows if one not in chosen]:
            raise NotFound(f"nobody is suggested as {', '.join(missing)}", remedy="`datong suggest` lists them")
        if not chosen:
            raise UsageError("nothing is suggested", remedy="`datong suggest` shows what there is too much of")
        campaign = _campaign(engine, shelf, actor, name.strip(), found, list(chosen.values()), company)
        campaign = campaign.model_copy(update={"start": start or found.day, "end": end})
        record_id = _made(engine, unit, campaign, f"{len(chosen)} suggestions accepted")
        return {"campaign": f"campaign:{record_id}", "name": campaign.name, "customers": len(campaign.accounts)}


def _campaign(
    engine: Engine,
    shelf: Shelf,
    actor: Actor,
    name: str,
    found: Suggestions,
    chosen: list[Suggestion],
    company: str | None,
) -> Campaign:
    known = sorted({code for conn in engine.landscape.connections.values() for code in conn.companies})
    codes = shelf.currencies()
    currency = _most([one.currency for one in chosen])
    by_account: dict[str, list[Suggestion]] = {}
    for one in chosen:
        by_account.setdefault(one.account, []).append(one)
    products = dict.fromkeys(one.product for one in chosen)
    return Campaign.model_construct(
        name=name,
        company=company or (known[0] if len(known) == 1 else None),
        state="planned",
        currency=next((key for key, code in codes.items() if code == currency), None) if currency else None,
        suggested=f"overstock {found.day}, {actor.name}",
        accounts={
            f"a{number}": CampaignAccount.model_construct(
                account=account,
                reason="; ".join(found.reason(one) for one in some),
                expected=_expected(some, currency),
            )
            for number, (account, some) in enumerate(by_account.items(), 1)
        },
        products={
            f"p{number}": CampaignProduct.model_construct(product=product) for number, product in enumerate(products, 1)
        },
    )


def _most(codes: Iterable[str]) -> str:
    """The currency that most rows are in."""
    found = [one for one in codes if one]
    return max(sorted(set(found)), key=found.count, default="")


def _expected(some: list[Suggestion], currency: str) -> Decimal | None:
    """In the campaign's currency; of another one there is no sum."""
    worth = [one.worth for one in some if one.worth is not None and one.currency == currency]
    return summed(worth) if worth else None


def _made(engine: Engine, unit: Unit, campaign: Campaign, why: str) -> int:
    record = unit.new_record(Campaign.kind)
    record.agreed = campaign.flat()
    record.origin["*"] = [CAMPAIGNS, to_text(unit.now)]
    unit.touch(record)
    unit.note("made", record_id=record.id, kind=record.kind, flow=CAMPAIGNS, why=why)
    unit.flush()
    Evaluator(unit, engine.landscape, Absorber(unit, engine.landscape).references).weigh({record.id})
    unit.flush()
    return record.id
