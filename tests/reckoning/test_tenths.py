"""Three times 0.1 is 0.3, yen have no places and dinars three: on every way that money takes through the room."""

from collections.abc import Callable
from datetime import date as Day
from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base.money import Money, minor_units
from datong.canon import Order, OrderLine, Price
from datong.reckoning import (
    Asked,
    Component,
    Discount,
    Due,
    EarlyDiscount,
    Exchange,
    Item,
    Rates,
    Receipt,
    Rules,
    Share,
    Terms,
    check,
    choose,
    early_discount,
    explode,
    frame_rest,
    outcome,
    plan_problems,
    price_with_tax,
    reckon,
    settle,
    split,
)
from datong.reckoning.exact import summed

D = Decimal
TENTH = D("0.1")
TODAY = Day(2026, 11, 22)


def _order() -> Order:
    fields = {
        f"lines.{n}.{k}": v for n in range(3) for k, v in (("quantity", "1"), ("price", "0.1"), ("tax_rate", "0"))
    }
    return Order.from_fields({**fields, "tax_included": True, "total": "0.3"})


def _guarded() -> Decimal:
    found = outcome(_order(), Rules(), "CNY")
    assert found is not None and check(_order(), Rules(), "CNY") == []
    return found.whole.document.total


def _bundled() -> Decimal:
    line = OrderLine.model_construct(quantity=D(1), price=D("0.3"), tax_rate=D(0), product="product:1")
    made = explode(line, [Component(str(n), D(1), TENTH) for n in range(3)], Rules(), "CNY")
    assert [one.net for one in made] == [TENTH] * 3
    return summed(one.net for one in made if one.net is not None)


def _priced() -> Decimal:
    price = Price.from_fields({"product": "product:1", "currency": "currency:1", "price": "0.1"})
    chosen = choose(Asked("product:1", D(3), None, "currency:1", TODAY), {"price:1": price}, {})
    return reckon([Item(D(3), chosen.price)], Rules(), "CNY").document.net


def _discounted() -> Decimal:
    items = [Item(D(1), D("0.2"))] * 3
    return reckon(items, Rules(), "CNY", discount=Discount(amount=D("0.3"))).document.net


def _converted() -> Decimal:
    money, _ = Rates([Exchange("USD", "CNY", TODAY, TENTH)]).convert(Money(D(3), "USD"), "CNY", TODAY)
    return money.amount


def _early() -> Decimal:
    terms = Terms((Share(D(100), "invoice"),), EarlyDiscount(D(10), 5))
    found = early_discount(terms, Money(D(3), "CNY"), TODAY)
    assert found is not None
    return found[0].amount


THIRDS = Terms(tuple(Share(D(percent), "invoice") for percent in ("33.33", "33.33", "33.34")))
PLAN = [Due(str(n), TENTH) for n in range(3)]
WAYS: dict[str, Callable[[], Decimal]] = {
    "lines": lambda: reckon([Item(D(1), TENTH)] * 3, Rules(), "CNY").document.total,
    "quantity": lambda: reckon([Item(D(3), TENTH)], Rules(), "CNY").document.total,
    "tax by document": lambda: reckon([Item(D(1), TENTH)] * 3, Rules(tax="document"), "CNY").document.total,
    "prices with tax": lambda: reckon([Item(D(1), TENTH)] * 3, Rules(), "CNY", tax_included=True).document.total,
    "discount": _discounted,
    "the other price": lambda: 3 * price_with_tax(TENTH, D(0), Rules()),
    "guard": _guarded,
    "bundle": _bundled,
    "price": _priced,
    "conversion": _converted,
    "early discount": _early,
    "terms": lambda: summed(split(THIRDS, D("0.3"), "CNY")),
    "receipts": lambda: settle(PLAN, [Receipt(str(n), TENTH, TODAY) for n in range(3)], TODAY).paid,
    "frame": lambda: frame_rest(D("0.6"), [TENTH] * 3).rest,
}


@pytest.mark.parametrize("way", WAYS)
def test_three_times_a_tenth_is_three_tenths(way: str) -> None:
    assert WAYS[way]() == D("0.3")


def test_a_plan_of_three_tenths_does_not_exceed_a_contract_of_three_tenths() -> None:
    assert plan_problems(D("0.3"), PLAN, "CNY") == []


@pytest.mark.parametrize("currency", ["JPY", "CNY", "KWD"])
def test_every_amount_is_payable_in_its_currency(currency: str) -> None:
    places = minor_units(currency)
    sheet = reckon([Item(D("1.37"), D("7.123457"), D("13"), D("3.3"))] * 3, Rules(tax="document"), currency)
    money, _ = Rates([Exchange("USD", currency, TODAY, D("7.1234567"))]).convert(
        Money(D("9.99"), "USD"), currency, TODAY
    )
    line = OrderLine.model_construct(quantity=D(3), price=D("33.3333"), tax_rate=D(13))
    made = explode(line, [Component(str(n), D(1), D(n + 1)) for n in range(3)], Rules(), currency)
    parts = split(THIRDS, D("1000"), currency)
    amounts = [
        *(getattr(one, name) for one in (*sheet.lines, sheet.document) for name in ("net", "tax", "total")),
        *(getattr(one, name) for one in made for name in ("net", "tax", "total")),
        *parts,
        money.amount,
    ]
    assert {-one.as_tuple().exponent for one in amounts} == {places}


EXACT = Context(prec=200, rounding=ROUND_HALF_UP)


def _by_hand(item: Item, places: int, included: bool) -> tuple[Decimal, Decimal]:
    """Net and tax of a line, by decimals with two hundred digits."""
    cent = D(1).scaleb(-places)
    left = EXACT.divide(EXACT.subtract(D(100), item.discount), D(100))
    base = EXACT.quantize(EXACT.multiply(EXACT.multiply(item.quantity, item.price), left), cent)
    rate = item.rate or D(0)
    over = EXACT.add(D(100), rate) if included else D(100)
    tax = EXACT.quantize(EXACT.divide(EXACT.multiply(base, rate), over), cent)
    return (EXACT.subtract(base, tax) if included else base), tax


@given(
    st.builds(
        Item,
        quantity=st.decimals(0, 10**9, places=4),
        price=st.decimals(0, 10**9, places=6),
        rate=st.sampled_from([D(r) for r in ("13", "9", "6", "3", "1", "0")]),
        discount=st.decimals(0, 100, places=3),
    ),
    st.sampled_from(["CNY", "JPY", "KWD"]),
    st.booleans(),
)
def test_the_same_as_by_hand(item: Item, currency: str, included: bool) -> None:
    told = reckon([item], Rules(), currency, tax_included=included).document
    assert (told.net, told.tax) == _by_hand(item, minor_units(currency), included)
