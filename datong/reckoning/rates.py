"""Rates that change with time: of tax, and between currencies. A rate is always asked for a day.

The Chinese rates (`CHINA`) and their days, from the announcements of the Ministry of Finance and the tax
administration: 17 and 11 % became 16 and 10 % on 2018-05-01 (财税〔2018〕32号), these 13 and 9 % on 2019-04-01 (公告
2019年第39号); small-scale taxpayers pay 3 %, or 1 % instead from 2020-03-01 to 2022-03-31 (公告2020年第13号 and what
prolonged it) and from 2023-01-01 to 2027-12-31 (公告2023年第1号、第19号). They are given from knowledge of these
announcements; the announcements themselves were not at hand when this was written (2026-11-22). A company's own table
(`Taxes.of`) goes before them in every case.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Day
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from datong.base.money import Money, minor_units, plain
from datong.canon import ExchangeRate, TaxCode
from datong.reckoning.exact import Rounding, rounded
from datong.reckoning.problem import CannotReckon, Problem

Treatment = Literal["taxed", "exempt", "not_taxable"]
"""Taxed (应税, also at 0 %, 零税率), exempt (免税), or no matter of this tax (不征税). Only a taxed line has a rate."""

_DIGITS = 12


@dataclass(frozen=True)
class TaxRate:
    """What a tax code means for a time; both days are included, None is open."""

    code: str
    rate: Decimal | None
    treatment: Treatment = "taxed"
    valid_from: Day | None = None
    valid_to: Day | None = None

    def holds(self, day: Day) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class Taxes:
    """A company's tax codes. Where several rates of a code hold on a day, the one that began last does."""

    def __init__(self, rates: Iterable[TaxRate]) -> None:
        self._by_code: dict[str, list[TaxRate]] = {}
        for one in sorted(rates, key=lambda rate: rate.valid_from or Day.min):
            self._by_code.setdefault(one.code, []).append(one)

    @classmethod
    def of(cls, codes: Mapping[str, TaxCode], treatments: Mapping[str, Treatment] | None = None) -> Taxes:
        """From records by their reference (`tax_code:1`). A code without a rate is exempt, unless `treatments` (by
        reference or by the record's code) says otherwise."""
        told = treatments or {}
        return cls(
            TaxRate(
                reference,
                one.rate,
                told.get(reference) or told.get(one.code or "") or ("exempt" if one.rate is None else "taxed"),
                one.valid_from,
            )
            for reference, one in codes.items()
        )

    def __contains__(self, code: str) -> bool:
        return code in self._by_code

    def on(self, code: str, day: Day) -> TaxRate:
        """What `code` means on `day`. Raises CannotReckon: UNKNOWN_TAX_CODE, NO_TAX_RATE."""
        known = self._by_code.get(code)
        if known is None:
            raise CannotReckon(
                Problem(
                    "UNKNOWN_TAX_CODE",
                    f"tax code {code} is not known",
                    f"税码 {code} 不存在",
                    "tie the code to one of the ERP's, or correct it on the line",
                    "请将该税码与 ERP 税码对应，或在明细行上更正",
                )
            )
        holding = [one for one in known if one.holds(day)]
        if not holding:
            raise CannotReckon(
                Problem(
                    "NO_TAX_RATE",
                    f"tax code {code} has no rate on {day}",
                    f"税码 {code} 在 {day} 没有有效税率",
                    "enter a rate that is valid on that day, or use another code",
                    "请维护当日有效的税率，或改用其他税码",
                )
            )
        return holding[-1]


def _china() -> Taxes:
    dated = [
        ("13", "17", None, Day(2018, 4, 30)),
        ("13", "16", Day(2018, 5, 1), Day(2019, 3, 31)),
        ("13", "13", Day(2019, 4, 1), None),
        ("9", "11", None, Day(2018, 4, 30)),
        ("9", "10", Day(2018, 5, 1), Day(2019, 3, 31)),
        ("9", "9", Day(2019, 4, 1), None),
        ("6", "6", None, None),
        ("3", "3", None, None),
        ("1", "1", Day(2020, 3, 1), Day(2022, 3, 31)),
        ("1", "1", Day(2023, 1, 1), Day(2027, 12, 31)),
        ("0", "0", None, None),
    ]
    taxed = [TaxRate(f"CN{code}", Decimal(rate), "taxed", start, end) for code, rate, start, end in dated]
    return Taxes([*taxed, TaxRate("CN-exempt", None, "exempt"), TaxRate("CN-outside", None, "not_taxable")])


CHINA = _china()
"""`CN13` (which was 17 and 16 %), `CN9`, `CN6`, `CN3`, `CN1`, `CN0`, `CN-exempt` (免税), `CN-outside` (不征税)."""


@dataclass(frozen=True)
class Used:
    """The rate that was used and the day it is of: both are kept on the document. `through` is the currency between."""

    rate: Decimal
    day: Day
    through: str | None = None


@dataclass(frozen=True)
class Exchange:
    """From `day` on, one of `source` is `rate` of `target` (ISO 4217 codes)."""

    source: str
    target: str
    day: Day
    rate: Decimal


class Rates:
    """Exchange rates by day: the latest one not after the day asked for.

    `inverse` lets a rate be used upside down, `through` names a currency by which two others may be tied; neither is
    done unasked. A rate so made is kept with `_DIGITS` digits, and is then the rate: amounts come from what is kept.
    """

    def __init__(self, rates: Iterable[Exchange], *, through: str | None = None, inverse: bool = False) -> None:
        self._through = through
        self._inverse = inverse
        self._by_pair: dict[tuple[str, str], list[Exchange]] = {}
        for one in sorted(rates, key=lambda rate: rate.day):
            if one.rate <= 0:
                raise ValueError(f"an exchange rate is more than nothing: {one}")
            self._by_pair.setdefault((one.source, one.target), []).append(one)

    @classmethod
    def of(
        cls,
        records: Iterable[ExchangeRate],
        codes: Mapping[str, str],
        *,
        through: str | None = None,
        inverse: bool = False,
    ) -> Rates:
        """From records; `codes` gives the ISO code of each currency's reference. Incomplete records are left out."""
        rates = [
            Exchange(codes[source], codes[target], one.date, one.rate)
            for one in records
            if (source := one.currency or "") in codes and (target := one.to or "") in codes and one.date and one.rate
        ]
        return cls(rates, through=through, inverse=inverse)

    def find(self, source: str, target: str, day: Day) -> Used:
        """What one of `source` is in `target` on `day`. Raises CannotReckon (NO_RATE) naming pair and day."""
        if source == target:
            return Used(Decimal(1), day)
        found = self._pair(source, target, day) or self._tied(source, target, day)
        if found is None:
            raise CannotReckon(
                Problem(
                    "NO_RATE",
                    f"no exchange rate from {source} to {target} on {day} or before",
                    f"没有 {day} 或之前 {source} 兑 {target} 的汇率",
                    f"enter the rate {source}/{target} in the ERP, or load a dated file that has it",
                    f"请在 ERP 中维护 {source}/{target} 汇率，或导入含该日期的汇率文件",
                )
            )
        return found

    def _pair(self, source: str, target: str, day: Day) -> Used | None:
        straight = _latest(self._by_pair.get((source, target), ()), day)
        turned = _latest(self._by_pair.get((target, source), ()), day) if self._inverse else None
        if straight and (turned is None or turned.day <= straight.day):
            return Used(straight.rate, straight.day)
        return Used(_made(1 / Fraction(turned.rate)), turned.day) if turned else None

    def _tied(self, source: str, target: str, day: Day) -> Used | None:
        """Over the currency between; the day is the older one of the two."""
        if self._through is None or self._through in (source, target):
            return None
        first, second = self._pair(source, self._through, day), self._pair(self._through, target, day)
        if first is None or second is None:
            return None
        rate = _made(Fraction(first.rate) * Fraction(second.rate))
        return Used(rate, min(first.day, second.day), self._through)

    def convert(self, money: Money, target: str, day: Day, rounding: Rounding = "half_up") -> tuple[Money, Used]:
        """`money` in `target`, rounded once to what can be paid there, and the rate to be kept with it."""
        used = self.find(money.currency, target, day)
        return converted(money, used, target, rounding), used


def _latest(rates: Sequence[Exchange], day: Day) -> Exchange | None:
    at = bisect_right(rates, day, key=lambda one: one.day)
    return rates[at - 1] if at else None


def _made(rate: Fraction) -> Decimal:
    """With `_DIGITS` digits, however small it is."""
    places = _DIGITS
    while rate * 10**places < 10 ** (_DIGITS - 1):
        places += 1
    return Decimal(plain(rounded(rate, places)))


def converted(money: Money, used: Used, target: str, rounding: Rounding = "half_up") -> Money:
    """`money` in `target` by a rate that is known: the same again, whenever it is asked."""
    product = Fraction(money.amount) * Fraction(used.rate)
    return Money(rounded(product, minor_units(target), rounding), target)
