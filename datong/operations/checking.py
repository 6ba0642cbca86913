"""Check the whole: systems reached, rights, clocks, loops, codes and required fields without a counterpart, cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from datong.base.errors import Problem, RemoteError
from datong.engine.cycle import Engine
from datong.engine.flow import NEWEST, Master
from datong.engine.intake import Intake, changed_maps, drop_run
from datong.engine.landscape import Conn, Running
from datong.engine.outcome import fate
from datong.engine.reading import Reader
from datong.kit import Checked
from datong.operations.actor import Actor, require
from datong.store.schema import links, records
from datong.store.unit import Unit, sent_of


@dataclass(frozen=True)
class Warned(Problem):
    """Something to know; it stops nothing."""


def check(engine: Engine, actor: Actor) -> dict[str, Any]:
    """`ok`, `connections[{name, ok, detail, ...}]`, `problems[{where, cause, remedy, severity}]`, `cost[...]`."""
    require(actor, "viewer", "check")
    checked: dict[str, Checked] = {}
    told: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for conn in engine.landscape.connections.values():
        told.append(_connection(engine, conn, checked, problems))
    problems += _same_system(checked)
    problems += _policies(engine)
    problems += _required(engine)
    problems += _maps(engine)
    problems += [p for name in checked for p in _discovered(engine, engine.landscape.connections[name])]
    if len(checked) == len(engine.landscape.connections):
        problems += unmapped_codes(engine)
    return {
        "ok": not any(not isinstance(p, Warned) for p in problems),
        "connections": told,
        "problems": [{**asdict(p), "severity": "warning" if isinstance(p, Warned) else "error"} for p in problems],
        "cost": cost(engine),
    }


def _connection(engine: Engine, conn: Conn, checked: dict[str, Checked], problems: list[Problem]) -> dict[str, Any]:
    where = f"connections.{conn.name}"
    before = engine.store.clock.now()
    try:
        answer = conn.connector.check()
    except RemoteError as error:
        verdict = fate(error)
        problems.append(Problem(where, verdict.reason, verdict.remedy or "see the connector's README"))
        return {"name": conn.name, "role": conn.role, "ok": False, "detail": verdict.reason}
    checked[conn.name] = answer
    for scope in answer.missing_scopes:
        problems.append(Problem(where, f"the right {scope} is missing", f"give it to {answer.user or 'the user'}"))
    for scope in answer.excess_scopes:
        problems.append(Warned(where, f"the right {scope} is not needed", "take it away: least rights are safest"))
    offset = (answer.server_time - before).total_seconds() if answer.server_time else None
    if offset is not None and abs(offset) > 120:
        problems.append(Warned(where, f"its clock is {offset:.0f} s off ours", "set one of the clocks right"))
    detail = answer.detail or f"{answer.identity} as {answer.user}".strip()
    return {
        "name": conn.name,
        "role": conn.role,
        "ok": not answer.missing_scopes,
        "detail": detail,
        "identity": answer.identity,
        "clock_offset": offset,
    }


def _same_system(checked: dict[str, Checked]) -> list[Problem]:
    """Two connections to one database would answer each other for ever."""
    seen: dict[str, str] = {}
    found: list[Problem] = []
    for name, answer in checked.items():
        if answer.identity in seen:
            found.append(
                Problem(
                    f"connections.{name}",
                    f"it is the same system as {seen[answer.identity]} ({answer.identity})",
                    "keep one connection to each system",
                )
            )
        seen.setdefault(answer.identity, name)
    return found


def _policies(engine: Engine) -> list[Problem]:
    """`newest` needs a change time on both sides."""
    found: list[Problem] = []
    for running in engine.landscape.flows.values():
        if not isinstance(running.flow, Master):
            continue
        newest = [n for n, p in running.policies.by_name.items() if p.clash == NEWEST and p.how == "shared"]
        for conn in engine.landscape.offering(running.flow.record.kind):
            if newest and not conn.specs[running.flow.record.kind].change_time:
                found.append(
                    Problem(
                        f"flows.{running.name}.fields",
                        f"{', '.join(newest)}: newest wins, but {conn.name} tells no change time",
                        "let an owner win (`shared: owner`), or ask (`shared: ask`)",
                    )
                )
    return found


def _required(engine: Engine) -> list[Problem]:
    """Fields that a create needs, and that the map or the flow does not bring."""
    found: list[Problem] = []
    for running in engine.landscape.flows.values():
        for kind in running.flow.kinds:
            for conn in engine.landscape.targets(kind):
                found.extend(_required_in(running, conn, kind))
    return found


def _required_in(running: Running, conn: Conn, kind: str) -> list[Problem]:
    spec = conn.specs[kind]
    return [
        Problem(
            f"maps.{conn.name}.{kind}",
            f"{conn.name} needs {name} to create a {kind}, and {running.name} does not bring it",
            f"map {name}, give it a policy, or switch creating off (`create: false`)",
        )
        for name in spec.required
        if running.create and (spec.map.named(name) is None or running.policy(name) is None)
    ]


def _maps(engine: Engine) -> list[Problem]:
    with engine.store.read() as tx:
        changed = changed_maps(tx, engine.landscape)
    return [
        Warned(
            f"maps.{connection}.{kind}", "the map changed; the kind rests", "`datong plan`, then `datong apply PLAN`"
        )
        for connection, kind in changed
    ]


def _discovered(engine: Engine, conn: Conn) -> list[Problem]:
    """Custom fields that the system describes and no map reads."""
    found: list[Problem] = []
    for kind in engine.landscape.kinds():
        if kind not in conn.specs or engine.landscape.is_reference(kind):
            continue
        spec = conn.specs[kind]
        mapped = {f.path for f in spec.map.fields} | {spec.map.own_key}
        try:
            told = [f for f in conn.connector.describe(spec) if f.custom and f.path not in mapped]
        except RemoteError as error:
            found.append(Warned(f"connections.{conn.name}", f"it does not tell its fields: {error}", error.remedy))
            continue
        for one in told:
            name = one.path.rpartition(".")[2]
            found.append(
                Warned(
                    f"maps.{conn.name}.{kind}",
                    f"the custom field {one.label or name} ({one.path}, {one.type}) of {conn.name} is not mapped",
                    f"to carry it, declare custom.{kind}.{name} and map custom.{name} to {{field: {one.path}}}",
                )
            )
    return found


def unmapped_codes(engine: Engine) -> list[Problem]:
    """Codes of reference tables without a counterpart on the other side: read now, nothing is kept."""
    kinds = [k for k in engine.landscape.kinds() if engine.landscape.is_reference(k)]
    run = "check"
    reader = Reader(engine.store, run)
    try:
        for conn in engine.landscape.connections.values():
            for kind in kinds:
                if kind in conn.specs:
                    reader.changes(conn, kind, full=True)
        with engine.store.trial() as tx:
            unit = Unit(tx, engine.store.clock, engine.actor)
            Intake(unit, engine.landscape).run(run)
            return [p for kind in kinds for p in _alone(engine, unit, kind)]
    except RemoteError as error:
        return [Problem("reference data", str(error), error.remedy)]
    finally:
        with engine.store.write() as tx:
            drop_run(tx, run)


def _alone(engine: Engine, unit: Unit, kind: str) -> list[Problem]:
    offering = {c.name: c for c in engine.landscape.offering(kind)}
    query = (
        sa.select(links.c.record_id, links.c.connection, links.c.native_id, links.c.sent, records.c.agreed)
        .join(records, records.c.id == links.c.record_id)
        .where(links.c.kind == kind, records.c.state == "active", links.c.state == "live")
        .order_by(links.c.id)
    )
    by_record: dict[int, list[Any]] = {}
    for row in unit.tx.execute(query):
        by_record.setdefault(row.record_id, []).append(row)
    found: list[Problem] = []
    for rows in by_record.values():
        here = rows[0]
        roles = {offering[r.connection].role for r in rows if r.connection in offering}
        others = [c.name for c in offering.values() if c.role not in roles]
        if others:
            held = sent_of(here.sent, here.agreed)
            told = " ".join(str(v) for v in (held.get("code"), held.get("name")) if v) or here.native_id
            found.append(
                Warned(
                    f"values.{here.connection}.{kind}",
                    f"the {kind} {told} of {here.connection} has no counterpart in {', '.join(others)}",
                    "tie it in the value table; records that use it are synced without it, and one item says so",
                )
            )
    return found


def cost(engine: Engine) -> list[dict[str, Any]]:
    """What an idle run costs: requests per run and per day."""
    rows: list[dict[str, Any]] = []
    for running in engine.landscape.flows.values():
        for kind in running.flow.kinds:
            for conn in engine.landscape.offering(kind):
                spec = conn.specs[kind]
                a_day = int(86400 / running.every.total_seconds()) if running.every else 0
                rows.append(
                    {
                        "flow": running.name,
                        "kind": kind,
                        "connection": conn.name,
                        "reads": spec.reads,
                        "requests_per_idle_run": spec.idle_requests,
                        "requests_per_day": spec.idle_requests * a_day,
                    }
                )
    return rows
