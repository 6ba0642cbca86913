"""Bytes to text: the encoding is declared, or found where it can be but one. Nothing is replaced in silence."""

from __future__ import annotations

import codecs
import re
from itertools import islice

from datong.connectors.files.trouble import Unfinished, WrongFile

AUTO = "auto"
_MARKS = (  # the mark of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAY = "say which encoding it has with `encoding:`, such as utf-8, gb18030, cp1252, or save it as UTF-8"
_HIGH = re.compile(rb"[\x80-\xff]+")
_ENOUGH = 50_000
_SURE = 4
"""Double-byte characters from which on a text that fits GB18030 is taken for it."""


def decoded(data: bytes, encoding: str = AUTO) -> tuple[str, str]:
    """The text and the encoding it was found in. Raises WrongFile naming the byte and the line."""
    found = _detected(data) if encoding == AUTO else _declared(data, encoding)
    try:
        text = data.decode(found)
    except UnicodeDecodeError as error:
        _must_not_be_cut(error)
        raise WrongFile(f"it is not {found}: {_place(error)}", _SAY) from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise WrongFile(f"line {line} holds a NUL character: the file is damaged or no text", "have it written again")
    return text, found


def _declared(data: bytes, encoding: str) -> str:
    name = codecs.lookup(encoding).name
    mark = next((meant for mark, meant in _MARKS if data.startswith(mark)), None)
    if mark is None:
        return name
    if mark.startswith(name) or (mark == "utf-16" and name.startswith("utf-16")):
        return mark
    raise WrongFile(f"it is marked as {mark}, but declared as {encoding}", "correct `encoding:`, or leave it out")


def _detected(data: bytes) -> str:
    for mark, meant in _MARKS:
        if data.startswith(mark):
            return meant
    if wide := _wide(data):
        return wide
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError as error:
        _must_not_be_cut(error)
        broken = error
    if _surely_gb18030(data):
        return "gb18030"
    place = _place(broken)
    raise WrongFile(f"its encoding is not certain: {place} is not UTF-8, and it may be GB18030 or a western one", _SAY)


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: zeros, as good as all of them at one of two bytes, and none in the text."""
    head = data[:65536]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < max(2, 4 * min(even, odd)):
        return None
    name = "utf-16-le" if odd > even else "utf-16-be"
    try:
        return name if "\x00" not in data.decode(name) else None
    except UnicodeDecodeError as error:
        _must_not_be_cut(error)
        return None


def _surely_gb18030(data: bytes) -> bool:
    """It decodes, and nearly all of its foreign characters are the common ones (two bytes, both from A1 on).

    Western letters with accents stand alone between plain ones, which as GB18030 gives rare characters.
    """
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        _must_not_be_cut(error)
        return False
    foreign = [char.encode("gb18030") for char in islice(filter(_is_foreign, text), _ENOUGH)]
    common = sum(len(char) == 2 and min(char) >= 0xA1 for char in foreign)
    runs = list(islice(_HIGH.finditer(data), _ENOUGH))
    alone = sum(len(run[0]) == 1 for run in runs)
    return len(foreign) >= _SURE and common * 5 >= len(foreign) * 4 and alone * 2 <= len(runs)


def _is_foreign(char: str) -> bool:
    return char > "\x7f"


def _must_not_be_cut(error: UnicodeDecodeError) -> None:
    if (
        error.start > 0
        and error.end == len(error.object)
        and ("end of data" in error.reason or "incomplete" in error.reason or "truncated" in error.reason)
    ):
        raise Unfinished("it ends within a character")


def _place(error: UnicodeDecodeError) -> str:
    data = error.object
    return f"byte 0x{data[error.start]:02X} at {error.start + 1} in line {data.count(10, 0, error.start) + 1}"
