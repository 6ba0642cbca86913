"""Money is exact: nothing is a float on the way, nothing is rounded unless it was asked for."""

from __future__ import annotations

import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base.money import Money, Quantity, decimal, minor_units, plain, round_to, shifted

numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e60", max_value="1e60")


def test_three_times_a_tenth() -> None:
    tenth = Money(decimal(0.1), "CNY")
    assert tenth + tenth + tenth == Money.parse("0.3 CNY")


@pytest.mark.parametrize(
    ("currency", "given", "paid"),
    [
        ("CNY", "1.005", "1.01 CNY"),
        ("CNY", "-1.005", "-1.01 CNY"),
        ("CNY", "1.00499", "1 CNY"),
        ("JPY", "100.5", "101 JPY"),
        ("JPY", "-0.4", "0 JPY"),
        ("KWD", "1.2345", "1.235 KWD"),
        ("CLF", "1.00005", "1.0001 CLF"),
        ("EUR", "12345678901234567890123456789.005", "12345678901234567890123456789.01 EUR"),
    ],
)
def test_what_can_be_paid(currency: str, given: str, paid: str) -> None:
    assert str(Money(decimal(given), currency).rounded()) == paid


def test_minor_units() -> None:
    assert [minor_units(c) for c in ("CNY", "USD", "JPY", "KRW", "KWD", "TND", "UYW")] == [2, 2, 0, 0, 3, 3, 4]


@pytest.mark.parametrize(
    "bad",
    [
        "NaN",
        "sNaN",
        "-nan",
        "Infinity",
        "-inf",
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("-Infinity"),
        True,
        False,
        "",
        "  ",
        "1,000",
        "1 000",
        "1_000",
        "12元",
        "¥12",
        "一百",
        "0x10",
        "1e",
        "１，０００",
        "1e400",
        "1e1000000",
        "1e999999999999",
        "1e99999999999999999999999",
        "1e-1000000",
        Decimal("1E+1000000"),
        10**4000,
    ],
)
def test_is_no_number(bad: object) -> None:
    sys.set_int_max_str_digits(0)
    with pytest.raises(ValueError) as raised:
        decimal(bad)  # type: ignore[arg-type]
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (" 12.50 ", "12.5"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("1E+3", "1000"),
        ("1e-7", "0.0000001"),
        ("0E+1000000", "0"),
        ("0E-1000000", "0"),
        ("１２３.４５", "123.45"),
        ("٣", "3"),
        ("+5", "5"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000"),
        (100, "100"),
        ("000123", "123"),
        ("12345678901234567890123456789012345.678901234567890", "12345678901234567890123456789012345.67890123456789"),
    ],
)
def test_the_one_text_of_a_number(told: str | float, text: str) -> None:
    assert plain(decimal(told)) == text


def test_a_giant_exponent_fills_no_memory() -> None:
    for giant in (Decimal("1E+1000000"), Decimal("1E+999999999"), Decimal("-1E+200"), Decimal("1E-999999999")):
        with pytest.raises(ValueError):
            plain(giant)
        with pytest.raises(ValueError):
            str(Money(giant, "CNY"))


@given(numbers)
def test_the_plain_text_is_the_number(number: Decimal) -> None:
    text = plain(number)
    assert decimal(text) == number
    assert plain(decimal(text)) == text
    assert "e" not in text.lower() and text != "-0"
    assert "." not in text or not text.endswith(("0", "."))


@given(numbers, numbers)
def test_equal_numbers_have_one_text(one: Decimal, other: Decimal) -> None:
    assert (plain(one) == plain(other)) == (one == other)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e90, max_value=1e90))
def test_a_float_is_read_by_its_shortest_text(number: float) -> None:
    if number and abs(number) < 1e-90:
        return
    assert float(plain(decimal(number))) == number


@given(numbers, st.sampled_from([0, 2, 3, 4, 6]))
def test_rounding_is_half_up_and_near(number: Decimal, places: int) -> None:
    rounded = round_to(number, places)
    assert decimal(plain(rounded)) == rounded
    assert abs(decimal(plain(rounded)) - number) <= shifted(Decimal("0.5"), -places)
    assert round_to(rounded, places) == rounded
    assert round_to(-number, places) == -rounded


@given(numbers)
def test_shifting_is_exact(number: Decimal) -> None:
    assert shifted(shifted(number, 2), -2) == number


@given(st.lists(numbers, max_size=20))
def test_the_order_of_adding_changes_nothing(amounts: list[Decimal]) -> None:
    total, back = Money(Decimal(0), "CNY"), Money(Decimal(0), "CNY")
    for one in amounts:
        total += Money(one, "CNY")
    for one in reversed(amounts):
        back += Money(one, "CNY")
    assert total == back


@given(numbers, st.sampled_from(["CNY", "JPY", "KWD"]))
def test_money_there_and_back(number: Decimal, currency: str) -> None:
    money = Money(number, currency)
    assert Money.parse(str(money)) == money
    assert hash(Money.parse(str(money))) == hash(money)


@pytest.mark.parametrize(
    "text", ["100", "100 ", "CNY 100", "100 cny", "100 CNY CNY", "100  CNY", "100 人民币", "", "x CNY"]
)
def test_money_needs_number_and_currency(text: str) -> None:
    with pytest.raises(ValueError):
        Money.parse(text)


def test_currencies_do_not_mix() -> None:
    cny, usd = Money.parse("2 CNY"), Money.parse("1 USD")
    with pytest.raises(ValueError, match="USD"):
        cny + usd
    for compare in (lambda: usd < cny, lambda: usd > cny, lambda: usd <= cny, lambda: max(cny, usd)):
        with pytest.raises(ValueError, match="compare"):
            compare()
    assert cny != usd
    assert max(cny, Money.parse("10 CNY")) == Money.parse("10 CNY")
    assert Money.parse("2.0 CNY") == cny


def test_a_quantity_shows_its_unit() -> None:
    assert str(Quantity(Decimal("1.50"), "箱")) == "1.5 箱"
