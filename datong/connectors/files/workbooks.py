"""Workbooks (xlsx): cells as they are stored, with what a workbook hides told apart from an empty cell.

python-calamine reads the cells; it gives an empty one for an error and for a formula without a stored value, and it
makes room for every cell up to the last one. So the parts are looked through first.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

from datong.connectors.files.trouble import Unfinished, WrongFile

MOST_BYTES = 200_000_000
"""Unpacked size of all parts beyond which a workbook is not opened."""
MOST_CELLS = 5_000_000
LONGEST_CELL = 32_767
MOST_ROWS = 1_048_576

_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_ERROR = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>')
_HOLLOW = re.compile(
    rb"<((?:\w+:)?)c\b([^>]*)>\s*<\1f\b[^>]*?(?:/>|>[^<]*</\1f>)\s*(?:<\1v\s*/>|<\1v>\s*</\1v>)?\s*</\1c>"
)
_TEXT_RESULT = re.compile(rb'\bt="str"')
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

Cell = Any
"""str, int, float, bool, ISO text of a date or time, None, or {"unreadable": why}."""


@dataclass(frozen=True)
class Sheet:
    name: str
    rows: list[list[Cell]]


def sheets_of(data: bytes, wanted: str | int | None = None) -> list[Sheet]:
    """The wanted sheet, or every visible one. Raises WrongFile."""
    import python_calamine as calamine

    parts = _parts(data)
    try:
        with calamine.load_workbook(io.BytesIO(data)) as book:
            names = _names(book, wanted)
            hidden = {name: _hollow(parts, name) for name in names}
            return [Sheet(name, _rows(book.get_sheet_by_name(name), hidden[name])) for name in names]
    except calamine.PasswordError:
        raise _protected() from None
    except (calamine.CalamineError, ElementTree.ParseError, KeyError) as error:
        raise WrongFile(f"it cannot be read as a workbook: {error}", "open it and save it again as xlsx") from None


def _protected() -> WrongFile:
    remedy = "save it as xlsx without a password"
    return WrongFile("it is protected by a password, or a workbook of the old form (xls)", remedy)


def _parts(data: bytes) -> dict[str, bytes]:
    """The XML parts that are looked through, after all parts were unpacked within bounds. Raises WrongFile."""
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise _protected()
    if not data.startswith(b"PK"):
        told = "an HTML page" if data.lstrip()[:1] == b"<" else "something else"
        raise WrongFile(f"it is called xlsx, but is {told}", "save it as xlsx, or give it the name of what it is")
    kept: dict[str, bytes] = {}
    left = MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                keep = info.filename.startswith(("xl/worksheets/", "xl/workbook", "xl/_rels/"))
                part, left = _unpacked(archive, info, left, keep)
                if keep:
                    kept[info.filename] = part
    except zipfile.BadZipFile as error:
        raise Unfinished(f"its archive is cut or damaged: {error}") from None
    except (zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise WrongFile(f"its archive cannot be unpacked: {error}", "open it and save it again as xlsx") from None
    return kept


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: int, keep: bool) -> tuple[bytes, int]:
    """Unpacked step by step: what an archive says of its sizes may be a lie, and its checksum then fails."""
    kept = io.BytesIO()
    with archive.open(info) as part:
        while chunk := part.read(1 << 20):
            left -= len(chunk)
            if left < 0:
                remedy = "remove pictures and empty rows, or split it"
                raise WrongFile(f"unpacked it is larger than {MOST_BYTES // 1_000_000} MB", remedy)
            if keep:
                kept.write(chunk)
    return kept.getvalue(), left


def _names(book: Any, wanted: str | int | None) -> list[str]:
    names: list[str] = list(book.sheet_names)
    if isinstance(wanted, int) and 1 <= wanted <= len(names):
        return [names[wanted - 1]]
    if isinstance(wanted, str) and wanted in names:
        return [wanted]
    if wanted is not None:
        raise WrongFile(f"it has no sheet {wanted}", f"its sheets are: {', '.join(names)}")
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    seen = [one for one in book.sheets_metadata if one.visible == SheetVisibleEnum.Visible]
    return [one.name for one in seen if one.typ == SheetTypeEnum.WorkSheet]


def _hollow(parts: Mapping[str, bytes], sheet: str) -> dict[tuple[int, int], str]:
    """Cells (row, column, from 0) that look empty and are not. Raises WrongFile for a sheet too large to open."""
    xml = parts[_part_of(parts, sheet)]
    last_row = last_column = 0
    for letters, digits in _CELL.findall(xml):
        last_row, last_column = max(last_row, int(digits)), max(last_column, _column(letters) + 1)
    if last_row * last_column > MOST_CELLS:
        told = f"sheet {sheet} reaches to row {last_row} and column {last_column}"
        raise WrongFile(told, "delete the cells far off (choose them, Delete rows), and save")
    found: dict[tuple[int, int], str] = {}
    for match in _ERROR.finditer(xml):
        found[_place(match[1])] = "the cell holds an error such as #N/A or #REF!"
    for match in _HOLLOW.finditer(xml):
        if not _TEXT_RESULT.search(match[2]):
            found[_place(match[2])] = (
                "the cell holds a formula without its result: open the file, save it, then send it"
            )
    return found


def _part_of(parts: Mapping[str, bytes], sheet: str) -> str:
    book, relations = _xml(parts["xl/workbook.xml"]), _xml(parts["xl/_rels/workbook.xml.rels"])
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    for one in book.iter():
        if one.tag.endswith("}sheet") and one.get("name") == sheet:
            return posixpath.normpath(posixpath.join("xl", targets[one.get(_RELATION)])).lstrip("/")
    raise KeyError(sheet)


def _xml(part: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in part:
        raise WrongFile("its parts declare entities, which no workbook does", "do not open it; ask who sent it")
    return ElementTree.fromstring(part)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _place(attributes: bytes) -> tuple[int, int]:
    match = _CELL.search(attributes)
    return (int(match[2]) - 1, _column(match[1])) if match else (-1, -1)


def _rows(sheet: Any, hollow: Mapping[tuple[int, int], str]) -> list[list[Cell]]:
    """Every row from the first; the cells of a merged range all hold its value, as people see it."""
    rows = [[_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
    for (row, column), why in hollow.items():
        if 0 <= row < len(rows) and column < len(rows[row]):
            rows[row][column] = {"unreadable": why}
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        for row in range(top, min(bottom, len(rows) - 1) + 1):
            for column in range(left, min(right, len(rows[row]) - 1) + 1):
                rows[row][column] = rows[top][left]
    return rows


def _cell(value: Any) -> Cell:
    if isinstance(value, float):
        if value.is_integer() and abs(value) >= 10**15:
            return {"unreadable": "a workbook keeps 15 digits of a number: give the column the format Text"}
        return int(value) if value.is_integer() else value
    if isinstance(value, datetime):
        return value.isoformat() if value.time() != time() else value.date().isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return None if value == "" else value


def written(rows: Sequence[Sequence[Cell]], sheet: str) -> bytes:
    """A workbook of one sheet with a header. Text is text: nothing in it becomes a formula, a link or a number."""
    import xlsxwriter

    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "constant_memory": False}) as book:
        page = book.add_worksheet(sheet)
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        page.freeze_panes(1, 0)
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                if isinstance(value, bool):
                    page.write_boolean(row, column, value)
                elif isinstance(value, (int, float)):
                    page.write_number(row, column, value)
                elif value is not None:
                    page.write_string(row, column, value, bold if row == 0 else text)
    return target.getvalue()
