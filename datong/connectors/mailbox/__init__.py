"""Mailbox: mails of a folder become requests, read by IMAP. Set-up and known gaps for administrators: README.md in this
folder."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date as Day
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field as Setting
from pydantic import SecretStr, ValidationInfo, field_validator, model_validator

from datong.base.errors import AccessDenied
from datong.connectors.mailbox.imap import Encryption, Fetched, Folder, Server, opened
from datong.connectors.mailbox.mail import id_of, parsed, read_mail, searchable
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
    WireRecord,
    Write,
)
from datong.mapping import Converter, Field, FieldMap, Items, choice, moment, number, text, trimmed

_PORTS = {"tls": 993, "starttls": 143, "none": 143}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HEADS_AT_ONCE = 500


def _read(name: str, convert: Converter | None = None) -> Field:
    return Field(name, name, convert or trimmed(), write="never")


REQUEST = FieldMap(
    "request",
    "mails",
    (
        _read("channel", choice({"mail": "mail"})),
        *map(_read, ("thread", "message_id", "sender", "sender_name", "recipient", "subject", "automatic", "unread")),
        _read("text", text()),
        _read("received", moment()),
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


class MailboxSettings(ConnectorSettings):
    """A mailbox that customers write to."""

    host: str = Setting(description="IMAP server, such as imap.example.com")
    port: int | None = Setting(None, ge=1, le=65535, description="its port; nothing: 993 with tls, else 143")
    encryption: Encryption = Setting("tls", description="tls, starttls, or none, which only this machine itself may be")
    trust: Path | None = Setting(None, description="file with the certificate authority of your own server")
    login: str = Setting(description="name with which Datong logs in, mostly the mail address")
    password: SecretStr = Setting(description="its password; many providers give one for programs (授权码)")
    folder: str = Setting("INBOX", description="folder whose mails are read")
    since: Day = Setting(description="mails that arrived before this day are left alone, such as 2026-11-22")
    addresses: list[str] = Setting(
        default_factory=list, description="our own addresses beside `login`: what they send is no request"
    )
    most_bytes: int = Setting(
        25_000_000,
        ge=10_000,
        le=200_000_000,
        description="bytes of a mail that are read; of a larger one its beginning",
    )
    longest_text: int = Setting(10_000, ge=100, le=20_000, description="characters of a text that are kept")
    page_size: int = Setting(20, ge=1, le=500, description="mails fetched at once")
    timeout: float = Setting(60, gt=0, le=600, description="seconds until a silent server counts as gone")

    @field_validator("trust")
    @classmethod
    def _beside_the_configuration(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        start = (info.context or {}).get("folder", Path())
        return value if value is None else start / value

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> Self:
        if self.encryption == "none" and not _here(self.host):
            raise ValueError(f"a password would travel to {self.host} in clear: `encryption: tls` or `starttls`")
        return self

    @property
    def ours(self) -> frozenset[str]:
        return frozenset(one.strip().lower() for one in (self.login, *self.addresses) if "@" in one)


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Mailbox(Connector[MailboxSettings]):
    name: ClassVar[str] = "mailbox"
    title: ClassVar[str] = "Mailbox (IMAP)"
    settings_class: ClassVar[type[ConnectorSettings]] = MailboxSettings

    def __init__(self, settings: MailboxSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._kinds = {
            "request": KindSpec(
                REQUEST,
                create="never",
                update=False,
                delete=False,
                find_by=("message_id",),
                idle_requests=3,
            )
        }

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return self._kinds

    def check(self) -> Checked:
        told = self.settings
        with self._opened() as folder:
            found = len(folder.search(*self._criteria))
        return Checked(
            identity=f"{told.host}/{told.login}/{told.folder}",
            user=told.login,
            detail=f"{found} mails in {told.folder} since {told.since}",
        )

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        """By UID, which grows with every mail that arrives. Where the server numbered the folder anew all is read
        again: mails are known by their own names, so that none is taken twice."""
        with self._opened() as folder:
            validity, _, reached = (since or "").rpartition(":")
            after = int(reached) if validity == folder.validity and reached.isdigit() else 0
            # `n:*` names the last mail also where its number is below n
            uids = [one for one in folder.search("UID", f"{after + 1}:*", *self._criteria) if one > after]
            size = self.settings.page_size
            for start in range(0, len(uids), size):
                some = uids[start : start + size]
                last = start + size >= len(uids)
                yield Page(self._mails(folder, some), f"{folder.validity}:{some[-1]}", last=last)
            if not uids:
                yield Page([], f"{folder.validity}:{after}", last=True)

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        """What is not in the folder was moved or thrown away: nobody knows which, so that it is no delete."""
        with self._opened() as folder:
            places: dict[str, int] = {}
            for id in dict.fromkeys(ids):
                known = searchable(id)
                asked = folder.search("HEADER", "Message-ID", _quoted(known)) if known else []
                places.update(self._named(folder, asked))
            if any(searchable(id) is None for id in ids):
                places.update(self._named(folder, folder.search(*self._criteria)))
            for id in dict.fromkeys(ids):
                found = self._mails(folder, [places[id]]) if id in places else []
                yield found[0] if found else Missing(id, "out_of_scope")

    def ids(self, spec: KindSpec) -> Iterator[str]:
        with self._opened() as folder:
            yield from self._named(folder, folder.search(*self._criteria))

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        with self._opened() as folder:
            for value in dict.fromkeys(values) if by == "message_id" else ():
                for one in self._mails(folder, folder.search("HEADER", "Message-ID", _quoted(value))):
                    if one.data["message_id"] == value:
                        yield one

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in batch:
            yield Refused(one.ref, "mails are read, never written", code="read only")

    @property
    def _criteria(self) -> tuple[str, str]:
        since = self.settings.since
        return "SINCE", f"{since.day}-{_MONTHS[since.month - 1]}-{since.year}"

    def _opened(self) -> AbstractContextManager[Folder]:
        told = self.settings
        try:
            trust = ssl.create_default_context(cafile=told.trust)
        except OSError as error:
            raise AccessDenied(f"{told.trust} cannot be read: {error}", remedy="correct `trust`") from error
        port = told.port or _PORTS[told.encryption]
        secret = told.password.get_secret_value()
        server = Server(told.host, port, told.login, secret, told.folder, told.encryption, trust, told.timeout)
        return opened(server, self.context.budget)

    def _named(self, folder: Folder, uids: Sequence[int]) -> dict[str, int]:
        """Native id -> UID."""
        found: dict[str, int] = {}
        for start in range(0, len(uids), _HEADS_AT_ONCE):
            for one in folder.heads(uids[start : start + _HEADS_AT_ONCE]):
                found.setdefault(id_of(parsed(one.raw)), one.uid)
        return found

    def _mails(self, folder: Folder, uids: Sequence[int]) -> list[WireRecord]:
        fetched = sorted(folder.mails(uids, self.settings.most_bytes), key=lambda one: one.uid)
        return [self._record(one) for one in fetched]

    def _record(self, one: Fetched) -> WireRecord:
        told = self.settings
        cut = one.size is not None and one.size > told.most_bytes
        keep = self.context.files.put if self.context.files is not None else None
        values = read_mail(one.raw, one.arrived, longest=told.longest_text, ours=told.ours, cut=cut, keep=keep)
        return WireRecord(id_of(parsed(one.raw)), values)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
