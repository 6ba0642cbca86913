"""Changes of records to changes of rows: values in, rows out. Nothing here touches a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datong.connectors.files import csvs, workbooks
from datong.connectors.files.settings import WORKBOOK, KindList
from datong.connectors.files.tables import CHANGED, OWN_KEY, TIME, WRITTEN, Listing
from datong.kit import ItemWrite, Write
from datong.mapping import ABSENT, take

Cell = Any


class NotPossible(ValueError):
    """This row cannot be written so; `field` is the place at fault."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.field = field


class Desk:
    """The rows of the file that is written, while they are changed. A new file has every column, one that people keep
    gets those that it lacks when there is something to write into them.

    `timed`: rows carry the time at which we wrote them, for the file lies beside others that say something too.
    """

    def __init__(self, told: KindList, listing: Listing | None, timed: bool, form: tuple[str, str]) -> None:
        self.told = told
        self.workbook = str(told.out).lower().endswith(WORKBOOK)
        self.encoding, self.delimiter = form
        self.changed = False
        self._names = {place: column.column[0] for place, column in told.columns().items()}
        self._names |= {OWN_KEY: told.ours[0], **({WRITTEN: TIME} if timed else {})}
        above = listing.raw[: listing.header_at] if listing else [[] for _ in range(told.header_row - 1)]
        header = [*listing.raw[listing.header_at]] if listing else list(self._names.values())
        self.columns = dict(listing.columns) if listing else {place: at for at, place in enumerate(self._names)}
        self._above, self._header = above, header
        self._rows, self._at = _body(listing)

    def cells(self, write: Write, before: Mapping[str, Cell]) -> dict[str, Cell]:
        """What `write` makes of a row. Raises NotPossible."""
        cells = dict(before)
        for place in self.told.fields:
            value = take(write.values, place)
            if value is not ABSENT:
                cells[place] = value
        for items in write.items.values():
            cells.update(_addresses(self.told, cells, items))
        if write.action == "create" and write.key is not None:
            cells[OWN_KEY] = write.key
        for place, value in cells.items():
            self._fits(place, value)
        return cells

    def put(self, id: str, cells: Mapping[str, Cell], now: str) -> None:
        """A row is changed, or is new."""
        if id not in self._at:
            self._at[id] = len(self._rows)
            self._rows.append([])
        row = self._rows[self._at[id]]
        assert row is not None
        stamps = {place: now for place in (WRITTEN, CHANGED) if place in {*self._names, *self.columns}}
        for place, value in {**cells, **stamps}.items():
            cell = None if isinstance(value, dict) else value
            if cell is not None and place not in self.columns:
                self.columns[place] = len(self._header)
                self._header.append(self._names[place])
            if place in self.columns:
                at = self.columns[place]
                row.extend([None] * (at + 1 - len(row)))
                row[at] = cell
        self.changed = True

    def remove(self, id: str) -> None:
        at = self._at.pop(id, None)
        if at is not None:
            self._rows[at] = None
            self.changed = True

    def content(self) -> bytes:
        """The file."""
        width = len(self._header)
        rows = [
            *self._above,
            self._header,
            *(row + [None] * (width - len(row)) for row in self._rows if row is not None),
        ]
        if self.told.ends_with is not None:
            rows.append([self.told.ends_with, *[None] * (width - 1)])
        if self.workbook:
            return workbooks.written(rows, self.told.out_sheet)
        text = csvs.written([[_text(cell) for cell in row] for row in rows], self.delimiter)
        return text.encode(self.encoding)

    def _fits(self, place: str, value: Cell) -> None:
        text = _text(value)
        if "\x00" in text:
            raise NotPossible("a NUL character cannot stand in a list", place)
        if self.workbook and len(text.encode("utf-16-le")) // 2 > workbooks.LONGEST_CELL:
            raise NotPossible(f"a cell of a workbook holds {workbooks.LONGEST_CELL} characters at most", place)
        if not self.workbook:
            try:
                text.encode(self.encoding)
            except UnicodeEncodeError as error:
                wrong = text[error.start : error.start + 1]
                raise NotPossible(f"the encoding of the file, {self.encoding}, has no {wrong!r}", place) from None


def _body(listing: Listing | None) -> tuple[list[list[Cell] | None], dict[str, int]]:
    """The rows below the header as they stand, and where each record is."""
    if listing is None:
        return [], {}
    first = listing.header_at + 2
    rows: list[list[Cell] | None] = [list(row) for row in listing.raw[listing.header_at + 1 : listing.end]]
    return rows, {row.id: row.number - first for row in listing.rows}


def _text(cell: Cell) -> str:
    return "" if cell is None or isinstance(cell, dict) else str(cell)


def _addresses(told: KindList, cells: Mapping[str, Cell], items: Sequence[ItemWrite]) -> dict[str, Cell]:
    """The cells of the addresses after these changes. A new one takes columns that were empty before, if there are."""
    after: dict[str, dict[str, Cell]] = {}
    for place, columns in told.addresses.items():
        after[place] = {leaf: cells.get(f"addresses.{place}.{leaf}") for leaf in columns}
    free = [place for place, leaves in after.items() if not any(leaves.values())]
    for item in sorted(items, key=lambda one: ("update", "delete", "create").index(one.action)):
        place = str(item.id) if item.action != "create" else _taken(free, item)
        if place not in after:
            raise NotPossible(f"the list has no columns for the address {place}", "addresses")
        values = {leaf: value for leaf, value in item.values.items() if leaf != "use"}
        if item.action == "delete":
            values = dict.fromkeys(after[place])
            free.append(place)
        elif unknown := sorted(values.keys() - after[place].keys()):
            raise NotPossible(f"the list has no column for {', '.join(unknown)} of the address {place}", "addresses")
        after[place].update(values)
    return {f"addresses.{place}.{leaf}": value for place, leaves in after.items() for leaf, value in leaves.items()}


def _taken(free: list[str], item: ItemWrite) -> str:
    """Columns for a new address, of its own use where it has one."""
    use = item.values.get("use")
    found = next((place for place in free if use in (None, place)), None)
    if found is None:
        raise NotPossible(f"the list has no free columns for one more address ({use or 'of any use'})", "addresses")
    free.remove(found)
    return found
