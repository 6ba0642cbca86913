"""Hostile records and answers on the whole way, by the command line: the others go on, nothing is lost or doubled."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.rest.vendors import Asked, Told

from .place import Place, placed
from .vendor import Spoil

ARRIVES: list[dict[str, Any]] = [
    {"name": "长" * 300},
    {"name": "客户😀👩‍👩‍👧"},
    {"name": "１２３公司", "stock": "１２３"},
    {"name": "客户\u202e\u200f公司"},
    {"name": "𠀀𠮷公司"},
    {"name": "客\0户"},
    {"name": "红\x1b[31m[/red][bold]"},
    {"name": "负库存", "stock": "-5"},
    {"name": "很长", "website": "x" * 10_000_000},
    {"name": "位数", "stock": "12345678901234567890.12345678901234567891"},
    {"name": "末日", "founded": "9999-12-31"},
    {"name": "a\nb"},
]
"""Strange, and yet values: they arrive as they are."""
WAITS: list[dict[str, Any]] = [
    {"name": "非数", "stock": "NaN"},
    {"name": "无穷", "stock": "-Infinity"},
    {"name": "太大", "stock": "1e999999"},
    {"name": "零日", "founded": "0000-00-00"},
    {"name": "电话", "phone": {"a": 1}},
    {"name": "邮件", "email": ["a@b.c"]},
    {"name": "额度", "limit": {"a": 1}, "currency": 7},
    {"name": "货币", "limit": "5", "currency": "￥"},
]
"""No values: the field waits for a person, the rest of the record arrives."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with placed(tmp_path) as place:
        yield place


def test_strange_values_arrive_and_wrong_ones_wait(place: Place) -> None:
    for values in (*ARRIVES, *WAITS):
        place.crm.add(**values)
    for number, name in enumerate(("是", True, ["x"])):  # two names that are none
        place.crm.add(f"N{number}", name=name)
    assert place.sync().status == 1
    held = {row["name"]: row for row in place.erp.rows.values()}
    assert held.keys() == {one["name"] for one in (*ARRIVES, *WAITS)} | {"是"}
    assert held["很长"]["website"] == "x" * 10_000_000 and held["负库存"]["stock"] == "-5"
    assert held["位数"]["stock"] == "12345678901234567890.12345678901234567891"
    items = place.items()
    assert len(items) == len(WAITS) + 2 and all("correct it in sales" in one["remedy"] for one in items)
    for one in WAITS:
        (told,) = (item for item in items if one["name"] in item["reason"])
        assert told["field"].rpartition(".")[2] in (*one, "credit_limit")

    for number in (1, 2):
        place.crm.edit(f"N{number}", name=f"正名 {number}")
    for row in list(place.crm.rows.values()):
        wrong = next((one for one in WAITS if one["name"] == row["name"]), None)
        if wrong is not None:
            place.crm.edit(row["id"], **{name: None for name in wrong if name != "name"})
    place.sync()
    place.agreed()
    assert place.items() == []


def test_what_acts_on_a_terminal_is_spelt_out(place: Place) -> None:
    place.crm.add("H1", name="\x1b]0;x\x07\x1b[31m红\u202e[/red][bold]", stock="\x1b[2J")
    place.sync()
    for words in (["parked", "list"], ["parked", "show", "1"], ["explain", "sales", "H1"], ["journal"], ["plan"]):
        answer = place.datong(*words)
        assert not {"\x1b", "\x07", "\u202e"} & set(answer.out + answer.err)
    assert "\\x1b]0;" in place.datong("explain", "sales", "H1").out


def in_list(change: Callable[[str], str | bytes]) -> Spoil:
    """The text of a list is changed on the way."""

    def spoil(asked: Asked, true: Told) -> Told:
        if asked.path != "/customers":
            return true
        changed = change(json.dumps(true.data))
        return Told(raw=changed.encode("utf8", "surrogatepass") if isinstance(changed, str) else changed)

    return spoil


def every(**values: Any) -> Spoil:
    """Each row of a list has these values."""

    def spoil(asked: Asked, true: Told) -> Told:
        rows = [{**row, **values} for row in true.data["items"]] if asked.path == "/customers" else []
        return Told(data={**true.data, "items": rows}) if rows else true

    return spoil


def replaced(old: str, new: str) -> Spoil:
    return in_list(lambda text: text.replace(old, new))


PAGES: dict[str, tuple[Spoil, str]] = {
    "NaN": (replaced('"@"', "NaN"), "NaN"),
    "a lone surrogate": (replaced('"@"', '"\\ud800"'), "ud800"),
    "ten thousand levels": (replaced('"@"', "[" * 10_000 + "]" * 10_000), "JSON"),
    "a bomb": (in_list(lambda text: gzip.compress(b" " * (70 << 20))), "more than 67,108,864 bytes"),
    "moved": (lambda asked, true: Told(301, headers={"Location": "http://127.0.0.1:9/"}), "it has moved"),
    "no id": (replaced('"id": "H1"', '"no": "H1"'), "without an id at id"),
    "an id that is an object": (replaced('"id": "H1"', '"id": {"a": 1}'), "without an id at id"),
    "no change time": (every(updated_at="0000-00-00 00:00:00"), "correct `changed_at`"),
    "a time beyond the calendar": (every(updated_at="9999-12-31T23:59:59-12:00"), "beyond the calendar"),
}


@pytest.mark.parametrize("what", PAGES)
def test_an_answer_that_is_none_is_told_and_all_arrives_afterwards(place: Place, what: str) -> None:
    spoil, told = PAGES[what]
    place.crm.add("H1", name="客户甲", website="@")
    place.crm.spoil = spoil
    answer = place.sync()
    assert answer.status == 1 and told in str(answer.json["problems"])
    (item,) = place.items()
    assert item["connection"] == "sales" and item["remedy"]
    assert place.erp.rows == {}

    place.crm.spoil = None
    place.crm.edit("H1", website=None)
    place.wake()
    place.sync()
    place.agreed()
    assert len(place.erp.named("客户甲")) == 1 and place.items() == []


@pytest.mark.parametrize("over", ["one page", "all pages"])
def test_a_row_that_comes_twice_is_one_record(place: Place, over: str) -> None:
    for name in "甲乙丙丁":
        place.crm.add(name=name)
    first = next(iter(place.crm.rows.values()))

    def twice(asked: Asked, true: Told) -> Told:
        if asked.path != "/customers":
            return true
        rows = true.data["items"]
        return Told(data={**true.data, "items": [*rows, *rows] if over == "one page" else [first, *rows]})

    place.crm.spoil = twice
    assert place.sync().json["created"] == 4
    place.agreed()


RESULTS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "fewer": lambda told: told[:2],
    "none": lambda told: None,
    "more": lambda told: [*told, {**told[0], "index": 9}],
    "reordered": lambda told: told[::-1],
    "all of one place": lambda told: [{**one, "index": 0} for one in told],
    "no place": lambda told: [{"status": "ok", "item": one["item"]} for one in told],
    "a place that is no number": lambda told: [{**one, "index": "²"} for one in told],
    "one id for all": lambda told: [{**one, "item": {**one["item"], "id": "K000"}} for one in told],
    "no status": lambda told: [{"index": one["index"], "item": one["item"]} for one in told],
    "texts": lambda told: ["ok" for _ in told],
    "another record": lambda told: [{**one, "item": {**one["item"], "key": "dt-else-1"}} for one in told],
}


@pytest.mark.parametrize("what", RESULTS)
def test_results_of_a_batch_that_are_not_as_sent(place: Place, what: str) -> None:
    for name in "甲乙丙丁":
        place.crm.add(name=name)
    asked_once: list[Asked] = []

    def spoil(asked: Asked, true: Told) -> Told:
        if asked.path != "/batch" or asked_once:
            return true
        asked_once.append(asked)
        return Told(data={"results": RESULTS[what](true.data["results"])})

    place.erp.spoil = spoil
    place.sync()
    place.sync()
    place.agreed()
    assert len(asked_once) == 1 and place.items() == []


def test_a_change_time_in_the_far_future_hides_no_later_edit(place: Place) -> None:
    ids = [place.crm.add(name=name) for name in "甲乙"]
    place.crm.rows[ids[1]]["updated_at"] = "9999-12-31T23:59:59Z"
    place.sync()
    place.agreed()
    for id in ids:
        place.crm.edit(id, website=f"https://{id}.example")
    place.sync()
    assert {row["website"] for row in place.erp.rows.values()} == {f"https://{id}.example" for id in ids}


def test_a_clock_that_was_set_back_hides_no_new_customer(place: Place) -> None:
    place.crm.now += timedelta(hours=3)
    place.crm.add(name="甲")
    place.sync()
    place.crm.now -= timedelta(hours=3)
    place.crm.add(name="乙")
    place.sync()
    place.agreed()
