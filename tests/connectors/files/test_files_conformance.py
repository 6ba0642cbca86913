"""Lists conform: one CSV file for both sides, one workbook, and two files with an old system in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lists import ExchangeBench, ListBench

from datong.testing import Bench, ConformanceSuite


class TestFiles(ConformanceSuite):
    @pytest.fixture(params=["one csv", "one xlsx", "exchange csv", "exchange xlsx"])
    def bench(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
        how, _, form = request.param.partition(" ")
        folder = tmp_path / "lists"
        folder.mkdir()
        bench = (ListBench if how == "one" else ExchangeBench)(folder, f"customers.{form}")
        yield bench
        bench.close()
