"""The money guard: does what a document tells agree with what its lines amount to, and if not, by which rule.

`problems` comes first: what it names cannot be reckoned at all. `check` compares amounts that are told; a missing one
is for the target to compute. For each difference the guard reckons the document again by other rules; the first that
gives the told amount is named as the cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from datong.base.money import minor_units, plain
from datong.canon import Line
from datong.reckoning.amounts import Amounts, Discount, Item, Reckoned, Rules, reckon
from datong.reckoning.exact import exact, summed, units
from datong.reckoning.paper import Paper, Priced, Setting, in_order, is_currency, number, paper, where
from datong.reckoning.rates import Taxes

AmountField = Literal["net", "tax", "total"]
_FIELDS: tuple[AmountField, ...] = ("net", "tax", "total")
_NAMES = {
    "net": ("the net amount", "未税金额"),
    "tax": ("the tax", "税额"),
    "total": ("the amount with tax", "价税合计"),
}


@dataclass(frozen=True)
class Difference:
    """An amount that is not what it should be. `line` is the key of a line, None for the document; `difference` is told
    less computed; `rule` names the cause (docs/concepts/money.md lists them)."""

    line: str | None
    field: AmountField
    told: Decimal
    computed: Decimal
    difference: Decimal
    rule: str
    en: str
    zh: str

    def __str__(self) -> str:
        return self.en


@dataclass(frozen=True)
class Outcome:
    """A document reckoned: the lines by key, and the whole."""

    lines: Mapping[str, Amounts]
    whole: Reckoned

    def amount(self, line: str | None, field: AmountField) -> Decimal | None:
        amounts = self.whole.document if line is None else self.lines.get(line)
        return None if amounts is None else getattr(amounts, field)


def outcome(
    document: Priced, rules: Rules, currency: str, *, taxes: Taxes | None = None, discount: Discount | None = None
) -> Outcome | None:
    """What `document` amounts to, whatever it tells. None when a line lacks quantity, price or tax rate, or when the
    currency is none: `problems` says which."""
    sheet = paper(document, Setting(currency, taxes))
    return _outcome(document, sheet, rules, currency, discount) if sheet.whole and is_currency(currency) else None


def check(
    document: Priced, rules: Rules, currency: str, *, taxes: Taxes | None = None, discount: Discount | None = None
) -> list[Difference]:
    """The told amounts that are off by more than the tolerance, lines in order, then the document.

    Where a line cannot be reckoned, the others are still compared when they stand for themselves (tax by line, no
    discount on the document), the document is not.
    """
    sheet = paper(document, Setting(currency, taxes))
    alone = rules.tax == "line" and discount is None
    if not is_currency(currency) or not sheet.items or not (sheet.whole or alone):
        return []
    right = _outcome(document, sheet, rules, currency, discount)
    case = _Case(document, sheet, rules, currency, discount, right)
    lines = [one for key, line in in_order(document) if key in sheet.items for one in case.of_line(key, line)]
    return lines + (list(case.of_document(bool(lines))) if sheet.whole else [])


def _outcome(document: Priced, sheet: Paper, rules: Rules, currency: str, discount: Discount | None) -> Outcome:
    whole = reckon(list(sheet.items.values()), rules, currency, tax_included=document.tax_included, discount=discount)
    return Outcome(dict(zip(sheet.items, whole.lines, strict=True)), whole)


@dataclass(frozen=True)
class _Case:
    document: Priced
    sheet: Paper
    rules: Rules
    currency: str
    discount: Discount | None
    right: Outcome

    def of_line(self, key: str, line: Line) -> Iterator[Difference]:
        en, zh = where(key, line)
        how = self._how(self.sheet.items[key])
        for field in _FIELDS:
            found = self._difference(key, field, number(getattr(line, field)), self.rules.line_tolerance)
            if found is not None:
                rule, because = self._cause(key, field, found[0]) or ("amounts", _AMOUNTS)
                yield self._told(key, field, found, rule, (en[0].upper() + en[1:], zh), how, because)

    def of_document(self, lines_differ: bool) -> Iterator[Difference]:
        count = len(self.sheet.items)
        how = f"the {count} lines make up", f"{count} 行合计"
        for field in _FIELDS:
            told = number(getattr(self.document, field))
            found = self._difference(None, field, told, self.rules.document_tolerance)
            if found is None:
                continue
            cause = ("lines", _LINES) if lines_differ and self._of_told_lines(field) == found[0] else None
            rule, because = cause or self._cause(None, field, found[0]) or ("sum", _SUM)
            yield self._told(None, field, found, rule, ("The document", "单据"), how, because)

    def _difference(
        self, line: str | None, field: AmountField, told: Decimal | None, tolerance: int
    ) -> tuple[Decimal, Decimal, Decimal] | None:
        computed = self.right.amount(line, field)
        if told is None or computed is None:
            return None
        off = Fraction(told) - Fraction(computed)
        if abs(off) * 10 ** minor_units(self.currency) <= tolerance:
            return None
        return told, computed, exact(off)

    def _of_told_lines(self, field: AmountField) -> Decimal | None:
        told = [number(getattr(line, field)) for _, line in in_order(self.document)]
        return None if None in told else summed(one for one in told if one is not None)

    def _cause(self, line: str | None, field: AmountField, told: Decimal) -> tuple[str, tuple[str, str]] | None:
        places = minor_units(self.currency)
        if Fraction(told) != Fraction(units(Fraction(told), places), 10**places):
            smallest = plain(Decimal(1).scaleb(-places))
            en = f"{self.currency} is not paid in less than {smallest}"
            return "minor_units", (en, f"{self.currency} 最小单位为 {smallest}")
        for code, because, sheet, rules, included, discount in self._otherwise():
            paid = self.document.model_copy(update={"tax_included": included})
            if _outcome(paid, sheet, rules, self.currency, discount).amount(line, field) == told:
                return code, because
        return None

    def _otherwise(self) -> Iterator[tuple[str, tuple[str, str], Paper, Rules, bool, Discount | None]]:
        """The same document by other rules, the likeliest misunderstanding first."""
        sheet, rules, discount = self.sheet, self.rules, self.discount
        told = self.document.tax_included
        included = rules.tax_included if told is None else told
        yield "tax_included", _INCLUDED[included], sheet, rules, not included, discount
        if discount is not None or any(item.discount for item in sheet.items.values()):
            plainly = replace(
                sheet, items={key: replace(item, discount=Decimal(0)) for key, item in sheet.items.items()}
            )
            yield "no_discount", _NO_DISCOUNT, plainly, rules, included, None
        if any(item.free for item in sheet.items.values()):
            paid = replace(sheet, items={key: replace(item, free=None) for key, item in sheet.items.items()})
            yield "not_free", _NOT_FREE, paid, rules, included, discount
        for code, because, other in _other_rules(rules):
            yield code, because, sheet, other, included, discount

    def _how(self, item: Item) -> tuple[str, str]:
        if item.given:
            return f"free of charge ({item.free}) makes", f"免费（{item.free}）应为"
        price = f"{plain(abs(item.quantity))} × {plain(item.price)}"
        told = self.document.tax_included
        en = zh = price
        if item.discount:
            en, zh = f"{en} less {plain(item.discount)} %", f"{zh}，折扣 {plain(item.discount)} %"
        rate = None if item.rate is None else plain(item.rate)
        if rate is None:
            en, zh = f"{en}, not taxed,", f"{zh}，不计税"
        elif self.rules.tax_included if told is None else told:
            en, zh = f"{en} with {rate} % tax inside", f"{zh}（含税 {rate} %）"
        else:
            en, zh = f"{en} and {rate} % tax on top", f"{zh}（未税，税率 {rate} %）"
        return f"{en} makes", f"{zh}，应为"

    def _told(
        self,
        line: str | None,
        field: AmountField,
        found: tuple[Decimal, Decimal, Decimal],
        rule: str,
        place: tuple[str, str],
        how: tuple[str, str],
        because: tuple[str, str],
    ) -> Difference:
        told, computed, off = found
        more = off > 0
        size, money = plain(abs(off)), f"{plain(told)} {self.currency}"
        en = (
            f"{place[0]}: {_NAMES[field][0]} is {money}, but {how[0]} {plain(computed)}: "
            f"{size} too {'much' if more else 'little'}. {because[0][0].upper()}{because[0][1:]}."
        )
        zh = (
            f"{place[1]}：{_NAMES[field][1]}为 {money}，{how[1]} {plain(computed)}，"
            f"{'多' if more else '少'} {size}。{because[1]}。"
        )
        return Difference(line, field, told, computed, off, rule, en, zh)


def _other_rules(rules: Rules) -> Iterator[tuple[str, tuple[str, str], Rules]]:
    yield "tax", _TAX[rules.tax], replace(rules, tax="document" if rules.tax == "line" else "line")
    yield (
        "discount",
        _DISCOUNT[rules.discount],
        replace(rules, discount="after" if rules.discount == "before" else "before"),
    )
    yield (
        "discounted",
        _DISCOUNTED[rules.discounted],
        replace(rules, discounted="price" if rules.discounted == "amount" else "amount"),
    )
    for rounding in ("half_up", "half_even", "down"):
        yield "rounding", _ROUNDING[rules.rounding], replace(rules, rounding=rounding)
    for odd_cent in ("last", "largest", "spread", "own", "none"):
        yield "odd_cent", _ODD_CENT, replace(rules, odd_cent=odd_cent)
    for free_goods in ("untaxed", "owed", "charged"):
        yield "free_goods", _FREE_GOODS, replace(rules, free_goods=free_goods)
    yield (
        "price_places",
        (
            f"prices are kept with {rules.price_places} decimals, this one has more",
            f"单价按 {rules.price_places} 位小数保存，此处小数位更多",
        ),
        replace(rules, price_places=100),
    )


_AMOUNTS = "no rule explains it: check quantity, price and discount", "没有规则可以解释：请核对数量、单价与折扣"
_LINES = "it follows from the lines above", "由上述明细行造成"
_SUM = "no rule explains it: the document is not the sum of its lines", "没有规则可以解释：单据合计与明细行不符"
_NO_DISCOUNT = "it fits when the discount is left out", "不计折扣时相符"
_NOT_FREE = "it fits when goods given away are charged for", "赠品按收费计算时相符"
_ODD_CENT = "the odd cent (尾差) stands on another line", "尾差放在了其他行"
_FREE_GOODS = "the tax on goods given away is treated otherwise here", "此处赠品的税额处理方式不同"
_INCLUDED = {
    True: ("it fits when prices are without tax (未税), here they include it", "单价按未税计算时相符，而此处单价含税"),
    False: ("it fits when prices include tax (含税), here they do not", "单价按含税计算时相符，而此处单价未税"),
}
_TAX = {
    "line": ("tax is rounded on each line here, not on the document", "此处按行计税并取整，而非按整单"),
    "document": ("tax is rounded on the whole document here, not on each line", "此处按整单计税并取整，而非按行"),
}
_DISCOUNT = {
    "before": ("the discount lowers what is taxed here, it does not come after tax", "此处折扣在计税之前，而非税后"),
    "after": ("the discount is taken off after tax here, the tax stays", "此处折扣在计税之后扣除，税额不变"),
}
_DISCOUNTED = {
    "amount": ("the discount is taken off the amount here, not off the unit price", "此处折扣按金额计算，而非先折单价"),
    "price": ("the discounted unit price is rounded first here", "此处先对折后单价取整"),
}
_ROUNDING = {
    "half_up": ("amounts are rounded half up here (四舍五入)", "此处金额四舍五入"),
    "half_even": ("amounts are rounded half to even here (四舍六入五成双)", "此处金额四舍六入五成双"),
    "down": ("amounts are cut off here, not rounded", "此处金额直接舍去尾数"),
}
