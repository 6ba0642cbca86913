from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.base.money import Money
from datong.canon import KINDS, Account, Product, TaxCode, catalogue, check, is_empty
from datong.canon.fields import reader, type_name

FIELDS: dict[str, Any] = {
    "name": "深圳市大同科技有限公司",
    "type": "company",
    "active": False,
    "terms_of_old": "unknown names stay",
    "parent": "account:7",
    "company.asia.number": "C00017",
    "company.asia.credit_limit": "50000 CNY",
    "company.europe.blocked": True,
    "addresses.a1": True,
    "addresses.a1.city": "深圳市",
    "addresses.a1.use": "billing",
    "addresses.a2": True,
    "custom.region_code": "EAST",
    "custom.score": None,
}


def flat(record: Account) -> dict[str, Any]:
    """There and back: the flat document that the typed view was made of."""
    back: dict[str, Any] = {}
    for name, value in record.__dict__.items():
        if name in ("company", "addresses"):
            for key, part in value.items():
                if name == "addresses":
                    back[f"{name}.{key}"] = True
                for leaf, inner in part.__dict__.items():
                    if leaf in part.model_fields_set:
                        back[f"{name}.{key}.{leaf}"] = str(inner) if isinstance(inner, Money) else inner
        elif name == "custom":
            back.update({f"custom.{key}": inner for key, inner in value.items()})
        elif value is not None:
            back[name] = value
    return back


def test_there_and_back() -> None:
    account = Account.from_fields(FIELDS)
    everything = {**account.__dict__, **(account.__pydantic_extra__ or {})}
    assert everything["terms_of_old"] == "unknown names stay"
    assert {**flat(account), "terms_of_old": everything["terms_of_old"]} == FIELDS


def test_the_typed_view() -> None:
    account = Account.from_fields(FIELDS)
    assert account.name == "深圳市大同科技有限公司"
    assert account.email is None
    assert account.active is False
    assert account.company["asia"].credit_limit == Money(Decimal(50000), "CNY")
    assert account.company["asia"].blocked is None
    assert account.company["europe"].blocked is True
    assert account.addresses["a1"].city == "深圳市"
    assert account.addresses["a2"].city is None
    assert account.custom == {"region_code": "EAST", "score": None}
    assert Product.from_fields({"list_price": "12.5"}).list_price == Decimal("12.5")
    assert TaxCode.from_fields({"valid_from": "2026-01-01", "rate": "13"}).valid_from == date(2026, 1, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_at_all_is_a_record(kind: str) -> None:
    empty = KINDS[kind].from_fields({})
    assert empty.custom == {}
    for name in catalogue(kind):
        if "." not in name:
            assert getattr(empty, name) is None


@given(st.permutations(list(FIELDS.items())))
def test_the_order_of_fields_means_nothing(turned: list[tuple[str, Any]]) -> None:
    assert Account.from_fields(dict(turned)) == Account.from_fields(FIELDS)


def test_a_removed_item_is_not_there() -> None:
    """Its fields may still stand in the document; `addresses.a1` says whether it exists."""
    for gone in (None, False):
        fields = {"addresses.a1": gone, "addresses.a1.city": "深圳市", "addresses.a2": True}
        for turned in (fields, dict(reversed(fields.items()))):
            assert list(Account.from_fields(turned).addresses) == ["a2"]


def test_custom_names_may_have_dots() -> None:
    assert Account.from_fields({"custom.a": 1, "custom.a.b": "x"}).custom == {"a": 1, "a.b": "x"}


def test_what_does_not_fit_its_type_stays_as_it_is() -> None:
    """A gate must be able to look at a record that a person spoilt."""
    account = Account.from_fields({"company.asia.credit_limit": "viel", "name": 5})
    assert account.company["asia"].credit_limit == "viel"
    assert reader(Decimal | None)("zwölf") == "zwölf"
    assert reader(date | None)("morgen") == "morgen"
    assert reader(date)(None) is None


@pytest.mark.parametrize(
    ("kind", "value", "canonical"),
    [
        ("text", " 大同 ", "大同"),
        ("text", "  ", None),
        ("text", "e\u0301", "é"),
        ("text", 5, "5"),
        ("number", "12.50", "12.5"),
        ("number", 1e3, "1000"),
        ("money", "100.50 CNY", "100.5 CNY"),
        ("money", Money(Decimal("1E+2"), "JPY"), "100 JPY"),
        ("truth", False, False),
        ("date", "2026-11-21", "2026-11-21"),
        ("date", date(2026, 11, 21), "2026-11-21"),
        ("time", "2026-11-21T16:00:00+08:00", "2026-11-21T08:00:00.000000Z"),
        ("set", ["b", "a", "b"], ["a", "b"]),
        ("any", {"x": 1}, {"x": 1}),
        ("reference", "account:7", "account:7"),
        *[(kind, None, None) for kind in ("text", "number", "money", "truth", "date", "time", "set", "any")],
    ],
)
def test_the_one_canonical_scalar(kind: str, value: Any, canonical: Any) -> None:
    assert check(kind, value) == canonical
    assert check(kind, check(kind, value)) == canonical


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "zwölf"),
        ("number", True),
        ("number", "NaN"),
        ("money", "100"),
        ("money", "100 元"),
        ("truth", "true"),
        ("truth", 1),
        ("date", "21.11.2026"),
        ("date", "2026-02-30"),
        ("time", "gestern"),
        ("set", "abc"),
        ("set", 5),
        ("text", ["a"]),
        ("text", True),
        ("text", {"a": 1}),
    ],
)
def test_what_is_no_value(kind: str, value: Any) -> None:
    with pytest.raises(ValueError):
        check(kind, value)


def test_empty() -> None:
    assert all(is_empty(v) for v in (None, "", []))
    assert not any(is_empty(v) for v in (False, 0, "0", " ", ["a"]))


def test_type_names() -> None:
    assert type_name(str | None) == "text"
    assert type_name(list[str] | None) == "set"
    assert type_name(Money) == "money"
    assert type_name(dict[str, str]) == "any"
