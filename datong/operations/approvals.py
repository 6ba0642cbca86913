"""Approvals: what waits for somebody's yes, and the yes or no."""

from __future__ import annotations

from typing import Any

from datong.base.errors import NotFound, UsageError
from datong.engine.absorb import Absorber
from datong.engine.approving import ABOUT, APPROVAL, CHANGED, about, asked_of, record_answer
from datong.engine.cycle import Engine
from datong.engine.evaluate import Evaluator
from datong.operations.actor import Actor, require
from datong.operations.costs import asks, veiled_item
from datong.operations.work import acting
from datong.store.work import close, get, open_items

CAUSES = (APPROVAL, CHANGED)


def listed(engine: Engine, actor: Actor, *, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
    """What waits to be agreed to, oldest first."""
    require(actor, "viewer", "see approvals")
    with engine.store.read() as tx:
        found = [item for cause in CAUSES for item in open_items(tx, cause=cause, after=after, limit=limit)]
    return [veiled_item(actor, one) for one in sorted(found, key=lambda item: int(item["id"]))[:limit]]


def answer(engine: Engine, actor: Actor, item_id: int, *, yes: bool, note: str = "") -> dict[str, Any]:
    """Agree, or refuse with a reason. It stands for the very figures of the item: where they change, it is asked anew.

    Raises NotFound, and UsageError where the actor is not asked, or refuses without saying why.
    """
    require(actor, "viewer", "answer approvals")
    if not yes and not note:
        raise UsageError("a refusal needs its reason", remedy="--note WHY")
    with acting(engine, actor) as unit:
        item = get(unit.tx, item_id)
        if item is None or item["cause"] not in CAUSES:
            raise NotFound(f"there is no approval {item_id}", remedy="`datong approvals list` shows them")
        if item["state"] != "open":
            raise UsageError(f"item {item_id} is {item['state']} already", remedy="")
        detail = item["detail"]
        _may_answer(actor, asked_of(detail, unit.now) or ("operator",))
        rule, reason = detail["rule"], about(detail["reason"], detail.get(ABOUT, ""))
        record_answer(unit.tx, item["record_id"], item["flow"], rule, reason, yes, actor.name, unit.now, note)
        close(unit.tx, unit.clock, actor.name, ids=[item_id])
        unit.note(
            "approved" if yes else "refused",
            record_id=item["record_id"],
            connection=item["connection"],
            kind=item["kind"],
            flow=item["flow"],
            why=f"{detail['rule']}: {detail['reason']}" + (f" ({note})" if note else ""),
            body={"item": item_id},
        )
        unit.flush()
        Evaluator(unit, engine.landscape, Absorber(unit, engine.landscape).references).weigh({item["record_id"]})
        unit.flush()
        return veiled_item(actor, get(unit.tx, item_id) or {"detail": {}})


def _may_answer(actor: Actor, asked: tuple[str, ...]) -> None:
    """A role, or one person by name."""
    if asks(actor, asked):
        return
    raise UsageError(
        f"{actor.name} is not asked: that is for {' or '.join(asked)}",
        remedy=f"ask them, or have the role given under people.{actor.name}.roles in datong.yaml",
    )
