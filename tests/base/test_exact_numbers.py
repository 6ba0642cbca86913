"""Numbers of others' answers keep their digits."""

from decimal import Decimal

import pytest

from datong.base import json


@pytest.mark.parametrize(
    "text",
    ["123456789012345678901", "-98765432109876543.21", "0.12345678901234567890", "[1, 98765432109876543.21]"],
)
def test_no_digit_is_lost(text: str) -> None:
    found = json.exact(text.encode())
    number = found[1] if isinstance(found, list) else found
    assert isinstance(number, Decimal)
    assert str(number) in text


@pytest.mark.parametrize(
    "text", ['{"a": 1, "b": 2.5, "c": "98765432109876543210"}', "[1e300]", '{"税号": "91440300708461136T"}']
)
def test_what_a_double_keeps_is_as_ever(text: str) -> None:
    assert json.exact(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text", ["[98765432109876543210, NaN]", "[98765432109876543210", "[98765432109876543210," + "[" * 9000]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        json.exact(text.encode())
