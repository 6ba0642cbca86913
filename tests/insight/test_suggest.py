"""Suggestions: the bounds of too much, units that are not mixed, and who is due."""

from __future__ import annotations

from datetime import date as Day
from datetime import timedelta
from decimal import Decimal

import pytest

from datong.insight.suggest import Bought, Goods, Held, Left, SuggestRules, overstock, suggestions

TODAY = Day(2026, 11, 22)
RULES = SuggestRules()
GOODS = {"product:1": Goods("阀门", Decimal(10), "CNY"), "product:2": Goods("阀门", Decimal(5), "CNY")}


def held(quantity: str, product: str = "product:1") -> Held:
    return Held(product, "warehouse:1", "unit:1", Decimal(quantity))


def left(days_ago: int, quantity: str, warehouse: str = "warehouse:1", unit: str = "unit:1") -> Left:
    return Left("product:1", warehouse, unit, TODAY - timedelta(days_ago), Decimal(quantity))


def bought(account: int, days_ago: int, quantity: str = "4", product: str = "product:1", price: str = "9") -> Bought:
    day = TODAY - timedelta(days_ago)
    return Bought(f"account:{account}", product, "unit:1", day, Decimal(quantity), Decimal(price), "CNY")


@pytest.mark.parametrize(
    ("stock", "moves", "excess"),
    [
        ("60", [left(10, "60")], None),  # ten a month: six months are there, and may be
        ("61", [left(10, "60")], "1"),
        ("5", [left(89, "60")], None),
        ("5", [left(90, "60")], "5"),  # nothing moved for 90 days: all of it
        ("5", [], "5"),
        ("0", [], None),
        ("5", [left(10, "60", warehouse="warehouse:2")], "5"),
        ("5", [left(10, "60", unit="unit:2")], "5"),
        ("61", [left(10, "60"), left(400, "9000")], "1"),
        ("5", [left(-3, "60")], "5"),  # what is to leave has not left
    ],
)
def test_too_much_is_what_lasts_too_long_or_lies_still(stock: str, moves: list[Left], excess: str | None) -> None:
    found = overstock([held(stock)], moves, GOODS, RULES, TODAY)
    assert [one.excess for one in found] == ([] if excess is None else [Decimal(excess)])
    assert [one.worth for one in found] == ([] if excess is None else [Decimal(excess) * 10])


def test_the_due_come_first_and_nobody_is_offered_more_than_there_is() -> None:
    over = overstock([held("3")], [], GOODS, RULES, TODAY)
    history = [
        *(bought(1, days, "100") for days in (20, 10)),  # due today
        *(bought(2, days) for days in (400, 40)),  # every 360 days: not due
        bought(3, 5, product="product:2"),
        *(bought(4, days) for days in (900, 800)),  # too long ago
    ]
    found = suggestions(over, history, GOODS, RULES, TODAY)
    assert [(one.account, one.by, one.is_due, one.due) for one in found] == [
        ("account:1", "product", True, TODAY),
        ("account:2", "product", False, TODAY + timedelta(320)),
        ("account:3", "group", False, None),
    ]
    assert [(one.quantity, one.worth) for one in found] == [(3, 27), (3, 27), (1, 10)]
    served = suggestions(over, history, GOODS, RULES, TODAY, served=frozenset({("product:1", "account:1")}))
    assert [one.account for one in served] == ["account:2", "account:3"]
