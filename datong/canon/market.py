"""What the market says: demand before it is an order, and campaigns (市场活动)."""

from __future__ import annotations

from datetime import date as Day
from datetime import datetime as Moment
from decimal import Decimal
from typing import Literal

from pydantic import Field

from datong.canon.records import Part, Record, field

DemandSource = Literal["pipeline", "quote", "lost", "wish", "trend"]
"""Open opportunities, open quotes, lost deals; what customers wish for; how a market moves."""


class DemandSignal(Record):
    """That a product may be wanted (需求信号): how much of it, where and when, and how likely. `period` is a month, or
    a span of months over which it is spread evenly; quantity and amount are before the weight."""

    kind = "demand_signal"
    labels = ("Demand signal", "需求信号")
    number: str | None = field("Number", "编号", example="W-2026-001")
    source: DemandSource | None = field("Source", "来源", example="wish")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    region: str | None = field("Region", "区域", example="region:4", to="region")
    company: str | None = field("Company", "公司", example="asia")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    period: str | None = field("Period", "期间", example="2026-10..2026-12")
    quantity: Decimal | None = field("Quantity", "数量", example="120", unit="unit")
    unit: str | None = field("Unit", "单位", example="unit:1", to="unit")
    weight: Decimal | None = field("Weight", "权重", example="60", unit="%")
    amount: Decimal | None = field("Amount", "金额", example="1500", unit="currency")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    reason: str | None = field("Reason", "原因", example="价格偏高")
    competitor: str | None = field("Competitor", "竞争对手", example="长江机电")
    text: str | None = field("Text", "说明", example="客户希望有防水型")
    origin: str | None = field("Where it comes from", "信息出处", example="2026 年展会走访记录")


class ForecastLine(Part):
    """What is expected of one product in one region, by one source. `quantity` and `amount` are after the weight."""

    product: str | None = field("Product", "产品", example="product:12", to="product")
    region: str | None = field("Region", "区域", example="region:4", to="region")
    source: DemandSource | None = field("Source", "来源", example="pipeline")
    quantity: Decimal | None = field("Quantity expected", "预测数量", example="72", unit="unit")
    unweighted: Decimal | None = field("Before the weight", "加权前数量", example="120", unit="unit")
    weight: Decimal | None = field("Weight, on average", "平均权重", example="60", unit="%")
    unit: str | None = field("Unit", "单位", example="unit:1", to="unit")
    amount: Decimal | None = field("Amount expected", "预测金额", example="900", unit="currency")
    unweighted_amount: Decimal | None = field("Amount before the weight", "加权前金额", example="1500", unit="currency")
    currency: str | None = field("Currency", "币种", example="CNY")
    signals: Decimal | None = field("Signals", "信号数", example="3")


class Forecast(Record):
    """What one company expects to sell in one month (预测单), as it was in sight at one moment. Made here of what
    demand says, agreed to by a person, told to the ERP. What changes later is in the next version."""

    kind = "forecast"
    labels = ("Forecast", "预测单")
    number: str | None = field("Number", "预测单号", example="FC-asia-2026-12-1")
    erp_number: str | None = field("Number in the ERP", "ERP 单号", example="FC-A-2026-00001")
    company: str | None = field("Company", "公司", example="asia")
    month: str | None = field("Month", "月份", example="2026-12")
    version: Decimal | None = field("Version", "版本", example="1")
    start: Day | None = field("First day", "开始日期", example="2026-12-01")
    end: Day | None = field("Last day", "结束日期", example="2026-12-31")
    sight: Moment | None = field("As in sight at", "取数时间", example="2026-11-22T08:00:00.000000Z")
    made_by: str | None = field("Made by", "编制人", example="wang.wei")
    weighted_by: str | None = field("How it is weighted", "加权口径", example="quote draft 20, sent 50; told 100")
    withdrawn: bool | None = field("Withdrawn", "已撤回", example="false")
    state: Literal["proposed", "current", "replaced", "withdrawn"] | None = field("State", "状态", example="current")
    erp_state: Literal["draft", "active", "cancelled"] | None = field("State in the ERP", "ERP 状态", example="active")
    lines: dict[str, ForecastLine] = Field(default_factory=dict)


class CampaignAccount(Part):
    """A customer whom a campaign speaks to, and why where that was suggested."""

    account: str | None = field("Customer", "客户", example="account:7", to="account")
    reason: str | None = field("Reason", "入选原因", example="大部件: 3 times, due since 2026-11-01")
    expected: Decimal | None = field("Expected", "预计金额", example="900", unit="currency")


class CampaignProduct(Part):
    """A product that a campaign is for, and what it costs meanwhile: a price, or so much off the list price."""

    product: str | None = field("Product", "产品", example="product:12", to="product")
    price: Decimal | None = field("Campaign price", "活动价", example="9.9", unit="currency")
    discount: Decimal | None = field("Off the list price", "折扣", example="15", unit="%")


class Campaign(Record):
    """What is done for a while to sell more of some products to some customers, and what came of it."""

    kind = "campaign"
    labels = ("Campaign", "市场活动")
    number: str | None = field("Number", "编号", example="MC-2026-0001")
    name: str | None = field("Name", "名称", example="2026 秋季轴承推广")
    owner: str | None = field("Owner", "负责人", example="user:2", to="user")
    company: str | None = field("Company", "公司", example="asia")
    state: Literal["planned", "running", "done", "cancelled"] | None = field("State", "状态", example="running")
    start: Day | None = field("Start", "开始日期", example="2026-10-01")
    end: Day | None = field("End", "结束日期", example="2026-12-31")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    budget: Decimal | None = field("Budget", "预算", example="20000", unit="currency")
    tax_included: bool | None = field("Prices include tax", "含税", example="true")
    price_list: str | None = field("Price list in the ERP", "ERP 价目表", example="MC-2026-0001-3f2a9c")
    price_state: str | None = field("State of its prices", "活动价状态", example="in force")
    suggested: str | None = field("Suggested by", "建议来源", example="overstock 2026-11-22, wang.wei")
    ordered: Decimal | None = field("Ordered, without tax", "下单金额（未税）", example="35.63", unit="currency")
    invoiced: Decimal | None = field("Invoiced, without tax", "开票金额（未税）", example="35.63", unit="currency")
    margin: Decimal | None = field("Margin", "毛利", example="11.03", unit="currency", cost=True)
    accounts: dict[str, CampaignAccount] = Field(default_factory=dict)
    products: dict[str, CampaignProduct] = Field(default_factory=dict)
