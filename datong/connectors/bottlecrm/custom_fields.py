"""The custom fields that a connection needs: which there are, which are missing, and how to create them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datong.base.errors import BadAnswer, Problem
from datong.canon import spec
from datong.connectors.bottlecrm.endpoints import ENDPOINTS
from datong.connectors.bottlecrm.maps import DEFAULT_KEYS, OWN_KEY, converter_for, field_type
from datong.kit import Http, WireField

PATH = "/api/custom-fields/"
KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class Wanted:
    """A custom field that the map of this connection writes. `exact`: another type would not hold its values."""

    target: str
    key: str
    label: str
    type: str
    exact: bool


def wanted(keys: Mapping[str, Mapping[str, str]], companies: Iterable[str]) -> Iterator[Wanted]:
    codes = list(companies)
    for kind, by_name in keys.items():
        for name, key in by_name.items():
            for code in codes if "{company}" in key else [""]:
                label = "Datong key" if name == OWN_KEY else spec(kind, name).en
                if key:
                    yield Wanted(
                        ENDPOINTS[kind].target,
                        key.replace("{company}", code),
                        f"{label} ({code})" if code else label,
                        field_type(kind, name),
                        exact=not name.startswith("custom."),
                    )


def problems(where: str, keys: Mapping[str, Mapping[str, str]], companies: Iterable[str]) -> Iterator[Problem]:
    """What is wrong with the keys that are configured."""
    for kind, by_name in keys.items():
        if kind not in DEFAULT_KEYS:
            yield Problem(f"{where}.{kind}", "it has no custom fields", f"use {' or '.join(DEFAULT_KEYS)}")
            continue
        for name in by_name:
            try:
                _ = name == OWN_KEY or converter_for(kind, name)
            except (KeyError, ValueError) as error:
                yield Problem(f"{where}.{kind}.{name}", str(error.args[0]), "correct the name of the field")
                return
    for one in wanted({kind: by_name for kind, by_name in keys.items() if kind in DEFAULT_KEYS}, companies):
        if not KEY.fullmatch(one.key):
            cause = f"{one.key} can be no key of a custom field"
            yield Problem(where, cause, "use small letters, digits and _ in it, and in the company's code")


def definitions(http: Http, target: str) -> list[dict[str, Any]]:
    """Every definition, switched off ones too. Without `include_counts=false` it counts all records for each."""
    body = http.get(PATH, {"target_model": target, "include_counts": "false"})
    found = body.get("definitions") if isinstance(body, Mapping) else None
    if not isinstance(found, list):
        raise BadAnswer(f"{PATH} answered without definitions", remedy="is this BottleCRM 1.35?")
    return found


def active_keys(found: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(one["key"] for one in found if one["is_active"])


def create(http: Http, field: Wanted) -> None:
    """Needs an administrator's token with custom-fields:write. Raises RequestRefused where one is switched off."""
    body = {"target_model": field.target, "key": field.key, "label": field.label[:128], "field_type": field.type}
    http.call("POST", PATH, body=body)


def faults(needed: Iterable[Wanted], found: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """What is wrong with the custom fields, in words for an administrator."""
    for one in needed:
        there = next((d for d in found[one.target] if d["key"] == one.key), None)
        if there is None:
            yield f"{one.target} has no custom field {one.key} ({one.type}): what is written there would be lost"
        elif not there["is_active"]:
            yield f"the custom field {one.key} of {one.target} is switched off"
        elif not one.exact:
            continue
        elif there["field_type"] == "number" and one.type == "text":
            yield f"the custom field {one.key} of {one.target} is a number, which is a float there: make it a text"
        elif (there["field_type"] == "checkbox") != (one.type == "checkbox"):
            yield f"the custom field {one.key} of {one.target} is a {there['field_type']}, not a {one.type}"


def described(found: Iterable[Mapping[str, Any]]) -> Iterator[WireField]:
    for one in found:
        if one["is_active"]:
            yield WireField(
                f"custom_fields.{one['key']}",
                one["field_type"],
                label=one["label"],
                required=one["is_required"],
                options=tuple(str(option["value"]) for option in one["options"] or ()),
                custom=True,
            )
