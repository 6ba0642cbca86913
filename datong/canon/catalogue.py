"""The field catalogue: every field of every kind, with label, type, unit, example, and whether it is personal data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from datong.canon import documents, goods, market, records, service
from datong.canon.fields import base_type, type_name
from datong.canon.records import Part, Record, part_of


@dataclass(frozen=True)
class FieldSpec:
    """One field. In `name`, `*` stands for a company code or for the key of a collection's item."""

    kind: str
    name: str
    type: str
    en: str
    zh: str
    unit: str = ""
    example: str = ""
    personal: bool = False
    cost: bool = False
    to: str = ""
    choices: tuple[str, ...] = ()


KINDS: dict[str, type[Record]] = {
    model.kind: model
    for room in (records, documents, goods, service, market)
    for model in vars(room).values()
    if isinstance(model, type) and issubclass(model, Record) and "kind" in vars(model)
}


KNOWN_BY = ("name", "sku", "code", "email", "number", "erp_number", "serial", "subject")
"""What people know a record by; the first that it has."""


def known_by(fields: Mapping[str, Any], first: str = "") -> str:
    """The name of a record for people; `first`: a field that goes before. Empty where it has none of them."""
    return next((str(fields[name]) for name in (first, *KNOWN_BY) if fields.get(name)), "")


@cache
def catalogue(kind: str) -> dict[str, FieldSpec]:
    """Every field of `kind` by name. Raises KeyError for an unknown kind."""
    found: dict[str, FieldSpec] = {}
    model = KINDS[kind]
    for name in model.model_fields:
        if name == "custom":
            continue
        part = part_of(model, name)
        if part is not Part:
            for leaf in part.model_fields:
                found[f"{name}.*.{leaf}"] = _spec(kind, part, leaf, f"{name}.*.{leaf}")
        else:
            found[name] = _spec(kind, model, name, name)
    return found


def _spec(kind: str, model: type[Part], leaf: str, name: str) -> FieldSpec:
    info = model.model_fields[leaf]
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    told = {key: str(extra.get(key, "")) for key in ("en", "zh", "unit", "example", "to")}
    annotation = base_type(info.annotation)
    choices = tuple(map(str, get_args(annotation))) if get_origin(annotation) is not None else ()
    kind_of_value = "reference" if told["to"] else type_name(annotation)
    return FieldSpec(
        kind,
        name,
        kind_of_value,
        told["en"],
        told["zh"],
        unit=told["unit"],
        example=told["example"],
        personal=bool(extra.get("personal")),
        cost=bool(extra.get("cost")),
        to=told["to"],
        choices=choices if kind_of_value == "choice" else (),
    )


def pattern(name: str) -> str:
    """`company.asia.terms` -> `company.*.terms`; other names as they are."""
    head, _, rest = name.partition(".")
    if head == "custom" or not rest:
        return name
    return f"{head}.*.{rest.partition('.')[2]}" if "." in rest else f"{head}.*"


@cache
def spec(kind: str, name: str) -> FieldSpec:
    """The catalogue entry of a concrete name. Custom fields are known by their name alone. Raises KeyError."""
    if name.startswith("custom."):
        label = name.removeprefix("custom.")
        return FieldSpec(kind, name, "any", label, label)
    wanted = pattern(name)
    found = catalogue(kind).get(wanted)
    if found is not None:
        return found
    if wanted.endswith(".*") and any(n.startswith(f"{wanted}.") for n in catalogue(kind)):
        return FieldSpec(kind, name, "truth", "present", "存在")
    raise KeyError(f"{kind} has no field {name}")


def field_names(kind: str) -> list[str]:
    return list(catalogue(kind))
