"""The general connector conforms where the system that is described does: SimCRM, described in simcrm.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datong.bootstrap.yaml import plain, read
from datong.connectors.rest import Rest, RestSettings
from datong.testing import Bench, ConformanceSuite
from datong.testing.bench_sandbox import SECRET, Benches, CrmBench


class DescribedCrmBench(CrmBench):
    def settings(self, url: str, key: str) -> Any:
        return RestSettings.model_validate(described(url, key))


def described(url: str, token: str) -> dict[str, Any]:
    told = plain(read(Path(__file__).with_name("simcrm.yaml")).root)
    told["webhook"]["hmac"]["secret"] = SECRET
    return {**told, "url": url, "auth": {"bearer": {"token": token}}}


class TestDescribedCrm(ConformanceSuite):
    @pytest.fixture(params=["account", "contact", "product"])
    def bench(self, request: pytest.FixtureRequest, benches: Benches) -> Iterator[Bench]:
        bench = DescribedCrmBench(benches._again(benches._ours.crm), benches._theirs.crm, request.param, Rest)
        yield bench
        bench.close()
