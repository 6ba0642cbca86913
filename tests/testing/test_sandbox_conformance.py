"""The connectors of the sandbox conform; this is all that a connector's own conformance test takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from datong.testing import Bench, ConformanceSuite
from datong.testing.bench_sandbox import Benches

CRM_KINDS = (
    "account",
    "contact",
    "product",
    "campaign",
    "opportunity",
    "quote",
    "order",
    "contract",
    "invoice_request",
    "shipment",
    "invoice",
    "payment",
    "price_list",
    "price",
    "stock_level",
    "supply_order",
    "exchange_rate",
    "bill_of_materials",
    "service_case",
    "return",
    "article",
    "asset",
)
ERP_KINDS = (
    "account",
    "contact",
    "product",
    "order",
    "invoice_request",
    "shipment",
    "invoice",
    "payment",
    "price_list",
    "price",
    "stock_level",
    "supply_order",
    "exchange_rate",
    "accounting_period",
    "return",
    "asset",
    "forecast",
)


class TestSandboxCrm(ConformanceSuite):
    @pytest.fixture(params=CRM_KINDS)
    def bench(self, request: pytest.FixtureRequest, benches: Benches) -> Iterator[Bench]:
        with benches.crm(request.param) as bench:
            yield bench


class TestSandboxErp(ConformanceSuite):
    @pytest.fixture(params=ERP_KINDS)
    def bench(self, request: pytest.FixtureRequest, benches: Benches) -> Iterator[Bench]:
        with benches.erp(request.param) as bench:
            yield bench
