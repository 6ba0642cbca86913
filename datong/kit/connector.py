"""The protocol of a connector and what it declares about each kind of record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict

from datong.base.clock import Clock
from datong.kit.budget import Budget
from datong.kit.files import Files
from datong.kit.wire import Answer, Missing, Page, WireRecord, Write
from datong.mapping import FieldMap

S = TypeVar("S", bound="ConnectorSettings")


class ConnectorSettings(BaseModel):
    """What the configuration says of one connection; each connector adds its own.

    `described`: settings that describe the system, in which a name like `key` is that of a field and no secret.
    """

    described: ClassVar[frozenset[str]] = frozenset()
    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class KindSpec:
    """What one system can do with one kind of record.

    `reads`: "changes" has a modified-since, "snapshot" has none and is read whole and compared, "never" cannot be
    read at all: what was sent is what is held.
    `whole`: a write replaces the whole record, so an update carries every mapped value and not only what changed.
    `overlap`: rows may become visible this long behind the cursor (late commits); the connector reads again so far.
    `read_lag`: a read may show a state this old, so what was read sooner after our write is no evidence.
    `create`: how a create happens once: "by_key" the system holds our key as unique; "by_search" our key (or the
    identity) is found by `find` after `settle`; "ask" it cannot be known and a person decides.
    `settle`: longest request plus search lag. `guard`: a write can be made conditional on the version.
    `change_time`: records carry a usable change time. `find_by`: canonical fields that `find` searches exactly.
    `batch`: records per write call; `one_fails_all`: a refused item refuses its whole call.
    `complete_hints`: webhooks carry the whole record with its version. `required`: canonical fields a create needs.
    `idle_requests`: requests of an incremental read when nothing changed. `without`: canonical fields and values of
    which the system holds no such record at all, as a CRM that has invoices and no credit notes: none is created there,
    and nothing is asked of people.
    """

    map: FieldMap
    reads: Literal["changes", "snapshot", "never"] = "changes"
    whole: bool = False
    overlap: timedelta = timedelta(0)
    read_lag: timedelta = timedelta(0)
    create: Literal["by_key", "by_search", "ask", "never"] = "by_key"
    update: bool = True
    delete: bool = True
    settle: timedelta = timedelta(minutes=2)
    guard: bool = False
    change_time: bool = False
    find_by: tuple[str, ...] = ()
    batch: int = 1
    one_fails_all: bool = False
    complete_hints: bool = False
    idle_requests: int = 1
    required: tuple[str, ...] = ()
    without: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> str:
        return self.map.kind

    def holds_none(self, fields: Mapping[str, Any]) -> str:
        """Why there is no place for such a record; empty where there is one."""
        return next((f"{name} {value}" for name, value in self.without if fields.get(name) == value), "")


@dataclass(frozen=True)
class Checked:
    """What a connection found when it was tried.

    `identity` names the database or organisation: it never changes while the connection is the same.
    `server_time` is the system's clock where it tells it.
    """

    identity: str
    user: str = ""
    server_time: datetime | None = None
    missing_scopes: tuple[str, ...] = ()
    excess_scopes: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class Hint:
    """*Look here*: a record may have changed. `record` only where the kind declares complete, versioned hints."""

    kind: str
    id: str
    record: WireRecord | None = None


@dataclass(frozen=True)
class Incoming:
    """A webhook as it came in. Header names are lower case."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True)
class Posted:
    """A message that a customer left with us: by a form, by a chat or telephone system.

    `id` names it for good: what comes twice under one id is one message. `thread`: what it belongs to, where the sender
    knows; `about`: a record of ours (`kind:number`), proved by a signed link. `files`: name, media type, content.
    """

    id: str
    channel: str
    received: datetime
    text: str = ""
    subject: str = ""
    thread: str = ""
    sender: str = ""
    sender_name: str = ""
    phone: str = ""
    recipient: str = ""
    about: str = ""
    score: int | None = None
    files: Sequence[tuple[str, str, bytes]] = ()


@runtime_checkable
class Takes(Protocol):
    """A connector that keeps messages by itself."""

    def take(self, posted: Posted) -> Hint:
        """Put a message down: it is durable when this returns. Raises OSError."""
        ...


@dataclass(frozen=True)
class WireField:
    """A field of the remote system, as it describes itself."""

    path: str
    type: str
    label: str = ""
    required: bool = False
    max_length: int | None = None
    options: tuple[str, ...] = ()
    custom: bool = False
    read_only: bool = False


@dataclass(frozen=True)
class Context:
    """What the engine lends to a connector: nothing of the store, nothing of the other side."""

    connection: str
    clock: Clock
    budget: Budget
    companies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Files | None = None
    """where files that customers send are kept; None: they are only named"""


class Connector(ABC, Generic[S]):
    """One product. Found by the entry point group `datong.connectors`; `name` is what `system:` says in the file.

    A connector instance serves one connection: it keeps its own session and token, none at module level.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    settings_class: ClassVar[type[ConnectorSettings]]

    def __init__(self, settings: S, context: Context) -> None:
        self.settings = settings
        self.context = context

    @property
    @abstractmethod
    def kinds(self) -> Mapping[str, KindSpec]:
        """What this connection offers, by canonical kind."""

    @abstractmethod
    def check(self) -> Checked:
        """Try the connection. Raises RemoteError."""

    @abstractmethod
    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        """Records changed since the cursor, oldest change first; all of them (inactive too) when `since` is None.

        Every page's cursor is a safe place to resume from. A "snapshot" kind ignores `since`.
        """

    @abstractmethod
    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        """Records by id, in any order, each id answered once."""

    @abstractmethod
    def ids(self, spec: KindSpec) -> Iterator[str]:
        """Every id that exists now, inactive ones too: the cheap sweep that finds deletions."""

    @abstractmethod
    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        """Records whose field `by` (a canonical name out of `find_by`, or "own_key") equals one of `values`."""

    @abstractmethod
    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        """Carry out at most `spec.batch` writes. A refused item is an answer; a failed call is raised."""

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        """What a webhook points at. Raises AccessDenied for a bad signature, BadAnswer for a body without sense.

        Its sender waits and others stand behind it: it only looks at what came in, and asks nobody."""
        from datong.base.errors import RequestRefused

        raise RequestRefused(f"{self.name} has no webhooks", remedy="remove the webhook; polling finds every change")

    def describe(self, spec: KindSpec) -> Sequence[WireField]:
        """The remote fields of a kind, as far as the system tells. Empty where it does not."""
        return ()

    def close(self) -> None:
        """Give back what is held open."""
