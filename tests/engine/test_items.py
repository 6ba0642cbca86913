from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from datong.engine.items import MAIN, assign, content, flattened, keys_of
from datong.mapping import WireItem

leaves = st.fixed_dictionaries(
    {},
    optional={
        "use": st.sampled_from(["billing", "shipping", None]),
        "city": st.sampled_from(["深圳市", "广州市", "巴黎", None]),
        "street": st.sampled_from(["科技园路1号", "科技园路2号", None]),
    },
)
keys = st.lists(st.sampled_from(["main", "i2", "i3", "i7"]), unique=True, max_size=4)


def item(native: str | None, **values: Any) -> WireItem:
    return WireItem(native, values, {})


def record(**items: dict[str, Any] | None) -> dict[str, Any]:
    """`None`: the item was removed; what it held still stands."""
    agreed: dict[str, Any] = {"name": "大同"}
    for key, values in items.items():
        agreed[f"addresses.{key}"] = True if values is not None else None
        agreed.update({f"addresses.{key}.{leaf}": value for leaf, value in (values or {"city": "旧"}).items()})
    return agreed


@given(
    st.dictionaries(keys.flatmap(lambda k: st.sampled_from(k or ["main"])), st.none() | leaves, max_size=4),
    st.lists(st.tuples(st.none() | st.sampled_from(["1", "2", "3", "4"]), leaves), max_size=5),
    st.dictionaries(st.sampled_from(["1", "2", "3"]), st.sampled_from(["main", "i2", "i3", "i9"]), max_size=3),
)
def test_every_item_gets_a_key_of_its_own(agreed: Any, wire: Any, known: dict[str, str]) -> None:
    assume(len(set(known.values())) == len(known))
    natives = [n for n, _ in wire if n is not None]
    assume(len(set(natives)) == len(natives))
    ours = record(**agreed)
    rows = [item(native, **values) for native, values in wire]
    given_keys = assign(ours, "addresses", rows, known)
    assert len(given_keys) == len(set(given_keys)) == len(rows)
    assert all(k and "." not in k for k in given_keys)
    for key, row in zip(given_keys, rows, strict=True):
        if row.native_id in known:
            assert key == known[row.native_id], "a known line id keeps its key"
        elif key not in keys_of(ours, "addresses"):
            assert key not in known.values()
            assert not content(ours, "addresses", key), "a new key brings nothing of an older item"
    flat = flattened("addresses", given_keys, rows)
    assert keys_of(flat, "addresses") == given_keys
    for key, row in zip(given_keys, rows, strict=True):
        assert content(flat, "addresses", key) == row.values


@given(st.lists(leaves.filter(lambda v: any(v.values())), min_size=1, max_size=4), st.data(), st.booleans())
def test_the_order_of_a_list_means_nothing(contents: list[dict[str, Any]], data: st.DataObject, ids: bool) -> None:
    """Items that we hold are found by content, whatever order a system lists them in."""
    said = [{leaf: v for leaf, v in one.items() if v is not None} for one in contents]
    unique = [v for n, v in enumerate(said) if v not in said[:n]]
    ours = record(**{f"k{n}": v for n, v in enumerate(unique)})
    turned = data.draw(st.permutations(list(enumerate(unique))))
    rows = [item(str(n) if ids else None, **values) for n, values in turned]
    assert assign(ours, "addresses", rows, {}) == [f"k{n}" for n, _ in turned]


@given(leaves, leaves, st.permutations(["1", "2", "3"]))
def test_known_lines_in_any_order(one: Any, other: Any, order: list[str]) -> None:
    known = {"1": "main", "2": "i2", "3": "i3"}
    contents = {"1": one, "2": other, "3": {"city": "深圳市"}}
    rows = [item(n, **contents[n]) for n in order]
    assert assign(record(main=one, i2=other, i3={"city": "巴黎"}), "addresses", rows, known) == [
        known[n] for n in order
    ]


def test_an_exact_match_goes_before_a_likely_one() -> None:
    ours = record(a={"city": "深圳市", "street": "科技园路1号"}, b={"city": "深圳市"})
    vague, exact = item(None, city="深圳市"), item(None, city="深圳市", street="科技园路1号")
    assert assign(ours, "addresses", [vague, exact], {}) == ["b", "a"]
    assert assign(ours, "addresses", [exact, vague], {}) == ["a", "b"]


def test_the_first_is_main_and_a_removed_ones_key_is_not_given_again() -> None:
    assert assign({}, "addresses", [item("1"), item("2")], {}) == [MAIN, "i2"]
    assert assign(record(main=None), "addresses", [item("9", city="新")], {}) == ["i2"]
    assert assign(record(main=None, i2=None), "addresses", [item("9", city="新")], {}) == ["i3"]


def test_without_line_ids_the_place_decides_at_last() -> None:
    ours = record(main={"city": "深圳市"}, i2={"city": "巴黎"})
    assert assign(ours, "addresses", [item(None, city="里昂"), item(None, city="马赛")], {}) == ["main", "i2"]
    with_ids = [item("1", city="里昂"), item("2", city="马赛")]
    assert set(assign(ours, "addresses", with_ids, {})).isdisjoint({"main", "i2"})


def test_one_moved_street_is_still_the_same_address() -> None:
    ours = record(main={"use": "billing", "city": "深圳市", "street": "旧路"}, i2={"use": "shipping", "city": "深圳市"})
    moved = item("5", use="billing", city="深圳市", street="新路")
    assert assign(ours, "addresses", [moved], {}) == ["main"]


def test_keys_of_what_exists() -> None:
    agreed = record(main={"city": "深圳市"}, i2=None, i3={})
    assert keys_of(agreed, "addresses") == ["main", "i3"]
    assert keys_of(agreed, "lines") == []
    assert content(agreed, "addresses", "main") == {"city": "深圳市"}
