"""The configuration: which version is live, which were, and how another one becomes so."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from datong.base.clock import to_text
from datong.base.errors import NotFound, UsageError
from datong.engine.asking import answers, unanswered
from datong.engine.configured import Configured, differences, live, put_live, version_named
from datong.engine.cycle import Engine
from datong.operations.actor import Actor, require
from datong.store import Transaction, runs
from datong.store.schema import configurations, plans


def history(engine: Engine, actor: Actor, *, limit: int = 100) -> list[dict[str, Any]]:
    """Every version that was live, the last first: when, by whom, and what it changed."""
    require(actor, "viewer", "see the configuration")
    query = sa.select(configurations).order_by(configurations.c.id.desc()).limit(limit)
    with engine.store.read() as tx:
        rows = tx.execute(query).mappings().all()
    names = ("version", "actor", "why")
    return [{"id": row["id"], "at": to_text(row["at"]), **{name: row[name] for name in names}} for row in rows]


def kept(engine: Engine, actor: Actor, version: str = "") -> dict[str, Any]:
    """A version that was live, or is (the default), with its files. Raises NotFound."""
    require(actor, "viewer", "see the configuration")
    with engine.store.read() as tx:
        row = version_named(tx, version) if version else live(tx)
    if row is None:
        told = f"there is no version {version}" if version else "no configuration was live yet"
        raise NotFound(told, remedy="`datong config history` lists them")
    return {**{name: row[name] for name in ("id", "version", "actor", "why", "files")}, "at": to_text(row["at"])}


def compared(engine: Engine, actor: Actor, other: Configured) -> list[str]:
    """What another configuration would change, in words."""
    require(actor, "viewer", "see the configuration")
    with engine.store.read() as tx:
        now = live(tx)
    return differences(now["told"] if now is not None else {}, other.told)


def apply(engine: Engine, actor: Actor, other: Configured, main: Path) -> dict[str, Any]:
    """Put another configuration live: its files take the place of those at `main`, the old ones are kept. What it
    changes in records is the affair of a plan. Raises UsageError where people must agree first and have not."""
    require(actor, "admin", "put a configuration live")
    store = engine.store
    with store.write() as tx:
        now = live(tx)
        if now is not None and now["version"] == other.version:
            raise UsageError(f"version {other.version} is live already", remedy="")
        if now is not None and now["asks"]:
            _agreed_to(tx, other, now)
        told = differences(now["told"] if now is not None else {}, other.told)
        run = runs.begin(tx, store.clock, actor.name, "act", engine.run_name("act"))
        with runs.under(run):
            put_live(tx, store.clock, actor.name, other, "; ".join(told)[:2000] or "the same, written otherwise")
        runs.end(tx, store.clock, run, {})
        write_files(main, other.files)
    engine.sealer.seal()
    return {"version": other.version, "before": now["version"] if now is not None else None, "differences": told}


def _agreed_to(tx: Transaction, other: Configured, now: Mapping[str, Any]) -> None:
    """A plan made under it, to which everybody agreed who is asked."""
    query = sa.select(plans).where(
        plans.c.config_version == other.version,
        plans.c.what == "configuration",
        plans.c.state.in_(("open", "applied")),
    )
    found = [dict(row) for row in tx.execute(query.order_by(plans.c.at.desc())).mappings()]
    if any(not unanswered(plan, answers(tx, plan["id"])) for plan in found):
        return
    who = " and ".join(now["asks"])
    if not found:
        raise UsageError(
            f"version {other.version} needs the approval of {who}, who must see first what it changes",
            remedy="`datong config plan FILE`, then `datong plans approve PLAN`",
        )
    plan = found[0]
    raise UsageError(
        f"version {other.version} needs the approval of {who}",
        remedy=f"one of them, other than {plan['author']}: `datong plans approve {plan['id']}`",
    )


def write_files(main: Path, files: Mapping[str, str]) -> list[Path]:
    """Each file in place whole: who reads meanwhile finds the old one or the new one. The main one is written last."""
    written = []
    for name, text in sorted(files.items(), key=lambda item: item[0] == "datong.yaml"):
        path = main if name == "datong.yaml" else main.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        number, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(number, "w", encoding="utf8") as file:
            file.write(text)
        os.chmod(beside, path.stat().st_mode & 0o777 if path.exists() else 0o600)
        os.replace(beside, path)
        written.append(path)
    return written


def restore(engine: Engine, actor: Actor, main: Path) -> list[Path]:
    """Write the live configuration into its files again."""
    require(actor, "admin", "write the configuration")
    return write_files(main, kept(engine, actor)["files"])
