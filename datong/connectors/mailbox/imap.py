"""One conversation with an IMAP server (RFC 3501): a folder that is only looked at. Its errors become consequences."""

from __future__ import annotations

import binascii
import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from datong.base.errors import AccessDenied, BadAnswer, RemoteError, RequestRefused, TryLater
from datong.kit.budget import Budget

Encryption = Literal["tls", "starttls", "none"]
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ARRIVED = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_HEAD = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID FROM DATE SUBJECT)]"


@dataclass(frozen=True)
class Fetched:
    """A mail as the server gave it: all of it, or its beginning, or some headers."""

    uid: int
    raw: bytes
    size: int | None
    arrived: datetime | None


@dataclass(frozen=True)
class Server:
    """Where the mailbox is."""

    host: str
    port: int
    login: str
    password: str
    folder: str
    encryption: Encryption
    trust: ssl.SSLContext
    timeout: float


class Folder:
    """The folder, opened so that nothing in it is marked as read."""

    def __init__(self, client: imaplib.IMAP4, validity: str, budget: Budget) -> None:
        self._client = client
        self._budget = budget
        self.validity = validity

    def search(self, *criteria: str) -> list[int]:
        """UIDs, ascending."""
        answer = self._uid("SEARCH", *criteria)
        return sorted({int(one) for line in answer if isinstance(line, bytes) for one in line.split()})

    def heads(self, uids: Sequence[int]) -> Iterator[Fetched]:
        yield from self._fetch(uids, f"(UID {_HEAD})")

    def mails(self, uids: Sequence[int], most: int) -> Iterator[Fetched]:
        """Mails with their first `most` bytes."""
        yield from self._fetch(uids, f"(UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{most}>)")

    def _fetch(self, uids: Sequence[int], what: str) -> Iterator[Fetched]:
        if not uids:
            return
        answer = self._uid("FETCH", ",".join(map(str, uids)), what)
        for number, one in enumerate(answer):
            if not isinstance(one, tuple):
                continue
            after = answer[number + 1] if number + 1 < len(answer) else b""
            told = one[0] + b" " + (after if isinstance(after, bytes) else b"")
            uid, size, arrived = _UID.search(told), _SIZE.search(told), _ARRIVED.search(told)
            if uid is None:
                raise BadAnswer("the mail server gave a mail without its UID")
            yield Fetched(int(uid[1]), one[1], int(size[1]) if size else None, _moment(arrived[1]) if arrived else None)

    def _uid(self, command: str, *arguments: str) -> list[Any]:
        self._budget.take()
        status, answer = self._client.uid(command, *arguments)
        if status != "OK":
            raise RequestRefused(f"the mail server refused {command}: {_said(answer)}")
        return [one for one in answer if one is not None]


@contextmanager
def opened(server: Server, budget: Budget) -> Iterator[Folder]:
    """The folder for the time of one call. Raises RemoteError."""
    with _consequences(server):
        client = _connected(server, budget)
        try:
            yield _examined(client, server, budget)
        finally:
            _left(client)


def _connected(server: Server, budget: Budget) -> imaplib.IMAP4:
    budget.take()
    client: imaplib.IMAP4
    if server.encryption == "tls":
        client = imaplib.IMAP4_SSL(server.host, server.port, ssl_context=server.trust, timeout=server.timeout)
    else:
        client = imaplib.IMAP4(server.host, server.port, timeout=server.timeout)
    try:
        if server.encryption == "starttls":
            client.starttls(server.trust)
        try:
            client.login(server.login, server.password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise AccessDenied(
                f"{server.host} does not let {server.login} in: {error}",
                remedy="check login and password; many providers want a password for programs (授权码)",
            ) from error
        if "ID" in client.capabilities:  # some providers (163.com) refuse the folder to who does not say what he is
            client.xatom("ID", '("name" "datong")')
    except BaseException:
        _left(client)
        raise
    return client


def _examined(client: imaplib.IMAP4, server: Server, budget: Budget) -> Folder:
    budget.take()
    status, answer = client.select(_quoted(server.folder), readonly=True)
    if status != "OK":
        raise AccessDenied(
            f"{server.host} does not open the folder {server.folder}: {_said(answer)}", remedy="correct `folder`"
        )
    _, validity = client.response("UIDVALIDITY")
    told = validity[0] if validity else None
    if not isinstance(told, bytes):
        raise BadAnswer(f"{server.host} gives no UIDVALIDITY for {server.folder}")
    return Folder(client, told.decode("ascii", "replace"), budget)


def _left(client: imaplib.IMAP4) -> None:
    """Whatever the server says to a goodbye, the connection is over."""
    try:
        client.logout()
    except (imaplib.IMAP4.error, OSError):
        client.shutdown()


@contextmanager
def _consequences(server: Server) -> Iterator[None]:
    """Nothing is ever changed there, so that whatever breaks may be tried again."""
    try:
        yield
    except RemoteError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise AccessDenied(
            f"the certificate of {server.host} is not trusted: {error.verify_message}",
            remedy="correct `host`, or name the file of your own certificate authority in `trust`",
        ) from error
    except imaplib.IMAP4.abort as error:
        raise TryLater(f"{server.host} broke off: {error}") from error
    except imaplib.IMAP4.error as error:
        raise BadAnswer(f"{server.host} does not speak IMAP as expected: {error}") from error
    except (OSError, EOFError) as error:
        raise TryLater(f"{server.host} does not answer: {error}") from error


def _quoted(folder: str) -> str:
    """A folder's name as IMAP has it: modified UTF-7 (RFC 3501 5.1.3), quoted."""
    packed = re.sub(
        r"[^\x20-\x7e]+",
        lambda found: "&" + _base64(found[0].encode("utf-16-be")) + "-",
        folder.replace("&", "&-"),
    )
    told = packed.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{told}"'


def _base64(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode("ascii").rstrip("=").replace("/", ",")


def _moment(told: bytes) -> datetime | None:
    try:
        return datetime.strptime(told.decode("ascii").strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except (ValueError, UnicodeError):
        return None


def _said(answer: Sequence[Any]) -> str:
    told = b" ".join(one for one in answer if isinstance(one, bytes))
    return told.decode("utf-8", "replace")[:200] or "no reason given"
