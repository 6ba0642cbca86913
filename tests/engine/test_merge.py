"""Laws of the three-way merge, over all values and policies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datong.canon import is_empty
from datong.engine.flow import ASK, CRM, ERP, NEWEST, OWNER, Policy
from datong.engine.merge import UNKNOWN, Step, merge

T0 = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)

values = st.sampled_from([None, "", [], "大同", "大通", "x", False, True, "0", ["a"]])
roles = st.sampled_from([CRM, ERP])
policies = st.one_of(
    st.builds(Policy, st.just("owned"), owner=roles),
    st.builds(Policy, st.just("shared"), owner=roles, clash=st.sampled_from([ASK, NEWEST, OWNER])),
    st.just(Policy("first")),
)
times = st.none() | st.integers(0, 5).map(lambda n: T0 + timedelta(minutes=n))
first_loads = st.sampled_from([ASK, CRM, ERP])


def same(one: Any, other: Any) -> bool:
    return bool(one == other) or (is_empty(one) and is_empty(other))


def settled(step: Step, agreed: Any, value: Any) -> tuple[Any, Any]:
    """(agreed, what the side holds) once the step and the delivery that follows it are done."""
    if step is Step.ACCEPT:
        return value, value
    if step is Step.PUT_BACK:
        return agreed, agreed
    return agreed, value


@given(values, values | st.just(UNKNOWN), policies, roles, first_loads, times, times)
def test_equal_values_never_conflict(
    value: Any, sent: Any, policy: Policy, role: str, first: str, edited: datetime | None, agreed_at: datetime | None
) -> None:
    for other in (value, None if is_empty(value) else value):
        step = merge(value, sent, other, policy, role, first_load=first, edited_at=edited, agreed_at=agreed_at)
        assert step is Step.SAME


@given(values | st.just(UNKNOWN), values | st.just(UNKNOWN), values, policies, roles, first_loads, times, times)
def test_a_second_look_changes_nothing(
    agreed: Any, sent: Any, value: Any, policy: Policy, role: str, first: str, edited: Any, agreed_at: Any
) -> None:
    """Idempotent: after the step and its delivery the same answer is SAME, or stays a question, or is left alone."""
    step = merge(agreed, sent, value, policy, role, first_load=first, edited_at=edited, agreed_at=agreed_at)
    if agreed is UNKNOWN and step is not Step.ACCEPT:
        return
    ours, theirs = settled(step, agreed, value)
    again = merge(ours, theirs, theirs, policy, role, first_load=first, edited_at=edited, agreed_at=agreed_at)
    if step in (Step.ACCEPT, Step.PUT_BACK, Step.SAME):
        assert again is Step.SAME
    if step is Step.LEAVE:
        assert again in (Step.LEAVE, Step.SAME)


@given(values, values, values, roles, times, times)
def test_the_owner_always_wins(agreed: Any, sent: Any, value: Any, owner: str, edited: Any, agreed_at: Any) -> None:
    assume(not same(agreed, value))
    other = ERP if owner == CRM else CRM
    policy = Policy("owned", owner=owner)
    assert merge(agreed, sent, value, policy, owner, edited_at=edited, agreed_at=agreed_at) is Step.ACCEPT
    assert merge(agreed, sent, value, policy, other, edited_at=edited, agreed_at=agreed_at) is Step.PUT_BACK


@given(values, policies, roles, first_loads, values)
def test_first_link_never_clears(agreed: Any, policy: Policy, role: str, first: str, value: Any) -> None:
    assume(is_empty(agreed) != is_empty(value))
    ours, theirs = settled(merge(agreed, UNKNOWN, value, policy, role, first_load=first), agreed, value)
    assert not is_empty(ours)
    if policy.how != "first":
        assert not is_empty(theirs)


@given(values, values, policies, roles, first_loads)
def test_first_link_of_two_filled_values(agreed: Any, value: Any, policy: Policy, role: str, first: str) -> None:
    assume(not is_empty(agreed) and not is_empty(value) and agreed != value)
    step = merge(agreed, UNKNOWN, value, policy, role, first_load=first)
    if policy.how == "first":
        assert step is Step.LEAVE
    elif policy.how == "owned":
        assert step is (Step.ACCEPT if policy.owner == role else Step.PUT_BACK)
    elif first == ASK:
        assert step is Step.CONFLICT
    else:
        assert step is (Step.ACCEPT if first == role else Step.PUT_BACK)


@given(values, values, st.sampled_from([ASK, NEWEST, OWNER]), roles, times, times)
def test_an_edit_of_one_side_alone_is_taken(
    agreed: Any, value: Any, clash: str, role: str, edited: Any, agreed_at: Any
) -> None:
    assume(not same(agreed, value))
    policy = Policy("shared", owner=CRM, clash=clash)
    assert merge(agreed, agreed, value, policy, role, edited_at=edited, agreed_at=agreed_at) is Step.ACCEPT


@given(values, values, values, st.integers(0, 9), st.integers(0, 9))
def test_newest_wins_whoever_is_read_first(base: Any, crm: Any, erp: Any, crm_at: int, erp_at: int) -> None:
    assume(crm_at != erp_at and not same(base, crm) and not same(base, erp))
    policy = Policy("shared", clash=NEWEST)
    edits = [(CRM, crm, T0 + timedelta(minutes=crm_at)), (ERP, erp, T0 + timedelta(minutes=erp_at))]

    def after(order: list[tuple[str, Any, datetime]]) -> Any:
        agreed, agreed_at = base, T0 - timedelta(days=1)
        for role, value, at in order:
            if merge(agreed, base, value, policy, role, edited_at=at, agreed_at=agreed_at) is Step.ACCEPT:
                agreed, agreed_at = value, at
        return agreed

    newest = crm if crm_at > erp_at else erp
    assert same(after(edits), newest) and same(after(edits[::-1]), newest)


@given(values, values, values, roles, st.sampled_from([CRM, ERP]))
def test_clashes(base: Any, agreed: Any, value: Any, role: str, owner: str) -> None:
    assume(not same(base, agreed) and not same(agreed, value) and not same(base, value))
    ask = Policy("shared", clash=ASK)
    newest = Policy("shared", clash=NEWEST)
    owned = Policy("shared", clash=OWNER, owner=owner)
    assert merge(agreed, base, value, ask, role) is Step.CONFLICT
    assert merge(agreed, base, value, owned, role) is (Step.ACCEPT if role == owner else Step.PUT_BACK)
    assert merge(agreed, base, value, newest, role) is Step.CONFLICT, "no times, no winner"
    assert merge(agreed, base, value, newest, role, edited_at=T0) is Step.CONFLICT
    assert merge(agreed, base, value, newest, role, edited_at=T0, agreed_at=T0) is Step.PUT_BACK, (
        "a tie changes nothing"
    )


@given(values, values, values, roles)
def test_what_was_written_once_is_left_to_each_side(agreed: Any, sent: Any, value: Any, role: str) -> None:
    assume(not same(agreed, value))
    assert merge(agreed, sent, value, Policy("first"), role) is Step.LEAVE


@pytest.mark.parametrize("value", ["大同", None, False])
def test_what_nobody_knew_is_taken(value: Any) -> None:
    for policy in (Policy("owned", owner=ERP), Policy("shared"), Policy("first")):
        assert merge(UNKNOWN, UNKNOWN, value, policy, CRM) is Step.ACCEPT
    assert repr(UNKNOWN) == "UNKNOWN"


def test_false_and_zero_are_values() -> None:
    policy = Policy("shared")
    assert merge(True, UNKNOWN, False, policy, CRM) is Step.CONFLICT
    assert merge("5", UNKNOWN, "0", policy, CRM) is Step.CONFLICT
    assert merge(None, UNKNOWN, False, policy, CRM) is Step.ACCEPT


def test_an_empty_value_at_first_link_is_filled_unless_it_is_written_once() -> None:
    for empty in (None, "", []):
        assert merge("大同", UNKNOWN, empty, Policy("shared"), CRM) is Step.PUT_BACK
        assert merge("大同", UNKNOWN, empty, Policy("owned", owner=CRM), CRM) is Step.PUT_BACK
        assert merge("大同", UNKNOWN, empty, Policy("first"), CRM) is Step.LEAVE
