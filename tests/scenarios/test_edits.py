"""Edits on both sides, under each policy; renames, reformatted, shortened, rounded and hidden fields."""

from __future__ import annotations

import pytest

from tests.scenarios.pair import WANG
from tests.scenarios.sandbox_pair import NAME, TAX_ID, SandboxPair

Joined = tuple[SandboxPair, str, str]


def test_different_fields_on_both_sides_both_win(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, name="大同科技股份有限公司")
    pair.erp.change(erp, phone="+8675526001111", credit_limit={"asia": "50000.5"})
    pair.settle()
    assert pair.crm.customer(crm)["phone"] == "+8675526001111"
    assert pair.crm.customer(crm)["credit_limit"]["asia"] == "50000.5"
    assert pair.erp.customer(erp)["name"] == "大同科技股份有限公司"


def test_owned_field_edited_by_the_other_side_is_put_back_and_shown(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.erp.change(erp, name="someone else's name")
    pair.settle()
    assert pair.erp.customer(erp)["name"] == NAME == pair.crm.customer(crm)["name"]
    from datong.operations.records import explain

    events = [t["event"] for t in explain(pair.engine, WANG, "crm", crm)["timeline"]]
    assert "put back" in events


def test_same_shared_field_on_both_sides_asks_and_holds_only_the_field(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, email="crm@datong.example")
    pair.erp.change(erp, email="erp@datong.example", phone="+8675526002222")
    pair.sync()
    pair.settle()
    assert pair.crm.customer(crm)["email"] == "crm@datong.example"
    assert pair.erp.customer(erp)["email"] == "erp@datong.example"
    assert pair.crm.customer(crm)["phone"] == "+8675526002222", "the rest goes on"
    (item,) = pair.items("conflict")
    assert item["field"] == "email" and item["remedy"]

    from datong.operations.work import resolve

    resolve(pair.engine, WANG, item["id"], take="erp")
    pair.settle()
    assert pair.crm.customer(crm)["email"] == pair.erp.customer(erp)["email"] == "erp@datong.example"
    assert not pair.items("conflict")


def test_a_conflict_closes_itself_when_both_sides_hold_the_same(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, email="one@datong.example")
    pair.erp.change(erp, email="two@datong.example")
    pair.settle()
    assert pair.items("conflict")
    pair.erp.change(erp, email="one@datong.example")
    pair.settle()
    assert not pair.items("conflict")


@pytest.mark.parametrize(
    ("policy", "winner"),
    [({"owned_by": "crm"}, "crm"), ({"owned_by": "erp"}, "erp"), ({"shared": "owner", "owner": "erp"}, "erp")],
)
def test_policies_decide_a_clash(joined: Joined, policy: dict[str, str], winner: str) -> None:
    pair, crm, erp = joined
    pair.configure(flows={"customer_master": {"fields": {"email": policy}}})
    pair.crm.change(crm, email="crm@datong.example")
    pair.erp.change(erp, email="erp@datong.example")
    pair.settle()
    assert pair.crm.customer(crm)["email"] == pair.erp.customer(erp)["email"] == f"{winner}@datong.example"
    assert not pair.items("conflict")


def test_newest_wins(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.configure(flows={"customer_master": {"fields": {"email": {"shared": "newest"}}}})
    pair.sync()
    pair.erp.change(erp, email="older@datong.example")
    pair.advance(60)
    pair.crm.change(crm, email="newer@datong.example")
    pair.settle()
    assert pair.crm.customer(crm)["email"] == pair.erp.customer(erp)["email"] == "newer@datong.example"


def test_first_policy_writes_at_create_only(empty: SandboxPair) -> None:
    pair = empty
    pair.configure(flows={"customer_master": {"fields": {"email": {"first": True}}}})
    pair.sync()
    crm = pair.crm.make(name=NAME, email="a@datong.example", tax_id=TAX_ID)
    pair.settle()
    (erp,) = pair.erp.customers()
    assert pair.erp.customer(erp)["email"] == "a@datong.example"
    pair.crm.change(crm, email="b@datong.example")
    pair.erp.change(erp, email="c@datong.example")
    pair.settle()
    assert pair.crm.customer(crm)["email"] == "b@datong.example"
    assert pair.erp.customer(erp)["email"] == "c@datong.example"


def test_cleared_field_is_cleared_on_the_other_side(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, email=None)
    pair.settle()
    assert not pair.erp.customer(erp)["email"]


def test_reformatted_phone_makes_no_loop(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.sandbox.erp.faults.add("normalise", object="customers", field="tel", how="phone")
    pair.crm.change(crm, phone="(0755) 2600-3333")
    _quiet_after(pair)
    assert pair.erp.customer(erp)["phone"] == "+8675526003333"
    assert pair.crm.customer(crm)["phone"] == "(0755) 2600-3333"


def test_name_shortened_by_the_target_makes_no_loop_and_is_shown_once(joined: Joined) -> None:
    pair, crm, _ = joined
    pair.sandbox.erp.faults.add("truncate", object="customers", field="custName", length=10)
    pair.crm.change(crm, name=NAME + "华南运营中心")
    _quiet_after(pair)
    assert pair.crm.customer(crm)["name"] == NAME + "华南运营中心", "never taken for an edit"
    items = [i for i in pair.items("parked") if i["cause"] == "not accepted"]
    assert len(items) == 1 and items[0]["field"] == "name"


def test_number_rounded_by_the_target_makes_no_loop(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.sandbox.crm.faults.add("round", object="accounts", field="erp.asia.credit_limit", decimals=0)
    pair.erp.change(erp, credit_limit={"asia": "50000.55"})
    _quiet_after(pair)
    assert pair.erp.customer(erp)["credit_limit"]["asia"] == "50000.55"
    assert pair.crm.customer(crm)["credit_limit"]["asia"] == "50001"


def test_declared_rounding_and_shortening_are_no_item(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.configure(
        maps={
            "erp": {
                "account": {"name": {"read": "value", "write": "value.size() > 10 ? value.substring(0, 10) : value"}}
            }
        }
    )
    pair.sync()
    plan = pair.engine.plan()
    pair.engine.apply(plan["id"])
    pair.crm.change(crm, name=NAME + "华南运营中心")
    pair.settle()
    assert pair.erp.customer(erp)["name"] == (NAME + "华南运营中心")[:10]
    assert pair.crm.customer(crm)["name"] == NAME + "华南运营中心"
    assert not [i for i in pair.items("parked") if i["cause"] == "not accepted"]


def _quiet_after(pair: SandboxPair) -> None:
    pair.sync()
    pair.settle()
    writes = pair.crm.writes() + pair.erp.writes()
    for _ in range(3):
        pair.sync()
    assert pair.crm.writes() + pair.erp.writes() == writes, "a loop"


def test_field_hidden_for_a_while_blanks_nothing(joined: Joined) -> None:
    pair, crm, erp = joined
    rule = pair.sandbox.crm.faults.add("hide_field", object="accounts", field="email")
    pair.crm.change(crm, name="大同科技（深圳）有限公司")
    pair.settle()
    assert pair.erp.customer(erp)["email"] == "li.na@datong.example"
    assert pair.erp.customer(erp)["name"] == "大同科技（深圳）有限公司"
    pair.sandbox.crm.faults.clear(rule["id"] if isinstance(rule, dict) else None)
    pair.crm.change(crm, name="大同科技有限公司")
    pair.settle()
    assert pair.crm.customer(crm)["email"] == pair.erp.customer(erp)["email"] == "li.na@datong.example"


def test_field_that_vanishes_from_every_record_suspends_the_field_and_clears_nothing(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    ids = [pair.crm.make(name=f"客户{n}", website=f"w{n}.example", tax_id=None) for n in range(8)]
    pair.settle()
    pair.sandbox.crm.faults.add("hide_field", object="accounts", field="website")
    for number, one in enumerate(ids):
        pair.crm.change(one, name=f"客户{number}改名")
    pair.settle()
    (item,) = [i for i in pair.items("parked") if i["cause"] == "schema drift"]
    assert item["field"] == "website"
    assert all(row["website"] for row in pair.erp.customers().values())
    pair.sandbox.crm.faults.clear()
    for number, one in enumerate(ids):
        pair.crm.change(one, name=f"客户{number}再改")
    pair.settle()
    assert not [i for i in pair.items("parked") if i["cause"] == "schema drift"]


def test_custom_field_both_ways(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.configure(
        flows={"customer_master": {"fields": {"custom.region_code": {"shared": "ask"}}}},
        custom={"account": {"region_code": {"label_en": "Region code", "label_zh": "区域代码"}}},
    )
    pair.sync()
    pair.crm.change(crm, region_code="HN-01")
    pair.settle()
    assert pair.erp.customer(erp)["region_code"] == "HN-01"
    pair.erp.change(erp, region_code="HN-02")
    pair.settle()
    assert pair.crm.customer(crm)["region_code"] == "HN-02"


def test_addresses_travel_item_by_item(joined: Joined) -> None:
    pair, crm, erp = joined
    first = {"type": "billing", "country": "CN", "city": "深圳市", "street": "科技园路1号", "postcode": "518057"}
    second = {"type": "shipping", "country": "CN", "city": "广州市", "street": "天河路2号", "postcode": "510620"}
    pair.sandbox.crm.edit("accounts", crm, {"addresses": [first, second]})
    pair.settle()
    sites = {(s["use"], s["street"]) for s in pair.sandbox.erp.get("customers", int(erp))["sites"]}
    assert sites == {("BILL", "科技园路1号"), ("SHIP", "天河路2号")}
    kept = {s["street"]: s["siteId"] for s in pair.sandbox.erp.get("customers", int(erp))["sites"]}

    row = pair.sandbox.crm.get("accounts", crm)
    changed = [{**row["addresses"][0], "street": "科技园路9号"}, row["addresses"][1]]
    pair.sandbox.crm.edit("accounts", crm, {"addresses": changed})
    pair.settle()
    after = {s["street"]: s["siteId"] for s in pair.sandbox.erp.get("customers", int(erp))["sites"]}
    assert after["科技园路9号"] == kept["科技园路1号"], "the line was changed, not replaced"

    row = pair.sandbox.crm.get("accounts", crm)
    pair.sandbox.crm.edit("accounts", crm, {"addresses": [a for a in row["addresses"] if a["type"] == "billing"]})
    pair.settle()
    assert [s["street"] for s in pair.sandbox.erp.get("customers", int(erp))["sites"]] == ["科技园路9号"]


def test_two_companies_stay_apart(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.erp.change(erp, credit_limit={"asia": "1000"}, terms={"asia": 3})
    pair.erp.change(erp, credit_limit={"europe": "2000.25"}, terms={"europe": 2})
    pair.settle()
    told = pair.crm.customer(crm)
    assert told["credit_limit"] == {"asia": "1000", "europe": "2000.25"}
    assert told["terms"]["asia"] != told["terms"]["europe"] and all(told["terms"].values())
    assert told["number"]["asia"] and told["number"]["europe"] and told["number"]["asia"] != told["number"]["europe"]


def test_hundred_rapid_edits_make_at_most_three_writes(joined: Joined) -> None:
    pair, crm, erp = joined
    before = pair.erp.writes()
    for number in range(100):
        pair.crm.change(crm, name=f"{NAME}{number}")
        if number in (30, 60):
            pair.sync()
    pair.settle()
    assert pair.erp.customer(erp)["name"] == f"{NAME}99"
    assert pair.erp.writes() - before <= 3


def test_customer_returned_to_the_pool_loses_its_owner_and_keeps_its_link(joined: Joined) -> None:
    pair, crm, erp = joined
    user = next(u["id"] for u in pair.sandbox.crm.rows("users") if u["name"] == "李娜")
    pair.crm.change(crm, owner=user)
    pair.settle()
    assert pair.erp.customer(erp)["owner"]
    pair.crm.change(crm, owner=None)
    pair.settle()
    assert pair.erp.customer(erp)["owner"] is None
    pair.crm.change(crm, name="公海客户")
    pair.settle()
    assert pair.erp.customer(erp)["name"] == "公海客户", "the link is kept"


def test_map_changed_in_the_middle_writes_nothing_without_the_plan_that_shows_it(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, region_code="hn-01")
    pair.settle()
    assert pair.erp.customer(erp)["region_code"] == "hn-01"
    pair.configure(
        maps={
            "crm": {
                "account": {
                    "custom.region_code": {
                        "field": "custom.region_code",
                        "read": "value.upperAscii()",
                        "write": "value.lowerAscii()",
                    }
                }
            }
        },
        custom={"account": {"region_code": {"label_en": "Region code", "label_zh": "区域代码"}}},
    )
    writes = pair.erp.writes() + pair.crm.writes()
    result = pair.sync()
    assert result.problems and pair.erp.writes() + pair.crm.writes() == writes
    plan = pair.engine.plan()
    from datong.operations.sync import plan_changes_of

    changes = plan_changes_of(pair.engine, WANG, plan["id"])
    assert [(c["connection"], c["fields"]) for c in changes] == [
        ("erp", {"custom.region_code": {"before": "hn-01", "after": "HN-01"}})
    ]
    pair.engine.apply(plan["id"])
    pair.settle()
    assert pair.erp.customer(erp)["region_code"] == "HN-01"
    assert pair.crm.customer(crm)["region_code"] == "hn-01"


def test_a_version_that_moved_on_without_a_change_we_see_blocks_no_write(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, name=NAME)
    pair.sync()
    pair.erp.change(erp, credit_limit={"asia": "4711"})
    result = pair.sync()
    assert result.updated == 1 and not result.later
    assert pair.crm.customer(crm)["credit_limit"]["asia"] == "4711"


def test_follow_ups_of_our_own_creates_do_not_trip_the_mass_guard(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    ids = [pair.crm.make(name=f"客户第{n}号有限公司") for n in range(30)]
    pair.sync()
    for number, one in enumerate(pair.erp.customers()):
        pair.erp.change(one, credit_limit={"asia": str(1000 + number)})
    result = pair.sync()
    assert not result.stopped
    pair.settle()
    assert all(pair.crm.customer(i)["credit_limit"]["asia"] for i in ids)


def test_deleting_an_account_takes_no_contact_out_of_the_erp_customer_before_a_person_spoke(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.sandbox.crm.create("contacts", {"account_id": crm, "name": "李娜", "email": "li.na@datong.example"})
    pair.settle()
    pair.crm.remove(crm)
    pair.sync(sweep=True)
    pair.sync(sweep=True)
    (contact,) = pair.sandbox.erp.rows("contacts")
    assert str(contact["custId"]) == erp


def test_a_customer_is_routed_to_the_company_that_keeps_its_account(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    china = pair.crm.make(name="苏州客户有限公司")
    france = pair.crm.make(name="Client de Lyon SARL")
    nowhere = pair.crm.make(name="没有地址的客户")
    for one, country, city in ((china, "CN", "苏州"), (france, "FR", "Lyon")):
        address = {"type": "billing", "country": country, "city": city, "street": "1"}
        pair.sandbox.crm.edit("accounts", one, {"addresses": [address]})
    pair.settle()
    pair.settle()
    numbers = {c["name"]: {k for k, n in c["number"].items() if n} for c in pair.crm.customers().values()}
    assert numbers == {"苏州客户有限公司": {"asia"}, "Client de Lyon SARL": {"europe"}, "没有地址的客户": set()}
    assert pair.crm.customer(nowhere)["number"] == {"asia": None, "europe": None}


def test_what_the_target_cannot_hold_waits_with_the_reason(empty: SandboxPair, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from datong.operations.records import explain

    pair = empty
    pair.sync()
    specs = pair.engine.landscape.connections["erp"].specs
    monkeypatch.setitem(specs, "account", replace(specs["account"], required=("email",)))
    crm = pair.crm.make(name="没有邮箱的客户")
    pair.settle()
    assert not pair.erp.customers() and not pair.items("parked")
    assert "email" in explain(pair.engine, WANG, "crm", crm)["record"]["verdicts"]["erp"]["why"]
    pair.crm.change(crm, email="now@x.example")
    pair.settle()
    assert len(pair.erp.customers()) == 1
