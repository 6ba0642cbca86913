"""Those who do the job: the bounds, and Datong. Each has a folder of its own for what it keeps."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from bench.ends import REPOSITORY, Ends
from bench.postgres import Postgres

DATONG = Path(sys.executable).parent / "datong"
CONFIG = Path(__file__).with_name("datong.yaml")
TOKEN = "bench"
NUMBER_ONLY = "webhook: {unsigned: true, id: customer_no}"
COMPLETE = (
    'webhook: {token: {header: X-Token, secret: "${env:BENCH_TOKEN}"}, id: customer_no, record: "", complete: true}'
)


class Peer(ABC):
    """One tool on one job. A run is one process, from its start to its end."""

    name: ClassVar[str]

    def __init__(self, ends: Ends, root: Path) -> None:
        self.ends = ends
        self.folder = root / "run" / self.name
        self.log = root / "logs" / f"{self.name}.log"

    def prepare(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def command(self) -> list[str]: ...

    def environment(self) -> dict[str, str]:
        """As it is, but for what would have every run compile its sources again."""
        return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self.environment(),
                cwd=REPOSITORY,
            )

    def bytes_kept(self) -> int:
        """What it keeps on disk."""
        return sum(f.stat().st_size for f in self.folder.rglob("*") if f.is_file())

    def other_cpu(self) -> float:
        """CPU seconds spent for it by a process that it did not start: a database server."""
        return 0.0


class Bound(Peer):
    ledger: ClassVar[str]

    def command(self) -> list[str]:
        ends = ["--source", self.ends.source, "--sink", self.ends.sink]
        state = str(self.folder / "state.db")
        return [sys.executable, "-m", "bench.bound", *ends, "--state", state, "--ledger", self.ledger]


class BoundCursor(Bound):
    name = "bound-cursor"
    ledger = "cursor"


class BoundRows(Bound):
    name = "bound-rows"
    ledger = "rows"


class Datong(Peer):
    """`datong sync`, the store on SQLite."""

    name = "datong"
    changes: ClassVar[Mapping[str, str]] = {}
    """What is told otherwise than in bench/datong.yaml."""

    def prepare(self) -> None:
        super().prepare()
        self.configure(self.changes)

    def configure(self, changes: Mapping[str, str]) -> None:
        text = CONFIG.read_text(encoding="utf8")
        for old, new in changes.items():
            if text.count(old) != 1:
                raise ValueError(f"{CONFIG.name} has {old!r} {text.count(old)} times, not once")
            text = text.replace(old, new)
        self.config.write_text(text, encoding="utf8")

    @property
    def config(self) -> Path:
        return self.folder / "datong.yaml"

    def store(self) -> str:
        return "sqlite:///datong.db"

    def environment(self) -> dict[str, str]:
        ends = {"BENCH_SOURCE": self.ends.source, "BENCH_SINK": self.ends.sink}
        return {
            **super().environment(),
            **ends,
            "BENCH_STORE": self.store(),
            "BENCH_TOKEN": TOKEN,
        }

    def command(self) -> list[str]:
        return [str(DATONG), "--config", str(self.config), "sync"]


class DatongPg(Datong):
    """The same with the store on a PostgreSQL server that runs beside it."""

    name = "datong-pg"
    database: ClassVar[str] = "datong_bench"

    def prepare(self) -> None:
        super().prepare()
        self.server = Postgres.running(self.folder.parents[1] / "postgres")
        self.server.recreate(self.database)

    def store(self) -> str:
        return self.server.url(self.database)

    def bytes_kept(self) -> int:
        return super().bytes_kept() + self.server.size(self.database)

    def other_cpu(self) -> float:
        return self.server.cpu()


class Service(Peer):
    """A peer that stays up and is told of changes by webhook."""

    number_only: ClassVar[bool] = False
    """The webhook carries only the customer's number."""
    loads: ClassVar[bool] = False
    """It brings over everything when it starts."""
    headers: ClassVar[Mapping[str, str]] = {}
    """What a webhook must bring along."""
    hook_path: ClassVar[str]
    ready_path: ClassVar[str]

    def __init__(self, ends: Ends, root: Path) -> None:
        super().__init__(ends, root)
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, seconds: float = 60) -> None:
        """Returns when it answers."""
        self.process = self.spawn()
        until(self.ready, seconds, f"{self.name} does not answer, see {self.log}", self.process)

    @property
    def pid(self) -> int:
        return self.process.pid

    def ready(self) -> bool:
        try:
            urllib.request.urlopen(self.url + self.ready_path, timeout=3).read()
        except urllib.error.HTTPError as answer:
            return answer.code < 500
        except OSError:
            return False
        return True

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class BoundHook(Service):
    name = "bound-hook"
    hook_path = ready_path = "/hook"

    def command(self) -> list[str]:
        ends = ["--source", self.ends.source, "--sink", self.ends.sink]
        more = ["--get"] if self.number_only else []
        state = ["--state", str(self.folder / "hook.db"), "--port", str(self.port)]
        return [sys.executable, "-m", "bench.bound_hook", *ends, *state, *more]


class BoundHookGet(BoundHook):
    name = "bound-hook-get"
    number_only = True


class DatongRun(Datong, Service):
    """`datong run`: the service. The webhook carries the whole customer, and the connection says so."""

    name = "datong-run"
    changes: ClassVar[Mapping[str, str]] = {NUMBER_ONLY: COMPLETE}
    headers: ClassVar[Mapping[str, str]] = {"X-Token": TOKEN}
    loads = True
    hook_path = "/hooks/erp"
    ready_path = "/readyz"

    def command(self) -> list[str]:
        return [str(DATONG), "--config", str(self.config), "run", "--port", str(self.port)]


class DatongRunGet(DatongRun):
    name = "datong-run-get"
    number_only = True
    changes: ClassVar[Mapping[str, str]] = {}
    headers: ClassVar[Mapping[str, str]] = {}


PEERS: dict[str, type[Peer]] = {
    one.name: one
    for one in (BoundCursor, BoundRows, Datong, DatongPg, BoundHook, BoundHookGet, DatongRun, DatongRunGet)
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(
    holds: Callable[[], bool], seconds: float, else_: str, process: subprocess.Popen[bytes] | None = None
) -> None:
    """Wait until it holds. Raises RuntimeError when it takes longer, or when `process` ends before."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end or (process is not None and process.poll() is not None):
            raise RuntimeError(else_)
        time.sleep(0.1)
