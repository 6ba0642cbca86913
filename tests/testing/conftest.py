"""Two sandboxes for the whole session; the cases of the suite stand on fresh benches over them."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import httpx2._transports.default as transports
import pytest

from datong.testing.bench_sandbox import Benches


@pytest.fixture(scope="session", autouse=True)
def one_list_of_authorities() -> Iterator[None]:
    """Loading the certificates of the authorities takes 40 ms; thousands of clients on loopback need it once."""
    load = transports.create_ssl_context
    transports.create_ssl_context = functools.cache(load)
    yield
    transports.create_ssl_context = load


@pytest.fixture(scope="session")
def benches() -> Iterator[Benches]:
    with Benches() as benches:
        yield benches
