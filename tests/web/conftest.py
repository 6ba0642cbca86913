from collections.abc import Iterator
from pathlib import Path

import pytest

from datong.base import log
from datong.sandbox import Sandbox

from .stage import Stage


@pytest.fixture(autouse=True, scope="session")
def plain_log() -> None:
    log.configure()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=1, size=0) as sandbox:
        yield sandbox


@pytest.fixture
def stage(sandbox: Sandbox, tmp_path: Path) -> Stage:
    """No customers yet, and nothing is polled but at the first turn."""
    return Stage(sandbox, tmp_path, {"every": None, "sweep": "30d"})
