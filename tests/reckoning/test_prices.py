"""Which price counts, and why."""

from datetime import date as Day
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.canon import Price, PriceList, Product
from datong.reckoning import CannotReckon
from datong.reckoning.prices import Asked, choose

D = Decimal
ASKED = Asked("product:1", D(10), "unit:1", "currency:1", Day(2026, 11, 22), "account:7", ("price_list:1",))
LISTS = {
    "price_list:1": PriceList.from_fields({"currency": "currency:1", "tax_included": True}),
    "price_list:2": PriceList.from_fields({"currency": "currency:1"}),
}
PRODUCT = Product.from_fields({"list_price": "9", "currency": "currency:1", "unit": "unit:1"})


def price(amount: str | None, **more: Any) -> Price:
    return Price.from_fields({"product": "product:1", "currency": "currency:1", "price": amount, **more})


OWN = price("5", account="account:7")
LISTED = price("6", price_list="price_list:1", currency=None)
EVERYBODY = price("7")


@pytest.mark.parametrize(
    ("prices", "source", "amount", "why"),
    [
        ({"a": EVERYBODY, "b": LISTED, "c": OWN}, "c", "5", "the customer's own price"),
        ({"a": EVERYBODY, "b": LISTED}, "b", "6", "the customer's price list"),
        ({"a": EVERYBODY}, "a", "7", "the price for everybody"),
        ({}, "product:1", "9", "the product's list price"),
        ({"a": price("1", account="account:8")}, "product:1", "9", "the product's list price"),
        ({"a": price("1", price_list="price_list:2")}, "product:1", "9", "the product's list price"),
        ({"a": price("1", currency="currency:2")}, "product:1", "9", "the product's list price"),
        ({"a": price("1", unit="unit:2")}, "product:1", "9", "the product's list price"),
        ({"a": price("1", product="product:2")}, "product:1", "9", "the product's list price"),
        ({"a": price("1", active=False)}, "product:1", "9", "the product's list price"),
        ({"a": price("1", valid_to="2026-11-21")}, "product:1", "9", "the product's list price"),
        ({"a": price("1", valid_from="2026-11-23")}, "product:1", "9", "the product's list price"),
        ({"a": price("1", valid_from="2026-11-22", valid_to="2026-11-22")}, "a", "1", "the price for everybody"),
        ({"a": EVERYBODY, "b": price("8", unit="unit:1")}, "b", "8", "the price for everybody"),
        (
            {"a": price("7", valid_from="2026-01-01"), "b": price("4", valid_from="2026-11-01", valid_to="2026-11-30")},
            "b",
            "4",
            "the price for everybody",
        ),
    ],
)
def test_the_most_particular_price_counts(prices: dict[str, Price], source: str, amount: str, why: str) -> None:
    chosen = choose(ASKED, prices, LISTS, PRODUCT)
    assert (chosen.source, chosen.price, chosen.en) == (source, D(amount), why)
    assert chosen.zh


def test_a_list_says_whether_its_prices_include_tax() -> None:
    assert choose(ASKED, {"a": LISTED}, LISTS).tax_included is True
    assert choose(ASKED, {"a": price("6", price_list="price_list:1", tax_included=False)}, LISTS).tax_included is False
    assert choose(ASKED, {"a": EVERYBODY}, LISTS).tax_included is None


@pytest.mark.parametrize(
    ("quantity", "amount", "tier"), [("9", "5", None), ("10", "4", "10"), ("99", "4", "10"), ("100", "3", "100")]
)
def test_tiers(quantity: str, amount: str, tier: str | None) -> None:
    tiers = {"tiers.a.quantity": "10", "tiers.a.price": "4", "tiers.b.quantity": "100", "tiers.b.price": "3"}
    asked = Asked("product:1", D(quantity), None, "currency:1", ASKED.day)
    chosen = choose(asked, {"a": price("5", **tiers)}, {})
    assert (chosen.price, chosen.tier) == (D(amount), tier and D(tier))
    if tier:
        assert f"from {tier} on" in chosen.en and f"{tier} 起" in chosen.zh


def test_an_earlier_list_goes_before_a_later_one() -> None:
    prices = {"a": price("6", price_list="price_list:1"), "b": price("5", price_list="price_list:2")}
    for lists, amount in ((("price_list:2", "price_list:1"), 5), (("price_list:1", "price_list:2"), 6)):
        asked = Asked("product:1", D(1), None, "currency:1", ASKED.day, None, lists)
        assert choose(asked, prices, LISTS).price == amount


def test_two_equally_particular_prices_are_told() -> None:
    with pytest.raises(CannotReckon) as raised:
        choose(ASKED, {"price:1": EVERYBODY, "price:2": price("8")}, LISTS)
    problem = raised.value.problem
    assert problem.code == "PRICE_CLASH"
    assert all(word in problem.en for word in ("7", "8", "price:1", "price:2"))
    with pytest.raises(CannotReckon):
        choose(ASKED, {"a": EVERYBODY, "b": price("7", tax_included=True)}, LISTS)
    assert choose(ASKED, {"a": EVERYBODY, "b": EVERYBODY}, LISTS).price == 7


def test_no_price_says_what_there_is_instead() -> None:
    with pytest.raises(CannotReckon, match="1 of it are for others") as raised:
        choose(ASKED, {"a": price("1", currency="currency:2")}, LISTS)
    assert raised.value.problem.code == "NO_PRICE" and "另有 1 条" in raised.value.problem.zh
    with pytest.raises(CannotReckon, match="no price for product:1 on 2026-11-22"):
        choose(ASKED, {"a": price(None)}, LISTS, Product.from_fields({"list_price": "9", "currency": "currency:2"}))


@given(st.permutations([("a", EVERYBODY), ("b", LISTED), ("c", OWN), ("d", price("1", account="account:8"))]))
def test_the_order_of_the_prices_does_not_matter(prices: list[tuple[str, Price]]) -> None:
    assert choose(ASKED, dict(prices), LISTS, PRODUCT).source == "c"
