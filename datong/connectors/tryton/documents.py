"""The documents of order to cash in Tryton, as maps: sale, customer shipment, customer invoice, receipt.

Tryton's unit prices are always without tax. A price and its discount are two fields of a line where the module
`sale_discount` is activated; what is charged is `unit_price`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datong.mapping import (
    Converter,
    Field,
    FieldMap,
    Items,
    boolean,
    choice,
    day,
    number,
    percent,
    reference,
    text,
    trimmed,
)

ORDER_STATES = {
    "draft": "draft",
    "quotation": "submitted",
    "confirmed": "confirmed",
    "processing": "confirmed",
    "done": "closed",
    "cancelled": "cancelled",
}
SHIPMENT_STATES = {
    "draft": "draft",
    "waiting": "ready",
    "assigned": "ready",
    "picked": "ready",
    "packed": "ready",
    "shipped": "shipped",
    "delivered": "delivered",
    "cancelled": "cancelled",
}
INVOICE_STATES = {
    "draft": "draft",
    "validated": "draft",
    "posted": "posted",
    "paid": "paid",
    "cancelled": "cancelled",
}


def company_code(companies: Mapping[str, Mapping[str, Any]]) -> Converter:
    """The code of a company of the connection, held as Tryton's id."""
    return choice({code: int(told["id"]) for code, told in companies.items()})


def states(of: Mapping[str, str]) -> Converter:
    """Several of Tryton's states may mean the same to us; a state is only read."""
    known = dict(of)

    def read(value: Any) -> str:
        try:
            return known[str(value)]
        except KeyError:
            raise ValueError(f"{value!r:.60} is none of {', '.join(known)}") from None

    return Converter(f"states {sorted(known.items())}", read, str)


def told(name: str, path: str, convert: Converter | None = None) -> Field:
    """A fact of the ERP."""
    return Field(name, path, convert or text(), write="never")


def ref(kind: str) -> Converter:
    return reference(kind, integer=True)


def quantity() -> Converter:
    """Tryton holds quantities as JSON numbers."""
    return number(as_text=False)


_LINE = (
    Field("product", "product", ref("product")),
    Field("text", "description"),
    Field("quantity", "quantity", quantity()),
    Field("unit", "unit", ref("unit")),
    Field("tax_code", "tax", ref("tax_code")),
    told("tax_rate", "tax_rate", percent()),
    told("net", "amount", number()),
)


def order(companies: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    """A sale with its lines; what came of it is counted from moves and invoices."""
    return FieldMap(
        "order",
        "sale.sale",
        (
            Field("number", "crm_number", trimmed()),
            told("erp_number", "number"),
            Field("company", "company", company_code(companies)),
            Field("account", "party", ref("account")),
            Field("contact", "contact", ref("contact")),
            Field("end_customer", "shipment_party", ref("account")),
            Field("customer_reference", "reference"),
            Field("date", "sale_date", day()),
            Field("currency", "currency", ref("currency")),
            Field("tax_included", "tax_included", boolean()),
            Field("terms", "payment_term", ref("payment_term")),
            Field("wanted", "shipping_date", day()),
            Field("remarks", "remarks"),
            Field("carrier", "carrier"),
            Field("packing", "packing"),
            Field("ship_to", "ship_to"),
            Field("shipment_hold", "shipment_hold"),
            Field("wish", "wish", choice({w: w for w in ("draft", "released", "cancelled")}), read=False),
            told("state", "state", states(ORDER_STATES)),
            told("shipping", "shipping"),
            told("billing", "billing"),
            told("paying", "paying"),
            told("promised", "promised", day()),
            told("expected", "expected", day()),
            told("net", "untaxed_amount", number()),
            told("tax", "tax_amount", number()),
            told("total", "total_amount", number()),
        ),
        (
            Items(
                "lines",
                "lines",
                (
                    *_LINE,
                    Field("position", "sequence", number(0, as_text=False)),
                    Field("price", "price", number()),
                    Field("discount", "discount", percent()),
                    Field("warehouse", "warehouse", ref("warehouse")),
                    told("promised", "promised", day()),
                    told("expected", "expected", day()),
                    told("shipped", "shipped", quantity()),
                    told("invoiced", "invoiced", quantity()),
                    told("supply_state", "supply_state"),
                ),
            ),
        ),
        own_key="own_key",
    )


def shipment(companies: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    return FieldMap(
        "shipment",
        "stock.shipment.out",
        (
            told("erp_number", "number"),
            told("company", "company", company_code(companies)),
            told("account", "customer", ref("account")),
            told("order", "sale", ref("order")),
            told("state", "state", states(SHIPMENT_STATES)),
            told("date", "effective_date", day()),
            told("planned", "planned_date", day()),
            told("warehouse", "warehouse", ref("warehouse")),
            told("carrier", "carrier"),
            told("tracking", "shipping_reference"),
        ),
        (
            Items(
                "lines",
                "lines",
                (
                    told("order", "sale", ref("order")),
                    told("order_line", "order_line"),
                    told("product", "product", ref("product")),
                    told("quantity", "quantity", quantity()),
                    told("unit", "unit", ref("unit")),
                    told("lot", "lot"),
                ),
                write="never",
            ),
        ),
    )


def invoice(companies: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    """Customer invoices and credit notes: those with a total below zero."""
    return FieldMap(
        "invoice",
        "account.invoice",
        (
            told("type", "type"),
            told("erp_number", "number"),
            told("company", "company", company_code(companies)),
            told("account", "party", ref("account")),
            told("order", "sale", ref("order")),
            told("reverses", "reverses", ref("invoice")),
            told("state", "state", states(INVOICE_STATES)),
            told("date", "invoice_date", day()),
            told("due", "due", day()),
            told("currency", "currency", ref("currency")),
            told("rate", "rate", number()),
            told("tax_included", "tax_included", boolean()),
            told("net", "untaxed_amount", number()),
            told("tax", "tax_amount", number()),
            told("total", "total_amount", number()),
            told("open", "open", number()),
            told("buyer_name", "buyer_name"),
            told("buyer_tax_id", "buyer_tax_id"),
            told("seller_name", "seller_name"),
            told("seller_tax_id", "seller_tax_id"),
        ),
        (
            Items(
                "lines",
                "lines",
                (
                    *(told(one.name, one.path, one.convert) for one in _LINE),
                    told("position", "sequence", number()),
                    told("price", "unit_price", number()),
                    told("order", "sale", ref("order")),
                    told("order_line", "order_line"),
                ),
                write="never",
            ),
            Items(
                "instalments",
                "instalments",
                (told("due", "due", day()), told("amount", "amount", number())),
                write="never",
            ),
        ),
    )


def payment(companies: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    """What one posted move in a cash or bank journal says of one customer."""
    return FieldMap(
        "payment",
        "account.move",
        (
            told("erp_number", "number"),
            told("company", "company", company_code(companies)),
            told("account", "party", ref("account")),
            told("state", "state"),
            told("date", "date", day()),
            told("reversed_on", "reversed_on", day()),
            told("currency", "currency", ref("currency")),
            told("rate", "rate", number()),
            told("amount", "amount", number()),
            told("unallocated", "unallocated", number()),
            told("method", "method", ref("payment_method")),
            told("reference", "description"),
        ),
        (
            Items(
                "allocations",
                "allocations",
                (told("invoice", "invoice", ref("invoice")), told("amount", "amount", number())),
                id="invoice",
                write="never",
            ),
        ),
    )
