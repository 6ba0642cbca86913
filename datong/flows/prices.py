"""Which price holds for a line: one answer for the quote that shows it and for the order that is measured by it."""

from dataclasses import dataclass
from decimal import Decimal

from datong.base.money import plain
from datong.canon import Account, Line, Order, Price, PriceList, Product, Quote, TaxCode
from datong.engine.near import Near
from datong.flows.money import MoneySettings
from datong.reckoning import Asked, CannotReckon, Chosen, choose, price_with_tax, price_without_tax

PRICES = "prices"
"""The flow that knows the ERP's prices."""


@dataclass(frozen=True)
class Listed:
    """The price that holds, with tax or without as the document counts, and where it came from, for people."""

    price: Decimal
    source: str


def listed(line: Line, document: Quote | Order, near: Near, settings: MoneySettings) -> Listed | None:
    """The customer's own price, else that of the customer's price list, else of one for everybody, else the product's
    list price, from its tier on, on the document's day and in its currency.

    None where there is none, or more than one, and where it counts tax otherwise than the document and the rate is not
    known.
    """
    if line.product is None or line.quantity is None or document.currency is None:
        return None
    lists = {key: one for key, one in near.every(PriceList).items() if one.company in (None, document.company)}
    own = _list_of_customer(document, near)
    asked = Asked(
        *(line.product, line.quantity, line.unit, document.currency, document.date or near.today(document.company)),
        account=document.account,
        lists=tuple(key for key in lists if key == own),
        general=tuple(key for key, one in lists.items() if key != own and not one.restricted),
    )
    prices, product = near.with_reference(Price, "product", line.product), near.of(line.product, Product)
    try:
        found = choose(asked, prices, lists, product)
    except CannotReckon:
        return None
    price = _counted(found, line, document, near, settings)
    return None if price is None else Listed(price, _source(found, prices.get(found.source), lists, document, near))


def _list_of_customer(document: Quote | Order, near: Near) -> str | None:
    """The price list that the company agreed on with the customer."""
    account = near.of(document.account, Account)
    agreed = account.company.get(document.company or "") if account is not None else None
    return agreed.price_list if agreed is not None else None


def _counted(found: Chosen, line: Line, document: Quote | Order, near: Near, settings: MoneySettings) -> Decimal | None:
    """The price as the document counts it. One that says nothing of tax is as the document counts."""
    wanted = bool(document.tax_included)
    if found.tax_included in (None, wanted):
        return found.price
    rate = _rate(line, near)
    if rate is None:
        return None
    turned = price_with_tax if wanted else price_without_tax
    return turned(found.price, rate, settings.rules(document.company))


def _rate(line: Line, near: Near) -> Decimal | None:
    if line.tax_rate is not None:
        return line.tax_rate
    product = near.of(line.product, Product)
    code = near.of(line.tax_code or (product.tax_code if product is not None else None), TaxCode)
    return code.rate if code is not None else None


def _source(
    found: Chosen, price: Price | None, lists: dict[str, PriceList], document: Quote | Order, near: Near
) -> str:
    """As it stands in the ERP: which list, which tier, how much, with tax or without, until when."""
    of = lists.get(price.price_list or "") if price is not None else None
    taxed = {True: " with tax 含税", False: " without tax 未税", None: ""}[found.tax_included]
    ends = [one.valid_to for one in (price, of) if one is not None and one.valid_to is not None]
    parts = (
        f"{found.en} {found.zh}",
        of.name or of.code if of is not None else None,
        f"{plain(found.price)} {near.code(document.currency) or ''}".rstrip() + taxed,
        f"to {min(ends)}" if ends else None,
    )
    return "; ".join(part for part in parts if part)
