"""The bench: all that the suite asks of an author. It stands a connector in front of a vendor that can be acted on.

What a bench cannot do, it says: the case is then skipped with the promise that stays unproved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from itertools import count
from typing import Any, Literal, NoReturn
from uuid import uuid4

import pytest

from datong.base.clock import ManualClock
from datong.canon.catalogue import spec as catalogued
from datong.canon.fields import Value
from datong.kit import Connector, Context, Incoming, KindSpec
from datong.kit.budget import Budget
from datong.mapping import Field, put

Side = Literal["read", "write"]


class Fault(StrEnum):
    """What a vendor may do to us. `play` plays one; what it takes stands in brackets.

    The first group concerns the next call of one side (`on`: "read" or "write"), once.
    The second holds until `calm`; `field` is a canonical name.
    """

    RATE_LIMIT = "rate_limit"  # [on, seconds] 429 that asks for `seconds`
    UNAVAILABLE = "unavailable"  # [on] 503, or whatever says that nothing was done
    HTML = "html"  # [on] a page for people with status 200, nothing done
    TRUNCATED = "truncated"  # [on] done, but half an answer
    DROPPED = "dropped"  # [on] the connection closes without an answer; a write was done
    FAILED_AFTER_COMMIT = "failed_after_commit"  # [on="write"] done, then 500
    LATE_COMMIT = "late_commit"  # [on="write", seconds] no answer; done `seconds` later

    NORMALISED = "normalised"  # [field] texts are kept in capitals
    DROPPED_FIELD = "dropped_field"  # [field] what is sent for it is silently not kept
    HIDDEN_FIELD = "hidden_field"  # [field] it is in no answer
    REFUSED = "refused"  # [field, containing] a text with `containing` is refused
    LATE_ROW = "late_row"  # [seconds] the next row shows up with a change time that long ago


class Bench(ABC):
    """One connector, one kind, one vendor account that nobody else uses meanwhile. It need not be empty.

    `page_size` is how many records the connector reads at once: set it as low as the vendor allows.
    `promise` is what the case at work proves; the suite sets it.
    """

    connector: Connector[Any]
    kind: str
    page_size: int = 2
    exact_amount: str = "90071992547409.93"  # more digits than a float keeps
    unicode: str = "深圳 大同·𠮷野家 🏭 Ünïcödé"  # beyond the BMP too
    promise: str = ""

    def __init__(self, connector: Connector[Any], kind: str) -> None:
        self.connector = connector
        self.kind = kind
        self._token = uuid4().hex[:6]
        self._count = count(1)

    # behind the connector's back -------------------------------------------------------------------------------

    @abstractmethod
    def make(self, values: Mapping[str, Value]) -> str:
        """A person makes a record with these canonical values; gives its native id."""

    @abstractmethod
    def edit(self, id: str, values: Mapping[str, Value]) -> None:
        """A person changes these fields; None clears one."""

    @abstractmethod
    def delete(self, id: str) -> None:
        """A person deletes the record."""

    @abstractmethod
    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        """What the vendor holds, by native id: inactive too, not asked through the connector, with the wire paths of
        the map."""

    def deactivate(self, id: str) -> None:
        self.cannot("switch a record off")

    def move_out_of_scope(self, id: str) -> None:
        """The record stays, but this connection may no longer see it, or is not to."""
        self.cannot("move a record out of scope")

    def merge(self, keep: str, loser: str) -> None:
        """Two records become one; `loser` is no more."""
        self.cannot("merge two records")

    # the vendor's manners --------------------------------------------------------------------------------------

    def play(self, fault: Fault, *, on: Side = "read", **params: Any) -> None:
        """Let the vendor misbehave: see Fault."""
        self.cannot(f"play {fault}")

    def calm(self) -> None:  # noqa: B027  a vendor that plays nothing is calm
        """No more faults."""

    def advance(self, seconds: float) -> None:
        """Let time pass for the vendor, and what is under way there come to its end."""
        self.cannot(f"let {seconds:g} s pass at the vendor")

    def event(self, id: str) -> bytes:
        """The body of the webhook that the vendor would send for an update of the record."""
        self.cannot("send webhooks")

    def signed(self, body: bytes, *, age: float = 0.0, forged: bool = False) -> Incoming:
        """A webhook with this body, sent `age` seconds ago; `forged` by someone without the secret."""
        self.cannot("send webhooks")

    # other connections -----------------------------------------------------------------------------------------

    def second_account(self) -> Connector[Any]:
        """The same product, another organisation with other credentials. The bench closes it."""
        self.cannot("open a second account")

    def with_wrong_credentials(self) -> Connector[Any]:
        """The same account, credentials that are not valid. The bench closes it."""
        self.cannot("connect with wrong credentials")

    def close(self) -> None:
        self.connector.close()

    # what cases build on; override where the vendor wants other values -----------------------------------------

    @property
    def spec(self) -> KindSpec:
        return self.connector.kinds[self.kind]

    @property
    def text_field(self) -> str:
        """A canonical field of free text, best one that may be empty: the suite's playground."""
        fields = [one for one in self.spec.map.fields if both_ways(one)]
        texts = [one.name for one in fields if one.convert.name == "text"]
        texts += [one.name for one in fields if one.convert.name == "trimmed" and one.name not in self.spec.find_by]
        if not texts:
            self.cannot("name a text field that is mapped both ways")
        return next((name for name in texts if name not in self.needed), texts[0])

    @property
    def needed(self) -> tuple[str, ...]:
        """Canonical fields that are never empty: those a create needs, and what the vendor fills in by itself."""
        return self.spec.required

    def value(self, name: str) -> Value:
        """A fresh value for a field: never the same twice."""
        token = self.unique()
        one = self.spec.map.named(name)
        convert = one.convert if one else None
        if convert is not None and convert.name == "email":
            return f"{token}@example.com"
        if convert is not None and convert.name == "text":
            return f"{token} Conformance"
        if convert is not None and convert.name != "trimmed" and convert.examples:
            return convert.examples[0]
        if convert is not None and convert.to:
            self.cannot(f"give a value for the reference {name}; override `value`")
        return token

    def sample(self) -> dict[str, Value]:
        """Canonical values that make a valid new record."""
        return {name: self.value(name) for name in self.needed}

    def item_sample(self, collection: str) -> dict[str, Value]:
        """Canonical values that a new item of a collection needs beside its text."""
        return {}

    def unique(self) -> str:
        """A token that no other one begins with."""
        return f"cf{self._token}{next(self._count)}z"

    def wire(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """Canonical values as the map writes them. References are native ids or codes already."""
        data: dict[str, Any] = {}
        for name, value in values.items():
            put(data, self.path(name), self.spec.map.to_wire(name, value))
        return data

    def path(self, name: str) -> str:
        one = self.spec.map.named(name)
        if one is None:
            raise KeyError(f"{self.kind} has no mapped field {name}")
        return one.path

    # what is not proved ----------------------------------------------------------------------------------------

    def cannot(self, what: str) -> NoReturn:
        """Skip the case aloud."""
        pytest.skip(f"NOT PROVED for {self.kind}: {self.promise or 'a promise'} This bench cannot {what}.")

    def not_promised(self, what: str) -> NoReturn:
        """Skip a case about something that the kind does not declare."""
        pytest.skip(f"not promised for {self.kind}: {what}")


def context(companies: Mapping[str, Mapping[str, Any]] | None = None) -> Context:
    """What a connector needs to be made, with a clock on which waiting takes no time."""
    clock = ManualClock()
    return Context("bench", clock, Budget(clock), companies or {})


def both_ways(one: Field) -> bool:
    return one.read and one.write != "never"


def is_number(kind: str, one: Field) -> bool:
    """Whether the canonical field holds money or another exact number."""
    try:
        return catalogued(kind, one.name).type in ("money", "number") or one.convert.name == "number"
    except KeyError:
        return False
