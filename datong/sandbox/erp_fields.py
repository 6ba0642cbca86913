"""How fields of SimERP are declared, and those that many of its objects have."""

from typing import Any

from datong.sandbox.fields import Field


def text(name: str, label: str, label_zh: str, max_length: int | None = 200, **more: Any) -> Field:
    return Field(name, "text", label, label_zh, max_length=max_length, **more)


def flag(name: str, label: str, label_zh: str) -> Field:
    return Field(name, "bool", label, label_zh, default=False)


def day(name: str, label: str, label_zh: str, **more: Any) -> Field:
    return Field(name, "date", label, label_zh, **more)


def number(name: str, label: str, label_zh: str, decimals: int = 4, **more: Any) -> Field:
    return Field(name, "decimal", label, label_zh, decimals=decimals, **more)


def fact(name: str, label: str, label_zh: str) -> Field:
    """A number that SimERP works out."""
    return number(name, label, label_zh, read_only=True, default="0.0000")


def option(name: str, label: str, label_zh: str, *options: str, **more: Any) -> Field:
    return Field(name, "option", label, label_zh, options=options, **more)


def ref(name: str, label: str, label_zh: str, object: str, **more: Any) -> Field:
    return Field(name, "ref", label, label_zh, ref=object, **more)


def currency(label: str = "Currency", label_zh: str = "币种") -> Field:
    return ref("currency", label, label_zh, "currencies", ref_by="code")


EXT_REF = text("extRef", "External reference", "外部参考号", 100, unique=True)
COMPANY = ref("companyCode", "Company", "公司", "companies", ref_by="code", required=True)
DOC_NO = text("docNo", "Number", "单号", 30, unique=True)
"""Given by SimERP, unless a person gives one to a new document."""
CUSTOMER = ref("custId", "Customer", "客户", "customers", required=True, unknown="UNKNOWN_CUSTOMER")
ITEM = ref("itemId", "Item", "物料", "items", required=True, unknown="UNKNOWN_ITEM")
UNIT = ref("unitId", "Unit", "单位", "units")
TOTALS = (
    fact("netAmount", "Net total", "未税合计"),
    fact("taxAmount", "Tax total", "税额合计"),
    fact("grossAmount", "Total with tax", "价税合计"),
)
"""As many decimals as the currency has."""
RATE = (
    number("exchRate", "Exchange rate", "汇率", 6, read_only=True),
    day("exchRateDate", "Date of the rate", "汇率日期", read_only=True),
)
TAX_INCLUDED = flag("priceIncludesTax", "Prices include tax", "含税")
PRICED = (
    ITEM,
    text("text", "Description", "描述"),
    number("qty", "Quantity", "数量"),
    UNIT,
    number("price", "Unit price", "单价", 6),
    number("discountPct", "Discount %", "折扣率", 4),
    ref("taxCodeId", "Tax code", "税码", "taxCodes", unknown="UNKNOWN_TAX_CODE"),
    number("taxRate", "Tax rate", "税率", 4, read_only=True),
    *TOTALS,
    option("freeReason", "Free of charge because", "免费原因", "gift", "rebate", "sample", "warranty"),
    ref("bundleItemId", "Part of bundle", "所属套装", "items"),
)
"""What every line with a price has."""
