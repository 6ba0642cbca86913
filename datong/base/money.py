"""The one door for money and other exact numbers. Nothing here, or above, ever makes an amount a float."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import total_ordering

_WIDEST = 100  # digits before or after the point: beyond is no amount, and its plain text would fill the memory
_EXACT = Context(prec=4 * _WIDEST, rounding=ROUND_HALF_UP)  # the default one rounds to 28 digits in silence
_CURRENCY = re.compile(r"[A-Z]{3}")

_ODD_MINOR_UNITS = {  # ISO 4217, only those that are not 2
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_MINOR_UNITS = {code: places for places, codes in _ODD_MINOR_UNITS.items() for code in codes.split()}


def minor_units(currency: str) -> int:
    """Decimal places in which `currency` is paid (ISO 4217): JPY 0, CNY 2, KWD 3."""
    return _MINOR_UNITS.get(currency, 2)


def decimal(value: str | int | float | Decimal) -> Decimal:
    """An exact, finite number.

    A float (some systems send nothing better) is read by its shortest text, so 0.1 is 0.1. Raises ValueError for
    text that is no number, for NaN, for infinities and for what has more than 100 digits on a side of the point.
    """
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        raise ValueError(f"not a number: {value!r:.60}")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"not a finite number: {value!r}")
        value = repr(value)
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r:.60}") from None
    return _bounded(number)


def _bounded(number: Decimal) -> Decimal:
    if not number.is_finite():
        raise ValueError(f"not a finite number: {number}")
    if number and not -_WIDEST <= number.adjusted() < _WIDEST:
        raise ValueError(f"a number out of all range: {number:.3e}")
    if number and int(number.as_tuple().exponent) < -2 * _WIDEST:
        raise ValueError(f"a number with too many decimals: {number:.3e}")
    return number


def plain(number: Decimal) -> str:
    """The one text of a number: no exponent, no trailing zeros, no minus zero."""
    if not _bounded(number):
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def round_to(number: Decimal, places: int) -> Decimal:
    """Half up, away from zero: the commercial rule (四舍五入)."""
    return number.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def shifted(number: Decimal, places: int) -> Decimal:
    """`number` with its point moved to the right, exactly: a percentage from a share of one."""
    return _EXACT.scaleb(number, places)


@total_ordering
@dataclass(frozen=True)
class Money:
    """An amount in a currency (ISO 4217 code)."""

    amount: Decimal
    currency: str

    @classmethod
    def parse(cls, text: str) -> Money:
        """From its text, such as `100.5 CNY`."""
        amount, _, currency = text.partition(" ")
        if not _CURRENCY.fullmatch(currency):
            raise ValueError(f"not an amount with its currency: {text!r:.60}")
        return cls(decimal(amount), currency)

    def __str__(self) -> str:
        return f"{plain(self.amount)} {self.currency}"

    def rounded(self) -> Money:
        """To what can be paid in the currency."""
        return Money(round_to(self.amount, minor_units(self.currency)), self.currency)

    def __add__(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(_EXACT.add(self.amount, other.amount), self.currency)

    def __lt__(self, other: Money) -> bool:
        if self.currency != other.currency:
            raise ValueError(f"cannot compare {self.currency} with {other.currency}")
        return self.amount < other.amount


@dataclass(frozen=True)
class Quantity:
    """A number of units; `unit` is the code of a unit record."""

    value: Decimal
    unit: str

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.unit}"
