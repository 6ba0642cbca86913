"""Signed links: what somebody may look at without a password, until when. Nothing of it can be guessed or altered.

A ticket is text fit for an address: what it is for, signed with HMAC-SHA256 (RFC 2104) by a key that never leaves this
installation. It is no secret kept here: who has it may use it, until it expires or is revoked.
"""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

_SIGNED = 20
"""Bytes of the signature: 160 bits cannot be guessed."""
_LONGEST = 300


@dataclass(frozen=True)
class Ticket:
    """`purpose`: what may be done with it; `of`: the record, as `kind:number`. Times to the second, aware."""

    purpose: str
    of: str
    issued: datetime
    expires: datetime


def written(key: bytes, ticket: Ticket) -> str:
    """The ticket as text. Raises ValueError where a part of it holds the sign that parts them."""
    parts = (ticket.purpose, ticket.of, _number(ticket.issued), _number(ticket.expires))
    if any("|" in one for one in parts):
        raise ValueError("no part of a ticket may hold |")
    body = "|".join(parts).encode()
    return f"{_text(body)}.{_text(_signature(key, body))}"


def read(key: bytes, text: str, now: datetime) -> Ticket | None:
    """The ticket, where we wrote it and it holds still; None for all others, without a word why."""
    body, _, signature = text[:_LONGEST].partition(".")
    try:
        told, proof = _bytes(body), _bytes(signature)
        if not hmac.compare_digest(_signature(key, told), proof):
            return None
        purpose, of, issued, expires = told.decode().split("|")
        ticket = Ticket(purpose, of, _moment(issued), _moment(expires))
    except (ValueError, Error, OverflowError, OSError):
        return None
    return ticket if now < ticket.expires else None


def key_in(folder: Path) -> bytes:
    """The key of this installation, made when there is none. A new one makes every ticket void."""
    file = folder / "links.key"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
                made.write(os.urandom(32))
        except FileExistsError:  # another process was quicker
            pass
    return file.read_bytes()


def _signature(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, sha256).digest()[:_SIGNED]


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Raises ValueError for text that is not exactly what `_text` writes."""
    raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if _text(raw) != text:
        raise ValueError("written in another way")
    return raw


def _number(moment: datetime) -> str:
    return f"{int(moment.timestamp()):x}"


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(int(text, 16), UTC)
