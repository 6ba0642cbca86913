"""What commands print: tables for people, one JSON document for scripts, one JSON line an item for streams.

Standard output holds the answer and nothing else; notes, progress and errors go to standard error.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from datong.cli.context import Session

WIDE = 160
"""Columns, where the answer goes to no terminal."""
_ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def inert(text: str) -> str:
    """Without what acts on a terminal: control characters, and marks that turn the direction of writing, are spelt out.

    Names come from other systems, and whoever writes them there must not write on the screen of who looks here.
    """
    return _ACTING.sub(lambda found: ascii(found[0])[1:-1], text)


def console() -> Console:
    from rich.console import Console

    width = None if sys.stdout.isatty() else WIDE
    return Console(highlight=False, markup=False, width=width)


def show(*parts: RenderableType) -> None:
    """Lines are left whole, so that a command in them can be copied; rich is loaded for tables only."""
    for part in parts:
        if isinstance(part, str):
            print(inert(part))
        else:
            console().print(part, soft_wrap=not sys.stdout.isatty())


def note(text: str) -> None:
    """Something to know, beside the answer."""
    print(inert(text), file=sys.stderr)


def document(value: Any) -> None:
    """The one JSON document of a command."""
    from datong.base import json

    print(json.pretty(plain(value)))


def plain(value: Any) -> Any:
    """Times as text, in UTC; everything else as it is."""
    if isinstance(value, datetime):
        from datong.base.clock import to_text

        return to_text(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> RenderableType:
    """Numbers to the right, text folded, nothing in it taken for markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    told = [[cell(value) for value in row] for row in rows]
    made = Table(title=Text(title) if title else None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        right = bool(told) and all(row[number].lstrip("-").isdigit() for row in told)
        made.add_column(Text(name), justify="right" if right else "left", overflow="fold", no_wrap=right)
    for row in told:
        made.add_row(*(Text(value) for value in row))
    return made


def cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(one) for one in value)
    return inert(str(value))


def short(value: Any, most: int = 60) -> str:
    """A value in little space; nothing is `∅`."""
    text = "∅" if value is None or value == "" else cell(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def moved(fields: Mapping[str, Mapping[str, Any]], most: int = 6) -> str:
    """`phone: 021 1 -> 021 2`, a field a line."""
    lines = [f"{name}: {short(v.get('before'), 40)} -> {short(v.get('after'), 40)}" for name, v in fields.items()]
    more = [f"… {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join(lines[:most] + more)


def listing(
    session: Session,
    items: Sequence[Mapping[str, Any]],
    *,
    ndjson: bool,
    limit: int,
    title: str,
    columns: Mapping[str, str],
    key: str = "id",
) -> None:
    """A list as `--ndjson`, as `{"items": [...], "next": ...}` or as a table. `next` is what `--after` takes."""
    more = items[limit - 1][key] if len(items) > limit else None
    items = items[:limit]
    if ndjson:
        from datong.base import json

        for item in items:
            print(json.dumps(plain(item)))
    elif session.json:
        document({"items": items, "next": more})
    else:
        show(table(title, list(columns.values()), [[item.get(name) for name in columns] for item in items]))
        if not items:
            show("none")
        if more is not None:
            note(f"there is more: --after {more}")
