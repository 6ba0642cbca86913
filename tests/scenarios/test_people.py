"""What people do: pause, lock, release, sync one record now, separate, unlink, plan and apply later; followers."""

from __future__ import annotations

from typing import Any

import pytest

from datong.base.errors import UsageError
from datong.operations import Actor, records, work
from datong.operations.sync import apply, plan_changes_of, plan_named, write_plan
from tests.scenarios.pair import WANG
from tests.scenarios.sandbox_pair import NAME, TAX_ID, SandboxPair

Joined = tuple[SandboxPair, str, str]


@pytest.mark.parametrize("what", ["pause", "lock"])
def test_a_held_record_is_not_written_and_catches_up_when_released(joined: Joined, what: str) -> None:
    pair, crm, erp = joined
    assert records.hold(pair.engine, WANG, what, "crm", crm)["state"] in ("paused", "locked")
    pair.crm.change(crm, name="暂停期间改名")
    pair.erp.change(erp, phone="+8675526009999")
    pair.settle()
    assert pair.erp.customer(erp)["name"] == NAME and pair.crm.customer(crm)["phone"] == "0755-2600 0000"
    records.hold(pair.engine, WANG, "release", "crm", crm)
    pair.settle()
    assert pair.erp.customer(erp)["name"] == "暂停期间改名" and pair.crm.customer(crm)["phone"] == "+8675526009999"


def test_one_record_synced_now_leaves_the_others(joined: Joined) -> None:
    pair, crm, _ = joined
    other = pair.crm.make(name="另一个客户")
    pair.crm.change(crm, name="立即同步")
    pair.advance(20)
    result = pair.engine.sync_record("crm", "account", crm)
    assert result.updated == 1
    assert [c["name"] for c in pair.erp.customers().values()] == ["立即同步"]
    pair.settle()
    assert len(pair.erp.customers()) == 2 and pair.crm.customer(other)


def test_separate_holds_until_the_values_change(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    crm = pair.crm.make(name="苏州兴方医疗器械有限公司", phone="0512-6406 3229")
    erp = pair.erp.make(name="苏州兴方医疗器械有限责任公司", phone="+8651264063229")
    pair.sync()
    (item,) = pair.items("review")
    assert len(pair.erp.customers()) == len(pair.crm.customers()) == 1, "nothing is created while a person is asked"
    work.separate(pair.engine, WANG, item["id"])
    pair.settle()
    assert len(pair.erp.customers()) == len(pair.crm.customers()) == 2
    pair.sync(full=True)
    assert not pair.items("review")
    assert pair.crm.customer(crm)["name"] != pair.erp.customer(erp)["name"]


def test_review_linked_by_a_person_merges_by_the_rules_of_a_first_link(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    crm = pair.crm.make(name="苏州兴方医疗器械有限公司", phone="0512-6406 3229")
    erp = pair.erp.make(name="苏州兴方医疗器械有限责任公司", phone="+8651264063229", email="erp@x.example")
    pair.sync()
    (item,) = pair.items("review")
    work.link(pair.engine, WANG, item["id"])
    pair.settle()
    assert len(pair.erp.customers()) == len(pair.crm.customers()) == 1
    assert pair.erp.customer(erp)["name"] == pair.crm.customer(crm)["name"] == "苏州兴方医疗器械有限公司"
    assert pair.crm.customer(crm)["email"] == "erp@x.example", "an empty one is filled by the other"


def test_unlink_makes_two_of_one_for_good(joined: Joined) -> None:
    pair, crm, erp = joined
    work.unlink(pair.engine, WANG, "erp", erp, "account")
    pair.settle()
    pair.crm.change(crm, name="分开之后")
    pair.settle()
    assert pair.erp.customer(erp)["name"] == NAME
    assert {c["name"] for c in pair.erp.customers().values()} == {NAME, "分开之后"}


def test_a_person_without_the_role_may_not(joined: Joined) -> None:
    pair, crm, _ = joined
    with pytest.raises(UsageError, match="operator"):
        records.hold(pair.engine, Actor("guest", ("viewer",)), "pause", "crm", crm)


def test_plan_applied_later_lists_what_moved(empty: SandboxPair, tmp_path: Any) -> None:
    pair = empty
    pair.sync()
    first = pair.crm.make(name="计划内客户甲")
    second = pair.crm.make(name="计划内客户乙")
    pair.settle()
    pair.crm.change(first, name="计划内客户甲 改")
    pair.crm.change(second, name="计划内客户乙 改")
    pair.advance(20)
    told = pair.engine.plan()
    assert told["updates"] == 2 and {c["name"] for c in pair.erp.customers().values()} == {
        "计划内客户甲",
        "计划内客户乙",
    }
    write_plan(pair.engine, WANG, told["id"], tmp_path / "plan.json")
    pair.advance(20)
    pair.engine.sync_record("crm", "account", second)
    result = apply(pair.engine, WANG, plan_named(pair.engine, str(tmp_path / "plan.json")))
    assert result.updated == 1 and [m["connection"] for m in result.moved] == ["erp"]
    pair.settle()
    assert {c["name"] for c in pair.erp.customers().values()} == {"计划内客户甲 改", "计划内客户乙 改"}
    with pytest.raises(UsageError, match="already"):
        apply(pair.engine, WANG, told["id"])


def test_a_plan_keeps_nothing_but_itself(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    crm = pair.crm.make(name="只是计划")
    pair.advance(20)
    plans = [pair.engine.plan() for _ in range(2)]
    assert [p["creates"] for p in plans] == [1, 1]
    changes = plan_changes_of(pair.engine, WANG, plans[1]["id"])
    assert changes[0]["source"] == f"crm:account:{crm}" and changes[0]["fields"]["name"]["after"] == "只是计划"
    assert not pair.erp.customers()


def test_a_plan_made_under_another_configuration_is_refused(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    pair.crm.make(name="旧配置")
    told = pair.engine.plan()
    pair.configure(flows={"customer_master": {"first_load": "erp"}})
    with pytest.raises(UsageError, match="another configuration"):
        pair.engine.apply(told["id"])


def test_followers_receive_the_fields_the_flow_names_and_no_others(empty: SandboxPair) -> None:
    pair = empty
    pair.configure(flows={"customer_master": {"followers": ["name"]}})
    pair.sync()
    keep = pair.crm.make(name="存续客户有限公司", tax_id=TAX_ID)
    lose = pair.crm.make(name="并入客户有限公司")
    pair.settle()
    by_name = {c["name"]: i for i, c in pair.erp.customers().items()}
    pair.sandbox.crm.merge("accounts", keep, lose)
    pair.sync(sweep=True)
    pair.sync(sweep=True)
    (item,) = [i for i in pair.items("review") if i["cause"] == "merge"]
    work.link(pair.engine, WANG, item["id"])
    pair.settle()
    pair.crm.change(keep, name="存续客户股份有限公司", email="new@x.example")
    pair.settle()
    pair.settle()
    follower = pair.erp.customer(by_name["并入客户有限公司"])
    assert follower["name"] == "存续客户股份有限公司" and not follower["email"]
    pair.erp.change(by_name["并入客户有限公司"], phone="+8613800138000")
    pair.settle()
    assert not pair.crm.customer(keep)["phone"], "a follower takes no part in the merge"


def test_explain_says_where_each_value_came_from(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.erp.change(erp, credit_limit={"asia": "50000"})
    pair.settle()
    told = records.explain(pair.engine, WANG, "crm", crm)
    assert told["fields"]["name"]["from"] == "crm"
    assert told["fields"]["company.asia.credit_limit"]["from"] == "erp"
    assert told["fields"]["company.asia.credit_limit"]["agreed"] == "50000 CNY"
    assert {k["connection"] for k in told["links"]} == {"crm", "erp"}
    first = told["timeline"][0]
    assert (first["event"], first["values"]["fields"]["name"]["before"]) == ("seen", None)


def test_explain_lists_several_hits(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    with pytest.raises(records.SeveralError) as caught:
        records.explain(pair.engine, WANG, "erp", "1")
    assert len(caught.value.hits) > 1
