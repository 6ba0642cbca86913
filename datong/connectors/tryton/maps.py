"""What Tryton's records mean in canonical words, and where each kind is found in Tryton."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from datong.base.money import decimal, plain
from datong.connectors.tryton.changes import Source
from datong.mapping import (
    Converter,
    Field,
    FieldMap,
    Items,
    amount,
    boolean,
    choice,
    country,
    day,
    email,
    percent,
    phone,
    reference,
    text,
    trimmed,
)


@dataclass(frozen=True)
class Shape:
    """One kind in Tryton: the model, the fields that are read, which rows belong to it, where changes show."""

    model: str
    fields: tuple[str, ...]
    domain: tuple[Any, ...] = ()
    sources: tuple[Source, ...] = field(default=())
    party: str = ""
    """The field that holds the party whose staff and companies are left out; empty where there is none."""
    company: str = ""
    """The field that holds whose document it is: those of companies that the connection does not name are not ours."""


def usage() -> Converter:
    """Tryton has two flags, invoice and delivery; none or both of them says nothing in particular."""
    held = choice({"billing": "invoice", "shipping": "delivery", "office": "general"})
    return replace(held, name="address use", null="general", nothing=(None, "", "both"))


ADDRESSES = Items(
    "addresses",
    "addresses",
    (
        Field("use", "use", usage()),
        Field("country", "country", country()),
        Field("province", "province"),
        Field("city", "city"),
        Field("street", "street"),
        Field("postcode", "postal_code"),
    ),
)

CONTACT = FieldMap(
    "contact",
    "party.contact_mechanism",
    (
        Field("account", "party", reference("account", integer=True), write="if_new"),
        Field("name", "name"),
        Field("email", "value", email()),
        Field("active", "active", boolean()),
    ),
)

PRODUCT = FieldMap(
    "product",
    "product.product",
    (
        Field("sku", "code", trimmed(), write="never"),
        Field("name", "name", write="never"),
        Field("description", "description", write="never"),
        Field("unit", "default_uom", reference("unit", integer=True), write="never"),
        Field("list_price", "list_price_used", Converter("price", lambda v: plain(decimal(v)), str), write="never"),
        Field("currency", "currency", reference("currency", by="code"), write="never"),
        Field("cost", "cost_price", Converter("price", lambda v: plain(decimal(v)), str), write="never"),
        Field("category", "account_category.rec_name", write="never"),
        Field("active", "active", boolean(), write="never"),
    ),
)


def tax_number() -> Converter:
    """Tryton keeps a tax number bare and in capitals: one typed with spaces or in full width is the same."""

    def bare(value: Any) -> str:
        return "".join(c for c in unicodedata.normalize("NFKC", str(value)) if c.isalnum()).upper()

    return Converter("tax_number", bare, bare, ("91350100M000100Y43", "NL004495445B01"))


def account(companies: Mapping[str, Mapping[str, Any]], phone_region: str | None) -> FieldMap:
    """A customer is a party. The number is the party's code, one for all companies of the database."""
    fields = [
        Field("name", "name"),
        Field("tax_id", "tax_identifier.code", tax_number()),
        Field("country", "country", country(), write="never"),
        Field("phone", "phone", phone(phone_region)),
        Field("email", "email", email()),
        Field("website", "website"),
        Field("active", "active", boolean()),
    ]
    for code, company in companies.items():
        fields += [
            Field(f"company.{code}.number", "code", trimmed(), write="never"),
            Field(f"company.{code}.terms", f"company.{code}.terms", reference("payment_term", integer=True)),
            Field(f"company.{code}.credit_limit", f"company.{code}.credit_limit", amount(str(company["currency"]))),
            Field(
                f"company.{code}.price_list",
                f"company.{code}.price_list",
                reference("price_list", integer=True),
                write="never",
            ),
        ]
    return FieldMap("account", "party.party", tuple(fields), (ADDRESSES,), own_key="own_key")


def code_list(kind: str, model: str, **paths: Any) -> FieldMap:
    """A kind that both systems keep under their own ids. `paths`: canonical name = Tryton field."""
    made = tuple(_entry(name, path) for name, path in paths.items())
    return FieldMap(kind, model, (*made, Field("active", "active", boolean(), write="never")))


def _entry(name: str, path: str) -> Field:
    converters = {"rate": percent, "valid_from": day, "email": email}
    return Field(name, path, converters.get(name, text)(), write="never")


CODE_LISTS = (
    code_list("payment_term", "account.invoice.payment_term", name="name"),
    code_list("payment_method", "account.invoice.payment.method", name="name"),
    code_list("tax_code", "account.tax", name="name", rate="rate", valid_from="start_date"),
    code_list("unit", "product.uom", code="symbol", name="name"),
    code_list("currency", "currency.currency", code="code", name="name"),
    code_list("region", "country.subdivision", code="code", name="name"),
    code_list("warehouse", "stock.location", code="code", name="name"),
    code_list("user", "res.user", code="login", name="name", email="email"),
)

_DOMAINS: Mapping[str, tuple[Any, ...]] = {
    "warehouse": (("type", "=", "warehouse"),),
    "user": (("login", "!=", "root"),),
}

SHAPES: Mapping[str, Shape] = {
    "account": Shape(
        "party.party",
        (),
        domain=(("replaced_by", "=", None),),
        sources=(
            Source("party.party"),
            Source("party.address", "party"),
            Source("party.contact_mechanism", "party"),
            Source("party.identifier", "party"),
        ),
        party="id",
    ),
    "contact": Shape(
        "party.contact_mechanism",
        ("party", "name", "value", "active"),
        domain=(("type", "=", "email"), ("name", "not in", [None, ""])),
        sources=(Source("party.contact_mechanism"),),
        party="party",
    ),
    "product": Shape(
        "product.product",
        (
            "code", "name", "description", "default_uom", "list_price_used", "active",
            "cost_price", "account_category.rec_name", "template.last_modified_at", "template._timestamp",
        ),
        sources=(Source("product.product"), Source("product.product", time="template.last_modified_at")),
    ),
    "order": Shape(
        "sale.sale",
        (),
        domain=(("OR", ("origin", "=", None), ("origin", "not like", "sale.complaint,%")),),
        sources=(
            Source("sale.sale"),
            Source("sale.line", "sale"),
            Source("stock.move", "origin", then=(("sale.line", "sale"),)),
            Source("account.invoice", "sales"),
        ),
        company="company",
    ),
    "return": Shape(
        "sale.complaint",
        (),
        domain=(("OR", ("origin", "like", "sale.sale,%"), ("origin", "like", "sale.line,%")),),
        sources=(
            Source("sale.complaint"),
            Source("sale.sale", "origin"),
            Source("stock.move", "origin", then=(("sale.line", "sale"), ("sale.sale", "origin"))),
            Source(
                "stock.shipment.out.return",
                "incoming_moves",
                then=(("stock.move", "origin"), ("sale.line", "sale"), ("sale.sale", "origin")),
            ),
            Source("account.invoice", "sales", then=(("sale.sale", "origin"),)),
        ),
        company="company",
    ),
    "shipment": Shape(
        "stock.shipment.out",
        (),
        sources=(Source("stock.shipment.out"), Source("stock.move", "shipment")),
        company="company",
    ),
    "invoice": Shape(
        "account.invoice",
        (),
        domain=(("type", "=", "out"),),
        sources=(Source("account.invoice"), Source("account.invoice.line", "invoice")),
        company="company",
    ),
    "payment": Shape(
        "account.move",
        (),
        domain=(
            ("journal.type", "in", ["cash", "statement"]),
            ("OR", ("origin", "=", None), ("origin", "not like", "account.move,%")),
            ("lines.account.type.receivable", "=", True),
        ),
        sources=(
            Source("account.move"),
            Source("account.move.line", "move"),
            Source("account.invoice", "payment_lines", then=(("account.move.line", "move"),)),
        ),
        company="company",
    ),
    **{
        one.kind: Shape(one.native, tuple(f.path for f in one.fields), domain=_DOMAINS.get(one.kind, ()))
        for one in CODE_LISTS
    },
}  # fmt: skip
