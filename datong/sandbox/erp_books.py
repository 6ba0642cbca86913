"""The books of SimERP: days, rates, numbers, rounding. What a line comes to is worked out here and nowhere else."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from datong.sandbox.fields import Row, as_decimal, write_decimal
from datong.sandbox.refusals import Breach, Key

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
QUANTITY = 4  # decimals of a quantity
_FAR = "9999-12-31"
Amounts = tuple[Decimal, Decimal, Decimal]
"""Without tax, tax, with tax."""


def exact(value: Any) -> Decimal:
    """A number of a row; nothing is zero."""
    number = value if isinstance(value, Decimal) else as_decimal(value)
    return ZERO if number is None else number


def quantity(value: Decimal) -> str:
    return write_decimal(value, QUANTITY)


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(ONE.scaleb(-places), ROUND_HALF_UP)


def line_amounts(line: Mapping[str, Any], tax_included: bool, places: int) -> Amounts:
    """Quantity by price less discount, rounded; then the tax of the line, rounded; the third is their sum."""
    worth = exact(line["qty"]) * exact(line["price"]) * (HUNDRED - exact(line["discountPct"])) / HUNDRED
    rate = exact(line["taxRate"])
    if tax_included:
        gross = rounded(worth, places)
        net = rounded(gross / (ONE + rate), places)
        return net, gross - net, gross
    net = rounded(worth, places)
    tax = rounded(net * rate, places)
    return net, tax, net + tax


def with_amounts(line: Row, amounts: Amounts, places: int) -> Row:
    net, tax, gross = (write_decimal(one, places) for one in amounts)
    return {**line, "netAmount": net, "taxAmount": tax, "grossAmount": gross}


def totals(lines: Iterable[Mapping[str, Any]], places: int) -> Row:
    lines = list(lines)
    return {
        name: write_decimal(sum((exact(line[name]) for line in lines), ZERO), places)
        for name in ("netAmount", "taxAmount", "grossAmount")
    }


def extent(done: Decimal, whole: Decimal) -> str:
    if done <= 0:
        return "none"
    return "part" if done < whole else "full" if done == whole else "over"


def extent_of_lines(lines: Sequence[Mapping[str, Any]], done: str) -> str:
    parts = [extent(exact(line[done]), exact(line["qty"])) for line in lines if exact(line["qty"])]
    if "over" in parts:
        return "over"
    return "full" if parts and set(parts) == {"full"} else "part" if set(parts) - {"none"} else "none"


def plus(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def months_later(day: str, months: int) -> str:
    """The same day of a later month; its last, where it has no such day."""
    from_day = date.fromisoformat(day)
    year, month = divmod(from_day.year * 12 + from_day.month - 1 + months, 12)
    return date(year, month + 1, min(from_day.day, monthrange(year, month + 1)[1])).isoformat()


def latest(days: Iterable[str | None]) -> str | None:
    return max((day for day in days if day), default=None)


def company(erp: Erp, code: str) -> Row:
    return erp.table("companies").live.find("code", code)[0].data


def today(erp: Erp, code: str) -> str:
    """The day it is at the company."""
    return erp.clock.now().astimezone(ZoneInfo(company(erp, code)["timeZone"] or "UTC")).date().isoformat()


def places_of(erp: Erp, currency: str | None) -> int:
    found = erp.table("currencies").live.find("code", currency)
    decimals = found[0].data["decimals"] if found else None
    return 2 if decimals is None else int(decimals)


def rate_of(erp: Erp, currency: str, into: str, day: str) -> tuple[str, str] | None:
    """The rate valid on a day and the day it is of; None where there is none."""
    if currency == into:
        return "1.000000", day
    rows = [state.data for state in erp.table("exchangeRates").live.find("fromCurrency", currency)]
    known = [row for row in rows if row["toCurrency"] == into and row["rateDate"] <= day]
    best = max(known, key=lambda row: (row["rateDate"], row["id"]), default=None)
    return (best["rate"], best["rateDate"]) if best else None


def dated_rate(erp: Erp, code: Key | None, day: str) -> str | None:
    """The tax rate of a code on a day: its own, or the latest of its dated ones that has begun."""
    if code is None:
        return None
    row = erp.row("taxCodes", code)
    begun = [one for one in row["rates"] if (one["validFrom"] or "") <= day]
    rate: str | None = max(begun, key=lambda one: one["validFrom"] or "")["rate"] if begun else row["rate"]
    return rate


def is_valid(row: Mapping[str, Any], day: str) -> bool:
    return (row["validFrom"] or "") <= day <= (row["validTo"] or _FAR) and not row["disabled"]


def must_be_open(erp: Erp, code: str, day: str, field: str) -> None:
    """A day that no period covers is open. Raises Breach."""
    for state in erp.table("periods").live.find("companyCode", code):
        row = state.data
        if row["status"] == "closed" and row["dateFrom"] <= day <= row["dateTo"]:
            raise Breach("CLOSED_PERIOD", f"{day} lies in the closed period {row['name']} of {code}", field)


def must_have_rate(erp: Erp, row: Mapping[str, Any]) -> None:
    if row["exchRate"] is None:
        raise Breach("NO_RATE", f"no exchange rate of {row['currency']} in {row['companyCode']}", "currency")


def in_books(erp: Erp, row: Mapping[str, Any], amount: Decimal) -> Decimal:
    """An amount of a document in the currency of its company."""
    places = places_of(erp, company(erp, row["companyCode"])["currency"])
    return rounded(amount * (exact(row["exchRate"]) or ONE), places)


def priced(erp: Erp, lines: Sequence[Row], day: str, tax_included: bool, places: int) -> list[Row]:
    """The lines with what their items say where nothing is given, their tax rate of the day, and their amounts."""
    return [_priced(erp, line, day, tax_included, places) for line in lines]


def _priced(erp: Erp, line: Row, day: str, tax_included: bool, places: int) -> Row:
    item = erp.row("items", line["itemId"])
    known = {
        **line,
        "text": line["text"] or item["description"],
        "unitId": line["unitId"] or item["baseUnit"],
        "taxCodeId": line["taxCodeId"] or item["taxCodeId"],
    }
    known["taxRate"] = dated_rate(erp, known["taxCodeId"], day)
    return with_amounts(known, line_amounts(known, tax_included, places), places)


def header(erp: Erp, values: Row, date_field: str) -> Row:
    """What every document with money takes from its company and customer: day, currency, rate, terms."""
    code = values["companyCode"]
    part = erp.part_of_customer(values["custId"], code)
    day = values[date_field] or today(erp, code)
    base = company(erp, code)["currency"]
    currency = values["currency"] or part.get("currency") or base
    rate, rated = rate_of(erp, currency, base, day) or (None, None)
    given = {date_field: day, "currency": currency, "exchRate": rate, "exchRateDate": rated}
    if "paymentTermId" in values:
        given["paymentTermId"] = values["paymentTermId"] or part.get("paymentTermId")
    return {**values, **given}
