"""Taking back: what a run did is planned on every side, the source included, and nothing later is lost."""

from __future__ import annotations

from typing import Any

import pytest

from datong.base.errors import UsageError
from datong.operations.records import explain, hold_field, holds_listed, release_field
from datong.operations.undo import run_list, undo, undo_record
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


def test_a_first_load_by_the_wrong_rule_is_taken_back_side_by_side(empty: SandboxPair) -> None:
    pair = empty
    tax = ["91350100M000100Y43", "91440300708461136T"]
    for number, tax_id in enumerate(tax):
        pair.crm.make(
            name=f"客户{number}有限公司", tax_id=tax_id, email=f"crm{number}@x.example", phone="+8675526001111"
        )
        pair.erp.make(name=f"客户{number}", tax_id=tax_id, email=f"erp{number}@x.example", phone="+8675526001111")
    pair.crm.make(name="只在客户系统", email="only@x.example")
    before = both(pair)
    run = pair.sync().run
    pair.settle()
    after = both(pair)
    assert len(after[1]) == 3 and {c["email"] for c in after[1].values()} >= {"crm0@x.example", "crm1@x.example"}

    plan = undo(pair.engine, WANG, run)
    assert {"reversible", "by switching off"} <= set(plan["ways"])
    pair.advance(20)
    result = pair.engine.apply(plan["id"])
    assert not result.moved
    pair.settle()
    crm, erp = both(pair)
    assert [{k: v for k, v in c.items() if v != before[0][i][k]} for i, c in crm.items()] == [{}, {}, {}]
    (made,) = set(erp) - set(before[1])
    assert erp.pop(made)["active"] is False, "what was made there stays, switched off"
    assert erp == before[1], "each side has its own values back, held there"

    again = undo(pair.engine, WANG, plan["id"])
    pair.engine.apply(again["id"])
    pair.settle()
    assert both(pair) == after


def test_a_mass_change_is_taken_back_under_the_same_guard(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    ids = [pair.crm.make(name=f"客户{n}有限公司", website=f"w{n}.example") for n in range(24)]
    pair.settle()
    pair.advance(3700)
    before = both(pair)
    for one in ids:
        pair.crm.change(one, website="all.example")
    stopped = pair.sync()
    pair.engine.apply(stopped.plan, accept_mass=True)
    pair.advance(3700)
    pair.settle()
    assert {c["website"] for c in pair.erp.customers().values()} == {"all.example"}

    plan = undo(pair.engine, WANG, stopped.plan)
    assert plan["stopped"] and plan["updates"] == 48
    assert pair.engine.apply(plan["id"]).stopped and both(pair) != before
    pair.advance(20)
    assert pair.engine.apply(plan["id"], accept_mass=True).updated == 48
    pair.settle()
    assert both(pair) == before


def test_a_wrong_map_is_taken_back_and_what_was_put_back_is_held(joined: Joined) -> None:
    pair, crm, erp = joined
    custom = {"account": {"region_code": {"label_en": "Region code", "label_zh": "区域代码"}}}
    pair.crm.change(crm, region_code="HN-01")
    pair.settle()
    before = both(pair)
    wrong = {"field": "custom.region_code", "read": "value + '-错'", "write": "value"}
    pair.configure(maps={"crm": {"account": {"custom.region_code": wrong}}}, custom=custom)
    plan = pair.engine.plan()
    pair.engine.apply(plan["id"])
    pair.settle()
    assert pair.erp.customer(erp)["region_code"] == "HN-01-错" and pair.crm.customer(crm)["region_code"] == "HN-01"

    back = undo(pair.engine, WANG, plan["id"], hold=True)
    pair.advance(20)
    pair.engine.apply(back["id"])
    pair.settle()
    assert both(pair) == before
    pair.crm.change(crm, region_code="HN-02")
    pair.settle()
    assert pair.erp.customer(erp)["region_code"] == "HN-01", "held while the map is wrong still"
    assert "hold" in explain(pair.engine, WANG, "crm", crm)["fields"]["custom.region_code"]["held"]

    pair.configure(maps={"crm": {"account": {"custom.region_code": {**wrong, "read": "value"}}}})
    pair.engine.apply(pair.engine.plan()["id"])
    for one in holds_listed(pair.engine, WANG):
        release_field(pair.engine, WANG, one["id"])
    pair.settle()
    assert pair.erp.customer(erp)["region_code"] == "HN-02", "what changed meanwhile is taken in when it is released"


def test_addresses_are_taken_back_line_by_line(joined: Joined) -> None:
    pair, crm, erp = joined
    first = {"type": "billing", "country": "CN", "city": "深圳市", "street": "科技园路1号", "postcode": "518057"}
    second = {"type": "shipping", "country": "CN", "city": "广州市", "street": "天河路2号", "postcode": "510620"}
    pair.sandbox.crm.edit("accounts", crm, {"addresses": [first, second]})
    pair.settle()
    before = pair.crm.customer(crm)["addresses"], pair.erp.customer(erp)["addresses"]
    began = pair.clock.now()
    row = pair.sandbox.crm.get("accounts", crm)
    third = {"type": "office", "country": "CN", "city": "珠海市", "street": "情侣路3号", "postcode": "519000"}
    pair.sandbox.crm.edit("accounts", crm, {"addresses": [{**row["addresses"][0], "street": "错误路9号"}, third]})
    run = pair.sync().run
    pair.settle()
    assert len(pair.erp.customer(erp)["addresses"]) == 2 and "错误路9号" in str(pair.erp.customer(erp)["addresses"])
    since = undo_record(pair.engine, WANG, "crm", crm, began)
    plan = undo(pair.engine, WANG, run)
    assert [s["field"] for s in plan["steps"]] == [s["field"] for s in since["steps"]]
    pair.advance(20)
    pair.engine.apply(plan["id"])
    pair.settle()
    after = pair.crm.customer(crm)["addresses"], pair.erp.customer(erp)["addresses"]
    assert [sorted(side) for side in after] == [sorted(side) for side in before]


def test_a_held_field_is_neither_taken_in_nor_written_until_it_is_released(joined: Joined) -> None:
    pair, crm, erp = joined
    held = hold_field(pair.engine, WANG, "email", record=("crm", crm), why="等客户确认")
    pair.crm.change(crm, email="new@datong.example", website="w.example")
    pair.settle()
    assert pair.erp.customer(erp)["email"] == "li.na@datong.example"
    assert pair.erp.customer(erp)["website"] == "w.example", "the rest goes on"
    release_field(pair.engine, WANG, held["id"])
    pair.settle()
    assert pair.erp.customer(erp)["email"] == "new@datong.example"
    kind = hold_field(pair.engine, WANG, "website", kind="account")
    pair.erp.change(erp, website="x.example", phone="+8675526003333")
    pair.settle()
    assert (pair.crm.customer(crm)["website"], pair.crm.customer(crm)["phone"]) == ("w.example", "+8675526003333")
    release_field(pair.engine, WANG, kind["id"])
    pair.settle()
    assert pair.crm.customer(crm)["website"] == "x.example"
