"""Overrides of the configuration: a field moved to another path, or converted by a CEL expression.

An expression sees `value` (the wire value when reading, the canonical value when writing). One-way unless both
`read` and `write` are given, or neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Setting

from datong.base.expression import compiled
from datong.base.money import decimal, plain
from datong.mapping.convert import Canonical, Converter, table, text
from datong.mapping.fieldmap import Field, FieldMap


class FieldOverride(BaseModel):
    """How one canonical field is held by one connection, where it differs from the connector's own map."""

    model_config = ConfigDict(extra="forbid")

    field: str | None = Setting(None, description="path in the wire record, dots go inside")
    read: str | None = Setting(None, description="CEL: wire value -> canonical value")
    write: str | None = Setting(None, description="CEL: canonical value -> wire value")
    mode: str | None = Setting(None, pattern="^(overwrite|if_new|if_empty|never)$")
    off: bool = Setting(False, description="leave this field out")


def overridden(
    base: FieldMap, overrides: Mapping[str, FieldOverride], tables: Mapping[str, Mapping[str, str]]
) -> FieldMap:
    """`base` with the configuration's overrides and value tables laid over it. Raises ValueError for a bad one."""
    fields = {f.name: f for f in base.fields}
    for name, values in tables.items():
        if name in fields:
            fields[name] = replace(fields[name], convert=_through_table(fields[name].convert, values))
    for name, override in overrides.items():
        if override.off:
            fields.pop(name, None)
            continue
        old = fields.get(name)
        if old is None and override.field is None:
            raise ValueError(f"{name}: the map has no such field; give `field:` to say where the system holds it")
        start = old or Field(name, override.field or "", text())
        convert = _expressed(start.convert, override)
        mode: Any = override.mode or ("never" if override.read and not override.write else start.write)
        readable = not (override.write and not override.read)
        fields[name] = replace(start, path=override.field or start.path, convert=convert, write=mode, read=readable)
    return replace(base, fields=tuple(fields.values()))


def _through_table(inner: Converter, values: Mapping[str, str]) -> Converter:
    """What the table lists goes by the table, all else by the connector's own converter."""
    outer = table(values)
    back = {ours: theirs for theirs, ours in values.items()}
    name = f"{inner.name}+{sorted(values.items())}"

    def write_reference(value: Any) -> Any:
        native = inner.write(value)
        return back.get(str(native), native)

    if inner.to:
        return replace(inner, name=name, read=lambda v: inner.read(values.get(str(v), v)), write=write_reference)
    made = replace(
        inner,
        name=name,
        read=lambda v: outer.read(v) if str(v) in values else inner.read(v),
        write=lambda v: outer.write(v) if str(v) in back else inner.write(v),
        nothing=tuple(n for n in inner.nothing if n not in values),
    )
    survive = [e for e in inner.examples if str(e) not in back and str(made.write(e)) not in values]
    return replace(made, examples=(*outer.examples, *survive))


def _expressed(inner: Converter, override: FieldOverride) -> Converter:
    if override.read is None and override.write is None:
        return inner
    read, write = inner.read, inner.write
    if override.read is not None:
        reading = compile_expression(override.read)
        read = (lambda v: inner.read(reading(v))) if inner.to else (lambda v: _canonical(reading(v)))
    if override.write is not None:
        write = compile_expression(override.write)
    return replace(
        inner, name=f"{inner.name} cel({override.read};{override.write})", read=read, write=write, examples=()
    )


def _canonical(value: Any) -> Canonical:
    """CEL counts in its own numbers; ours are text."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        return plain(decimal(value))
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return sorted(set(value))
    raise ValueError(f"the expression gives no plain value: {value!r:.60}")


def compile_expression(source: str) -> Callable[[Any], Any]:
    """A function of one `value`. Raises ValueError with the position for an expression that cannot be compiled."""
    program = compiled(source, (("value", "any"),))
    return lambda value: program({"value": value})
