"""Exact numbers: what is in between is a fraction, what can be paid is a whole number of the smallest unit.

A `Decimal` forgets digits in silence beyond its context's 28; a `Fraction` never does. So a price times a quantity less
a discount is a fraction, is rounded once, and from there on cents are counted, added and shared out as integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal

Rounding = Literal["half_up", "half_even", "down"]
"""What happens to what cannot be paid: 四舍五入, 四舍六入五成双, or cut off. Each treats minus as it treats plus."""

Number = Decimal | Fraction | int


def units(number: Number, places: int, rounding: Rounding = "half_up") -> int:
    """`number` in units of its last decimal place: 1.005 with two places is 101 (half up)."""
    top, bottom = number.as_integer_ratio()
    scale: int = 10**places
    whole, rest = divmod(abs(top) * scale, bottom)
    twice = 2 * rest
    if rounding == "half_up":
        whole += twice >= bottom
    elif rounding == "half_even":
        whole += twice > bottom or (twice == bottom and whole % 2 == 1)
    return whole if top >= 0 else -whole


def amount(whole: int, places: int) -> Decimal:
    """The number that `whole` units of the last decimal place are."""
    return Decimal(f"{whole}E{-places}")


def rounded(number: Number, places: int, rounding: Rounding = "half_up") -> Decimal:
    """`number` with so many decimal places."""
    return amount(units(number, places, rounding), places)


def exact(number: Fraction) -> Decimal:
    """A fraction whose denominator holds only twos and fives, as the decimal it is. Raises ValueError for others."""
    denominator, places = number.denominator, 0
    for prime in (2, 5):
        power = 0
        while denominator % prime == 0:
            denominator //= prime
            power += 1
        places = max(places, power)
    if denominator != 1:
        raise ValueError(f"{number} has no end as a decimal number")
    return amount(int(number * 10**places), places)


def summed(numbers: Iterable[Decimal]) -> Decimal:
    """The sum, with every digit kept."""
    return exact(sum((Fraction(one) for one in numbers), Fraction(0)))


def share(whole: int, weights: Sequence[Number]) -> list[int]:
    """`whole` units shared out by weight, exactly: each part cut off, the rest by one unit to the largest remainders
    (the first of equal ones). A negative whole is shared as its opposite. Weights that sum to nothing share evenly.

    Raises ValueError for a negative weight, and when there is nobody to share with.
    """
    if not weights or min(weights) < 0:
        raise ValueError("shares need weights, none of them negative")
    if whole < 0:
        return [-part for part in share(-whole, weights)]
    fractions = [Fraction(one) for one in weights]
    total = sum(fractions, Fraction(0))
    if not total:
        fractions, total = [Fraction(1)] * len(weights), Fraction(len(weights))
    due = [whole * one / total for one in fractions]
    parts = [int(one) for one in due]
    order = sorted(range(len(due)), key=lambda at: parts[at] - due[at])
    for at in order[: whole - sum(parts)]:
        parts[at] += 1
    return parts
