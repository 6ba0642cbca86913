"""Prices, stock and supply: what the ERP knows of what is sold."""

from __future__ import annotations

from datetime import date as Day
from datetime import datetime as Moment
from decimal import Decimal
from typing import Literal

from pydantic import Field

from datong.canon.records import Part, Record, field


class PriceListLine(Part):
    """A price of a list that was made here."""

    product: str | None = field("Product", "产品", example="product:12", to="product")
    unit: str | None = field("Unit", "单位", example="unit:1", to="unit")
    price: Decimal | None = field("Price", "单价", example="9.9", unit="currency")


class PriceList(Record):
    """Prices that belong together: one currency, with tax or without, for a time.

    That of a campaign is made here, with its lines, for one `version` of what the campaign says of prices; the ERP
    makes prices of them, which are read as those of every list.
    """

    kind = "price_list"
    labels = ("Price list", "价目表")
    code: str | None = field("Code", "编码", example="PL-2026")
    name: str | None = field("Name", "名称", example="经销商价目表 2026")
    company: str | None = field("Company", "公司", example="asia")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    tax_included: bool | None = field("Prices include tax", "含税", example="true")
    valid_from: Day | None = field("Valid from", "生效日期", example="2026-01-01")
    valid_to: Day | None = field("Valid to", "失效日期", example="2026-12-31")
    restricted: bool | None = field("Only for the customers it names", "仅限指定客户", example="false")
    active: bool | None = field("Active", "启用", example="true")
    campaign: str | None = field("Campaign", "市场活动", example="campaign:3", to="campaign")
    version: str | None = field("Version of the campaign's prices", "活动价版本", example="3f2a9c")
    entered: Moment | None = field("In the ERP since", "ERP 录入时间", example="2026-11-22T08:00:00.000000Z")
    lines: dict[str, PriceListLine] = Field(default_factory=dict)


class Tier(Part):
    """The price from a quantity on."""

    quantity: Decimal | None = field("From quantity", "起订数量", example="100")
    price: Decimal | None = field("Tier price", "阶梯单价", example="11.2", unit="currency")


class Price(Record):
    """What one unit of a product costs: by list or for one customer, with tiers and validity.

    The most particular price that is valid counts: of the customer, of the list, the product's list price.
    """

    kind = "price"
    labels = ("Price", "价格")
    price_list: str | None = field("Price list", "价目表", example="price_list:1", to="price_list")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    unit: str | None = field("Unit", "单位", example="unit:1", to="unit")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    tax_included: bool | None = field("Price includes tax", "含税", example="true")
    price: Decimal | None = field("Price", "单价", example="12.5", unit="currency", ubl="Price/PriceAmount")
    valid_from: Day | None = field("Valid from", "生效日期", example="2026-01-01")
    valid_to: Day | None = field("Valid to", "失效日期", example="2026-12-31")
    active: bool | None = field("Active", "启用", example="true")
    tiers: dict[str, Tier] = Field(default_factory=dict)


class StockLevel(Record):
    """How much of a product is in a warehouse. `as_of` is when the ERP said so: no figure without its time."""

    kind = "stock_level"
    labels = ("Stock", "库存")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    warehouse: str | None = field("Warehouse", "仓库", example="warehouse:1", to="warehouse")
    unit: str | None = field("Unit", "单位", example="unit:1", to="unit")
    on_hand: Decimal | None = field("On hand", "现存量", example="120", unit="unit")
    reserved: Decimal | None = field("Reserved", "预留量", example="20", unit="unit")
    available: Decimal | None = field("Available", "可用量", example="100", unit="unit")
    incoming: Decimal | None = field("Incoming", "在途量", example="50", unit="unit")
    as_of: Moment | None = field("As of", "截至时间", example="2026-11-22T08:00:00.000000Z")


class SupplyOrder(Record):
    """A production or purchase order that will bring goods, tied to the sales order that waits for them."""

    kind = "supply_order"
    labels = ("Supply order", "供应订单")
    number: str | None = field("Number", "单号", example="MO-2026-0007")
    type: Literal["production", "purchase"] | None = field("Type", "类型", example="production")
    state: Literal["draft", "confirmed", "running", "done", "cancelled"] | None = field(
        "State", "状态", example="running"
    )
    order: str | None = field("Sales order", "销售订单", example="order:5", to="order")
    order_line: str | None = field("Order line", "订单行", example="10")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    unit: str | None = field("Unit", "单位", example="unit:1", to="unit")
    quantity: Decimal | None = field("Quantity", "数量", example="100", unit="unit")
    done: Decimal | None = field("Quantity done", "完成数量", example="40", unit="unit")
    planned_finish: Day | None = field("Planned finish", "计划完工", example="2026-12-01")
    expected_finish: Day | None = field("Expected finish", "预计完工", example="2026-12-03")


class Component(Part):
    """What a product is made of."""

    product: str | None = field("Component", "子件", example="product:13", to="product")
    quantity: Decimal | None = field("Quantity", "用量", example="4", unit="unit")


class BillOfMaterials(Record):
    """What a product is made of (物料清单). A bundle is not made: it is sold as its components."""

    kind = "bill_of_materials"
    labels = ("Bill of materials", "物料清单")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    quantity: Decimal | None = field("Quantity made", "产出数量", example="1", unit="unit")
    lead_days: Decimal | None = field("Days to make", "制造天数", example="5", unit="days")
    bundle: bool | None = field("Bundle", "套装", example="false")
    active: bool | None = field("Active", "启用", example="true")
    components: dict[str, Component] = Field(default_factory=dict)


class ExchangeRate(Record):
    """What one unit of a currency was worth in another from a day on."""

    kind = "exchange_rate"
    labels = ("Exchange rate", "汇率")
    currency: str | None = field("Currency", "币种", example="currency:2", to="currency")
    to: str | None = field("Into currency", "目标币种", example="currency:1", to="currency")
    date: Day | None = field("Date", "日期", example="2026-11-22")
    rate: Decimal | None = field("Rate", "汇率", example="7.1023")
