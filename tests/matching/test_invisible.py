"""Marks that nobody sees make no other code."""

from datong.matching import normalise


def test_what_nobody_sees_makes_no_other_code() -> None:
    assert normalise.code("C00017\u200e") == normalise.code("\ufeffC00017") == normalise.code("C00017")


def test_an_invisible_value_is_blank() -> None:
    assert normalise.plain("\u200b") == ""
