"""SimERP's aged balance 账龄表: a report that it computes of its ledger when it is asked, customer by customer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from datong.base.errors import BadAnswer
from datong.connectors.sandbox_erp.api import Api
from datong.connectors.sandbox_erp.documents import CURRENCY, fact, same, to
from datong.connectors.sandbox_erp.values import CODE
from datong.kit import KindSpec, WireRecord
from datong.mapping import FieldMap, Items, day, number, reference

AGED_BALANCE = FieldMap(
    "aged_balance",
    "reports/agedBalance",
    (
        fact("account", "custId", to("account")),
        fact("company", "companyCode", CODE),
        CURRENCY,
        fact("day", "day", day()),
        fact("part_payments", "partPayments", same("document")),
        fact("unallocated", "unallocated", same("own_day")),
        fact("total", "total", number()),
        fact("not_due", "notDue", number()),
        fact("due_1_30", "days30", number()),
        fact("due_31_60", "days60", number()),
        fact("due_61_90", "days90", number()),
        fact("over_90", "over90", number()),
    ),
    items=(
        Items(
            "items",
            "items",
            (
                fact("number", "docNo", CODE),
                fact("due", "dueDate", day()),
                fact("currency", "currency", reference("currency", by="code")),
                fact("amount", "openAmount", number()),
            ),
            id="docNo",
            write="never",
        ),
    ),
)
HOW = {"partPayments": "document", "unallocated": "own_day"}
"""How the report ages what was received: part payments lower their invoice, the rest stands by its own day."""


def aged_balance() -> KindSpec:
    return KindSpec(AGED_BALANCE, reads="snapshot", create="never", update=False, delete=False)


def aged_balances(api: Api, companies: Iterable[str]) -> Iterator[WireRecord]:
    """All of them: the report has no part that could be asked for alone."""
    told = api.call("GET", f"/v1/{AGED_BALANCE.native}", params={"company": ",".join(companies)})
    for row in told["rows"]:
        if not isinstance(row.get("id"), str):
            raise BadAnswer(f"SimERP answered an aged balance whose id is {row.get('id')!r:.60}")
        data: Mapping[str, Any] = {**row, **HOW}
        yield WireRecord(row["id"], data)
