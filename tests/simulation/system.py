"""A business system in memory, with manners. It keeps what the oracle judges by: who entered what, where and when.

Every value that a person enters has a serial number of its own, written into the value where its type allows, so that
for whatever stands in a field it is known from which entry it came.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.moment import BEGINNING, Time
from tests.simulation.traits import LEVEL, LEVELS, NUMBERS, Manners

FIRST_SERIAL = 10001
_SERIAL = re.compile(r"(?<!\d)(\d{5})(?!\d)")


@dataclass
class Entry:
    """What a person entered into one field of one record. `over` is the entry whose value stood there before."""

    serial: int
    side: str
    row: str
    customer: int
    field: str
    value: str | None
    at: datetime
    over: int | None
    early: bool = False
    """Entered before Datong had the customer, and the field, on both sides."""
    doubtful: bool = False
    """What stood there had been written by Datong, which never learnt that it arrived."""
    shown: bool = False
    """Datong was shown it."""
    unseen_loss: bool = False
    """Overwritten in the moment between Datong's look and its write, which a system without a guard cannot prevent, or
    while it was hidden."""
    lost_to: int | None = None
    """The entry that took its place then."""


@dataclass
class Row:
    """One customer in one system. `customer` is whom it really stands for."""

    id: str
    customer: int
    by_person: bool
    created: datetime
    changed: datetime
    """By the system's own clock."""
    touched: datetime = BEGINNING
    values: dict[str, str | None] = field(default_factory=dict)
    entries: dict[str, int | None] = field(default_factory=dict)
    key: str | None = None
    version: int = 1
    excused: bool = False
    """Datong could not know that the customer was there when it created it again."""
    shown: bool = False
    looked: bool = False
    """Datong asked for it by id, and since then has only written."""
    past: list[tuple[datetime, Row]] = field(default_factory=list)
    """What it was, and until when."""
    sure: bool = True
    """Datong has seen it since it last wrote to it."""
    written: set[str] = field(default_factory=set)
    """The fields it wrote since it was last sure of it."""
    answered: int = 0
    """The process that saw it in the answer to that write only, and has not yet kept what it saw."""

    def keep(self, now: datetime) -> None:
        """What it is now will be its past."""
        self.past.append((now, replace(self, values=dict(self.values), entries=dict(self.entries), past=[])))

    def as_of(self, moment: datetime) -> Row | None:
        """What it was at a moment; None before it was made."""
        if moment < self.created:
            return None
        return next((row for until, row in self.past if moment < until), self)


@dataclass
class Ledger:
    """What people entered, over all systems, and what is wrong with what Datong did."""

    entries: dict[int, Entry] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    apart: Counter[int] = field(default_factory=Counter)
    """Customers of whom somebody said, so many times, to Datong that their records are not one."""
    struck: Counter[str] = field(default_factory=Counter)
    """How often what is in STRIKES happened."""
    last: int = FIRST_SERIAL - 1
    forgotten: list[tuple[datetime, datetime]] = field(default_factory=list)
    """From when to when Datong lost its memory: what it did then looks to it as if people had."""
    linked: Callable[[str, str], bool] = lambda side, id: True
    """Whether Datong has this record on both sides."""
    intended: Callable[[str, str], bool] = lambda side, id: False
    """Whether Datong does not know what became of its last write to this record."""

    def enter(
        self, row: Row, side: str, name: str, value: str | None, at: datetime, serial: int, *, hidden: bool
    ) -> None:
        """`hidden`: one of the systems does not show the field now."""
        early, over = hidden or not self.linked(side, row.id), row.entries.get(name)
        unsure = name in row.written and (not row.sure or self.intended(side, row.id))
        doubtful = unsure and over in self.entries and self.entries[over].side != side
        self.entries[serial] = Entry(serial, side, row.id, row.customer, name, value, at, over, early, doubtful)

    def serial(self) -> int:
        self.last += 1
        return self.last

    def about(self, customer: int, name: str) -> list[Entry]:
        return [e for e in self.entries.values() if e.customer == customer and e.field == name]


def canon(value: str | None) -> str | None:
    """The value itself, whatever the spelling: composed, without space around it."""
    if value is None:
        return None
    return unicodedata.normalize("NFC", value).strip() or None


def serials_in(text: str) -> list[int]:
    return [int(found) for found in _SERIAL.findall(text)]


def entered(name: str, serial: int, shape: int) -> str | None:
    """What a person types: the serial stands in it where it can."""
    if shape % 11 == 10:
        return None
    if name == LEVEL:
        return LEVELS[shape % 3]
    if name in NUMBERS:
        return f"{serial}.{('', '5', '126', '374')[shape % 4]}".rstrip(".").replace(".5", ".4")
    told = ("e{} Café大同", "  e{} 深圳 ", "e{}", "e{} Ünï\u0301 long enough to be cut", "e{} cafe\u0301")[shape % 5]
    return told.format(serial)


class System:
    """Keeps customers. What people do here is in plain words; what Datong does comes through the connector."""

    def __init__(self, side: str, manners: Manners, time: Time, ledger: Ledger) -> None:
        self.side = side
        self.manners = manners
        self.time = time
        self.ledger = ledger
        self.other: System = self
        self.rows: dict[str, Row] = {}
        self.gone: dict[str, str | None] = {}
        """Deleted ids, and into which record each was merged."""
        self.removed: set[int] = set()
        """Customers that a person deleted here, or merged into another one."""
        self.merged: set[int] = set()
        self.hidden: set[str] = set()
        self.unsettled = BEGINNING
        """Until then Datong cannot tell by its clock how long ago something was: it was set ahead."""
        self.writes = 0
        self.ahead = timedelta(seconds=manners.skew)
        self._numbers = 0
        self._later: list[tuple[datetime, Any]] = []
        time.passing.append(self._mature)

    @property
    def clock(self) -> datetime:
        """The time as this system has it."""
        return self.time.now + self.ahead

    # people ------------------------------------------------------------------------------------------------------

    def make(self, customer: int, told: Mapping[str, tuple[str | None, int]], fixed: Mapping[str, str]) -> Row:
        """A person enters a customer: field -> (value, serial), and values without serial."""
        row = self._new_row(customer, by_person=True)
        row.values.update(fixed)
        for name, (value, serial) in told.items():
            if name != self.manners.computes:
                self._set_by_person(row, name, value, serial)
        return row

    def edit(self, row: Row, name: str, value: str | None, serial: int) -> None:
        row.keep(self.time.now)
        self._set_by_person(row, name, value, serial)
        self._stamp(row)

    def respell(self, row: Row, name: str) -> None:
        """The same value with a space behind it: nothing that anybody should hear of."""
        value = row.values.get(name)
        if value and name not in NUMBERS and name != LEVEL:
            row.keep(self.time.now)
            row.values[name] = f"{value} "
            self._stamp(row)

    def touch(self, row: Row) -> None:
        row.keep(self.time.now)
        self._stamp(row)

    def remove(self, row: Row) -> None:
        del self.rows[row.id]
        self.gone[row.id] = None
        self.removed.add(row.customer)

    def merge(self, row: Row, into: Row) -> None:
        """A person says that two are one: the other one stays as it is."""
        self.remove(row)
        self.gone[row.id] = into.id
        self.merged.add(row.customer)

    def _held(self, name: str, value: str | None) -> str | None:
        form = self.manners.form(name)
        held = form.hold(value)
        if held != value:
            self.ledger.struck[form.strike] += 1
        return held

    def _set_by_person(self, row: Row, name: str, value: str | None, serial: int) -> None:
        self._enter(row, name, value, serial)
        if name == "name":
            self._compute(row)

    def _compute(self, row: Row) -> None:
        """The name is another one: what follows from it is made up anew, as if somebody had entered it."""
        if self.manners.computes:
            self.ledger.struck["computed"] += 1
            serial = self.ledger.serial()
            self._enter(row, self.manners.computes, f"e{serial} made up", serial)

    def _enter(self, row: Row, name: str, value: str | None, serial: int) -> None:
        held = self._held(name, value)
        hidden = name in self.hidden | self.other.hidden
        self.ledger.enter(row, self.side, name, held, self.time.now, serial, hidden=hidden)
        row.values[name], row.entries[name] = held, serial

    def _new_row(self, customer: int, *, by_person: bool) -> Row:
        self._numbers += 1
        row = Row(f"{self.side[0]}{self._numbers}", customer, by_person, self.time.now, self.clock, self.time.now)
        self.rows[row.id] = row
        return row

    def _stamp(self, row: Row) -> None:
        row.version += 1
        row.touched = self.time.now
        same = self.clock == row.changed
        row.changed = self.clock + timedelta(microseconds=1) if same else self.clock

    # Datong ------------------------------------------------------------------------------------------------------

    def told(self, id: str, call: str, process: int) -> Row:
        """What a process of Datong is told of this row now."""
        row = self.rows[id]
        old = self.time.now - timedelta(seconds=self.manners.stale if call in ("read", "get") else 0)
        told = row.as_of(old) or row
        row.shown, row.looked = True, call == "get"
        self.ledger.struck["stale"] += told is not row
        if told is row:
            row.sure, row.answered = True, process if call == "write" else 0
        self.ledger.struck["hidden"] += bool(self.hidden & told.entries.keys())
        for name, serial in told.entries.items():
            if serial is not None and name not in self.hidden:
                self.ledger.entries[serial].shown = True
        return told

    def create(self, key: str | None, values: Mapping[str, Any], *, late: bool = False) -> Row:
        customer = self._customer_of(values)
        twins = len(self.other.of(customer)) > 1  # the one that was not deleted with its partner may get one
        if customer in self.removed - self.ledger.apart.keys() and not twins:
            self.ledger.wrong.append(f"customer {customer} was deleted in {self.side}, and Datong created it again")
        unseen = any(r.by_person and not r.shown for r in self.of(customer))
        row = self._new_row(customer, by_person=False)
        row.excused = late or unseen or self.time.now < self.unsettled
        row.key = key if self.manners.keeps_key else None
        self._write(row, values)
        return row

    def update(self, row: Row, values: Mapping[str, Any]) -> None:
        row.keep(self.time.now)
        self._write(row, values)
        self._stamp(row)

    def delete(self, row: Row) -> None:
        self.writes += 1
        del self.rows[row.id]
        self.gone[row.id] = None

    def kept(self, process: int) -> None:
        """What the process was answered is in the store now."""
        for row in self.rows.values():
            row.answered = 0 if row.answered == process else row.answered

    def forget(self, process: int) -> None:
        """The process is no more, and what it was answered since its last commit went with it."""
        for row in self.rows.values():
            row.sure = row.sure and row.answered != process

    def later(self, seconds: float, act: Any) -> None:
        self._later.append((self.time.now + timedelta(seconds=seconds), act))

    def _mature(self) -> None:
        now = self.time.now
        ripe = [(at, act) for at, act in self._later if at <= now]
        self._later = [(at, act) for at, act in self._later if at > now]
        for self.time.now, act in ripe:  # each in its own time
            act()
        self.time.now = now

    def _write(self, row: Row, values: Mapping[str, Any]) -> None:
        self.writes += 1
        row.written = set(values) | (set() if row.sure else row.written)
        row.sure = renamed = False
        for name, value in values.items():
            if name in ("tax_id", "email"):
                row.values[name] = value
                continue
            if name in self.manners.deaf or name == self.manners.computes:
                self.ledger.struck["dropped"] += 1
                continue
            came_from = self._came_from(row, name, value)
            if came_from != row.entries.get(name):
                self._overwritten(row, name, came_from)
            renamed |= name == "name" and came_from != row.entries.get(name)
            row.values[name] = self._held(name, None if value is None else str(value))
            row.entries[name] = came_from
        if renamed:
            self._compute(row)

    def _overwritten(self, row: Row, name: str, by: int | None) -> None:
        """An entry that Datong was never shown goes: between its look and its write that can happen, else never. Nor
        can it tell what stands in a field that is hidden now."""
        serial = row.entries.get(name)
        entry = self.ledger.entries.get(serial) if serial is not None else None
        if entry is None or entry.side != self.side or entry.row != row.id:
            return
        if entry.shown and name not in self.hidden:
            return
        entry.unseen_loss, entry.lost_to = True, by
        if name not in self.hidden and (self.manners.guard or not row.looked):
            self.ledger.wrong.append(
                f"{self.side} {row.id}: Datong wrote {name} over entry {serial} without having looked at it"
            )

    def _came_from(self, row: Row, name: str, value: Any) -> int | None:
        """The entry whose value Datong writes here."""
        if value is not None and name != LEVEL:
            found = serials_in(str(value))
            return found[0] if found else None
        known = [e for e in self.ledger.about(row.customer, name) if self._could_be(e, value)]
        there = [r.entries.get(name) for r in self.other.rows.values() if r.customer == row.customer]
        likely = [e for e in known if e.serial in there] or known
        return max(likely, key=lambda e: e.serial).serial if likely else None

    def _could_be(self, entry: Entry, value: Any) -> bool:
        held = self.manners.form(entry.field).hold(entry.value)
        return value in (entry.value, held)

    def _customer_of(self, values: Mapping[str, Any]) -> int:
        """Whom a record created by Datong stands for: by the tax id, which every customer has one of."""
        tax_id = values.get("tax_id")
        for one in (self.other, self):
            for row in one.rows.values():
                if tax_id is not None and row.values.get("tax_id") == tax_id:
                    return row.customer
        for value in values.values():
            for serial in serials_in(str(value)):
                if serial in self.ledger.entries:
                    return self.ledger.entries[serial].customer
        self.ledger.wrong.append(f"{self.side}: Datong created a record of nobody: {dict(values)}")
        return -1

    # the state ---------------------------------------------------------------------------------------------------

    def of(self, customer: int) -> list[Row]:
        return [row for row in self.rows.values() if row.customer == customer]
