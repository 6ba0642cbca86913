"""Laws of money, time, canonical values, normal forms and fingerprints."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base import json
from datong.base.clock import from_text, local_date, to_text
from datong.base.money import Money, decimal, plain, round_to, shifted
from datong.canon import check
from datong.matching import normalise
from tests.properties.laws import PEOPLE, SCALARS, law

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40)
EXACT = Context(prec=200)
CURRENCIES = st.sampled_from(["CNY", "EUR", "JPY", "KWD"])
MONEY = st.builds(Money, AMOUNTS, CURRENCIES)
MOMENTS = st.datetimes(timezones=st.timezones() | st.just(UTC))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PEOPLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PEOPLE, inner, max_size=4),
    max_leaves=12,
)


@law
@given(MONEY)
def test_money_is_its_text(money: Money) -> None:
    assert Money.parse(str(money)) == money
    assert str(Money.parse(str(money))) == str(money)
    assert hash(Money.parse(str(money))) == hash(money)


@law
@given(MONEY, MONEY, MONEY)
def test_money_adds_up(one: Money, two: Money, three: Money) -> None:
    """In any order, exactly; never across currencies."""
    two, three = Money(two.amount, one.currency), Money(three.amount, one.currency)
    assert (one + two) + three == one + (two + three) == (three + one) + two
    assert one + Money(Decimal(0), one.currency) == one
    assert one + Money(one.amount.copy_negate(), one.currency) == Money(Decimal(0), one.currency)
    other = Money(two.amount, "USD")
    with pytest.raises(ValueError):
        one + other
    with pytest.raises(ValueError):
        bool(one < other)


@law
@given(MONEY, MONEY)
def test_money_is_ordered(one: Money, two: Money) -> None:
    two = Money(two.amount, one.currency)
    assert (one < two) + (one == two) + (one > two) == 1
    assert (one <= two) == (not one > two)


@law
@given(MONEY)
def test_what_can_be_paid_is_paid_as_it_is(money: Money) -> None:
    paid = money.rounded()
    assert paid.rounded() == paid
    assert Money(money.amount.copy_negate(), money.currency).rounded() == Money(
        paid.amount.copy_negate(), money.currency
    )


@law
@given(AMOUNTS, st.integers(0, 12), st.integers(-12, 12))
def test_numbers_round_once_and_shift_back(number: Decimal, places: int, shift: int) -> None:
    rounded = round_to(number, places)
    assert round_to(rounded, places) == rounded
    assert abs(EXACT.subtract(rounded, number)) * 2 <= Decimal(1).scaleb(-places)
    assert shifted(shifted(number, shift), -shift) == number


@law
@given(SCALARS)
def test_a_number_has_one_text(value: Any) -> None:
    try:
        text = plain(decimal(value))
    except (ValueError, TypeError):
        return
    assert plain(decimal(text)) == text
    assert decimal(text) == decimal(value)
    assert "e" not in text.lower() and text != "-0"


@law
@given(MOMENTS)
def test_a_moment_is_its_text(moment: datetime) -> None:
    try:
        text = to_text(moment)
    except OverflowError:  # the zone leads out of the calendar
        return
    assert from_text(text) == moment.astimezone(UTC), "compared in one zone: a doubled hour equals nothing"
    assert to_text(from_text(text)) == text


@law
@given(st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1)), st.timezone_keys(allow_prefix=False))
def test_a_local_time_is_read_in_its_zone(local: datetime, zone: str) -> None:
    moment = from_text(local.isoformat(), zone)
    assert moment.tzinfo is UTC
    assert local_date(from_text(to_text(moment)), zone) == local_date(moment, zone)


@law
@given(st.sampled_from(["text", "number", "money", "truth", "date", "time", "set", "choice", "any"]), SCALARS | MONEY)
def test_a_canonical_value_is_canonical(kind: str, value: Any) -> None:
    """What was checked once is itself; texts are NFC without surrounding space."""
    try:
        once = check(kind, value)
    except (ValueError, TypeError):
        return
    assert check(kind, once) == once
    if isinstance(once, str) and kind != "any":
        assert once == unicodedata.normalize("NFC", once) == once.strip() != ""


@pytest.mark.parametrize("form", ["fold", "words", "plain", "code"])
@law
@given(text=PEOPLE | st.text(max_size=20))
def test_a_normal_form_is_its_own(form: str, text: str) -> None:
    normal = getattr(normalise, form)
    assert normal(normal(text)) == normal(text)


@law
@given(st.text(max_size=20), st.sampled_from(["NFC", "NFD"]))
def test_the_form_of_unicode_makes_no_other_name(text: str, form: str) -> None:
    assert normalise.words(unicodedata.normalize(form, text)) == normalise.words(text)


@law
@given(JSON)
def test_json_there_and_back(value: Any) -> None:
    assert json.loads(json.dumps(value)) == value
    assert json.loads(json.canonical(value)) == value
    assert json.canonical(json.loads(json.canonical(value))) == json.canonical(value)


@law
@given(JSON, JSON)
def test_a_digest_tells_values_apart(one: Any, other: Any) -> None:
    """Equal values have one fingerprint, others another: 1, 1.0 and True, and null and absent, are not the same."""
    alike = repr(_sorted(one)) == repr(_sorted(other))
    assert (json.digest(one) == json.digest(other)) == alike


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


@law
@given(st.dictionaries(PEOPLE, JSON, max_size=5), st.data())
def test_the_order_of_keys_makes_no_other_digest(value: dict[str, Any], data: st.DataObject) -> None:
    turned = {key: value[key] for key in data.draw(st.permutations(list(value)))}
    assert json.canonical(turned) == json.canonical(value)
    assert json.digest({"x": [turned]}) == json.digest({"x": [value]})
