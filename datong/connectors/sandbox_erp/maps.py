"""Which field of SimERP holds which canonical field. Nothing is an empty text there, or null where it points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from datong.connectors.sandbox_erp.documents import TOLD, WRITTEN
from datong.connectors.sandbox_erp.goods import GOODS
from datong.connectors.sandbox_erp.planning import FORECAST
from datong.connectors.sandbox_erp.service import ASSET, RETURN
from datong.connectors.sandbox_erp.values import CODE, EMAIL, ENABLED, OWN_KEY, PHONE, TEXT, blank
from datong.mapping import (
    Field,
    FieldMap,
    Items,
    amount,
    boolean,
    choice,
    country,
    number,
    percent,
    reference,
)

OPENED = replace(boolean(), examples=(True,))
"""Whether a company's part was made: it can be made and never taken back."""

SITES = Items(
    "addresses",
    "sites",
    (
        Field("use", "use", choice({"billing": "BILL", "shipping": "SHIP", "office": "OFFICE"})),
        Field("country", "countryCode", blank(country())),
        Field("province", "state", TEXT),
        Field("city", "town", TEXT),
        Field("district", "area", TEXT),
        Field("street", "street", TEXT),
        Field("postcode", "zip", CODE),
    ),
    id="siteId",
)
CUSTOMER = FieldMap(
    "account",
    "customers",
    (
        Field("name", "custName", TEXT),
        Field("name_en", "custNameEn", TEXT),
        Field("short_name", "shortName", TEXT),
        Field("type", "isPerson", choice({"company": False, "person": True})),
        Field("tax_id", "taxNo", CODE),
        Field("invoice_title", "invoiceTitle", TEXT),
        Field("phone", "tel", PHONE),
        Field("email", "email", EMAIL),
        Field("website", "web", TEXT),
        Field("parent", "parentId", reference("account", integer=True)),
        Field("owner", "salesEmployeeId", reference("user", integer=True)),
        Field("region", "regionCode", reference("region", by="code")),
        Field("currency", "currency", reference("currency", by="code")),
        Field("active", "status", boolean("active", "inactive")),
        Field("company.{company}.open", "companies.{company}.open", OPENED),
        Field("company.{company}.number", "companies.{company}.accountNo", CODE, write="never"),
        Field("company.{company}.terms", "companies.{company}.paymentTermId", reference("payment_term", integer=True)),
        Field("company.{company}.blocked", "companies.{company}.blocked", boolean()),
        Field("company.{company}.price_list", "companies.{company}.priceListId", reference("price_list", integer=True)),
        Field("custom.region_code", "userFields.regionCode", CODE),
        Field("custom.vip", "userFields.vip", boolean()),
    ),
    items=(SITES,),
    own_key=OWN_KEY,
)
CONTACT = FieldMap(
    "contact",
    "contacts",
    (
        Field("account", "custId", reference("account", integer=True)),
        Field("name", "fullName", TEXT),
        Field("family_name", "familyName", TEXT),
        Field("given_name", "givenName", TEXT),
        Field("title", "position", TEXT),
        Field("email", "mail", EMAIL),
        Field("phone", "tel", PHONE),
        Field("mobile", "mobile", PHONE),
        Field("language", "lang", TEXT),
        Field("active", "disabled", ENABLED),
    ),
    own_key=OWN_KEY,
)
ITEM = FieldMap(
    "product",
    "items",
    (
        Field("sku", "itemNo", CODE),
        Field("name", "description", TEXT),
        Field("name_en", "descriptionEn", TEXT),
        Field("unit", "baseUnit", reference("unit", integer=True)),
        Field("list_price", "salesPrice", number()),
        Field("cost", "standardCost", number()),
        Field("currency", "currency", reference("currency", by="code")),
        Field("tax_code", "taxCodeId", reference("tax_code", integer=True)),
        Field("category", "group", TEXT),
        Field("lead_days", "leadDays", number(2)),
        Field("active", "discontinued", ENABLED),
    ),
    own_key=OWN_KEY,
)
EMPLOYEE = FieldMap(
    "user",
    "employees",
    (
        Field("code", "empNo", CODE),
        Field("name", "fullName", TEXT),
        Field("email", "mail", EMAIL),
        Field("active", "disabled", ENABLED),
    ),
    own_key=OWN_KEY,
)


def _coded(kind: str, native: str, *more: Field) -> FieldMap:
    return FieldMap(kind, native, (Field("code", "code", CODE), Field("name", "name", TEXT), *more), (), OWN_KEY)


CODED = (
    _coded("payment_term", "paymentTerms"),
    _coded("payment_method", "paymentMethods"),
    _coded("warehouse", "warehouses"),
    _coded("tax_code", "taxCodes", Field("rate", "rate", percent())),
    _coded("unit", "units"),
    _coded("region", "regions"),
    _coded("currency", "currencies"),
)


def maps(companies: Mapping[str, Mapping[str, Any]]) -> tuple[FieldMap, ...]:
    """Every map, the customer's with a part per company. The credit limit there is in the company's currency."""
    limits = (
        Field(f"company.{code}.credit_limit", f"companies.{code}.creditLimit", amount(str(told["currency"])))
        for code, told in companies.items()
    )
    customer = CUSTOMER.for_companies(companies)
    customer = replace(customer, fields=(*customer.fields, *limits))
    return (customer, CONTACT, ITEM, EMPLOYEE, *CODED, *WRITTEN, *TOLD, *GOODS, RETURN, ASSET, FORECAST)
