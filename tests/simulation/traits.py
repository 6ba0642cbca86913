"""What a world is made of: the manners of each system, the rules of the flow. Chosen by the seed, as plain data."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any, Literal

from datong.engine.flow import ASK, CRM, ERP, NEWEST, OWNER, Policy

TEXTS = ("name", "short_name", "website", "invoice_title", "industry", "name_en")
NUMBERS = ("custom.limit", "custom.rate")
LEVEL = "dealer_level"
LEVELS = ("A", "B", "C")
OUTSIDE = "C"
FIELDS = (*TEXTS, *NUMBERS, LEVEL)
SIDES = ("crm", "erp")


def _cut(value: str) -> str:
    return value[:12].rstrip()


def _round(places: int) -> Callable[[str], str]:
    def rounded(value: str) -> str:
        exact = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        shown = format(exact, "f")
        return shown.rstrip("0").rstrip(".") if "." in shown else shown

    return rounded


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "trimmed": str.strip,
    "upper case": str.upper,
    "lower case": str.lower,
    "NFC": lambda v: unicodedata.normalize("NFC", v),
    "NFD": lambda v: unicodedata.normalize("NFD", v),
    "cut to 12": _cut,
    "whole": _round(0),
    "one decimal": _round(1),
    "B is A": lambda v: {"B": "A"}.get(v, v),
}
STRIKES = {
    "trimmed": "a system leaves out the spaces around a text",
    "case": "a system keeps a text in capitals, or without any",
    "composition": "a system keeps accents composed, or decomposed",
    "cut": "a system cuts a text",
    "rounded": "a system rounds a number",
    "collapsed": "a system knows fewer values of a list",
    "dropped": "a system says that all is well and keeps what it had",
    "computed": "a system makes a field up anew when another one changes",
    "hidden": "a system shows a field to nobody for a while",
    "stale": "a read tells how it was some seconds ago",
    "late": "a change is in the list of changes only some time after the time it bears",
    "search lag": "a search does not find what was made just now",
    "moved": "a guarded write meets a record that changed meanwhile",
    "time-out": "a call is not answered",
    "500": "a call ends in a mistake over there",
    "429": "a call is told to come later",
    "refused": "a call reaches nobody",
    "denied": "a call is not allowed",
    "slow": "a call takes longer than a minute",
    "lost": "nobody knows what became of a call",
    "done unheard": "a write happens, and its answer is lost",
    "half a batch": "the first half of a call's writes happens",
    "done late": "a create happens after its call was given up",
    "killed": "Datong's process is killed",
    "restarted": "Datong is stopped and started",
    "other process": "another process of Datong works meanwhile",
    "our clock": "the clock of Datong's machine is set",
    "their clock": "the clock of a system is set",
    "hinted": "webhooks point at a record, some twice",
    "deleted": "a person deletes a customer",
    "merged": "a person merges two customers in a system",
    "unlinked": "a person says to Datong that what it joined is not one",
    "separated": "a person says that two who look alike are two",
    "joined": "a person says that two who look alike are one",
    "dismissed": "a person lets a difference stand",
    "retried": "a person has it tried again",
    "resolved": "a person settles a conflict",
    "new map": "Datong is started with another map",
    "restored": "an old backup of Datong's store is put back",
    "out of scope": "a customer leaves what the flow is for",
}
"""What can happen to Datong, each counted by name each time that it does."""
TEXT_FORMS = ("as it is", "trimmed", "upper case", "lower case", "NFC", "NFD", "cut to 12")
NUMBER_FORMS = ("as it is", "whole", "one decimal")
LEVEL_FORMS = ("as it is", "B is A")


_STRIKE = {
    "trimmed": "trimmed",
    "upper case": "case",
    "lower case": "case",
    "NFC": "composition",
    "NFD": "composition",
    "cut to 12": "cut",
    "whole": "rounded",
    "one decimal": "rounded",
    "B is A": "collapsed",
}


@dataclass(frozen=True)
class Form:
    """What a system makes of every value of a field, and whether the map says so."""

    name: str = "as it is"
    declared: bool = True

    def hold(self, value: str | None) -> str | None:
        return None if value is None else FORMS[self.name](value) or None

    @property
    def strike(self) -> str:
        """What it is counted as when it changes a value."""
        return _STRIKE[self.name]


@dataclass(frozen=True)
class Manners:
    """One system. Times in seconds. Everything at its default is a system as one would wish."""

    forms: dict[str, Form] = field(default_factory=dict)
    reads: Literal["changes", "snapshot"] = "changes"
    change_time: bool = True
    guard: bool = True
    create: Literal["by_key", "by_search", "ask"] = "by_key"
    keeps_key: bool = True
    finds_tax_id: bool = True
    batch: int = 1
    one_fails_all: bool = False
    page: int = 4
    search_lag: float = 0.0
    stale: float = 0.0
    """Reads tell the state of so long ago."""
    late: float = 0.0
    """Every other change is in the list of changes only so long after the time it bears."""
    deaf: frozenset[str] = frozenset()
    """Fields that are written in vain: it says that all is well and keeps what it had."""
    computes: str = ""
    """The field that it makes up anew when the name changes; written in vain."""
    skew: float = 0.0
    """Seconds by which its clock is ahead."""

    def form(self, name: str) -> Form:
        return self.forms.get(name, Form())


@dataclass(frozen=True)
class Traits:
    """One world."""

    manners: dict[str, Manners]
    policies: dict[str, Policy]
    deletes: Literal["ask", "delete", "keep"] = "ask"
    first_load: str = ASK
    people: int = 6
    """Customers at the beginning."""
    scope: bool = False
    """The flow is for customers below the level OUTSIDE only."""
    shared_store: bool = False
    """Several processes work side by side, claiming by lease, as on PostgreSQL."""

    def with_manners(self, side: str, **changed: Any) -> Traits:
        return replace(self, manners={**self.manners, side: replace(self.manners[side], **changed)})


def chosen(dice: Random) -> Traits:
    """The traits of a world, by chance."""
    manners = {side: _manners(dice) for side in SIDES}
    timed = all(m.change_time for m in manners.values())
    return Traits(
        manners,
        {name: _policy(dice, timed) for name in FIELDS},
        deletes=dice.choice(("ask", "delete", "keep")),
        first_load=dice.choice((ASK, CRM, ERP)),
        people=dice.randint(3, 10),
        shared_store=dice.random() < 0.25,
        scope=dice.random() < 0.2,
    )


def _policy(dice: Random, timed: bool) -> Policy:
    options = [
        Policy("owned", CRM),
        Policy("owned", ERP),
        Policy("shared"),
        Policy("shared"),
        Policy("shared", CRM, OWNER),
        Policy("shared", ERP, OWNER),
    ]
    if timed:
        options.append(Policy("shared", clash=NEWEST))
    return dice.choice(options)


def _manners(dice: Random) -> Manners:
    create = dice.choice(("by_key", "by_key", "by_search"))
    timed = dice.random() < 0.7
    return Manners(
        forms=_forms(dice),
        reads="changes" if timed else "snapshot",
        change_time=timed,
        guard=dice.random() < 0.5,
        create=create,  # type: ignore[arg-type]
        batch=dice.choice((1, 1, 3, 5)),
        one_fails_all=dice.random() < 0.3,
        page=dice.choice((2, 4, 50)),
        search_lag=dice.choice((0.0, 0.0, 30.0)),
        stale=dice.choice((0.0, 0.0, 0.0, 20.0)),
        late=dice.choice((0.0, 0.0, 50.0)),
        deaf=frozenset(dice.sample(TEXTS[1:], 1)) if dice.random() < 0.2 else frozenset(),
        skew=dice.choice((0.0, 0.0, 0.0, 40.0, -40.0)),
        computes=dice.choice(TEXTS[1:]) if dice.random() < 0.2 else "",
    )


def _forms(dice: Random) -> dict[str, Form]:
    forms: dict[str, Form] = {}
    for names, options in ((TEXTS, TEXT_FORMS), (NUMBERS, NUMBER_FORMS), ((LEVEL,), LEVEL_FORMS)):
        for name in names:
            if dice.random() < 0.4:
                forms[name] = Form(dice.choice(options), declared=dice.random() < 0.8)
    return forms
