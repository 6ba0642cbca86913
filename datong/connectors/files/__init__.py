"""Lists in a folder: CSV files and workbooks (xlsx), read and written. How to describe them: docs/files.md.

A row is known again by its id columns; its version is the digest of what it says. Each file is a snapshot (`whole`)
or a set of changes; the newest that is said of a record is what the folder holds of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from datong.base.clock import to_text
from datong.base.errors import BadAnswer, RequestRefused, TryLater
from datong.connectors.files import folder, results
from datong.connectors.files.folder import Found
from datong.connectors.files.held import File, Holding, holding, opened, said
from datong.connectors.files.settings import WORKBOOK, FilesSettings, KindList, fits
from datong.connectors.files.tables import OWN_KEY, USES, row_id
from datong.connectors.files.trouble import Unfinished
from datong.connectors.files.writing import Desk, NotPossible
from datong.kit import (
    Answer,
    Checked,
    Connector,
    ConnectorSettings,
    Context,
    KindSpec,
    Lost,
    Missing,
    Moved,
    Page,
    Refused,
    Saved,
    WireRecord,
    Write,
)
from datong.mapping import Field, FieldMap, Items, choice

FOUND_BY = ("tax_id", "email", "phone", "sku", "code", "name")
_CUT = 12
"""A file that is unfinished and has not changed for so many times `settled` (and a minute) is taken for damaged."""


class Files(Connector[FilesSettings]):
    name: ClassVar[str] = "files"
    title: ClassVar[str] = "CSV and Excel files in a folder"
    settings_class: ClassVar[type[ConnectorSettings]] = FilesSettings
    page_size = 500

    def __init__(self, settings: FilesSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._kinds = {kind: self._spec(kind, told) for kind, told in settings.kinds.items()}
        self._opened: dict[str, dict[Path, File]] = {}
        self._holdings: dict[str, tuple[tuple[Found, ...], Holding]] = {}
        self._own: set[Found] = set()

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return self._kinds

    def check(self) -> Checked:
        """The folders are there and may be used. They are the identity: another folder is another system."""
        places = [self.settings.folder]
        if any(told.out for told in self.settings.kinds.values()) and self.settings.target not in places:
            places.append(self.settings.target)
        found = [len(folder.listed(place, ["*"])) for place in places]
        if any(told.out for told in self.settings.kinds.values()):
            with folder.sole_writer(self.settings.target):
                pass
        return Checked(
            identity=" ".join(str(place.resolve()) for place in places),
            server_time=None,
            detail=f"{sum(found)} files",
        )

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        """Every record the files hold; a list is read whole each time, so `since` says nothing."""
        records = sorted(self._holding(spec).records.values(), key=_age)
        starts = range(0, max(1, len(records)), self.page_size)
        for start in starts:
            yield Page(records[start : start + self.page_size], last=start == starts[-1])

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        """Only a whole list that could be read to its last row says that a record is gone."""
        held = self._holding(spec)
        certain = self.settings.kinds[spec.kind].whole and held.records and not held.blind
        for id in dict.fromkeys(ids):
            found = held.records.get(id)
            if found is not None:
                yield found
            elif id in held.broken:
                yield Missing(id, "no_access")
            else:
                yield Missing(id, "gone" if certain else "out_of_scope")

    def ids(self, spec: KindSpec) -> Iterator[str]:
        held = self._holding(spec)
        yield from dict.fromkeys((*held.records, *held.broken))

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        held = self._holding(spec)
        if by == "own_key":
            yield from (held.records[held.by_key[key]] for key in dict.fromkeys(values) if key in held.by_key)
            return
        column = spec.map.named(by)
        if column is None:
            raise ValueError(f"{spec.kind} is not found by {by}")
        wanted = set(values)
        yield from (
            held.records[id] for id, cells in held.cells.items() if said(column.convert, cells.get(by)) in wanted
        )

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        """All of a batch is one new file, put in the place of the old one at once."""
        target = self.settings.target
        answers: list[Answer] = []
        with folder.sole_writer(target):
            held, known, desk = self._to_write(spec)
            done: dict[str, str] = {}
            for one in batch:
                answers.append(self._change(spec, one, held, desk, done))
            if desk.changed:
                folder.replace(self._out(spec), desk.content(), known)
                self._forget(spec)
                written = folder.look(self._out(spec))
                self._own = {written} if written else set()
        for one, answer in zip(batch, answers, strict=True):
            yield self._as_held(spec, answer, one.action != "delete")

    def report(self, kind: str, fates: results.Fates) -> list[Path]:
        """Write beside each input file what became of each of its rows; gives the files that were written anew."""
        if not self.settings.results:
            return []
        files = self._files(self._kinds[kind])
        inputs = [one for one in files if one.found.path != self._out_apart(kind)]
        return [path for one in inputs if (path := results.write(one, fates)) is not None]

    # what is there -----------------------------------------------------------------------------------------------

    def _spec(self, kind: str, told: KindList) -> KindSpec:
        numbers = tuple(name for name in told.fields if name.startswith("company.") and name.endswith(".number"))
        plain = [name for name in FOUND_BY if name in told.fields and told.fields[name].read]
        writes = told.out is not None
        return KindSpec(
            field_map(kind, told),
            reads="snapshot",
            read_lag=timedelta(seconds=self.settings.answers_within),
            create="by_key" if writes else "never",
            update=writes,
            delete=writes and self._out_apart(kind) is None,
            settle=timedelta(seconds=5),
            guard=writes,
            change_time=told.changed is not None,
            find_by=(*plain, *numbers),
            batch=2000 if writes else 1,
            required=tuple(dict.fromkeys((*told.id, *told.required))) if writes else (),
            idle_requests=0,
        )

    def _out(self, spec: KindSpec) -> Path:
        return self.settings.target / str(self.settings.kinds[spec.kind].out)

    def _out_apart(self, kind: str) -> Path | None:
        """The file that is written, where it is not one of those that are read: then what it says is laid over them."""
        told = self.settings.kinds[kind]
        if told.out is None or not told.files:
            return None
        same = self.settings.target == self.settings.folder and fits(told.out, told.files)
        return None if same else self.settings.target / told.out

    def _holding(self, spec: KindSpec) -> Holding:
        """Raises TryLater for files that are not finished, BadAnswer for one that cannot be read."""
        told, files = self.settings.kinds[spec.kind], self._files(spec)
        signature = tuple(one.found for one in files)
        if (kept := self._holdings.get(spec.kind)) is not None and kept[0] == signature:
            return kept[1]
        apart = self._out_apart(spec.kind)
        inputs = [one for one in files if one.found.path != apart]
        ours = next((one for one in files if one.found.path == apart), None)
        if told.whole and told.files and not inputs and (told.out is None or apart is not None):
            raise TryLater(
                f"no file called {' or '.join(told.files)} is in {self.settings.folder}",
                remedy="is the share mounted, and does the other system still write its list?",
            )
        for one in files:
            self._must_be_readable(one)
        made = holding(inputs, ours, told, spec.change_time, spec.read_lag)
        self._holdings[spec.kind] = (signature, made)
        return made

    def _files(self, spec: KindSpec) -> list[File]:
        """Every file of a kind as it is now; one that did not change is not read again."""
        told, before = self.settings.kinds[spec.kind], self._opened.get(spec.kind, {})
        found = folder.listed(self.settings.folder, told.files) if told.files else []
        found = found[-1:] if told.whole else found
        if told.out is not None and self._out(spec) not in [one.path for one in found]:
            there = folder.listed(self.settings.target, [told.out])
            found += [one for one in there if one.path == self._out(spec)]
        now: dict[Path, File] = {}
        for one in found:
            old = before.get(one.path)
            now[one.path] = old if old is not None and old.stands(one) else self._open(one, told)
        self._opened[spec.kind] = now
        return list(now.values())

    def _open(self, found: Found, told: KindList) -> File:
        age = (self.context.clock.now() - found.modified).total_seconds()
        if found not in self._own and 0 <= age < self.settings.settled:
            return File(found, None, Unfinished(f"it changed {age:.0f} s ago and may still be written"))
        data = folder.content(found, self.settings.most_mb * 1_000_000)
        return opened(found, data, told, self.settings.zone)

    def _must_be_readable(self, file: File) -> None:
        name, trouble = file.found.path.name, file.trouble
        if trouble is None:
            return
        if isinstance(trouble, Unfinished):
            age = (self.context.clock.now() - file.found.modified).total_seconds()
            if age <= max(60.0, _CUT * self.settings.settled):
                raise TryLater(f"{name}: {trouble}", after=self.settings.settled)
            raise BadAnswer(f"{name}: {trouble}, and it has not changed since", remedy="have it written again")
        raise BadAnswer(f"{name}: {trouble.reason}", remedy=trouble.remedy)

    def _forget(self, spec: KindSpec) -> None:
        self._holdings.pop(spec.kind, None)
        self._opened.get(spec.kind, {}).pop(self._out(spec), None)

    # writing -----------------------------------------------------------------------------------------------------

    def _to_write(self, spec: KindSpec) -> tuple[Holding, Found | None, Desk]:
        """What is held, the file to be replaced, and its rows."""
        told, path = self.settings.kinds[spec.kind], self._out(spec)
        if folder.open_elsewhere(path):
            raise TryLater(f"{path.name} is open in a spreadsheet program", remedy="close it there")
        held = self._holding(spec)
        file = next((one for one in self._files(spec) if one.found.path == path), None)
        listing = file.listing if file else None
        if listing is not None and path.suffix.lower() in WORKBOOK and OWN_KEY not in listing.columns:
            raise RequestRefused(
                f"{path.name} is not a workbook of ours: its formats and further sheets would be lost",
                remedy="give another name as `out`; workbooks that people keep are only read",
            )
        form = file.form if file else _new_form(told)
        return held, file.found if file else None, Desk(told, listing, self._out_apart(spec.kind) is not None, form)

    def _change(self, spec: KindSpec, write: Write, held: Holding, desk: Desk, done: dict[str, str]) -> Answer:
        """One write on the rows; `done` are keys and ids made in this batch."""
        try:
            if write.action == "create":
                return self._create(write, held, desk, done)
            id = write.id or ""
            if id in held.broken:
                return Refused(write.ref, f"{id}: {held.broken[id].reason}", code="unreadable row")
            if id not in held.records:
                return Saved(write.ref, id, None) if write.action == "delete" else Moved(write.ref)
            if write.version is not None and held.records[id].version != write.version:
                return Moved(write.ref)
            if write.action == "delete":
                return self._delete(spec, write, desk)
            cells = desk.cells(write, held.cells[id])
            if row_id(cells, desk.told) != id:
                raise NotPossible("a row keeps the value by which it is known", desk.told.id[0])
            if cells != held.cells[id]:
                desk.put(id, cells, to_text(self.context.clock.now()))
                held.cells[id] = cells
            return Saved(write.ref, id, held.records[id])
        except NotPossible as no:
            return Refused(write.ref, str(no), no.field)
        except ValueError as error:  # no id
            return Refused(write.ref, str(error).partition("|")[0], code="no id")

    def _create(self, write: Write, held: Holding, desk: Desk, done: dict[str, str]) -> Answer:
        existing = held.by_key.get(write.key or "") or done.get(f"key {write.key}")
        if existing is not None:
            return Saved(write.ref, existing, None, existed=True)
        cells = desk.cells(write, {})
        id = row_id(cells, desk.told)
        if id in held.records or id in held.broken or f"id {id}" in done:
            return Refused(
                write.ref, f"duplicate: {id} stands in the list already", "".join(desk.told.id[:1]), "duplicate"
            )
        desk.put(id, cells, to_text(self.context.clock.now()))
        done[f"id {id}"] = id
        if write.key:
            done[f"key {write.key}"] = id
        return Saved(write.ref, id, None)

    def _delete(self, spec: KindSpec, write: Write, desk: Desk) -> Answer:
        if not spec.delete:
            return Refused(write.ref, "rows of the other system's list are not ours to remove", code="no delete")
        desk.remove(write.id or "")
        return Saved(write.ref, write.id or "", None)

    def _as_held(self, spec: KindSpec, answer: Answer, written: bool) -> Answer:
        """An answer with the record as the files hold it now. What was deleted has none."""
        if not isinstance(answer, Saved):
            return answer
        record = self._holding(spec).records.get(answer.id)
        if record is None and written:
            return Lost(answer.ref, f"{answer.id} was written, but does not stand in the list as it is read again")
        return Saved(answer.ref, answer.id, record, answer.existed)


def field_map(kind: str, told: KindList) -> FieldMap:
    """The map that the columns make: the place of a field in a wire record is its own name."""
    fields = tuple(Field(name, name, c.converter, c.write, c.read) for name, c in told.fields.items())
    leaves = {leaf: c for group in told.addresses.values() for leaf, c in group.items()}
    parts = tuple(Field(leaf, leaf, c.converter) for leaf, c in leaves.items())
    use = Field("use", "use", choice({one: one for one in USES}))
    items = (Items("addresses", "addresses", (use, *parts)),) if told.addresses else ()
    return FieldMap(kind, "rows", fields, items, OWN_KEY if told.out else None)


def _new_form(told: KindList) -> tuple[str, str]:
    from datong.connectors.files.csvs import DELIMITERS

    encoding = "utf-8-sig" if told.encoding == "auto" else told.encoding
    return encoding, DELIMITERS.get(told.delimiter, ",")


def _age(record: WireRecord) -> tuple[str, str]:
    return to_text(record.changed_at) if record.changed_at else "", record.id
