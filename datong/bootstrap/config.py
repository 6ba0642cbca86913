"""The one way to the configuration: `load` reads, checks and tells every mistake at once.

    config = load(Path("datong.yaml"))

A mistake names file, line, cause and remedy. Secrets are not looked up here; `ConnectionConfig.resolved` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from datong.base import secrets
from datong.base.errors import ConfigurationError, Problem
from datong.base.json import digest
from datong.bootstrap.crosscheck import PLURALS, Known, crosscheck, has_password
from datong.bootstrap.installed import connectors
from datong.bootstrap.mistakes import Finding, finding, findings, model_at, suggestion
from datong.bootstrap.models import (
    CompanyConfig,
    Config,
    ConfigFile,
    ConnectionConfig,
    CustomField,
    FieldPolicyConfig,
    FlowConfig,
    LimitsConfig,
    Person,
    ServiceConfig,
    StoreConfig,
    TriggerConfig,
    is_secret_name,
    told,
)
from datong.bootstrap.yaml import Document, Node, Steps, plain, read, texts

__all__ = [
    "FLOWS_KNOWN",
    "CompanyConfig",
    "Config",
    "ConnectionConfig",
    "CustomField",
    "FieldPolicyConfig",
    "FlowConfig",
    "LimitsConfig",
    "Person",
    "ServiceConfig",
    "StoreConfig",
    "TriggerConfig",
    "installed_settings",
    "installed_systems",
    "load",
]

SettingsOf = Callable[[str], type | None]
"""From the name of a system to the class of its connector's settings; None when there is no such connector."""

FLOWS_KNOWN: Mapping[str, str] = {
    "reference_data": "reference_data",
    "customer_master": "account",
    "contact": "contact",
    "product_catalogue": "product",
    "price_lists": "price_list",
    "prices": "price",
    "stock": "stock_level",
    "exchange_rates": "exchange_rate",
    "accounting_periods": "accounting_period",
    "campaigns": "campaign",
    "campaign_prices": "campaign",
    "opportunities": "opportunity",
    "quotes": "quote",
    "quote_to_order": "quote",
    "opportunity_to_order": "opportunity",
    "orders": "order",
    "contracts": "contract",
    "invoice_requests": "invoice_request",
    "supply": "supply_order",
    "recipes": "bill_of_materials",
    "shipments": "shipment",
    "invoices": "invoice",
    "payments": "payment",
    "assets": "asset",
    "articles": "article",
    "cases": "service_case",
    "returns": "return",
    "case_to_return": "service_case",
    "requests": "request",
    "request_to_case": "request",
    "notices": "notice",
    "shipment_notices": "shipment",
    "case_notices": "service_case",
    "return_notices": "return",
    "survey_notices": "service_case",
    "aged_balances": "aged_balance",
    "financial_summary": "account",
    "demand": "demand_signal",
    "forecasts": "forecast",
}


def load(
    path: Path | str, *, settings_class_of: SettingsOf | None = None, flows_known: Mapping[str, str] = FLOWS_KNOWN
) -> Config:
    """The configuration at `path`. Raises ConfigurationError with every mistake in it."""
    main = Path(path).resolve()
    document = read(main)
    config, found = _validated(document, main)
    found += _settings(config, settings_class_of or installed_settings)
    found += crosscheck(config, _known(config, document, flows_known))
    problems = _in_order(document, found)
    if problems:
        raise ConfigurationError(problems)
    return config


def installed_systems() -> list[str]:
    """The names that `system:` may have."""
    return sorted(connectors())


def installed_settings(system: str) -> type | None:
    """The settings class of an installed connector. Raises ImportError where it cannot be loaded."""
    entry = connectors().get(system)
    return None if entry is None else entry.load().settings_class


# From text to models, in spite of mistakes.


def _validated(document: Document, main: Path) -> tuple[Config, list[Finding]]:
    """As much of the file as can be understood, and what is wrong with the rest."""
    data = _typed(document.root)
    found = _both_forms(document)
    gone: set[Steps] = set()
    while True:
        try:
            return _config(ConfigFile.model_validate(data), document, main), found
        except ValidationError as error:
            fresh = findings(error, ConfigFile)
            found += [] if gone else fresh  # what the later rounds find follows from what was cut
            for one in fresh:
                _cut(data, _entry(document.reached(one.steps), gone))


def _typed(root: Node) -> dict[str, Any]:
    """Plain data; value tables keep their values as they were typed."""
    data: dict[str, Any] = {key: plain(node) for key, node in root.value.items() if node.value is not None}
    if "values" in data:
        data["values"] = texts(root.value["values"])
    for section in ("maps", "values", "custom"):
        if isinstance(data.get(section), dict):
            data[section] = {key: one for key, one in data[section].items() if one is not None}
    return data


def _both_forms(document: Document) -> list[Finding]:
    """A table for `payment_term` and one for `payment_terms` of the same connection."""
    values = document.at(("values",)).value
    return [
        Finding(("values", connection, many), f"{many} and {one} are the same table", "put them together")
        for connection, tables in (values.items() if document.reached(("values",)) and isinstance(values, dict) else ())
        for many, one in PLURALS.items()
        if isinstance(tables.value, dict) and many in tables.value and one in tables.value
    ]


def _entry(steps: Steps, gone: set[Steps]) -> Steps:
    """The smallest entry with a name around `steps` that is still there; noted as gone."""
    while steps and (isinstance(steps[-1], int) or steps in gone):
        steps = steps[:-1]
    gone.add(steps)
    return steps


def _cut(data: dict[str, Any], steps: Steps) -> None:
    """Remove what is at `steps`, so that the rest can be looked at."""
    if not steps:
        data.clear()
        return
    here: Any = data
    for step in steps[:-1]:
        here = here.get(step) if isinstance(here, dict) else None
    if isinstance(here, dict):
        here.pop(steps[-1], None)


def _config(sections: ConfigFile, document: Document, main: Path) -> Config:
    parts = {name: getattr(sections, name) for name in ConfigFile.model_fields if name != "include"}
    for name, connection in sections.connections.items():
        connection.named(name)
    parts["values"] = {
        connection: {PLURALS.get(name, name): table for name, table in by_name.items()}
        for connection, by_name in sections.values.items()
    }
    return Config(path=main, version=_version(sections), files=tuple(document.files), **parts)


def _version(sections: ConfigFile) -> str:
    return digest(told(sections))


def _known(config: Config, document: Document, flows: Mapping[str, str]) -> Known:
    connections = _typed_names(document, "connections")
    broken = bool(document.problems) or len(connections) > len(config.connections)
    custom = {kind: _typed_names(document, "custom", kind) for kind in _typed_names(document, "custom")}
    return Known(flows, connections, custom, broken)


def _typed_names(document: Document, *steps: str) -> frozenset[str]:
    """The keys that were typed at `steps`, right or wrong."""
    node = document.at(steps)
    return frozenset(node.value) if document.reached(steps) == steps and isinstance(node.value, dict) else frozenset()


def _in_order(document: Document, found: list[Finding]) -> list[Problem]:
    """As one reads: by file and line."""
    told = [Problem(document.where(one.steps), one.cause, one.remedy) for one in found]
    everything = list(dict.fromkeys([*document.problems, *told]))

    def place(problem: Problem) -> tuple[bool, str, int]:
        match = re.match(r"(.*?):(\d+)(?: |$)", problem.where)
        file, line = (match[1], int(match[2])) if match else (problem.where, 0)
        return file != document.files[0].name, file, line

    return sorted(everything, key=place)


# The settings of connectors.


def _settings(config: Config, settings_class_of: SettingsOf) -> list[Finding]:
    return [
        finding
        for name, connection in config.connections.items()
        for finding in _settings_of(name, connection, settings_class_of)
    ]


def _settings_of(name: str, connection: ConnectionConfig, settings_class_of: SettingsOf) -> Iterator[Finding]:
    at: Steps = ("connections", name)
    try:
        model = settings_class_of(connection.system)
    except Exception as error:  # a connector of somebody else may fail in any way when it is imported
        cause = f"the connector {connection.system} cannot be loaded: {error}"
        yield Finding((*at, "system"), cause, "install what it needs, or remove the connection")
        return
    yield from _secrets(connection, model)
    if model is None:
        cause = f"there is no connector {connection.system}"
        yield Finding((*at, "system"), cause, suggestion(connection.system, installed_systems()))
    elif issubclass(model, BaseModel):
        yield from _fit(at, connection, model)


def _fit(at: Steps, connection: ConnectionConfig, model: type[BaseModel]) -> Iterator[Finding]:
    try:
        model.model_validate(connection.settings)
    except ValidationError as error:
        for raw in error.errors(include_url=False):
            if raw["type"] == "extra_forbidden" and len(raw["loc"]) == 1:
                known = {*model.model_fields, *ConnectionConfig.model_fields} - {"settings"}
                cause = f"{connection.system} has no setting {raw['loc'][0]}"
                yield Finding(finding(raw, model, at).steps, cause, suggestion(str(raw["loc"][0]), known))
            elif not (isinstance(raw["input"], str) and secrets.is_reference(raw["input"])):
                yield finding(raw, model, at)  # made only when shown: its remedy reads our own source


def _secrets(connection: ConnectionConfig, model: type | None) -> Iterator[Finding]:
    """A secret in clear. The tokens of the sandbox are public; a description names fields, and `key` is one of them."""
    if not connection.system.startswith("sandbox_"):
        at: Steps = ("connections", connection.label)
        for key, value in connection.settings.items():
            if key not in getattr(model, "described", ()):
                inner = model_at(model, (key,)) if model is not None and issubclass(model, BaseModel) else None
                yield from _clear(value, (*at, key), inner is None and _is_secret(key, model), inner)


def _is_secret(key: str, model: type | None) -> bool:
    info = getattr(model, "model_fields", {}).get(key)
    return is_secret_name(key) or "Secret" in str(getattr(info, "annotation", ""))


def _clear(value: Any, at: Steps, secret: bool, model: type[BaseModel] | None = None) -> Iterator[Finding]:
    """What stands in clear below `at`. A model says itself which of its fields are secrets; elsewhere the names do."""
    if isinstance(value, dict):
        for key, one in value.items():
            info = model.model_fields.get(str(key)) if model is not None else None
            inner = model_at(model, (str(key),)) if model is not None else None
            named = secret or is_secret_name(str(key))
            hidden = inner is None and ("Secret" in str(info.annotation) if info is not None else named)
            yield from _clear(one, (*at, key), hidden, inner)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _clear(one, (*at, number), secret, model)
    elif value is not None and not isinstance(value, bool):
        yield from _clear_scalar(str(value), at, secret)


def _clear_scalar(text: str, at: Steps, secret: bool) -> Iterator[Finding]:
    if secrets.is_reference(text):
        return
    name = f"{at[1]}_{at[-1]}".upper()
    remedy = f"write `${{env:{name}}}` or `${{file:PATH}}` and keep the secret there; change a secret that was shared"
    if secret:
        yield Finding(at, f"{at[-1]} stands here in clear", remedy)
    elif "${" in text:
        yield Finding(
            at, "a reference must be the whole value", f"write `${{env:{name}}}` and put all of the text there"
        )
    elif has_password(text):
        yield Finding(at, "the address holds a password in clear", "take it out; the connector has a setting for it")
