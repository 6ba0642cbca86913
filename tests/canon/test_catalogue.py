"""The catalogue is what the console, the docs and the checks are made from: it must be whole."""

from __future__ import annotations

import re

import pytest

from datong.canon import KINDS, REFERENCE_KINDS, FieldSpec, catalogue, check, field_names, spec
from datong.canon.catalogue import pattern

EVERY = [one for kind in KINDS for one in catalogue(kind).values()]
HAN = re.compile(r"[\u4e00-\u9fff]")
TYPES = {"text", "number", "money", "truth", "date", "time", "choice", "reference", "set"}


@pytest.mark.parametrize("one", EVERY, ids=lambda one: f"{one.kind}.{one.name}")
def test_every_field_is_complete(one: FieldSpec) -> None:
    assert one.type in TYPES
    assert one.en and one.en[0].isupper() and not HAN.search(one.en)
    assert HAN.search(one.zh)
    assert one.name == one.name.lower()
    assert bool(one.to) == (one.type == "reference")
    assert one.to in {"", *KINDS}
    assert bool(one.choices) == (one.type == "choice")


@pytest.mark.parametrize("one", [o for o in EVERY if o.example], ids=lambda one: f"{one.kind}.{one.name}")
def test_every_example_is_a_value_of_its_field(one: FieldSpec) -> None:
    if one.type == "truth":
        assert one.example in ("true", "false")
        return
    assert check(one.type, one.example) == one.example
    if one.type == "choice":
        assert one.example in one.choices
    if one.type == "reference":
        assert re.fullmatch(rf"{one.to}:\d+", one.example)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_named_in_both_languages(kind: str) -> None:
    en, zh = KINDS[kind].labels
    assert en and not HAN.search(en)
    assert HAN.search(zh)
    assert field_names(kind) == list(catalogue(kind))
    assert re.fullmatch("[a-z_]+", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_tell_fields_apart(kind: str) -> None:
    for language in ("en", "zh"):
        labels: dict[str, str] = {}
        for one in catalogue(kind).values():
            place = one.name.rpartition(".")[0] + "/" + getattr(one, language)
            assert place not in labels, f"{one.name} and {labels[place]} have one label"
            labels[place] = one.name


def test_reference_kinds_are_kinds() -> None:
    assert set(REFERENCE_KINDS) < set(KINDS)
    for kind in REFERENCE_KINDS:
        assert {"code", "name", "active"} <= set(catalogue(kind))


def test_what_names_a_person_is_personal() -> None:
    personal = {name for name, one in catalogue("contact").items() if one.personal}
    assert personal == {"name", "family_name", "given_name", "email", "phone", "mobile"}
    assert catalogue("account")["addresses.*.street"].personal
    assert not catalogue("account")["stage"].personal


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("name", "name"),
        ("company.asia.terms", "company.*.terms"),
        ("company.亚洲.terms", "company.*.terms"),
        ("addresses.a1.city", "addresses.*.city"),
        ("addresses.a1", "addresses.*"),
        ("company.*.terms", "company.*.terms"),
        ("custom.region_code", "custom.region_code"),
        ("custom.a.b", "custom.a.b"),
        ("custom", "custom"),
    ],
)
def test_pattern(name: str, shown: str) -> None:
    assert pattern(name) == shown
    assert pattern(pattern(name)) == pattern(name)


def test_spec_of_concrete_names() -> None:
    assert spec("account", "company.asia.credit_limit").type == "money"
    assert spec("account", "company.asia.terms").to == "payment_term"
    assert spec("account", "addresses.a1.city").zh == "市"
    assert spec("account", "addresses.a1").type == "truth"
    assert spec("account", "custom.区域").en == "custom.区域".removeprefix("custom.")
    assert spec("account", "type").choices == ("company", "person")


@pytest.mark.parametrize("name", ["nmae", "company.asia.nmae", "addresses.a1.planet", "contacts.c1", "custom", ""])
def test_unknown_names(name: str) -> None:
    with pytest.raises(KeyError):
        spec("account", name)


def test_unknown_kind() -> None:
    with pytest.raises(KeyError):
        catalogue("planet")
