"""Reconciliation on real Tryton and real BottleCRM: what was changed behind Datong's back is found, and put right."""

from __future__ import annotations

import pytest

from datong.operations.reconcile import reconcile
from tests.real.real_pair import RealPair
from tests.scenarios.pair import WANG

pytestmark = [pytest.mark.real, pytest.mark.proof, pytest.mark.timeout(300)]


def test_what_was_changed_behind_its_back_is_found_and_put_right(pair: RealPair) -> None:
    pair.sync()
    names = [f"大同第{n}号机电有限公司" for n in range(6)]
    ids = {name: pair.crm.make(name=name, email=f"c{n}@datong.example") for n, name in enumerate(names)}
    pair.settle()
    there = {row["name"]: key for key, row in pair.erp.customers().items()}
    assert there.keys() == ids.keys()
    pair.advance(3600)
    assert reconcile(pair.engine, WANG)["differing"] == 0

    pair.erp.change(there[names[0]], name="别名有限公司")
    pair.erp.change(there[names[1]], email="other@datong.example")
    pair.erp.change(there[names[2]], credit_limit={"asia": "70000"})
    pair.erp.remove(there[names[3]])
    made = pair.crm.make(name="无名商贸有限公司")
    pair.advance(3600)
    report = reconcile(pair.engine, WANG)
    found = {(one["class"], one["place"], one["natives"][one["place"]]) for one in report["differences"]}
    assert found == {
        ("stale", "erp", there[names[0]]),
        ("stale", "erp", there[names[1]]),
        ("money", "erp", there[names[2]]),
        ("missing", "erp", there[names[3]]),
        ("orphan", "crm", made),
    }
    assert all(one["since"] and one["known"] is None for one in report["differences"])
    result = pair.engine.apply(report["plan"]["id"])
    assert not result.problems and not result.moved
    pair.settle()
    pair.advance(3600)
    after = reconcile(pair.engine, WANG)
    assert after["classes"] == {}
    assert names[0] in {row["name"] for row in pair.erp.customers().values()}, "the CRM decides the name"
    assert pair.crm.customers()[ids[names[1]]]["email"] == "other@datong.example", "both may change the mail"
