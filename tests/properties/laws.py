"""How a law is tried, and the values that laws are tried on.

`make test` tries the same hundred examples each time; `make proof` tries thousands of new ones (profile `proof`).
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

PROFILE = "DATONG_LAWS"
_SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("laws", max_examples=100, derandomize=True, deadline=None, database=None)
settings.register_profile("proof", max_examples=5000, deadline=None, print_blob=True, suppress_health_check=_SLOW)

law = settings.get_profile(os.environ.get(PROFILE, "laws"))
"""Decorates every law, above `given`."""

PEOPLE = st.text(
    st.sampled_from("大同深圳李娜王强Aa Zz09.-_@+=()·é\u0301\u00a0\u3000\u200b\u200e\u202e\ufeff\t\n０Ｗ①ﬁßİı𠮷🏭"),
    max_size=12,
)
"""Texts as people, spreadsheets and web pages leave them."""

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    PEOPLE,
    st.text(max_size=8),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9).map(str),
    st.dates().map(str),
    st.sampled_from(["", " ", "0", "-0", "1e400", "NaN", "1_000", "2026-02-30", "2026-11-21T00:00:00Z", "Infinity"]),
)
WIRE = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PEOPLE, inner, max_size=3))
"""Whatever a system may send."""
