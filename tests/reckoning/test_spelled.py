"""Amounts in words, against the examples of the rules for bank bills and a reader of our own."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datong.reckoning.spelled import in_chinese, in_english

CHINESE = {
    "0": "人民币零元整",
    "0.05": "人民币伍分",
    "0.50": "人民币伍角整",
    "10.05": "人民币壹拾元零伍分",
    "1409.50": "人民币壹仟肆佰零玖元伍角整",
    "6007.14": "人民币陆仟零柒元壹角肆分",
    "1680.32": "人民币壹仟陆佰捌拾元叁角贰分",
    "107000.53": "人民币壹拾万柒仟元伍角叁分",
    "16409.02": "人民币壹万陆仟肆佰零玖元零贰分",
    "325.04": "人民币叁佰贰拾伍元零肆分",
    "100000": "人民币壹拾万元整",
    "1000100": "人民币壹佰万零壹佰元整",
    "100000001": "人民币壹亿零壹元整",
    "1000000000000": "人民币壹万亿元整",
    "1234567890123.45": "人民币壹万贰仟叁佰肆拾伍亿陆仟柒佰捌拾玖万零壹佰贰拾叁元肆角伍分",
    "-12.3": "人民币负壹拾贰元叁角整",
    "-0.001": "人民币零元整",
}


@pytest.mark.parametrize(("number", "words"), CHINESE.items())
def test_in_chinese(number: str, words: str) -> None:
    assert in_chinese(Decimal(number), "CNY") == words


@pytest.mark.parametrize(
    ("number", "currency", "words"),
    [
        ("1680.32", "CNY", "CNY one thousand six hundred eighty and 32/100"),
        ("0", "USD", "USD zero and 00/100"),
        ("1000019.5", "EUR", "EUR one million nineteen and 50/100"),
        ("-21", "JPY", "JPY minus twenty-one"),
        ("5.125", "KWD", "KWD five and 125/1000"),
    ],
)
def test_in_english(number: str, currency: str, words: str) -> None:
    assert in_english(Decimal(number), currency) == words


def test_other_currencies_have_their_name_and_their_decimals() -> None:
    assert in_chinese(Decimal("1200"), "JPY") == "日元壹仟贰佰元整"
    assert in_chinese(Decimal("1.005"), "KWD") == "KWD 壹元零伍厘"
    with pytest.raises(ValueError, match="too large"):
        in_chinese(Decimal(10**16), "CNY")


def read(words: str) -> int:
    """Cents, read back by the values of the characters."""
    text = words.removeprefix("人民币").removesuffix("整")
    sign, text = (-1, text[1:]) if text.startswith("负") else (1, text)
    yuan, _, parts = text.partition("元") if "元" in text else ("", "", text)
    digits = {char: at for at, char in enumerate("零壹贰叁肆伍陆柒捌玖")}
    total = section = number = 0
    for char in yuan:
        if char in digits:
            number = digits[char]
        elif char in "拾佰仟":
            section, number = section + number * 10 ** ("拾佰仟".index(char) + 1), 0
        elif char == "万":
            total, section, number = total + (section + number) * 10**4, 0, 0
        else:  # 亿: of all that was told before it
            total, section, number = (total + section + number) * 10**8, 0, 0
    cents = 100 * (total + section + number)
    for char, worth in (("角", 10), ("分", 1)):
        if char in parts:
            cents += digits[parts[parts.index(char) - 1]] * worth
    return sign * cents


@settings(deadline=None)
@given(st.integers(-(10**16), 10**16))
def test_what_is_written_can_be_read(cents: int) -> None:
    told = in_chinese(Decimal(cents).scaleb(-2), "CNY")
    assert read(told) == cents
    assert "零零" not in told and not told.endswith("零")
