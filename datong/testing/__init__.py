"""For authors of connectors: the conformance suite, and connectors broken on purpose that prove the suite.

A connector's own test file subclasses `ConformanceSuite` and stands its connector on a `Bench`: docs/conformance.md.
"""

import pytest

pytest.register_assert_rewrite(
    *(f"datong.testing.{name}" for name in ("acts", "reading", "writing", "failing", "declaring", "hinting"))
)

from datong.testing.bench import Bench, Fault, context  # noqa: E402
from datong.testing.suite import ConformanceSuite, Verdict, cases, verdicts  # noqa: E402

__all__ = ["Bench", "ConformanceSuite", "Fault", "Verdict", "cases", "context", "verdicts"]
