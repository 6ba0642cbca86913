"""Converters: one wire value to one canonical scalar and back.

`read` raises ValueError where the wire value cannot be understood: the field is then held and shown, never guessed.
`write` gives what the system will hold: a limit of the system (length, decimals) belongs here, declared, so that what
comes back is known for our own value and not taken for an edit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

from datong.base.clock import from_text, to_text
from datong.base.money import Money, decimal, plain, round_to, shifted
from datong.base.text import seen
from datong.canon.fields import Value


@dataclass(frozen=True)
class Foreign:
    """A reference as the wire has it: a native id (`by` "id"), or the `code` or `name` of a record of `kind`."""

    kind: str
    native: str
    by: str = "id"


Canonical = Value | Foreign


@dataclass(frozen=True)
class Converter:
    """`read`: wire -> canonical; `write`: canonical -> wire; None stands for null both ways and reaches neither.

    `example` are canonical values that must survive write and read; a map is two-way only where they do.
    `null` is what the system holds for nothing (some hold an empty text).
    """

    name: str
    read: Callable[[Any], Canonical]
    write: Callable[[Any], Any]
    examples: tuple[Value, ...] = field(default=(), hash=False)  # a set of texts is held as a list
    null: Any = None
    to: str = ""
    by: str = "id"
    nothing: tuple[Any, ...] = field(default=(None, ""))

    @cached_property
    def from_wire(self) -> Callable[[Any], Canonical]:
        """wire -> canonical, None for what is nothing."""
        read, nothing = self.read, self.nothing
        if read is clean and set(nothing) <= {None, ""}:
            return clean  # it knows both by itself

        def from_wire(value: Any) -> Canonical:
            if value is None or (value.__class__ is str and value in nothing):
                return None
            return read(value)

        return from_wire

    def to_wire(self, value: Any) -> Any:
        return self.null if value is None else self.write(value)


_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?(Z|\+00:00)?")
_PHONE = re.compile(
    r"(tel:)?[+\d\s().\-\u2010-\u2015]+((;\s*ext=|,?\s*ext(ensio)?n?\b|,?\s*x|\s*#)[.:]?\s*\d{1,7})?\s*", re.IGNORECASE
)
_LARGE = 10**99
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPACES = re.compile(r"[ \t\r\f\v\u00a0\u3000]+")


def clean(value: Any) -> str | None:
    """A text without surrounding space, NFC; None where nothing is left. A number is its text."""
    if value.__class__ is not str:
        if value is None:
            return None
        if isinstance(value, (dict, list, bool)):
            raise ValueError(f"not a text: {value!r:.60}")
        value = str(value)
    if not value.isascii() and not unicodedata.is_normalized("NFC", value):
        value = unicodedata.normalize("NFC", value)
    return value.strip() or None


def text(limit: int | None = None, *, null: Any = None) -> Converter:
    """Text without surrounding space. `limit` is the longest text (in characters) that the system holds."""

    def write(value: Any) -> str:
        return str(value) if limit is None else str(value)[:limit].rstrip()

    name = "text" if limit is None else f"text up to {limit}"
    return Converter(name, clean, str if limit is None else write, ("深圳市大同科技有限公司"[:limit],), null=null)


def spelt(case: Literal["lower", "upper"] | None = None, *, remove: str = "", prefix: str = "") -> Converter:
    """Text in one spelling: without the characters in `remove`, in one case. `prefix` is what the system puts before
    it and we do not keep."""

    def read(value: Any) -> str | None:
        cleaned = clean(value)
        if cleaned is None:
            return None
        if prefix and cleaned.startswith(prefix):
            cleaned = cleaned[len(prefix) :]
        for sign in remove:
            cleaned = cleaned.replace(sign, "")
        if case == "lower":
            cleaned = cleaned.lower()
        elif case == "upper":
            cleaned = cleaned.upper()
        return clean(cleaned)  # another case may be another form of Unicode, and what was removed may leave space

    name = f"spelt {case} {remove!r} {prefix!r}"
    example = str(read("深圳 W-100") or "") or "1"
    return Converter(name, read, (lambda v: prefix + v) if prefix else str, (example,))


def trimmed(*, null: Any = None) -> Converter:
    """A code: text in which inner space means nothing."""

    def read(value: Any) -> str | None:
        cleaned = clean(seen(value) if isinstance(value, str) else value)
        return _SPACES.sub(" ", cleaned) if cleaned else None

    return Converter("trimmed", read, str, ("W-100",), null=null)


def exact(value: Any) -> str:
    """The one text of a number. What is it already, is known by its looks."""
    if value.__class__ is int and -_LARGE < value < _LARGE:
        return str(value)
    if value.__class__ is str and value.isascii() and len(value) < 100:
        whole, point, part = value.partition(".")
        if whole.isdigit() and (whole[0] != "0" or whole == "0") and (part.isdigit() if point else True):
            return value.rstrip("0").rstrip(".") if point else value
    return plain(decimal(value))


def number(places: int | None = None, *, as_text: bool = True, fixed: bool = False) -> Converter:
    """An exact number; the system keeps `places` decimals. `as_text` False writes a JSON number; `fixed` writes all
    the places, also when they are zeros."""
    if fixed and places is None:
        raise ValueError("a fixed number needs its places")
    width = places or 0
    zeros = "0" * width

    def write(value: Any) -> Any:
        if fixed and value.__class__ is str and value.isascii():
            whole, _, part = value.partition(".")
            if len(part) <= width and (whole + part).isdigit() and len(value) < 100:
                return f"{whole}.{part}{zeros[len(part) :]}" if width else whole
        shown = exact(value)
        if places is not None and len(shown.partition(".")[2]) > places:
            shown = plain(round_to(decimal(shown), places))
        if fixed and places:
            whole, _, part = shown.partition(".")
            return f"{whole}.{part}{zeros[len(part) :]}"
        if as_text:
            return shown
        wanted = decimal(shown)
        told = int(shown) if "." not in shown else float(shown)
        if (isinstance(told, int) and abs(told) >= 2**63) or decimal(told) != wanted:
            raise ValueError(f"{shown} has more digits than a JSON number keeps")
        return told

    name = f"number {places} {as_text}" + (" fixed" if fixed else "")
    return Converter(name, exact, write, ("12.5",) if places is None or places > 0 else ("12",))


def scaled(places: int = 2) -> Converter:
    """An exact number that the system holds as a whole number of its `places`-th part: 12.5 is 1250 cents."""
    if places < 1:
        raise ValueError("places are 1 or more; for whole numbers use number")
    unit = 10**places

    def read(value: Any) -> str:
        if value.__class__ is not int or not unit <= value < _LARGE:
            return plain(shifted(decimal(value), -places))
        digits = str(value)
        part = digits[-places:].rstrip("0")
        return f"{digits[:-places]}.{part}" if part else digits[:-places]

    def write(value: Any) -> int:
        told = shifted(decimal(value), places)
        if told != int(told):
            raise ValueError(f"{value} has more than {places} decimals")
        return int(told)

    return Converter(f"scaled {places}", read, write, ("12.5", "-3"))


def amount(currency: str) -> Converter:
    """Money of which the system holds the number only, in `currency`. Money in another currency is not converted."""

    def write(value: Any) -> str:
        money = Money.parse(str(value))
        if money.currency != currency:
            raise ValueError(f"{value} is not in {currency}")
        return plain(money.amount)

    def read(value: Any) -> str:
        return f"{plain(decimal(value))} {currency}"

    return Converter(f"amount in {currency}", read, write, (f"50000 {currency}",))


def percent() -> Converter:
    """A percentage that the system holds as a share of one: 13 is 0.13."""
    return Converter(
        "percent", lambda v: plain(shifted(decimal(v), 2)), lambda v: plain(shifted(decimal(v), -2)), ("13", "5.5")
    )


def boolean(yes: Any = True, no: Any = False) -> Converter:
    """True or false, held as `yes` and `no`."""

    def read(value: Any) -> bool:
        if value == yes:
            return True
        if value == no:
            return False
        raise ValueError(f"neither {yes!r} nor {no!r}: {value!r:.60}")

    return Converter(f"boolean {yes!r} {no!r}", read, lambda v: yes if v else no, (True, False), nothing=(None,))


def choice(pairs: Mapping[str, Any]) -> Converter:
    """Canonical choice -> wire value; the inverse must be unambiguous, the first pair wins for reading."""
    back: dict[Any, str] = {}
    for canonical, wire in pairs.items():
        back.setdefault(wire, canonical)

    def read(value: Any) -> str:
        try:
            return back[value]
        except (KeyError, TypeError):
            raise ValueError(f"{value!r:.60} is none of {', '.join(map(str, back))}") from None

    def write(value: Any) -> Any:
        try:
            return pairs[value]
        except KeyError:
            raise ValueError(f"no value for {value!r:.60} in {', '.join(pairs)}") from None

    two_way = tuple(c for c in pairs if back[pairs[c]] == c)
    name = f"choice {sorted(map(repr, pairs.items()))} {sorted(two_way)}"
    return Converter(name, read, write, two_way, nothing=(None,) if "" in back else (None, ""))


def table(values: Mapping[str, str]) -> Converter:
    """A value table of the configuration: wire -> canonical, by the texts themselves; what is not listed passes."""
    back = {canonical: wire for wire, canonical in values.items()}
    return Converter(
        "table",
        lambda v: values[str(v)] if str(v) in values else clean(v),
        lambda v: back.get(str(v), v),
        tuple(c for w, c in values.items() if back[c] == w),
    )


def listed(values: Mapping[str, str]) -> Converter:
    """A value table, wire -> canonical, that knows every value: another one is refused. Of several wire values for one
    meaning the first is written."""
    back: dict[str, str] = {}
    for wire, canonical in values.items():
        back.setdefault(canonical, wire)

    def read(value: Any) -> str:
        found = values.get(value) if value.__class__ is str else None
        if found is None:
            found = values.get(clean(value) or "")
        if found is None:
            raise ValueError(f"{value!r:.60} is none of {', '.join(values)}")
        return found

    def write(value: Any) -> str:
        try:
            return back[value]
        except KeyError:
            raise ValueError(f"no value for {value!r:.60} in {', '.join(back)}") from None

    nothing = (None,) if "" in values else (None, "")
    return Converter(f"listed {sorted(values.items())}", read, write, tuple(back), nothing=nothing)


def email() -> Converter:
    """An address; the domain has no case."""

    def read(value: Any) -> str | None:
        cleaned = clean(value)
        if cleaned is None:
            return None
        local, at, domain = cleaned.rpartition("@")
        return f"{local}@{domain.lower()}" if at else cleaned

    return Converter("email", read, str, ("li.na@example.com",))


def phone(region: str | None = None) -> Converter:
    """A telephone number as E.164 where it can be understood (numbers without a country code are of `region`).

    What cannot be understood stays the text it is: a switchboard's remark must not be lost.
    """

    def read(value: Any) -> str | None:
        cleaned = clean(value)
        return _e164(cleaned, region) if cleaned else None

    return Converter(f"phone {region}", read, str, ("+8675526000000",))


def _e164(raw: str, region: str | None) -> str:
    import phonenumbers as p

    folded = unicodedata.normalize("NFKC", raw)
    if not _PHONE.fullmatch(folded):
        return raw
    try:
        parsed = p.parse(folded, region)
    except p.NumberParseException:
        return raw
    if not p.is_possible_number(parsed):
        return raw
    shown = p.format_number(parsed, p.PhoneNumberFormat.E164)
    return f"{shown};ext={parsed.extension}" if parsed.extension else shown


def country() -> Converter:
    """ISO 3166-1 alpha-2, upper case. Names are not guessed: use a value table for them."""

    def read(value: Any) -> str | None:
        cleaned = clean(value)
        if cleaned is None:
            return None
        if len(cleaned) != 2 or not cleaned.isalpha() or not cleaned.isascii():
            raise ValueError(f"not a two-letter country code: {value!r:.60}")
        return cleaned.upper()

    return Converter("country", read, str, ("CN",))


def day() -> Converter:
    """A calendar date, ISO. Midnight of it is the date too; any other hour belongs to a time zone and is refused."""

    def read(value: Any) -> str:
        shown = str(value).strip()
        if len(shown) > 10 and not _MIDNIGHT.fullmatch(shown[10:]):
            raise ValueError(f"not a date: {value!r:.60}")
        try:
            return date.fromisoformat(shown[:10]).isoformat()
        except ValueError:
            raise ValueError(f"not a date: {value!r:.60}") from None

    return Converter("day", read, str, ("2026-11-21",))


def moment(zone: str = "UTC", form: Literal["iso", "plain", "unix", "unix_ms"] = "iso") -> Converter:
    """A moment. `zone` is that of texts without an offset; `form` is how it is written: ISO 8601 in UTC, `plain`
    (2026-11-21 16:00:00, local to `zone`), seconds or milliseconds since 1970."""
    return Converter(
        f"moment {zone} {form}",
        lambda v: to_text(moment_read(v, zone, form)),
        lambda v: moment_written(from_text(str(v)), zone, form),
        ("2026-11-21T08:00:00.000000Z",),
    )


def moment_read(value: Any, zone: str, form: str) -> datetime:
    """The aware moment that a system means by `value`. Raises ValueError."""
    if form in ("unix", "unix_ms"):
        seconds = decimal(value) if form == "unix" else shifted(decimal(value), -3)
        return EPOCH + timedelta(microseconds=int(shifted(seconds, 6)))
    return from_text(str(value).strip(), zone)


def moment_written(value: datetime, zone: str, form: str) -> Any:
    """`value` as a system of this form is told it."""
    if form == "iso":
        return to_text(value)
    if form == "plain":
        return value.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(sep=" ")
    micros = (value - EPOCH) // timedelta(microseconds=1)
    return micros // 1_000_000 if form == "unix" else micros // 1000


def words(separator: str, *, case: Literal["lower", "upper"] | None = None) -> Converter:
    """A set of plain texts that the system holds as one text, parted by `separator`."""

    def read(value: Any) -> list[str] | None:
        cleaned = clean(value)
        if cleaned is None:
            return None
        if case is not None:
            cleaned = clean(cleaned.lower() if case == "lower" else cleaned.upper()) or ""
        if separator not in cleaned:
            return [cleaned]
        found = {told for one in cleaned.split(separator) if (told := one.strip())}
        return sorted(found) or None

    def write(value: Any) -> str:
        if any(separator in one for one in value):
            raise ValueError(f"a tag holds the separator {separator!r}")
        return separator.join(value)

    return Converter(f"words {separator!r} {case}", read, write, (["a", "b"] if case != "upper" else ["A", "B"],))


def tags() -> Converter:
    """A set of plain texts."""

    def read(value: Any) -> list[str]:
        if not isinstance(value, (list, tuple)) or any(isinstance(x, (dict, list)) or x is None for x in value):
            raise ValueError(f"not a list of texts: {value!r:.60}")
        return sorted({str(x) for x in value})

    return Converter("tags", read, list, (["a", "b"],))


def reference(kind: str, *, by: str = "id", integer: bool = False) -> Converter:
    """A pointer to a record of `kind`: its native id, or (in systems without the table) its `code` or `name`."""

    def read(value: Any) -> Foreign | None:
        if isinstance(value, (dict, list, bool)):
            raise ValueError(f"not a reference: {value!r:.60}")
        native = str(value).strip()
        return Foreign(kind, native, by) if native else None

    return Converter(
        f"reference to {kind} by {by}{' as integer' if integer else ''}",
        read,
        (lambda v: int(v)) if integer else str,
        to=kind,
        by=by,
    )
