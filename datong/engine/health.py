"""How the connections are: suspended on a cause that is not a record's, probed, and well again."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from datong.engine.backoff import delay
from datong.store import Transaction
from datong.store.schema import health
from datong.store.unit import Unit
from datong.store.work import Item, close


def state_of(tx: Transaction, connection: str, flow: str = "") -> dict[str, Any] | None:
    row = (
        tx.execute(sa.select(health).where(health.c.connection == connection, health.c.flow == flow)).mappings().first()
    )
    return dict(row) if row else None


def may_write(tx: Transaction, connection: str, flow: str, now: datetime) -> bool:
    """Neither the connection nor this flow of it is suspended (a probe has to succeed first) or waits to be tried."""
    query = sa.select(health).where(health.c.connection == connection, health.c.flow.in_(["", flow]))
    rows = list(tx.execute(query).mappings())
    return not any(r["state"] == "suspended" or (r["probe_at"] is not None and r["probe_at"] > now) for r in rows)


def clock_offsets(tx: Transaction) -> dict[str, float]:
    """Connection -> seconds by which its clock is ahead of ours, where it was measured."""
    query = sa.select(health.c.connection, health.c.clock_offset).where(health.c.clock_offset.is_not(None))
    return {row.connection: row.clock_offset for row in tx.execute(query)}


def resting(tx: Transaction, connection: str, flow: str, now: datetime) -> bool:
    """The connection, or this flow of it, is suspended and its next probe has not come."""
    query = sa.select(health).where(health.c.connection == connection, health.c.flow.in_(["", flow]))
    for row in tx.execute(query).mappings():
        if row["state"] == "suspended" and (row["probe_at"] is None or row["probe_at"] > now):
            return True
        if row["state"] == "well" and row["probe_at"] is not None and row["probe_at"] > now:
            return True
    return False


def suspend(unit: Unit, connection: str, flow: str, cause: str, reason: str, remedy: str) -> bool:
    """Rest until a probe succeeds (a flow: until a person says so); one item says why. False: it rested already."""
    known = state_of(unit.tx, connection, flow)
    probes = (known["probes"] if known else 0) + 1
    _set(
        unit.tx,
        connection,
        flow,
        state="suspended",
        cause=reason,
        remedy=remedy,
        since=unit.now if not known or known["state"] != "suspended" else known["since"],
        probe_at=None if flow else unit.now + delay(probes, Random(probes)),
        probes=probes,
    )
    opened = unit.open(
        Item(
            "parked",
            cause,
            f"suspended:{connection}:{flow}",
            f"{connection}{' ' + flow if flow else ''} rests: {reason}",
            remedy,
            connection=connection,
            flow=flow or None,
        )
    )
    unit.note("suspended", connection=connection, flow=flow or None, why=reason)
    return opened is not None


def pause(unit: Unit, connection: str, reason: str, random: Random, asked: float | None = None) -> None:
    """Not reachable just now: nobody calls before the back-off has passed, or what the system asked for; no item, it
    heals by itself."""
    known = state_of(unit.tx, connection)
    if known and known["state"] == "suspended":
        return
    probes = (known["probes"] if known else 0) + 1
    again = unit.now + delay(probes, random, asked)
    _set(unit.tx, connection, "", state="well", cause=reason, probe_at=again, probes=probes)
    if probes == 1:
        unit.note("unreachable", connection=connection, why=reason)


def recover(unit: Unit, connection: str, flow: str = "") -> None:
    """It answers again."""
    known = state_of(unit.tx, connection, flow)
    if known is None or (known["state"] == "well" and not known["probes"]):
        return
    _set(unit.tx, connection, flow, state="well", cause=None, remedy=None, since=None, probe_at=None, probes=0)
    close(unit.tx, unit.clock, unit.actor, subjects=[f"suspended:{connection}:{flow}"])
    if known["state"] == "suspended" or known["probes"]:
        unit.note("resumed", connection=connection, flow=flow or None, why="it answers again")


def know_identity(unit: Unit, connection: str, identity: str, offset: timedelta | None) -> str | None:
    """Remember which database answers; gives the one known before if it is another."""
    known = state_of(unit.tx, connection)
    before = known["identity"] if known else None
    if before is not None and before != identity:
        return str(before)
    _set(
        unit.tx,
        connection,
        "",
        identity=identity,
        clock_offset=offset.total_seconds() if offset is not None else None,
    )
    return None


def _set(tx: Transaction, connection: str, flow: str, **values: Any) -> None:
    if state_of(tx, connection, flow) is None:
        tx.execute(health.insert().values(connection=connection, flow=flow, **values))
    else:
        tx.execute(health.update().where(health.c.connection == connection, health.c.flow == flow).values(**values))
