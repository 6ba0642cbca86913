"""The file beside each list that says what became of each of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from datong.connectors.files import csvs, folder
from datong.connectors.files.held import File
from datong.connectors.files.settings import RESULT
from datong.connectors.files.trouble import Unfinished, WrongFile

Fate = tuple[str, str, str]
"""What happened, why, and what a person can do."""
Fates = Callable[[Sequence[str], datetime], Mapping[str, Fate]]
"""(native ids, since when) -> what became of them."""
HEADER = ("row", "record", "result", "reason", "remedy")
_UNKNOWN: Fate = ("waiting", "it was not taken in yet", "")


def write(file: File, fates: Fates) -> Path | None:
    """Write the result of one file; gives its path, or None where it says the same as before."""
    rows = [HEADER, *lines(file, fates)]
    data = csvs.written(rows, ",").encode("utf-8-sig")
    path = file.found.path.with_name(file.found.path.name + RESULT)
    known = folder.look(path)
    if known is not None and path.read_bytes() == data:
        return None
    folder.replace(path, data, known)
    return path


def lines(file: File, fates: Fates) -> list[tuple[str, str, str, str, str]]:
    """A line for each row that says something, in the order of the list."""
    if file.listing is None:
        return [_of_trouble(file.trouble)]
    told = fates([row.id for row in file.listing.rows], file.found.modified)
    numbered = [(row.number, row.id, *told.get(row.id, _UNKNOWN)) for row in file.listing.rows]
    numbered += [(one.row, one.id or "", "not taken", one.reason, one.remedy) for one in file.listing.problems]
    return [(str(number), id, what, why, remedy) for number, id, what, why, remedy in sorted(numbered)]


def _of_trouble(trouble: WrongFile | Unfinished | None) -> tuple[str, str, str, str, str]:
    if isinstance(trouble, WrongFile):
        return ("", "", "not read", trouble.reason, trouble.remedy)
    return ("", "", "waiting", str(trouble), "")
