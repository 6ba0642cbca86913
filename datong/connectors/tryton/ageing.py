"""Tryton's own aged balance (账龄) of customers, `account.aged_balance`, with the open lines that it is made of.

By its source (module account, 8.2.1) each line of an account receivable that is not reconciled yet stands by its own
day, the maturity date or else the day of its move: part payments stand beside their invoice until it is paid in full.
`Now` is what fell due less than `term1` days ago, the day itself included, so the report is asked twice: for our four
periods, and for what falls due on the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from datong.base.json import digest
from datong.base.money import plain
from datong.connectors.tryton.database import Database
from datong.connectors.tryton.documents import company_code, ref, told
from datong.connectors.tryton.party import Company
from datong.kit import WireRecord
from datong.mapping import FieldMap, Items, choice, day, number

_TERMS = ("term0", "term1", "term2", "term3")
_PERIODS = {"term1": 31, "term2": 61, "term3": 91}
_OF_THE_DAY = {"term1": 1, "term2": 2, "term3": 3}
_LINE = (
    "party", "move", "debit", "credit", "maturity_date", "second_currency", "amount_second_currency", "move.date",
    "move.number",
)  # fmt: skip
_HOW = {"part_payments": "own_day", "unallocated": "own_day"}
_ZERO = Decimal(0)


def aged_balance(companies: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    amounts = ("not_due", "due_1_30", "due_31_60", "due_61_90", "over_90")
    return FieldMap(
        "aged_balance",
        "account.aged_balance",
        (
            told("account", "party", ref("account")),
            told("company", "company", company_code(companies)),
            told("currency", "currency", ref("currency")),
            told("day", "day", day()),
            told("part_payments", "part_payments", choice({"own_day": "own_day"})),
            told("unallocated", "unallocated", choice({"own_day": "own_day"})),
            told("total", "total", number()),
            *(told(name, name, number()) for name in amounts),
        ),
        (
            Items(
                "items",
                "items",
                (
                    told("number", "number"),
                    told("due", "due", day()),
                    told("currency", "currency", ref("currency")),
                    told("amount", "amount", number()),
                ),
                write="never",
            ),
        ),
    )


class Ageing:
    """Reads the report, company by company, at the end of the day that it is there."""

    def __init__(self, db: Database, companies: Sequence[Company]) -> None:
        self._db, self._companies = db, list(companies)

    def all(self) -> list[WireRecord]:
        currencies = {row["id"]: row["currency"] for row in self._db.all("company.company", [], ["currency"])}
        return [record for one in self._companies for record in self._of(one.id, currencies[one.id])]

    def some(self, ids: Iterable[str]) -> dict[str, WireRecord]:
        """Those of `ids` whose party and company there are: who owes nothing is not in the report."""
        found = {one.id: one for one in self.all()}
        days = {one.id: self._today(one.id) for one in self._companies}
        currencies = {row["id"]: row["currency"] for row in self._db.all("company.company", [], ["currency"])}
        parted = {native: native.partition("-") for native in ids}
        parties = sorted({int(party) for party, _, _ in parted.values() if party.isdecimal()})
        exist = {row["id"] for row in self._db.all("party.party", [["id", "in", parties]], ["id"])}
        for native, (party, _, company) in parted.items():
            there = party.isdecimal() and int(party) in exist and company.isdecimal() and int(company) in days
            if native not in found and there:
                code = int(company)
                found[native] = _record(int(party), code, currencies[code], days[code], {}, _ZERO, [])
        return found

    def _of(self, company: int, currency: int) -> list[WireRecord]:
        today = self._today(company)
        rows = self._report(company, today, _PERIODS)
        due_now = {row["party"]: row["term0"] or _ZERO for row in self._report(company, today, _OF_THE_DAY)}
        lines = self._open_lines(company, today)
        numbers = self._numbers(lines)
        return [
            _record(
                row["party"],
                company,
                currency,
                today,
                row,
                due_now.get(row["party"], _ZERO),
                [_item(one, numbers, currency) for one in lines if one["party"] == row["party"]],
            )
            for row in rows
        ]

    def _today(self, company: int) -> date:
        found: date = self._db.call("model.ir.date.today", context={"company": company})
        return found

    def _report(self, company: int, today: date, terms: Mapping[str, int]) -> list[dict[str, Any]]:
        context = {"company": company, "type": "customer", "date": today, "unit": "day", "posted": True, **terms}
        fields = ["party", "balance", *_TERMS]
        rows: list[dict[str, Any]] = self._db.call(
            "model.account.aged_balance.search_read", [], 0, None, None, fields, context=context
        )
        return rows

    def _open_lines(self, company: int, today: date) -> list[dict[str, Any]]:
        domain = [
            ["party", "!=", None],
            ["account.type.receivable", "=", True],
            ["account.company", "=", company],
            ["move.date", "<=", today],
            ["OR", ["reconciliation", "=", None], ["reconciliation.date", ">", today]],
        ]
        return self._db.all("account.move.line", domain, _LINE)

    def _numbers(self, lines: Sequence[Mapping[str, Any]]) -> dict[int, str]:
        """The invoice whose move it is; other moves have numbers of their own."""
        moves = sorted({one["move"] for one in lines})
        found = {one["move"]: (one["move."] or {}).get("number") or f"move {one['move']}" for one in lines}
        for first in range(0, len(moves), 500):
            domain = [["move", "in", moves[first : first + 500]]]
            for row in self._db.all("account.invoice", domain, ["move", "number"]):
                found[row["move"]] = row["number"]
        return found


def _item(line: Mapping[str, Any], numbers: Mapping[int, str], currency: int) -> dict[str, Any]:
    foreign = line["second_currency"]
    amount = line["amount_second_currency"] if foreign else line["debit"] - line["credit"]
    return {
        "id": str(line["id"]),
        "number": numbers[line["move"]],
        "due": (line["maturity_date"] or line["move."]["date"]).isoformat(),
        "currency": foreign or currency,
        "amount": plain(amount),
    }


def _record(
    party: int,
    company: int,
    currency: int,
    today: date,
    row: Mapping[str, Any],
    due_now: Decimal,
    items: Sequence[Mapping[str, Any]],
) -> WireRecord:
    terms = [row.get(name) or _ZERO for name in _TERMS]
    total = row.get("balance") or _ZERO
    data = {
        "party": party,
        "company": company,
        "currency": currency,
        "day": today.isoformat(),
        **_HOW,
        "total": plain(total),
        "not_due": plain(total - sum(terms, _ZERO) + due_now),
        "due_1_30": plain(terms[0] - due_now),
        "due_31_60": plain(terms[1]),
        "due_61_90": plain(terms[2]),
        "over_90": plain(terms[3]),
        "items": list(items),
    }
    return WireRecord(f"{party}-{company}", data, digest(data))
