"""What is due now as a plan: the changes, their totals, what the mass guard says of them, and what still holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from datong.base import json
from datong.base.clock import to_text
from datong.base.errors import NotFound, UsageError
from datong.canon import KINDS
from datong.engine.asking import answers, asked, unanswered
from datong.engine.evaluate import Evaluator
from datong.engine.guard import Limits, Tally, tripped
from datong.engine.intake import Taken, drop_run
from datong.engine.landscape import Conn, Landscape, only_computed
from datong.engine.lately import CREATED_SINCE, HOUR, Lately
from datong.engine.plan import Change
from datong.engine.references import References
from datong.engine.undo import NOT, REVERSIBLE, way_back
from datong.engine.undoing import StepOf, keep_steps
from datong.store import Store, Transaction
from datong.store.bulk import run
from datong.store.journal import Entry, append
from datong.store.schema import due, links, plan_changes, plans
from datong.store.unit import FAR, Unit, chunks
from datong.store.work import open_conflicts

_REFERENCE = re.compile(f"({'|'.join(KINDS)}):[0-9]+")
_WEEK = timedelta(days=7)


@dataclass
class PlannedChange:
    flow: str
    kind: str
    connection: str
    action: str
    record_id: int
    source: str
    name: str
    native_id: str | None
    reason: str
    reversible: str
    fields: dict[str, dict[str, Any]]

    @property
    def digest(self) -> str:
        return json.digest(
            [self.connection, self.action, self.native_id, {n: v["after"] for n, v in self.fields.items()}]
        )


class Planner:
    """Reads what is due out of the store, and keeps plans there."""

    def __init__(self, store: Store, landscape: Landscape, actor: str) -> None:
        self.store = store
        self.landscape = landscape
        self.actor = actor
        self.lately = Lately(store)

    def changes(
        self, unit: Unit, kinds: Sequence[str], only: Collection[int] | None = None, *, fresh: bool = False
    ) -> Iterator[PlannedChange]:
        """The change of every delivery due now; `only` of these records. `fresh`: that was not tried yet."""
        evaluator = Evaluator(unit, self.landscape, References(unit, self.landscape))
        now = unit.now
        for kind in kinds:
            for conn in self.landscape.targets(kind):
                query = sa.select(due.c.record_id, due.c.task).where(
                    due.c.connection == conn.name, due.c.kind == kind, due.c.at <= now
                )
                if fresh:
                    query = query.where(due.c.attempts == 0)
                rows = [r for r in unit.tx.execute(query.order_by(due.c.id)) if only is None or r.record_id in only]
                for some in chunks(rows):
                    yield from self._page(unit, evaluator, conn, some)

    def _page(self, unit: Unit, evaluator: Evaluator, conn: Conn, rows: Sequence[Any]) -> Iterator[PlannedChange]:
        ids, refs = [row.record_id for row in rows], evaluator.references
        loaded, conflicts = unit.load(ids), open_conflicts(unit.tx, ids)
        for row in rows:
            record = loaded.get(row.record_id)
            running = self.landscape.flow_of(record.kind) if record else None
            if record is None or running is None:
                continue
            mine = [k for k in unit.links_of(record.id) if k.connection == conn.name]
            if row.task == "delete":
                for link in mine:
                    yield _planned_change(
                        unit, evaluator.references, running.name, record, conn, Change("delete"), link.native_id
                    )
            elif not mine:
                change = evaluator.change(running, record, conn, None, conflicts.get(record.id, set()))
                yield _planned_change(unit, refs, running.name, record, conn, change, None)
            for link in mine if row.task != "delete" else ():
                change = evaluator.change(running, record, conn, link, conflicts.get(record.id, set()))
                if link.here and change.something:
                    yield _planned_change(
                        unit, evaluator.references, running.name, record, conn, change, link.native_id
                    )

    def tripped(self, unit: Unit, taken: Taken) -> str:
        """What the mass guard says of everything due now and done in the last hour.

        Records joined in this run, or created within the hour, are still being filled in: they do not count, nor does
        what a person accepted.
        """
        hour = to_text(unit.now - HOUR)
        updates = {place: len(ids) for place, ids in _counted(unit.tx, "deliver", hour, taken.first_links).items()}
        deletes = {place: len(ids) for place, ids in _counted(unit.tx, "delete", None, set()).items()}
        if not updates and not deletes:
            return ""
        done = self.lately.counts(unit.now)
        limits = {k: r.limits for r in self.landscape.flows.values() for k in r.flow.kinds}
        tallies: dict[tuple[str, str], Tally] = {}
        for place in {*updates, *deletes}:
            many = [
                counted.get(place, 0) + (done.get((event, *place), 0) if counted.get(place) else 0)
                for event, counted in (("updated", updates), ("deleted", deletes))
            ]
            enough = limits.get(place[1], Limits()).enough(*many)
            if tripped({place: Tally(self._linked(unit, place, enough), *many)}, limits):
                many[0] -= self._only_computed(unit, place, taken.first_links) if updates.get(place) else 0
                tallies[place] = Tally(self._linked(unit, place), *many)
        return "; ".join(tripped(tallies, limits))

    def _only_computed(self, unit: Unit, place: tuple[str, str], first_links: set[int]) -> int:
        """Of the updates due at a place, those that write nothing but computed fields: on a new day these are many."""
        conn, running = self.landscape.connections[place[0]], self.landscape.flow_of(place[1])
        if running is None or not running.tells:
            return 0
        evaluator, found = Evaluator(unit, self.landscape, References(unit, self.landscape)), 0
        for some in chunks(_counted(unit.tx, "deliver", to_text(unit.now - HOUR), first_links)[place]):
            loaded = unit.load(some)
            for record in loaded.values():
                mine = [k for k in unit.links_of(record.id) if k.connection == conn.name and k.here]
                changes = [evaluator.change(running, record, conn, link, set()) for link in mine]
                found += all(only_computed(running, change) for change in changes)
        return found

    def _linked(self, unit: Unit, place: tuple[str, str], enough: int | None = None) -> int:
        """How many records of a kind are linked in a connection; counted no further than `enough`."""
        query = sa.select(links.c.id).where(
            links.c.connection == place[0], links.c.kind == place[1], links.c.state == "live"
        )
        return unit.tx.execute(sa.select(sa.func.count()).select_from(query.limit(enough).subquery())).scalar() or 0

    def calls(self, changes: Mapping[tuple[str, str, str], int]) -> int:
        """Requests that the writes will take: looking first, then writing, by batches."""
        total = 0
        for (connection, kind, action), many in changes.items():
            spec = self.landscape.connections[connection].specs[kind]
            batches = -(-many // max(spec.batch, 1))
            searches = (1 if spec.map.own_key else 0) + len(spec.find_by) if action == "create" else 0
            looks = 0 if spec.guard or action != "update" else 1
            total += batches * (1 + searches + looks)
        return total

    def keep(
        self,
        run: str,
        flows: Sequence[str],
        totals: dict[str, Any],
        stopped: str,
        buffer: Any,
        *,
        undo: tuple[str, Sequence[StepOf]] | None = None,
        about: str = "",
        asks: Sequence[list[str]] = (),
    ) -> list[list[str]]:
        """`undo`: what is taken back, in words, and the steps. `about`: what differs from the live configuration, for a
        plan of another one. `asks`: who must agree for a reason beside its size. Gives everybody who must, and why."""
        counts: Counter[tuple[str, str, str]] = Counter()
        with self.store.write() as tx:
            self._expire(tx)
            content = sha256(self.landscape.config_version.encode())
            numbered = enumerate((PlannedChange(**json.loads(line)) for line in buffer), 1)
            for some in chunks(numbered):
                rows = [{"plan_id": run, "number": n, "digest": c.digest, **c.__dict__} for n, c in some]
                content.update("".join(row["digest"] for row in rows).encode())
                counts.update((c.flow, c.connection, c.action) for _, c in some)
                tx.execute(plan_changes.insert(), rows)
            if undo is not None:
                keep_steps(tx, run, undo[1])
                content.update(json.canonical([[one.record_id, vars(one.step)] for one in undo[1]]))
            everybody = [*asks, *asked(self.landscape.asking, counts)]
            tx.execute(
                plans.insert().values(
                    id=run,
                    at=self.store.clock.now(),
                    author=self.actor,
                    flows=list(flows),
                    config_version=self.landscape.config_version,
                    what="undo" if undo is not None else "configuration" if about else "sync",
                    about=undo[0] if undo is not None else about,
                    state="open",
                    totals=totals,
                    stopped=stopped or None,
                    digest=content.hexdigest()[:32],
                    asks=everybody or None,
                )
            )
            append(tx, self.store.clock, self.actor, [Entry("planned", why=run, body={"totals": totals})])
        return everybody

    def _expire(self, tx: Transaction) -> None:
        """Plans nobody applied within a week: what was read for them is let go."""
        old = self.store.clock.now() - _WEEK
        for plan_id in list(
            tx.execute(sa.select(plans.c.id).where(plans.c.state == "open", plans.c.at < old)).scalars()
        ):
            self._let_go(tx, plan_id)

    def one_stopped(self, tx: Transaction, plan_id: str) -> str:
        """Of plans that were stopped (by the mass guard, or for approval) only one stays open: an older one of the same
        changes, else this one. One that was rejected stays so while the changes are the same."""
        query = sa.select(plans.c.id, plans.c.state).where(
            plans.c.state.in_(("open", "rejected")),
            sa.or_(plans.c.stopped.is_not(None), plans.c.asks.is_not(None)),
            plans.c.what == "sync",
            plans.c.author == self.actor,
            plans.c.id != plan_id,
        )
        wanted = self._digests(tx, plan_id)
        kept = plan_id
        for old, state in list(tx.execute(query)):
            if kept == plan_id and self._digests(tx, old) == wanted:
                kept = old
            elif state == "open":
                self._let_go(tx, old)
        if kept != plan_id:
            self._let_go(tx, plan_id)
        return kept

    def _digests(self, tx: Transaction, plan_id: str) -> list[str]:
        query = sa.select(plan_changes.c.digest).where(plan_changes.c.plan_id == plan_id)
        return sorted(tx.execute(query).scalars())

    def _let_go(self, tx: Transaction, plan_id: str) -> None:
        drop_run(tx, plan_id)
        tx.execute(plans.update().where(plans.c.id == plan_id).values(state="expired"))

    def discard(self, plan_id: str) -> None:
        """Nobody needs the plan."""
        with self.store.write() as tx:
            self._let_go(tx, plan_id)

    def open_plan(self, plan_id: str) -> dict[str, Any]:
        """An open plan made under the present configuration. Raises NotFound or UsageError."""
        with self.store.read() as tx:
            plan = plan_row(tx, plan_id)
            if plan["state"] != "open":
                raise UsageError(
                    f"the plan {plan_id} was {plan['state']} already", remedy="make a new one with `datong plan`"
                )
            if plan["config_version"] != self.landscape.config_version:
                raise UsageError(
                    f"the plan {plan_id} was made under another configuration",
                    remedy="make a new one with `datong plan`",
                )
            self._agreed_to(tx, plan)
        return dict(plan)

    def _agreed_to(self, tx: Transaction, plan: Mapping[str, Any]) -> None:
        """Raises UsageError where somebody is asked who has not agreed."""
        left = unanswered(plan, answers(tx, plan["id"]))
        if left:
            told = "; ".join(f"{by} ({why})" for by, why in left)
            raise UsageError(
                f"the plan {plan['id']} needs the approval of {told}",
                remedy=f"one of them, other than its author {plan['author']}: `datong plans approve {plan['id']}`",
            )

    def fresh_counts(self, unit: Unit, kinds: Sequence[str]) -> Counter[tuple[str, str, str]]:
        """(flow, connection, action) -> changes that are due for the first time."""
        return Counter((c.flow, c.connection, c.action) for c in self.changes(unit, kinds, fresh=True))

    def still_holding(
        self, unit: Unit, plan_id: str, kinds: Sequence[str], only: Collection[int] | None = None
    ) -> tuple[set[tuple[int, str]], list[dict[str, Any]]]:
        """(record, connection) pairs whose change is the planned one, and the planned changes that moved."""
        query = sa.select(plan_changes).where(plan_changes.c.plan_id == plan_id)
        planned = {(r["connection"], r["source"], r["action"]): dict(r) for r in unit.tx.execute(query).mappings()}
        pairs: set[tuple[int, str]] = set()
        for change in self.changes(unit, kinds, only):
            row = planned.get((change.connection, change.source, change.action))
            if row is not None and row["digest"] == change.digest:
                planned.pop((change.connection, change.source, change.action))
                pairs.add((change.record_id, change.connection))
        moved = [
            {k: r[k] for k in ("flow", "kind", "connection", "action", "native_id", "source")} for r in planned.values()
        ]
        return pairs, moved


def plan_row(tx: Transaction, plan_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    plan = tx.execute(sa.select(plans).where(plans.c.id == plan_id)).mappings().first()
    if plan is None:
        raise NotFound(f"there is no plan {plan_id}", remedy="`datong plan` makes one")
    return dict(plan)


def _readable(references: References, value: Any) -> Any:
    """A reference by the code or name that people know it by."""
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        return references.label(value)
    return value


def _planned_change(
    unit: Unit, references: References, flow: str, record: Any, conn: Conn, change: Change, native_id: str | None
) -> PlannedChange:
    shown = {
        n: {"before": _readable(references, before), "after": _readable(references, after)}
        for n, (before, after) in change.fields.items()
    }
    origins = sorted({o for n in shown if (o := record.came_from(n)[0])})
    reasons = {
        "create": f"it stands in {', '.join(sorted({k.connection for k in unit.links_of(record.id)}))} only",
        "update": _changed_in(origins),
        "delete": "it was deleted on the other side",
    }
    source = next((f"{k.connection}:{k.kind}:{k.native_id}" for k in unit.links_of(record.id)), f"record:{record.id}")
    reversible = {"update": REVERSIBLE, "delete": NOT}.get(change.action, "")
    if change.action == "create":
        reversible = way_back(conn.specs[record.kind].map, record.kind, record.agreed).way
    return PlannedChange(
        flow,
        record.kind,
        conn.name,
        change.action,
        record.id,
        source,
        record.agreed.get("name") or record.agreed.get("sku") or "",
        native_id,
        reasons[change.action],
        reversible,
        shown,
    )


def _changed_in(origins: Sequence[str]) -> str:
    if origins == ["person"]:
        return "decided by a person"
    return f"changed in {', '.join(origins)}" if origins else "brought into agreement"


def _counted(tx: Transaction, task: str, young: str | None, leave_out: set[int]) -> dict[tuple[str, str], list[int]]:
    """(connection, kind) -> records due there that are linked there and were not created since `young`."""
    condition = f" AND NOT {CREATED_SINCE.format('due')}" if young else ""
    rows = run(
        tx,
        "SELECT DISTINCT due.connection, due.kind, due.record_id "
        "FROM due JOIN links ON links.record_id = due.record_id AND links.connection = due.connection "
        f"WHERE due.task = ? AND due.at < ?{condition}",
        task,
        FAR,
        *((young,) if young else ()),
    )
    found: dict[tuple[str, str], list[int]] = {}
    for connection, kind, record_id in rows:
        if record_id not in leave_out:
            found.setdefault((connection, kind), []).append(record_id)
    return found
