from __future__ import annotations

from typing import Any

from datong.bootstrap.schema import FILE, schema, text


def test_the_schema_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf8") == text(), "run `python -m datong.bootstrap.schema`"


def test_every_field_is_described() -> None:
    made = schema()
    missing = [
        f"{name}.{field}"
        for name, part in {"": made, **made["$defs"]}.items()
        for field, about in properties(part).items()
        if not about.get("description")
    ]
    assert missing in ([], ["FieldOverride.mode"])


def properties(part: dict[str, Any]) -> dict[str, Any]:
    return {**part.get("properties", {}), **{k: v for one in part.get("anyOf", []) for k, v in properties(one).items()}}


def test_the_short_forms_are_in_it() -> None:
    made = schema()["$defs"]
    assert None in made["FlowConfig"]["anyOf"][0]["enum"]
    assert made["ConnectionConfig"]["additionalProperties"] is True
    assert "settings" not in made["ConnectionConfig"]["properties"]
    assert made["LimitsConfig"]["properties"]["updates"]["default"] == "10%"
    assert made["TriggerConfig"]["properties"]["sweep"]["default"] == "6h"
