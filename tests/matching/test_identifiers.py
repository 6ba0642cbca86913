"""Tax identifiers: kinds, check digits, fillers."""

import pytest

from datong.matching import country_code, tax_id

USCC = "91110000600037341L"


@pytest.mark.parametrize(
    "value",
    [USCC, USCC.lower(), "9111 0000 6000 3734 1L", "９１１１００００６０００３７３４１Ｌ", "91110000-600037341-L"],
)
@pytest.mark.parametrize("country", ["CN", "", "中国", "China"])
def test_a_unified_social_credit_code_however_typed(value: str, country: str) -> None:
    found = tax_id(value, country)
    assert found and (found.value, found.kind, found.country, found.valid) == (USCC, "uscc", "CN", True)


@pytest.mark.parametrize(
    "value",
    [
        "",
        None,
        "-",
        "无",
        "N/A",
        "000000000000000",
        "0",
        "111111111111111",
        "123456789012345678",
        "暂无",
        "DE000000000",
    ],
)
def test_a_filler_is_no_identifier(value: str | None) -> None:
    assert tax_id(value, "CN") is None


@pytest.mark.parametrize(
    ("value", "country", "person", "kind", "valid"),
    [
        ("91110000600037341M", "CN", False, "uscc", False),
        ("91110000600037341M", "", False, "uscc", False),
        ("110108600037341", "CN", False, "old", True),
        ("110108600037341", "", False, "old", True),
        ("110108600037342", "", False, "national", True),
        ("11010519491231002X01", "CN", False, "old", True),
        ("11010519491231002X", "CN", True, "resident", True),
        ("11010519491231002X", "CN", False, "resident", False),
        ("12346", "CN", False, "national", False),
        ("DE136695976", "", False, "vat", True),
        ("136 695 976", "DE", False, "vat", True),
        ("DE136695977", "DE", False, "vat", False),
        ("DE136695977", "", False, "national", True),
        ("094259216", "GR", False, "vat", True),
        ("FR40303265045", "FR", False, "vat", True),
        ("XI980780684", "", False, "vat", True),
        ("12-3456788", "US", False, "national", True),
        ("ABC", "US", False, "national", False),
        ("税号", "", False, "national", False),
    ],
)
def test_kinds(value: str, country: str, person: bool, kind: str, valid: bool) -> None:
    found = tax_id(value, country, person=person)
    assert found and (found.kind, found.valid) == (kind, valid)
    assert found.valid or found.reason


def test_an_old_number_and_its_successor_share_the_organisation_code() -> None:
    old, new = tax_id("110108600037341", "CN"), tax_id(USCC, "CN")
    assert old and new and old.organisation == new.organisation == "600037341"


def test_greek_and_northern_irish_prefixes() -> None:
    greek, irish = tax_id("EL094259216"), tax_id("XI980780684")
    assert greek and (greek.value, greek.country) == ("EL094259216", "GR")
    assert irish and irish.country == "GB"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("cn", "CN"),
        ("CHN", "CN"),
        ("中国", "CN"),
        ("Germany", "DE"),
        ("UK", "GB"),
        ("", ""),
        (None, ""),
        (["FR"], "['FR']"),
    ],
)
def test_country(value: object, code: str) -> None:
    assert country_code(value).upper() == code.upper()
