"""The records of ours beside what was read of them: within one unit of work, of which nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from datong.base import json
from datong.base.clock import from_text
from datong.canon import is_empty, known_by
from datong.engine import health
from datong.engine import items as collections_of
from datong.engine.absorb import is_form_of
from datong.engine.evaluate import needed
from datong.engine.landscape import Conn, Landscape, Running
from datong.engine.matchmaking import unmatched_reviews
from datong.engine.reading import cursor_of
from datong.engine.reconcile import explain
from datong.engine.reconcile.compare import Side, class_of, differing, following
from datong.engine.reconcile.explain import Due, Facts, Waiting
from datong.engine.reconcile.looking import UNREADABLE
from datong.engine.reconcile.model import CONFLICT, MISSING, UNREACHABLE, Difference, Known
from datong.engine.references import References
from datong.mapping import Foreign, under_item
from datong.mapping.fieldmap import Reading
from datong.store import Transaction
from datong.store.bulk import Columns
from datong.store.schema import due, inbox, intents
from datong.store.schema import health as health_table
from datong.store.scratch import Met
from datong.store.unit import Link, Rec, Unit
from datong.store.work import open_items

MARGIN = timedelta(seconds=60)
"""How long after its time a look may come without being overdue."""
TICK = timedelta(seconds=2)
"""Times of change may be whole seconds: one from just before a look may be of just after it."""
USUAL = timedelta(minutes=5)
"""How soon a look is expected of a flow that has no interval of its own."""
_DUE = Columns(due, ("record_id", "connection", "task", "at", "attempts", "error"))
_INTENTS = Columns(intents, ("record_id", "connection"))
_HINTS = Columns(inbox, ("native_id",))
_HEALTH = Columns(health_table, ("connection", "flow", "cause"))

Place = tuple[str, str]
"""(connection, native id)"""


@dataclass
class Judged:
    """What was made of one record. `left_out`: it is not to be compared, and why. `overtaken`: what was read is older
    than what is known of it by now. `sides` are those that stand."""

    record_id: int
    difference: Difference | None = None
    left_out: str = ""
    overtaken: bool = False
    sides: Sequence[Side] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""
    companies: Sequence[str] = ()
    agreed: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Page:
    """What is known of a page of records, fetched at once."""

    due: dict[int, dict[str, Due]]
    under_way: dict[int, set[str]]
    items: dict[int, list[Waiting]]
    announced: set[Place]
    in_review: set[int]


class Survey:
    """Judges records against what was read. `readable`: connections whose records of the kind were read."""

    def __init__(self, unit: Unit, landscape: Landscape, kind: str, readable: Collection[str]) -> None:
        running = landscape.flow_of(kind)
        assert running is not None
        self.unit = unit
        self.landscape = landscape
        self.kind = kind
        self.running: Running = running
        self.references = References(unit, landscape)
        self._readable = set(readable)
        self._targets = {conn.name for conn in landscape.targets(kind)}
        self._patience = (running.every or USUAL) + MARGIN
        self._offsets = health.clock_offsets(unit.tx)
        self._resting = {
            c: cause or "" for c, f, cause in _HEALTH.where(unit.tx, "state = 'suspended'") if f in ("", running.name)
        }
        self._looked: dict[str, datetime | None] = {}

    # records -----------------------------------------------------------------------------------------------------

    def judge(self, record_ids: Iterable[int], fetch: Callable[[str, Sequence[str]], dict[str, Met]]) -> list[Judged]:
        """Records of ours, with what `fetch(connection, native ids)` gives of them."""
        loaded = self.unit.load(record_ids)
        links = {record.id: self.unit.links_of(record.id) for record in loaded.values()}
        met = self._met([link for some in links.values() for link in some], fetch)
        page = self._page(loaded.keys(), met.keys())
        return [self._judge(loaded[i], links[i], met, page) for i in sorted(loaded) if loaded[i].kind == self.kind]

    def _met(self, links: Sequence[Link], fetch: Callable[[str, Sequence[str]], dict[str, Met]]) -> dict[Place, Met]:
        found: dict[Place, Met] = {}
        for connection in self._readable:
            natives = [link.native_id for link in links if link.connection == connection]
            found.update({(connection, native): met for native, met in fetch(connection, natives).items()})
        return found

    def _judge(self, record: Rec, links: Sequence[Link], met: Mapping[Place, Met], page: _Page) -> Judged:
        if record.state != "active":
            return Judged(record.id, left_out="not in use")
        there = [(link, met.get((link.connection, link.native_id))) for link in links]
        if any(met is not None and self._overtaken(link, met) for link, met in there):
            return Judged(record.id, overtaken=True)
        sides = [self._side(record, link, one) for link, one in there if one is not None and one.form is not None]
        if not any(side.main for side in sides):
            return Judged(record.id, left_out="on no side")
        facts = self._facts(record, there, page)
        judged = Judged(
            record.id,
            sides=sides,
            places={link.connection: link.native_id for link in links if link.main},
            currency=self._currency(record),
            companies=companies(record.agreed),
            agreed=record.agreed,
        )
        judged.difference = self._absent(record, there, facts) or self._never_made(record, links, facts, judged)
        if judged.difference is None:
            self._compare(record, judged, facts)
        if judged.difference is not None:
            judged.left_out = ""
            judged.difference.natives = dict(judged.places)
        elif facts.outside:
            judged.left_out = "scope"
        elif any(k.here and k.main and k.connection not in self._readable for k in links):
            judged.left_out = "unreachable"
        return judged

    def _overtaken(self, link: Link, met: Met) -> bool:
        """It was written or read by others since, or it may not show yet what was written."""
        read_at = from_text(met.read_at)
        lag = self.landscape.connections[link.connection].specs[self.kind].read_lag
        written = link.written_at is not None and read_at <= link.written_at + lag
        return written or (link.read_at is not None and read_at < link.read_at)

    def _compare(self, record: Rec, judged: Judged, facts: Facts) -> None:
        fields = differing(self.kind, record.agreed, judged.sides, self.running.policy)
        for side in judged.sides:
            if not side.main:
                fields += following(self.kind, record.agreed, side, self.running.followers)
        news = [one for one in fields if explain.of_field(one, facts) is None]
        known = explain.of_fields(fields, facts) if fields and not news else None
        fields = news or fields
        if known is not None and known.code in ("scope", "gate"):
            judged.left_out = known.code
        elif fields:
            place = next(c for one in sorted(fields, key=_by_rank) for c in one.astray)
            cls = CONFLICT if known is not None and known.code == "conflict" else class_of(fields)
            judged.difference = self._difference(cls, record, place, known)
            judged.difference.fields = fields
        elif len([side for side in judged.sides if side.main]) > 1 or self._told_anywhere(record):
            judged.left_out = ""
        else:
            judged.left_out = judged.left_out or "one side"

    def _told_anywhere(self, record: Rec) -> bool:
        """Is something computed here and told to the only side that there is?"""
        return any(
            (rule := self.running.policy(name)) is not None and rule.how == "told" and not is_empty(value)
            for name, value in record.agreed.items()
        )

    def _difference(self, cls: str, record: Rec, place: str, known: Known | None, why: str = "") -> Difference:
        name, person = known_by(record.agreed), is_person(self.kind, record.agreed)
        return Difference(
            cls, self.kind, self.running.name, record.id, {}, place, name, known=known, why=why, person=person
        )

    # presence ----------------------------------------------------------------------------------------------------

    def _absent(self, record: Rec, there: Sequence[tuple[Link, Met | None]], facts: Facts) -> Difference | None:
        """What was asked for by id and not given, unless that is known."""
        for link, met in there:
            known_gone = link.state not in ("live", "inactive", "missing")
            if met is None or met.form is not None or not link.main or known_gone:
                continue
            why = met.absence or "gone"
            known = explain.of_missing(link.connection, facts)
            if link.state == "missing" and known is None:
                known = Known("gone", "asked for by id and not given; looked for once more before it counts")
            if why in ("out_of_scope", "no_access", UNREADABLE):
                return self._difference(UNREACHABLE, record, link.connection, known, why.replace("_", " "))
            told = f"merged into {met.into}" if why == "merged" else "not there any more"
            return self._difference(MISSING, record, link.connection, known, told)
        return None

    def _never_made(self, record: Rec, links: Sequence[Link], facts: Facts, judged: Judged) -> Difference | None:
        """Where the record should stand and was never linked. Where it is not to stand it is left out there."""
        linked = {link.connection for link in links}
        for name in sorted(self._targets - linked):
            conn = self.landscape.connections[name]
            apart = self._kept_out(record, conn)
            if apart and not (apart == "gate" and any(one.type == "review" for one in facts.items)):
                judged.left_out = apart
            elif name in self._readable:
                known = explain.of_missing(name, facts)
                return self._difference(MISSING, record, name, known, "never made there")
        return None

    def _kept_out(self, record: Rec, conn: Conn) -> str:
        """Why a record is not to be made in a connection, by the flow and what its gate said; empty: it is."""
        master = self.running.master
        if master is None or not self.running.create or conn.role not in master.creates_in:
            return "one side"
        spec = conn.specs[self.kind]
        if spec.create == "never" or spec.reads == "never":
            return "one side"
        if self.last_look(conn.name) is None:
            return "not read yet"
        told = record.verdicts.get(conn.name)
        if told is not None and told[0] == "skip":
            return "gate"
        return ""

    # one side ----------------------------------------------------------------------------------------------------

    def _side(self, record: Rec, link: Link, met: Met) -> Side:
        conn = self.landscape.connections[link.connection]
        reading = conn.specs[self.kind].map.read_form(json.loads(met.form or "{}"))
        values = self._values(conn, record, link, reading)
        return Side(
            conn.name,
            conn.role,
            values,
            frozenset(reading.items),
            link.sent,
            link.main,
            has=lambda name: conn.specs[self.kind].map.named(name) is not None,
            takes=lambda name: self._takes(conn, record, link, values, name),
            is_form=lambda name, ours, theirs: self._is_form(conn, name, ours, theirs),
        )

    def _values(self, conn: Conn, record: Rec, link: Link, reading: Reading) -> dict[str, Any]:
        """What stands there, flat, as our records say it. What cannot be read stands as its text."""
        values = {name: self._resolved(conn, value) for name, value in reading.values.items()}
        for name, wire in reading.items.items():
            for item in wire:
                item.values.update({leaf: self._resolved(conn, value) for leaf, value in item.values.items()})
            keys = collections_of.assign(record.agreed, name, wire, link.items.get(name, {}))
            values.update(collections_of.flattened(name, keys, wire))
        values.update({name: f"? {why}" for name, why in reading.bad.items() if not under_item(name)})
        return values

    def _resolved(self, conn: Conn, value: Any) -> Any:
        if not isinstance(value, Foreign):
            return value
        return self.references.resolve(conn, value) or f"? {value.kind} {value.native}"

    def _takes(self, conn: Conn, record: Rec, link: Link, values: Mapping[str, Any], name: str) -> bool:
        """May our value be written there?"""
        spec = conn.specs[self.kind]
        if conn.name not in self._targets or not spec.update:
            return False
        master = self.running.master
        if master is not None and record.agreed.get(name) is None and name in needed(master.needs, record.agreed):
            return False  # what a record cannot do without is moved, never taken away
        collection = spec.map.collection(name.partition(".")[0])
        if collection is not None and collection.write == "never":
            return False
        one = spec.map.named(name)
        if one is None:
            return collection is not None
        return one.write == "overwrite" or (one.write == "if_empty" and is_empty(values.get(name)))

    def _is_form(self, conn: Conn, name: str, ours: Any, theirs: Any) -> bool:
        one = conn.specs[self.kind].map.named(name)
        if one is None:
            return False
        if one.convert.to and isinstance(ours, str) and isinstance(theirs, str) and ":" in ours and ":" in theirs:
            return self._survivor(ours) == self._survivor(theirs)
        return is_form_of(one, ours, theirs)

    def _survivor(self, reference: str) -> str:
        kind, _, number = reference.partition(":")
        return f"{kind}:{self.references.survivor(int(number))}" if number.isdigit() else reference

    def _currency(self, record: Rec) -> str:
        told = record.agreed.get("currency")
        if isinstance(told, str) and ":" in told:
            found = self.unit.load([int(told.partition(":")[2])])
            return str(next(iter(found.values())).agreed.get("code") or "") if found else ""
        return str(told or "")

    # what is known -----------------------------------------------------------------------------------------------

    def _page(self, record_ids: Collection[int], places: Collection[Place]) -> _Page:
        tx, ids = self.unit.tx, sorted(record_ids)
        found = _Page({}, {}, {}, set(), unmatched_reviews(self.unit, ids))
        for number, connection, _task, at, attempts, error in _DUE.select(tx, "record_id", ids):
            found.due.setdefault(number, {})[connection] = Due(at, attempts, error or "")
        for number, connection in _INTENTS.select(tx, "record_id", ids):
            found.under_way.setdefault(number, set()).add(connection)
        for item in open_items(tx, record_ids=ids, limit=None):
            told = Waiting(item["id"], item["type"], item["cause"], item["connection"], item["field"])
            for number in {item["record_id"], item["other_id"]}:
                found.items.setdefault(number, []).append(told)
        found.announced = announced(tx, self.kind, places)
        return found

    def _facts(self, record: Rec, there: Sequence[tuple[Link, Met | None]], page: _Page) -> Facts:
        young: dict[str, datetime] = {}
        for link, met in there:
            moment = self._young(link, met) if met is not None else None
            if moment is not None:
                young[link.connection] = moment
        items = list(page.items.get(record.id, ()))
        if record.id in page.in_review:
            items.append(Waiting(0, "review", "possible match"))
        return Facts(
            hold=record.hold,
            outside=self._outside(record),
            left_behind=self._left_behind(record),
            due=page.due.get(record.id, {}),
            under_way=frozenset(page.under_way.get(record.id, ())),
            items=items,
            held={link.connection: link.held for link, _ in there},
            announced=frozenset(c for link, _ in there if (c := link.connection, link.native_id) in page.announced),
            young=young,
            resting=self._resting,
        )

    def _outside(self, record: Rec) -> bool:
        if self.running.scope is None:
            return False
        try:
            return not self.running.scope(record.agreed)
        except ValueError:
            return True

    def _left_behind(self, record: Rec) -> bool:
        """It takes part no longer, and the flow leaves such a record as it is."""
        rule = self.running.left_behind
        return rule != "keep_in_step" and any(told[0] != "go" for told in record.verdicts.values())

    def _young(self, link: Link, met: Met) -> datetime | None:
        """When it was changed there, where nobody looked since and nobody had to."""
        if met.changed_at is None:
            return None
        at = from_text(met.changed_at)
        moment = at - timedelta(seconds=self._offsets.get(link.connection, 0.0))
        looked, latest = self.last_look(link.connection), moment + TICK
        again = looked is None or latest > looked or link.read_at is None or latest > link.read_at
        seen = link.changed_at is not None and at < link.changed_at
        return moment if again and not seen and self.unit.now < moment + self._patience else None

    def last_look(self, connection: str) -> datetime | None:
        """When the records of the kind were last looked at there as a whole; None before the first time."""
        if connection not in self._looked:
            row = cursor_of(self.unit.tx, connection, self.kind)
            self._looked[connection] = row["read_at"] if row is not None and row["baseline_at"] else None
        return self._looked[connection]

    def is_young(self, connection: str, met: Met) -> datetime | None:
        """Of a record nobody knows."""
        nobody = Link(0, 0, connection, self.kind, met.native_id)
        return self._young(nobody, met)

    def was_read(self, connection: str) -> bool:
        """Was the kind ever read completely there? Before, nothing is known of it."""
        return self.last_look(connection) is not None


def announced(tx: Transaction, kind: str, places: Collection[Place]) -> set[Place]:
    """Of these places those of which a hint waits to be followed."""
    found: set[Place] = set()
    for connection in {c for c, _ in places}:
        natives = [native for c, native in places if c == connection]
        rows = _HINTS.select(tx, "native_id", natives, "connection = ? AND kind = ?", connection, kind)
        found |= {(connection, native) for (native,) in rows}
    return found


def companies(agreed: Mapping[str, Any]) -> list[str]:
    """The companies of ours that a record counts for; one without a name where it has none."""
    if agreed.get("company"):
        return [str(agreed["company"])]
    open_ones = [n.split(".")[1] for n, v in agreed.items() if n.startswith("company.") and n.endswith(".open") and v]
    return sorted(open_ones) or [""]


def is_person(kind: str, fields: Mapping[str, Any]) -> bool:
    """Is the record about a natural person? Of an account only its type tells."""
    return fields.get("type") == "person" if kind == "account" else True


def _by_rank(one: Any) -> int:
    return {"conflict": 0, "money": 1}.get(one.cls, 2)
