"""Converters by name."""

from __future__ import annotations

from typing import Any

import pytest

from datong.mapping import CONVERTERS, Foreign, named_converter


@pytest.mark.parametrize(
    ("told", "wire", "canonical"),
    [
        ("text", " 深圳市大同科技有限公司 ", "深圳市大同科技有限公司"),
        ({"text": None}, "大同", "大同"),
        ({"text": 10}, "大同", "大同"),
        ({"phone": {"region": "CN"}}, "0755 2600 0000", "+8675526000000"),
        ({"amount": "CNY"}, "50000", "50000 CNY"),
        ({"choice": {"customer": "客户", "lead": "线索"}}, "客户", "customer"),
        ({"choice": {"customer": 1, "lead": 2}}, 2, "lead"),
        ({"table": {"是": "true", "30": "NET30"}}, 30, "NET30"),
        ({"boolean": {"yes": "是", "no": "否"}}, "否", False),
        ({"number": {"places": 2}}, "12.50", "12.5"),
        ({"reference": {"kind": "payment_term", "by": "code"}}, "NET30", Foreign("payment_term", "NET30", "code")),
        ({"local_number": {"decimal": ",", "group": "."}}, "1.234,56", "1234.56"),
        ({"local_day": "dd.mm.yyyy"}, "21.11.2026", "2026-11-21"),
        ({"local_day": {"formats": ["yyyy年m月d日", "yyyy/m/d"]}}, "2026/1/2", "2026-01-02"),
    ],
)
def test_a_name_with_its_arguments_gives_the_converter(told: Any, wire: Any, canonical: Any) -> None:
    assert named_converter(told).from_wire(wire) == canonical


def test_the_arguments_reach_the_writing_too() -> None:
    assert named_converter({"choice": {"customer": "客户"}}).to_wire("customer") == "客户"
    assert named_converter({"text": {"limit": 2}}).to_wire("大同科技") == "大同"
    assert named_converter({"number": {"as_text": False}}).to_wire("12.5") == 12.5


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("telephone", "there is no converter 'telephone'; there are: text, trimmed"),
        ({}, "one converter by its name"),
        ({"text": None, "phone": None}, "one converter by its name"),
        ({"phone": {"land": "CN"}}, "phone: got an unexpected keyword argument 'land'; it takes region (else None)"),
        ({"phone": 86}, "phone: region = 86 is not text | None"),
        ({"amount": None}, "amount: missing a required argument: 'currency'; it takes currency"),
        ({"text": "lang"}, "text: limit = 'lang' is not int | None"),
        ({"text": True}, "text: limit = True is not a number"),
        ({"number": {"as_text": "no"}}, "number: as_text = 'no' is not bool"),
        ({"choice": "customer"}, "choice: give the values it knows"),
        ({"table": {}}, "table: give the values it knows"),
        ({"local_number": {"decimal": ";"}}, "local_number: decimal ';' is neither . nor ,"),
        ({"local_number": {"decimal": ",", "group": ","}}, "is the decimal sign"),
        ({"local_day": "mm.yyyy"}, "local_day: 'mm.yyyy' does not name a year, a month and a day once each"),
        ({"local_day": {"formats": []}}, "local_day: no format given"),
    ],
)
def test_a_mistake_is_told_with_what_there_is(told: Any, says: str) -> None:
    with pytest.raises(ValueError) as caught:
        named_converter(told)
    assert says in str(caught.value)


def test_every_converter_there_is_can_be_named() -> None:
    """A converter that is added without a name could not be used in a description."""
    from datong.mapping import convert

    made = {
        name
        for name, one in vars(convert).items()
        if callable(one) and getattr(one, "__annotations__", {}).get("return") == "Converter"
    }
    assert made <= set(CONVERTERS)
