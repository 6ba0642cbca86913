"""Converters: null is not absent, what is not understood is refused with its reason, nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from datong.base import json
from datong.base.money import decimal, plain
from datong.mapping import (
    Converter,
    Foreign,
    amount,
    boolean,
    choice,
    country,
    day,
    email,
    listed,
    moment,
    number,
    percent,
    phone,
    reference,
    scaled,
    spelt,
    table,
    tags,
    text,
    trimmed,
    words,
)

EVERY = {
    "text": text(),
    "text up to 20": text(20),
    "text with empty null": text(null=""),
    "trimmed": trimmed(),
    "number": number(),
    "number with 2 places": number(2),
    "number as JSON number": number(as_text=False),
    "amount": amount("CNY"),
    "percent": percent(),
    "boolean": boolean(),
    "boolean Y/N": boolean("Y", "N"),
    "boolean 1/0": boolean(1, 0),
    "choice": choice({"billing": "BILL", "shipping": "SHIP"}),
    "choice with empty": choice({"none": "", "some": "S"}),
    "table": table({"制造业": "Manufacturing"}),
    "email": email(),
    "phone": phone("CN"),
    "country": country(),
    "day": day(),
    "tags": tags(),
    "spelt": spelt("upper", remove=" -", prefix="V:"),
    "number with 2 fixed places": number(2, fixed=True),
    "number with 0 fixed places": number(0, fixed=True),
    "scaled": scaled(),
    "listed": listed({"A": "active", "活动": "active", "B": "blocked"}),
    "moment": moment(),
    "moment in Shanghai": moment("Asia/Shanghai", "plain"),
    "moment in seconds": moment(form="unix"),
    "moment in milliseconds": moment(form="unix_ms"),
    "words": words(";"),
}


@pytest.mark.parametrize("name", EVERY)
def test_every_example_survives_write_and_read(name: str) -> None:
    convert = EVERY[name]
    assert convert.examples
    for one in convert.examples:
        wire = convert.to_wire(one)
        assert convert.from_wire(json.loads(json.dumps(wire))) == one


@pytest.mark.parametrize("name", EVERY)
def test_null_is_null_both_ways(name: str) -> None:
    convert = EVERY[name]
    assert convert.from_wire(None) is None
    assert convert.from_wire(convert.to_wire(None)) is None
    assert convert.to_wire(None) == ("" if name == "text with empty null" else None)


@pytest.mark.parametrize(
    "name", [n for n in EVERY if n not in ("choice with empty", "boolean", "boolean Y/N", "boolean 1/0")]
)
def test_an_empty_text_is_nothing(name: str) -> None:
    assert EVERY[name].from_wire("") is None


@pytest.mark.parametrize("name", ["boolean", "boolean Y/N", "boolean 1/0"])
def test_an_empty_text_is_neither_yes_nor_no(name: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        EVERY[name].from_wire("")


@pytest.mark.parametrize("name", EVERY)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda i: st.lists(i) | st.dictionaries(st.text(), i),
        max_leaves=4,
    )
)
@example(value={"long": "x" * 400})
def test_any_wire_value_is_read_or_refused(name: str, value: Any) -> None:
    """Whatever a system sends: a canonical scalar that stays the same when read again, or an error the map holds."""
    convert = EVERY[name]
    try:
        canonical = convert.from_wire(value)
    except (ValueError, TypeError, ArithmeticError) as error:
        assert str(error)
        assert len(str(error)) < 300
        return
    assert canonical is None or isinstance(canonical, (str, bool, list))
    try:
        again = convert.from_wire(convert.to_wire(canonical))
    except (ValueError, TypeError, ArithmeticError):
        return  # a number wider than the wire holds: the write is refused and shown
    assert convert.to_wire(again) == convert.to_wire(canonical)


# text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        (" 大同 ", "大同"),
        ("\u3000大同\u00a0", "大同"),
        ("a\tb", "a\tb"),
        (" ", None),
        ("e\u0301", "é"),
        (17, "17"),
        ("0", "0"),
        ("第一行\n第二行", "第一行\n第二行"),
    ],
)
def test_text(wire: Any, read: str | None) -> None:
    assert text().from_wire(wire) == read


@pytest.mark.parametrize("bad", [True, ["a"], {"a": 1}])
def test_no_text(bad: Any) -> None:
    for convert in (text(), trimmed(), email(), phone("CN"), country()):
        with pytest.raises(ValueError, match="not a"):
            convert.from_wire(bad)


def test_the_limit_counts_characters() -> None:
    assert text(4).to_wire("深圳市大同") == "深圳市大"
    assert text(4).to_wire("abc def") == "abc"
    assert text(10).to_wire("abc") == "abc"


@given(st.text(), st.integers(1, 12))
def test_what_comes_back_of_a_limited_text_is_known(value: str, limit: int) -> None:
    convert = text(limit)
    ours = convert.from_wire(value)
    assume(ours is not None)
    there = convert.to_wire(ours)
    assert len(there) <= limit
    assert convert.to_wire(convert.from_wire(there)) == there


def test_a_code_has_single_spaces() -> None:
    assert trimmed().from_wire(" W  -\u3000100 ") == "W - 100"


# phone -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        ("+86 0755-2600 0000", "+8675526000000"),
        ("0755-26000000", "+8675526000000"),
        ("(0755) 2600 0000", "+8675526000000"),
        ("0086 755 26000000", "+8675526000000"),
        ("tel:+86-755-26000000", "+8675526000000"),
        ("＋８６　７５５　２６００００００", "+8675526000000"),
        ("０７５５－２６００００００", "+8675526000000"),
        ("13800138000", "+8613800138000"),
        ("+1 (650) 253-0000", "+16502530000"),
        ("0755-26000000 ext. 123", "+8675526000000;ext=123"),
        ("0755-26000000x123", "+8675526000000;ext=123"),
        ("0755-26000000 #12", "+8675526000000;ext=12"),
        ("+8675526000000;ext=123", "+8675526000000;ext=123"),
        (13800138000, "+8613800138000"),
    ],
)
def test_phones_that_are_understood(wire: Any, read: str) -> None:
    convert = phone("CN")
    assert convert.from_wire(wire) == read
    assert convert.from_wire(convert.to_wire(read)) == read


@pytest.mark.parametrize(
    "wire",
    [
        "前台 0755-26000000",
        "0755-26000000 找李经理",
        "0755-26000000 ask Li",
        "0755-26000000;13800138000",
        "0755-26000000/26000001",
        "0755-26000000/1",
        "0755-26000000、26000001",
        "0755-26000000 转 123",
        "1-800-FLOWERS",
        "110",
        "无",
        "n/a",
        "?",
        "+",
        "＋８６ 前台",
    ],
)
def test_what_is_more_than_a_number_stays_as_it_is(wire: str) -> None:
    assert phone("CN").from_wire(wire) == wire


def test_without_a_region_only_international_numbers_are_understood() -> None:
    assert phone().from_wire("0755-26000000") == "0755-26000000"
    assert phone().from_wire("+86 755 26000000") == "+8675526000000"


@given(st.text(alphabet="+0123456789 ()-./;extX#前台０１２－"))
def test_reading_a_phone_again_changes_nothing(wire: str) -> None:
    convert = phone("CN")
    once = convert.from_wire(wire)
    assert convert.from_wire(once) == once


# country, email, day, tags ------------------------------------------------------------------------------------


def test_country() -> None:
    assert [country().from_wire(v) for v in ("cn", " FR ", "Cn")] == ["CN", "FR", "CN"]
    for bad in ("CHN", "China", "中国", "ＣＮ", "C", "12", 86):
        with pytest.raises(ValueError, match="two-letter country code"):
            country().from_wire(bad)


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        ("Li.Na@Example.COM", "Li.Na@example.com"),
        ("a@b@C.com", "a@b@c.com"),
        ("keine", "keine"),
        ("李娜@例子.公司", "李娜@例子.公司"),
    ],
)
def test_email(wire: str, read: str) -> None:
    assert email().from_wire(wire) == read


@pytest.mark.parametrize(
    "wire",
    [
        "2026-11-21",
        " 2026-11-21 ",
        "2026-11-21T00:00:00",
        "2026-11-21 00:00",
        "2026-11-21T00:00:00.000Z",
        "2026-11-21T00:00:00+00:00",
        "20261121",
    ],
)
def test_days(wire: str) -> None:
    assert day().from_wire(wire) == "2026-11-21"


@pytest.mark.parametrize(
    "wire",
    ["2026-11-20T16:00:00Z", "2026-11-21T00:00:00+08:00", "2026-11-21x", "21.11.2026", "2026-02-30", "今天", 5, True],
)
def test_an_hour_is_no_day(wire: Any) -> None:
    """16:00 UTC is the next day in Shenzhen: cutting the hour off would be a guess."""
    with pytest.raises(ValueError):
        day().from_wire(wire)


def test_tags() -> None:
    assert tags().from_wire(["乙", "甲", "乙"]) == ["乙", "甲"]
    assert tags().from_wire([]) == []
    for bad in ("vip", {"a": 1}, 5, [None], [["a"]]):
        with pytest.raises(ValueError):
            tags().from_wire(bad)


# numbers and money --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("convert", "wire", "read"),
    [
        (number(), 12.50, "12.5"),
        (number(), "0.10", "0.1"),
        (number(), 0, "0"),
        (number(), "１２．５".replace("．", "."), "12.5"),
        (percent(), 0.13, "13"),
        (percent(), "0.055", "5.5"),
        (amount("CNY"), 50000.0, "50000 CNY"),
        (amount("CNY"), "0.10", "0.1 CNY"),
        (amount("CNY"), 0, "0 CNY"),
        (amount("JPY"), "1E+3", "1000 JPY"),
    ],
)
def test_numbers_are_read_exactly(convert: Converter, wire: Any, read: str) -> None:
    assert convert.from_wire(wire) == read


@pytest.mark.parametrize("convert", [number(), percent(), amount("CNY")])
@pytest.mark.parametrize("bad", ["viel", True, "1,000.00", "12 元", float("nan"), [1], {"value": 1}, "1e999999"])
def test_no_number(convert: Converter, bad: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        convert.from_wire(bad)


def test_places_are_rounded_half_up() -> None:
    assert number(2).to_wire("1.005") == "1.01"
    assert number(0).to_wire("2.5") == "3"
    assert number(2).from_wire(number(2).to_wire("1.005")) == "1.01"


def test_money_of_another_currency_is_not_converted() -> None:
    assert amount("CNY").to_wire("100.50 CNY") == "100.5"
    for bad in ("100 USD", "100", "viel CNY"):
        with pytest.raises(ValueError):
            amount("CNY").to_wire(bad)


def test_a_json_number_is_written_exactly_or_not_at_all() -> None:
    convert = number(as_text=False)
    assert [convert.to_wire(v) for v in ("12.5", "3", "-0.1", "0")] == [12.5, 3, -0.1, 0]
    for wide in ("12345678901234567.89", "0.12345678901234567891", str(2**63), "1" + "0" * 40):
        with pytest.raises(ValueError, match="more digits"):
            convert.to_wire(wide)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**10), max_value=10**10, places=4))
def test_numbers_there_and_back(value: Any) -> None:
    for convert in (number(), number(as_text=False), percent()):
        canonical = convert.from_wire(str(value))
        wire = json.loads(json.dumps(convert.to_wire(canonical)))
        assert convert.from_wire(wire) == canonical
    assert decimal(number().from_wire(str(value))) == value  # type: ignore[arg-type]


# choices, tables, references -------------------------------------------------------------------------------------


def test_an_ambiguous_choice_reads_as_the_first() -> None:
    convert = choice({"prospect": "LEAD", "lead": "LEAD", "customer": "CLIENT"})
    assert convert.from_wire("LEAD") == "prospect"
    assert convert.to_wire("lead") == "LEAD"
    assert convert.examples == ("prospect", "customer")


def test_an_unknown_choice_is_refused_and_names_the_known_ones() -> None:
    convert = choice({"prospect": "LEAD", "customer": "CLIENT"})
    for bad in ("lead", "客户", 7, ["LEAD"], {"a": 1}):
        with pytest.raises(ValueError, match="none of LEAD, CLIENT"):
            convert.from_wire(bad)
    with pytest.raises(ValueError, match="no value for 'closed' in prospect, customer"):
        convert.to_wire("closed")


def test_a_choice_may_be_held_as_an_empty_text() -> None:
    convert = choice({"none": "", "some": "S"})
    assert convert.from_wire("") == "none"
    assert convert.from_wire(None) is None


def test_booleans() -> None:
    assert boolean("是", "否").from_wire("是") is True
    assert boolean("是", "否").to_wire(False) == "否"
    for bad in ("yes", 2, "True"):
        with pytest.raises(ValueError, match="neither"):
            boolean().from_wire(bad)


def test_a_table_lets_pass_what_it_does_not_list() -> None:
    convert = table({"制造业": "Manufacturing", "制造": "Manufacturing", "7": "Trade"})
    assert convert.from_wire("制造业") == convert.from_wire("制造") == "Manufacturing"
    assert convert.from_wire("零售") == "零售"
    assert convert.from_wire(7) == "Trade"
    assert convert.to_wire("零售") == "零售"
    assert convert.to_wire("Trade") == "7"


def test_references() -> None:
    convert = reference("payment_term")
    assert convert.from_wire(3) == convert.from_wire(" 3 ") == Foreign("payment_term", "3")
    assert convert.from_wire("") is None
    assert convert.from_wire("  ") is None
    assert reference("payment_term", by="code").from_wire("月结30天") == Foreign("payment_term", "月结30天", "code")
    assert reference("payment_term", integer=True).to_wire("3") == 3
    for bad in (False, [3], {"id": 3}):
        with pytest.raises(ValueError, match="not a reference"):
            convert.from_wire(bad)


def test_one_spelling() -> None:
    convert = spelt("upper", remove=" -", prefix="V:")
    assert convert.from_wire(" V:de 123-456 ") == "DE123456"
    assert convert.to_wire("DE123456") == "V:DE123456"
    assert convert.from_wire(" - ") is None
    assert spelt("lower").from_wire("WWW.Ünï.Example") == "www.ünï.example"


@pytest.mark.parametrize(
    ("canonical", "wire"),
    [("12.5", "12.50"), ("12", "12.00"), ("0", "0.00"), ("-0.1", "-0.10"), ("1.005", "1.01"), ("1E+2", "100.00")],
)
def test_fixed_places_are_all_written(canonical: str, wire: str) -> None:
    assert number(2, fixed=True).to_wire(canonical) == wire


def test_what_is_no_number_gets_no_places() -> None:
    for bad in ("abc", "", "1.2.3", "1_0"):
        with pytest.raises(ValueError):
            number(2, fixed=True).to_wire(bad)
    with pytest.raises(ValueError, match="needs its places"):
        number(fixed=True)


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        (1250, "12.5"),
        (100, "1"),
        (99, "0.99"),
        (5, "0.05"),
        (0, "0"),
        (-5, "-0.05"),
        (-1250, "-12.5"),
        ("1250", "12.5"),
    ],
)
def test_cents(wire: Any, read: str) -> None:
    assert scaled().from_wire(wire) == read


def test_less_than_a_cent_is_not_written() -> None:
    assert scaled().to_wire("12.34") == 1234
    with pytest.raises(ValueError, match="more than 2 decimals"):
        scaled().to_wire("0.001")


@given(st.integers(-(10**30), 10**30), st.integers(1, 6))
def test_scaled_numbers_there_and_back(value: int, places: int) -> None:
    convert = scaled(places)
    assert convert.to_wire(convert.from_wire(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_the_quick_way_reads_numbers_like_the_slow_one(value: Any) -> None:
    shown = f"{value:f}"
    assert number().from_wire(shown) == str(plain(decimal(shown)))


def test_a_list_of_values_knows_them_all() -> None:
    convert = listed({"A": "active", "活动": "active", "B": "blocked"})
    assert [convert.from_wire(one) for one in ("A", " 活动 ", "B", "", None)] == [
        "active",
        "active",
        "blocked",
        None,
        None,
    ]
    assert convert.to_wire("active") == "A"
    with pytest.raises(ValueError, match="'C' is none of A, 活动, B"):
        convert.from_wire("C")
    with pytest.raises(ValueError, match="no value for 'gone'"):
        convert.to_wire("gone")


@pytest.mark.parametrize(
    ("convert", "wire", "read", "written"),
    [
        (moment(), "2026-11-21T16:00:00+08:00", "2026-11-21T08:00:00.000000Z", "2026-11-21T08:00:00.000000Z"),
        (moment("Asia/Shanghai"), "2026-11-21T16:00:00", "2026-11-21T08:00:00.000000Z", "2026-11-21T08:00:00.000000Z"),
        (moment("Asia/Shanghai", "plain"), "2026-11-21 16:00", "2026-11-21T08:00:00.000000Z", "2026-11-21 16:00:00"),
        (moment(form="unix"), 1795248000, "2026-11-21T08:00:00.000000Z", 1795248000),
        (moment(form="unix"), "1795248000.25", "2026-11-21T08:00:00.250000Z", 1795248000),
        (moment(form="unix_ms"), 1795248000001, "2026-11-21T08:00:00.001000Z", 1795248000001),
    ],
)
def test_moments(convert: Converter, wire: Any, read: str, written: Any) -> None:
    assert convert.from_wire(wire) == read
    assert convert.to_wire(read) == written


def test_words_in_one_text() -> None:
    convert = words(";", case="lower")
    assert convert.from_wire("VIP; Export;;vip ") == ["export", "vip"]
    assert convert.from_wire("Export") == ["export"] and convert.from_wire(" ; ") is None
    assert convert.to_wire(["a", "b"]) == "a;b"
    with pytest.raises(ValueError, match="the separator"):
        convert.to_wire(["a;b"])
