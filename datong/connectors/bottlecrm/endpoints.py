"""Where BottleCRM keeps each kind, and in which of its several envelopes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from datong.base.clock import from_text
from datong.base.errors import BadAnswer
from datong.base.json import digest
from datong.connectors.bottlecrm.deals import deal, estimate, ticket
from datong.connectors.bottlecrm.invoices import invoice
from datong.connectors.bottlecrm.people import full_name
from datong.kit import WireField, WireRecord
from datong.mapping import ABSENT, take

WHOLE = 10_000_000
"""`limit` has no upper bound there, and one call is the only read that pages nothing away."""


@dataclass(frozen=True)
class Endpoint:
    """`lists`: where the rows are in a list answer. `detail`: where the record is in the answer of one.

    `target`: the object's name in the custom fields API. `filters`: wire path -> list parameter that finds at least
    every record holding exactly a value there. `fields` are those that list and detail have in common. `shape` lays a
    nested answer flat. `singly`: the list does not tell all, so each record is read by itself.
    """

    path: str
    scope: str
    lists: tuple[str, ...]
    fields: tuple[WireField, ...]
    detail: str = ""
    target: str = ""
    update: str = "PATCH"
    filters: Mapping[str, str] = field(default_factory=dict)
    shape: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
    singly: bool = False

    def rows(self, body: Any) -> Iterator[dict[str, Any]]:
        """The rows of a list answer, each once: the two halves of some lists are read one after the other."""
        seen: dict[str, dict[str, Any]] = {}
        for place in self.lists:
            rows = take(body, place) if isinstance(body, Mapping) else ABSENT
            if not isinstance(rows, list):
                raise BadAnswer(f"{self.path} answered without {place}", remedy="is this BottleCRM 1.35?")
            seen.update((row["id"], row) for row in rows)
        yield from seen.values()

    def record(self, row: Mapping[str, Any], defined: Set[str]) -> WireRecord:
        """What both list and detail say of a record: counters, totals and related records are left out.

        An unset custom field is not in the answer: it is null where the field is defined, and absent where it is not.
        """
        data = {one.path: row[one.path] for one in self.fields if one.path in row}
        if self.shape is not None:
            data |= self.shape(row)
        if "user_details" in row:
            data |= {name: row["user_details"][name] for name in ("email", "name")}
        if "assigned_to" in data:
            data["assigned_to"] = sorted(str(profile["id"]) for profile in data["assigned_to"])
        if "first_name" in data:
            data["full_name"] = full_name(data)
        if self.target:
            held = row.get("custom_fields") or {}
            data["custom_fields"] = {key: held.get(key) for key in sorted(defined)}
        changed = data.get("updated_at")
        return WireRecord(
            str(row["id"]),
            data,
            version=digest(data),
            changed_at=from_text(changed) if changed else None,
            active=bool(data.get("is_active", True)),
        )


READ_ONLY = frozenset({"id", "created_at", "updated_at", "role"})


def _field(path: str, kind: str, longest: int | None = None, required: bool = False) -> WireField:
    return WireField(path, kind, max_length=longest, required=required, read_only=path in READ_ONLY)


def _fields(*told: tuple[Any, ...]) -> tuple[WireField, ...]:
    return tuple(_field(*one) for one in told)


_ADDRESS = (
    ("address_line", "text", 255),
    ("city", "text", 255),
    ("state", "text", 255),
    ("postcode", "text", 64),
    ("country", "ISO 3166-1 alpha-2", 2),
)
_COMMON = (
    ("id", "uuid"),
    ("email", "email", 254),
    ("phone", "phone", 25),
    *_ADDRESS,
    ("description", "text"),
    ("assigned_to", "set of profile"),
    ("created_at", "time"),
    ("is_active", "checkbox"),
)

ACCOUNTS = Endpoint(
    "/api/accounts/",
    "accounts",
    ("active_accounts.open_accounts", "closed_accounts.close_accounts"),
    _fields(
        ("name", "text", 255, True),
        ("website", "URL", 200),
        ("industry", "choice"),
        ("number_of_employees", "number"),
        ("annual_revenue", "money"),
        ("currency", "choice", 3),
        *_COMMON,
    ),
    detail="account_obj",
    target="Account",
    filters={"name": "name"},
)
CONTACTS = Endpoint(
    "/api/contacts/",
    "contacts",
    ("results",),
    _fields(
        ("first_name", "text", 255, True),
        ("last_name", "text", 255, True),
        ("full_name", "text, of the two at create only", 511),
        ("account", "account"),
        ("organization", "text", 255),
        ("title", "text", 255),
        ("department", "text", 255),
        ("do_not_call", "checkbox"),
        ("linkedin_url", "URL", 200),
        ("source_ref", "text", 255),
        ("updated_at", "time"),
        *_COMMON,
    ),
    detail="contact_obj",
    target="Contact",
    filters={"email": "email"},
)
PRODUCTS = Endpoint(
    "/api/invoices/products/",
    "invoices",
    ("results",),
    _fields(
        ("id", "uuid"),
        ("name", "text", 255, True),
        ("sku", "text", 100),
        ("description", "text"),
        ("price", "money, 2 decimals"),
        ("currency", "choice", 3),
        ("category", "text", 100),
        ("is_active", "checkbox"),
        ("created_at", "time"),
        ("updated_at", "time"),
    ),
    update="PUT",
    filters={"sku": "search"},
)
USERS = Endpoint(
    "/api/users/",
    "users",
    ("active_users.active_users", "inactive_users.inactive_users"),
    _fields(("id", "profile"), ("name", "text"), ("email", "email"), ("role", "choice"), ("is_active", "checkbox")),
)

DEALS = Endpoint(
    "/api/opportunities/",
    "opportunities",
    ("opportunities",),
    _fields(
        ("name", "text", 255, True),
        ("account", "account"),
        ("stage_kind", "choice"),
        ("currency", "choice", 3),
        ("amount", "money, 2 decimals"),
        ("probability", "number"),
        ("closed_on", "date"),
        ("line_items", "lines"),
        ("assigned_to", "set of profile"),
        ("is_active", "checkbox"),
    ),
    detail="opportunity_obj",
    target="Opportunity",
    filters={"name": "name"},
    shape=deal,
)
ESTIMATES = Endpoint(
    "/api/invoices/estimates/",
    "invoices",
    ("results",),
    _fields(
        ("estimate_number", "text", 50),
        ("title", "text", 100, True),
        ("status", "choice"),
        ("account", "account"),
        ("contact", "contact"),
        ("opportunity", "deal"),
        ("currency", "choice", 3),
        ("issue_date", "date"),
        ("expiry_date", "date"),
        ("notes", "text"),
        ("line_items", "lines"),
        ("tax_included", "checkbox"),
        ("net", "money, 2 decimals"),
        ("tax", "money, 2 decimals"),
        ("total", "money, 2 decimals"),
        ("updated_at", "time"),
        ("assigned_to", "set of profile"),
    ),
    detail="estimate",
    target="Estimate",
    update="PUT",
    shape=estimate,
    singly=True,
)

INVOICES = Endpoint(
    "/api/invoices/",
    "invoices",
    ("results",),
    _fields(
        ("account", "account"),
        ("type", "text"),
        ("state", "choice"),
        ("issue_date", "date"),
        ("due_date", "date"),
        ("currency", "choice", 3),
        ("net", "money, 2 decimals"),
        ("tax", "money, 2 decimals"),
        ("total", "money, 2 decimals"),
        ("open", "money, 2 decimals"),
        ("line_items", "lines"),
        ("payments", "lines"),
        ("updated_at", "time"),
    ),
    detail="invoice",
    target="Invoice",
    update="PUT",
    shape=invoice,
    singly=True,
)

TICKETS = Endpoint(
    "/api/cases/",
    "cases",
    ("cases",),
    _fields(
        ("name", "text", 64, True),
        ("status", "choice"),
        ("priority", "choice"),
        ("case_type", "choice"),
        ("description", "text"),
        ("account", "account"),
        ("contact", "contact"),
        ("assigned_to", "set of profile"),
        ("created_at", "time"),
    ),
    detail="cases_obj",
    target="Case",
    filters={"name": "name"},
    shape=ticket,
)

ENDPOINTS = {
    "account": ACCOUNTS,
    "contact": CONTACTS,
    "product": PRODUCTS,
    "user": USERS,
    "opportunity": DEALS,
    "quote": ESTIMATES,
    "invoice": INVOICES,
    "service_case": TICKETS,
}
SALES = ("opportunity", "quote", "invoice")
SERVICE = ("service_case",)
"""Kinds that a connection has only where it is asked for them."""
