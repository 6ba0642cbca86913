"""What follows from a record for others: documents made of it, what they report back, figures computed from them.

Within one unit of work, before records are weighed: what is changed here is weighed with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from datong.base.clock import to_text
from datong.base.json import digest
from datong.canon import KINDS, REFERENCE_KINDS, Record, catalogue, check, is_empty, spec
from datong.canon.catalogue import pattern
from datong.engine.absorb import describe
from datong.engine.approving import APPROVAL, CHANGED, given, judged
from datong.engine.flow import ERP, Conversion, Figures, Go, Park, Verdict
from datong.engine.landscape import Landscape, Running
from datong.engine.near import Near, any_of, typed
from datong.engine.news import news_since
from datong.engine.reading import cursor_of
from datong.engine.references import References, target
from datong.engine.sought import sought, values_of
from datong.store.bulk import Columns, run
from datong.store.schema import origins, ties
from datong.store.unit import Link, Rec, Unit, chunks
from datong.store.work import Item, settle

_TIES = Columns(ties, ("from_id", "field", "to_id"))
_ORIGIN = Columns(origins, ("flow", "source_id", "version", "company", "target_id", "built", "at"))
_MADE = Columns(origins, ("id", "flow", "source_id", "version", "company", "target_id", "built"))
_ROUNDS = 20
WATCH = "@"
"""Begins the field of a tie that says: a rule of the one looked at the other."""
IS_WATCH = f"substr(field, 1, 1) = '{WATCH}'"
_UNTIED = frozenset((*REFERENCE_KINDS, "company"))


@dataclass(frozen=True)
class Computing:
    """What one flow computes of a record, and what it doubts. `rule` names it where it is told what it looked at."""

    record: type[Record]
    figures: Sequence[Callable[[Any, Near], Mapping[str, Any]]]
    doubts: Mapping[str, Callable[[Any, Near], Park | None]]
    rule: str
    as_of: frozenset[str] = frozenset()


class Consequences:
    """Follows changed records to what depends on them."""

    def __init__(self, unit: Unit, landscape: Landscape, references: References, *, makes: bool = True) -> None:
        """`makes`: documents may be made of others now. Not while only a part of what was read is taken in: of a won
        deal and its accepted quote one makes the order, and both must be known to say which."""
        self.unit = unit
        self.landscape = landscape
        self.references = references
        self.makes = makes

    def follow(self, ids: Collection[int]) -> set[int]:
        """`ids` and every record that changed with them, or whose verdict looked at one of them.

        Raises RuntimeError where the computed fields of flows never come to rest: they contradict each other.
        """
        every = set(ids)
        if not self.landscape.has_consequences:
            return every
        moved, asked = every, set[int]()
        for _ in range(_ROUNDS):
            todo = moved | asked
            if not todo:
                return every
            every |= todo
            changed: set[int] = set()
            retied: set[int] = set()
            for some in chunks(sorted(todo)):
                here, there = self._round(some, moved)
                changed |= here
                retied |= there
            asked = self._watching(moved | retied) - todo
            moved = changed
        raise RuntimeError(f"the computed fields of {', '.join(self._names(moved))} never come to rest")

    def _round(self, ids: list[int], moved: Collection[int]) -> tuple[set[int], set[int]]:
        """Records that changed, and those at which something points that did not before, or no longer. `moved`: those
        that are looked at because they changed themselves."""
        loaded = self.unit.load(ids)
        parents, retied = self._tie(loaded, moved)
        changed: set[int] = set()
        for record in loaded.values():
            if record.state == "active":
                self._enter_stage(record)
                for running in self.landscape.conversions.get(record.kind, ()) if self.makes else ():
                    changed |= self._convert(running, record)
        changed |= self._reply(ids)
        changed |= self._compute({*ids, *parents, *retied})
        return changed, retied

    def _names(self, ids: Iterable[int]) -> list[str]:
        return [describe(record) for record in self.unit.load(ids).values()]

    # who points at whom ------------------------------------------------------------------------------------------

    def _tie(self, loaded: Mapping[int, Rec], moved: Collection[int]) -> tuple[set[int], set[int]]:
        """Keep what the records point at; gives what those that moved point at now or did before, and of all what is
        new or over."""
        fields = sought(self.unit)
        mine = {i: record for i, record in loaded.items() if pointers(record.kind) or record.kind in fields}
        if not mine:
            return set(), set()
        before = set(_TIES.select(self.unit.tx, "from_id", list(mine), order="from_id"))
        kept = {row for row in before if not row[1].startswith(WATCH)}
        now = {(i, field, to) for i, record in mine.items() for field, to in self._targets(record)}
        values = {
            (i, field, to)
            for i, record in mine.items()
            if record.state == "active"
            for field, to in values_of(record, fields.get(record.kind, ()))
        }
        now |= values
        gone, new = kept - now, now - kept
        for from_id, field, to in sorted(gone):
            run(self.unit.tx, "DELETE FROM ties WHERE from_id = ? AND field = ? AND to_id = ?", from_id, field, to)
        _TIES.insert(self.unit.tx, sorted(new))
        # who asked for a value is asked again when what has it changed: tied before anything was made, it is no news
        changed = {row for row in values if row[0] in moved}
        pointed = {to for from_id, _, to in kept | now if from_id in moved}
        return pointed, {to for _, _, to in gone | new | changed}

    def _targets(self, record: Rec) -> set[tuple[str, int]]:
        if record.state != "active":
            return set()
        wanted = pointers(record.kind)
        found = set()
        for name, value in record.agreed.items():
            if isinstance(value, str) and pattern(name) in wanted and ":" in value:
                found.add((pattern(name), self.references.survivor(target(value)[1])))
        return found

    def _watching(self, ids: set[int]) -> set[int]:
        """Records of which a rule looked at one of these."""
        kinds = {any_of(record.kind) for record in self.unit.load(ids).values()}
        rows = _TIES.select(self.unit.tx, "to_id", sorted(ids | kinds), IS_WATCH, order="to_id")
        return {row[0] for row in rows}

    # stages ------------------------------------------------------------------------------------------------------

    def _enter_stage(self, record: Rec) -> None:
        """Fields that another side decides by now: what it was not told in time is not told any more."""
        running = self.landscape.flow_of(record.kind)
        if running is None or not running.policies.staged:
            return
        late: dict[str, dict[str, Any]] = {}
        for name, value in list(record.agreed.items()):
            policy = running.policy(name)
            now = policy.of(record.agreed) if policy is not None and policy.later else None
            edited = record.came_from(name)[0] != running.name  # and not computed by the flow itself
            holder = self._holder(record, now.owner) if edited and now is not None and now.how == "owned" else None
            if holder is not None and name in holder.sent and holder.sent[name] != value:
                late[name] = {"before": value, "after": holder.sent[name]}
        if not late:
            return
        for name, change in late.items():
            record.agreed[name] = change["after"]
            record.origin[name] = [running.name, to_text(self.unit.now)]
        self.unit.touch(record)
        why = "it came too late: the other side decides this by now"
        self.unit.note(
            "put back", record_id=record.id, kind=record.kind, flow=running.name, why=why, body={"fields": late}
        )
        told = "; ".join(f"{n}: {c['before']!r} instead of {c['after']!r}" for n, c in late.items())
        self.unit.open(
            Item(
                "parked",
                "too late",
                f"too late:{record.id}",
                f"{describe(record)} was changed too late, and is put back ({told})",
                "tell the customer; what is still wanted is a new order, or a return; then `datong parked dismiss`",
                kind=record.kind,
                record_id=record.id,
                flow=running.name,
                detail={"fields": late},
                digest=digest(late),
            )
        )

    def _holder(self, record: Rec, role: str | None) -> Link | None:
        """The link of the side that decides, where it has one."""
        mains = [link for link in self.unit.links_of(record.id) if link.main and link.here]
        return next((k for k in mains if self.landscape.connections[k.connection].role == role), None)

    # documents made of others ------------------------------------------------------------------------------------

    def _convert(self, running: Running, record: Rec) -> set[int]:
        flow = running.flow
        assert isinstance(flow, Conversion)
        near = self.near(running, record)
        source = typed(record, flow.source)
        verdict = flow.ready(source, near)
        changed: set[int] = set()
        if isinstance(verdict, Go):
            for company in flow.companies(source):
                built = flow.build(source, company, near)
                if built is not None:
                    changed |= self._stand(running, flow, record, flow.version(source), company, built)
        watch(self.unit, record, running.name, near)
        self._tell_verdict(running, record, verdict)
        return changed

    def _tell_verdict(self, running: Running, record: Rec, verdict: Verdict) -> None:
        subject = f"convert:{running.name}:{record.id}"
        if isinstance(verdict, Park):
            self.unit.open(
                Item(
                    "parked",
                    "gate",
                    subject,
                    f"{describe(record)}: {verdict.reason}",
                    verdict.remedy,
                    kind=record.kind,
                    record_id=record.id,
                    flow=running.name,
                )
            )
        else:
            settle(self.unit.tx, self.unit.clock, subject)

    def _stand(
        self, running: Running, flow: Conversion[Any, Any], record: Rec, version: str, company: str, built: Record
    ) -> set[int]:
        """The document for one version and company stands: made now, made before, or asked about."""
        fields = built.flat()
        mine = [row for row in self._made(flow, record) if row[4] == company]
        same = next((row for row in mine if row[3] == version), None)
        standing = [row for row in mine if self._stands(flow, row[5])]
        last = same or (standing[-1] if standing else None)
        subject = f"changed:{flow.name}:{record.id}:{company}"
        if last is None:
            return {self._make(running, flow, record, version, company, fields)}
        if last[6] == fields:
            settle(self.unit.tx, self.unit.clock, subject)
            return set()
        if same is not None and not self._stands(flow, same[5]):
            return set()  # what was made of it is cancelled: only another version makes another
        if running.settings.changed == "amend" or self._agreed_to(record, flow, version, fields):
            return self._amend(flow, record, version, company, last, fields)
        made = self.unit.load([last[5]])[last[5]]
        self.unit.open(
            Item(
                "parked",
                CHANGED,
                subject,
                f"{describe(record)} was changed after {describe(made)} was made of it",
                f"`datong approvals give ITEM` changes the {made.kind} too; or change {describe(record)} back",
                kind=record.kind,
                record_id=record.id,
                other_id=made.id,
                flow=flow.name,
                detail={"rule": "changed", "reason": _changed(version, fields), "by": "approver"},
            )
        )
        return set()

    def _made(self, flow: Conversion[Any, Any], record: Rec) -> list[tuple[Any, ...]]:
        return _MADE.where(self.unit.tx, "flow = ? AND source_id = ? ORDER BY id", flow.name, record.id)

    def _stands(self, flow: Conversion[Any, Any], record_id: int) -> bool:
        made = self.unit.load([self.references.survivor(record_id)]).get(self.references.survivor(record_id))
        return made is not None and made.state == "active" and flow.live(typed(made, flow.target))

    def _make(
        self,
        running: Running,
        flow: Conversion[Any, Any],
        record: Rec,
        version: str,
        company: str,
        fields: Mapping[str, Any],
    ) -> int:
        made = self.unit.new_record(flow.target.kind)
        made.agreed = dict(fields)
        made.origin["*"] = [flow.name, to_text(self.unit.now)]
        self.unit.touch(made)
        row = (flow.name, record.id, version, company, made.id, dict(fields), self.unit.now)
        _ORIGIN.insert(self.unit.tx, [row])
        self.unit.note(
            "made",
            record_id=made.id,
            kind=made.kind,
            flow=flow.name,
            why=f"of {describe(record)}, version {version}",
            body={"of": f"{record.kind}:{record.id}", "values": dict(fields)},
        )
        return made.id

    def _amend(
        self,
        flow: Conversion[Any, Any],
        record: Rec,
        version: str,
        company: str,
        last: tuple[Any, ...],
        fields: Mapping[str, Any],
    ) -> set[int]:
        """What changed between the two versions goes into the document that stands; the rest of it stays."""
        number, built = last[0], last[6]
        made = self.unit.load([last[5]])[last[5]]
        changes = {n: fields.get(n) for n in {*built, *fields} if built.get(n) != fields.get(n)}
        before = {n: made.agreed.get(n) for n in changes}
        for name, value in changes.items():
            made.agreed[name] = value
            made.origin[name] = [flow.name, to_text(self.unit.now)]
        self.unit.touch(made)
        run(self.unit.tx, "DELETE FROM origins WHERE id = ?", number)
        row = (flow.name, record.id, version, company, made.id, dict(fields), self.unit.now)
        _ORIGIN.insert(self.unit.tx, [row])
        self.unit.note(
            "amended",
            record_id=made.id,
            kind=made.kind,
            flow=flow.name,
            why=f"{describe(record)} changed, version {version}",
            body={"fields": {n: {"before": before[n], "after": after} for n, after in changes.items()}},
        )
        settle(self.unit.tx, self.unit.clock, f"changed:{flow.name}:{record.id}:{company}")
        return {made.id}

    def _agreed_to(self, record: Rec, flow: Conversion[Any, Any], version: str, fields: Mapping[str, Any]) -> bool:
        return given(self.unit.tx, record.id, "changed", _changed(version, fields)) is True

    def _reply(self, ids: list[int]) -> set[int]:
        """What became of it, told to the document it was made of."""
        rows = _MADE.select(self.unit.tx, "target_id", ids) + _MADE.select(self.unit.tx, "source_id", ids)
        changed: set[int] = set()
        for name, source_id in sorted({(row[1], row[2]) for row in rows}):
            running = self.landscape.flows.get(name)
            record = self.unit.load([source_id]).get(source_id)
            if running is None or record is None or not isinstance(flow := running.flow, Conversion):
                continue
            made = self.unit.load(row[5] for row in self._made(flow, record))
            targets = [typed(made[i], flow.target) for i in sorted(made) if made[i].state == "active"]
            told = flow.reply(
                typed(record, flow.source), targets, self.near(running, made[max(made)] if made else record)
            )
            if self._tell(running, record, told):
                changed.add(record.id)
        return changed

    # figures -----------------------------------------------------------------------------------------------------

    def _compute(self, ids: Iterable[int]) -> set[int]:
        changed: set[int] = set()
        for record in self.unit.load(ids).values():
            for computing in self._computing(record) if record.state == "active" else ():
                if self._figures(*computing):
                    changed.add(record.id)
        return changed

    def _computing(self, record: Rec) -> Iterator[tuple[Running, Rec, Computing]]:
        """What computes of a record: its own flow, then those whose figures it carries."""
        running = self.landscape.flow_of(record.kind)
        if running is not None and (master := running.master) is not None and (master.figures or master.doubts):
            yield running, record, Computing(master.record, master.figures, master.doubts, "figures")
        for one in self.landscape.figures.get(record.kind, ()):
            flow = one.flow
            assert isinstance(flow, Figures)
            yield one, record, Computing(flow.of, [flow.compute], flow.doubts, flow.name, frozenset(flow.as_of))

    def _figures(self, running: Running, record: Rec, computing: Computing) -> bool:
        """Compute, tell and doubt; gives whether a field changed."""
        near, changed = self.near(running, record), False
        for figures in computing.figures:
            if self._tell(running, record, figures(typed(record, computing.record), near), computing.as_of):
                changed = True
        for cause, doubt in computing.doubts.items():
            self._doubt(running, record, cause, doubt(typed(record, computing.record), near))
        watch(self.unit, record, computing.rule, near)
        return changed

    def _doubt(self, running: Running, record: Rec, cause: str, found: Park | None) -> None:
        """What is wrong with a record is one item, for as long as it is wrong."""
        subject = f"{cause}:{record.id}"
        if found is None:
            settle(self.unit.tx, self.unit.clock, subject)
            return
        self.unit.open(
            Item(
                "parked",
                cause,
                subject,
                f"{describe(record)}: {found.reason}",
                found.remedy,
                kind=record.kind,
                record_id=record.id,
                flow=running.name,
                detail=dict(found.detail),
                digest=digest(found.reason),
            )
        )

    def _tell(
        self, running: Running, record: Rec, told: Mapping[str, Any], as_of: Collection[str] = frozenset()
    ) -> bool:
        """Set computed fields; gives whether one changed. `as_of`: patterns of those that by themselves are no news."""
        canonical = {name: canon_scalar(record.kind, name, value) for name, value in told.items()}
        moved = {
            name: value
            for name, value in canonical.items()
            if record.agreed.get(name) != value and not (is_empty(value) and is_empty(record.agreed.get(name)))
        }
        if all(pattern(name) in as_of for name in moved):
            return False
        self.unit.note(
            "computed",
            record_id=record.id,
            kind=record.kind,
            flow=running.name,
            body={"fields": {n: {"before": record.agreed.get(n), "after": value} for n, value in moved.items()}},
        )
        for name, value in moved.items():
            record.agreed[name] = value
            record.origin[name] = [running.name, to_text(self.unit.now)]
        self.unit.touch(record)
        return True

    # what rules look at ------------------------------------------------------------------------------------------

    def near(self, running: Running, record: Rec, keeps: Collection[str] = ()) -> Near:
        return Near(
            self.unit,
            record,
            self.references.survivor,
            running.name,
            self.landscape.zones,
            lambda role: self._verdict_into(record, role),
            frozenset(
                name
                for link in self.unit.links_of(record.id)
                for name, why in link.held.items()
                if why.startswith("ref:")
            ),
            self._read_at,
            self.landscape.currencies,
            self.landscape.settings_of,
            lambda connection, what: news_since(self.unit, self.landscape, running.name, connection, what),
            lambda role, field: self.landscape.can_hold(role, record.kind, field),
            lambda approve: judged(self.unit.tx, record.id, f"{APPROVAL}:{record.id}", self.unit.now, approve),
            keeps,
        )

    def _read_at(self, *kinds: str) -> datetime | None:
        """When the ERP was last read for all of these kinds."""
        asked = ((c.name, kind) for c in self.landscape.connections.values() for kind in kinds)
        rows = [
            cursor_of(self.unit.tx, connection, kind)
            for connection, kind in asked
            if self.landscape.connections[connection].role == ERP
            and kind in self.landscape.connections[connection].specs
        ]
        times = [row["read_at"] for row in rows if row is not None and row["read_at"] is not None]
        return min(times) if times and len(times) == len(rows) else None

    def _verdict_into(self, record: Rec, role: str) -> tuple[str, str]:
        """(go | skip | park, why) of a record into the systems of a role, as last judged."""
        for conn in self.landscape.connections.values():
            if conn.role == role and (held := record.verdicts.get(conn.name)):
                return held[0], held[1]
        return "go", ""


def watch(unit: Unit, record: Rec, rule: str, near: Near) -> None:
    """The record is weighed again when something changes that `rule` looked at."""
    field = f"{WATCH}{rule}"
    known = {row[2] for row in _TIES.select(unit.tx, "from_id", [record.id], "field = ?", field, order="from_id")}
    _TIES.insert(unit.tx, [(record.id, field, to) for to in sorted(near.looked_at - known - {record.id})])
    for to in known - near.looked_at:
        run(unit.tx, "DELETE FROM ties WHERE from_id = ? AND field = ? AND to_id = ?", record.id, field, to)


@cache
def pointers(kind: str) -> frozenset[str]:
    """Reference fields of a document, by the catalogue's names; of parties only who belongs to whom, of code tables
    none."""
    if KINDS[kind].__module__ == "datong.canon.records":
        return frozenset(name for name, one in catalogue(kind).items() if one.to == kind)
    return frozenset(name for name, one in catalogue(kind).items() if one.to and one.to not in _UNTIED)


def canon_scalar(kind: str, name: str, value: Any) -> Any:
    """A computed value in its canonical form."""
    return check(spec(kind, name).type, value)


def _changed(version: str, fields: Mapping[str, Any]) -> str:
    return f"version {version}, {digest(dict(fields))}"
