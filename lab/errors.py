"""What can go wrong in the lab.

LabError
├── LabUnavailable   no fitting Python here, packages that do not install, a server that fails to start
└── CallRefused      a system answered a call of the lab with an error
"""

from __future__ import annotations


class LabError(Exception):
    """Any failure of the lab itself."""


class LabUnavailable(LabError):
    """The lab cannot run here; the message says why and what would help. Tests skip on it."""


class CallRefused(LabError):
    """A system refused a call; `status` is its HTTP status and `answer` what it said."""

    def __init__(self, what: str, status: int, answer: object) -> None:
        super().__init__(f"{what}: HTTP {status}: {str(answer)[:500]}")
        self.status = status
        self.answer = answer
