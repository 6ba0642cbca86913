"""SMTP: notices leave as mails, each under a Message-ID of ours. Set-up and known gaps for administrators: README.md in
this folder."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field as Setting
from pydantic import SecretStr, ValidationInfo, field_validator, model_validator

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
from datong.mapping import Field, FieldMap, moment, text, trimmed

_PORTS = {"tls": 465, "starttls": 587, "none": 25}
NOTICE = FieldMap(
    "notice",
    "mails",
    (
        Field("email", "to", trimmed()),
        Field("subject", "subject"),
        Field("text", "text", text()),
        Field("thread", "thread", trimmed()),
        Field("language", "language", trimmed()),
        Field("expires", "expires", moment()),
        Field("mail_sent", "sent_at", moment(), write="never"),
    ),
)


class SmtpSettings(ConnectorSettings):
    """A mail server that sends for us."""

    host: str = Setting(description="SMTP server, such as smtp.example.com")
    port: int | None = Setting(None, ge=1, le=65535, description="its port; nothing: 465 with tls, 587 with starttls")
    encryption: Literal["tls", "starttls", "none"] = Setting(
        "tls", description="tls, starttls, or none, which only this machine itself may be"
    )
    trust: Path | None = Setting(None, description="file with the certificate authority of your own server")
    login: str | None = Setting(None, description="name with which Datong logs in; nothing: without")
    password: SecretStr | None = Setting(
        None, description="its password; many providers give one for programs (授权码)"
    )
    sender: str = Setting(
        pattern=r"^[^@\s<>]+@[^@\s<>]+$",
        examples=["service@example.com"],
        description="address that notices come from",
    )
    sender_name: str = Setting("", description="name shown beside it")
    reply_to: str | None = Setting(
        None,
        pattern=r"^[^@\s<>]+@[^@\s<>]+$",
        description="address that customers answer to, such as that of the mailbox which Datong reads",
    )
    unknown: Literal["ask", "again"] = Setting(
        "ask", description="when the answer to a sent mail was lost: a person is asked, or it is sent again"
    )
    timeout: float = Setting(60, gt=0, le=600, description="seconds until a silent server counts as gone")

    @field_validator("trust")
    @classmethod
    def _beside_the_configuration(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        start = (info.context or {}).get("folder", Path())
        return value if value is None else start / value

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> Self:
        if self.encryption == "none" and not _here(self.host):
            raise ValueError(f"mails would travel to {self.host} in clear: `encryption: tls` or `starttls`")
        if (self.login is None) != (self.password is None):
            raise ValueError("`login` and `password` go together")
        return self


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Smtp(Connector[SmtpSettings]):
    name: ClassVar[str] = "smtp"
    title: ClassVar[str] = "Mail (SMTP)"
    settings_class: ClassVar[type[ConnectorSettings]] = SmtpSettings

    def __init__(self, settings: SmtpSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._kinds = {
            "notice": KindSpec(
                NOTICE,
                reads="never",
                create="ask" if settings.unknown == "ask" else "by_key",
                update=False,
                delete=False,
                settle=timedelta(minutes=2),
                required=("email", "subject", "text"),
                idle_requests=0,
            )
        }

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return self._kinds

    def check(self) -> Checked:
        told = self.settings
        with self._opened():
            return Checked(f"{told.host}/{told.sender}", told.login or "", detail=f"sends as {told.sender}")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        yield Page([], last=True)

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        yield from (Missing(id, "out_of_scope") for id in ids)

    def ids(self, spec: KindSpec) -> Iterator[str]:
        yield from ()

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        yield from ()

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in batch:
            if one.action != "create":
                yield Refused(one.ref, "what was sent stays sent", code="sent")
            else:
                yield self._sent(one)

    def _sent(self, one: Write) -> Answer:
        values, now = one.values, self.context.clock.now()
        if values.get("expires") and now >= from_text(values["expires"]):
            return Refused(one.ref, "it is too late to tell it", "expires", "late", "`datong parked dismiss`")
        try:
            mail = self._composed(one.key or "", values, now)
        except (ValueError, IndexError, MessageError) as error:
            return Refused(one.ref, f"no mail can be made of it: {error}", "to", "address", "correct the address")
        with self._opened() as server:
            refused = _handed_over(server, mail, self.settings.sender, str(values["to"]))
        if refused:
            return Refused(one.ref, refused, "to", "recipient", "correct the address in the CRM")
        id = str(mail["Message-ID"]).strip("<>")
        return Saved(one.ref, id, WireRecord(id, {**values, "sent_at": to_text(now)}))

    def _composed(self, key: str, values: Mapping[str, Any], now: datetime) -> EmailMessage:
        """The mail. Raises ValueError for an address that is none."""
        told = self.settings
        mail = EmailMessage(policy=SMTP)
        mail["From"] = _address(told.sender, told.sender_name)
        mail["To"] = _address(str(values["to"]))
        if told.reply_to:
            mail["Reply-To"] = _address(told.reply_to)
        mail["Subject"] = str(values["subject"])
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{key}@{told.sender.rpartition('@')[2]}>"
        if values.get("thread") and re.fullmatch(r"[!-;=?-~]+", str(values["thread"])):
            mail["In-Reply-To"] = mail["References"] = f"<{values['thread']}>"
        if values.get("language"):
            mail["Content-Language"] = str(values["language"])
        mail["X-Datong-Notice"] = key  # a mailbox that we read knows it as ours
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: machines do not answer it
        mail["X-Auto-Response-Suppress"] = "All"  # what Exchange heeds instead
        mail.set_content(str(values["text"]))
        return mail

    @contextmanager
    def _opened(self) -> Iterator[smtplib.SMTP]:
        """A conversation with the server, logged in. Raises RemoteError."""
        self.context.budget.take()
        told = self.settings
        try:
            server = self._connected()
        except ssl.SSLCertVerificationError as error:
            raise AccessDenied(f"{told.host} is not who it says: {error}", remedy="correct `trust`") from error
        except smtplib.SMTPAuthenticationError as error:
            raise AccessDenied(
                f"{told.host} does not let {told.login} in: {_words(error.smtp_error)}",
                remedy="check login and password; many providers want a password for programs (授权码)",
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise AccessDenied(f"{told.host}: {error}", remedy="correct `encryption` and `login`") from error
        except (OSError, smtplib.SMTPException) as error:
            raise TryLater(f"{told.host} cannot be reached: {error}", remedy="is the mail server running?") from error
        try:
            yield server
        finally:
            server.close()

    def _connected(self) -> smtplib.SMTP:
        told = self.settings
        port = told.port or _PORTS[told.encryption]
        trust = ssl.create_default_context(cafile=told.trust)
        server: smtplib.SMTP
        if told.encryption == "tls":
            server = smtplib.SMTP_SSL(told.host, port, timeout=told.timeout, context=trust)
        else:
            server = smtplib.SMTP(told.host, port, timeout=told.timeout)
        try:
            if told.encryption == "starttls":
                server.starttls(context=trust)
            if told.login is not None and told.password is not None:
                server.login(told.login, told.password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server


def _handed_over(server: smtplib.SMTP, mail: EmailMessage, sender: str, to: str) -> str:
    """Hand the mail over; gives why it was refused. Raises TryLater where nothing was sent, OutcomeUnknown where the
    server was silent after it had everything: up to its answer it may have taken the mail (RFC 5321, 4.2.5)."""
    wide = not (sender + to).isascii()
    try:
        server.ehlo_or_helo_if_needed()
        if wide and not server.has_extn("smtputf8"):
            return "the mail server takes only addresses in ASCII (no SMTPUTF8)"
        steps: tuple[Callable[[], tuple[int, bytes]], ...] = (
            lambda: server.mail(sender, ["SMTPUTF8"] if wide else []),
            lambda: server.rcpt(to),
            lambda: server.docmd("DATA"),
        )
        for step in steps:
            code, said = step()
            if code >= 500:
                return f"{code} {_words(said)}"
            if code >= 400:
                raise TryLater(f"the mail server puts it off: {code} {_words(said)}")
    except (OSError, smtplib.SMTPException) as error:
        raise TryLater(f"the mail server broke off: {error}") from error
    raw = mail.as_bytes(policy=SMTPUTF8 if wide else SMTP)
    try:
        server.send(re.sub(rb"(?m)^\.", b"..", raw).rstrip(b"\r\n") + b"\r\n.\r\n")
        code, said = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise OutcomeUnknown(f"the mail server broke off after it had the mail: {error}") from error
    if code >= 500:
        return f"{code} {_words(said)}"
    if code >= 400:
        raise TryLater(f"the mail server puts it off: {code} {_words(said)}")
    return ""


def _address(address: str, name: str = "") -> Address:
    return Address(name, addr_spec=address)


def _words(said: bytes | str) -> str:
    text = said.decode("utf8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:300]
