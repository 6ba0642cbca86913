"""What the description says of one kind of record: where it is read, how it is written, which field is which."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field as Setting
from pydantic import model_validator

from datong.connectors.rest.description import Condition, Duration, Part, Request, Rows, Since
from datong.connectors.rest.template import placeholders, wrong_places
from datong.mapping import (
    JOIN,
    Converter,
    ConverterTold,
    Field,
    FieldMap,
    Items,
    Mistake,
    filled,
    named_converter,
)
from datong.mapping.joined import template_paths


class FieldTold(Part):
    """Where one canonical field lies. A text alone is its path."""

    path: str | list[str] | None = None
    """place in the record, dots go inside; a list of places for a converter that takes several"""
    template: str | None = None
    """read only: a text made of several places, such as "{street} {house_no}" """
    tables: dict[str, dict[str, str]] = Setting(default_factory=dict)
    """with `template`: what single places are translated by: place, the system's word, the word shown"""
    convert: ConverterTold = "text"
    """how it is converted: a name, or a name with its arguments"""
    null: Any = None
    """what the system holds for nothing"""
    write: Literal["overwrite", "if_new", "if_empty", "never"] = "overwrite"
    """when our value may be written"""
    read: bool = True
    """whether it is read"""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"path": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _understood(self) -> FieldTold:
        if (self.path is None) == (self.template is None):
            raise Mistake("neither path nor template, or both", "give one of the two")
        if self.template is not None:
            paths = template_paths(self.template)
            if not paths or not all(paths):
                raise Mistake(f"{self.template!r} names no places", 'write them in braces: "{street} {house_no}"')
            for stray in self.tables.keys() - set(paths):
                raise Mistake(
                    f"{{{stray}}} is not in the template", f"there are: {', '.join(paths)}", ("tables", stray)
                )
        self.converter()
        return self

    def converter(self) -> Converter:
        """Raises Mistake."""
        if self.template is not None:
            return filled(self.template, self.tables)
        try:
            made = named_converter(self.convert)
        except ValueError as error:
            raise Mistake(str(error), "see docs/rest.md for the converters", ("convert",)) from None
        joined = made.name.startswith(("e164", "money "))
        if joined != isinstance(self.path, list):
            remedy = "give `path: [number, country]`" if joined else "give one path, or a template"
            raise Mistake(f"{made.name.split()[0]} and {self.path!r:.60} do not fit", remedy, ("path",))
        return made

    def field(self, name: str) -> Field:
        from dataclasses import replace

        path = JOIN.join(
            template_paths(self.template)
            if self.template
            else [self.path]
            if isinstance(self.path, str)
            else self.path or []
        )
        made = self.converter()
        if self.null is not None:
            made = replace(
                made, null=self.null, nothing=(*made.nothing, self.null) if isinstance(self.null, str) else made.nothing
            )
        return Field(name, path, made, "never" if self.template else self.write, self.read)


class ItemsTold(Part):
    """A collection: child records under a path. Written whole; with line ids it is read only."""

    path: str
    """where the list lies"""
    id: str | None = None
    """where the line id lies; nothing: there is none, and the list is written whole"""
    fields: dict[str, FieldTold]
    """canonical field of the item: where it lies in the line"""
    write: Literal["overwrite", "if_new", "if_empty", "never"] = "overwrite"
    """when it may be written"""

    @model_validator(mode="after")
    def _writable(self) -> ItemsTold:
        if self.id is not None and self.write != "never":
            raise Mistake("lines with ids cannot be written here", "add `write: never`, or leave `id` out", ("write",))
        return self


class ChangedAt(Part):
    """The system's own change time."""

    path: str
    """where it lies"""
    form: Literal["iso", "plain", "unix", "unix_ms"] = "iso"
    """how it is written"""
    zone: str = "UTC"
    """zone of times without an offset"""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"path": data} if isinstance(data, str) else data


Why = Literal["gone", "merged", "out_of_scope", "no_access"]
_GONE: dict[int, Why] = {404: "gone", 410: "gone"}


class Get(Rows):
    """Records by id: one ({id}), or several at once ({ids}, `size`)."""

    item: str | None = None
    """where the one record lies; with {ids} use `items`"""
    size: int = Setting(1, ge=1)
    """ids per call"""
    each: Any = "{id}"
    """one id among {ids}"""
    missing: dict[int, Why] = Setting(default_factory=lambda: dict(_GONE))
    """status: why there is no record"""
    into: str | None = None
    """where the id of the record lies into which a merged one went"""
    answers: Condition | None = None
    """what an answer about the record itself says; another one with such a status is a wrong address"""


class Find(Rows):
    """Records by a value: one ({value}), or several at once ({values}, `size`)."""

    size: int = Setting(1, ge=1)
    """values per call"""


class Save(Request):
    """A call that writes: {record} one record, or {records} up to `size` of them, each made like `each`."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    body: Any = "{record}"
    """what is sent"""
    size: int = Setting(1, ge=1)
    """records per call"""
    one_fails_all: bool = False
    """a refused record refuses its whole call"""
    each: Any = "{record}"
    """one record among {records}"""
    also: dict[str, Any] = Setting(default_factory=dict)
    """what is put into the record beside its fields: place -> value, such as modified: "{version}" """
    results: str | None = None
    """where the list of results lies, one a record and in the same order"""
    position: str | None = None
    """where a result says which record it is about, counted from 0; nothing: by order"""
    failures: str | None = None
    """where a second list lies, of those that were not saved"""
    failure_position: str | None = None
    """where a failure says which record it is about"""
    ok: Condition | None = None
    """what the answer, or one result, says when the record is saved"""
    moved: Condition | None = None
    """what a result says when the record is not in the state we know, or gone"""
    moved_status: list[int] = Setting(default_factory=list)
    """statuses that mean the same"""
    exists: Condition | None = None
    """what it says when a record with our key is there already"""
    exists_status: list[int] = Setting(default_factory=list)
    """statuses that mean the same"""
    item: str | None = None
    """where the whole saved record lies; nothing: it is read afterwards"""
    id: str | None = None
    """where the id of the saved record lies"""
    text: str | None = None
    """where the words of a refusal lie"""
    code: str | None = None
    """where its code lies"""
    field: str | None = None
    """where the path of the field at fault lies"""

    @property
    def batched(self) -> bool:
        return "records" in self.places

    @property
    def guarded(self) -> bool:
        """The state that we know goes along, so that the system can compare."""
        return "version" in self.places | placeholders(self.each) | placeholders(self.also)

    @model_validator(mode="after")
    def _whole(self) -> Save:
        if self.batched and self.results is None and not self.one_fails_all:
            raise Mistake("nobody says which records of a call were saved", "give `results`, or `one_fails_all: true`")
        if self.size > 1 and not self.batched:
            raise Mistake("`size` without {records}", "put {records} into the body", ("size",))
        if self.results is not None and self.ok is None and self.failures is None:
            raise Mistake("`results` without `ok`", "say which result means that the record is saved")
        if self.failures is not None and (self.position is None or self.failure_position is None):
            raise Mistake("two lists without positions", "give `position` and `failure_position`", ("failures",))
        known = ("id", "key", "version", "record", "position")
        for wrong in (*wrong_places(self.each, known, ("each",)), *wrong_places(self.also, known, ("also",))):
            raise wrong
        self.know(("records",) if self.batched else known)
        return self


class Delete(Save):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "DELETE"
    body: Any = None
    gone: list[int] = Setting(default_factory=lambda: [404, 410])
    """statuses that mean that it was gone already"""


class Describe(Rows):
    """A call that tells the fields of the kind."""

    name: str = "name"
    """where a field's path lies"""
    type: str | None = None
    """where its type lies"""
    label: str | None = None
    """where its label lies"""
    required: Condition | None = None
    """what a field says that a create needs"""
    read_only: Condition | None = None
    """what a field says that cannot be written"""
    custom: Condition | None = None
    """what a field says that the company added itself"""
    max_length: str | None = None
    """where its longest text lies"""
    options: str | None = None
    """where the list of its values lies"""
    nested: str | None = None
    """where a field has a list of fields inside it, which are described likewise"""


class KindTold(Part):
    """One kind of record."""

    object: str = ""
    """the system's own name of it"""
    id: str
    """where a record's id lies"""
    version: str | None = None
    """where its version lies"""
    changed_at: ChangedAt | None = None
    """where its change time lies"""
    active: Condition | None = None
    """what a record says that is not switched off"""
    key: str | None = None
    """where our own key lies: a field that the system keeps for us"""
    fields: dict[str, FieldTold]
    """canonical field: where it lies"""
    collections: dict[str, ItemsTold] = Setting(default_factory=dict)
    """child records"""
    composed: dict[str, str] = Setting(default_factory=dict)
    """write only: place in the record -> template of other places, such as "{street}, {city}" """
    read: Rows | None = None
    """all records, or those that changed"""
    since: Since | None = None
    """how {since} in `read` is meant; nothing: everything is read and compared"""
    ids: Rows | None = None
    """all ids; nothing: `read` gives them"""
    get: Get | None = None
    """records by id; nothing: `read` gives them"""
    find: dict[str, Find] = Setting(default_factory=dict)
    """canonical field, or `key` -> records that have a value there"""
    create: Save | None = None
    """a new record"""
    update: Save | None = None
    """changes of a record"""
    upsert: Save | None = None
    """both in one call, by our key or by the id we give"""
    delete: Delete | None = None
    """a record goes"""
    once: Literal["by_key", "by_search", "ask"] | None = None
    """how a create happens once: the system holds our key as unique, our key is found by search after `settle`, or a
    person is asked"""
    settle: Duration = timedelta(minutes=2)
    """longest request and search lag together"""
    read_lag: Duration = timedelta(0)
    """a read may show a state this old"""
    whole: bool = False
    """a write replaces the whole record"""
    required: list[str] = Setting(default_factory=list)
    """canonical fields that a create needs"""
    describe: Describe | None = None
    """how the system tells its fields"""

    @model_validator(mode="after")
    def _fits(self) -> KindTold:
        for at, told, known, needed in self._calls():
            try:
                told.know(known, needed)
            except Mistake as wrong:
                raise Mistake(wrong.cause, wrong.remedy, (*at, *wrong.steps)) from None
        self._reading()
        self._writing()
        return self

    def _calls(self) -> Iterator[tuple[tuple[str, ...], Rows, tuple[str, ...], tuple[str, ...]]]:
        if self.read is not None:
            yield ("read",), self.read, ("since",) if self.since else (), ("since",) if self.since else ()
        if self.ids is not None:
            yield ("ids",), self.ids, (), ()
        if self.get is not None:
            yield ("get",), self.get, ("id", "ids"), ("id", "ids")
        if self.describe is not None:
            yield ("describe",), self.describe, (), ()
        for field, one in self.find.items():
            yield ("find", field), one, ("value", "values"), ("value", "values")

    def _reading(self) -> None:
        if self.since is not None and self.read is None:
            raise Mistake("`since` without `read`", "say how records are listed", ("since",))
        if self.since is not None and self.changed_at is None:
            raise Mistake("`since` without `changed_at`", "say where a record has its change time", ("since",))
        if self.get is not None and "ids" in self.get.places and self.get.item is not None:
            raise Mistake("{ids} gives several records", "use `items` in place of `item`", ("get", "item"))
        for wrong in wrong_places(self.get.each, ("id",), ("get", "each")) if self.get is not None else ():
            raise wrong
        if self.read is None and (self.get or self.ids or self.find or self.delete):
            raise Mistake("records without `read` are never read", "describe `read` as well, or leave the others out")
        for name in self.find:
            if name == "key":
                if self.key is None:
                    raise Mistake("there is no key to be found by", "say where our `key` lies", ("find", "key"))
            elif not any(re.fullmatch(re.escape(one).replace(r"\{company\}", "[^.]+"), name) for one in self.fields):
                raise Mistake(f"{name} is not among the fields", f"there are: {', '.join(self.fields)}", ("find", name))
        if self.key is not None and self.read is not None and "key" not in self.find and self.once != "ask":
            raise Mistake("records are not found by `key`", "describe `find: {key: ...}`", ("key",))

    def _writing(self) -> None:
        if self.upsert is not None and (self.create or self.update):
            raise Mistake("upsert beside create or update", "describe either upsert, or the two", ("upsert",))
        creates = self.upsert or self.create
        if creates is not None and self.once is None:
            remedy = "write `once: by_key`, `by_search` or `ask`; in doubt `ask`"
            raise Mistake("nothing says how a create happens once", remedy)
        if creates is None and self.once is not None:
            raise Mistake("`once` without create or upsert", "remove it", ("once",))
        if self.create is not None and self.once == "by_search" and "key" not in self.find:
            raise Mistake("by_search needs a search by our own key", "describe `key` and `find: {key: ...}`", ("once",))
        if self.read is None and creates is not None and not self.whole:
            raise Mistake("what cannot be read must be written whole", "add `whole: true`, or describe `read`")
        places = {told.path for told in self.fields.values() if isinstance(told.path, str)} | {self.id}
        for place, template in self.composed.items():
            for stray in set(template_paths(template)) - places:
                raise Mistake(f"{{{stray}}} is none of the places of the fields", "correct it", ("composed", place))
        for number, name in enumerate(self.required):
            if name not in self.fields:
                raise Mistake(f"{name} is not among the fields", "map it", ("required", number))

    def map(self, kind: str) -> FieldMap:
        return FieldMap(
            kind,
            self.object or kind,
            tuple(told.field(name) for name, told in self.fields.items()),
            tuple(
                Items(name, told.path, tuple(one.field(n) for n, one in told.fields.items()), told.id, told.write)
                for name, told in self.collections.items()
            ),
            own_key=self.key,
        )
