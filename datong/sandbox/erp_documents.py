"""The documents of SimERP: orders and their changes, shipments, invoices, receipts, requests for invoices."""

from datong.sandbox.erp_fields import (
    COMPANY,
    CUSTOMER,
    DOC_NO,
    EXT_REF,
    ITEM,
    PRICED,
    RATE,
    TAX_INCLUDED,
    TOTALS,
    UNIT,
    currency,
    day,
    fact,
    number,
    option,
    ref,
    text,
)
from datong.sandbox.fields import Field
from datong.sandbox.system import Spec

_EXTENT = ("none", "part", "full", "over")
_STATUS = {"read_only": True}
_SALESPERSON = ref("salesEmployeeId", "Salesperson", "业务员", "employees")
_REMARKS = text("remarks", "Remarks", "备注", 500)
_ORDER = ref("orderId", "Order", "订单", "salesOrders")
_ORDER_LINE = (
    _ORDER,
    Field("orderLineId", "int", "Order line id", "订单行内码"),
    Field("orderLineNo", "int", "Order line", "订单行号"),
)


def _extent(name: str, label: str, label_zh: str) -> Field:
    return option(name, label, label_zh, *_EXTENT, default="none", read_only=True)


_SALES_ORDER_LINE = (
    Field("lineNo", "int", "Line", "行号"),
    *PRICED,
    ref("warehouseId", "Warehouse", "仓库", "warehouses"),
    day("requestedDate", "Requested date", "要求交期"),
    day("promisedDate", "Promised date", "承诺交期"),
    day("expectedDate", "Expected date", "预计交期", read_only=True),
    fact("shippedQty", "Shipped", "已发数量"),
    fact("invoicedQty", "Invoiced", "已开票数量"),
    option("supplyState", "Supply", "供应状态", "draft", "confirmed", "running", "done", "cancelled", read_only=True),
    fact("supplyDone", "Supply done", "完工数量"),
)
_SALES_ORDER = (
    DOC_NO,
    text("externalNo", "External number", "外部单号", 40),
    COMPANY,
    CUSTOMER,
    ref("contactId", "Contact", "联系人", "contacts"),
    ref("endCustId", "End customer", "最终客户", "customers"),
    _SALESPERSON,
    day("orderDate", "Order date", "单据日期"),
    currency(),
    *RATE,
    TAX_INCLUDED,
    ref("paymentTermId", "Payment term", "付款条件", "paymentTerms"),
    text("custOrderNo", "Customer's order number", "客户订单号", 60),
    day("requestedDate", "Requested date", "要求交期"),
    text("carrier", "Carrier", "承运商", 60),
    text("packing", "Packing", "包装要求", 200),
    text("shipTo", "Ship to", "收货地址", 300),
    _REMARKS,
    option(
        "status", "Status", "状态", "draft", "submitted", "approved", "closed", "cancelled", default="draft", **_STATUS
    ),
    _extent("shippedState", "Shipped", "发货状态"),
    _extent("invoicedState", "Invoiced", "开票状态"),
    _extent("paidState", "Paid", "收款状态"),
    day("promisedDate", "Promised date", "承诺交期", read_only=True),
    day("expectedDate", "Expected date", "预计交期", read_only=True),
    *TOTALS,
    Field("amendmentNo", "int", "Amendments", "变更次数", default=0, read_only=True),
    text("cancelReason", "Cancelled because", "取消原因", 200, read_only=True),
    text("shipHold", "Shipment held because", "发货冻结原因", 200),
    Field("lines", "lines", "Lines", "明细", fields=_SALES_ORDER_LINE, line_id="lineId"),
    EXT_REF,
)
_ORDER_CHANGE = (
    DOC_NO,
    COMPANY,
    _ORDER,
    Field("amendmentNo", "int", "Amendment", "变更序号"),
    text("reason", "Reason", "变更原因", 200),
    day("changeDate", "Date", "变更日期"),
    number("grossBefore", "Total before", "变更前价税合计"),
    number("grossAfter", "Total after", "变更后价税合计"),
    Field(
        "lines",
        "lines",
        "What changed",
        "变更明细",
        line_id="changeId",
        fields=(
            Field("orderLineId", "int", "Order line id", "订单行内码"),
            text("field", "Field", "字段", 60),
            text("before", "Before", "变更前", 500),
            text("after", "After", "变更后", 500),
        ),
    ),
    EXT_REF,
)
_SHIPMENT = (
    DOC_NO,
    COMPANY,
    CUSTOMER,
    _ORDER,
    option(
        "status", "Status", "状态", "draft", "ready", "shipped", "delivered", "cancelled", default="draft", **_STATUS
    ),
    day("plannedDate", "Planned date", "计划发货日期"),
    day("shipDate", "Ship date", "发货日期"),
    ref("warehouseId", "Warehouse", "仓库", "warehouses"),
    text("carrier", "Carrier", "承运商", 60),
    text("trackingNo", "Tracking number", "运单号", 60),
    _REMARKS,
    Field(
        "lines",
        "lines",
        "Lines",
        "明细",
        line_id="lineId",
        fields=(
            *_ORDER_LINE,
            ITEM,
            number("qty", "Quantity", "数量"),
            UNIT,
            text("lotNo", "Lot", "批号", 40),
            text("serialNo", "Serial number", "序列号", 200),
        ),
    ),
    EXT_REF,
)
_FAPIAO = Field(
    "eInvoice",
    "group",
    "E-invoice",
    "数电票",
    fields=(
        text("number", "E-invoice number", "数电票号码", 20),
        option("kind", "Kind", "发票种类", "special", "ordinary"),
        text("buyerName", "Buyer", "购买方名称", 120),
        text("buyerTaxNo", "Buyer's tax number", "购买方税号", 30),
        text("sellerName", "Seller", "销售方名称", 120),
        text("sellerTaxNo", "Seller's tax number", "销售方税号", 30),
        text("taxCategory", "Tax category code", "税收分类编码", 19),
        text("redLetterNo", "Red-letter reference", "红字信息确认单编号", 30),
        text("fileUrl", "File", "版式文件地址", 300),
    ),
)
_INVOICE = (
    option("docType", "Type", "类型", "INV", "CRN", default="INV"),
    DOC_NO,
    COMPANY,
    CUSTOMER,
    _ORDER,
    ref("shipmentId", "Shipment", "发货单", "shipments"),
    ref("reversesId", "Reverses", "冲销", "invoices"),
    option("status", "Status", "状态", "draft", "posted", "paid", "cancelled", default="draft", **_STATUS),
    day("invoiceDate", "Invoice date", "开票日期"),
    day("dueDate", "Due date", "到期日"),
    ref("paymentTermId", "Payment term", "付款条件", "paymentTerms"),
    currency(),
    *RATE,
    TAX_INCLUDED,
    *TOTALS,
    fact("paidAmount", "Paid", "已收金额"),
    fact("creditedAmount", "Credited", "已冲金额"),
    fact("openAmount", "Open", "未收金额"),
    text("invoiceTitle", "Invoice title", "开票抬头", 120),
    _REMARKS,
    _FAPIAO,
    Field("lines", "lines", "Lines", "明细", fields=(*PRICED, *_ORDER_LINE), line_id="lineId"),
    EXT_REF,
)
_RECEIPT = (
    DOC_NO,
    COMPANY,
    ref("custId", "Customer", "客户", "customers"),
    option("status", "Status", "状态", "draft", "posted", "cleared", "reversed", default="draft", **_STATUS),
    day("receiptDate", "Receipt date", "收款日期"),
    currency(),
    *RATE,
    number("amount", "Amount", "金额"),
    fact("unallocated", "Not allocated", "未核销金额"),
    ref("methodId", "Method", "收款方式", "paymentMethods"),
    text("reference", "Reference", "附言", 200),
    text("payer", "Payer", "付款人", 120),
    text("billNo", "Acceptance bill", "承兑汇票号", 40),
    day("billDue", "Bill due", "汇票到期日"),
    option("billState", "State of the bill", "汇票状态", "held", "endorsed", "discounted", "cleared", "refused"),
    text("reverseReason", "Reversed because", "冲销原因", 200),
    day("reverseDate", "Reversed on", "冲销日期"),
    Field(
        "allocations",
        "lines",
        "Allocations",
        "核销明细",
        line_id="allocationId",
        fields=(ref("invoiceId", "Invoice", "发票", "invoices"), number("amount", "Amount", "核销金额")),
    ),
    EXT_REF,
)
_INVOICE_REQUEST = (
    DOC_NO,
    text("externalNo", "External number", "外部单号", 40),
    COMPANY,
    CUSTOMER,
    _ORDER,
    option("status", "Status", "状态", "draft", "requested", "invoiced", "refused", "cancelled", default="requested"),
    currency(),
    number("amount", "Amount", "开票金额"),
    text("invoiceTitle", "Invoice title", "开票抬头", 120),
    text("taxNo", "Tax number", "税号", 30),
    option("invoiceKind", "E-invoice kind", "发票种类", "special", "ordinary"),
    _REMARKS,
    ref("invoiceId", "Invoice", "发票", "invoices", read_only=True),
    text("invoiceNo", "Invoice number", "发票号", 30, read_only=True),
    text("invoiceStatus", "Invoice status", "发票状态", 20, read_only=True),
    text("refuseReason", "Refused because", "拒绝原因", 200, read_only=True),
    EXT_REF,
)

_COLUMNS = {
    "salesOrders": (
        "docNo",
        "custId",
        "orderDate",
        "currency",
        "grossAmount",
        "status",
        "shippedState",
        "invoicedState",
        "paidState",
    ),
    "shipments": ("docNo", "custId", "orderId", "status", "shipDate", "carrier", "trackingNo"),
    "invoices": (
        "docNo",
        "docType",
        "custId",
        "orderId",
        "status",
        "invoiceDate",
        "dueDate",
        "currency",
        "grossAmount",
        "openAmount",
    ),
    "receipts": ("docNo", "custId", "status", "receiptDate", "currency", "amount", "unallocated", "payer", "billNo"),
    "invoiceRequests": ("docNo", "externalNo", "custId", "orderId", "status", "currency", "amount", "invoiceNo"),
}

DOCUMENTS = (
    Spec(
        "salesOrders", "salesOrder", _SALES_ORDER, "Sales orders", "销售订单", "docNo", columns=_COLUMNS["salesOrders"]
    ),
    Spec("orderChanges", "orderChange", _ORDER_CHANGE, "Order amendments", "订单变更单", "docNo", made_here=True),
    Spec(
        "shipments",
        "shipment",
        _SHIPMENT,
        "Shipments",
        "发货单",
        "docNo",
        made_here=True,
        columns=_COLUMNS["shipments"],
    ),
    Spec("invoices", "invoice", _INVOICE, "Invoices", "发票", "docNo", made_here=True, columns=_COLUMNS["invoices"]),
    Spec("receipts", "receipt", _RECEIPT, "Receipts", "收款单", "docNo", made_here=True, columns=_COLUMNS["receipts"]),
    Spec(
        "invoiceRequests",
        "invoiceRequest",
        _INVOICE_REQUEST,
        "Invoice requests",
        "开票申请",
        "docNo",
        columns=_COLUMNS["invoiceRequests"],
    ),
)
