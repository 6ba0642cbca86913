"""Rates of a day: of tax and between currencies."""

from datetime import date as Day
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base.money import Money, minor_units
from datong.canon import ExchangeRate, TaxCode
from datong.reckoning import CHINA, CannotReckon, Exchange, Rates, Taxes, TaxRate, converted

D = Decimal
USD = [
    Exchange("USD", "CNY", Day(2026, 11, 1), D("7.1")),
    Exchange("USD", "CNY", Day(2026, 11, 15), D("7.2")),
    Exchange("USD", "JPY", Day(2026, 11, 10), D("150")),
]


def test_the_latest_rate_that_is_not_after_the_day() -> None:
    rates = Rates(reversed(USD))
    assert [(str(u.rate), u.day) for u in (rates.find("USD", "CNY", Day(2026, 11, d)) for d in (1, 14, 15, 30))] == [
        ("7.1", Day(2026, 11, 1)),
        ("7.1", Day(2026, 11, 1)),
        ("7.2", Day(2026, 11, 15)),
        ("7.2", Day(2026, 11, 15)),
    ]


@pytest.mark.parametrize(
    ("source", "target", "day"),
    [("USD", "CNY", Day(2026, 10, 31)), ("CNY", "USD", Day(2026, 11, 30)), ("CNY", "JPY", Day(2026, 11, 30))],
)
def test_a_missing_rate_names_pair_and_day_and_nothing_is_made_unasked(source: str, target: str, day: Day) -> None:
    with pytest.raises(CannotReckon, match=f"from {source} to {target} on {day}") as raised:
        Rates(USD).find(source, target, day)
    assert raised.value.problem.code == "NO_RATE"
    assert f"{source} 兑 {target}" in raised.value.problem.zh


def test_upside_down_and_over_a_third_currency_by_setting() -> None:
    rates = Rates(USD, through="USD", inverse=True)
    assert str(rates.find("CNY", "USD", Day(2026, 11, 20)).rate) == "0.138888888889"
    tied = rates.find("CNY", "JPY", Day(2026, 11, 20))
    assert (str(tied.rate), tied.day, tied.through) == ("20.83333333335", Day(2026, 11, 10), "USD")
    with pytest.raises(CannotReckon):
        Rates(USD, through="USD").find("CNY", "JPY", Day(2026, 11, 20))


def test_the_newer_of_a_rate_and_its_opposite_counts() -> None:
    rates = Rates([*USD, Exchange("CNY", "USD", Day(2026, 11, 20), D("0.125"))], inverse=True)
    assert str(rates.find("USD", "CNY", Day(2026, 11, 19)).rate) == "7.2"
    assert str(rates.find("USD", "CNY", Day(2026, 11, 20)).rate) == "8"


def test_amounts_are_rounded_once_to_what_the_target_pays() -> None:
    rates = Rates(USD)
    money, used = rates.convert(Money(D("0.05"), "USD"), "CNY", Day(2026, 11, 15))
    assert (str(money), str(used.rate), used.day) == ("0.36 CNY", "7.2", Day(2026, 11, 15))
    assert str(rates.convert(Money(D("0.333"), "USD"), "JPY", Day(2026, 11, 15))[0]) == "50 JPY"
    same, kept = rates.convert(Money(D("1.23"), "CNY"), "CNY", Day(2026, 1, 1))
    assert (str(same), str(kept.rate)) == ("1.23 CNY", "1")


@given(st.decimals("0.000001", 10**6, places=6), st.decimals(-(10**9), 10**9, places=2), st.booleans())
def test_the_kept_rate_gives_the_same_amount_again(rate: Decimal, amount: Decimal, turned: bool) -> None:
    pair = ("EUR", "KWD")
    rates = Rates([Exchange(*(pair[::-1] if turned else pair), Day(2026, 1, 1), rate)], inverse=True)
    money, used = rates.convert(Money(amount, "EUR"), "KWD", Day(2026, 6, 1))
    assert converted(Money(amount, "EUR"), used, "KWD") == money
    exactly = Fraction(amount) * Fraction(used.rate)
    assert abs(Fraction(money.amount) - exactly) * 10 ** minor_units("KWD") <= Fraction(1, 2)
    true = 1 / Fraction(rate) if turned else Fraction(rate)
    assert abs(Fraction(used.rate) / true - 1) < Fraction(1, 10**11)


def test_rates_from_records() -> None:
    stored = {"currency": "currency:2", "to": "currency:1", "date": "2026-11-22", "rate": "7.1023"}
    rates = Rates.of(
        [ExchangeRate.from_fields(stored), ExchangeRate.from_fields({**stored, "rate": None})],
        {"currency:1": "CNY", "currency:2": "USD"},
    )
    assert rates.find("USD", "CNY", Day(2026, 11, 22)).rate == D("7.1023")


@pytest.mark.parametrize("rate", ["0", "-1"])
def test_a_rate_of_nothing_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        Rates([Exchange("USD", "CNY", Day(2026, 1, 1), D(rate))])


@pytest.mark.parametrize(
    ("code", "day", "rate"),
    [
        ("CN13", Day(2018, 4, 30), "17"),
        ("CN13", Day(2018, 5, 1), "16"),
        ("CN13", Day(2019, 3, 31), "16"),
        ("CN13", Day(2019, 4, 1), "13"),
        ("CN9", Day(2018, 4, 30), "11"),
        ("CN9", Day(2019, 4, 1), "9"),
        ("CN6", Day(2026, 1, 1), "6"),
        ("CN3", Day(2026, 1, 1), "3"),
        ("CN1", Day(2027, 12, 31), "1"),
        ("CN0", Day(2026, 1, 1), "0"),
    ],
)
def test_chinese_rates_by_day(code: str, day: Day, rate: str) -> None:
    assert CHINA.on(code, day).rate == D(rate)


def test_exempt_is_not_zero_and_not_outside() -> None:
    day = Day(2026, 11, 22)
    assert [CHINA.on(code, day).treatment for code in ("CN0", "CN-exempt", "CN-outside")] == [
        "taxed",
        "exempt",
        "not_taxable",
    ]
    assert CHINA.on("CN-exempt", day).rate is None


@pytest.mark.parametrize(
    ("code", "day", "problem"),
    [
        ("CN17", Day(2026, 1, 1), "UNKNOWN_TAX_CODE"),
        ("CN1", Day(2022, 12, 31), "NO_TAX_RATE"),
        ("CN1", Day(2028, 1, 1), "NO_TAX_RATE"),
    ],
)
def test_no_such_code_and_no_rate_that_day_are_two_things(code: str, day: Day, problem: str) -> None:
    with pytest.raises(CannotReckon) as raised:
        CHINA.on(code, day)
    assert raised.value.problem.code == problem


def test_codes_from_records() -> None:
    records = {
        "tax_code:1": TaxCode.from_fields({"code": "VAT13", "rate": "13", "valid_from": "2019-04-01"}),
        "tax_code:2": TaxCode.from_fields({"code": "FREE"}),
        "tax_code:3": TaxCode.from_fields({"code": "OUT"}),
    }
    taxes = Taxes.of(records, {"OUT": "not_taxable"})
    day = Day(2026, 11, 22)
    assert [taxes.on(f"tax_code:{n}", day).treatment for n in (1, 2, 3)] == ["taxed", "exempt", "not_taxable"]
    assert "tax_code:1" in taxes and "tax_code:4" not in taxes
    with pytest.raises(CannotReckon, match="no rate on 2019-03-31"):
        taxes.on("tax_code:1", Day(2019, 3, 31))


@given(st.integers(0, 400), st.sets(st.integers(0, 400), min_size=1))
def test_the_rate_that_began_last_holds(asked: int, starts: set[int]) -> None:
    first = Day(2026, 1, 1)
    taxes = Taxes(TaxRate("x", D(at), "taxed", first + timedelta(at)) for at in starts)
    begun = [at for at in starts if at <= asked]
    if begun:
        assert taxes.on("x", first + timedelta(asked)).rate == max(begun)
    else:
        with pytest.raises(CannotReckon):
            taxes.on("x", first + timedelta(asked))
