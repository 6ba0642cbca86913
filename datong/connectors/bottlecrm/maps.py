"""What BottleCRM's records mean: which wire path holds which canonical field.

Its objects have no fields for what an ERP knows (customer number, terms, credit limit): those live in custom fields,
whose keys the settings may change. Its custom numbers are floats, so money is held there as text, `50000 CNY`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from datong.base.money import Money, decimal, plain
from datong.canon import spec
from datong.mapping import (
    Converter,
    Field,
    FieldMap,
    Foreign,
    Items,
    boolean,
    country,
    day,
    email,
    listed,
    moment,
    number,
    phone,
    reference,
    text,
)

OWN_KEY = "own_key"

DEFAULT_KEYS: dict[str, dict[str, str]] = {
    "account": {
        OWN_KEY: "datong_key",
        "tax_id": "tax_id",
        "custom.region_code": "region_code",
        "company.{company}.number": "number_{company}",
        "company.{company}.terms": "terms_{company}",
        "company.{company}.credit_limit": "credit_limit_{company}",
        "company.{company}.blocked": "blocked_{company}",
    },
    "contact": {OWN_KEY: "datong_key"},
    "opportunity": {
        one: one
        for one in (
            *("company", "order_number", "order_status", "lost_reason", "competitor"),
            *("ordered", "invoiced", "margin"),
        )
    },
    "quote": {
        "company": "company",
        "customer_reference": "customer_reference",
        "wanted": "wanted_date",
        "carrier": "carrier",
        "packing": "packing",
        "ship_to": "ship_to",
        "order_number": "order_number",
        "order_status": "order_status",
        "held_by": "order_waits_for",
        "credit": "credit",
    },
    "invoice": {OWN_KEY: "datong_key", "erp_number": "erp_number", "company": "company"},
    "service_case": {
        OWN_KEY: "datong_key",
        **{
            name: name
            for name in (
                *("company", "reason", "quantity", "lot", "serial", "order_number", "order_line", "wish", "variant"),
                *("request", "resolution", "return_number", "return_state", "erp_number", "order_status", "shipped"),
                *("warranty", "warranty_until", "suggested", "survey", "score", "remark", "thread"),
            )
        },
        "held_by": "return_waits_for",
    },
}
"""Kind -> canonical field -> key of the custom field that holds it."""
FIGURES = {
    f"company.{{company}}.{name}": f"{name}_{{company}}"
    for name in (
        *("ytd", "mtd", "last_year", "counted", "receivable", "not_due", "due_1_30", "due_31_60", "due_61_90"),
        *("over_90", "overdue", "overdue_days", "bills", "credit_used", "credit_free", "credit_raise", "raise_until"),
        *("raise_by", "last_order", "last_payment", "days_to_pay", "order_every", "average_order", "favourites"),
        "as_of",
    )
}
"""The same for the financial summary of an account."""


def account_map(keys: Mapping[str, str], region: str | None) -> FieldMap:
    return FieldMap(
        "account",
        "accounts",
        (
            Field("name", "name"),
            Field("email", "email", email()),
            Field("phone", "phone", phone(region)),
            Field("website", "website", website()),
            Field("industry", "industry"),
            Field("notes", "description"),
            Field("active", "is_active", boolean()),
            Field("owner", "assigned_to", sole_assignee(), write="never"),
            Field("country", "country", country(), write="never"),
            Field("addresses.main.street", "address_line"),
            Field("addresses.main.city", "city"),
            Field("addresses.main.province", "state"),
            Field("addresses.main.postcode", "postcode"),
            Field("addresses.main.country", "country", country()),
            *custom_fields("account", keys),
        ),
        own_key=own_key(keys),
    )


def contact_map(keys: Mapping[str, str], region: str | None) -> FieldMap:
    return FieldMap(
        "contact",
        "contacts",
        (
            Field("account", "account", reference("account")),
            Field("name", "full_name", write="if_new"),
            Field("family_name", "last_name"),
            Field("given_name", "first_name"),
            Field("title", "title"),
            Field("email", "email", email()),
            Field("phone", "phone", phone(region)),
            Field("active", "is_active", boolean()),
            *custom_fields("contact", keys),
        ),
        own_key=own_key(keys),
    )


PRODUCT = FieldMap(
    "product",
    "products",
    (
        Field("sku", "sku"),
        Field("name", "name"),
        Field("description", "description"),
        Field("list_price", "price", number()),
        Field("currency", "currency", reference("currency", by="code")),
        Field("category", "category"),
        Field("active", "is_active", boolean()),
    ),
)

USER = FieldMap(
    "user",
    "users",
    (
        Field("name", "name", write="never"),
        Field("email", "email", email(), write="never"),
        Field("active", "is_active", boolean(), write="never"),
    ),
)


_DEAL_LINE = (
    Field("product", "product", reference("product"), write="never"),
    Field("text", "name", write="never"),
    Field("position", "order", number(), write="never"),
    Field("quantity", "quantity", number(), write="never"),
    Field("price", "unit_price", number(), write="never"),
    Field("discount", "discount", number(), write="never"),
    Field("net", "net", number(), write="never"),
)


def opportunity_map(keys: Mapping[str, str]) -> FieldMap:
    """A deal is the salesperson's: only the custom fields are written."""
    return FieldMap(
        "opportunity",
        "opportunities",
        (
            Field("name", "name", write="never"),
            Field("account", "account", reference("account"), write="never"),
            Field("owner", "assigned_to", sole_assignee(), write="never"),
            Field("stage", "stage_kind", write="never"),
            Field("currency", "currency", reference("currency", by="code"), write="never"),
            Field("amount", "amount", number(), write="never"),
            Field("probability", "probability", number(), write="never"),
            Field("closing", "closed_on", day(), write="never"),
            *custom_fields("opportunity", keys),
        ),
        (Items("lines", "line_items", _DEAL_LINE, write="never"),),
    )


def quote_map(keys: Mapping[str, str]) -> FieldMap:
    """An estimate: what it says is read, what became of it is written into custom fields."""
    state = {
        "Draft": "draft",
        "Sent": "sent",
        "Viewed": "sent",
        "Accepted": "accepted",
        "Declined": "rejected",
        "Expired": "expired",
    }
    return FieldMap(
        "quote",
        "estimates",
        (
            Field("number", "estimate_number", write="never"),
            Field("state", "status", listed(state), write="never"),
            Field("account", "account", reference("account"), write="never"),
            Field("contact", "contact", reference("contact"), write="never"),
            Field("opportunity", "opportunity", reference("opportunity"), write="never"),
            Field("owner", "assigned_to", sole_assignee(), write="never"),
            Field("date", "issue_date", day(), write="never"),
            Field("valid_to", "expiry_date", day(), write="never"),
            Field("currency", "currency", reference("currency", by="code"), write="never"),
            Field("tax_included", "tax_included", boolean(), write="never"),
            Field("remarks", "notes", write="never"),
            Field("net", "net", number(), write="never"),
            Field("tax", "tax", number(), write="never"),
            Field("total", "total", number(), write="never"),
            *custom_fields("quote", keys),
        ),
        (
            Items(
                "lines",
                "line_items",
                (
                    *_DEAL_LINE,
                    Field("tax_rate", "tax_rate", number(), write="never"),
                    Field("tax", "tax", number(), write="never"),
                    Field("total", "total", number(), write="never"),
                ),
                write="never",
            ),
        ),
    )


def invoice_map(keys: Mapping[str, str]) -> FieldMap:
    """A copy of the ERP's invoice; what is open there is settled here by payments. How a line is told may differ, as
    two decimals allow: only its net amount is read."""
    return FieldMap(
        "invoice",
        "invoices",
        (
            Field("type", "type", write="if_new"),
            Field("account", "account", reference("account"), write="if_new"),
            Field("state", "state"),
            Field("date", "issue_date", day(), write="if_new"),
            Field("due", "due_date", day()),
            Field("currency", "currency", reference("currency", by="code"), write="if_new"),
            Field("net", "net", number(), write="if_new"),
            Field("tax", "tax", number(), write="if_new"),
            Field("total", "total", number(), write="if_new"),
            Field("open", "open", number()),
            *custom_fields("invoice", keys),
        ),
        (
            Items(
                "lines",
                "line_items",
                (
                    Field("product", "product", reference("product")),
                    Field("text", "name", read=False),
                    Field("quantity", "quantity", number(), read=False),
                    Field("price", "unit_price", number(), read=False),
                    Field("discount", "discount", number(), read=False),
                    Field("tax_rate", "tax_rate", number(), read=False),
                    Field("net", "net", number()),
                ),
                write="if_new",
            ),
        ),
        own_key=own_key(keys),
    )


def own_key(keys: Mapping[str, str]) -> str | None:
    key = keys.get(OWN_KEY)
    return f"custom_fields.{key}" if key else None


def custom_fields(kind: str, keys: Mapping[str, str]) -> tuple[Field, ...]:
    """Map entries for the fields held in custom fields; an empty key leaves a field out."""
    return tuple(
        Field(name, f"custom_fields.{key}", converter_for(kind, name))
        for name, key in keys.items()
        if key and name != OWN_KEY
    )


def converter_for(kind: str, name: str) -> Converter:
    """How a custom field holds a value of the canonical field's type. Raises KeyError or ValueError."""
    told = spec(kind, name)
    if told.type == "reference":
        return reference(told.to, by="name")
    makers: dict[str, Callable[[], Converter]] = {
        "truth": check_box,
        "money": money_text,
        "number": number,
        "date": day,
        "time": moment,
        "any": plain_value,
    }
    if told.type not in makers and told.type not in ("text", "choice"):
        raise ValueError(f"{kind}.{name}: a custom field of BottleCRM cannot hold a {told.type}")
    return makers.get(told.type, text)()


def field_type(kind: str, name: str) -> str:
    """The type that the custom field for this canonical field should have."""
    if name == OWN_KEY:
        return "text"
    return {"truth": "checkbox", "date": "date"}.get(spec(kind, name).type, "text")


def website() -> Converter:
    """BottleCRM wants an address with its scheme; `https://` goes without saying."""

    def read(value: Any) -> str | None:
        shown = str(value).strip()
        return shown.removeprefix("https://") or None

    return Converter(
        "website", read, lambda v: v if "://" in v else f"https://{v}", ("example.com", "http://example.com")
    )


def check_box() -> Converter:
    """True or false; in a field that was made a text it holds the word."""
    words = {"true": True, "false": False}

    def read(value: Any) -> bool:
        try:
            return words[str(value).strip().lower()]
        except KeyError:
            raise ValueError(f"neither true nor false: {value!r:.60}") from None

    return Converter("check_box", read, bool, (True, False))


def money_text() -> Converter:
    """An amount with its currency in a text field, exact: `50000 CNY`."""

    def read(value: Any) -> str:
        amount = Money.parse(str(value).strip())
        if len(amount.currency) != 3 or not amount.currency.isupper():
            raise ValueError(f"not an amount with a currency, such as 50000 CNY: {value!r:.60}")
        return str(amount)

    return Converter("money_text", read, str, ("50000 CNY", "9007199254740993.01 CNY"))


def plain_value() -> Converter:
    """Whatever an administrator's custom field holds: text, number, date or check box."""
    texts = text()

    def read(value: Any) -> Any:
        if isinstance(value, bool):
            return value
        return plain(decimal(value)) if isinstance(value, (int, float)) else texts.read(value)

    return Converter("plain_value", read, lambda v: v, ("SZ", True))


def sole_assignee() -> Converter:
    """Several people may be assigned to a record; the owner is known only where there is just one."""

    def read(value: Any) -> Foreign | None:
        if len(value) > 1:
            raise ValueError(f"{len(value)} people are assigned, so the owner is not known")
        return Foreign("user", str(value[0])) if value else None

    return Converter("sole_assignee", read, lambda v: [v], to="user")
