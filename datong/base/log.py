"""Logging: one line an event on standard error, JSON where a machine reads it."""

from __future__ import annotations

import sys
from typing import Any


def configure(*, json: bool = False, level: str = "INFO") -> None:
    import logging

    import structlog

    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def get(name: str) -> Any:
    import structlog

    return structlog.get_logger(room=name)
