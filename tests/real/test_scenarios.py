"""The scenarios of `tests/scenarios` on real Tryton and real BottleCRM, judged through the APIs of the two."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import lab
from datong.base.clock import SystemClock
from datong.kit import Incoming
from datong.operations import work
from datong.operations.checking import check
from datong.operations.records import explain
from datong.operations.sync import plan_changes_of
from tests.real.conftest import unavailable
from tests.real.real_pair import REGION_CODE, REGION_CODE_MAP, RealPair, real_pair
from tests.scenarios.pair import WANG

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

NAME = "深圳市大同科技有限公司"
TAX_ID = "91350100M000100Y43"
Joined = tuple[RealPair, str, str]


@pytest.fixture
def joined(pair: RealPair) -> Joined:
    """One customer on both sides."""
    return pair, *_join(pair, name=NAME, phone="0755-2600 0000", email="li.na@datong.example", tax_id=TAX_ID)


def _join(pair: RealPair, **customer: Any) -> tuple[str, str]:
    pair.sync()
    crm = pair.crm.make(**customer)
    pair.settle()
    (erp,) = pair.erp.customers()
    return crm, erp


def _with_region_code(pair: RealPair, **field: Any) -> None:
    """A custom field of BottleCRM that is a plain field of the party in Tryton."""
    flows = {"customer_master": {"fields": {"custom.region_code": field or {"shared": "ask"}}}}
    pair.configure(custom=REGION_CODE, maps=REGION_CODE_MAP, flows=flows)


def _swept_twice(pair: RealPair) -> None:
    pair.sync(sweep=True)
    pair.sync(sweep=True)


def _quiet_after(pair: RealPair) -> None:
    pair.settle()
    before = pair.stand()
    pair.sync()
    pair.sync(full=True)
    assert pair.stand() == before, "a loop"


# The first sync ------------------------------------------------------------------------------------------------------


@dataclass
class FirstSync:
    """What was there, what the plan showed, and what was there afterwards."""

    pair: RealPair
    seeded: lab.SeededCustomers
    before: tuple[Any, Any]
    planned: tuple[Any, Any]
    plan: dict[str, Any]
    changes: list[dict[str, Any]]
    crm: dict[str, dict[str, Any]]
    erp: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def first_sync(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstSync]:
    """200 customers that already disagree, in two systems of their own."""
    try:
        with lab.running() as real:
            pair = real_pair(real, tmp_path_factory.mktemp("first"))
            seeded = lab.seed_customers(real.tryton, real.bottlecrm, total=200, shared=60)
            pair.configure(flows={"reference_data": True, "contact": {"first_load": "crm"}})
            assert check(pair.engine, WANG)["connections"]  # makes the custom fields that are missing
            for number, one in enumerate(seeded.strong[:5]):
                pair.crm.change(one.crm_id, name=f"{one.crm_name} 新名{number}")
            before = pair.stand()
            plan = pair.engine.plan()
            planned = pair.stand()
            changes = plan_changes_of(pair.engine, WANG, plan["id"], limit=None)
            pair.engine.apply(plan["id"])
            pair.settle()
            yield FirstSync(pair, seeded, before, planned, plan, changes, pair.crm.customers(), pair.erp.customers())
            pair.close()
    except lab.LabUnavailable as reason:
        unavailable(reason)


def test_a_plan_writes_nothing_and_shows_the_differences_of_the_first_load(first_sync: FirstSync) -> None:
    assert first_sync.planned == first_sync.before
    assert first_sync.plan["creates"] and first_sync.plan["updates"] and first_sync.plan["reviews"]
    strong = {one.crm_id for one in first_sync.seeded.strong} | {str(one.erp_id) for one in first_sync.seeded.strong}
    shown = [
        c for c in first_sync.changes if c["action"] == "update" and any(f["before"] for f in c["fields"].values())
    ]
    assert shown and {c["native_id"] for c in shown if c["kind"] == "account"} <= strong


def test_shared_strong_keys_link(first_sync: FirstSync) -> None:
    for one in first_sync.seeded.strong:
        crm, erp = first_sync.crm[one.crm_id], first_sync.erp[str(one.erp_id)]
        assert crm["number"]["asia"] == erp["code"], one
        assert crm["terms"]["asia"] == erp["terms"] and crm["credit_limit"] == erp["credit_limit"], one
        assert crm["name"] == erp["name"], one


def test_look_alikes_wait_in_review_with_reasons(first_sync: FirstSync) -> None:
    reviews = [i for i in first_sync.pair.items("review") if i["kind"] == "account"]
    assert all(item["detail"]["reasons"] for item in reviews)
    waiting = {(i["detail"]["left"]["id"], i["detail"]["right"]["id"]) for i in reviews}
    for one in first_sync.seeded.lookalikes:
        assert (one.crm_id, str(one.erp_id)) in waiting, one
        assert first_sync.crm[one.crm_id]["number"]["asia"] is None, "nobody linked it"


def test_nothing_is_doubled(first_sync: FirstSync) -> None:
    seeded = first_sync.seeded
    assert len(first_sync.erp) == 130 + len(seeded.only_crm)
    assert len(first_sync.crm) == 130 + len(seeded.only_erp)
    for side in (first_sync.crm, first_sync.erp):
        names = sorted(row["name"].strip().casefold() for row in side.values())
        assert len(names) == len(set(names))
        numbers = sorted("".join(row["tax_id"].split()).upper() for row in side.values() if row["tax_id"])
        assert len(numbers) == len(set(numbers))
    people = [row["email"] for row in first_sync.pair.crm.contacts()]
    assert len(people) == len(set(people))


def test_a_second_sync_writes_nothing(first_sync: FirstSync) -> None:
    before = first_sync.pair.stand()
    result = first_sync.pair.sync(full=True)
    assert (result.created, result.updated, result.deleted) == (0, 0, 0)
    assert first_sync.pair.stand() == before, "change stamps and activity logs included"


# Edits ---------------------------------------------------------------------------------------------------------------


def test_different_fields_on_both_sides_both_win(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, name="大同科技股份有限公司")
    pair.erp.change(erp, phone="+86 755 2600 1111", credit_limit={"asia": "50000.5"})
    pair.settle()
    assert pair.crm.customer(crm)["phone"] == "+8675526001111"
    assert pair.crm.customer(crm)["credit_limit"]["asia"] == "50000.5"
    assert pair.erp.customer(erp)["name"] == "大同科技股份有限公司"
    assert set(pair.erp.customers()) == {erp} and set(pair.crm.customers()) == {crm}


def test_owned_field_edited_by_the_other_side_is_put_back_and_shown(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.erp.change(erp, name="someone else's name")
    pair.settle()
    assert pair.erp.customer(erp)["name"] == NAME == pair.crm.customer(crm)["name"]
    assert "put back" in [t["event"] for t in explain(pair.engine, WANG, "crm", crm)["timeline"]]


def test_same_shared_field_on_both_sides_asks_and_holds_only_the_field(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, email="crm@datong.example")
    pair.erp.change(erp, email="erp@datong.example", phone="+8675526002222")
    pair.settle()
    assert pair.crm.customer(crm)["email"] == "crm@datong.example"
    assert pair.erp.customer(erp)["email"] == "erp@datong.example"
    assert pair.crm.customer(crm)["phone"] == "+8675526002222", "the rest goes on"
    (item,) = pair.items("conflict")
    assert item["field"] == "email" and item["remedy"]
    work.resolve(pair.engine, WANG, item["id"], take="erp")
    pair.settle()
    assert pair.crm.customer(crm)["email"] == pair.erp.customer(erp)["email"] == "erp@datong.example"

    pair.crm.change(crm, email="one@datong.example")
    pair.erp.change(erp, email="two@datong.example")
    pair.settle()
    assert pair.items("conflict")
    pair.erp.change(erp, email="one@datong.example")
    pair.settle()
    assert not pair.items("conflict"), "it closes itself when both hold the same"


@pytest.mark.proof
def test_policies_decide_a_clash(pair: RealPair) -> None:
    _with_region_code(pair, first=True)
    policies = {
        "email": {"owned_by": "crm"},
        "phone": {"owned_by": "erp"},
        "website": {"shared": "owner", "owner": "erp"},
    }
    pair.configure(flows={"customer_master": {"fields": policies}})
    crm, erp = _join(pair, name=NAME, email="a@datong.example", phone="+8675526000000", region_code="HN-01")
    assert pair.erp.customer(erp)["region_code"] == "HN-01", "written at create"
    for side, one, last in ((pair.crm, crm, 1), (pair.erp, erp, 2)):
        side.change(one, email=f"b{last}@datong.example", phone=f"+867552600000{last}")
        side.change(one, website=f"https://b{last}.example", region_code=f"HN-1{last}")
    pair.settle()
    left, right = pair.crm.customer(crm), pair.erp.customer(erp)
    assert left["email"] == right["email"] == "b1@datong.example"
    assert left["phone"] == right["phone"] == "+8675526000002"
    assert left["website"] == "https://b2.example" and right["website"] in ("b2.example", "https://b2.example")
    assert (left["region_code"], right["region_code"]) == ("HN-11", "HN-12"), "each keeps its own after the first"
    assert not pair.items()


@pytest.mark.proof
def test_newest_wins_is_refused_where_a_system_tells_no_change_time(pair: RealPair) -> None:
    pair.configure(flows={"customer_master": {"fields": {"email": {"shared": "newest"}}}})
    told = check(pair.engine, WANG)
    assert not told["ok"]
    (problem,) = [p for p in told["problems"] if "newest" in p["cause"]]
    assert "crm" in problem["cause"] and problem["remedy"]


@pytest.mark.proof
def test_rename_in_the_crm_keeps_the_link(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, name="大同科技（深圳）有限公司")
    pair.settle()
    assert {i: c["name"] for i, c in pair.erp.customers().items()} == {erp: "大同科技（深圳）有限公司"}


@pytest.mark.proof
def test_cleared_field_is_cleared_on_the_other_side(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, email=None)
    pair.settle()
    assert pair.erp.customer(erp)["email"] is None
    pair.erp.change(erp, phone=None)
    pair.settle()
    assert not pair.crm.customer(crm)["phone"]


def test_reformatted_phone_makes_no_loop(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, phone="(0755) 2600-3333")
    _quiet_after(pair)
    assert pair.erp.customer(erp)["phone"] == "+8675526003333"
    assert pair.crm.customer(crm)["phone"] == "(0755) 2600-3333"


@pytest.mark.proof
def test_values_that_the_target_trims_or_spells_its_way_make_no_loop(pair: RealPair) -> None:
    """BottleCRM trims texts and wants a scheme before a website; Tryton writes tax numbers bare and in capitals."""
    pair.sync()
    erp = pair.erp.make(name="Trailing Spaces BV  ", website="spaces.example")
    crm = pair.crm.make(name="小写税号有限公司", tax_id="91350100 m000100y 43")
    _quiet_after(pair)
    (there,) = [c for c in pair.crm.customers().values() if c["website"]]
    assert (there["name"], there["website"]) == ("Trailing Spaces BV", "https://spaces.example")
    assert pair.erp.customer(erp)["website"] == "spaces.example"
    (here,) = [c for c in pair.erp.customers().values() if c["tax_id"]]
    assert here["tax_id"] == TAX_ID and pair.crm.customer(crm)["tax_id"] == "91350100 m000100y 43"
    assert not pair.items()


def test_name_too_long_for_the_target_is_shown_once_and_nothing_is_cut(pair: RealPair) -> None:
    """Neither system cuts a text by itself: BottleCRM refuses more than 255 characters, Tryton takes them."""
    pair.sync()
    long = "很长的名称" * 60
    erp = pair.erp.make(name=long)
    pair.erp.make(name="短名称有限公司")
    _quiet_after(pair)
    assert [c["name"] for c in pair.crm.customers().values()] == ["短名称有限公司"], "the rest goes on"
    (item,) = pair.items("parked")
    assert item["field"] == "name" and "255" in item["reason"] and item["remedy"]
    pair.erp.change(erp, name="改短了的名称有限公司")
    pair.settle()
    assert {c["name"] for c in pair.crm.customers().values()} == {"短名称有限公司", "改短了的名称有限公司"}
    assert not pair.items("parked")


@pytest.mark.proof
def test_number_finer_than_the_target_holds_makes_no_loop(joined: Joined) -> None:
    """A limit typed in the CRM as text has three decimals; Tryton's has the two of its currency."""
    pair, crm, erp = joined
    pair.configure(flows={"customer_master": {"fields": {"company.*.credit_limit": {"owned_by": "crm"}}}})
    pair.crm.change(crm, credit_limit={"asia": "50000.555 CNY"})
    _quiet_after(pair)
    assert pair.crm.customer(crm)["credit_limit"]["asia"] == "50000.555", "nobody rounded what was typed"
    held = pair.erp.customer(erp)["credit_limit"]["asia"]
    items = pair.items("parked")
    assert held in ("50000.56", "50000.55") or (held is None and items and items[0]["field"]), (held, items)
    pair.crm.change(crm, credit_limit={"asia": "50000.5 CNY"})
    pair.settle()
    assert pair.erp.customer(erp)["credit_limit"]["asia"] == "50000.5" and not pair.items("parked")


@pytest.mark.proof
def test_field_hidden_for_a_while_blanks_nothing(pair: RealPair) -> None:
    _with_region_code(pair)
    crm, erp = _join(pair, name=NAME, region_code="HN-01")
    assert pair.erp.customer(erp)["region_code"] == "HN-01"
    pair.crm.switch_field("region_code", on=False)
    try:
        pair.crm.change(crm, name="大同科技（深圳）有限公司")
        pair.settle()
        assert pair.erp.customer(erp)["name"] == "大同科技（深圳）有限公司"
        assert pair.erp.customer(erp)["region_code"] == "HN-01"
    finally:
        pair.crm.switch_field("region_code", on=True)
    pair.crm.change(crm, name="大同科技有限公司")
    pair.settle()
    assert pair.crm.customer(crm)["region_code"] == pair.erp.customer(erp)["region_code"] == "HN-01"


@pytest.mark.proof
def test_field_that_vanishes_from_every_record_suspends_the_field_and_clears_nothing(pair: RealPair) -> None:
    _with_region_code(pair)
    pair.sync()
    ids = [pair.crm.make(name=f"客户{n}有限公司", region_code=f"HN-{n}") for n in range(6)]
    pair.settle()
    pair.crm.switch_field("region_code", on=False)
    try:
        for number, one in enumerate(ids):
            pair.crm.change(one, name=f"客户{number}改名有限公司")
        pair.settle()
        (item,) = [i for i in pair.items("parked") if i["cause"] == "schema drift"]
        assert item["field"] == "custom.region_code"
        assert all(c["region_code"] and "改名" in c["name"] for c in pair.erp.customers().values())
    finally:
        pair.crm.switch_field("region_code", on=True)
    for number, one in enumerate(ids):
        pair.crm.change(one, name=f"客户{number}再改有限公司")
    pair.settle()
    assert not pair.items("parked") and all(c["region_code"] for c in pair.erp.customers().values())


@pytest.mark.proof
def test_custom_field_both_ways(pair: RealPair) -> None:
    _with_region_code(pair)
    crm, erp = _join(pair, name=NAME)
    pair.crm.change(crm, region_code="HN-01")
    pair.settle()
    assert pair.erp.customer(erp)["region_code"] == "HN-01"
    pair.erp.change(erp, region_code="HN-02")
    pair.settle()
    assert pair.crm.customer(crm)["region_code"] == "HN-02"


@pytest.mark.proof
def test_address_is_changed_in_its_place(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, address_line="科技园路1号", city="深圳市", postcode="518057", country="CN")
    pair.settle()
    assert pair.erp.customer(erp)["addresses"] == [("科技园路1号", "深圳市", "518057")]
    (kept,) = pair.erp.rows("party.address", [["party", "=", int(erp)]], ("street",))
    pair.crm.change(crm, address_line="科技园路9号")
    pair.settle()
    (after,) = pair.erp.rows("party.address", [["party", "=", int(erp)]], ("street",))
    assert (after["id"], after["street"]) == (kept["id"], "科技园路9号"), "changed, not replaced"

    second = {"party": int(erp), "street_unstructured": "天河路2号", "city": "广州市"}
    pair.erp.system.call("model.party.address.create", [second])
    pair.erp.system.call("model.party.address.write", [kept["id"]], {"city": "东莞市"})
    _quiet_after(pair)
    assert sorted(a[:2] for a in pair.erp.customer(erp)["addresses"]) == [
        ("天河路2号", "广州市"),
        ("科技园路9号", "深圳市"),
    ]
    assert pair.crm.customer(crm)["address"] == ("科技园路9号", "深圳市", "518057"), "its room is for one"
    pair.crm.change(crm, address_line=None, city=None, postcode=None, country=None)
    _quiet_after(pair)
    assert [a[0] for a in pair.erp.customer(erp)["addresses"]] == ["天河路2号"]
    assert not pair.items()


@pytest.mark.proof
def test_address_of_an_account_made_later_reaches_the_customer_that_has_none(pair: RealPair) -> None:
    pair.configure(flows={"customer_master": {"create": False}})
    pair.sync()
    erp = pair.erp.make(name=NAME, tax_id=TAX_ID)
    pair.settle()
    pair.crm.make(name=NAME, tax_id=TAX_ID, address_line="科技园路1号", city="深圳市", country="CN")
    _quiet_after(pair)
    assert pair.erp.customer(erp)["addresses"] == [("科技园路1号", "深圳市", None)] and not pair.items()


@pytest.mark.proof
def test_two_companies_stay_apart(pair: RealPair) -> None:
    """Limits are one per company. The number and the term are one per party in Tryton's core, told to both."""
    pair.configure(flows={"reference_data": True})
    crm, erp = _join(pair, name=NAME, tax_id=TAX_ID)
    pair.erp.change(erp, credit_limit={"asia": "1000", "europe": "2000.25"}, terms="Net 30")
    pair.settle()
    told = pair.crm.customer(crm)
    assert told["credit_limit"] == {"asia": "1000", "europe": "2000.25"}
    assert told["terms"] == {"asia": "Net 30", "europe": "Net 30"}
    assert told["number"] == {"asia": pair.erp.customer(erp)["code"], "europe": pair.erp.customer(erp)["code"]}
    pair.erp.change(erp, credit_limit={"europe": "3000"})
    pair.settle()
    assert pair.crm.customer(crm)["credit_limit"] == {"asia": "1000", "europe": "3000"}


@pytest.mark.proof
def test_hundred_rapid_edits_make_at_most_three_writes(joined: Joined) -> None:
    pair, crm, erp = joined
    before = pair.erp.writes()
    for number in range(100):
        pair.crm.change(crm, name=f"{NAME}{number}")
        if number in (30, 60):
            pair.sync()
    pair.settle()
    assert pair.erp.customer(erp)["name"] == f"{NAME}99"
    assert 0 < pair.erp.writes() - before <= 3, "by Tryton's own log"


def test_contacts_travel_both_ways(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.configure(flows={"contact": {"first_load": "crm"}})
    pair.sync()
    pair.crm.make_contact(crm, "娜", "李", "li.na@person.example")
    told = {"party": int(erp), "type": "email", "value": "anna@person.example", "name": "Anna de Vries"}
    pair.erp.system.call("model.party.contact_mechanism.create", [told])
    _quiet_after(pair)
    assert pair.erp.customer(erp)["people"] == {"李娜": "li.na@person.example", "Anna de Vries": "anna@person.example"}
    assert pair.erp.customer(erp)["email"] == "li.na@datong.example", "the customer's own address is no person's"
    people = {c["email"]: (c["first_name"], c["last_name"], c["account"]) for c in pair.crm.contacts()}
    assert people == {
        "li.na@person.example": ("娜", "李", crm),
        "anna@person.example": ("Anna", "de Vries", crm),
    }
    assert not pair.items()


@pytest.mark.proof
def test_map_changed_in_the_middle_writes_nothing_without_the_plan_that_shows_it(pair: RealPair) -> None:
    _with_region_code(pair)
    crm, erp = _join(pair, name=NAME, region_code="hn-01")
    assert pair.erp.customer(erp)["region_code"] == "hn-01"
    changed = {"read": "value.upperAscii()", "write": "value.lowerAscii()"}
    pair.configure(maps={"crm": {"account": {"custom.region_code": changed}}})
    before = pair.stand()
    assert pair.sync().problems and pair.stand() == before
    plan = pair.engine.plan()
    assert pair.stand() == before
    changes = plan_changes_of(pair.engine, WANG, plan["id"])
    assert [(c["connection"], c["fields"]) for c in changes] == [
        ("erp", {"custom.region_code": {"before": "hn-01", "after": "HN-01"}})
    ]
    pair.engine.apply(plan["id"])
    pair.settle()
    assert pair.erp.customer(erp)["region_code"] == "HN-01"
    assert pair.crm.customer(crm)["region_code"] == "hn-01"


# What is no longer there ---------------------------------------------------------------------------------------------


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


@pytest.mark.proof
def test_a_delete_in_the_erp_may_be_declined(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.erp.remove(erp)
    _swept_twice(pair)
    (item,) = pair.items("parked")
    assert item["cause"] == "delete"
    work.dismiss(pair.engine, WANG, item["id"])
    _swept_twice(pair)
    assert pair.crm.customer(crm) and not pair.items("parked")
    assert not pair.erp.customers(), "it is not created again either"


@pytest.mark.proof
def test_inactive_is_inactive_on_the_other_side(joined: Joined) -> None:
    pair, crm, erp = joined
    pair.crm.change(crm, active=False)
    pair.settle()
    assert pair.erp.customer(erp)["active"] is False
    _swept_twice(pair)
    assert not pair.items()
    pair.erp.change(erp, active=True)
    pair.settle()
    assert pair.crm.customer(crm)["active"] is True


@pytest.mark.proof
def test_scope_left_and_entered(pair: RealPair) -> None:
    _with_region_code(pair, owned_by="crm")
    scope = {"scope": 'account.custom.region_code == "HN"', "left_behind": "freeze"}
    pair.configure(flows={"customer_master": scope})
    pair.sync()
    crm = pair.crm.make(name="范围内有限公司", region_code="HN")
    pair.crm.make(name="范围外有限公司", region_code="HB")
    pair.settle()
    ((erp, made),) = pair.erp.customers().items()
    assert made["name"] == "范围内有限公司", "what is outside is not created"
    pair.crm.change(crm, region_code="HB", name="离开范围有限公司")
    _swept_twice(pair)
    assert pair.erp.customer(erp)["name"] == "范围内有限公司", "frozen, not deleted"
    pair.crm.change(crm, region_code="HN")
    pair.settle()
    assert pair.erp.customer(erp)["name"] == "离开范围有限公司", "back in step"
    assert not pair.items()


@pytest.mark.proof
def test_merge_in_the_crm_is_proposed_and_carried_over(pair: RealPair) -> None:
    """BottleCRM says only that the loser is gone: where its contacts went tells the rest."""
    pair.configure(flows={"contact": {"first_load": "crm"}})
    pair.sync()
    keep = pair.crm.make(name="存续客户有限公司", tax_id=TAX_ID)
    lose = pair.crm.make(name="并入客户有限公司")
    pair.crm.make_contact(lose, "娜", "李", "li.na@person.example")
    pair.settle()
    by_name = {c["name"]: i for i, c in pair.erp.customers().items()}
    pair.crm.merge(keep, lose)
    _swept_twice(pair)
    (item,) = [i for i in pair.items() if i["cause"] in ("merge", "delete")]
    assert item["cause"] == "merge"
    assert pair.erp.customer(by_name["并入客户有限公司"]), "the loser's ERP customer is not deleted"
    work.link(pair.engine, WANG, item["id"])
    _quiet_after(pair)
    assert set(pair.erp.customers()) == set(by_name.values())
    people = [name for c in pair.erp.customers().values() for name in c["people"]]
    assert people == ["李娜"], "nobody is doubled"
    (person,) = pair.crm.contacts()
    assert person["account"] == keep, "what points at the loser resolves to the survivor"
    pair.crm.change(keep, name="存续客户股份有限公司")
    pair.settle()
    assert pair.erp.customer(by_name["存续客户有限公司"])["name"] == "存续客户股份有限公司"


# Trouble -------------------------------------------------------------------------------------------------------------


@pytest.mark.proof
def test_erp_down_for_ten_minutes_with_200_edits(pair: RealPair) -> None:
    pair.configure(flows={"customer_master": {"limits": {"updates": "100%"}}})
    pair.sync()
    ids = [pair.crm.make(name=f"客户第{n}号有限公司", email=f"c{n}@x.example") for n in range(20)]
    pair.settle()
    before = pair.erp.writes()
    pair.erp.stop()
    for number in range(200):
        pair.crm.change(ids[number % 20], name=f"客户第{number % 20}号有限公司 改{number}")
        if number % 40 == 39:
            result = pair.engine.sync()
            assert result.problems and not result.updated
            pair.advance(120)
    pair.erp.start()
    pair.advance(900)
    pair.settle()
    names = {c["name"] for c in pair.erp.customers().values()}
    assert names == {f"客户第{n}号有限公司 改{180 + n}" for n in range(20)}
    assert pair.erp.writes() - before <= 20, "at most one write per record and side, by Tryton's own log"
    assert not pair.items("parked")


@pytest.mark.proof
def test_unreachable_crm_is_named_and_heals_by_itself(pair: RealPair) -> None:
    pair.sync()
    pair.crm.stop()
    pair.erp.make(name="客户乙有限公司")
    result = pair.sync()
    assert any("crm" in p for p in result.problems)
    pair.crm.start()
    pair.advance(900)
    pair.settle()
    assert [c["name"] for c in pair.crm.customers().values()] == ["客户乙有限公司"] and not pair.items("parked")


@pytest.mark.proof
@pytest.mark.parametrize(("connection", "secret"), [("erp", "erp.password"), ("crm", "crm.token")])
def test_wrong_credentials_suspend_one_connection_with_one_item(pair: RealPair, connection: str, secret: str) -> None:
    pair.sync()
    (pair.crm if connection == "erp" else pair.erp).make(name="客户甲有限公司")
    good = (pair.folder / secret).read_text(encoding="utf8")
    (pair.folder / secret).write_text("wrong", encoding="utf8")
    pair.restart()
    for _ in range(2):
        assert pair.sync().problems
    (item,) = pair.items("parked")
    assert item["cause"] == "access" and connection in item["reason"] and item["remedy"]
    told = check(pair.engine, WANG)
    assert {c["name"]: c["ok"] for c in told["connections"]} == {"crm": connection != "crm", "erp": connection != "erp"}
    (pair.folder / secret).write_text(good, encoding="utf8")
    pair.restart()
    pair.advance(3600)
    pair.settle()
    for side in (pair.crm, pair.erp):
        assert [c["name"] for c in side.customers().values()] == ["客户甲有限公司"]
    assert not pair.items("parked")


@pytest.mark.proof
def test_tax_number_that_tryton_refuses_is_shown_and_the_rest_goes_on(pair: RealPair) -> None:
    """An old number of 15 digits is fine with us; Tryton takes only the 18 of the 统一社会信用代码."""
    pair.sync()
    bad = pair.crm.make(name="十五位老税号有限公司", tax_id="440301123456789", country="CN")
    pair.crm.make(name="好客户有限公司")
    pair.settle()
    assert [c["name"] for c in pair.erp.customers().values()] == ["好客户有限公司"]
    (item,) = pair.items("parked")
    assert item["field"] == "tax_id" and "440301123456789" in item["reason"] and item["remedy"]
    pair.crm.change(bad, tax_id=TAX_ID)
    pair.settle()
    assert len(pair.erp.customers()) == 2 and not pair.items("parked"), "it resolves itself when the cause is gone"


@pytest.mark.proof
def test_name_that_bottlecrm_refuses_is_shown_and_the_rest_goes_on(joined: Joined) -> None:
    """A second customer of one name: first a person is asked, then BottleCRM refuses the second."""
    pair, crm, _ = joined
    twin = pair.erp.make(name=NAME)
    pair.erp.make(name="好客户有限公司")
    pair.settle()
    (review,) = pair.items("review")
    work.separate(pair.engine, WANG, review["id"])
    pair.settle()
    assert {c["name"] for c in pair.crm.customers().values()} == {NAME, "好客户有限公司"}
    (item,) = pair.items("parked")
    assert "already exists" in item["reason"] and item["remedy"] and item["field"] == "name"
    pair.erp.change(twin, name="大同科技广州分公司")
    pair.settle()
    assert len(pair.crm.customers()) == 3 and not pair.items("parked")
    assert pair.crm.customer(crm)["name"] == NAME


WORKER = """
import sys
sys.path.insert(0, {root!r})
import os, signal
from pathlib import Path
from datong.bootstrap.build import build
from datong.bootstrap.config import load
app = build(load(Path({config!r})))
def die(where):
    if where == {where!r}:
        os.kill(os.getpid(), signal.SIGKILL)
app.engine("worker", checkpoint=die).sync()
"""


@pytest.mark.parametrize(
    ("into", "where"),
    [("erp", "before create"), ("erp", "after create"), ("crm", "after create"), ("crm", "confirmed")],
)
def test_worker_killed_in_the_middle_of_a_create(pair: RealPair, into: str, where: str) -> None:
    pair.engine.sync()
    (pair.crm if into == "erp" else pair.erp).make(name="被打断的客户有限公司", tax_id=TAX_ID)
    pair.close()
    pair.app = None
    code = WORKER.format(root=str(Path(__file__).parents[2]), config=str(pair.folder / "datong.yaml"), where=where)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ}, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    pair.restart()
    for _ in range(3):
        pair.sync()
        pair.advance(120)
    pair.settle()
    for side in (pair.crm, pair.erp):
        assert [c["name"] for c in side.customers().values()] == ["被打断的客户有限公司"]
    assert pair.app and pair.app.sealer.verify()["intact"]
    assert not pair.items()


def test_a_webhook_of_bottlecrm_is_looked_into(joined: Joined) -> None:
    pair, crm, erp = joined
    got: list[Incoming] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got.append(Incoming(headers, body, SystemClock().now()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        hook = pair.crm.system.create_webhook(f"http://127.0.0.1:{server.server_port}/hooks/crm", ["account.updated"])
        try:
            (pair.folder / "hook.secret").write_text(hook.secret, encoding="utf8")
            pair.configure(connections={"crm": {"webhook_secret": "${file:hook.secret}"}})
            pair.crm.change(crm, name="大同科技股份有限公司")
        finally:
            server.shutdown()
            pair.crm.system.call("DELETE", f"/api/webhooks/{hook.id}/", jwt=True)
    assert got
    assert pair.app
    connector = pair.app.landscape.connections["crm"].connector
    for incoming in got:
        for hint in connector.hints(incoming):
            pair.engine.note_hint("crm", hint.kind, hint.id)
    pair.advance(300)
    assert pair.engine.sync(hints_only=True).updated == 1
    assert pair.erp.customer(erp)["name"] == "大同科技股份有限公司"
