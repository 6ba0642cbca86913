"""Numbers and dates as people write them: one declared form, and nothing guessed."""

from __future__ import annotations

from typing import Any

import pytest

from datong.mapping import local_amount, local_day, local_number, visible


@pytest.mark.parametrize(
    ("decimal", "group", "wire", "canonical"),
    [
        (",", ".", "1.234,56", "1234.56"),
        (",", ".", "1234,56", "1234.56"),
        (",", ".", "1.234", "1234"),
        (".", ",", "1,234.56", "1234.56"),
        (".", ",", "1，234．５６", "1234.56"),
        (".", ",", "１２３", "123"),
        (",", " ", "1\u00a0234\u202f567,8", "1234567.8"),
        (".", "'", "1'234’567.80", "1234567.8"),
        (".", "", ".5", "0.5"),
        (".", "", "\u221212.5", "-12.5"),
        (".", "", "12.50-", "-12.5"),
        (".", "", "\u200e12.5\u200f", "12.5"),
        (",", ".", "-0,00", "0"),
        (",", ".", 1234.5, "1234.5"),
        (",", ".", 7, "7"),
    ],
)
def test_a_number_in_the_declared_form_is_read(decimal: str, group: str, wire: Any, canonical: str) -> None:
    assert local_number(decimal, group).from_wire(wire) == canonical


@pytest.mark.parametrize(
    ("decimal", "group", "wire"),
    [
        (",", ".", "1,234.56"),
        (".", ",", "1.234,56"),
        (",", ".", "1.23,5"),
        (",", ".", "12.34"),
        (".", "", "1,234"),
        (".", ",", "1,,234"),
        (".", ",", "-1-"),
        (".", ",", "-"),
        (".", ",", "1e5"),
        (".", ",", "12 CNY"),
        (".", ",", "٣"),
        (".", ",", True),
        (".", ",", float("nan")),
    ],
)
def test_a_number_in_another_form_is_refused(decimal: str, group: str, wire: Any) -> None:
    with pytest.raises(ValueError):
        local_number(decimal, group).from_wire(wire)


def test_numbers_are_written_in_the_declared_form() -> None:
    assert local_number(",", ".").to_wire("1234.56") == "1234,56"
    assert local_number(",", places=2).to_wire("12.345") == "12,35"


def test_an_amount_may_carry_its_own_currency_only() -> None:
    euros = local_amount("EUR", ",", ".")
    assert euros.from_wire("1.234,56 EUR") == euros.from_wire("EUR 1234,56") == "1234.56 EUR"
    assert euros.to_wire("1234.56 EUR") == "1234,56"
    with pytest.raises(ValueError):
        euros.from_wire("1.234,56 CNY")
    with pytest.raises(ValueError, match="is not in EUR"):
        euros.to_wire("5 CNY")


@pytest.mark.parametrize(
    ("formats", "wire", "canonical"),
    [
        (["yyyy年m月d日"], "2026年11月21日", "2026-11-21"),
        (["yyyy年m月d日"], "２０２６年１月２日", "2026-01-02"),
        (["dd.mm.yyyy"], "21.11.2026", "2026-11-21"),
        (["dd.mm.yyyy"], "1.2.2026", "2026-02-01"),
        (["d.m.yy"], "21.11.26", "2026-11-21"),
        (["m/d/yyyy", "dd.mm.yyyy"], "21.11.2026", "2026-11-21"),
        (["m/d/yyyy"], "11/21/2026", "2026-11-21"),
        (["yyyymmdd"], "20261121", "2026-11-21"),
        (["dd.mm.yyyy"], "2026-11-21", "2026-11-21"),
        (["dd.mm.yyyy"], "2026-11-21T00:00:00", "2026-11-21"),
    ],
)
def test_a_date_in_a_declared_form_is_read(formats: list[str], wire: str, canonical: str) -> None:
    assert local_day(formats).from_wire(wire) == canonical


@pytest.mark.parametrize("wire", ["31.02.2026", "11/21/2026", "21.11.26", "2026-11-21T08:30:00", 46347, "gestern"])
def test_a_date_in_another_form_is_refused(wire: Any) -> None:
    with pytest.raises(ValueError):
        local_day("dd.mm.yyyy").from_wire(wire)


def test_day_numbers_of_a_workbook_are_read_where_declared() -> None:
    serial = local_day("dd.mm.yyyy", serial=True)
    assert serial.from_wire(46023) == serial.from_wire(46023.0) == "2026-01-01"
    for wrong in (60, 0.5, 46023.25, 10**9, True, float("inf")):
        with pytest.raises(ValueError):
            serial.from_wire(wrong)


def test_dates_are_written_in_the_first_form() -> None:
    assert local_day(["yyyy年m月d日", "yyyy-mm-dd"]).to_wire("2026-01-02") == "2026年1月2日"
    assert local_day("dd.mm.yy").to_wire("2026-01-02") == "02.01.26"
    with pytest.raises(ValueError, match="two digits"):
        local_day("dd.mm.yy").to_wire("1999-01-02")


def test_marks_that_nobody_sees_are_left_out() -> None:
    assert visible("\u202e\ufeff Ｃ０００１７\u200b ") == "C00017"
