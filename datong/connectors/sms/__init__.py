"""SMS: notices go to a gateway that takes messages over HTTP, described in the configuration. Set-up and known gaps for
administrators: README.md in this folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Literal

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator
from pydantic import Field as Setting

from datong.base.clock import from_text, to_text
from datong.base.errors import AccessDenied, OutcomeUnknown, TryLater
from datong.kit import (
    Answer,
    Checked,
    Connector,
    ConnectorSettings,
    Context,
    KindSpec,
    Missing,
    Page,
    Refused,
    Saved,
    WireRecord,
    Write,
)
from datong.kit.http import Http
from datong.mapping import ABSENT, Field, FieldMap, moment, take, text, trimmed

_WORLD = SandboxedEnvironment(undefined=StrictUndefined)
_KNOWN = ("phone", "national", "text", "key", "event", "language", "number", "link", "code", "secrets")
_CHINA = "+86"
NOTICE = FieldMap(
    "notice",
    "messages",
    (
        Field("phone", "phone", trimmed()),
        Field("short", "text", text()),
        Field("event", "event", trimmed()),
        Field("language", "language", trimmed()),
        Field("number", "number", trimmed()),
        Field("link", "link", trimmed()),
        Field("expires", "expires", moment()),
        Field("sms_sent", "sent_at", moment(), write="never"),
    ),
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Ask(_Part):
    """The call that sends one message. Texts are templates (Jinja2)."""

    method: Literal["POST", "PUT", "GET"] = "POST"
    path: str = Setting(pattern=r"^/", description="path below `url`")
    params: dict[str, str] = Setting(default_factory=dict, description="what stands behind the ? of the address")
    headers: dict[str, str] = Setting(default_factory=dict, description="headers")
    body: dict[str, Any] = Setting(default_factory=dict, description="what is sent")
    form: bool = Setting(False, description="as a web form instead of JSON")


class Told(_Part):
    """What the answer says. Paths lead into its JSON, such as `data.code`."""

    code: str | None = Setting(None, description="where the result stands; nothing: a 2xx status is enough")
    good: list[str] = Setting(default_factory=lambda: ["0", "OK", "ok"], description="results that mean: taken")
    later: list[str] = Setting(default_factory=list, description="results that mean: not taken, try again")
    access: list[str] = Setting(default_factory=list, description="results that mean: wrong key, or no right")
    reason: str | None = Setting(None, description="where the reason of a refusal stands")
    id: str | None = Setting(None, description="where the gateway's own id of the message stands")


class SmsSettings(ConnectorSettings):
    """A gateway for text messages."""

    url: str = Setting(pattern=r"^https?://", description="address of the gateway")
    secrets: dict[str, SecretStr] = Setting(
        default_factory=dict, description="its keys, for templates: `{{ secrets.token }}`"
    )
    ask: Ask = Setting(examples=[{"path": "/send"}], description="the call that sends one message")
    answer: Told = Setting(default_factory=Told, description="what its answer says")
    codes: dict[str, str] = Setting(
        default_factory=dict,
        description="event, or language and event (`zh shipped`) -> number of a template that the gateway approved",
    )
    once: bool = Setting(False, description="the gateway takes a message with the same `{{ key }}` only once")
    unknown: Literal["ask", "again"] = Setting(
        "ask", description="when the answer was lost and `once` is off: a person is asked, or it is sent again"
    )
    timeout: float = Setting(30, gt=0, le=600, description="seconds until a silent gateway counts as gone")

    @field_validator("ask")
    @classmethod
    def _templates(cls, value: Ask) -> Ask:
        known = dict.fromkeys(_KNOWN, "") | {"secrets": _Anything()}
        try:
            for part in (value.path, value.params, value.headers, value.body):
                _filled(part, known)
        except TemplateError as error:
            raise ValueError(f"{error}; templates may name {', '.join(_KNOWN)}") from error
        return value


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


class Sms(Connector[SmsSettings]):
    name: ClassVar[str] = "sms"
    title: ClassVar[str] = "SMS gateway (HTTP)"
    settings_class: ClassVar[type[ConnectorSettings]] = SmsSettings

    def __init__(self, settings: SmsSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._http = Http(settings.url, context.budget, timeout=settings.timeout)
        once = settings.once or settings.unknown == "again"
        self._kinds = {
            "notice": KindSpec(
                NOTICE,
                reads="never",
                create="by_key" if once else "ask",
                update=False,
                delete=False,
                settle=timedelta(minutes=2),
                required=("phone", "short"),
                idle_requests=0,
            )
        }

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return self._kinds

    def check(self) -> Checked:
        """Gateways know no call that changes nothing: it is proved by its first message."""
        return Checked(self.settings.url, detail="a gateway is proved by its first message")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        yield Page([], last=True)

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        yield from (Missing(id, "out_of_scope") for id in ids)

    def ids(self, spec: KindSpec) -> Iterator[str]:
        yield from ()

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        yield from ()

    def close(self) -> None:
        self._http.close()

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in batch:
            if one.action != "create":
                yield Refused(one.ref, "what was sent stays sent", code="sent")
            else:
                yield self._sent(one)

    def _sent(self, one: Write) -> Answer:
        values, now, told = one.values, self.context.clock.now(), self.settings
        if values.get("expires") and now >= from_text(values["expires"]):
            return Refused(one.ref, "it is too late to tell it", "expires", "late", "`datong parked dismiss`")
        data = self._call(values, one.key or "")
        code = _at(data, told.answer.code)
        if told.answer.code is not None:
            if code is None:
                raise OutcomeUnknown(f"{told.url} answered without {told.answer.code}")
            why = f"{code} {_at(data, told.answer.reason) or ''}".strip()
            if code in told.answer.later:
                raise TryLater(f"{told.url} puts it off: {why}")
            if code in told.answer.access:
                raise AccessDenied(f"{told.url} refuses us: {why}", remedy="check `secrets`")
            if code not in told.answer.good:
                return Refused(one.ref, why, "phone", code, "correct the mobile number in the CRM")
        id = _at(data, told.answer.id) or one.key or ""
        return Saved(one.ref, id, WireRecord(id, {**values, "sent_at": to_text(now)}))

    def _call(self, values: Mapping[str, Any], key: str) -> Any:
        told, ask = self.settings, self.settings.ask
        phone = str(values["phone"])
        event, language = values.get("event") or "", values.get("language") or ""
        known = {
            **{name: values.get(name) or "" for name in ("text", "number", "link")},
            "event": event,
            "language": language,
            "phone": phone,
            "national": phone.removeprefix(_CHINA),
            "key": key,
            "code": told.codes.get(f"{language} {event}") or told.codes.get(event) or "",
            "secrets": {name: secret.get_secret_value() for name, secret in told.secrets.items()},
        }
        body = _filled(ask.body, known)
        reply = self._http.exchange(
            ask.method,
            _filled(ask.path, known),
            params=_filled(ask.params, known) or None,
            body=None if ask.form or not body else body,
            form={name: str(one) for name, one in body.items()} if ask.form else None,
            headers=_filled(ask.headers, known),
            changes=True,
        )
        return reply.data


def _filled(told: Any, known: Mapping[str, Any]) -> Any:
    """Every text of a description, with what is known in its places. Raises jinja2.TemplateError."""
    if isinstance(told, dict):
        return {name: _filled(one, known) for name, one in told.items()}
    if isinstance(told, list):
        return [_filled(one, known) for one in told]
    return _WORLD.from_string(told).render(known) if isinstance(told, str) else told


def _at(data: Any, path: str | None) -> str | None:
    if path is None or not isinstance(data, dict):
        return None
    found = take(data, path)
    return None if found is ABSENT or found is None else str(found)
