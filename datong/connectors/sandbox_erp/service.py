"""Which field of SimERP holds which canonical field of returns and assets. The answer to a return, and what came of it,
are facts; a wish that is taken back is written as `withdrawn`."""

from __future__ import annotations

from dataclasses import replace

from datong.connectors.sandbox_erp.documents import fact, same, to
from datong.connectors.sandbox_erp.values import CODE, ENABLED, OWN_KEY, TEXT
from datong.mapping import Field, FieldMap, Items, boolean, choice, day, listed, number

CREDIT_ASKED = "refund"
"""Not a field of SimERP's but a call that follows the row."""
OUTCOMES = ("repaired", "replaced", "exchanged", "refunded")
DECISIONS = {
    "requested": "requested",
    "authorised": "authorised",
    "received": "authorised",
    "inspected": "authorised",
    **dict.fromkeys(OUTCOMES, "authorised"),
    "closed": "closed",
    "refused": "refused",
    "cancelled": "cancelled",
}
WISH = replace(choice({"released": False, "cancelled": True}), examples=("released",))
"""What is withdrawn stays so."""
LINE = (
    Field("position", "lineNo", number(0)),
    Field("order_line", "orderLineNo", number(0)),
    Field("product", "itemId", to("product")),
    Field("text", "text", TEXT),
    Field("quantity", "qty", number(4)),
    Field("unit", "unitId", to("unit")),
    Field("lot", "lotNo", TEXT),
    Field("serial", "serialNo", CODE),
    Field("exchange_for", "exchangeItemId", to("product")),
    fact("received", "receivedQty", number()),
    fact("result", "result", same("ok", "defective", "damaged", "wrong_goods", "incomplete")),
    fact("disposition", "disposition", same(*OUTCOMES)),
)
RETURN = FieldMap(
    "return",
    "returnOrders",
    (
        Field("number", "externalNo", CODE),
        fact("erp_number", "docNo", CODE),
        Field("company", "companyCode", CODE),
        Field("account", "custId", to("account")),
        Field("contact", "contactId", to("contact")),
        Field("date", "requestDate", day()),
        Field("order", "orderId", to("order")),
        Field("shipment", "shipmentId", to("shipment")),
        Field("invoice", "invoiceId", to("invoice")),
        Field("variant", "variant", TEXT),
        Field("outcome", "wanted", same(*OUTCOMES)),
        Field("advance", "advance", boolean()),
        Field("wish", "withdrawn", WISH),
        Field("reason", "reason", TEXT),
        Field("remarks", "remarks", TEXT),
        fact("decision", "status", listed(DECISIONS)),
        fact("decision_reason", "statusReason", TEXT),
        fact("received_on", "receivedDate", day()),
        fact("receipt_number", "receiptNo", CODE),
        fact("inspected_on", "inspectedDate", day()),
        fact("repaired_on", "repairedDate", day()),
        Field("credit_asked", CREDIT_ASKED, boolean(), read=False),
        fact("credit_note", "creditNoteId", to("invoice")),
        fact("replacement", "replacementId", to("order")),
    ),
    items=(Items("lines", "lines", LINE, id="lineId"),),
    own_key=OWN_KEY,
)
ASSET = FieldMap(
    "asset",
    "assets",
    (
        Field("serial", "serialNo", CODE),
        Field("lot", "lotNo", TEXT),
        Field("product", "itemId", to("product")),
        Field("account", "custId", to("account")),
        Field("company", "companyCode", CODE),
        Field("order", "orderId", to("order")),
        Field("shipment", "shipmentId", to("shipment")),
        Field("shipped", "shipDate", day()),
        Field("warranty_until", "warrantyUntil", day()),
        Field("active", "disabled", ENABLED),
    ),
)
