"""Prices, stock, bills of materials, rates and periods of the seeded SimERP: the same for the same seed."""

import random
from decimal import Decimal

from datong.sandbox.erp_books import exact
from datong.sandbox.fields import Row, write_decimal
from datong.sandbox.refusals import Key
from datong.sandbox.system import System

_LISTS: tuple[Row, ...] = (
    {"code": "CN-2026", "name": "国内经销商价目表", "companyCode": "asia", "currency": "CNY", "priceIncludesTax": True},
    {"code": "EXP", "name": "出口价目表", "companyCode": "asia", "currency": "USD", "priceIncludesTax": False},
    {"code": "EU-2026", "name": "Tarif Europe", "companyCode": "europe", "currency": "EUR", "priceIncludesTax": False},
)
_IN_CNY = {"CNY": Decimal(1), "USD": Decimal("7.2"), "EUR": Decimal("7.8")}
_WITH_TAX = Decimal("1.13")
_RATES = (
    ("USD", "CNY", "7.18"),
    ("EUR", "CNY", "7.79"),
    ("CNY", "EUR", "0.1284"),
    ("USD", "EUR", "0.9217"),
)
_QUARTERS = tuple(f"{year}-{month:02d}-01" for year in (2025, 2026) for month in (1, 4, 7, 10))
_PRICED = 200  # items with prices and stock of their own


def fill_goods(erp: System, seed: int, at: int) -> None:
    rng = random.Random(f"{seed}/goods")
    items = [(row["id"], exact(row["salesPrice"]), row["baseUnit"]) for row in erp.rows("items")[:_PRICED]]
    lists = [(erp.load("priceLists", {**row, "validFrom": "2025-01-01"}, at), row) for row in _LISTS]
    for key, told in lists:
        for item, price, unit in items:
            erp.load("prices", _price(key, told, item, price, unit), at)
    _special_prices(erp, rng, items, at)
    warehouses = [row["id"] for row in erp.rows("warehouses")]
    for item, _, unit in items:
        for warehouse in (warehouses[0], warehouses[-1]):
            on_hand = f"{rng.choice((0, 20, 150, 800, 5000))}.0000"
            level = {"itemId": item, "warehouseId": warehouse, "unitId": unit, "onHand": on_hand, "available": on_hand}
            erp.load("stockLevels", level, at)
    if len(items) > 4:  # motors and cylinders are put together here; the rest is bought
        for made in (items[4], items[-1]):
            parts = [{"itemId": part[0], "qtyPer": str(4 - i)} for i, part in enumerate(items[:3])]
            erp.load("boms", {"itemId": made[0], "leadDays": 5, "components": parts}, at)
    _fill_time(erp, rng, at)


def _price(key: Key, told: Row, item: Key, price: Decimal, unit: Key) -> Row:
    amount = price / _IN_CNY[told["currency"]] * (_WITH_TAX if told["priceIncludesTax"] else 1)
    return {
        "priceListId": key,
        "itemId": item,
        "unitId": unit,
        "currency": told["currency"],
        "priceIncludesTax": told["priceIncludesTax"],
        "price": write_decimal(amount, 4),
        "validFrom": "2025-01-01",
        "tiers": [{"fromQty": qty, "price": write_decimal(amount * Decimal(share), 4)} for qty, share in _TIERS],
    }


_TIERS = (("100", "0.95"), ("1000", "0.88"))


def _special_prices(erp: System, rng: random.Random, items: list[tuple[Key, Decimal, Key]], at: int) -> None:
    """Every fifth customer has agreed on a price of its own."""
    customers = erp.rows("customers")[::5][:100]
    for customer in customers if items else ():
        item, price, unit = rng.choice(items)
        agreed = write_decimal(price * Decimal("0.9"), 4)
        common = {"custId": customer["id"], "itemId": item, "unitId": unit, "currency": "CNY", "remarks": "协议价"}
        erp.load("prices", {**common, "price": agreed, "validFrom": "2026-01-01", "validTo": "2026-12-31"}, at)


def _fill_time(erp: System, rng: random.Random, at: int) -> None:
    for currency, into, rate in _RATES:
        for day in _QUARTERS:
            moved = write_decimal(Decimal(rate) * (1 + Decimal(rng.randint(-200, 200)) / 10000), 6)
            row = {"fromCurrency": currency, "toCurrency": into, "rateDate": day, "rate": moved, "source": "中国银行"}
            erp.load("exchangeRates", row, at)
    for company in ("asia", "europe"):
        year = {"name": "2025", "companyCode": company, "dateFrom": "2025-01-01", "dateTo": "2025-12-31"}
        erp.load("periods", {**year, "status": "closed"}, at)
        for year_of, month in ((year_of, month) for year_of in (2026, 2027) for month in range(1, 13)):
            begin, end = f"{year_of}-{month:02d}-01", f"{year_of}-{month:02d}-{_DAYS[month - 1]}"
            erp.load("periods", {"name": begin[:7], "companyCode": company, "dateFrom": begin, "dateTo": end}, at)


_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # of 2026 and 2027, no leap years
