"""Which field of SimCRM holds what the books tell: fulfilment, money, prices, stock, supply, exchange rates."""

from __future__ import annotations

from datong.connectors.sandbox_crm.documents import FAPIAO, LINE
from datong.connectors.sandbox_crm.words import (
    ACTIVE,
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
from datong.mapping import Field, FieldMap, Items, moment, trimmed

_NUMBER = Field("erp_number", "number", trimmed())
_OF_ORDER = (to("order"), Field("order_line", "order_line", trimmed()))
SHIPMENT = FieldMap(
    "shipment",
    "shipments",
    (
        _NUMBER,
        COMPANY,
        to("account"),
        to("order"),
        choices("state", ("draft", "ready", "shipped", "delivered", "cancelled")),
        day_of("date"),
        day_of("planned", "planned_date"),
        code("warehouse"),
        *words_of("carrier", "tracking"),
    ),
    items=(
        Items(
            "lines",
            "lines",
            (*_OF_ORDER, to("product"), number_of("quantity"), UNIT, *words_of("lot", "serial")),
        ),
    ),
    own_key=OWN_KEY,
)
INVOICE = FieldMap(
    "invoice",
    "invoices",
    (
        _NUMBER,
        choices("type", ("invoice", "credit_note")),
        COMPANY,
        to("account"),
        to("order"),
        to("reverses", "reverses_id", "invoice"),
        choices("state", ("draft", "posted", "paid", "cancelled")),
        day_of("date"),
        day_of("due", "due_date"),
        CURRENCY,
        number_of("rate"),
        day_of("rate_date"),
        truth("tax_included"),
        number_of("net"),
        number_of("tax"),
        number_of("total"),
        number_of("open", "open_amount"),
        Field("fapiao_number", "fapiao.number", trimmed()),
        choices("fapiao_kind", FAPIAO, "fapiao.kind"),
        Field("buyer_name", "fapiao.buyer_name"),
        Field("buyer_tax_id", "fapiao.buyer_tax_id", trimmed()),
        Field("seller_name", "fapiao.seller_name"),
        Field("seller_tax_id", "fapiao.seller_tax_id", trimmed()),
        Field("tax_category", "fapiao.tax_category", trimmed()),
        Field("red_letter", "fapiao.red_letter", trimmed()),
        Field("document_url", "fapiao.url"),
    ),
    items=(Items("lines", "lines", (*LINE, *_OF_ORDER)),),
    own_key=OWN_KEY,
)
PAYMENT = FieldMap(
    "payment",
    "payments",
    (
        _NUMBER,
        COMPANY,
        to("account"),
        choices("state", ("draft", "posted", "cleared", "reversed")),
        day_of("date"),
        CURRENCY,
        number_of("amount"),
        number_of("unallocated"),
        code("method", kind="payment_method"),
        *words_of("reference", "payer"),
        Field("bill_number", "bill.number", trimmed()),
        day_of("bill_due", "bill.due_date"),
        choices("bill_state", ("held", "endorsed", "discounted", "cleared", "refused"), "bill.state"),
    ),
    items=(
        Items(
            "allocations",
            "allocations",
            (
                to("invoice"),
                to("contract"),
                Field("instalment", "instalment", trimmed()),
                number_of("amount"),
            ),
        ),
    ),
    own_key=OWN_KEY,
)
_VALID = (day_of("valid_from"), day_of("valid_to"))
PRICE_LIST = FieldMap(
    "price_list",
    "price_lists",
    (
        Field("code", "code", trimmed()),
        Field("name", "name"),
        COMPANY,
        CURRENCY,
        truth("tax_included"),
        *_VALID,
        truth("restricted"),
        ACTIVE,
    ),
    own_key=OWN_KEY,
)
PRICE = FieldMap(
    "price",
    "prices",
    (
        to("price_list"),
        to("account"),
        to("product"),
        UNIT,
        CURRENCY,
        truth("tax_included"),
        number_of("price"),
        *_VALID,
        ACTIVE,
    ),
    items=(Items("tiers", "tiers", (number_of("quantity"), number_of("price"))),),
    own_key=OWN_KEY,
)
STOCK_LEVEL = FieldMap(
    "stock_level",
    "stock_levels",
    (
        to("product"),
        code("warehouse"),
        UNIT,
        number_of("on_hand"),
        number_of("reserved"),
        number_of("available"),
        number_of("incoming"),
        Field("as_of", "as_of", moment()),
    ),
    own_key=OWN_KEY,
)
SUPPLY_ORDER = FieldMap(
    "supply_order",
    "supply_orders",
    (
        Field("number", "number", trimmed()),
        choices("type", ("production", "purchase")),
        choices("state", ("draft", "confirmed", "running", "done", "cancelled")),
        *_OF_ORDER,
        to("product"),
        UNIT,
        number_of("quantity"),
        number_of("done"),
        day_of("planned_finish"),
        day_of("expected_finish"),
    ),
    own_key=OWN_KEY,
)
EXCHANGE_RATE = FieldMap(
    "exchange_rate",
    "exchange_rates",
    (
        CURRENCY,
        code("to", "into_currency", "currency"),
        day_of("date"),
        number_of("rate"),
    ),
    own_key=OWN_KEY,
)
BILL_OF_MATERIALS = FieldMap(
    "bill_of_materials",
    "bills_of_materials",
    (to("product"), number_of("quantity"), number_of("lead_days"), truth("bundle"), ACTIVE),
    items=(Items("components", "components", (to("product"), number_of("quantity"))),),
    own_key=OWN_KEY,
)
BOOKS = (SHIPMENT, INVOICE, PAYMENT, PRICE_LIST, PRICE, STOCK_LEVEL, SUPPLY_ORDER, EXCHANGE_RATE, BILL_OF_MATERIALS)
