"""Which field of SimCRM holds which canonical field of cases, returns, articles and assets."""

from __future__ import annotations

from datong.connectors.sandbox_crm.documents import NUMBER, only_read
from datong.connectors.sandbox_crm.words import (
    ACTIVE,
    COMPANY,
    OWN_KEY,
    UNIT,
    choices,
    day_of,
    number_of,
    to,
    truth,
    words_of,
)
from datong.mapping import Field, FieldMap, Items, moment, text, trimmed, words

OUTCOMES = ("repaired", "replaced", "exchanged", "refunded")
WARRANTY = (choices("warranty", ("in", "out", "unknown")), day_of("warranty_until"))
OF_ORDER = (to("order"), to("shipment"))
THING = (
    to("product"),
    number_of("quantity"),
    Field("order_line", "order_line", trimmed()),
    *words_of("lot", "serial"),
    to("exchange_for", "exchange_for_id", "product"),
)
PEOPLE = (to("account"), to("contact"), to("owner", "owner_id", "user"), COMPANY)


def moment_of(name: str) -> Field:
    return Field(name, f"{name}_at", moment())


CASE = FieldMap(
    "service_case",
    "cases",
    (
        NUMBER,
        *PEOPLE,
        choices("channel", ("mail", "web", "phone", "chat", "visit", "other")),
        Field("thread", "thread", trimmed()),
        Field("subject", "subject"),
        Field("text", "text", text()),
        choices("type", ("question", "complaint", "return", "repair", "other")),
        choices("priority", ("low", "normal", "high", "urgent")),
        choices("state", ("new", "open", "waiting", "resolved", "closed", "cancelled")),
        Field("resolution", "resolution", text()),
        *words_of("reason", "variant"),
        *THING,
        *OF_ORDER,
        to("asset"),
        Field("order_number", "order_number", trimmed()),
        choices("wish", ("repair", "replacement", "exchange", "refund")),
        choices("request", ("asked", "accepted", "refused")),
        *words_of("return_number", "return_state", "erp_number", "order_status", "suggested"),
        Field("held_by", "return_waits_for"),
        day_of("shipped", "shipped_on"),
        *WARRANTY,
        choices("survey", ("due", "asked", "answered")),
        moment_of("survey_asked"),
        number_of("score"),
        Field("remark", "remark", text()),
        moment_of("opened"),
        moment_of("closed"),
    ),
    items=(
        Items(
            "messages",
            "messages",
            (
                Field("at", "at", moment()),
                choices("direction", ("in", "out", "note")),
                *words_of("channel", "sender", "recipient", "subject"),
                Field("text", "text", text()),
                Field("external_id", "external_id", trimmed()),
                Field("attachments", "attachments", words("; ")),
            ),
        ),
        Items(
            "files",
            "files",
            (*words_of("name", "media_type"), number_of("size", places=0), Field("digest", "digest", trimmed())),
        ),
    ),
    own_key=OWN_KEY,
)
RETURN = FieldMap(
    "return",
    "returns",
    (
        NUMBER,
        Field("erp_number", "erp_number", trimmed()),
        to("case", "case_id", "service_case"),
        *PEOPLE,
        day_of("date"),
        *OF_ORDER,
        to("invoice"),
        *words_of("variant", "reason"),
        choices("outcome", OUTCOMES),
        truth("advance"),
        choices("wish", ("draft", "released", "cancelled"), write="if_new"),
        Field("remarks", "remarks", text()),
        choices("decision", ("requested", "authorised", "refused", "cancelled", "closed")),
        *words_of("decision_reason", "receipt_number"),
        day_of("received_on"),
        day_of("inspected_on"),
        day_of("repaired_on"),
        to("credit_note", "credit_note_id", "invoice"),
        to("replacement", "replacement_id", "order"),
        choices(
            "state",
            ("requested", "authorised", "received", "inspected", *OUTCOMES, "closed", "refused", "cancelled"),
        ),
        *WARRANTY,
    ),
    items=(
        Items(
            "lines",
            "lines",
            (
                number_of("position", places=0),
                *THING,
                Field("text", "description", text()),
                UNIT,
                number_of("received", "received_quantity"),
                choices("result", ("ok", "defective", "damaged", "wrong_goods", "incomplete")),
                choices("disposition", OUTCOMES),
            ),
        ),
    ),
    own_key=OWN_KEY,
)
ARTICLE = FieldMap(
    "article",
    "articles",
    only_read(
        (
            NUMBER,
            Field("title", "title"),
            Field("title_en", "title_en"),
            Field("symptoms", "symptoms"),
            Field("symptoms_en", "symptoms_en"),
            Field("body", "body", text()),
            Field("body_en", "body_en", text()),
            truth("public"),
            ACTIVE,
        )
    ),
    items=(Items("products", "products", only_read((to("product"),)), write="never"),),
    own_key=OWN_KEY,
)
ASSET = FieldMap(
    "asset",
    "assets",
    (
        Field("serial", "serial", trimmed()),
        *words_of("lot"),
        to("product"),
        to("account"),
        COMPANY,
        *OF_ORDER,
        day_of("shipped", "shipped_on"),
        day_of("warranty_until"),
        ACTIVE,
    ),
    own_key=OWN_KEY,
)
SERVICE = (CASE, RETURN, ARTICLE, ASSET)
