"""Inbox: what comes in by the web form and by signed webhooks of chat and telephone systems becomes requests. Set-up
and known gaps for administrators: README.md in this folder."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationInfo, field_validator
from pydantic import Field as Setting

from datong.base import json
from datong.base.clock import from_text, to_text
from datong.base.errors import AccessDenied, BadAnswer, RequestRefused
from datong.connectors.inbox.kept import Kept
from datong.kit import (
    Answer,
    Checked,
    Connector,
    ConnectorSettings,
    Context,
    Hint,
    Incoming,
    KindSpec,
    Missing,
    Page,
    Posted,
    Refused,
    WireRecord,
    Write,
)
from datong.mapping import ABSENT, Converter, Field, FieldMap, Items, choice, moment, number, take, text, trimmed

_LATE = timedelta(minutes=1)
"""How far two processes that put messages down may be apart."""
_CHANNELS = ("web", "phone", "chat", "other")
_PARTS = (
    "id",
    "thread",
    "sender",
    "sender_name",
    "phone",
    "recipient",
    "subject",
    "text",
    "received",
    "order_number",
    "product",
)
_PAGE = 100


def _read(name: str, convert: Converter | None = None) -> Field:
    return Field(name, name, convert or trimmed(), write="never")


REQUEST = FieldMap(
    "request",
    "messages",
    (
        _read("channel", choice({one: one for one in _CHANNELS})),
        *map(_read, ("thread", "message_id", "sender", "sender_name", "phone", "recipient", "subject", "about")),
        _read("text", text()),
        _read("received", moment()),
        _read("score", number(0)),
    ),
    items=(
        Items(
            "attachments",
            "attachments",
            (_read("name"), _read("media_type"), _read("size", number(0)), _read("digest")),
            write="never",
        ),
    ),
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Webhook(_Part):
    """A system that posts JSON to /hooks/CONNECTION, signed with HMAC-SHA256 over `TIMESTAMP.BODY`."""

    secret: SecretStr = Setting(description="what both sides know; at least 16 characters", min_length=16)
    signature: str = Setting("x-signature", description="header with the signature, in hex, also as `sha256=...`")
    timestamp: str = Setting("x-timestamp", description="header with the moment of signing, in Unix seconds")
    window: int = Setting(300, ge=10, le=3600, description="seconds that the moment may be away")
    channel: Literal["phone", "chat", "other"] = Setting("chat", description="what kind of system it is")
    parts: dict[str, str] = Setting(
        description="what the message says, by its path in the JSON: " + ", ".join(_PARTS),
    )

    @field_validator("parts")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        if unknown := set(value) - set(_PARTS):
            raise ValueError(f"{', '.join(sorted(unknown))}: known are {', '.join(_PARTS)}")
        if "text" not in value and "subject" not in value:
            raise ValueError("name where `text` or `subject` stands")
        return value


class Form(_Part):
    """The page on which customers write to us."""

    title: str = Setting("联系服务部门", description="heading in Chinese")
    title_en: str = Setting("Write to our service", description="heading in English")
    files: int = Setting(5, ge=0, le=20, description="files that a message may bring")
    file_bytes: int = Setting(5_000_000, ge=1000, le=50_000_000, description="bytes of one file")
    per_hour: int = Setting(10, ge=1, le=1000, description="messages an hour from one address")


class InboxSettings(ConnectorSettings):
    """What customers write by the web form, and what chat and telephone systems report."""

    folder: Path = Setting(
        Path("datong.inbox"), validate_default=True, description="folder in which messages are kept as they came"
    )
    longest_text: int = Setting(10_000, ge=100, le=20_000, description="characters of a text that are kept")
    form: Form | None = Setting(None, description="the page for customers; nothing: there is none")
    webhook: Webhook | None = Setting(None, description="a system that posts messages; nothing: none may")

    @field_validator("folder")
    @classmethod
    def _beside_the_configuration(cls, value: Path, info: ValidationInfo) -> Path:
        start: Path = (info.context or {}).get("folder", Path())
        return start / value


class Inbox(Connector[InboxSettings]):
    """Each message is a file of its own, on the disk before its sender is thanked; the same message is there once."""

    name: ClassVar[str] = "inbox"
    title: ClassVar[str] = "Web form and webhooks"
    settings_class: ClassVar[type[ConnectorSettings]] = InboxSettings

    def __init__(self, settings: InboxSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._kept = Kept(settings.folder)
        self._kinds = {
            "request": KindSpec(
                REQUEST,
                create="never",
                update=False,
                delete=False,
                overlap=_LATE,
                find_by=("message_id",),
                idle_requests=0,
            )
        }

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return self._kinds

    def check(self) -> Checked:
        try:
            many = self._kept.count()
        except OSError as error:
            raise AccessDenied(f"{self.settings.folder}: {error.strerror}", remedy="let Datong write there") from error
        return Checked(f"folder {self.settings.folder.name}", detail=f"{many} messages in {self.settings.folder}")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        """In the order in which they came. The cursor is the moment of the last."""
        start = to_text(from_text(since) - spec.overlap) if since else ""
        names = self._kept.names(after=start)
        for at in range(0, max(len(names), 1), _PAGE):
            some = names[at : at + _PAGE]
            found = [self._record(told) for name in some if (told := self._kept.read(name)) is not None]
            reached = max([since or "", *(str(one.data["kept"]) for one in found)])
            yield Page(found, reached or None, last=at + _PAGE >= len(names))

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for id in dict.fromkeys(ids):
            told = self._kept.find(id)
            yield self._record(told) if told is not None else Missing(id, "out_of_scope")

    def ids(self, spec: KindSpec) -> Iterator[str]:
        yield from self._kept.ids()

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        for value in dict.fromkeys(values) if by == "message_id" else ():
            told = self._kept.find(_id(value))
            if told is not None:
                yield self._record(told)

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in batch:
            yield Refused(one.ref, "messages are read, never written", code="read only")

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        """A webhook is the message itself: it is put down right here, durably."""
        told = self.settings.webhook
        if told is None:
            raise RequestRefused(f"{self.context.connection} takes no webhooks", remedy="set `webhook`")
        _verify(told, incoming, self.context.connection)
        try:
            body = json.loads(incoming.body)
        except ValueError as error:
            raise BadAnswer(f"a webhook of {self.context.connection} that is no JSON: {error}") from error
        return [self.take(self._posted(told, body, incoming))]

    def take(self, posted: Posted) -> Hint:
        """Put a message down. The same once more is the same: the first stands."""
        files, now = self.context.files, self.context.clock.now()
        attachments = [
            {
                "id": str(number),
                "name": _line(name, 200),
                "media_type": _line(kind, 100) or "application/octet-stream",
                "size": len(content),
                "digest": files.put(content) if files is not None else f"sha256:{hashlib.sha256(content).hexdigest()}",
            }
            for number, (name, kind, content) in enumerate(posted.files, 1)
        ]
        id = _id(posted.id)
        message = {
            "channel": posted.channel,
            "message_id": posted.id,
            "thread": posted.thread or f"{posted.channel}:{id}",
            "sender": _line(posted.sender, 300),
            "sender_name": _line(posted.sender_name, 200),
            "phone": _line(posted.phone, 60),
            "recipient": _line(posted.recipient, 300),
            "subject": _line(posted.subject, 400),
            "text": _text(posted.text, self.settings.longest_text),
            "received": to_text(posted.received),
            "kept": to_text(now),
            "about": posted.about or None,
            "score": posted.score,
            "attachments": attachments,
        }
        self._kept.put(id, now, message)
        return Hint("request", id)

    def _posted(self, told: Webhook, body: Any, incoming: Incoming) -> Posted:
        parts = {name: _at(body, path) for name, path in told.parts.items()}
        if not (parts.get("text") or parts.get("subject")):
            raise BadAnswer(f"a webhook of {self.context.connection} without text")
        id = parts.get("id") or hashlib.sha256(incoming.body).hexdigest()
        thread = f"{told.channel}:{parts['thread']}" if parts.get("thread") else ""
        named = [one for one in (parts.get("order_number"), parts.get("product")) if one]
        return Posted(
            id=f"{self.context.connection}:{id}",
            channel=told.channel,
            received=_moment(parts.get("received"), incoming.received_at),
            thread=thread,
            sender=parts.get("sender") or "",
            sender_name=parts.get("sender_name") or "",
            phone=parts.get("phone") or "",
            recipient=parts.get("recipient") or "",
            subject=parts.get("subject") or (parts.get("text") or "").strip().split("\n")[0][:80],
            text="\n".join(filter(None, (parts.get("text"), " ".join(named)))),
        )

    def _record(self, told: Mapping[str, Any]) -> WireRecord:
        return WireRecord(_id(str(told["message_id"])), told)


def _verify(told: Webhook, incoming: Incoming, connection: str) -> None:
    """The signature is over moment and body, so that neither can be another's, and holds for a short while only. Within
    it a repeated message is the same message."""
    moment, given = (incoming.headers.get(name.lower(), "") for name in (told.timestamp, told.signature))
    signed = moment.encode("utf8", "replace") + b"." + incoming.body
    expected = hmac.new(told.secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.removeprefix("sha256=").encode("utf8", "replace")):
        raise AccessDenied(f"webhook of {connection}: the signature is wrong", remedy="use one `secret` on both sides")
    if not re.fullmatch(r"\d{1,11}", moment) or abs(incoming.received_at.timestamp() - int(moment)) > told.window:
        raise AccessDenied(f"webhook of {connection}: signed too long ago", remedy="set the clocks of both right")


def _id(message_id: str) -> str:
    return hashlib.sha256(message_id.encode("utf8", "surrogatepass")).hexdigest()[:32]


def _at(body: Any, path: str) -> str | None:
    found = take(body, path) if isinstance(body, dict) else ABSENT
    if found is ABSENT or found is None or isinstance(found, (dict, list)):
        return None
    return str(found).strip() or None


def _moment(told: str | None, otherwise: datetime) -> datetime:
    """When it was written, where the system says so; never later than now."""
    try:
        seconds = float(told) if told and re.fullmatch(r"\d{9,13}(\.\d+)?", told) else None
        if seconds is not None:
            found = datetime.fromtimestamp(seconds / (1000 if seconds > 1e11 else 1), UTC)
        else:
            found = from_text(told) if told else otherwise
    except (ValueError, OverflowError, OSError):
        return otherwise
    return min(found, otherwise)


def _line(told: str, longest: int) -> str | None:
    return " ".join("".join(one if one.isprintable() else " " for one in told).split())[:longest] or None


def _text(told: str, longest: int) -> str | None:
    kept = "".join(one for one in told.replace("\r\n", "\n") if one in "\n\t" or one.isprintable()).strip()
    return (kept if len(kept) <= longest else f"{kept[:longest]}\n[…]") or None
