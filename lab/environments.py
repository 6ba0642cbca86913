"""A Python environment per system, installed from a pinned list with ordinary pip.

Environments are renamed after they are built, so nothing may start through their `bin` scripts, whose first line holds
the old path: always run `python -m something`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lab.cache import build_once, key_of, run
from lab.errors import LabUnavailable

INSTALL = ("install", "--quiet", "--no-deps", "--no-compile", "--no-input", "--disable-pip-version-check")


def environment(cache: Path, name: str, requirements: Path, minimum: tuple[int, int]) -> Path:
    """The Python of the environment for `name`, installed first if needed."""
    base = find_python(minimum, name)
    key = key_of(requirements, version_of(base))
    folder = build_once(cache / f"{name}-python-{key}", lambda part: install(base, part, requirements, name))
    return folder / "bin" / "python"


def install(base: str, folder: Path, requirements: Path, name: str) -> None:
    """Make the environment; the list is complete, so pip need not resolve anything."""
    if can(base, "import pip, sys; sys.exit(tuple(map(int, pip.__version__.split('.')[:2])) < (22, 3))"):
        run([base, "-m", "venv", "--without-pip", folder], f"making a Python environment for {name}")
        pip: list[str | Path] = [base, "-m", "pip", "--python", folder / "bin" / "python"]
    else:
        run([base, "-m", "venv", folder], f"making a Python environment for {name}")
        pip = [folder / "bin" / "python", "-m", "pip"]
    run([*pip, *INSTALL, "-r", requirements], f"installing the packages of {name}", clean_environ())


def find_python(minimum: tuple[int, int], name: str) -> str:
    """The first interpreter that is new enough and really runs: a pyenv shim on PATH may do neither."""
    needed = f"import sys, venv, ssl, sqlite3; sys.exit(sys.version_info < {minimum})"
    for candidate in candidates(minimum):
        if can(candidate, needed):
            return candidate
    wanted = ".".join(map(str, minimum))
    raise LabUnavailable(f"{name} needs Python {wanted} or newer with venv, and none was found on PATH or under pyenv")


def candidates(minimum: tuple[int, int]) -> Iterator[str]:
    """This interpreter, then those on PATH, then those of pyenv, older versions first."""
    yield sys.executable
    for minor in range(minimum[1], minimum[1] + 6):
        if found := shutil.which(f"python{minimum[0]}.{minor}"):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for minor in range(minimum[1], minimum[1] + 6):
        yield from sorted(map(str, (pyenv / "versions").glob(f"{minimum[0]}.{minor}.*/bin/python3")))


def can(python: str, code: str) -> bool:
    """Whether this interpreter runs the code to a good end."""
    try:
        return subprocess.run([python, "-c", code], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def version_of(python: str) -> str:
    """Version and place: another interpreter makes another environment."""
    code = "import sys; print(sys.version, sys.base_prefix)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout


def clean_environ() -> dict[str, str]:
    """Our environment without what would change how another Python behaves, such as not keeping its compiled files."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
