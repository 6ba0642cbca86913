"""The seed is the same each time, and its answer key is right."""

from datetime import UTC, datetime
from typing import Any

import pytest
from stdnum.cn import uscc
from stdnum.de import vat
from stdnum.fr import tva
from stdnum.jp import cn

from datong.sandbox import Sandbox


def both(size: int = 60, seed: int = 1) -> tuple[Sandbox, dict[str, Any], dict[int, Any]]:
    sandbox = Sandbox(seed, size)
    accounts = {row["id"]: row for row in sandbox.crm.rows("accounts")}
    return sandbox, accounts, {row["id"]: row for row in sandbox.erp.rows("customers")}


@pytest.mark.parametrize("size", [0, 1, 24, 60, 300])
def test_same_seed_same_world(size: int) -> None:
    one, other = Sandbox(7, size), Sandbox(7, size)
    for system in ("crm", "erp"):
        first, second = getattr(one, system), getattr(other, system)
        assert first.token == second.token
        assert {name: first.rows(name) for name in first.specs} == {name: second.rows(name) for name in second.specs}
    assert one.expected == other.expected
    if size > 1:
        assert Sandbox(8, size).crm.rows("accounts") != one.crm.rows("accounts")


def test_reset_brings_back_the_same_world() -> None:
    sandbox, accounts, customers = both()
    sandbox.crm.create("accounts", {"name": "x"})
    sandbox.erp.delete("customers", 1)
    sandbox.clock.advance(5)
    sandbox.reset()
    assert {row["id"]: row for row in sandbox.crm.rows("accounts")} == accounts
    assert {row["id"]: row for row in sandbox.erp.rows("customers")} == customers
    assert sandbox.clock.offset() == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_strong_pairs_are_exactly_those_that_share_a_tax_id_once(seed: int) -> None:
    sandbox, accounts, customers = both(240, seed)
    expected, found = sandbox.expected, []
    for account in accounts.values():
        tax = (account["tax_id"] or "").strip()
        here = [one["id"] for one in accounts.values() if tax and (one["tax_id"] or "").strip() == tax]
        there = [one["id"] for one in customers.values() if tax and one["taxNo"].strip() == tax]
        if len(here) == len(there) == 1:
            found.append((here[0], there[0]))
        assert (tax in expected.ambiguous) is (len(here) > 1 or len(there) > 1)
    assert sorted(found) == sorted(expected.strong)


def test_every_record_has_one_fate() -> None:
    sandbox, accounts, customers = both(240)
    key = sandbox.expected
    pairs = [*key.strong, *key.by_number, *key.look_alikes]
    ambiguous_crm = [one for held in key.ambiguous.values() for one in held[0]]
    ambiguous_erp = [one for held in key.ambiguous.values() for one in held[1]]
    assert sorted([*(pair[0] for pair in pairs), *key.only_crm, *ambiguous_crm]) == sorted(accounts)
    assert sorted([*(pair[1] for pair in pairs), *key.only_erp, *ambiguous_erp]) == sorted(customers)


def test_look_alikes_share_no_strong_key_and_numbers_match() -> None:
    sandbox, accounts, customers = both(240)
    for here, there in sandbox.expected.look_alikes:
        assert not ((accounts[here]["tax_id"] or "").strip() and customers[there]["taxNo"].strip())
    for here, there in sandbox.expected.by_number:
        numbers = {part["number"] for part in accounts[here]["erp"].values()}
        assert {part["accountNo"] for part in customers[there]["companies"].values()} <= numbers
    for parent, branch in sandbox.expected.branches:
        assert accounts[branch]["parent_id"] == parent
        assert accounts[branch]["tax_id"] == accounts[parent]["tax_id"]
    for long in sandbox.expected.too_long:
        assert 80 < len(accounts[long]["name"]) <= 120


def test_tax_ids_have_right_check_digits() -> None:
    _, accounts, _ = both(300)
    kinds = {"CN": uscc, "DE": vat, "FR": tva, "JP": cn}
    seen = set()
    for account in accounts.values():
        country = account["addresses"][0]["country"]
        if account["tax_id"]:
            assert kinds[country].is_valid(account["tax_id"]), account["tax_id"]
            seen.add(country)
    assert seen == set(kinds)


def test_the_hard_spellings_are_there() -> None:
    _, accounts, customers = both(60)
    text = "".join(row["name"] for row in accounts.values()) + "".join(row["custName"] for row in customers.values())
    for sign in ("𠮷", "㐂", "🍕", "ＡＢＣ", "東方國際", "有限责任公司", "（", "株式会社", "分公司", "<GmbH>"):
        assert sign in text, sign
    assert any(row["taxNo"] == "" for row in customers.values())
    assert {"", None} < {row["tax_id"] for row in accounts.values()}
    assert any(row["taxNo"].endswith(" ") for row in customers.values())


def test_one_payment_term_has_no_counterpart() -> None:
    sandbox, _, _ = both()
    days = {row["days"] for row in sandbox.erp.rows("paymentTerms")}
    assert [row["code"] for row in sandbox.crm.rows("payment_terms") if row["days"] not in days] == ["NET45"]


def test_products_pair_by_number() -> None:
    sandbox, _, _ = both(200)
    skus = {row["id"]: row["sku"] for row in sandbox.crm.rows("products")}
    numbers = {row["id"]: row["itemNo"] for row in sandbox.erp.rows("items")}
    pairs = [(here, there) for here, sku in skus.items() for there, number in numbers.items() if sku == number]
    assert sorted(pairs) == sorted(sandbox.expected.products)


def test_a_big_import_shares_a_second_over_more_than_a_page() -> None:
    _, _, customers = both(1200)
    times = [row["modifiedAt"] for row in customers.values()]
    assert max(map(times.count, set(times))) > 500


def test_a_book_of_orders_is_the_same_each_time_and_nobody_is_told() -> None:
    start = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    one, other = (Sandbox(7, 60, start=start, orders=60).erp for _ in range(2))
    assert {name: one.rows(name) for name in one.specs} == {name: other.rows(name) for name in other.specs}
    orders = one.rows("salesOrders")
    assert {row["status"] for row in orders} == {"draft", "submitted", "approved", "cancelled"}
    assert {row["shippedState"] for row in orders} == {"none", "part", "full"}
    assert {row["paidState"] for row in orders} == {"none", "part", "full"}
    assert {row["companyCode"] for row in orders} == {"asia", "europe"}
    assert one.stats()["edits"] == {} and one.settings.credit == "warn"
    assert Sandbox(7, 0, orders=10).erp.rows("salesOrders") == []
