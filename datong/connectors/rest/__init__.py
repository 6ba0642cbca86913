"""Any JSON API over HTTP, described in YAML: how to list, get, find and write, and which field is which.

How to write a description, with three whole examples: docs/rest.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from datong.base.clock import from_text
from datong.base.errors import BadAnswer
from datong.canon import KINDS
from datong.connectors.rest.access import proof
from datong.connectors.rest.calls import Api, Call, Listing
from datong.connectors.rest.description import ErrorRule, Identity, text_at, value_at, whole_at
from datong.connectors.rest.kinds import Describe, KindTold
from datong.connectors.rest.proofs import Auth, Webhook
from datong.connectors.rest.reading import Reading
from datong.connectors.rest.webhooks import Hooks
from datong.connectors.rest.writing import Writing
from datong.kit import (
    Answer,
    Checked,
    Connector,
    ConnectorSettings,
    Context,
    Hint,
    Http,
    Incoming,
    KindSpec,
    Missing,
    Page,
    WireField,
    WireRecord,
    Write,
)
from datong.mapping import ABSENT, Mistake


class RestSettings(ConnectorSettings):
    described: ClassVar[frozenset[str]] = frozenset({"kinds", "errors", "identity"})

    url: str = Field(pattern=r"^https?://", description="address before every path of the description")
    auth: Auth | None = Field(None, description="how we prove who we are; nothing: not at all")
    headers: dict[str, str] = Field(default_factory=dict, description="headers of every call")
    errors: list[ErrorRule] = Field(default_factory=list, description="which answers are errors; the first that fits")
    identity: Identity | None = Field(None, description="the call that tells which database answers")
    kinds: dict[str, KindTold] = Field(
        default_factory=dict, validate_default=True, description="our kind -> how the system keeps it"
    )
    webhook: Webhook | None = Field(None, description="what the system calls when something changes")
    timeout: float = Field(30.0, gt=0, le=600, description="seconds that an answer may take")
    megabytes: int = Field(64, ge=1, le=1024, description="largest answer that is taken in")

    @field_validator("kinds")
    @classmethod
    def _kinds_there_are(cls, told: dict[str, KindTold]) -> dict[str, KindTold]:
        if not told:
            raise Mistake("no kind is described", "describe at least one, such as `account:`")
        for kind in told:
            if kind not in KINDS:
                raise Mistake(f"there is no kind {kind}", f"kinds are: {', '.join(KINDS)}", (kind,))
        return told

    @model_validator(mode="after")
    def _webhook_fits(self) -> RestSettings:
        if self.webhook is None:
            return self
        if self.webhook.kind is None and len(self.kinds) > 1:
            raise Mistake("a webhook for several kinds without `kind`", "say where it names the object", ("webhook",))
        bare = [name for name, one in self.kinds.items() if one.version is None and one.changed_at is None]
        if self.webhook.complete and bare:
            cause = f"complete webhooks need a version or change time, and {bare[0]} has neither"
            raise Mistake(cause, "describe `version` or `changed_at`, or `complete: false`", ("webhook", "complete"))
        return self


class Rest(Connector[RestSettings]):
    name: ClassVar[str] = "rest"
    title: ClassVar[str] = "Any JSON API, described in YAML"
    settings_class: ClassVar[type[ConnectorSettings]] = RestSettings

    def __init__(self, settings: RestSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._proof = proof(settings.auth, settings.url, context, settings.timeout)
        http = Http(
            settings.url,
            context.budget,
            headers=settings.headers,
            timeout=settings.timeout,
            rules=[self._rule],
            sign=self._proof.headers,
            most_bytes=settings.megabytes * 1024 * 1024,
        )
        self._api = Api(http, context.budget, self._proof, settings.errors)
        self._kinds: dict[str, KindSpec] = {}
        self._reading: dict[str, Reading] = {}
        self._writing: dict[str, Writing] = {}
        for kind, told in settings.kinds.items():
            map = told.map(kind).for_companies(context.companies)
            reading = Reading(kind, told, map, self._api, context.clock)
            self._kinds[kind] = _spec(told, map, settings.webhook)
            self._reading[kind] = reading
            self._writing[kind] = Writing(kind, told, map, self._api, reading)
        objects = [(spec.map.native, kind, self._reading[kind].record) for kind, spec in self._kinds.items()]
        self._hooks = Hooks(settings.webhook, context.connection, objects)

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return self._kinds

    def check(self) -> Checked:
        told = self.settings.identity
        if told is None:
            self._try()
            return Checked(identity=self.settings.url, server_time=self._api.http.server_time)
        data = self._api.ask(Call(told), {}).data
        identity = text_at(data, told.id) if told.id is not None else self.settings.url
        if not identity:
            raise BadAnswer(f"{told.path} names nothing at {told.id}", remedy="correct `identity.id`")
        shown = value_at(data, told.time) if told.time is not None else ABSENT
        time = from_text(shown) if isinstance(shown, str) else self._api.http.server_time
        return Checked(identity=identity, user=text_at(data, told.user), server_time=time)

    def _try(self) -> None:
        """The first page of the first list: nothing else is known that could be asked."""
        for told in self.settings.kinds.values():
            if told.read is not None:
                next(Listing(self._api, told.read).pages({}), None)
                return

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        yield from self._reading[spec.kind].changes(since)

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        yield from self._reading[spec.kind].by_id(ids)

    def ids(self, spec: KindSpec) -> Iterator[str]:
        yield from self._reading[spec.kind].ids()

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        yield from self._reading[spec.kind].find(by, values)

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        yield from self._writing[spec.kind].write(batch)

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        return self._hooks.hints(incoming)

    def describe(self, spec: KindSpec) -> Sequence[WireField]:
        told = self.settings.kinds[spec.kind].describe
        if told is None:
            return ()
        return [one for rows, _ in Listing(self._api, told).pages({}) for one in _fields(told, rows)]

    def close(self) -> None:
        self._proof.close()
        self._api.http.close()

    def _rule(self, status: int, content: bytes) -> Any:
        return self._api.rule(status, content)


def _fields(told: Describe, rows: Sequence[Mapping[str, Any]], at: str = "") -> Iterator[WireField]:
    for row in rows:
        path = at + text_at(row, told.name)
        inner = value_at(row, told.nested) if told.nested is not None else None
        if isinstance(inner, list) and inner:
            yield from _fields(told, inner, f"{path}.")
            continue
        yield WireField(
            path,
            text_at(row, told.type) or "any",
            label=text_at(row, told.label),
            required=told.required is not None and told.required.holds(row),
            max_length=whole_at(row, told.max_length) if told.max_length is not None else None,
            options=_options(value_at(row, told.options)) if told.options is not None else (),
            custom=told.custom is not None and told.custom.holds(row),
            read_only=told.read_only is not None and told.read_only.holds(row),
        )


def _options(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _spec(told: KindTold, map: Any, webhook: Webhook | None) -> KindSpec:
    creates, updates = told.upsert or told.create, told.upsert or told.update
    saves = [one for one in (creates, updates) if one is not None]
    return KindSpec(
        map,
        reads="never" if told.read is None else "changes" if told.since else "snapshot",
        whole=told.whole,
        overlap=told.since.overlap if told.since else KindSpec.overlap,
        read_lag=told.read_lag,
        create=told.once or "never",
        update=updates is not None,
        delete=told.delete is not None,
        settle=told.settle,
        guard=updates is not None and updates.guarded,
        change_time=told.changed_at is not None,
        find_by=tuple(name for name in told.find if name != "key"),
        batch=max((one.size for one in saves), default=1),
        one_fails_all=any(one.one_fails_all for one in saves),
        complete_hints=webhook is not None and webhook.complete,
        required=tuple(told.required),
    )
