"""Which price counts: the most particular one that is valid, and why.

A customer's own price goes before one of the customer's price lists (the earlier list first), that before one of a list
for everybody (likewise), that before a price for everybody, that before the product's list price. Among equals a price
for the very unit goes before one without a unit, and one for a shorter time before one for longer. Two that are still
equal and not the same price are a clash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Day
from decimal import Decimal

from datong.base.money import plain
from datong.canon import Price, PriceList, Product
from datong.reckoning.problem import CannotReckon, Problem


@dataclass(frozen=True)
class Asked:
    """What is to be priced. References as in the records; `lists` are those of the customer, `general` those
    for everybody, the first one first."""

    product: str
    quantity: Decimal
    unit: str | None
    currency: str
    day: Day
    account: str | None = None
    lists: Sequence[str] = ()
    general: Sequence[str] = ()


@dataclass(frozen=True)
class Chosen:
    """The price, whether it includes tax (None: not said), the record it is from, the quantity its tier begins at, and
    the reason in words."""

    price: Decimal
    tax_included: bool | None
    source: str
    tier: Decimal | None
    en: str
    zh: str


@dataclass(frozen=True)
class _Candidate:
    rank: tuple[int, int, int, int]
    chosen: Chosen


_OPEN = 10**6  # days: as good as for ever


def choose(
    asked: Asked,
    prices: Mapping[str, Price],
    lists: Mapping[str, PriceList],
    product: Product | None = None,
) -> Chosen:
    """The price that counts. `prices` and `lists` are by reference; what is inactive, not valid on the day, of another
    currency, unit or customer takes no part. Raises CannotReckon: NO_PRICE (and what there is instead), PRICE_CLASH.
    """
    found = [one for key, price in prices.items() if (one := _candidate(asked, key, price, lists)) is not None]
    found.sort(key=lambda one: (one.rank, one.chosen.source))
    if not found:
        return _list_price(asked, prices, product)
    best = [one.chosen for one in found if one.rank == found[0].rank]
    different = [one for one in best if (one.price, one.tax_included) != (best[0].price, best[0].tax_included)]
    if different:
        raise CannotReckon(_clash(asked, best[0], different[0]))
    return best[0]


def _candidate(asked: Asked, key: str, price: Price, lists: Mapping[str, PriceList]) -> _Candidate | None:
    of = lists.get(price.price_list) if price.price_list else None
    if price.product != asked.product or price.active is False or not _for_them(asked, price):
        return None
    if price.unit not in (None, asked.unit) or (price.currency or (of and of.currency)) != asked.currency:
        return None
    if price.price_list and (of is None or of.active is False or not _holds(of, asked.day)):
        return None
    if not _holds(price, asked.day):
        return None
    amount, tier = _tier(price, asked.quantity)
    if amount is None:
        return None
    included = price.tax_included if price.tax_included is not None else (of.tax_included if of else None)
    level, place = _level(asked, price)
    en, zh = _REASONS[level]
    if tier is not None:
        en, zh = f"{en}, from {plain(tier)} on", f"{zh}，{plain(tier)} 起的阶梯价"
    rank = (level, place, int(price.unit is None), _days(price, of))
    return _Candidate(rank, Chosen(amount, included, key, tier, en, zh))


def _for_them(asked: Asked, price: Price) -> bool:
    if price.account:
        return price.account == asked.account
    return not price.price_list or price.price_list in (*asked.lists, *asked.general)


def _level(asked: Asked, price: Price) -> tuple[int, int]:
    if price.account:
        return 0, 0
    if not price.price_list:
        return 3, 0
    own = price.price_list in asked.lists
    return 1 if own else 2, list(asked.lists if own else asked.general).index(price.price_list)


_REASONS = (
    ("the customer's own price", "客户专属价"),
    ("the customer's price list", "客户价目表价"),
    ("a price list for everybody", "通用价目表价"),
    ("the price for everybody", "通用价"),
)


def _holds(one: Price | PriceList, day: Day) -> bool:
    return (one.valid_from is None or one.valid_from <= day) and (one.valid_to is None or day <= one.valid_to)


def _days(price: Price, of: PriceList | None) -> int:
    """For how many days it holds."""
    starts = [one.valid_from for one in (price, of) if one is not None and one.valid_from is not None]
    ends = [one.valid_to for one in (price, of) if one is not None and one.valid_to is not None]
    return (min(ends) - max(starts)).days if starts and ends else _OPEN


def _tier(price: Price, quantity: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """The price from the greatest quantity that is reached, else the plain price."""
    reached = [
        (one.quantity, one.price)
        for one in price.tiers.values()
        if isinstance(one.quantity, Decimal) and isinstance(one.price, Decimal) and one.quantity <= quantity
    ]
    if not reached:
        return price.price if isinstance(price.price, Decimal) else None, None
    begins, amount = max(reached)
    return amount, begins


def _list_price(asked: Asked, prices: Mapping[str, Price], product: Product | None) -> Chosen:
    if product is not None and product.unit not in (None, asked.unit):
        product = None
    if product is not None and isinstance(product.list_price, Decimal) and product.currency == asked.currency:
        return Chosen(product.list_price, None, asked.product, None, "the product's list price", "产品标准价")
    raise CannotReckon(_none(asked, prices))


def _none(asked: Asked, prices: Mapping[str, Price]) -> Problem:
    other = [key for key, one in prices.items() if one.product == asked.product]
    en = f"; {len(other)} of it are for others, other days, units or currencies" if other else ""
    zh = f"；该产品另有 {len(other)} 条价格，但客户、日期、单位或币种不符" if other else ""
    return Problem(
        "NO_PRICE",
        f"no price for {asked.product} on {asked.day}" + en,
        f"{asked.product} 在 {asked.day} 没有可用价格" + zh,
        "enter a price in the ERP for this customer, day, unit and currency",
        "请在 ERP 中为该客户、日期、单位和币种维护价格",
    )


def _clash(asked: Asked, one: Chosen, other: Chosen) -> Problem:
    taxes = {True: ("with tax", "含税"), False: ("without tax", "未税"), None: ("tax not said", "未注明含税")}
    a, b = ((plain(each.price), *taxes[each.tax_included], each.source) for each in (one, other))
    return Problem(
        "PRICE_CLASH",
        f"two prices for {asked.product} count the same: {a[0]} {a[1]} ({a[3]}) and {b[0]} {b[1]} ({b[3]})",
        f"{asked.product} 有两个同等优先的价格：{a[0]} {a[2]}（{a[3]}）与 {b[0]} {b[2]}（{b[3]}）",
        "end one of them in the ERP, or make one more particular",
        "请在 ERP 中停用其中一个，或使其中一个更具体",
    )
