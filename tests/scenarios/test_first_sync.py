"""First sync of 200 customers of which some exist on both sides."""

from __future__ import annotations

from typing import Any

from tests.scenarios.sandbox_pair import SandboxPair


def _linked(pair: SandboxPair) -> set[tuple[str, str]]:
    """(CRM id, ERP id) of customers that carry the same ERP account number in some company."""
    by_number = {(c, n): i for i, row in pair.erp.customers().items() for c, n in row["number"].items() if n}
    return {
        (crm, by_number[place])
        for crm, row in pair.crm.customers().items()
        for place in row["number"].items()
        if place in by_number
    }


def test_strong_keys_link_lookalikes_wait_and_nothing_is_doubled(seeded: SandboxPair) -> None:
    expected = seeded.sandbox.expected
    before_crm, before_erp = seeded.crm.customers(), seeded.erp.customers()
    plan = seeded.engine.plan()
    assert seeded.crm.writes() == seeded.erp.writes() == 0, "a plan writes nothing"
    assert plan["creates"] > 0 and plan["updates"] > 0 and plan["reviews"] > 0

    shown = _first_load_differences(seeded, plan["id"])
    result = seeded.engine.apply(plan["id"])
    seeded.settle()

    crm, erp = seeded.crm.customers(), seeded.erp.customers()
    strong = {(a, str(b)) for a, b in expected.strong}
    for a, b in strong:
        if a not in expected.too_long:
            assert crm[a]["tax_id"] and crm[a]["name"].strip() == erp[b]["name"].strip(), (a, b)
    new_in_erp = {i: row for i, row in erp.items() if i not in before_erp}
    new_in_crm = {i: row for i, row in crm.items() if i not in before_crm}
    look_alikes = {a for a, _ in expected.look_alikes}
    names_of_lookalikes = {before_crm[a]["name"].strip() for a in look_alikes}
    assert not names_of_lookalikes & {row["name"] for row in new_in_erp.values()}, "a look-alike was created"
    for new, old in ((new_in_erp, before_crm), (new_in_crm, before_erp)):
        by_tax_id = [row["tax_id"].strip() for row in old.values() if (row["tax_id"] or "").strip()]
        for row in new.values():
            assert not row["tax_id"] or by_tax_id.count(row["tax_id"].strip()) == 1, "a duplicate was carried over"
        names = [row["name"].strip() for row in new.values()]
        assert len(names) <= len([r for r in old.values() if r["name"].strip() in names])
    assert result.created
    reviews = seeded.items("review")
    assert reviews and all(item["detail"]["reasons"] for item in reviews if item["cause"] == "possible match")
    reviewed = {
        (i["detail"]["left"]["id"], i["detail"]["right"]["id"])
        for i in reviews
        if i["kind"] == "account" and i["cause"] == "possible match"
    }
    for a, b in expected.look_alikes:
        assert (a, str(b)) in reviewed, "a look-alike waits in review"
    assert shown, "first-load differences stand in the plan"


def _first_load_differences(pair: SandboxPair, plan_id: str) -> list[dict[str, Any]]:
    from datong.operations.sync import plan_changes_of
    from tests.scenarios.pair import WANG

    changes = plan_changes_of(pair.engine, WANG, plan_id, limit=None)
    return [c for c in changes if c["action"] == "update" and any(f["before"] for f in c["fields"].values())]


def test_a_second_sync_writes_nothing(seeded: SandboxPair) -> None:
    seeded.sync()
    seeded.settle()
    writes = seeded.crm.writes(), seeded.erp.writes()
    result = seeded.sync(full=True)
    assert (result.created, result.updated, result.deleted) == (0, 0, 0)
    assert (seeded.crm.writes(), seeded.erp.writes()) == writes


def test_links_are_the_expected_pairs_and_no_others(seeded: SandboxPair) -> None:
    seeded.sync()
    seeded.settle()
    expected = {(a, str(b)) for a, b in seeded.sandbox.expected.strong}
    joined = {
        (crm["id"], str(erp["id"]))
        for crm in seeded.sandbox.crm.rows("accounts")
        for erp in seeded.sandbox.erp.rows("customers")
        if crm["tax_id"] and crm["tax_id"].strip() == erp["taxNo"].strip() and (crm["id"], str(erp["id"])) in expected
    }
    assert joined == expected
    assert _linked(seeded) >= {p for p in expected if seeded.crm.customers()[p[0]]["number"].get("asia")}
    tax_ids = [row["taxNo"] for row in seeded.sandbox.erp.rows("customers") if row["taxNo"].strip()]
    seeded_ids = set(seeded.sandbox.expected.ambiguous)
    doubled = {t for t in tax_ids if tax_ids.count(t) > 1 and t not in seeded_ids}
    assert not doubled, "no tax id was doubled by the sync"


def test_unmapped_code_is_listed_before_the_first_sync(seeded: SandboxPair) -> None:
    from datong.operations.checking import check
    from tests.scenarios.pair import WANG

    told = check(seeded.engine, WANG)
    assert told["ok"], told
    causes = [p["cause"] for p in told["problems"]]
    assert any("NET45" in cause for cause in causes), causes


def test_custom_fields_are_discovered(empty: SandboxPair) -> None:
    from datong.operations.checking import check
    from tests.scenarios.pair import WANG

    def discovered() -> list[dict[str, str]]:
        told = check(empty.engine, WANG)["problems"]
        return [p for p in told if "custom field" in p["cause"] and p["where"] == "maps.crm.account"]

    assert not discovered()
    empty.configure(
        maps={"crm": {"account": {"custom.score": {"off": True}}}},
        custom={"account": {"score": {"label_en": "Score", "label_zh": "评分"}}},
    )
    told = discovered()
    assert len(told) == 1 and "custom.score" in told[0]["cause"] and told[0]["severity"] == "warning"
