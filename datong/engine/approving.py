"""Approvals: what a rule asks people to agree to before a document may go on, and what they said.

What is agreed to is the reason as it was shown: where the figures in it change, it is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from datong.base.clock import from_text, to_text
from datong.base.json import digest
from datong.engine.flow import GO, Approve, Go, Park, Step
from datong.store import Transaction
from datong.store.bulk import Columns
from datong.store.schema import approvals
from datong.store.work import open_since

_GIVEN = Columns(approvals, ("given", "actor", "note"))
_ROW = Columns(approvals, ("record_id", "flow", "rule", "digest", "given", "actor", "at", "note"))
APPROVAL = "approval"
ABOUT, SHOWN, UNTIL, THEN = "about", "shown", "until", "then"
"""In the detail of an item: the mark of the content, the figures for who is asked, when the time of the first is up,
and who may answer then."""
CHANGED = "changed after acceptance"


def given(tx: Transaction, record_id: int, rule: str, reason: str) -> bool | None:
    """Was it agreed to? None: nobody said anything yet."""
    found = _said(tx, record_id, rule, reason)
    return found[0] if found is not None else None


def record_answer(
    tx: Transaction, record_id: int, flow: str, rule: str, reason: str, yes: bool, actor: str, at: datetime, note: str
) -> None:
    """Keep what a person said; it stands for these very figures."""
    _ROW.insert(tx, [(record_id, flow, rule, digest([rule, reason]), yes, actor, at, note)])


def about(reason: str, content: str) -> str:
    """What an answer stands for: the reason as it was shown, and what it was shown of."""
    return f"{reason} [{content}]" if content else reason


def judged(
    tx: Transaction, record_id: int, subject: str, now: datetime, approve: Approve, also: int | None = None
) -> Go | Park:
    """The first step that nobody agreed to yet, or was refused, holds the document. `also`: the record of which what
    was said counts too."""
    for step in approve.steps:
        said = _said(tx, record_id, step.rule, about(step.reason, step.content))
        if said is None and also is not None:
            said = _said(tx, also, step.rule, about(step.reason, step.content))
        if said is None:
            return _asked(tx, subject, now, step)
        yes, actor, note = said
        if not yes:
            return Park(
                f"{step.reason}: {actor} refused" + (f" ({note})" if note else ""),
                "change the document, so that its figures are others, or cancel it",
                detail={"rule": step.rule, "refused by": actor},
            )
    return GO


def _said(tx: Transaction, record_id: int, rule: str, reason: str) -> tuple[bool, str, str] | None:
    where = "record_id = ? AND rule = ? AND digest = ?"
    rows = _GIVEN.where(tx, where, record_id, rule, digest([rule, reason]))
    return (bool(rows[0][0]), rows[0][1], rows[0][2]) if rows else None


def _asked(tx: Transaction, subject: str, now: datetime, step: Step) -> Park:
    """Who is to answer: the deputy too once the time is up."""
    since = open_since(tx, subject, step.rule) or now
    until = since + step.within if step.within is not None else None
    late = until is not None and until <= now
    who = f"{step.by} or {step.deputy}" if late and step.deputy else step.by
    return Park(
        f"{step.reason}: {who} is to agree" + (" (overdue)" if late else ""),
        "`datong approvals give ITEM` or `datong approvals refuse ITEM --note WHY`",
        until=None if late else until,
        cause=APPROVAL,
        detail={
            "rule": step.rule,
            "reason": step.reason,
            "by": step.by,
            "deputy": step.deputy if late else "",
            "asked": to_text(since),
            UNTIL: to_text(until) if until is not None else "",
            THEN: step.deputy,
            ABOUT: step.content,
            SHOWN: dict(step.shown),
        },
    )


def asked_of(detail: Mapping[str, Any], now: datetime | None = None) -> tuple[str, ...]:
    """The roles that may answer an approval; the deputy's too where the time is up by `now`."""
    until = detail.get(UNTIL)
    late = bool(until) and now is not None and from_text(until) <= now
    roles = (detail.get("by", ""), detail.get("deputy", ""), detail.get(THEN, "") if late else "")
    return tuple(dict.fromkeys(role for role in roles if role))
