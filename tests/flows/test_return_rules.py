"""The rules of returns, as laws: no variant, no order of events and no state goes round a hard rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date as Day
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.canon.service import Outcome
from datong.engine.lifecycle import How
from datong.flows.return_rules import (
    OUTCOMES,
    USUAL,
    Asked,
    Back,
    Facts,
    Sold,
    Variant,
    broken,
    refusal,
    state_of,
    warranty,
    warranty_end,
)
from datong.flows.returns import returns
from tests.properties.laws import law

TODAY = Day(2026, 11, 22)
quantities = st.integers(0, 5).map(Decimal)
days = st.integers(0, 800).map(lambda n: TODAY - timedelta(n))
variants = st.sampled_from(
    [
        Variant(outcome=outcome, advance=advance, within_days=limit, warranty=covered)
        for outcome, advance, limit, covered in product(OUTCOMES, (True, False), (None, 0, 30), (True, False))
    ]
)
lines = st.builds(
    Back,
    quantity=st.integers(1, 3).map(Decimal),
    received=quantities,
    result=st.none() | st.sampled_from(["ok", "defective"]),
    disposition=st.none() | st.sampled_from(OUTCOMES),
)
facts = st.builds(
    Facts,
    decision=st.none() | st.sampled_from(["requested", "authorised", "refused", "cancelled", "closed"]),
    lines=st.lists(lines, max_size=3),
    looked_at=st.booleans(),
    repaired=st.booleans(),
    credited=st.booleans(),
    replaced=st.booleans(),
    wanted=st.none() | st.sampled_from(OUTCOMES),
)


def sold(**known: Any) -> Sold:
    return replace(Sold(shipped=Decimal(2), invoiced=Decimal(2), shipped_on=TODAY), **known)


def why(variant: str = "refund", quantity: str = "1", until: Day | None = None, **known: Any) -> str | None:
    asked = Asked(Decimal(quantity), known.pop("lot", None), known.pop("serial", None))
    found = refusal(USUAL[variant], asked, sold(**known), TODAY, until)
    return found.reason if found is not None else None


# never more than was shipped or invoiced -----------------------------------------------------------------------------


@law
@given(variants, st.lists(st.tuples(quantities, variants), max_size=6), quantities, quantities)
def test_all_returns_of_a_line_never_bring_back_more_than_was_shipped_or_refund_more_than_was_invoiced(
    first: Variant, others: list[tuple[Decimal, Variant]], shipped: Decimal, invoiced: Decimal
) -> None:
    """Whatever is asked for, in whatever order and variant: what is let in one after the other stays within."""
    back = refunded = Decimal(0)
    for quantity, variant in [(Decimal(1), first), *others]:
        known = Sold(shipped=shipped, invoiced=invoiced, returned=back, refunded=refunded, shipped_on=TODAY)
        if refusal(variant, Asked(quantity), known, TODAY, TODAY) is None:
            back += quantity
            refunded += quantity if variant.outcome == "refunded" else 0
    assert back <= shipped
    assert refunded <= min(invoiced, shipped)


@law
@given(st.dictionaries(st.sampled_from(["L1", "L2"]), quantities), st.lists(st.sampled_from(["L1", "L2"]), max_size=8))
def test_no_more_of_a_lot_comes_back_than_was_shipped_of_it(lots: dict[str, Decimal], asked: list[str]) -> None:
    back: dict[str, Decimal] = {}
    for lot in asked:
        known = sold(shipped=Decimal(99), invoiced=Decimal(99), lots=lots, lots_returned=dict(back))
        if refusal(USUAL["refund"], Asked(Decimal(1), lot), known, TODAY, None) is None:
            back[lot] = back.get(lot, Decimal(0)) + 1
    if any(lots.values()):
        assert all(count <= lots.get(lot, 0) for lot, count in back.items())


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"quantity": "3"}, "3 are to come back, and 2 were shipped"),
        ({"quantity": "2", "returned": Decimal(1)}, "2 are to come back, with 1 of other returns, and 2 were shipped"),
        ({"invoiced": Decimal(0)}, "1 are to come back, and 0 were invoiced"),
        ({"quantity": "0"}, "nothing is to come back"),
        ({"serial": "S9", "serials": frozenset({"S1"})}, "S9 was not shipped with this order"),
        ({"serial": "S1", "serials": frozenset({"S1"}), "serials_returned": frozenset({"S1"})}, "S1 is in another"),
        ({"serial": "S1", "quantity": "2"}, "2 are to come back of one serial number"),
        ({"lot": "L2", "lots": {"L1": Decimal(2)}}, "of lot L2 0 were shipped"),
    ],
)
def test_what_is_wrong_is_told(known: dict[str, Any], told: str) -> None:
    assert (why(**known) or "").startswith(told)


def test_what_keeps_to_the_rules_is_let_in() -> None:
    assert why() is None
    assert why(quantity="2", lot="L1", lots={"L1": Decimal(2)}) is None
    assert why("repair", until=TODAY, invoiced=Decimal(0)) is None


# in time, and under warranty -----------------------------------------------------------------------------------------


@law
@given(variants, days, st.none() | st.dates(Day(2024, 1, 1), Day(2028, 12, 31)))
def test_late_is_late_to_the_day(variant: Variant, shipped_on: Day, until: Day | None) -> None:
    found = refusal(variant, Asked(Decimal(1)), sold(shipped_on=shipped_on), TODAY, until)
    in_time = variant.within_days is None or (TODAY - shipped_on).days <= variant.within_days
    covered = not variant.warranty or (until is not None and until >= TODAY)
    assert (found is None) == (in_time and covered)


@law
@given(st.dates(Day(2000, 1, 1), Day(2100, 1, 1)), st.integers(0, 60))
def test_a_warranty_ends_on_the_same_day_or_the_last_of_its_month(shipped: Day, months: int) -> None:
    end = warranty_end(shipped, months)
    assert end is not None
    assert (end.year * 12 + end.month) - (shipped.year * 12 + shipped.month) == months
    assert end.day == shipped.day or (end.day < shipped.day and (end + timedelta(1)).day == 1)
    assert (warranty(end, end), warranty(end, end + timedelta(1))) == ("in", "out")


def test_a_leap_day_and_nothing_shipped() -> None:
    assert warranty_end(Day(2028, 2, 29), 12) == Day(2029, 2, 28)
    assert warranty_end(None, 12) is None and warranty(None, TODAY) == "unknown"


# what facts prove ----------------------------------------------------------------------------------------------------


@law
@given(facts)
def test_no_facts_make_a_state_that_goes_round_a_rule(told: Facts) -> None:
    state = state_of(told)
    if state in (*OUTCOMES, "closed"):
        assert told.received and told.inspected
        assert all(line.received >= line.quantity for line in told.lines)
        assert all(line.disposition for line in told.lines)
        outcomes = {line.disposition for line in told.lines}
        assert "refunded" not in outcomes or told.credited
        assert not outcomes & {"replaced", "exchanged"} or told.replaced
        assert "repaired" not in outcomes or told.repaired
    if state in OUTCOMES:
        assert state in {line.disposition for line in told.lines}
    if state in ("received", "inspected"):
        assert told.received


@law
@given(facts, facts)
def test_a_refund_before_receipt_is_told_and_never_a_state(told: Facts, other: Facts) -> None:
    early = replace(told, credited=True, lines=[replace(line, received=Decimal(0)) for line in told.lines])
    assert state_of(early) in ("requested", "authorised", "refused", "cancelled")
    assert "refunded" in (broken(early, advance=True) or "")
    kept = replace(other, credited=False, replaced=False)
    assert broken(kept, advance=False) is None


@law
@given(facts, st.data())
def test_every_step_that_facts_can_take_is_declared(told: Facts, data: st.DataObject) -> None:
    """One fact more at a time, from nothing: each move of the state is in the life cycle of returns."""
    life = returns.life("state")
    assert life is not None and set(life.states) >= set(OUTCOMES)
    now = Facts(decision="requested", lines=[Back(line.quantity) for line in told.lines], wanted=told.wanted)
    steps = data.draw(st.permutations(["decision", "received", "result", "disposition", "documents"]))
    for step in steps:
        before = state_of(now)
        now = _with(now, told, step)
        move = life.move(before, state_of(now))
        assert move.how is not How.UNDECLARED, str(move)


def _with(now: Facts, told: Facts, step: str) -> Facts:
    if step == "decision":
        return replace(now, decision=told.decision or "requested")
    if step == "documents":
        return replace(
            now, looked_at=told.looked_at, repaired=told.repaired, credited=told.credited, replaced=told.replaced
        )
    pairs = zip(now.lines, told.lines, strict=True)
    return replace(now, lines=[replace(mine, **{step: getattr(theirs, step)}) for mine, theirs in pairs])


def test_every_outcome_has_a_usual_variant() -> None:
    assert {one.outcome for one in USUAL.values()} == set(get_args(Outcome)) == set(OUTCOMES)
