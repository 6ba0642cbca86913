"""From the configuration to the running whole: connectors found by entry point, maps overridden, flows laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import inf
from pathlib import Path
from random import Random
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from datong.base.clock import Clock, SystemClock
from datong.base.errors import ConfigurationError, Problem
from datong.base.expression import compiled
from datong.base.tickets import key_in
from datong.bootstrap.crosscheck import scope_variable
from datong.bootstrap.installed import connectors
from datong.bootstrap.models import Config, ConnectionConfig, FieldPolicyConfig, FlowConfig
from datong.canon import REFERENCE_KINDS, Record
from datong.canon.catalogue import KINDS
from datong.canon.records import Part, part_of
from datong.engine.asking import Asking
from datong.engine.configured import Configured
from datong.engine.cycle import Engine
from datong.engine.flow import Flow, Master, Policies, Policy, first
from datong.engine.guard import Limits
from datong.engine.landscape import Conn, Landscape, Running
from datong.flows import FLOWS
from datong.flows.money import MoneySettings
from datong.flows.notices import ADDRESSES, Links, NoticeSettings
from datong.flows.wording import Wording, overridden
from datong.kit import Connector, Context, Files, KindSpec, Takes
from datong.kit.budget import Budget
from datong.mapping import FieldOverride
from datong.mapping import overridden as overridden_map
from datong.store import Store
from datong.store.journal import Sealer

_KEPT_APART = Policies(first("code", "name", "email", "rate", "valid_from", "active", "currency", "time_zone"))
"""Reference data: each side keeps its own."""


@dataclass
class App:
    """Everything, built."""

    config: Config
    store: Store
    landscape: Landscape
    sealer: Sealer
    clock: Clock

    def engine(self, actor: str = "datong", **more: Any) -> Engine:
        return Engine(
            self.store, self.landscape, self.sealer, more.pop("random", None) or Random(), actor=actor, **more
        )

    def twin(self) -> App:
        """The same once more, for another thread: connectors of its own, which share the rate budgets of these."""
        shared = {name: conn.connector.context.budget for name, conn in self.landscape.connections.items()}
        return build(self.config, self.clock, shared)

    def close(self) -> None:
        for conn in self.landscape.connections.values():
            conn.connector.close()
        self.store.close()


def build(config: Config, clock: Clock | None = None, budgets: Mapping[str, Budget] | None = None) -> App:
    """Raises ConfigurationError with everything that stands in the way. `budgets`: rate budgets of connections that
    another App of this process calls too."""
    clock = clock or SystemClock()
    problems: list[Problem] = []
    connections: dict[str, Conn] = {}
    for name, told in config.connections.items():
        try:
            connections[name] = connect(config, name, told, clock, (budgets or {}).get(name))
        except ConfigurationError as error:
            problems.extend(error.problems)
    switched_on = with_required({name: told for name, told in config.flows.items() if told.on})
    flows: dict[str, Running] = {}
    for flow in FLOWS:
        if flow.name in switched_on:
            try:
                flows[flow.name] = _running(flow, switched_on[flow.name], config)
            except ValidationError as error:
                problems.extend(_mistakes(flow.name, error))
            except ConfigurationError as error:
                problems.extend(error.problems)
    if not problems:
        problems.extend(_silent_channels(connections, flows))
    if problems:
        raise ConfigurationError(problems)
    store = Store(config.store_url(), clock)
    asks = (config.plans.configuration,) if config.plans.configuration else ()
    configured = Configured(config.version, config.told(), config.texts(), asks)
    landscape = Landscape(connections, flows, store.instance, config.version, asking(config), configured)
    sealer = Sealer(store, config.keys_folder(), config.seals_file())
    return App(config, store, landscape, sealer, clock)


def asking(config: Config) -> tuple[Asking, ...]:
    """Who must agree to which plans."""
    rules = [("", "", config.plans.approve)]
    rules += [(name, "", one.approve) for name, one in config.flows.items()]
    rules += [("", name, one.approve) for name, one in config.connections.items()]
    return tuple(
        Asking(rule.by, rule.over.creates, rule.over.updates, rule.over.deletes, flow, connection)
        for flow, connection, rule in rules
        if rule is not None
    )


def _silent_channels(connections: Mapping[str, Conn], flows: Mapping[str, Running]) -> Iterator[Problem]:
    """A channel that customers are told by needs a connection that sends there, and for each company only one: two
    would tell everything twice."""
    settings = flows["notices"].settings if "notices" in flows else None
    if not isinstance(settings, NoticeSettings):
        return
    asked = any(switch.split()[1] == "survey" for switch in settings.switches()) and "survey_notices" in flows
    if asked and not (settings._links.url and any(isinstance(c.connector, Takes) for c in connections.values())):
        told = "customers are asked whether they are content, and there is no page for their answer"
        remedy = "set `service.public_url`, and add a connection `system: inbox`, which keeps the answers"
        yield Problem("flows.notices.settings.tell", told, remedy)
    senders: dict[str, list[Conn]] = {}
    for conn in connections.values():
        if (spec := conn.specs.get("notice")) is not None and not conn.read_only:
            senders.setdefault(spec.required[0], []).append(conn)
    for channel in sorted({switch.split()[2] for switch in settings.switches()}):
        if ADDRESSES[channel] not in senders:
            told = f"no connection sends by {channel}, by which customers are to be told"
            yield Problem("flows.notices.settings.tell", told, f"add one with `role: desk`, or take {channel} out")
    for conns in senders.values():
        for one, other in combinations(conns, 2):
            if not one.companies or not other.companies or set(one.companies) & set(other.companies):
                told = f"{one.name} sends for the same companies by the same channel: customers would be told twice"
                yield Problem(f"connections.{other.name}", told, "give each its `companies`, or remove one")


def with_required(told: Mapping[str, FlowConfig]) -> dict[str, FlowConfig]:
    """Flows with those that they require, which run as they are where the configuration says nothing of them."""
    known = {flow.name: flow for flow in FLOWS}
    found = dict(told)
    todo = [name for name in told if name in known]
    while todo:
        for name in known[todo.pop()].requires:
            if name not in found:
                found[name] = FlowConfig()
                todo.append(name)
    return found


def _mistakes(flow: str, error: ValidationError) -> Iterator[Problem]:
    for one in error.errors():
        place = ".".join(map(str, one["loc"]))
        yield Problem(
            f"flows.{flow}.settings.{place}", one["msg"], f"`datong flows --detail {flow}` tells what it may be"
        )


def connector_class(system: str) -> type[Connector[Any]]:
    """Raises ConfigurationError where no connector of that name is installed."""
    entry = connectors().get(system)
    if entry is None:
        known = ", ".join(sorted(connectors()))
        raise ConfigurationError([Problem(system, "no connector of that name is installed", f"there are: {known}")])
    loaded: type[Connector[Any]] = entry.load()
    return loaded


def connect(config: Config, name: str, told: ConnectionConfig, clock: Clock, budget: Budget | None = None) -> Conn:
    """One connection: its connector with its settings, its maps with the overrides."""
    kind_of_connector = connector_class(told.system)
    companies = {code: c.model_dump(exclude_none=True) for code, c in told.companies.items()}
    context = Context(name, clock, budget or Budget(clock, told.rate_limit), companies, Files(config.files_folder()))
    settings = kind_of_connector.settings_class.model_validate(
        told.resolved(config.folder), context={"folder": config.folder}
    )
    connector = kind_of_connector(settings, context)
    tables = config.values.get(name, {})
    specs: dict[str, KindSpec] = {}
    problems: list[Problem] = []
    for kind, spec in connector.kinds.items():
        try:
            specs[kind] = _overridden(config, name, spec, list(companies), tables)
        except ValueError as error:
            problems.append(Problem(f"maps.{name}.{kind}", str(error), "correct the map"))
    if problems:
        raise ConfigurationError(problems)
    codes = {kind: tables[kind] for kind in REFERENCE_KINDS if kind in tables}
    return Conn(name, told.role, connector, specs, companies, told.read_only, codes)


def _overridden(
    config: Config, name: str, spec: KindSpec, companies: list[str], tables: Mapping[str, Mapping[str, str]]
) -> KindSpec:
    from dataclasses import replace

    fmap = spec.map.for_companies(companies)
    overrides: dict[str, FieldOverride] = {}
    for field, override in config.maps.get(name, {}).get(spec.kind, {}).items():
        for concrete in _concrete(field, companies):
            told = override.field.replace("*", _company_of(concrete)) if override.field else None
            overrides[concrete] = override.model_copy(update={"field": told})
    wanted = {c: table for field, table in tables.items() if field not in KINDS for c in _concrete(field, companies)}
    present = {f.name for f in fmap.fields}
    return replace(spec, map=overridden_map(fmap, overrides, {f: t for f, t in wanted.items() if f in present}))


def _concrete(field: str, companies: list[str]) -> list[str]:
    """`company.*.terms` for each company."""
    return [field.replace("*", code, 1) for code in companies] if field.startswith("company.*") else [field]


def _company_of(field: str) -> str:
    return field.split(".")[1] if field.startswith("company.") else "*"


def _running(flow: Flow, told: FlowConfig, config: Config) -> Running:
    master = flow if isinstance(flow, Master) else None
    limits = told.limits
    busy = master is not None and master.busy and "limits" not in told.model_fields_set
    share = inf if busy else float(limits.updates)
    return Running(
        flow,
        scope=_question(flow, told.scope) if told.scope is not None else None,
        into={connection: _question(flow, source) for connection, source in told.into.items()},
        policies=_policies(master, told.fields) if master else _KEPT_APART,
        routes={company: _question(flow, source) for company, source in told.companies.items()},
        direction=told.direction,
        first_load=told.first_load or (master.first_load if master else "ask"),
        limits=Limits(share, limits.updates_at_least, float(limits.deletes), limits.deletes_at_least),
        deletes=told.deletes,
        left_behind=told.left_behind or (master.left_behind if master else "keep_in_step"),
        followers=tuple(told.followers) or (master.followers if master else ()),
        create=told.create,
        webhook=told.trigger.webhook,
        every=told.trigger.every,
        cron=told.trigger.cron,
        sweep=told.trigger.sweep,
        settings=_settings(flow.settings or _NoSettings, told.settings, config),
    )


def _settings(model: type[BaseModel], told: Mapping[str, Any], config: Config) -> BaseModel:
    """What is set of the flow's own, and how the companies reckon, which is said once for all flows."""
    settings = model.model_validate(told)
    if isinstance(settings, MoneySettings):
        settings._reckoning = {company: one.rules() for company, one in config.reckoning.items()}
    if isinstance(settings, NoticeSettings):
        if settings.wording is not None:
            settings._words = _wording(config.folder / settings.wording)
        settings._senders = {company: {"zh": one.name, "en": one.name_en} for company, one in config.statements.items()}
        if config.service.public_url:
            settings._links = Links(config.service.public_url, key_in(config.keys_folder()))
    return settings


def _wording(folder: Path) -> Wording:
    try:
        return overridden(folder)
    except ValueError as error:
        raise ConfigurationError([Problem("flows.notices.settings.wording", str(error), "correct the file")]) from error


class _NoSettings(BaseModel):
    """A flow that has no settings of its own."""

    model_config = ConfigDict(extra="forbid")


def _policies(master: Master[Any], told: Mapping[str, FieldPolicyConfig]) -> Policies:
    return master.fields.with_overrides({name: _policy(one) for name, one in told.items()})


def _policy(told: FieldPolicyConfig) -> Policy | None:
    if told.off:
        return None
    if told.owned_by:
        return Policy("owned", owner=told.owned_by)
    if told.first:
        return Policy("first")
    return Policy("shared", owner=told.owner, clash=told.shared or "ask")


def _question(flow: Flow, source: str) -> Callable[[Mapping[str, Any]], bool]:
    """A scope or a route as a function of the agreed fields."""
    variable = scope_variable(flow.kinds[0] if len(flow.kinds) == 1 else "record")
    evaluate = compiled(source, ((variable, "any"),))
    model = KINDS[flow.kinds[0]]
    return lambda fields: bool(evaluate({variable: nested(fields, model)}))


def nested(fields: Mapping[str, Any], model: type[Record]) -> dict[str, Any]:
    """Flat fields as a tree, every plain field of the model there (null where nothing is known)."""
    tree: dict[str, Any] = dict.fromkeys(model.model_fields)
    tree.update(custom={}, **{n: {} for n in model.model_fields if n != "custom" and part_of(model, n) is not Part})
    for name, value in fields.items():
        *way, last = name.split(".")
        here = tree
        for step in way:
            if not isinstance(here.get(step), dict):
                here[step] = {}
            here = here[step]
        if not isinstance(here.get(last), dict):
            here[last] = value
    return tree
