"""The one door for money and other exact numbers. Nothing here, or above, ever makes an amount a float."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

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
    text that is no number, for NaN and for infinities.
    """
    if isinstance(value, bool):
        raise ValueError(f"not a number: {value!r}")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"not a finite number: {value!r}")
        value = repr(value)
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    return number


def plain(number: Decimal) -> str:
    """The one text of a number: no exponent, no trailing zeros, no minus zero."""
    text = format(number.normalize(), "f") if number else "0"
    return text


def round_to(number: Decimal, places: int) -> Decimal:
    """Half up, away from zero: the commercial rule (四舍五入)."""
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, order=True)
class Money:
    """An amount in a currency (ISO 4217 code)."""

    amount: Decimal
    currency: str

    @classmethod
    def parse(cls, text: str) -> Money:
        """From its text, such as `100.5 CNY`."""
        amount, _, currency = text.partition(" ")
        return cls(decimal(amount), currency)

    def __str__(self) -> str:
        return f"{plain(self.amount)} {self.currency}"

    def rounded(self) -> Money:
        """To what can be paid in the currency."""
        return Money(round_to(self.amount, minor_units(self.currency)), self.currency)

    def __add__(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)


@dataclass(frozen=True)
class Quantity:
    """A number of units; `unit` is the code of a unit record."""

    value: Decimal
    unit: str

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.unit}"
