"""Statements on paper: what they say can be read back from the PDF and the workbook, whatever customers are called."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from datetime import date as Day
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook

from datong.base.errors import UsageError
from datong.canon import Invoice, Payment
from datong.insight.sheets import Column, Sheet, workbook
from datong.insight.span import Span
from datong.insight.statement import ledger, statement
from datong.insight.statement_paper import WORDS, Language, Paper, excel, html
from datong.operations.pdf import has_chinese_font, pdf
from datong.reckoning.spelled import in_chinese, in_english

NASTY = '=HYPERLINK("http://x.example","点我")<script>alert(1)</script> & 大同'
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def paper(many: int = 3, customer: str = "深圳市大同科技有限公司", currency: str = "CNY") -> Paper:
    """Invoices over half a year, every second one half paid; one receipt too many."""
    invoices, payments = {}, {}
    for number in range(many):
        day = Day(2026, 6, 1) + timedelta(number * 180 // many)
        total = Decimal(1000 + number) + Decimal("0.37")
        told = {
            "state": "posted",
            "type": "invoice",
            "erp_number": f"IN-A-2026-{number:05}",
            "due": day + timedelta(30),
        }
        invoices[f"invoice:{number}"] = Invoice.model_construct(None, date=day, total=total, **told)
        if number % 2:
            values = {"state": "posted", "erp_number": f"RC-{number:05}", "reference": "货款 @SUM(A1:A9)"}
            payments[f"payment:{number}"] = Payment.model_construct(None, date=day, amount=total / 2, **values)
    made = statement("account:1", "asia", currency, ledger(invoices, payments), Span.parse("2026-07..2026-11"))
    at = datetime(2026, 12, 1, 1, 2, tzinfo=UTC)
    ours = ("上海市浦东新区世纪大道100号", "电话 021-5000 0000", "招商银行 1219 0000 0000 001")
    return Paper(made, customer, "C00017", "91350100M000100Y43", "上海打通软件有限公司", ours, at, "Asia/Shanghai")


needs_a_font = pytest.mark.skipif(not has_chinese_font(), reason="no font with Chinese characters is installed")


def text_of(file: bytes) -> tuple[int, str]:
    """Pages, and their text without spaces."""
    pages = pypdfium2.PdfDocument(file)
    told = [pages[n].get_textpage().get_text_bounded() for n in range(len(pages))]
    return len(told), re.sub(r"\s", "", "".join(told))


@needs_a_font
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_says_what_the_statement_says(language: Language) -> None:
    one = paper(50)
    pages, text = text_of(pdf(html([one, paper(2, "东京商事", "JPY")], language)))
    assert pages == 4, "the table goes on over pages, each statement begins one"
    for line in one.statement.lines:
        assert line.entry.number in text and f"{line.balance:,.2f}" in text
    for name in ("title", "opening", "ageing", "confirmation", "seal"):
        assert re.sub(r"\s", "", WORDS[name][language == "en"]) in text
    assert f"{one.statement.closing:,.2f}" in text and one.customer in text and one.issuer in text
    assert "2026-12-0109:02" in text, "the time of the books is told where the company is"
    spelled = (in_chinese if language == "zh" else in_english)(one.statement.closing, "CNY")
    assert spelled.replace(" ", "") in text and "\ufffd" not in text


@needs_a_font
@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_text_and_nothing_else(language: Language) -> None:
    told = html([paper(2, NASTY)], language)
    assert "<script>" not in told and "&lt;script&gt;" in told
    assert NASTY.replace(" ", "") in text_of(pdf(html([paper(2, NASTY)], language)))[1]


def test_a_workbook_has_the_same_figures_as_numbers() -> None:
    one = paper(9)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(excel([one], "zh"))).get_sheet_by_index(0).to_python()
    shown = [row for row in rows if row[1] in ("发票", "收款")]
    assert [Decimal(str(row[7])) for row in shown] == [line.balance for line in one.statement.lines]
    assert [Decimal(str(row[5] or 0)) for row in shown] == [line.entry.debit for line in one.statement.lines]
    (words,) = [row[0] for row in rows if str(row[0]).startswith("大写")]
    assert words.startswith("大写：人民币")


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", "http://x.example", "007"]
)
def test_nothing_in_a_workbook_is_a_formula_or_a_link(name: str) -> None:
    file = workbook([Sheet("x", [Column(name)], [[name], [Decimal("1.5")]], [[name]])])
    parts = {
        n: zipfile.ZipFile(io.BytesIO(file)).read(n).decode() for n in zipfile.ZipFile(io.BytesIO(file)).namelist()
    }
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert "<f>" not in sheet and "hyperlink" not in sheet and sheet.count('t="s"') == 3
    assert ('quotePrefix="1"' in parts["xl/styles.xml"]) == name.startswith(("=", "+", "-", "@", "\t"))


def test_without_a_chinese_font_no_pdf_of_boxes_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fonts.conf").write_text(f"<fontconfig><dir>{tmp_path}</dir></fontconfig>", encoding="utf8")
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    with pytest.raises(UsageError, match="font") as caught:
        pdf(html([paper(2)], "zh"))
    assert "fonts-noto-cjk" in caught.value.remedy
