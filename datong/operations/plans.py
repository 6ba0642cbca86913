"""Plans: what there is, what each would do, and what people say to it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from datong.base.clock import to_text
from datong.base.errors import UsageError
from datong.engine.asking import answers, asking_subject, unanswered
from datong.engine.cycle import Engine
from datong.engine.intake import drop_run
from datong.engine.planning import plan_row
from datong.operations.actor import ROLES, Actor, require
from datong.operations.work import acting
from datong.store import Transaction
from datong.store.schema import plan_answers, plans
from datong.store.work import close

_SHOWN = ("id", "author", "what", "about", "state", "totals", "stopped", "digest", "config_version")


def listed(engine: Engine, actor: Actor, *, limit: int = 100, every: bool = False) -> list[dict[str, Any]]:
    """Plans that may still be applied, newest first; with `every` also those that were, or will not be."""
    require(actor, "viewer", "see plans")
    query = sa.select(plans).order_by(plans.c.at.desc(), plans.c.id).limit(limit)
    if not every:
        query = query.where(plans.c.state == "open")
    with engine.store.read() as tx:
        return [_told(tx, dict(row)) for row in tx.execute(query).mappings()]


def shown(engine: Engine, actor: Actor, plan_id: str) -> dict[str, Any]:
    """One plan, with what people said to it. Raises NotFound."""
    require(actor, "viewer", "see a plan")
    with engine.store.read() as tx:
        return _told(tx, plan_row(tx, plan_id))


def _told(tx: Transaction, plan: dict[str, Any]) -> dict[str, Any]:
    said = answers(tx, plan["id"])
    state = plan["state"]
    if state == "open" and plan["asks"]:
        state = "waits for approval" if unanswered(plan, said) else "approved"
    return {
        **{name: plan[name] for name in _SHOWN},
        "state": state,
        "at": to_text(plan["at"]),
        "asks": [{"who": by, "why": why} for by, why in plan["asks"] or ()],
        "waits_for": [by for by, _ in unanswered(plan, said)] if plan["state"] == "open" else [],
        "answers": [
            {
                "yes": row["given"],
                "as": row["asked"],
                "actor": row["actor"],
                "at": to_text(row["at"]),
                "note": row["note"],
            }
            for row in said
        ],
    }


def answer(engine: Engine, actor: Actor, plan_id: str, *, yes: bool, note: str = "") -> dict[str, Any]:
    """Agree to a plan, or reject it with a reason. It stands for the plan's content: another plan is asked anew.

    Raises NotFound, and UsageError for its own author, for whoever is not asked, and for a no without a reason.
    """
    require(actor, "viewer", "answer plans")
    if not yes and not note:
        raise UsageError("a rejection needs its reason", remedy="--note WHY")
    with acting(engine, actor) as unit:
        plan = plan_row(unit.tx, plan_id)
        if plan["state"] != "open":
            raise UsageError(f"the plan {plan_id} is {plan['state']} already", remedy="")
        mine = _asked_of(actor, plan, answers(unit.tx, plan_id))
        for by in mine:
            unit.tx.execute(
                plan_answers.insert().values(
                    plan_id=plan_id,
                    digest=plan["digest"],
                    given=yes,
                    asked=by,
                    actor=actor.name,
                    at=unit.now,
                    note=note,
                )
            )
        why = f"{plan_id} as {' and '.join(mine)}" + (f": {note}" if note else "")
        body = {"digest": plan["digest"], "totals": plan["totals"]}
        unit.note("plan approved" if yes else "plan rejected", why=why, body=body)
        if not yes:
            unit.tx.execute(plans.update().where(plans.c.id == plan_id).values(state="rejected"))
            drop_run(unit.tx, plan_id)
        if not yes or not unanswered(plan, answers(unit.tx, plan_id)):
            close(unit.tx, unit.clock, actor.name, subjects=[asking_subject(plan_id)])
        return _told(unit.tx, plan_row(unit.tx, plan_id))


def _asked_of(actor: Actor, plan: dict[str, Any], said: list[dict[str, Any]]) -> list[str]:
    """For whom this person may speak, of those who are asked and have not agreed yet."""
    left = [by for by, _ in unanswered(plan, said)]
    if not left:
        raise UsageError(f"nobody is asked about the plan {plan['id']}", remedy=f"`datong apply {plan['id']}`")
    if actor.name == plan["author"]:
        raise UsageError(
            f"{actor.name} made the plan {plan['id']}: somebody else must agree to it",
            remedy=f"ask {' or '.join(left)}",
        )
    mine = [by for by in left if by == actor.name or (by in ROLES and actor.may(by))]
    if not mine:
        raise UsageError(
            f"{actor.name} is not asked: that is for {' or '.join(left)}",
            remedy=f"ask them, or have the role given under people.{actor.name}.roles in datong.yaml",
        )
    return mine
