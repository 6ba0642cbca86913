"""Connectors broken on purpose: what they make of failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from datong.base.errors import (
    AccessDenied,
    BadAnswer,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    TryLater,
)
from datong.connectors.sandbox_crm import CrmSettings
from datong.kit import (
    Answer,
    Checked,
    Context,
    Http,
    KindSpec,
    Page,
    Write,
)
from datong.testing.broken.base import Broken, broken


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

    fails = broken(
        "a_create_that_failed_after_commit_makes_one_record",
        "a_create_without_an_answer_makes_one_record",
        "a_create_committed_late_makes_one_record",
        "a_dropped_write_is_unknown",
        "a_page_for_people_leaves_a_write_unknown",
        "half_a_json_leaves_a_write_unknown",
    )

    wrong: ClassVar = {OutcomeUnknown: TryLater}


class ForgetsWhenToReturn(Misnames):
    """Loses the time that a 429 asked for."""

    fails = broken("a_rate_limit_pauses_the_connection")

    wrong: ClassVar = {RateLimited: RateLimited}


class AnyFailureIsUnknown(Misnames):
    """Takes a rate limit for a write that may have happened."""

    fails = broken("a_rate_limited_write_was_not_done", "a_rate_limit_pauses_the_connection")

    wrong: ClassVar = {RateLimited: OutcomeUnknown}


class DownIsDenied(Misnames):
    """Takes a system that is down for one that will not have us."""

    fails = broken("a_system_that_is_down_is_tried_later", "a_dropped_read_is_tried_later")

    wrong: ClassVar = {TryLater: AccessDenied}


class DeniedIsLater(Misnames):
    """Tries wrong credentials again and again."""

    fails = broken("wrong_credentials_are_access_denied")

    wrong: ClassVar = {AccessDenied: TryLater}


class NeverPauses(Broken):
    """Goes on calling after a 429."""

    fails = broken("a_rate_limit_pauses_the_connection")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        try:
            yield from super().read(spec, since)
        except RateLimited:
            self.context.budget.__init__(self.context.clock)  # type: ignore[misc]
            raise


class SwallowsRateLimit(Broken):
    """Takes a rate limit for the end of the list."""

    fails = broken("a_rate_limit_pauses_the_connection")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        try:
            yield from super().read(spec, since)
        except RateLimited:
            yield Page([], since, last=True)


class NonsenseIsEmpty(Broken):
    """Takes an answer that it cannot read for an empty list."""

    fails = broken("a_page_for_people_is_no_answer_to_a_read", "half_a_json_is_no_answer_to_a_read")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        try:
            yield from super().read(spec, since)
        except BadAnswer:
            yield Page([], since, last=True)


class SharesSession(Broken):
    """Keeps one session for the whole process."""

    fails = broken("two_accounts_are_kept_apart", "wrong_credentials_are_access_denied")

    session: ClassVar[Http | None] = None

    def __init__(self, settings: CrmSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._http = SharesSession.session = SharesSession.session or self._http

    def close(self) -> None:
        super().close()
        SharesSession.session = None
