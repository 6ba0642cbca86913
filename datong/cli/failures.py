"""What went wrong, told so that somebody can act on it: what, where, and what to do. One exit status each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from datong.base.errors import ConfigurationError, DatongError, UsageError

if TYPE_CHECKING:
    from datong.cli.context import Session

FAILED = 1
USAGE = 2


def told(error: Exception, session: Session) -> int:
    """Tell the error on standard error (and with `--json` as the document); gives the exit status."""
    if isinstance(error, BrokenPipeError):
        return _nobody_reads()
    if session.debug:
        import traceback

        traceback.print_exception(error)
    status = USAGE if isinstance(error, (ConfigurationError, UsageError)) else FAILED
    from datong.cli.output import note

    for line in _lines(error):
        note(line)
    if session.json:
        from datong.cli.output import document

        document({"error": as_json(error)})
    return status


def _lines(error: Exception) -> list[str]:
    if isinstance(error, ConfigurationError):
        lines = [f"{p.where}: {p.cause}\n  -> {p.remedy}" for p in error.problems]
        many = len(error.problems)
        return [*lines, f"{many} mistake{'s' if many != 1 else ''} in the configuration; nothing was done"]
    if isinstance(error, DatongError):
        hits = [f"  {' '.join(str(v) for v in hit.values())}" for hit in getattr(error, "hits", ())]
        remedy = [f"  -> {error.remedy}"] if error.remedy else []
        return [f"{_where(error)}{error.message}", *hits, *remedy]
    lines = str(error).splitlines()
    told = f": {lines[0]}" if lines else ""
    return [f"unexpected {type(error).__name__}{told}", "  -> `--debug` shows where; please report it"]


def _where(error: DatongError) -> str:
    connection = getattr(error, "connection", "")
    return f"{connection}: " if connection else ""


def as_json(error: Exception) -> dict[str, Any]:
    """The same as a value: `kind`, `message`, `remedy`, and `problems` or `hits` where there are any."""
    answer: dict[str, Any] = {"kind": type(error).__name__.removesuffix("Error"), "message": str(error)}
    if isinstance(error, DatongError):
        answer |= {"message": error.message, "remedy": error.remedy}
    if isinstance(error, ConfigurationError):
        answer["problems"] = problems_of(error)
    if hits := getattr(error, "hits", None):
        answer["hits"] = hits
    return answer


def problems_of(error: ConfigurationError) -> list[dict[str, str]]:
    return [{"where": p.where, "cause": p.cause, "remedy": p.remedy} for p in error.problems]


def _nobody_reads() -> int:
    """Whoever read our output has gone, as `head` does."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
