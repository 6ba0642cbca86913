"""Rows in bulk read and write what SQLAlchemy would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from datong.base.clock import ManualClock
from datong.store import Store
from datong.store.bulk import Columns, run
from datong.store.schema import due, links
from datong.store.unit import Unit, difference, sent_of

NAMES = (
    "id",
    "record_id",
    "connection",
    "kind",
    "native_id",
    "main",
    "state",
    "sent",
    "seen",
    "held",
    "map_version",
    "read_at",
    "keyed",
)
LINKS = Columns(links, NAMES)
MOMENT = datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)


def row(number: int, **other: Any) -> tuple[Any, ...]:
    told = {
        "id": number,
        "record_id": number * 10,
        "connection": "sales",
        "kind": "account",
        "native_id": f"客户/{number}",
        "main": number % 2 == 0,
        "state": "live",
        "sent": [{"name": "大同 100%"}, ["phone"]] if number % 3 else None,
        "seen": {"名": "𠮷\t\n\\N", "n": None},
        "held": None,
        "map_version": "v1",
        "read_at": MOMENT + timedelta(seconds=number),
        "keyed": False,
    }
    return tuple({**told, **other}[name] for name in NAMES)


@pytest.mark.parametrize("many", [1, 500])
def test_what_is_written_is_read_and_is_what_sqlalchemy_reads(store: Store, many: int) -> None:
    rows = [row(n) for n in range(1, many + 1)]
    with store.write() as tx:
        LINKS.insert(tx, rows)
    with store.read() as tx:
        assert LINKS.where(tx, "connection = ? ORDER BY id", "sales") == rows
        columns = [links.c[name] for name in NAMES]
        assert [tuple(r) for r in tx.execute(sa.select(*columns).order_by(links.c.id))] == rows


def test_changes_go_by_id(store: Store) -> None:
    with store.write() as tx:
        LINKS.insert(tx, [row(1), row(2)])
        LINKS.update(tx, [row(2, state="gone", held={"phone": "ref:x:1"})])
    with store.read() as tx:
        assert LINKS.where(tx, "id > ? ORDER BY id", 0) == [row(1), row(2, state="gone", held={"phone": "ref:x:1"})]


def test_lists_of_any_length_and_a_percent_sign(store: Store) -> None:
    with store.write() as tx:
        LINKS.insert(tx, [row(n) for n in range(1, 1500)])
    with store.read() as tx:
        wanted = [f"客户/{n}" for n in range(1, 1500, 2)]
        assert len(LINKS.select(tx, "native_id", wanted, "connection = ?", "sales")) == 750
        assert LINKS.select(tx, "native_id", []) == []
        assert len(LINKS.where(tx, "sent LIKE '%100%'")) == 1000
        assert run(tx, "SELECT COUNT(*) FROM links WHERE record_id IN ?", [10, 20, 7]) == [(2,)]


def test_labels_and_texts_are_what_the_columns_keep(store: Store) -> None:
    long = "长" * 300 + "\x00"
    with store.write() as tx:
        LINKS.insert(tx, [row(1, native_id=long)])
        expected = links.c.native_id.type.process_bind_param(long, None)  # type: ignore[attr-defined]
    with store.read() as tx:
        assert run(tx, "SELECT native_id FROM links") == [(expected,)]


def test_a_broken_rule_of_the_database_is_told_as_by_sqlalchemy(store: Store) -> None:
    columns = Columns(due, ("record_id", "connection", "kind", "task", "at", "attempts", "fence"))
    twice = [(1, "sales", "account", "deliver", MOMENT, 0, 0)] * 30
    with pytest.raises(sa.exc.IntegrityError), store.write() as tx:
        columns.insert(tx, twice)


scalars = st.none() | st.booleans() | st.text(max_size=3) | st.lists(st.text(max_size=2), max_size=2)
documents = st.dictionaries(st.sampled_from("abcdefg"), scalars, max_size=7)


@given(documents, documents)
def test_a_difference_gives_back_what_was_sent(sent: dict[str, Any], agreed: dict[str, Any]) -> None:
    told = difference(sent, agreed)
    assert sent_of(told, agreed) == sent
    assert (told is None) == (sent == agreed)


def test_others_changes_are_noticed(store: Store, clock: ManualClock) -> None:
    """What a round holds in memory is worth something only while nobody else changes records or links."""

    def unit_of(place: Store, change: bool = False, before: tuple[Unit, int] | None = None) -> tuple[Unit, int, bool]:
        with place.write() as tx:
            unit = Unit(tx, clock, "test")
            if before is not None:
                unit.carry_on(*before)
            held = bool(unit.records)
            if change or not held:
                unit.new_link(unit.new_record("account"), "sales", f"n{unit.changes()}")
            unit.flush()
            return unit, unit.changes(), held

    first, changes, _ = unit_of(store)
    second, changes, held = unit_of(store, True, (first, changes))
    assert held and len(second.records) == 2
    with store.write() as tx:
        tx.execute(sa.text("DELETE FROM inbox"))
    third, changes, held = unit_of(store, False, (second, changes))
    assert held, "what is neither record nor link is nobody's concern"
    other = Store(store.url.render_as_string(hide_password=False), clock)
    unit_of(other, True)
    other.close()
    assert not unit_of(store, False, (third, changes))[2], "another one's change"
