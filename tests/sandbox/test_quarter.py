"""The quarter is the same each time, keeps both books right, and does everything that it says."""

from datetime import UTC, datetime
from decimal import Decimal

from datong.sandbox import Sandbox
from datong.sandbox.quarter import Quarter

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def lived(seed: int = 2, days: int = 36) -> tuple[Sandbox, Quarter]:
    sandbox = Sandbox(seed=3, size=48, start=NOW)
    quarter = Quarter(sandbox, seed, days, busy=12)
    while not quarter.over:
        quarter.day()
    return sandbox, quarter


def test_the_same_seed_makes_the_same_quarter() -> None:
    (one, first), (other, second) = lived(), lived()
    for here, there in ((one.crm, other.crm), (one.erp, other.erp)):
        assert {name: here.rows(name) for name in here.specs} == {name: there.rows(name) for name in there.specs}
    assert first.promises == second.promises and first.done == second.done
    assert lived(5)[1].done != first.done


def test_everything_happens_and_nothing_is_promised_twice() -> None:
    sandbox, quarter = lived()
    told = quarter.promises
    named = [*told.accepted, *told.part_accepted, *told.released, *told.never]
    assert len(named) == len(set(named)) and set(told.cancelled) <= set(told.released)
    assert told.accepted and told.part_accepted and told.released and told.never and told.cancelled and told.born
    for act in (
        "accept_quote",
        "change_order",
        "ship",
        "deliver",
        "invoice",
        "pay",
        "credit",
        "produce",
        "delay",
        "amend",
    ):
        assert quarter.done[act], act
    assert {row["state"] for row in sandbox.crm.rows("quotes")} >= {"accepted", "part_accepted", "rejected"}
    wishes = {row["id"]: row["wish"] for row in sandbox.crm.rows("orders")}
    for id in told.released:
        assert wishes[id] == ("cancelled" if id in told.cancelled else "released")


def test_the_books_of_the_quarter_agree() -> None:
    sandbox, _ = lived()
    receipts = sandbox.erp.rows("receipts")
    for invoice in sandbox.erp.rows("invoices"):
        paid = sum(
            (
                Decimal(one["amount"])
                for row in receipts
                for one in row["allocations"]
                if one["invoiceId"] == invoice["id"]
            ),
            Decimal(0),
        )
        assert Decimal(invoice["paidAmount"]) == paid
        if invoice["docType"] == "INV" and invoice["status"] != "draft":
            figures = (Decimal(invoice[name]) for name in ("grossAmount", "paidAmount", "creditedAmount", "openAmount"))
            gross, paid, credited, left = figures
            assert gross - paid - credited == left
            assert (left > 0) is (invoice["status"] == "posted")
    for order in sandbox.erp.rows("salesOrders"):
        for line in order["lines"]:
            shipped = sum(
                (
                    Decimal(one["qty"])
                    for row in sandbox.erp.rows("shipments")
                    if row["status"] in ("shipped", "delivered")
                    for one in row["lines"]
                    if one["orderLineId"] == line["lineId"]
                ),
                Decimal(0),
            )
            assert Decimal(line["shippedQty"]) == shipped
