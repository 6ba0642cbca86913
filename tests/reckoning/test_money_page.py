"""docs/concepts/money.md: its examples run, its tables name every rule and every problem there is."""

import ast
import doctest
import re
from dataclasses import fields
from pathlib import Path

import datong.reckoning
from datong.reckoning import Rules

HOUSE = Path(datong.reckoning.__file__).parents[2]
PAGE = HOUSE / "docs" / "concepts" / "money.md"
CODE = re.compile(r"[A-Z]+(?:_[A-Z]+)+")


def strings(name: str) -> set[str]:
    tree = ast.parse((HOUSE / "datong" / "reckoning" / name).read_text(encoding="utf8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def cells(heading: str) -> set[str]:
    """The names in code in the first column of the table with this heading."""
    table = PAGE.read_text(encoding="utf8").partition(f"| {heading} |")[2].partition("\n\n")[0]
    rows = [row for row in table.splitlines()[1:] if row.startswith("|")]
    return {word for row in rows for word in re.findall(r"`(\w+)`", row.split(" | ")[0])}


def test_the_examples_run() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf8")
    assert result.attempted > 10
    assert result.failed == 0


def test_every_problem_has_its_row() -> None:
    used = {text for path in PAGE.parents[2].glob("datong/reckoning/*.py") for text in strings(path.name)}
    codes = {text for text in used if CODE.fullmatch(text)}
    assert len(codes) > 30
    assert cells("Code") == codes


def test_every_setting_and_every_cause_has_its_row() -> None:
    assert cells("Setting of `Rules`") == {one.name for one in fields(Rules)}
    causes = {"minor_units", "tax_included", "no_discount", "not_free", "lines", "amounts", "sum"}
    others = {"tax", "discount", "discounted", "rounding", "odd_cent", "free_goods", "price_places"}
    assert cells("`rule`") == causes | others
    assert causes | others <= strings("guard.py")
