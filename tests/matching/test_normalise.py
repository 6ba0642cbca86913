"""Comparison forms of text, e-mail, phone, website and address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.matching.normalise import Phone, code, emails, fold, host, phone, phones, plain, postal_address, words

TEXT = st.one_of(st.text(max_size=30), st.text("臺乾発ＡÄßİı·.,'&/ 😀👩‍💻𠮷ｶﾞが한é́̈\u200d\ufe0f12", max_size=15))


@pytest.mark.parametrize("blank", [None, "", "  ", "无", "N/A", "n/a", "-", "--", "暂无", "null", "Ｎ／Ａ", True, "　"])
def test_what_says_nothing_is_empty(blank: object) -> None:
    assert plain(blank) == ""


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("Ｓ.p.Ａ.,  臺灣 電腦", "spa台湾电脑"),
        ("Coca-Cola & Sons", "coca cola and sons"),
        ("Straße Ærø Łódź", "strasse aero lodz"),
        ("が", "が"),
        ("👩‍💻", "👩💻"),
        ("𠮷", "𠮷"),
        ("一·二", "一二"),
        ("U.S. Steel", "us steel"),
    ],
)
def test_words(value: str, form: str) -> None:
    assert words(value) == form


@given(TEXT)
def test_a_form_of_a_form_is_itself(value: str) -> None:
    for form in (fold, words, code, host, postal_form):
        assert form(form(value)) == form(value)


def postal_form(value: str) -> str:
    return postal_address({"street": value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Li.Na@Example-Co.COM ", ["li.na@example-co.com"]),
        ("Li Na <li@a.cn>; b@B.cn", ["b@b.cn", "li@a.cn"]),
        ("ｌｉ＠ａ.cn", ["li@a.cn"]),
        (["x@a.cn", "X@A.CN", "无"], ["x@a.cn"]),
        ("no@no.com", []),
        ("test@example.com", []),
        ("nonsense", []),
        (None, []),
    ],
)
def test_emails(value: object, expected: list[str]) -> None:
    assert emails(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://www.Example.com/path?x", "example.com"),
        ("example.com:8080", "example.com"),
        ("WWW.启明.中国", "启明.中国"),
        ("//shop.example.com", "shop.example.com"),
        ("https://www.1688.com/shop/acme", ""),
        ("weixin", ""),
        (None, ""),
    ],
)
def test_host(value: object, expected: str) -> None:
    assert host(value) == expected


@pytest.mark.parametrize(
    ("value", "region", "expected"),
    [
        ("138 1234 5678", "CN", Phone("+8613812345678")),
        ("+86-138-1234-5678", "DE", Phone("+8613812345678")),
        ("0086 13812345678", "CN", Phone("+8613812345678")),
        ("86 13812345678", "CN", Phone("+8613812345678")),
        ("１３８１２３４５６７８", "CN", Phone("+8613812345678")),
        ("021-62345678", "CN", Phone("+862162345678")),
        ("(021)62345678-808", "CN", Phone("+862162345678", "808")),
        ("021-6234 5678 转 808", "CN", Phone("+862162345678", "808")),
        ("021-62345678分机号：808", "CN", Phone("+862162345678", "808")),
        ("02162345678#808", "CN", Phone("+862162345678", "808")),
        ("400-820-8821", "CN", Phone("+864008208821")),
        ("01 42 68 53 01", "FR", Phone("+33142685301")),
        ("+49 30 901820 ext. 5", "CN", Phone("+4930901820", "5")),
        ("62345678", "CN", Phone("62345678", valid=False)),
        ("021-62345679", "", Phone("02162345679", valid=False)),
        ("13800138000", "CN", None),
        ("00000000", "CN", None),
        ("12345678", "CN", None),
        ("110", "CN", None),
        ("无", "CN", None),
        ("call me", "CN", None),
    ],
)
def test_phone(value: str, region: str, expected: Phone | None) -> None:
    assert phone(value, region) == expected


def test_several_phones_in_one_field() -> None:
    assert phones("021-62345678/13912345678", "CN") == [Phone("+8613912345678"), Phone("+862162345678")]


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_a_phone_in_normal_form_is_itself(number: str) -> None:
    if found := phone(number, "CN"):
        assert phone(found.number, "FR") == found


SHANGHAI = postal_address({"province": "上海市", "city": "上海市", "district": "浦东新区", "street": "张江路1号"})


@pytest.mark.parametrize(
    "parts",
    [
        {"city": "上海", "district": "浦东新区", "street": "张江路1号"},
        {"province": "上海", "city": "市辖区", "district": "浦东新区", "street": "张江路１号"},
        {"street": "上海市浦东新区张江路1号"},
        {"city": "上海市", "district": "浦东新区", "street": "中国上海市浦东新区张江路 1 号"},
    ],
)
def test_one_address_however_divided(parts: dict[str, str]) -> None:
    assert postal_address(parts) == SHANGHAI


def test_addresses_that_differ() -> None:
    assert postal_address({"street": "上海市浦东新区张江路2号"}) != SHANGHAI
    assert postal_address({"city": "上海市"}) == ""
    assert postal_address({"street": "12 Main Street"}) == postal_address({"street": "12, Main St."})
