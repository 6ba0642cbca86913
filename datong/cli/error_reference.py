"""`python -m datong.cli.error_reference` writes docs/reference/errors.md; `--check` only compares.

The errors are those of `base.errors`, what happens next is asked of `engine.outcome`, the status of `cli.failures`.
What a person does stands here: an error without it is not written, it is refused.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from datong.base import errors
from datong.base.errors import ConfigurationError, DatongError, RemoteError
from datong.cli.failures import told
from datong.engine.outcome import fate

TARGET = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"

MEANING: dict[str, tuple[str, str]] = {
    "DatongError": ("the root of all", "read the message and the line after `->`"),
    "ConfigurationError": (
        "`datong.yaml` is wrong, or a secret that it names is not there; every mistake is listed",
        "correct them and run `datong check`",
    ),
    "UsageError": ("the command asks for something that cannot be", "read the message; `--help` tells the options"),
    "NotFound": ("no record, plan, item or connection of that name", "the message says what there is"),
    "StoreError": (
        "the store, its key or its seals cannot be used: disk full, no right to write, damaged file, no database",
        "the message names the cause; [operate.md](../operate.md#disk-full), [backup](../operate.md#backup)",
    ),
    "StoreBusy": (
        "another process holds the writer lease; it is named",
        "wait, or stop it: [one writer](../operate.md#one-writer)",
    ),
    "NotApproved": (
        "the configuration is not the one that people agreed to; nothing is read or written under it",
        "have it planned and agreed to, or restore the live one: "
        "[how-to](../how-to/plan-approve-undo.md#another-configuration-修改配置)",
    ),
    "RemoteError": ("a system did not do what was asked", "see those below"),
    "TryLater": ("not reachable, or overloaded: nothing happened there", "nothing; it heals by itself"),
    "RateLimited": ("too many requests; the system said when to go on", "nothing; `rate_limit` asks for fewer"),
    "OutcomeUnknown": (
        "the answer to a write was lost: it may have been done or not",
        "nothing; where it cannot be found out, the item says what to look for",
    ),
    "AccessDenied": ("credentials are wrong or expired, or a right is missing", "renew them; `datong check`"),
    "WrongSystem": (
        "another database or organisation answers at the address than the one known",
        "correct the address, or make a connection of a new name for it",
    ),
    "BadAnswer": (
        "the answer cannot be what the interface promises: a web page, half a JSON, the same page for ever",
        "look at what stands between: proxy, maintenance page, another version of the system",
    ),
    "RequestRefused": ("this request is wrong and will stay wrong", "correct the value named; then it is sent again"),
}

_NEXT = {
    "later": "tried again after a while, longer each time, 15 minutes at most (or as the system asked)",
    "look": "looked for before it is repeated, first after `settle` of the connector",
    "suspend": "the connection rests with one parked item; it is probed, and goes on when it answers",
    "park": "parked with a remedy",
}

HEAD = """\
# Errors

Made by `python -m datong.cli.error_reference`; do not edit.

Errors are named by what happens next. On the command line an error ends the command, with the exit status below. In a
plan, sync or service an error of one system stops neither the other system nor the other records: it is told among the
problems, what happens next is in the third column, and the status of the command is 1.

```
{tree}
```

| Error | What it means | What happens next | Status | What you do |
|---|---|---|---|---|
"""

TAIL = """
While reading, nothing can be parked for one record: whatever would park suspends the connection.

An error that is none of these is a mistake in Datong or in a connector. In a delivery it is parked as "unknown error"
and never repeated by itself; a cycle of the service that fails is tried flow by flow, so that one stops no other, and
journalled as "worker failed"; a command ends with status 1, and `--debug` shows where it came from. Please report it.

Refusals that have one cause are one matter: the same refusal 20 times in a row, or on at least 20 records that are a
fifth of what was claimed together, suspends the flow in that connection with one item ("same refusal"); the records
stay due.
"""


def reference() -> str:
    """The page. Raises LookupError for an error that is not explained, or explained and not there."""
    found = {one.__name__: one for one in _errors()}
    if found.keys() != MEANING.keys():
        raise LookupError(f"explain in {__name__}.MEANING: {sorted(found.keys() ^ MEANING.keys())}")
    tree = (errors.__doc__ or "").partition("\n\n")[2].strip()
    return HEAD.format(tree=tree) + "".join(_row(one) for one in found.values()) + TAIL


def _errors() -> Iterator[type[DatongError]]:
    for one in vars(errors).values():
        if isinstance(one, type) and issubclass(one, DatongError):
            yield one


def _row(kind: type[DatongError]) -> str:
    error = kind([]) if issubclass(kind, ConfigurationError) else kind("it failed")
    means, do = MEANING[kind.__name__]
    return f"| `{kind.__name__}` | {means} | {_next(error)} | {_status(error)} | {do} |\n"


def _next(error: DatongError) -> str:
    return _NEXT[fate(error).next] if isinstance(error, RemoteError) else "the command ends; nothing more is done"


def _status(error: DatongError) -> int:
    session: Any = SimpleNamespace(debug=False, json=False)
    with contextlib.redirect_stderr(io.StringIO()):
        return told(error, session)


def main() -> int:
    page = reference()
    if "--check" in sys.argv:
        return 0 if TARGET.read_text(encoding="utf8") == page else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(page, encoding="utf8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
