"""What documents amount to: worked examples, and what holds for every document and every rule."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base.money import minor_units
from datong.reckoning import Discount, Item, Rules, price_with_tax, price_without_tax, reckon
from datong.reckoning.amounts import OddCent
from datong.reckoning.exact import summed

D = Decimal


def told(amounts: Any) -> tuple[str, str, str]:
    return str(amounts.net), str(amounts.tax), str(amounts.total)


def item(quantity: str, price: str, rate: str | None = "13", discount: str = "0", free: str | None = None) -> Item:
    return Item(D(quantity), D(price), None if rate is None else D(rate), D(discount), free)


@pytest.mark.parametrize("currency", ["CNY", "KWD"])
@pytest.mark.parametrize("tax", ["line", "document"])
@pytest.mark.parametrize("included", [True, False])
def test_three_times_a_tenth_is_three_tenths(currency: str, tax: Any, included: bool) -> None:
    three = reckon([item("1", "0.1", "0")] * 3, Rules(tax=tax), currency, tax_included=included)
    once = reckon([item("3", "0.1", "0")], Rules(tax=tax), currency, tax_included=included)
    assert three.document.total == once.document.total == D("0.3")


def test_the_yen_has_no_cents_and_the_dinar_three_places() -> None:
    """10 % on 333 yen; one third of a dinar."""
    assert told(reckon([item("1", "333", "10")], Rules(), "JPY").document) == ("333", "33", "366")
    assert told(reckon([item("3", "33.3", "10")], Rules(), "JPY").document) == ("100", "10", "110")
    assert told(reckon([item("1", "0.333333", "5")], Rules(), "KWD").document) == ("0.333", "0.017", "0.350")


def test_a_price_without_tax() -> None:
    """未税: 3 × 12.5 less 5 % = 35.625, 13 % of 35.63 = 4.6319."""
    assert told(reckon([item("3", "12.5", discount="5")], Rules(), "CNY").document) == ("35.63", "4.63", "40.26")


def test_a_price_with_tax() -> None:
    """含税: 100 holds 100 × 13 / 113 = 11.504... of tax."""
    with_tax = reckon([item("1", "100")], Rules(), "CNY", tax_included=True)
    assert told(with_tax.document) == ("88.50", "11.50", "100.00")


def test_yonyous_own_sample_row() -> None:
    """oriSum 1, taxRate 13, oriTax 0.115, oriMoney 0.885, kept with three places there: as if paid in dinars."""
    assert told(reckon([item("1", "1")], Rules(), "KWD", tax_included=True).document) == ("0.885", "0.115", "1.000")


def test_net_and_tax_always_make_up_a_total_that_is_told() -> None:
    """0.03 at 20 %: 0.005 of tax and 0.025 of net cannot both be rounded up."""
    assert told(reckon([item("1", "0.03", "20")], Rules(), "EUR", tax_included=True).document) == (
        "0.02",
        "0.01",
        "0.03",
    )


@pytest.mark.parametrize(
    ("odd_cent", "taxes", "own"),
    [
        ("last", ["4.33", "4.33", "4.34"], "0.00"),
        ("largest", ["4.34", "4.33", "4.33"], "0.00"),
        ("spread", ["4.34", "4.33", "4.33"], "0.00"),
        ("own", ["4.33", "4.33", "4.33"], "0.01"),
        ("none", ["4.33", "4.33", "4.33"], "0.00"),
    ],
)
def test_where_the_odd_cent_goes(odd_cent: OddCent, taxes: list[str], own: str) -> None:
    """尾差: three times 33.33 at 13 % is 4.33 each, together 99.99 × 13 % = 13.00."""
    sheet = reckon([item("1", "33.33")] * 3, Rules(tax="document", odd_cent=odd_cent), "CNY")
    assert told(sheet.document) == ("99.99", "13.00", "112.99")
    assert [str(line.tax) for line in sheet.lines] == taxes
    assert str(sheet.rounding.tax) == own


def test_with_prices_that_hold_the_tax_the_net_takes_the_odd_cent() -> None:
    """含税: 0.04 holds no cent of tax at 13 %, three times 0.04 hold one; what the customer pays does not change."""
    sheet = reckon([item("1", "0.04")] * 3, Rules(tax="document"), "CNY", tax_included=True)
    assert [told(line) for line in sheet.lines] == [("0.04", "0.00", "0.04")] * 2 + [("0.03", "0.01", "0.04")]


def test_the_odd_cent_never_falls_on_goods_given_away() -> None:
    gift = item("1", "9", free="gift")
    sheet = reckon([*[item("1", "33.33")] * 3, gift], Rules(tax="document"), "CNY")
    assert [str(line.tax) for line in sheet.lines] == ["4.33", "4.33", "4.34", "0.00"]


def test_tax_is_grouped_by_rate_and_exempt_is_not_zero() -> None:
    lines = [item("1", "100"), item("1", "50", "9"), item("1", "10", "0"), item("1", "7", None)]
    sheet = reckon(lines, Rules(tax="document"), "CNY")
    assert sheet.taxes == {D(13): D("13.00"), D(9): D("4.50"), D(0): D("0.00"), None: D("0.00")}
    assert told(sheet.document) == ("167.00", "17.50", "184.50")


def test_a_discount_before_tax_and_after_it() -> None:
    lines = [item("1", "100", discount="10")]
    before = reckon(lines, Rules(discount="before"), "CNY").document
    after = reckon(lines, Rules(discount="after"), "CNY").document
    assert (told(before), str(before.off)) == (("90.00", "11.70", "101.70"), "0.00")
    assert (told(after), str(after.off)) == (("100.00", "13.00", "101.70"), "11.30")


def test_a_discount_of_the_document_is_shared_by_the_lines() -> None:
    lines = [item("1", "100"), item("1", "50"), item("1", "50")]
    before = reckon(lines, Rules(odd_cent="last"), "CNY", discount=Discount(amount=D("9.99")))
    assert [str(line.net) for line in before.lines] == ["95.00", "47.50", "47.51"]
    assert str(before.document.net) == "190.01"
    after = reckon(lines, Rules(discount="after"), "CNY", discount=Discount(percent=D(5)))
    assert told(after.document) == ("200.00", "26.00", "214.70")
    assert str(after.document.off) == "11.30"


def test_lines_that_lower_the_document_take_no_part_in_its_discount() -> None:
    """A rebate that leaves nothing to pay: the discount still comes off what is sold."""
    lines = [item("1", "100"), item("1", "-100", free="rebate")]
    sheet = reckon(lines, Rules(), "CNY", discount=Discount(amount=D("10")))
    assert [str(line.net) for line in sheet.lines] == ["90.00", "-100.00"]


def test_what_is_not_said_is_neither_taxed_nor_discounted() -> None:
    assert told(reckon([Item(D(2), D("1.5"))], Rules(), "CNY").document) == ("3.00", "0.00", "3.00")


def test_a_discounted_price_may_be_rounded_first() -> None:
    """1,000 at 0.0333 less 5 %: 0.031635, or 0.0316 with prices of four places."""
    lines = [item("1000", "0.0333", "0", "5")]
    assert told(reckon(lines, Rules(price_places=4), "CNY").document)[0] == "31.64"
    assert told(reckon(lines, Rules(price_places=4, discounted="price"), "CNY").document)[0] == "31.60"


@pytest.mark.parametrize(
    ("free_goods", "amounts", "deemed"),
    [
        ("untaxed", ("0.00", "0.00", "0.00"), "0.00"),
        ("owed", ("0.00", "0.00", "0.00"), "26.00"),
        ("charged", ("0.00", "26.00", "26.00"), "0.00"),
    ],
)
@pytest.mark.parametrize("reason", ["gift", "rebate", "sample", "warranty"])
def test_goods_given_away(reason: str, free_goods: Any, amounts: tuple[str, str, str], deemed: str) -> None:
    """赠品: the customer gets 200 worth of goods for nothing; the tax on them may be due all the same (视同销售)."""
    sheet = reckon([item("2", "100", free=reason)], Rules(free_goods=free_goods), "CNY")
    assert (told(sheet.lines[0]), str(sheet.document.deemed)) == (amounts, deemed)


def test_money_given_back() -> None:
    """返利: a line with a negative price lowers what is taxed."""
    sheet = reckon([item("10", "100"), item("1", "-50", free="rebate")], Rules(), "CNY")
    assert told(sheet.document) == ("950.00", "123.50", "1073.50")


def test_a_credit_note_is_the_invoice_with_its_sign_turned() -> None:
    lines = [item("3", "12.5", discount="5"), item("7", "0.333", "9")]
    turned = [replace(one, quantity=-one.quantity) for one in lines]
    invoice, credit = (reckon(some, Rules(tax="document"), "CNY").document for some in (lines, turned))
    assert (credit.net, credit.tax, credit.total) == (-invoice.net, -invoice.tax, -invoice.total)


def test_the_other_price() -> None:
    rules = Rules(price_places=4)
    assert price_with_tax(D("88.4956"), D(13), rules) == D("100.0000")
    assert price_without_tax(D(100), D(13), rules) == D("88.4956")
    assert price_without_tax(D(100), None, rules) == D(100)


RULES = st.builds(
    Rules,
    tax=st.sampled_from(["line", "document"]),
    discount=st.sampled_from(["before", "after"]),
    discounted=st.sampled_from(["amount", "price"]),
    rounding=st.sampled_from(["half_up", "half_even", "down"]),
    price_places=st.integers(2, 6),
    odd_cent=st.sampled_from(get_args(OddCent)),
    free_goods=st.sampled_from(["untaxed", "owed", "charged"]),
)
RATES = st.sampled_from([D(r) for r in ("13", "9", "6", "3", "1", "0", "20")] + [None])
ITEMS = st.builds(
    Item,
    quantity=st.decimals(0, 10**5, places=3),
    price=st.decimals(0, 10**5, places=5),
    rate=RATES,
    discount=st.decimals(0, 100, places=2),
    free=st.sampled_from([None, None, None, "gift"]),
)
CURRENCIES = st.sampled_from(["CNY", "JPY", "KWD"])
DISCOUNTS = st.one_of(
    st.none(),
    st.builds(Discount, percent=st.decimals(0, 100, places=2)),
    st.builds(Discount, amount=st.decimals(0, 100, places=2)),
)


@given(st.lists(ITEMS, max_size=8), RULES, CURRENCIES, st.booleans(), DISCOUNTS)
def test_what_holds_for_every_document(
    items: list[Item], rules: Rules, currency: str, included: bool, discount: Discount | None
) -> None:
    sheet = reckon(items, rules, currency, tax_included=included, discount=discount)
    everything = [*sheet.lines, sheet.document, sheet.rounding]
    for one in everything:
        assert one.net + one.tax - one.off == one.total
        numbers = (one.net, one.tax, one.total, one.off, one.deemed)
        assert all(-number.as_tuple().exponent == minor_units(currency) for number in numbers)
    assert sum(sheet.taxes.values(), D(0)) == sheet.document.tax
    if rules.odd_cent != "none":
        for name in ("net", "tax", "total", "off", "deemed"):
            parts = summed(getattr(one, name) for one in (*sheet.lines, sheet.rounding))
            assert parts == getattr(sheet.document, name)
    for one, line in zip(items, sheet.lines, strict=True):
        assert one.rate is not None or line.tax == 0
        if one.free and rules.free_goods != "charged":
            assert (line.net, line.tax) == (0, 0)


@given(st.lists(ITEMS, min_size=1, max_size=8), RULES, CURRENCIES, st.booleans())
def test_the_document_does_not_depend_on_where_the_odd_cent_goes(
    items: list[Item], rules: Rules, currency: str, included: bool
) -> None:
    told_by = {
        place: reckon(items, replace(rules, odd_cent=place, discount="before"), currency, tax_included=included)
        for place in get_args(OddCent)
    }
    assert len({sheet.document for sheet in told_by.values()}) == 1


@given(st.lists(ITEMS, max_size=6), RULES, CURRENCIES, st.booleans())
def test_prices_with_tax_keep_their_totals(items: list[Item], rules: Rules, currency: str, odd: bool) -> None:
    """However the tax is taken out, the customer pays quantity times price."""
    plainly = [replace(one, discount=D(0), free=None) for one in items]
    sheet = reckon(plainly, rules, currency, tax_included=True)
    bare = reckon([replace(one, rate=None) for one in plainly], rules, currency, tax_included=odd)
    if rules.odd_cent != "none" and rules.odd_cent != "own":
        assert [line.total for line in sheet.lines] == [line.total for line in bare.lines]
    assert sheet.document.total == bare.document.total


@given(st.decimals(0, 10**6, places=2), RATES, st.integers(4, 8))
def test_a_price_survives_its_way_through_the_other_form(price: Decimal, rate: Decimal | None, places: int) -> None:
    rules = Rules(price_places=places)
    back = price_with_tax(price_without_tax(price, rate, rules), rate, rules)
    assert abs(back - price) <= D(2).scaleb(-places)
