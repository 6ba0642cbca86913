"""Facts of Chinese e-invoices."""

from typing import Any

import pytest

from datong.canon import Invoice
from datong.reckoning.fapiao import check_facts, check_red, file_kind

BLUE: dict[str, Any] = {
    "type": "invoice",
    "account": "account:7",
    "date": "2026-12-07",
    "total": "40.26",
    "fapiao_number": "26442000000012345678",
    "fapiao_kind": "special",
    "buyer_name": "深圳市大同科技有限公司",
    "buyer_tax_id": "91350100M000100Y43",
    "seller_name": "上海打通软件有限公司",
    "seller_tax_id": "91110000600037341L",
    "tax_category": "1090103030000000000",
    "document_url": "https://erp.example/inv/1.ofd",
}
RED: dict[str, Any] = {
    **BLUE,
    "type": "credit_note",
    "total": "-40.26",
    "fapiao_number": "26442000000012345679",
    "red_letter": "44010026120000000001",
    "reverses": "invoice:6",
}


def invoice(facts: dict[str, Any], **changed: Any) -> Invoice:
    return Invoice.from_fields({**facts, **changed})


@pytest.mark.parametrize(
    "facts",
    [
        BLUE,
        RED,
        {"type": "invoice", "total": "5"},
        {**BLUE, "fapiao_kind": "ordinary", "buyer_tax_id": None},
        {**BLUE, "fapiao_kind": "ordinary", "buyer_tax_id": "E12345678"},
        {**BLUE, "buyer_tax_id": "110108600037341"},
        {**BLUE, "fapiao_number": "25442000000012345678", "date": "2026-01-02"},
        {**BLUE, "date": None},
    ],
)
def test_what_is_in_order(facts: dict[str, Any]) -> None:
    assert check_facts(invoice(facts)) == []


@pytest.mark.parametrize(
    ("facts", "changed", "code"),
    [
        (BLUE, {"fapiao_number": "12345678"}, "FAPIAO_NUMBER"),
        (BLUE, {"fapiao_number": "2644200000001234567X"}, "FAPIAO_NUMBER"),
        (BLUE, {"fapiao_number": "２６442000000012345678"}, "FAPIAO_NUMBER"),
        (BLUE, {"fapiao_number": "20442000000012345678"}, "FAPIAO_YEAR"),
        (BLUE, {"fapiao_number": "29442000000012345678"}, "FAPIAO_YEAR"),
        (BLUE, {"fapiao_kind": None}, "FAPIAO_KIND"),
        (BLUE, {"buyer_name": None}, "FAPIAO_BUYER"),
        (BLUE, {"buyer_tax_id": None}, "FAPIAO_BUYER_TAX_ID"),
        (BLUE, {"buyer_tax_id": "91350100M000100Y44"}, "FAPIAO_BUYER_TAX_ID"),
        (BLUE, {"buyer_tax_id": "123"}, "FAPIAO_BUYER_TAX_ID"),
        (BLUE, {"seller_tax_id": None}, "FAPIAO_SELLER"),
        (BLUE, {"seller_tax_id": "91310000M000100Y4X"}, "FAPIAO_SELLER_TAX_ID"),
        (BLUE, {"tax_category": "10901030300"}, "TAX_CATEGORY"),
        (BLUE, {"document_url": "inv/1.ofd"}, "FAPIAO_FILE"),
        (BLUE, {"red_letter": "44010026120000000001"}, "RED_LETTER_ON_INVOICE"),
        (BLUE, {"total": "-40.26"}, "FAPIAO_SIGN"),
        (RED, {"red_letter": None}, "RED_LETTER_MISSING"),
        (RED, {"red_letter": "红 1"}, "RED_LETTER_FORM"),
        (RED, {"red_letter": "4" * 21}, "RED_LETTER_FORM"),
        (RED, {"reverses": None}, "RED_WITHOUT_BLUE"),
        (RED, {"total": "40.26"}, "FAPIAO_SIGN"),
    ],
)
def test_what_is_not(facts: dict[str, Any], changed: dict[str, Any], code: str) -> None:
    (found,) = check_facts(invoice(facts, **changed))
    assert found.code == code
    assert found.en and found.zh and found.remedy and found.remedy_zh


def test_a_credit_note_against_its_invoice() -> None:
    blue, red = invoice(BLUE), invoice(RED)
    assert check_red(red, blue) == []
    assert [one.code for one in check_red(red, blue, [invoice(RED, total="-0.01")])] == ["RED_EXCEEDS_BLUE"]
    assert check_red(invoice(RED, total="-40.25"), blue, [invoice(RED, total="-0.01")]) == []
    assert [one.code for one in check_red(invoice(RED, account="account:8"), blue)] == ["RED_OTHER_BUYER"]
    assert [one.code for one in check_red(invoice(RED, buyer_tax_id="91110000600037341L"), blue)] == ["RED_OTHER_BUYER"]
    assert [one.code for one in check_red(invoice(RED, date="2026-12-06"), blue)] == ["RED_BEFORE_BLUE"]
    assert "RED_OF_RED" in [one.code for one in check_red(red, red)]


def test_the_kind_of_a_file_by_its_address() -> None:
    told = [file_kind(f"https://erp.example/{name}") for name in ("1.ofd", "1.PDF?x=1", "1.xml", "1", "1.jpg")]
    assert told == ["ofd", "pdf", "xml", None, None]
