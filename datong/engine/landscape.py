"""What is joined: connections with their kinds, flows with the configuration laid over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, cast

from datong.base.json import digest
from datong.canon import KINDS, REFERENCE_KINDS
from datong.engine.asking import Asking
from datong.engine.configured import Configured
from datong.engine.flow import CRM, ERP, Conversion, Figures, Flow, Master, Policies, Policy, Ties
from datong.engine.guard import Limits
from datong.engine.near import COMPANIES
from datong.engine.plan import Change
from datong.kit import Connector, KindSpec
from datong.store.unit import Rec

KIND_ORDER: dict[str, int] = {
    kind: number
    for number, kind in enumerate(dict.fromkeys(("company", *REFERENCE_KINDS, "account", "contact", *KINDS)))
}
OTHER = {CRM: ERP, ERP: CRM}
_MANY_NAMES = 5000


@dataclass
class Conn:
    """One connection: a connector with the final maps of its kinds."""

    name: str
    role: str
    connector: Connector[Any]
    specs: dict[str, KindSpec]
    companies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    read_only: bool = False
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Reference kind -> native code or name -> the code or name by which the other side knows it."""


@dataclass
class Running:
    """A flow as it runs here."""

    flow: Flow
    scope: Callable[[Mapping[str, Any]], bool] | None = None
    into: Mapping[str, Callable[[Mapping[str, Any]], bool]] = field(default_factory=dict)
    """Connection -> whether a record is created there; where nothing is said all are."""
    policies: Policies = field(default_factory=Policies)
    routes: Mapping[str, Callable[[Mapping[str, Any]], bool]] = field(default_factory=dict)
    """Company -> whether a record belongs there too."""
    direction: str = "both"
    first_load: str = "ask"
    limits: Limits = field(default_factory=Limits)
    deletes: str = "ask"
    left_behind: str = "keep_in_step"
    followers: tuple[str, ...] = ()
    create: bool = True
    webhook: bool = True
    every: timedelta | None = timedelta(minutes=5)
    cron: str | None = None
    sweep: timedelta = timedelta(hours=6)
    settings: Any = None
    """What the configuration sets of the flow's own settings."""

    @property
    def name(self) -> str:
        return self.flow.name

    @property
    def master(self) -> Master[Any] | None:
        return self.flow if isinstance(self.flow, Master) else None

    def writes_into(self, role: str) -> bool:
        return self.direction in ("both", f"to_{role}") and isinstance(self.flow, Master)

    @property
    def tells(self) -> bool:
        """Are there fields that are computed here?"""
        return any(policy.how == "told" for policy in self.policies.by_name.values())

    _policies: dict[str, Policy | None] = field(default_factory=dict, repr=False)

    def policy(self, name: str) -> Policy | None:
        """One direction makes the other role the owner of every field."""
        if name not in self._policies:
            if len(self._policies) > _MANY_NAMES:  # names of items are as many as there are items
                self._policies.clear()
            self._policies[name] = self._ruled(name)
        return self._policies[name]

    def _ruled(self, name: str) -> Policy | None:
        found = self.policies.of(name)
        if found is None or self.direction == "both" or found.how in ("first", "told"):
            return found
        source = OTHER[self.direction.removeprefix("to_")]
        return replace(found, how="owned", owner=source, later=())


def only_computed(running: Running, change: Change) -> bool:
    """Does an update write nothing but what is computed here?"""
    rules = [running.policy(name) for name in change.fields]
    return change.action == "update" and all(rule is not None and rule.how == "told" for rule in rules)


@dataclass
class Landscape:
    """Everything that is joined, and by what rules."""

    connections: dict[str, Conn]
    flows: dict[str, Running]
    instance: str
    config_version: str = ""
    asking: tuple[Asking, ...] = ()
    """Who must agree to which plans."""
    configured: Configured | None = None
    """What `config_version` stands for; None where there is no file."""
    conversions: dict[str, list[Running]] = field(default_factory=dict, init=False)
    """Kind -> flows that make other documents of it."""
    figures: dict[str, list[Running]] = field(default_factory=dict, init=False)
    """Kind -> flows that compute fields of it."""
    has_consequences: bool = field(default=False, init=False)
    """Does anything follow from a record for others?"""
    _by_kind: dict[str, Running] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for running in self.flows.values():
            for kind in running.flow.kinds:
                self._by_kind[kind] = running
            if isinstance(running.flow, Conversion):
                self.conversions.setdefault(running.flow.source.kind, []).append(running)
            if isinstance(running.flow, Figures):
                self.figures.setdefault(running.flow.of.kind, []).append(running)
            master = running.master
            if isinstance(running.flow, (Conversion, Figures)) or (
                master is not None and (master.whole or master.figures or master.doubts)
            ):
                self.has_consequences = True
        for kind, computing in self.figures.items():
            carrier = self._by_kind[kind]
            names = [name for running in computing for name in cast("Figures[Any]", running.flow).fields]
            carrier.policies = carrier.policies.with_overrides(dict.fromkeys(names, Policy("told")))

    @property
    def zones(self) -> dict[str, str]:
        """Company -> its time zone."""
        told = {code: c.get("time_zone") for conn in self.connections.values() for code, c in conn.companies.items()}
        return {code: str(zone) for code, zone in told.items() if zone}

    @property
    def currencies(self) -> dict[str, str]:
        """Company -> the currency of its books."""
        told = {code: c.get("currency") for conn in self.connections.values() for code, c in conn.companies.items()}
        return {code: str(currency) for code, currency in told.items() if currency}

    def settings_of(self, flow: str) -> Any:
        """The settings of a flow; None where it is off."""
        running = self.flows.get(flow)
        return running.settings if running is not None else None

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Flow -> a digest of its settings; and one of what is set of companies. Sorted."""
        told = {name: r.settings.model_dump(mode="json") for name, r in self.flows.items() if r.settings is not None}
        told = {**dict.fromkeys(self.flows), **told, COMPANIES: [self.zones, self.currencies]}
        return {name: digest(told[name]) for name in sorted(told)}

    def can_hold(self, role: str, kind: str, field: str) -> bool:
        """Is a field of a kind written in every connection of a role that offers the kind?"""
        maps = [conn.specs[kind].map for conn in self.offering(kind) if conn.role == role]
        places = [one.named(field) for one in maps]
        return bool(places) and all(place is not None and place.write != "never" for place in places)

    def peers(self, conn: Conn, kind: str) -> list[Conn]:
        """The connections of one role that offer a kind, this one among them."""
        return [one for one in self.offering(kind) if one.role == conn.role]

    def built(self, record: Rec) -> bool:
        """Was the record made here, of another one or by a person? Then it stands on no side at first."""
        running = self.flows.get(record.origin.get("*", ("",))[0])
        if running is None:
            return False
        return isinstance(running.flow, Conversion) or (running.master is not None and running.master.made_here)

    def flow_of(self, kind: str) -> Running | None:
        return self._by_kind.get(kind)

    def kinds(self, flows: Sequence[str] = ()) -> list[str]:
        """Kinds of the named flows (all when none is named), what others point at first."""
        chosen = [r for r in self.flows.values() if not flows or r.name in flows]
        return sorted({k for r in chosen for k in r.flow.kinds}, key=lambda k: KIND_ORDER.get(k, 99))

    def offering(self, kind: str) -> list[Conn]:
        return [c for c in self.connections.values() if kind in c.specs]

    def targets(self, kind: str) -> Iterator[Conn]:
        """Connections into which records of `kind` may be written by their flow."""
        running = self.flow_of(kind)
        for conn in self.offering(kind):
            if running is not None and running.writes_into(conn.role) and not conn.read_only:
                yield conn

    def is_reference(self, kind: str) -> bool:
        running = self.flow_of(kind)
        return isinstance(running.flow, Ties) if running else kind in REFERENCE_KINDS

    def key_of(self, record_id: int) -> str:
        """Our own key for a record, to be kept by remote systems: unique over all installations of Datong."""
        return f"dt-{self.instance}-{record_id}"

    def record_of_key(self, key: Any) -> int | None:
        return record_of_key(self.instance, key)


def record_of_key(instance: str, key: Any) -> int | None:
    """The number of the record that a key of this installation was given to."""
    head = f"dt-{instance}-"
    if isinstance(key, str) and key.startswith(head) and key[len(head) :].isdigit():
        return int(key[len(head) :])
    return None
