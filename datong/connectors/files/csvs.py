"""CSV to rows of cells and back."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence

from datong.connectors.files.trouble import Unfinished, WrongFile

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
Row = list[str]
_DANGEROUS = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*", re.ASCII)


def rows_of(text: str, delimiter: str) -> list[Row]:
    """Every row, empty ones too. Raises WrongFile, or Unfinished where the text ends inside a quoted cell."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    started = 1
    try:
        for row in reader:
            rows.append([shown(cell) for cell in row])
            started = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise Unfinished(f"it ends within a quoted cell that begins in line {started} or later") from None
        remedy = "look for a quotation mark without its partner in that line"
        raise WrongFile(f"line {started} and following: {error}", remedy) from None
    _must_be_whole(text, rows)
    return rows


def _must_be_whole(text: str, rows: Sequence[Row]) -> None:
    """A last line without its end was cut where it is shorter than the others, or where it is the header."""
    told = [row for row in rows if row]
    if not told or text.endswith(("\n", "\r")):
        return
    if len(told) == 1:
        raise Unfinished("its only line has no end")
    if len(told[-1]) < len(told[-2]):
        raise Unfinished(f"its last line is cut: {len(told[-1])} cells, {len(told[-2])} before, and no end of line")


def sniffed(text: str, known: Callable[[Row], int], header_row: int) -> tuple[str, list[Row]]:
    """The one delimiter under which the header names the most of our columns, and the rows. Raises WrongFile."""
    found: dict[str, tuple[int, list[Row]]] = {}
    trouble: ValueError | None = None
    for delimiter in DELIMITERS.values():
        try:
            rows = rows_of(text, delimiter)
        except (WrongFile, Unfinished) as error:
            trouble = trouble or error
            continue
        header = rows[header_row - 1] if len(rows) >= header_row else []
        found[delimiter] = (known(header), rows)
    if not found:
        raise trouble or WrongFile("it is empty", "have it written again")
    best = max(score for score, _ in found.values())
    winners = [delimiter for delimiter, (score, _) in found.items() if score == best]
    if best and any(found[one][1] != found[winners[0]][1] for one in winners):
        raise WrongFile("its delimiter is not certain", "say which with `delimiter:` comma, semicolon, tab or pipe")
    if not best and trouble is not None:
        raise trouble
    return winners[0], found[winners[0]][1]


def written(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter, lineterminator="\r\n").writerows([[safe(c) for c in r] for r in rows])
    return target.getvalue()


def safe(cell: str) -> str:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it; plain numbers stay."""
    return f"'{cell}" if _DANGEROUS.match(cell) and not _NUMBER.fullmatch(cell) else cell


def shown(cell: str) -> str:
    """What `safe` was given."""
    return cell[1:] if cell.startswith("'") and _DANGEROUS.match(cell) else cell
