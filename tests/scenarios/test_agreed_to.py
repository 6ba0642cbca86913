"""What people must agree to before it happens: plans beyond a size, and other configurations."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from datong.base.errors import NotApproved, UsageError
from datong.bootstrap.build import App, build
from datong.bootstrap.config import load
from datong.operations import Actor, configuration, plans
from datong.operations.sync import apply, plan
from datong.operations.undo import undo
from tests.scenarios.pair import WANG
from tests.scenarios.sandbox_pair import SandboxPair

LI = Actor("li.na", ("approver",))
ZHAO = Actor("zhao.lei", ("operator",))
Joined = tuple[SandboxPair, str, str]


def customers(pair: SandboxPair, many: int) -> list[str]:
    pair.sync()
    ids = [pair.crm.make(name=f"客户{n}有限公司", website=f"w{n}.example") for n in range(many)]
    pair.settle()
    return ids


def test_a_sync_beyond_the_size_waits_for_somebody_else_and_so_does_its_undo(empty: SandboxPair) -> None:
    pair = empty
    ids = customers(pair, 4)
    pair.configure(plans={"approve": {"by": "approver", "over": {"updates": 3}}})
    for one in ids[:3]:
        pair.crm.change(one, website="ok.example")
    assert not pair.sync().stopped
    writes = pair.erp.writes()
    for one in ids:
        pair.crm.change(one, website="many.example")
    stopped = pair.sync()
    assert "4 updates, more than 3" in stopped.stopped and pair.erp.writes() == writes
    assert pair.sync().plan == stopped.plan, "one plan, however often it is met"
    (item,) = pair.items("parked")
    assert item["cause"] == "plan approval" and stopped.plan in item["remedy"]
    with pytest.raises(UsageError, match="needs the approval of approver"):
        apply(pair.engine, WANG, stopped.plan)
    with pytest.raises(UsageError, match="not asked"):
        plans.answer(pair.engine, ZHAO, stopped.plan, yes=True)
    assert plans.answer(pair.engine, LI, stopped.plan, yes=True)["state"] == "approved"
    assert not pair.items("parked")
    assert apply(pair.engine, ZHAO, stopped.plan).updated == 4

    mine = undo(pair.app.engine(LI.name), LI, stopped.plan)
    with pytest.raises(UsageError, match="somebody else"):
        plans.answer(pair.engine, LI, mine["id"], yes=True)
    told = plans.answer(pair.engine, WANG, mine["id"], yes=True, note="同意")
    assert [(a["actor"], a["as"], a["note"]) for a in told["answers"]] == [("wang.wei", "approver", "同意")]
    pair.advance(20)
    pair.engine.apply(mine["id"])
    pair.settle()
    assert {c["website"] for c in pair.erp.customers().values()} == {"ok.example", "w3.example"}


def test_a_rejected_plan_stays_rejected_and_another_one_is_asked_anew(empty: SandboxPair) -> None:
    pair = empty
    ids = customers(pair, 2)
    pair.configure(connections={"erp": {"approve": {"by": "li.na"}}}, people={"li.na": {"roles": ["viewer"]}})
    pair.crm.change(ids[0], website="a.example")
    stopped = pair.sync()
    with pytest.raises(UsageError, match="needs its reason"):
        plans.answer(pair.engine, LI, stopped.plan, yes=False)
    assert plans.answer(pair.engine, LI, stopped.plan, yes=False, note="不是这个网站")["state"] == "rejected"
    assert pair.sync().plan == stopped.plan and not pair.items("parked")
    with pytest.raises(UsageError, match="rejected already"):
        apply(pair.engine, WANG, stopped.plan)
    pair.crm.change(ids[0], website="b.example")
    other = pair.sync()
    assert other.plan != stopped.plan
    plans.answer(pair.engine, LI, other.plan, yes=True)
    pair.configure(flows={"customer_master": {"limits": {"updates": "50%"}}})
    with pytest.raises(UsageError, match="another configuration"):
        apply(pair.engine, WANG, other.plan)


def other_configuration(pair: SandboxPair, **sections: Any) -> App:
    """The same with these sections, as another file beside the live one."""
    assert pair.app is not None
    yaml = YAML()
    told = yaml.load((pair.folder / "datong.yaml").read_text(encoding="utf8"))
    told.update(sections)
    with (pair.folder / "new.yaml").open("w", encoding="utf8") as file:
        yaml.dump(told, file)
    return build(load(pair.folder / "new.yaml").model_copy(update={"path": pair.app.config.path}), pair.clock)


def test_another_configuration_is_planned_agreed_to_and_put_live_and_the_old_one_again(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, region_code="hn-01")
    pair.settle()
    pair.configure(plans={"configuration": "approver"})
    pair.settle()
    main = pair.folder / "datong.yaml"
    first = main.read_text(encoding="utf8")
    upper = {"field": "custom.region_code", "read": "value.upperAscii()", "write": "value.lowerAscii()"}
    new = other_configuration(
        pair,
        maps={"crm": {"account": {"custom.region_code": upper}}},
        custom={"account": {"region_code": {"label_en": "Region code", "label_zh": "区域代码"}}},
    )
    configured = new.landscape.configured
    assert configured is not None
    engine = new.engine(ZHAO.name)
    with pytest.raises(NotApproved, match="not the one that people agreed to"):
        engine.sync()
    with pytest.raises(UsageError, match="must see first"):
        configuration.apply(engine, WANG, configured, main)
    told = plan(engine, ZHAO)
    assert (told["updates"] == 1 and "maps" in told["about"]) or "map of" in told["about"]
    assert told["asks"][0][0] == "approver"
    with pytest.raises(UsageError, match="needs the approval"):
        configuration.apply(engine, WANG, configured, main)
    plans.answer(pair.engine, LI, told["id"], yes=True)
    answer = configuration.apply(engine, WANG, configured, main)
    assert any("region_code" in line for line in answer["differences"])
    assert main.read_text(encoding="utf8") == (pair.folder / "new.yaml").read_text(encoding="utf8") != first
    apply(engine, ZHAO, told["id"])
    new.close()
    assert pair.erp.customer(erp)["region_code"] == "HN-01"
    with pytest.raises(NotApproved):
        pair.engine.sync()  # what runs under the old one must be started again

    pair.restart()
    pair.settle()
    versions = configuration.history(pair.engine, WANG)
    assert [one["actor"] for one in versions][:2] == ["wang.wei", "datong"]
    old = configuration.kept(pair.engine, WANG, versions[1]["version"])
    assert old["files"]["datong.yaml"] == first
    main.write_text(first, encoding="utf8")
    pair.restart()
    with pytest.raises(NotApproved) as refused:
        pair.engine.sync()
    assert "config restore" in refused.value.remedy
    back = plan(pair.engine, ZHAO)
    plans.answer(pair.engine, LI, back["id"], yes=True)
    assert pair.app is not None and pair.app.landscape.configured is not None
    configuration.apply(pair.engine, WANG, pair.app.landscape.configured, main)
    pair.engine.apply(back["id"])
    pair.settle()
    assert pair.erp.customer(erp)["region_code"] == "hn-01"
