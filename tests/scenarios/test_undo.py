"""Taking back: what a run did is planned on every side, the source included, and nothing later is lost."""

from __future__ import annotations

from typing import Any

import pytest

from datong.base.errors import UsageError
from datong.operations.undo import run_list, undo
from tests.scenarios.pair import WANG
from tests.scenarios.sandbox_pair import NAME, SandboxPair

Joined = tuple[SandboxPair, str, str]


def both(pair: SandboxPair) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every customer of both systems, by their own interfaces."""
    return pair.crm.customers(), pair.erp.customers()


def test_an_edit_is_taken_back_on_every_side_and_the_undo_itself_too(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.erp.change(erp, credit_limit={"asia": "100"}, phone="+8675526001111")
    pair.settle()
    before = both(pair)
    pair.crm.change(crm, name="错误的名称有限公司", email="wrong@datong.example")
    pair.erp.change(erp, phone="+8675526009999", credit_limit={"asia": "123.45"})
    run = pair.sync().run
    pair.settle()
    changed = both(pair)
    assert changed != before

    plan = undo(pair.engine, WANG, run)
    assert set(plan["ways"]) == {"reversible"}, plan["steps"]
    pair.advance(20)
    result = pair.engine.apply(plan["id"])
    assert not result.moved and result.updated == 2
    assert both(pair) == before
    pair.settle()
    assert both(pair) == before, "the next poll brings nothing again"

    again = undo(pair.engine, WANG, plan["id"])
    pair.engine.apply(again["id"])
    pair.settle()
    assert both(pair) == changed
    names = [row["name"] for row in run_list(pair.engine, WANG)]
    assert run in names and result.run in names


def test_what_was_changed_later_is_left_alone_and_named(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, name="甲公司", email="a@datong.example")
    run = pair.sync().run
    pair.crm.change(crm, name="乙公司")
    pair.settle()
    plan = undo(pair.engine, WANG, run)
    (refused,) = [step for step in plan["steps"] if step["refused"]]
    assert refused["field"] == "name" and "乙公司" in refused["why"] and "crm" in refused["why"]
    pair.advance(20)
    pair.engine.apply(plan["id"])
    pair.settle()
    assert pair.erp.customer(erp)["name"] == pair.crm.customer(crm)["name"] == "乙公司"
    assert pair.erp.customer(erp)["email"] == pair.crm.customer(crm)["email"] == "li.na@datong.example"


def test_a_change_nobody_has_read_yet_is_not_lost_either(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, name="甲公司")
    run = pair.sync().run
    pair.crm.change(crm, name="丙公司")
    with pytest.raises(UsageError, match="丙公司"):
        undo(pair.engine, WANG, run)
    pair.crm.change(crm, name="甲公司")
    plan = undo(pair.engine, WANG, run)
    pair.advance(20)
    pair.crm.change(crm, name="丁公司")
    result = pair.engine.apply(plan["id"])
    assert result.moved
    pair.settle()
    assert pair.erp.customer(erp)["name"] == pair.crm.customer(crm)["name"] == "丁公司" != NAME
