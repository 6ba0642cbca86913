"""Nothing durable leaves Datong beside the doors that the crash proof watches."""

from __future__ import annotations

import ast
import inspect
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
import pytest
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.default import DefaultDialect

from tests.crashes.sites import NOT_IN_THE_STORY, calling, committing, functions

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "datong"
WIRES = (
    "aiohttp", "asyncio", "confluent_kafka", "ftplib", "http.client", "httpcore2", "httpx", "httpx2", "psycopg",
    "requests", "smtplib", "socket", "sqlite3", "subprocess", "urllib.request", "urllib3",
)  # fmt: skip
"""Modules by which a process reaches beyond itself."""
SERVING = ("sandbox", "cli/demo")
"""The simulated vendors, and the person of the demo who works in them: they stand on the other side of the doors."""
MAY = {
    "kit/http.py": {"httpx2"},  # the door of calls
    "store/scratch.py": {"sqlite3"},  # what one comparison read: a file that nobody reads after it
    "store/opening.py": {"socket"},  # the name of this machine
    "operations/pdf.py": {"subprocess"},  # asks which fonts there are
    "connectors/smtp/__init__.py": {"smtplib"},  # mails: a lost answer asks a person, as its own tests show
    "web/service.py": {"socket", "asyncio"},  # listens
    "web/app.py": {"asyncio"},
    "web/hooks.py": {"asyncio"},
    "web/probes.py": {"asyncio"},
}
WRITE_FILES = {
    "store/journal.py": "key and seals: in the story",
    "base/tickets.py": "the key of links, made once",
    "kit/files.py": "whole or not at all, before anybody is thanked: proved by its own tests",
    "connectors/files/": "a remote system that is a folder: its connector is proved by its own tests",
    "bootstrap/": "the first configuration, at the wish of a person",
    "canon/reference.py": "a document of this repository, at the wish of a developer",
    "cli/": "what a person has written to a file they name",
    "operations/configuration.py": "the configuration, each file whole or not at all, at the wish of a person",
    "operations/sync.py": "a plan, written to a file that a person names",
    "operations/reconcile.py": "reports, into files that a person names",
    "operations/statements.py": "statements, into files that a person names",
    "testing/": "for authors of connectors; no part of a running Datong",
}
FILE_METHODS = {
    "write_text",
    "write_bytes",
    "unlink",
    "rename",
    "symlink_to",
    "hardlink_to",
    "rmtree",
    "copyfile",
}
TRANSACTIONS = {"store/opening.py", "store/migrate.py"}


@cache
def sources() -> list[tuple[str, ast.Module]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(SERVING) and "store/migrations/" not in name:
            found.append((name, ast.parse(path.read_text(encoding="utf8"))))
    return found


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return {wire for wire in WIRES for name in names if name == wire or name.startswith(f"{wire}.")}


def test_only_the_doors_reach_beyond_the_process() -> None:
    found = {name: extra for name, tree in sources() if (extra := imported(tree) - MAY.get(name, set()))}
    assert not found, "a new way out of the process: hook it in tests/crashes/doors.py, or say here why it is harmless"


def test_files_are_written_where_the_proof_knows_of_it() -> None:
    found = {name for name, tree in sources() if any(writes_a_file(node) for node in ast.walk(tree))}
    rest = {name for name in found if not name.startswith(tuple(WRITE_FILES))}
    assert not rest, "a file is a third way out: take it into the story, or say in WRITE_FILES why it is harmless"


def writes_a_file(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func).rpartition(".")[2]
    if called == "open":
        modes = [one.value for one in [*node.args, *(k.value for k in node.keywords)] if isinstance(one, ast.Constant)]
        return any(isinstance(mode, str) and re.fullmatch(r"[rwaxbt+]*[wax+][rwaxbt+]*", mode) for mode in modes)
    return called in FILE_METHODS or ast.unparse(node.func) in ("os.open", "os.replace", "os.rename", "os.write")


@pytest.mark.parametrize("method", ["commit", "begin_nested", "begin_twophase", "raw_connection", "create_engine"])
def test_transactions_are_ended_by_the_store_only(method: str) -> None:
    calls = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == method
    }
    assert calls <= TRANSACTIONS


STATEMENTS = {"AUTOCOMMIT", "COMMIT", "commit", "END"}
"""As they are spelled here; `end` and `End` are the end of a contract."""


def test_nothing_commits_by_itself() -> None:
    """No connection in autocommit mode, and no COMMIT in the text of a statement."""
    texts = {
        (name, node.value)
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value
    }
    assert not [(name, text) for name, text in texts if text.strip() in STATEMENTS]


def test_both_databases_commit_by_the_method_that_is_watched() -> None:
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        assert dialect.do_commit is DefaultDialect.do_commit


def test_every_request_of_the_client_is_sent_by_the_method_that_is_watched() -> None:
    senders = {
        name for name in ("request", "stream") if "self.send(" in inspect.getsource(getattr(httpx2.Client, name))
    }
    assert senders == {"request", "stream"}


def test_the_places_that_commit_and_call_are_found_in_the_code() -> None:
    names = {place.partition(":")[0] for place in committing()}
    assert len(names) > 25
    for product in ("sandbox_crm", "sandbox_erp", "tryton", "bottlecrm"):
        assert calling(product), product
    known = {one.name for one in functions(PACKAGE)}
    assert set(NOT_IN_THE_STORY) <= known, "what is left out must exist"


WATCHED = """
import os, sys
from pathlib import Path
import httpx2
import sqlalchemy as sa
from datong.base.clock import SystemClock
from datong.store import Store
from tests.crashes.doors import Doors
folder, url, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def visit(point):
    global left
    print(point, flush=True)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), 9)
Doors(folder, visit).open()
store = Store(f"sqlite:///{folder}/store.db", SystemClock())
with store.read() as tx:
    tx.execute(sa.text("select 1"))
with store.trial() as tx:
    tx.execute(sa.text("update meta set value = 'x'"))
with store.write() as tx:
    tx.execute(sa.text("insert into meta (name, value) values ('x', 'y')"))
with httpx2.Client() as client:
    client.post(url + "/things/17", json={"name": "x"})
(folder / "told.txt").write_text("x")
"""
LAST = (
    "commit in .* before", "commit in .* after",
    r"POST /things/\* #1 before", r"POST /things/\* #1 sent", r"POST /things/\* #1 after",
    "open told.txt in .* before", "open told.txt in .* begun",
)  # fmt: skip
"""What comes after the making of the store. Reads, and what is rolled back, are no points: they leave nothing."""


def watched(folder: Path, url: str, kill_at: int) -> tuple[int, list[str]]:
    command = [sys.executable, "-c", WATCHED, str(folder), url, str(kill_at)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def receiver() -> Iterator[tuple[str, threading.Event]]:
    """A server, and whether a request came in."""
    got = threading.Event()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            got.set()
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()


def test_every_moment_at_a_door_is_told_and_a_kill_there_is_real(
    tmp_path: Path, receiver: tuple[str, threading.Event]
) -> None:
    url, got = receiver
    (tmp_path / "whole").mkdir()
    status, points = watched(tmp_path / "whole", url, 0)
    assert status == 0 and len(points) == len(set(points))
    last = points[-len(LAST) :]
    assert all(re.fullmatch(wanted, point) for wanted, point in zip(LAST, last, strict=True)), points
    first = len(points) - len(LAST)
    assert first and all(point.startswith("commit in ") for point in points[:first])
    for number, name in ((0, "before commit"), (1, "after commit"), (3, "sent"), (6, "begun")):
        got.clear()
        folder = tmp_path / name
        folder.mkdir()
        status, seen = watched(folder, url, first + number + 1)
        assert status == -9 and seen == points[: first + number + 1], name
        with closing(sqlite3.connect(folder / "store.db")) as store:
            (known,) = store.execute("select count(*) from meta where name = 'x'").fetchone()
        assert known == (name != "before commit"), "before the commit nothing stands, after it everything"
        assert got.wait(10) if number >= 3 else not got.is_set(), "once sent, it arrives; before, it does not"
        told = folder / "told.txt"
        assert told.exists() == (name == "begun") and (not told.exists() or told.read_text() == "")
