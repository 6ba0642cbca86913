"""Prices, stock, supply and exchange rates: the ERP's, shown in the CRM. Accounting periods, for rules.

Price lists of campaigns are made here: see campaign_prices.
"""

from collections.abc import Mapping
from typing import Any

from datong.canon import AccountingPeriod, BillOfMaterials, ExchangeRate, Price, PriceList, StockLevel, SupplyOrder
from datong.engine.flow import CRM, ERP, GO, Master, Policies, Skip, Verdict, owned_by, told
from datong.engine.lifecycle import LifeCycle
from datong.engine.near import Near
from datong.flows.campaign_terms import in_force, may_be_charged
from datong.matching import Identity, same


def of_a_campaign(fields: Mapping[str, Any]) -> bool:
    """Made here; the others are the ERP's."""
    return bool(fields.get("campaign"))


price_lists = Master(
    name="price_lists",
    en="Price lists",
    zh="价目表",
    record=PriceList,
    identity=Identity(link=(same("code"),)),
    fields=Policies(
        owned_by(
            *(ERP, "code", "name", "company", "currency", "tax_included", "valid_from", "valid_to", "active", "lines")
        ).once(of_a_campaign, told()),
        owned_by(ERP, "restricted", "entered", "custom"),
        told("campaign", "version"),
    ),
    first_load=ERP,
    whole=True,
)


@price_lists.into(CRM)
def listed_in_the_books(prices: PriceList) -> Verdict:
    """That of a campaign once the ERP has it, and its people agreed."""
    if prices.campaign and prices.entered is None:
        return Skip("the ERP does not have it yet")
    return GO


@price_lists.into(ERP)
def may_be_asked_for(prices: PriceList, near: Near) -> Verdict:
    """That of a campaign, as long as the campaign says so, and as its people agree."""
    return may_be_charged(prices, near) if prices.campaign else Skip("it was made in the ERP")


price_lists.tells(in_force)

prices = Master(
    name="prices",
    en="Prices",
    zh="价格",
    requires=("price_lists",),
    record=Price,
    identity=Identity(),
    fields=Policies(
        owned_by(ERP, "price_list", "account", "product", "unit", "currency", "tax_included", "price", "tiers"),
        owned_by(ERP, "valid_from", "valid_to", "active", "custom"),
    ),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("product",),
    whole=True,
)

stock = Master(
    name="stock",
    en="Stock",
    zh="库存",
    record=StockLevel,
    identity=Identity(),
    fields=Policies(
        owned_by(ERP, "product", "warehouse", "unit", "on_hand", "reserved", "available", "incoming", "as_of", "custom")
    ),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("product",),
    whole=True,
    busy=True,
)

supply = Master(
    name="supply",
    en="Production and purchase",
    zh="生产与采购",
    record=SupplyOrder,
    identity=Identity(link=(same("number"),)),
    fields=Policies(
        owned_by(ERP, "number", "type", "state", "order", "order_line", "product", "unit", "quantity", "done"),
        owned_by(ERP, "planned_finish", "expected_finish", "custom"),
    ),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("product",),
    whole=True,
    busy=True,
    lives=(
        LifeCycle(
            "state",
            ("draft", "confirmed", "running", "done"),
            ends={"cancelled": ("draft", "confirmed", "running")},
            back={("confirmed", "draft"): "planned anew", ("running", "confirmed"): "stopped"},
        ),
    ),
)

recipes = Master(
    name="recipes",
    en="Bills of materials",
    zh="物料清单",
    record=BillOfMaterials,
    identity=Identity(),
    fields=Policies(owned_by(ERP, "product", "quantity", "lead_days", "bundle", "active", "components", "custom")),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("product",),
    whole=True,
)

exchange_rates = Master(
    name="exchange_rates",
    en="Exchange rates",
    zh="汇率",
    record=ExchangeRate,
    identity=Identity(),
    fields=Policies(owned_by(ERP, "currency", "to", "date", "rate", "custom")),
    first_load=ERP,
    creates_in=(CRM,),
    whole=True,
    busy=True,
)

accounting_periods = Master(
    name="accounting_periods",
    en="Accounting periods",
    zh="会计期间",
    record=AccountingPeriod,
    identity=Identity(),
    fields=Policies(owned_by(ERP, "name", "company", "start", "end", "state", "custom")),
    first_load=ERP,
    creates_in=(),
)
