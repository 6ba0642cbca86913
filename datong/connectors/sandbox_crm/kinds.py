"""What SimCRM can do with each kind, and what of it is ours to do."""

from __future__ import annotations

import re
from datetime import timedelta

from datong.kit import KindSpec
from datong.mapping import FieldMap

MASTER_BY = ("tax_id", "email", "sku", "code", "name")
DOCUMENT_BY = ("name", "number", "erp_number", "fapiao_number", "serial", "thread")
REQUIRED = {
    "product": ("sku", "name"),
    "price_list": ("code", "name"),
    "service_case": ("subject",),
    "article": ("title",),
    "asset": ("serial",),
}
NAMED = ("account", "contact", "user", "opportunity", "contract", "campaign")
MASTERS = ("account", "contact", "product", "user", "price_list")
CODED = ("payment_term", "tax_code", "unit", "region", "currency", "payment_method", "warehouse")
MADE_BY_PEOPLE = ("opportunity", "quote", "contract", "invoice_request", "article")
"""Only the people in the CRM make these; we answer in their fields."""
KEPT = (*MADE_BY_PEOPLE, "campaign", "order", "service_case", "return")
"""Documents that we never take away."""


def declared(map: FieldMap) -> KindSpec:
    numbers = tuple(one.name for one in map.fields if re.fullmatch(r"company\.[^.]+\.number", one.name))
    keys = MASTER_BY if map.kind in (*MASTERS, *CODED) else DOCUMENT_BY
    return KindSpec(
        map,
        reads="changes",
        overlap=timedelta(seconds=5),
        create="never" if map.kind in MADE_BY_PEOPLE else "by_key",
        delete=map.kind not in KEPT,
        settle=timedelta(seconds=60),
        guard=True,
        change_time=True,
        find_by=(*(one for one in keys if map.named(one)), *numbers),
        batch=200,
        complete_hints=True,
        required=_required(map.kind),
    )


def _required(kind: str) -> tuple[str, ...]:
    if kind in CODED:
        return ("code", "name")
    return REQUIRED.get(kind, ("name",) if kind in NAMED else ())
