from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from datong.mapping import (
    Field,
    FieldMap,
    FieldOverride,
    Foreign,
    amount,
    boolean,
    choice,
    country,
    overridden,
    put,
    reference,
    text,
)

BASE = FieldMap(
    "account",
    "companies",
    (
        Field("name", "name"),
        Field("country", "country", country()),
        Field("stage", "stage", choice({"prospect": "LEAD", "customer": "CLIENT"})),
        Field("active", "active", boolean()),
        Field("terms", "terms", reference("payment_term", by="code")),
        Field("owner", "owner", reference("user", integer=True)),
        Field("limit", "limit", amount("CNY")),
        Field("notes", "memo", text(4, null="")),
    ),
)


def over(tables: dict[str, dict[str, str]] | None = None, **overrides: dict[str, Any]) -> FieldMap:
    return overridden(BASE, {n.replace("__", "."): FieldOverride(**o) for n, o in overrides.items()}, tables or {})


def read(fmap: FieldMap, **wire: Any) -> dict[str, Any]:
    return fmap.read(wire).values


def test_nothing_overridden_is_nothing_changed() -> None:
    assert overridden(BASE, {}, {}) == BASE
    assert overridden(BASE, {}, {}).version == BASE.version


def test_a_field_moves() -> None:
    moved = over(name={"field": "names.zh"})
    assert moved.read({"name": "old", "names": {"zh": "大同"}}).values == {"name": "大同"}
    assert moved.version != BASE.version


def test_a_custom_field_is_read_and_written() -> None:
    added = over(
        custom__region_code={
            "field": "custom_fields.region",
            "read": "value.upperAscii()",
            "write": "value.lowerAscii()",
        }
    )
    assert added.read({"custom_fields": {"region": "east"}}).values == {"custom.region_code": "EAST"}
    one = added.named("custom.region_code")
    assert one is not None and one.read and one.write == "overwrite"
    wire: dict[str, Any] = {}
    put(wire, one.path, one.convert.to_wire("EAST"))
    assert wire == {"custom_fields": {"region": "east"}}
    assert added.read({"custom_fields": {"region": None}}).values == {"custom.region_code": None}
    assert one.convert.to_wire(None) is None
    assert added.read({"custom_fields": {}}).values == {}


def test_one_way() -> None:
    inward = over(name={"read": "value.trim()"}).named("name")
    assert inward is not None and inward.read and inward.write == "never"
    outward = over(name={"write": "value + '!'"}).named("name")
    assert outward is not None and not outward.read and outward.write == "overwrite"
    assert over(name={"write": "value"}).read({"name": "x"}).values == {}
    chosen = over(name={"read": "value", "mode": "if_new"}).named("name")
    assert chosen is not None and chosen.write == "if_new"


def test_off() -> None:
    assert over(name={"off": True}).named("name") is None
    assert over(planet={"off": True}).version == BASE.version


def test_a_field_that_is_nowhere_needs_a_place() -> None:
    with pytest.raises(ValueError, match="planet: the map has no such field"):
        over(planet={"read": "value"})


@pytest.mark.parametrize(("source", "told"), [("value.", r"1:\d"), ("vlaue", "vlaue"), ("value.nope()", "nope")])
def test_a_wrong_expression_says_where(source: str, told: str) -> None:
    for side in ("read", "write"):
        with pytest.raises(ValueError, match=told):
            over(name={side: source})


@pytest.mark.parametrize("bad", [{"mode": "sometimes"}, {"feild": "x"}, {"off": "perhaps"}])
def test_a_wrong_setting_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FieldOverride(**bad)


def test_what_an_expression_cannot_read_is_held_with_its_reason() -> None:
    reading = over(name={"read": "value.code"}).read({"name": {"title": "x"}})
    assert "name" in reading.bad and "value.code" in reading.bad["name"]


@pytest.mark.parametrize(
    ("source", "wire", "value"),
    [
        ("value * 2.0", 1.25, "2.5"),
        ("int(value) + 1", "41", "42"),
        ("value > 3.0", 5.0, True),
        ("value.split(',')", "b,a,b", ["a", "b"]),
        ("value == 'x' ? null : value", "x", None),
    ],
)
def test_what_an_expression_gives_is_a_canonical_value(source: str, wire: Any, value: Any) -> None:
    assert read(over(name={"read": source}), name=wire) == {"name": value}


@pytest.mark.parametrize("source", ["{'a': value}", "[1, 2]", "timestamp('2026-11-21T00:00:00Z')"])
def test_what_is_no_plain_value_is_held(source: str) -> None:
    assert "no plain value" in over(name={"read": source}).read({"name": "x"}).bad["name"]


def test_an_expression_over_a_reference_gives_a_reference() -> None:
    fmap = over(terms={"read": "value.upperAscii()", "write": "value.lowerAscii()"})
    assert read(fmap, terms="net30") == {"terms": Foreign("payment_term", "NET30", "code")}
    assert fmap.to_wire("terms", "NET30") == "net30"


# tables --------------------------------------------------------------------------------------------------------


def test_a_table_adds_to_the_connectors_own_choices() -> None:
    """What the table lists goes by it; all else as before, or one entry would spoil all others."""
    fmap = over({"stage": {"VIP": "customer"}})
    assert [read(fmap, stage=v)["stage"] for v in ("VIP", "CLIENT", "LEAD")] == ["customer", "customer", "prospect"]
    assert fmap.to_wire("stage", "prospect") == "LEAD"
    assert fmap.to_wire("stage", "customer") == "VIP"
    assert "stage" in fmap.read({"stage": "?"}).bad


def test_a_table_over_a_country() -> None:
    fmap = over({"country": {"中国": "CN"}})
    assert read(fmap, country="中国") == {"country": "CN"}
    assert read(fmap, country="fr") == {"country": "FR"}
    assert "country" in fmap.read({"country": "Narnia"}).bad
    assert fmap.to_wire("country", "CN") == "中国"


def test_a_table_over_nothing() -> None:
    fmap = over({"notes": {"": "none"}})
    assert read(fmap, memo="") == {"notes": "none"}
    assert read(fmap, memo=None) == {"notes": None}
    assert fmap.to_wire("notes", None) == ""
    assert fmap.to_wire("notes", "longer than four") == "long"


def test_a_table_over_references() -> None:
    fmap = over({"terms": {"月结30天": "NET30"}, "owner": {"7": "12"}})
    assert read(fmap, terms="月结30天", owner=7) == {
        "terms": Foreign("payment_term", "NET30", "code"),
        "owner": Foreign("user", "12"),
    }
    assert read(fmap, terms="COD", owner=8) == {
        "terms": Foreign("payment_term", "COD", "code"),
        "owner": Foreign("user", "8"),
    }
    assert fmap.to_wire("terms", "NET30") == "月结30天"
    assert fmap.to_wire("owner", "8") == 8  # still a number


def test_the_examples_of_a_table_survive() -> None:
    fmap = over({"stage": {"CLIENT": "prospect", "VIP": "customer"}, "country": {"China": "CN"}, "notes": {"x": "y"}})
    for one in fmap.fields:
        if not one.convert.to:
            assert one.convert.examples
            for example in one.convert.examples:
                assert one.convert.from_wire(one.convert.to_wire(example)) == example


def test_the_version_knows_tables_and_expressions() -> None:
    versions = {
        m.version
        for m in (
            BASE,
            over({"stage": {"VIP": "customer"}}),
            over({"stage": {"VIP": "prospect"}}),
            over({"country": {"VIP": "customer"}}),
            over(name={"read": "value"}),
            over(name={"read": "value + ''"}),
            over(name={"read": "value", "write": "value"}),
            over(name={"mode": "if_new"}),
            over(limit={"off": True}),
        )
    }
    assert len(versions) == 9
    one, other = {"VIP": "customer", "X": "prospect"}, {"X": "prospect", "VIP": "customer"}
    assert over({"stage": one}).version == over({"stage": other}).version
