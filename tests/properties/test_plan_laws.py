"""Laws of the plan of one write: it says what is agreed, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from datong.canon import is_empty
from datong.engine.flow import CRM, Policy
from datong.engine.plan import change_of
from datong.mapping import ABSENT, Converter, Field, FieldMap, Items, boolean, choice, number, reference, take
from tests.properties.laws import law

FIELDS = (
    Field("name", "n"),
    Field("stage", "s", choice({"lead": "L", "customer": "C"})),
    Field("active", "off", boolean(False, True)),
    Field("custom.score", "c.score", number(2)),
    Field("email", "m", write="if_new"),
    Field("phone", "t", write="if_empty"),
    Field("owner", "o", reference("user")),
)
ITEMS = (Items("addresses", "a", (Field("city", "city"), Field("use", "use", choice({"billing": "B"})))),)
MAP = FieldMap("account", "companies", FIELDS, ITEMS)
KNOWN = {"addresses": {"1": "main", "2": "i2"}}

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from([None, "", "大同", "大通"]),
    "stage": st.sampled_from([None, "lead", "customer", "closed"]),
    "active": st.sampled_from([None, True, False]),
    "custom.score": st.sampled_from([None, "0", "12.345", "no number"]),
    "email": st.sampled_from([None, "a@a.cn", "b@b.cn"]),
    "phone": st.sampled_from([None, "1", "2"]),
    "owner": st.sampled_from([None, "user:1", "user:9"]),
    **{f"addresses.{key}": st.sampled_from([None, True]) for key in ("main", "i2", "i3")},
    **{f"addresses.{key}.city": st.sampled_from([None, "深圳市", "巴黎"]) for key in ("main", "i2", "i3")},
    **{f"addresses.{key}.use": st.sampled_from([None, "billing", "holiday"]) for key in ("main", "i2", "i3")},
}
RECORDS = st.fixed_dictionaries({}, optional=VALUES)
NAMES = st.lists(st.sampled_from(sorted(VALUES)), max_size=4)


def native(_: Converter, wanted: str) -> str | None:
    return {"user:1": "U1"}.get(wanted)


def planned(agreed: Any, sent: Any, *, create: bool = False, fields: tuple[Field, ...] = FIELDS, **more: Any) -> Any:
    rules = {"name": Policy("owned", owner=CRM)}
    fmap = FieldMap("account", "companies", fields, ITEMS)
    return change_of(
        fmap,
        agreed,
        sent,
        lambda name: rules.get(name, Policy("shared")),
        native,
        create=create,
        known_items=KNOWN,
        **more,
    )


@law
@given(RECORDS, st.booleans())
def test_what_is_in_agreement_needs_no_write(agreed: dict[str, Any], blank: bool) -> None:
    sent = {name: "" if blank and value is None else value for name, value in agreed.items()}
    assert not planned(agreed, sent).something
    assert not planned({}, sent).something


@law
@given(RECORDS, RECORDS, st.booleans())
def test_only_agreed_values_are_written(agreed: dict[str, Any], sent: dict[str, Any], create: bool) -> None:
    """Nothing is invented, nothing is written over with what stands there, and each thing has one fate."""
    sent = {} if create else sent
    change = planned(agreed, sent, create=create)
    for name, (before, after) in change.fields.items():
        assert after == agreed.get(name) and before != after
        assert before in (sent.get(name), None), "of a new item nothing stands there yet"
    told = [*change.fields, *change.waiting, *change.refused]
    assert len(told) == len(set(told))
    assert set(told) <= set(agreed) | {name for name in sent if name.count(".") == 1}


@law
@given(RECORDS, RECORDS, NAMES, st.booleans())
def test_what_a_person_holds_is_not_written(
    agreed: dict[str, Any], sent: dict[str, Any], held: list[str], create: bool
) -> None:
    """And holding it changes nothing else of the record's own fields. That a new item lacks it is no writing."""
    sent = {} if create else sent
    free, bound = planned(agreed, sent, create=create), planned(agreed, sent, create=create, held=held)
    assert all(is_empty(bound.fields[name][1]) for name in set(held) & set(bound.fields))
    plain = {name for name in free.fields if not name.startswith("addresses.")}
    assert {n for n in bound.fields if not n.startswith("addresses.")} == plain - set(held)


@law
@given(RECORDS, RECORDS, st.permutations(FIELDS))
def test_the_order_of_the_map_means_nothing(agreed: dict[str, Any], sent: dict[str, Any], fields: list[Field]) -> None:
    assert planned(agreed, sent) == planned(agreed, sent, fields=tuple(fields))


@law
@given(RECORDS, RECORDS)
def test_what_cannot_be_said_now_stops_nothing_else(agreed: dict[str, Any], sent: dict[str, Any]) -> None:
    """A bad or waiting value is told and left out; with it mended, all the rest is written as before."""
    change = planned(agreed, sent)
    spoilt = {*change.waiting, *change.refused}
    mended = {name: value for name, value in agreed.items() if name not in spoilt}
    again = planned(mended, sent)
    assert not again.waiting and not again.refused
    assert again.fields == change.fields and again.values == change.values


@law
@given(RECORDS, RECORDS)
def test_a_system_that_takes_records_whole_is_told_the_rest(agreed: dict[str, Any], sent: dict[str, Any]) -> None:
    """The same is due; beside it the values that stand are said again, and none that is not agreed or was not sent."""
    part, whole = planned(agreed, sent), planned(agreed, sent, whole=True)
    assert (part.fields, part.items, part.waiting, part.refused) == (
        whole.fields,
        whole.items,
        whole.waiting,
        whole.refused,
    )
    for one in FIELDS:
        told, due = take(whole.values, one.path), take(part.values, one.path)
        assert told == due if due is not ABSENT else told is ABSENT or bool(part.fields)
        value = agreed.get(one.name, sent.get(one.name))
        if due is ABSENT and told is not ABSENT:
            assert not is_empty(value) and told == one.convert.to_wire(native(one.convert, str(value)) or value)


@law
@given(RECORDS)
def test_a_create_says_every_filled_value_once(agreed: dict[str, Any]) -> None:
    change = planned(agreed, {}, create=True)
    named = {one.name for one in FIELDS}
    filled = {n for n, v in agreed.items() if n in named and not is_empty(v)}
    assert filled == (set(change.fields) | set(change.waiting) | set(change.refused)) & named
