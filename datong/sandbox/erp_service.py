"""After the sale in SimERP: return orders (退货单), and the things that customers have (客户资产)."""

from datong.sandbox.erp_fields import (
    COMPANY,
    CUSTOMER,
    DOC_NO,
    EXT_REF,
    ITEM,
    UNIT,
    day,
    fact,
    flag,
    number,
    option,
    ref,
    text,
)
from datong.sandbox.fields import Field
from datong.sandbox.system import Spec

OUTCOMES = ("repaired", "replaced", "exchanged", "refunded")
_READ_ONLY = {"read_only": True}
_RETURN_LINE = (
    Field("lineNo", "int", "Line", "行号"),
    Field("orderLineId", "int", "Order line id", "订单行内码"),
    Field("orderLineNo", "int", "Order line", "订单行号"),
    ITEM,
    text("text", "Description", "描述"),
    number("qty", "Quantity", "数量"),
    UNIT,
    text("lotNo", "Lot", "批号", 40),
    text("serialNo", "Serial number", "序列号", 60),
    ref("exchangeItemId", "In exchange for", "换成物料", "items"),
    fact("receivedQty", "Received", "已收数量"),
    option("result", "Result", "检验结果", "ok", "defective", "damaged", "wrong_goods", "incomplete", **_READ_ONLY),
    option("disposition", "What became of it", "处置", *OUTCOMES, **_READ_ONLY),
)
_RETURN = (
    DOC_NO,
    text("externalNo", "External number", "外部单号", 40),
    COMPANY,
    CUSTOMER,
    ref("contactId", "Contact", "联系人", "contacts"),
    day("requestDate", "Requested on", "申请日期"),
    ref("orderId", "Order", "订单", "salesOrders", required=True),
    ref("shipmentId", "Shipment", "发货单", "shipments"),
    ref("invoiceId", "Invoice", "发票", "invoices"),
    text("variant", "Variant", "退货方案", 40),
    option("wanted", "Wanted", "期望处置", *OUTCOMES),
    flag("advance", "Replaced in advance", "先行换货"),
    text("reason", "Reason", "退货原因", 60),
    text("remarks", "Remarks", "备注", 500),
    flag("withdrawn", "Withdrawn by the customer", "客户撤回"),
    option(
        "status",
        "Status",
        "状态",
        *("requested", "authorised", "received", "inspected", *OUTCOMES, "closed", "refused", "cancelled"),
        default="requested",
        **_READ_ONLY,
    ),
    text("statusReason", "Because", "审批说明", 200, **_READ_ONLY),
    day("receivedDate", "Received on", "收货日期", **_READ_ONLY),
    text("receiptNo", "Return shipment", "退货入库单号", 30, **_READ_ONLY),
    day("inspectedDate", "Inspected on", "检验日期", **_READ_ONLY),
    day("repairedDate", "Repaired on", "修复日期", **_READ_ONLY),
    ref("creditNoteId", "Credit note", "红字发票", "invoices", **_READ_ONLY),
    ref("replacementId", "Replacement order", "换货订单", "salesOrders", **_READ_ONLY),
    Field("lines", "lines", "Lines", "明细", fields=_RETURN_LINE, line_id="lineId"),
    EXT_REF,
)
_ASSET = (
    text("serialNo", "Serial number", "序列号", 60, required=True, unique=True),
    text("lotNo", "Lot", "批号", 40),
    ITEM,
    CUSTOMER,
    COMPANY,
    ref("orderId", "Order", "订单", "salesOrders"),
    ref("shipmentId", "Shipment", "发货单", "shipments"),
    day("shipDate", "Ship date", "发货日期"),
    day("warrantyUntil", "Warranty until", "保修期至"),
    flag("disabled", "Out of use", "停用"),
    EXT_REF,
)
SERVICE = (
    Spec(
        "returnOrders",
        "returnOrder",
        _RETURN,
        "Return orders",
        "退货单",
        "docNo",
        columns=("docNo", "externalNo", "custId", "orderId", "status", "wanted", "receiptNo", "creditNoteId"),
    ),
    Spec("assets", "asset", _ASSET, "Assets", "客户资产", "serialNo", made_here=True),
)
