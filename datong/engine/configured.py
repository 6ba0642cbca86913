"""Which configuration is live: versions are kept, and where people must agree to another one nothing runs without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from datong.base.clock import Clock, to_text
from datong.base.errors import NotApproved
from datong.store import Transaction
from datong.store.journal import Entry, append
from datong.store.schema import configurations


@dataclass(frozen=True)
class Configured:
    """A configuration as it is kept: `told` is all that is configured, secrets masked, `files` its text by place
    relative to the folder, `asks` the roles or people one of whom must agree to another one."""

    version: str
    told: Mapping[str, Any]
    files: Mapping[str, str]
    asks: tuple[str, ...] = field(default=())


def live(tx: Transaction) -> dict[str, Any] | None:
    """The version that was put live last."""
    row = tx.execute(sa.select(configurations).order_by(configurations.c.id.desc()).limit(1)).mappings().first()
    return dict(row) if row is not None else None


def version_named(tx: Transaction, name: str) -> dict[str, Any] | None:
    """The last time that the version whose name begins so was live."""
    query = sa.select(configurations).where(configurations.c.version.startswith(name, autoescape=True))
    row = tx.execute(query.order_by(configurations.c.id.desc()).limit(1)).mappings().first()
    return dict(row) if row is not None else None


def put_live(tx: Transaction, clock: Clock, actor: str, one: Configured, why: str) -> None:
    values = {"version": one.version, "told": one.told, "files": one.files, "asks": list(one.asks) or None}
    tx.execute(configurations.insert().values(**values, at=clock.now(), actor=actor, why=why))
    append(tx, clock, actor, [Entry("configured", why=f"version {one.version}: {why}", body={"version": one.version})])


def run_under(tx: Transaction, clock: Clock, actor: str, one: Configured) -> None:
    """What is about to run runs under the live configuration. Where nobody need agree another one is taken as it is
    found. Raises NotApproved."""
    now = live(tx)
    if now is not None and now["version"] == one.version:
        return
    if now is None:
        put_live(tx, clock, actor, one, "the first one")
        return
    if now["asks"]:
        raise NotApproved(
            f"the configuration (version {one.version}) is not the one that people agreed to: live is version "
            f"{now['version']} since {to_text(now['at'])[:16]}, put there by {now['actor']}",
            remedy=f"`datong config plan FILE`, approval by {' or '.join(now['asks'])}, `datong config apply FILE`; or "
            "`datong config restore`, which writes the live one into the file again",
        )
    put_live(tx, clock, actor, one, "; ".join(differences(now["told"], one.told))[:2000] or "as it was found")


# in words ------------------------------------------------------------------------------------------------------------


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two configurations, a sentence each."""
    found: list[str] = []
    _differ(old, new, (), found)
    return found


def _differ(old: Any, new: Any, at: Sequence[str], found: list[str]) -> None:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in [*old, *(n for n in new if n not in old)]:
            if name not in old:
                found.append(f"{_place((*at, name))} is new: {_value(new[name])}")
            elif name not in new:
                found.append(f"{_place((*at, name))} is gone: it was {_value(old[name])}")
            else:
                _differ(old[name], new[name], (*at, name), found)
        return
    found.append(f"{_place(at)}: {_value(old)} -> {_value(new)}")


_SINGULAR = {"connections": "connection", "flows": "flow", "people": "person", "maps": "map of", "values": "values of"}


def _place(at: Sequence[str]) -> str:
    """`flow customer_master, field phone, owned_by`."""
    head = _SINGULAR.get(at[0], at[0])
    rest = [f"field {name}" if before == "fields" else name for before, name in pairwise(at)]
    kept = [name for name in rest if name != "fields" or at[-1] == "fields"]
    return ", ".join([f"{head} {kept[0]}", *kept[1:]]) if kept and at[0] in _SINGULAR else ", ".join([head, *kept])


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        told = ", ".join(f"{name} {_value(one)}" for name, one in value.items() if one not in (None, False, {}, []))
        return told or "as it comes"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, value)) or "nothing"
    return {None: "nothing", True: "on", False: "off"}.get(value, str(value)) if not isinstance(value, str) else value
