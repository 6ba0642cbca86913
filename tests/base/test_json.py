from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base import json

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from(["深圳市大同科技有限公司", "", "  ", "\u0000", "𠮷"]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


@given(values)
def test_there_and_back(value: Any) -> None:
    assert json.loads(json.encode(value)) == value
    assert json.canonical(json.loads(json.dumps(value))) == json.canonical(value)


@given(st.dictionaries(st.text(), values, max_size=5))
def test_the_order_of_keys_changes_no_digest(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert json.canonical(turned) == json.canonical(value)
    assert json.digest(turned) == json.digest(value)
    assert len(json.digest(value)) == 16


def test_a_decimal_is_text_and_equal_ones_are_one_text() -> None:
    assert json.dumps({"金额": Decimal("0.1")}) == '{"金额":"0.1"}'
    for one, other in (("1", "1.00"), ("1000", "1E+3"), ("0", "-0.0")):
        assert json.canonical(Decimal(one)) == json.canonical(Decimal(other))
        assert json.digest([Decimal(one)]) == json.digest([Decimal(other)])
    with pytest.raises(TypeError):
        json.dumps(Decimal("NaN"))


def test_a_set_has_one_order() -> None:
    assert json.dumps({"b", "a", "丙"}) == '["a","b","丙"]'


@pytest.mark.parametrize("bad", [object(), {1: "a"}, b"bytes", 2**64, "\ud800"])
def test_what_cannot_be_written_is_said(bad: object) -> None:
    with pytest.raises(TypeError):
        json.dumps(bad)


@pytest.mark.parametrize("bad", ['{"a": 1', "", "<html>", "NaN", "{'a': 1}", '"\\ud800"', b"\xff\xfe", '{"a":1}x'])
def test_what_is_no_json_is_a_value_error(bad: str | bytes) -> None:
    with pytest.raises(ValueError):
        json.loads(bad)


def test_the_position_is_told() -> None:
    with pytest.raises(ValueError, match="line 2 column"):
        json.loads('{"a": 1,\n "b": }')
