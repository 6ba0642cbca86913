"""Start and stop one gunicorn by its process id, always on the same loopback port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.cache import INSIDE
from lab.errors import LabUnavailable

START_SECONDS = 120.0
STOP_SECONDS = 15.0


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """One gunicorn: one worker process with four threads.

    `attached` servers stop by themselves when the process that started them is gone.
    """

    name: str
    python: Path
    application: str
    folder: Path
    port: int
    env: Mapping[str, str]
    ready: Callable[[], bool]
    attached: bool = True
    pid: int | None = None
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        return self.folder / "gunicorn.log"

    def running(self) -> bool:
        """Whether the process that we know of is alive."""
        if self._child is not None:
            return self._child.poll() is None
        return self.pid is not None and alive(self.pid)

    def start(self) -> None:
        """Start and return when the system answers."""
        if self.running():
            return
        env = {**self.env, "LAB_PARENT": str(os.getpid()) if self.attached else ""}
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.command(), env=env, cwd=self.folder, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.pid = self._child.pid
        self.wait()

    def command(self) -> list[str]:
        """A worker is not preloaded, so that the parent stays small and a crashed worker comes back fresh."""
        return [
            str(self.python), "-m", "gunicorn", self.application, "--config", str(INSIDE / "gunicorn_lab.py"),
            "--bind", f"127.0.0.1:{self.port}",
        ]  # fmt: skip

    def wait(self) -> None:
        """Until the system answers; if it never does, stop it and show the end of its log."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.running():
            if self.ready():
                return
            time.sleep(0.05)
        self.stop()
        last = "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        raise LabUnavailable(f"{self.name} did not start on port {self.port}; the end of {self.log}:\n{last}")

    def stop(self) -> None:
        """Ask politely, wait, insist; the port stays reserved in our memory for the next start."""
        if self.pid is not None:
            stop_process(self.pid, self.running)
        self._child = None
        self.pid = None


def alive(pid: int) -> bool:
    """Whether a process with this id exists and is a server of the lab (ids are reused)."""
    return "gunicorn_lab.py" in command_line(pid)


def command_line(pid: int) -> str:
    """What the process was started as; empty if there is none."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        except OSError:
            return ""
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True).stdout


def stop_process(pid: int, running: Callable[[], bool]) -> None:
    """SIGTERM, and SIGKILL to its whole session if that did not help in time."""
    if not running():
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while running():
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            deadline += STOP_SECONDS
        time.sleep(0.02)
