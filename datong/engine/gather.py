"""Reading every connection that is well; one that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random

from datong.base.errors import WrongSystem
from datong.engine import health
from datong.engine.landscape import Conn, Landscape
from datong.engine.outcome import Fate, attempt
from datong.engine.reading import BACKLOG, SET_BACK, Reader, cursor_of
from datong.store import Store, Transaction
from datong.store.bulk import Columns, run
from datong.store.schema import links
from datong.store.unit import Unit

_NEVER = 10**9
_MISSING = Columns(links, ("native_id",))


class Gatherer:
    """Goes round the connections. `problems` collects what went wrong on the way."""

    def __init__(self, store: Store, landscape: Landscape, actor: str, random: Random) -> None:
        self.store = store
        self.landscape = landscape
        self.actor = actor
        self.random = random
        self.problems: list[str] = []
        self._checked: set[str] = set()

    def gather(
        self,
        reader: Reader,
        kinds: Sequence[str],
        *,
        full: bool = False,
        hints_only: bool = False,
        sweep: bool | None = None,
    ) -> list[int]:
        """Read every connection that is well; gives the hints answered. One that fails stops no other."""
        answered: list[int] = []
        compared: set[str] = set()
        for conn in self.landscape.connections.values():
            if not self._awake(conn):
                continue

            def read_all(conn: Conn = conn) -> None:
                for kind in kinds:
                    if kind in conn.specs and conn.specs[kind].reads != "never":
                        hinted = reader.hints(conn, kind, listed=not hints_only)
                        answered.extend(hinted)
                        if not hints_only:
                            now = full or bool(sweep) or len(hinted) > BACKLOG
                            swept = sweep is not False and self._sweep_is_due(conn, kind, now)
                            if swept and conn.name not in compared:
                                compared.add(conn.name)
                                self._check(conn)
                            reader.changes(conn, kind, full=full)
                            self._sweep(reader, conn, kind, swept, sweep)

            self.attempt(conn, read_all)
        return answered

    def _sweep_is_due(self, conn: Conn, kind: str, now: bool) -> bool:
        """By schedule, or when asked; a snapshot finds by itself what is no longer there."""
        running = self.landscape.flow_of(kind)
        if conn.specs[kind].reads == "snapshot" or running is None:
            return False
        with self.store.read() as tx:
            row = cursor_of(tx, conn.name, kind)
        last = row["sweep_at"] if row is not None else None
        return now or last is None or self.store.clock.now() >= last + running.sweep

    def _sweep(self, reader: Reader, conn: Conn, kind: str, due: bool, asked: bool | None) -> None:
        """Sweep for what is no longer there, or look once more for what was missing."""
        if conn.specs[kind].reads == "snapshot" or self.landscape.flow_of(kind) is None or asked is False:
            return
        with self.store.read() as tx:
            row = cursor_of(tx, conn.name, kind)
            missing = _MISSING.where(tx, "connection = ? AND kind = ? AND state = 'missing'", conn.name, kind)
            doubtful = [native_id for (native_id,) in missing]
        if row is None or row["baseline_at"] is None:
            return
        if due:
            reader.sweep(conn, kind)
        elif doubtful:
            reader.by_id(conn, kind, doubtful)

    def _awake(self, conn: Conn) -> bool:
        """Is the connection usable? Probes one whose time has come; checks its identity once a process."""
        now = self.store.clock.now()
        with self.store.read() as tx:
            state = health.state_of(tx, conn.name)
            rests = health.resting(tx, conn.name, "", now)
        if rests and state is not None:
            self.problems.append(f"{conn.name} rests: {state['cause']}")
            return False
        if conn.name in self._checked and (state is None or not state["probes"]):
            return True
        return self.attempt(conn, lambda: self._check(conn))

    def _check(self, conn: Conn) -> None:
        before = self.store.clock.now()
        checked = conn.connector.check()
        offset = checked.server_time - before if checked.server_time is not None else None
        with self.store.write() as tx:
            unit = Unit(tx, self.store.clock, self.actor)
            if offset is not None and offset < self._offset(tx, conn) - SET_BACK:
                unit.note("clock went back", connection=conn.name, why="its list of changes is read from the beginning")
                run(tx, "UPDATE cursors SET cursor = NULL WHERE connection = ?", conn.name)
            other = health.know_identity(unit, conn.name, checked.identity, offset)
            if other is not None:
                raise WrongSystem(
                    f"{conn.name} answers as {checked.identity}, but we know {other}",
                    remedy="is it a copy or a restored backup? Correct the address, or make a new connection for it",
                )
            health.recover(unit, conn.name)
            unit.flush()
        self._checked.add(conn.name)

    def _offset(self, tx: Transaction, conn: Conn) -> timedelta:
        """By how much its clock was ahead of ours when it was last compared."""
        return timedelta(seconds=health.clock_offsets(tx).get(conn.name, -_NEVER))

    def attempt(self, conn: Conn, act: Callable[[], None]) -> bool:
        """Do something with a connection; what goes wrong is its health's affair and stops nothing else."""
        verdict = attempt(act)
        if verdict is not None:
            self._unwell(conn, verdict)
        return verdict is None

    def _unwell(self, conn: Conn, verdict: Fate) -> None:
        remedy = f" ({verdict.remedy})" if verdict.remedy else ""
        self.problems.append(f"{conn.name}: {verdict.reason}{remedy}")
        with self.store.write() as tx:
            unit = Unit(tx, self.store.clock, self.actor)
            if verdict.next in ("later", "look"):
                health.pause(unit, conn.name, verdict.reason, self.random, verdict.after)
            else:
                health.suspend(unit, conn.name, "", verdict.cause, verdict.reason, verdict.remedy)
            unit.flush()
        self._checked.discard(conn.name)
