"""Numbers and dates as people and spreadsheets write them: `1.234,56`, `1,234.56`, `2026年11月21日`, `21.11.2026`.

Nothing is guessed: the converter says which form is meant, and a value in another form is refused. `1.234` is a
thousand in one country and little more than one in the next.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from datong.base.money import Money, decimal, plain, round_to
from datong.base.text import seen
from datong.mapping.convert import Converter

_SPACE_GROUPS = " \u00a0\u2009\u202f"
_TOKEN = re.compile(r"y{4}|yy|mm?|dd?|[^ymd]+", re.IGNORECASE)
_FIRST_SERIAL, _LAST_SERIAL = 61, 2958465  # before lies Excel's 29 February 1900, after it the year 10000
_SERIAL_ZERO = date(1899, 12, 30)


def visible(text: str) -> str:
    """Full-width forms as plain ones; marks of writing direction and zero-width characters left out."""
    return seen(unicodedata.normalize("NFKC", text)).strip()


def local_number(decimal: str = ".", group: str = "", places: int | None = None) -> Converter:
    """A number as text with this decimal sign; `group` between thousands may be there or not, but only where it
    belongs.

    Numbers that are numbers already (cells of a workbook) are taken as they are. A minus may stand at either end.
    """
    read, write = _number_forms(decimal, group, places)
    return Converter(
        f"local number {decimal!r} {group!r} {places}", lambda v: plain(read(v)), write, ("12.5", "-1234567")
    )


def local_amount(currency: str, decimal: str = ".", group: str = "") -> Converter:
    """Money in `currency` as text with this decimal sign; the currency's code may stand at either end."""
    read, write = _number_forms(decimal, group, None)

    def read_amount(value: Any) -> str:
        if isinstance(value, str):
            value = visible(value)
            value = value.removeprefix(currency).removesuffix(currency).strip()
        return f"{plain(read(value))} {currency}"

    def write_amount(value: Any) -> str:
        money = Money.parse(str(value))
        if money.currency != currency:
            raise ValueError(f"{value} is not in {currency}")
        return write(plain(money.amount))

    name = f"local amount in {currency} {decimal!r} {group!r}"
    return Converter(name, read_amount, write_amount, (f"50000 {currency}", f"-12.5 {currency}"))


def _number_forms(sign: str, group: str, places: int | None) -> tuple[Callable[[Any], Decimal], Callable[[Any], str]]:
    if sign not in (".", ","):
        raise ValueError(f"decimal {sign!r} is neither . nor ,")
    if group not in ("", ".", ",", " ", "'", "’") or group == sign:
        raise ValueError(f"group {group!r} is none of . , ' space, or is the decimal sign")
    between = {"": "", " ": f"[{_SPACE_GROUPS}]", "'": "['’]", "’": "['’]"}.get(group, re.escape(group))
    whole = rf"(?:\d{{1,3}}(?:{between}\d{{3}})+|\d+)" if between else r"\d+"
    shape = re.compile(rf"([+-]?)({whole})?(?:{re.escape(sign)}(\d+))?(-?)", re.ASCII)

    def read(value: Any) -> Decimal:
        if not isinstance(value, str):
            return decimal(value)
        text = visible(value).replace("\u2212", "-")
        found = shape.fullmatch(text)
        if found is None or not (found[2] or found[3]) or (found[1] and found[4]):
            raise ValueError(f"not a number with the decimal sign {sign!r}: {value!r:.60}")
        digits = re.sub(r"\D", "", found[2] or "0")
        minus = "-" if "-" in (found[1], found[4]) else ""
        return decimal(f"{minus}{digits}.{found[3] or '0'}")

    def write(value: Any) -> str:
        exact = decimal(value)
        return plain(exact if places is None else round_to(exact, places)).replace(".", sign)

    return read, write


def local_day(formats: Sequence[str] | str, serial: bool = False) -> Converter:
    """A calendar date in one of `formats`: yyyy, yy (20..), mm or m, dd or d, and what stands between them.

    The first is written. ISO dates (cells of a workbook that hold a date) are understood too; `serial` takes a plain
    number for Excel's day number (1 January 2026 is 46023).
    """
    given = [formats] if isinstance(formats, str) else list(formats)
    if not given:
        raise ValueError("no format given")
    shapes = [_day_shape(one) for one in given]

    def read(value: Any) -> str:
        if serial and not isinstance(value, (str, bool)):
            return _of_serial(value)
        text = visible(str(value))
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?)?", text, re.ASCII):
            return date.fromisoformat(text[:10]).isoformat()
        for shape in shapes:
            if found := shape.fullmatch(text):
                told = {name: int(part) for name, part in found.groupdict().items()}
                year = told["year"] + (2000 if len(found["year"]) == 2 else 0)
                return date(year, told["month"], told["day"]).isoformat()
        raise ValueError(f"not a date like {' or '.join(given)}: {value!r:.60}")

    def write(value: Any) -> str:
        day = date.fromisoformat(str(value))
        told = {"yyyy": f"{day.year:04}", "yy": f"{day.year % 100:02}", "mm": f"{day.month:02}", "m": str(day.month)}
        told |= {"dd": f"{day.day:02}", "d": str(day.day)}
        if "yyyy" not in given[0].lower() and not 2000 <= day.year <= 2099:
            raise ValueError(f"{value} cannot be told in two digits of the year")
        return "".join(told.get(token.lower(), token) for token in _TOKEN.findall(given[0]))

    return Converter(f"local day {given} {serial}", read, write, ("2026-11-21", "2026-01-02"))


def _of_serial(value: Any) -> str:
    exact = decimal(value)
    if exact != exact.to_integral_value() or not _FIRST_SERIAL <= exact <= _LAST_SERIAL:
        raise ValueError(f"not a day number of a workbook: {value!r:.60}")
    return (_SERIAL_ZERO + timedelta(days=int(exact))).isoformat()


def _day_shape(told: str) -> re.Pattern[str]:
    shape = {"y": "year", "m": "month", "d": "day"}
    tokens = _TOKEN.findall(visible(told))
    names = sorted(shape[t[0].lower()] for t in tokens if t[0].lower() in shape)
    if names != ["day", "month", "year"]:
        raise ValueError(f"{told!r} does not name a year, a month and a day once each")
    parts = []
    for token in tokens:
        name = shape.get(token[0].lower())
        digits = {"year": f"{{{len(token)}}}"}.get(name or "", "{1,2}")
        parts.append(rf"(?P<{name}>\d{digits})" if name else re.escape(token))
    return re.compile("".join(parts), re.ASCII)
