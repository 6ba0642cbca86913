"""The money guard: it finds what is off, names the cause in words, and tells apart what cannot be reckoned."""

from datetime import date as Day
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datong.base.money import plain
from datong.canon import Contract, Invoice, Order, Quote
from datong.reckoning import CHINA, Discount, Exchange, Rates, Rules, Taxes, TaxRate, check, outcome, problems

D = Decimal
LINE = {"quantity": "3", "price": "12.5", "discount": "5", "tax_rate": "13", "text": "小部件"}


def order(*lines: dict[str, str], kind: Any = Order, **head: Any) -> Any:
    """A document as it is stored: flat, its values as text."""
    fields: dict[str, Any] = {"date": "2026-11-22", "tax_included": False, **head}
    for at, line in enumerate(lines):
        fields[f"lines.{at}.position"] = str(10 * (at + 1))
        fields |= {f"lines.{at}.{name}": value for name, value in line.items()}
    return kind.from_fields(fields)


@pytest.mark.parametrize("kind", [Quote, Order, Contract, Invoice])
def test_what_agrees_is_quiet(kind: Any) -> None:
    line = {**LINE, "net": "35.63", "tax": "4.63", "total": "40.26"}
    assert check(order(line, kind=kind, net="35.63", tax="4.63", total="40.26"), Rules(), "CNY") == []


def test_a_missing_amount_is_no_difference() -> None:
    assert check(order(LINE, total="40.26"), Rules(), "CNY") == []


def test_a_difference_is_told_so_that_a_salesperson_understands() -> None:
    (found,) = check(order({**LINE, "net": "35.62"}), Rules(), "CNY")
    assert (found.line, found.field, found.told, found.computed, found.difference) == (
        "0",
        "net",
        D("35.62"),
        D("35.63"),
        D("-0.01"),
    )
    assert found.rule == "rounding"
    assert found.en == (
        "Line 10 (小部件): the net amount is 35.62 CNY, but 3 × 12.5 less 5 % and 13 % tax on top makes 35.63: "
        "0.01 too little. Amounts are rounded half up here (四舍五入)."
    )
    assert found.zh == (
        "第 10 行（小部件）：未税金额为 35.62 CNY，"
        "3 × 12.5，折扣 5 %（未税，税率 13 %），应为 35.63，少 0.01。此处金额四舍五入。"
    )


@pytest.mark.parametrize(
    ("line", "rules", "rule"),
    [
        ({**LINE, "total": "35.63"}, Rules(), "tax_included"),
        ({**LINE, "net": "37.5"}, Rules(), "no_discount"),
        ({**LINE, "tax": "4.88"}, Rules(), "no_discount"),
        ({**LINE, "net": "35.625"}, Rules(), "minor_units"),
        ({**LINE, "net": "35"}, Rules(), "amounts"),
        ({**LINE, "net": "35.62"}, Rules(), "rounding"),
        ({**LINE, "discount": "10", "net": "37.5"}, Rules(), "no_discount"),
        ({**LINE, "price": "12.55", "net": "35.77"}, Rules(price_places=1), "price_places"),
        ({**LINE, "price": "12.5555", "net": "35.78"}, Rules(discounted="price", price_places=2), "price_places"),
        ({**LINE, "free": "gift", "net": "35.63"}, Rules(), "not_free"),
        ({**LINE, "free": "gift", "tax": "4.88"}, Rules(), "free_goods"),
    ],
)
def test_the_rule_that_causes_it_is_named(line: dict[str, str], rules: Rules, rule: str) -> None:
    assert [found.rule for found in check(order(line), rules, "CNY")] == [rule]


def test_a_document_whose_tax_was_rounded_on_each_line() -> None:
    lines = [{"quantity": "1", "price": "33.33", "tax_rate": "13"}] * 3
    (found,) = check(order(*lines, tax="12.99"), Rules(tax="document"), "CNY")
    assert (found.line, found.rule, found.difference) == (None, "tax", D("-0.01"))
    (found,) = check(order(*lines, tax="13"), Rules(tax="line"), "CNY")
    assert (found.line, found.rule, found.difference) == (None, "tax", D("0.01"))


def test_an_odd_cent_on_another_line() -> None:
    line = {"quantity": "1", "price": "33.33", "tax_rate": "13"}
    document = order({**line, "tax": "4.34"}, line, {**line, "tax": "4.33"})
    found = check(document, Rules(tax="document", odd_cent="last"), "CNY")
    assert [(one.line, one.rule) for one in found] == [("0", "odd_cent"), ("2", "tax")]


def test_a_document_that_follows_its_lines_says_so() -> None:
    lines = [{**LINE, "net": "30"}, {**LINE, "net": "35.63"}]
    found = check(order(*lines, net="65.63"), Rules(), "CNY")
    assert [(one.line, one.rule) for one in found] == [("0", "amounts"), (None, "lines")]
    (alone,) = check(order(LINE, LINE, net="65.63"), Rules(), "CNY")
    assert (alone.line, alone.rule) == (None, "sum")


def test_tolerance_is_in_the_smallest_unit_of_the_currency() -> None:
    line = {"quantity": "1", "price": "100", "tax_rate": "0"}
    document = order({**line, "net": "101"}, net="101")
    assert check(document, Rules(line_tolerance=1, document_tolerance=1), "JPY") == []
    assert [one.line for one in check(document, Rules(line_tolerance=1), "JPY")] == [None]
    assert [one.line for one in check(document, Rules(line_tolerance=1, document_tolerance=1), "CNY")] == ["0", None]


def test_a_discount_of_the_whole_document_is_known() -> None:
    document = order({"quantity": "1", "price": "100", "tax_rate": "13", "net": "90"}, total="101.7")
    assert check(document, Rules(), "CNY", discount=Discount(percent=D(10))) == []
    assert [one.rule for one in check(document, Rules(), "CNY")] == ["amounts", "sum"]
    undiscounted = order({"quantity": "1", "price": "100", "tax_rate": "13"}, total="113")
    assert [one.rule for one in check(undiscounted, Rules(), "CNY", discount=Discount(percent=D(10)))] == [
        "no_discount"
    ]


def test_a_discount_that_somebody_took_off_after_tax() -> None:
    document = order({"quantity": "1", "price": "100", "tax_rate": "13"}, total="103")
    (found,) = check(document, Rules(), "CNY", discount=Discount(amount=D(10)))
    assert (found.rule, found.computed) == ("discount", D("101.70"))


def test_a_line_that_cannot_be_reckoned_leaves_the_others_checked() -> None:
    document = order({**LINE, "net": "1"}, {"quantity": "1", "price": "5"}, total="999")
    assert [(one.line, one.field) for one in check(document, Rules(), "CNY")] == [("0", "net")]
    assert check(document, Rules(tax="document"), "CNY") == []
    assert outcome(document, Rules(), "CNY") is None
    assert [(one.code, one.line) for one in problems(document, Rules(), "CNY")] == [("NO_TAX_RATE", "1")]


def test_an_outcome_has_the_amounts_of_each_line() -> None:
    found = outcome(order(LINE, {**LINE, "quantity": "1"}), Rules(), "CNY")
    assert found is not None
    assert [str(found.lines[key].total) for key in ("0", "1")] == ["40.26", "13.42"]
    assert str(found.whole.document.total) == "53.68"


def test_lines_are_taken_by_position_not_as_they_are_stored() -> None:
    line = {"quantity": "1", "price": "33.33", "tax_rate": "13"}
    fields: dict[str, Any] = {"tax_included": False}
    for key, position in (("c", "30"), ("a", "10"), ("b", "20")):
        fields |= {f"lines.{key}.{name}": value for name, value in {**line, "position": position}.items()}
    found = outcome(Order.from_fields(fields), Rules(tax="document", odd_cent="last"), "CNY")
    assert found is not None
    assert {key: str(amounts.tax) for key, amounts in found.lines.items()} == {"a": "4.33", "b": "4.33", "c": "4.34"}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_credit_note_has_negative_amounts_whichever_sign_its_quantities_have(sign: int) -> None:
    line = {**LINE, "quantity": str(3 * sign), "net": "-35.63", "tax": "-4.63", "total": "-40.26"}
    note = order(line, kind=Invoice, type="credit_note", total="-40.26")
    assert check(note, Rules(), "CNY") == []
    assert problems(note, Rules(), "CNY") == []
    assert [one.field for one in check(order(line, kind=Invoice, type="invoice"), Rules(), "CNY")] == (
        [] if sign < 0 else ["net", "tax", "total"]
    )


RATE = Taxes([TaxRate("tax_code:1", D(13)), TaxRate("tax_code:2", None, "exempt"), TaxRate("tax_code:3", D(0))])


@pytest.mark.parametrize(
    ("line", "rules", "code"),
    [
        ({**LINE, "quantity": "-1"}, Rules(), "NEGATIVE_QUANTITY"),
        ({**LINE, "price": "-1"}, Rules(), "NEGATIVE_PRICE"),
        ({**LINE, "discount": "101"}, Rules(), "DISCOUNT_OUT_OF_RANGE"),
        ({**LINE, "discount": "-1"}, Rules(), "DISCOUNT_OUT_OF_RANGE"),
        ({"quantity": "1", "price": "1"}, Rules(), "NO_TAX_RATE"),
        ({**LINE, "tax_code": "tax_code:9"}, Rules(), "UNKNOWN_TAX_CODE"),
        ({**LINE, "tax_code": "tax_code:1", "tax_rate": "9"}, Rules(), "TAX_RATE_DIFFERS"),
        ({**LINE, "tax_code": "tax_code:2", "tax_rate": "13"}, Rules(), "TAX_RATE_DIFFERS"),
        ({**LINE, "price": "十二"}, Rules(), "NOT_A_NUMBER"),
        ({**LINE, "net": "viel"}, Rules(), "NOT_A_NUMBER"),
        ({**LINE, "free": "gift", "price": "0"}, Rules(free_goods="owed"), "FREE_WITHOUT_WORTH"),
    ],
)
def test_problems_are_told_apart_and_each_has_a_remedy(line: dict[str, str], rules: Rules, code: str) -> None:
    (found,) = problems(order(LINE, line), rules, "CNY", taxes=RATE)
    assert (found.code, found.line) == (code, "1")
    assert found.en.startswith("line 20") and found.zh.startswith("第 20 行")
    assert found.remedy and found.remedy_zh


@pytest.mark.parametrize(
    "line",
    [
        {**LINE, "tax_code": "tax_code:1"},
        {**LINE, "tax_code": "tax_code:2", "tax_rate": "0"},
        {"quantity": "1", "price": "5", "tax_code": "tax_code:3"},
        {**LINE, "price": "-1", "free": "rebate"},
        {**LINE, "free": "gift", "price": "0"},
    ],
)
def test_what_is_no_problem(line: dict[str, str]) -> None:
    assert problems(order(line), Rules(), "CNY", taxes=RATE) == []


@pytest.mark.parametrize("currency", ["", "RMB", "cny", "currency:1", "XYZ"])
def test_an_unknown_currency_is_a_problem_and_nothing_is_compared(currency: str) -> None:
    document = order({**LINE, "net": "1"})
    assert [one.code for one in problems(document, Rules(), currency)] == ["UNKNOWN_CURRENCY"]
    assert check(document, Rules(), currency) == []
    assert outcome(document, Rules(), currency) is None


def test_a_price_in_a_currency_without_a_rate_names_pair_and_day() -> None:
    (found,) = problems(order(LINE), Rules(), "USD", books="CNY")
    assert found.code == "NO_RATE" and "USD to CNY on 2026-11-22" in found.en and "USD 兑 CNY" in found.zh
    rates = Rates([Exchange("USD", "CNY", Day(2026, 11, 1), D("7.1"))])
    assert problems(order(LINE), Rules(), "USD", rates=rates, books="CNY") == []
    assert problems(order(LINE, date="2026-10-31"), Rules(), "USD", rates=rates, books="CNY") != []
    assert problems(order(LINE, rate="7.1"), Rules(), "USD", books="CNY") == []
    assert problems(order(LINE), Rules(), "CNY", books="CNY") == []


@pytest.mark.parametrize(("day", "rate"), [("2018-04-30", "17"), ("2018-05-01", "16"), ("2019-04-01", "13")])
def test_the_rate_is_that_of_the_day(day: str, rate: str) -> None:
    line = {**LINE, "tax_rate": rate, "tax_code": "CN13"}
    assert problems(order(line, date=day), Rules(), "CNY", taxes=CHINA) == []
    bare = {name: value for name, value in line.items() if name != "tax_rate"}
    found = outcome(order(bare, date=day), Rules(), "CNY", taxes=CHINA)
    assert found is not None
    assert found.whole.taxes.keys() == {D(rate)}


AMOUNTS = st.decimals(1, 10**4, places=2)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(AMOUNTS, AMOUNTS, st.sampled_from(["13", "9", "0"])), min_size=1, max_size=5),
    st.sampled_from(["line", "document"]),
    st.booleans(),
    st.integers(-300, 300).filter(bool),
)
def test_what_was_reckoned_passes_and_what_was_changed_does_not(
    told: list[tuple[Decimal, Decimal, str]], tax: Any, included: bool, off: int
) -> None:
    rules = Rules(tax=tax)
    lines = [{"quantity": plain(q), "price": plain(p), "tax_rate": r} for q, p, r in told]
    found = outcome(order(*lines, tax_included=included), rules, "CNY")
    assert found is not None
    full = [
        {**line, **{name: plain(getattr(found.lines[str(at)], name)) for name in ("net", "tax", "total")}}
        for at, line in enumerate(lines)
    ]
    head = {name: plain(getattr(found.whole.document, name)) for name in ("net", "tax", "total")}
    assert check(order(*full, tax_included=included, **head), rules, "CNY") == []
    wrong = found.whole.document.total + D(off) / 100
    (one,) = check(order(*full, tax_included=included, **{**head, "total": plain(wrong)}), rules, "CNY")
    assert (one.line, one.field, one.difference) == (None, "total", D(off) / 100)
    full[0]["net"] = plain(D(full[0]["net"]) + D(off) / 100)
    (one,) = check(order(*full, tax_included=included, **head), rules, "CNY")
    assert (one.line, one.field, one.difference) == ("0", "net", D(off) / 100)
