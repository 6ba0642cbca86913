"""What was mended waits for nobody, and a pilot leaves the others alone."""

from __future__ import annotations

from tests.scenarios.sandbox_pair import TAX_ID, SandboxPair


def test_a_code_that_was_tied_closes_its_item(empty: SandboxPair) -> None:
    pair = empty
    pair.configure(flows={"customer_master": {"fields": {"company.*.terms": {"owned_by": "crm"}}}})
    pair.sync()
    pair.crm.make(name="月结45天客户", terms={"asia": "NET45"})
    pair.settle()
    assert [i["cause"] for i in pair.items("parked")] == ["missing reference"]
    term = pair.sandbox.erp.create("paymentTerms", {"code": "NET45", "name": "月结45天"})
    pair.settle()
    pair.settle()
    assert {c["terms"]["asia"] for c in pair.erp.customers().values()} == {term["id"]}, "filled in"
    assert pair.items("parked") == [], "and nothing waits any more"


def test_a_pilot_leaves_those_outside_alone(empty: SandboxPair) -> None:
    """Both systems hold the customer, who is outside the scope: linked perhaps, written never."""
    pair = empty
    pair.configure(flows={"customer_master": {"scope": 'account.country == "FR"'}})
    erp = pair.erp.make(name="深圳市大同科技公司", tax_id=TAX_ID)
    pair.crm.make(name="深圳市大同科技有限公司", tax_id=TAX_ID, phone="0755-2600 0000")
    before = pair.erp.customer(erp)
    writes = pair.erp.writes()
    pair.settle()
    assert (pair.erp.customer(erp), pair.erp.writes()) == (before, writes)
