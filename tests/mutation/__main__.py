"""`python -m tests.mutation [MODULE ...]`: a table of mutants, killed and survivors; exit status 1 for a survivor that
tests/mutation/survivors.toml does not know, for one that it knows and a test kills now, and from 10 % on."""

from __future__ import annotations

import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.mutation.trial import MODULES, examined

KNOWN = Path(__file__).parent / "survivors.toml"
MOST = 0.10


def main(wanted: list[str]) -> int:
    known: dict[str, dict[str, str]] = tomllib.loads(KNOWN.read_text(encoding="utf8"))
    total = survivors = unlike = 0
    print(f"{'module':<24}{'mutants':>8}{'killed':>8}{'survivors':>11}")
    with ProcessPoolExecutor(
        1, get_context("spawn"), max_tasks_per_child=1
    ) as fresh:  # what one imported is no other's
        for module, (every, alive) in zip(wanted or MODULES, fresh.map(examined, wanted or MODULES), strict=True):
            total, survivors = total + every, survivors + len(alive)
            print(_row(module, every, len(alive)))
            reasons, names = known.get(module, {}), {name for _, name in alive}
            for line, name in alive:
                print(f"    {line}: {name}\n        {reasons.get(name, 'NOT EXPLAINED')}")
            for name in sorted(reasons.keys() - names):
                print(f"    no longer alive: {name}")
            unlike += len(names ^ reasons.keys())
            sys.stdout.flush()
    print(_row("all", total, survivors))
    return int(bool(unlike) or survivors >= MOST * total)


def _row(name: str, total: int, alive: int) -> str:
    return f"{name:<24}{total:>8}{total - alive:>8}{alive:>6} {alive / total:>4.0%}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
