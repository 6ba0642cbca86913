"""`connectors` and `flows`: what there is, what it can do, and what may be set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typer

from datong.cli.context import DEFAULT_CONFIG, Session
from datong.cli.output import listing
from datong.cli.parts import AfterName, Limit, Ndjson, command

if TYPE_CHECKING:
    from datong.bootstrap.models import FieldPolicyConfig, FlowConfig
    from datong.engine.flow import Flow, Policy
    from datong.kit import Connector, KindSpec


def add_to(app: typer.Typer) -> None:
    command(app)(connectors)
    command(app)(flows)


def connectors(session: Session, limit: Limit = 100, after: AfterName = "", ndjson: Ndjson = False) -> None:
    """The systems that can be connected: what each can do with which kinds, and its settings."""
    from datong.bootstrap.config import installed_systems

    names = [name for name in installed_systems() if name > after][: limit + 1]
    items = [connector_told(name) for name in names]
    columns = {"name": "name", "title": "title", "can": "kinds", "needs": "settings (* required)"}
    if not (session.json or ndjson):
        items = [{**item, "can": _can(item["kinds"]), "needs": _needs(item["settings"])} for item in items]
    listing(session, items, ndjson=ndjson, limit=limit, title="Connectors", columns=columns, key="name")


def connector_told(name: str) -> dict[str, Any]:
    """One connector; `problem` where it cannot be loaded."""
    from datong.bootstrap.build import connector_class

    try:
        found = connector_class(name)
    except Exception as error:  # a connector of somebody else may fail in any way when it is imported
        return {"name": name, "title": "", "kinds": {}, "settings": [], "problem": f"{type(error).__name__}: {error}"}
    settings = _settings(found.settings_class)
    return {"name": name, "title": found.title, "kinds": _kinds(found), "settings": settings}


def _settings(model: Any) -> list[dict[str, Any]]:
    """From the settings class, as its author described them."""
    from datong.bootstrap.documented import documented

    documented(model)
    schema = model.model_json_schema()
    told = []
    for name, info in model.model_fields.items():
        shape = schema["properties"].get(name, {})
        types = [one.get("type", "") for one in shape.get("anyOf", [shape])]
        told.append(
            {
                "name": name,
                "type": " or ".join(t for t in types if t and t != "null") or "any",
                "required": info.is_required(),
                "default": shape.get("default"),
                "secret": "Secret" in str(info.annotation) or "password" in name,
                "description": info.description or "",
            }
        )
    return told


def _kinds(found: type[Connector[Any]]) -> dict[str, Any]:
    """What it can do, as an unconnected one tells; nothing is called."""
    from datong.base.clock import SystemClock
    from datong.kit import Context
    from datong.kit.budget import Budget

    required = {n: i for n, i in found.settings_class.model_fields.items() if i.is_required()}
    usual = {name: "http://127.0.0.1:9" if "url" in name else "none" for name in required}
    made_up = {name: info.examples[0] if info.examples else usual[name] for name, info in required.items()}
    companies = {"company": {"id": 1, "currency": "CNY"}}
    clock = SystemClock()
    try:
        connector = found(found.settings_class(**made_up), Context(found.name, clock, Budget(clock, None), companies))
        kinds = {kind: kind_told(spec) for kind, spec in connector.kinds.items()}
        connector.close()
    except Exception:  # it wants to know more before it tells what it can do
        return {}
    return kinds


def kind_told(spec: KindSpec) -> dict[str, Any]:
    return {
        "reads": spec.reads,
        "create": spec.create,
        "update": spec.update,
        "delete": spec.delete,
        "guard": spec.guard,
        "change_time": spec.change_time,
        "complete_hints": spec.complete_hints,
        "batch": spec.batch,
        "one_fails_all": spec.one_fails_all,
        "settle_seconds": int(spec.settle.total_seconds()),
        "idle_requests": spec.idle_requests,
        "find_by": list(spec.find_by),
        "required": list(spec.required),
        "without": [f"{name} {value}" for name, value in spec.without],
        "fields": [field.name for field in spec.map.fields] + [items.name for items in spec.map.items],
    }


def _can(kinds: Mapping[str, Mapping[str, Any]]) -> str:
    lines = []
    for kind, spec in kinds.items():
        facts = [f"by {spec['reads']}", f"create {spec['create']}" if spec["create"] != "never" else "not created"]
        facts += ["guarded"] if spec["guard"] else []
        facts += [f"{spec['batch']} a call"] if spec["batch"] > 1 else []
        lines.append(f"{kind}: {', '.join(facts)}")
    return "\n".join(lines)


def _needs(settings: list[dict[str, Any]]) -> str:
    return "\n".join(f"{s['name']}{'*' if s['required'] else ''}: {s['description'] or s['type']}" for s in settings)


def flows(session: Session, limit: Limit = 100, after: AfterName = "", ndjson: Ndjson = False) -> None:
    """The touchpoints: which are on, which way they go, and who may change which field."""
    from datong.flows import FLOWS

    configured = session.config.flows if _configured(session) else {}
    items = [flow_told(flow, configured.get(flow.name)) for flow in sorted(FLOWS, key=lambda f: f.name)]
    items = [item for item in items if item["name"] > after][: limit + 1]
    columns = {
        "name": "name",
        "zh": "中文",
        "on": "on",
        "kinds": "kinds",
        "direction": "direction",
        "who": "who decides",
    }
    if not (session.json or ndjson):
        items = [{**item, "who": "\n".join(f"{n}: {p}" for n, p in item["policies"].items())} for item in items]
    listing(session, items, ndjson=ndjson, limit=limit, title="Flows", columns=columns, key="name")


def _configured(session: Session) -> bool:
    """Without a configuration the flows are told as they come."""
    return session.config_file.exists() or str(session.config_file) != DEFAULT_CONFIG


def flow_told(flow: Flow, told: FlowConfig | None) -> dict[str, Any]:
    from datong.bootstrap.models import FlowConfig
    from datong.engine.flow import Figures, Master

    laid = told or FlowConfig()
    master = flow if isinstance(flow, Master) else None
    policies = {name: policy_told(p) for name, p in master.fields.by_name.items()} if master else {}
    if isinstance(flow, Figures):
        policies = dict.fromkeys(flow.fields, "told")
    trigger = laid.trigger.model_dump(mode="json")
    return {
        "name": flow.name,
        "en": flow.en,
        "zh": flow.zh,
        "kinds": list(flow.kinds),
        "on": told is not None and told.on,
        "direction": laid.direction if master else "none",
        "policies": {**policies, **{name: _override_told(one) for name, one in laid.fields.items()}},
        "first_load": laid.first_load or (master.first_load if master else None),
        "left_behind": laid.left_behind or (master.left_behind if master else None),
        "scope": laid.scope,
        "deletes": laid.deletes,
        "create": laid.create and master is not None,
        "trigger": trigger,
        "sweep_seconds": _seconds(laid.trigger.sweep),
        "limits": laid.limits.model_dump(mode="json"),
        "requires": list(flow.requires),
        "settings": _settings_told(flow, laid),
    }


def _settings_told(flow: Flow, laid: FlowConfig) -> dict[str, Any]:
    """What may be set of the flow's own, with what is set."""
    if flow.settings is None:
        return {}
    told = flow.settings.model_json_schema()["properties"]
    return {name: {**one, "set": laid.settings.get(name)} for name, one in told.items()}


def _seconds(value: timedelta) -> int:
    return int(value.total_seconds())


def policy_told(policy: Policy) -> str:
    """`owned by erp`, `shared (ask)`, `first`; of a field whose rule changes in its life, one after the other."""
    ruled = (policy, *(later for _, later in policy.later))
    return ", then ".join(_rule_told(one) for one in ruled)


def _rule_told(policy: Policy) -> str:
    if policy.how in ("owned", "guarded"):
        return f"{policy.how} by {policy.owner}"
    return policy.how if policy.how in ("first", "told") else f"shared ({policy.clash})"


def _override_told(one: FieldPolicyConfig) -> str:
    if one.owned_by:
        return f"owned by {one.owned_by}"
    if one.shared:
        return f"shared ({one.shared})"
    return "first" if one.first else "off"
