"""Who may agree to what a rule holds back."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from datong.engine.flow import Step


class Approver(BaseModel):
    """What every rule says that asks people."""

    model_config = ConfigDict(extra="forbid")

    by: str = "approver"
    """the role that may agree"""
    deputy: str = ""
    """the role that may agree too once the time is up"""
    within: timedelta | None = None
    """how long the first role has"""

    def step(self, rule: str, reason: str, content: str = "", shown: Mapping[str, str] | None = None) -> Step:
        """One approval: which rule asks, and why; `content` and `shown` as of a step."""
        return Step(rule, reason, self.by, self.deputy, self.within, content, shown or {})
