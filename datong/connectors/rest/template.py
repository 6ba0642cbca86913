"""Requests as the description writes them: any JSON value in which `{name}` stands for what is known at the call.

A text that is one placeholder alone becomes the value itself (a number stays a number, a list a list). A key whose
placeholder has no value on this call is left out; in a list the whole entry is, and a list that loses its last entry
so is left out itself. After a colon stands how the value is written into the text:
`{value:json}` as JSON, `{value:sql}` with quotes doubled, `{ids:comma}` as a list with commas; `{id:number}` alone
becomes a whole number. `{record.properties}` is a part of what is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import quote

from datong.base import json
from datong.mapping import ABSENT, Mistake, take

Known = Mapping[str, Any]
Render = Callable[[Known], Any]
Steps = tuple[str | int, ...]

_PLACE = re.compile(r"(?<!\$)\{([A-Za-z_]\w*(?:\.\w+)*)(?::(\w+))?\}")
_WRITTEN: Mapping[str, Callable[[Any], Any]] = {
    "number": int,
    "json": json.dumps,
    "sql": lambda value: str(value).replace("'", "''"),
    "comma": lambda value: ",".join(map(str, value)),
}


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Final = _Nothing()
"""A placeholder without a value: what holds it is left out."""


def placeholders(told: Any) -> set[str]:
    """Every name that stands in braces anywhere in `told`."""
    if isinstance(told, str):
        return {name.partition(".")[0] for name, _ in _PLACE.findall(told)}
    inner: Collection[Any] = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    return set().union(*(placeholders(one) for one in inner))


def wrong_places(told: Any, known: Collection[str], at: Steps = ()) -> Iterator[Mistake]:
    """Placeholders that mean nothing here, each with the place it stands at."""
    if isinstance(told, dict):
        for key, one in told.items():
            yield from wrong_places(one, known, (*at, key))
    elif isinstance(told, list):
        for number, one in enumerate(told):
            yield from wrong_places(one, known, (*at, number))
    elif isinstance(told, str):
        for name, how in _PLACE.findall(told):
            if name.partition(".")[0] not in known:
                near = get_close_matches(name, known, 1)
                remedy = f"did you mean {{{near[0]}}}?" if near else f"known here: {_braced(known)}"
                yield Mistake(f"the placeholder {{{name}}} has no meaning here", remedy, at)
            elif how and how not in _WRITTEN:
                yield Mistake(f"{{{name}:{how}}}: there is no such form", f"known are {', '.join(_WRITTEN)}", at)


def _braced(known: Collection[str]) -> str:
    return ", ".join(f"{{{one}}}" for one in sorted(known)) or "none"


def compiled(told: Any) -> Render:
    """`told` as a function of what is known; gives NOTHING where a placeholder alone has no value."""
    if not placeholders(told):
        return lambda known: told
    if isinstance(told, dict):
        parts = {key: compiled(one) for key, one in told.items()}
        return lambda known: {k: v for k, one in parts.items() if (v := one(known)) is not NOTHING}
    if isinstance(told, list):
        return _entries(told)
    alone = _PLACE.fullmatch(told)
    if alone:
        name, written = alone[1], _WRITTEN.get(alone[2] or "", _as_it_is)
        return lambda known: NOTHING if (value := _value(known, name)) is None else written(value)
    return _text(told, _shown)


def path(told: str) -> Callable[[Known], str]:
    """A path: every value in it is quoted, so that no id can lead elsewhere."""
    render = _text(told, _quoted)

    def rendered(known: Known) -> str:
        made = render(known)
        if made is NOTHING:
            raise ValueError(f"{told} cannot be filled: {', '.join(sorted(placeholders(told)))} is not known")
        return str(made)

    return rendered


def _entries(told: list[Any]) -> Render:
    items = [(compiled(one), placeholders(one)) for one in told]

    def render(known: Known) -> Any:
        made = [v for one, names in items if _there(names, known) and (v := one(known)) is not NOTHING]
        return made or NOTHING

    return render


def _value(known: Known, name: str) -> Any:
    """What is known by a name; `record.properties` is a part of it."""
    if "." not in name:
        return known.get(name)
    found = take(known, name)
    return None if found is ABSENT else found


def _there(names: set[str], known: Known) -> bool:
    return all(known.get(name) is not None for name in names)


def _as_it_is(value: Any) -> Any:
    return value


def _text(told: str, shown: Callable[[Any], str]) -> Render:
    pieces = _PLACE.split(told)  # text, name, how, text, name, how, ... text

    def render(known: Known) -> Any:
        made = [pieces[0]]
        for at in range(1, len(pieces), 3):
            value = _value(known, pieces[at])
            if value is None:
                return NOTHING
            how = pieces[at + 1]
            made += [shown(_WRITTEN[how](value) if how else value), pieces[at + 2]]
        return "".join(made)

    return render


def _quoted(value: Any) -> str:
    shown = _shown(value)
    return shown.replace(".", "%2E") if shown in (".", "..") else quote(shown, safe="")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
