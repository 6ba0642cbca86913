"""The rooms: who may know whom, what a room is called, and what a light command leaves alone."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "datong"
HEAVY = ("sqlalchemy", "fastapi", "pydantic_settings", "alembic", "uvicorn")


def test_a_room_imports_from_rooms_below_it() -> None:
    """As `make check` does: the contracts stand in .importlinter."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_called_utils_common_or_helpers() -> None:
    unwanted = {"utils", "util", "common", "helpers", "helper", "misc"}
    found = [p for folder in ("datong", "tests", "lab", "bench") for p in (ROOT / folder).rglob("*")]
    assert [str(p) for p in found if p.stem in unwanted and "__pycache__" not in p.parts] == []


def test_every_package_says_what_it_is() -> None:
    packages = sorted(p for p in PACKAGE.rglob("__init__.py") if p.parent.name != "versions")
    assert [str(p) for p in packages if not ast.get_docstring(ast.parse(p.read_text(encoding="utf8")))] == []


def test_every_folder_with_code_is_a_package() -> None:
    folders = {p.parent for p in PACKAGE.rglob("*.py")}
    assert [str(f) for f in sorted(folders) if not (f / "__init__.py").exists()] == []


def test_help_imports_only_what_it_uses() -> None:
    """`datong --help` answers at once: the heavy libraries are imported inside the commands that need them."""
    script = """
import json, sys
from datong.cli import main
status = main(["--help"])
print(json.dumps([status, [name for name in HEAVY if name in sys.modules]]), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", f"HEAVY = {HEAVY!r}\n{script}"], cwd=ROOT, capture_output=True, text=True
    )
    assert "Usage" in done.stdout, done.stderr
    assert json.loads(done.stderr.splitlines()[-1]) == [0, []]
