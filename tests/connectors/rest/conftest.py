"""The two sandboxes of the suite's own tests."""

from __future__ import annotations

from tests.testing.conftest import benches, one_list_of_authorities

__all__ = ["benches", "one_list_of_authorities"]
