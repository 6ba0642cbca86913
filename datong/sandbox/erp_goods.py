"""What SimERP keeps of goods and of time: prices, stock, supply, bills of materials, rates, accounting periods."""

from datong.sandbox.erp_fields import (
    COMPANY,
    DOC_NO,
    EXT_REF,
    ITEM,
    TAX_INCLUDED,
    UNIT,
    currency,
    day,
    flag,
    number,
    option,
    ref,
    text,
)
from datong.sandbox.fields import Field
from datong.sandbox.system import Spec

_VALID = (day("validFrom", "Valid from", "生效日期"), day("validTo", "Valid to", "失效日期"))
_WAREHOUSE = ref("warehouseId", "Warehouse", "仓库", "warehouses", required=True)
_PRICE_LIST = (
    text("code", "Code", "编码", 20, required=True, unique=True),
    text("name", "Name", "名称", 80, required=True),
    COMPANY,
    currency(),
    TAX_INCLUDED,
    *_VALID,
    flag("restricted", "Only for the customers it is agreed with", "仅限指定客户"),
    flag("disabled", "Disabled", "停用"),
    Field(
        "lines",
        "lines",
        "Entries",
        "价目明细",
        line_id="lineId",
        fields=(ITEM, UNIT, number("price", "Price", "单价", 6, required=True)),
    ),
    EXT_REF,
)
"""Entries become prices of the list; prices may also be entered one by one."""
_PRICE = (
    ref("priceListId", "Price list", "价目表", "priceLists"),
    ref("custId", "Customer", "客户", "customers"),
    ITEM,
    UNIT,
    currency(),
    TAX_INCLUDED,
    number("price", "Price", "单价", 6, required=True),
    *_VALID,
    text("remarks", "Remarks", "备注"),
    Field("listLineId", "int", "Entry of the list", "价目明细内码", read_only=True),
    flag("disabled", "Disabled", "停用"),
    Field(
        "tiers",
        "lines",
        "Tiers",
        "阶梯价",
        line_id="tierId",
        fields=(number("fromQty", "From quantity", "起订数量"), number("price", "Tier price", "阶梯单价", 6)),
    ),
    EXT_REF,
)
_STOCK_LEVEL = (
    ITEM,
    _WAREHOUSE,
    UNIT,
    number("onHand", "On hand", "现存量", default="0.0000"),
    number("reserved", "Reserved", "预留量", default="0.0000"),
    number("available", "Available", "可用量", read_only=True, default="0.0000"),
    number("incoming", "Incoming", "在途量", default="0.0000"),
    text("countNote", "Note of the last count", "盘点备注"),
    EXT_REF,
)
_SUPPLY_ORDER = (
    DOC_NO,
    option("supplyType", "Type", "类型", "production", "purchase", default="production"),
    ref("companyCode", "Company", "公司", "companies", ref_by="code"),
    option("status", "Status", "状态", "draft", "confirmed", "running", "done", "cancelled", default="draft"),
    ref("orderId", "Sales order", "销售订单", "salesOrders"),
    Field("orderLineId", "int", "Order line id", "订单行内码"),
    Field("orderLineNo", "int", "Order line", "订单行号"),
    ITEM,
    UNIT,
    number("qty", "Quantity", "数量"),
    number("doneQty", "Quantity done", "完成数量", default="0.0000"),
    ref("warehouseId", "Warehouse", "仓库", "warehouses"),
    day("plannedFinish", "Planned finish", "计划完工"),
    day("expectedFinish", "Expected finish", "预计完工"),
    text("remarks", "Remarks", "备注"),
    EXT_REF,
)
_BOM = (
    ITEM,
    number("qty", "Quantity made", "产出数量", default="1.0000"),
    number("leadDays", "Days to make", "制造天数", 2),
    flag("bundle", "Bundle", "套装"),
    flag("disabled", "Disabled", "停用"),
    Field(
        "components",
        "lines",
        "Components",
        "子件",
        line_id="componentId",
        fields=(ITEM, number("qtyPer", "Quantity per", "用量", required=True)),
    ),
    EXT_REF,
)
_EXCHANGE_RATE = (
    ref("fromCurrency", "Currency", "币种", "currencies", ref_by="code", required=True),
    ref("toCurrency", "Into currency", "目标币种", "currencies", ref_by="code", required=True),
    day("rateDate", "Date", "日期", required=True),
    number("rate", "Rate", "汇率", 6, required=True),
    text("source", "Source", "来源", 60),
    EXT_REF,
)
_PERIOD = (
    text("name", "Name", "名称", 60, required=True),
    COMPANY,
    day("dateFrom", "From", "开始日期", required=True),
    day("dateTo", "To", "结束日期", required=True),
    option("status", "Status", "状态", "open", "closed", default="open"),
    EXT_REF,
)

_SUPPLY_COLUMNS = ("docNo", "supplyType", "status", "orderId", "itemId", "qty", "doneQty", "expectedFinish")

GOODS = (
    Spec("priceLists", "priceList", _PRICE_LIST, "Price lists", "价目表", "name"),
    Spec("prices", "price", _PRICE, "Prices", "价格", "id"),
    Spec("stockLevels", "stockLevel", _STOCK_LEVEL, "Stock", "库存", "id", made_here=True),
    Spec(
        "supplyOrders",
        "supplyOrder",
        _SUPPLY_ORDER,
        "Supply orders",
        "生产与采购订单",
        "docNo",
        made_here=True,
        columns=_SUPPLY_COLUMNS,
    ),
    Spec("boms", "bom", _BOM, "Bills of materials", "物料清单", "id"),
    Spec("exchangeRates", "exchangeRate", _EXCHANGE_RATE, "Exchange rates", "汇率", "id"),
    Spec("periods", "period", _PERIOD, "Accounting periods", "会计期间", "name"),
)
