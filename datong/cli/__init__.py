"""`datong` at the command line: for people at a terminal, and for scripts (`--json`).

Exit status: 0 done · 1 something failed, or there is new work for a person · 2 usage or configuration.
Every command is a thin function over `datong.operations`; whatever is heavy is imported when a command needs it.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence

from datong.cli.context import Session
from datong.cli.failures import told
from datong.cli.program import app

__all__ = ["app", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    gc.set_threshold(50_000, 20, 50)  # records come and go by the page and hold no rings: look for rings less often
    session = Session()
    try:
        app(None if arguments is None else list(arguments), prog_name="datong", obj=session)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception as error:  # the last place where it can be told kindly
        return told(error, session)
    finally:
        session.close()
    return 0
