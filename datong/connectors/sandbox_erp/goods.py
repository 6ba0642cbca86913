"""Which field of SimERP holds which canonical field of prices, stock, supply, rates, periods. All are SimERP's own."""

from __future__ import annotations

from datong.connectors.sandbox_erp.documents import CURRENCY, OF_ORDER, same, to
from datong.connectors.sandbox_erp.values import CODE, ENABLED, OWN_KEY, TEXT
from datong.mapping import Field, FieldMap, Items, boolean, day, moment, number, reference

VALID = (Field("valid_from", "validFrom", day()), Field("valid_to", "validTo", day()))
TAX_INCLUDED = Field("tax_included", "priceIncludesTax", boolean())
UNIT = Field("unit", "unitId", to("unit"))
PRODUCT = Field("product", "itemId", to("product"))
ACTIVE = Field("active", "disabled", ENABLED)

PRICE_LIST = FieldMap(
    "price_list",
    "priceLists",
    (
        Field("code", "code", CODE),
        Field("name", "name", TEXT),
        Field("company", "companyCode", CODE),
        CURRENCY,
        TAX_INCLUDED,
        *VALID,
        Field("restricted", "restricted", boolean()),
        ACTIVE,
        Field("entered", "createdAt", moment(), write="never"),
    ),
    items=(Items("lines", "lines", (PRODUCT, UNIT, Field("price", "price", number(6))), id="lineId"),),
    own_key=OWN_KEY,
)
PRICE = FieldMap(
    "price",
    "prices",
    (
        Field("price_list", "priceListId", to("price_list")),
        Field("account", "custId", to("account")),
        PRODUCT,
        UNIT,
        CURRENCY,
        TAX_INCLUDED,
        Field("price", "price", number(6)),
        *VALID,
        ACTIVE,
    ),
    items=(
        Items(
            "tiers", "tiers", (Field("quantity", "fromQty", number(4)), Field("price", "price", number(6))), id="tierId"
        ),
    ),
)
STOCK_LEVEL = FieldMap(
    "stock_level",
    "stockLevels",
    (
        PRODUCT,
        Field("warehouse", "warehouseId", to("warehouse")),
        UNIT,
        Field("on_hand", "onHand", number()),
        Field("reserved", "reserved", number()),
        Field("available", "available", number(), write="never"),
        Field("incoming", "incoming", number()),
        Field("as_of", "modifiedAt", moment(), write="never"),
    ),
)
SUPPLY_ORDER = FieldMap(
    "supply_order",
    "supplyOrders",
    (
        Field("number", "docNo", CODE),
        Field("type", "supplyType", same("production", "purchase")),
        Field("state", "status", same("draft", "confirmed", "running", "done", "cancelled")),
        *OF_ORDER,
        PRODUCT,
        UNIT,
        Field("quantity", "qty", number(4)),
        Field("done", "doneQty", number()),
        Field("planned_finish", "plannedFinish", day()),
        Field("expected_finish", "expectedFinish", day()),
    ),
)
EXCHANGE_RATE = FieldMap(
    "exchange_rate",
    "exchangeRates",
    (
        Field("currency", "fromCurrency", reference("currency", by="code")),
        Field("to", "toCurrency", reference("currency", by="code")),
        Field("date", "rateDate", day()),
        Field("rate", "rate", number(6)),
    ),
)

ACCOUNTING_PERIOD = FieldMap(
    "accounting_period",
    "periods",
    (
        Field("name", "name", TEXT),
        Field("company", "companyCode", CODE),
        Field("start", "dateFrom", day()),
        Field("end", "dateTo", day()),
        Field("state", "status", same("open", "closed")),
    ),
)
BILL_OF_MATERIALS = FieldMap(
    "bill_of_materials",
    "boms",
    (
        PRODUCT,
        Field("quantity", "qty", number(4)),
        Field("lead_days", "leadDays", number(2)),
        Field("bundle", "bundle", boolean()),
        ACTIVE,
    ),
    items=(Items("components", "components", (PRODUCT, Field("quantity", "qtyPer", number(4))), id="componentId"),),
)

GOODS: tuple[FieldMap, ...] = (
    PRICE_LIST,
    PRICE,
    STOCK_LEVEL,
    SUPPLY_ORDER,
    EXCHANGE_RATE,
    ACCOUNTING_PERIOD,
    BILL_OF_MATERIALS,
)
