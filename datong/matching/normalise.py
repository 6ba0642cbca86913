"""Comparison forms of text, e-mail, phone, website and address.

A comparison form is made to be compared and is never shown or sent anywhere: the value a person typed stays as it is.
Every function here is pure and idempotent (the form of a form is itself), and gives `""` or nothing where a value is
no evidence: empty, a placeholder such as 无 or N/A, or a number everybody types when the form insists on one.

The heavy libraries (OpenCC, phonenumbers) are loaded at first use, so importing this module costs nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from datong.base.text import seen

HAN = "\u2e80-\u2fdf\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts written without spaces (Han and kana), as the inside of a regular expression's character class."""

_BLANK = frozenset(
    [
        "无",
        "没有",
        "暂无",
        "未知",
        "不详",
        "待补",
        "待定",
        "未填",
        "空",
        "同上",
        "无税号",
        "na",
        "n/a",
        "n.a.",
        "n.a",
        "none",
        "null",
        "nil",
        "nan",
        "unknown",
        "tbd",
        "tba",
        "-",
        "--",
        "---",
        "/",
        ".",
        "x",
        "xx",
        "xxx",
        "?",
        "test",
        "测试",
    ]
)
_LONGEST_BLANK = max(map(len, _BLANK)) + 1
_HAN_SPACE = re.compile(rf"(?<=[{HAN}]) +| +(?=[{HAN}])")
_SINGLE_LETTERS = re.compile(r"\b[a-z](?: [a-z]\b)+")
_COMBINING = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_DROPPED = frozenset(".'’‘`´")
_LATIN_STROKES = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})


# --- text ------------------------------------------------------------------------------------------------------------


@cache
def _opencc(config: str) -> Callable[[str], str]:
    import opencc

    convert: Callable[[str], str] = opencc.OpenCC(config).convert
    return convert


class _Simplified(dict[int, str]):
    """One Han character -> its simplified form, filled on demand; other characters stay.

    Character by character, not by phrase: a comparison form must not depend on its neighbours, or removing a bracket
    would change it. Japanese forms (発, 気) that are no Chinese characters of GB 2312 are taken to Chinese first."""

    def __missing__(self, code: int) -> str:
        char = after = chr(code)
        if 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF:
            try:
                char.encode("gb2312")
            except UnicodeEncodeError:
                after = _opencc("jp2t")(after)
            simplify = _opencc("t2s")
            after = simplify(simplify(after))
        self[code] = after
        return after


class _Spaced(dict[int, str]):
    """Punctuation and symbols -> a space, dots and apostrophes -> nothing; letters, digits, marks and emoji stay."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kind = unicodedata.category(char)
        after = char
        if char in _DROPPED or kind in ("Cf", "Cs") or 0xFE00 <= code <= 0xFE0F:
            after = ""
        elif char in "&＆":
            after = " and "
        elif kind[0] in "PZ" or kind in ("Cc", "Sm", "Sc") or (kind == "Sk" and not 0x1F3FB <= code <= 0x1F3FF):
            after = " "
        self[code] = after
        return after


_simplified = _Simplified()
_spaced = _Spaced()


def _fold_once(value: str) -> str:
    value = unicodedata.normalize("NFKC", value).casefold().translate(_simplified).translate(_LATIN_STROKES)
    if unicodedata.is_normalized("NFD", value) and not _COMBINING.search(value):
        return value
    plain: list[str] = []
    for char in unicodedata.normalize("NFD", value):
        if unicodedata.combining(char) and plain and plain[-1].isascii():
            continue  # an accent on a Latin letter; dakuten of kana and the breve of й are letters and stay
        plain.append(char)
    return unicodedata.normalize("NFC", "".join(plain))


@lru_cache(maxsize=8192)
def _fold_other(value: str) -> str:
    for _ in range(8):
        after = _fold_once(value)
        if after == value:
            break
        value = after
    return value


def fold(value: str) -> str:
    """Full width to half width, traditional to simplified, no case, no Latin accents; punctuation and spaces stay."""
    return value.lower() if value.isascii() else _fold_other(value)


def _words_once(value: str) -> str:
    value = " ".join(fold(value).translate(_spaced).split())
    return _SINGLE_LETTERS.sub(lambda run: run.group().replace(" ", ""), _HAN_SPACE.sub("", value))


def words(value: str) -> str:
    """The letters of a text: folded, punctuation gone, one space between words and none beside Han characters.

    >>> words("Ｓ.p.Ａ.,  臺灣 電腦")
    'spa台湾电脑'
    """
    for _ in range(8):
        after = _words_once(value)
        if after == value:
            break
        value = after
    return value


def plain(value: Any) -> str:
    """Any field value as stripped text; `""` for None, blanks and placeholders. 1001.0 from a spreadsheet is 1001."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = seen(str(value)).strip()
    if len(text) <= _LONGEST_BLANK and (not text or fold(text).strip() in _BLANK):
        return ""
    return text


def several(value: Any) -> list[str]:
    """The texts of a value that may be a list; blanks are left out."""
    if value is None:
        return []
    if isinstance(value, (list, tuple, set, frozenset)):
        return sorted(text for item in value if (text := plain(item)))
    return [text] if (text := plain(value)) else []


def code(value: Any) -> str:
    """A number or code given by a system: width, case and spaces do not matter, everything else does (also zeros)."""
    return "".join(fold(plain(value)).split())


def is_filler(digits: str) -> bool:
    """One character repeated, or counting up: what people type to get past a required field."""
    return len(set(digits)) <= 1 or digits in "01234567890123456789012345"


# --- e-mail and website ----------------------------------------------------------------------------------------------

_MAIL = re.compile(r"[^\s<>@,;:()\"]+@[^\s<>@,;:()\"]+\.[^\s<>@,;:()\"]+")
_MAIL_FILLER = re.compile(
    r"^(?:no|none|null|na|n/a|test|abc|xxx?|noreply|no-reply|donotreply)@|@(?:test|example|none|no|null)\."
)
_SHARED_HOSTS = frozenset(
    [
        "1688.com",
        "alibaba.com",
        "taobao.com",
        "tmall.com",
        "jd.com",
        "made-in-china.com",
        "weixin.qq.com",
        "mp.weixin.qq.com",
        "weibo.com",
        "baidu.com",
        "qcc.com",
        "tianyancha.com",
        "douyin.com",
        "facebook.com",
        "linkedin.com",
        "instagram.com",
        "twitter.com",
        "x.com",
        "youtube.com",
        "google.com",
        "amazon.com",
    ]
)


def emails(value: Any) -> list[str]:
    """The addresses in a field, lower case: `Li Na <Li.Na@Example.COM>; x@y.cn` are two. Fillers are left out."""
    found = {mail for text in several(value) for mail in _MAIL.findall(fold(text))}
    return sorted(mail for mail in (m.strip(".'") for m in found) if mail and not _MAIL_FILLER.search(mail))


def host(value: Any) -> str:
    """The host of a website without `www.`; `""` for a shop or page on a platform that many parties share."""
    text = re.sub(r"^[a-z][a-z0-9+.-]*://|^//", "", fold(plain(value)).strip())
    name = re.split(r"[/?#:\s]", text.split("@")[-1], maxsplit=1)[0].strip(".")
    name = re.sub(r"^(?:www\d?\.)+", "", name)
    return name if "." in name and name not in _SHARED_HOSTS else ""


# --- phone -----------------------------------------------------------------------------------------------------------


class Phone(NamedTuple):
    """A phone number to compare. `number` is E.164 where `valid`, else the bare digits; the extension stands apart."""

    number: str
    extension: str = ""
    valid: bool = True


_EXTENSION = re.compile(r"\s*(?:ext(?:ension)?\.?|x|#|转|分机号?[:：]?|轉|p\.?)\s*[:：]?\s*(\d{1,6})\s*\D?$", re.I)
_CHINESE_EXTENSION = re.compile(r"^(\(?0\d{2,3}\)?[\s-]*\d{3,4}[\s-]?\d{4})-(\d{1,5})$")
_CHINESE_MOBILE = re.compile(r"^(?:\+|00)?(?:86)?(1[3-9]\d{9})$")
_SEVERAL_PHONES = re.compile(r"[;；、\n/]|,(?=\s*\+|\s*\d{7,})")
_FILLER_PHONES = frozenset({"13800138000", "13800000000", "13888888888", "13888888", "88888888"})


def phones(value: Any, region: str = "") -> list[Phone]:
    """The phone numbers in a field; `region` (ISO country) is where a number without country code is read."""
    found = {one for text in several(value) for part in _SEVERAL_PHONES.split(text) if (one := phone(part, region))}
    return sorted(found)


@lru_cache(maxsize=8192)
def phone(text: str, region: str = "") -> Phone | None:
    """One phone number, or None for a blank, a filler, or less than six digits.

    >>> phone("（021）6234 5678 转 808", "CN")
    Phone(number='+862162345678', extension='808', valid=True)
    """
    text = fold(plain(text)).strip()
    extension = ""
    if found := _EXTENSION.search(text):
        text, extension = text[: found.start()], found[1]
    elif region == "CN" and (found := _CHINESE_EXTENSION.match(text)):
        text, extension = found[1], found[2]
    digits = "".join(filter(str.isdecimal, text))
    if not digits.isascii():
        digits = "".join(str(int(char)) for char in digits)
    national = digits[2:] if digits.startswith("86") else digits
    if len(digits) < 6 or is_filler(national) or len(set(national[-8:])) == 1 or national in _FILLER_PHONES:
        return None
    number = _e164(text, digits, region)
    return Phone(number or digits, extension, bool(number))


def _e164(text: str, digits: str, region: str) -> str:
    """The number in E.164, or `""` where the numbering plan does not know it."""
    mobile = _CHINESE_MOBILE.match(("+" if "+" in text else "") + digits)
    if mobile and (region == "CN" or digits != mobile[1]):
        return "+86" + mobile[1]
    import phonenumbers

    try:
        parsed = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(parsed):
        return ""
    return f"+{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"


# --- address ---------------------------------------------------------------------------------------------------------

_PARTS = ("province", "state", "city", "district", "county")
_STREET = ("street", "address", "line", "line1", "line2", "line3", "street1", "street2", "building")
_DIVISION = re.compile(
    r"(?<=[\u4e00-\u9fff]{2})(?:维吾尔自治区|壮族自治区|回族自治区|自治区|特别行政区|省|市)(?=[\u4e00-\u9fff])"
)
_ABBREVIATED = {
    "street": "st",
    "road": "rd",
    "avenue": "ave",
    "boulevard": "blvd",
    "building": "bldg",
    "floor": "fl",
    "strasse": "str",
    "suite": "ste",
    "room": "rm",
    "no": "",
    "nr": "",
    "num": "",
}


def postal_address(parts: Mapping[str, Any]) -> str:
    """Where a letter would go, for comparison; `""` without a street, since a city alone says nothing.

    省, 市 and 区 may stand in their own fields or be repeated in the street: both give the same form. The postal code
    and the country are left out, being the parts most often missing."""
    street = "".join(" " + words(plain(parts.get(name))) for name in _STREET).strip()
    if not street:
        return ""
    street = re.sub(r"^中国(?=.)", "", words(street))
    regions: list[str] = []
    for name in _PARTS:
        region = words(plain(parts.get(name)))
        if region and region != "市辖区" and region not in regions:
            regions.append(region)
    for region in _short_forms(regions):
        while len(street) > len(region) and street.startswith(region):
            street = street[len(region) :].strip()
    return _joined([*regions, street])


def _short_forms(regions: Iterable[str]) -> list[str]:
    """Each region with and without its 省 or 市, longest first, in the order they would lead an address."""
    short = (re.sub(r"(?<=..)(?:省|市|[^\s]{0,4}自治区|特别行政区)$", "", region) for region in regions)
    return [form for pair in zip(regions, short, strict=True) for form in pair]


def _joined(parts: Iterable[str]) -> str:
    text = words(" ".join(parts))
    text = " ".join(word for token in text.split() if (word := _ABBREVIATED.get(token, token)))
    text = _DIVISION.sub("", text)
    return plain(words(re.sub(r"^([\u4e00-\u9fff]{2,4})\1", r"\1", text)))
