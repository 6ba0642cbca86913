"""Logging: one line an event on standard error, JSON where a machine reads it.

structlog is loaded with the first line that is logged: most commands log none.
"""

from __future__ import annotations

import sys
from typing import Any

_how: dict[str, Any] = {}


def configure(*, json: bool = False, level: str = "INFO") -> None:
    """How lines are to be written from now on."""
    _how.update(json=json, level=level)


def get(name: str) -> Any:
    """The logger of a room: `info`, `warning`, `error`, `exception`, each with an event and what belongs to it."""
    return _Logger(name)


class _Logger:
    def __init__(self, room: str) -> None:
        self._room = room

    def __getattr__(self, level: str) -> Any:
        return getattr(_structlog().get_logger(room=self._room), level)


def _structlog() -> Any:
    import logging

    import structlog

    if _how:
        plain = structlog.dev.ConsoleRenderer(colors=False)
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer() if _how["json"] else plain,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, _how["level"])),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
        _how.clear()
    return structlog
