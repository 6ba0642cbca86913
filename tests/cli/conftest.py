"""The command line as a function, and a sandbox it works on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from datong.base import json
from datong.cli import main
from datong.sandbox import Sandbox


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def datong(*words: object) -> Answer:
    """Run one command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([str(word) for word in words])
    return Answer(status, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Place:
    """A sandbox and a configuration for it."""

    sandbox: Sandbox
    config: Path

    def datong(self, *words: object) -> Answer:
        return datong("--config", self.config, *words)

    def configured(self, old: str, new: str) -> None:
        """Change the configuration by hand."""
        text = self.config.read_text(encoding="utf8")
        assert old in text
        self.config.write_text(text.replace(old, new), encoding="utf8")


def placed(sandbox: Sandbox, folder: Path) -> Place:
    urls = ("--crm-url", sandbox.crm.url, "--erp-url", sandbox.erp.url)
    made = datong("init", "--example", "sandbox", *urls, "--seed", "1", folder)
    assert made.status == 0, made.err
    return Place(sandbox, folder / "datong.yaml")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Place]:
    """Nothing synced yet."""
    with Sandbox(seed=1, size=30) as sandbox:
        yield placed(sandbox, tmp_path)


@pytest.fixture(scope="session")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """In agreement, for tests that change nothing."""
    with Sandbox(seed=1, size=30) as sandbox:
        place = placed(sandbox, tmp_path_factory.mktemp("synced"))
        assert place.datong("sync", "--json").status == 1  # reviews
        yield place


def pairs(place: Place) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Customers that the two systems hold as one."""
    from datong.cli.demo.agreement import customer_pairs

    rows = place.sandbox.crm.rows("accounts"), place.sandbox.erp.rows("customers")
    return [(dict(a), dict(c)) for a, c in customer_pairs(*rows) if c["companies"] and c["status"] == "active"]
