"""Signed links: whatever is altered opens nothing."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datong.base.tickets import Ticket, key_in, read, written

KEY, NOW = b"k" * 32, datetime(2026, 11, 22, 8, tzinfo=UTC)
TICKET = Ticket("see", "order:17", NOW, NOW + timedelta(days=90))


def test_a_ticket_says_what_it_was_made_for() -> None:
    text = written(KEY, TICKET)
    assert read(KEY, text, NOW) == TICKET
    assert read(KEY, text, TICKET.expires) is None
    assert read(b"another" * 5, text, NOW) is None
    assert text == written(KEY, TICKET) and len(text) < 100


@given(place=st.integers(0, 200), sign=st.characters())
def test_one_other_sign_makes_it_void(place: int, sign: str) -> None:
    text = written(KEY, TICKET)
    at = place % len(text)
    altered = text[:at] + sign + text[at + 1 :]
    assert read(KEY, altered, NOW) == (TICKET if altered == text else None)


@settings(max_examples=50)
@given(st.text(max_size=100))
def test_what_we_did_not_write_opens_nothing(text: str) -> None:
    assert read(KEY, text, NOW) is None


def test_no_part_may_hold_what_parts_them() -> None:
    with pytest.raises(ValueError, match="no part"):
        written(KEY, Ticket("see", "order:1|see", NOW, NOW))


def test_the_key_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    key = key_in(tmp_path / "keys")
    assert key == key_in(tmp_path / "keys") and len(key) == 32
    assert stat.S_IMODE((tmp_path / "keys" / "links.key").stat().st_mode) == 0o600
