from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.connectors.sandbox_crm.maps import maps as crm_maps
from datong.connectors.sandbox_erp.maps import maps as erp_maps
from datong.mapping import (
    ABSENT,
    Converter,
    Field,
    FieldMap,
    Foreign,
    Items,
    amount,
    boolean,
    choice,
    country,
    number,
    phone,
    put,
    reference,
    tags,
    take,
    text,
)

ADDRESS = (
    Field("street", "line"),
    Field("country", "geo.country", country()),
    Field("use", "kind", choice({"billing": "B"})),
)
MAP = FieldMap(
    "account",
    "companies",
    (
        Field("name", "name", text(40)),
        Field("country", "address.country", country()),
        Field("stage", "stage", choice({"prospect": "LEAD", "customer": "CLIENT"})),
        Field("active", "off", boolean(False, True)),
        Field("phone", "tel", phone("CN")),
        Field("owner", "owner", reference("user")),
        Field("notes", "memo", text(null="")),
        Field("company.{company}.credit_limit", "erp.{company}.limit", amount("CNY")),
        Field("tax_id", "vat", write="if_new"),
        Field("invoice_title", "title", read=False),
    ),
    (Items("addresses", "addresses", ADDRESS),),
).for_companies(["asia", "europe"])
WIRE: dict[str, Any] = {
    "name": " 深圳市大同科技有限公司 ",
    "address": {"country": "cn"},
    "stage": "CLIENT",
    "off": False,
    "tel": "0755-2600 0000",
    "owner": 7,
    "memo": "",
    "erp": {"asia": {"limit": "50000.00"}},
    "vat": None,
    "title": "not read",
    "addresses": [{"id": 1, "line": "科技园路1号", "geo": {"country": "CN"}, "kind": "B"}, {"id": 2, "line": None}],
}


def test_null_is_not_absent() -> None:
    reading = MAP.read(WIRE)
    assert reading.bad == {}
    assert reading.values == {
        "name": "深圳市大同科技有限公司",
        "country": "CN",
        "stage": "customer",
        "active": True,
        "phone": "+8675526000000",
        "owner": Foreign("user", "7"),
        "notes": None,
        "company.asia.credit_limit": "50000 CNY",
        "tax_id": None,
    }
    assert "company.europe.credit_limit" not in reading.values


@pytest.mark.parametrize("wire", [{}, {"address": None}, {"address": "CN"}, {"address": []}, {"erp": {"asia": None}}])
def test_a_path_that_is_not_there_is_absent(wire: dict[str, Any]) -> None:
    """`address: null` says nothing of the country inside it: an answer without the part is no evidence."""
    reading = MAP.read(wire)
    assert reading.values == {} and reading.bad == {} and reading.items == {}
    assert MAP.wire_form(wire) == {}


def test_take_and_put() -> None:
    assert take(WIRE, "address.country") == "cn"
    assert take(WIRE, "vat") is None
    assert take(WIRE, "address.city") is ABSENT
    assert take(WIRE, "name.first") is ABSENT
    made: dict[str, Any] = {}
    put(made, "a.b.c", 1)
    put(made, "a.b.d", None)
    put(made, "e", [])
    assert made == {"a": {"b": {"c": 1, "d": None}}, "e": []}
    assert repr(ABSENT) == "ABSENT"


@given(st.lists(st.text("abc", min_size=1), min_size=1, max_size=4).map(".".join), st.none() | st.text())
def test_what_was_put_is_taken(path: str, value: str | None) -> None:
    wire: dict[str, Any] = {}
    put(wire, path, value)
    assert take(wire, path) == value


def test_a_bad_value_holds_its_field_only_and_says_why() -> None:
    wire = {
        **WIRE,
        "stage": "VIP",
        "address": {"country": "China"},
        "erp": {"asia": {"limit": "viel"}},
        "owner": {"id": 7},
    }
    reading = MAP.read(wire)
    assert set(reading.bad) == {"stage", "country", "company.asia.credit_limit", "owner"}
    assert "VIP" in reading.bad["stage"] and "LEAD" in reading.bad["stage"]
    assert "'China'" in reading.bad["country"]
    assert not set(reading.bad) & set(reading.values)
    assert reading.values["name"] == "深圳市大同科技有限公司"


def test_items() -> None:
    items = MAP.read(WIRE).items["addresses"]
    assert [i.native_id for i in items] == ["1", "2"]
    assert items[0].values == {"street": "科技园路1号", "country": "CN", "use": "billing"}
    assert items[1].values == {"street": None}
    assert items[0].raw == {"line": "科技园路1号", "geo.country": "CN", "kind": "B"}
    assert MAP.read({"addresses": None}).items == {"addresses": []}
    assert MAP.read({"addresses": []}).items == {"addresses": []}


def test_a_bad_value_in_an_item_is_named() -> None:
    reading = MAP.read({"addresses": [{"id": 5, "kind": "?", "line": "ok"}]})
    assert list(reading.bad) == ["addresses.5.use"]
    assert reading.items["addresses"][0].values == {"street": "ok"}


@pytest.mark.parametrize("rows", [{"data": []}, "none", 5])
def test_what_is_no_list_of_items_is_bad_not_empty(rows: Any) -> None:
    reading = MAP.read({"addresses": rows})
    assert "addresses" in reading.bad and "addresses" not in reading.items


def test_a_row_that_is_no_object_says_nothing() -> None:
    (item,) = MAP.read({"addresses": [None]}).items["addresses"]
    assert item.native_id is None and item.values == {}


def test_the_wire_form_is_what_the_map_reads() -> None:
    form = MAP.wire_form(WIRE)
    assert "title" not in form  # write-only
    assert form["address.country"] == "cn"
    assert form["addresses"] == WIRE["addresses"]
    assert form["vat"] is None
    assert MAP.wire_form({**WIRE, "something": "else"}) == form


def test_names() -> None:
    assert MAP.named("country") is MAP.fields[1]
    found = MAP.named("addresses.a1.country")
    assert found is not None and found.path == "geo.country"
    assert MAP.named("addresses.a1.planet") is None
    assert MAP.named("planet") is None
    assert MAP.to_wire("active", False) is True
    assert MAP.to_wire("notes", None) == ""
    assert MAP.to_wire("addresses.a1.use", "billing") == "B"
    with pytest.raises(KeyError):
        MAP.to_wire("planet", "x")


def test_companies_are_written_out() -> None:
    names = [f.name for f in MAP.fields if f.name.startswith("company")]
    assert names == ["company.asia.credit_limit", "company.europe.credit_limit"]
    assert [f.path for f in MAP.fields if f.name in names] == ["erp.asia.limit", "erp.europe.limit"]


def test_a_field_has_one_place() -> None:
    with pytest.raises(ValueError, match="two entries map the field name"):
        FieldMap("account", "x", (Field("name", "a"), Field("name", "b")))


# round trip ----------------------------------------------------------------------------------------------------


def real_fields() -> list[Field]:
    companies = {"asia": {"currency": "CNY", "id": 1}, "europe": {"currency": "EUR", "id": 2}}
    maps = [*crm_maps(companies), *erp_maps(companies)]
    return [f for one in maps for f in (*one.fields, *(i for c in one.items for i in c.fields))]


@pytest.mark.parametrize("one", [*MAP.fields, *ADDRESS, *real_fields()], ids=lambda f: f.name)
def test_every_field_survives_write_and_read(one: Field) -> None:
    fmap = FieldMap("account", "x", (replace(one, read=True),))
    examples = ("7",) if one.convert.to else one.convert.examples
    assert examples
    for example in (*examples, None):
        wire: dict[str, Any] = {}
        put(wire, one.path, one.convert.to_wire(example))
        read = fmap.read(wire).values[one.name]
        assert (read.native if isinstance(read, Foreign) else read) == example


# version -------------------------------------------------------------------------------------------------------

BASE = FieldMap(
    "account",
    "companies",
    (
        Field("name", "name"),
        Field("stage", "stage", choice({"prospect": "LEAD", "customer": "CLIENT"})),
        Field("phone", "tel", phone("CN")),
    ),
    (Items("addresses", "addresses", ADDRESS),),
)


def changed(name: str, **what: Any) -> FieldMap:
    return replace(BASE, fields=tuple(replace(f, **what) if f.name == name else f for f in BASE.fields))


MEANINGS: list[FieldMap] = [
    BASE,
    replace(BASE, kind="contact"),
    replace(BASE, native="accounts"),
    replace(BASE, fields=BASE.fields[1:]),
    replace(BASE, items=()),
    replace(BASE, items=(replace(BASE.items[0], write="if_new"),)),
    replace(BASE, items=(replace(BASE.items[0], id=None),)),
    replace(BASE, items=(replace(BASE.items[0], fields=(replace(ADDRESS[0], read=False), *ADDRESS[1:])),)),
    changed("name", path="title"),
    changed("name", write="if_empty"),
    changed("name", read=False),
    changed("name", convert=text(20)),
    changed("name", convert=text(21)),
    changed("name", convert=text(null="")),
    changed("name", convert=number()),
    changed("name", convert=number(2)),
    changed("name", convert=amount("CNY")),
    changed("name", convert=amount("EUR")),
    changed("name", convert=boolean()),
    changed("name", convert=boolean("Y", "N")),
    changed("name", convert=reference("user")),
    changed("name", convert=reference("user", by="code")),
    changed("name", convert=reference("user", integer=True)),
    changed("name", convert=reference("region")),
    changed("stage", convert=choice({"prospect": "LEAD", "customer": "KUNDE"})),
    changed("stage", convert=choice({"prospect": "LEAD", "customer": "LEAD"})),
    changed("stage", convert=choice({"customer": "LEAD", "prospect": "LEAD"})),
    changed("phone", convert=phone("FR")),
    changed("phone", convert=phone()),
    changed("name", convert=Converter("own", str, lambda v: v.lower(), ("A",))),
    changed("name", convert=Converter("own", str, lambda v: v.title(), ("A",))),
]


def test_the_version_changes_with_the_meaning() -> None:
    versions = [m.version for m in MEANINGS]
    assert len(set(versions)) == len(MEANINGS)


def test_and_not_otherwise() -> None:
    again = FieldMap(
        "account",
        "companies",
        (
            Field("phone", "tel", phone("CN")),
            Field("stage", "stage", choice({"customer": "CLIENT", "prospect": "LEAD"})),
            Field("name", "name", text()),
        ),
        (Items("addresses", "addresses", tuple(reversed(ADDRESS))),),
        own_key="external_id",
    )
    assert again.version == BASE.version
    assert len(BASE.version) == 16
    for convert in (tags(), number()):
        assert changed("name", convert=convert).version == changed("name", convert=replace(convert)).version
