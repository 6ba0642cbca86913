"""Product catalogue: the ERP says what is sold and at what standard price; the CRM shows it."""

from datong.canon import Product
from datong.engine.flow import CRM, ERP, Master, Policies, owned_by, shared
from datong.matching import Identity, same, similar

product_catalogue = Master(
    name="product_catalogue",
    en="Product catalogue",
    zh="产品目录",
    record=Product,
    identity=Identity(link=(same("sku"),), review=(similar("name", at_least=0.95),)),
    fields=Policies(
        owned_by(
            ERP,
            "sku",
            "name",
            "unit",
            "list_price",
            "currency",
            "tax_code",
            "category",
            "active",
            "lead_days",
            "cost",
            "custom",
        ),
        shared("name_en", "description"),
    ),
    first_load=ERP,
    creates_in=(CRM,),
)
