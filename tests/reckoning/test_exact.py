"""Numbers without loss: rounding, sharing out, and no float anywhere near money."""

import ast
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import datong
from datong.reckoning.exact import Rounding, amount, exact, rounded, share, summed, units

D = Decimal
NUMBERS = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=9)
ROUNDINGS: st.SearchStrategy[Rounding] = st.sampled_from(["half_up", "half_even", "down"])


@pytest.mark.parametrize(
    ("number", "half_up", "half_even", "down"),
    [
        ("0.005", "0.01", "0.00", "0.00"),
        ("0.015", "0.02", "0.02", "0.01"),
        ("-0.005", "-0.01", "0.00", "0.00"),
        ("-1.015", "-1.02", "-1.02", "-1.01"),
        ("2.675", "2.68", "2.68", "2.67"),
        ("1.00499999999999999999999999999999999", "1.00", "1.00", "1.00"),
    ],
)
def test_what_lies_in_the_middle_goes_by_the_rule(number: str, half_up: str, half_even: str, down: str) -> None:
    told = [str(rounded(D(number), 2, rule)) for rule in ("half_up", "half_even", "down")]
    assert told == [half_up, half_even, down]


@given(NUMBERS, st.integers(0, 6), ROUNDINGS)
def test_rounding_moves_by_less_than_a_unit_and_treats_minus_as_plus(
    number: Decimal, places: int, rule: Rounding
) -> None:
    whole = units(number, places, rule)
    assert abs(Fraction(number) * 10**places - whole) < 1
    assert units(-number, places, rule) == -whole
    assert units(amount(whole, places), places, rule) == whole


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_shares_make_up_the_whole_and_are_off_by_less_than_a_unit(whole: int, weights: list[int]) -> None:
    parts = share(whole, weights)
    assert sum(parts) == whole
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        due = Fraction(whole * weight, total) if total else Fraction(whole, len(weights))
        assert abs(part - due) < 1
        assert part * whole >= 0


def test_equal_remainders_go_to_the_first() -> None:
    assert share(100, [1, 1, 1]) == [34, 33, 33]
    assert share(-100, [1, 1, 1]) == [-34, -33, -33]
    assert share(7, [0, 0]) == [4, 3]


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_nobody_to_share_with(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        share(1, weights)


@given(st.lists(NUMBERS, max_size=20))
def test_sums_keep_every_digit(numbers: list[Decimal]) -> None:
    assert Fraction(summed(numbers)) == sum(map(Fraction, numbers))


def test_a_sum_that_python_would_round_in_silence() -> None:
    huge, tiny = D("1" + "0" * 40), D("0.01")
    assert huge + tiny == huge  # the context of 28 digits
    assert summed([huge, tiny, -huge]) == tiny


def test_a_third_is_no_decimal_number() -> None:
    assert exact(Fraction(1, 8)) == D("0.125")
    with pytest.raises(ValueError, match="no end"):
        exact(Fraction(1, 3))


def _floats(path: Path) -> list[str]:
    """Where a file has a float literal or calls `float`."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
        call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
        dotted = isinstance(node, ast.Attribute) and node.attr in ("from_float", "as_float")
        named = isinstance(node, ast.Name) and node.id == "float"
        if literal or call or dotted or named:
            found.append(f"{path.name}:{node.lineno}")
    return found


def test_no_float_comes_near_money() -> None:
    """`base/money.py` names float twice: it reads what some vendors send, by its text."""
    root = Path(datong.__file__).parent
    files = [*root.glob("reckoning/*.py"), *root.glob("canon/*.py")]
    assert len(files) > 15
    assert [place for path in files for place in _floats(path)] == []
    money = (root / "base" / "money.py").read_text(encoding="utf8")
    assert "value: str | int | float | Decimal" in money and "isinstance(value, float)" in money
    assert len(_floats(root / "base" / "money.py")) == 2


def test_the_look_for_floats_finds_them(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("a = 0.1\nb = float('1')\nc: float = 1\nd = Decimal.from_float(x)\n", encoding="utf8")
    assert sorted(set(_floats(bad))) == ["bad.py:1", "bad.py:2", "bad.py:3", "bad.py:4"]
