"""The doors through which everything durable leaves a process: a commit, a call to a remote system, a file.

What a process has done and a restart can find was done by one of the three. They are watched in the libraries below
Datong, not in Datong, so that no commit and no call can be forgotten when the proof is written: SQLAlchemy's commit,
httpx2's request, and every opening of a file for writing. `test_doors.py` shows that nothing goes round them.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx2
import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.default import DefaultDialect

import datong

PACKAGE = str(Path(datong.__file__).parent) + os.sep
READS = frozenset({"SELECT", "PRAGMA", "BEGIN", "EXPLAIN", "SHOW"})
MOMENTS = {"commit": ("before", "after"), "call": ("before", "sent", "after"), "file": ("before", "begun")}
"""Where a process may be killed at a door. `sent`: the request is out, its answer is not awaited. `begun`: the file is
there and nothing new is in it."""
_FILE_EVENTS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.link", "os.symlink", "os.truncate"})
_ID = re.compile(r"/(?:\d+|[A-Z]+-\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)")
_COMPREHENSION = re.compile(r"(\.<locals>\.<(?:genexpr|listcomp|dictcomp|setcomp)>)+$")
_MADE_UP = re.compile(r"\.[0-9a-f]{8,}$")
_GENERATOR = 0x20


@dataclass(frozen=True, order=True)
class Point:
    """One moment at a door: the `number`-th time that an act comes through it."""

    door: str
    number: int
    moment: str

    def __str__(self) -> str:
        return f"{self.door} #{self.number} {self.moment}"


class Doors:
    """Tells `visit` of every point this process comes to. Opened in a process that ends, for it is never closed."""

    def __init__(self, folder: Path, visit: Callable[[Point], None]) -> None:
        self._folder = str(folder) + os.sep
        self._visit = visit
        self._times: Counter[str] = Counter()
        self._calling = 0

    def open(self) -> None:
        self._watch_commits()
        self._watch_calls()
        sys.addaudithook(self._audited)

    def _come(self, door: str) -> Callable[[str], None]:
        self._times[door] += 1
        number = self._times[door]
        return lambda moment: self._visit(Point(door, number, moment))

    # commits -----------------------------------------------------------------------------------------------------

    def _watch_commits(self) -> None:
        commit = DefaultDialect.do_commit

        def do_commit(dialect: DefaultDialect, connection: Any) -> None:
            if not _wrote(connection):
                commit(dialect, connection)  # there is nothing to lose or to double
                return
            at = self._come(f"commit in {_caller()}")
            at("before")
            commit(dialect, connection)
            at("after")

        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
        sa.event.listen(sa.Engine, "before_cursor_execute", _note_write)
        sa.event.listen(sa.Engine, "rollback", lambda connection: connection.info.pop("writes", None))

    # calls -------------------------------------------------------------------------------------------------------

    def _watch_calls(self) -> None:
        send = httpx2.Client.send

        def watched(client: httpx2.Client, request: httpx2.Request, **how: Any) -> httpx2.Response:
            at = self._come(_call_name(request))
            at("before")

            def told(event: str, _: Any) -> None:
                if event == "http11.send_request_body.complete":
                    at("sent")

            request.extensions = {**request.extensions, "trace": told}
            self._calling += 1
            try:
                return send(client, request, **how)
            finally:
                self._calling -= 1
                at("after")

        httpx2.Client.send = watched  # type: ignore[method-assign]

    # files, and what goes round the doors ------------------------------------------------------------------------

    def _audited(self, event: str, told: tuple[Any, ...]) -> None:
        if event in _FILE_EVENTS or (event == "open" and (told[2] or 0) & (os.O_WRONLY | os.O_RDWR)):
            self._file(event, told[0])
        elif event == "socket.connect" and not self._calling and _ours(sys._getframe(1)):
            raise RuntimeError(f"{_caller()} opens a connection beside the door: {told[1]}")

    def _file(self, event: str, path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike) or not os.fspath(path):
            return
        full = os.path.abspath(os.fsdecode(path))
        if not full.startswith(self._folder):
            return
        name = _MADE_UP.sub(".*", full.removeprefix(self._folder))
        at = self._come(f"{event.removeprefix('os.')} {name} in {_caller()}")
        at("before")

        def begun(_frame: FrameType, _event: str, _told: Any) -> None:
            """The first thing that happens after the system call."""
            sys.setprofile(None)
            at("begun")

        sys.setprofile(begun)


def _wrote(connection: Any) -> bool:
    """Whether the transaction that ends now wrote: by what SQLAlchemy was asked, or by SQLite's own count."""
    changes = getattr(connection, "total_changes", None)
    before = connection.info.get("changes", 0 if changes is not None else None)
    connection.info["changes"] = changes
    return bool(connection.info.pop("writes", False)) or changes != before


def _note_write(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if statement.split(None, 1)[0].upper() not in READS:
        connection.info["writes"] = True


def _caller() -> str:
    """The function of Datong that is at work: the innermost one that is no context manager."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.startswith(PACKAGE) and not frame.f_code.co_flags & _GENERATOR:
            return function_name(frame.f_code)
        frame = frame.f_back
    return "nobody"


def places() -> set[str]:
    """Where Datong is at work now, by function and line: every frame within connectors, and the innermost elsewhere."""
    found: set[str] = set()
    frame: FrameType | None = sys._getframe(1)
    innermost = True
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(PACKAGE) and (innermost or "connectors" in path):
            found.add(f"{function_name(frame.f_code)}:{frame.f_lineno}")
            innermost &= bool(frame.f_code.co_flags & _GENERATOR)
        frame = frame.f_back
    return found


def function_name(code: CodeType) -> str:
    """`engine.cycle.Engine.apply`; a comprehension is part of the function it stands in."""
    module = code.co_filename.removeprefix(PACKAGE).removesuffix(".py").replace(os.sep, ".")
    return f"{module}.{_COMPREHENSION.sub('', code.co_qualname)}"


def _ours(frame: FrameType | None) -> bool:
    """Datong asked for it, and not the test that stands around it."""
    tests = str(Path(__file__).parents[1]) + os.sep
    while frame is not None:
        if frame.f_code.co_filename.startswith(PACKAGE):
            return True
        if frame.f_code.co_filename.startswith(tests):
            return False
        frame = frame.f_back
    return False


def _call_name(request: httpx2.Request) -> str:
    """`POST /v1/customers/*/sites/save`, or the method of a JSON-RPC call."""
    if request.content.startswith(b"{"):
        body = orjson.loads(request.content)
        if isinstance(body.get("method"), str) and "params" in body:
            return f"call {body['method']}"
    return f"{request.method} {_ID.sub('/*', request.url.path)}"
