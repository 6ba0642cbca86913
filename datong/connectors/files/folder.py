"""A folder of files: what is there, whether it is finished, and writing that never leaves half a file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from datong.base.errors import AccessDenied, BadAnswer, OutcomeUnknown, RemoteError, TryLater
from datong.connectors.files.settings import RESULT, fits

_UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".tmp", ".lock")
_LOCK = ".datong.lock"


@dataclass(frozen=True)
class Found:
    """A file as it stood when it was looked at."""

    path: Path
    size: int
    modified_ns: int
    inode: int

    @property
    def modified(self) -> datetime:
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC)


def listed(folder: Path, patterns: Sequence[str]) -> list[Found]:
    """The files of these names, oldest first. Raises TryLater for a folder that is not there."""
    try:
        names = sorted(one.name for one in os.scandir(folder) if one.is_file())
    except OSError as error:
        raise consequence(error, folder) from error
    wanted = [name for name in names if not _aside(name) and fits(name, patterns)]
    found = [one for name in wanted if (one := look(folder / name)) is not None]
    return sorted(found, key=lambda one: (one.modified_ns, one.path.name))


def _aside(name: str) -> bool:
    """Not a list: our own results, what a copy has under way, locks of Excel (`~$`) and LibreOffice (`.~lock`)."""
    return name.startswith((".", "~$")) or name.lower().endswith((*_UNFINISHED, RESULT))


def look(path: Path) -> Found | None:
    try:
        told = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise consequence(error, path) from error
    return Found(path, told.st_size, told.st_mtime_ns, told.st_ino)


def content(found: Found, most: int) -> bytes:
    """All of it. Raises TryLater where it changed meanwhile, BadAnswer where it is larger than `most` bytes."""
    if found.size > most:
        remedy = "split it, or raise `most_mb`"
        raise BadAnswer(f"{found.path.name} has {found.size / 1e6:.0f} MB, more than {most / 1e6:.0f}", remedy=remedy)
    try:
        data = found.path.read_bytes()
    except OSError as error:
        raise consequence(error, found.path) from error
    if look(found.path) != found or len(data) != found.size:
        raise TryLater(f"{found.path.name} changed while it was read")
    return data


def open_elsewhere(path: Path) -> bool:
    """Whether a person has it open: the locks of Excel and LibreOffice lie beside it."""
    return (path.parent / f"~${path.name}").exists() or (path.parent / f".~lock.{path.name}#").exists()


def replace(path: Path, data: bytes, known: Found | None) -> None:
    """The file becomes `data` at once or not at all. Raises TryLater where it is no longer as `known`."""
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if known is not None:
            os.chmod(temporary, path.stat().st_mode & 0o777)
        if look(path) != known:
            raise TryLater(f"{path.name} was changed by somebody else at this moment; nothing was written")
        os.replace(temporary, path)
    except OSError as error:
        raise consequence(error, path) from error
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """The new name survives a power cut."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise OutcomeUnknown(f"{folder}: written, but not surely kept: {error}") from error


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """One process at a time writes in a folder. Raises TryLater while another one does."""
    import fcntl

    try:
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise consequence(error, folder) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise TryLater(f"another process is writing in {folder}") from error
    finally:
        os.close(handle)


def consequence(error: OSError, path: Path) -> RemoteError:
    """What the engine must do after this error; nothing was written."""
    if isinstance(error, PermissionError):
        remedy = f"give the user of Datong the right to use {path.name}"
        return AccessDenied(f"{path}: {error.strerror}", remedy=remedy)
    if isinstance(error, FileNotFoundError):
        return TryLater(f"{path} is not there", remedy="is the share mounted, and the folder right?")
    return TryLater(f"{path}: {error.strerror or error}")
