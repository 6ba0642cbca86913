"""A unit of work loads sets, and writes exactly what was touched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from datong.base.clock import ManualClock
from datong.store import Store
from datong.store.schema import journal, keys, links, records
from datong.store.unit import Rec, Unit, chunks
from datong.store.work import Item


def rows(store: Store, table: sa.Table) -> list[dict[str, Any]]:
    with store.read() as tx:
        return [dict(r) for r in tx.execute(sa.select(table).order_by(table.c[0])).mappings()]


def filled(store: Store, number: int = 1) -> list[int]:
    with store.write() as tx:
        unit = Unit(tx, store.clock, "datong")
        made = []
        for n in range(number):
            record = unit.new_record("account")
            record.agreed = {"name": f"客户 {n}"}
            for connection in ("sales", "books"):
                link = unit.new_link(record, connection, f"{connection}-{n}")
                link.sent = {"name": f"客户 {n}"}
            made.append(record.id)
        unit.flush()
    return made


def test_everything_comes_back(store: Store, clock: ManualClock) -> None:
    later = clock.now() + timedelta(hours=1)
    with store.write() as tx:
        unit = Unit(tx, clock, "datong")
        record = unit.new_record("account")
        record.hold = "paused"
        record.agreed = {"name": "深圳市大同科技有限公司", "active": False, "notes": None}
        record.origin = {"name": ["sales", "2026-11-21T08:00:00.000000Z"]}
        record.turns = {"name": ["2026-11-21T08:00:00.000000Z"]}
        record.verdicts = {"books": ["skip", "尚未成交", "", "d", None]}
        link = unit.new_link(record, "sales", "编号/7")
        link.sent, link.seen, link.seen_digest = {"name": "大同"}, {"names.zh": "大同"}, "d"
        link.items, link.held = {"addresses": {"1": "main"}}, {"phone": "bad value: x"}
        link.map_version, link.version, link.state = "v1", "17", "inactive"
        link.changed_at = link.read_at = link.written_at = link.missing_at = later
        unit.flush()
    with store.read() as tx:
        unit = Unit(tx, clock, "datong")
        assert unit.load([record.id]) == {record.id: record}
        assert unit.links_of(record.id) == [link]
        assert unit.link_in(record.id, "sales") == link
        assert unit.link_in(record.id, "books") is None
        assert link.here


def test_only_what_was_touched_is_written(store: Store, clock: ManualClock) -> None:
    one, other = filled(store, 2)
    before = rows(store, records), rows(store, links)
    clock.advance(60)
    with store.write() as tx:
        unit = Unit(tx, clock, "datong")
        unit.load([one, other])
        unit.records[one].agreed["name"] = "changed and not touched"
        unit.records[other].agreed["name"] = "改"
        unit.touch(unit.records[other])
        unit.links_of(one)[0].sent = {}
        unit.links_of(other)[0].sent = {"name": "改"}
        unit.touch_link(unit.links_of(other)[0])
        unit.flush()
    after = rows(store, records), rows(store, links)
    assert [r for r in after[0] if r not in before[0]] == [
        {**before[0][1], "agreed": {"name": "改"}, "updated_at": clock.now()}
    ]
    assert [r for r in after[1] if r not in before[1]] == [{**before[1][3], "sent": [{"name": "客户 1"}, []]}]


def test_what_both_hold_is_kept_once(store: Store, clock: ManualClock) -> None:
    """A link is kept as its difference from the record, and comes back whole when the record moves on."""
    [number] = filled(store)
    with store.write() as tx:
        unit = Unit(tx, clock, "datong")
        record = unit.load([number])[number]
        record.agreed.update(name="大通", phone="+8675526000000")
        unit.touch(record)
        unit.links_of(number)[0].sent = dict(record.agreed)
        unit.touch_link(unit.links_of(number)[0])
        unit.flush()
    assert [r["sent"] for r in rows(store, links)] == [None, [{"name": "客户 0"}, ["phone"]]]
    with store.read() as tx:
        unit = Unit(tx, clock, "datong")
        unit.load([number])
        assert [k.sent for k in unit.links_of(number)] == [
            {"name": "大通", "phone": "+8675526000000"},
            {"name": "客户 0"},
        ]


def test_a_unit_may_go_on_after_a_flush(store: Store, clock: ManualClock) -> None:
    with store.write() as tx:
        unit = Unit(tx, clock, "datong")
        record = unit.new_record("account")
        unit.flush()
        record.agreed = {"name": "二"}
        unit.touch(record)
        link = unit.new_link(record, "sales", "1")
        unit.flush()
        link.state = "gone"
        unit.touch_link(link)
        second = unit.new_record("contact")
        unit.flush()
        unit.flush()
    assert [(r["id"], r["kind"], r["agreed"]) for r in rows(store, records)] == [
        (record.id, "account", {"name": "二"}),
        (second.id, "contact", {}),
    ]
    assert [r["state"] for r in rows(store, links)] == ["gone"]


def test_what_is_not_flushed_is_not_there(store: Store, clock: ManualClock) -> None:
    with store.write() as tx:
        unit = Unit(tx, clock, "datong")
        unit.new_record("account")
        unit.note("seen")
    assert rows(store, records) == [] and rows(store, journal) == []


def test_loading_by_native_id(store: Store, clock: ManualClock) -> None:
    made = filled(store, 3)
    with store.read() as tx:
        unit = Unit(tx, clock, "datong")
        found = unit.load_native("sales", "account", ["sales-0", "sales-2", "nobody"])
        assert {n: link.record_id for n, link in found.items()} == {"sales-0": made[0], "sales-2": made[2]}
        assert set(unit.records) == {made[0], made[2]}
        assert len(unit.links_of(made[0])) == 2, "the other side's links come along"
        assert unit.load_native("sales", "contact", ["sales-0"]) == {}
        assert unit.load([99]) == {}
        assert unit.load([]) == {}


def test_loading_again_keeps_what_was_changed(store: Store, clock: ManualClock) -> None:
    (one,) = filled(store)
    with store.read() as tx:
        unit = Unit(tx, clock, "datong")
        record = unit.load([one])[one]
        record.agreed["name"] = "改"
        assert unit.load([one])[one] is record
        assert unit.load_native("sales", "account", ["sales-0"])["sales-0"] is unit.link_in(one, "sales")
        assert len(unit.links_of(one)) == 2


def test_thousands_are_loaded_in_sets(store: Store, clock: ManualClock) -> None:
    made = filled(store, 1203)
    with store.read() as tx:
        unit = Unit(tx, clock, "datong")
        assert len(unit.load(made)) == 1203
        assert len(unit.load_native("books", "account", [f"books-{n}" for n in range(1203)])) == 1203
    assert [len(c) for c in chunks(range(1203))] == [500, 500, 203]
    assert list(chunks([])) == []


def test_a_second_link_is_a_follower(store: Store, clock: ManualClock) -> None:
    (one,) = filled(store)
    with store.write() as tx:
        unit = Unit(tx, clock, "datong")
        record = unit.load([one])[one]
        follower = unit.new_link(record, "sales", "sales-extra")
        assert not follower.main
        main = unit.link_in(one, "sales")
        assert main is not None and main.native_id == "sales-0"
        unit.flush()
    with store.read() as tx:
        unit = Unit(tx, clock, "datong")
        unit.load([one])
        assert [(k.native_id, k.main) for k in unit.links_of(one) if k.connection == "sales"] == [
            ("sales-0", True),
            ("sales-extra", False),
        ]


def test_links_move(store: Store, clock: ManualClock) -> None:
    one, other = filled(store, 2)
    with store.write() as tx:
        unit = Unit(tx, clock, "datong")
        both = unit.load([one, other])
        link = unit.link_in(one, "sales")
        assert link is not None
        unit.move_link(link, both[other])
        assert not link.main and unit.link_in(one, "sales") is None
        unit.flush()
    assert [(r["record_id"], r["main"]) for r in rows(store, links) if r["native_id"] == "sales-0"] == [(other, False)]


def test_a_dropped_link_is_gone_with_its_keys_and_may_come_again(store: Store, clock: ManualClock) -> None:
    one, other = filled(store, 2)
    with store.write() as tx:
        unit = Unit(tx, clock, "datong")
        record = unit.load([one])[one]
        link = unit.link_in(one, "sales")
        assert link is not None
        key = {"record_id": one, "kind": "account", "connection": "sales", "rule": "tax_id", "strong": True}
        tx.execute(keys.insert().values(link_id=link.id, value="91350100M000100Y43", **key))
        unit.touch_link(link)
        unit.drop_link(link)
        again = unit.new_link(record, "sales", "sales-0")
        passing = unit.new_link(record, "sales", "never")
        unit.drop_link(passing)
        unit.flush()
        assert again.id != link.id
    assert [r["id"] for r in rows(store, links) if r["native_id"] == "sales-0"] == [again.id]
    assert rows(store, keys) == []
    assert len(rows(store, links)) == 4
    assert other


def test_a_native_record_has_one_link_by_the_databases_own_rule(store: Store, clock: ManualClock) -> None:
    filled(store)
    with pytest.raises(sa.exc.IntegrityError), store.write() as tx:
        unit = Unit(tx, clock, "datong")
        unit.new_link(unit.new_record("account"), "sales", "sales-0")
        unit.flush()
    assert len(rows(store, records)) == 1, "and nothing of that unit stays"
    with store.write() as tx:
        unit = Unit(tx, clock, "datong")
        record = unit.new_record("contact")
        unit.new_link(record, "sales", "sales-0")  # another kind is another record
        unit.new_link(record, "other", "sales-0")
        unit.flush()


def test_an_item_is_journalled_when_it_is_new(store: Store, clock: ManualClock) -> None:
    item = Item("review", "match", "review:1:2", "可能是同一客户", "decide", record_id=1)
    with store.write() as tx:
        unit = Unit(tx, clock, "datong")
        assert unit.open(item) is not None
        assert unit.open(item) is None
        unit.flush()
    (row,) = rows(store, journal)
    assert (row["event"], row["why"], row["actor"]) == ("review", "可能是同一客户", "datong")


def test_a_record_starts_with_nothing() -> None:
    assert Rec(1, "account") == Rec(1, "account", "active", "", None, {}, {}, {}, {})
