"""Connectors broken on purpose: what they write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from datong.base.errors import (
    RequestRefused,
)
from datong.kit import (
    Answer,
    ItemWrite,
    KindSpec,
    Missing,
    Moved,
    Refused,
    Saved,
    WireRecord,
    Write,
)
from datong.mapping import put, take
from datong.testing.broken.base import Broken, broken
from datong.testing.manners import AllOrNothingCrm


class AnswersTheOldRecord(Broken):
    """Answers an update with the record as it was before."""

    fails = broken(
        "a_write_answers_with_what_is_held",
        "what_the_target_normalises_is_answered",
        "unicode_survives",
        "items_are_written_one_by_one",
    )

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        ids = [one.id for one in batch if one.action == "update" and one.id]
        before = {one.id: one for one in self.get(spec, ids) if isinstance(one, WireRecord)}
        for one in super().write(spec, batch):
            yield replace(one, record=before.get(one.id, one.record)) if isinstance(one, Saved) else one


class EchoesOwnValues(Broken):
    """Answers with what was sent instead of what is held."""

    fails = broken("what_the_target_normalises_is_answered", "a_field_dropped_in_silence_shows")

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        values = {one.ref: one.values for one in batch}
        for one in super().write(spec, batch):
            if isinstance(one, Saved) and one.record:
                yield replace(one, record=replace(one.record, data={**one.record.data, **values[one.ref]}))
            else:
                yield one


class LosesAField(Broken):
    """Has forgotten to send one of the mapped fields."""

    fails = broken("every_two_way_field_is_stored")

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return replace(write, values={name: value for name, value in write.values.items() if name != "industry"})


class WritesTheWholeRecord(Broken):
    """Sends every field, the ones that it was not given as null."""

    fails = broken("only_what_is_sent_changes")

    def sent(self, spec: KindSpec, write: Write) -> Write:
        plain = [one.path for one in spec.map.fields if one.convert.name == "text" and one.name not in spec.required]
        return replace(write, values={**dict.fromkeys(plain), **write.values})


class NeverClears(Broken):
    """Does not send nulls."""

    fails = broken("null_clears_a_field")

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return replace(write, values={name: value for name, value in write.values.items() if value is not None})


class BasicPlaneOnly(Broken):
    """Loses characters beyond the BMP, as a MySQL `utf8` column does."""

    fails = broken("unicode_survives")

    def sent(self, spec: KindSpec, write: Write) -> Write:
        def cut(value: Any) -> Any:
            return "".join(c for c in value if ord(c) < 0x10000) if isinstance(value, str) else value

        return replace(write, values={name: cut(value) for name, value in write.values.items()})


class FloatMoney(Broken):
    """Lets amounts pass through floats."""

    fails = broken("amounts_are_exact")

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        data = deepcopy(dict(record.data))
        for one in spec.map.fields:
            value = take(data, one.path)
            if one.convert.name.startswith(("amount", "number")) and isinstance(value, str):
                put(data, one.path, float(value))
        return replace(record, data=data)


class SwallowsRefusals(Broken):
    """Says that all went well."""

    fails = broken("a_refused_item_stops_nobody_else")

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in super().write(spec, batch):
            yield Saved(one.ref, "", None) if isinstance(one, Refused) else one


class OneStopsAll(Broken):
    """Raises the refusal of one record as the failure of the call."""

    fails = broken("a_refused_item_stops_nobody_else")

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in super().write(spec, batch):
            if isinstance(one, Refused):
                raise RequestRefused(one.reason, field=one.field, code=one.code)
            yield one


class StoresHalf(Broken, AllOrNothingCrm):
    """Calls a batch refused of which a part was stored."""

    fails = broken("an_all_or_nothing_batch_stores_nothing")

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in batch:
            for answer in super().write(spec, [one]):
                if isinstance(answer, Refused) and len(batch) > 1:
                    raise RequestRefused(answer.reason)
                yield answer


class TooLargeABatch(Broken):
    """Declares one record more than the vendor takes in a call."""

    fails = broken("a_full_batch_is_taken")

    def declared(self, spec: KindSpec) -> KindSpec:
        return replace(spec, batch=spec.batch + 1)


class MixesUpAnswers(Broken):
    """Answers by position, and gets the positions wrong."""

    fails = broken("a_full_batch_is_taken", "a_refused_item_stops_nobody_else")

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        answers = list(super().write(spec, batch))
        for one, other in zip(answers, reversed(answers), strict=True):
            yield replace(one, ref=other.ref)


class RepeatsCreates(Broken):
    """Sends no key, so that nothing stops a second record."""

    fails = broken(
        "the_own_key_finds_what_it_made",
        "a_create_that_failed_after_commit_makes_one_record",
        "a_create_without_an_answer_makes_one_record",
        "a_create_committed_late_makes_one_record",
    )

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return replace(write, key=None)


class IgnoresVersion(Broken):
    """Declares a guard and writes without it."""

    fails = broken("a_stale_write_changes_nothing")

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return replace(write, version=None)


class RevivesTheDeleted(Broken):
    """Makes a new record where the one to update is gone."""

    fails = broken("an_update_of_a_deleted_record_moves_nothing")

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one, write in zip(super().write(spec, batch), batch, strict=True):
            gone = isinstance(one, Moved) and isinstance(next(self.get(spec, [write.id or ""])), Missing)
            if gone:
                new = replace(write, action="create", values={"name": "again", **write.values})
                yield from super().write(spec, [new])
            else:
                yield one


class DeletesOnlyOnce(Broken):
    """Calls a delete refused when there is nothing left to delete."""

    fails = broken("a_delete_twice_is_safe")

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in batch:
            there = one.action != "delete" or isinstance(next(self.get(spec, [one.id or ""])), WireRecord)
            yield from super().write(spec, [one]) if there else [Refused(one.ref, "not found")]


class ReplacesAllItems(Broken):
    """Writes a collection as a new list."""

    fails = broken("items_are_written_one_by_one")

    def sent(self, spec: KindSpec, write: Write) -> Write:
        if write.action != "update" or not write.items:
            return write
        now = next(self.get(spec, [write.id or ""]))
        assert isinstance(now, WireRecord)
        told: dict[str, list[ItemWrite]] = {}
        for path, items in write.items.items():
            old = [ItemWrite("delete", line["id"]) for line in now.data[path]]
            told[path] = old + [ItemWrite("create", None, one.values) for one in items if one.action != "delete"]
        return replace(write, items=told)
