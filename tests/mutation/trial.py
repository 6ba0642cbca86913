"""One mutant after the other against the tests of its module, each in a process of its own."""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from types import CodeType, ModuleType

from tests.mutation.mutate import Mutant, mutants

ROOT = Path(__file__).parents[2]
MODULES: dict[str, tuple[str, frozenset[str]]] = {
    "datong.engine.merge": ("tests/engine/test_merge.py", frozenset()),
    "datong.engine.plan": ("tests/engine/test_plan.py", frozenset()),
    "datong.engine.items": ("tests/engine/test_items.py", frozenset()),
    "datong.engine.outcome": ("tests/engine/test_outcome.py", frozenset()),
    "datong.engine.backoff": ("tests/engine/test_backoff.py", frozenset()),
    "datong.engine.absorb": (
        "tests/engine/test_echo.py",
        frozenset({"is_evidence", "same_form", "_by_our_clock", "describe", "_origin_time"}),
    ),
    "datong.base.money": ("tests/base/test_money.py", frozenset()),
}
"""Module -> its tests, and the functions that are tried where not all are pure."""
SECONDS = 60
KILLED, SURVIVED = 1, 0
NEW = {"__main__", "tests", "conftest", *(Path(tests).stem for tests, _ in MODULES.values())}


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the changed code in the place of the module."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name, self._code = name, code

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


def survives(module: str, tests: str, tree: ast.Module) -> bool:
    """Whether the tests pass with `tree` as the module: in a process of its own, which imports it anew."""
    child = os.fork()
    if child == 0:
        os._exit(_tried(module, tests, tree))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == SURVIVED


def warm(module: str, tests: str, tree: ast.Module) -> bool:
    """Import once, for all children, what the tests import and does not lead to the module; gives whether they pass."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        ended = _tried(module, tests, tree)
        with os.fdopen(writing, "w") as pipe:
            pipe.write("\n".join(sys.modules))
        os._exit(ended)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        names = set(pipe.read().splitlines())
    for name in sorted(names - leading_to(module, names)):
        if name.partition(".")[0] in NEW:
            continue
        with suppress(ImportError):
            importlib.import_module(name)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == SURVIVED


def leading_to(module: str, names: set[str]) -> set[str]:
    """The modules of `names` by which `module` is imported, itself included: a child must import them anew. Who imports
    a module imports the packages that it lies in."""
    ours = [name for name in names if name.startswith("datong")]
    imports = {name: _imports(ROOT / name.replace(".", "/")) | set(_packages(name)) for name in ours}
    found = {module}
    while more := {name for name, those in imports.items() if those & found} - found:
        found |= more
    return found


def _packages(name: str) -> Iterator[str]:
    while name := name.rpartition(".")[0]:
        yield name


def _imports(path: Path) -> set[str]:
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return found | {name.rpartition(".")[0] for name in found}


def _tried(module: str, tests: str, tree: ast.Module) -> int:
    import pytest
    from hypothesis import Phase, settings

    signal.alarm(SECONDS)  # a mutant that never ends is killed by it
    found_is_enough = (Phase.explicit, Phase.generate)
    settings.register_profile("mutation", phases=found_is_enough, derandomize=True, database=None, deadline=None)
    settings.load_profile("mutation")
    sys.meta_path.insert(0, _Changed(module, compile(tree, module, "exec")))
    without = [word for plugin in ("cacheprovider", "xdist", "timeout") for word in ("-p", f"no:{plugin}")]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        ended = pytest.main([str(ROOT / tests), "-x", "-q", "-o", "addopts=", "--assert=plain", "--tb=no", *without])
    return SURVIVED if ended == pytest.ExitCode.OK else KILLED


def examined(module: str) -> tuple[int, list[tuple[int, str]]]:
    """How many mutants a module has, and line and name of those that survive. The module itself must pass its tests."""
    os.chdir(ROOT)
    tests, only = MODULES[module]
    source = (ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf8")
    if not warm(module, tests, ast.parse(source)):
        raise SystemExit(f"{tests} fails without any change of {module}")
    every = mutants(source, only)
    return len(every), [(one.line, one.name) for one in every if _alive(module, tests, one)]


def _alive(module: str, tests: str, mutant: Mutant) -> bool:
    with mutant.tree() as tree:
        return survives(module, tests, tree)
