"""Prices, stock, supply and exchange rates: the ERP's, shown in the CRM. Accounting periods, for rules."""

from datong.canon import AccountingPeriod, BillOfMaterials, ExchangeRate, Price, PriceList, StockLevel, SupplyOrder
from datong.engine.flow import CRM, ERP, Master, Policies, owned_by
from datong.engine.lifecycle import LifeCycle
from datong.matching import Identity, same

price_lists = Master(
    name="price_lists",
    en="Price lists",
    zh="价目表",
    record=PriceList,
    identity=Identity(link=(same("code"),)),
    fields=Policies(
        owned_by(
            *(ERP, "code", "name", "company", "currency", "tax_included", "valid_from", "valid_to", "restricted"),
            *("active", "custom"),
        )
    ),
    first_load=ERP,
    creates_in=(CRM,),
)

prices = Master(
    name="prices",
    en="Prices",
    zh="价格",
    requires=("price_lists",),
    record=Price,
    identity=Identity(),
    fields=Policies(
        owned_by(ERP, "price_list", "account", "product", "unit", "currency", "tax_included", "price", "tiers"),
        owned_by(ERP, "valid_from", "valid_to", "active", "custom"),
    ),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("product",),
    whole=True,
)

stock = Master(
    name="stock",
    en="Stock",
    zh="库存",
    record=StockLevel,
    identity=Identity(),
    fields=Policies(
        owned_by(ERP, "product", "warehouse", "unit", "on_hand", "reserved", "available", "incoming", "as_of", "custom")
    ),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("product",),
    whole=True,
    busy=True,
)

supply = Master(
    name="supply",
    en="Production and purchase",
    zh="生产与采购",
    record=SupplyOrder,
    identity=Identity(link=(same("number"),)),
    fields=Policies(
        owned_by(ERP, "number", "type", "state", "order", "order_line", "product", "unit", "quantity", "done"),
        owned_by(ERP, "planned_finish", "expected_finish", "custom"),
    ),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("product",),
    whole=True,
    busy=True,
    lives=(
        LifeCycle(
            "state",
            ("draft", "confirmed", "running", "done"),
            ends={"cancelled": ("draft", "confirmed", "running")},
            back={("confirmed", "draft"): "planned anew", ("running", "confirmed"): "stopped"},
        ),
    ),
)

recipes = Master(
    name="recipes",
    en="Bills of materials",
    zh="物料清单",
    record=BillOfMaterials,
    identity=Identity(),
    fields=Policies(owned_by(ERP, "product", "quantity", "lead_days", "bundle", "active", "components", "custom")),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("product",),
    whole=True,
)

exchange_rates = Master(
    name="exchange_rates",
    en="Exchange rates",
    zh="汇率",
    record=ExchangeRate,
    identity=Identity(),
    fields=Policies(owned_by(ERP, "currency", "to", "date", "rate", "custom")),
    first_load=ERP,
    creates_in=(CRM,),
    whole=True,
    busy=True,
)

accounting_periods = Master(
    name="accounting_periods",
    en="Accounting periods",
    zh="会计期间",
    record=AccountingPeriod,
    identity=Identity(),
    fields=Policies(owned_by(ERP, "name", "company", "start", "end", "state", "custom")),
    first_load=ERP,
    creates_in=(),
)
