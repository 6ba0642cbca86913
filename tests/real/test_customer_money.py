"""What a customer owes, on real systems: BottleCRM's account shows what Tryton's own aged balance says, to the cent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import lab
from datong.base.money import Money
from datong.insight.span import Span
from datong.kit import ItemWrite, Saved, Write
from datong.operations.statements import all_statements
from lab import staff
from tests.real.conftest import unavailable
from tests.real.real_pair import RealPair, real_pair
from tests.scenarios.pair import WANG

pytestmark = [pytest.mark.real, pytest.mark.proof, pytest.mark.timeout(1200)]
FLOWS = ("reference_data", "contact", "product_catalogue", "aged_balances", "financial_summary")
NAMES = ("not_due", "due_1_30", "due_31_60", "due_61_90", "over_90")
TODAY = dt.date.today()
OWN_DAY = {"companies": {"default": {"ageing": {"part_payments": "own_day"}}}}
"""As Tryton ages: what was paid of an invoice stands beside it until the rest is paid."""


@pytest.fixture
def owing(tmp_path: Path) -> Iterator[RealPair]:
    """Systems of their own: what is posted cannot be cleared away."""
    try:
        with lab.running() as real:
            made = real_pair(real, tmp_path)
            flows: dict[str, Any] = dict.fromkeys(FLOWS, True)
            flows["financial_summary"] = {"on": True, "settings": OWN_DAY}
            made.configure(connections={"crm": {"figures": True}, "erp": {"warehouses": {"asia": "SHA"}}}, flows=flows)
            made.app.landscape.connections["crm"].connector.check()  # makes the custom fields
            yield made
            made.close()
    except lab.LabUnavailable as reason:
        unavailable(reason)


def invoiced(pair: RealPair, party: int, quantity: float, day: dt.date) -> int:
    """A sale that was shipped and invoiced on a day."""
    erp = pair.erp.system
    item = ItemWrite("create", None, {"product": erp.ids["products"]["W-100"], "quantity": quantity})
    told = {"company": 1, "party": party, "wish": "released"}
    connector = pair.app.landscape.connections["erp"].connector
    write = Write(1, "create", None, f"dt-money-{quantity}-{day}", told, {"lines": [item]})
    (answer,) = connector.write(connector.kinds["order"], [write])
    assert isinstance(answer, Saved), answer
    (sale,) = erp.call("model.sale.sale.read", [int(answer.id)], ["shipments", "invoices"])
    staff.ship(erp, sale["shipments"][0])
    (sale,) = erp.call("model.sale.sale.read", [int(answer.id)], ["invoices"])
    (bill,) = sale["invoices"]
    erp.call("model.account.invoice.write", [bill], {"payment_term_date": day}, context={"company": 1})
    with pytest.raises(lab.CallRefused) as refused:  # it falls due in the past, and Tryton warns of that
        staff.post(erp, bill, day)
    _, (warning, *_) = refused.value.answer  # type: ignore[misc]
    erp.call("model.res.user.warning.skip", warning, False)
    staff.post(erp, bill, day)
    return int(bill)


def aged(erp: lab.Tryton, party: int) -> dict[str, Decimal]:
    """Tryton's own report, asked once for each end of our periods."""
    whole = erp.call("model.party.party.read", [party], ["receivable"])[0]["receivable"]
    past = [older_than(erp, party, days) for days in (1, 31, 61, 91)]
    return {
        "receivable": whole,
        "not_due": whole - past[0],
        **{name: past[at] - past[at + 1] for at, name in enumerate(NAMES[1:4])},
        "over_90": past[3],
    }


def older_than(erp: lab.Tryton, party: int, days: int) -> Decimal:
    """What fell due at least so many days ago."""
    context = {"type": "customer", "date": TODAY, "term1": days, "term2": 5000, "term3": 9999, "unit": "day"}
    fields = ["term1", "term2", "term3"]
    domain = [["party", "=", party]]
    rows = erp.call("model.account.aged_balance.search_read", domain, 0, None, None, fields, context=context)
    return sum((row[name] for row in rows for name in fields), Decimal(0))


def shown(pair: RealPair, account: str) -> dict[str, Decimal]:
    (row,) = [one for one in pair.crm.accounts() if one["id"] == account]
    held = row["custom_fields"]
    return {name: Money.parse(held[f"{name}_asia"]).amount for name in ("receivable", *NAMES)}


def test_the_account_shows_what_the_erps_own_ageing_says(owing: RealPair) -> None:
    place = {"address_line": "科技园路1号", "city": "深圳市", "country": "CN"}
    account = owing.crm.system.call("POST", "/api/accounts/", {"name": "深圳市大同科技有限公司", **place})["id"]
    owing.settle()
    erp = owing.erp.system
    (party,) = [int(key) for key, one in owing.erp.customers().items() if one["name"] == "深圳市大同科技有限公司"]
    oldest_first = (130, 100, 70, 40)  # as Tryton numbers invoices
    bills = [invoiced(owing, party, n + 1, TODAY - dt.timedelta(days=ago)) for n, ago in enumerate(oldest_first)]
    owing.settle()
    figures = shown(owing, account)
    assert figures == aged(erp, party) and figures["receivable"] > 0
    assert sum(bool(figures[name]) for name in NAMES) > 2, "they fell due in several periods"
    staff.pay(erp, bills[2], Decimal("10"))
    staff.pay(erp, bills[1], Decimal("1000"), TODAY - dt.timedelta(days=3))  # too much: the rest is on account
    staff.credit(erp, bills[0])
    owing.settle()
    assert shown(owing, account) == aged(erp, party) != figures
    assert [one["reason"] for one in owing.items("parked", "conflict", "review")] == []
    for days in (90, 0):  # of a past day what Tryton says of the documents until then
        span = Span(TODAY - dt.timedelta(days=200), TODAY - dt.timedelta(days=days))
        (made,) = all_statements(owing.engine, WANG, span, "zh", {})
        assert made.paper.statement.closing == owed(erp, party, span.end)


def owed(erp: lab.Tryton, party: int, day: dt.date) -> Decimal:
    """Tryton's ledger: the lines of the party on receivable accounts until a day."""
    domain = [["party", "=", party], ["account.type.receivable", "=", True], ["move.date", "<=", day]]
    rows = erp.call("model.account.move.line.search_read", domain, 0, None, None, ["debit", "credit"])
    return sum((row["debit"] - row["credit"] for row in rows), Decimal(0))
