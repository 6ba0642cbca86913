"""SimCRM: what the service desk works with: cases, returns, knowledge-base articles, the customers' assets."""

from __future__ import annotations

from datong.sandbox.crm_fields import (
    ACCOUNT,
    COMMON,
    COMPANY,
    OWNER,
    PRODUCT,
    UNIT,
    by_id,
    day,
    flag,
    lines,
    option,
    own_number,
    quantity,
    text,
)
from datong.sandbox.fields import Field, Row
from datong.sandbox.system import Spec

OUTCOMES = ("repaired", "replaced", "exchanged", "refunded")
_CONTACT = by_id("contact_id", "contacts", "Contact", "联系人")
_ORDER = by_id("order_id", "orders", "Order", "订单")
_SHIPMENT = by_id("shipment_id", "shipments", "Shipment", "发货单")
_ORDER_LINE = text("order_line", "Order line", "订单行", 40)
_LOT = text("lot", "Lot", "批号", 80)
_SERIAL = text("serial", "Serial number", "序列号", 80)
_EXCHANGE = by_id("exchange_for_id", "products", "In exchange for", "换成产品")
_VARIANT = text("variant", "Variant of return", "退货方案", 40)
_REASON = text("reason", "Complaint reason", "投诉原因", 60)
_WARRANTY = (
    option("warranty", "Under warranty", "保修状态", "in", "out", "unknown"),
    day("warranty_until", "Warranty until", "保修期至"),
)


def _moment(name: str, label: str, label_zh: str) -> Field:
    return Field(name, "moment", label, label_zh)


CASES = Spec(
    "cases",
    "case",
    (
        own_number("Case number", "工单号"),
        text("subject", "Subject", "主题", 200, required=True),
        option("state", "State", "状态", "new", "open", "waiting", "resolved", "closed", "cancelled", default="new"),
        option("type", "Type", "类型", "question", "complaint", "return", "repair", "other", default="question"),
        option("priority", "Priority", "优先级", "low", "normal", "high", "urgent", default="normal"),
        ACCOUNT,
        _CONTACT,
        OWNER,
        COMPANY,
        option("channel", "Channel", "渠道", "mail", "web", "phone", "chat", "visit", "other", default="phone"),
        text("thread", "Thread key", "会话标识", 400),
        text("text", "Text", "描述", 20000),
        text("resolution", "Resolution", "处理结果", 4000),
        _REASON,
        PRODUCT,
        quantity("quantity", "Quantity", "数量"),
        _LOT,
        _SERIAL,
        text("order_number", "Order number as told", "客户所述订单号", 60),
        _ORDER,
        _ORDER_LINE,
        _SHIPMENT,
        by_id("asset_id", "assets", "Asset", "资产"),
        option("wish", "Customer's wish", "客户诉求", "repair", "replacement", "exchange", "refund"),
        _VARIANT,
        _EXCHANGE,
        option("request", "Return request", "退货申请", "asked", "accepted", "refused"),
        text("return_number", "Return number", "退货单号", 60),
        text("return_state", "Return state", "退货状态", 60),
        text("return_waits_for", "Return waits for", "退货等待原因", 400),
        text("erp_number", "Number in the ERP", "ERP 单号", 60),
        text("order_status", "Order status", "订单状态", 60),
        day("shipped_on", "Shipped", "发货日期"),
        *_WARRANTY,
        text("suggested", "Suggested articles", "推荐文章", 1000),
        option("survey", "Survey", "满意度调查", "due", "asked", "answered"),
        _moment("survey_asked_at", "Survey asked", "调查发出时间"),
        quantity("score", "Satisfaction", "满意度评分"),
        text("remark", "Customer's remark", "客户评价", 4000),
        _moment("opened_at", "Opened", "受理时间"),
        _moment("closed_at", "Closed", "关闭时间"),
        lines(
            "messages",
            "Message",
            "往来消息",
            "CM",
            _moment("at", "Moment", "时间"),
            option("direction", "Direction", "方向", "in", "out", "note"),
            text("channel", "Channel", "渠道", 40),
            text("sender", "From", "发件人"),
            text("recipient", "To", "收件人"),
            text("subject", "Subject", "主题", 400),
            text("text", "Text", "正文", 20000),
            text("external_id", "Id there", "外部消息标识", 400),
            text("attachments", "Attachments", "附件", 2000),
        ),
        lines(
            "files",
            "File",
            "文件",
            "CF",
            text("name", "File name", "文件名"),
            text("media_type", "Media type", "文件类型", 120),
            Field("size", "int", "Size", "大小"),
            text("digest", "Content", "内容摘要", 80),
        ),
        *COMMON,
    ),
    "Service cases",
    "服务工单",
    "subject",
    "CS",
    columns=("number", "subject", "state", "type", "account_id", "product_id", "return_state", "warranty", "survey"),
)
RETURNS = Spec(
    "returns",
    "return",
    (
        own_number("Return number", "退货单号"),
        text("erp_number", "Number in the ERP", "ERP 单号", 60),
        ACCOUNT,
        by_id("case_id", "cases", "Service case", "服务工单"),
        option("wish", "Wish", "下达意愿", "draft", "released", "cancelled", default="draft"),
        option(
            "state",
            "State",
            "状态",
            *("requested", "authorised", "received", "inspected", *OUTCOMES, "closed", "refused", "cancelled"),
        ),
        _CONTACT,
        OWNER,
        COMPANY,
        day("date", "Date", "申请日期"),
        _ORDER,
        _SHIPMENT,
        by_id("invoice_id", "invoices", "Invoice", "发票"),
        _VARIANT,
        option("outcome", "Outcome wanted", "期望处置", *OUTCOMES),
        flag("advance", "Replaced in advance", "先行换货"),
        _REASON,
        text("remarks", "Remarks", "备注", 4000),
        option(
            "decision",
            "Decision of the ERP",
            "ERP 审批结果",
            *("requested", "authorised", "refused", "cancelled", "closed"),
        ),
        text("decision_reason", "Reason of the decision", "审批说明", 400),
        day("received_on", "Received on", "收货日期"),
        text("receipt_number", "Return shipment", "退货入库单号", 60),
        day("inspected_on", "Inspected on", "检验日期"),
        day("repaired_on", "Repaired on", "修复日期"),
        by_id("credit_note_id", "invoices", "Credit note", "红字发票"),
        by_id("replacement_id", "orders", "Replacement order", "换货订单"),
        *_WARRANTY,
        lines(
            "lines",
            "Line",
            "明细",
            "RL",
            Field("position", "int", "Position", "行号"),
            PRODUCT,
            text("description", "Description", "描述", 4000),
            quantity("quantity", "Quantity", "数量"),
            UNIT,
            _ORDER_LINE,
            _LOT,
            _SERIAL,
            _EXCHANGE,
            quantity("received_quantity", "Quantity received", "已收数量"),
            option("result", "Result", "检验结果", "ok", "defective", "damaged", "wrong_goods", "incomplete"),
            option("disposition", "What became of it", "处置", *OUTCOMES),
        ),
        *COMMON,
    ),
    "Returns",
    "退货单",
    "number",
    "RT",
    columns=("number", "erp_number", "account_id", "case_id", "order_id", "state", "outcome", "receipt_number"),
)
ARTICLES = Spec(
    "articles",
    "article",
    (
        own_number("Article number", "编号"),
        text("title", "Title", "标题", 200, required=True),
        text("title_en", "Title in English", "英文标题", 200),
        text("symptoms", "Symptoms", "故障现象", 1000),
        text("symptoms_en", "Symptoms in English", "英文故障现象", 1000),
        text("body", "Body", "正文", 20000),
        text("body_en", "Body in English", "英文正文", 20000),
        flag("public", "For customers", "对客户公开"),
        lines("products", "Product", "产品", "AP", PRODUCT),
        *COMMON,
    ),
    "Articles",
    "知识库文章",
    "title",
    "KB",
)
ASSETS = Spec(
    "assets",
    "asset",
    (
        text("serial", "Serial number", "序列号", 80, required=True),
        _LOT,
        PRODUCT,
        ACCOUNT,
        COMPANY,
        _ORDER,
        _SHIPMENT,
        day("shipped_on", "Shipped", "发货日期"),
        day("warranty_until", "Warranty until", "保修期至"),
        *COMMON,
    ),
    "Assets",
    "客户资产",
    "serial",
    "AS",
)
SERVICE = (CASES, RETURNS, ARTICLES, ASSETS)
NUMBERED = {"cases": "CS", "returns": "RT", "articles": "KB"}


def dated(values: Row, now: str) -> Row:
    """A case with the moments at which it was opened and closed, where nobody said them."""
    over = values["state"] in ("closed", "cancelled")
    return {
        **values,
        "opened_at": values["opened_at"] or now,
        "closed_at": values["closed_at"] or (now if over else None),
    }
