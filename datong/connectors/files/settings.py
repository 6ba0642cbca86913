"""What the configuration says of a folder of lists: which files, which columns, how they are written."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from datong.base.clock import from_text
from datong.canon import KINDS, catalogue, spec
from datong.kit import ConnectorSettings
from datong.mapping import Converter, ConverterTold, named_converter, visible
from datong.mapping.fieldmap import WriteMode
from datong.mapping.mistake import Mistake

_PLAIN_TYPES = ("text", "any")
WORKBOOK = (".xlsx", ".xlsm")
TABLE = (".csv", ".txt", ".tsv")
RESULT = ".result.csv"


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_several), Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Column(_Part):
    """One column of a list. A name, or several, alone is the short form."""

    column: Names
    """the names that it may have in the header, in any language; the first is written"""
    convert: ConverterTold = "text"
    """how its cells are written: the name of a converter, with arguments"""
    write: WriteMode = "overwrite"
    """when our value is written"""
    read: bool = True
    """whether it is read"""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        return {"column": data} if isinstance(data, (str, list)) else data

    @model_validator(mode="after")
    def _survives(self) -> Column:
        convert = self.converter
        for example in () if convert.to else convert.examples:
            wire = convert.to_wire(example)
            try:
                same = convert.from_wire(wire if isinstance(wire, str) else str(wire)) == example
            except ValueError:
                same = False
            if not same:
                raise Mistake(
                    f"{self.convert}: what is written as {wire!r} is not read again as {example!r}",
                    "give the converter its arguments, such as {boolean: {yes: 是, no: 否}}",
                )
        return self

    @cached_property
    def converter(self) -> Converter:
        return named_converter(self.convert)


class ChangeTime(_Part):
    """A column that tells when a row was changed, in ISO form or as a date of a workbook."""

    column: Names
    """the names that it may have in the header"""


class KindList(_Part):
    """The lists of one kind of record."""

    files: Annotated[list[str], BeforeValidator(_several)] = Field(default_factory=list)
    """names of the files that are read, * stands for anything: customers-*.csv"""
    whole: bool = True
    """a file lists every record there is (the newest one counts); false: a file lists changes, and all of them count"""
    out: str | None = None
    """name of the file that is written, in the folder `out`; the same as `files` in one folder: one list for both"""
    out_sheet: str = Field("Datong", max_length=31, pattern=r"^[^\[\]:*?/\\']+$")
    """name of its sheet, for a workbook"""
    id: Annotated[list[str], BeforeValidator(_several)] = Field(default_factory=list)
    """the fields by which a row is known again; nothing: our own column"""
    ours: Names = Field(default_factory=lambda: ["Datong"])
    """the column that holds our key of a record in files that we write"""
    fields: dict[str, Column] = Field(min_length=1)
    """field -> column"""
    addresses: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], dict[str, Column]] = Field(default_factory=dict)
    """name of the address (billing, shipping, office are uses too) -> part of it -> column"""
    required: list[str] = Field(default_factory=list)
    """fields without which no row is written"""
    sheet: str | int | None = None
    """name or number of the sheet; nothing: the one sheet that has the columns"""
    header_row: int = Field(1, ge=1, le=100)
    """number of the row that holds the names of the columns"""
    encoding: str = "auto"
    """encoding of CSV files: auto, utf-8, gb18030, utf-16, cp1252 ..."""
    delimiter: Literal["auto", "comma", "semicolon", "tab", "pipe"] = "auto"
    """delimiter of CSV files"""
    ends_with: str | None = None
    """text of the first cell of a last row without which a file is not finished"""
    changed: ChangeTime | Literal["file"] | None = None
    """where the change time of a row comes from: a column, or `file` for the file's own"""

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        if value != "auto":
            try:
                text = bool(getattr(codecs.lookup(value), "_is_text_encoding", True))
            except LookupError:
                text = False
            if not text:
                raise Mistake(f"there is no encoding {value!r}", "use auto, utf-8, gb18030, utf-16, cp1252 or another")
        return value

    @field_validator("files", "out")
    @classmethod
    def _plain_names(cls, value: Any) -> Any:
        for name in value if isinstance(value, list) else [value] if value else []:
            if re.search(r"[/\\]", name) or name.startswith("."):
                raise Mistake(f"{name!r} is not a plain file name", "give folders with `folder` and `out`")
            if not name.lower().endswith((*WORKBOOK, *TABLE)) or name.lower().endswith(RESULT):
                raise Mistake(
                    f"{name!r} is not a list", f"names end in {', '.join((*WORKBOOK, *TABLE))}, not in {RESULT}"
                )
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> KindList:
        if not self.files and not self.out:
            raise Mistake("no file is read and none is written", "give `files` to read, `out` to write, or both")
        if self.out and "*" in self.out:
            raise Mistake(f"{self.out} is not one file", "leave out the *")
        for name in (*self.id, *self.required):
            if name not in self.fields:
                raise Mistake(f"{name} is none of the fields", f"use one of {', '.join(self.fields)}")
        parts: dict[str, ConverterTold] = {}
        for leaf, column in ((leaf, c) for told in self.addresses.values() for leaf, c in told.items()):
            if leaf == "use" or parts.setdefault(leaf, column.convert) != column.convert:
                raise Mistake(f"addresses: {leaf} has two converters", "convert alike in each; `use` is no column")
        owners: dict[str, str] = {}
        for place, column in (*self.columns().items(), ("our own column", Column(column=self.ours))):
            for header in column.column:
                if (other := owners.setdefault(plain_header(header), place)) != place:
                    raise Mistake(f"the column {header} is given to {other} and to {place}", "give it to one of them")
        return self

    def columns(self) -> Mapping[str, Column]:
        """Every column by its place in a wire record."""
        addresses = {f"addresses.{use}.{leaf}": c for use, told in self.addresses.items() for leaf, c in told.items()}
        return {**self.fields, **addresses}


class FilesSettings(ConnectorSettings):
    """Lists in a folder."""

    described: ClassVar[frozenset[str]] = frozenset({"kinds"})

    folder: Path = Field(description="folder that holds the lists; a relative one starts at the configuration file's")
    out: Path | None = Field(None, description="folder that lists are written to; nothing: the same")
    results: bool = Field(True, description="write NAME.result.csv beside each file: what became of each row")
    settled: float = Field(5.0, ge=0, le=86400, description="seconds for which a file must not have changed")
    answers_within: float = Field(
        0.0, ge=0, le=31 * 86400, description="seconds until a list that was read by the other system shows in its own"
    )
    zone: str = Field("UTC", description="zone of change times without one, such as Asia/Shanghai")
    most_mb: int = Field(100, ge=1, le=2000, description="largest file that is read, in MB")
    kinds: dict[str, KindList] = Field(min_length=1, description="kind of record -> its lists")

    @field_validator("folder", "out")
    @classmethod
    def _from_the_configuration(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        start = (info.context or {}).get("folder", Path())
        return None if value is None else Path(start, value).absolute()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            from_text("2026-01-01T00:00:00", value)
        except (LookupError, ValueError, OSError):
            raise Mistake(f"there is no time zone {value!r}", "write area and city, such as Asia/Shanghai") from None
        return value

    @field_validator("kinds")
    @classmethod
    def _known_fields(cls, value: dict[str, KindList]) -> dict[str, KindList]:
        for kind, told in value.items():
            _must_be_known(kind, told)
        return value

    @model_validator(mode="after")
    def _one_list_is_one_file(self) -> FilesSettings:
        for kind, told in self.kinds.items():
            if (
                self.target == self.folder
                and told.out
                and told.files not in ([], [told.out])
                and fits(told.out, told.files)
            ):
                raise Mistake(
                    f"{kind}: {told.out} would be read as well", f"set `files: {told.out}`, or another name as `out`"
                )
        return self

    @property
    def target(self) -> Path:
        return self.out or self.folder


def _must_be_known(kind: str, told: KindList) -> None:
    if kind not in KINDS:
        raise Mistake(f"there is no kind {kind}", f"use one of {', '.join(KINDS)}")
    for name, column in told.columns().items():
        try:
            known = spec(kind, name)
        except KeyError:
            remedy = f"use one of {', '.join(catalogue(kind))}, custom.NAME"
            raise Mistake(f"{kind} has no field {name}", remedy, (kind, "fields", name)) from None
        if column.convert == "text" and known.type not in _PLAIN_TYPES:
            remedy = "say with `convert:` how the list writes it"
            raise Mistake(f"{kind} {name} is a {known.type}, not a text", remedy, (kind, "fields", name))


def fits(name: str, patterns: Sequence[str]) -> bool:
    """Whether a file name is one of those meant: * stands for anything. Case says nothing: some shares keep none."""
    shapes = (".*".join(map(re.escape, one.split("*"))) for one in patterns)
    return any(re.fullmatch(shape, name, re.IGNORECASE | re.DOTALL) for shape in shapes)


def plain_header(text: object) -> str:
    """A header as it is compared: without case, spaces, line breaks, and the star or colon of a form."""
    return re.sub(r"\s+", "", visible(str(text))).rstrip("*:").casefold()
