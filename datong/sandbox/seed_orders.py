"""A book of orders for the seeded SimERP: the same for the same seed, size and day."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from datong.sandbox.erp import Erp
from datong.sandbox.erp_books import plus, today
from datong.sandbox.fields import Row

_CARRIERS = ("顺丰速运", "德邦物流", "京东物流", "DHL")
_REMARKS = ("", "", "请随货附质检报告", "木箱包装，防潮", "发货前电话联系收货人", "分批交货")
_DAYS = 60  # how far back the book goes


def fill_orders(erp: Erp, seed: int, count: int) -> None:
    """Orders of every state, with their shipments, invoices and receipts. Nobody is told, nothing is counted."""
    rng = random.Random(f"{seed}/orders")
    customers, items = _customers(erp), [row["id"] for row in erp.rows("items")]
    if not customers or not items:
        return
    held, erp.settings.credit = erp.settings.credit, "off"
    for number in range(count):
        _live(erp, rng, _order(erp, rng, rng.choice(customers), items, number), number % 10)
    erp.settings.credit = held
    erp.forget_counts()


def _customers(erp: Erp) -> list[tuple[int, str]]:
    """Those that may buy, with the company they buy from."""
    return [
        (row["id"], code)
        for row in erp.rows("customers")
        for code, part in row["companies"].items()
        if row["status"] == "active" and not part["blocked"]
    ]


def _order(erp: Erp, rng: random.Random, customer: tuple[int, str], items: Sequence[Any], number: int) -> Row:
    key, code = customer
    lines = [{"itemId": item, "qty": str(rng.randint(1, 200))} for item in rng.sample(items, min(len(items), 3))]
    return erp.create(
        "salesOrders",
        {
            "companyCode": code,
            "custId": key,
            "orderDate": plus(today(erp, code), -rng.randint(0, _DAYS)),
            "custOrderNo": f"PO-{rng.randint(1000, 9999)}" if number % 2 else "",
            "priceIncludesTax": code == "asia",
            "remarks": rng.choice(_REMARKS),
            "lines": lines,
        },
    )


def _live(erp: Erp, rng: random.Random, order: Row, stage: int) -> None:
    """How far the order got: 0 draft, 1 submitted, 2 cancelled, 3 and 4 approved, 5 part shipped, then on to paid."""
    key = order["id"]
    if stage in (1, 2):
        erp.act("submit" if stage == 1 else "cancel", order=key)
    if stage < 3:
        return
    erp.act("approve", order=key)
    if stage < 5:
        return
    first = order["lines"][0]["lineId"]
    part: Mapping[Any, Any] | None = {first: 1} if stage == 5 else None
    tracking = f"SF{rng.randint(10**11, 10**12 - 1)}"
    shipment = erp.act("ship", order=key, quantities=part, carrier=rng.choice(_CARRIERS), tracking=tracking)
    if stage > 6:
        erp.act("deliver", shipment=shipment["id"])
        invoice = erp.act("invoice", shipment=shipment["id"])
        if stage == 8:
            erp.act("pay", invoice=invoice["id"], amount=1)
        if stage == 9:
            erp.act("pay", invoice=invoice["id"])
