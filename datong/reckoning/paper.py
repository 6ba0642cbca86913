"""A canonical document as something that can be reckoned: its lines in order, each with its tax rate, or what is wrong.

Negative quantities belong on credit notes, negative prices on rebates (返利); elsewhere each is a problem of its own. A
credit note whose lines are all positive is read with its quantities turned, so that its amounts are negative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Day
from decimal import Decimal
from functools import cache

from datong.base.money import plain
from datong.canon import Contract, Invoice, Line, Order, Quote
from datong.reckoning.amounts import Item, Rules
from datong.reckoning.problem import CannotReckon, Problem
from datong.reckoning.rates import Rates, Taxes

Priced = Quote | Order | Invoice | Contract
"""The documents that have priced lines."""


@dataclass(frozen=True)
class Setting:
    """What a document is judged by beside its rules: ISO code of its currency, the company's tax codes and exchange
    rates, and the currency of the company's books (None: no rate is asked for)."""

    currency: str
    taxes: Taxes | None = None
    rates: Rates | None = None
    books: str | None = None


@dataclass(frozen=True)
class Paper:
    """The lines that can be reckoned, by key, in the order of their positions; `whole` when that is every line."""

    items: Mapping[str, Item]
    whole: bool


def in_order(document: Priced) -> list[tuple[str, Line]]:
    """The lines as they stand on the document."""
    lines: Mapping[str, Line] = document.lines
    return sorted(lines.items(), key=lambda kept: (number(kept[1].position) is None, number(kept[1].position) or 0))


def number(value: object) -> Decimal | None:
    """A finite number; a text that stands where a number should is none."""
    return value if isinstance(value, Decimal) and value.is_finite() else None


def paper(document: Priced, setting: Setting) -> Paper:
    """What can be reckoned of `document`: a line that lacks quantity, price or tax rate cannot."""
    items = {key: item for key, line in in_order(document) if (item := _item(line, document, setting)) is not None}
    if _credited(document) and all(item.quantity * item.price >= 0 for item in items.values()):
        items = {key: replace(item, quantity=-item.quantity) for key, item in items.items()}
    return Paper(items, len(items) == len(document.lines))


def _credited(document: Priced) -> bool:
    return isinstance(document, Invoice) and document.type == "credit_note"


def _item(line: Line, document: Priced, setting: Setting) -> Item | None:
    quantity, price = number(line.quantity), number(line.price)
    if quantity is None or (price is None and line.free is None):
        return None
    try:
        rate = _rate(line, document, setting)
    except CannotReckon:
        return None
    return Item(quantity, price or Decimal(0), rate, number(line.discount) or Decimal(0), line.free)


def _rate(line: Line, document: Priced, setting: Setting) -> Decimal | None:
    """In per cent; None is not taxed. The code says whether a line is taxed, and the rate where the line does not."""
    told = number(line.tax_rate)
    if setting.taxes is not None and line.tax_code is not None:
        dated = setting.taxes.on(line.tax_code, _day(document))
        return None if dated.treatment != "taxed" else dated.rate if told is None else told
    if told is None:
        raise CannotReckon(_PROBLEMS["NO_TAX_RATE"])
    return told


def _day(document: Priced) -> Day:
    """A draft without a date is judged by what holds last."""
    return document.date if isinstance(document.date, Day) else Day.max


def problems(
    document: Priced,
    rules: Rules,
    currency: str,
    *,
    taxes: Taxes | None = None,
    rates: Rates | None = None,
    books: str | None = None,
) -> list[Problem]:
    """What must be mended before `document` can be written, each with its remedy; the document's first, then by line.

    Codes: UNKNOWN_CURRENCY, NO_RATE, NOT_A_NUMBER, NEGATIVE_QUANTITY, NEGATIVE_PRICE, DISCOUNT_OUT_OF_RANGE,
    NO_TAX_RATE, UNKNOWN_TAX_CODE, TAX_RATE_DIFFERS, FREE_WITHOUT_WORTH. A missing amount is none of them: it is for the
    target to compute.
    """
    setting = Setting(currency, taxes, rates, books)
    found = list(_of_document(document, setting))
    for key, line in in_order(document):
        found += [named(one, key, line) for one in _of_line(document, line, rules, setting)]
    return found


def named(problem: Problem, key: str, line: Line) -> Problem:
    """The same problem, of a line that a person can find."""
    en, zh = where(key, line)
    return replace(problem, line=key, en=f"{en}: {problem.en}", zh=f"{zh}：{problem.zh}")


def where(key: str, line: Line) -> tuple[str, str]:
    """How people call a line: by its position and what is on it."""
    position = number(line.position)
    called = key if position is None else plain(position)
    text = line.text or ""
    return f"line {called}" + (f" ({text})" if text else ""), f"第 {called} 行" + (f"（{text}）" if text else "")


def _of_document(document: Priced, setting: Setting) -> Iterator[Problem]:
    if not is_currency(setting.currency):
        yield replace(
            _PROBLEMS["UNKNOWN_CURRENCY"],
            en=f"{setting.currency or 'no currency'!r} is not a currency of ISO 4217",
            zh=f"“{setting.currency}” 不是 ISO 4217 币种代码",
        )
    elif setting.books and setting.books != setting.currency and not number(document.rate):
        try:
            (setting.rates or Rates([])).find(setting.currency, setting.books, _day(document))
        except CannotReckon as missing:
            yield missing.problem
    for name in ("net", "tax", "total"):
        if getattr(document, name) is not None and number(getattr(document, name)) is None:
            yield _not_a_number(name, getattr(document, name))


def _of_line(document: Priced, line: Line, rules: Rules, setting: Setting) -> Iterator[Problem]:
    numbers = ("quantity", "price", "discount", "tax_rate", "net", "tax", "total")
    wrong = [name for name in numbers if getattr(line, name) is not None and number(getattr(line, name)) is None]
    yield from (_not_a_number(name, getattr(line, name)) for name in wrong)
    credited = _credited(document)
    quantity, price, discount = number(line.quantity), number(line.price), number(line.discount)
    if quantity is not None and quantity < 0 and not credited:
        yield _PROBLEMS["NEGATIVE_QUANTITY"]
    if price is not None and price < 0 and line.free != "rebate" and not credited:
        yield _PROBLEMS["NEGATIVE_PRICE"]
    if discount is not None and not 0 <= discount <= 100:
        yield _PROBLEMS["DISCOUNT_OUT_OF_RANGE"]
    if line.free is not None and rules.free_goods != "untaxed" and not price:
        yield _PROBLEMS["FREE_WITHOUT_WORTH"]
    yield from _of_tax(document, line, setting)


def _of_tax(document: Priced, line: Line, setting: Setting) -> Iterator[Problem]:
    try:
        _rate(line, document, setting)
    except CannotReckon as unknown:
        yield unknown.problem
        return
    told = number(line.tax_rate)
    if told is None or setting.taxes is None or line.tax_code is None:
        return
    dated = setting.taxes.on(line.tax_code, _day(document))
    if (dated.rate or Decimal(0)) != told:
        meant = {"exempt": ("exempt", "免税"), "not_taxable": ("not taxable", "不征税")}
        rate = plain(dated.rate or Decimal(0)) + " %"
        en, zh = meant.get(dated.treatment, (rate, rate))
        yield replace(
            _PROBLEMS["TAX_RATE_DIFFERS"],
            en=f"the tax rate is {plain(told)} %, but its tax code is {en} on the document's date",
            zh=f"税率为 {plain(told)} %，而税码在单据日期为 {zh}",
        )


def _not_a_number(name: str, value: object) -> Problem:
    return replace(
        _PROBLEMS["NOT_A_NUMBER"],
        en=f"{name} is not a number: {str(value)[:40]!r}",
        zh=f"{name} 不是数字：{str(value)[:40]}",
    )


_CODE = re.compile(r"[A-Z]{3}")


@cache
def is_currency(code: str) -> bool:
    """Whether ISO 4217 has this code."""
    if not _CODE.fullmatch(code):
        return False
    import pycountry

    return pycountry.currencies.get(alpha_3=code) is not None


def _table(rows: Sequence[Problem]) -> dict[str, Problem]:
    return {row.code: row for row in rows}


_PROBLEMS = _table(
    [
        Problem(
            "UNKNOWN_CURRENCY",
            "the currency is not known",
            "币种未知",
            "choose the document's currency, or tie it to one of the ERP's",
            "请选择单据币种，或将其与 ERP 币种对应",
        ),
        Problem("NOT_A_NUMBER", "this is not a number", "不是数字", "enter a number there", "请在该处填写数字"),
        Problem(
            "NEGATIVE_QUANTITY",
            "the quantity is negative",
            "数量为负",
            "enter what is sold; goods that come back belong on a return or a credit note",
            "请填写销售数量；退回的货物请开退货单或红字发票",
        ),
        Problem(
            "NEGATIVE_PRICE",
            "the price is negative",
            "单价为负",
            "mark the line as a rebate (返利), or give the discount on the line that it belongs to",
            "请将该行标记为返利，或把折扣填在对应的明细行上",
        ),
        Problem(
            "DISCOUNT_OUT_OF_RANGE",
            "the discount is not between 0 and 100 %",
            "折扣率不在 0 到 100 % 之间",
            "enter the discount in per cent of the unit price",
            "请按单价的百分比填写折扣率",
        ),
        Problem(
            "NO_TAX_RATE",
            "there is neither a tax rate nor a tax code that gives one",
            "既没有税率，也没有可确定税率的税码",
            "choose a tax code on the line; goods that are not taxed have a code too (免税, 不征税)",
            "请在明细行上选择税码；免税、不征税也有相应的税码",
        ),
        Problem(
            "TAX_RATE_DIFFERS",
            "tax rate and tax code do not agree",
            "税率与税码不一致",
            "correct the one that is wrong",
            "请更正其中有误的一项",
        ),
        Problem(
            "FREE_WITHOUT_WORTH",
            "goods given away are taxed here, but the line does not say what they are worth",
            "此处赠品需计税，但该行没有单价，无法确定价值",
            "enter the usual unit price; the customer still pays nothing for it",
            "请填写正常单价；客户仍无需为该行付款",
        ),
    ]
)
