"""SimCRM: prices, stock, supply and exchange rates, as the books tell them; and the codes these need."""

from __future__ import annotations

from datong.sandbox.crm_fields import (
    ACCOUNT,
    CODED,
    COMMON,
    COMPANY,
    CURRENCY,
    PRODUCT,
    RATE,
    TAX_INCLUDED,
    UNIT,
    WAREHOUSE,
    by_code,
    by_id,
    day,
    flag,
    lines,
    number,
    option,
    quantity,
    text,
)
from datong.sandbox.fields import Field
from datong.sandbox.system import Spec

_VALID = (day("valid_from", "Valid from", "生效日期"), day("valid_to", "Valid to", "失效日期"))
PRICE_LISTS = Spec(
    "price_lists",
    "price_list",
    (
        text("code", "Code", "编码", 40, required=True, unique=True),
        text("name", "Name", "名称", 120, required=True),
        COMPANY,
        CURRENCY,
        TAX_INCLUDED,
        *_VALID,
        flag("restricted", "Only for the customers it names", "仅限指定客户"),
        *COMMON,
    ),
    "Price lists",
    "价目表",
    "name",
    "PL",
)
PRICES = Spec(
    "prices",
    "price",
    (
        PRODUCT,
        by_id("price_list_id", "price_lists", "Price list", "价目表"),
        ACCOUNT,
        quantity("price", "Price", "单价"),
        CURRENCY,
        UNIT,
        TAX_INCLUDED,
        *_VALID,
        lines(
            "tiers",
            "Tier",
            "阶梯",
            "TI",
            quantity("quantity", "From quantity", "起订数量"),
            quantity("price", "Tier price", "阶梯单价"),
        ),
        *COMMON,
    ),
    "Prices",
    "价格",
    "product_id",
    "PR",
)
STOCK_LEVELS = Spec(
    "stock_levels",
    "stock_level",
    (
        PRODUCT,
        WAREHOUSE,
        quantity("on_hand", "On hand", "现存量"),
        quantity("reserved", "Reserved", "预留量"),
        quantity("available", "Available", "可用量"),
        quantity("incoming", "Incoming", "在途量"),
        UNIT,
        Field("as_of", "moment", "As of", "截至时间"),
        *COMMON,
    ),
    "Stock",
    "库存",
    "product_id",
    "ST",
)
SUPPLY_ORDERS = Spec(
    "supply_orders",
    "supply_order",
    (
        text("number", "Number", "单号", 60),
        option("type", "Type", "类型", "production", "purchase"),
        option("state", "State", "状态", "draft", "confirmed", "running", "done", "cancelled"),
        PRODUCT,
        quantity("quantity", "Quantity", "数量"),
        quantity("done", "Quantity done", "完成数量"),
        UNIT,
        by_id("order_id", "orders", "Sales order", "销售订单"),
        text("order_line", "Order line", "订单行", 40),
        day("planned_finish", "Planned finish", "计划完工"),
        day("expected_finish", "Expected finish", "预计完工"),
        *COMMON,
    ),
    "Supply orders",
    "供应订单",
    "number",
    "SU",
)
EXCHANGE_RATES = Spec(
    "exchange_rates",
    "exchange_rate",
    (
        CURRENCY,
        by_code("into_currency", "currencies", "Into currency", "目标币种"),
        day("date", "Date", "日期"),
        number("rate", "Rate", "汇率", RATE),
        *COMMON,
    ),
    "Exchange rates",
    "汇率",
    "currency",
    "XR",
)
BILLS_OF_MATERIALS = Spec(
    "bills_of_materials",
    "bill_of_materials",
    (
        PRODUCT,
        quantity("quantity", "Quantity made", "产出数量"),
        number("lead_days", "Days to make", "制造天数", 2),
        flag("bundle", "Bundle", "套装"),
        lines(
            "components",
            "Component",
            "组成",
            "CO",
            PRODUCT,
            quantity("quantity", "Quantity", "用量"),
        ),
        *COMMON,
    ),
    "Bills of materials",
    "物料清单",
    "product_id",
    "BM",
)
WAREHOUSES = Spec("warehouses", "warehouse", (*CODED, *COMMON), "Warehouses", "仓库", "code", "WH")
PAYMENT_METHODS = Spec(
    "payment_methods", "payment_method", (*CODED, *COMMON), "Payment methods", "收款方式", "code", "PM"
)
GOODS = (
    PRICE_LISTS,
    PRICES,
    STOCK_LEVELS,
    SUPPLY_ORDERS,
    EXCHANGE_RATES,
    BILLS_OF_MATERIALS,
    WAREHOUSES,
    PAYMENT_METHODS,
)
