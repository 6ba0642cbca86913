from collections.abc import Iterator

import httpx2
import pytest

from datong.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=1, size=60) as sandbox:
        yield sandbox


@pytest.fixture
def crm(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {sandbox.crm.token}"}
    with httpx2.Client(base_url=sandbox.crm.url, headers=headers, timeout=5, trust_env=False) as client:
        yield client


@pytest.fixture
def erp(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    headers = {"X-Api-Key": sandbox.erp.token}
    with httpx2.Client(base_url=sandbox.erp.url, headers=headers, timeout=5, trust_env=False) as client:
        yield client
