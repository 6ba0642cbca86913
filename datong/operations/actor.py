"""Who acts, and what they may."""

from __future__ import annotations

from dataclasses import dataclass

from datong.base.errors import UsageError

ROLES = ("viewer", "operator", "approver", "admin")
"""From least to most; each may what the ones before may."""
COST = "cost"
"""Beside these: sees what things cost us and what we earn."""


class NotAllowed(UsageError):
    """The role is lacking."""


@dataclass(frozen=True)
class Actor:
    """A person, by name and roles, as `people:` of the configuration says."""

    name: str
    roles: tuple[str, ...] = ()

    def may(self, role: str) -> bool:
        return any(ROLES.index(mine) >= ROLES.index(role) for mine in self.roles if mine in ROLES)

    @property
    def sees_costs(self) -> bool:
        return COST in self.roles or self.may("admin")


def require(actor: Actor, role: str, what: str) -> None:
    """Raises NotAllowed where the actor lacks the role."""
    if not actor.may(role):
        raise NotAllowed(
            f"{actor.name} may not {what}: that takes the role {role}",
            remedy=f"ask an administrator to give it under people.{actor.name}.roles in datong.yaml",
        )
