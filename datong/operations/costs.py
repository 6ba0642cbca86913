"""What things cost us and what we earn: shown to those who may see it, and to those who are asked to agree to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datong.canon import KINDS, spec
from datong.engine.approving import SHOWN, asked_of
from datong.operations.actor import ROLES, Actor

HIDDEN = "***"


def is_cost(kind: str | None, name: str) -> bool:
    """Is a field one of those that only some may see?"""
    try:
        return kind in KINDS and spec(kind, name).cost
    except KeyError:
        return False


def veiled(actor: Actor, kind: str | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> what is told of it; of costs nothing but that there is something, for who may not see them."""
    if actor.sees_costs:
        return dict(fields)
    return {name: _hidden(value) if is_cost(kind, name) else value for name, value in fields.items()}


def veiled_body(actor: Actor, kind: str | None, body: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The values of a row of the journal."""
    if body is None or actor.sees_costs:
        return None if body is None else dict(body)
    held = {name: veiled(actor, kind, told) for name, told in body.items() if isinstance(told, Mapping)}
    field = body.get("field")
    if isinstance(field, str) and is_cost(kind, field):
        return {"field": field}
    return {**body, **held}


def veiled_item(actor: Actor, item: Mapping[str, Any]) -> dict[str, Any]:
    """What waits for people: the figures of an approval for who is asked, the values of a cost for who may see it."""
    detail = dict(item["detail"] or {})
    if actor.sees_costs:
        return dict(item)
    if not asks(actor, asked_of(detail)):
        detail.pop(SHOWN, None)
    if item.get("field") and is_cost(item["kind"], item["field"]):
        return {**item, "reason": f"{item['field']}: {HIDDEN}", "detail": {}}
    if isinstance(detail.get("fields"), Mapping):
        detail["fields"] = veiled(actor, item["kind"], detail["fields"])
    return {**item, "detail": detail}


def asks(actor: Actor, asked: tuple[str, ...]) -> bool:
    """Is the actor one of those: by a role, or by name?"""
    return any(actor.name == one or (one in ROLES and actor.may(one)) for one in asked)


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _hidden(inner) for name, inner in value.items()}
    return value if value is None else HIDDEN
