from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from datong.sandbox import Sandbox
from tests.scenarios.sandbox_pair import SandboxPair, sandbox_pair


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[SandboxPair]:
    """The sandbox with reference data and no customers, contacts or products."""
    with Sandbox(seed=1, size=0) as sandbox:
        pair = sandbox_pair(sandbox, tmp_path)
        pair.configure()
        yield pair
        pair.close()


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[SandboxPair]:
    """200 customers that already disagree."""
    with Sandbox(seed=1, size=200) as sandbox:
        pair = sandbox_pair(sandbox, tmp_path)
        pair.configure()
        yield pair
        pair.close()
