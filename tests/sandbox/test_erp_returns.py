"""Returns in SimERP: whatever its people do in whatever order, nothing is refunded that is not here, no more comes back
than was shipped, and what we make of the facts is the state that SimERP itself is in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.connectors.sandbox_erp.service import DECISIONS
from datong.flows.return_rules import OUTCOMES, Back, Facts, broken, state_of
from datong.sandbox import Refusal, Sandbox
from datong.sandbox.fields import Row
from tests.properties.laws import law

ACTS = ("authorise", "cancel", "receive", "inspect", "repair", "replace", "refund", "close")
STEPS = st.lists(
    st.tuples(st.sampled_from(("request", "advance", "part", *ACTS)), st.integers(0, 2), st.integers(1, 3)), max_size=24
)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(seed=1, size=0)


def sold(sandbox: Sandbox, quantity: int = 3, *, invoiced: bool = True) -> Row:
    """An order of a new customer that was shipped."""
    erp = sandbox.erp
    count = len(erp.rows("customers"))
    item = {"description": "轴承", "baseUnit": 1, "salesPrice": "10", "currency": "CNY", "taxCodeId": 1}
    key = erp.create("items", {"itemNo": f"R-{count}", **item})["id"]
    customer = erp.create("customers", {"custName": f"大同{count}号"})["id"]
    lines = [{"itemId": key, "qty": str(quantity)}]
    row = {"custId": customer, "companyCode": "asia", "currency": "CNY", "lines": lines}
    order = erp.create("salesOrders", row)["id"]
    erp.act("approve", order=order)
    erp.act("ship", order=order)
    if invoiced:
        erp.act("invoice", order=order)
    found = erp.get("salesOrders", order)
    assert found is not None
    return found


def asked(sandbox: Sandbox, order: Row, quantity: int, **more: Any) -> Row:
    line = {"itemId": order["lines"][0]["itemId"], "qty": str(quantity)}
    same = {name: order[name] for name in ("custId", "companyCode")}
    return sandbox.erp.create("returnOrders", {**same, "orderId": order["id"], "lines": [line], **more})


def take(sandbox: Sandbox, order: Row, made: list[Any], step: str, number: int, quantity: int) -> None:
    if step in ("request", "advance"):
        made.append(asked(sandbox, order, quantity, advance=step == "advance")["id"])
    elif step == "part" and made:
        rma = made[number % len(made)]
        line = sandbox.erp.row("returnOrders", rma)["lines"][0]["lineId"]
        sandbox.erp.act("receive_return", rma=rma, quantities={line: str(quantity)})
    elif made:
        sandbox.erp.act(f"{step}_return", rma=made[number % len(made)])


@law
@given(steps=STEPS)
def test_no_order_of_acts_goes_round_a_rule(sandbox: Sandbox, steps: list[tuple[str, int, int]]) -> None:
    order = sold(sandbox)
    made: list[Any] = []
    for step in steps:
        try:
            take(sandbox, order, made, *step)
        except Refusal:
            continue
    rows = [sandbox.erp.row("returnOrders", one) for one in made]
    live = [row for row in rows if row["status"] not in ("refused", "cancelled")]
    assert sum(Decimal(line["qty"]) for row in live for line in row["lines"]) <= 3
    for row in rows:
        facts = facts_of(sandbox, row)
        assert broken(facts, row["advance"]) is None
        assert state_of(facts) == row["status"]


def facts_of(sandbox: Sandbox, row: Row) -> Facts:
    credit = row["creditNoteId"] is not None and sandbox.erp.row("invoices", row["creditNoteId"])
    return Facts(
        decision=DECISIONS[row["status"]],
        lines=[
            Back(Decimal(line["qty"]), Decimal(line["receivedQty"]), line["result"], line["disposition"])
            for line in row["lines"]
        ],
        repaired=row["repairedDate"] is not None,
        credited=bool(credit) and credit["status"] in ("posted", "paid"),
        replaced=row["replacementId"] is not None,
    )


def test_what_is_refused_says_why(sandbox: Sandbox) -> None:
    order, erp = sold(sandbox, invoiced=False), sandbox.erp
    with pytest.raises(Refusal, match="no more than 3"):
        asked(sandbox, order, 4)
    rma = asked(sandbox, order, 2)["id"]
    with pytest.raises(Refusal, match="no more than 3"):
        asked(sandbox, order, 2)
    with pytest.raises(Refusal, match="nothing is refunded before it is here"):
        erp.act("refund_return", rma=rma)
    for act in ("authorise_return", "receive_return", "inspect_return"):
        erp.act(act, rma=rma)
    with pytest.raises(Refusal, match="no one invoice charged all of it"):
        erp.act("refund_return", rma=rma)
    with pytest.raises(Refusal, match="is inspected"):
        erp.edit("returnOrders", rma, {"reason": "other"})


def test_goods_come_back_into_stock_and_the_credit_is_what_was_charged(sandbox: Sandbox) -> None:
    order, erp = sold(sandbox), sandbox.erp
    before = on_hand(sandbox, order)
    rma = asked(sandbox, order, 2)["id"]
    for act in ("authorise_return", "receive_return", "inspect_return"):
        erp.act(act, rma=rma)
    row = erp.act("refund_return", rma=rma)
    assert on_hand(sandbox, order) - before == 2
    note = erp.row("invoices", row["creditNoteId"])
    assert (note["docType"], note["grossAmount"], note["status"]) == ("CRN", "-22.60", "paid")
    assert row["status"] in OUTCOMES and row["receiptNo"].startswith("RR-A-")


def on_hand(sandbox: Sandbox, order: Row) -> Decimal:
    item = order["lines"][0]["itemId"]
    return sum((Decimal(row["onHand"]) for row in sandbox.erp.rows("stockLevels") if row["itemId"] == item), Decimal(0))
