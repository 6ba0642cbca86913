"""Workbooks for people: amounts as numbers, everything else as text that stays text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date as Day
from decimal import Decimal
from typing import Any

Cell = str | Decimal | Day | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_DIGITS = 15
"""More than a spreadsheet keeps of a number."""


@dataclass(frozen=True)
class Column:
    title: str
    width: int = 12
    places: int | None = None
    """Decimals of the numbers in it; None: as many as they have."""


@dataclass(frozen=True)
class Sheet:
    """`head` stands above the header line, a line a row, `foot` below the rows; `wide` is printed across."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    head: Sequence[Sequence[Cell]] = ()
    foot: Sequence[Sequence[Cell]] = ()
    wide: bool = False
    bold_rows: Sequence[int] = field(default=())


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """An .xlsx file. Nothing in it is a formula or a link: what begins like one is marked as text, so that it stays
    text when somebody edits or exports it."""
    import xlsxwriter

    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        for sheet in sheets:
            _Page(book, sheet).fill()
    return target.getvalue()


class _Page:
    def __init__(self, book: Any, sheet: Sheet) -> None:
        self.book, self.sheet = book, sheet
        self.page = book.add_worksheet(sheet.name[:31])
        self.formats: dict[tuple[Any, ...], Any] = {}

    def fill(self) -> None:
        sheet, page = self.sheet, self.page
        for at, column in enumerate(sheet.columns):
            page.set_column(at, at, column.width)
        top = len(sheet.head)
        for row, cells in enumerate(sheet.head):
            self.line(row, cells, bold=row == 0)
        self.line(top, [one.title for one in sheet.columns], bold=True, under=True)
        for row, cells in enumerate(sheet.rows):
            self.line(top + 1 + row, cells, bold=row in sheet.bold_rows)
        for row, cells in enumerate(sheet.foot):
            self.line(top + 1 + len(sheet.rows) + row, cells)
        page.freeze_panes(top + 1, 0)
        page.repeat_rows(top)
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        if sheet.wide:
            page.set_landscape()

    def line(self, row: int, cells: Sequence[Cell], *, bold: bool = False, under: bool = False) -> None:
        for at, value in enumerate(cells):
            if isinstance(value, Decimal) and len(value.as_tuple().digits) <= _DIGITS:
                places = self.sheet.columns[at].places if at < len(self.sheet.columns) else None
                self.page.write_number(row, at, float(value), self.format(bold, under, places=places))
            elif isinstance(value, Day):
                self.page.write_string(row, at, value.isoformat(), self.format(bold, under))
            elif value is not None and value != "":
                text = str(value)
                quoted = text.startswith(_FORMULA)
                self.page.write_string(row, at, text, self.format(bold, under, quoted=quoted, text=True))

    def format(self, bold: bool, under: bool, **more: Any) -> Any:
        key = (bold, under, *sorted(more.items(), key=str))
        if key not in self.formats:
            told: dict[str, Any] = {"bold": bold, "bottom": 1 if under else 0, "valign": "top"}
            if more.get("text"):
                told |= {"num_format": "@", "quote_prefix": bool(more.get("quoted"))}
            elif "places" in more:
                places = more["places"]
                told["num_format"] = (
                    "#,##0.######" if places is None else "#,##0" + ("." + "0" * places if places else "")
                )
            self.formats[key] = self.book.add_format(told)
        return self.formats[key]
