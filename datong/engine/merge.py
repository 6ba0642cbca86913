"""Three-way merge of one field of one link: pure.

`sent` is what this side is known to hold of our record (the base), `agreed` what our record says now, `value` what
the side says now. The answer says what becomes of the two; the caller acts and writes the journal.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any, Final

from datong.canon import is_empty
from datong.engine.flow import ASK, NEWEST, OWNER, Policy


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""Never agreed, never sent."""


class Step(Enum):
    SAME = "same"
    """Both hold the same already."""
    ACCEPT = "accept"
    """The side's value becomes the agreed one."""
    PUT_BACK = "put back"
    """The agreed value stands; the side is to be given it."""
    CONFLICT = "conflict"
    """A person decides; the field is held."""
    LEAVE = "leave"
    """Each side keeps its own."""


def merge(
    agreed: Any,
    sent: Any,
    value: Any,
    policy: Policy,
    role: str,
    *,
    first_load: str = ASK,
    edited_at: datetime | None = None,
    agreed_at: datetime | None = None,
) -> Step:
    """What to do with `value`, which a side of role `role` says now.

    `agreed` and `sent` may be UNKNOWN. `edited_at` and `agreed_at` are the change times (offset corrected) of the
    side's value and of the agreed one, for `newest`.
    """
    if agreed is not UNKNOWN and _equal(agreed, value):
        return Step.SAME
    if policy.how == "told":
        return Step.LEAVE if agreed is UNKNOWN or (sent is UNKNOWN and is_empty(agreed)) else Step.PUT_BACK
    if sent is UNKNOWN:
        return _first_link(agreed, value, policy, role, first_load)
    if policy.how == "first":
        return Step.LEAVE
    if policy.how == "owned":
        return Step.ACCEPT if role == policy.owner else Step.PUT_BACK
    if policy.how == "guarded":
        return Step.ACCEPT if role == policy.owner else Step.CONFLICT
    if agreed is UNKNOWN or _equal(agreed, sent):
        return Step.ACCEPT
    return _clash(policy, role, edited_at, agreed_at)


def _first_link(agreed: Any, value: Any, policy: Policy, role: str, first_load: str) -> Step:
    """Equal is agreed; one empty is filled by the other; both set and different go by the policy."""
    if agreed is UNKNOWN or is_empty(agreed):
        return Step.ACCEPT
    if is_empty(value):
        return Step.LEAVE if policy.how == "first" else Step.PUT_BACK
    if policy.how == "first":
        return Step.LEAVE
    if policy.how in ("owned", "guarded"):
        return Step.ACCEPT if role == policy.owner else Step.PUT_BACK
    if first_load == ASK:
        return Step.CONFLICT
    return Step.ACCEPT if role == first_load else Step.PUT_BACK


def _clash(policy: Policy, role: str, edited_at: datetime | None, agreed_at: datetime | None) -> Step:
    if policy.clash == OWNER:
        return Step.ACCEPT if role == policy.owner else Step.PUT_BACK
    if policy.clash == NEWEST and edited_at is not None and agreed_at is not None:
        return Step.ACCEPT if edited_at > agreed_at else Step.PUT_BACK
    return Step.CONFLICT


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other) or (is_empty(one) and is_empty(other))
