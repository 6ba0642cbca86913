"""After the sale: service cases, returns, the knowledge base, and the things that customers have of us.

What a side wants and what has happened are different fields, as in `documents`. Of a return the ERP tells facts
(authorised, received, inspected, credited, replaced); its `state` is what they prove.
"""

from __future__ import annotations

from datetime import date as Day
from datetime import datetime as Moment
from decimal import Decimal
from typing import Literal

from pydantic import Field

from datong.canon.records import Part, Record, field

Outcome = Literal["repaired", "replaced", "exchanged", "refunded"]
"""What becomes of goods that came back. Replaced is the same again, exchanged (换货) another product."""
Warranty = Literal["in", "out", "unknown"]
NoticeEvent = Literal[
    "shipped",
    "delivered",
    "case_received",
    "case_waiting",
    "case_resolved",
    "case_closed",
    "return_authorised",
    "return_refused",
    "return_received",
    "return_done",
    "survey",
]
"""What a customer may be told of."""


class ArticleProduct(Part):
    """A product that an article is about."""

    product: str | None = field("Product", "产品", example="product:12", to="product")


class Article(Record):
    """What is known of a problem and its cure (知识库文章), in Chinese and English. Without products: of all."""

    kind = "article"
    labels = ("Article", "知识库文章")
    number: str | None = field("Number", "编号", example="KB-0001")
    title: str | None = field("Title", "标题", example="轴承异响")
    title_en: str | None = field("Title in English", "英文标题", example="Noise from the bearing")
    body: str | None = field("Body", "正文", example="先检查润滑脂，再检查安装面。")
    body_en: str | None = field("Body in English", "英文正文", example="Check the grease, then the seat.")
    symptoms: str | None = field("Symptoms", "故障现象", example="异响，发热")
    symptoms_en: str | None = field("Symptoms in English", "英文故障现象", example="noise, heat")
    public: bool | None = field("For customers", "对客户公开", example="true")
    active: bool | None = field("Active", "启用", example="true")
    products: dict[str, ArticleProduct] = Field(default_factory=dict)


class Asset(Record):
    """One thing of ours that a customer has, by its serial number."""

    kind = "asset"
    labels = ("Asset", "客户资产")
    serial: str | None = field("Serial number", "序列号", example="SN-000123")
    lot: str | None = field("Lot", "批号", example="L2026-11")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    company: str | None = field("Company", "公司", example="asia")
    order: str | None = field("Order", "订单", example="order:5", to="order")
    shipment: str | None = field("Shipment", "发货单", example="shipment:3", to="shipment")
    shipped: Day | None = field("Shipped", "发货日期", example="2026-11-02")
    warranty_until: Day | None = field("Warranty until", "保修期至", example="2027-11-02")
    active: bool | None = field("In use", "在用", example="true")


class Message(Part):
    """One message of a case's thread, as it came or went."""

    at: Moment | None = field("Moment", "时间", example="2026-11-22T08:00:00.000000Z")
    direction: Literal["in", "out", "note"] | None = field("Direction", "方向", example="in")
    channel: str | None = field("Channel", "渠道", example="mail")
    sender: str | None = field("From", "发件人", example="li.na@example.com", personal=True)
    recipient: str | None = field("To", "收件人", example="service@example.com", personal=True)
    subject: str | None = field("Subject", "主题", example="轴承有异响")
    text: str | None = field("Text", "正文", example="收到的轴承运转时有异响。")
    external_id: str | None = field("Id there", "外部消息标识", example="<1@mail.example>")
    attachments: list[str] | None = field("Attachments", "附件")


class CaseFile(Part):
    """A file that the customer sent. Its content is known by its digest."""

    name: str | None = field("File name", "文件名", example="照片.jpg", personal=True)
    media_type: str | None = field("Media type", "文件类型", example="image/jpeg")
    size: Decimal | None = field("Size", "大小", example="48213", unit="bytes")
    digest: str | None = field("Digest", "摘要", example="sha256:9f86d081884c7d65")


class ServiceCase(Record):
    """What a customer asks, reports or complains of (服务工单). `request` is the answer to a wish for a return: an
    accepted one becomes exactly one return."""

    kind = "service_case"
    labels = ("Service case", "服务工单")
    number: str | None = field("Number", "工单号", example="CS-2026-0001")
    erp_number: str | None = field("Number in the ERP", "ERP 单号", example="RMA-2026-0001")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    contact: str | None = field("Contact", "联系人", example="contact:9", to="contact")
    owner: str | None = field("Agent", "客服", example="user:2", to="user")
    company: str | None = field("Company", "公司", example="asia")
    channel: Literal["mail", "web", "phone", "chat", "visit", "other"] | None = field("Channel", "渠道", example="mail")
    thread: str | None = field("Thread key", "会话标识", example="mail:<1@mail.example>")
    subject: str | None = field("Subject", "主题", example="轴承有异响")
    text: str | None = field("Text", "描述", example="收到的轴承运转时有异响。")
    type: Literal["question", "complaint", "return", "repair", "other"] | None = field(
        "Type", "类型", example="complaint"
    )
    priority: Literal["low", "normal", "high", "urgent"] | None = field("Priority", "优先级", example="normal")
    state: Literal["new", "open", "waiting", "resolved", "closed", "cancelled"] | None = field(
        "State", "状态", example="open"
    )
    resolution: str | None = field("Resolution", "处理结果", example="更换轴承")
    reason: str | None = field("Complaint reason", "投诉原因", example="noise")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    quantity: Decimal | None = field("Quantity", "数量", example="1", unit="unit")
    lot: str | None = field("Lot", "批号", example="L2026-11")
    serial: str | None = field("Serial number", "序列号", example="SN-000123")
    order_number: str | None = field("Order number as told", "客户所述订单号", example="SO-2026-0001")
    order: str | None = field("Order", "订单", example="order:5", to="order")
    order_line: str | None = field("Order line", "订单行", example="10")
    shipment: str | None = field("Shipment", "发货单", example="shipment:3", to="shipment")
    asset: str | None = field("Asset", "资产", example="asset:4", to="asset")
    wish: Literal["repair", "replacement", "exchange", "refund"] | None = field(
        "Customer's wish", "客户诉求", example="refund"
    )
    variant: str | None = field("Variant of return", "退货方案", example="refund")
    exchange_for: str | None = field("In exchange for", "换成产品", example="product:13", to="product")
    request: Literal["asked", "accepted", "refused"] | None = field("Return request", "退货申请", example="accepted")
    return_number: str | None = field("Return number", "退货单号", example="RMA-2026-0001")
    return_state: str | None = field("Return state", "退货状态", example="received")
    held_by: str | None = field("Return waits for", "退货等待原因", example="2 are to come back, and 1 was shipped")
    order_status: str | None = field("Order status", "订单状态", example="shipped")
    shipped: Day | None = field("Shipped", "发货日期", example="2026-11-02")
    warranty: Warranty | None = field("Under warranty", "保修状态", example="in")
    warranty_until: Day | None = field("Warranty until", "保修期至", example="2027-11-02")
    suggested: str | None = field("Suggested articles", "推荐文章", example="KB-0001 轴承异响")
    survey: Literal["due", "asked", "answered"] | None = field("Survey", "满意度调查", example="due")
    survey_asked: Moment | None = field("Survey asked", "调查发出时间", example="2026-11-25T08:00:00.000000Z")
    score: Decimal | None = field("Satisfaction", "满意度评分", example="5")
    remark: str | None = field("Customer's remark", "客户评价", example="处理及时")
    opened: Moment | None = field("Opened", "受理时间", example="2026-11-22T08:00:00.000000Z")
    closed: Moment | None = field("Closed", "关闭时间", example="2026-11-24T08:00:00.000000Z")
    messages: dict[str, Message] = Field(default_factory=dict)
    files: dict[str, CaseFile] = Field(default_factory=dict)


class RequestFile(Part):
    """A file that came with a request. Its digest says whether another is the same, and where its content is kept."""

    name: str | None = field("File name", "文件名", example="照片.jpg", personal=True)
    media_type: str | None = field("Media type", "文件类型", example="image/jpeg")
    size: Decimal | None = field("Size", "大小", example="48213", unit="bytes")
    digest: str | None = field("Digest", "摘要", example="sha256:9f86d081884c7d65")


class Request(Record):
    """One message of a customer to us (客户来信). What it is about is recognised here; `automatic` says why it is no
    customer's: an answer of a machine, a message that came back, a notice of ours."""

    kind = "request"
    labels = ("Request", "客户来信")
    channel: Literal["mail", "web", "phone", "chat", "other"] | None = field("Channel", "渠道", example="mail")
    thread: str | None = field("Thread key", "会话标识", example="mail:1@mail.example")
    message_id: str | None = field("Id there", "外部消息标识", example="1@mail.example")
    sender: str | None = field("From", "发件人", example="li.na@example.com", personal=True)
    sender_name: str | None = field("Name of the sender", "发件人姓名", example="李娜", personal=True)
    phone: str | None = field("Telephone", "电话", example="+8613800138000", personal=True)
    recipient: str | None = field("To", "收件人", example="service@example.com", personal=True)
    subject: str | None = field("Subject", "主题", example="轴承有异响")
    text: str | None = field("Text", "正文", example="收到的轴承运转时有异响。")
    about: str | None = field("Proved by a link", "链接所指单据", example="service_case:3")
    score: Decimal | None = field("Satisfaction", "满意度评分", example="5")
    received: Moment | None = field("Received", "收到时间", example="2026-11-22T08:00:00.000000Z")
    automatic: str | None = field("No customer's", "非客户来信", example="automatic answer")
    unread: str | None = field("Could not be read", "未能读取", example="larger than the limit")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    contact: str | None = field("Contact", "联系人", example="contact:9", to="contact")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    order_number: str | None = field("Order number as told", "客户所述订单号", example="SO-2026-0001")
    order: str | None = field("Order", "订单", example="order:5", to="order")
    recognition: str | None = field("How it was recognised", "识别说明", example="customer: by the sender's address")
    case: str | None = field("Service case", "服务工单", example="service_case:3", to="service_case")
    attachments: dict[str, RequestFile] = Field(default_factory=dict)

    @property
    def speaks(self) -> bool:
        """A customer wants something of us: no machine's, and no answer to what we asked."""
        return not self.automatic and self.score is None


class Notice(Record):
    """What a customer is told (客户通知) of one event of one document, once: by the channels switched on for it. Where
    it goes to and what it says is computed until the first of them has sent it."""

    kind = "notice"
    labels = ("Notice", "客户通知")
    event: NoticeEvent | None = field("Event", "事件", example="shipped")
    company: str | None = field("Company", "公司", example="asia")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    contact: str | None = field("Contact", "联系人", example="contact:9", to="contact")
    shipment: str | None = field("Shipment", "发货单", example="shipment:3", to="shipment")
    case: str | None = field("Service case", "服务工单", example="service_case:3", to="service_case")
    rma: str | None = field("Return", "退货单", example="return:4", to="return")
    channels: list[str] | None = field("Channels", "渠道")
    at: Moment | None = field("Happened", "发生时间", example="2026-11-22T08:00:00.000000Z")
    expires: Moment | None = field("Told until", "通知截止时间", example="2026-11-25T08:00:00.000000Z")
    language: Literal["zh", "en"] | None = field("Language", "语言", example="zh")
    email: str | None = field("E-mail", "邮箱", example="li.na@example.com", personal=True)
    phone: str | None = field("Mobile", "手机", example="+8613800138000", personal=True)
    wecom: str | None = field("WeCom user", "企业微信成员", example="li.na", personal=True)
    group: bool | None = field("To the WeCom group", "发到企业微信群", example="true")
    left_out: str | None = field("Not told because", "未通知原因", example="not in the pilot")
    number: str | None = field("Number told", "所述单号", example="SH-2026-0001")
    subject: str | None = field("Subject", "主题", example="您的货物已发出", personal=True)
    text: str | None = field("Text", "正文", example="您好，订单 SO-2026-0001 的货物已发出。", personal=True)
    short: str | None = field("Short text", "短文本", example="您的货物已发出", personal=True)
    link: str | None = field("Link", "链接", example="https://service.example.com/p/see/TICKET", personal=True)
    thread: str | None = field("Answers", "回复", example="1@mail.example")
    mail_sent: Moment | None = field("Mail sent", "邮件发出时间", example="2026-11-22T08:01:00.000000Z")
    sms_sent: Moment | None = field("Text message sent", "短信发出时间", example="2026-11-22T08:01:00.000000Z")
    wecom_sent: Moment | None = field("WeCom sent", "企业微信发出时间", example="2026-11-22T08:01:00.000000Z")
    group_sent: Moment | None = field("Group told", "企业微信群发出时间", example="2026-11-22T08:01:00.000000Z")


class ReturnLine(Part):
    """What of which order line comes back, what was found, and what became of it."""

    position: Decimal | None = field("Position", "行号", example="10")
    product: str | None = field("Product", "产品", example="product:12", to="product")
    text: str | None = field("Description", "描述", example="小部件，蓝色")
    quantity: Decimal | None = field("Quantity", "数量", example="1", unit="unit")
    unit: str | None = field("Unit", "单位", example="unit:1", to="unit")
    order_line: str | None = field("Order line", "订单行", example="10")
    lot: str | None = field("Lot", "批号", example="L2026-11")
    serial: str | None = field("Serial number", "序列号", example="SN-000123")
    exchange_for: str | None = field("In exchange for", "换成产品", example="product:13", to="product")
    received: Decimal | None = field("Quantity received", "已收数量", example="1", unit="unit")
    result: Literal["ok", "defective", "damaged", "wrong_goods", "incomplete"] | None = field(
        "Result of the inspection", "检验结果", example="defective"
    )
    disposition: Outcome | None = field("What became of it", "处置", example="refunded")


class Return(Record):
    """Goods that come back (退货, RMA). The variant says what is to become of them; `advance`: what replaces them
    leaves before they are here."""

    kind = "return"
    labels = ("Return", "退货单")
    number: str | None = field("Number in the CRM", "CRM 单号", example="RT-2026-0001")
    erp_number: str | None = field("Number in the ERP", "ERP 单号", example="RMA-2026-0001")
    case: str | None = field("Service case", "服务工单", example="service_case:3", to="service_case")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    contact: str | None = field("Contact", "联系人", example="contact:9", to="contact")
    owner: str | None = field("Agent", "客服", example="user:2", to="user")
    company: str | None = field("Company", "公司", example="asia")
    date: Day | None = field("Date", "申请日期", example="2026-11-22")
    order: str | None = field("Order", "订单", example="order:5", to="order")
    shipment: str | None = field("Shipment", "发货单", example="shipment:3", to="shipment")
    invoice: str | None = field("Invoice", "发票", example="invoice:6", to="invoice")
    variant: str | None = field("Variant", "退货方案", example="refund")
    outcome: Outcome | None = field("Outcome wanted", "期望处置", example="refunded")
    advance: bool | None = field("Replaced in advance", "先行换货", example="false")
    wish: Literal["draft", "released", "cancelled"] | None = field("Wish", "下达意愿", example="released")
    reason: str | None = field("Reason", "退货原因", example="noise")
    remarks: str | None = field("Remarks", "备注", example="请附检测报告")
    decision: Literal["requested", "authorised", "refused", "cancelled", "closed"] | None = field(
        "Decision of the ERP", "ERP 审批结果", example="authorised"
    )
    decision_reason: str | None = field("Reason of the decision", "审批说明", example="超过退货期限")
    received_on: Day | None = field("Received on", "收货日期", example="2026-11-25")
    receipt_number: str | None = field("Return shipment", "退货入库单号", example="RR-2026-0001")
    inspected_on: Day | None = field("Inspected on", "检验日期", example="2026-11-26")
    repaired_on: Day | None = field("Repaired on", "修复日期", example="2026-11-28")
    credit_asked: bool | None = field("Credit note asked for", "已请求红字发票", example="true")
    credit_note: str | None = field("Credit note", "红字发票", example="invoice:9", to="invoice")
    replacement: str | None = field("Replacement order", "换货订单", example="order:8", to="order")
    state: (
        Literal[
            "requested",
            "authorised",
            "received",
            "inspected",
            "repaired",
            "replaced",
            "exchanged",
            "refunded",
            "closed",
            "refused",
            "cancelled",
        ]
        | None
    ) = field("State", "状态", example="received")
    warranty: Warranty | None = field("Under warranty", "保修状态", example="in")
    warranty_until: Day | None = field("Warranty until", "保修期至", example="2027-11-02")
    lines: dict[str, ReturnLine] = Field(default_factory=dict)
