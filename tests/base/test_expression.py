from __future__ import annotations

import time
from typing import Any

import pytest

from datong.base.expression import compiled

ANY = (("value", "any"),)


@pytest.mark.parametrize(
    ("source", "value", "answer"),
    [
        ("value.lowerAscii()", "EAST", "east"),
        ("value + '市'", "深圳", "深圳市"),
        ("value == null ? 'x' : value", None, "x"),
        ("value in ['CN', 'FR']", "CN", True),
        ("value.size()", "深圳市", 3),
        ("double(value) * 2.0", "1.5", 3.0),
        ("value.code", {"code": "A1"}, "A1"),
        ("value.map(x, x.name)", [{"name": "a"}, {"name": "b"}], ["a", "b"]),
        ("value.split(';')", "a;b", ["a", "b"]),
        ("null", "x", None),
    ],
)
def test_it_computes(source: str, value: Any, answer: Any) -> None:
    assert compiled(source, ANY)({"value": value}) == answer


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("value.", r"1:\d+"),
        ("value +\n  * 2", r"2:\d+"),
        ("vaule == 'x'", "undeclared reference to 'vaule'"),
        ("value.noSuch()", "noSuch"),
        ("", "''"),
        ("'深圳", "深圳"),
    ],
)
def test_a_wrong_one_says_where(source: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        compiled(source, ANY)


def test_types_are_checked_before_anything_runs() -> None:
    with pytest.raises(ValueError, match="no matching overload"):
        compiled("account.name > 1.0", (("account.name", "text"),))
    fits = compiled(
        "account.score > 1.0 && account.name == '大同'", (("account.name", "text"), ("account.score", "number"))
    )
    assert fits({"account.name": "大同", "account.score": 1.5, "other": 1}) is True
    with pytest.raises(ValueError):
        compiled("order.amount > 1.0", (("order.amont", "number"),))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("value.code", {"name": "x"}),
        ("value.lowerAscii()", 1),
        ("int(value)", "abc"),
        ("1 / int(value)", "0"),
        ("value > 1", None),
    ],
)
def test_what_cannot_be_computed_is_a_value_error(source: str, value: Any) -> None:
    with pytest.raises(ValueError):
        compiled(source, ANY)({"value": value})


def test_it_is_bounded() -> None:
    """Loops inside loops stop; they do not stop us."""
    numbers = "[" + ",".join(str(i) for i in range(100)) + "]"
    source = f"{numbers}.map(a, {numbers}.map(b, {numbers}.map(c, {numbers}.map(d, a * b * c * d))))"
    started = time.monotonic()
    with pytest.raises(ValueError, match="budget"):
        compiled(source, ANY)({"value": 1})
    assert time.monotonic() - started < 5
