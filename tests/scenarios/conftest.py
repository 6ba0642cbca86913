from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from datong.sandbox import Sandbox
from tests.scenarios.sandbox_pair import NAME, TAX_ID, SandboxPair, sandbox_pair


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


@pytest.fixture
def joined(empty: SandboxPair) -> tuple[SandboxPair, str, str]:
    """One customer on both sides: the pair, its CRM id, its ERP id."""
    empty.sync()
    crm = empty.crm.make(name=NAME, phone="0755-2600 0000", email="li.na@datong.example", tax_id=TAX_ID)
    empty.settle()
    (erp,) = empty.erp.customers()
    return empty, crm, erp
