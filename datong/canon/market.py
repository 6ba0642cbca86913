"""What the market says: demand before it is an order, and campaigns (市场活动)."""

from __future__ import annotations

from datetime import date as Day
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


class CampaignAccount(Part):
    """A customer whom a campaign speaks to."""

    account: str | None = field("Customer", "客户", example="account:7", to="account")


class CampaignProduct(Part):
    """A product that a campaign is for."""

    product: str | None = field("Product", "产品", example="product:12", to="product")


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
    ordered: Decimal | None = field("Ordered, without tax", "下单金额（未税）", example="35.63", unit="currency")
    invoiced: Decimal | None = field("Invoiced, without tax", "开票金额（未税）", example="35.63", unit="currency")
    margin: Decimal | None = field("Margin", "毛利", example="11.03", unit="currency", cost=True)
    accounts: dict[str, CampaignAccount] = Field(default_factory=dict)
    products: dict[str, CampaignProduct] = Field(default_factory=dict)
