"""What is no longer there: deleted, switched off, out of scope, merged, missed while paging."""

from __future__ import annotations

from datong.operations import work
from tests.scenarios.pair import WANG
from tests.scenarios.sandbox_pair import NAME, TAX_ID, SandboxPair

Joined = tuple[SandboxPair, str, str]


def _swept_twice(pair: SandboxPair) -> None:
    pair.sync(sweep=True)
    pair.sync(sweep=True)


def test_a_delete_is_asked_and_then_carried_over(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.remove(crm)
    pair.sync(sweep=True)
    assert not pair.items("parked"), "once is no proof"
    pair.sync(sweep=True)
    (item,) = pair.items("parked")
    assert item["cause"] == "delete" and pair.erp.customer(erp)
    work.retry(pair.engine, WANG, item["id"])
    pair.settle()
    assert pair.erp.customer(erp) is None


def test_a_delete_may_be_declined(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.remove(crm)
    _swept_twice(pair)
    (item,) = pair.items("parked")
    work.dismiss(pair.engine, WANG, item["id"])
    _swept_twice(pair)
    assert pair.erp.customer(erp) and not pair.items("parked")
    assert not pair.crm.customers(), "it is not created again either"


def test_delete_rule_delete_needs_no_person(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.configure(flows={"customer_master": {"deletes": "delete"}})
    pair.crm.remove(crm)
    _swept_twice(pair)
    assert pair.erp.customer(erp) is None


def test_mass_delete_stops_before_its_first_write(empty: SandboxPair) -> None:
    pair = empty
    pair.configure(flows={"customer_master": {"deletes": "delete"}})
    pair.sync()
    ids = [pair.crm.make(name=f"客户第{n}号有限公司") for n in range(30)]
    pair.settle()
    for one in ids[:20]:
        pair.crm.remove(one)
    pair.sync(sweep=True)
    result = pair.sync(sweep=True)
    assert result.stopped and result.plan
    assert len(pair.erp.customers()) == 30
    refused = pair.engine.apply(result.plan)
    assert refused.stopped and len(pair.erp.customers()) == 30
    pair.engine.apply(result.plan, accept_mass=True)
    assert len(pair.erp.customers()) == 10


def test_inactive_is_inactive_on_the_other_side(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, active=False)
    pair.settle()
    assert pair.erp.customer(erp)["active"] is False
    _swept_twice(pair)
    assert not pair.items("parked")
    pair.crm.change(crm, active=True)
    pair.settle()
    assert pair.erp.customer(erp)["active"] is True


def test_leaving_the_scope_deletes_nothing(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.configure(flows={"customer_master": {"scope": 'account.stage == "customer"', "left_behind": "freeze"}})
    pair.crm.change(crm, stage="closed", name="范围之外")
    pair.settle()
    assert pair.erp.customer(erp)["name"] == NAME, "frozen"
    pair.crm.change(crm, stage="customer")
    pair.settle()
    assert pair.erp.customer(erp)["name"] == "范围之外", "back in step"


def test_out_of_scope_is_not_created(empty: SandboxPair) -> None:
    pair = empty
    pair.configure(
        flows={"customer_master": {"scope": 'account.custom.region_code == "HN"'}},
        custom={"account": {"region_code": {"label_en": "Region code", "label_zh": "区域代码"}}},
    )
    pair.sync()
    pair.crm.make(name="范围内", region_code="HN")
    pair.crm.make(name="范围外", region_code="HB")
    pair.settle()
    assert [c["name"] for c in pair.erp.customers().values()] == ["范围内"]


def test_merge_in_the_crm_is_proposed_and_carried_over(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    keep = pair.crm.make(name="存续客户有限公司", tax_id=TAX_ID)
    lose = pair.crm.make(name="并入客户有限公司")
    person = pair.sandbox.crm.create("contacts", {"account_id": lose, "name": "李娜", "email": "li.na@datong.example"})
    pair.settle()
    by_name = {c["name"]: i for i, c in pair.erp.customers().items()}
    pair.sandbox.crm.merge("accounts", keep, lose)
    _swept_twice(pair)
    (item,) = [i for i in pair.items("review") if i["cause"] == "merge"]
    assert pair.erp.customer(by_name["并入客户有限公司"]), "the loser's ERP customer is not deleted"
    work.link(pair.engine, WANG, item["id"])
    pair.settle()
    assert set(pair.erp.customers()) == set(by_name.values())
    rows = [c for c in pair.sandbox.erp.rows("contacts") if c["fullName"] == "李娜"]
    assert len(rows) == 1 and str(rows[0]["custId"]) == by_name["存续客户有限公司"], "the contact moved to the survivor"
    assert pair.sandbox.crm.get("contacts", person["id"])["account_id"] == keep
    pair.crm.change(keep, name="存续客户股份有限公司")
    pair.settle()
    assert pair.erp.customer(by_name["存续客户有限公司"])["name"] == "存续客户股份有限公司"


def test_a_missed_row_of_a_page_is_no_delete(joined: Joined) -> None:
    """The list leaves it out; asked for by id it is there."""
    pair, crm, _ = joined
    link_before = pair.crm.customer(crm)
    pair.sandbox.crm.faults.add("stale_read", path="/ids", seconds=1)
    _swept_twice(pair)
    assert pair.crm.customer(crm) == link_before and not pair.items("parked")


def test_retired_is_switched_off_over_there_and_nothing_else(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.configure(flows={"customer_master": {"scope": 'account.stage == "customer"', "left_behind": "retire"}})
    pair.crm.change(crm, stage="closed", name="已退出")
    pair.settle()
    assert pair.erp.customer(erp)["active"] is False and pair.erp.customer(erp)["name"] == NAME
    assert pair.crm.customer(crm)["active"] is True
    pair.crm.change(crm, stage="customer")
    pair.settle()
    assert pair.erp.customer(erp)["active"] is True and pair.erp.customer(erp)["name"] == "已退出"
