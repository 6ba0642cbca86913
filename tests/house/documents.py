"""The documents of this repository: which there are, and the commands they name."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:datong|make) [^`]+)`")
_SHELL = ("console", "bash", "sh", "shell", "")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is in the repository, or would be with the next `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    names = listed.stdout.split("\0") if listed.returncode == 0 else _walked()
    return tuple(sorted(path for name in set(names) if name and (path := ROOT / name).is_file()))


def _walked() -> list[str]:
    """Without git, as in an unpacked archive."""
    outside = {".venv", ".cache", ".git", "__pycache__", "build", "dist"}
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
    return [
        str(path) for path in found if not any(p in outside or p.endswith((".egg-info", "_cache")) for p in path.parts)
    ]


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return [block[3] for block in _FENCE.finditer(page.read_text(encoding="utf8")) if block[2] == language]


def commands(text: str, program: str) -> Iterator[list[str]]:
    """Calls of `program` in shell blocks and in inline code, as lists of words without the program itself."""
    for block in _FENCE.finditer(text):
        if block[2] in _SHELL:
            for line in block[3].replace("\\\n", " ").splitlines():
                yield from _calls(line, program)
    for inline in _INLINE.finditer(_FENCE.sub("", text)):
        yield from _calls(inline[1], program)


def _calls(line: str, program: str) -> Iterator[list[str]]:
    """`datong plan --json | jq .id && datong apply X` holds two calls of datong. `X|Y` is a choice, not a pipe."""
    plain = line.strip().removeprefix("$ ").replace("\\|", "|")  # a table needs `\\|`
    without_comment = re.split(r"(?:^|\s)#\s", plain)[0]
    for part in re.split(r"\s(?:\||&&|;|>|2>)\s|;", without_comment):
        try:
            words = shlex.split(part)
        except ValueError:
            words = part.split()
        while words and re.match(r"^[A-Z_]+=", words[0]):
            words = words[1:]
        if words and words[0].removeprefix(".venv/bin/") == program:
            yield words[1:]
