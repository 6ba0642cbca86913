"""Which record is this: the store's keys brought to the pure rules of `matching`, and what follows carried out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import sqlalchemy as sa

from datong.engine.absorb import Absorber, Evidence, describe, filled_items
from datong.engine.flow import Master, Ties
from datong.engine.landscape import Conn, Landscape, Running
from datong.engine.merge import UNKNOWN, Step, merge
from datong.matching import Candidate, Decision, Identity, Key, Matches, Reason, Review, decide, keys, reach
from datong.store.bulk import Columns, run
from datong.store.schema import decisions, due, links, meta, records, work
from datong.store.schema import keys as key_table
from datong.store.unit import Link, Rec, Unit, chunks, sent_of
from datong.store.work import Item, anything_open, close, pairs_in_review

_UNKEYED = Columns(links, ("id", "record_id", "sent", "main", "state"))
_AGREED = Columns(records, ("id", "agreed"))
_KEY = Columns(key_table, ("link_id", "record_id", "kind", "connection", "rule", "value", "strong"))
_HELD = Columns(key_table, ("record_id", "rule", "value", "strong"))


@dataclass
class Made:
    linked: int = 0
    reviews: int = 0
    touched: set[int] = field(default_factory=set)
    joined: set[int] = field(default_factory=set)


class _Keys:
    """The key table of one connection and kind, as `matching.Lookup`. Record ids stand for their main link."""

    def __init__(self, unit: Unit, connection: str, kind: str) -> None:
        self._unit, self._connection, self._kind = unit, connection, kind

    def keys_of(self, ids: Collection[int]) -> Mapping[int, Collection[Key]]:
        found: dict[int, list[Key]] = {i: [] for i in ids}
        here = (self._connection, self._kind)
        for some in chunks(sorted(ids)):
            for record_id, *key in _HELD.select(
                self._unit.tx, "record_id", some, "connection = ? AND kind = ?", *here, order="record_id"
            ):
                found[record_id].append(Key(*key))
        return found

    def counts(self, keys: Collection[Key]) -> Mapping[Key, int]:
        return {key: len(held) for key, held in self.holders(keys).items()}

    def holders(self, keys: Collection[Key]) -> Mapping[Key, Collection[int]]:
        found: dict[Key, set[int]] = {key: set() for key in keys}
        by_rule: dict[str, set[str]] = {}
        for key in keys:
            by_rule.setdefault(key.rule, set()).add(key.value)
        for rule, values in by_rule.items():
            here = (self._connection, self._kind, rule)
            for some in chunks(sorted(values)):
                for record_id, *told in _HELD.select(
                    self._unit.tx, "value", some, "connection = ? AND kind = ? AND rule = ?", *here, order="record_id"
                ):
                    key = Key(*told)
                    if key in found:
                        found[key].add(record_id)
        return found


class Matchmaker:
    """Links records that are surely one, and puts the doubtful pairs before people."""

    def __init__(self, unit: Unit, landscape: Landscape, absorber: Absorber) -> None:
        self.unit = unit
        self.landscape = landscape
        self.absorber = absorber
        self.made = Made()

    def match(self, kind: str, fresh: set[int]) -> Made:
        """Look for partners of the records in `fresh`."""
        self.made = Made()
        running = self.landscape.flow_of(kind)
        if running is None or not fresh:
            return self.made
        if isinstance(running.flow, Ties):
            self._tie(kind)
        elif isinstance(running.flow, Master):
            for left, right in combinations(self.landscape.offering(kind), 2):
                # a customer may be kept by two systems of one role; a document is kept by one
                if left.role != right.role or not running.flow.whole:
                    self._pair(running, running.flow, left, right, fresh)
        return self.made

    def _keyed(self, kind: str, identity: Identity, conn: Conn) -> None:
        """Matching keys are made when a match is looked for: those of a link that changed, or that has none yet; all
        of them when the rules of the identity changed."""
        self._forget_other_rules(kind, identity)
        self.unit.flush()
        condition = "connection = ? AND kind = ? AND NOT keyed ORDER BY id LIMIT 500"
        while rows := _UNKEYED.where(self.unit.tx, condition, conn.name, kind):
            agreed: dict[int, Any] = dict(_AGREED.select(self.unit.tx, "id", {row[1] for row in rows}))
            ids = [row[0] for row in rows]
            for some in chunks(ids):
                self.unit.tx.execute(key_table.delete().where(key_table.c.link_id.in_(some)))
                self.unit.tx.execute(links.update().where(links.c.id.in_(some)).values(keyed=True))
            made: dict[tuple[int, str, str], tuple[Any, ...]] = {}
            for link_id, record_id, told, main, state in rows:
                if main and state in ("live", "inactive"):
                    for key in keys(sent_of(told, agreed[record_id]), identity):
                        value = key.value[:200]
                        row = (link_id, record_id, kind, conn.name, key.rule, value, key.strong)
                        made[link_id, key.rule, value] = row
            _KEY.insert(self.unit.tx, made.values())

    def _forget_other_rules(self, kind: str, identity: Identity) -> None:
        name = f"identity:{kind}"
        known = self.unit.tx.execute(sa.select(meta.c.value).where(meta.c.name == name)).scalar()
        if known == identity.fingerprint:
            return
        self.unit.flush()
        self.unit.tx.execute(links.update().where(links.c.kind == kind).values(keyed=False))
        self.unit.tx.execute(meta.delete().where(meta.c.name == name))
        self.unit.tx.execute(meta.insert().values(name=name, value=identity.fingerprint))

    # masters -----------------------------------------------------------------------------------------------------

    def _pair(self, running: Running, flow: Master[Any], left: Conn, right: Conn, fresh: set[int]) -> None:
        kind = flow.record.kind
        self.unit.flush()
        if not self.peopled(left, kind) or not self.peopled(right, kind):
            return
        ours = [i for i in fresh if self._free(i, left, right)]
        theirs = [i for i in fresh if self._free(i, right, left)]
        if not ours and not theirs:
            return
        for conn in (left, right):
            self._keyed(kind, flow.identity, conn)
        near, far = _Keys(self.unit, left.name, kind), _Keys(self.unit, right.name, kind)
        found = reach(ours, near, far, flow.identity, theirs)
        lefts, rights = self._candidates(found.near, left, right), self._candidates(found.far, right, left)
        told = self._decisions(lefts, rights)
        matches = decide(lefts, rights, flow.identity, told, found.counts).about(ours, theirs)
        self._carry_out(running, left, right, matches)
        self._crowded(running, left, right, matches)
        self._lapsed(kind, {*ours, *theirs}, matches)

    def peopled(self, conn: Conn, kind: str) -> bool:
        """Is there anything to match with?"""
        told = "SELECT id FROM links WHERE connection = ? AND kind = ? LIMIT 1"
        return bool(run(self.unit.tx, told, conn.name, kind))

    def _free(self, record_id: int, here: Conn, there: Conn) -> bool:
        """Linked here and not there."""
        record = self.unit.records.get(record_id) or self.unit.load([record_id]).get(record_id)
        if record is None or record.state != "active":
            return False
        mine = self.unit.link_in(record_id, here.name)
        return mine is not None and mine.here and self.unit.link_in(record_id, there.name) is None

    def _candidates(self, ids: Collection[int], here: Conn, there: Conn) -> list[Candidate]:
        found = []
        self.unit.load(ids)
        for i in sorted(ids):
            record, link = self.unit.records.get(i), self.unit.link_in(i, here.name)
            if record is None or link is None or record.state != "active":
                continue
            found.append(Candidate(i, link.sent, linked=self.unit.link_in(i, there.name) is not None))
        return found

    def _decisions(self, lefts: Sequence[Candidate], rights: Sequence[Candidate]) -> dict[tuple[int, int], Decision]:
        """What people said of pairs among these."""
        if not lefts or not rights:
            return {}
        told: dict[tuple[int, int], Decision] = {}
        left_ids, right_ids = {c.id for c in lefts}, {c.id for c in rights}
        for row in self.unit.tx.execute(sa.select(decisions).where(decisions.c.type == "separate")):
            one, other = (int(n) for n in row.subject.split(":")[1:3])
            for pair in ((one, other), (other, one)):
                if pair[0] in left_ids and pair[1] in right_ids:
                    told[pair] = Decision("separate", row.digest or "")
        return told

    def _carry_out(self, running: Running, left: Conn, right: Conn, matches: Matches) -> None:
        for link in matches.links:
            self.join(running, link.left_id, link.right_id, right, "same " + ", ".join(r.rule for r in link.reasons))
            self.made.linked += 1
        for review in matches.reviews:
            if self._review(running, left, right, review):
                self.made.reviews += 1

    def _crowded(self, running: Running, left: Conn, right: Conn, matches: Matches) -> None:
        """A key that should tell records apart, held by so many that it tells nothing: one item, however many."""
        alike: dict[tuple[str, int, int], list[str]] = {}
        for key, lefts, rights in matches.crowded:
            alike.setdefault((key.rule, lefts, rights), []).append(key.value)
        for (rule, lefts, rights), values in alike.items():
            self.unit.open(
                Item(
                    "parked",
                    "crowded key",
                    f"crowded:{left.name}:{right.name}:{rule}:{values[0]}"[:300],
                    f"{rule} {values[0]!r} stands on {lefts} records in {left.name} and {rights} in {right.name}: "
                    "it cannot tell which is which",
                    f"correct {rule} on the records that do not own it, or empty it there",
                    kind=running.flow.kinds[0],
                    flow=running.name,
                    detail={"rule": rule, "values": values},
                )
            )

    def _review(self, running: Running, left: Conn, right: Conn, review: Review) -> bool:
        survivors = [self.absorber.references.survivor(i) for i in (review.left_id, review.right_id)]
        one, other = (self.unit.records[i] for i in survivors)
        mine, theirs = self.unit.link_in(one.id, left.name), self.unit.link_in(other.id, right.name)
        if one.id == other.id or mine is None or theirs is None:
            return False
        pair = sorted((one.id, other.id))
        held = f" ({', '.join(review.held)})" if review.held else ""
        opened = self.unit.open(
            Item(
                "review",
                "possible match",
                f"match:{pair[0]}:{pair[1]}",
                f"{describe(one)} in {left.name} ({mine.native_id}) and {describe(other)} in {right.name} "
                f"({theirs.native_id}) may be one{held}: {_reasons(review.reasons)}",
                "`datong review link` if they are one, `datong review separate` if not",
                kind=one.kind,
                record_id=one.id,
                other_id=other.id,
                connection=left.name,
                native_id=mine.native_id,
                flow=running.name,
                detail={
                    "score": round(review.score, 3),
                    "reasons": [r._asdict() for r in review.reasons],
                    "held": list(review.held),
                    "left": {"connection": left.name, "id": mine.native_id, "name": one.agreed.get("name")},
                    "right": {"connection": right.name, "id": theirs.native_id, "name": other.agreed.get("name")},
                },
            )
        )
        self.made.touched |= {one.id, other.id}
        return opened is not None

    def _lapsed(self, kind: str, ids: set[int], matches: Matches) -> None:
        """Open reviews of these records that no evidence supports any more."""
        standing = {f"match:{min(r.left_id, r.right_id)}:{max(r.left_id, r.right_id)}" for r in matches.reviews}
        for some in chunks(sorted(ids)):
            query = sa.select(work.c.id, work.c.subject, work.c.record_id, work.c.other_id).where(
                work.c.state == "open",
                work.c.cause == "possible match",
                sa.or_(work.c.record_id.in_(some), work.c.other_id.in_(some)),
            )
            self._no_review([row for row in self.unit.tx.execute(query) if row.subject not in standing])

    def _no_review(self, items: Sequence[Any]) -> None:
        """Nobody has to say whether these are one any more: what waited for that is weighed again."""
        close(self.unit.tx, self.unit.clock, "datong", ids=[item.id for item in items])
        self.made.touched |= {number for item in items for number in (item.record_id, item.other_id)}

    def join(self, running: Running, one: int, other: int, conn: Conn, why: str) -> Rec:
        """Two records are one: the links of `other` become those of `one`, by the rules of a first link."""
        loaded = self.unit.load([one, other])
        record, second = loaded[one], loaded[other]
        for link in list(self.unit.links_of(second.id)):
            self.unit.move_link(link, record)
            self.unit.note(
                "linked",
                record_id=record.id,
                connection=link.connection,
                kind=record.kind,
                native_id=link.native_id,
                flow=running.name,
                why=why,
            )
            if link.main:
                self._first_link(running, record, second, link)
        second.state, second.merged_into = "merged", record.id
        self.unit.touch(second)
        self.unit.touch(record)
        self.unit.tx.execute(due.delete().where(due.c.record_id == second.id))
        self.unit.tx.execute(key_table.update().where(key_table.c.record_id == second.id).values(record_id=record.id))
        query = sa.select(work.c.id).where(
            work.c.state == "open",
            work.c.cause == "possible match",
            sa.or_(work.c.record_id.in_([one, other]), work.c.other_id.in_([one, other])),
        )
        pair = {one, other}
        rows = list(self.unit.tx.execute(sa.select(work).where(work.c.id.in_(query))))
        self._no_review([i for i in rows if {i.record_id, i.other_id} == pair or self._both_linked(i)])
        self.made.touched.add(record.id)
        self.made.joined.add(record.id)
        return record

    def _both_linked(self, item: Any) -> bool:
        """A review between records that both have partners now is over."""
        for number in (item.record_id, item.other_id):
            survivor = self.absorber.references.survivor(number)
            if len({k.connection for k in self.unit.links_of(survivor)}) < 2:
                return False
        return True

    def _first_link(self, running: Running, record: Rec, second: Rec, link: Link) -> None:
        conn = self.landscape.connections[link.connection]
        values, link.sent = link.sent, {}
        renamed = self._rekeyed_items(conn, record, link, values)
        told = Evidence(link.seen, "", link.read_at or self.unit.now, link.version, link.changed_at)
        for name, value in renamed.items():
            policy = running.policy(name)
            if policy is None:
                continue
            agreed = record.agreed.get(name, UNKNOWN)
            one = conn.specs[link.kind].map.named(name)
            if one is not None and agreed is not UNKNOWN and self.absorber.same_form(conn, one, agreed, value):
                value = agreed
            step = merge(agreed, UNKNOWN, value, policy.of(record.agreed), conn.role, first_load=running.first_load)
            if step in (Step.PUT_BACK, Step.CONFLICT):
                step = self.absorber.unless_fuller(step, record, link, name, value)
            self.absorber.act(step, conn, running, record, link, name, value, told)
        record.agreed.update(dict.fromkeys(filled_items(conn.specs[link.kind].map, record.agreed), True))
        self.absorber.write_notes()

    def _rekeyed_items(self, conn: Conn, record: Rec, link: Link, values: dict[str, Any]) -> dict[str, Any]:
        """Items of the second record under the keys of the items they equal in the first."""
        from datong.engine import items as collections_of
        from datong.mapping import WireItem

        renamed = dict(values)
        for collection, known in list(link.items.items()):
            old = list(known.items())
            wire = [WireItem(n, collections_of.content(values, collection, key), {}) for n, key in old]
            for name in [n for n in renamed if n.startswith(f"{collection}.")]:
                del renamed[name]
            given = collections_of.assign(record.agreed, collection, wire, {})
            renamed.update(collections_of.flattened(collection, given, wire))
            link.items[collection] = {native: key for (native, _), key in zip(old, given, strict=True)}
        return renamed

    # reference tables --------------------------------------------------------------------------------------------

    def _tie(self, kind: str) -> None:
        """Tie codes by table, then code, then name, where exactly one answers on each side."""
        self.unit.flush()
        offering = self.landscape.offering(kind)
        for left, right in combinations(offering, 2):
            ours, theirs = self._codes(kind, left, right), self._codes(kind, right, left)
            table = {**_inverse(right.tables.get(kind, {})), **left.tables.get(kind, {})}
            for how in ("table", "code", "name"):
                for one, other in _tied(ours, theirs, how, table):
                    self._tie_pair(left, right, ours.pop(one), theirs.pop(other), how)

    def _codes(self, kind: str, conn: Conn, other: Conn) -> dict[int, Link]:
        """Record id -> link of the codes of `conn` that have no counterpart in `other`."""
        tied = sa.select(links.c.record_id).where(links.c.connection == other.name, links.c.kind == kind)
        query = sa.select(links.c.record_id).where(
            links.c.connection == conn.name, links.c.kind == kind, links.c.record_id.not_in(tied)
        )
        ids = list(self.unit.tx.execute(query).scalars())
        self.unit.load(ids)
        found = {i: self.unit.link_in(i, conn.name) for i in ids}
        return {i: k for i, k in found.items() if k is not None and k.here}

    def _tie_pair(self, left: Conn, right: Conn, one: Link, other: Link, how: str) -> None:
        record, second = self.unit.records[one.record_id], self.unit.records[other.record_id]
        self.unit.move_link(other, record)
        self.unit.note(
            "linked",
            record_id=record.id,
            connection=right.name,
            kind=record.kind,
            native_id=other.native_id,
            flow="reference_data",
            why=f"tied by {how}",
        )
        second.state, second.merged_into = "merged", record.id
        self.unit.touch(second)
        self.made.linked += 1
        self.made.touched |= {record.id, second.id}


def _inverse(table: Mapping[str, str]) -> dict[str, str]:
    return {ours: native for native, ours in table.items()}


def _tied(
    ours: Mapping[int, Link], theirs: Mapping[int, Link], how: str, table: Mapping[str, str]
) -> list[tuple[int, int]]:
    """Pairs with one equal code on each side."""

    def words(link: Link, side: str) -> set[str]:
        spelled = [str(link.sent[n]) for n in ("code", "name", "email") if link.sent.get(n)] + [link.native_id]
        if how == "table":
            return {str(table[s]).casefold() for s in spelled if s in table} if side == "left" else _fold(spelled)
        fields = ("code",) if how == "code" else ("name", "email")
        return _fold([str(link.sent[n]) for n in fields if link.sent.get(n)])

    holders: dict[str, tuple[set[int], set[int]]] = {}
    for place, (side, entries) in enumerate((("left", ours), ("right", theirs))):
        for number, link in entries.items():
            for word in words(link, side):
                holders.setdefault(word, (set(), set()))[place].add(number)
    pairs = [(min(a), min(b)) for a, b in holders.values() if len(a) == 1 and len(b) == 1]
    found: list[tuple[int, int]] = []
    for one, other in sorted(set(pairs)):
        if all(one != a and other != b for a, b in found):
            found.append((one, other))
    return found


def _fold(words: Iterable[str]) -> set[str]:
    return {w.strip().casefold() for w in words}


def _reasons(reasons: Sequence[Reason]) -> str:
    return "; ".join(f"{r.rule} {r.left!r} / {r.right!r}" for r in reasons)


def _in_a_crowd(unit: Unit, record_ids: Collection[int]) -> set[int]:
    query = sa.select(work.c.detail).where(work.c.state == "open", work.c.cause == "crowded key")
    found: set[int] = set()
    for key in list(unit.tx.execute(query).scalars()):
        also = "rule = ? AND value IN ?"
        held = _HELD.select(unit.tx, "record_id", record_ids, also, key["rule"], list(key["values"]), order="record_id")
        found.update(row[0] for row in held)
    return found


def unmatched_reviews(unit: Unit, record_ids: Collection[int]) -> set[int]:
    """Records with an open review about a possible match, or with a key that is too crowded to tell them apart:
    nothing is created for them meanwhile."""
    if not anything_open(unit.tx, ["possible match", "crowded key"]):
        return set()
    paired = pairs_in_review(unit.tx, list(record_ids))
    return _in_a_crowd(unit, record_ids) | {i for pair in paired for i in pair}
