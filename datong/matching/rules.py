"""What speaks for two records being one party: the rules of an identity, declared by a flow.

    Identity(
        link=(same("number"), same("tax_id", "country")),
        review=(same("email"), same("phone", "mobile", any_of=True), similar("name", at_least=0.92)),
    )

A `link` rule may join two records silently, a `review` rule only nominates. Each rule turns a record (a flat mapping of
canonical field names to values) into *marks*, normalised values of which an equal pair is evidence; none means no
evidence.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from datong.matching import names
from datong.matching.identifiers import country_code, tax_id
from datong.matching.names import Name
from datong.matching.normalise import code, emails, host, phones, plain, postal_address, several

Record = Mapping[str, Any]

FORM = 2
"""Raised whenever a comparison form changes: stored keys of an older form are made anew."""

_WEIGHTS = {
    "number": 0.95,
    "tax_id": 0.95,
    "email": 0.8,
    "name": 0.75,
    "mobile": 0.7,
    "phone": 0.6,
    "website": 0.5,
    "address": 0.4,
}
_PHONES = frozenset({"phone", "mobile", "fax", "telephone", "tel"})
_MAILS = frozenset({"email", "mail"})
_HOSTS = frozenset({"website", "url", "domain"})
_QUALIFIERS = frozenset({"country"})


class Key(NamedTuple):
    """One row of a record's key table. Records that share no key are never compared; a strong key may decide."""

    rule: str
    value: str
    strong: bool


class Mark(NamedTuple):
    """One normalised value. Only values of one `slot` (a company of ours, an account) compare; a `qualifier` (country,
    extension) may be missing on one side but must not differ; one that is not `solid` nominates and never decides."""

    value: str
    slot: str = ""
    qualifier: str = ""
    solid: bool = True
    name: Name | None = None

    @property
    def key(self) -> str:
        return f"{self.slot}|{self.value}" if self.slot else self.value

    def meets(self, other: Mark) -> bool:
        """Equal in value and slot, and no qualifier against it."""
        return (
            self.value == other.value
            and self.slot == other.slot
            and (self.qualifier == other.qualifier or not self.qualifier or not other.qualifier)
        )


Marks = tuple[Mark, ...]


class Outcome(NamedTuple):
    """What one rule says of two records: `agree` 0..1, `hint` equal but not solid, `clash` set on both sides and
    different."""

    agree: float = 0.0
    hint: bool = False
    clash: bool = False


NOTHING = Outcome()


# --- rules -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Same:
    """The values of all `fields` are equal (with `any_of`: a value of any of them). Made by `same`."""

    fields: tuple[str, ...]
    within: str = ""
    any_of: bool = False
    weight: float = 0.6

    @cached_property
    def name(self) -> str:
        text = ("|" if self.any_of else "+").join(self.fields)
        return f"{text} within {self.within}" if self.within else text

    def key(self, record: Record) -> str | None:
        """The (first) value two records must share, None where the record gives no evidence."""
        return next((mark.key for mark in self.marks(record)), None)

    def marks(self, record: Record, region: str = "") -> Marks:
        slot = ""
        if self.within and not (slot := code(record.get(self.within))):
            return ()
        together = len(self.fields) > 1 and not self.any_of
        found = self._all_of(record, region) if together else self._any_of(record, region)
        if slot:
            found = (mark._replace(slot=f"{slot}|{mark.slot}" if mark.slot else slot) for mark in found)
        marks = list(found)
        return tuple(sorted(set(marks)) if len(marks) > 1 else marks)

    def _any_of(self, record: Record, region: str) -> Iterator[Mark]:
        return itertools.chain.from_iterable(_field_marks(record, field, region) for field in self.fields)

    def _all_of(self, record: Record, region: str) -> Iterator[Mark]:
        """Every combination of values that stand in one slot; a country is a qualifier and may be missing."""
        first, *others = self.fields
        qualifiers = [field for field in others if _kind(field) in _QUALIFIERS]
        needed = [list(_field_marks(record, field, region)) for field in (first, *others) if field not in qualifiers]
        countries = [country_code(record.get(field)) for field in qualifiers]
        for row in itertools.product(*needed):
            if len({mark.slot for mark in row if mark.slot}) > 1:
                continue
            qualifier = "|".join(filter(None, countries)) or row[0].qualifier if qualifiers else row[0].qualifier
            yield Mark(
                " + ".join(mark.value for mark in row),
                max(mark.slot for mark in row),
                qualifier,
                all(m.solid for m in row),
            )

    def block(self, marks: Marks) -> Iterable[str]:
        return {mark.key for mark in marks}

    def compare(self, left: Marks, right: Marks) -> Outcome:
        if not left or not right:
            return NOTHING
        met = [(one, other) for one in left for other in right if one.meets(other)]
        slots = {mark.slot for mark in left} & {mark.slot for mark in right}
        return Outcome(
            agree=1.0 if any(one.solid and other.solid for one, other in met) else 0.0,
            hint=bool(met),
            clash=bool(slots - {one.slot for one, _ in met}),
        )

    def values(self, record: Record) -> str:
        """The values as the record holds them, for a person to compare."""
        shown = [text for field in self.fields for _, value in _lookup(record, field) for text in several(value)]
        return " · ".join(dict.fromkeys(shown))


@dataclass(frozen=True)
class Similar:
    """Names at least `at_least` alike (0..1). Made by `similar`. Never a link rule."""

    fields: tuple[str, ...]
    at_least: float = 0.92
    person: bool = False
    weight: float = 0.75

    @cached_property
    def name(self) -> str:
        return "similar " + "|".join(self.fields)

    def key(self, record: Record) -> str | None:
        """The name's own block key; `keys` gives all of them."""
        return next(("=" + mark.name.letters for mark in self.marks(record) if mark.name and mark.name.letters), None)

    def marks(self, record: Record, region: str = "") -> Marks:
        return tuple(Mark(name.core, name=name) for name in names_of(record, self.fields, person=self.person))

    def block(self, marks: Marks) -> Iterable[str]:
        return {key for mark in marks if mark.name for key in names.blocks(mark.name, self.at_least)}

    def compare(self, left: Marks, right: Marks) -> Outcome:
        if not left or not right:
            return NOTHING
        pairs = ((one.name, other.name) for one in left for other in right if one.name and other.name)
        score = max((names.similarity(one, other, self.at_least) for one, other in pairs), default=0.0)
        return Outcome(agree=score, hint=score > 0)

    def values(self, record: Record) -> str:
        return " · ".join(dict.fromkeys(text for _, text in _name_texts(record, self.fields)))


Rule = Same | Similar


def same(*fields: str, within: str = "", any_of: bool = False, weight: float | None = None) -> Same:
    """Equal values. `within="account"` compares only records whose `account` (a reference to our record) is the
    same."""
    if not fields:
        raise ValueError("same() needs a field")
    return Same(fields, within, any_of, _weight(fields) if weight is None else weight)


def similar(*fields: str, at_least: float = 0.92, person: bool = False, weight: float | None = None) -> Similar:
    """Names alike; `name` stands for `name`, `name_en`, `name.zh` too. `person` for records that say no `type`."""
    if not fields or not 0.5 <= at_least <= 1:
        raise ValueError("similar() needs a field and at_least between 0.5 and 1")
    return Similar(fields, at_least, person, _weight(fields) if weight is None else weight)


def _weight(fields: Sequence[str]) -> float:
    return _WEIGHTS.get(_kind(fields[0]), 0.6)


@dataclass(frozen=True)
class Identity:
    """How records of one kind are recognised.

    `common`: a value held by more records of one side (a switchboard, a group's website) nominates nothing by itself.
    `block`: the same for the keys under which names are looked up. `crowd`: a link value held by more is no identifier
    but a mistake; its holders are never linked silently. `region`: country of numbers on records that name no
    country."""

    link: tuple[Rule, ...] = ()
    review: tuple[Rule, ...] = ()
    region: str = ""
    common: int = 5
    block: int = 40
    crowd: int = 20

    def __post_init__(self) -> None:
        if any(isinstance(rule, Similar) for rule in self.link):
            raise ValueError("a similar name never links: put similar() into review")
        if len({rule.name for rule in self.rules}) != len(self.rules):
            raise ValueError("an identity names each rule once")

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        return self.link + self.review

    def cap(self, rule: Rule) -> int:
        """How many records of one side may share a key of `rule` before the key says nothing."""
        if rule in self.link:
            return self.crowd
        return self.block if isinstance(rule, Similar) else self.common

    @cached_property
    def caps(self) -> dict[str, int]:
        return {rule.name: self.cap(rule) for rule in self.rules}

    def marks(self, fields: Record) -> tuple[Marks, ...]:
        """The marks of a record, one tuple for each of `rules`."""
        return tuple(rule.marks(fields, self.region) for rule in self.rules)

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever stored keys would: store it beside them, and make them anew when it differs."""
        return _digest([str(FORM), self.region, *(f"{rule!r}{rule in self.link}" for rule in self.rules)])


def keys(fields: Record, identity: Identity) -> list[Key]:
    """All keys of a record, to be stored and looked up by equality. See `datong.matching.index` for how."""
    return keys_of_marks(identity.marks(fields), identity)


def keys_of_marks(marks: Sequence[Marks], identity: Identity) -> list[Key]:
    """The keys that already made marks give."""
    strong = len(identity.link)
    return sorted(
        Key(rule.name, value, number < strong)
        for number, rule in enumerate(identity.rules)
        for value in rule.block(marks[number])
    )


def evidence_digest(left: Record, right: Record, identity: Identity) -> str:
    """What a person's decision on a pair was made on; the same either way round. A change of spelling that leaves the
    comparison forms as they are leaves the digest, so it does not reopen the decision."""
    return _digest(sorted(_evidence(record, identity) for record in (left, right)))


def _evidence(record: Record, identity: Identity) -> str:
    rules = sorted(
        (rule.name, tuple((*mark[:4], mark.name and (mark.name.legal, mark.name.branch)) for mark in marks))
        for rule, marks in zip(identity.rules, identity.marks(record), strict=True)
    )
    return repr((rules, code(record.get("type")), [name.branch for name in names_of(record, ("name",))]))


def _digest(texts: Iterable[str]) -> str:
    whole = "\x1f".join(texts).encode("utf8", "surrogatepass")
    return hashlib.blake2b(whole, digest_size=10).hexdigest()


# --- fields ----------------------------------------------------------------------------------------------------------


def _kind(field: str) -> str:
    """What a field holds, by the last part of its name: `company.asia.number` is a number."""
    return field.rpartition(".")[2]


def _lookup(record: Record, field: str) -> list[tuple[str, Any]]:
    """(slot, value) of a field. What exists once per company (`company.asia.number`) is found under its plain name
    too, in the company's slot: number 1001 of one company is not number 1001 of another. `addresses.*.phone` takes
    every address."""
    value = record.get(field)
    if value is not None and plain(value):
        return [("", value)]
    start, end = field.split("*", 1) if "*" in field else ("company.", "." + field)
    least = len(start) + len(end)
    return [
        (name[len(start) : len(name) - len(end)] if start == "company." else "", record[name])
        for name in sorted(name for name in record if name.startswith(start))
        if len(name) > least and name.endswith(end)
    ]


def _field_marks(record: Record, field: str, region: str) -> Iterator[Mark]:
    if field == "address":
        yield from (Mark(text) for text in _addresses(record))
        return
    kind = _kind(field)
    if kind == "name":
        yield from (Mark(name.core) for name in names_of(record, (field,)))
        return
    for slot, value in _lookup(record, field):
        for mark in _value_marks(kind, value, record, region):
            yield mark._replace(slot=slot) if slot else mark


def _value_marks(kind: str, value: Any, record: Record, region: str) -> Iterator[Mark]:
    if kind == "tax_id":
        yield from _tax_marks(value, record, region)
    elif kind in _MAILS:
        yield from map(Mark, emails(value))
    elif kind in _PHONES:
        for one in phones(value, country_code(record.get("country")) or region):
            yield Mark(one.number, qualifier=one.extension)
    elif kind in _HOSTS:
        yield from (Mark(name) for text in several(value) if (name := host(text)))
    elif kind in _QUALIFIERS:
        yield from (Mark(country_code(text)) for text in several(value))
    else:  # a code: A-1, A.1 and A1 are three articles
        yield from (Mark(code(text)) for text in several(value))


def _tax_marks(value: Any, record: Record, region: str) -> Iterator[Mark]:
    """The number, and for Chinese ones the organisation code in it, which an old number and its successor share."""
    for text in several(value):
        person = is_person(record)
        found = tax_id(text, record.get("country"), person=person)
        if found and not found.country and region:
            local = tax_id(text, region, person=person)
            found = local if local and local.valid else found
        if found:
            yield Mark(found.value, qualifier=found.country, solid=found.valid)
            if found.organisation:
                yield Mark("org " + found.organisation, qualifier=found.country, solid=False)


def _addresses(record: Record) -> list[str]:
    """One comparison form for each address: `address` itself, or the parts of `addresses.<key>.<part>`."""
    parts: dict[str, dict[str, Any]] = {}
    if flat := plain(record.get("address")):
        parts[""] = {"street": flat, **{part: record.get(part) for part in ("province", "city", "district")}}
    for name in record:
        if name.startswith("addresses.") and name.count(".") == 2:
            _, key, part = name.split(".")
            parts.setdefault(key, {})[part] = record[name]
    return sorted(filter(None, {postal_address(address) for address in parts.values()}))


def _name_texts(record: Record, fields: Iterable[str]) -> Iterator[tuple[str, str]]:
    """A name field and its translations (`name_en`, `name.zh`)."""
    for field in fields:
        size = len(field)
        for key in sorted(key for key in record if key.startswith(field)):
            if len(key) == size or (len(key) == size + 3 and key[size] in "_." and key[size + 1 :].isalpha()):
                yield from ((key, text) for text in several(record[key]))


def is_person(record: Record) -> bool:
    return bool(record.get("type") == "person")


def names_of(record: Record, fields: Iterable[str] = ("name",), *, person: bool = False) -> tuple[Name, ...]:
    """The names of a record taken apart, as a person's where the record or the rule says so."""
    parse = names.person_name if person or is_person(record) else names.company_name
    found = {name for _, text in _name_texts(record, fields) if (name := parse(text)).core}
    return tuple(sorted(found, key=lambda name: (name.core, name.legal, name.branch, name.group)))
