"""A mail as it came over the wire, read into plain values. Pure; whatever comes, something is read.

Mail is broken in every way there is: headers in raw GBK, encoded words cut in two, charsets that do not exist, MIME
parts without an end. What cannot be read is named in `unread`, and the rest is taken.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from email.utils import getaddresses, parsedate_to_datetime
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

from datong.base.clock import to_text

TAG = "X-Datong-Notice"
"""Header of the mails that Datong itself sends."""
_SIMPLE_ID = re.compile(r"[!#-\[\]-~]{1,150}")
_ID = re.compile(r"<\s*([^<>\s]+)\s*>")
_GUESSES = ("utf-8", "gb18030", "big5")
_CHINESE = frozenset({"gb2312", "gbk", "x-gbk", "gb_2312-80", "cp936", "gb18030", "hz-gb-2312"})
_FALLBACK = "latin-1"
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?=")
_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FORGED = re.compile(r"(mailer-daemon|postmaster|no-?reply-bounce)@", re.IGNORECASE)
_MACHINES = frozenset({"bulk", "junk", "list", "auto_reply"})


def guessed(raw: bytes, charset: str | None = None) -> str:
    """Text of bytes: as they say, else as they may be. GB2312 is read as GB18030, which has all its characters and
    those that people write although it lacks them."""
    named = (charset or "").strip().lower().replace(" ", "")
    if named and named not in ("us-ascii", "ascii", "unknown-8bit"):
        try:
            return raw.decode("gb18030" if named in _CHINESE and named != "hz-gb-2312" else named)
        except (LookupError, UnicodeError, ValueError):
            pass  # it says what it is not: what follows finds out
    for one in _GUESSES:
        try:
            return raw.decode(one)
        except UnicodeError:
            continue
    return raw.decode(_FALLBACK)


class _Lenient(Compat32):
    """Headers as plain text, raw eight-bit ones guessed: what the library makes of these is no text."""

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return str(value)
        raw = value.encode("ascii", "surrogateescape") if not value.isascii() else b""
        return guessed(raw) if raw else value


_POLICY = _Lenient()


def parsed(raw: bytes) -> Message:
    return message_from_bytes(raw, policy=_POLICY)


def header(message: Message, name: str) -> str | None:
    """A header as people read it: encoded words decoded, one line."""
    value = message.get(name)
    return None if value is None else _one_line(_decoded(str(value))) or None


def _decoded(value: str) -> str:
    if not _ENCODED_WORD.search(value):
        return value
    try:
        parts = decode_header(value)
    except (HeaderParseError, binascii.Error, ValueError):
        return value
    joined: list[tuple[str | None, bytes]] = []
    for told, charset in parts:
        raw = told if isinstance(told, bytes) else told.encode("utf-8", "surrogateescape")
        if isinstance(told, bytes) and joined and joined[-1][0] == charset:
            joined[-1] = (charset, joined[-1][1] + raw)  # a character may be cut in two between words
        else:
            joined.append((charset, raw))
    return "".join(guessed(raw, charset) for charset, raw in joined)


def _one_line(text: str) -> str:
    return _clean(" ".join(text.split()))


def _clean(text: str) -> str:
    """Without control characters and halves of characters."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")


# Who it is ---------------------------------------------------------------------------------------------------------


def id_of(message: Message) -> str:
    """What names the mail for good: its Message-ID, and a digest of sender, date and subject, so that nobody can write
    over another's mail by using its Message-ID. A copy that was delivered twice is the same."""
    told = "\n".join(" ".join(str(message.get(name) or "").split()) for name in ("From", "Date", "Subject"))
    own = message_id(message)
    digest = sha256(f"{own}\n{told}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{own}#{digest[:12]}" if own and _SIMPLE_ID.fullmatch(own) else f"#{digest[:32]}"


def searchable(native_id: str) -> str | None:
    """The Message-ID in a native id, where a server can be asked for it."""
    return native_id.rpartition("#")[0] or None


def message_id(message: Message) -> str | None:
    told = str(message.get("Message-ID") or "")
    found = _ID.search(told)
    return found[1] if found else "".join(told.split()).strip("<>") or None


def thread_of(message: Message) -> str:
    """The message with which the conversation began: the first that is referred to, else this one."""
    for name in ("References", "In-Reply-To"):
        if found := _ID.findall(str(message.get(name) or "")):
            return str(found[0])
    return message_id(message) or id_of(message)


def automatic(message: Message, ours: frozenset[str]) -> str | None:
    """Why no customer wrote it: by RFC 3834 (automatic answers), RFC 3464 (delivery reports), and the usual signs."""
    sender = _address(message, "From")[1]
    if message.get(TAG) is not None or (sender is not None and sender in ours):
        return "a notice of ours"
    kind = message.get_content_type()
    if kind in ("multipart/report", "message/delivery-status") or (sender and _FORGED.match(sender)):
        return "a message that came back"
    if str(message.get("Return-Path") or "").strip() == "<>":
        return "a message that came back"
    told = str(message.get("Auto-Submitted") or "no").partition(";")[0].strip().lower()
    if told != "no" or message.get("X-Autoreply") is not None or message.get("X-Autorespond") is not None:
        return "an automatic answer"
    if str(message.get("Precedence") or "").strip().lower() in _MACHINES or message.get("List-Id") is not None:
        return "a mailing"
    return None


def _address(message: Message, name: str) -> tuple[str | None, str | None]:
    """(name, address in small letters) of the first address."""
    value = str(message.get(name) or "")
    for shown, address in getaddresses([value]):
        if "@" in address:
            return _one_line(_decoded(shown)) or None, _one_line(address).lower()
    found = re.search(r"[^\s<>\"',;:()]+@[^\s<>\"',;:()]+", value)
    return None, found[0].lower() if found else None


# What it says ------------------------------------------------------------------------------------------------------


def read_mail(
    raw: bytes,
    arrived: datetime | None,
    *,
    longest: int,
    ours: frozenset[str],
    cut: bool,
    keep: Callable[[bytes], str] | None = None,
) -> dict[str, Any]:
    """The values of a mail. `arrived`: by the server's clock; `longest`: characters of text that are kept; `cut`: the
    mail was larger than what was fetched of it; `keep`: keeps the content of a file, and gives its digest."""
    message = parsed(raw)
    unread: list[str] = ["larger than the limit: its end was not read"] if cut else []
    text, files = _contents(message, unread, keep or _digest)
    if len(text) > longest:
        text = text[:longest]
        unread.append("the end of the text: it is long")
    name, sender = _address(message, "From")
    own = message_id(message) or id_of(message)
    return {
        "channel": "mail",
        "thread": f"mail:{thread_of(message)}",
        "message_id": own,
        "sender": sender,
        "sender_name": name,
        "recipient": _address(message, "To")[1],
        "subject": header(message, "Subject"),
        "text": text or None,
        "received": to_text(arrived or _date(message) or datetime.fromtimestamp(0, UTC)),
        "automatic": automatic(message, ours),
        "unread": "; ".join(unread) or None,
        "attachments": files,
    }


def _date(message: Message) -> datetime | None:
    try:
        found = parsedate_to_datetime(str(message.get("Date") or ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _contents(message: Message, unread: list[str], keep: Callable[[bytes], str]) -> tuple[str, list[dict[str, Any]]]:
    """The text and the files. Of alternatives the plain text counts, and the HTML where there is none."""
    plain: list[str] = []
    marked: list[str] = []
    files: list[dict[str, Any]] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        name = _file_name(part)
        raw = _payload(part, unread)
        shown = part.get_content_disposition() != "attachment" and name is None
        if shown and kind == "text/plain":
            plain.append(guessed(raw, _charset(part)))
        elif shown and kind == "text/html":
            marked.append(stripped(guessed(raw, _charset(part))))
        elif raw or name:
            files.append(_file(name, kind, raw, len(files), keep))
    found = plain if any(one.strip() for one in plain) else marked
    return _tidy("\n".join(found)), files


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something. A mail within the mail is a file, and is not looked into."""
    if message.get_content_type() == "message/rfc822" or not message.is_multipart():
        yield message
        return
    children = message.get_payload()
    for one in children if isinstance(children, list) else ():
        if isinstance(one, Message):
            yield from _leaves(one)


def _payload(part: Message, unread: list[str]) -> bytes:
    if part.is_multipart():
        inner = part.get_payload()
        try:
            return b"".join(one.as_bytes() for one in inner if isinstance(one, Message))
        except (MessageError, UnicodeError, LookupError, ValueError, TypeError, AttributeError) as error:
            unread.append(f"a mail within the mail ({type(error).__name__})")
            return b""
    try:
        raw = part.get_payload(decode=True)
    except (MessageError, UnicodeError, LookupError, ValueError, TypeError, binascii.Error) as error:
        unread.append(f"a part of the kind {part.get_content_type()} ({type(error).__name__})")
        return b""
    if part.defects:
        unread.append(f"a broken part of the kind {part.get_content_type()}")
    return raw if isinstance(raw, bytes) else b""


def _charset(part: Message) -> str | None:
    told = _parameter(part, "content-type", "charset")
    return told.strip("'\" ").lower() if told else None


def _file_name(part: Message) -> str | None:
    told = _parameter(part, "content-disposition", "filename") or _parameter(part, "content-type", "name")
    return _one_line(_decoded(told)).replace("/", "_").replace("\\", "_")[:200] or None if told else None


def _parameter(part: Message, name: str, parameter: str) -> str | None:
    try:
        told = part.get_param(parameter, header=name)
    except (ValueError, TypeError, LookupError, UnicodeError):
        return None
    if isinstance(told, tuple):  # RFC 2231: charset, language, value
        charset, _, value = told
        return guessed(str(value).encode("latin-1", "replace"), charset or "utf-8")
    return str(told) if told else None


def _file(name: str | None, kind: str, raw: bytes, number: int, keep: Callable[[bytes], str]) -> dict[str, Any]:
    return {"id": str(number + 1), "name": name, "media_type": kind, "size": len(raw), "digest": keep(raw)}


def _digest(raw: bytes) -> str:
    return f"sha256:{sha256(raw).hexdigest()}"


class _Text(HTMLParser):
    """The text of HTML: without scripts and styles, with the ends of its blocks."""

    BLOCKS = frozenset(("br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "blockquote", "hr"))
    SILENT = frozenset(("script", "style", "head", "title", "template", "noscript"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._silent and tag in self.SILENT:
            self._silent = tag
        elif tag in self.BLOCKS:
            self.said.append("\n")
        elif tag in ("td", "th"):
            self.said.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent or (self._silent == "head" and tag == "html"):
            self._silent = ""
        elif tag in self.BLOCKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(" ".join(data.split()) + (" " if data[-1:].isspace() else ""))


def stripped(html: str) -> str:
    """HTML as plain text. Nothing of it is ever shown as HTML again."""
    reader = _Text()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, ValueError):  # what the library says to markup that is none
        return re.sub(r"<[^<>]*>", " ", html)
    return "".join(reader.said)


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return _BLANK.sub("\n\n", _clean(lines)).strip()
