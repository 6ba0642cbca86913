"""The words in which SimCRM's objects are told: short makers of fields."""

from __future__ import annotations

from typing import Any

from datong.sandbox.fields import Field

COMPANIES = ("asia", "europe")
AMOUNT, PRICE, RATE = 3, 6, 10
"""Decimals of amounts (a dinar has three), of unit prices and quantities, of exchange rates."""


def text(name: str, label: str, label_zh: str, max_length: int | None = 200, **more: Any) -> Field:
    return Field(name, "text", label, label_zh, max_length=max_length, **more)


def by_code(name: str, ref: str, label: str, label_zh: str) -> Field:
    return Field(name, "ref", label, label_zh, ref=ref, ref_by="code")


def by_id(name: str, ref: str, label: str, label_zh: str) -> Field:
    return Field(name, "ref", label, label_zh, ref=ref)


def option(name: str, label: str, label_zh: str, *options: str, default: str | None = None) -> Field:
    return Field(name, "option", label, label_zh, options=options, default=default)


def number(name: str, label: str, label_zh: str, decimals: int) -> Field:
    return Field(name, "decimal", label, label_zh, decimals=decimals)


def amount(name: str, label: str, label_zh: str) -> Field:
    return number(name, label, label_zh, AMOUNT)


def quantity(name: str, label: str, label_zh: str) -> Field:
    return number(name, label, label_zh, PRICE)


def day(name: str, label: str, label_zh: str) -> Field:
    return Field(name, "date", label, label_zh)


def flag(name: str, label: str, label_zh: str) -> Field:
    return Field(name, "bool", label, label_zh)


def lines(name: str, label: str, label_zh: str, prefix: str, *fields: Field) -> Field:
    return Field(name, "lines", label, label_zh, fields=fields, line_prefix=prefix)


def own_number(label: str, label_zh: str) -> Field:
    """The number that SimCRM gives to a document of its own: once, and for good."""
    return text("number", label, label_zh, 40, unique=True, read_only=True)


COMPANY = option("company", "Company", "公司", *COMPANIES)
CURRENCY = by_code("currency", "currencies", "Currency", "币种")
UNIT = by_code("unit", "units", "Unit", "单位")
ACCOUNT = by_id("account_id", "accounts", "Account", "客户")
OWNER = by_id("owner_id", "users", "Salesperson", "业务员")
PRODUCT = by_id("product_id", "products", "Product", "产品")
WAREHOUSE = by_code("warehouse", "warehouses", "Warehouse", "仓库")
TAX_INCLUDED = flag("tax_included", "Prices include tax", "含税")
COMMON = (
    Field("active", "bool", "Active", "启用", default=True),
    text("external_key", "External key", "外部主键", 100, unique=True),
)
CODED = (
    text("code", "Code", "代码", 20, required=True, unique=True),
    text("name", "Name", "名称", 120, required=True),
    text("name_en", "English name", "英文名称", 120),
)
