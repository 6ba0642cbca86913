"""One wire record taken into one record of ours: what is an edit, what is our own echo, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from datong.base.clock import from_text, to_text
from datong.base.json import digest
from datong.canon import is_empty, known_by
from datong.engine import health, intended
from datong.engine import items as collections_of
from datong.engine.flow import NEWEST, Policy
from datong.engine.holding import Frozen, frozen
from datong.engine.landscape import Conn, Landscape, Running
from datong.engine.lifecycle import How
from datong.engine.merge import UNKNOWN, Step, merge
from datong.engine.references import References
from datong.mapping import ABSENT, Field, FieldMap, Foreign, Items, Reading, WireItem, under_item
from datong.store.unit import Link, Rec, Unit
from datong.store.work import Item, open_conflicts

OLDER = "@older"
"""Since when a link is met with a change time before the known one; held as if it were a field."""
_TURNS = 3
_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Evidence:
    """What a read gave. `read_at` is when the read began; `form` the wire form of what the map reads, `text` the same
    as JSON where it is at hand."""

    form: Mapping[str, Any]
    digest: str
    read_at: datetime
    version: str | None = None
    changed_at: datetime | None = None
    active: bool = True
    text: str | None = None


class Absorber:
    """Takes evidence into records within one unit of work."""

    def __init__(self, unit: Unit, landscape: Landscape) -> None:
        self.unit = unit
        self.landscape = landscape
        self.references = References(unit, landscape)
        self._conflicts: dict[int, set[str]] = {}
        self._intended: dict[tuple[str, int], intended.Unconfirmed] = {}
        self._offsets = health.clock_offsets(unit.tx)
        self._notes: dict[tuple[str, int, int, str], dict[str, Any]] = {}

    # evidence ----------------------------------------------------------------------------------------------------

    def is_evidence(self, conn: Conn, link: Link, told: Evidence) -> bool:
        """False for what was read before our last write could be seen, and for an older state than the known one."""
        lag = conn.specs[link.kind].read_lag
        if link.written_at is not None and told.read_at <= link.written_at + lag:
            return False
        if link.read_at is not None and told.read_at < link.read_at:
            return False
        if not _is_older(link, told):
            return True
        met = link.held.get(OLDER)
        return met is not None and told.read_at > from_text(met) + lag

    def admits(self, conn: Conn, link: Link, told: Evidence) -> bool:
        """Whether it is evidence, and a note of what tells so. A change time before the known one is that of an answer
        from before; but a read that began after it was first met, and says so still, tells that the clock over there
        was set back."""
        evidence, older = self.is_evidence(conn, link, told), _is_older(link, told)
        if evidence and older:
            self.unit.note(
                "clock went back",
                record_id=link.record_id,
                connection=conn.name,
                kind=link.kind,
                native_id=link.native_id,
                why=f"changed at {to_text(told.changed_at)}, and at {to_text(link.changed_at)} before that",
            )
        if evidence and link.held.pop(OLDER, None) is not None:
            self.unit.touch_link(link)
        elif older and OLDER not in link.held:
            link.held[OLDER] = to_text(self.unit.now)
            self.unit.touch_link(link)
        return evidence

    def absorb(
        self,
        conn: Conn,
        link: Link,
        told: Evidence,
        *,
        written: Mapping[str, Any] | None = None,
        created: bool = False,
    ) -> Rec:
        """Merge `told` into the record of `link`. `written` are the fields just delivered: they are compared with
        what came back, not merged. After a create (which may take several calls) what did not arrive is due once
        more; after an update it was not accepted. A follower's values are noted and not merged."""
        record = self.unit.records.get(link.record_id) or self.unit.load([link.record_id])[link.record_id]
        fmap = conn.specs[link.kind].map
        reading = fmap.read_form(told.form)
        unresolved = self.resolve(conn, record, link, reading)
        if (conn.name, record.id) in self._intended:
            self._echo(conn, record, link, reading, told)
        if written is not None:
            self._confirm(conn, record, link, reading, written, created)
        running = self.landscape.flow_of(link.kind)
        seen = link.seen
        rest = frozen(self.unit, record, conn.name)
        if running is not None and link.main:
            skip = set(written or ()) | unresolved
            if rest is not None:
                skip |= rest.among([*reading.values, *reading.items])
            if record.agreed or link.sent:
                self._merge_plain(conn, running, record, link, seen, reading, told, skip)
            else:
                self._first_sight(conn, running, record, link, reading, told)
            if reading.items:
                self._merge_items(conn, running, record, link, reading, told, skip)
        unread = _unread(fmap, rest, seen, told, written or ()) if rest is not None else set()
        self._remember(fmap, link, seen, told, unresolved, unread, reading)
        self.unit.touch(record)
        self.unit.touch_link(link)
        self.write_notes()
        return record

    def _remember(
        self,
        fmap: FieldMap,
        link: Link,
        seen: Mapping[str, Any],
        told: Evidence,
        unresolved: set[str],
        unread: set[str],
        reading: Reading,
    ) -> None:
        left_out = unresolved | unread
        if told.text is not None and not left_out and seen.keys() <= told.form.keys():
            link.seen_text = told.text
        else:
            kept = {path: v for path, v in seen.items() if path not in told.form}
            paths = {path for name, path in _places(fmap) if name in left_out}
            link.seen = {**kept, **{p: v for p, v in told.form.items() if p not in paths}}
        link.seen_digest = None if unresolved else told.digest
        link.map_version = fmap.version
        link.version, link.changed_at, link.read_at = told.version, told.changed_at, told.read_at
        link.state = "live" if told.active else "inactive"
        link.missing_at = None
        for name in [n for n, why in link.held.items() if why.startswith("bad value") and n not in reading.bad]:
            if name in reading.values:
                del link.held[name]

    # references --------------------------------------------------------------------------------------------------

    def resolve(self, conn: Conn, record: Rec, link: Link, reading: Reading) -> set[str]:
        """References into `kind:id`. Names that cannot be resolved are left out (absent) and given back."""
        lost = self._resolve_in(conn, record, link, reading.values, "")
        for name, wire in reading.items.items():
            if any(isinstance(value, Foreign) for item in wire for value in item.values.values()):
                for place, item in enumerate(wire):
                    lost |= self._resolve_in(conn, record, link, item.values, f"{name}.{item.native_id or place}.")
        return lost

    def lost(self, conn: Conn, reading: Reading) -> dict[str, str]:
        """What cannot be resolved: name -> what the field is held for."""
        heads = [("", reading.values)]
        for name, wire in reading.items.items():
            heads += [(f"{name}.{item.native_id or place}.", item.values) for place, item in enumerate(wire)]
        return {
            f"{head}{leaf}": f"ref:{value.kind}:{value.native}"
            for head, values in heads
            for leaf, value in values.items()
            if isinstance(value, Foreign) and self.references.resolve(conn, value) is None
        }

    def _resolve_in(self, conn: Conn, record: Rec, link: Link, values: dict[str, Any], head: str) -> set[str]:
        """`head` names an item by its line id there: its key is not known before it is merged."""
        lost: set[str] = set()
        for leaf, value in [(leaf, value) for leaf, value in values.items() if isinstance(value, Foreign)]:
            name, found = f"{head}{leaf}", self.references.resolve(conn, value)
            if found is None:
                del values[leaf]
                lost.add(name)
                link.held[name] = f"ref:{value.kind}:{value.native}"
                self._unknown_reference(conn, record, link, name, value)
            else:
                values[leaf] = found
                if link.held.get(name, "").startswith("ref:"):
                    del link.held[name]
        return lost

    def _unknown_reference(self, conn: Conn, record: Rec, link: Link, name: str, value: Foreign) -> None:
        if self.landscape.is_reference(value.kind):
            self.unit.open(
                Item(
                    "parked",
                    "missing reference",
                    f"code:{conn.name}:{value.kind}:{value.native}",
                    f"{conn.name} uses the {value.kind} {value.native!r}, which is in no table",
                    f"add it in {conn.name}, or tie it under values.{conn.name}.{value.kind} in datong.yaml",
                    kind=link.kind,
                    connection=conn.name,
                    field=name,
                    detail={"code": value.native, "reference": value.kind},
                )
            )

    # plain fields ------------------------------------------------------------------------------------------------

    def _first_sight(
        self, conn: Conn, running: Running, record: Rec, link: Link, reading: Reading, told: Evidence
    ) -> None:
        """What is known of a record is what its only witness says: the law of a first link (see `merge`) for all
        fields at once."""
        carried = {name: value for name, value in reading.values.items() if running.policy(name) is not None}
        record.agreed, link.sent = carried, dict(carried)
        moment = self._by_our_clock(conn, told.changed_at) or told.read_at
        record.origin["*"] = [conn.name, to_text(moment)]
        for one in conn.specs[link.kind].map.fields if reading.bad else ():
            if one.name in reading.bad and running.policy(one.name) is not None:
                self._bad_value(conn, record, link, one.name, told.form.get(one.path), reading.bad[one.name])
        held = filled_items(conn.specs[link.kind].map, carried)
        if held:
            carried.update(dict.fromkeys(held, True))
        self.unit.note(
            "seen",
            record_id=record.id,
            connection=conn.name,
            kind=record.kind,
            native_id=link.native_id,
            flow=running.name,
            why="first seen",
            body={"values": {name: value for name, value in carried.items() if value is not None}},
        )

    def _merge_plain(
        self,
        conn: Conn,
        running: Running,
        record: Rec,
        link: Link,
        seen: Mapping[str, Any],
        reading: Reading,
        told: Evidence,
        skip: set[str],
    ) -> None:
        fmap = conn.specs[link.kind].map
        before = filled_items(fmap, record.agreed)
        remapped = bool(seen) and link.map_version != fmap.version
        for one in _states_first(fmap, running):
            raw = told.form.get(one.path, ABSENT)
            if raw is ABSENT or not one.read or one.name in skip:
                continue
            known = one.name in link.sent and one.path in seen
            if known and seen[one.path] == raw and one.name not in reading.bad:
                continue
            policy = running.policy(one.name)
            if policy is None:
                continue
            if one.name in reading.bad:
                self._bad_value(conn, record, link, one.name, raw, reading.bad[one.name])
                continue
            value = reading.values[one.name]
            unseen = link.held.get(one.name) == intended.UNSEEN
            if unseen and not self._owners_word(conn, record, link, one, policy, value):
                self._came_back(conn, record, link, one.name, link.sent.get(one.name), value)
                continue
            new = remapped and one.name in link.sent and one.path not in seen and not under_item(one.name)
            self._take(conn, running, record, link, one, policy, value, told, new=new)
        after = filled_items(fmap, record.agreed)
        record.agreed.update({**dict.fromkeys(after - before, True), **dict.fromkeys(before - after)})

    def _owners_word(self, conn: Conn, record: Rec, link: Link, one: Field, policy: Policy, value: Any) -> bool:
        """What stands in the place of our own write, which nobody confirmed, was entered there by who decides it."""
        now = policy.of(record.agreed)
        mine = now.how in ("owned", "guarded") and now.owner == conn.role and not is_empty(value)
        if mine and not self.same_form(conn, one, link.sent.get(one.name), value) and value != link.sent.get(one.name):
            del link.held[one.name]
            return True
        return False

    def _take(
        self,
        conn: Conn,
        running: Running,
        record: Rec,
        link: Link,
        one: Field | None,
        policy: Policy,
        value: Any,
        told: Evidence,
        name: str | None = None,
        fresh: bool = True,
        new: bool = False,
    ) -> None:
        """Merge one value. `fresh`: a field without a sent value is a first link (not so for later items). `new`: its
        path is read for the first time, so that nothing was agreed about it."""
        name = name or (one.name if one else "")
        policy = policy.of(record.agreed) if policy.later else policy
        agreed = record.agreed.get(name, UNKNOWN)
        sent = link.sent.get(name, UNKNOWN if fresh else None)
        if new:
            sent = UNKNOWN
        elif sent is not UNKNOWN and (value == sent or (one is not None and self.same_form(conn, one, sent, value))):
            return  # spelt another way, or read again: no edit
        asked = agreed is UNKNOWN or agreed == sent  # whether it is another form of that was asked above
        if not asked and one is not None and value != agreed and self.same_form(conn, one, agreed, value):
            value = agreed
        by_time = policy.clash == NEWEST
        step = merge(
            agreed,
            sent,
            value,
            policy,
            conn.role,
            first_load=running.first_load,
            edited_at=self._by_our_clock(conn, told.changed_at) if by_time else None,
            agreed_at=_origin_time(record, name) if by_time else None,
        )
        alone = (step is Step.PUT_BACK and policy.how == "owned") or (step is Step.CONFLICT and policy.how == "guarded")
        if alone and not self._stands_at(record, policy.owner):
            step = Step.ACCEPT  # its owner does not hold the record (yet): nobody else can say what it is
        if step in (Step.PUT_BACK, Step.CONFLICT) and agreed != sent:
            step = self.unless_fuller(step, record, link, name, value)
        if step is Step.ACCEPT and self.held_by_person(record, name):
            step = Step.CONFLICT
        self.act(step, conn, running, record, link, name, value, told)

    def unless_fuller(self, step: Step, record: Rec, link: Link, name: str, value: Any) -> Step:
        """A value does not clash with what another system made of it: cut or rounded it came back from there, and was
        taken for one of its own because nothing is remembered of the write."""
        for other in self.unit.links_of(record.id):
            conn = self.landscape.connections[other.connection]
            one = conn.specs[other.kind].map.named(name)
            told = other.main and record.came_from(name)[0] == other.connection != link.connection
            if told and one is not None and self.same_form(conn, one, value, record.agreed.get(name)):
                other.sent[name] = value
                self.unit.touch_link(other)
                return Step.ACCEPT
        return step

    def _stands_at(self, record: Rec, role: str | None) -> bool:
        if self.landscape.built(record):
            return True  # what was built here stands for the side it was built of
        links = [k for k in self.unit.links_of(record.id) if k.main and k.here]
        return any(self.landscape.connections[k.connection].role == role for k in links)

    def _by_our_clock(self, conn: Conn, moment: datetime | None) -> datetime | None:
        """A system's own time, corrected by how far its clock is off ours."""
        ahead = self._offsets.get(conn.name)
        return moment - timedelta(seconds=ahead) if moment is not None and ahead else moment

    def same_form(self, conn: Conn, one: Field, agreed: Any, value: Any) -> bool:
        return is_form_of(one, agreed, value)

    def act(
        self, step: Step, conn: Conn, running: Running, record: Rec, link: Link, name: str, value: Any, told: Evidence
    ) -> None:
        before = record.agreed.get(name)
        origin = record.came_from(name)[0]
        life = running.master.life(name) if running.master is not None else None
        move = life.move(before, value) if life is not None and step is Step.ACCEPT else None
        undeclared = move is not None and move.how is How.UNDECLARED
        if undeclared:
            step = Step.CONFLICT
        if step is Step.SAME:
            link.sent[name] = record.agreed[name]
            self._agree_again(record, link, name)
        elif step is Step.LEAVE:
            link.sent[name] = value
        elif step is Step.ACCEPT:
            link.sent[name] = value
            record.agreed[name] = value
            moment = self._by_our_clock(conn, told.changed_at) or told.read_at
            record.origin[name] = [conn.name, to_text(moment)]
            if origin not in (None, conn.name, "person") and not is_empty(before):
                self._turn(conn, record, link, name, running)
            if before != value:
                self._note("taken in", conn, running, record, link, name, before, value, str(move) if move else "")
        elif step is Step.PUT_BACK:
            known = link.sent.get(name, UNKNOWN)
            link.sent[name] = value
            if known is not UNKNOWN:
                self._turn(conn, record, link, name, running)
            why = (
                "the other side decides this field" if known is not UNKNOWN else "at first link the other side decides"
            )
            self._note("put back", conn, running, record, link, name, value, record.agreed.get(name), why)
        else:
            self._note("conflict", conn, running, record, link, name, link.sent.get(name), value, "held until settled")
            link.sent[name] = value
            because = f"; no {record.kind} goes {move} by itself" if undeclared else ""
            self._conflict(conn, running, record, link, name, value, because)

    def _note(
        self,
        event: str,
        conn: Conn,
        running: Running,
        record: Rec,
        link: Link,
        name: str,
        before: Any,
        after: Any,
        why: str,
    ) -> None:
        fields = self._notes.setdefault((event, record.id, link.id, why), {"told": (conn, running, record, link)})
        fields[name] = {"before": before, "after": after}

    def write_notes(self) -> None:
        """One journal row for all fields of a record that the same thing happened to."""
        for (event, _, _, why), fields in self._notes.items():
            conn, running, record, link = fields.pop("told")
            self.unit.note(
                event,
                record_id=record.id,
                connection=conn.name,
                kind=record.kind,
                native_id=link.native_id,
                flow=running.name,
                why=why,
                body={"fields": fields},
            )
        self._notes.clear()

    # what needs a person -----------------------------------------------------------------------------------------

    def held_by_person(self, record: Rec, name: str) -> bool:
        """An open conflict holds the field until a person, or both sides by themselves, settle it."""
        if record.id not in self._conflicts:
            self.know_conflicts([record.id])
        return name in self._conflicts[record.id]

    def new(self, record: Rec) -> None:
        """Nothing can be open about a record made just now."""
        self._conflicts[record.id] = set()

    def forget(self) -> None:
        """What is known of single records is asked again."""
        self._conflicts.clear()
        self._intended.clear()

    def know_intended(self, conn: Conn, record_ids: Iterable[int]) -> None:
        """One query for the writes to `conn` whose outcome is not known."""
        found = intended.open_ones(self.unit.tx, conn.name, list(record_ids))
        self._intended.update({(conn.name, number): told for number, told in found.items()})

    def know_conflicts(self, record_ids: Iterable[int]) -> None:
        """One query for the open conflicts of a page of records."""
        ids = [i for i in record_ids if i not in self._conflicts]
        found = open_conflicts(self.unit.tx, ids)
        self._conflicts.update({i: found.get(i, set()) for i in ids})

    def _conflict(
        self, conn: Conn, running: Running, record: Rec, link: Link, name: str, value: Any, because: str = ""
    ) -> None:
        values = {k.connection: k.sent.get(name) for k in self.unit.links_of(record.id) if k.main and name in k.sent}
        values[conn.name] = value
        if len({digest(v) for v in values.values()}) == 1 and len(values) > 1:
            record.agreed[name] = value
            self._agree_again(record, link, name)
            return
        self.held_by_person(record, name)
        self._conflicts[record.id].add(name)
        self.unit.open(
            Item(
                "conflict",
                "conflict",
                f"conflict:{record.id}:{name}",
                f"{name} of {describe(record)} differs: "
                + "; ".join(f"{c} says {v!r}" for c, v in values.items())
                + because,
                "choose with `datong conflict resolve`, or give both sides the same value",
                kind=record.kind,
                record_id=record.id,
                field=name,
                flow=running.name,
                detail={"values": values, "agreed": record.agreed.get(name)},
            )
        )

    def _agree_again(self, record: Rec, link: Link, name: str) -> None:
        """Both sides hold the same: a conflict on the field is over."""
        if not self.held_by_person(record, name):
            return
        mains = [k for k in self.unit.links_of(record.id) if k.main and name in k.sent]
        if all(k.sent[name] == record.agreed.get(name) for k in mains):
            from datong.store.work import close

            close(self.unit.tx, self.unit.clock, "datong", subjects=[f"conflict:{record.id}:{name}"])
            self._conflicts[record.id].discard(name)
            self.unit.note(
                "conflict closed", record_id=record.id, kind=record.kind, why=f"both sides hold the same {name}"
            )

    def _turn(self, conn: Conn, record: Rec, link: Link, name: str, running: Running) -> None:
        """A field that changes hands again and again without a person: the systems disagree on form."""
        now = self.unit.now
        recent = [t for t in record.turns.get(name, []) if t > to_text(now - _HOUR)]
        record.turns[name] = [*recent, to_text(now)]
        if len(record.turns[name]) <= _TURNS:
            return
        link.held[name] = "changes hands"
        self.unit.open(
            Item(
                "parked",
                "disagree on form",
                f"form:{record.id}:{name}",
                f"{name} of {describe(record)} changed hands {len(record.turns[name])} times in an hour: "
                "the two systems disagree on its form",
                f"look at the values in both systems; correct the map of {name}, or switch it off for one side",
                kind=record.kind,
                record_id=record.id,
                connection=conn.name,
                native_id=link.native_id,
                field=name,
                flow=running.name,
            )
        )

    def _bad_value(self, conn: Conn, record: Rec, link: Link, name: str, raw: Any, why: str) -> None:
        link.held[name] = f"bad value: {why}"
        self.unit.open(
            Item(
                "parked",
                "value",
                f"value:{conn.name}:{link.kind}:{link.native_id}:{name}",
                f"{name} of {describe(record)} cannot be read from {conn.name}: {why}",
                f"correct it in {conn.name} ({link.native_id}), or map it under maps.{conn.name}.{link.kind}.{name}",
                kind=link.kind,
                record_id=record.id,
                connection=conn.name,
                native_id=link.native_id,
                field=name,
                digest=digest(raw),
            )
        )

    def _echo(self, conn: Conn, record: Rec, link: Link, reading: Reading, told: Evidence) -> None:
        """What stands there as we meant to write it is our own write, though nobody confirmed it."""
        at, tries = self._intended[conn.name, record.id]
        flat = self._flat(conn, record, link, reading)
        arrived: set[str] = set()
        for name, value in (told for values in tries for told in values.items()):
            got = flat.get(name, ABSENT)
            one = conn.specs[link.kind].map.named(name)
            same = got == value or (one is not None and self.same_form(conn, one, value, got))
            if got is not ABSENT and same and name not in arrived:
                link.sent[name] = value
                arrived.add(name)
        if told.read_at > at + conn.specs[link.kind].settle:
            intended.settle(self.unit.tx, conn.name, record.id)

    # what came back ----------------------------------------------------------------------------------------------

    def _confirm(
        self, conn: Conn, record: Rec, link: Link, reading: Reading, written: Mapping[str, Any], created: bool
    ) -> None:
        """Fields just delivered, against what the system holds now; what it hides, when it shows again."""
        flat = self._flat(conn, record, link, reading, assign_known=True)
        for name, value in written.items():
            link.sent[name] = value
            got = flat.get(name, ABSENT)
            one = conn.specs[link.kind].map.named(name)
            told_only = one is not None and not one.read
            if got is not ABSENT:
                self._came_back(conn, record, link, name, value, got, created)
            elif not told_only and not under_item(name) and not link.held.get(name, "").startswith("ref:"):
                link.held[name] = intended.UNSEEN
                link.seen = {path: raw for path, raw in link.seen.items() if one is None or path != one.path}

    def _came_back(
        self, conn: Conn, record: Rec, link: Link, name: str, value: Any, got: Any, created: bool = False
    ) -> None:
        """`got` stands where `value` was written."""
        one = conn.specs[link.kind].map.named(name)
        same = got == value or (is_empty(got) and is_empty(value))
        if same or (one is not None and self.same_form(conn, one, value, got)):
            link.held.pop(name, None)
        elif created:
            link.sent[name] = got
            self._guard(conn, record, link, name, got)
        else:
            self._not_accepted(conn, record, link, name, value, got)

    def _guard(self, conn: Conn, record: Rec, link: Link, name: str, got: Any) -> None:
        """What the system made at once of a field that is guarded is asked, not written over."""
        running = self.landscape.flow_of(link.kind)
        policy = running.policy(name) if running is not None else None
        if running is not None and policy is not None and policy.of(record.agreed).how == "guarded":
            self._conflict(conn, running, record, link, name, got)

    def _not_accepted(self, conn: Conn, record: Rec, link: Link, name: str, value: Any, got: Any) -> None:
        link.held[name] = "not accepted"
        self.unit.open(
            Item(
                "parked",
                "not accepted",
                f"not accepted:{conn.name}:{record.id}:{name}",
                f"{conn.name} did not keep {name} of {describe(record)}: sent {value!r}, holds {got!r}",
                f"see why {conn.name} changes or drops it (rights, length, a rule of its own); if that is how it "
                f"writes this value, declare it under maps.{conn.name}.{link.kind}.{name}",
                kind=link.kind,
                record_id=record.id,
                connection=conn.name,
                native_id=link.native_id,
                field=name,
                digest=digest([value, got]),
            )
        )

    # collections -------------------------------------------------------------------------------------------------

    def _flat(
        self, conn: Conn, record: Rec, link: Link, reading: Reading, *, assign_known: bool = False
    ) -> dict[str, Any]:
        flat: dict[str, Any] = dict(reading.values)
        for name, wire in reading.items.items():
            keys = self._keys(conn, record, link, name, wire)
            flat.update(collections_of.flattened(name, keys, wire))
            if assign_known:
                self._remember_items(link, name, keys, wire)
        return flat

    def _keys(self, conn: Conn, record: Rec, link: Link, name: str, wire: list[WireItem]) -> list[str]:
        return collections_of.assign(record.agreed, name, wire, link.items.get(name, {}))

    def _remember_items(self, link: Link, name: str, keys: list[str], wire: list[WireItem]) -> None:
        given = {str(i.native_id): key for key, i in zip(keys, wire, strict=True) if i.native_id is not None}
        link.items[name] = {**link.items.get(name, {}), **given}

    def _merge_items(
        self, conn: Conn, running: Running, record: Rec, link: Link, reading: Reading, told: Evidence, skip: set[str]
    ) -> None:
        for name, wire in reading.items.items():
            policy = running.policy(name)
            collection = conn.specs[link.kind].map.collection(name)
            if policy is None or collection is None or name in skip:
                continue
            fresh = name not in link.items
            keys = self._keys(conn, record, link, name, wire)
            now = collections_of.flattened(name, keys, wire)
            self._merge_present(conn, running, record, link, collection, policy, now, told, skip, fresh)
            self._merge_deleted(conn, running, record, link, name, policy, now, told)
            link.items[name] = {
                str(i.native_id): key for key, i in zip(keys, wire, strict=True) if i.native_id is not None
            }

    def _merge_present(
        self,
        conn: Conn,
        running: Running,
        record: Rec,
        link: Link,
        collection: Items,
        policy: Policy,
        now: Mapping[str, Any],
        told: Evidence,
        skip: set[str],
        fresh: bool,
    ) -> None:
        for field, value in now.items():
            if field in skip or (field in link.sent and link.sent[field] == value):
                continue
            if isinstance(value, Foreign):
                continue
            one = conn.specs[link.kind].map.named(field)
            presence = ".".join(field.split(".")[:2])
            unspoken = field != presence and field not in record.agreed and bool(record.agreed.get(presence))
            rule = running.policy(field) or policy
            self._take(conn, running, record, link, one, rule, value, told, name=field, fresh=fresh or unspoken)

    def _merge_deleted(
        self,
        conn: Conn,
        running: Running,
        record: Rec,
        link: Link,
        name: str,
        policy: Policy,
        now: Mapping[str, Any],
        told: Evidence,
    ) -> None:
        """Items this link had and has no more."""
        for key in set(link.items.get(name, {}).values()):
            presence = f"{name}.{key}"
            if presence in now or not link.sent.get(presence):
                continue
            self._take(conn, running, record, link, None, policy, None, told, name=presence, fresh=False)
            for field in [f for f in link.sent if f.startswith(f"{presence}.")]:
                link.sent[field] = None
                if record.agreed.get(presence) is None:
                    record.agreed[field] = None


def is_form_of(one: Field, agreed: Any, value: Any) -> bool:
    """Is `value` what the system of this field makes of the agreed value (rounded, shortened, spelt its way)?"""
    if is_empty(agreed) or one.convert.to:
        return False
    try:
        return bool(one.convert.from_wire(one.convert.to_wire(agreed)) == value)
    except (ValueError, TypeError, ArithmeticError):
        return False


def describe(record: Rec) -> str:
    """For people: kind and name."""
    return f"{record.kind} {known_by(record.agreed) or f'#{record.id}'}"


def _unread(fmap: FieldMap, rest: Frozen, seen: Mapping[str, Any], told: Evidence, written: Iterable[str]) -> set[str]:
    """Held fields that say something new: it is not remembered as seen, and so is met when they are released."""
    moved = {name for name, path in _places(fmap) if path in told.form and seen.get(path) != told.form[path]}
    return rest.among(moved - set(written))


def _places(fmap: FieldMap) -> Iterator[tuple[str, str]]:
    """Where each field and each collection lies."""
    yield from ((one.name, one.path) for one in fmap.fields)
    yield from ((one.name, one.path) for one in fmap.items)


def _is_older(link: Link, told: Evidence) -> bool:
    return bool(link.changed_at and told.changed_at and told.changed_at < link.changed_at)


def _states_first(fmap: FieldMap, running: Running) -> Iterable[Field]:
    """Who may change a field of a document follows from the state it is in now."""
    lives = running.master.lives if running.master is not None else ()
    if not lives:
        return fmap.fields
    states = {one.name for one in lives}
    return sorted(fmap.fields, key=lambda field: field.name not in states)


def _origin_time(record: Rec, name: str) -> datetime | None:
    at = record.came_from(name)[1]
    return from_text(at) if at else None


def filled_items(fmap: FieldMap, agreed: Mapping[str, Any]) -> set[str]:
    """Items that a system with room for one only holds in plain fields: there while one of these is filled."""
    return {name.rpartition(".")[0] for name in fmap.under_items if not is_empty(agreed.get(name))}
