"""The connectors of the sandbox conform; this is all that a connector's own conformance test takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from datong.testing import Bench, ConformanceSuite
from datong.testing.bench_sandbox import Benches


class TestSandboxCrm(ConformanceSuite):
    @pytest.fixture(params=["account", "contact", "product"])
    def bench(self, request: pytest.FixtureRequest, benches: Benches) -> Iterator[Bench]:
        with benches.crm(request.param) as bench:
            yield bench


class TestSandboxErp(ConformanceSuite):
    @pytest.fixture(params=["account", "contact", "product"])
    def bench(self, request: pytest.FixtureRequest, benches: Benches) -> Iterator[Bench]:
        with benches.erp(request.param) as bench:
            yield bench
