"""Which field of SimCRM's documents holds which canonical field. What only its people write is never written."""

from __future__ import annotations

from dataclasses import replace

from datong.connectors.sandbox_crm.words import (
    COMPANY,
    CURRENCY,
    OWN_KEY,
    UNIT,
    choices,
    code,
    day_of,
    number_of,
    to,
    truth,
    words_of,
)
from datong.mapping import Field, FieldMap, Items, moment, percent, text, trimmed

EXTENT = ("none", "part", "full", "over")
FAPIAO = ("special", "ordinary")
NUMBER = Field("number", "number", trimmed(), write="never")
LINE = (
    number_of("position", places=0),
    to("product", "product_id"),
    Field("text", "description", text()),
    number_of("quantity"),
    UNIT,
    number_of("price"),
    number_of("discount"),
    code("tax_code"),
    Field("tax_rate", "tax_rate", percent()),
    number_of("net"),
    number_of("tax"),
    number_of("total"),
    choices("free", ("gift", "rebate", "sample", "warranty"), "free_reason"),
    to("bundle", "bundle_id", "product"),
    code("warehouse"),
    day_of("wanted", "wanted_date"),
    number_of("cost"),
)
DOCUMENT = (
    NUMBER,
    COMPANY,
    to("account"),
    to("contact"),
    to("owner", "owner_id", "user"),
    day_of("date"),
    CURRENCY,
    number_of("rate"),
    day_of("rate_date"),
    truth("tax_included"),
    code("terms", "payment_term", "payment_term"),
    number_of("net"),
    number_of("tax"),
    number_of("total"),
    Field("remarks", "remarks", text()),
)
WISHES = (
    to("end_customer", "end_customer_id", "account"),
    *words_of("customer_reference"),
    day_of("wanted", "wanted_date"),
    *words_of("carrier", "packing", "ship_to"),
)


def only_read(fields: tuple[Field, ...], *but: str) -> tuple[Field, ...]:
    """The fields as they are read; those named in `but` are written too."""
    return tuple(one if one.name in but else replace(one, write="never") for one in fields)


RESULTS = (number_of("ordered"), number_of("invoiced"), number_of("margin"))
CAMPAIGN = FieldMap(
    "campaign",
    "campaigns",
    (
        NUMBER,
        Field("name", "name"),
        to("owner", "owner_id", "user"),
        COMPANY,
        choices("state", ("planned", "running", "done", "cancelled")),
        day_of("start", "start_date"),
        day_of("end", "end_date"),
        CURRENCY,
        number_of("budget"),
        *words_of("suggested"),
        truth("tax_included"),
        *RESULTS,
        *words_of("price_list", "price_state"),
    ),
    items=(
        Items("accounts", "accounts", (to("account"), *words_of("reason"), number_of("expected"))),
        Items("products", "products", (to("product"), number_of("price"), number_of("discount"))),
    ),
    own_key=OWN_KEY,
)
OPPORTUNITY = FieldMap(
    "opportunity",
    "opportunities",
    (
        *only_read(
            (
                Field("name", "name"),
                to("account"),
                to("owner", "owner_id", "user"),
                choices("stage", ("open", "won", "lost")),
                COMPANY,
                CURRENCY,
                number_of("amount"),
                number_of("probability"),
                day_of("closing", "close_date"),
                *words_of("lost_reason", "competitor"),
                to("campaign"),
            )
        ),
        *words_of("order_number", "order_status"),
        *RESULTS,
    ),
    items=(Items("lines", "lines", only_read(LINE), write="never"),),
    own_key=OWN_KEY,
)
QUOTE = FieldMap(
    "quote",
    "quotes",
    (
        *only_read(DOCUMENT, "rate", "rate_date"),
        *only_read(WISHES),
        *only_read(
            (
                to("opportunity"),
                number_of("version", "revision", places=0),
                choices("state", ("draft", "sent", "accepted", "part_accepted", "rejected", "expired", "cancelled")),
                day_of("valid_to"),
            )
        ),
        *words_of("order_number", "order_status"),
        Field("held_by", "order_waits_for"),
        *words_of("credit", "approval"),
    ),
    items=(
        Items(
            "lines",
            "lines",
            (
                *only_read(LINE, "cost", "price"),
                number_of("accepted", "accepted_quantity", write="never"),
                number_of("available"),
                Field("available_as_of", "available_as_of", moment()),
                number_of("short"),
                day_of("earliest", "earliest_date"),
                number_of("listed", "listed_price"),
                *words_of("listed_from"),
            ),
        ),
    ),
    own_key=OWN_KEY,
)
ORDER = FieldMap(
    "order",
    "orders",
    (
        *DOCUMENT,
        *WISHES,
        Field("erp_number", "erp_number", trimmed()),
        to("quote"),
        to("opportunity"),
        to("contract"),
        choices("wish", ("draft", "released", "cancelled"), write="if_new"),
        choices("state", ("draft", "submitted", "confirmed", "closed", "cancelled")),
        choices("shipping", EXTENT),
        choices("billing", EXTENT),
        choices("paying", EXTENT),
        *words_of("status", "shipment_hold"),
        day_of("promised", "promised_date"),
        day_of("expected", "expected_date"),
    ),
    items=(
        Items(
            "lines",
            "lines",
            (
                *LINE,
                day_of("promised", "promised_date"),
                day_of("expected", "expected_date"),
                number_of("shipped", "shipped_quantity"),
                number_of("invoiced", "invoiced_quantity"),
                *words_of("supply_state"),
                number_of("supply_done"),
            ),
        ),
    ),
    own_key=OWN_KEY,
)
CONTRACT = FieldMap(
    "contract",
    "contracts",
    (
        *only_read(DOCUMENT, "rate", "rate_date"),
        *only_read(
            (
                Field("name", "name"),
                to("opportunity"),
                day_of("start", "start_date"),
                day_of("end", "end_date"),
                truth("frame"),
                *words_of("spoken_terms"),
            )
        ),
        choices("state", ("draft", "signed", "active", "completed", "terminated")),
        Field("erp_number", "erp_number", trimmed()),
        number_of("ordered"),
        number_of("rest"),
        number_of("paid"),
    ),
    items=(
        Items("lines", "lines", only_read(LINE), write="never"),
        Items(
            "instalments",
            "instalments",
            (
                Field("code", "id", trimmed(), write="never"),
                Field("name", "name"),
                number_of("percent"),
                number_of("amount"),
                *words_of("rule"),
                day_of("due", "due_date"),
                truth("retention"),
                truth("before_shipment"),
                number_of("paid"),
                choices("state", ("open", "part", "paid", "overdue")),
            ),
        ),
    ),
    own_key=OWN_KEY,
)
INVOICE_REQUEST = FieldMap(
    "invoice_request",
    "invoice_requests",
    (
        *only_read(
            (
                NUMBER,
                to("account"),
                COMPANY,
                to("order"),
                to("contract"),
                Field("instalment", "instalment", trimmed()),
                CURRENCY,
                number_of("amount"),
                *words_of("title"),
                Field("tax_id", "tax_id", trimmed()),
                choices("fapiao_kind", FAPIAO),
                *words_of("remarks"),
            )
        ),
        choices("state", ("draft", "requested", "invoiced", "refused", "cancelled")),
        *words_of("invoice_number", "invoice_state", "refusal"),
    ),
    own_key=OWN_KEY,
)
SALES = (CAMPAIGN, OPPORTUNITY, QUOTE, ORDER, CONTRACT, INVOICE_REQUEST)
