"""Amounts in words, as they stand on statements and cheques: 大写金额, and in English.

The Chinese form follows the rules for bank bills (正确填写票据和结算凭证的基本规定): zeros within are told once,
整 ends an amount without 分. Where the rules leave a choice no 零 is written.
"""

from __future__ import annotations

from decimal import Decimal

from datong.base.money import minor_units
from datong.reckoning.exact import units

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_WITHIN = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")
_PARTS = {0: "", 2: "角分", 3: "角分厘", 4: "角分厘毫"}
_NAMES = {
    "CNY": "人民币",
    "USD": "美元",
    "EUR": "欧元",
    "JPY": "日元",
    "HKD": "港币",
    "GBP": "英镑",
    "TWD": "新台币",
    "KRW": "韩元",
    "SGD": "新加坡元",
    "AUD": "澳元",
    "CAD": "加元",
    "CHF": "瑞士法郎",
}
_SMALL: tuple[str, ...] = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_TEENS = ("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_ONES = _SMALL + _TEENS
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_THOUSANDS = ("", " thousand", " million", " billion", " trillion", " quadrillion")
_MOST = 10**16


def in_chinese(number: Decimal, currency: str) -> str:
    """人民币壹仟陆佰捌拾元叁角贰分. Rounded to what can be paid. Raises ValueError from 10^16 on."""
    whole, rest, places = _cut(number, currency)
    told = f"{_integer(whole)}元" if whole or not rest else ""
    digits = [int(one) for one in str(rest).zfill(places)] if places else []
    zero = False
    for digit, part in zip(digits, _PARTS[places], strict=True):
        if digit:
            told += ("零" if zero and told else "") + _DIGITS[digit] + part
        zero = not digit
    if not digits or not digits[-1]:
        told += "整"
    name = _NAMES.get(currency, f"{currency} ")
    return f"{name}{'负' if number < 0 and (whole or rest) else ''}{told}"


def in_english(number: Decimal, currency: str) -> str:
    """CNY one thousand six hundred eighty and 32/100. Rounded to what can be paid. Raises ValueError from 10^16 on."""
    whole, rest, places = _cut(number, currency)
    groups: list[str] = []
    for name in _THOUSANDS:
        whole, part = divmod(whole, 1000)
        if part:
            groups.insert(0, _hundreds(part) + name)
    minus = "minus " if number < 0 and (groups or rest) else ""
    cents = f" and {str(rest).zfill(places)}/{10**places}" if places else ""
    return f"{currency} {minus}{' '.join(groups) or 'zero'}{cents}"


def _cut(number: Decimal, currency: str) -> tuple[int, int, int]:
    """Whole units, smallest units beside them, and how many decimals these are."""
    places = minor_units(currency)
    whole, rest = divmod(abs(units(number, places)), 10**places)
    if whole >= _MOST:
        raise ValueError(f"{number} is too large for words")
    return whole, rest, places


def _integer(whole: int) -> str:
    if not whole:
        return _DIGITS[0]
    told, above, gap = "", False, False
    for at in range(len(_GROUPS) - 1, -1, -1):
        group = whole // 10 ** (4 * at) % 10_000
        if group:
            told += ("零" if above and (gap or group < 1000) else "") + _four(group) + _GROUPS[at]
            above, gap = True, False
        else:
            gap = above
    return told.replace("万亿", "万", 1) if whole // 10**12 and whole // 10**8 % 10_000 else told


def _four(group: int) -> str:
    """One to four digits: 1001 is 壹仟零壹."""
    told, zero = "", False
    for at in range(3, -1, -1):
        digit = group // 10**at % 10
        if digit:
            told += ("零" if zero and told else "") + _DIGITS[digit] + _WITHIN[at]
        zero = not digit
    return told


def _hundreds(part: int) -> str:
    hundreds, rest = divmod(part, 100)
    told = [f"{_ONES[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        tens, ones = divmod(rest, 10)
        told.append(_TENS[tens] + (f"-{_ONES[ones]}" if ones else ""))
    elif rest:
        told.append(_ONES[rest])
    return " ".join(told)
