"""Things that are expensive to build, built once: each lives in a folder named after a hash of what it is made from.

A folder under its final name is complete, because it is built beside it and renamed at the end. A build that was
interrupted leaves a `.part` folder, which the next build throws away. A lock keeps two processes from building at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabUnavailable

HERE = Path(__file__).resolve().parent
INSIDE = HERE / "inside"  # files that run in the environments of the systems, on their own import path


def cache_folder(given: str | Path | None = None) -> Path:
    """The argument, else $DATONG_LAB, else `.cache/lab` in the repository."""
    return Path(given or os.environ.get("DATONG_LAB") or HERE.parent / ".cache" / "lab").resolve()


def key_of(*parts: str | Path) -> str:
    """A short hash of texts and of the contents of files."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:12]


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold an exclusive lock; the system lets go of it even if this process is killed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def build_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Return `folder`, made by `build(part_folder)` if it is not there yet."""
    if folder.is_dir():
        return folder
    with locked(folder.with_name(folder.name + ".lock")):
        if not folder.is_dir():
            part = folder.with_name(folder.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            build(part)
            part.rename(folder)
    return folder


def run(
    command: Sequence[str | Path], what: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run a step of a build; on failure say what it was and what it last printed."""
    done = subprocess.run(
        [str(word) for word in command],
        env=dict(env) if env is not None else None,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-12:])
        raise LabUnavailable(f"{what} failed (exit {done.returncode}):\n{last}")
