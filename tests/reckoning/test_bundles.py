"""Bundles taken apart: the money stays the same to the cent."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datong.base.money import plain
from datong.canon import Order, OrderLine
from datong.reckoning import CannotReckon, Item, Rules, Taxes, TaxRate, check, outcome, reckon
from datong.reckoning.bundles import Component, explode
from datong.reckoning.exact import summed

D = Decimal


def line(quantity: str = "1", price: str | None = "100", **more: Any) -> OrderLine:
    told = {"product": "product:14", "position": "10", "quantity": quantity, "price": price, "tax_rate": "13", **more}
    return Order.from_fields({f"lines.x.{name}": value for name, value in told.items()}).lines["x"]


def parts(*prices: str, quantity: str = "1", rate: str | None = None) -> list[Component]:
    return [
        Component(f"product:{n}", D(quantity), D(price), tax_rate=None if rate is None else D(rate))
        for n, price in enumerate(prices, 1)
    ]


def test_a_set_of_three_shares_its_price_by_what_each_costs_alone() -> None:
    made = explode(line(discount="10", tax_rate="0"), parts("60", "30", "30"), Rules(), "CNY")
    assert [(one.product, one.bundle, str(one.position), str(one.net)) for one in made] == [
        ("product:1", "product:14", "10.01", "45.00"),
        ("product:2", "product:14", "10.02", "22.50"),
        ("product:3", "product:14", "10.03", "22.50"),
    ]
    assert all(isinstance(one, OrderLine) for one in made)


def test_the_odd_cent_is_placed_and_the_tax_comes_out_even() -> None:
    """13 % of 33.33, 33.33 and 33.34 are 4.33 each, a cent less than 13 % of 100: a cent moves to where it tells."""
    plainly = explode(line(tax_rate="0"), parts("1", "1", "1"), Rules(), "CNY")
    assert [str(one.net) for one in plainly] == ["33.34", "33.33", "33.33"]
    taxed = explode(line(), parts("1", "1", "1"), Rules(), "CNY")
    assert [(str(one.net), str(one.tax)) for one in taxed] == [
        ("33.35", "4.34"),
        ("33.32", "4.33"),
        ("33.33", "4.33"),
    ]


def test_a_price_that_cannot_hold_its_amount_leaves_one_piece_to_itself() -> None:
    made = explode(line(), parts("1", quantity="3"), Rules(price_places=2), "CNY")
    assert [(str(one.quantity), str(one.price), str(one.net)) for one in made] == [
        ("2", "33.33", "66.66"),
        ("1", "33.34", "33.34"),
    ]


def test_components_with_rates_of_their_own() -> None:
    made = explode(line(price="200"), [*parts("1", rate="13"), *parts("1", rate="6")], Rules(), "CNY")
    assert [(str(one.net), str(one.tax)) for one in made] == [("100.00", "13.00"), ("100.00", "6.00")]


def test_a_line_whose_rate_only_its_code_tells_keeps_the_code_and_tells_no_tax() -> None:
    made = explode(line(tax_rate=None, tax_code="tax_code:2"), parts("1", "1"), Rules(), "CNY")
    assert [(one.tax_code, str(one.net), one.tax, one.total) for one in made] == [
        ("tax_code:2", "50.00", None, None)
    ] * 2
    exempt = Taxes([TaxRate("tax_code:2", None, "exempt")])
    document = Order.model_construct(lines={str(n): one for n, one in enumerate(made)}, tax_included=False)
    found = outcome(document, Rules(), "CNY", taxes=exempt)
    assert found is not None and str(found.whole.document.total) == "100.00"


def test_a_bundle_that_is_given_away_stays_given_away() -> None:
    made = explode(line("2", "100", free="gift"), parts("60", "40", quantity="3"), Rules(), "CNY")
    assert [(one.free, plain(one.quantity), plain(one.price)) for one in made if one.quantity and one.price] == [
        ("gift", "6", "60"),
        ("gift", "6", "40"),
    ]


@pytest.mark.parametrize(
    ("bundle", "components", "code"),
    [
        (line(quantity="0"), parts("1"), "BUNDLE_INCOMPLETE"),
        (line(price=None), parts("1"), "BUNDLE_INCOMPLETE"),
        (line(), [], "BUNDLE_INCOMPLETE"),
        (line(), parts("0", "0"), "BUNDLE_WITHOUT_WORTH"),
        (line(), parts("1", "-1"), "BUNDLE_WITHOUT_WORTH"),
    ],
)
def test_what_cannot_be_taken_apart(bundle: OrderLine, components: list[Component], code: str) -> None:
    with pytest.raises(CannotReckon) as raised:
        explode(bundle, components, Rules(), "CNY")
    assert raised.value.problem.code == code


COMPONENTS = st.lists(
    st.builds(
        Component,
        product=st.just("product:1"),
        quantity=st.integers(1, 20).map(D),
        list_price=st.decimals(1, 10**4, places=2),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60)
@given(
    COMPONENTS,
    st.integers(1, 200),
    st.decimals(1, 10**4, places=2),
    st.decimals(0, 50, places=1),
    st.sampled_from(["13", "9", "6", "0"]),
    st.sampled_from(["CNY", "JPY", "KWD"]),
    st.booleans(),
)
def test_the_money_is_the_same(
    components: list[Component], quantity: int, price: D, discount: D, rate: str, currency: str, included: bool
) -> None:
    rules = Rules()
    bundle = line(str(quantity), plain(price), discount=plain(discount), tax_rate=rate)
    whole = reckon([Item(D(quantity), price, D(rate), discount)], rules, currency, tax_included=included).document
    made = explode(bundle, components, rules, currency, tax_included=included)
    for name in ("net", "tax", "total"):
        assert summed(getattr(one, name) for one in made) == getattr(whole, name)
    document = Order.model_construct(lines={str(n): one for n, one in enumerate(made)}, tax_included=included)
    base = "total" if included else "net"
    assert [one for one in check(document, rules, currency) if one.line and one.field == base] == []


def test_a_document_with_an_exploded_bundle_passes_the_guard() -> None:
    for quantity in range(1, 40):
        made = explode(line(str(quantity), "99.99", discount="5"), parts("33", "33", "34"), Rules(), "CNY")
        whole = reckon([Item(D(quantity), D("99.99"), D(13), D(5))], Rules(), "CNY").document
        document = Order.model_construct(
            lines={str(n): one for n, one in enumerate(made)},
            tax_included=False,
            net=whole.net,
            tax=whole.tax,
            total=whole.total,
        )
        assert check(document, Rules(), "CNY") == []


@pytest.mark.parametrize("included", [True, False])
@pytest.mark.parametrize("rules", [Rules(tax="document"), Rules(discount="after"), Rules("document", "after")])
def test_what_the_document_decides_is_left_to_it(rules: Rules, included: bool) -> None:
    """Tax per document, a discount after tax: the lines tell what they can, and the customer pays the same."""
    bundle = line("3", "99.99", discount="5")
    made = explode(bundle, parts("33", "33", "34"), rules, "CNY", tax_included=included)
    document = Order.model_construct(lines={str(n): one for n, one in enumerate(made)}, tax_included=included)
    assert check(document, rules, "CNY") == []
    whole = reckon([Item(D(3), D("99.99"), D(13), D(5))], rules, "CNY", tax_included=included).document
    found = outcome(document, rules, "CNY")
    assert found is not None
    assert abs(found.whole.document.total - whole.total) <= (D("0.02") if rules.discount == "after" else 0)
