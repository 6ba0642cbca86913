"""One reconciliation: read both sides in full, compare, look a second time at what differs, date what is left.

Nothing is written to any system, and nothing to the store. What was in motion while it was read is looked at again
after those who keep the systems in agreement had their turn, so that traffic alone is never a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from datong.base.clock import to_text
from datong.base.json import digest
from datong.engine.landscape import Conn, Landscape
from datong.engine.outcome import attempt
from datong.engine.reading import Progress, cursor_of
from datong.engine.reconcile.looking import Looker, Read
from datong.engine.reconcile.model import CLASSES, UNREACHABLE, Difference, Known, Trace
from datong.engine.reconcile.strangers import Strangers
from datong.engine.reconcile.survey import MARGIN, USUAL, Judged, Survey
from datong.engine.reconcile.tally import Tally
from datong.engine.reconcile.trace import traced
from datong.store import Store, Transaction
from datong.store.bulk import run
from datong.store.journal import entries
from datong.store.schema import leases, schedule
from datong.store.scratch import Met, Scratch
from datong.store.unit import Unit

PAGE = 500
_HELD = 10
"""Pages to judge within one transaction: what was looked up for one helps the next."""
ROUNDS = 4
"""How often what is still moving is looked at again."""
SETTLE = timedelta(seconds=2)
"""The least time between two looks."""
LONGEST = timedelta(minutes=15)
"""The longest wait for a service that is about to look. A flow that looks less often is not waited for: what changed
since its last look is told apart by the time of its change."""
_ROWS = 200
"""Rows of the journal to look back through, for one record."""


@dataclass
class Found:
    """What a reconciliation found. `findings` gives the differences as documents, the gravest first; it holds while
    the scratch is open."""

    started_at: datetime
    reads: list[Read]
    tally: Tally
    identities: dict[str, str]
    findings: Callable[[], Iterable[dict[str, Any]]]
    suspected: int = 0
    healed: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    finished_at: datetime | None = None


class Reconciler:
    """Works on one scratch. `kinds` are those of the flows that are looked at."""

    def __init__(self, store: Store, landscape: Landscape, scratch: Scratch, progress: Progress | None = None) -> None:
        self.store = store
        self.landscape = landscape
        self.scratch = scratch
        self.progress = progress or (lambda what, more: None)
        self.looker = Looker(store, scratch, progress)
        self.tally = Tally()
        self._read: dict[tuple[str, str], Read] = {}
        self._found = Found(store.clock.now(), [], self.tally, self.looker.identities, scratch.findings)

    def run(self, flows: Sequence[str] = ()) -> Found:
        kinds = [kind for kind in self.landscape.kinds(flows) if not self.landscape.is_reference(kind)]
        self._read_all(kinds)
        for kind in kinds:
            self._first_look(kind)
        self._found.suspected = sum(self.scratch.suspected().values())
        self._confirm(kinds)
        self._found.finished_at = self.store.clock.now()
        return self._found

    # reading -----------------------------------------------------------------------------------------------------

    def _read_all(self, kinds: Sequence[str]) -> None:
        """Everything there is. A system that does not answer is asked no further, and stops no other."""
        for conn in self.landscape.connections.values():
            wanted = [kind for kind in kinds if kind in conn.specs and conn.specs[kind].reads != "never"]
            failed = self.looker.check(conn) if wanted else None
            for kind in wanted:
                if failed is None:
                    read = self.looker.whole(conn, kind)
                else:
                    read = Read(conn.name, kind, self.store.clock.now(), failed=failed)
                self._read[conn.name, kind] = read
                self._found.reads.append(read)
                if read.failed is not None:
                    failed = read.failed if read.failed.next in ("later", "suspend") else None
                    self._unreachable(read)

    def _unreachable(self, read: Read) -> None:
        running = self.landscape.flow_of(read.kind)
        assert running is not None and read.failed is not None
        why = read.failed.reason
        one = Difference(UNREACHABLE, read.kind, running.name, None, {}, read.connection, "", why=why)
        one.trace = Trace("system", why, read.began)
        self._keep(one)

    def _readable(self, kind: str) -> list[str]:
        return [c for (c, k), read in self._read.items() if k == kind and read.failed is None]

    # the first look ----------------------------------------------------------------------------------------------

    def _first_look(self, kind: str) -> None:
        """Whatever differs is suspect; everything else is counted."""
        readable = self._readable(kind)
        after: int | None = 0
        while after is not None:
            with self.store.read() as tx:
                unit = Unit(tx, self.store.clock, "datong")
                survey = Survey(unit, self.landscape, kind, readable)
                after = self._judge_some(survey, after)
        with self.store.read() as tx:
            survey = Survey(Unit(tx, self.store.clock, "datong"), self.landscape, kind, readable)
            for connection in readable:
                self._meet(survey, self.landscape.connections[connection])

    def _judge_some(self, survey: Survey, after: int) -> int | None:
        """Some pages of records; gives the last one, None at the end."""
        for _ in range(_HELD):
            query = "SELECT id FROM records WHERE kind = ? AND id > ? ORDER BY id LIMIT ?"
            ids = [row[0] for row in run(survey.unit.tx, query, survey.kind, after, PAGE)]
            if not ids:
                return None
            after = ids[-1]
            suspects = []
            for judged in survey.judge(ids, self._fetch(survey.kind)):
                if judged.overtaken:
                    suspects.append((f"r{judged.record_id}", {"mark": ""}))
                elif judged.difference is not None and _lasts(judged.difference):
                    self._settle(survey, judged, judged.difference)
                elif judged.difference is not None:
                    suspects.append((judged.difference.key, {"mark": mark(judged.difference)}))
                else:
                    self._count(survey, judged)
            self.scratch.suspect(survey.kind, suspects)
            self.progress(f"compared {survey.kind}", len(ids))
            survey.unit.forget()
        return after

    def _fetch(self, kind: str) -> Callable[[str, Sequence[str]], dict[str, Met]]:
        return lambda connection, natives: self.scratch.get(kind, connection, natives)

    def _meet(self, survey: Survey, conn: Conn) -> None:
        """Those that nobody knows here."""
        strangers = Strangers(survey, conn)
        for page in self.scratch.pages(survey.kind, conn.name, unknown=True):
            if not survey.was_read(conn.name):
                for _ in page:
                    self.tally.leave_out(survey.running.name, survey.kind, "not read yet")
                continue
            told = [(one.key, {"mark": mark(one)}) for _, one in strangers.judged(page, self.scratch)]
            self.scratch.suspect(survey.kind, told)

    def _count(self, survey: Survey, judged: Judged, difference: Difference | None = None) -> None:
        flow = survey.running.name
        if judged.left_out:
            self.tally.leave_out(flow, survey.kind, judged.left_out)
        else:
            self.tally.count(flow, survey.kind, judged.sides, judged.companies, judged.currency, difference)

    # the second look ---------------------------------------------------------------------------------------------

    def _confirm(self, kinds: Sequence[str]) -> None:
        for number in range(1, ROUNDS + 1):
            suspected = self.scratch.suspected()
            if not suspected:
                return
            self._let_settle(suspected)
            for kind in kinds:
                for page in self.scratch.suspects(kind) if kind in suspected else ():
                    self._look_again(kind, dict(page), last=number == ROUNDS)
                    self.progress(f"confirmed {kind}", len(page))

    def _let_settle(self, suspected: Iterable[str]) -> None:
        """Wait until late commits are visible, and until whoever keeps the systems in agreement has looked."""
        now = self.store.clock.now()
        specs = [c.specs[k] for k in suspected for c in self.landscape.offering(k)]
        lag = max([max(spec.overlap, spec.read_lag) for spec in specs], default=timedelta(0))
        self.store.clock.sleep((lag + SETTLE).total_seconds())
        flows = [running for kind in suspected if (running := self.landscape.flow_of(kind)) is not None]
        until = now + min(max([(running.every or USUAL) for running in flows], default=USUAL) + MARGIN, LONGEST)
        while self.store.clock.now() < until and self._somebody_is_about_to_look(list(suspected), now):
            self.store.clock.sleep(1.0)

    def _somebody_is_about_to_look(self, kinds: Sequence[str], since: datetime) -> bool:
        with self.store.read() as tx:
            if not self._attended(tx):
                return False
            return any(
                (row := cursor_of(tx, connection, kind)) is None or row["read_at"] is None or row["read_at"] < since
                for kind in kinds
                for connection in self._readable(kind)
            )

    def _attended(self, tx: Transaction) -> bool:
        """Is there a service at work? On SQLite it holds the lease; else its schedule is kept up."""
        now = self.store.clock.now()
        if self.store.is_sqlite:
            return tx.execute(sa.select(leases.c.name).where(leases.c.until > now)).first() is not None
        return tx.execute(sa.select(schedule.c.flow).where(schedule.c.next_at > now - MARGIN)).first() is not None

    def _look_again(self, kind: str, suspects: dict[str, Any], *, last: bool) -> None:
        ids = [int(key[1:]) for key in suspects if key[0] == "r"]
        strange = [key[1:].partition(":")[::2] for key in suspects if key[0] == "n"]
        failed = self._read_again(kind, ids, strange)
        readable = [c for c in self._readable(kind) if c not in failed]
        with self.store.read() as tx:
            survey = Survey(Unit(tx, self.store.clock, "datong"), self.landscape, kind, self._readable(kind))
            settled = []
            for judged in survey.judge(ids, self._fetch(kind)):
                key = f"r{judged.record_id}"
                one = judged.difference
                if self._moves(judged, suspects[key]["mark"]):
                    if not last:
                        self.scratch.suspect(kind, [(key, {"mark": mark(one) if one is not None else ""})])
                        continue
                    one = self._still_moving(survey, judged)
                if one is not None and one.known is None and one.place not in readable:
                    one.known = Known("unconfirmed", failed.get(one.place, ""))
                self._settle(survey, judged, one)
                settled.append(key)
            for connection in {c for c, _ in strange}:
                natives = [native for c, native in strange if c == connection]
                self._settle_strangers(survey, connection, natives, failed)
                settled += [f"n{connection}:{native}" for native in natives]
            self.scratch.clear(kind, settled)
            self.scratch.clear(kind, [f"r{i}" for i in ids if i not in survey.unit.records])

    def _moves(self, judged: Judged, before: str) -> bool:
        """It is no longer as it was at the last look, so that nothing can be said yet."""
        one = judged.difference
        return judged.overtaken or (one is not None and one.known is None and mark(one) != before)

    def _still_moving(self, survey: Survey, judged: Judged) -> Difference:
        one = judged.difference or Difference(
            "stale", survey.kind, survey.running.name, judged.record_id, dict(judged.places), "", ""
        )
        one.known = Known("moving", "it changed between all looks")
        return one

    def _read_again(self, kind: str, ids: Sequence[int], strange: Sequence[tuple[str, str]]) -> dict[str, str]:
        """Everything of these records, on every side; gives the connections that failed, and why."""
        wanted: dict[str, list[str]] = {}
        with self.store.read() as tx:
            unit = Unit(tx, self.store.clock, "datong")
            for record_id in unit.load(ids):
                for link in unit.links_of(record_id):
                    if link.state in ("live", "inactive", "missing"):
                        wanted.setdefault(link.connection, []).append(link.native_id)
        for connection, native in strange:
            wanted.setdefault(connection, []).append(native)
        failed: dict[str, str] = {}
        for connection, natives in wanted.items():
            if connection in self._readable(kind):
                conn = self.landscape.connections[connection]
                fate = attempt(partial(self._by_id, conn, kind, natives))
                if fate is not None:
                    failed[connection] = fate.reason
        return failed

    def _by_id(self, conn: Conn, kind: str, natives: Sequence[str]) -> None:
        self.looker.by_id(conn, kind, natives)

    def _settle(self, survey: Survey, judged: Judged, one: Difference | None) -> None:
        self._count(survey, judged, one)
        if one is None:
            self._found.healed += 1
            return
        link = survey.unit.link_in(judged.record_id, one.place)
        met = self.scratch.get(survey.kind, one.place, [link.native_id]).get(link.native_id) if link else None
        if one.known is None:
            rows = entries(survey.unit.tx, record_id=judged.record_id, newest=True, limit=_ROWS)
            one.trace = traced(one, link, met, rows)
        self._keep(one)

    def _settle_strangers(
        self, survey: Survey, connection: str, natives: Sequence[str], failed: dict[str, str]
    ) -> None:
        met = self.scratch.get(survey.kind, connection, natives)
        there = [one for one in met.values() if one.form is not None]
        strangers = Strangers(survey, self.landscape.connections[connection])
        known = 0
        for stranger, one in strangers.judged(there, self.scratch):
            known += 1
            if one.known is None and connection in failed:
                one.known = Known("unconfirmed", failed[connection])
            looked = survey.last_look(connection)
            one.trace = traced(one, None, stranger.met, (), looked) if one.known is None else None
            company = str(stranger.side.values.get("company") or "")
            self.tally.count(survey.running.name, survey.kind, [stranger.side], [company], "", one)
            self._keep(one)
        self._found.healed += len(natives) - known

    def _keep(self, one: Difference) -> None:
        """A finding. What is known comes after what is not."""
        if one.known is None:
            self._found.classes[one.cls] = self._found.classes.get(one.cls, 0) + 1
        else:
            self._found.waiting[one.known.code] = self._found.waiting.get(one.known.code, 0) + 1
        rank = CLASSES.index(one.cls) + (len(CLASSES) if one.known is not None else 0)
        self.scratch.find(rank, told(one))


def _lasts(one: Difference) -> bool:
    """Known, and not to change until somebody acts: a second look tells nothing more."""
    return one.known is not None and one.known.code in ("parked", "conflict", "held", "rests")


def mark(one: Difference) -> str:
    """Equal for the same difference with the same values."""
    return digest([one.cls, one.place, one.other, sorted(one.natives.items()), [f.told for f in one.fields]])


def told(one: Difference) -> dict[str, Any]:
    """A difference as a document."""
    trace = one.trace
    return {
        "class": one.cls,
        "flow": one.flow,
        "kind": one.kind,
        "record": one.record_id,
        "name": one.name,
        "person": one.person,
        "place": one.place,
        "natives": one.natives,
        "other": one.other,
        "why": one.why,
        "fields": [field.told for field in one.fields],
        "known": {"code": one.known.code, "why": one.known.why} if one.known is not None else None,
        "since": to_text(trace.since) if trace is not None and trace.since else None,
        "since_exact": trace.exact if trace is not None else None,
        "cause": trace.cause if trace is not None else None,
        "because": trace.why if trace is not None else "",
        "journal_row": trace.row if trace is not None else None,
    }
