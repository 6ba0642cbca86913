"""Connectors broken on purpose, each in one way that has been seen in the wild. They prove the suite.

`fails` names the cases that must catch the fault; every other case passes, and every case is in some `fails`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, ClassVar

from datong.base.clock import from_text
from datong.base.errors import (
    AccessDenied,
    BadAnswer,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RequestRefused,
    TryLater,
)
from datong.base.json import loads
from datong.connectors.sandbox_crm import CrmSettings, SandboxCrm
from datong.kit import (
    Answer,
    Checked,
    Context,
    Hint,
    Http,
    Incoming,
    ItemWrite,
    KindSpec,
    Missing,
    Moved,
    Page,
    Refused,
    Saved,
    WireRecord,
    Write,
)
from datong.mapping import ABSENT, Field, boolean, choice, put, take
from datong.testing.manners import AllOrNothingCrm, ScopedCrm


class Broken(SandboxCrm):
    """The places where the broken ones put their hand in."""

    fails: ClassVar[frozenset[str]] = frozenset()

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return {kind: self.declared(spec) for kind, spec in super().kinds.items()}

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        for page in super().read(spec, since):
            yield replace(page, records=[self.shown(spec, one) for one in page.records])

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for one in super().get(spec, ids):
            yield self.shown(spec, one) if isinstance(one, WireRecord) else one

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in super().write(spec, [self.sent(spec, one) for one in batch]):
            yield replace(one, record=self.shown(spec, one.record)) if isinstance(one, Saved) and one.record else one

    def declared(self, spec: KindSpec) -> KindSpec:
        return spec

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        return record

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return write


def broken(*fails: str) -> frozenset[str]:
    return frozenset(f"test_{one}" for one in fails)


# reading ---------------------------------------------------------------------------------------------------------


class DropsLastPage(Broken):
    """Takes a page that is not full for the end, before giving it."""

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        pages = list(super().read(spec, since))
        kept = pages[:-1] or pages
        yield from (*kept[:-1], replace(kept[-1], last=True))


class CursorJumpsAhead(Broken):
    """Gives with every page the time at which the whole read ends."""

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        pages = list(super().read(spec, since))
        yield from (replace(page, cursor=pages[-1].cursor) for page in pages)


class ExclusiveCursor(Broken):
    """Asks for what changed after the cursor, not at it."""

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        edge = from_text(since) if since else None
        for page in super().read(spec, since):
            yield replace(page, records=[one for one in page.records if one.changed_at != edge])


class NoOverlap(Broken):
    """Declares an overlap and does not read it."""

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        yield from super().read(replace(spec, overlap=type(spec.overlap)(0)), since)


class FrozenVersion(Broken):
    """Takes for the version what never changes."""

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        return replace(record, version=str(record.data["created_at"]))

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return replace(write, version=None)


class NewestFirst(Broken):
    """Newest change first."""

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        pages = list(super().read(spec, since))
        for number, page in enumerate(reversed(pages), 1):
            yield replace(page, records=list(reversed(page.records)), last=number == len(pages))


class ForgetsTheCursor(Broken):
    """Reads everything every time."""

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        yield from super().read(spec, None)


class StopsQuietly(Broken):
    """Takes a failure in the middle of a read for its end."""

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

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        for page in super().read(spec, since):
            yield replace(page, records=[one for one in page.records if one.active])


class SweepsOnlyActive(Broken):
    """Leaves inactive records out of the sweep."""

    def ids(self, spec: KindSpec) -> Iterator[str]:
        for one in self.get(spec, list(super().ids(spec))):
            if isinstance(one, WireRecord) and one.active:
                yield one.id


class SaysDeletedForInactive(Broken):
    """Calls a record gone that is switched off."""

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for one in super().get(spec, ids):
            yield one if isinstance(one, Missing) or one.active else Missing(one.id)


class RemembersTheDead(Broken):
    """Keeps what it once read, also when it is deleted."""

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

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for one in super().get(spec, ids):
            yield Missing(one.id) if isinstance(one, Missing) and one.why == "out_of_scope" else one


class CallsMergedGone(Broken):
    """Calls a record gone that was merged into another."""

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for one in super().get(spec, ids):
            yield Missing(one.id) if isinstance(one, Missing) else one


class SilentAboutTheMissing(Broken):
    """Answers only for the ids that it finds."""

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        yield from (one for one in super().get(spec, ids) if isinstance(one, WireRecord))


class SweepsOnePage(Broken):
    """Takes the first page of ids for all of them."""

    def ids(self, spec: KindSpec) -> Iterator[str]:
        yield from list(super().ids(spec))[: self.settings.page_size]


class FirstWordSearch(Broken):
    """Uses a search that finds what begins like the value."""

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        path = spec.map.own_key if by == "own_key" else getattr(spec.map.named(by), "path", None)
        for one in (one for page in self.read(spec, None) for one in page.records):
            if any(str(take(one.data, path or "")).startswith(value) for value in values):
                yield one


class FindsOneValue(Broken):
    """Looks for the first value only."""

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        yield from super().find(spec, by, values[:1])


class NullsHidden(Broken):
    """Gives null for every field that the answer lacks."""

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        data = deepcopy(dict(record.data))
        for one in spec.map.fields:
            if take(data, one.path) is ABSENT:
                put(data, one.path, None)
        return replace(record, data=data)


class OmitsNulls(Broken):
    """Leaves out what is null."""

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        return replace(record, data={name: value for name, value in record.data.items() if value is not None})


# writing ---------------------------------------------------------------------------------------------------------


class AnswersTheOldRecord(Broken):
    """Answers an update with the record as it was before."""

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        ids = [one.id for one in batch if one.action == "update" and one.id]
        before = {one.id: one for one in self.get(spec, ids) if isinstance(one, WireRecord)}
        for one in super().write(spec, batch):
            yield replace(one, record=before.get(one.id, one.record)) if isinstance(one, Saved) else one


class EchoesOwnValues(Broken):
    """Answers with what was sent instead of what is held."""

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        values = {one.ref: one.values for one in batch}
        for one in super().write(spec, batch):
            if isinstance(one, Saved) and one.record:
                yield replace(one, record=replace(one.record, data={**one.record.data, **values[one.ref]}))
            else:
                yield one


class LosesAField(Broken):
    """Has forgotten to send one of the mapped fields."""

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return replace(write, values={name: value for name, value in write.values.items() if name != "industry"})


class WritesTheWholeRecord(Broken):
    """Sends every field, the ones that it was not given as null."""

    def sent(self, spec: KindSpec, write: Write) -> Write:
        plain = [one.path for one in spec.map.fields if one.convert.name == "text" and one.name not in spec.required]
        return replace(write, values={**dict.fromkeys(plain), **write.values})


class NeverClears(Broken):
    """Does not send nulls."""

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return replace(write, values={name: value for name, value in write.values.items() if value is not None})


class BasicPlaneOnly(Broken):
    """Loses characters beyond the BMP, as a MySQL `utf8` column does."""

    def sent(self, spec: KindSpec, write: Write) -> Write:
        def cut(value: Any) -> Any:
            return "".join(c for c in value if ord(c) < 0x10000) if isinstance(value, str) else value

        return replace(write, values={name: cut(value) for name, value in write.values.items()})


class FloatMoney(Broken):
    """Lets amounts pass through floats."""

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        data = deepcopy(dict(record.data))
        for one in spec.map.fields:
            value = take(data, one.path)
            if one.convert.name.startswith(("amount", "number")) and isinstance(value, str):
                put(data, one.path, float(value))
        return replace(record, data=data)


class SwallowsRefusals(Broken):
    """Says that all went well."""

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in super().write(spec, batch):
            yield Saved(one.ref, "", None) if isinstance(one, Refused) else one


class OneStopsAll(Broken):
    """Raises the refusal of one record as the failure of the call."""

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in super().write(spec, batch):
            if isinstance(one, Refused):
                raise RequestRefused(one.reason, field=one.field, code=one.code)
            yield one


class StoresHalf(Broken, AllOrNothingCrm):
    """Calls a batch refused of which a part was stored."""

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in batch:
            for answer in super().write(spec, [one]):
                if isinstance(answer, Refused) and len(batch) > 1:
                    raise RequestRefused(answer.reason)
                yield answer


class TooLargeABatch(Broken):
    """Declares one record more than the vendor takes in a call."""

    def declared(self, spec: KindSpec) -> KindSpec:
        return replace(spec, batch=spec.batch + 1)


class MixesUpAnswers(Broken):
    """Answers by position, and gets the positions wrong."""

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        answers = list(super().write(spec, batch))
        for one, other in zip(answers, reversed(answers), strict=True):
            yield replace(one, ref=other.ref)


class RepeatsCreates(Broken):
    """Sends no key, so that nothing stops a second record."""

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return replace(write, key=None)


class IgnoresVersion(Broken):
    """Declares a guard and writes without it."""

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return replace(write, version=None)


class RevivesTheDeleted(Broken):
    """Makes a new record where the one to update is gone."""

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

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in batch:
            there = one.action != "delete" or isinstance(next(self.get(spec, [one.id or ""])), WireRecord)
            yield from super().write(spec, [one]) if there else [Refused(one.ref, "not found")]


class ReplacesAllItems(Broken):
    """Writes a collection as a new list."""

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


# failures ----------------------------------------------------------------------------------------------------------


class Misnames(Broken):
    """Raises one consequence for another."""

    wrong: ClassVar[Mapping[type[RemoteError], type[RemoteError]]] = {}

    def _named(self, error: RemoteError) -> RemoteError:
        other = self.wrong.get(type(error))
        return other(error.message) if other else error

    def check(self) -> Checked:
        try:
            return super().check()
        except RemoteError as error:
            raise self._named(error) from error

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        try:
            yield from super().read(spec, since)
        except RemoteError as error:
            raise self._named(error) from error

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        try:
            yield from super().write(spec, batch)
        except RemoteError as error:
            raise self._named(error) from error


class TriesUnknownLater(Misnames):
    """Takes a write without an answer for one that did not happen."""

    wrong = {OutcomeUnknown: TryLater}


class ForgetsWhenToReturn(Misnames):
    """Loses the time that a 429 asked for."""

    wrong = {RateLimited: RateLimited}


class AnyFailureIsUnknown(Misnames):
    """Takes a rate limit for a write that may have happened."""

    wrong = {RateLimited: OutcomeUnknown}


class DownIsDenied(Misnames):
    """Takes a system that is down for one that will not have us."""

    wrong = {TryLater: AccessDenied}


class DeniedIsLater(Misnames):
    """Tries wrong credentials again and again."""

    wrong = {AccessDenied: TryLater}


class NeverPauses(Broken):
    """Goes on calling after a 429."""

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        try:
            yield from super().read(spec, since)
        except RateLimited:
            self.context.budget.__init__(self.context.clock)  # type: ignore[misc]
            raise


class SwallowsRateLimit(Broken):
    """Takes a rate limit for the end of the list."""

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        try:
            yield from super().read(spec, since)
        except RateLimited:
            yield Page([], since, last=True)


class NonsenseIsEmpty(Broken):
    """Takes an answer that it cannot read for an empty list."""

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        try:
            yield from super().read(spec, since)
        except BadAnswer:
            yield Page([], since, last=True)


class SharesSession(Broken):
    """Keeps one session for the whole process."""

    session: ClassVar[Http | None] = None

    def __init__(self, settings: CrmSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._http = SharesSession.session = SharesSession.session or self._http

    def close(self) -> None:
        super().close()
        SharesSession.session = None


# what is declared ----------------------------------------------------------------------------------------------------


class LossyMap(Broken):
    """Maps two canonical values to one wire value, and calls it two-way."""

    def declared(self, spec: KindSpec) -> KindSpec:
        pairs = choice({"lead": "lead", "prospect": "lead", "customer": "customer", "closed": "closed"})
        stage = Field("stage", "stage", replace(pairs, examples=("lead", "prospect")))
        fields = tuple(stage if one.name == "stage" else one for one in spec.map.fields)
        return replace(spec, map=replace(spec.map, fields=fields))


class MapsAMissingField(Broken):
    """Maps a field that the vendor does not have."""

    def declared(self, spec: KindSpec) -> KindSpec:
        fields = (*spec.map.fields, Field("custom.audited", "custom.audited", boolean()))
        return replace(spec, map=replace(spec.map, fields=fields))


class PromisesTooMuch(Broken):
    """Declares a create by our key without a place for the key."""

    def declared(self, spec: KindSpec) -> KindSpec:
        return replace(spec, map=replace(spec.map, own_key=None))


class NoVersions(Broken):
    """Declares a guard, but its records have no version."""

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        return replace(record, version=None)

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        return [replace(one, record=one.record and replace(one.record, version=None)) for one in super().hints(incoming)]


class ChangesItsName(Broken):
    """Takes for the identity what differs from call to call."""

    count = 0

    def check(self) -> Checked:
        self.count += 1
        return replace(super().check(), identity=f"session-{self.count}")


# webhooks ------------------------------------------------------------------------------------------------------------


class PointsElsewhere(Broken):
    """Takes the id of the event for the id of the record."""

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        return [replace(one, id=str(loads(incoming.body)["id"])) for one in super().hints(incoming)]


class HalfHints(Broken):
    """Calls complete what leaves fields out."""

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        return [
            replace(one, record=one.record and replace(one.record, data={"name": one.record.data.get("name")}))
            for one in super().hints(incoming)
        ]


class TrustsAnyone(Broken):
    """Does not look at the signature."""

    def _verify(self, incoming: Incoming) -> None:
        pass


class NeverTooOld(Broken):
    """Looks at the signature, not at its time."""

    def _verify(self, incoming: Incoming) -> None:
        signature = incoming.headers.get("x-simcrm-signature", "")
        moment = signature.partition(",")[0].removeprefix("t=")
        signed_at = from_text("1970-01-01T00:00:00Z") + type(self.kinds["account"].overlap)(seconds=int(moment or 0))
        super()._verify(replace(incoming, received_at=signed_at))


class ChokesOnNonsense(Broken):
    """Expects every signed body to make sense."""

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        self._verify(incoming)
        event = loads(incoming.body)
        return [Hint("account", event["object_id"], self._record(event["data"]))]
