"""Laws of comparing: what is alike never differs, what was changed is found where it was, and nothing unknown is
explained away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from datong.engine.flow import ASK, CRM, ERP, NEWEST, OWNER, Policy
from datong.engine.reconcile.compare import Side, alike, class_of, differing
from datong.engine.reconcile.explain import Due, Facts, Waiting, of_field, of_fields
from datong.engine.reconcile.model import CONFLICT, FieldDifference
from tests.properties.laws import law

ROLES = (CRM, ERP)
NAMES = ("name", "phone", "email", "website", "company.asia.credit_limit", "lines.l1", "lines.l1.price")
VALUES = st.sampled_from([None, "", "大同", "大通", "x", "100 CNY", "200 CNY", True, "0"])
RECORD = st.dictionaries(st.sampled_from(NAMES[:5]), VALUES)
FULL = st.fixed_dictionaries(dict.fromkeys(NAMES[:5], VALUES))
CARRIES = st.one_of(
    st.just(Policy("told")),
    st.builds(Policy, st.sampled_from(["owned", "guarded"]), owner=st.sampled_from(ROLES)),
    st.builds(Policy, st.just("shared"), owner=st.sampled_from(ROLES), clash=st.sampled_from([ASK, NEWEST, OWNER])),
)
POLICY = st.one_of(st.none(), st.just(Policy("first")), CARRIES)
POLICIES = st.fixed_dictionaries(dict.fromkeys(NAMES, POLICY))
CARRIED = st.fixed_dictionaries(dict.fromkeys(NAMES, CARRIES))


def side(role: str, values: dict[str, Any], *, takes: bool = True, sent: dict[str, Any] | None = None) -> Side:
    return Side(role, role, values, sent=values if sent is None else sent, has=_yes, takes=_yes if takes else _no)


def _yes(name: str) -> bool:
    return True


def _no(name: str) -> bool:
    return False


@law
@given(RECORD, POLICIES)
def test_two_sides_that_hold_what_was_agreed_never_differ(agreed: dict[str, Any], policies: dict[str, Any]) -> None:
    assert differing("account", agreed, [side(CRM, agreed), side(ERP, agreed)], policies.get) == []


@law
@given(RECORD, RECORD, POLICIES)
def test_two_sides_that_hold_the_same_differ_in_told_fields_only(
    agreed: dict[str, Any], both: dict[str, Any], policies: dict[str, Any]
) -> None:
    found = differing("account", agreed, [side(CRM, both), side(ERP, both)], policies.get)
    assert all(policies[one.name].how == "told" for one in found)


@law
@given(RECORD, RECORD, RECORD, POLICIES)
def test_the_order_of_the_sides_says_nothing(
    agreed: dict[str, Any], crm: dict[str, Any], erp: dict[str, Any], policies: dict[str, Any]
) -> None:
    one = differing("account", agreed, [side(CRM, crm), side(ERP, erp)], policies.get)
    other = differing("account", agreed, [side(ERP, erp), side(CRM, crm)], policies.get)
    assert [(f.name, f.cls, dict(f.values), set(f.astray)) for f in one] == [
        (f.name, f.cls, dict(f.values), set(f.astray)) for f in other
    ]


@law
@given(FULL, st.sampled_from(NAMES[:5]), VALUES, st.sampled_from(ROLES), CARRIED)
def test_one_edit_is_found_where_it_was_made_and_nowhere_else(
    agreed: dict[str, Any], name: str, value: Any, role: str, policies: dict[str, Any]
) -> None:
    assume(not alike(agreed[name], value))
    sides = {r: dict(agreed) for r in ROLES}
    sides[role][name] = value
    told = [side(r, held, sent=agreed) for r, held in sides.items()]
    (found,) = differing("account", agreed, told, policies.get)
    assert (found.name, found.astray, found.unseen) == (name, (role,), (role,))


@law
@given(RECORD, RECORD, RECORD, CARRIED)
def test_what_nobody_may_write_is_no_difference(
    agreed: dict[str, Any], crm: dict[str, Any], erp: dict[str, Any], policies: dict[str, Any]
) -> None:
    sides = [side(CRM, crm, takes=False), side(ERP, erp, takes=False)]
    assert differing("account", agreed, sides, policies.get) == []


@law
@given(VALUES, VALUES, VALUES, POLICIES)
def test_a_conflict_is_where_both_went_astray_or_the_guarded_did(
    agreed: Any, crm: Any, erp: Any, policies: dict[str, Any]
) -> None:
    sides = [side(CRM, {"phone": crm}), side(ERP, {"phone": erp})]
    for one in differing("account", {"phone": agreed}, sides, policies.get):
        rule = policies["phone"]
        both = len(one.astray) == 2
        asked = rule.how == "shared" and rule.clash == ASK and both
        guarded = rule.how == "guarded" and any(c != rule.owner for c in one.astray)
        assert (one.cls == CONFLICT) == (asked or guarded)


@law
@given(VALUES)
def test_a_lost_line_is_one_difference_not_one_for_each_of_its_fields(price: Any) -> None:
    agreed = {"lines.l1": True, "lines.l1.price": price, "lines.l1.quantity": "2"}
    rule = Policy("owned", owner=CRM)
    there = Side("crm", CRM, agreed, frozenset({"lines"}), agreed, has=_yes, takes=_yes)
    lacks = Side("erp", ERP, {}, frozenset({"lines"}), agreed, has=_yes, takes=_yes)
    (found,) = differing("order", agreed, [there, lacks], lambda name: rule)
    assert (found.name, found.astray) == ("lines.l1", ("erp",))


FIELD = st.builds(
    lambda name, astray, unseen: FieldDifference(
        name, "stale", "x", {}, tuple(astray), tuple(c for c in astray if c in unseen)
    ),
    st.sampled_from(NAMES[:5]),
    st.sets(st.sampled_from(ROLES), min_size=1).map(sorted),
    st.sets(st.sampled_from(ROLES)),
)
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PLACES = st.frozensets(st.sampled_from(ROLES))
FACTS = st.builds(
    lambda due, announced, items, held: Facts(
        due={c: Due(AT) for c in due},
        announced=announced,
        items=[Waiting(n, "parked", "value", c, name) for n, (c, name) in enumerate(items, 1)],
        held={c: {name: "not accepted"} for c, name in held},
    ),
    PLACES,
    PLACES,
    st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from([None, *NAMES[:3]])), max_size=2),
    st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(NAMES[:3])), max_size=2),
)


@law
@given(FIELD)
def test_what_nobody_knows_anything_of_is_drift(one: FieldDifference) -> None:
    assert of_field(one, Facts()) is None


@law
@given(FIELD, FACTS)
def test_a_field_is_known_only_where_every_place_is(one: FieldDifference, facts: Facts) -> None:
    """What was never read there is not explained by a delivery to come, which knows nothing of it."""
    alone = [
        of_field(FieldDifference(one.name, one.cls, one.agreed, {}, (c,), (c,) if c in one.unseen else ()), facts)
        for c in one.astray
    ]
    assert (of_field(one, facts) is not None) == all(alone)
    if set(one.unseen) == set(one.astray) and not facts.items and not facts.held:
        assert (of_field(one, facts) is not None) == (set(one.astray) <= facts.announced)


@law
@given(st.lists(FIELD, min_size=1, max_size=4), FACTS)
def test_a_record_is_known_only_when_all_its_fields_are(fields: list[FieldDifference], facts: Facts) -> None:
    assert (of_fields(fields, facts) is not None) == all(of_field(one, facts) for one in fields)
    assert class_of(fields) == "stale"
