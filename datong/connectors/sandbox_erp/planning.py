"""Which field of SimERP holds which canonical field of a forecast. Its status is moved by us, and proved by reading."""

from __future__ import annotations

from datong.connectors.sandbox_erp.documents import fact, same, to
from datong.connectors.sandbox_erp.values import CODE, OWN_KEY, TEXT, blank
from datong.mapping import Field, FieldMap, Items, choice, day, number, reference

STATES = choice({"proposed": "draft", "current": "active", "replaced": "cancelled", "withdrawn": "cancelled"})

FORECAST = FieldMap(
    "forecast",
    "forecasts",
    (
        Field("number", "externalNo", CODE),
        fact("erp_number", "docNo", CODE),
        Field("company", "companyCode", CODE),
        Field("start", "dateFrom", day()),
        Field("end", "dateTo", day()),
        Field("version", "version", blank(number())),
        Field("weighted_by", "remarks", TEXT),
        Field("state", "status", STATES, read=False),
        fact("erp_state", "status", same("draft", "active", "cancelled")),
    ),
    items=(
        Items(
            "lines",
            "lines",
            (
                Field("product", "itemId", to("product")),
                Field("region", "regionCode", reference("region", by="code")),
                Field("source", "source", TEXT),
                Field("quantity", "qty", number(4)),
                Field("unweighted", "qtyBefore", number(4)),
                Field("weight", "weightPct", number(2)),
                Field("unit", "unitId", to("unit")),
            ),
            id="lineId",
        ),
    ),
    own_key=OWN_KEY,
)
