"""What a touchpoint is: the words in which flows are declared.

A flow names roles, never products. It refuses at import a field with two policies or one the record lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from inspect import signature
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict

from datong.canon import Record, catalogue, spec
from datong.canon.catalogue import pattern
from datong.engine.lifecycle import LifeCycle
from datong.engine.near import Near
from datong.matching import Identity

CRM = "crm"
ERP = "erp"
DESK = "desk"
"""Where people write to us, and are written to: a mailbox."""
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
    """It should go but cannot: a person must do what `remedy` says. `until`: ask again then, changed or not."""

    reason: str
    remedy: str
    until: datetime | None = None
    cause: str = "gate"
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Approve:
    """It may go when people with these roles agree. `steps` in the order in which they are asked. `also`: what was said
    of the same for another record counts too, such as for the quote that it was made of."""

    steps: tuple[Step, ...]
    also: str | None = None


@dataclass(frozen=True)
class Step:
    """One approval: which rule asks for it, why, and who may give it. `deputy` may after `within`. `content`: a mark of
    what it is asked for, so that it is asked again where that changes. `shown`: figures for who answers alone."""

    rule: str
    reason: str
    by: str
    deputy: str = ""
    within: timedelta | None = None
    content: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)


GO = Go()
Verdict = Go | Skip | Park | Approve
Stage = Callable[[Mapping[str, Any]], bool]
"""Is a record, by its flat fields, in this stage of its life?"""


@dataclass(frozen=True)
class Policy:
    """Who may change a field. `how`: owned | guarded | shared | first | told. `clash`: what happens when both did.

    `later`: in the life of a document the rule changes; of the stages that a record is in the last one counts.
    """

    how: str
    owner: str | None = None
    clash: str = ASK
    later: tuple[tuple[Stage, Policy], ...] = ()

    def of(self, fields: Mapping[str, Any]) -> Policy:
        """The rule as it is for a record in its present stage."""
        now = self
        for stage, policy in self.later:
            if stage(fields):
                now = policy
        return now


@dataclass(frozen=True)
class Ruled:
    policy: Policy
    names: tuple[str, ...]

    def once(self, stage: Stage, then: Ruled) -> Ruled:
        """From a stage on another rule: `owned_by(CRM, "lines").once(confirmed, owned_by(ERP))`."""
        return replace(self, policy=replace(self.policy, later=(*self.policy.later, (stage, then.policy))))


def owned_by(role: str, *names: str) -> Ruled:
    return Ruled(Policy("owned", owner=role), names)


def shared(*names: str, clash: str = ASK, owner: str | None = None) -> Ruled:
    if clash == OWNER and owner is None:
        raise ValueError("clash=OWNER needs owner=")
    return Ruled(Policy("shared", owner=owner, clash=clash), names)


def first(*names: str) -> Ruled:
    """Written when a record is created; afterwards each side keeps its own."""
    return Ruled(Policy("first"), names)


def guarded_by(role: str, *names: str) -> Ruled:
    """Only one side changes it, and what the other side makes of it is asked: neither taken nor put back."""
    return Ruled(Policy("guarded", owner=role), names)


def told(*names: str) -> Ruled:
    """Computed here and told to the sides: what a side makes of it is put back."""
    return Ruled(Policy("told"), names)


Gate = Callable[[Any, Near], Verdict]


class Policies:
    """Field name or pattern -> policy. `company.*.terms` speaks for every company, `addresses` for a collection."""

    def __init__(self, *rules: Ruled) -> None:
        self.by_name: dict[str, Policy] = {}
        for rule in rules:
            for name in rule.names:
                if name in self.by_name:
                    raise ValueError(f"two policies for the field {name}")
                self.by_name[name] = rule.policy

    @property
    def staged(self) -> bool:
        """Does a rule change in the life of a record?"""
        return any(policy.later for policy in self.by_name.values())

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
    requires: tuple[str, ...] = field(default=(), kw_only=True)
    """Flows that run wherever this one does."""
    settings: type[BaseModel] | None = field(default=None, kw_only=True)
    """What the configuration may set for it beside what every flow has."""

    @property
    def kinds(self) -> tuple[str, ...]:
        raise TypeError("a shape of flow says its kinds")


@dataclass(eq=False)
class Master(Flow, Generic[R]):
    """A record that lives on both sides and is kept equal field by field.

    `first_load`: whose value stands where both are set and differ at first link, for shared fields (a role or ASK).
    `left_behind`: what becomes of a linked record whose gate fails later. `needs`: reference fields without which
    nothing is created. `creates_in`: roles in which records are created. `followers`: fields that further links of a
    record in one system receive. `lives`: the life cycles of its states. `whole`: it is created with all its items or
    not at all, as a document is; `needs` may then name references in its items (`lines.*.product`). `busy`: its records
    change all day long, so that many updates are no mass change unless the configuration says so. `made_here`: people
    make its records here, too; such a one stands on no side at first (`origin["*"]` names the flow).
    """

    record: type[R] = field(kw_only=True)
    identity: Identity = field(kw_only=True)
    fields: Policies = field(kw_only=True)
    first_load: str = field(default=ASK, kw_only=True)
    left_behind: LeftBehind = field(default="keep_in_step", kw_only=True)
    needs: tuple[str, ...] = field(default=(), kw_only=True)
    creates_in: tuple[str, ...] = field(default=(CRM, ERP), kw_only=True)
    followers: tuple[str, ...] = field(default=(), kw_only=True)
    lives: tuple[LifeCycle, ...] = field(default=(), kw_only=True)
    whole: bool = field(default=False, kw_only=True)
    busy: bool = field(default=False, kw_only=True)
    made_here: bool = field(default=False, kw_only=True)
    gates: dict[str, Gate] = field(default_factory=dict, kw_only=True)
    figures: list[Callable[[Any, Near], Mapping[str, Any]]] = field(default_factory=list, kw_only=True)
    doubts: dict[str, Callable[[Any, Near], Park | None]] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        _known(self.name, self.record.kind, self.fields.by_name)
        for name in self.needs:
            if spec(self.record.kind, name).type != "reference":
                raise ValueError(f"{self.name}: {name} is no reference")

    @property
    def kinds(self) -> tuple[str, ...]:
        return (self.record.kind,)

    def life(self, name: str) -> LifeCycle | None:
        """The life cycle that a field follows."""
        return next((one for one in self.lives if one.name == name), None)

    def into(self, role: str) -> Callable[[Callable[..., Verdict]], Callable[..., Verdict]]:
        """Decorates the gate into `role`: a function of the record, and of what is near it where it asks for that."""

        def register(gate: Callable[..., Verdict]) -> Callable[..., Verdict]:
            if role in self.gates:
                raise ValueError(f"{self.name}: two gates into {role}")
            self.gates[role] = _with_near(gate)
            return gate

        return register

    def tells(self, compute: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
        """Decorates a function that computes fields of the record. It is asked again when something changes that it
        looked at, or that points at the record."""
        self.figures.append(_with_near(compute))
        return compute

    def checks(self, cause: str) -> Callable[[Callable[..., Park | None]], Callable[..., Park | None]]:
        """Decorates a function that says what is wrong with a record, for people: it holds nothing up. Its item closes
        when it says nothing any more."""

        def register(check: Callable[..., Park | None]) -> Callable[..., Park | None]:
            self.doubts[cause] = _with_near(check)
            return check

        return register


@dataclass(eq=False)
class Figures(Flow, Generic[R]):
    """Fields of a record that are computed from documents and told to its sides, with the time they are true of.

    `of`: the record. `fields`: names or patterns of what is told. `compute`: asked again when something changes that it
    looked at or that points at the record, and on a new day where it asked for the date. `as_of`: of the fields, those
    that say when; where nothing else changed they are not told. `checks` as of a master. The flow that carries the
    record is required.
    """

    of: type[R] = field(kw_only=True)
    fields: tuple[str, ...] = field(kw_only=True)
    compute: Callable[[R, Near], Mapping[str, Any]] = field(kw_only=True)
    as_of: tuple[str, ...] = field(default=(), kw_only=True)
    doubts: dict[str, Callable[[Any, Near], Park | None]] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        _known(self.name, self.of.kind, self.fields)
        if stray := set(self.as_of) - set(self.fields):
            raise ValueError(f"{self.name}: as_of names {', '.join(sorted(stray))}, which it does not tell")

    @property
    def kinds(self) -> tuple[str, ...]:
        return ()

    def checks(self, cause: str) -> Callable[[Callable[..., Park | None]], Callable[..., Park | None]]:
        """Decorates a function that says what is wrong with the figures, for people."""

        def register(check: Callable[..., Park | None]) -> Callable[..., Park | None]:
            self.doubts[cause] = _with_near(check)
            return check

        return register


class ConversionSettings(BaseModel):
    """What a company may set wherever documents are made of others."""

    model_config = ConfigDict(extra="forbid")

    changed: Literal["ask", "amend"] = "ask"
    """what happens to the document that was made when its source is changed afterwards"""


S = TypeVar("S", bound=Record)
T = TypeVar("T", bound=Record)


@dataclass(eq=False)
class Conversion(Flow, Generic[S, T]):
    """A document that becomes exactly one other for each accepted version and company, which reports back.

    `ready`: may it, and if not why. `build`: the new document for one company (None: it needs none). `version`: what
    was accepted. `companies`: for whom; none named is one document. `reply`: fields of the source, computed from what
    came of it. `live`: does a document that was made still stand, so that a later version changes it instead of
    making another? `news`: it is made of what happens from now on; gives, from the settings of a flow by name, what is
    switched on, each of which begins by itself (`near.news`).
    """

    source: type[S] = field(kw_only=True)
    target: type[T] = field(kw_only=True)
    ready: Callable[[S, Near], Verdict] = field(kw_only=True)
    build: Callable[[S, str, Near], T | None] = field(kw_only=True)
    reply: Callable[[S, Sequence[T], Near], Mapping[str, Any]] = field(kw_only=True)
    version: Callable[[S], str] = field(default=lambda source: "1", kw_only=True)
    companies: Callable[[S], Sequence[str]] = field(default=lambda source: ("",), kw_only=True)
    live: Callable[[T], bool] = field(default=lambda target: True, kw_only=True)
    news: Callable[[Callable[[str], Any]], Iterable[str]] | None = field(default=None, kw_only=True)
    settings: type[ConversionSettings] = field(default=ConversionSettings, kw_only=True)

    @property
    def kinds(self) -> tuple[str, ...]:
        return ()


def _known(flow: str, kind: str, names: Iterable[str]) -> None:
    """Raises ValueError where a record lacks a field of which a flow speaks."""
    known = set(catalogue(kind))
    heads = {name.partition(".")[0] for name in known}
    for name in names:
        if name not in known and name not in heads and not name.startswith("custom"):
            raise ValueError(f"{flow}: {kind} has no field {name}")


def _with_near(function: Callable[..., Any]) -> Callable[[Any, Near], Any]:
    """A function of the record alone, as one that is offered what is near it too."""
    if len(signature(function).parameters) > 1:
        return cast("Callable[[Any, Near], Any]", function)
    return lambda record, _near: function(record)


@dataclass(eq=False)
class Ties(Flow):
    """Codes that both sides keep on their own: read, tied by table, code or name, never written."""

    record_kinds: tuple[str, ...] = field(kw_only=True)

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.record_kinds
