"""Month end as a workbook: mismatches, order lines, totals, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from datong.base.clock import to_text
from datong.insight.month_end import Row
from datong.insight.sheets import Cell, Column, Sheet, workbook
from datong.operations.month_end import Found, Match


def book(found: Match) -> bytes:
    """The .xlsx file."""
    return workbook([_mismatches(found), _lines(found), _totals(found)])


def _head(found: Match) -> list[Sequence[Cell]]:
    company = f", {found.company}" if found.company else ""
    seen = [f"{one.connection}: {to_text(one.at) if one.at else 'never'}" for one in found.as_of]
    return [[f"Month end 月结核对 {found.result.span}{company}"], ["As of 数据截至", *seen], []]


def _mismatches(found: Match) -> Sheet:
    columns = [Column("ID", 12), Column("Mismatch 差异", 28), Column("Document 单据", 18), Column("Line 行", 6)]
    columns += [Column("Customer 客户", 28), Column("Product 产品", 24), Column("At stake 涉及金额", 16, 2)]
    columns += [Column("Currency 币种", 8), Column("Figures", 44), Column("数据", 44), Column("What to do", 50)]
    columns += [Column("处理办法", 44), Column("Accepted by 认可人", 16), Column("Because 原因", 30)]
    rows = [_mismatch(one) for one in [*found.unaccepted, *(one for one in found.found if one.accepted)]]
    return Sheet("Mismatches 差异", columns, rows, _head(found), wide=True)


def _mismatch(one: Found) -> list[Cell]:
    found, sort, signed = one.mismatch, one.mismatch.sort, one.signed
    who = signed.by if signed is not None and signed.stands else ""
    why = signed.note if signed is not None and signed.stands else ""
    told: list[Cell] = [
        found.key,
        f"{sort.title} {sort.title_zh}",
        found.number,
        found.position,
        one.account,
        one.product,
    ]
    told += [found.amount, found.currency, f"{found.en}{'; ' + found.why if found.why else ''}", found.zh]
    return [*told, sort.remedy, sort.remedy_zh, who, why]


def _lines(found: Match) -> Sheet:
    columns = [Column("Order 订单", 18), Column("Line 行", 6), Column("Customer 客户", 28), Column("Product 产品", 24)]
    columns += [Column("Ordered, CRM 订购", 12), Column("Ordered, ERP 订购", 12), Column("Shipped 已发", 10)]
    columns += [Column("Invoiced 已开票", 10), Column("Currency 币种", 8)]
    amounts = ("Ordered 订购金额", "Shipped 发货金额", "Invoiced 开票金额", "Received 已收金额")
    columns += [Column(title, 14, 2) for title in amounts]
    return Sheet("Lines 明细", columns, [_line(found, one) for one in found.result.rows], _head(found), wide=True)


def _line(found: Match, one: Row) -> list[Cell]:
    named = [found.names.get(reference or "", "") for reference in (one.account, one.product)]
    amounts: list[Decimal] = [one.ordered_amount, one.shipped_amount, one.invoiced_amount, one.received]
    return [one.number, one.position, *named, one.crm, one.erp, one.shipped, one.invoiced, one.currency, *amounts]


def _totals(found: Match) -> Sheet:
    columns = [Column("Currency 币种", 12)]
    columns += [Column(t, 18, 2) for t in ("Ordered 订购", "Shipped 发货", "Invoiced 开票", "Received 收款")]
    told = sorted(found.result.totals.items())
    rows: list[list[Cell]] = [[code, one.ordered, one.shipped, one.invoiced, one.received] for code, one in told]
    return Sheet("Totals 合计", columns, rows, _head(found))
