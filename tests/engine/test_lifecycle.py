"""Life cycles: those that the flows declare, and what holds of any."""

from __future__ import annotations

from itertools import pairwise, product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.canon.fields import base_type
from datong.engine.flow import Master
from datong.engine.lifecycle import How, LifeCycle, extent
from datong.flows import FLOWS

DECLARED = [
    pytest.param(flow, life, id=f"{flow.name}.{life.name}")
    for flow in FLOWS
    if isinstance(flow, Master)
    for life in flow.lives
]


def declared(life: LifeCycle, before: str, after: str) -> bool:
    """Said in other words than the life cycle's own."""
    ahead = before in life.row and after in life.row[life.row.index(before) + 1 :]
    return ahead or before in life.ends.get(after, ()) or (before, after) in life.back


@st.composite
def lives(draw: st.DrawFn) -> LifeCycle:
    states = draw(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=7, unique=True))
    cut = draw(st.integers(1, len(states)))
    row, rest = states[:cut], states[cut:]
    ends = {end: tuple(draw(st.lists(st.sampled_from(states), min_size=1, unique=True))) for end in rest}
    pairs = [(b, a) for b, a in product(states, repeat=2) if b != a and not (b in row and a in row[row.index(b) :])]
    back = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return LifeCycle("state", tuple(row), ends, dict.fromkeys(back, "because"))


# what the flows declare ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("flow", "life"), DECLARED)
def test_every_state_can_be_reached_from_the_first(flow: Master, life: LifeCycle) -> None:
    reached, todo = set(), {life.row[0]}
    while todo:
        reached |= todo
        todo = {after for before, after in product(reached, life.states) if declared(life, before, after)} - reached
    assert reached == set(life.states)


@pytest.mark.parametrize(("flow", "life"), DECLARED)
def test_the_states_are_the_values_of_its_field(flow: Master, life: LifeCycle) -> None:
    values = get_args(base_type(flow.record.model_fields[life.name].annotation))
    assert set(life.states) == set(values)
    assert flow.life(life.name) is life
    assert flow.fields.of(life.name) is not None, "a state that the flow does not carry never moves"


@pytest.mark.parametrize(("flow", "life"), DECLARED)
def test_back_only_for_a_reason_and_out_of_an_end_only_where_declared(flow: Master, life: LifeCycle) -> None:
    for before, after in product(life.states, repeat=2):
        if before == after:
            continue
        move = life.move(before, after)
        assert (move.how is not How.UNDECLARED) == declared(life, before, after)
        assert (move.how is How.BACK) == bool(move.reason)
        if before in life.ends:
            assert move.how in (How.BACK, How.END, How.UNDECLARED), "no way on from an end"
        if move.how is How.FORWARD:
            assert life.row.index(before) < life.row.index(after)


@pytest.mark.parametrize(("flow", "life"), DECLARED)
def test_a_posted_document_never_becomes_a_draft_again_in_silence(flow: Master, life: LifeCycle) -> None:
    if flow.record.kind in ("invoice", "payment") and life.name == "state":
        gone = [move for move in life.moves() if move.after == "draft"]
        assert not gone, [str(move) for move in gone]


@pytest.mark.parametrize(("flow", "life"), DECLARED)
def test_somebody_is_told_whose_turn_it_is_only_in_states_that_lead_on(flow: Master, life: LifeCycle) -> None:
    for state, (who, what) in life.waits.items():
        assert who and what
        assert any(move.before == state for move in life.moves())


# what holds of any ---------------------------------------------------------------------------------------------------


@given(lives(), st.lists(st.sampled_from([*"abcdefgx", None]), max_size=12))
def test_a_walk_never_passes_what_is_not_declared(life: LifeCycle, wanted: list[str | None]) -> None:
    """Targets at random, taken only where the move is declared: every step is one of the declared."""
    now = life.row[0]
    for target in wanted:
        move = life.move(now, target)
        assert (move.before, move.after) == (now, target)
        if move.how is How.UNDECLARED:
            assert target is None or target not in life.states or not declared(life, now, target)
            continue
        assert target is not None and (target == now or declared(life, now, target))
        now = target


@given(lives())
def test_states_that_are_skipped_are_those_between(life: LifeCycle) -> None:
    for move in life.moves():
        assert move.before is not None and move.after is not None
        steps = [move.before, *move.passed, move.after]
        if move.how is How.FORWARD:
            assert steps == list(life.row[life.row.index(move.before) : life.row.index(move.after) + 1])
            pairs = pairwise(steps)
            assert all(life.move(b, a).how is How.FORWARD and not life.move(b, a).passed for b, a in pairs)
        else:
            assert not move.passed


@given(lives())
def test_moves_are_all_that_is_declared(life: LifeCycle) -> None:
    told = {(move.before, move.after) for move in life.moves()}
    assert told == {(b, a) for b, a in product(life.states, repeat=2) if b != a and declared(life, b, a)}


@given(lives(), st.sampled_from("abcdefgx"))
def test_from_nothing_every_state_may_be_entered_and_standing_still_is_no_move(life: LifeCycle, state: str) -> None:
    assert life.move(None, state).how is life.move(state, state).how is How.FORWARD
    assert life.move(state, None).how is How.UNDECLARED


@pytest.mark.parametrize(
    "told",
    [
        {"row": ("a", "a")},
        {"row": ("a",), "ends": {"a": ("a",)}},
        {"row": ("a",), "ends": {"x": ()}},
        {"row": ("a",), "ends": {"x": ("y",)}},
        {"row": ("a", "b"), "back": {("b", "a"): ""}},
        {"row": ("a", "b"), "back": {("b", "c"): "why"}},
        {"row": ("a", "b"), "back": {("a", "b"): "why"}},
        {"row": ("a",), "waits": {"b": ("who", "what")}},
    ],
)
def test_a_life_cycle_that_contradicts_itself_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="state"):
        LifeCycle("state", **told)  # type: ignore[arg-type]


def test_an_extent_may_become_less_for_its_reason_only() -> None:
    life = extent("paying", "a payment was reversed", ("the customer", "pay"))
    assert str(life.move("over", "part")) == "over -> part: a payment was reversed"
    assert str(life.move("none", "over")) == "none -> over (seen late: part, full)"
    assert life.waits.keys() == {"none", "part"}
