"""Customers that already disagree: the same for the same seed and size. `Expected` is the answer key."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from datong.sandbox.clock import SECOND, to_micros
from datong.sandbox.crm_seed import fill_documents
from datong.sandbox.entries import (
    Entry,
    crm_account,
    crm_contact,
    crm_product,
    erp_contact,
    erp_customer,
    erp_item,
    people,
)
from datong.sandbox.fields import Row
from datong.sandbox.names import GIVEN, SURNAMES, Party, People, respell
from datong.sandbox.reference import CRM_REFERENCE, ERP_REFERENCE, PRODUCTS
from datong.sandbox.seed_goods import fill_goods
from datong.sandbox.system import System

_BEGIN = to_micros(datetime(2025, 3, 1, 8, tzinfo=UTC))
_UNUSUAL = (
    "上海𠮷野家餐饮有限公司",
    "苏州㐂多食品有限公司",
    "快乐披萨🍕（北京）有限公司",
    "東方國際貿易（大连）有限公司",
    "ＡＢＣ电子（深圳）有限公司",
    'O\'Reilly & Söhne "Werkzeuge" <GmbH>',
)


@dataclass(frozen=True, slots=True)
class Expected:
    """Which seeded records belong together. CRM ids are texts, ERP ids numbers."""

    strong: list[tuple[str, int]] = field(default_factory=list)
    by_number: list[tuple[str, int]] = field(default_factory=list)
    look_alikes: list[tuple[str, int]] = field(default_factory=list)
    false_friends: list[tuple[str, int]] = field(default_factory=list)
    only_crm: list[str] = field(default_factory=list)
    only_erp: list[int] = field(default_factory=list)
    duplicates_crm: list[tuple[str, str]] = field(default_factory=list)
    duplicates_erp: list[tuple[int, int]] = field(default_factory=list)
    branches: list[tuple[str, str]] = field(default_factory=list)
    too_long: list[str] = field(default_factory=list)
    ambiguous: dict[str, tuple[list[str], list[int]]] = field(default_factory=dict)
    products: list[tuple[str, int]] = field(default_factory=list)


class Seed:
    def __init__(self, seed: int, size: int) -> None:
        self.number = seed
        self._rng = random.Random(f"{seed}/parties")
        self._people = People(self._rng)
        self._crm: list[Entry] = []
        self._erp: list[Entry] = []
        self._facts: list[tuple[list[Any], tuple[Entry, ...]]] = []
        self.expected = Expected()
        self._big = size >= 1000
        self._products = min(max(len(PRODUCTS), size // 4), 2000)
        for i in range(size):
            _PATTERN[i % len(_PATTERN)](self, i)
        self._number()
        self._note_ambiguous()

    def fill_crm(self, crm: System) -> None:
        self._fill_reference(crm, CRM_REFERENCE)
        for i in range(self._products):
            row = crm_product(i)
            if row:
                crm.load("products", row, self._crm_time(i))
        for i, entry in enumerate(self._crm):
            crm.load("accounts", crm_account(entry, self._dice("crm", i)), self._crm_time(i))
        for i, entry in enumerate(self._crm):
            for contact in people(entry, self.number)[: 0 if entry.parent else 2]:
                crm.load("contacts", crm_contact(entry.key, contact), self._crm_time(i))
        fill_documents(crm, self.number, self._crm_time(len(self._crm)))

    def fill_erp(self, erp: System) -> None:
        self._fill_reference(erp, ERP_REFERENCE)
        for i in range(self._products):
            row = erp_item(i)
            if row:
                erp.load("items", row, self._erp_time(i))
        for i, entry in enumerate(self._erp):
            erp.load("customers", erp_customer(entry, self._dice("erp", i)), self._erp_time(i))
        for i, entry in enumerate(self._erp):
            for contact in people(entry, self.number)[: 1 if i % 3 else 0]:
                erp.load("contacts", erp_contact(entry.key, contact), self._erp_time(i))

        fill_goods(erp, self.number, _BEGIN)

    def _fill_reference(self, system: System, reference: dict[str, list[Row]]) -> None:
        for object, rows in reference.items():
            for row in rows:
                system.load(object, row, _BEGIN)

    def _crm_time(self, i: int) -> int:
        return _BEGIN + (i * 97 + 60) * SECOND + i * 7919 % SECOND

    def _erp_time(self, i: int) -> int:
        """Imported in bundles: many rows with one change time, in a big sandbox more than one page of them."""
        return _BEGIN + (i // (600 if self._big else 25)) * 3600 * SECOND

    def _dice(self, side: str, i: int) -> random.Random:
        return random.Random(f"{self.number}/{side}/{i}")

    # The cases; each adds what the two systems know of one party, or of a few.

    def _strong(self, i: int) -> None:
        party = self._company(i)
        name = respell(party.name, self._rng) if self._rng.random() < 0.5 else party.name
        if not party.tax_id:
            self._both(self.expected.look_alikes, party, party.name, name, "", "")
            return
        tax_id = party.tax_id if self._rng.random() < 0.85 else f"{party.tax_id} "
        self._both(self.expected.strong, party, party.name, name, party.tax_id, tax_id)

    def _look_alike(self, i: int) -> None:
        party = self._people.company()
        taxes = ("", party.tax_id) if i % 2 else (party.tax_id, "")
        self._both(self.expected.look_alikes, party, party.name, respell(party.name, self._rng), *taxes)

    def _by_number(self, i: int) -> None:
        party = self._people.company()
        crm, erp = self._both(self.expected.by_number, party, party.name, party.name, "", party.tax_id)
        crm.number = erp

    def _only_crm(self, i: int) -> None:
        party = self._company(i)
        self._note(self.expected.only_crm, self._in_crm(party, party.name, party.tax_id if i % 3 else ""))

    def _only_erp(self, i: int) -> None:
        party = self._people.company()
        self._note(self.expected.only_erp, self._in_erp(party, party.name, party.tax_id))

    def _branch(self, i: int) -> None:
        """A branch has no tax id of its own: in the CRM it shares its parent's."""
        party = self._people.chinese()
        parent = self._in_crm(party, party.name, party.tax_id)
        branch = self._in_crm(party, f"{party.name}成都分公司", party.tax_id)
        branch.parent = parent
        self._in_erp(party, party.name, party.tax_id)
        self._note(self.expected.branches, parent, branch)

    def _twice_in_crm(self, i: int) -> None:
        party = self._people.chinese()
        first = self._in_crm(party, party.name, party.tax_id)
        second = self._in_crm(party, respell(party.name, self._rng), party.tax_id)
        self._in_erp(party, party.name, party.tax_id)
        self._note(self.expected.duplicates_crm, first, second)

    def _twice_in_erp(self, i: int) -> None:
        party = self._people.chinese()
        self._in_crm(party, party.name, party.tax_id)
        first = self._in_erp(party, party.name, party.tax_id)
        second = self._in_erp(party, respell(party.name, self._rng), party.tax_id)
        self._note(self.expected.duplicates_erp, first, second)

    def _namesakes(self, i: int) -> None:
        """Two people of one name, and nothing else in common."""
        surname, given = self._rng.choice(list(SURNAMES)), self._rng.choice(list(GIVEN))
        here, there = (self._people.person(surname + given, f"{SURNAMES[surname]} {GIVEN[given]}") for _ in range(2))
        self._apart(here, there)

    def _switchboard(self, i: int) -> None:
        """Two companies in one building, with one telephone number."""
        here = self._people.chinese()
        self._apart(here, replace(self._people.chinese(), phone=here.phone))

    def _too_long(self, i: int) -> None:
        party = self._people.company()
        name = (
            f"{party.name[:30]} – Zweigniederlassung für Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau {i}"
        )
        entry = self._in_crm(party, name, party.tax_id)
        self._note(self.expected.only_crm, entry)
        self._note(self.expected.too_long, entry)

    # Building blocks.

    def _company(self, i: int) -> Party:
        unusual = dict(zip((0, 4, 8, 13, 14, 19), _UNUSUAL, strict=True))
        party = self._people.chinese() if i in unusual else self._people.company()
        return replace(party, name=unusual.get(i, party.name))

    def _both(
        self, fact: list[Any], party: Party, crm_name: str, erp_name: str, crm_tax: str, erp_tax: str
    ) -> tuple[Entry, Entry]:
        pair = self._in_crm(party, crm_name, crm_tax), self._in_erp(party, erp_name, erp_tax)
        self._note(fact, *pair)
        return pair

    def _apart(self, here: Party, there: Party) -> None:
        crm, erp = self._in_crm(here, here.name, here.tax_id), self._in_erp(there, there.name, there.tax_id)
        self._note(self.expected.false_friends, crm, erp)
        self._note(self.expected.only_crm, crm)
        self._note(self.expected.only_erp, erp)

    def _in_crm(self, party: Party, name: str, tax_id: str) -> Entry:
        self._crm.append(Entry(party, name, tax_id))
        return self._crm[-1]

    def _in_erp(self, party: Party, name: str, tax_id: str) -> Entry:
        self._erp.append(Entry(party, name, tax_id))
        return self._erp[-1]

    def _note(self, fact: list[Any], *entries: Entry) -> None:
        self._facts.append((fact, entries))

    def _number(self) -> None:
        """Gives the ids: the two systems met their customers in different orders, parents before branches."""
        for entries, key in ((self._crm, _crm_key), (self._erp, _erp_key)):
            self._rng.shuffle(entries)
            entries.sort(key=lambda entry: entry.parent is not None)
            for number, entry in enumerate(entries, 1):
                entry.key = key(number)
        for fact, entries_of_fact in self._facts:
            keys = tuple(entry.key for entry in entries_of_fact)
            fact.append(keys if len(keys) > 1 else keys[0])
        numbers = {row["sku"]: i for i, row in enumerate(filter(None, map(crm_product, range(self._products))), 1)}
        items = [row["itemNo"] for row in filter(None, map(erp_item, range(self._products)))]
        pairs = [(f"P-{numbers[sku]:06d}", i) for i, sku in enumerate(items, 1) if sku in numbers]
        self.expected.products.extend(pairs)

    def _note_ambiguous(self) -> None:
        holders: dict[str, tuple[list[str], list[int]]] = {}
        for side, entries in enumerate((self._crm, self._erp)):
            for entry in entries:
                if entry.tax_id.strip():
                    holders.setdefault(entry.tax_id.strip(), ([], []))[side].append(entry.key)
        for tax, held in holders.items():
            if len(held[0]) > 1 or len(held[1]) > 1:
                self.expected.ambiguous[tax] = held


_PATTERN: tuple[Callable[[Seed, int], None], ...] = (
    Seed._strong,
    Seed._look_alike,
    Seed._only_crm,
    Seed._only_erp,
    Seed._strong,
    Seed._branch,
    Seed._strong,
    Seed._twice_in_crm,
    Seed._strong,
    Seed._twice_in_erp,
    Seed._look_alike,
    Seed._by_number,
    Seed._namesakes,
    Seed._strong,
    Seed._only_crm,
    Seed._strong,
    Seed._switchboard,
    Seed._look_alike,
    Seed._too_long,
    Seed._strong,
    Seed._strong,
    Seed._only_erp,
    Seed._strong,
    Seed._only_crm,
)


def _crm_key(number: int) -> str:
    return f"A-{number:06d}"


def _erp_key(number: int) -> int:
    return number
