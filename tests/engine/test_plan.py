"""The plan of one write: the smallest set of changes, and never a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.canon import is_empty
from datong.engine.flow import CRM, Policy
from datong.engine.plan import Change, change_of
from datong.kit import ItemWrite
from datong.mapping import Converter, Field, FieldMap, Items, boolean, choice, country, put, reference, take, text

FIELDS = (
    Field("name", "names.zh"),
    Field("country", "country", country()),
    Field("stage", "stage", choice({"prospect": "LEAD", "customer": "CLIENT"})),
    Field("active", "off", boolean(False, True)),
    Field("email", "email", write="if_new"),
    Field("phone", "tel", write="if_empty"),
    Field("website", "web", write="never"),
    Field("owner", "ownerId", reference("user", integer=True)),
    Field("notes", "memo", text(null="")),
)
ADDRESS = (
    Field("city", "place.city"),
    Field("use", "kind", choice({"billing": "B", "shipping": "S"})),
    Field("postcode", "zip", write="if_new"),
    Field("region", "regionId", reference("region")),
)
MAP = FieldMap("account", "companies", FIELDS, (Items("addresses", "addressList", ADDRESS),))
KNOWN = {"addresses": {"11": "main", "12": "i2"}}
SHARED = Policy("shared")


def carried(_: str) -> Policy | None:
    return SHARED


def native(_: Converter, wanted: str) -> str | None:
    return {"user:2": "77", "region:4": "R4"}.get(wanted)


def planned(
    agreed: dict[str, Any],
    sent: dict[str, Any],
    *,
    create: bool = False,
    policy: Callable[[str], Policy | None] = carried,
    fmap: FieldMap = MAP,
    **more: Any,
) -> Change:
    return change_of(fmap, agreed, sent, policy, native, create=create, known_items=KNOWN, **more)


EVERYTHING = {
    "name": "大同",
    "country": "CN",
    "stage": "customer",
    "active": False,
    "email": "a@example.com",
    "phone": "+8675526000000",
    "website": "example.com",
    "owner": "user:2",
    "notes": None,
    "addresses.main": True,
    "addresses.main.city": "深圳市",
    "addresses.main.use": "billing",
    "addresses.main.postcode": "518057",
    "addresses.main.region": "region:4",
    "custom.unmapped": "x",
}


def test_a_create_says_all_that_is_set_and_may_be_written() -> None:
    change = planned(EVERYTHING, {}, create=True)
    assert change.action == "create" and change.something
    assert change.values == {
        "names": {"zh": "大同"},
        "country": "CN",
        "stage": "CLIENT",
        "off": True,
        "email": "a@example.com",
        "tel": "+8675526000000",
        "ownerId": 77,
    }
    assert change.items == {
        "addressList": [
            ItemWrite("create", None, {"place": {"city": "深圳市"}, "kind": "B", "zip": "518057", "regionId": "R4"})
        ]
    }
    assert change.fields["name"] == (None, "大同")
    assert change.fields["addresses.main"] == (None, True)
    assert change.waiting == {} and change.refused == {}


def test_nothing_to_say_is_no_change() -> None:
    change = planned(EVERYTHING, EVERYTHING)
    assert change == Change("update")
    assert not change.something
    assert planned({}, {}, create=True).something, "an empty record is still created"


@pytest.mark.parametrize(("one", "other"), [(None, ""), ("", None), ([], None)])
def test_one_nothing_is_like_another(one: Any, other: Any) -> None:
    assert not planned({"name": one}, {"name": other}).something
    assert not planned({"name": one}, {}).something


def test_only_what_differs_is_written() -> None:
    change = planned({**EVERYTHING, "name": "大通", "active": True, "notes": "x"}, EVERYTHING)
    assert change.values == {"names": {"zh": "大通"}, "off": False, "memo": "x"}
    assert change.fields == {"name": ("大同", "大通"), "active": (False, True), "notes": (None, "x")}
    assert change.items == {}


def test_clearing_writes_what_the_system_holds_for_nothing() -> None:
    change = planned({"name": None, "notes": None}, {"name": "大同", "notes": "x"})
    assert change.values == {"names": {"zh": None}, "memo": ""}
    assert change.fields == {"name": ("大同", None), "notes": ("x", None)}


def test_write_modes() -> None:
    assert planned({"email": "b@example.com"}, {"email": "a@example.com"}).fields == {}
    assert planned({"email": "b@example.com"}, {}).fields == {}
    assert planned({"email": "b@example.com"}, {}, create=True).fields == {"email": (None, "b@example.com")}
    assert planned({"phone": "2"}, {"phone": "1"}).fields == {}
    assert planned({"phone": "2"}, {"phone": None}).fields == {"phone": (None, "2")}
    assert planned({"website": "x"}, {}, create=True).fields == {}
    first: dict[str, Any] = {"policy": lambda _: Policy("first")}
    assert planned({"name": "大通"}, {"name": "大同"}, **first).fields == {}
    assert planned({"name": "大通"}, {}, create=True, **first).fields == {"name": (None, "大通")}


def test_what_the_flow_does_not_carry_is_not_written() -> None:
    only_name: dict[str, Any] = {"policy": lambda name: Policy("owned", owner=CRM) if name == "name" else None}
    change = planned(EVERYTHING, {}, create=True, **only_name)
    assert set(change.fields) == {"name"} and change.items == {}


def test_held_fields_wait_and_hold_nothing_else() -> None:
    changed = {**EVERYTHING, "name": "大通", "stage": "prospect"}
    assert planned(changed, EVERYTHING, held=["name"]).values == {"stage": "LEAD"}
    assert "addresses.main" not in planned(EVERYTHING, {}, create=True, held=["addresses"]).fields
    moved = {**EVERYTHING, "addresses.main.city": "广州市", "addresses.main.use": "shipping"}
    change = planned(moved, EVERYTHING, held=["addresses.main.city"])
    assert change.items == {"addressList": [ItemWrite("update", "11", {"kind": "S"})]}
    assert set(change.fields) == {"addresses.main.use"}
    assert planned(moved, EVERYTHING, held=["addresses.main"]).items == {}


def test_a_follower_receives_its_fields_only() -> None:
    change = planned({**EVERYTHING, "name": "大通", "stage": "prospect"}, {}, only=lambda n: n == "stage")
    assert change.fields == {"stage": (None, "prospect")} and change.items == {}
    assert planned(EVERYTHING, {}, only=lambda n: n == "addresses").values == {}


def test_a_reference_that_is_not_there_waits() -> None:
    change = planned({**EVERYTHING, "owner": "user:9"}, {}, create=True)
    assert change.waiting == {"owner": "user:9"}
    assert "ownerId" not in change.values and "owner" not in change.fields
    assert planned({"owner": None}, {"owner": "user:2"}).values == {"ownerId": None}


def test_a_reference_of_an_item_waits_and_is_not_written_as_nothing() -> None:
    change = planned({**EVERYTHING, "addresses.main.region": "region:9"}, {}, create=True)
    assert change.waiting == {"addresses.main.region": "region:9"}
    (item,) = change.items["addressList"]
    assert "regionId" not in item.values and item.values["kind"] == "B"
    assert "addresses.main.region" not in change.fields


def test_a_value_that_cannot_be_written_is_refused_alone() -> None:
    change = planned({**EVERYTHING, "stage": "closed"}, {}, create=True)
    assert set(change.refused) == {"stage"} and "closed" in change.refused["stage"]
    assert "stage" not in change.values and change.values["country"] == "CN"


def test_a_bad_value_of_an_item_is_refused_alone() -> None:
    change = planned({**EVERYTHING, "addresses.main.use": "holiday"}, {}, create=True)
    assert set(change.refused) == {"addresses.main.use"}
    (item,) = change.items["addressList"]
    assert "kind" not in item.values and item.values["place"] == {"city": "深圳市"}
    assert "addresses.main.use" not in change.fields


def test_items_come_change_and_go() -> None:
    sent = {**EVERYTHING, "addresses.i2": True, "addresses.i2.city": "巴黎"}
    agreed = {
        **EVERYTHING,
        "addresses.main.city": "广州市",
        "addresses.main.postcode": "510000",  # written at create only
        "addresses.i2": None,
        "addresses.i2.city": "巴黎",
        "addresses.i3": True,
        "addresses.i3.use": "shipping",
    }
    change = planned(agreed, sent)
    assert change.values == {}
    assert change.items == {
        "addressList": [
            ItemWrite("update", "11", {"place": {"city": "广州市"}}),
            ItemWrite("delete", "12"),
            ItemWrite("create", None, {"kind": "S"}),
        ]
    }
    assert change.fields == {
        "addresses.main.city": ("深圳市", "广州市"),
        "addresses.i2": (True, None),
        "addresses.i3": (None, True),
        "addresses.i3.use": (None, "shipping"),
    }


def test_a_list_without_line_ids_is_written_whole_or_not_at_all() -> None:
    whole = replace(MAP, items=(replace(MAP.items[0], id=None),))
    sent = {**EVERYTHING, "addresses.i2": True, "addresses.i2.city": "巴黎"}
    assert planned(sent, sent, fmap=whole).items == {}
    change = planned({**sent, "addresses.i2.city": "里昂"}, sent, fmap=whole)
    assert [(o.action, o.id, take(o.values, "place.city")) for o in change.items["addressList"]] == [
        ("create", None, "深圳市"),
        ("create", None, "里昂"),
    ]
    assert change.fields == {"addresses.i2.city": ("巴黎", "里昂")}
    gone = planned({**sent, "addresses.main": None, "addresses.i2": None}, sent, fmap=whole)
    assert gone.items == {"addressList": []}


@pytest.mark.parametrize(
    "spoilt", [{"held": ["addresses.i2.city"]}, {"addresses.i2.use": "holiday"}, {"addresses.i2.region": "region:9"}]
)
def test_a_list_written_whole_waits_for_what_cannot_be_said(spoilt: dict[str, Any]) -> None:
    """Leaving the field out would clear it there."""
    whole = replace(MAP, items=(replace(MAP.items[0], id=None),))
    sent = {**EVERYTHING, "addresses.i2": True, "addresses.i2.city": "巴黎"}
    held = spoilt.pop("held", [])
    change = planned({**sent, "addresses.main.city": "广州市", **spoilt}, sent, fmap=whole, held=held)
    assert change.items == {} and change.fields == {}


def test_a_reference_of_an_item_that_has_not_changed_is_not_waited_for() -> None:
    gone = {**EVERYTHING, "addresses.main.region": "region:9"}
    change = planned({**gone, "addresses.main.city": "广州市"}, gone)
    assert change.waiting == {}
    assert change.items == {"addressList": [ItemWrite("update", "11", {"place": {"city": "广州市"}})]}


@pytest.mark.parametrize("mode", ["if_new", "if_empty", "never"])
def test_write_modes_of_a_collection(mode: Any) -> None:
    fmap = replace(MAP, items=(replace(MAP.items[0], write=mode),))
    moved = {**EVERYTHING, "addresses.main.city": "广州市"}
    assert planned(moved, EVERYTHING, fmap=fmap).items == {}
    empty = {n: v for n, v in EVERYTHING.items() if not n.startswith("addresses")}
    assert bool(planned(EVERYTHING, empty, fmap=fmap).items) == (mode == "if_empty")
    assert bool(planned(EVERYTHING, {}, create=True, fmap=fmap).items) == (mode != "never")


def test_a_collection_written_once() -> None:
    moved = {**EVERYTHING, "addresses.main.city": "广州市"}
    assert planned(moved, EVERYTHING, policy=lambda _: Policy("first")).items == {}


scalars = st.sampled_from([None, "", "甲", "乙"])
documents = st.dictionaries(
    st.sampled_from(["name", "notes", "addresses.main.city", "addresses.i2.city", "addresses.i3.city"]), scalars
).flatmap(
    lambda d: st.dictionaries(
        st.sampled_from(["addresses.main", "addresses.i2", "addresses.i3"]), st.sampled_from([True, None])
    ).map(lambda p: {**d, **p})
)


@given(documents, documents)
def test_after_delivery_nothing_is_due(agreed: dict[str, Any], sent: dict[str, Any]) -> None:
    change = planned(agreed, sent)
    after = {**sent, **{name: pair[1] for name, pair in change.fields.items()}}
    assert not planned(agreed, after).something
    for name, (before, value) in change.fields.items():
        assert before != value
        assert value == agreed.get(name)
        if name in FIELDS_BY_NAME:
            assert take(change.values, FIELDS_BY_NAME[name].path) == FIELDS_BY_NAME[name].convert.to_wire(value)


@given(documents, documents)
def test_a_change_is_the_smallest(agreed: dict[str, Any], sent: dict[str, Any]) -> None:
    change = planned(agreed, sent)
    for name in ("name", "notes"):
        due = (
            name in agreed
            and agreed[name] != sent.get(name)
            and not (is_empty(agreed[name]) and is_empty(sent.get(name)))
        )
        assert (name in change.fields) == due
    wire: dict[str, Any] = {}
    for name in change.fields.keys() & FIELDS_BY_NAME.keys():
        put(wire, FIELDS_BY_NAME[name].path, FIELDS_BY_NAME[name].convert.to_wire(agreed[name]))
    assert change.values == wire


FIELDS_BY_NAME = {f.name: f for f in FIELDS}


# systems that take a record whole ------------------------------------------------------------------------------------

STANDS = {n: v for n, v in EVERYTHING.items() if not n.startswith(("addresses", "custom"))}


def test_a_system_that_takes_records_whole_is_told_all_of_it() -> None:
    change = planned({**STANDS, "name": "大通"}, STANDS, whole=True)
    assert change.fields == {"name": ("大同", "大通")}
    assert change.values == {
        "names": {"zh": "大通"},
        "country": "CN",
        "stage": "CLIENT",
        "off": True,
        "email": "a@example.com",
        "tel": "+8675526000000",
        "ownerId": 77,
    }, "what is empty, or never written, is not said"


def test_what_is_in_agreement_is_not_said_again_whole() -> None:
    assert planned(STANDS, STANDS, whole=True).values == {}
    create = planned({"name": "大同"}, {}, create=True, whole=True)
    assert create.values == {"names": {"zh": "大同"}}


def test_of_a_whole_record_what_is_held_is_said_as_it_was_sent() -> None:
    agreed = {**STANDS, "name": "大通", "stage": "prospect", "notes": "new"}
    change = planned(agreed, STANDS, whole=True, held=["stage", "notes"])
    assert change.fields == {"name": ("大同", "大通")}
    assert change.values["stage"] == "CLIENT" and "memo" not in change.values


def test_of_a_whole_record_what_is_not_agreed_is_said_as_it_was_sent() -> None:
    change = planned({"name": "大通"}, {"name": "大同", "country": "CN"}, whole=True)
    assert change.values == {"names": {"zh": "大通"}, "country": "CN"}


def test_of_a_whole_record_what_cannot_be_said_is_left_out() -> None:
    agreed = {**STANDS, "name": "大通", "stage": "closed", "owner": "user:9"}
    change = planned(agreed, STANDS, whole=True)
    assert set(change.refused) == {"stage"} and set(change.waiting) == {"owner"}
    assert "stage" not in change.values and "ownerId" not in change.values
    assert change.values["names"] == {"zh": "大通"} and change.values["country"] == "CN"
    stands_wrong = planned({"name": "大通", "stage": "closed"}, {"name": "大同", "stage": "closed"}, whole=True)
    assert stands_wrong.values == {"names": {"zh": "大通"}} and stands_wrong.refused == {}


def test_of_a_whole_record_what_the_flow_does_not_carry_is_not_said() -> None:
    rules: dict[str, Any] = {"policy": lambda name: SHARED if name in ("name", "country") else None}
    assert planned({**STANDS, "name": "大通"}, STANDS, whole=True, **rules).values == {
        "names": {"zh": "大通"},
        "country": "CN",
    }


def test_collections_of_a_whole_record_are_not_sent_again() -> None:
    assert planned({**EVERYTHING, "name": "大通"}, EVERYTHING, whole=True).items == {}


# items, closer up ----------------------------------------------------------------------------------------------------


def test_a_line_that_is_not_known_yet_is_not_written() -> None:
    """It is there, but under which id will be told by the next read: a create would double it."""
    sent = {"addresses.i7": True, "addresses.i7.city": "深圳市"}
    for agreed in ({**sent, "addresses.i7.city": "巴黎"}, {**sent, "addresses.i7": None}):
        change = planned(agreed, sent)
        assert change.items == {} and change.fields == {}


def test_a_new_item_starts_without_what_an_earlier_one_of_its_key_held() -> None:
    sent = {"addresses.i3.city": "深圳市", "addresses.i3.use": "billing", "addresses.i3.postcode": None}
    agreed = {
        "addresses.i3": True,
        "addresses.i3.city": "巴黎",
        "addresses.i3.use": None,
        "addresses.i3.postcode": None,
    }
    change = planned(agreed, sent)
    assert change.items == {"addressList": [ItemWrite("create", None, {"place": {"city": "巴黎"}})]}
    assert change.fields == {
        "addresses.i3": (None, True),
        "addresses.i3.city": (None, "巴黎"),
        "addresses.i3.use": ("billing", None),
    }


def test_a_field_of_an_item_is_cleared() -> None:
    change = planned({**EVERYTHING, "addresses.main.city": None}, EVERYTHING)
    assert change.items == {"addressList": [ItemWrite("update", "11", {"place": {"city": None}})]}
    assert change.fields == {"addresses.main.city": ("深圳市", None)}


def test_write_modes_of_fields_of_items() -> None:
    leaves = (Field("city", "city", write="never"), Field("use", "kind", write="if_empty"), Field("region", "r"))
    fmap = replace(MAP, items=(Items("addresses", "addressList", leaves),))
    item = {"addresses.main": True, "addresses.main.city": "深圳市", "addresses.main.use": "billing"}
    (created,) = planned(item, {}, create=True, fmap=fmap).items["addressList"]
    assert created.values == {"kind": "billing"}
    other = {**item, "addresses.main.city": "巴黎", "addresses.main.use": "shipping"}
    assert planned(other, item, fmap=fmap).items == {}
    (filled,) = planned(other, {**item, "addresses.main.use": None}, fmap=fmap).items["addressList"]
    assert filled == ItemWrite("update", "11", {"kind": "shipping"})
