"""Documents in the engine: flat records, rules that change with a document's life, approvals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base.clock import ManualClock
from datong.canon import Contract, Invoice, Opportunity, Order, Payment, Quote, Record, Shipment, check
from datong.canon.fields import reader, type_name
from datong.canon.records import Part, part_of
from datong.engine.approving import asked_of, judged, record_answer
from datong.engine.approving import given as agreed_to
from datong.engine.evaluate import needed
from datong.engine.flow import CRM, ERP, GO, OWNER, Approve, Park, Policies, Step, guarded_by, owned_by, shared, told
from datong.engine.merge import UNKNOWN, merge
from datong.engine.merge import Step as Merged
from datong.flows import orders
from datong.store import Store

KINDS: tuple[type[Record], ...] = (Quote, Order, Contract, Shipment, Invoice, Payment, Opportunity)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(["小部件", "W-1", "a.b", "0"]),
    "number": st.decimals("-10000", "10000", places=4),
    "truth": st.booleans(),
    "date": st.dates(date(2020, 1, 1), date(2030, 1, 1)).map(date.isoformat),
}


def _scalars(model: type[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Canonical scalars of some of a class's plain fields."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, info in model.model_fields.items():
        kind = type_name(info.annotation)
        if kind in _VALUES and name not in ("custom", "company"):
            fields[name] = _VALUES[kind].map(lambda value, kind=kind: check(kind, value))
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def documents(draw: st.DrawFn) -> tuple[type[Record], dict[str, Any]]:
    """A kind, and a flat document of it with items."""
    model = draw(st.sampled_from(KINDS))
    flat = draw(_scalars(model))
    for collection in (name for name in model.model_fields if part_of(model, name) is not Part):
        for key in draw(st.lists(st.sampled_from(["main", "i2", "p1"]), unique=True)):
            flat[f"{collection}.{key}"] = True
            item = draw(_scalars(part_of(model, collection)))
            flat.update({f"{collection}.{key}.{leaf}": value for leaf, value in item.items()})
    flat.update({f"custom.{name}": "1" for name in draw(st.lists(st.sampled_from(["a", "b.c"]), unique=True))})
    return model, flat


@given(documents())
def test_a_flat_document_is_its_typed_view_and_back(told: tuple[type[Record], dict[str, Any]]) -> None:
    model, flat = told
    view = model.from_fields(flat)
    assert view.flat() == flat
    for name, value in flat.items():
        if "." not in name:
            assert getattr(view, name) == reader(model.model_fields[name].annotation)(value)


@given(documents(), st.data())
def test_what_is_left_of_a_removed_item_is_not_seen(
    told: tuple[type[Record], dict[str, Any]], data: st.DataObject
) -> None:
    model, flat = told
    items = [name for name, value in flat.items() if value is True and name.count(".") == 1]
    gone = data.draw(st.sampled_from(items)) if items else None
    if gone is not None:
        view = model.from_fields({**flat, gone: False})
        left = {name for name in view.flat() if name == gone or name.startswith(f"{gone}.")}
        assert not left and len(view.flat()) == len([n for n in flat if n != gone and not n.startswith(f"{gone}.")])


def test_references_in_items_are_needed_of_the_items_that_exist() -> None:
    agreed = {"lines.main": True, "lines.main.product": "product:1", "lines.i2": True, "lines.i3": False}
    assert sorted(needed(("account", "lines.*.product"), agreed)) == [
        "account",
        "lines.i2.product",
        "lines.main.product",
    ]
    assert needed(("account", "lines.*.product"), {}) == ["account"]


# rules that change with a document's life ----------------------------------------------------------------------------

BEFORE: dict[str, Any] = {"wish": "released"}
IN_THE_BOOKS = {"erp_number": "SO-1", "shipping": "none", "state": "confirmed"}
SHIPPED = {**IN_THE_BOOKS, "shipping": "part"}


@pytest.mark.parametrize(
    ("name", "fields", "how", "owner"),
    [
        ("remarks", BEFORE, "owned", CRM),
        ("remarks", IN_THE_BOOKS, "shared", ERP),
        ("remarks", SHIPPED, "owned", ERP),
        ("remarks", {**IN_THE_BOOKS, "state": "cancelled"}, "owned", ERP),
        ("lines.main.quantity", IN_THE_BOOKS, "shared", ERP),
        ("lines.main.price", IN_THE_BOOKS, "shared", ERP),
        ("lines.main.price", {**BEFORE, "quote": "quote:1"}, "guarded", CRM),
        ("lines.main.price", {**IN_THE_BOOKS, "quote": "quote:1"}, "guarded", CRM),
        ("lines.main.price", {**SHIPPED, "quote": "quote:1"}, "owned", ERP),
        ("wish", SHIPPED, "owned", CRM),
        ("status", BEFORE, "told", None),
    ],
)
def test_who_may_change_an_order_depends_on_how_far_it_is(
    name: str, fields: dict[str, Any], how: str, owner: str | None
) -> None:
    policy = orders.fields.of(name)
    assert policy is not None
    assert (policy.of(fields).how, policy.of(fields).owner) == (how, owner)


def test_of_the_stages_that_a_record_is_in_the_last_counts() -> None:
    late = owned_by(CRM, "remarks").once(lambda f: "a" in f, owned_by(ERP)).once(lambda f: "b" in f, told())
    rule = Policies(late).by_name["remarks"]
    assert [rule.of(fields).how for fields in ({}, {"a": 1}, {"a": 1, "b": 1}, {"b": 1})] == [
        *("owned", "owned", "told", "told")
    ]
    assert rule.of({"a": 1}).owner == ERP


VALUES = st.sampled_from(["1", "2", "3"])


@given(VALUES, VALUES, VALUES)
def test_what_the_other_side_makes_of_a_guarded_field_is_asked_and_never_put_back(
    agreed: str, sent: str, value: str
) -> None:
    policy = guarded_by(CRM).policy
    if agreed == value:
        assert merge(agreed, sent, value, policy, ERP) is merge(agreed, sent, value, policy, CRM) is Merged.SAME
    else:
        assert merge(agreed, sent, value, policy, ERP) is Merged.CONFLICT
        assert merge(agreed, sent, value, policy, CRM) is Merged.ACCEPT


@given(VALUES, VALUES, st.sampled_from(["1", "2", None]), st.sampled_from([CRM, ERP]))
def test_a_computed_field_is_taken_from_nobody(agreed: str, sent: str, value: str | None, role: str) -> None:
    policy = told().policy
    assert merge(agreed, sent, value, policy, role) is (Merged.SAME if agreed == value else Merged.PUT_BACK)
    assert merge(UNKNOWN, UNKNOWN, value, policy, role) is Merged.LEAVE


@given(VALUES, VALUES, VALUES)
def test_once_in_the_books_both_change_an_order_and_the_books_win(base: str, ours: str, theirs: str) -> None:
    policy = shared(clash=OWNER, owner=ERP).policy
    alone = merge(base, base, ours, policy, CRM)
    assert alone is (Merged.SAME if ours == base else Merged.ACCEPT)
    if len({base, ours, theirs}) == 3:
        assert merge(ours, base, theirs, policy, ERP) is Merged.ACCEPT
        assert merge(theirs, base, ours, policy, CRM) is Merged.PUT_BACK


# approvals -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/datong.db", ManualClock())
    yield made
    made.close()


@pytest.fixture
def judge(store: Store) -> Callable[..., Any]:
    """Judges record 1 by steps; `said`: what was answered before, rule -> (reason, yes)."""

    def judge(*steps: Step, said: dict[str, tuple[str, bool]] | None = None) -> Any:
        with store.write() as tx:
            for rule, (reason, yes) in (said or {}).items():
                record_answer(tx, 1, "orders", rule, reason, yes, "赵经理", store.clock.now(), "太低")
            return judged(tx, 1, "gate:erp:1", store.clock.now(), Approve(steps))

    return judge


DISCOUNT = Step("discount", "a discount of 20 %", "approver", "admin", timedelta(days=2))
TOTAL = Step("total", "300 CNY, above 200", "admin")


def test_steps_are_asked_in_their_order(judge: Callable[..., Any]) -> None:
    first = judge(DISCOUNT, TOTAL)
    assert isinstance(first, Park) and first.cause == "approval"
    assert first.detail["rule"] == "discount" and asked_of(dict(first.detail)) == ("approver",)
    second = judge(DISCOUNT, TOTAL, said={"discount": (DISCOUNT.reason, True)})
    assert second.detail["rule"] == "total" and second.until is None
    assert judge(DISCOUNT, TOTAL, said={"total": (TOTAL.reason, True)}) is GO


def test_no_steps_are_agreed_to(judge: Callable[..., Any]) -> None:
    assert judge() is GO


def test_a_refusal_holds_it_whatever_else_is_agreed_to(judge: Callable[..., Any]) -> None:
    said = {"discount": (DISCOUNT.reason, False), "total": (TOTAL.reason, True)}
    held = judge(DISCOUNT, TOTAL, said=said)
    assert isinstance(held, Park) and held.cause != "approval"
    assert "赵经理" in held.reason and "太低" in held.reason and held.remedy


def test_an_answer_stands_for_its_figures_only(judge: Callable[..., Any], store: Store) -> None:
    other = Step("discount", "a discount of 25 %", "approver")
    held = judge(other, said={"discount": (DISCOUNT.reason, True)})
    assert isinstance(held, Park) and held.detail["reason"] == other.reason
    with store.read() as tx:
        assert agreed_to(tx, 1, "discount", DISCOUNT.reason) is True
        assert agreed_to(tx, 1, "discount", other.reason) is None
        assert agreed_to(tx, 2, "discount", DISCOUNT.reason) is None


def test_the_deadline_runs_from_the_first_asking(judge: Callable[..., Any]) -> None:
    held = judge(DISCOUNT)
    assert held.until is not None and held.until.isoformat() > held.detail["asked"]
    assert held.detail["deputy"] == "", "not yet"


def test_figures_of_a_document_are_decimals() -> None:
    view = Order.from_fields({"total": "0.3", "lines.main": True, "lines.main.quantity": "3"})
    assert view.total == Decimal("0.3") and view.lines["main"].quantity == 3
