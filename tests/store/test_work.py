from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from datong.base.clock import ManualClock
from datong.store import Store
from datong.store.schema import work
from datong.store.work import Item, close, count_open, decide, dismissed, get, open_item, open_items

ITEM = Item(
    "parked",
    "refused",
    "refused:books:7",
    "税号无效",
    "correct it",
    kind="account",
    record_id=7,
    connection="books",
    detail={"码": "E1"},
    digest="d1",
)


def test_opened_once_and_counted(store: Store, clock: ManualClock) -> None:
    with store.write() as tx:
        first = open_item(tx, clock, ITEM)
        assert first is not None
        clock.advance(60)
        assert open_item(tx, clock, replace(ITEM, reason="还是无效", detail={"码": "E2"}, digest="d2")) is None
        row = get(tx, first)
        assert row is not None
        assert (row["times"], row["reason"], row["detail"]) == (2, "还是无效", {"码": "E2"})
        assert row["digest"] == "d2", "a decision is about the values that were shown"
        assert row["opened_at"] < clock.now() and row["state"] == "open" and row["closed_at"] is None
        assert get(tx, 999) is None


def test_once_is_the_databases_own_rule(store: Store, clock: ManualClock) -> None:
    values = {**ITEM.__dict__, "detail": {}, "opened_at": clock.now()}
    with store.write() as tx:
        tx.execute(work.insert().values(**values, state="open"))
        tx.execute(work.insert().values(**values, state="resolved"))
        tx.execute(work.insert().values(**values, state="resolved"))
    with pytest.raises(sa.exc.IntegrityError), store.write() as tx:
        tx.execute(work.insert().values(**values, state="open"))


def test_closed_and_opened_again_is_a_new_one(store: Store, clock: ManualClock) -> None:
    with store.write() as tx:
        first = open_item(tx, clock, ITEM)
        assert close(tx, clock, "li.na", subjects=[ITEM.subject]) == 1
        assert close(tx, clock, "li.na", subjects=[ITEM.subject]) == 0
        assert close(tx, clock, "li.na") == 0
        second = open_item(tx, clock, ITEM)
        assert second not in (None, first)
        assert close(tx, clock, "li.na", state="dismissed", ids=[second or 0]) == 1
        row = get(tx, second or 0)
        assert row is not None
        assert (row["state"], row["closed_by"], row["closed_at"]) == ("dismissed", "li.na", clock.now())


def test_dismissed_holds_until_the_values_change(store: Store, clock: ManualClock) -> None:
    with store.write() as tx:
        opened = open_item(tx, clock, ITEM)
        close(tx, clock, "li.na", state="dismissed", ids=[opened or 0])
        decide(tx, clock, "dismiss", ITEM.subject, ITEM.digest, "li.na")
        assert dismissed(tx, ITEM.subject, "d1") and not dismissed(tx, ITEM.subject, "d2")
        assert open_item(tx, clock, ITEM) is None
        assert open_items(tx) == []
        assert open_item(tx, clock, replace(ITEM, subject="refused:books:8")) is not None
        assert open_item(tx, clock, replace(ITEM, digest="d2")) is not None
        close(tx, clock, "li.na", subjects=[ITEM.subject])
        decide(tx, clock, "dismiss", ITEM.subject, "d2", "li.na")
        assert open_item(tx, clock, replace(ITEM, digest="d2")) is None
        assert open_item(tx, clock, ITEM) is not None, "the first decision has lapsed"


def test_listing(store: Store, clock: ManualClock) -> None:
    with store.write() as tx:
        for n in range(5):
            open_item(tx, clock, replace(ITEM, subject=f"s{n}", record_id=n, cause=f"c{n % 2}"))
        open_item(tx, clock, replace(ITEM, type="review", subject="r", record_id=9, other_id=3))
        told = open_items(tx)
        assert [i["subject"] for i in told] == ["s0", "s1", "s2", "s3", "s4", "r"]
        assert [i["subject"] for i in open_items(tx, limit=2, after=told[1]["id"])] == ["s2", "s3"]
        assert len(open_items(tx, limit=None)) == 6
        assert [i["subject"] for i in open_items(tx, types=["review"])] == ["r"]
        assert [i["subject"] for i in open_items(tx, record_ids=[3])] == ["s3", "r"]
        assert [i["subject"] for i in open_items(tx, cause="c1")] == ["s1", "s3"]
        assert count_open(tx) == {"parked": 5, "review": 1, "conflict": 0}


@pytest.mark.parametrize("column", ["cause", "subject", "field", "native_id"])
def test_a_long_text_is_kept_whole_or_refused_on_both(store: Store, clock: ManualClock, column: str) -> None:
    """SQLite keeps any length; PostgreSQL refuses beyond the column's. What Datong itself writes must fit both."""
    length = work.c[column].type.length
    assert length is not None
    with store.write() as tx:
        opened = open_item(tx, clock, replace(ITEM, **{column: "长" * length}))
        row = get(tx, opened or 0)
        assert row is not None and row[column] == "长" * length
