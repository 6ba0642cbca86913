"""A campaign's prices (活动价) become a price list of the ERP: dated, agreed to, and over when the campaign is.

One price list for each version of what the campaign says of prices. A later version takes the place of the one before
when the ERP has it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from datong.canon import Campaign, PriceList, PriceListLine
from datong.engine.flow import GO, Conversion, Park, Skip, Verdict
from datong.engine.near import Near
from datong.flows.campaign_terms import CAMPAIGN_PRICES, CampaignPriceSettings, charges, priced, version_of

_CODE = 20
"""Characters of a code that the usual ERP keeps."""


def settled(campaign: Campaign, near: Near) -> Verdict:
    """It says which prices, for when, and all of them can be worked out."""
    if campaign.state not in ("planned", "running"):
        return Skip(f"the campaign is {campaign.state}")
    if not priced(campaign):
        return Skip("it changes no price")
    if campaign.start is None or campaign.end is None or campaign.end < campaign.start:
        return Park("it has prices, but no first and last day", "enter both days in the CRM, or take the prices out")
    if campaign.end < near.today(campaign.company):
        return Skip("its last day is over")
    if campaign.currency is None or campaign.company is None:
        return Park("it has prices, but no currency or no company", "enter both in the CRM")
    if problems := [one.problem for one in charges(campaign, near) if one.problem]:
        return Park("; ".join(problems), "correct the price or the discount in the CRM, or the product in the ERP")
    return GO


def listed(campaign: Campaign, company: str, near: Near) -> PriceList | None:
    """None where the list of this version was made: what was agreed to does not move with the list price."""
    version = version_of(campaign)
    if any(one.version == version for one in near.pointing(PriceList, "campaign").values()):
        return None
    head = campaign.number or "MC"
    return PriceList.model_construct(
        code=f"{head[: _CODE - len(version) - 1]}-{version}",
        name=f"{campaign.name or head} 活动价",
        company=campaign.company,
        currency=campaign.currency,
        tax_included=bool(campaign.tax_included),
        valid_from=campaign.start,
        valid_to=campaign.end,
        active=True,
        campaign=near.reference(Campaign.kind),
        version=version,
        lines={
            f"p{number}": PriceListLine.model_construct(product=one.product, unit=one.unit, price=one.price)
            for number, one in enumerate(charges(campaign, near), 1)
        },
    )


def told_back(campaign: Campaign, lists: Sequence[PriceList], near: Near) -> Mapping[str, Any]:
    """Which price list stands for it in the ERP, and what the last one waits for."""
    if not lists:
        return {"price_list": None, "price_state": None}
    standing = [one for one in lists if one.entered and one.active]
    newest = [one for one in lists if one.version == version_of(campaign)]
    waits = newest and not newest[-1].entered and newest[-1].active
    verdict, why = near.verdict_into("erp")
    done = "in force" if standing else "ended"
    state = (why if verdict == "park" else "on its way") if waits else done
    return {"price_list": ", ".join(one.code for one in standing if one.code) or None, "price_state": state}


campaign_prices = Conversion(
    name=CAMPAIGN_PRICES,
    en="Campaign prices",
    zh="活动价",
    requires=("campaigns", "price_lists", "prices"),
    settings=CampaignPriceSettings,
    source=Campaign,
    target=PriceList,
    ready=settled,
    version=version_of,
    companies=lambda campaign: (campaign.company or "",),
    build=listed,
    live=lambda prices: False,
    reply=told_back,
)
