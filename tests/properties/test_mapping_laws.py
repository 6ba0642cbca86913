"""Laws of converters: there and back, and no surprise from whatever a system sends."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datong.base import json
from datong.canon import check
from datong.mapping import CONVERTERS, Converter, Foreign, local_amount, local_day, local_number, named_converter
from tests.properties.laws import PEOPLE, WIRE, law

TOLD: dict[str, list[Any]] = {
    "text": ["text", {"text": 5}],
    "trimmed": ["trimmed"],
    "spelt": [{"spelt": {"case": "upper", "remove": " -"}}, {"spelt": {"prefix": "CN"}}],
    "number": ["number", {"number": 2}, {"number": {"as_text": False}}],
    "scaled": ["scaled", {"scaled": 4}],
    "amount": [{"amount": "CNY"}],
    "percent": ["percent"],
    "boolean": ["boolean", {"boolean": {"yes": "是", "no": "否"}}, {"boolean": {"yes": 1, "no": 0}}],
    "choice": [
        {"choice": {"customer": "客户", "lead": "线索", "old": "客户"}},
        {"choice": {"customer": "", "lead": 2}},
    ],
    "table": [{"table": {"是": "yes", "否": "no"}}],
    "listed": [{"listed": {"是": "yes", "否": "no"}}],
    "email": ["email"],
    "phone": ["phone", {"phone": "CN"}],
    "country": ["country"],
    "day": ["day"],
    "moment": ["moment", *({"moment": {"zone": "Asia/Shanghai", "form": f}} for f in ("plain", "unix", "unix_ms"))],
    "tags": ["tags"],
    "words": [{"words": ","}, {"words": {"separator": ";", "case": "upper"}}],
    "reference": [{"reference": "account"}, {"reference": {"kind": "user", "integer": True}}],
    "e164": [{"e164": {"CN": ["86", "0"], "DE": ["49", "0"]}}],
    "money": ["money", {"money": {"places": 2}}],
    "local_number": ["local_number", {"local_number": {"decimal": ",", "group": ".", "places": 2}}],
    "local_amount": [{"local_amount": {"currency": "EUR", "decimal": ",", "group": " "}}],
    "local_day": [{"local_day": {"formats": ["yyyy年m月d日", "dd.mm.yyyy"], "serial": True}}, {"local_day": "d/m/yy"}],
}
JOINED = {"e164": 2, "money": 2}
"""Converters of joined paths always get a list of so many values."""


def built() -> list[tuple[str, Converter]]:
    return [(f"{name} {told}", named_converter(told)) for name, all_told in TOLD.items() for told in all_told]


each = pytest.mark.parametrize("convert", [c for _, c in built()], ids=[name for name, _ in built()])


def wire_for(convert: Converter) -> st.SearchStrategy[Any]:
    size = next((n for name, n in JOINED.items() if convert.name.startswith(name)), 0)
    return st.lists(WIRE, min_size=size, max_size=size) if size else WIRE


def test_every_converter_is_tried() -> None:
    assert set(TOLD) == set(CONVERTERS)


@each
def test_examples_come_back(convert: Converter) -> None:
    for example in convert.examples:
        wire = convert.to_wire(example)
        assert convert.from_wire(wire) == example
        assert json.loads(json.dumps(wire)) == wire, "what is sent is JSON"


@each
@law
@given(data=st.data())
def test_whatever_a_system_sends_is_read_or_refused(convert: Converter, data: st.DataObject) -> None:
    """A value that cannot be understood is a ValueError, TypeError or ArithmeticError, never another, and what is read
    is written and read again the same: the echo of our own value is no edit."""
    wire = data.draw(wire_for(convert))
    try:
        value = convert.from_wire(wire)
    except (ValueError, TypeError, ArithmeticError):
        return
    if value is None or isinstance(value, Foreign):
        return
    assert isinstance(value, (str, bool)) or (isinstance(value, list) and value == sorted(set(value)))
    try:
        sent = convert.to_wire(value)
    except (ValueError, TypeError, ArithmeticError):
        return
    assert convert.to_wire(convert.from_wire(sent)) == sent


@each
@law
@given(value=PEOPLE | st.booleans() | st.lists(PEOPLE, max_size=3).map(lambda v: sorted(set(v))))
def test_what_is_written_is_written_the_same_again(convert: Converter, value: Any) -> None:
    """`write` refuses a canonical value that is none of its own, or gives what then stands."""
    try:
        sent = convert.to_wire(value)
        back = convert.from_wire(sent)
    except (ValueError, TypeError, ArithmeticError):
        return
    if isinstance(back, Foreign) or back is None:
        return
    assert convert.to_wire(back) == convert.to_wire(convert.from_wire(convert.to_wire(back)))


@each
@law
@given(data=st.data())
def test_reading_does_not_change_what_was_read(convert: Converter, data: st.DataObject) -> None:
    wire = data.draw(wire_for(convert))
    before = repr(wire)
    try:
        first = convert.from_wire(wire)
    except (ValueError, TypeError, ArithmeticError) as error:
        with pytest.raises(type(error)):
            convert.from_wire(wire)
    else:
        assert convert.from_wire(wire) == first
    assert repr(wire) == before


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)
SIGNS = st.sampled_from([(".", ""), (".", ","), (",", "."), (",", " "), (".", "'")])


def grouped(number: Decimal, sign: str, group: str) -> str:
    whole, _, part = f"{number:f}".lstrip("-").partition(".")
    spread = f"{int(whole):,}".replace(",", group) if group else str(int(whole))
    return ("-" if number < 0 else "") + spread + (f"{sign}{part}" if part else "")


@law
@given(NUMBERS, SIGNS)
def test_a_number_as_people_write_it_is_that_number(number: Decimal, signs: tuple[str, str]) -> None:
    sign, group = signs
    convert = local_number(sign, group)
    read = convert.from_wire(grouped(number, sign, group))
    assert Decimal(str(read)) == number
    assert convert.from_wire(convert.to_wire(read)) == read == check("number", str(read))


@law
@given(NUMBERS, SIGNS)
def test_an_amount_as_people_write_it_is_that_amount(number: Decimal, signs: tuple[str, str]) -> None:
    convert = local_amount("CNY", *signs)
    read = convert.from_wire(f"{grouped(number, *signs)} CNY")
    assert convert.from_wire(convert.to_wire(read)) == read == check("money", str(read))


@law
@given(NUMBERS)
def test_two_countries_never_read_two_numbers_in_silence(number: Decimal) -> None:
    """1.234 may be either; what has both signs is refused by the other country."""
    assume(abs(number) >= 1000 and number != int(number))
    with pytest.raises(ValueError):
        local_number(".", ",").from_wire(grouped(number, ",", "."))


@law
@given(st.dates(), st.sampled_from(["yyyy年m月d日", "dd.mm.yyyy", "m/d/yyyy", "yyyymmdd", "yyyy-mm-dd", "d.m.yy"]))
def test_dates_as_people_write_them(day: Any, form: str) -> None:
    assume("yyyy" in form or 2000 <= day.year <= 2099)
    assume(form != "yyyymmdd" or day.year >= 1000)
    convert = local_day(form)
    assert convert.from_wire(convert.to_wire(day.isoformat())) == day.isoformat()
