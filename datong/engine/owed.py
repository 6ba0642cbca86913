"""What the store says is to be done now, by flow: hints to follow, deliveries due, connections to try again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from datong.base.clock import to_text
from datong.engine import health
from datong.engine.intake import changed_maps
from datong.engine.jobs import claimable
from datong.engine.landscape import Landscape
from datong.engine.reading import BACKLOG
from datong.store import Store, Transaction
from datong.store.bulk import run


@dataclass
class Hinted:
    """Flows with hints that can be followed now, and those with a backlog of them."""

    flows: set[str] = field(default_factory=set)
    backlog: set[str] = field(default_factory=set)


class Books:
    """Reads what is owed. What rests (a connection, a flow of it, a kind whose map changed) is owed nothing."""

    def __init__(self, tx: Transaction, landscape: Landscape, store: Store, now: datetime) -> None:
        self._tx = tx
        self._landscape = landscape
        self._now = now
        self._store = store
        self._changed = set(changed_maps(tx, landscape))

    def hinted(self) -> Hinted:
        found = Hinted()
        waiting = run(self._tx, "SELECT connection, kind, COUNT(*) FROM inbox GROUP BY connection, kind")
        for connection, kind, many in waiting:
            name = self._flow(connection, kind)
            if name is None or health.resting(self._tx, connection, "", self._now):
                continue
            found.flows.add(name)
            if many > BACKLOG:
                found.backlog.add(name)
        return found

    def retries(self) -> set[str]:
        """Flows with a delivery whose time has come, on a connection that is well."""
        free, values = claimable(self._store, self._now)
        places = run(self._tx, f"SELECT DISTINCT connection, kind FROM due WHERE {free}", *values)
        return {name for connection, kind in places if (name := self._deliverable(connection, kind))}

    def probe(self) -> bool:
        """A connection that did not answer is to be tried again."""
        told = "SELECT connection FROM health WHERE flow = '' AND probes > 0 AND probe_at <= ?"
        return any(name in self._landscape.connections for (name,) in run(self._tx, told, to_text(self._now)))

    def settled(self, plan: str) -> bool:
        """The plan was applied, or is no more."""
        return run(self._tx, "SELECT state FROM plans WHERE id = ?", plan) != [("open",)]

    def _deliverable(self, connection: str, kind: str) -> str | None:
        """The flow. A connection in trouble is probed first, which a mere retry does not do."""
        name = self._flow(connection, kind)
        if name is None or not any(conn.name == connection for conn in self._landscape.targets(kind)):
            return None
        state = health.state_of(self._tx, connection)
        troubled = state is not None and state["probes"]
        return None if troubled or health.resting(self._tx, connection, name, self._now) else name

    def _flow(self, connection: str, kind: str) -> str | None:
        conn, running = self._landscape.connections.get(connection), self._landscape.flow_of(kind)
        if conn is None or running is None or kind not in conn.specs:
            return None
        return None if any(changed == kind for _, changed in self._changed) else running.name
