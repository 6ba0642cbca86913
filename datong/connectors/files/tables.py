"""Rows of cells to records and back: which column is which, which row is which record, and what is wrong with a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from datong.base.clock import from_text
from datong.connectors.files.settings import KindList, plain_header
from datong.connectors.files.trouble import RowProblem, Unfinished, WrongFile
from datong.mapping import put, visible

OWN_KEY = "datong_key"
"""Place of our own key in a wire record."""
TIME = "Datong time"
"""Column of files that we write apart from those that we read: when we wrote the row."""
CHANGED, WRITTEN = "@changed", "@written"
"""Places of the change time and of our own time: no part of a wire record."""
USES = ("billing", "shipping", "office")
_LONGEST_ID = 200
_MOJIBAKE = re.compile("\ufffd|锟斤拷")

Cell = Any


@dataclass(frozen=True)
class Row:
    """One row that is a record. `cells` by place: what the file has no column for is not among them."""

    number: int
    id: str
    cells: Mapping[str, Cell]
    changed: datetime | None = None


@dataclass
class Listing:
    """One file as read: `raw` are its rows, those up to `end` (from 0) are above the closing row.

    `blind`: there is a row of which nobody can say which record it is.
    """

    columns: dict[str, int]
    raw: list[list[Cell]]
    header_at: int
    end: int
    rows: list[Row] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)

    @property
    def blind(self) -> bool:
        return any(one.id is None for one in self.problems)


def known_columns(told: KindList) -> Callable[[Sequence[Cell]], int]:
    """How many of our columns a header names."""
    names = {plain_header(h) for c in told.columns().values() for h in c.column} | {plain_header(h) for h in told.ours}
    return lambda header: sum(plain_header(cell) in names for cell in header if cell)


def listing(raw: Sequence[Sequence[Cell]], told: KindList, zone: str) -> Listing:
    """The records of one table. Raises WrongFile or Unfinished."""
    rows = [list(row) for row in raw]
    if not any(_filled(row) for row in rows):
        raise WrongFile("it is empty: not even a header", "have it written again")
    at = told.header_row - 1
    header = rows[at] if at < len(rows) else []
    while header and not _has(header[-1]):
        header.pop()
    columns = _columns(header, told, rows)
    made = Listing(columns, rows, at, len(rows))
    body = list(_body(rows, at, told, made))
    found = [row for number, cells in body if (row := _row(number, cells, told, made, zone)) is not None]
    _without_doubles(found, made)
    return made


def _filled(cells: Iterable[Cell]) -> bool:
    return any(_has(cell) for cell in cells)


def _has(cell: Cell) -> bool:
    return cell is not None and (not isinstance(cell, str) or cell.strip() != "")


def _columns(header: Sequence[Cell], told: KindList, rows: Sequence[Sequence[Cell]]) -> dict[str, int]:
    wanted = {place: c.column for place, c in told.columns().items()} | {OWN_KEY: told.ours, WRITTEN: [TIME]}
    if told.changed not in (None, "file"):
        wanted[CHANGED] = told.changed.column  # type: ignore[union-attr]
    by_name: dict[str, list[int]] = {}
    for index, cell in enumerate(header):
        if _has(cell):
            by_name.setdefault(plain_header(cell), []).append(index)
    columns: dict[str, int] = {}
    for place, names in wanted.items():
        at = [index for name in dict.fromkeys(map(plain_header, names)) for index in by_name.get(name, ())]
        if len(at) > 1:
            shown = " and ".join(f"column {index + 1} ({header[index]})" for index in sorted(at))
            raise WrongFile(f"{place} has several columns: {shown}", "remove or rename one of them")
        if at:
            columns[place] = at[0]
    missing = [one for one in (told.id or [OWN_KEY]) if one not in columns]
    if missing:
        raise WrongFile(*_no_id(missing, wanted, told, rows))
    return columns


def _no_id(
    missing: Sequence[str], wanted: Mapping[str, Sequence[str]], told: KindList, rows: Sequence[Sequence[Cell]]
) -> tuple[str, str]:
    names = " and ".join(f"{one} (called {' or '.join(wanted[one])})" for one in missing)
    score = known_columns(told)
    best = max(range(min(len(rows), 100)), key=lambda n: (score(rows[n]), -n))
    if score(rows[best]) and best != told.header_row - 1:
        return f"row {told.header_row} is no header: there is no column for {names}", f"set `header_row: {best + 1}`"
    at = told.header_row - 1
    there = ", ".join(str(cell)[:40] for cell in rows[at] if _has(cell)) if at < len(rows) else "nothing"
    return f"there is no column for {names}", f"row {told.header_row} names {there}: add the name to `column:`"


def _body(rows: Sequence[list[Cell]], at: int, told: KindList, made: Listing) -> Iterator[tuple[int, list[Cell]]]:
    """The rows below the header that say something, by their number."""
    width = len(rows[at])
    header = [plain_header(cell or "") for cell in rows[at]]
    for number, cells in enumerate(rows[at + 1 :], at + 2):
        if not _filled(cells):
            continue
        if told.ends_with is not None and visible(str(cells[0])) == told.ends_with:
            made.end = number - 1
            return
        while len(cells) > width and not _has(cells[-1]):
            cells.pop()
        if all(plain_header(cell or "") == name for cell, name in zip(cells, header, strict=False)):
            continue  # the header again, as at the top of each printed page
        if len(cells) != width:
            remedy = "look for a delimiter or a line break within a cell that is not quoted"
            made.problems.append(RowProblem(number, None, f"it has {len(cells)} cells, the header {width}", remedy))
            continue
        yield number, cells
    if told.ends_with is not None:
        raise Unfinished(f"its last row, {told.ends_with!r}, is not there yet")


def _row(number: int, cells: Sequence[Cell], told: KindList, made: Listing, zone: str) -> Row | None:
    found = {place: _readable(cells[index]) for place, index in made.columns.items()}
    try:
        id = row_id(found, told)
        changed = _moment(found.pop(WRITTEN, None), "UTC") or _moment(found.pop(CHANGED, None), zone)
    except ValueError as error:
        reason, _, remedy = str(error).partition("|")
        made.problems.append(RowProblem(number, _id_or_none(found, told), reason, remedy))
        return None
    return Row(number, id, found, changed)


def _readable(cell: Cell) -> Cell:
    if isinstance(cell, str):
        if _MOJIBAKE.search(cell):
            return {"unreadable": "characters were lost when the file was made"}
        return cell or None
    return cell


def row_id(cells: Mapping[str, Cell], told: KindList) -> str:
    """By what a row is known again. Raises ValueError with `reason|remedy`."""
    parts = []
    for name in told.id or [OWN_KEY]:
        cell = cells.get(name)
        if isinstance(cell, dict):
            raise ValueError(f"{name}: {cell['unreadable']}|mend the cell")
        part = visible(str(cell)) if _has(cell) else ""
        if not part:
            raise ValueError(f"{name} is empty, by which the row would be known again|fill it in")
        parts.append(part.replace("\\", "\\\\").replace("|", "\\|") if len(told.id) > 1 else part)
    id = "|".join(parts)
    if len(id) > _LONGEST_ID:
        raise ValueError(f"{' and '.join(told.id)} is longer than {_LONGEST_ID} characters|shorten it")
    return id


def _id_or_none(cells: Mapping[str, Cell], told: KindList) -> str | None:
    try:
        return row_id(cells, told)
    except ValueError:
        return None


def _moment(cell: Cell, zone: str) -> datetime | None:
    if not _has(cell):
        return None
    try:
        return from_text(visible(str(cell)).replace("/", "-"), zone)
    except ValueError:
        raise ValueError(f"{cell!r:.40} is no change time|write it as 2026-11-21 08:30:00") from None


def _without_doubles(found: Sequence[Row], made: Listing) -> None:
    by_id: dict[str, list[Row]] = {}
    for row in found:
        by_id.setdefault(row.id, []).append(row)
    for id, rows in by_id.items():
        first = rows[0]
        if all(row.cells == first.cells for row in rows[1:]):
            made.rows.append(first)
            remedy = "nothing must be done; remove it when you like"
            made.problems += [RowProblem(r.number, id, f"the same as row {first.number}", remedy) for r in rows[1:]]
            continue
        numbers = ", ".join(str(row.number) for row in rows)
        reason = f"{id} stands in rows {numbers} with different values: none of them was taken"
        made.problems += [RowProblem(row.number, id, reason, "leave the right one, remove the others") for row in rows]
    made.rows.sort(key=lambda row: row.number)


def wire(cells: Mapping[str, Cell], told: KindList) -> dict[str, Any]:
    """The wire record: fields nested by name, addresses as items that have something in them."""
    data: dict[str, Any] = {}
    for place in (*told.fields, OWN_KEY):
        if place in cells:
            put(data, place, cells[place])
    parts = [
        {leaf: cells[place] for leaf in leaves if (place := f"addresses.{use}.{leaf}") in cells}
        for use, leaves in told.addresses.items()
    ]
    if any(parts):
        named = zip(told.addresses, parts, strict=True)
        data["addresses"] = [
            {"id": use, "use": use if use in USES else None, **part} for use, part in named if _filled(part.values())
        ]
    return data
