"""What the sink must hold in the end: how many accounts, and the sum of their fingerprints."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from bench import dataset
from bench.mapping import MASK, fingerprint, map_customer, values


def print_of(i: int, rev: int = 0) -> int:
    """The fingerprint of customer `i` as an account."""
    return fingerprint(values(map_customer(dataset.record(i, rev))))


def turned(numbers: Iterable[int], rev: int, known: bool) -> int:
    """What the sum grows by when these customers come to `rev`, known before (in the base state) or not."""
    return sum(print_of(i, rev) - (print_of(i) if known else 0) for i in numbers)


def expected(n: int, folder: Path) -> dict[str, int]:
    """`base`: the sum of n customers; `after`: with revision 1; `changed`: how many that changes. Kept in `folder`."""
    path = folder / f"expected-{n}.json"
    if not path.exists():
        base = sum(map(print_of, range(n)))
        changed = [i for i in range(n) if dataset.touched(i, 1)]
        after = base + turned(changed, 1, known=True)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"base": base & MASK, "after": after & MASK, "changed": len(changed)}))
    told: dict[str, int] = json.loads(path.read_text())
    return told
