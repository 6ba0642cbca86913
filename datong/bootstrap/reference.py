"""`python -m datong.bootstrap.reference` writes docs/reference/settings.md from the models of the configuration and the
settings of the connectors that ship with Datong; `--check` only compares."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from datong.bootstrap.documented import documented
from datong.bootstrap.installed import connectors
from datong.bootstrap.models import ConfigFile, ConnectionConfig, FlowConfig, duration_text
from datong.kit import ConnectorSettings

TARGET = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"

HEAD = """\
# Settings: datong.yaml

Made by `python -m datong.bootstrap.reference`; do not edit.

One file, `datong.yaml`, and those that it includes. `datong check` tells every mistake in it at once, with file, line,
cause and remedy. Editors know it by [datong.schema.json](../datong.schema.json). An unknown key is a mistake.

A secret never stands in the file. It is named: `${env:NAME}` is taken from the environment, `${file:PATH}` is read from
a file, relative to the folder of `datong.yaml`. The reference must be the whole value.

In a key below, capitals stand for a name of yours: `connections.NAME.role`. *Required* has no default.
"""

OWN = """\
## Settings of the connectors

They stand beside the keys of the connection, and only those of its `system` may stand there. `datong connectors` tells
them for whatever is installed, also for connectors that do not ship with Datong.
"""

ELSEWHERE = {"rest": "../rest.md", "files": "../files.md"}
"""Connectors whose settings describe a whole system: a page of their own tells what lies within."""

_ITEM = {
    "connections": "NAME",
    "companies": "COMPANY",
    "flows": "FLOW",
    "fields": "FIELD",
    "custom": "KIND.NAME",
    "maps": "CONNECTION.KIND.FIELD",
    "values": "CONNECTION.FIELD.VALUE",
    "people": "NAME",
    "statements": "COMPANY",
}
_OF_THE_FLOW = ("first_load", "left_behind", "followers", "fields")
_WITH_UNIT = {timedelta: "duration: 30s, 5m, 6h, 1d", Decimal: "share: 10%"}
_PLAIN = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    SecretStr: "secret",
    Any: "anything",
}
_BOUNDS = ((Ge, "ge", "at least"), (Gt, "gt", "more than"), (Le, "le", "at most"), (Lt, "lt", "less than"))


def reference() -> str:
    """The page."""
    parts = [HEAD]
    for name, info in documented(ConfigFile).model_fields.items():
        parts += [f"## {name}\n", f"{_sentence(info.description)}\n", *_section(name, info)]
    parts.append(OWN)
    for name, entry in sorted(connectors().items()):
        if entry.value.startswith("datong.connectors."):
            parts += _connector(name, entry.load().settings_class)
    return "\n".join(parts)


def _section(name: str, info: FieldInfo) -> Iterator[str]:
    inner = _model(info.annotation)
    at = f"{name}.{_ITEM[name]}" if name in _ITEM else name
    if inner is None:
        last = info.annotation
        for _ in at.split(".")[1:]:
            last = get_args(last)[1]
        yield f"`{at}`: {_named(last)}\n"
        return
    if inner is FlowConfig:
        yield "`FLOW: true` switches a flow on as it is, `false` off; else the keys are:\n"
    yield from _table(at, inner)


def _connector(name: str, settings: type[ConnectorSettings]) -> Iterator[str]:
    yield f"### system: {name}\n"
    if name in ELSEWHERE:
        yield f"What lies within these keys: [{ELSEWHERE[name].rpartition('/')[2]}]({ELSEWHERE[name]}).\n"
    yield from _table("", documented(settings), within=False)


def _table(at: str, model: type[BaseModel], *, within: bool = True) -> Iterator[str]:
    yield "| Key | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    for key, info in keys(at, model, within):
        default = "the flow's own" if model is FlowConfig and key.rpartition(".")[2] in _OF_THE_FLOW else _default(info)
        yield f"| `{key}` | {_type(info)} | {default} | {_cell(_sentence(info.description))} |"
    yield ""


def keys(at: str, model: type[BaseModel], within: bool) -> Iterator[tuple[str, FieldInfo]]:
    """Every key of a model, and of the models that stand in it."""
    for name, info in model.model_fields.items():
        if model is ConnectionConfig and name == "settings":
            continue  # they stand beside the other keys
        key = f"{at}.{name}" if at else name
        inner = _model(info.annotation) if within else None
        if inner is None:
            yield key, info
        else:
            yield from keys(f"{key}.{_ITEM[name]}" if name in _ITEM else key, inner, within)


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation, also as the values of a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [found for part in get_args(annotation) if (found := _model(part)) is not None]
    return inner[0] if inner and get_origin(annotation) is dict else None


def _type(info: FieldInfo) -> str:
    told = "number" if info.annotation is Decimal and not _is_share(info) else _named(info.annotation)
    bounds = [
        f"{words} {getattr(one, name):.10g}"
        for one in info.metadata
        for kind, name, words in _BOUNDS
        if isinstance(one, kind)
    ]
    return f"{told}, {', '.join(bounds)}" if bounds else told


def _is_share(info: FieldInfo) -> bool:
    """Written as 10%, and not a plain number."""
    return any(isinstance(one, BeforeValidator) for one in info.metadata)


def _named(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in _WITH_UNIT:
        return _WITH_UNIT[annotation]
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_named(one) for one in inner if one is not type(None)))
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in inner)
    if origin is list:
        return f"list of: {_named(inner[0])}"
    if origin is dict:
        return f"{_named(inner[0])} -> {_named(inner[1])}"
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _named(inner[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "keys of its own"
    return _PLAIN.get(annotation, "text")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "*required*"
    value = info.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None or value in ("", [], {}, ()):
        return ""
    if isinstance(value, timedelta):
        return f"`{duration_text(value)}`"
    if isinstance(value, Decimal):
        return f"`{(value * 100).normalize():f}%`" if _is_share(info) else f"`{value:f}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    told = reference()
    if "--check" in sys.argv:
        return 0 if TARGET.read_text(encoding="utf8") == told else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(told, encoding="utf8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
