"""One small change of a module at a time, on its syntax tree.

Changed are comparisons, `and`/`or`, arithmetic, constants, conditions, returned values; statements are left out.
Not changed: annotations, decorators, docstrings, and texts for people (in `raise` and in f-strings).
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

_COMPARE = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_LEFT_OUT = (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)
_NOT_LOOKED_AT = {"annotation", "returns", "decorator_list"}


@dataclass(frozen=True)
class Mutant:
    """`code` is the line as it stands, `change` what was done to it."""

    line: int
    code: str
    change: str
    _tree: ast.Module
    _put: Replace
    _old: ast.AST
    _new: ast.AST

    @property
    def name(self) -> str:
        return f"{self.code} :: {self.change}"

    @contextmanager
    def tree(self) -> Iterator[ast.Module]:
        """The module with the change, for as long as it is looked at: the mutants of a module share its tree."""
        self._put(self._new)
        try:
            yield self._tree
        finally:
            self._put(self._old)


def mutants(source: str, only: frozenset[str] = frozenset()) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines; `only` those within functions of these names."""
    tree = ast.parse(source)
    lines = source.splitlines()
    made: list[Mutant] = []
    for node, put in list(_places(tree, only)):
        for change, new in _changes(node):
            ast.fix_missing_locations(ast.copy_location(new, node))
            made.append(Mutant(node.lineno, lines[node.lineno - 1].strip(), change, tree, put, node, new))
    return _numbered(sorted(made, key=lambda one: one.line))


def _numbered(made: list[Mutant]) -> list[Mutant]:
    """The same change twice in a line gets a number, so that each has a name of its own."""
    seen: Counter[str] = Counter()
    named = []
    for one in made:
        seen[one.name] += 1
        times = seen[one.name]
        named.append(one if times == 1 else replace(one, change=f"{one.change} #{times}"))
    return named


Replace = Callable[[ast.AST], None]


def _places(tree: ast.Module, only: frozenset[str]) -> Iterator[tuple[ast.expr | ast.stmt, Replace]]:
    """Every node that may be changed, and how to put another in its place."""

    def walk(node: ast.AST, inside: bool, telling: bool) -> Iterator[tuple[ast.expr | ast.stmt, Replace]]:
        inside = inside or (isinstance(node, ast.FunctionDef) and node.name in only)
        telling = telling or isinstance(node, (ast.Raise, ast.JoinedStr))
        for name, value in ast.iter_fields(node):
            if name in _NOT_LOOKED_AT or _is_type_alias(node, name):
                continue
            for at, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(child, ast.AST) or _is_text(child, telling, node, at):
                    continue
                if inside and isinstance(child, (ast.expr, ast.stmt)):
                    yield child, _putter(node, name, at)
                yield from walk(child, inside, telling)

    yield from walk(tree, not only, False)


def _putter(node: ast.AST, name: str, at: int | None) -> Replace:
    def put(new: ast.AST) -> None:
        if at is None:
            setattr(node, name, new)
        else:
            getattr(node, name)[at] = new

    return put


def _is_type_alias(node: ast.AST, name: str) -> bool:
    """`Native = Callable[...]`: read by people and the type checker only."""
    return isinstance(node, ast.Assign) and name == "value" and isinstance(node.value, ast.Subscript)


def _is_text(child: ast.AST, telling: bool, parent: ast.AST, at: int | None) -> bool:
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True  # a docstring
    return telling and isinstance(child, ast.Constant) and isinstance(child.value, str)


def _changes(node: ast.expr | ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    """What was done, and the node that then stands there."""
    if isinstance(node, ast.Compare):
        for number, op in enumerate(node.ops):
            new = _COMPARE[type(op)]()
            ops = [*node.ops[:number], new, *node.ops[number + 1 :]]
            yield f"{_sign(op)} -> {_sign(new)}", ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BoolOp):
        other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield f"{_sign(node.op)} -> {_sign(other)}", ast.BoolOp(other, node.values)
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        sign = _ARITHMETIC[type(node.op)]()
        yield f"{_sign(node.op)} -> {_sign(sign)}", ast.BinOp(node.left, sign, node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield f"without {_sign(node.op)}", node.operand
    elif isinstance(node, ast.Constant) and (told := _other(node.value)) is not None:
        yield f"{node.value!r} -> {told!r}", ast.Constant(told)
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
        turned = copy.copy(node)
        turned.test = ast.UnaryOp(ast.Not(), node.test)
        yield "condition turned", turned
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield "returns None", ast.Return(ast.Constant(None))
    elif isinstance(node, _LEFT_OUT):
        yield "left out", ast.Pass()


def _other(value: object) -> bool | int | float | str | None:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return f"{value}~" if isinstance(value, str) else None


def _sign(op: ast.AST) -> str:
    names = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in"}
    names |= {ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not", ast.And: "and", ast.Or: "or", ast.Not: "not"}
    names |= {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%"}
    names |= {ast.Pow: "**", ast.BitOr: "|", ast.BitAnd: "&", ast.USub: "minus"}
    return names[type(op)]
