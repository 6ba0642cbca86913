"""Reconciliation: both sides compared, the repair proposed as a plan, the report signed and kept."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from datong import __version__
from datong.base import json
from datong.base.clock import from_text, to_text
from datong.base.errors import NotFound, UsageError
from datong.canon import catalogue, known_by
from datong.engine.cycle import Engine, Place
from datong.engine.reconcile import CLASSES, Found, Reconciler
from datong.engine.reconcile.explain import called
from datong.engine.reconcile.model import UNREACHABLE
from datong.engine.reconcile.trace import CAUSES
from datong.operations.actor import Actor, require
from datong.operations.sync import check_flows
from datong.store import reports
from datong.store.bulk import Columns
from datong.store.journal import Entry, append, signed_by
from datong.store.reports import Keeping
from datong.store.schema import cursors, plan_changes, records
from datong.store.scratch import Scratch
from datong.store.unit import Unit
from datong.store.work import Item, close

LISTED = 5000
"""Differences that a report lists and a plan repairs; of more it tells the number, and the next one goes on."""
FORMAT = 1
SIGNATURE = "datong signature:"
"""What the last line of a signed page begins with, within its comment."""
_AGES = (("hour", timedelta(hours=1)), ("day", timedelta(days=1)), ("week", timedelta(days=7)))
_REFERENCE = re.compile(r"[a-z_]+:[0-9]+")
_CURSORS = Columns(cursors, ("connection", "kind", "cursor", "read_at", "baseline_at", "sweep_at"))
_NAMED = Columns(records, ("id", "agreed"))


def reconcile(
    engine: Engine,
    actor: Actor,
    flows: Sequence[str] = (),
    *,
    plan: bool = True,
    keeping: Keeping = Keeping(),  # noqa: B008  frozen
) -> dict[str, Any]:
    """Compare both sides in full; gives the report, signed and kept. With `plan` the repair is saved as a plan. Nothing
    is written to any system."""
    require(actor, "viewer", "reconcile")
    check_flows(engine, flows)
    name = f"reconcile-{engine.store.clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    with Scratch() as scratch:
        found = Reconciler(engine.store, engine.landscape, scratch, engine.progress).run(flows)
        listed = _first(found.findings(), LISTED)
        planned = _proposed(engine, listed, flows) if plan else None
        body = _document(engine, actor, name, flows, found, listed, planned)
    signed = {**body, "signature": engine.sealer.sign(json.canonical(body))}
    _keep(engine, actor, signed, found, keeping)
    return signed


def _first(findings: Iterable[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    for one in findings:
        if len(listed) == most:
            break
        listed.append(one)
    return listed


# the repair ----------------------------------------------------------------------------------------------------------


def _proposed(engine: Engine, listed: Sequence[dict[str, Any]], flows: Sequence[str]) -> dict[str, Any] | None:
    """The plan that puts right what is listed and not known; each difference is told what it does about it."""
    natives: dict[Place, list[str]] = {}
    for one in listed:
        if one["known"] is None and one["class"] != UNREACHABLE:
            for connection, native in one["natives"].items():
                natives.setdefault((connection, one["kind"]), []).append(native)
    if not natives:
        return None
    planned = engine.propose(natives, flows)
    by_record, by_source = _planned(engine, planned["id"])
    for one in listed:
        if one["known"] is None:
            sources = [f"{c}:{one['kind']}:{native}" for c, native in one["natives"].items()]
            changes = by_record.get(one["record"] or 0, []) or [n for s in sources for n in by_source.get(s, [])]
            told = list({(c["action"], c["connection"]): c for c in changes}.values())
            one["repair"] = {"how": "plan" if told else "person", "changes": told}
    return planned


_Change = dict[str, str]


def _planned(engine: Engine, plan_id: str) -> tuple[dict[int, list[_Change]], dict[str, list[_Change]]]:
    """By record and by source, what a plan would do."""
    by_record: dict[int, list[_Change]] = {}
    by_source: dict[str, list[_Change]] = {}
    query = sa.select(
        plan_changes.c.record_id, plan_changes.c.source, plan_changes.c.action, plan_changes.c.connection
    ).where(plan_changes.c.plan_id == plan_id)
    with engine.store.read() as tx:
        for row in tx.execute(query):
            told = {"action": row.action, "connection": row.connection}
            by_record.setdefault(row.record_id, []).append(told)
            by_source.setdefault(row.source, []).append(told)
    return by_record, by_source


# the report ----------------------------------------------------------------------------------------------------------


def _document(
    engine: Engine,
    actor: Actor,
    name: str,
    flows: Sequence[str],
    found: Found,
    listed: Sequence[dict[str, Any]],
    planned: Mapping[str, Any] | None,
) -> dict[str, Any]:
    finished = found.finished_at or engine.store.clock.now()
    differing, waiting = sum(found.classes.values()), sum(found.waiting.values())
    titles = {running.name: running.flow for running in engine.landscape.flows.values()}
    agreement = [
        {**one, "flow_en": titles[one["flow"]].en, "flow_zh": titles[one["flow"]].zh} for one in found.tally.agreement()
    ]
    body = {
        "datong_reconciliation": FORMAT,
        "id": name,
        "instance": engine.store.instance,
        "version": __version__,
        "config_version": engine.landscape.config_version,
        "actor": actor.name,
        "started_at": to_text(found.started_at),
        "finished_at": to_text(finished),
        "flows": list(flows) or [running.name for running in engine.landscape.flows.values() if running.flow.kinds],
        "connections": _connections(engine, found),
        "compared": sum(one["compared"] for one in agreement),
        "equal": sum(one["equal"] for one in agreement),
        "differing": differing,
        "waiting": waiting,
        "looked_at_twice": found.suspected,
        "healed": found.healed,
        "classes": {cls: found.classes[cls] for cls in CLASSES if cls in found.classes},
        "waits": [{**called(code), "records": n} for code, n in sorted(found.waiting.items())],
        "agreement": agreement,
        "counts": found.tally.counts(),
        "money": found.tally.money(),
        "ages": _ages(listed, finished),
        "plan": _plan_told(planned),
        "differences": _shown(engine, listed),
        "not_listed": differing + waiting - len(listed),
    }
    with engine.store.read() as tx:
        return {**body, "journal": engine.sealer.last(tx)}


def _connections(engine: Engine, found: Found) -> list[dict[str, Any]]:
    with engine.store.read() as tx:
        known = {row[:2]: row[2:] for row in _CURSORS.where(tx, "1 = 1")}
    told = []
    for conn in engine.landscape.connections.values():
        reads = [read for read in found.reads if read.connection == conn.name]
        told.append(
            {
                "name": conn.name,
                "role": conn.role,
                "system": conn.connector.name,
                "identity": found.identities.get(conn.name, ""),
                "kinds": [
                    {
                        "kind": read.kind,
                        "began": to_text(read.began),
                        "ended": _text(read.ended),
                        "records": read.records,
                        "missed_by_the_list": read.missed,
                        "failed": read.failed.reason if read.failed is not None else None,
                        **dict(
                            zip(
                                ("cursor", "read_at", "baseline_at", "sweep_at"),
                                map(_text, known.get((conn.name, read.kind), (None,) * 4)),
                                strict=True,
                            )
                        ),
                    }
                    for read in reads
                ],
            }
        )
    return told


def _text(value: Any) -> str | None:
    return to_text(value) if isinstance(value, datetime) else value


def _plan_told(planned: Mapping[str, Any] | None) -> dict[str, Any] | None:
    names = ("id", "creates", "updates", "deletes", "linked", "parked", "reviews", "conflicts", "irreversible")
    if planned is None:
        return None
    return {**{name: planned[name] for name in names}, "stopped": planned["stopped"], "problems": planned["problems"]}


def _ages(listed: Iterable[Mapping[str, Any]], now: datetime) -> dict[str, int]:
    """How old what is listed and not known is: within an hour, a day, a week, older, or not to be told."""
    found = {"hour": 0, "day": 0, "week": 0, "older": 0, "unknown": 0}
    for one in listed:
        if one["known"] is None:
            age = now - from_text(one["since"]) if one["since"] else None
            name = "unknown" if age is None else next((name for name, most in _AGES if age < most), "older")
            found[name] += 1
    return found


def _shown(engine: Engine, listed: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """With names in the place of references, and without what is personal."""
    names = _names(engine, listed)
    return [_one_shown(one, names) for one in listed]


def _one_shown(one: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    personal = {n for n, told in catalogue(one["kind"]).items() if told.personal}
    fields = []
    for told in one["fields"]:
        hide = _is_personal(told["field"], personal)
        values = {c: _readable(v, names, hide) for c, v in told["values"].items()}
        fields.append({**told, "agreed": _readable(told["agreed"], names, hide), "values": values})
    cause = CAUSES.get(one["cause"] or "")
    return {
        **one,
        "name": _hidden(one["name"]) if one["person"] and personal & {"name", "email"} else one["name"],
        "fields": fields,
        "cause_en": cause[0] if cause else "",
        "cause_zh": cause[1] if cause else "",
        "repair": one.get("repair"),
    }


def _is_personal(name: str, personal: set[str]) -> bool:
    head, _, rest = name.partition(".")
    return name in personal or (bool(rest) and f"{head}.*.{rest.partition('.')[2]}" in personal)


def _readable(value: Any, names: Mapping[str, str], hide: bool) -> Any:
    if hide and isinstance(value, str) and value:
        return _hidden(value)
    return names.get(value, value) if isinstance(value, str) else value


def _hidden(text: str) -> str:
    """Its first character: enough to tell two apart at times, too little to know somebody by."""
    return f"{text[:1]}…" if text else ""


def _names(engine: Engine, listed: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    values = [v for one in listed for f in one["fields"] for v in (f["agreed"], *f["values"].values())]
    wanted = {v for v in values if isinstance(v, str) and _REFERENCE.fullmatch(v)}
    ids = {int(v.partition(":")[2]) for v in wanted}
    with engine.store.read() as tx:
        known = {number: known_by(agreed, "code") for number, agreed in _NAMED.select(tx, "id", ids)}
    return {v: name for v in wanted if (name := known.get(int(v.partition(":")[2])))}


# kept ----------------------------------------------------------------------------------------------------------------


def _keep(engine: Engine, actor: Actor, signed: dict[str, Any], found: Found, keeping: Keeping) -> None:
    totals = {name: signed[name] for name in ("compared", "equal", "differing", "waiting", "classes", "plan")}
    with engine.store.write() as tx:
        reports.keep(
            tx,
            id=signed["id"],
            started_at=found.started_at,
            finished_at=found.finished_at,
            author=actor.name,
            flows=signed["flows"],
            totals=totals,
            report=json.dumps(signed),
        )
        reports.prune(tx, engine.store.clock.now(), keeping)
        told = f"{signed['id']}: {signed['differing']} differences, {signed['waiting']} waiting"
        append(tx, engine.store.clock, actor.name, [Entry("reconciled", why=told, body={"totals": totals})])
        if not signed["differing"]:
            close(tx, engine.store.clock, actor.name, subjects=[subject(signed["flows"])])


def subject(flows: Sequence[str]) -> str:
    """Of the item about differences in these flows."""
    return f"differences:{','.join(flows)}"


def listed(engine: Engine, actor: Actor, limit: int | None = 100) -> list[dict[str, Any]]:
    """The reports that are kept, newest first."""
    require(actor, "viewer", "see reports")
    with engine.store.read() as tx:
        return reports.listed(tx, limit)


def shown(engine: Engine, actor: Actor, report_id: str) -> dict[str, Any]:
    """A report as it was signed. Raises NotFound."""
    require(actor, "viewer", "see reports")
    with engine.store.read() as tx:
        text = reports.text_of(tx, report_id)
    if text is None:
        raise NotFound(f"there is no report {report_id}", remedy="`datong reconcile --list` shows those that are kept")
    found: dict[str, Any] = json.loads(text)
    return found


# by schedule ---------------------------------------------------------------------------------------------------------


def ask_about(engine: Engine, signed: Mapping[str, Any]) -> None:
    """Put the differences of a report before people."""
    plan = signed["plan"]
    classes = ", ".join(f"{n} {cls}" for cls, n in signed["classes"].items())
    look = f"`datong reconcile --show {signed['id']}`"
    with engine.store.write() as tx:
        unit = Unit(tx, engine.store.clock, engine.actor)
        unit.open(
            Item(
                "parked",
                "differences",
                subject(signed["flows"]),
                f"the systems differ in {signed['differing']} records: {classes}",
                f"look at {look}, then `datong apply {plan['id']}`" if plan else f"look at {look}",
                detail={"report": signed["id"], "plan": plan["id"] if plan else None},
            )
        )
        unit.flush()


def may_repair(signed: Mapping[str, Any], up_to: int) -> bool:
    """Is the plan of a report small and harmless enough to be applied by itself?"""
    plan = signed["plan"]
    if not plan or plan["stopped"] or plan["irreversible"] or plan["problems"]:
        return False
    changes = int(plan["creates"] + plan["updates"] + plan["deletes"])
    return 0 < changes <= up_to


def left_for_people(signed: Mapping[str, Any], up_to: int) -> bool:
    """Is there a difference that is not put right by itself, and of which no item was opened by the repair?"""
    return bool(signed["differing"]) and not may_repair(signed, up_to)


# proof ---------------------------------------------------------------------------------------------------------------


def sign_page(engine: Engine, page: str) -> bytes:
    """A page with the signature of all that stands before it, in a comment at its end."""
    body = page.rstrip("\n").encode() + b"\n"
    told = json.dumps(engine.sealer.sign(body))
    return body + f"<!-- {SIGNATURE} {told} -->\n".encode()


def verify(data: bytes, key: str) -> dict[str, Any]:
    """`{intact, why, id, key}` of a signed report, JSON or page: is it as the Datong with this public key (hex) made
    it? Raises UsageError for a file that is no signed report."""
    body, signature, name = _taken_apart(data)
    told = {"id": name, "key": signature.get("key", "")}
    if signature.get("key") != key:
        return {**told, "intact": False, "why": "signed with another key than the one asked for"}
    if not signed_by(key, body, str(signature.get("signature", ""))):
        return {**told, "intact": False, "why": "altered after it was signed"}
    return {**told, "intact": True, "why": ""}


_PAGE_END = re.compile(rb"<!-- " + SIGNATURE.encode() + rb" (\{[^\n]*\}) -->\n?\Z")


def _taken_apart(data: bytes) -> tuple[bytes, dict[str, Any], str]:
    """What was signed, the signature, the report's id."""
    end = _PAGE_END.search(data)
    try:
        if end is not None:
            named = re.search(rb'<meta name="datong-report" content="([^"]*)">', data)
            return data[: end.start()], dict(json.loads(end[1])), named[1].decode() if named else ""
        told = json.loads(data)
        signature = told.pop("signature")
        return json.canonical(told), dict(signature), str(told["id"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("this is no signed report", remedy="`datong reconcile --json` and --html make them") from error


def own_key(engine: Engine) -> str:
    """The public key, in hex, with which reports are signed here."""
    return engine.sealer.public_key


def write(file: Path, data: bytes) -> None:
    """Raises UsageError where the file cannot be written."""
    try:
        file.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}", remedy="choose another place") from error
