"""What a setting means: the text under it in its model, for those who are shown settings.

Pydantic can do this whenever a class is made, by reading the source; that costs every command a tenth of a second, and
few of them show settings.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


@cache
def documented(model: type[M]) -> type[M]:
    """The model with the descriptions of its fields, and of the models within them, filled in."""
    changed = False
    for one in _within(model, set()):
        told = _texts(one)
        for name, field in one.model_fields.items():
            if field.description is None and name in told:
                field.description = told[name]
                changed = True
        if changed:
            one.model_rebuild(force=True)
    return model


def _within(model: type[BaseModel], met: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """The models within first: a model is built of those."""
    if model in met:
        return
    met.add(model)
    for base in model.__mro__[1:]:
        if isinstance(base, type) and issubclass(base, BaseModel) and base is not BaseModel:
            yield from _within(base, met)
    for field in model.model_fields.values():
        for inner in _models(field.annotation):
            yield from _within(inner, met)
    yield model


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _texts(model: type[BaseModel]) -> dict[str, str]:
    """Field -> the text that stands under it, in this class or one it is made of."""
    told: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if isinstance(one, type) and issubclass(one, BaseModel) and one is not BaseModel:
            told.update(_own_texts(one))
    return told


def _own_texts(model: type[BaseModel]) -> dict[str, str]:
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(body, ast.ClassDef)
    told: dict[str, str] = {}
    for line, after in zip(body.body, body.body[1:], strict=False):
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            told[line.target.id] = inspect.cleandoc(str(after.value.value))
    return told
