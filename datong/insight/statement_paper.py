"""A statement on paper: its words in Chinese and English, the page, the PDF, the workbook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from datong.base.money import minor_units
from datong.insight.ageing import BUCKETS
from datong.insight.sheets import Cell, Column, Sheet, workbook
from datong.insight.statement import Statement
from datong.reckoning.spelled import in_chinese, in_english

Language = Literal["zh", "en"]
_NARROW = 14
"""Characters of an amount that go into columns of a fixed width, which are set in two thirds of the time."""
WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("客户往来对账单", "Statement of account"),
    "customer": ("客户", "Customer"),
    "number": ("客户编号", "Customer number"),
    "tax_id": ("纳税人识别号", "Tax id"),
    "currency": ("币种", "Currency"),
    "as_of": ("数据截至", "Books as of"),
    "to": ("至", "to"),
    "date": ("日期", "Date"),
    "document": ("单据", "Document"),
    "remark": ("摘要", "Reference"),
    "due": ("到期日", "Due"),
    "debit": ("应收", "Charged"),
    "credit": ("已收", "Credited"),
    "balance": ("余额", "Balance"),
    "opening": ("期初余额", "Opening balance"),
    "closing": ("本期合计及期末余额", "Total and closing balance"),
    "nothing": ("本期无往来", "No movements in this period"),
    "words": ("大写：", "In words: "),
    "ageing": ("期末余额账龄", "Age of the closing balance"),
    "not_due": ("未到期", "Not due"),
    "due_1_30": ("逾期1–30天", "1–30 days"),
    "due_31_60": ("逾期31–60天", "31–60 days"),
    "due_61_90": ("逾期61–90天", "61–90 days"),
    "over_90": ("逾期90天以上", "Over 90 days"),
    "unallocated": ("未核销款项", "Not allocated"),
    "sum": ("合计", "Balance"),
    "confirmation": ("对账回执", "Your confirmation"),
    "please": (
        "请核对上述余额，在相应处打勾并盖章后回传。如与贵公司账面不符，请注明贵公司余额及差异原因。",
        "Please compare with your books, tick one, sign and return. If your balance differs, tell it and why.",
    ),
    "agreed": ("核对无误。", "The balance agrees with our books."),
    "differs": ("核对不符。我方余额及差异说明：", "It does not agree. Our balance, and why:"),
    "seal": ("客户（盖章）：", "Signature and stamp:"),
    "name": ("经办人：", "Name:"),
    "day": ("日期：", "Date:"),
    "invoice": ("发票", "Invoice"),
    "credit_note": ("红字发票", "Credit note"),
    "receipt": ("收款", "Receipt"),
    "paid_back": ("退款", "Paid back"),
    "reversal": ("收款冲销", "Receipt reversed"),
    "owed": ("贵公司期末欠款", "You owe at the end of the period"),
    "owing": ("我公司期末预收（应退）", "We owe you at the end of the period"),
    "even": ("期末余额为零", "Nothing is owed at the end of the period"),
    "footer": ("本对账单依据业务系统单据编制", "Made from the documents of the books"),
    "page_before": ("第 ", "Page "),
    "page_between": (" 页，共 ", " of "),
    "page_after": (" 页", ""),
}


@dataclass(frozen=True)
class Paper:
    """A statement with the names that stand on it."""

    statement: Statement
    customer: str
    number: str = ""
    tax_id: str = ""
    issuer: str = ""
    issuer_lines: Sequence[str] = field(default=())
    as_of: datetime | None = None
    zone: str = "UTC"


def words(language: Language) -> dict[str, str]:
    return {name: told[0 if language == "zh" else 1] for name, told in WORDS.items()}


def grouped(number: Decimal, currency: str) -> str:
    """1,234.50: with the decimals in which the currency is paid."""
    return f"{number:,.{minor_units(currency)}f}"


def html(papers: Sequence[Paper], language: Language) -> str:
    """The pages. What comes from a system is text there, whatever it looks like."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string((Path(__file__).parent / "statement.html").read_text(encoding="utf8"))
    told = words(language)
    return page.render(t=told, zh=language == "zh", papers=[_shown(one, told, language) for one in papers])


def _shown(paper: Paper, told: Mapping[str, str], language: Language) -> dict[str, Any]:
    one = paper.statement

    def money(number: Decimal) -> str:
        return grouped(number, one.currency)

    lines = [
        {
            "day": line.entry.day,
            "kind": told[line.entry.kind],
            "number": line.entry.number,
            "remark": line.entry.remark,
            "due": line.entry.due or "",
            "debit": money(line.entry.debit) if line.entry.debit else "",
            "credit": money(line.entry.credit) if line.entry.credit else "",
            "balance": money(line.balance),
        }
        for line in one.lines
    ]
    widest = max(map(money, (one.opening, one.debit, one.credited, *(line.balance for line in one.lines))), key=len)
    return {
        "narrow": len(widest) <= _NARROW,
        "issuer": paper.issuer,
        "issuer_lines": paper.issuer_lines,
        "customer": paper.customer,
        "number": paper.number,
        "tax_id": paper.tax_id,
        "currency": one.currency,
        "as_of": _moment(paper),
        "start": one.span.start,
        "end": one.span.end,
        "opening": money(one.opening),
        "lines": lines,
        "debit": money(one.debit),
        "credited": money(one.credited),
        "closing": money(one.closing),
        "said": f"{_said(one, told)} {one.currency} {money(abs(one.closing))}",
        "words": _in_words(one, language),
        "ages": [(name, money(amount)) for name, amount in ages(one, told)],
    }


def ages(one: Statement, told: Mapping[str, str]) -> list[tuple[str, Decimal]]:
    """The closing balance by age, what is not allocated, and their sum."""
    return [
        *((told[name], one.buckets[name]) for name in BUCKETS),
        (told["unallocated"], one.credit),
        (told["sum"], one.closing),
    ]


def _said(one: Statement, told: Mapping[str, str]) -> str:
    return told["owed"] if one.closing > 0 else told["owing"] if one.closing < 0 else told["even"]


def _in_words(one: Statement, language: Language) -> str:
    spell = in_chinese if language == "zh" else in_english
    return spell(abs(one.closing), one.currency)


def _moment(paper: Paper) -> str:
    if paper.as_of is None:
        return "–"
    return f"{paper.as_of.astimezone(ZoneInfo(paper.zone)):%Y-%m-%d %H:%M} ({paper.zone})"


def excel(papers: Sequence[Paper], language: Language) -> bytes:
    """The same as a workbook: a sheet a statement."""
    told = words(language)
    names = _sheet_names(papers)
    return workbook([_sheet(one, name, told, language) for one, name in zip(papers, names, strict=True)])


def _sheet_names(papers: Sequence[Paper]) -> list[str]:
    names = [f"{one.statement.company} {one.statement.currency}".strip() for one in papers]
    return [
        re.sub(r"[\[\]:*?/\\']", " ", name)[:28] + (f" {at}" if names.count(name) > 1 else "")
        for at, name in enumerate(names, 1)
    ]


def _sheet(paper: Paper, name: str, told: Mapping[str, str], language: Language) -> Sheet:
    one = paper.statement
    places = minor_units(one.currency)
    head: list[Sequence[Cell]] = [
        [told["title"]],
        [paper.issuer],
        [told["customer"], paper.customer, told["number"], paper.number],
        [f"{one.span.start} {told['to']} {one.span.end}", "", told["currency"], one.currency],
        [told["as_of"], _moment(paper)],
        [],
    ]
    columns = [Column(told["date"], 12), Column(told["document"], 12), Column("", 20), Column(told["remark"], 30)]
    columns += [Column(told["due"], 12), *(Column(told[n], 16, places) for n in ("debit", "credit", "balance"))]
    rows: list[Sequence[Cell]] = [[one.span.start, told["opening"], "", "", "", None, None, one.opening]]
    for line in one.lines:
        entry = line.entry
        amounts = [entry.debit or None, entry.credit or None, line.balance]
        rows.append([entry.day, told[entry.kind], entry.number, entry.remark, entry.due, *amounts])
    rows.append([one.span.end, told["closing"], "", "", "", one.debit, one.credited, one.closing])
    said = f"{_said(one, told)} {one.currency} {grouped(abs(one.closing), one.currency)}"
    foot: list[Sequence[Cell]] = [[], [said], [told["words"] + _in_words(one, language)], [], [told["ageing"]]]
    foot += [[name, None, None, None, None, None, None, amount] for name, amount in ages(one, told)]
    foot += [[], [told["confirmation"]], [told["please"]], ["□ " + told["agreed"]], ["□ " + told["differs"]]]
    foot += [[], [told["seal"], "", "", told["name"], "", told["day"]]]
    return Sheet(name, columns, rows, head, foot, wide=True, bold_rows=(0, len(rows) - 1))
