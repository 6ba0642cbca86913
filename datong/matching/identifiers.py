"""Tax identifiers and countries: which number is it, is it a number of that kind at all, and may it decide.

`tax_id` gives None for what is no identifier (empty, 无, N/A, 000000000000000): an empty value is never a key. A
value that fails its check digit is kept with `valid=False` and a reason: it may nominate a pair, never decide one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from datong.matching.normalise import fold, is_filler, plain

Kind = Literal["uscc", "old", "resident", "vat", "national"]

_SEPARATORS = re.compile(r"[\s\-‐‑‒–—./,_:·]+")
_USCC = re.compile(r"^[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}$")
_OLD = re.compile(r"^[1-8]\d{5}[0-9A-Z]{9}$")
_OLD_OWNER = re.compile(r"^\d{17}[\dX]\d{2}$")
_EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
_PREFIXES = {"EL": "GR", "XI": "GB"}
_CHINESE_COUNTRIES = {
    "中国": "CN",
    "中国大陆": "CN",
    "中华人民共和国": "CN",
    "香港": "HK",
    "中国香港": "HK",
    "澳门": "MO",
    "中国澳门": "MO",
    "台湾": "TW",
    "中国台湾": "TW",
    "德国": "DE",
    "法国": "FR",
    "日本": "JP",
    "美国": "US",
    "英国": "GB",
    "韩国": "KR",
}


@dataclass(frozen=True, slots=True)
class TaxId:
    """A tax identifier in its normal form.

    `kind`: uscc 统一社会信用代码 | old 纳税人识别号 of 15 or 20 places | resident 身份证 of a person | vat a number
    its country's check accepts | national anything a country may use that no check is known for. `organisation` is
    the organisation code that an old number and a uscc of one party share."""

    value: str
    kind: Kind
    country: str = ""
    valid: bool = True
    reason: str = ""
    organisation: str = ""


def country_code(value: Any) -> str:
    """ISO 3166 alpha-2 of a code or a name (CN, chn, China, 中国); a text nobody knows stays, upper case."""
    return _country_code(value) if isinstance(value, str) else _country_code(plain(value))


@lru_cache(maxsize=1024)
def _country_code(value: str) -> str:
    text = fold(plain(value)).strip().upper()
    if len(text) == 2 and text.isascii() and text.isalpha():
        return {"UK": "GB", "EL": "GR"}.get(text, text)
    if not text or text in _CHINESE_COUNTRIES:
        return _CHINESE_COUNTRIES.get(text, "")
    import pycountry

    try:
        return str(pycountry.countries.lookup(text).alpha_2)
    except LookupError:
        return text


def tax_id(value: Any, country: Any = "", *, person: bool = False) -> TaxId | None:
    """The tax identifier in `value`, or None for a blank or a filler.

    Without a country, a valid uscc, a valid old number or an EU VAT number with its prefix says its country itself.
    Only a person may be known by a resident identity number.

    >>> tax_id("9111 0000 6000 3734 1l").kind
    'uscc'
    """
    text = _SEPARATORS.sub("", fold(plain(value))).upper()
    digits = text.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if is_filler(text) or (digits and is_filler(digits)):
        return None
    return _tax_id(text, country_code(country), person)


@lru_cache(maxsize=8192)
def _tax_id(text: str, country: str, person: bool) -> TaxId:
    if country in ("", "CN") and (found := _chinese(text, country, person)):
        return found
    prefix = text[:2]
    implied = _PREFIXES.get(prefix, prefix)
    if not country and prefix != "XI" and implied not in _EU:
        return _national(text, "")
    if not country or (implied == country and text[2:3].isalnum() and prefix.isalpha()):
        if number := _checked(implied, text, prefix if prefix in _PREFIXES else implied):
            return TaxId(number, "vat", country or implied)
        return (
            _national(text, country)
            if not country
            else TaxId(text, "vat", country, False, f"fails the check of a {country} VAT number")
        )
    if number := _checked(country, text, "EL" if country == "GR" else country):
        return TaxId(number, "vat", country)
    return _national(text, country)


def _chinese(text: str, country: str, person: bool) -> TaxId | None:
    if len(text) == 18:
        from stdnum.cn import ric, uscc

        if person and ric.is_valid(text):
            return TaxId(text, "resident", "CN")
        if uscc.is_valid(text):
            return TaxId(text, "uscc", "CN", organisation=text[8:17])
        if ric.is_valid(text):
            return TaxId(text, "resident", "CN", False, "a resident identity number is the tax id of a person only")
        if country or _USCC.match(text):
            return TaxId(text, "uscc", "CN", False, "fails the check of a unified social credit code")
    if len(text) == 15 and _OLD.match(text) and (country or _organisation_check(text[6:])):
        return TaxId(text, "old", "CN", reason="number in use before 2015", organisation=text[6:])
    if len(text) == 20 and _OLD_OWNER.match(text) and country:
        return TaxId(text, "old", "CN", reason="number of a sole owner in use before 2015")
    if country:
        return TaxId(
            text, "national", "CN", False, f"a Chinese tax id has 18 places (formerly 15 or 20), this one {len(text)}"
        )
    return None


def _organisation_check(code: str) -> bool:
    """Whether the ninth place of an organisation code (GB 11714) checks its first eight."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(char, 36) for weight, char in zip(weights, code, strict=False))
    return code[8] == "0123456789X0"[11 - total % 11]


def _national(text: str, country: str) -> TaxId:
    where = country or "an unknown country"
    if len(text) < 5 or sum(char.isdigit() for char in text) < 4 or not text.isascii():
        return TaxId(text, "national", country, False, "too short for a tax id")
    return TaxId(text, "national", country, reason=f"no check is known for this number of {where}")


def _checked(country: str, text: str, prefix: str) -> str:
    """The number as its country writes it, in the EU with the prefix; `""` if the country's check refuses it."""
    check = _check(country)
    if not check:
        return ""
    from stdnum.exceptions import ValidationError

    try:
        number = str(check(text))
    except ValidationError:
        return ""
    if country not in _EU and prefix != "XI":
        return number
    return number if number.startswith(prefix) else prefix + number


@cache
def _check(country: str) -> Callable[[str], str] | None:
    if not re.fullmatch("[A-Z]{2}", country):
        return None
    from stdnum import get_cc_module

    module = get_cc_module(country.lower(), "vat")
    return module.validate if module else None
