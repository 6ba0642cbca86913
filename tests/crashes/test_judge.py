"""The judge of the crash proof, judged: what it must not overlook."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crashes.judge import judged
from tests.crashes.story import Expected

NAME = "苏州乙巳商贸有限公司"
STANDS = {"id": "7", "name": NAME, "email": "yi@yi.example", "credit_limit": {"asia": "10"}, "addresses": [("a", "b")]}


def expected() -> Expected:
    wanted = Expected()
    wanted.both("customers", "乙", name=NAME, email="yi@yi.example", credit_limit={"asia": "10"})
    wanted.both("customers", "乙", addresses=[("a", "b")])
    wanted.on("crm", "customers", "乙", id="7")
    wanted.both("contacts", "李娜", name="李娜", of="乙")
    return wanted


def found(**other: Any) -> dict[str, Any]:
    people = [{"id": "1", "name": "李娜", "of": NAME}]
    return {"crm": {"customers": [{**STANDS, **other}], "contacts": people},
            "erp": {"customers": [dict(STANDS)], "contacts": list(people)}}  # fmt: skip


def test_what_stands_as_expected_is_right() -> None:
    verdict = judged(expected(), found())
    assert not verdict.lost and not verdict.twice


@pytest.mark.parametrize(
    ("other", "lost", "twice"),
    [
        ({"email": None}, 1, 0),
        ({"credit_limit": {"asia": None}}, 1, 0),
        ({"credit_limit": {}}, 1, 0),
        ({"id": "8"}, 1, 0),
        ({"addresses": []}, 1, 0),
        ({"addresses": [("a", "b"), ("a", "b")]}, 0, 1),
        ({"addresses": [("a", "c")]}, 1, 1),
        ({"name": "另一个"}, 1, 1),
    ],
)
def test_a_value_that_is_not_there_is_lost_and_one_too_many_is_twice(
    other: dict[str, Any], lost: int, twice: int
) -> None:
    verdict = judged(expected(), found(**other))
    assert (len(verdict.lost), len(verdict.twice)) == (lost, twice), verdict


def test_a_record_that_is_gone_is_lost_and_a_second_one_is_twice() -> None:
    rows = found()
    rows["erp"]["customers"] = []
    rows["crm"]["customers"].append({**STANDS, "id": "9"})
    rows["crm"]["contacts"].append({"id": "2", "name": "李娜", "of": NAME})
    verdict = judged(expected(), rows)
    assert len(verdict.lost) == 1 and len(verdict.twice) == 2


def test_a_person_at_the_wrong_customer_is_lost() -> None:
    rows = found()
    rows["erp"]["contacts"][0] = {"id": "1", "name": "李娜", "of": None}
    assert len(judged(expected(), rows).lost) == 1
