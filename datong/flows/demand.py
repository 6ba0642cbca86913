"""Market facts (市场信息): wishes and trends that people typed, campaigns, and what came of deals and campaigns.

What opportunities and quotes say of demand is computed when it is asked for (`datong demand`), not kept a second time.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

from datong.base.money import minor_units
from datong.canon import Campaign, DemandSignal, Invoice, Opportunity, Order, Product
from datong.engine.flow import CRM, ERP, GO, Master, Park, Policies, Skip, Verdict, owned_by, told
from datong.engine.lifecycle import LifeCycle
from datong.engine.near import Near
from datong.flows.customer_books import rate_of
from datong.flows.orders import stands
from datong.insight.demand import DemandRules, months_of
from datong.insight.proceeds import Proceeds, proceeds
from datong.insight.suggest import SuggestRules
from datong.matching import Identity, same

DEMAND = "demand"


class DemandSettings(BaseModel):
    """How likely demand is, in per cent, where nobody said so."""

    model_config = ConfigDict(extra="forbid")

    quotes: dict[str, Decimal] = Field(default_factory=lambda: dict(DemandRules().quotes))
    """state of a quote -> how likely it is ordered; a state that is not named counts for nothing"""
    pipeline: Decimal = Field(Decimal(0), ge=0, le=100)
    """an opportunity without probability"""
    lost: Decimal = Field(Decimal(0), ge=0, le=100)
    """a lost deal: that it is wanted again"""
    told: Decimal = Field(Decimal(100), ge=0, le=100)
    """a wish or a trend without a weight"""

    def rules(self) -> DemandRules:
        return DemandRules(self.quotes, self.pipeline, self.lost, self.told)


demand = Master(
    name=DEMAND,
    en="Demand signals",
    zh="需求信号",
    settings=DemandSettings,
    record=DemandSignal,
    identity=Identity(link=(same("number"),)),
    fields=Policies(
        owned_by(CRM, "number", "source", "product", "region", "company", "account", "period", "quantity", "unit"),
        owned_by(CRM, "weight", "amount", "currency", "reason", "competitor", "text", "origin", "custom"),
    ),
    first_load=CRM,
    creates_in=(ERP,),
)


@demand.into(ERP)
def may_be_planned_with(signal: DemandSignal) -> Verdict:
    """What is about a product and a time."""
    if signal.product is None or not signal.period:
        return Skip("it says no product, or no period")
    return GO


@demand.checks("unknown product")
def product_known(signal: DemandSignal, near: Near) -> Park | None:
    """What is wished for is counted for no product as long as nobody knows which."""
    if "product" not in near.unresolved:
        return None
    return Park("it names a product that nobody knows", "correct the product in the list, or add it in the ERP")


@demand.checks("period")
def period_understood(signal: DemandSignal) -> Park | None:
    """A signal of which nobody knows when counts for nothing."""
    try:
        months_of(signal.period)
    except ValueError as error:
        return Park(str(error), "write a month as 2026-11, a span as 2026-10..2026-12")
    return None


class CampaignSettings(BaseModel):
    """What is too much of a product, and who may want it."""

    model_config = ConfigDict(extra="forbid")

    months: Decimal = Field(Decimal(6), gt=0)
    """months of sales that stock may cover; more is overstock (库存积压)"""
    idle_days: int = Field(90, gt=0)
    """days without a movement out of the warehouse after which all of it is overstock (呆滞)"""
    back: int = Field(6, gt=0, le=60)
    """months whose sales are counted"""
    history_days: int = Field(730, gt=0)
    """how far back a purchase tells that a customer may buy again"""
    due_days: int = Field(30, ge=0)
    """days before a purchase is due again on which a customer counts as due"""
    customers: int = Field(20, gt=0)
    """most customers suggested for one product"""

    def rules(self) -> SuggestRules:
        return SuggestRules(**self.model_dump())


CAMPAIGNS = "campaigns"

campaigns = Master(
    name=CAMPAIGNS,
    en="Campaigns",
    zh="市场活动",
    settings=CampaignSettings,
    record=Campaign,
    identity=Identity(link=(same("number"),)),
    fields=Policies(
        owned_by(CRM, "number", "name", "owner", "company", "state", "start", "end", "currency", "budget"),
        owned_by(CRM, "accounts", "products", "suggested", "custom"),
        owned_by(CRM, "tax_included"),
        told("ordered", "invoiced", "margin", "price_list", "price_state"),
    ),
    first_load=CRM,
    creates_in=(CRM,),
    whole=True,
    busy=True,
    made_here=True,
    lives=(
        LifeCycle(
            "state",
            ("planned", "running", "done"),
            ends={"cancelled": ("planned", "running")},
            back={("running", "planned"): "put off", ("done", "running"): "prolonged"},
        ),
    ),
)


@campaigns.into(CRM)
def handed_over(campaign: Campaign) -> Verdict:
    """What was suggested here and accepted; others were made where they are."""
    return GO if campaign.suggested else Skip("it was made in the CRM")


@campaigns.tells
def came_of_it(campaign: Campaign, near: Near) -> Mapping[str, Any]:
    """Over all deals that name the campaign."""
    deals = near.pointing(Opportunity, "campaign")
    orders: dict[str, Order] = {}
    for reference in deals:
        orders |= near.with_reference(Order, "opportunity", reference)
    return results(orders, campaign.currency, near)


def results(orders: Mapping[str, Order], currency: str | None, near: Near) -> Mapping[str, Any]:
    """Ordered, invoiced and earned, in a currency. Nothing where nothing was ordered, or where a document cannot be
    told in that currency, for a part is no sum."""
    standing = {key: one for key, one in orders.items() if stands(one)}
    invoices: dict[str, Invoice] = {}
    for reference in orders:
        invoices |= near.with_reference(Invoice, "lines.*.order", reference)
        invoices |= near.with_reference(Invoice, "order", reference)
    code = near.code(currency)
    documents: Mapping[str, Order | Invoice] = {**standing, **invoices}
    rates = {key: rate for key, one in documents.items() if (rate := _rate(one, code, near)) is not None}
    if not standing or code is None or len(rates) < len(documents):
        return dict.fromkeys(("ordered", "invoiced", "margin"))
    lines = [line for one in documents.values() for line in one.lines.values() if line.cost is None]
    usual = dict(_costs({line.product for line in lines if line.product}, code, near))
    found: Proceeds = proceeds(standing, invoices, rates, minor_units(code), usual)
    return {"ordered": found.ordered, "invoiced": found.invoiced, "margin": found.margin}


def _costs(products: Iterable[str], code: str, near: Near) -> Iterator[tuple[str, Decimal]]:
    """What products cost, where that is known in a currency."""
    for reference in sorted(products):
        product = near.of(reference, Product)
        if product is not None and product.cost is not None and near.code(product.currency) == code:
            yield reference, product.cost


def _rate(document: Order | Invoice, code: str | None, near: Near) -> Decimal | None:
    """Into the currency of the books a document says it itself; into another only its own."""
    if near.code(document.currency) in (None, code):
        return Decimal(1)
    return rate_of(document, cast(str, code), near) if code == near.currency(document.company) else None
