"""What a campaign says of prices, and what follows for its price lists: may one be charged, and is it in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import Field

from datong.base.json import digest
from datong.base.money import plain
from datong.canon import Campaign, PriceList, Product, TaxCode
from datong.canon.market import CampaignProduct
from datong.engine.flow import Approve, ConversionSettings, Park, Skip, Step, Verdict
from datong.engine.near import Near
from datong.flows.approval import Approver
from datong.reckoning.exact import rounded

CAMPAIGN_PRICES = "campaign_prices"
PLACES = 4
"""Decimals of a price that follows from a discount."""
_STILL = ("planned", "running")


class BelowCost(Approver):
    """Who may agree to sell below cost."""

    by: str = ""
    """a role, or one person by name; nobody, unless named"""


class CampaignPriceSettings(ConversionSettings):
    """Who agrees to a campaign's prices before the ERP asks for them."""

    approve: Approver = Field(default_factory=Approver)
    """every price list of a campaign"""
    below_cost: BelowCost = Field(default_factory=BelowCost)
    """one with a price below cost, or with a product of which the cost is not known"""


@dataclass(frozen=True)
class Charged:
    """What a product costs in a campaign; `problem`: why nobody can say."""

    product: str
    unit: str | None
    price: Decimal = Decimal(0)
    problem: str = ""


def priced(campaign: Campaign) -> list[CampaignProduct]:
    """The products of which it says a price."""
    return [one for one in campaign.products.values() if one.price is not None or one.discount is not None]


def version_of(campaign: Campaign) -> str:
    """Stands for all that a campaign says of prices: another price, day, currency or product is another version."""
    lines = sorted(
        [one.product or "", plain(one.price) if one.price is not None else "", plain(one.discount or Decimal(0))]
        for one in priced(campaign)
    )
    days = [str(campaign.start or ""), str(campaign.end or "")]
    return digest([lines, days, campaign.company, campaign.currency, bool(campaign.tax_included)])[:8]


def charges(campaign: Campaign, near: Near) -> Iterator[Charged]:
    """Every price of a campaign, discounts worked out. List prices are without tax."""
    for one in priced(campaign):
        product = near.of(one.product, Product)
        if product is None or one.product is None:
            yield Charged(one.product or "", None, problem="a product is not known")
        elif one.price is not None:
            wrong = "" if one.price > 0 else f"{product.name} costs {one.price:f}"
            yield Charged(one.product, product.unit, one.price, wrong)
        else:
            yield _discounted(campaign, one, product, near)


def _discounted(campaign: Campaign, one: CampaignProduct, product: Product, near: Near) -> Charged:
    off, reference = one.discount or Decimal(0), one.product or ""
    if product.list_price is None or near.code(product.currency) != near.code(campaign.currency):
        return Charged(reference, product.unit, problem=f"{product.name} has no list price in the campaign's currency")
    if not 0 < off < 100:
        return Charged(reference, product.unit, problem=f"{off:f} % off {product.name}")
    taxed = _tax(product, near) if campaign.tax_included else Fraction(0)
    if taxed is None:
        return Charged(reference, product.unit, problem=f"the tax rate of {product.name} is not known")
    price = Fraction(product.list_price) * (100 - Fraction(off)) / 100 * (1 + taxed)
    return Charged(reference, product.unit, rounded(price, PLACES))


def _tax(product: Product, near: Near) -> Fraction | None:
    code = near.of(product.tax_code, TaxCode)
    return None if code is None or code.rate is None else Fraction(code.rate) / 100


def may_be_charged(prices: PriceList, near: Near) -> Verdict:
    """A campaign's price list enters the ERP while the campaign says just that, and when people agreed."""
    settings = near.settings_of(CAMPAIGN_PRICES)
    campaign = near.of(prices.campaign, Campaign)
    if not isinstance(settings, CampaignPriceSettings) or campaign is None:
        return Skip("no flow carries the prices of campaigns")
    if prices.active is False or version_of(campaign) != prices.version:
        return Skip("its campaign says otherwise by now, or is over")
    steps: list[Step] = [settings.approve.step("campaign price", f"{campaign.name}: {_shown(prices, near)}")]
    if low := list(_too_low(prices, near)):
        told = ", ".join(low)
        if not settings.below_cost.by:
            return Park(
                told,
                "raise the price, or name who may agree: campaign_prices.settings.below_cost.by",
                cause="below cost",
            )
        steps.append(settings.below_cost.step("below cost", f"{campaign.name}: {told}"))
    return Approve(tuple(steps))


def _shown(prices: PriceList, near: Near) -> str:
    """What people agree to."""
    currency = near.code(prices.currency) or ""
    each = ", ".join(
        f"{near.name(one.product)} {one.price:f}" for one in prices.lines.values() if one.price is not None
    )
    tax = "with tax" if prices.tax_included else "without tax"
    return f"{each} {currency} {tax}, {prices.valid_from} to {prices.valid_to}"


def _too_low(prices: PriceList, near: Near) -> Iterator[str]:
    """Prices below cost, and those of which nobody can say."""
    for one in prices.lines.values():
        product = near.of(one.product, Product)
        if product is None or one.price is None:
            continue
        taxed = _tax(product, near) if prices.tax_included else Fraction(0)
        comparable = near.code(product.currency) in (None, near.code(prices.currency)) and taxed is not None
        if product.cost is None or not comparable or taxed is None:
            yield f"the cost of {product.name} is not known"
        elif Fraction(one.price) / (1 + taxed) < Fraction(product.cost):
            yield f"{product.name} at {one.price:f} is below its cost"


def in_force(prices: PriceList, near: Near) -> Mapping[str, Any]:
    """A campaign's list ends with the campaign, is cut where the campaign is, and gives way to the next version once
    the ERP has that."""
    if prices.campaign is None:
        return {}
    campaign = near.of(prices.campaign, Campaign)
    if campaign is None or campaign.state not in _STILL or not priced(campaign):
        return {"active": False}
    now = version_of(campaign)
    if now == prices.version:
        return {"active": True, "valid_from": campaign.start, "valid_to": campaign.end}
    others = near.with_reference(PriceList, "campaign", prices.campaign).values()
    if prices.entered is None or any(one.version == now and one.entered for one in others):
        return {"active": False}
    starts = max((one for one in (prices.valid_from, campaign.start) if one is not None), default=None)
    ends = min((one for one in (prices.valid_to, campaign.end) if one is not None), default=None)
    if starts is None or ends is None or ends < starts:
        return {"active": False}
    return {"active": True, "valid_from": starts, "valid_to": ends}
