"""docs/operate.md: every cause and metric is there, and what it tells to type does what it says."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from datong.base import errors
from datong.base.errors import DatongError, RemoteError
from datong.engine.outcome import fate
from datong.sandbox import Sandbox
from house.documents import ROOT, blocks
from tests.cli.conftest import Place, placed

PAGE = ROOT / "docs" / "operate.md"
TEXT = PAGE.read_text(encoding="utf8")


def test_every_cause_of_an_item_is_told() -> None:
    told = set(re.findall(r"^\| `([a-z ]+)` \|", TEXT, re.MULTILINE))
    assert told == causes() - {"conflict"}


def causes() -> set[str]:
    """What the code gives as cause: of items, of errors that reach people, and of what many refusals share."""
    found: set[str] = set()
    for path in (ROOT / "datong").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            name = getattr(call.func, "id", "") if isinstance(call, ast.Call) else ""
            if isinstance(call, ast.Call) and name in ("Item", "Fate") and len(call.args) > 1:
                cause, first = call.args[1], call.args[0]
                people = name == "Item" or getattr(first, "value", "") in ("park", "suspend")
                if people and isinstance(cause, ast.Constant):
                    found.add(str(cause.value))
    remote = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, DatongError)]
    fates = [fate(one("x")) for one in remote if issubclass(one, RemoteError)]
    return found | {one.cause for one in fates if one.next in ("park", "suspend")}


def test_every_metric_is_told() -> None:
    source = (ROOT / "datong" / "web" / "metrics.py").read_text(encoding="utf8")
    counted = set(re.findall(r'Counter\(\s*"(datong_\w+)"|CounterMetricFamily\("(datong_\w+)"', source))
    counters = {a or b for a, b in counted}
    names = {f"{n}_total" if n in counters else n for n in re.findall(r'"(datong_\w+)"', source)}
    assert set(re.findall(r"`(datong_[a-z_]+)`", TEXT)) == names


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Path]]:
    """Synced and saved as the page says, once with sqlite3 and once with Python; then synced again."""
    folder = tmp_path_factory.mktemp("datong")
    with Sandbox(seed=1, size=12) as sandbox:
        place = placed(sandbox, folder)
        place.datong("sync")
        (folder / "backup").mkdir()
        for line in commands_under("## Backup"):
            words = shlex.split(line)
            if words[0] == "sqlite3":
                continue  # the program may not be here; what follows does the same
            if words[0] == "python3":
                words[0] = sys.executable
            subprocess.run(words, cwd=folder, check=True, timeout=60)
        sandbox.crm.create("accounts", {"name": "后来的客户有限公司", "stage": "customer"})
        assert place.datong("sync", "--json").json["created"] == 1
        yield place, folder


def commands_under(heading: str) -> list[str]:
    part = TEXT[TEXT.index(f"{heading}\n") :]
    part = part[: part.index("\n## ")]
    return re.findall(r"^\$ (.+)$", part[: part.find("### ") if "### " in part else None], re.MULTILINE)


def test_the_backup_is_whole_and_a_loss_shows(backed_up: tuple[Place, Path]) -> None:
    """Restored beside newer seals it says that rows are gone; beside its own seals it is intact."""
    place, folder = backed_up
    for name in ("datong.db-wal", "datong.db-shm"):
        (folder / name).unlink(missing_ok=True)
    (folder / "datong.db").write_bytes((folder / "backup" / "datong.db").read_bytes())
    lost = place.datong("journal", "--verify", "--json")
    assert (lost.status, lost.json["why"]) == (1, "rows sealed outside are gone")
    (folder / "datong.seals").write_bytes((folder / "backup" / "datong.seals").read_bytes())
    whole = place.datong("journal", "--verify", "--json")
    assert (whole.status, whole.json["intact"]) == (0, True)
    plan = place.datong("plan", "--full", "--changes", "--json").json
    assert plan["creates"] == 0, "the customer made since the backup is found by our own key"


def test_the_unit_and_the_folder_name_the_same_places() -> None:
    (unit,) = blocks(PAGE, "ini")
    assert re.search(r"ExecStart=(\S+)/\.venv/bin/datong --config \1/datong\.yaml run", unit)
