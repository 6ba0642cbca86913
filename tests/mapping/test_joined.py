"""Fields that lie in several places, and the converters that read them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.mapping import ABSENT, Field, FieldMap, e164, filled, getter, money, put, take
from datong.mapping.joined import template_paths

WIRE = {"street": "科技园路", "no": "1号", "city": {"name": "深圳"}, "empty": None}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("street + no", ["科技园路", "1号"]),
        ("street + city.name", ["科技园路", "深圳"]),
        ("street + nowhere", ["科技园路", None]),
        ("empty + street", [None, "科技园路"]),
        ("nowhere + street", ABSENT),
        ("street", "科技园路"),
        ("city.name", "深圳"),
        ("city.nowhere", ABSENT),
    ],
)
def test_taking_and_getting_are_the_same(path: str, found: Any) -> None:
    assert take(WIRE, path) == found
    assert getter(path)(WIRE) == found


def test_a_list_is_spread_over_its_places() -> None:
    wire: dict[str, Any] = {}
    put(wire, "amount + money.code", ["50", "CNY"])
    put(wire, "phone + country", ["+86755"])
    put(wire, "street + no", [None, None])
    assert wire == {"amount": "50", "money": {"code": "CNY"}, "phone": "+86755", "street": None}


MAP = FieldMap(
    "account",
    "customers",
    (
        Field("custom.street", "street + no", filled("{street} {no}"), write="never"),
        Field("phone", "phone + land", e164({"中国": ["86", "0"], "Italy": ["39"]})),
        Field("custom.limit", "limit + currency", money(places=2)),
        Field("custom.currency", "currency"),
    ),
)
ROW = {
    "street": " 科技园路",
    "no": "1号 ",
    "phone": "0755-2600 0000",
    "land": "中国",
    "limit": "5.5",
    "currency": "CNY",
}


def test_a_map_reads_them_and_its_form_reads_the_same() -> None:
    reading = MAP.read(ROW)
    assert reading.values == {
        "custom.street": "科技园路 1号",
        "phone": "+8675526000000",
        "custom.limit": "5.5 CNY",
        "custom.currency": "CNY",
    }
    form = MAP.wire_form(ROW)
    assert form["limit + currency"] == ["5.5", "CNY"]
    again: dict[str, Any] = {}
    for path, value in form.items():
        put(again, path, value)
    assert MAP.read(again) == reading


def test_a_map_writes_them() -> None:
    wire: dict[str, Any] = {}
    for name, value in (("phone", "+8675526000000"), ("custom.limit", "50000 CNY")):
        one = MAP.named(name)
        assert one is not None
        put(wire, one.path, one.convert.to_wire(value))
    assert wire == {"phone": "+8675526000000", "limit": "50000.00", "currency": "CNY"}


@pytest.mark.parametrize(
    ("template", "values", "read"),
    [
        ("{a} {b}", ["科技园路", " 1号 "], "科技园路 1号"),
        ("{a} {b}", ["a", None], "a"),
        ("{a} {b}", [None, None], None),
        ("{a} {b}", ["", " "], None),
        ("{a} {b}", ["a  b", 7], "a b 7"),
        ("{a}, {b} ({a})", ["x", "y"], "x, y (x)"),
        ("{a}, {b}", [None, "y"], ", y"),
        ("{a}, {b}", [None, None], None),
        ("{a} {b}", ["e\u0301", ""], "\u00e9"),
        ("100% {a}{b}", ["x", "y"], "100% xy"),
    ],
)
def test_templates(template: str, values: list[Any], read: str | None) -> None:
    assert filled(template).from_wire(values) == read


def test_a_part_of_a_template_may_be_translated() -> None:
    convert = filled("{city}, {land}", {"land": {"中国": "CN"}})
    assert convert.from_wire(["深圳", " 中国 "]) == "深圳, CN"
    with pytest.raises(ValueError, match="'France' is none of 中国"):
        convert.from_wire(["Lyon", "France"])


def test_a_template_is_no_place_to_write_to() -> None:
    with pytest.raises(ValueError, match="read only"):
        filled("{a} {b}").to_wire("x y")
    with pytest.raises(ValueError, match="not a text"):
        filled("{a} {b}").from_wire([{"x": 1}, "b"])


def test_paths_of_a_template() -> None:
    assert template_paths("{a.b}, {c} {a.b}") == ["a.b", "c"]


@pytest.mark.parametrize(
    ("number", "country", "read"),
    [
        ("0755-26000000", "中国", "+8675526000000"),
        ("(0755) 2600 0000", " 中国 ", "+8675526000000"),
        ("+86 755 26000000", None, "+8675526000000"),
        ("0049-30-123", "中国", "+4930123"),
        ("06 1234", "Italy", "+39061234"),
        ("12 34", "Nowhere", "12 34"),
        ("ext.", "中国", None),
        ("", "中国", None),
        (None, "中国", None),
        (75526000000, "中国", "+8675526000000"),
    ],
)
def test_telephone_numbers_by_table(number: Any, country: str | None, read: str | None) -> None:
    convert = e164({"中国": ["86", "0"], "Italy": ["39"]})
    assert convert.from_wire([number, country]) == read
    if read is not None:
        assert convert.from_wire(convert.to_wire(read)) == read


@given(st.text())
def test_any_text_is_read_as_a_number_or_left(text: str) -> None:
    read = e164({"中国": ["86", "0"]}).from_wire([text, "中国"])
    assert read is None or (isinstance(read, str) and read.startswith("+"))


def test_money_in_its_currency() -> None:
    convert = money(places=2)
    assert convert.from_wire(["1,5".replace(",", "."), " CNY "]) == "1.5 CNY"
    assert convert.from_wire([None, "CNY"]) is None and convert.from_wire(["", "CNY"]) is None
    assert convert.to_wire("50000 CNY") == ["50000.00", "CNY"]
    with pytest.raises(ValueError, match="more than 2 decimals"):
        convert.to_wire("0.001 CNY")
    with pytest.raises(ValueError):
        convert.from_wire(["5", None])
