"""Both systems together: for the length of a `with` block, or until `down`."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lab import bottlecrm, tryton
from lab.bottlecrm import BottleCrm
from lab.cache import cache_folder, locked
from lab.server import Server
from lab.tryton import Tryton

STATE = "state.json"
A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Real:
    """The two systems, each with its address, its credentials and start() and stop()."""

    tryton: Tryton
    bottlecrm: BottleCrm
    folder: Path

    def start(self) -> None:
        """Both at once; if one fails, neither stays up."""
        try:
            _both(self.tryton.start, self.bottlecrm.start)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        _both(self.tryton.stop, self.bottlecrm.stop)


@contextmanager
def running(cache: str | Path | None = None, run_dir: str | Path | None = None) -> Iterator[Real]:
    """Both systems with fresh data, stopped at the end of the block or when this process dies.

    Without `run_dir` the data vanish at the end; a given `run_dir` keeps them and the logs for inspection.
    Raises LabUnavailable if this machine cannot run them.
    """
    place = cache_folder(cache)
    folder = _run_of_this_process(place / "runs") if run_dir is None else Path(run_dir).resolve()
    try:
        real = _prepare(place, folder, attached=True)
        real.start()
        try:
            yield real
        finally:
            real.stop()
    finally:
        if run_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


def install(cache: str | Path | None = None) -> None:
    """Do everything that takes long, both systems in parallel; returns at once if it is done already."""
    place = cache_folder(cache)
    _both(lambda: tryton.install(place), lambda: bottlecrm.install(place))


def up(cache: str | Path | None = None, run_dir: str | Path | None = None) -> Real:
    """Start both with fresh data, to stay up after this process; what runs already is left as it is."""
    place = cache_folder(cache)
    folder = _run_folder(place, run_dir)
    with locked(folder.with_name(folder.name + ".lock")):
        if (real := _known(place, folder)) and all(server.running() for server in _servers(real)):
            return real
        if real:
            real.stop()
        real = _prepare(place, folder, attached=False)
        real.start()
        _remember(real)
        return real


def down(cache: str | Path | None = None, run_dir: str | Path | None = None) -> list[str]:
    """Stop what `up` started; names what was running."""
    place = cache_folder(cache)
    folder = _run_folder(place, run_dir)
    with locked(folder.with_name(folder.name + ".lock")):
        real = _known(place, folder)
        if real is None:
            return []
        names = [server.name for server in _servers(real) if server.running()]
        real.stop()
        (folder / STATE).unlink()
        return names


def status(cache: str | Path | None = None, run_dir: str | Path | None = None) -> Real | None:
    """What `up` started, running or crashed; None if it is down."""
    place = cache_folder(cache)
    return _known(place, _run_folder(place, run_dir))


def _run_folder(place: Path, run_dir: str | Path | None) -> Path:
    return Path(run_dir).resolve() if run_dir is not None else place / "up"


def _run_of_this_process(runs: Path) -> Path:
    """A new folder that bears our process id, so that the next process can clear it away if we are killed."""
    runs.mkdir(parents=True, exist_ok=True)
    for left in runs.iterdir():
        owner = left.name.partition("-")[0]
        if owner.isdigit() and not _exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=runs, prefix=f"{os.getpid()}-"))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _prepare(place: Path, folder: Path, attached: bool) -> Real:
    erp, crm = _both(
        lambda: tryton.prepare(place, folder / "tryton", attached=attached),
        lambda: bottlecrm.prepare(place, folder / "bottlecrm", attached=attached),
    )
    return Real(erp, crm, folder)


def _servers(real: Real) -> tuple[Server, Server]:
    return real.tryton.server, real.bottlecrm.server


def _remember(real: Real) -> None:
    """Write down where the servers are, for later commands."""
    erp, crm = ({"python": str(s.python), "port": s.port, "pid": s.pid} for s in _servers(real))
    (real.folder / STATE).write_text(json.dumps({"tryton": erp, "bottlecrm": crm}, indent=1), encoding="utf-8")


def _known(place: Path, folder: Path) -> Real | None:
    """What the state file says, if there is one."""
    try:
        state: dict[str, dict[str, Any]] = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    erp, crm = state["tryton"], state["bottlecrm"]
    return Real(
        tryton.attach(Path(erp["python"]), folder / "tryton", erp["port"], erp["pid"], attached=False),
        bottlecrm.attach(Path(crm["python"]), folder / "bottlecrm", crm["port"], crm["pid"], attached=False),
        folder,
    )


def _both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Run two steps side by side; wait for both even if one fails, then raise the first failure."""
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(first), pool.submit(second)
    return one.result(), other.result()
