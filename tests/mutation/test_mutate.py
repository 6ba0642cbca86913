"""The mutator, tested; and what is known of survivors is about code that is still there."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib

import pytest

from tests.mutation.__main__ import KNOWN
from tests.mutation.mutate import mutants
from tests.mutation.trial import MODULES, ROOT, leading_to

SOURCE = '''
"""A module."""

from typing import Literal

Kind = Literal["a", "b"]
"""Read by people."""

@decorated(frozen=True)
def limit(a: Literal["x"], b: int = 2) -> bool:
    """A function."""
    if not a < 3 and "y" in b:
        raise ValueError("no " + f"{b} things")
    told.append(a + 1)
    return a == b or -b

def other():
    return None if x else y | z
'''


def names(only: frozenset[str] = frozenset()) -> list[str]:
    return [f"{one.line}: {one.change}" for one in mutants(SOURCE, only)]


def test_every_operator_is_tried_where_it_applies() -> None:
    assert sorted(names()) == sorted(
        [
            "10: 2 -> 3",
            "12: condition turned",
            "12: and -> or",
            "12: without not",
            "12: < -> <=",
            "12: 3 -> 4",
            "12: in -> not in",
            "12: 'y' -> 'y~'",
            "13: left out",
            "13: + -> -",
            "14: left out",
            "14: + -> -",
            "14: 1 -> 2",
            "15: returns None",
            "15: or -> and",
            "15: == -> !=",
            "15: without minus",
            "18: returns None",
            "18: condition turned",
            "18: | -> &",
        ]
    )


def test_only_what_is_asked_for_is_changed() -> None:
    assert [name for name in names() if name.startswith("18")] == names(frozenset({"other"}))


def test_each_mutant_differs_by_its_change_alone() -> None:
    plain = ast.unparse(ast.parse(SOURCE))
    made = []
    for mutant in mutants(SOURCE):
        with mutant.tree() as tree:
            made.append(ast.unparse(tree))
            compile(tree, "mutant", "exec")
    assert len(set(made)) == len(made) and plain not in made
    for one in made:
        assert sum(a != b for a, b in zip(plain.splitlines(), one.splitlines(), strict=True)) == 1


def test_a_package_that_exports_the_module_leads_to_it_from_all_its_modules() -> None:
    names = {"datong.matching.decide", "datong.matching", "datong.matching.normalise", "datong.base.json"}
    assert leading_to("datong.matching.decide", names) == names - {"datong.base.json"}


@pytest.mark.parametrize("module", MODULES)
def test_known_survivors_are_mutants_of_the_code_as_it_is(module: str) -> None:
    known = tomllib.loads(KNOWN.read_text(encoding="utf8")).get(module, {})
    source = (ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf8")
    there = {one.name for one in mutants(source, MODULES[module][1])}
    assert sorted(known.keys() - there) == []
    assert all(len(reason) > 10 for reason in known.values()), "each with its reason"


@pytest.mark.proof
@pytest.mark.timeout(7200)
def test_the_tests_notice_nearly_every_change() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.mutation"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
