"""Which field of SimERP's documents holds which canonical field.

Facts are read and never written: `write="never"`. An order's wish is written and never read: the connector carries
it out in steps, and what was reached is the order's `state`.
"""

from __future__ import annotations

from dataclasses import replace

from datong.connectors.sandbox_erp.values import CODE, OWN_KEY, TEXT
from datong.mapping import Converter, Field, FieldMap, Items, boolean, choice, day, number, percent, reference

WISH = "wish"
HOLD = "shipHold"
"""Why nothing of an order is shipped: set, and taken away, by a call of its own."""
FREE = choice({one: one for one in ("gift", "rebate", "sample", "warranty")})
EXTENT = choice({one: one for one in ("none", "part", "full", "over")})
SUPPLY = choice({one: one for one in ("draft", "confirmed", "running", "done", "cancelled")})


def to(kind: str) -> Converter:
    return reference(kind, integer=True)


def same(*words: str) -> Converter:
    return choice({one: one for one in words})


def fact(name: str, path: str, convert: Converter) -> Field:
    return Field(name, path, convert, write="never")


CURRENCY = Field("currency", "currency", reference("currency", by="code"))
RATE = (fact("rate", "exchRate", number()), fact("rate_date", "exchRateDate", day()))
TOTALS = (
    fact("net", "netAmount", number()),
    fact("tax", "taxAmount", number()),
    fact("total", "grossAmount", number()),
)
PRICED = (
    Field("product", "itemId", to("product")),
    Field("text", "text", TEXT),
    Field("quantity", "qty", number(4)),
    Field("unit", "unitId", to("unit")),
    Field("price", "price", number(6)),
    Field("discount", "discountPct", number(4)),
    Field("tax_code", "taxCodeId", to("tax_code")),
    fact("tax_rate", "taxRate", percent()),
    *TOTALS,
    Field("free", "freeReason", FREE),
    Field("bundle", "bundleItemId", to("product")),
)
OF_ORDER = (Field("order", "orderId", to("order")), Field("order_line", "orderLineNo", number()))
REQUESTED = replace(same("draft", "requested", "invoiced", "refused", "cancelled"), examples=("draft", "requested"))
"""We may ask, and take back; the others are the accountant's."""

ORDER = FieldMap(
    "order",
    "salesOrders",
    (
        Field("number", "externalNo", CODE),
        fact("erp_number", "docNo", CODE),
        Field("company", "companyCode", CODE),
        Field("account", "custId", to("account")),
        Field("contact", "contactId", to("contact")),
        Field("end_customer", "endCustId", to("account")),
        Field("owner", "salesEmployeeId", to("user")),
        Field("date", "orderDate", day()),
        CURRENCY,
        *RATE,
        Field("tax_included", "priceIncludesTax", boolean()),
        Field("terms", "paymentTermId", to("payment_term")),
        Field("customer_reference", "custOrderNo", TEXT),
        Field("wanted", "requestedDate", day()),
        Field("carrier", "carrier", TEXT),
        Field("packing", "packing", TEXT),
        Field("ship_to", "shipTo", TEXT),
        Field("remarks", "remarks", TEXT),
        Field(WISH, WISH, same("draft", "released", "cancelled"), read=False),
        Field("shipment_hold", HOLD, TEXT),
        fact(
            "state",
            "status",
            choice(
                {
                    "draft": "draft",
                    "submitted": "submitted",
                    "confirmed": "approved",
                    "closed": "closed",
                    "cancelled": "cancelled",
                }
            ),
        ),
        fact("shipping", "shippedState", EXTENT),
        fact("billing", "invoicedState", EXTENT),
        fact("paying", "paidState", EXTENT),
        fact("promised", "promisedDate", day()),
        fact("expected", "expectedDate", day()),
        *TOTALS,
    ),
    items=(
        Items(
            "lines",
            "lines",
            (
                Field("position", "lineNo", number(0)),
                *PRICED,
                Field("warehouse", "warehouseId", to("warehouse")),
                Field("wanted", "requestedDate", day()),
                fact("promised", "promisedDate", day()),
                fact("expected", "expectedDate", day()),
                fact("shipped", "shippedQty", number()),
                fact("invoiced", "invoicedQty", number()),
                fact("supply_state", "supplyState", SUPPLY),
                fact("supply_done", "supplyDone", number()),
            ),
            id="lineId",
        ),
    ),
    own_key=OWN_KEY,
)
INVOICE_REQUEST = FieldMap(
    "invoice_request",
    "invoiceRequests",
    (
        Field("number", "externalNo", CODE),
        Field("company", "companyCode", CODE),
        Field("account", "custId", to("account")),
        Field("order", "orderId", to("order")),
        Field("state", "status", REQUESTED),
        CURRENCY,
        Field("amount", "amount", number(4)),
        Field("title", "invoiceTitle", TEXT),
        Field("tax_id", "taxNo", CODE),
        Field("fapiao_kind", "invoiceKind", same("special", "ordinary")),
        Field("remarks", "remarks", TEXT),
        fact("invoice_number", "invoiceNo", CODE),
        fact("invoice_state", "invoiceStatus", CODE),
        fact("refusal", "refuseReason", TEXT),
    ),
    own_key=OWN_KEY,
)
SHIPMENT = FieldMap(
    "shipment",
    "shipments",
    (
        Field("erp_number", "docNo", CODE),
        Field("company", "companyCode", CODE),
        Field("account", "custId", to("account")),
        Field("order", "orderId", to("order")),
        fact("state", "status", same("draft", "ready", "shipped", "delivered", "cancelled")),
        Field("date", "shipDate", day()),
        Field("planned", "plannedDate", day()),
        Field("warehouse", "warehouseId", to("warehouse")),
        Field("carrier", "carrier", TEXT),
        Field("tracking", "trackingNo", CODE),
    ),
    items=(
        Items(
            "lines",
            "lines",
            (
                *OF_ORDER,
                Field("product", "itemId", to("product")),
                Field("quantity", "qty", number(4)),
                Field("unit", "unitId", to("unit")),
                Field("lot", "lotNo", TEXT),
                Field("serial", "serialNo", TEXT),
            ),
            id="lineId",
        ),
    ),
)
INVOICE = FieldMap(
    "invoice",
    "invoices",
    (
        Field("type", "docType", choice({"invoice": "INV", "credit_note": "CRN"})),
        Field("erp_number", "docNo", CODE),
        Field("company", "companyCode", CODE),
        Field("account", "custId", to("account")),
        Field("order", "orderId", to("order")),
        Field("reverses", "reversesId", to("invoice")),
        fact("state", "status", same("draft", "posted", "paid", "cancelled")),
        Field("date", "invoiceDate", day()),
        Field("due", "dueDate", day()),
        CURRENCY,
        *RATE,
        Field("tax_included", "priceIncludesTax", boolean()),
        *TOTALS,
        fact("open", "openAmount", number()),
        Field("fapiao_number", "eInvoice.number", CODE),
        Field("fapiao_kind", "eInvoice.kind", same("special", "ordinary")),
        Field("buyer_name", "eInvoice.buyerName", TEXT),
        Field("buyer_tax_id", "eInvoice.buyerTaxNo", CODE),
        Field("seller_name", "eInvoice.sellerName", TEXT),
        Field("seller_tax_id", "eInvoice.sellerTaxNo", CODE),
        Field("tax_category", "eInvoice.taxCategory", CODE),
        Field("red_letter", "eInvoice.redLetterNo", CODE),
        Field("document_url", "eInvoice.fileUrl", CODE),
    ),
    items=(Items("lines", "lines", (*PRICED, *OF_ORDER), id="lineId"),),
)
PAYMENT = FieldMap(
    "payment",
    "receipts",
    (
        fact("erp_number", "docNo", CODE),
        fact("company", "companyCode", CODE),
        Field("account", "custId", to("account")),
        fact("state", "status", same("draft", "posted", "cleared", "reversed")),
        fact("date", "receiptDate", day()),
        fact("reversed_on", "reverseDate", day()),
        replace(CURRENCY, write="never"),
        *RATE,
        fact("amount", "amount", number()),
        fact("unallocated", "unallocated", number()),
        fact("method", "methodId", to("payment_method")),
        fact("reference", "reference", TEXT),
        fact("payer", "payer", TEXT),
        fact("bill_number", "billNo", CODE),
        fact("bill_due", "billDue", day()),
        fact("bill_state", "billState", same("held", "endorsed", "discounted", "cleared", "refused")),
    ),
    items=(
        Items(
            "allocations",
            "allocations",
            (Field("invoice", "invoiceId", to("invoice")), Field("amount", "amount", number())),
            id="allocationId",
        ),
    ),
)

WRITTEN: tuple[FieldMap, ...] = (ORDER, INVOICE_REQUEST, PAYMENT)
TOLD: tuple[FieldMap, ...] = (SHIPMENT, INVOICE)
"""What SimERP makes itself. Of a payment, which it makes too, we may say whose it is and what it settles."""
