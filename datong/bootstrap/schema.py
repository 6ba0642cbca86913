"""The JSON Schema of the configuration file, for editors: `python -m datong.bootstrap.schema` writes it to docs/."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from datong.base.json import pretty
from datong.bootstrap.documented import documented
from datong.bootstrap.models import ConfigFile, FlowConfig, LimitsConfig, ServiceConfig, StoreConfig, TriggerConfig

FILE = Path(__file__).parents[2] / "docs" / "datong.schema.json"


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12, generated from the models."""
    made = documented(ConfigFile).model_json_schema()
    parts = made["$defs"]
    for model in (ConfigFile, StoreConfig, ServiceConfig, FlowConfig, TriggerConfig, LimitsConfig):
        _defaults_as_written(model, parts.get(model.__name__, made))
    _open_settings(parts["ConnectionConfig"])
    parts["FlowConfig"] = _with_short_form(parts["FlowConfig"])
    accounts = parts["Person"]["properties"]["os_user"]
    accounts["anyOf"] = [{"type": "string"}, *accounts["anyOf"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "datong.yaml"}


def _defaults_as_written(model: type[BaseModel], part: dict[str, Any]) -> None:
    """`10%`, not 0.1; a group of keys has no default of its own, its keys have."""
    for name, value in model().model_dump(mode="json").items():
        about = part["properties"][name]
        about.pop("default", None)
        if isinstance(value, (str, int)):
            about["default"] = value


def _open_settings(connection: dict[str, Any]) -> None:
    """The settings of the connector stand beside the other keys."""
    connection["properties"].pop("settings")
    connection["additionalProperties"] = True


def _with_short_form(flow: dict[str, Any]) -> dict[str, Any]:
    short = {"enum": [True, False, None, "on", "off", "yes", "no"]}
    return {"description": flow.pop("description"), "anyOf": [short, flow]}


def text() -> str:
    return pretty(schema()) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    target.write_text(text(), encoding="utf8")
    print(target)
