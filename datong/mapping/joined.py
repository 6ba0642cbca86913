"""Converters of fields that lie in several places of the wire record: their `path` is joined, they read a list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from datong.base.money import Money, plain
from datong.mapping.convert import Converter, clean, exact

_NO_DIGIT = bytes(code for code in range(256) if chr(code) not in "+0123456789")
_PLUS = ord("+")
PLACE = re.compile(r"\{([^{}]*)\}")


def template_paths(template: str) -> list[str]:
    """The paths between the braces of `{street} {house_no}`, each once, in order."""
    return list(dict.fromkeys(PLACE.findall(template)))


def filled(template: str, tables: Mapping[str, Mapping[str, str]] | None = None) -> Converter:
    """A text made of several: `{street} {house_no}`. One-way, to be read only; inner space is single, and what is
    empty leaves no trace but the template's own signs. `tables` translate single parts: path -> wire -> text."""
    paths = template_paths(template)
    form = PLACE.sub(lambda found: f"{{{paths.index(found[1])}}}", template)
    turned = [(paths.index(path), table) for path, table in (tables or {}).items()]

    pieces: list[Any] = PLACE.split(template)
    simple = not turned and not "".join(pieces[::2]).strip() and pieces[1::2] == paths

    def read(values: Any) -> str | None:
        if simple:  # texts with space between them
            whole = pieces.copy()
            whole[1::2] = values
            try:
                return clean(" ".join("".join(whole).split()))
            except TypeError:
                pass  # one of them is no text
        parts = ["" if one is None else one for one in values]
        for number, table in turned:
            told = clean(parts[number]) or ""
            try:
                parts[number] = table[told] if told else ""
            except KeyError:
                raise ValueError(f"{told!r:.60} is none of {', '.join(table)}") from None
        if not any(parts):
            return None
        for part in parts:
            if part.__class__ is not str and isinstance(part, (dict, list, bool)):
                raise ValueError(f"not a text: {part!r:.60}")
        return clean(" ".join(form.format(*parts).split()))

    def write(value: Any) -> Any:
        raise ValueError(f"{template} cannot be taken apart: it is read only")

    return Converter(f"filled {template} {sorted((n, sorted(t.items())) for n, t in turned)}", read, write)


def e164(countries: Mapping[str, Sequence[str]]) -> Converter:
    """A telephone number as E.164, from [number, country]: `countries` gives for each country as the system spells it
    the dialling code and the trunk prefix (which may be empty). Plain and quick: what the digits mean is not looked
    at. A number in a country that is not listed must begin with + or 00, else it stays as it is."""
    codes = {
        country: (f"+{told[0]}".encode(), str(told[1]).encode() if len(told) > 1 else b"")
        for country, told in countries.items()
    }

    def read(values: Any) -> str | None:
        number = values[0]
        if not number:
            return None
        digits = str(number).encode("ascii", "ignore").translate(None, _NO_DIGIT)
        if not digits:
            return None
        if digits[0] == _PLUS:
            return digits.decode()
        if digits.startswith(b"00"):
            return f"+{digits[2:].decode()}"
        country = values[1] if len(values) > 1 else None
        found = codes.get(country or "") or codes.get(clean(country) or "")
        if found is None:
            return clean(number)
        code, trunk = found
        if trunk and digits.startswith(trunk):
            digits = digits[len(trunk) :]
        return (code + digits).decode()

    return Converter(f"e164 {sorted(codes.items())}", read, lambda value: [value])


def money(*, places: int | None = None) -> Converter:
    """Money from [number, currency]: both are read and written."""

    def read(values: Any) -> str | None:
        amount, currency = values
        if amount is None or amount == "":
            return None
        return str(Money.parse(f"{exact(amount)} {clean(currency or '') or ''}"))

    def write(value: Any) -> list[Any]:
        told = Money.parse(str(value))
        shown = plain(told.amount)
        if places is not None:
            whole, _, part = shown.partition(".")
            if len(part) > places:
                raise ValueError(f"{value} has more than {places} decimals")
            shown = f"{whole}.{part:0<{places}}" if places else whole
        return [shown, told.currency]

    return Converter(f"money {places}", read, write, ("50000 CNY", "12.5 EUR") if places != 0 else ("50000 CNY",))
