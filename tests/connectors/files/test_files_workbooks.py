"""Workbooks as people and machines make them, the hostile ones among them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import pytest
import xlsxwriter

from datong.connectors.files import workbooks
from datong.connectors.files.trouble import Unfinished, WrongFile
from datong.connectors.files.workbooks import sheets_of, written


def book(fill: Callable[[Any, Any], None]) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as made:
        fill(made, made.add_worksheet("客户"))
    return target.getvalue()


def changed(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one of its parts changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return target.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
PLAIN = book(lambda _, sheet: sheet.write_row(0, 0, ["客户编号", "名称"]))


def test_cells_come_as_what_they_are() -> None:
    def fill(made: Any, sheet: Any) -> None:
        day, moment = made.add_format({"num_format": "yyyy-mm-dd"}), made.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(0, 0, ["深圳 𠮷 🏭", 17, 0.1, True, -5])
        sheet.write_datetime(1, 0, date(2026, 11, 21), day)
        sheet.write_datetime(1, 1, datetime(2026, 11, 21, 8, 30), moment)
        sheet.write_datetime(1, 2, time(8, 30), made.add_format({"num_format": "hh:mm"}))
        sheet.write_string(1, 3, "00017")
        sheet.write_formula(1, 4, "=1+1", None, 2)

    (sheet,) = sheets_of(book(fill))
    assert sheet.name == "客户"
    assert sheet.rows == [
        ["深圳 𠮷 🏭", 17, 0.1, True, -5],
        ["2026-11-21", "2026-11-21T08:30:00", "08:30:00", "00017", 2],
    ]
    assert [type(cell) for cell in sheet.rows[0]] == [str, int, float, bool, int]


def test_cells_that_only_look_empty_are_not() -> None:
    """An error, or a formula whose result nobody stored, would clear the field on the other side."""

    def fill(_: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["a", "b", "c", "d"])
        sheet.write_formula(1, 0, "=1/0", None, "#DIV/0!")
        sheet.write_formula(1, 1, "=A1", None, "")
        sheet.write_number(1, 2, 91350100000100043)
        sheet.write_string(1, 3, "x")

    (sheet,) = sheets_of(book(fill))
    assert [cell["unreadable"].partition(":")[0] if isinstance(cell, dict) else cell for cell in sheet.rows[1]] == [
        "the cell holds an error such as #N/A or #REF!",
        "the cell holds a formula without its result",
        "a workbook keeps 15 digits of a number",
        "x",
    ]


def test_an_empty_text_is_a_result() -> None:
    hollow = b'<c r="A1" t="str"><f>IF(1,"","")</f><v></v></c>'
    data = changed(
        PLAIN, SHEET, lambda xml: xml.replace(xml[xml.index(b'<c r="A1"') : xml.index(b'<c r="B1"')], hollow)
    )
    assert sheets_of(data)[0].rows == [[None, "名称"]]


def test_prefixed_parts_are_looked_through_too() -> None:
    def prefixed(xml: bytes) -> bytes:
        error = b'<x:c r="A1" t="e" xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:v>#N/A</x:v></x:c>'
        return xml.replace(xml[xml.index(b'<c r="A1"') : xml.index(b'<c r="B1"')], error)

    assert sheets_of(changed(PLAIN, SHEET, prefixed))[0].rows[0][0]["unreadable"].startswith("the cell holds an error")


def test_every_cell_of_a_merged_range_holds_its_value() -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["a", "b"])
        sheet.merge_range(1, 0, 3, 0, "大同")
        for row in (1, 2, 3):
            sheet.write_number(row, 1, row)

    assert sheets_of(book(fill))[0].rows == [["a", "b"], ["大同", 1], ["大同", 2], ["大同", 3]]


def test_sheets_are_chosen_by_name_or_number_and_hidden_ones_left_out() -> None:
    def fill(made: Any, _: Any) -> None:
        made.add_worksheet("第二").write_string(0, 0, "two")
        hidden = made.add_worksheet("hidden")
        hidden.write_string(0, 0, "three")
        hidden.hide()

    data = book(fill)
    assert [sheet.name for sheet in sheets_of(data)] == ["客户", "第二"]
    assert sheets_of(data, "hidden")[0].rows == sheets_of(data, 3)[0].rows == [["three"]]
    for wanted in ("third", 4, 0):
        with pytest.raises(WrongFile, match=f"no sheet {wanted}") as caught:
            sheets_of(data, wanted)
        assert caught.value.remedy == "its sheets are: 客户, 第二, hidden"


def test_what_is_written_is_read_the_same() -> None:
    rows = [["a", "b", "c"], ["=1+1", "http://x", "00017"], [12.5, True, None], ["x\x01y\nz_x0041_", "𠮷🏭", -3]]
    (sheet,) = sheets_of(written(rows, "Datong"))
    assert sheet.rows == rows
    xml = zipfile.ZipFile(io.BytesIO(written(rows, "Datong"))).read(SHEET)
    assert b"<f>" not in xml and b"hyperlink" not in xml


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is something else"),
        (b"no,name\r\n1,x\r\n", "is something else"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "is an HTML page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 4096, "protected by a password"),
    ],
)
def test_what_is_no_workbook_is_told(data: bytes, says: str) -> None:
    with pytest.raises(WrongFile, match=says):
        sheets_of(data)


def test_another_archive_is_no_workbook() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(WrongFile, match="cannot be read as a workbook"):
        sheets_of(target.getvalue())


def test_half_a_workbook_is_unfinished() -> None:
    for length in (len(PLAIN) // 2, len(PLAIN) - 1, 10):
        with pytest.raises(Unfinished):
            sheets_of(PLAIN[:length])


def test_a_damaged_part_is_unfinished() -> None:
    spoilt = bytearray(PLAIN)
    at = PLAIN.index(b"PK\x03\x04") + 60
    spoilt[at] ^= 0xFF
    with pytest.raises((Unfinished, WrongFile)):
        sheets_of(bytes(spoilt))


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_BYTES", 5_000_000)
    bomb = changed(PLAIN, SHEET, lambda xml: xml.replace(b"</sheetData>", b" " * 20_000_000 + b"</sheetData>"))
    assert len(bomb) < 100_000
    with pytest.raises(WrongFile, match="larger than 5 MB"):
        sheets_of(bomb)


def test_a_bomb_that_lies_about_its_size_is_not_unpacked() -> None:
    """The directory says 100 bytes, the part holds 20 million: its checksum cannot be right."""
    bomb = bytearray(
        changed(PLAIN, SHEET, lambda xml: xml.replace(b"</sheetData>", b" " * 20_000_000 + b"</sheetData>"))
    )
    entry = bomb.index(b"PK\x01\x02")
    while True:
        length = struct.unpack_from("<H", bomb, entry + 28)[0]
        if bytes(bomb[entry + 46 : entry + 46 + length]) == SHEET.encode():
            struct.pack_into("<I", bomb, entry + 24, 100)
            break
        entry = bomb.index(b"PK\x01\x02", entry + 1)
    with pytest.raises((WrongFile, Unfinished)):
        sheets_of(bytes(bomb))


def test_a_cell_far_off_does_not_fill_the_memory() -> None:
    far = changed(
        PLAIN,
        SHEET,
        lambda xml: xml.replace(b'r="B1"', b'r="XFD1"').replace(
            b"</sheetData>", b'<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>'
        ),
    )
    with pytest.raises(WrongFile, match="reaches to row 1048576 and column 16384"):
        sheets_of(far)


def test_declared_entities_are_refused() -> None:
    laughs = changed(
        PLAIN, "xl/workbook.xml", lambda xml: xml.replace(b"<workbook", b'<!DOCTYPE x [<!ENTITY a "a">]><workbook', 1)
    )
    with pytest.raises(WrongFile):
        sheets_of(laughs)
