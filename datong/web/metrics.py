"""What is counted and measured, in the Prometheus text format."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from datong.engine.landscape import Landscape
from datong.engine.worker import Cycle
from datong.store import Store, Transaction
from datong.store.schema import cursors, due, health, inbox, journal, seals
from datong.store.unit import FAR
from datong.store.work import count_open

ACTIONS = ("created", "updated", "deleted", "failed")
STATES = ("well", "unreachable", "suspended")


class Metrics:
    """Of one service. What lies in the store is looked up when asked for."""

    def __init__(self, store: Store, landscape: Landscape) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(InStore(store, landscape))
        mine = self._registry
        self._cycles = Counter("datong_cycles", "Cycles by kind and outcome", ["what", "outcome"], registry=mine)
        self._seconds = Histogram("datong_cycle_seconds", "Time that a cycle took", ["what"], registry=mine)
        self._records = Counter("datong_records", "Records written, by what became of them", ["action"], registry=mine)
        self._hints = Counter("datong_hints", "Hints noted", ["connection"], registry=mine)
        self._refused = Counter("datong_webhooks_refused", "Webhooks refused", ["connection", "status"], registry=mine)
        for action in ACTIONS:
            self._records.labels(action)
        for connection in landscape.connections:
            self._hints.labels(connection)

    def observe(self, cycle: Cycle) -> None:
        stopped = cycle.result is not None and cycle.result.stopped
        outcome = "failed" if cycle.result is None else "stopped" if stopped else "done"
        self._cycles.labels(cycle.what, outcome).inc()
        self._seconds.labels(cycle.what).observe(cycle.seconds)
        for action in ACTIONS if cycle.result is not None else ():
            self._records.labels(action).inc(getattr(cycle.result, action))

    def noted(self, connection: str, hints: int) -> None:
        self._hints.labels(connection).inc(hints)

    def refused(self, connection: str, status: int) -> None:
        self._refused.labels(connection, str(status)).inc()

    def text(self) -> bytes:
        return generate_latest(self._registry)


class InStore(Collector):
    """What waits, how the connections are, how old the reads are."""

    def __init__(self, store: Store, landscape: Landscape) -> None:
        self._store = store
        self._landscape = landscape

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        now = self._store.clock.now()
        with self._store.read() as tx:
            yield _waiting(tx)
            yield from _due(tx, now)
            yield _inbox(tx, self._landscape)
            yield _states(tx, self._landscape)
            yield _ages(tx, self._landscape, now)
            yield from _seals(tx)


def _waiting(tx: Transaction) -> Metric:
    family = GaugeMetricFamily("datong_waiting_items", "Open items that wait for a person", labels=["type"])
    for type_, many in count_open(tx).items():
        family.add_metric([type_], many)
    return family


def _due(tx: Transaction, now: datetime) -> Iterator[Metric]:
    many, oldest = tx.execute(
        sa.select(sa.func.count(), sa.func.min(due.c.at, type_=due.c.at.type)).where(due.c.at <= now)
    ).one()
    later = tx.execute(
        sa.select(sa.func.count()).where(due.c.at > now, due.c.at < sa.literal(FAR, sa.String))
    ).scalar_one()
    yield GaugeMetricFamily("datong_due_deliveries", "Deliveries whose time has come", value=many)
    yield GaugeMetricFamily("datong_due_later_deliveries", "Deliveries that will be tried again later", value=later)
    age = max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0
    yield GaugeMetricFamily("datong_due_oldest_seconds", "Age of the oldest delivery whose time has come", value=age)


def _inbox(tx: Transaction, landscape: Landscape) -> Metric:
    family = GaugeMetricFamily("datong_inbox_hints", "Hints not followed yet", labels=["connection"])
    query = sa.select(inbox.c.connection, sa.func.count()).group_by(inbox.c.connection)
    found = {row[0]: row[1] for row in tx.execute(query)}
    for connection in landscape.connections:
        family.add_metric([connection], found.get(connection, 0))
    return family


def _states(tx: Transaction, landscape: Landscape) -> Metric:
    """1 for the state that the connection is in."""
    family = GaugeMetricFamily("datong_connection_state", "How the connection is", labels=["connection", "state"])
    query = sa.select(health.c.connection, health.c.state, health.c.probes).where(health.c.flow == "")
    told = {row.connection: _state(row.state, row.probes) for row in tx.execute(query)}
    for connection in landscape.connections:
        for state in STATES:
            family.add_metric([connection, state], float(told.get(connection, "well") == state))
    return family


def _state(state: str, probes: int) -> str:
    return "unreachable" if state == "well" and probes else state


def _ages(tx: Transaction, landscape: Landscape, now: datetime) -> Metric:
    family = GaugeMetricFamily(
        "datong_last_read_seconds", "Time since the last read that succeeded", labels=["connection", "kind"]
    )
    for row in tx.execute(sa.select(cursors.c.connection, cursors.c.kind, cursors.c.read_at)):
        if row.connection in landscape.connections and row.read_at is not None:
            family.add_metric([row.connection, row.kind], max(0.0, (now - row.read_at).total_seconds()))
    return family


def _seals(tx: Transaction) -> Iterator[Metric]:
    many, last = tx.execute(sa.select(sa.func.count(), sa.func.max(seals.c.last))).one()
    rows = tx.execute(sa.select(sa.func.max(journal.c.id))).scalar() or 0
    yield CounterMetricFamily("datong_seals", "Seals on the journal", value=many)
    yield GaugeMetricFamily(
        "datong_journal_unsealed_rows", "Journal rows that no seal covers yet", value=rows - (last or 0)
    )
