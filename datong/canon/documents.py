"""The documents of order to cash. Amounts are numbers in the document's currency; `tax_included` says what a unit
price is: with tax (含税) or without (未税).

Each side keeps its own number: `number` is the CRM's, `erp_number` the ERP's. Lines are told apart by their key; what
came of a line (shipped, invoiced, expected) stands on the line.
"""

from __future__ import annotations

from datetime import date as Day
from datetime import datetime as Moment
from decimal import Decimal
from typing import Literal

from pydantic import Field

from datong.canon.records import Part, Record, field

Freebie = Literal["gift", "rebate", "sample", "warranty"]
Extent = Literal["none", "part", "full", "over"]
"""How much of a document has happened."""


class Line(Part):
    """A line of a quote, a contract or an order. `discount` is in per cent of the unit price."""

    position: Decimal | None = field("Position", "行号", example="10")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    text: str | None = field("Description", "描述", example="小部件，蓝色")
    quantity: Decimal | None = field("Quantity", "数量", example="3", unit="unit", ubl="Quantity")
    unit: str | None = field("Unit", "单位", example="unit:1", to="unit")
    price: Decimal | None = field("Unit price", "单价", example="12.5", unit="currency", ubl="Price/PriceAmount")
    discount: Decimal | None = field("Discount", "折扣率", example="5", unit="%")
    tax_code: str | None = field("Tax code", "税码", example="tax_code:1", to="tax_code")
    tax_rate: Decimal | None = field("Tax rate", "税率", example="13", unit="%")
    net: Decimal | None = field("Net amount", "未税金额", example="35.63", unit="currency", ubl="LineExtensionAmount")
    tax: Decimal | None = field("Tax amount", "税额", example="4.63", unit="currency")
    total: Decimal | None = field("Amount with tax", "价税合计", example="40.26", unit="currency")
    free: Freebie | None = field("Free of charge because", "免费原因", example="gift")
    bundle: str | None = field("Part of bundle", "所属套装", example="product:14", to="product")
    warehouse: str | None = field("Warehouse", "仓库", example="warehouse:1", to="warehouse")
    wanted: Day | None = field("Wanted date", "要求交期", example="2026-12-05")
    cost: Decimal | None = field("Unit cost", "单位成本", example="8.2", unit="currency", cost=True)


class OrderLine(Line):
    """A line of an order, with what came of it."""

    promised: Day | None = field("Promised date", "承诺交期", example="2026-12-06")
    expected: Day | None = field("Expected date", "预计交期", example="2026-12-08")
    shipped: Decimal | None = field("Quantity shipped", "已发数量", example="1", unit="unit")
    invoiced: Decimal | None = field("Quantity invoiced", "已开票数量", example="1", unit="unit")
    supply_state: str | None = field("Supply state", "生产采购状态", example="running")
    supply_done: Decimal | None = field("Supply quantity done", "完工数量", example="1", unit="unit")


class Document(Record):
    """What quotes, orders and contracts have in common."""

    number: str | None = field("Number in the CRM", "CRM 单号", example="Q-2026-0001", ubl="ID")
    erp_number: str | None = field("Number in the ERP", "ERP 单号", example="SO-2026-0001")
    company: str | None = field("Company", "公司", example="asia")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    contact: str | None = field("Contact", "联系人", example="contact:9", to="contact")
    owner: str | None = field("Salesperson", "业务员", example="user:2", to="user")
    date: Day | None = field("Date", "单据日期", example="2026-11-22", ubl="IssueDate")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency", ubl="DocumentCurrencyCode")
    rate: Decimal | None = field("Exchange rate used", "采用汇率", example="7.1023")
    rate_date: Day | None = field("Date of the rate", "汇率日期", example="2026-11-22")
    tax_included: bool | None = field("Prices include tax", "含税", example="true")
    terms: str | None = field("Payment terms", "付款条件", example="payment_term:3", to="payment_term")
    net: Decimal | None = field("Net total", "未税合计", example="35.63", unit="currency", ubl="TaxExclusiveAmount")
    tax: Decimal | None = field("Tax total", "税额合计", example="4.63", unit="currency", ubl="TaxAmount")
    total: Decimal | None = field("Total with tax", "价税总额", example="40.26", unit="currency", ubl="PayableAmount")
    remarks: str | None = field("Remarks", "备注", example="请随货附质检报告")


class Opportunity(Record):
    """A chance to sell."""

    kind = "opportunity"
    labels = ("Opportunity", "商机")
    name: str | None = field("Name", "名称", example="大同科技 2026 年度采购")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    owner: str | None = field("Salesperson", "业务员", example="user:2", to="user")
    stage: Literal["open", "won", "lost"] | None = field("Stage", "阶段", example="won")
    company: str | None = field("Company", "公司", example="asia")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    amount: Decimal | None = field("Amount", "金额", example="40.26", unit="currency")
    probability: Decimal | None = field("Probability", "成交概率", example="60", unit="%")
    closing: Day | None = field("Closing date", "预计成交日期", example="2026-12-31")
    order_number: str | None = field("Order number", "订单号", example="SO-2026-0001")
    order_status: str | None = field("Order status", "订单状态", example="part shipped")
    lost_reason: str | None = field("Reason of the loss", "输单原因", example="价格偏高")
    competitor: str | None = field("Competitor", "竞争对手", example="长江机电")
    campaign: str | None = field("Campaign", "市场活动", example="campaign:2", to="campaign")
    ordered: Decimal | None = field("Ordered, without tax", "下单金额（未税）", example="35.63", unit="currency")
    invoiced: Decimal | None = field("Invoiced, without tax", "开票金额（未税）", example="35.63", unit="currency")
    margin: Decimal | None = field("Margin", "毛利", example="11.03", unit="currency", cost=True)
    lines: dict[str, Line] = Field(default_factory=dict)


class Delivery(Document):
    """A document that says how the goods shall come."""

    end_customer: str | None = field("End customer", "最终客户", example="account:8", to="account")
    customer_reference: str | None = field("Customer's order number", "客户订单号", example="PO-778")
    wanted: Day | None = field("Wanted date", "要求交期", example="2026-12-05")
    carrier: str | None = field("Carrier", "承运商", example="顺丰速运")
    packing: str | None = field("Packing", "包装要求", example="木箱")
    ship_to: str | None = field("Ship to", "收货地址", example="深圳市南山区科技园路1号", personal=True)


class QuoteLine(Line):
    """A line of a quote. `accepted` is what the customer takes of it; empty is all."""

    accepted: Decimal | None = field("Quantity accepted", "接受数量", example="2", unit="unit")
    available: Decimal | None = field("Available", "可用量", example="100", unit="unit")
    available_as_of: Moment | None = field("Stock as of", "库存截至时间", example="2026-11-22T08:00:00.000000Z")
    short: Decimal | None = field("Short", "缺口数量", example="0", unit="unit")
    earliest: Day | None = field("Earliest date", "最早交期", example="2026-12-08")
    listed: Decimal | None = field("Price that holds", "适用价格", example="11.2", unit="currency")
    listed_from: str | None = field("The price is from", "价格来源", example="经销商价目表 2026; 11.2 CNY without tax")


class Quote(Delivery):
    """An offer. `version` grows with each change that the customer is shown."""

    kind = "quote"
    labels = ("Quote", "报价单")
    opportunity: str | None = field("Opportunity", "商机", example="opportunity:3", to="opportunity")
    version: Decimal | None = field("Version", "版本", example="2")
    state: Literal["draft", "sent", "accepted", "part_accepted", "rejected", "expired", "cancelled"] | None = field(
        "State", "状态", example="accepted"
    )
    valid_to: Day | None = field("Valid to", "有效期至", example="2026-12-31")
    order_number: str | None = field("Order number", "订单号", example="SO-2026-0001")
    order_status: str | None = field("Order status", "订单状态", example="part shipped")
    credit: str | None = field("Credit", "信用", example="1200 CNY over the free credit")
    approval: str | None = field("Approval", "审批", example="a discount of 20 %, above 15 %: approver is to agree")
    held_by: str | None = field("Order waits for", "订单等待原因", example="discount above 15 %: sales manager")
    lines: dict[str, QuoteLine] = Field(default_factory=dict)


class Instalment(Part):
    """One instalment of a payment plan (回款计划)."""

    code: str | None = field("Code in the CRM", "CRM 期次编码", example="CI-000002")
    name: str | None = field("Name", "期次", example="预付款")
    percent: Decimal | None = field("Per cent of the contract", "占合同比例", example="30", unit="%")
    amount: Decimal | None = field("Amount", "应收金额", example="300", unit="currency")
    rule: str | None = field("Due rule", "到期规则", example="月结30天")
    due: Day | None = field("Due date", "应收日期", example="2026-12-31")
    retention: bool | None = field("Retention", "质保金", example="false")
    before_shipment: bool | None = field("Before shipment", "款到发货", example="true")
    paid: Decimal | None = field("Amount paid", "已收金额", example="0", unit="currency")
    state: Literal["open", "part", "paid", "overdue"] | None = field("State", "状态", example="open")


class Contract(Document):
    """What was agreed with a customer (合同): lines, term, frame and rest, and how it is paid."""

    kind = "contract"
    labels = ("Contract", "合同")
    name: str | None = field("Name", "合同名称", example="2026 年度框架合同")
    opportunity: str | None = field("Opportunity", "商机", example="opportunity:3", to="opportunity")
    state: Literal["draft", "signed", "active", "completed", "terminated"] | None = field(
        "State", "状态", example="active"
    )
    start: Day | None = field("Start", "开始日期", example="2026-01-01")
    end: Day | None = field("End", "结束日期", example="2026-12-31")
    frame: bool | None = field("Frame contract", "框架合同", example="false")
    ordered: Decimal | None = field("Ordered", "已下单金额", example="100", unit="currency")
    rest: Decimal | None = field("Rest", "剩余金额", example="200", unit="currency")
    paid: Decimal | None = field("Paid", "已回款金额", example="0", unit="currency")
    spoken_terms: str | None = field("Terms as spoken", "付款约定", example="30/60/10 %")
    lines: dict[str, Line] = Field(default_factory=dict)
    instalments: dict[str, Instalment] = Field(default_factory=dict)


class Order(Delivery):
    """A sales order. `wish` is what the salesperson wants of it, `state` how far the ERP has it: written (draft,
    保存), submitted (提交), confirmed (审核), each proved by reading it there."""

    kind = "order"
    labels = ("Sales order", "销售订单")
    quote: str | None = field("Quote", "报价单", example="quote:4", to="quote")
    opportunity: str | None = field("Opportunity", "商机", example="opportunity:3", to="opportunity")
    contract: str | None = field("Contract", "合同", example="contract:2", to="contract")
    wish: Literal["draft", "released", "cancelled"] | None = field("Wish", "下达意愿", example="released")
    state: Literal["draft", "submitted", "confirmed", "closed", "cancelled"] | None = field(
        "State", "状态", example="confirmed"
    )
    shipping: Extent | None = field("Shipped", "发货", example="part")
    billing: Extent | None = field("Invoiced", "开票", example="part")
    paying: Extent | None = field("Paid", "收款", example="none")
    status: str | None = field("Status", "进度", example="part shipped")
    shipment_hold: str | None = field("Shipment held because", "发货冻结原因", example="339 of contract HT-1 is unpaid")
    promised: Day | None = field("Promised date", "承诺交期", example="2026-12-06")
    expected: Day | None = field("Expected date", "预计交期", example="2026-12-08")
    lines: dict[str, OrderLine] = Field(default_factory=dict)


class ShipmentLine(Part):
    """What of which order was sent."""

    order: str | None = field("Order", "订单", example="order:5", to="order")
    order_line: str | None = field("Order line", "订单行", example="10")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    quantity: Decimal | None = field("Quantity", "数量", example="1", unit="unit")
    unit: str | None = field("Unit", "单位", example="unit:1", to="unit")
    lot: str | None = field("Lot", "批号", example="L2026-11")
    serial: str | None = field("Serial number", "序列号", example="SN-000123")


class Shipment(Record):
    """Goods on their way to a customer."""

    kind = "shipment"
    labels = ("Shipment", "发货单")
    erp_number: str | None = field("Number", "发货单号", example="SH-2026-0001")
    company: str | None = field("Company", "公司", example="asia")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    order: str | None = field("Order", "订单", example="order:5", to="order")
    state: Literal["draft", "ready", "shipped", "delivered", "cancelled"] | None = field(
        "State", "状态", example="shipped"
    )
    date: Day | None = field("Date", "发货日期", example="2026-12-06")
    planned: Day | None = field("Planned date", "计划发货日期", example="2026-12-06")
    warehouse: str | None = field("Warehouse", "仓库", example="warehouse:1", to="warehouse")
    carrier: str | None = field("Carrier", "承运商", example="顺丰速运")
    tracking: str | None = field("Tracking number", "运单号", example="SF1234567890")
    lines: dict[str, ShipmentLine] = Field(default_factory=dict)


class InvoiceLine(Line):
    """A line of an invoice or credit note."""

    order: str | None = field("Order", "订单", example="order:5", to="order")
    order_line: str | None = field("Order line", "订单行", example="10")


class PartDue(Part):
    """What of an invoice is due on one day."""

    due: Day | None = field("Due date", "到期日", example="2027-01-06", ubl="PaymentDueDate")
    amount: Decimal | None = field("Amount", "金额", example="20.26", unit="currency")


class Invoice(Record):
    """An invoice or a credit note (`type`; its amounts are negative), with the facts of the e-invoice (数电票)."""

    kind = "invoice"
    labels = ("Invoice", "发票")
    type: Literal["invoice", "credit_note"] | None = field("Type", "类型", example="invoice")
    erp_number: str | None = field("Number", "单号", example="INV-2026-0001")
    company: str | None = field("Company", "公司", example="asia")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    order: str | None = field("Order", "订单", example="order:5", to="order")
    reverses: str | None = field("Reverses", "冲销", example="invoice:6", to="invoice")
    state: Literal["draft", "posted", "paid", "cancelled"] | None = field("State", "状态", example="posted")
    date: Day | None = field("Date", "开票日期", example="2026-12-07", ubl="IssueDate")
    due: Day | None = field("Due date", "到期日", example="2027-01-06", ubl="DueDate")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    rate: Decimal | None = field("Exchange rate used", "采用汇率", example="7.1023")
    rate_date: Day | None = field("Date of the rate", "汇率日期", example="2026-11-22")
    tax_included: bool | None = field("Prices include tax", "含税", example="true")
    net: Decimal | None = field("Net total", "未税合计", example="35.63", unit="currency")
    tax: Decimal | None = field("Tax total", "税额合计", example="4.63", unit="currency")
    total: Decimal | None = field("Total with tax", "价税总额", example="40.26", unit="currency")
    open: Decimal | None = field("Open amount", "未收金额", example="20.26", unit="currency")
    fapiao_number: str | None = field("E-invoice number", "数电票号码", example="26442000000012345678")
    fapiao_kind: Literal["special", "ordinary"] | None = field("E-invoice kind", "发票种类", example="special")
    buyer_name: str | None = field("Buyer name", "购买方名称", example="深圳市大同科技有限公司")
    buyer_tax_id: str | None = field("Buyer tax id", "购买方税号", example="91350100M000100Y43", personal=True)
    seller_name: str | None = field("Seller name", "销售方名称", example="上海打通软件有限公司")
    seller_tax_id: str | None = field("Seller tax id", "销售方税号", example="91310000M000100Y4D")
    tax_category: str | None = field("Tax category code", "税收分类编码", example="1090103030000000000")
    red_letter: str | None = field("Red-letter reference", "红字信息确认单编号", example="44010026110000000001")
    document_url: str | None = field("E-invoice file", "版式文件地址", example="https://erp.example/inv/1.ofd")
    lines: dict[str, InvoiceLine] = Field(default_factory=dict)
    instalments: dict[str, PartDue] = Field(default_factory=dict)


class Allocation(Part):
    """What of a payment settles which document."""

    invoice: str | None = field("Invoice", "发票", example="invoice:6", to="invoice")
    contract: str | None = field("Contract", "合同", example="contract:2", to="contract")
    instalment: str | None = field("Instalment", "回款期次", example="main")
    amount: Decimal | None = field("Amount", "核销金额", example="20", unit="currency")


class Payment(Record):
    """Money received (or paid back: negative). What is not allocated is an advance (预收) or waits to be claimed
    (待认领)."""

    kind = "payment"
    labels = ("Payment", "收款单")
    erp_number: str | None = field("Number", "收款单号", example="RC-2026-0001")
    company: str | None = field("Company", "公司", example="asia")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    state: Literal["draft", "posted", "cleared", "reversed"] | None = field("State", "状态", example="posted")
    date: Day | None = field("Date", "收款日期", example="2026-12-20")
    reversed_on: Day | None = field("Reversed on", "冲销日期", example="2027-01-05")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    rate: Decimal | None = field("Exchange rate used", "采用汇率", example="7.1023")
    rate_date: Day | None = field("Date of the rate", "汇率日期", example="2026-11-22")
    amount: Decimal | None = field("Amount", "金额", example="20", unit="currency")
    unallocated: Decimal | None = field("Not allocated", "未核销金额", example="0", unit="currency")
    method: str | None = field("Method", "收款方式", example="payment_method:1", to="payment_method")
    reference: str | None = field("Reference", "附言", example="货款 SO-2026-0001")
    payer: str | None = field("Payer", "付款人", example="深圳市大同科技有限公司")
    bill_number: str | None = field("Acceptance bill", "承兑汇票号", example="1308100000001")
    bill_due: Day | None = field("Bill due", "汇票到期日", example="2027-06-20")
    bill_state: Literal["held", "endorsed", "discounted", "cleared", "refused"] | None = field(
        "State of the bill", "汇票状态", example="held"
    )
    allocations: dict[str, Allocation] = Field(default_factory=dict)


class AccountingPeriod(Record):
    """A span of the books, both days included. In a closed one nothing is posted any more."""

    kind = "accounting_period"
    labels = ("Accounting period", "会计期间")
    name: str | None = field("Name", "名称", example="2026-11")
    company: str | None = field("Company", "公司", example="asia")
    start: Day | None = field("Start", "开始日期", example="2026-11-01")
    end: Day | None = field("End", "结束日期", example="2026-11-30")
    state: Literal["open", "closed"] | None = field("State", "状态", example="open")


class InvoiceRequest(Record):
    """Sales asks the books for an invoice (开票申请)."""

    kind = "invoice_request"
    labels = ("Invoice request", "开票申请")
    number: str | None = field("Number", "申请单号", example="IR-2026-0001")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    company: str | None = field("Company", "公司", example="asia")
    order: str | None = field("Order", "订单", example="order:5", to="order")
    contract: str | None = field("Contract", "合同", example="contract:2", to="contract")
    instalment: str | None = field("Instalment", "回款期次", example="main")
    state: Literal["draft", "requested", "invoiced", "refused", "cancelled"] | None = field(
        "State", "状态", example="requested"
    )
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    amount: Decimal | None = field("Amount", "开票金额", example="300", unit="currency")
    title: str | None = field("Invoice title", "开票抬头", example="深圳市大同科技有限公司")
    tax_id: str | None = field("Tax id", "税号", example="91350100M000100Y43", personal=True)
    fapiao_kind: Literal["special", "ordinary"] | None = field("E-invoice kind", "发票种类", example="special")
    invoice_number: str | None = field("Invoice number", "发票号", example="INV-2026-0001")
    invoice_state: str | None = field("Invoice state", "发票状态", example="posted")
    refusal: str | None = field("Refused because", "拒绝原因", example="税号不对")
    remarks: str | None = field("Remarks", "备注", example="随货同行")


class AgedItem(Part):
    """What the ERP has open of one document, in its own currency; negative is what we owe."""

    number: str | None = field("Document number", "单号", example="INV-2026-0001")
    due: Day | None = field("Due date", "到期日", example="2027-01-06")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    amount: Decimal | None = field("Open amount", "未收金额", example="20.26", unit="currency")


class AgedBalance(Record):
    """The ERP's own ageing (账龄表) of one customer in one company, at the end of `day`, in the currency of the books.
    `part_payments` and `unallocated` say how it ages what was received."""

    kind = "aged_balance"
    labels = ("Aged balance", "账龄")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    company: str | None = field("Company", "公司", example="asia")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    day: Day | None = field("Day", "截止日期", example="2026-11-22")
    part_payments: Literal["document", "own_day"] | None = field("Part payments", "部分收款", example="document")
    unallocated: Literal["own_day", "not_due", "oldest"] | None = field("Unallocated", "未核销", example="own_day")
    total: Decimal | None = field("Receivable", "应收余额", example="31200", unit="currency")
    not_due: Decimal | None = field("Not due", "未到期", example="20000", unit="currency")
    due_1_30: Decimal | None = field("Overdue 1-30 days", "逾期1-30天", example="11200", unit="currency")
    due_31_60: Decimal | None = field("Overdue 31-60 days", "逾期31-60天", example="0", unit="currency")
    due_61_90: Decimal | None = field("Overdue 61-90 days", "逾期61-90天", example="0", unit="currency")
    over_90: Decimal | None = field("Overdue over 90 days", "逾期90天以上", example="0", unit="currency")
    items: dict[str, AgedItem] = Field(default_factory=dict)
