"""What `datong.yaml` may say. The JSON Schema for editors is generated from these models."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from datong.base import secrets
from datong.base.errors import ConfigurationError, Problem
from datong.bootstrap.mistakes import Mistake
from datong.insight.month_end import Tolerance
from datong.mapping.override import FieldOverride
from datong.reckoning import Rules
from datong.reckoning.amounts import OddCent
from datong.reckoning.exact import Rounding

if TYPE_CHECKING:
    from datong.store.reports import Keeping

# Values with a unit.

_DURATION = re.compile(r"([0-9]+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")


def duration(value: Any) -> timedelta:
    """`30s`, `5m`, `6h`, `1d`."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(str(value))
    if match is None:
        raise Mistake(
            f"{value!r:.60} is not a duration", "write a whole number and s, m, h or d, such as 30s, 5m, 6h, 1d"
        )
    seconds = int(match[1]) * _SECONDS[match[2]]
    if not 0 < seconds <= 366 * 86400:
        raise Mistake(f"{value} is out of bounds", "a duration is at least 1s and at most 366d")
    return timedelta(seconds=seconds)


def duration_text(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    unit = next(name for name in "dhms" if seconds % _SECONDS[name] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def share(value: Any) -> Decimal:
    """`10%` as 0.1."""
    if isinstance(value, Decimal):
        return value
    match = _PERCENT.fullmatch(str(value))
    if match is None or Decimal(match[1]) > 100:
        raise Mistake(f"{value!r:.60} is not a percentage", "write a number from 0 to 100 and %, such as 10%")
    return Decimal(match[1]) / 100


def _share_text(value: Decimal) -> str:
    return f"{(value * 100).normalize():f}%"


def _cron(value: str) -> str:
    from datetime import datetime

    from cronsim import CronSim, CronSimError

    try:
        CronSim(value, datetime(2026, 1, 1))
    except CronSimError as error:
        raise Mistake(
            f"{value!r} is not a cron expression: {error}",
            "five fields: minute hour day month weekday, such as `0 2 * * *`",
        ) from None
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(duration_text),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+[smhd]$", "examples": ["30s", "5m", "6h", "1d"]}),
]
Share = Annotated[
    Decimal,
    BeforeValidator(share),
    PlainSerializer(_share_text),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? *%$", "examples": ["10%"]}),
]
Cron = Annotated[str, AfterValidator(_cron)]


def _named(pattern: str, remedy: str) -> Any:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise Mistake(f"{value!r:.80} cannot be a name here", remedy)
        return value

    return AfterValidator(check)


_NAME = "[a-z][a-z0-9_]{0,62}"
_COMPANY = "[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
Name = Annotated[str, _named(_NAME, "use a-z, 0-9 and _, beginning with a letter, such as region_code")]
CompanyCode = Annotated[str, _named(_COMPANY, "use A-Z, a-z, 0-9, _ and -, such as asia or CN01")]
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")]
Role = Literal["crm", "erp", "desk"]
"""What a connection is for. A desk is where customers write to us: a mailbox."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


# Where things are kept, who may act, how the service listens.


class StoreConfig(_Section):
    """Where Datong remembers. Relative paths start at the folder of the configuration file."""

    url: str = "sqlite:///datong.db"
    """SQLite file or PostgreSQL database: sqlite:///datong.db, or ${env:DATONG_STORE}"""
    keys: str = "datong.keys"
    """folder of the keys that sign the journal; keep a copy elsewhere"""
    seals: str = "datong.seals"
    """file to which every seal of the journal is written, outside the database"""
    files: str = "datong.files"
    """folder of the files that customers send, each kept once by its content"""


class ServiceConfig(_Section):
    """Where `datong run` listens."""

    host: str = "127.0.0.1"
    """address; 0.0.0.0 for all of the machine"""
    port: int = Field(8080, ge=1, le=65535)
    """TCP port"""
    public_url: str | None = Field(None, pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")
    """where customers reach the public pages, such as https://service.example.com; nothing: there are no links"""
    console: bool = True
    """serve the console too, beside webhooks and API"""


class Person(_Section):
    """Someone who may act."""

    roles: list[Literal["viewer", "operator", "approver", "admin", "cost"]] = Field(min_length=1)
    """what the person may do: viewer, operator, approver, admin; cost: sees costs and margins too, as an admin does"""
    mail: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$")
    """e-mail address for notices"""
    os_user: list[str] | None = None
    """accounts on this machine from which the person uses the command line"""

    @model_validator(mode="before")
    @classmethod
    def _one_account(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("os_user"), str):
            return {**data, "os_user": [data["os_user"]]}
        return data


class CustomField(_Section):
    """A field that the company added itself; it is called custom.NAME."""

    label_en: str
    """label in English"""
    label_zh: str
    """label in Chinese"""
    type: Literal["text", "number", "truth", "date"] = "text"
    """what it holds"""
    personal: bool = False
    """whether it is personal data (个人信息)"""


# Plans.


class OverConfig(_Section):
    """How much a plan may do without being asked about: more than any of these takes an approval."""

    creates: int | None = Field(None, ge=0)
    """records made"""
    updates: int | None = Field(None, ge=0)
    """records changed"""
    deletes: int | None = Field(None, ge=0)
    """records deleted"""


class PlanApprovalConfig(_Section):
    """Who must agree to a plan before it is applied. A sync that would do more stops and leaves the plan."""

    by: str = "approver"
    """a role, or one person by name; never the plan's own author"""
    over: OverConfig = OverConfig()
    """from how many changes on; where nothing is said, from the first one"""


class PlansConfig(_Section):
    """What people must agree to before it happens."""

    approve: PlanApprovalConfig | None = None
    """plans, all their changes counted together"""
    configuration: str | None = None
    """a role, or one person by name, who must agree to another configuration before anything runs under it"""


# Connections.

_SECRET_ENDINGS = ("token", "password", "passwd", "pwd", "secret", "key", "passphrase", "credential", "credentials")


def is_secret_name(name: str) -> bool:
    return name.lower().endswith(_SECRET_ENDINGS)


def masked(value: Any, name: str = "") -> Any:
    """`value` without secrets: references stay, for they tell nothing."""
    if isinstance(value, dict):
        return {key: masked(one, str(key) if not is_secret_name(name) else name) for key, one in value.items()}
    if isinstance(value, list):
        return [masked(one, name) for one in value]
    hidden = is_secret_name(name) and value is not None and not (isinstance(value, str) and secrets.is_reference(value))
    return "***" if hidden else value


class CompanyConfig(_Section):
    """One legal entity of ours (公司) as this connection knows it."""

    id: str | int | None = None
    """the system's own id of the company"""
    currency: str | None = None
    """ISO 4217 code, such as CNY"""
    time_zone: str | None = None
    """name such as Asia/Shanghai; what is today there"""


class ConnectionConfig(_Section):
    """One system. All keys that are not listed here are settings of its connector: see the connector's page."""

    system: str
    """name of the connector"""
    role: Role
    """what the system is for: crm or erp"""
    companies: dict[CompanyCode, CompanyConfig] = Field(default_factory=dict)
    """the companies it keeps, by our code"""
    rate_limit: float | None = Field(None, gt=0)
    """most requests per second"""
    time_zone: str | None = None
    """zone of times that the system sends without one"""
    read_only: bool = False
    """never write to this system"""
    approve: PlanApprovalConfig | None = None
    """who must agree to plans that write to this system"""
    settings: dict[str, Any] = Field(default_factory=dict)
    """settings of the connector: the keys that are not listed here"""

    _label: str = PrivateAttr("")

    @model_validator(mode="before")
    @classmethod
    def _collect_settings(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        own = {key: value for key, value in data.items() if key in cls.model_fields}
        rest = {key: value for key, value in data.items() if key not in cls.model_fields}
        if not rest:
            return own
        kept = own.get("settings") or {}
        return {**own, "settings": {**kept, **rest}} if isinstance(kept, dict) else own

    def __repr_args__(self) -> Any:
        for name, value in super().__repr_args__():
            yield name, masked(value) if name == "settings" else value

    @property
    def label(self) -> str:
        """Its name in the configuration."""
        return self._label

    def named(self, name: str) -> ConnectionConfig:
        self._label = name
        return self

    def resolved(self, base_dir: Path) -> dict[str, Any]:
        """The settings with every secret in its place. Raises ConfigurationError naming all that are missing."""
        problems: list[Problem] = []
        label = f"connections.{self._label}" if self._label else "connection"
        settings = _resolved(self.settings, base_dir, label, problems)
        if problems:
            raise ConfigurationError(problems)
        return dict(settings)


def _resolved(value: Any, base: Path, where: str, problems: list[Problem]) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(one, base, f"{where}.{key}", problems) for key, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, base, f"{where}.{number}", problems) for number, one in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        return secrets.resolve(value, base)
    except ValueError as error:
        remedy = (
            "set it in the environment of Datong"
            if value.startswith("${env:")
            else "create the file, readable by Datong only"
        )
        problems.append(Problem(where, str(error), remedy))
        return None


# Flows.


class TriggerConfig(_Section):
    """When a flow looks for work. A webhook is only a hint: it also looks every so often."""

    webhook: bool = True
    """look at once when a system says that something changed"""
    every: Duration | None = timedelta(minutes=5)
    """look for changes this often; nothing: only by webhook, cron and sweep"""
    cron: Cron | None = None
    """look at these times as well: minute hour day month weekday"""
    sweep: Duration = timedelta(hours=6)
    """look through everything, also for deletions, this often"""


class LimitsConfig(_Section):
    """The mass guard: a plan that changes more than this stops before its first write."""

    updates: Share = Decimal("0.1")
    """share of the linked records that may be updated"""
    updates_at_least: int = Field(20, ge=0)
    """fewer updates than this never stop"""
    deletes: Share = Decimal("0.02")
    """share of the linked records that may be deleted"""
    deletes_at_least: int = Field(5, ge=0)
    """fewer deletes than this never stop"""


class FieldPolicyConfig(_Section):
    """Who may change a field: exactly one of owned_by, shared, first, off."""

    owned_by: Role | None = None
    """only this side changes it; the other side's value is put back"""
    shared: Literal["owner", "newest", "ask"] | None = None
    """both sides change it; a clash goes to the owner, to the newest, or is asked"""
    owner: Role | None = None
    """who wins a clash of `shared: owner`"""
    first: bool = False
    """written when a record is created, never again"""
    off: bool = False
    """left out of this flow"""

    @model_validator(mode="after")
    def _exactly_one(self) -> FieldPolicyConfig:
        rules = [name for name in ("owned_by", "shared", "first", "off") if getattr(self, name)]
        if len(rules) != 1:
            told = " and ".join(rules) if rules else "no rule"
            raise Mistake(f"{told} given for one field", "give exactly one of owned_by, shared, first, off")
        if self.shared == "owner" and self.owner is None:
            raise Mistake("`shared: owner` without an owner", "add `owner: crm` or `owner: erp`")
        if self.owner is not None and self.shared != "owner":
            raise Mistake(
                "`owner` has a meaning with `shared: owner` only", "write `owned_by` instead, or remove `owner`"
            )
        return self


_ON_OFF = {"on": True, "yes": True, "off": False, "no": False}


class FlowConfig(_Section):
    """One touchpoint. `true` switches it on as it is, `false` off."""

    on: bool = True
    """whether it runs"""
    trigger: TriggerConfig = TriggerConfig()
    """when it looks for work"""
    direction: Literal["both", "to_erp", "to_crm"] = "both"
    """which way changes travel"""
    scope: str | None = None
    """CEL expression: which records take part, such as account.country in ["CN"]; others are skipped, never deleted"""
    into: dict[str, str] = Field(default_factory=dict)
    """connection -> CEL expression: which records are created there, where not all are, such as order.total > 0.0"""
    companies: dict[CompanyCode, str] = Field(default_factory=dict)
    """company -> CEL expression: whom it keeps an account for, such as account.addresses.main.country in ["CN"]"""
    fields: dict[str, FieldPolicyConfig] = Field(default_factory=dict)
    """who may change a field, where it differs from the flow's own rule"""
    first_load: Role | Literal["ask"] | None = None
    """who is right about shared fields when two records are linked for the first time"""
    limits: LimitsConfig = LimitsConfig()
    """the mass guard"""
    deletes: Literal["ask", "delete", "keep"] = "ask"
    """what happens on the other side when a record is deleted"""
    left_behind: Literal["keep_in_step", "freeze", "retire"] | None = None
    """what happens to a linked record that no longer takes part"""
    followers: list[str] = Field(default_factory=list)
    """fields that followers (further records of one system linked to the same record of ours) receive"""
    create: bool = True
    """whether missing records are created on the other side"""
    approve: PlanApprovalConfig | None = None
    """who must agree to plans with changes of this flow"""
    settings: dict[str, Any] = Field(default_factory=dict)
    """settings of the flow's own: see `datong flows`"""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        if data is None:
            return {}
        if isinstance(data, str) and data.lower() in _ON_OFF:
            return {"on": _ON_OFF[data.lower()]}
        return {"on": data} if isinstance(data, bool) else data


# Money.


class ReckoningConfig(_Section):
    """How the documents of one company of ours are reckoned, as its ERP does it."""

    tax: Literal["line", "document"] = "line"
    """tax is rounded line by line, or once for each rate of a document"""
    discount: Literal["before", "after"] = "before"
    """discounts of a document are taken off before tax, or after it"""
    discounted: Literal["amount", "price"] = "amount"
    """a line's discount lowers its amount, or its price, which is then rounded"""
    rounding: Rounding = "half_up"
    """a half is rounded up (四舍五入) or to the even cent (四舍六入五成双), or what cannot be paid is cut off"""
    price_places: int = Field(6, ge=0, le=12)
    """decimals of a unit price"""
    odd_cent: OddCent = "last"
    """where a cent goes that does not come out even (尾差)"""
    line_tolerance: int = Field(0, ge=0)
    """smallest units of the currency by which a line may differ"""
    document_tolerance: int = Field(0, ge=0)
    """smallest units of the currency by which a document may differ"""
    free_goods: Literal["untaxed", "owed", "charged"] = "untaxed"
    """tax on goods given away (赠品): none, owed by us (视同销售), or charged to the customer"""
    tax_included: bool = False
    """prices include tax where a document does not say it"""

    def rules(self) -> Rules:
        return Rules(**self.model_dump())


# Month end and statements.


class MonthEndConfig(_Section):
    """What the comparison at month end lets pass."""

    grace_days: int = Field(5, ge=0, le=60)
    """days in which goods may still be invoiced, invoices shipped, receipts allocated, before that is a mismatch"""
    amount: Decimal = Field(Decimal(0), ge=0)
    """money at stake, in the document's currency, up to which a mismatch is not shown"""
    price: Share = Decimal(0)
    """share of the unit price by which prices may differ"""
    quantity: Share = Decimal(0)
    """share of the ordered quantity by which quantities may differ"""

    def tolerance(self) -> Tolerance:
        return Tolerance(self.grace_days, self.amount, self.price, self.quantity)


# Reconciliation.


class RepairConfig(_Section):
    """What a reconciliation by schedule may put right by itself."""

    up_to: int = Field(0, ge=0)
    """most changes that are applied without asking; deletes, and what the mass guard stops, are always asked"""


class ReconcileConfig(_Section):
    """When both sides are compared in full, and what follows."""

    every: Duration | None = None
    """how often `datong run` reconciles; nothing: only `datong reconcile` does"""
    repair: RepairConfig = RepairConfig()
    """what is put right without asking; the rest waits for a person as an item"""
    keep: Duration = timedelta(days=365)
    """how long reports are kept"""
    keep_at_least: int = Field(30, ge=1)
    """how many of the newest reports are kept, however old"""

    def keeping(self) -> Keeping:
        from datong.store.reports import Keeping

        return Keeping(self.keep, self.keep_at_least)


class IssuerConfig(_Section):
    """Who sends a statement: one company of ours, as its letterhead says it."""

    name: str = ""
    """name on statements in Chinese, and on all where name_en is missing"""
    name_en: str = ""
    """name on statements in English"""
    lines: list[str] = Field(default_factory=list)
    """lines below the name: address, telephone, bank account"""


# The whole.

Overrides = dict[str, dict[str, dict[str, FieldOverride]]]
Tables = dict[str, dict[str, dict[str, str]]]


class Sections(_Section):
    store: StoreConfig = StoreConfig()
    """where Datong remembers"""
    connections: dict[Name, ConnectionConfig] = Field(default_factory=dict)
    """the systems, by a name of your own"""
    flows: dict[str, FlowConfig] = Field(default_factory=dict)
    """the touchpoints that are switched on"""
    custom: dict[str, dict[Name, CustomField]] = Field(default_factory=dict)
    """fields that the company added itself, by kind of record"""
    maps: Overrides = Field(default_factory=dict)
    """fields that one connection holds elsewhere or in another form: connection, kind, field"""
    values: Tables = Field(default_factory=dict)
    """the system's value -> our value: connection, field or kind of reference data, table"""
    people: dict[PersonName, Person] = Field(default_factory=dict)
    """who may act"""
    plans: PlansConfig = PlansConfig()
    """what people must agree to before it happens"""
    service: ServiceConfig = ServiceConfig()
    """where `datong run` listens"""
    reckoning: dict[CompanyCode, ReckoningConfig] = Field(default_factory=dict)
    """how the documents of a company amount to what they do; `default` for the others"""
    month_end: MonthEndConfig = MonthEndConfig()
    """what the comparison at month end lets pass"""
    reconcile: ReconcileConfig = ReconcileConfig()
    """when both sides are compared in full, and what follows"""
    statements: dict[CompanyCode, IssuerConfig] = Field(default_factory=dict)
    """letterheads of customer statements, by company"""


class ConfigFile(Sections):
    """The configuration of Datong: datong.yaml"""

    include: list[str] = Field(default_factory=list)
    """further files to read, relative to this one"""


MAIN = "datong.yaml"
"""What the main file is called among the kept ones."""


def told(sections: Sections) -> dict[str, Any]:
    """All that is configured, without the values of secrets."""
    found = sections.model_dump(mode="json", include=set(Sections.model_fields))
    for connection in found["connections"].values():
        connection["settings"] = masked(connection["settings"])
    return found


class Config(Sections):
    """The configuration as the program uses it. `version` changes when its meaning changes, not with comments."""

    path: Path
    """the main file"""
    version: str
    """digest of all that is configured, without the values of secrets"""
    files: tuple[Path, ...] = ()
    """every file that was read, the main one first"""

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.path.parent

    def told(self) -> dict[str, Any]:
        """All that is configured, without the values of secrets."""
        return told(self)

    def texts(self) -> dict[str, str]:
        """Every file by its place relative to the folder, the main one as `datong.yaml`, with its text."""
        main, *more = self.files
        found = {MAIN: main.read_text(encoding="utf8")}
        found.update({os.path.relpath(one, main.parent): one.read_text(encoding="utf8") for one in more})
        return found

    def store_url(self) -> str:
        """The address of the store, with its secret, SQLite files absolute. Raises ConfigurationError."""
        problems: list[Problem] = []
        url = str(_resolved(self.store.url, self.folder, "store.url", problems))
        if problems:
            raise ConfigurationError(problems)
        head, slashes, file = url.partition(":///")
        if head.split("+")[0] != "sqlite" or not slashes or file in ("", ":memory:"):
            return url
        return f"{head}:///{self.folder / file}"

    def keys_folder(self) -> Path:
        return self.folder / self.store.keys

    def seals_file(self) -> Path:
        return self.folder / self.store.seals

    def files_folder(self) -> Path:
        return self.folder / self.store.files
