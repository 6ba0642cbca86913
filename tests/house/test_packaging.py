"""What a stranger clones: no addresses of registries, no paths of one machine, every dependency pinned."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest

from house.documents import ROOT, tracked

REGISTRY = re.compile(
    r"https?://[^\s/]*(?:pypi|pythonhosted|npmjs|yarnpkg|tuna\.tsinghua|mirrors\.)[^\s]*|--(?:extra-)?index-url|--find-links"
)
MACHINE = re.compile(r"(?<![\w.:/-])/(?:root|work|Users|home/[a-z])[/\w.-]*")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))


def texts() -> list[tuple[Path, str]]:
    """Every text file of the repository but this one."""
    found = []
    for path in tracked():
        if path != Path(__file__):
            try:
                found.append((path.relative_to(ROOT), path.read_text(encoding="utf8")))
            except UnicodeDecodeError:
                continue
    return found


def test_no_address_of_a_registry() -> None:
    assert [(str(path), found) for path, text in texts() for found in REGISTRY.findall(text)] == []


def test_no_path_of_one_machine() -> None:
    assert [(str(path), found) for path, text in texts() for found in MACHINE.findall(text)] == []


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf8").splitlines()
    found = [re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+-]+)", line) for line in lines if not line.startswith("#")]
    assert None not in found, "every line is `name==version`"
    return {canonical(match[1]): match[2] for match in found if match}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_of_development_is_pinned() -> None:
    from packaging.requirements import Requirement

    pins, waiting, seen = pinned(), [("datong", "dev")], set()
    wanted: set[str] = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for line in requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(canonical(needed.name), one) for one in ("", *needed.extras)]
                wanted.add(canonical(needed.name))
    assert sorted(wanted - pins.keys() - {"datong"}) == []


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf8")
    assert "Apache License" in text and "Version 2.0, January 2004" in text and len(text.splitlines()) >= 200
    assert PYPROJECT["project"]["license"] == "Apache-2.0"


def test_the_version_stands_in_one_way() -> None:
    import datong

    assert datong.__version__ == PYPROJECT["project"]["version"]


@pytest.mark.parametrize("command", ["ruff format --check", "ruff check", "mypy", "lint-imports"])
def test_hooks_call_the_commands_of_make_check(command: str) -> None:
    assert command in (ROOT / "Makefile").read_text(encoding="utf8")
    assert command in (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf8")


def test_the_gate_runs_what_a_person_runs() -> None:
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf8")
    assert gate.startswith("#!/usr/bin/env bash") and "set -euo pipefail" in gate
    assert "make check" in gate and gate.rstrip().endswith("make test")
