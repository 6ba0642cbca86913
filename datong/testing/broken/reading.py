"""Connectors broken on purpose: what they read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace

from datong.base.clock import from_text
from datong.base.errors import (
    TryLater,
)
from datong.connectors.sandbox_crm import CrmSettings
from datong.kit import (
    Context,
    KindSpec,
    Missing,
    Page,
    WireRecord,
    Write,
)
from datong.mapping import ABSENT, put, take
from datong.testing.broken.base import Broken, broken
from datong.testing.manners import ScopedCrm


class DropsLastPage(Broken):
    """Takes a page that is not full for the end, before giving it."""

    fails = broken(
        "a_whole_read_gives_every_record",
        "a_read_resumes_after_any_page",
        "equal_change_times_cross_a_page_edge",
        "an_idle_read_costs_what_is_declared",
        "a_read_cut_short_does_not_pass_for_whole",
    )

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        pages = list(super().read(spec, since))
        kept = pages[:-1] or pages
        yield from (*kept[:-1], replace(kept[-1], last=True))


class CursorJumpsAhead(Broken):
    """Gives with every page the time at which the whole read ends."""

    fails = broken("a_read_resumes_after_any_page")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        pages = list(super().read(spec, since))
        yield from (replace(page, cursor=pages[-1].cursor) for page in pages)


class ExclusiveCursor(Broken):
    """Asks for what changed after the cursor, not at it."""

    fails = broken("equal_change_times_cross_a_page_edge")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        edge = from_text(since) if since else None
        for page in super().read(spec, since):
            yield replace(page, records=[one for one in page.records if one.changed_at != edge])


class NoOverlap(Broken):
    """Declares an overlap and does not read it."""

    fails = broken("a_row_committed_late_is_found")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        yield from super().read(replace(spec, overlap=type(spec.overlap)(0)), since)


class FrozenVersion(Broken):
    """Takes for the version what never changes."""

    fails = broken(
        "an_edit_is_read_and_raises_the_version",
        "a_stale_write_changes_nothing",
        "a_complete_hint_is_the_whole_record",
    )

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        return replace(record, version=str(record.data["created_at"]))

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return replace(write, version=None)


class NewestFirst(Broken):
    """Newest change first."""

    fails = broken(
        "pages_come_oldest_change_first",
        "a_read_resumes_after_any_page",
        "an_idle_read_costs_what_is_declared",
    )

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        pages = list(super().read(spec, since))
        for number, page in enumerate(reversed(pages), 1):
            yield replace(page, records=list(reversed(page.records)), last=number == len(pages))


class ForgetsTheCursor(Broken):
    """Reads everything every time."""

    fails = broken("an_idle_read_costs_what_is_declared")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        yield from super().read(spec, None)


class StopsQuietly(Broken):
    """Takes a failure in the middle of a read for its end."""

    fails = broken("a_read_cut_short_does_not_pass_for_whole")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        begun = False
        try:
            for page in super().read(spec, since):
                yield page
                begun = True
        except TryLater:
            if not begun:
                raise
            yield Page([], since, last=True)


class SkipsInactive(Broken):
    """Leaves inactive records out of the read."""

    fails = broken("inactive_records_are_read")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        for page in super().read(spec, since):
            yield replace(page, records=[one for one in page.records if one.active])


class SweepsOnlyActive(Broken):
    """Leaves inactive records out of the sweep."""

    fails = broken("ids_lists_inactive_records")

    def ids(self, spec: KindSpec) -> Iterator[str]:
        for one in self.get(spec, list(super().ids(spec))):
            if isinstance(one, WireRecord) and one.active:
                yield one.id


class SaysDeletedForInactive(Broken):
    """Calls a record gone that is switched off."""

    fails = broken("get_does_not_call_inactive_gone", "every_two_way_field_is_stored")

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for one in super().get(spec, ids):
            yield one if isinstance(one, Missing) or one.active else Missing(one.id)


class RemembersTheDead(Broken):
    """Keeps what it once read, also when it is deleted."""

    fails = broken("a_deleted_record_is_gone")

    def __init__(self, settings: CrmSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._kept: dict[str, WireRecord] = {}

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for one in super().get(spec, ids):
            if isinstance(one, WireRecord):
                self._kept[one.id] = one
            yield self._kept.get(one.id, one)


class CallsOutOfScopeGone(Broken, ScopedCrm):
    """Calls a record gone that left our scope."""

    fails = broken("out_of_scope_is_not_gone")

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for one in super().get(spec, ids):
            yield Missing(one.id) if isinstance(one, Missing) and one.why == "out_of_scope" else one


class CallsMergedGone(Broken):
    """Calls a record gone that was merged into another."""

    fails = broken("a_merged_record_is_not_gone")

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for one in super().get(spec, ids):
            yield Missing(one.id) if isinstance(one, Missing) else one


class SilentAboutTheMissing(Broken):
    """Answers only for the ids that it finds."""

    fails = broken("get_answers_each_id_once", "a_deleted_record_is_gone", "a_merged_record_is_not_gone")

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        yield from (one for one in super().get(spec, ids) if isinstance(one, WireRecord))


class SweepsOnePage(Broken):
    """Takes the first page of ids for all of them."""

    fails = broken("ids_lists_every_id_once")

    def ids(self, spec: KindSpec) -> Iterator[str]:
        yield from list(super().ids(spec))[: self.settings.page_size]


class FirstWordSearch(Broken):
    """Uses a search that finds what begins like the value."""

    fails = broken("find_is_exact", "the_own_key_finds_what_it_made")

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        path = spec.map.own_key if by == "own_key" else getattr(spec.map.named(by), "path", None)
        for one in (one for page in self.read(spec, None) for one in page.records):
            if any(str(take(one.data, path or "")).startswith(value) for value in values):
                yield one


class FindsOneValue(Broken):
    """Looks for the first value only."""

    fails = broken("find_takes_several_values", "the_own_key_finds_what_it_made")

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        yield from super().find(spec, by, values[:1])


class NullsHidden(Broken):
    """Gives null for every field that the answer lacks."""

    fails = broken("a_hidden_field_is_absent")

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        data = deepcopy(dict(record.data))
        for one in spec.map.fields:
            if take(data, one.path) is ABSENT:
                put(data, one.path, None)
        return replace(record, data=data)


class OmitsNulls(Broken):
    """Leaves out what is null."""

    fails = broken("null_is_null", "every_field_of_the_map_is_shown", "a_complete_hint_is_the_whole_record")

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        return replace(record, data={name: value for name, value in record.data.items() if value is not None})
