"""Plans that people must agree to before they are applied: who, for what content, and what they said.

An answer stands for the digest of the plan, which is over everything that it would do and the configuration it was made
under: another plan needs an answer of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from datong.store import Transaction
from datong.store.schema import plan_answers

Counts = Mapping[tuple[str, str, str], int]
"""(flow, connection, action) -> how many changes"""


@dataclass(frozen=True)
class Asking:
    """A rule of the configuration: `by` (a role, or a person by name) agrees to plans with more than so many changes,
    all together, of one flow, or into one connection. Without any number: to every plan that writes something."""

    by: str
    creates: int | None = None
    updates: int | None = None
    deletes: int | None = None
    flow: str = ""
    connection: str = ""

    def why(self, counts: Counts) -> str:
        """What is too much of the plan to be applied unasked; empty when it may be."""
        found = {"creates": 0, "updates": 0, "deletes": 0}
        for (flow, connection, action), many in counts.items():
            if self.flow in ("", flow) and self.connection in ("", connection):
                found[f"{action}s"] += many
        limits = {name: getattr(self, name) for name in found}
        if all(limit is None for limit in limits.values()):
            limits = dict.fromkeys(found, 0)
        place = f" of {self.flow}" if self.flow else f" in {self.connection}" if self.connection else ""
        over = [f"{found[n]} {n}{place}, more than {m}" for n, m in limits.items() if m is not None and found[n] > m]
        return "; ".join(over)


def asked(rules: Iterable[Asking], counts: Counts) -> list[list[str]]:
    """[role or person, why] for everybody who must agree."""
    found: dict[str, list[str]] = {}
    for rule in rules:
        if why := rule.why(counts):
            found.setdefault(rule.by, []).append(why)
    return [[by, "; ".join(reasons)] for by, reasons in found.items()]


def asking_subject(plan_id: str) -> str:
    """The subject of the item that asks people about a plan."""
    return f"plan:{plan_id}"


def answers(tx: Transaction, plan_id: str) -> list[dict[str, Any]]:
    """What people said to a plan, the first first."""
    query = sa.select(plan_answers).where(plan_answers.c.plan_id == plan_id).order_by(plan_answers.c.id)
    return [dict(row) for row in tx.execute(query).mappings()]


def unanswered(plan: Mapping[str, Any], said: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Of those who are asked about this very content, those who have not agreed."""
    given = {row["asked"] for row in said if row["given"] and row["digest"] == plan["digest"]}
    return [one for one in plan["asks"] or () if one[0] not in given]
