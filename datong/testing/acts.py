"""What cases do again and again: read to the end, write one thing, look at what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from datong.canon.fields import Value
from datong.kit import Answer, Missing, Page, Refused, Saved, WireRecord, Write
from datong.mapping import Reading, take
from datong.testing.bench import Bench, both_ways

_refs = count(7, 3)
"""Never 0, 1, 2: a connector that answers by position is found out."""


def read_all(bench: Bench, since: str | None = None) -> list[Page]:
    return list(bench.connector.read(bench.spec, since))


def records(pages: Iterable[Page]) -> list[WireRecord]:
    return [one for page in pages for one in page.records]


def ids(pages: Iterable[Page]) -> set[str]:
    return {one.id for one in records(pages)}


def cursor(pages: Sequence[Page]) -> str | None:
    """Where the engine would resume: the last cursor given."""
    return next((page.cursor for page in reversed(pages) if page.cursor is not None), None)


def got(bench: Bench, id: str) -> WireRecord | Missing:
    """The one answer to a question for one id."""
    answers = list(bench.connector.get(bench.spec, [id]))
    assert [one.id for one in answers] == [id], f"get({id!r}) must answer exactly once, not {answers}"
    return answers[0]


def record(bench: Bench, id: str) -> WireRecord:
    answer = got(bench, id)
    assert isinstance(answer, WireRecord), f"{id} is there, but get says {answer}"
    return answer


def reading(bench: Bench, wire: Mapping[str, Any] | WireRecord) -> Reading:
    return bench.spec.map.read(wire.data if isinstance(wire, WireRecord) else wire)


def held(bench: Bench, id: str, name: str) -> Any:
    """What the vendor itself holds in a canonical field."""
    rows = bench.rows()
    assert id in rows, f"{id} is not at the vendor"
    told = reading(bench, rows[id])
    assert name in told.values, f"the vendor shows no {name} that the map understands: {told.bad.get(name, 'absent')}"
    return told.values[name]


def with_own_key(bench: Bench, key: str) -> list[str]:
    path = bench.spec.map.own_key
    return [] if path is None else [id for id, row in bench.rows().items() if take(row, path) == key]


def create(bench: Bench, values: Mapping[str, Value] | None = None, **more: Any) -> Write:
    """A create of a sample record, with these values changed; `key` and `items` as in Write."""
    given = {"key": bench.unique(), **more}
    return Write(next(_refs), "create", values=bench.wire({**bench.sample(), **(values or {})}), **given)


def update(bench: Bench, id: str, values: Mapping[str, Value], **more: Any) -> Write:
    return Write(next(_refs), "update", id, values=bench.wire(values), **more)


def removal(id: str, version: str | None = None) -> Write:
    return Write(next(_refs), "delete", id, version=version)


def written(bench: Bench, *batch: Write) -> list[Answer]:
    """The answers in the order of the batch. Each write must be answered once, by its own ref."""
    answers = list(bench.connector.write(bench.spec, batch))
    refs = [one.ref for one in answers]
    assert sorted(refs) == sorted(one.ref for one in batch), f"answered refs {refs} to {[one.ref for one in batch]}"
    by_ref = {one.ref: one for one in answers}
    return [by_ref[one.ref] for one in batch]


def saved(bench: Bench, write: Write) -> Saved:
    (answer,) = written(bench, write)
    if isinstance(answer, Refused):
        raise AssertionError(f"refused: {answer.reason} (field {answer.field})")
    assert isinstance(answer, Saved), f"not saved: {answer}"
    return answer


def read_back(answer: Saved) -> WireRecord:
    assert answer.record is not None, "a create or update must answer with the record as it is held now"
    return answer.record


def made(bench: Bench, values: Mapping[str, Value] | None = None) -> str:
    """A record made by a person."""
    return bench.make({**bench.sample(), **(values or {})})


def behind(bench: Bench) -> float:
    """Seconds that put a later change out of reach of the overlap."""
    return bench.spec.overlap.total_seconds() + 2


def must_read_changes(bench: Bench) -> None:
    if bench.spec.reads != "changes":
        bench.not_promised("changes since a cursor; it is read whole each time")


def must_create(bench: Bench) -> None:
    if bench.spec.create == "never":
        bench.not_promised("creates")


def must_update(bench: Bench) -> None:
    if not bench.spec.update:
        bench.not_promised("updates")


def clearable(bench: Bench) -> str:
    """A text field that may be empty."""
    if bench.text_field in bench.needed:
        bench.cannot("name an optional text field that is mapped both ways")
    return bench.text_field


def examples(bench: Bench) -> dict[str, list[Value]]:
    """Values by which every optional two-way field can be tried, no longer than the vendor says it holds."""
    limits = {one.path: one.max_length for one in bench.connector.describe(bench.spec)}
    found: dict[str, list[Value]] = {}
    for one in bench.spec.map.fields:
        if both_ways(one) and one.convert.examples and not one.convert.to and one.name not in bench.spec.required:
            limit = limits.get(one.path)
            found[one.name] = [text[:limit] if isinstance(text, str) else text for text in one.convert.examples]
    return found
