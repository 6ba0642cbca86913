"""SimCRM's connector with manners of other systems, in good order: they pass the suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from datong.base.errors import RequestRefused
from datong.connectors.sandbox_crm import SandboxCrm
from datong.kit import Answer, Hint, Incoming, KindSpec, Missing, Page, Refused, Saved, WireRecord, Write


class ScopedCrm(SandboxCrm):
    """Sees only part of the records. What is outside is there, but not ours to look at."""

    OUTSIDE = "outside"

    def in_scope(self, data: Mapping[str, Any]) -> bool:
        return data.get("short_name") != self.OUTSIDE

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        for page in super().read(spec, since):
            yield replace(page, records=[one for one in page.records if self.in_scope(one.data)])

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for one in super().get(spec, ids):
            yield one if isinstance(one, Missing) or self.in_scope(one.data) else Missing(one.id, "out_of_scope")

    def ids(self, spec: KindSpec) -> Iterator[str]:
        yield from (one.id for page in self.read(spec, None) for one in page.records)

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        yield from (one for one in super().find(spec, by, values) if self.in_scope(one.data))


class SearchedKeyCrm(SandboxCrm):
    """Holds our key in a field that is not unique there: a lost create is looked for, not refused."""

    PLACE = "website"

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return {kind: self._declared(spec) for kind, spec in super().kinds.items()}

    def _declared(self, spec: KindSpec) -> KindSpec:
        fields = tuple(one for one in spec.map.fields if one.path != self.PLACE)
        return replace(spec, create="by_search", map=replace(spec.map, fields=fields, own_key=self.PLACE))

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        if by != "own_key":
            yield from super().find(spec, by, values)
            return
        for page in self.read(spec, None):
            yield from (one for one in page.records if one.data[self.PLACE] in values)

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        def placed(one: Write) -> Write:
            return replace(one, key=None, values={**one.values, self.PLACE: one.key}) if one.key else one

        return super().write(spec, [placed(one) for one in batch])


class SnapshotCrm(SandboxCrm):
    """Knows no changes, no versions and no order: it is read whole."""

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        told: dict[str, Any] = {"reads": "snapshot", "overlap": timedelta(0), "guard": False, "change_time": False}
        return {kind: replace(spec, complete_hints=False, batch=1, **told) for kind, spec in super().kinds.items()}

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        pages = list(super().read(spec, None))
        for number, page in enumerate(reversed(pages), 1):
            yield Page([_bare(one) for one in page.records], last=number == len(pages))

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        yield from (one if isinstance(one, Missing) else _bare(one) for one in super().get(spec, ids))

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in super().write(spec, batch):
            yield replace(one, record=_bare(one.record)) if isinstance(one, Saved) and one.record else one

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        return [replace(one, record=None) for one in super().hints(incoming)]


class AllOrNothingCrm(SandboxCrm):
    """One refused record refuses its whole call."""

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return {kind: replace(spec, one_fails_all=True) for kind, spec in super().kinds.items()}

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        if len(batch) == 1 or any(one.action == "delete" for one in batch):
            yield from super().write(spec, batch)
            return
        body = {"items": [self._item(one) for one in batch], "all_or_nothing": True}
        told = self._http.call("POST", f"/api/{spec.map.native}/batch", body=body)
        guilty = {result["index"]: result for result in told["results"] if result["status"] != 424}
        answers = [self._answer(spec, batch[index], result) for index, result in guilty.items()]
        refused = next((one for one in answers if isinstance(one, Refused)), None)
        if refused is not None:
            raise RequestRefused(refused.reason, field=refused.field, code=refused.code)
        if told["applied"]:
            yield from answers
        else:  # nothing is stored and nothing refused: one had moved, or was there already
            for one in batch:
                yield from super().write(spec, [one])


def _bare(record: WireRecord) -> WireRecord:
    return replace(record, version=None, changed_at=None)
