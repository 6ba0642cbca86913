"""Facts of Chinese e-invoices (数电票, 全面数字化的电子发票): are they complete and possible.

What was looked up (2026-11-22, in public documentation of providers of invoicing services; the tax administration's
own pages were not at hand):

- An e-invoice has a number of 20 digits and no invoice code; digits 1-2 are the year, 3-4 the region (cities with plans
  of their own have codes of their own), then the channel and a serial number. Provider "企享云", page 数电票号码规则
  (apifox.com doc-4135415); "云税平台" (showdoc.com.cn/2284933012546758): 蓝字发票数电号码, 20 位数字. Odoo dropped its
  limit of 8 digits for the same reason (github.com/odoo/odoo pull requests 228681, 2025-09, and 269438, 2026-06).
  The paper form of an e-invoice also has a code of 12 and a number of 8 digits; the 20 digits are its e-number.
- Kinds: special (增值税专用发票, 81) and ordinary (普通发票, 82) beside trades' own ones (showdoc.com.cn/jumdata,
  发票归集-发票类型). An individual buyer may have no tax id (云税平台, 数电扫码开票); tax ids have at most 26
  characters (乐企直连, apifox.com 290297100e0).
- A red invoice (红字发票) needs a confirmation (红字发票信息确认单), whose number has at most 20 characters (same
  page). It is void when the other side does not confirm within 72 hours (云税平台, 红字确认单处理). Reasons: invoice
  wrong, goods returned, service ended, allowance.
- Tax category codes (税收分类编码) are digits; 19 of them in the forms and examples found (1090131050000000000). That
  19 is the only length in use is known to tax practice, but no official text was at hand.

Not verified, so not checked: check digits of number and codes, the table of regions, which kinds of goods need which
code, and limits on the time in which a red invoice may follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from datong.base.money import plain
from datong.canon import Invoice
from datong.reckoning.exact import summed
from datong.reckoning.paper import number
from datong.reckoning.problem import Problem

_FACTS = ("fapiao_number", "fapiao_kind", "buyer_name", "buyer_tax_id", "tax_category", "red_letter", "document_url")
_FIRST_YEAR = 2021  # the pilot of the e-invoice began in December 2021
_TAX_ID = re.compile(r"[0-9A-Z]{15}|[0-9A-Z]{18}|[0-9A-Z]{20}")


def check_facts(invoice: Invoice) -> list[Problem]:
    """What is wrong with the e-invoice facts of an invoice or credit note; nothing if it has none.

    Codes: FAPIAO_NUMBER, FAPIAO_YEAR, FAPIAO_KIND, FAPIAO_BUYER, FAPIAO_BUYER_TAX_ID, FAPIAO_SELLER,
    FAPIAO_SELLER_TAX_ID, TAX_CATEGORY, RED_LETTER_MISSING, RED_LETTER_FORM, RED_LETTER_ON_INVOICE, RED_WITHOUT_BLUE,
    FAPIAO_SIGN, FAPIAO_FILE.
    """
    if not any(getattr(invoice, name) for name in _FACTS):
        return []
    return [*_number(invoice), *_parties(invoice), *_red(invoice), *_others(invoice)]


def check_red(note: Invoice, original: Invoice, earlier: Iterable[Invoice] = ()) -> list[Problem]:
    """Whether a credit note can reverse `original`, of which `earlier` notes have reversed a part: RED_OF_RED,
    RED_OTHER_BUYER, RED_BEFORE_BLUE, RED_EXCEEDS_BLUE."""
    return list(_against(note, original, earlier))


def file_kind(url: str) -> str | None:
    """`ofd`, `pdf` or `xml` by the address of a file; None where the address does not tell. Only the XML is the
    invoice's data, OFD and PDF are its picture."""
    suffix = urlsplit(url).path.rpartition(".")[2].lower()
    return suffix if suffix in ("ofd", "pdf", "xml") else None


def _problem(code: str, en: str, zh: str) -> Problem:
    remedy, remedy_zh = _REMEDIES[code]
    return Problem(code, en, zh, remedy, remedy_zh)


def _number(invoice: Invoice) -> Iterator[Problem]:
    told = invoice.fapiao_number
    if not told:
        return
    if not re.fullmatch("[0-9]{20}", told):
        yield _problem("FAPIAO_NUMBER", f"{told!r} is not a number of 20 digits", f"“{told}”不是 20 位数字的数电票号码")
        return
    year = 2000 + int(told[:2])
    if year < _FIRST_YEAR or (invoice.date is not None and abs(year - invoice.date.year) > 1):
        en, zh = f"the number {told} is of {year}, the invoice is not", f"号码 {told} 的年度为 {year}，与开票日期不符"
        yield _problem("FAPIAO_YEAR", en, zh)
    if invoice.fapiao_kind is None:
        yield _problem(
            "FAPIAO_KIND", "it is not said whether it is special or ordinary", "未说明是专用发票还是普通发票"
        )


def _parties(invoice: Invoice) -> Iterator[Problem]:
    issued = bool(invoice.fapiao_number)
    if issued and not invoice.buyer_name:
        yield _problem("FAPIAO_BUYER", "the buyer's name is missing", "缺少购买方名称")
    if invoice.fapiao_kind == "special" and not invoice.buyer_tax_id:
        yield _problem("FAPIAO_BUYER_TAX_ID", "a special invoice needs the buyer's tax id", "专用发票须有购买方税号")
    if issued and not (invoice.seller_name and invoice.seller_tax_id):
        yield _problem("FAPIAO_SELLER", "the seller's name or tax id is missing", "缺少销售方名称或税号")
    private = invoice.fapiao_kind == "ordinary"
    for code, told, whose in (
        ("FAPIAO_BUYER_TAX_ID", invoice.buyer_tax_id, ("buyer", "购买方")),
        ("FAPIAO_SELLER_TAX_ID", invoice.seller_tax_id, ("seller", "销售方")),
    ):
        if told and not _possible(told, private and whose[0] == "buyer"):
            yield _problem(code, f"the {whose[0]}'s tax id {told!r} is not right", f"{whose[1]}税号“{told}”有误")


def _possible(tax_id: str, private: bool) -> bool:
    """A unified social credit code by its check digit, an older number by its form, a private buyer's by any of the
    identity papers."""
    from stdnum.cn import ric, uscc

    if private:
        return 0 < len(tax_id) <= 26
    if len(tax_id) == 18:
        return bool(uscc.is_valid(tax_id)) or bool(ric.is_valid(tax_id))
    return _TAX_ID.fullmatch(tax_id) is not None


def _red(invoice: Invoice) -> Iterator[Problem]:
    credit = invoice.type == "credit_note"
    if credit and invoice.fapiao_number:
        if not invoice.reverses:
            yield _problem(
                "RED_WITHOUT_BLUE", "a red invoice names no invoice that it reverses", "红字发票未注明对应的蓝字发票"
            )
        if not invoice.red_letter:
            yield _problem(
                "RED_LETTER_MISSING", "a red invoice has no confirmation number", "红字发票缺少红字确认单编号"
            )
    if invoice.red_letter and not re.fullmatch("[0-9A-Za-z]{1,20}", invoice.red_letter):
        told = invoice.red_letter
        yield _problem("RED_LETTER_FORM", f"{told!r} is no confirmation number", f"“{told}”不是红字确认单编号")
    if invoice.red_letter and not credit:
        yield _problem(
            "RED_LETTER_ON_INVOICE",
            "an invoice that is no credit note has a red-letter number",
            "蓝字发票带有红字确认单编号",
        )
    total = number(invoice.total)
    if total and (total < 0) != credit:
        en = f"a {'credit note' if credit else 'invoice'} of {plain(total)}"
        yield _problem("FAPIAO_SIGN", en, f"{'红字' if credit else '蓝字'}发票金额为 {plain(total)}")


def _others(invoice: Invoice) -> Iterator[Problem]:
    code, url = invoice.tax_category, invoice.document_url
    if code and not re.fullmatch("[0-9]{19}", code):
        yield _problem(
            "TAX_CATEGORY", f"{code!r} is not a tax category code of 19 digits", f"“{code}”不是 19 位税收分类编码"
        )
    if url and (urlsplit(url).scheme not in ("https", "http") or not urlsplit(url).netloc):
        yield _problem("FAPIAO_FILE", f"{url!r} is no address of a file", f"“{url}”不是版式文件地址")


def _against(note: Invoice, original: Invoice, earlier: Iterable[Invoice]) -> Iterator[Problem]:
    if original.type == "credit_note":
        yield _problem("RED_OF_RED", "a credit note cannot be reversed by a credit note", "红字发票不能再冲红")
    same_id = note.buyer_tax_id == original.buyer_tax_id or not (note.buyer_tax_id and original.buyer_tax_id)
    if note.account != original.account or not same_id:
        yield _problem(
            "RED_OTHER_BUYER", "credit note and invoice have different buyers", "红字发票与蓝字发票的购买方不同"
        )
    if note.date and original.date and note.date < original.date:
        yield _problem(
            "RED_BEFORE_BLUE",
            f"the credit note is of {note.date}, the invoice of {original.date}",
            "红字发票日期早于蓝字发票",
        )
    gone = [abs(total) for one in (*earlier, note) if (total := number(one.total)) is not None]
    whole = number(original.total)
    if whole is not None and (reversed_in_all := summed(gone)) > whole:
        en = f"{plain(reversed_in_all)} would be reversed of an invoice of {plain(whole)}"
        yield _problem("RED_EXCEEDS_BLUE", en, f"累计冲红 {plain(reversed_in_all)}，超过蓝字发票金额 {plain(whole)}")


_CORRECT = ("correct it in the ERP, or read the invoice again", "请在 ERP 中更正，或重新获取发票信息")
_CONFIRM = (
    "apply for the red-letter confirmation (红字发票信息确认单) and enter its number",
    "请申请红字发票信息确认单并填写其编号",
)
_REMEDIES = {
    "FAPIAO_NUMBER": _CORRECT,
    "FAPIAO_YEAR": _CORRECT,
    "FAPIAO_KIND": ("say whether it is special (专票) or ordinary (普票)", "请选择专用发票或普通发票"),
    "FAPIAO_BUYER": ("enter the invoice title of the customer", "请维护客户开票抬头"),
    "FAPIAO_BUYER_TAX_ID": (
        "enter the tax id of the customer, or make it an ordinary invoice",
        "请维护客户税号，或改开普通发票",
    ),
    "FAPIAO_SELLER": ("enter name and tax id of our company", "请维护本公司名称与税号"),
    "FAPIAO_SELLER_TAX_ID": ("correct the tax id of our company", "请更正本公司税号"),
    "TAX_CATEGORY": ("enter the code of 19 digits on the product", "请在产品上维护 19 位税收分类编码"),
    "RED_LETTER_MISSING": _CONFIRM,
    "RED_LETTER_FORM": _CONFIRM,
    "RED_LETTER_ON_INVOICE": ("remove it, or make the document a credit note", "请删除该编号，或将单据改为红字发票"),
    "RED_WITHOUT_BLUE": ("name the invoice that is reversed", "请注明被冲红的蓝字发票"),
    "FAPIAO_SIGN": ("turn the sign, or change the type of the document", "请更正金额正负号或单据类型"),
    "FAPIAO_FILE": _CORRECT,
    "RED_OF_RED": ("issue a new invoice instead", "请重新开具蓝字发票"),
    "RED_OTHER_BUYER": ("reverse an invoice of the same buyer", "请选择同一购买方的蓝字发票"),
    "RED_BEFORE_BLUE": ("correct the date", "请更正日期"),
    "RED_EXCEEDS_BLUE": ("lower the credit note", "请调低红字发票金额"),
}
