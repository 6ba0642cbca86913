"""What a folder holds of one kind: the newest of what its files say of each record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from datong.base.json import digest
from datong.connectors.files import csvs, workbooks
from datong.connectors.files.folder import Found
from datong.connectors.files.settings import WORKBOOK, KindList
from datong.connectors.files.tables import OWN_KEY, Listing, known_columns, listing, wire
from datong.connectors.files.texts import decoded
from datong.connectors.files.trouble import RowProblem, Unfinished, WrongFile
from datong.kit import WireRecord
from datong.mapping import Converter

_EVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class File:
    """One file and what it says, or why it says nothing. `form` is how its text was written."""

    found: Found
    listing: Listing | None
    trouble: WrongFile | Unfinished | None = None
    form: tuple[str, str] = ("utf-8-sig", ",")

    def stands(self, found: Found) -> bool:
        """Whether what was read still holds for the file as it is now."""
        return self.found == found and not isinstance(self.trouble, Unfinished)


@dataclass
class Holding:
    """Every record that the files hold, and what is wrong with the rest."""

    records: dict[str, WireRecord] = field(default_factory=dict)
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    broken: dict[str, RowProblem] = field(default_factory=dict)
    blind: bool = False


def opened(found: Found, data: bytes, told: KindList, zone: str) -> File:
    """What one file says. A mistake in it is part of the answer."""
    try:
        if found.path.suffix.lower() in WORKBOOK:
            return File(found, _of_workbook(data, told, zone))
        text, encoding = decoded(data, told.encoding)
        if text.lstrip()[:1] == "<":
            raise WrongFile("it is a web page or XML, no list", "look what it says: often it asks to sign in")
        if told.delimiter == "auto":
            delimiter, rows = csvs.sniffed(text, known_columns(told), told.header_row)
        else:
            delimiter = csvs.DELIMITERS[told.delimiter]
            rows = csvs.rows_of(text, delimiter)
        return File(found, listing(rows, told, zone), form=(encoding, delimiter))
    except (WrongFile, Unfinished) as trouble:
        return File(found, None, trouble)


def _of_workbook(data: bytes, told: KindList, zone: str) -> Listing:
    sheets = workbooks.sheets_of(data, told.sheet)
    if not sheets:
        raise WrongFile("it has no sheet", "have it written again")
    if len(sheets) == 1:
        return listing(sheets[0].rows, told, zone)
    score = known_columns(told)
    at = told.header_row - 1
    fits = [one for one in sheets if len(one.rows) > at and score(one.rows[at])]
    best = max((score(one.rows[at]) for one in fits), default=0)
    fits = [one for one in fits if score(one.rows[at]) == best]
    if len(fits) != 1:
        names = ", ".join(one.name for one in fits or sheets)
        raise WrongFile(f"which sheet is the list is not certain: {names}", "say which with `sheet:`")
    return listing(fits[0].rows, told, zone)


def holding(files: Sequence[File], out: File | None, told: KindList, dated: bool, grace: timedelta) -> Holding:
    """The records of all files that count: oldest first, a later row replaces what it has columns for.

    `out` is the file that we write, where it is none of `files`; what stands there and has not come back with a whole
    list that is younger by more than `grace` is gone. `dated`: records carry their change time.
    """
    made = Holding()
    said: dict[str, list[tuple[datetime, Mapping[str, Any]]]] = {}
    for file in files:
        _note(made, file)
        for row in file.listing.rows if file.listing else ():
            said.setdefault(row.id, []).append((row.changed or file.found.modified, row.cells))
    counts_from = files[-1].found.modified - grace if told.whole and files else _EVER
    if out is not None and out.listing is not None:
        _note(made, out)
        for row in out.listing.rows:
            at = row.changed or out.found.modified
            if row.id in said or at > counts_from:
                said.setdefault(row.id, []).append((at, row.cells))
    for id, times in said.items():
        _keep(made, id, sorted(times, key=lambda one: one[0]), told, dated)
    return made


def _note(made: Holding, file: File) -> None:
    if file.listing is not None:
        made.blind = made.blind or file.listing.blind
        made.broken.update((one.id, one) for one in file.listing.problems if one.id is not None)


def _keep(
    made: Holding, id: str, times: Sequence[tuple[datetime, Mapping[str, Any]]], told: KindList, dated: bool
) -> None:
    cells = {place: cell for _, told_cells in times for place, cell in told_cells.items()}
    data = wire(cells, told)
    active = told.fields.get("active")
    off = active is not None and said(active.converter, cells.get("active")) is False
    made.cells[id] = cells
    made.records[id] = WireRecord(id, data, digest(data), times[-1][0] if dated else None, active=not off)
    made.broken.pop(id, None)
    if cells.get(OWN_KEY):
        made.by_key[str(cells[OWN_KEY])] = id


def said(convert: Converter, cell: Any) -> Any:
    """What a cell means; None where it cannot be understood."""
    try:
        return convert.from_wire(cell)
    except (ValueError, TypeError, ArithmeticError):
        return None
