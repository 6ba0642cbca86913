"""What follows from the records as they are: verdicts of the gates, and what is due where."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from datong.base.clock import from_text, to_text
from datong.base.json import digest
from datong.canon import is_empty
from datong.canon.catalogue import pattern
from datong.engine import approving
from datong.engine.absorb import describe
from datong.engine.consequences import Consequences, pointers, watch
from datong.engine.flow import Approve, Go, Park, Skip, Verdict
from datong.engine.holding import frozen
from datong.engine.intended import UNSEEN
from datong.engine.items import keys_of
from datong.engine.landscape import KIND_ORDER, Conn, Landscape, Running
from datong.engine.matchmaking import unmatched_reviews
from datong.engine.near import typed
from datong.engine.plan import Change, change_of
from datong.engine.reading import cursor_of
from datong.engine.references import References, target
from datong.mapping import Converter
from datong.store.bulk import Columns, run
from datong.store.schema import LASTING_UNTIL, due, records, waits
from datong.store.unit import Link, Rec, Unit, chunks
from datong.store.work import Item, close, open_conflicts

_ENOUGH = 5000
"""Records to hold in memory at a time."""
_WEIGHED = Columns(records, ("id", "kind", "verdicts"))
_KIND = Columns(records, ("id", "kind"))
_DUE = Columns(due, ("id", "record_id", "connection", "task"))
_DUE_ROW = Columns(due, ("record_id", "connection", "kind", "task", "at", "attempts", "fence"))
_WAITING = Columns(waits, ("record_id", "connection", "on_record"))


@dataclass
class Weighed:
    """What an evaluation found."""

    skipped: int = 0


class Evaluator:
    """Weighs records within one unit of work."""

    def __init__(self, unit: Unit, landscape: Landscape, references: References, *, makes: bool = True) -> None:
        """`makes`: see `Consequences`."""
        self.unit = unit
        self.landscape = landscape
        self.references = references
        self.consequences = Consequences(unit, landscape, references, makes=makes)
        self._baselines: dict[tuple[str, str], bool] = {}
        self._changed_verdicts: set[int] = set()

    def weigh(self, ids: Collection[int]) -> Weighed:
        """Verdicts and due deliveries of these records, and of those that change with them."""
        weighed = self._weigh(self.consequences.follow(ids))
        told, self._changed_verdicts = self._changed_verdicts, set()
        if told and self.landscape.has_consequences:  # what a document waits for is told to the one it was made of
            weighed.skipped += self._weigh(self.consequences.follow(told) - told).skipped
            self._changed_verdicts.clear()
        return weighed

    def _weigh(self, ids: Collection[int]) -> Weighed:
        weighed = Weighed()
        for some in chunks(self._in_order(ids)):
            loaded = self.unit.load(some)
            in_review = unmatched_reviews(self.unit, some)
            conflicts = open_conflicts(self.unit.tx, some)
            wanted: list[tuple[int, str, str]] = []
            idle: list[tuple[int, str]] = []
            targets = {kind: list(self.landscape.targets(kind)) for kind in {r.kind for r in loaded.values()}}
            for record in loaded.values():
                self._route(record)
                for conn in targets[record.kind]:
                    if self._due_in(record, conn, record.id in in_review, conflicts.get(record.id, set()), weighed):
                        wanted.append((record.id, conn.name, record.kind))
                    else:
                        idle.append((record.id, conn.name))
            self._enter(wanted, idle)
            self._awaken(some)
            if len(self.unit.records) > _ENOUGH:
                self.unit.forget()
        return weighed

    def _in_order(self, ids: Collection[int]) -> list[int]:
        """What others point at first: what is to be created with them may then be created too."""
        held = self.unit.records
        by_kind: dict[str, list[int]] = {}
        for some in chunks(sorted(ids), 5000):
            found = [(i, held[i].kind) for i in some if i in held]
            for number, kind in (*found, *_KIND.select(self.unit.tx, "id", [i for i in some if i not in held])):
                by_kind.setdefault(kind, []).append(number)
        return [i for kind in sorted(by_kind, key=lambda k: KIND_ORDER.get(k, 99)) for i in by_kind[kind]]

    def _route(self, record: Rec) -> None:
        """The companies that a record belongs to keep an account for it. A route opens accounts and closes none."""
        running = self.landscape.flow_of(record.kind)
        for company, belongs in running.routes.items() if running is not None else ():
            name = f"company.{company}.open"
            if record.agreed.get(name) is not True and _holds(belongs, record.agreed):
                self.unit.note(
                    "routed",
                    record_id=record.id,
                    kind=record.kind,
                    why=f"it belongs to {company}",
                    body={"field": name},
                )
                record.agreed[name] = True
                record.origin[name] = ["route", to_text(self.unit.now)]
                self.unit.touch(record)

    def _due_in(self, record: Rec, conn: Conn, in_review: bool, held: set[str], weighed: Weighed) -> bool:
        running = self.landscape.flow_of(record.kind)
        if running is None or running.master is None or record.state != "active" or record.hold:
            return False
        mine = [k for k in self.unit.links_of(record.id) if k.connection == conn.name]
        if mine:
            if running.left_behind != "keep_in_step":
                self._remember(running, record, conn, self.verdict(running, record, conn))
            changes = [self.change(running, record, conn, k, held, whole=False) for k in mine if k.here]
            for change in changes:
                self.explain_gaps(running, record, conn, change)
            return any(change.something for change in changes)
        if self._only_from(record, conn):
            return False
        go = self._may_be_created(running, record, conn, in_review)
        if not go:
            weighed.skipped += 1
        return go

    def _only_from(self, record: Rec, conn: Conn) -> bool:
        """Nothing of the record stands on another side any more: there is nothing to carry over."""
        return not self.landscape.built(record) and not any(
            k.here for k in self.unit.links_of(record.id) if k.connection != conn.name
        )

    def _may_be_created(self, running: Running, record: Rec, conn: Conn, in_review: bool) -> bool:
        verdict = self._verdict_on_create(running, record, conn, in_review)
        self._remember(running, record, conn, verdict)
        return isinstance(verdict, Go)

    def _verdict_on_create(self, running: Running, record: Rec, conn: Conn, in_review: bool) -> Verdict:
        master = running.master
        assert master is not None
        if not running.create or conn.role not in master.creates_in or conn.specs[record.kind].create == "never":
            return Skip(f"{running.name} creates nothing in {conn.name}")
        if in_review:
            return Skip("a person is to say first whether it is one with a record over there")
        if conn.specs[record.kind].reads != "never" and not self._baseline(conn, record.kind):
            return Skip(f"the {record.kind} records of {conn.name} have not been read completely yet")
        if nothing := conn.specs[record.kind].holds_none(record.agreed):
            return Skip(f"{conn.name} holds no {record.kind} with {nothing}")
        elsewhere = self._elsewhere(running, record, conn)
        if elsewhere:
            return Skip(elsewhere)
        verdict = self.verdict(running, record, conn)
        if not isinstance(verdict, Go):
            return verdict
        lacking = [n for n in conn.specs[record.kind].required if is_empty(record.agreed.get(n))]
        if lacking:
            return Skip(f"{conn.name} holds no {record.kind} without {' and '.join(lacking)}")
        return self._dependencies(running, record, conn)

    def _elsewhere(self, running: Running, record: Rec, conn: Conn) -> str:
        """Why a record does not belong here but in another system of the same role: it is not carried here, another
        keeps its company, or it is a document of another's. Empty where it may be created here."""
        carried = running.into.get(conn.name)
        if carried is not None and not _holds(carried, record.agreed):
            return f"{running.name} carries others into {conn.name}"
        peers = {one.name: one for one in self.landscape.peers(conn, record.kind)}
        if len(peers) < 2:
            return ""
        keepers = [name for name, one in peers.items() if record.agreed.get("company") in one.companies]
        if keepers and conn.name not in keepers:
            return f"{record.agreed['company']} is kept by {', '.join(keepers)}"
        homes = homes_of(self.unit, self.landscape, self.references, record, frozenset(peers))
        return f"it belongs to {', '.join(sorted(homes))}" if homes and conn.name not in homes else ""

    def verdict(self, running: Running, record: Rec, conn: Conn) -> Verdict:
        """Scope, then the flow's own gate."""
        master = running.master
        assert master is not None
        if running.scope is not None:
            try:
                if not running.scope(record.agreed):
                    return Skip("outside the scope of the flow")
            except ValueError as error:
                return Park(
                    f"the scope cannot be judged: {error}",
                    f"complete the record, or correct the scope of {running.name}",
                )
        gate = master.gates.get(conn.role)
        if gate is None:
            return Go()
        near = self.consequences.near(running, record, conn.companies)
        verdict = gate(typed(record, master.record), near)
        if near.looked_at or self.landscape.has_consequences:
            watch(self.unit, record, conn.name, near)
        if isinstance(verdict, Approve):
            also = self.references.survivor(target(verdict.also)[1]) if verdict.also is not None else None
            subject = f"gate:{record.id}:{conn.name}"
            return approving.judged(self.unit.tx, record.id, subject, self.unit.now, verdict, also)
        return verdict

    def _dependencies(self, running: Running, record: Rec, conn: Conn) -> Verdict:
        """What must exist there first."""
        master = running.master
        assert master is not None
        for name in needed(master.needs, record.agreed):
            reference = record.agreed.get(name)
            one = conn.specs[record.kind].map.named(name)
            if one is None:
                continue
            if reference is None:
                if name not in master.needs:
                    continue  # an item may do without: its gate says when it may not
                return Skip(f"it has no {name} yet")
            if self.references.native(conn, one.convert, reference) is None:
                self._wait(record, conn, reference)
                if self._is_due(target(reference)[1], conn):
                    continue
                return Skip(f"its {name} ({self.references.label(reference)}) is not in {conn.name} yet")
        return Go()

    def _is_due(self, record_id: int, conn: Conn) -> bool:
        """It is about to be created there: its kind is delivered before this one."""
        query = sa.select(due.c.id).where(
            due.c.record_id == self.references.survivor(record_id),
            due.c.connection == conn.name,
            due.c.task == "deliver",
            due.c.at <= self.unit.now,
        )
        return self.unit.tx.execute(query).first() is not None

    def _baseline(self, conn: Conn, kind: str) -> bool:
        place = (conn.name, kind)
        if place not in self._baselines:
            row = cursor_of(self.unit.tx, conn.name, kind)
            self._baselines[place] = bool(row and row["baseline_at"])
        return self._baselines[place]

    # verdicts ----------------------------------------------------------------------------------------------------

    def _remember(self, running: Running, record: Rec, conn: Conn, verdict: Verdict) -> None:
        """Keep the verdict; the journal gets a row, and people an item, when it changed."""
        told = _told(verdict)
        before = record.verdicts.get(conn.name)
        if before[:3] == told if before is not None else isinstance(verdict, Go):
            return
        until = verdict.until if isinstance(verdict, (Skip, Park)) else None
        self._changed_verdicts.add(record.id)
        looked_at = digest(record.agreed)
        record.verdicts[conn.name] = [*told, looked_at, to_text(until) if until else None]
        self.unit.touch(record)
        subject = f"gate:{record.id}:{conn.name}"
        self.unit.note(
            "verdict",
            record_id=record.id,
            connection=conn.name,
            kind=record.kind,
            flow=running.name,
            why=": ".join(t for t in told if t),
        )
        if isinstance(verdict, Park):
            self.unit.open(
                Item(
                    "parked",
                    verdict.cause,
                    subject,
                    f"{describe(record)}: {verdict.reason}",
                    verdict.remedy,
                    kind=record.kind,
                    record_id=record.id,
                    connection=conn.name,
                    flow=running.name,
                    detail=dict(verdict.detail),
                    digest=looked_at,
                )
            )
        elif before is not None and before[0] == "park":
            close(self.unit.tx, self.unit.clock, "datong", subjects=[subject])

    # changes -----------------------------------------------------------------------------------------------------

    def change(
        self, running: Running, record: Rec, conn: Conn, link: Link | None, held: set[str], *, whole: bool = True
    ) -> Change:
        """What must be written to one remote record. Without `whole` only what is due, also where the system takes the
        rest of the record along with it.

        A linked record whose gate fails later goes by `left_behind`: kept in step, frozen (nothing is written), or
        retired (switched off where it did not come from, nothing else).
        """
        if link is not None and not conn.specs[record.kind].update:
            return Change("update")
        if link is not None and running.left_behind == "keep_in_step" and self._outside(running, record):
            return Change("update")
        left = link is not None and running.left_behind != "keep_in_step" and not self._passes(running, record, conn)
        if left and (running.left_behind == "freeze" or link is self.unit.links_of(record.id)[0]):
            return Change("update")
        rest = set(held)
        if link is not None:
            rest |= {n for n, why in link.held.items() if not why.startswith(("not accepted", "ref:", UNSEEN))}
        if link is not None and running.master is not None:
            # what a record cannot do without is moved, never taken away: its loss follows from something else
            rest |= {n for n in needed(running.master.needs, record.agreed) if record.agreed.get(n) is None}
        follower = link is not None and not link.main
        followers = running.followers
        agreed = {**record.agreed, "active": False} if left else record.agreed
        if (held_here := frozen(self.unit, record, conn.name)) is not None:
            agreed = {**agreed, **held_here.kept}
            heads = (one.name for one in conn.specs[record.kind].map.items)
            rest |= held_here.resting([*agreed, *(link.sent if link is not None else ()), *heads])
        return change_of(
            conn.specs[record.kind].map,
            agreed,
            link.sent if link is not None else {},
            running.policy,
            self._native(conn),
            create=link is None,
            held=rest,
            only=(lambda name: name == "active") if left else (lambda name: name in followers) if follower else None,
            known_items=link.items if link is not None else None,
            whole=whole and conn.specs[record.kind].whole,
            entire_items=running.master is not None and running.master.whole,
        )

    def _outside(self, running: Running, record: Rec) -> bool:
        """Out of the scope nothing is written: a pilot leaves the others alone. What cannot be judged is out of it."""
        return running.scope is not None and not _holds(running.scope, record.agreed)

    def explain_gaps(self, running: Running, record: Rec, conn: Conn, change: Change) -> None:
        """Fields that cannot be written now: wait for what they point at, or show what the map cannot write."""
        for name, reference in change.waiting.items():
            self._wait(record, conn, reference)
            kind, number = target(reference)
            if self.landscape.is_reference(kind):
                self._unmapped(running, record, conn, name, kind, number)
        for name, why in change.refused.items():
            self.unit.open(
                Item(
                    "parked",
                    "value",
                    f"unwritable:{conn.name}:{record.id}:{name}",
                    f"{name} of {describe(record)} cannot be written to {conn.name}: {why}",
                    f"correct the value, or map it under maps.{conn.name}.{record.kind}.{name}",
                    kind=record.kind,
                    record_id=record.id,
                    connection=conn.name,
                    field=name,
                    flow=running.name,
                    digest=digest(record.agreed.get(name)),
                )
            )

    def _unmapped(self, running: Running, record: Rec, conn: Conn, name: str, kind: str, number: int) -> None:
        """One item a code, however many records use it; the field rests, nothing is blanked."""
        label = self.references.label(f"{kind}:{number}")
        self.unit.open(
            Item(
                "parked",
                "missing reference",
                f"unmapped:{conn.name}:{kind}:{number}",
                f"{label} has no counterpart in {conn.name}: {name} rests on every {record.kind} that uses it",
                f"tie it under values.{conn.name}.{kind} in datong.yaml, or add it in {conn.name}",
                kind=kind,
                record_id=number,
                connection=conn.name,
                flow=running.name,
                detail={"first seen on": describe(record), "field": name},
            )
        )

    def _passes(self, running: Running, record: Rec, conn: Conn) -> bool:
        return isinstance(self.verdict(running, record, conn), Go)

    def _native(self, conn: Conn) -> Any:
        def native(convert: Converter, reference: str) -> str | None:
            return self.references.native(conn, convert, reference)

        return native

    # due ---------------------------------------------------------------------------------------------------------

    def _enter(self, wanted: list[tuple[int, str, str]], idle: list[tuple[int, str]]) -> None:
        ids = sorted({i for i, _, _ in wanted} | {i for i, _ in idle})
        rows = _DUE.select(self.unit.tx, "record_id", ids)
        known = {(i, c): n for n, i, c, task in rows if task == "deliver"}
        leaving = {(i, c) for _, i, c, task in rows if task != "deliver"}
        now = self.unit.now
        _DUE_ROW.insert(
            self.unit.tx,
            [(i, c, k, "deliver", now, 0, 0) for i, c, k in wanted if (i, c) not in known and (i, c) not in leaving],
        )
        for i, c, _ in wanted:
            if (i, c) in known:
                make_due(self.unit, i, c)
        over = [known[place] for place in idle if place in known]
        if over:
            run(self.unit.tx, "DELETE FROM due WHERE id IN ?", over)

    def _wait(self, record: Rec, conn: Conn, reference: str) -> None:
        wait_for(self.unit, record.id, conn.name, target(reference)[1])

    def _awaken(self, ids: Iterable[int]) -> None:
        """Who waited for one of these records, and now finds it where it was missing."""
        woken: set[int] = set()
        for record_id, connection, on_record in _WAITING.select(self.unit.tx, "on_record", ids, order="on_record"):
            survivor = self.references.survivor(on_record)
            link = self.unit.link_in(survivor, connection)
            if link is not None and link.here:
                woken.add(record_id)
                place = (waits.c.record_id == record_id, waits.c.connection == connection)
                self.unit.tx.execute(waits.delete().where(*place, waits.c.on_record == on_record))
        if woken - set(ids):
            self.weigh(woken - set(ids))


def homes_of(
    unit: Unit,
    landscape: Landscape,
    references: References,
    record: Rec,
    peers: frozenset[str],
    seen: frozenset[int] = frozenset(),
) -> set[str]:
    """Of several systems of one role, those in which a document came about, or what it points at did. Empty of what is
    no document, and of one that came about on the other side and points at none: that belongs to all of them."""
    running = landscape.flow_of(record.kind)
    if running is None or running.master is None or not running.master.whole or record.id in seen:
        return set()
    born = record.origin.get("*", (None,))[0]
    if born in peers:
        return {str(born)}
    wanted = pointers(record.kind)
    named = {n: v for n, v in record.agreed.items() if isinstance(v, str) and ":" in v and pattern(n) in wanted}
    ids = {references.survivor(target(value)[1]) for value in named.values()}
    told = (homes_of(unit, landscape, references, one, peers, seen | {record.id}) for one in unit.load(ids).values())
    return {name for some in told for name in some}


def needed(names: Iterable[str], agreed: Mapping[str, Any]) -> list[str]:
    """The references without which nothing is created, those of each item written out."""
    found: list[str] = []
    for name in names:
        head, star, leaf = name.partition(".*.")
        found += [f"{head}.{key}.{leaf}" for key in keys_of(agreed, head)] if star else [name]
    return found


def _holds(question: Callable[[Mapping[str, Any]], bool], fields: Mapping[str, Any]) -> bool:
    """What cannot be answered (a field it asks for is not there) does not hold."""
    try:
        return question(fields)
    except ValueError:
        return False


def wait_for(unit: Unit, record_id: int, connection: str, on: int) -> None:
    place = (waits.c.record_id == record_id, waits.c.connection == connection, waits.c.on_record == on)
    if unit.tx.execute(sa.select(waits.c.record_id).where(*place)).first() is None:
        unit.tx.execute(waits.insert().values(record_id=record_id, connection=connection, on_record=on))


def make_due(unit: Unit, record_id: int, connection: str, at: datetime | None = None) -> None:
    """Something new is to be told: no reason to wait for the next attempt."""
    unit.tx.execute(
        due.update()
        .where(due.c.record_id == record_id, due.c.connection == connection)
        .values(at=at or unit.now, attempts=0)
    )


def _told(verdict: Verdict) -> list[str]:
    if isinstance(verdict, Skip):
        return ["skip", verdict.reason, ""]
    if isinstance(verdict, Park):
        return ["park", verdict.reason, verdict.remedy]
    return ["go", "", ""]


def expired_verdicts(unit: Unit, kinds: Collection[str]) -> set[int]:
    """Records of which a verdict said *until*, and the moment has come."""
    return {
        number
        for number, kind, verdicts in _WEIGHED.where(unit.tx, f"{LASTING_UNTIL} AND state = 'active'")
        if kind in kinds and any(len(v) > 4 and v[4] and from_text(v[4]) <= unit.now for v in verdicts.values())
    }
