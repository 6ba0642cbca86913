"""What a touchpoint is: the words in which flows are declared.

A flow names roles, never products. It refuses at import a field with two policies or one the record lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

from datong.canon import Record, catalogue, spec
from datong.canon.catalogue import pattern
from datong.matching import Identity

CRM = "crm"
ERP = "erp"
ASK = "ask"
NEWEST = "newest"
OWNER = "owner"

LeftBehind = Literal["keep_in_step", "freeze", "retire"]
R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Go:
    """It may go."""


@dataclass(frozen=True)
class Skip:
    """Nothing to do here, and why. `until`: ask again then, even if nothing changed."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class Park:
    """It should go but cannot: a person must do what `remedy` says."""

    reason: str
    remedy: str


GO = Go()
Verdict = Go | Skip | Park


@dataclass(frozen=True)
class Policy:
    """Who may change a field. `how`: owned | shared | first. `clash`: what happens when both sides changed it."""

    how: str
    owner: str | None = None
    clash: str = ASK


@dataclass(frozen=True)
class Ruled:
    policy: Policy
    names: tuple[str, ...]


def owned_by(role: str, *names: str) -> Ruled:
    return Ruled(Policy("owned", owner=role), names)


def shared(*names: str, clash: str = ASK, owner: str | None = None) -> Ruled:
    if clash == OWNER and owner is None:
        raise ValueError("clash=OWNER needs owner=")
    return Ruled(Policy("shared", owner=owner, clash=clash), names)


def first(*names: str) -> Ruled:
    """Written when a record is created; afterwards each side keeps its own."""
    return Ruled(Policy("first"), names)


class Policies:
    """Field name or pattern -> policy. `company.*.terms` speaks for every company, `addresses` for a collection."""

    def __init__(self, *rules: Ruled) -> None:
        self.by_name: dict[str, Policy] = {}
        for rule in rules:
            for name in rule.names:
                if name in self.by_name:
                    raise ValueError(f"two policies for the field {name}")
                self.by_name[name] = rule.policy

    def of(self, name: str) -> Policy | None:
        """The policy of a concrete field; None: the flow does not carry it."""
        for candidate in (name, pattern(name), name.partition(".")[0]):
            found = self.by_name.get(candidate)
            if found is not None:
                return found
        return None

    def with_overrides(self, overrides: Mapping[str, Policy | None]) -> Policies:
        """Overridden by the configuration; None switches a field off."""
        changed = Policies()
        changed.by_name = {**self.by_name, **{n: p for n, p in overrides.items() if p is not None}}
        for name, policy in overrides.items():
            if policy is None:
                changed.by_name.pop(name, None)
        return changed


@dataclass(eq=False)
class Flow:
    """What every flow has."""

    name: str
    en: str = ""
    zh: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        raise TypeError("a shape of flow says its kinds")


@dataclass(eq=False)
class Master(Flow, Generic[R]):
    """A record that lives on both sides and is kept equal field by field.

    `first_load`: whose value stands where both are set and differ at first link, for shared fields (a role or ASK).
    `left_behind`: what becomes of a linked record whose gate fails later. `needs`: reference fields without which
    nothing is created. `creates_in`: roles in which records are created. `followers`: fields that further links of a
    record in one system receive.
    """

    record: type[R] = field(kw_only=True)
    identity: Identity = field(kw_only=True)
    fields: Policies = field(kw_only=True)
    first_load: str = field(default=ASK, kw_only=True)
    left_behind: LeftBehind = field(default="keep_in_step", kw_only=True)
    needs: tuple[str, ...] = field(default=(), kw_only=True)
    creates_in: tuple[str, ...] = field(default=(CRM, ERP), kw_only=True)
    followers: tuple[str, ...] = field(default=(), kw_only=True)
    gates: dict[str, Callable[[R], Verdict]] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        known = set(catalogue(self.record.kind))
        heads = {name.partition(".")[0] for name in known}
        for name in self.fields.by_name:
            if name not in known and name not in heads and not name.startswith("custom"):
                raise ValueError(f"{self.name}: {self.record.kind} has no field {name}")
        for name in self.needs:
            if spec(self.record.kind, name).type != "reference":
                raise ValueError(f"{self.name}: {name} is no reference")

    @property
    def kinds(self) -> tuple[str, ...]:
        return (self.record.kind,)

    def into(self, role: str) -> Callable[[Callable[[R], Verdict]], Callable[[R], Verdict]]:
        """Decorates the gate into `role`."""

        def register(gate: Callable[[R], Verdict]) -> Callable[[R], Verdict]:
            if role in self.gates:
                raise ValueError(f"{self.name}: two gates into {role}")
            self.gates[role] = gate
            return gate

        return register


@dataclass(eq=False)
class Ties(Flow):
    """Codes that both sides keep on their own: read, tied by table, code or name, never written."""

    record_kinds: tuple[str, ...] = field(kw_only=True)

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.record_kinds
