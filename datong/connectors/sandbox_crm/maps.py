"""Which field of SimCRM holds which canonical field. Codes stand for regions, units, taxes, terms and currencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from datong.connectors.sandbox_crm.books import BOOKS
from datong.connectors.sandbox_crm.documents import SALES
from datong.connectors.sandbox_crm.service import SERVICE
from datong.connectors.sandbox_crm.words import ACTIVE, OWN_KEY
from datong.mapping import (
    Field,
    FieldMap,
    Items,
    amount,
    boolean,
    choice,
    country,
    day,
    email,
    moment,
    number,
    percent,
    phone,
    reference,
    text,
    trimmed,
)

ADDRESSES = Items(
    "addresses",
    "addresses",
    (
        Field("use", "type", choice({"billing": "billing", "shipping": "shipping", "office": "office"})),
        Field("country", "country", country()),
        Field("province", "province"),
        Field("city", "city"),
        Field("district", "district"),
        Field("street", "street"),
        Field("postcode", "postcode", trimmed()),
    ),
)
ACCOUNT = FieldMap(
    "account",
    "accounts",
    (
        Field("name", "name"),
        Field("name_en", "name_en"),
        Field("short_name", "short_name"),
        Field("type", "type", choice({"company": "company", "person": "person"})),
        Field("stage", "stage", choice({one: one for one in ("lead", "prospect", "customer", "closed")})),
        Field("tax_id", "tax_id", trimmed()),
        Field("invoice_title", "invoice_title"),
        Field("phone", "phone", phone("CN")),
        Field("email", "email", email()),
        Field("website", "website"),
        Field("industry", "industry"),
        Field("dealer_level", "dealer_level"),
        Field("parent", "parent_id", reference("account")),
        Field("owner", "owner_id", reference("user")),
        Field("region", "region", reference("region", by="code")),
        Field("notes", "notes", text()),
        ACTIVE,
        Field("company.{company}.number", "erp.{company}.number", trimmed()),
        Field("company.{company}.terms", "erp.{company}.payment_term", reference("payment_term", by="code")),
        Field("company.{company}.blocked", "erp.{company}.blocked", boolean()),
        Field("company.{company}.price_list", "erp.{company}.price_list_id", reference("price_list")),
        Field("custom.region_code", "custom.region_code", trimmed()),
        Field("custom.vip", "custom.vip", boolean()),
        Field("custom.score", "custom.score", number()),
    ),
    items=(ADDRESSES,),
    own_key=OWN_KEY,
)
CONTACT = FieldMap(
    "contact",
    "contacts",
    (
        Field("account", "account_id", reference("account")),
        Field("name", "name"),
        Field("family_name", "last_name"),
        Field("given_name", "first_name"),
        Field("title", "title"),
        Field("email", "email", email()),
        Field("phone", "phone", phone("CN")),
        Field("mobile", "mobile", phone("CN")),
        Field("language", "language"),
        ACTIVE,
    ),
    own_key=OWN_KEY,
)
PRODUCT = FieldMap(
    "product",
    "products",
    (
        Field("sku", "sku", trimmed()),
        Field("name", "name"),
        Field("name_en", "name_en"),
        Field("description", "description"),
        Field("unit", "unit", reference("unit", by="code")),
        Field("list_price", "list_price", number()),
        Field("currency", "currency", reference("currency", by="code")),
        Field("tax_code", "tax_code", reference("tax_code", by="code")),
        Field("category", "category"),
        ACTIVE,
    ),
    own_key=OWN_KEY,
)
USER = FieldMap("user", "users", (Field("name", "name"), Field("email", "email", email()), ACTIVE), own_key=OWN_KEY)


def _coded(kind: str, native: str, *more: Field) -> FieldMap:
    return FieldMap(kind, native, (Field("code", "code", trimmed()), Field("name", "name"), ACTIVE, *more), (), OWN_KEY)


CODED = (
    _coded("payment_term", "payment_terms"),
    _coded("tax_code", "tax_codes", Field("rate", "rate", percent())),
    _coded("unit", "units"),
    _coded("region", "regions"),
    _coded("currency", "currencies"),
    _coded("payment_method", "payment_methods"),
    _coded("warehouse", "warehouses"),
)


_AMOUNTS = (
    *("ytd", "mtd", "last_year", "receivable", "not_due", "due_1_30", "due_31_60", "due_61_90", "over_90", "overdue"),
    *("bills", "credit_used", "credit_free", "average_order"),
)


def _of_company(code: str, currency: str) -> Iterator[Field]:
    """What an account has once per company. Amounts there are in the company's currency."""
    money, at = amount(currency), f"erp.{code}"
    yield Field(f"company.{code}.credit_limit", f"{at}.credit_limit", money)
    yield Field(f"company.{code}.credit_raise", f"{at}.credit_raise", money)
    yield Field(f"company.{code}.raise_until", f"{at}.raise_until", day())
    yield Field(f"company.{code}.raise_by", f"{at}.raise_by_id", reference("user"))
    figures = {
        **dict.fromkeys(_AMOUNTS, money),
        "overdue_days": number(2),
        "days_to_pay": number(2),
        "order_every": number(2),
        "last_order": day(),
        "last_payment": day(),
        "favourites": text(),
        "counted": text(),
        "as_of": moment(),
    }
    for name, convert in figures.items():
        yield Field(f"company.{code}.{name}", f"{at}.figures.{name}", convert)


def maps(companies: Mapping[str, Mapping[str, Any]]) -> tuple[FieldMap, ...]:
    """Every map, the account's with a part per company."""
    parts = (one for code, told in companies.items() for one in _of_company(code, str(told["currency"])))
    account = ACCOUNT.for_companies(companies)
    return (
        replace(account, fields=(*account.fields, *parts)),
        CONTACT,
        PRODUCT,
        USER,
        *CODED,
        *SALES,
        *BOOKS,
        *SERVICE,
    )
