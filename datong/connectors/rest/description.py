"""What may stand in the description of a REST system. Every mistake in it names file and line.

Here are the parts that ask and answer; `proofs.py` has who we are and who calls us, `kinds.py` one kind of record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from datong.connectors.rest.template import placeholders, wrong_places
from datong.mapping import ABSENT, Mistake, take

_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: Any) -> Any:
    found = _DURATION.fullmatch(str(value))
    if isinstance(value, timedelta) or value is None:
        return value
    if found is None:
        raise Mistake(f"{value!r:.60} is not a duration", "write a whole number and ms, s, m, h or d, such as 30s")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Duration = Annotated[timedelta, BeforeValidator(_duration)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def value_at(data: Any, path: str) -> Any:
    """What lies at `path`, or ABSENT. An empty path is the whole; a number goes into a list."""
    if not path:
        return data
    if isinstance(data, Mapping):
        found = take(data, path)
        if found is not ABSENT or not any(step.isdigit() for step in path.split(".")):
            return found
    for step in path.split("."):
        if isinstance(data, Mapping) and step in data:
            data = data[step]
        elif isinstance(data, (list, tuple)) and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return ABSENT
    return data


def whole_at(data: Any, path: str) -> int | None:
    """The whole number at `path`, as number or text; None where there is none."""
    found = value_at(data, path)
    text = str(found)
    return int(text) if not isinstance(found, bool) and text.isascii() and text.isdigit() and len(text) < 20 else None


def text_at(data: Any, path: str | None) -> str:
    """What lies at `path` for people; empty where nothing does."""
    found = None if path is None else value_at(data, path)
    if found is None or found is ABSENT:
        return ""
    if isinstance(found, (list, tuple)):
        return "; ".join(map(str, found))
    if isinstance(found, Mapping):
        return "; ".join(f"{name}: {why}" for name, why in found.items())
    return str(found)


def field_at(data: Any, path: str | None) -> str | None:
    """The path of a field at fault: a text, or the first key of an object that says of each field what is wrong."""
    found = None if path is None else value_at(data, path)
    if isinstance(found, Mapping):
        found = next(iter(found), None)
    return re.sub(r"\[\d+\]", "", found) if isinstance(found, str) and found else None


class Condition(Part):
    """A question about an answer: exactly one of equals, differs, one_of, none_of, present."""

    path: str = ""
    """where the value lies, dots go inside"""
    equals: Any = None
    """true when it is this"""
    differs: Any = None
    """true when it is there and not this"""
    one_of: list[Any] | None = None
    """true when it is one of these"""
    none_of: list[Any] | None = None
    """true when it is there and none of these"""
    present: bool | None = None
    """true when there is something (true) or nothing (false)"""

    @model_validator(mode="after")
    def _one(self) -> Condition:
        asked = self.model_fields_set - {"path"}
        if len(asked) != 1:
            told = " and ".join(sorted(asked)) or "nothing"
            raise Mistake(
                f"{told} asked in one condition", "ask exactly one of equals, differs, one_of, none_of, present"
            )
        return self

    def asked(self) -> Callable[[Any], bool]:
        """The question, made for being asked often."""
        wanted = self.one_of if self.one_of is not None else [self.equals] if "equals" in self.model_fields_set else []
        if not wanted or "." in self.path or not self.path or not all(isinstance(one, str) for one in wanted):
            return self.holds
        texts = frozenset(wanted)

        def holds(data: Any) -> bool:
            found = data.get(self.path) if data.__class__ is dict else None
            return found in texts if found.__class__ is str else self.holds(data)

        return holds

    def holds(self, data: Any) -> bool:
        found = value_at(data, self.path)
        if self.present is not None:
            return self.present is (found is not ABSENT and found not in (None, "", [], {}))
        if "equals" in self.model_fields_set:
            return found is not ABSENT and _same(found, self.equals)
        if self.one_of is not None:
            return found is not ABSENT and any(_same(found, one) for one in self.one_of)
        if found is ABSENT:
            return False
        if self.none_of is not None:
            return not any(_same(found, one) for one in self.none_of)
        return not _same(found, self.differs)

    def silent(self, data: Any) -> bool:
        """Is there nothing that could be asked about?"""
        return self.present is None and value_at(data, self.path) is ABSENT


def _same(found: Any, told: Any) -> bool:
    """`true` is not 1, and 0 and "0" are the same: YAML and JSON do not always agree on what a code is."""
    if isinstance(found, bool) or isinstance(told, bool):
        return found is told
    return bool(found == told) or (found is not None and told is not None and str(found) == str(told))


class ErrorRule(Part):
    """Which answers are errors, and what follows. The first rule that fits decides."""

    status: list[int] | None = None
    """statuses it is about; nothing: any"""
    when: Condition | None = None
    """what the answer must say for it"""
    then: Literal["refused", "later", "limited", "denied", "unknown", "bad", "login"]
    """refused: this request is wrong; later: nothing happened, try again; limited: too many requests; denied:
    credentials or rights; unknown: nobody knows whether it happened; bad: not what was promised; login: the session is
    over, log in and ask again"""
    text: str | None = None
    """where the words for people lie"""
    code: str | None = None
    """where the system's own code lies"""
    field: str | None = None
    """where the path of the field at fault lies"""
    after: str | None = None
    """where the seconds to wait lie"""

    @model_validator(mode="after")
    def _about_something(self) -> ErrorRule:
        if self.status is None and self.when is None:
            raise Mistake("this rule makes every answer an error", "say for which `status`, or `when`")
        return self


# Requests.


class Request(Part):
    """One call. In path, params, headers and body `{name}` stands for what is known at the call."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str = Field(pattern=r"^/")
    """path after the address of the connection, beginning with /"""
    params: dict[str, Any] = Field(default_factory=dict)
    """what goes behind the question mark"""
    headers: dict[str, str] = Field(default_factory=dict)
    """headers of this call"""
    body: Any = None
    """what is sent as JSON"""

    @property
    def places(self) -> set[str]:
        return placeholders([self.path, self.params, self.headers, self.body])

    def know(self, known: Collection[str], needed: Collection[str] = ()) -> None:
        """Raises Mistake for a placeholder that is not among `known`, or where none of `needed` is used."""
        for name in ("path", "params", "headers", "body"):
            for wrong in wrong_places(getattr(self, name), known, (name,)):
                raise wrong
        if needed and not self.places & set(needed):
            told = " or ".join(f"{{{one}}}" for one in needed)
            raise Mistake(f"{told} stands nowhere in this call", f"put {told} into path, params or body")


class Paging(Part):
    """How the next page is asked for."""

    by: Literal["cursor", "page", "offset", "keyset", "link"]
    """cursor: the answer says {cursor} for the next; page: {page} counts; offset: {offset} counts rows; keyset: {after}
    is a value of the last row; link: the answer has the address of the next page (header Link, or `next`)"""
    size: int | None = Field(None, ge=1)
    """rows per page, as {size}"""
    next: str | None = None
    """where the answer has the next cursor or address"""
    more: str | None = None
    """where the answer says whether there are more pages"""
    total: str | None = None
    """where the answer says how many rows there are in all"""
    first: int = 1
    """number of the first page"""
    after: str | None = None
    """keyset: path in the row"""
    most: int | None = Field(None, ge=1)
    """rows that one list gives at most, however it is paged: then we ask anew from the change time reached"""

    @model_validator(mode="after")
    def _whole(self) -> Paging:
        if self.by == "cursor" and self.next is None:
            raise Mistake("cursor paging without `next`", "say at which path the answer has the next cursor")
        if self.by == "keyset" and self.after is None:
            raise Mistake("keyset paging without `after`", "say which field of the row the next page begins after")
        if self.by in ("page", "offset", "keyset") and not (self.size or self.more or self.total):
            raise Mistake("nothing says which page is the last", "give `size`, `more` or `total`")
        return self

    @property
    def place(self) -> str | None:
        return {"cursor": "cursor", "page": "page", "offset": "offset", "keyset": "after", "link": None}[self.by]


class Since(Part):
    """How to ask for what changed since: {since} in the call is left out when everything is read."""

    precision: Literal["us", "ms", "s", "day"] = "us"
    """how finely the system tells times apart"""
    strict: bool = False
    """only what is newer, not what is as old, is given: we ask one `precision` earlier"""
    form: Literal["iso", "plain", "unix", "unix_ms"] = "iso"
    """iso: 2026-11-21T08:00:00Z; plain: 2026-11-21 16:00:00 in `zone`; unix, unix_ms: a number"""
    zone: str = "UTC"
    """time zone of plain times"""
    overlap: Duration = timedelta(0)
    """rows may become visible this long after their change time: read again so far"""
    sorted: bool = True
    """the oldest change comes first, so that every page is a safe place to resume from"""


class Rows(Request):
    """A call that gives records."""

    items: str = ""
    """where the list of records lies in the answer; empty: the answer is the list"""
    columns: list[str] | None = None
    """names of the columns, where a record is a list of values"""
    page: Paging | None = None
    """how to go on; nothing: one page is all"""

    def know(self, known: Collection[str], needed: Collection[str] = ()) -> None:
        paging = () if self.page is None else ("size", *((self.page.place,) if self.page.place else ()))
        super().know((*known, *paging), needed)
        place = self.page.place if self.page else None
        if place and place not in self.places:
            raise Mistake(f"{{{place}}} stands nowhere in this call", f"put {{{place}}} into params or body", ("page",))


class Identity(Request):
    """The call that tells which database answers."""

    path: str = Field("", pattern=r"^/|^$")
    id: str | None = None
    """where the name of the database or organisation lies; nothing: the address is its name"""
    user: str | None = None
    """where our user lies"""
    time: str | None = None
    """where the system's own time lies"""
