"""Laws of agreement: two systems, one record, edits in any order; what stands at the end, and what never happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from datong.canon import is_empty
from datong.engine.flow import ASK, CRM, ERP, NEWEST, OWNER, Policy
from datong.engine.items import assign, content, flattened, keys_of
from datong.engine.merge import UNKNOWN, Step, merge
from datong.mapping import WireItem
from tests.properties.laws import law

T0 = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
VALUES = st.sampled_from([None, "", "大同", "大通", "x", False, True, "0", [], ["a"]])
ROLES = (CRM, ERP)
POLICIES = st.one_of(
    st.builds(Policy, st.just("owned"), owner=st.sampled_from(ROLES)),
    st.builds(Policy, st.just("shared"), owner=st.sampled_from(ROLES), clash=st.sampled_from([ASK, NEWEST, OWNER])),
)
FIRST_LOAD = st.sampled_from([ASK, CRM, ERP])
EDITS = st.lists(st.tuples(st.sampled_from(ROLES), VALUES), max_size=6)


def same(one: Any, other: Any) -> bool:
    return bool(one == other) or (is_empty(one) and is_empty(other))


@dataclass
class World:
    """One field of one record in two systems, kept by nothing but `merge`: what the engine does around it, in short."""

    policy: Policy
    first_load: str
    held: dict[str, Any]
    changed: dict[str, datetime]
    sent: dict[str, Any] = field(default_factory=lambda: {CRM: UNKNOWN, ERP: UNKNOWN})
    agreed: Any = UNKNOWN
    agreed_at: datetime | None = None
    conflict: bool = False
    writes: int = 0

    def read(self, role: str) -> None:
        """Look at one side. What equals the last look is no edit, and is not looked at again."""
        value = self.held[role]
        if self.sent[role] is not UNKNOWN and same(self.sent[role], value):
            return
        step = merge(
            self.agreed,
            self.sent[role],
            value,
            self.policy,
            role,
            first_load=self.first_load,
            edited_at=self.changed[role],
            agreed_at=self.agreed_at,
        )
        self.sent[role] = value
        self.conflict = step is Step.CONFLICT or (self.conflict and step is not Step.SAME)
        if step is Step.ACCEPT:
            self.agreed, self.agreed_at = value, self.changed[role]

    def deliver(self) -> None:
        for role in ROLES:
            if not self.conflict and self.sent[role] is not UNKNOWN and not same(self.sent[role], self.agreed):
                self.held[role] = self.sent[role] = self.agreed
                self.writes += 1

    def settle(self, order: tuple[str, ...] = ROLES) -> None:
        for role in order:
            self.read(role)
        self.deliver()

    def edit(self, role: str, value: Any, minute: int) -> None:
        self.held[role], self.changed[role] = value, T0 + timedelta(minutes=minute)


def world(policy: Policy, first: str, crm: Any, erp: Any) -> World:
    return World(policy, first, {CRM: crm, ERP: erp}, {CRM: T0, ERP: T0})


@law
@given(POLICIES, FIRST_LOAD, VALUES, VALUES, EDITS, st.data())
def test_edits_settle_and_then_nothing_is_written(
    policy: Policy, first: str, crm: Any, erp: Any, edits: list[tuple[str, Any]], data: st.DataObject
) -> None:
    """Whatever people do, in whatever order it is seen: both sides end equal or in one conflict, and rest."""
    this = world(policy, first, crm, erp)
    for minute, (role, value) in enumerate(edits, 1):
        this.edit(role, value, minute)
        if data.draw(st.booleans()):
            this.settle(data.draw(st.sampled_from([ROLES, ROLES[::-1]])))
    this.settle()
    this.settle()
    assert this.conflict or same(this.held[CRM], this.held[ERP])
    before = (this.writes, dict(this.held), this.agreed)
    for _ in range(3):
        this.settle(ROLES[::-1])
    assert (this.writes, this.held, this.agreed) == before


@law
@given(POLICIES, FIRST_LOAD, VALUES, VALUES, EDITS)
def test_no_value_is_invented(policy: Policy, first: str, crm: Any, erp: Any, edits: list[tuple[str, Any]]) -> None:
    """What stands at the end is what somebody entered."""
    this = world(policy, first, crm, erp)
    entered = [crm, erp]
    for minute, (role, value) in enumerate(edits, 1):
        this.settle()
        this.edit(role, value, minute)
        entered.append(value)
    this.settle()
    for value in (this.agreed, *this.held.values()):
        assert any(value == one and type(value) is type(one) for one in entered)


@law
@given(VALUES, st.sampled_from(ROLES), VALUES, st.sampled_from([ASK, NEWEST, OWNER]))
def test_one_edit_of_a_shared_field_reaches_the_other_side(base: Any, role: str, value: Any, clash: str) -> None:
    """One side changed: it is taken, with one write; nothing changed: none."""
    this = world(Policy("shared", owner=CRM, clash=clash), ASK, base, base)
    this.settle()
    assert this.writes == 0
    this.edit(role, value, 1)
    this.settle()
    assert same(this.held[CRM], value) and same(this.held[ERP], value)
    assert this.writes == (0 if same(base, value) else 1) and not this.conflict


@law
@given(POLICIES, VALUES, VALUES)
def test_the_same_edit_on_both_sides_is_agreement(policy: Policy, base: Any, value: Any) -> None:
    this = world(policy, ASK, base, base)
    this.settle()
    for role in ROLES:
        this.edit(role, value, 1)
    for order in (ROLES, ROLES[::-1]):
        this.settle(order)
    assert not this.conflict and same(this.held[CRM], value) and same(this.held[ERP], value)


@law
@given(VALUES, st.sampled_from(ROLES), EDITS)
def test_the_owner_never_loses_a_value(base: Any, owner: str, edits: list[tuple[str, Any]]) -> None:
    """Whatever the other side enters, and in whatever order it is seen: the owner's last value stands on both."""
    for order in (ROLES, ROLES[::-1]):
        this = world(Policy("owned", owner=owner), ASK, base, base)
        this.settle(order)
        last = base
        for minute, (role, value) in enumerate(edits, 1):
            this.edit(role, value, minute)
            last = value if role == owner else last
        for _ in range(2):
            this.settle(order)
        assert same(this.held[CRM], last) and same(this.held[ERP], last) and not this.conflict


@law
@given(
    VALUES,
    VALUES,
    VALUES,
    st.one_of(
        st.just(Policy("shared", clash=NEWEST)),
        st.builds(Policy, st.just("shared"), owner=st.sampled_from(ROLES), clash=st.just(OWNER)),
    ),
    st.permutations([1, 2]),
)
def test_who_is_seen_first_decides_nothing(base: Any, crm: Any, erp: Any, policy: Policy, minutes: list[int]) -> None:
    """Where a rule names the winner of a clash, the order of arrival is no rule."""
    assume(not same(base, crm) and not same(base, erp))
    ends = []
    for order in (ROLES, ROLES[::-1]):
        this = world(policy, ASK, base, base)
        this.settle()
        this.edit(CRM, crm, minutes[0])
        this.edit(ERP, erp, minutes[1])
        this.settle(order)
        this.settle(order)
        ends.append(this)
    assert same(ends[0].agreed, ends[1].agreed) and same(ends[0].held[CRM], ends[1].held[CRM])


@law
@given(VALUES, VALUES, POLICIES, st.sampled_from([CRM, ERP]))
def test_the_first_load_is_the_same_from_either_side(crm: Any, erp: Any, policy: Policy, first: str) -> None:
    """Which side is read first means nothing for the first load, and an empty value clears no filled one."""
    ends = []
    for order in (ROLES, ROLES[::-1]):
        this = world(policy, first, crm, erp)
        this.settle(order)
        this.settle(order)
        ends.append(this)
    assert same(ends[0].agreed, ends[1].agreed)
    if is_empty(crm) != is_empty(erp) and policy.how == "shared":
        assert not is_empty(ends[0].agreed)


LEAVES = st.fixed_dictionaries(
    {}, optional={"city": st.sampled_from(["深圳市", "巴黎", None]), "street": st.sampled_from(["1号", "2号", None])}
)
LINES = st.dictionaries(st.sampled_from("12345"), LEAVES, max_size=5)


@law
@given(LINES, LINES, st.data())
def test_items_keep_their_keys(before: Any, after: Any, data: st.DataObject) -> None:
    """A line that stays keeps its key whatever comes, goes, or stands in another order; no two lines share one."""
    known: dict[str, str] = {}
    agreed: dict[str, Any] = {}
    for lines in (before, after, after):
        order = data.draw(st.permutations(sorted(lines)))
        wire = [WireItem(native, lines[native], {}) for native in order]
        keys = assign(agreed, "addresses", wire, known)
        given_now = dict(zip(order, keys, strict=True))
        assert len(set(keys)) == len(keys)
        assert {native: key for native, key in given_now.items() if native in known} == {
            native: key for native, key in known.items() if native in given_now
        }
        agreed = {**{n: None for n in agreed if n.count(".") == 1}, **flattened("addresses", keys, wire)}
        known = given_now
        assert set(keys_of(agreed, "addresses")) == set(keys)
        assert all(content(flattened("addresses", keys, wire), "addresses", k) == lines[n] for n, k in known.items())
