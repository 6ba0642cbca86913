"""How the connections are: suspended on a cause that is not a record's, probed, and well again."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from datong.engine.backoff import delay
from datong.store import Transaction
from datong.store.bulk import Columns, run
from datong.store.schema import health
from datong.store.unit import Unit
from datong.store.work import Item, close

_HEALTH = Columns(health, [column.name for column in health.c])
_STATE = Columns(health, ("state", "probe_at"))


def state_of(tx: Transaction, connection: str, flow: str = "") -> dict[str, Any] | None:
    rows = _HEALTH.where(tx, "connection = ? AND flow = ?", connection, flow)
    return dict(zip(_HEALTH.names, rows[0], strict=True)) if rows else None


def _states(tx: Transaction, connection: str, flow: str) -> list[tuple[str, datetime | None]]:
    """(state, when to try again) of the connection, and of this flow of it."""
    return _STATE.where(tx, "connection = ? AND flow IN ('', ?)", connection, flow)


def may_write(tx: Transaction, connection: str, flow: str, now: datetime) -> bool:
    """Neither the connection nor this flow of it is suspended (a probe has to succeed first) or waits to be tried."""
    known = _states(tx, connection, flow)
    return not any(state == "suspended" or (probe_at is not None and probe_at > now) for state, probe_at in known)


def clock_offsets(tx: Transaction) -> dict[str, float]:
    """Connection -> seconds by which its clock is ahead of ours, where it was measured."""
    return dict(run(tx, "SELECT connection, clock_offset FROM health WHERE clock_offset IS NOT NULL"))


def resting(tx: Transaction, connection: str, flow: str, now: datetime) -> bool:
    """The connection, or this flow of it, is suspended and its next probe has not come."""
    for state, probe_at in _states(tx, connection, flow):
        if state == "suspended" and (probe_at is None or probe_at > now):
            return True
        if state == "well" and probe_at is not None and probe_at > now:
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
