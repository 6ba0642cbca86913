"""`python -m datong.cli.reference` writes docs/cli.md from the commands themselves; `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer.main

from datong.cli.program import app

TARGET = Path(__file__).parents[2] / "docs" / "cli.md"

HEAD = """\
# The command line

Made by `python -m datong.cli.reference`; do not edit.

{intro}

Every command also takes, before or after its name:

{everywhere}

With `--json` standard output holds one JSON document and nothing else; notes, progress and errors go to standard error.
An error is `{{"error": {{"kind", "message", "remedy"}}}}` there. Lists answer `{{"items": [...], "next": ...}}`: `next`
is what `--after` takes to go on, null at the end; with `--ndjson` they print one document a line. Totals are integers,
`seconds` is a number, times are ISO 8601 in UTC.

`plan` has status 1 when a system could not be read, or when the mass guard will stop the plan; reviews and conflicts
that it foresees are no work yet. `apply` and `sync` have status 1 when something failed or moved, a system could not be
reached, the mass guard stopped them, or they gave a person something new to decide; with `--strict` also while older
items are open. `check` has status 2 when the configuration is wrong, 1 when something else is.
"""


def reference() -> str:
    """The page."""
    root: Any = typer.main.get_command(app)
    everywhere = _options(root)
    parts = [HEAD.format(intro=_text(root.help), everywhere="\n".join(everywhere))]
    for name, command in root.commands.items():
        parts += _pages(f"datong {name}", command, everywhere)
    return "\n".join(parts)


def _pages(path: str, command: Any, everywhere: list[str]) -> list[str]:
    if hasattr(command, "commands"):
        default = getattr(command, "default", "")
        named = [(path if n == default else f"{path} {n}", one) for n, one in command.commands.items()]
        pages = [page for name, one in named for page in _pages(name, one, everywhere)]
        if default:
            return pages
        return [f"## {path}\n\n{_text(command.help)}\n", *pages]
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join([path, *(a.metavar if a.required else f"[{a.metavar}]" for a in arguments)])
    options = [line for line in _options(command) if line not in everywhere]
    rows = [f"- `{a.metavar}`: {a.help}" for a in arguments] + options
    body = "\n".join([_text(command.help), *([""] if rows else []), *rows])
    level = "###" if path.count(" ") > 1 else "##"
    return [f"{level} {path}\n\n```\n{usage}{' [OPTIONS]' if options else ''}\n```\n\n{body}\n"]


def _options(command: Any) -> list[str]:
    lines = []
    for one in command.params:
        if one.param_type_name != "option" or one.name == "help":
            continue
        metavar = "" if one.is_flag else f" {one.metavar}"
        default = f" (default {one.default})" if isinstance(one.default, int) and not one.is_flag else ""
        lines.append(f"- `{one.opts[0]}{metavar}`: {one.help}{default}")
    return lines


def _text(text: str | None) -> str:
    return "\n".join(line.strip() for line in (text or "").strip().splitlines())


def main() -> int:
    told = reference()
    if "--check" in sys.argv:
        return 0 if TARGET.read_text(encoding="utf8") == told else 1
    TARGET.write_text(told, encoding="utf8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
