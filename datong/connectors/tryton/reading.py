"""Reads documents: one question for each model, whatever the number of records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from datong.base.money import decimal
from datong.connectors.tryton import fulfilment, sales
from datong.connectors.tryton.changes import named
from datong.connectors.tryton.database import Database
from datong.connectors.tryton.sales import STAMPS, Sale
from datong.kit import WireRecord

Row = dict[str, Any]
AT_ONCE = 500
"""Ids in one question."""


class Documents:
    """Each method gives those of `ids` that meet `domain`, in order of id."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def order(self, domain: list[Any], ids: Sequence[int]) -> list[WireRecord]:
        return [one.record() for one in self.sales(domain, ids)]

    def sales(self, domain: list[Any], ids: Sequence[int]) -> list[Sale]:
        """Each with everything that it is judged by."""
        rows = self._those("sale.sale", "id", ids, (*sales.SALE, *STAMPS), domain)
        fields = (*sales.LINE, *self._held("sale.line", sales.LINE_OPTIONAL), *STAMPS)
        lines = self._those("sale.line", "sale", [one["id"] for one in rows], fields, [["type", "=", "line"]])
        origins = [f"sale.line,{one['id']}" for one in lines]
        moves = self._those("stock.move", "origin", origins, (*sales.MOVE, *STAMPS))
        billed = self._those("account.invoice.line", "origin", origins, sales.BILLED)
        ids_of = [one for row in rows for one in row["invoices"] or []]
        invoices = {one["id"]: one for one in self._those("account.invoice", "id", ids_of, (*sales.INVOICE, *STAMPS))}
        rates, factors = self._rates(lines), self._factors([*lines, *moves, *billed])
        mine, owner = _grouped(lines, "sale"), {f"sale.line,{one['id']}": one["sale"] for one in lines}
        moved, charged = _grouped(moves, "origin", owner), _grouped(billed, "origin", owner)
        return [
            Sale(row, mine[row["id"]], moved[row["id"]], charged[row["id"]], invoices, rates, factors) for row in rows
        ]

    def shipment(self, domain: list[Any], ids: Sequence[int]) -> list[WireRecord]:
        held = self._held("stock.shipment.out", fulfilment.SHIPMENT_OPTIONAL)
        rows = self._those("stock.shipment.out", "id", ids, (*fulfilment.SHIPMENT, *held, *STAMPS), domain)
        mine = [f"stock.shipment.out,{one['id']}" for one in rows]
        outward = [["to_location.type", "=", "customer"]]
        moves = self._those("stock.move", "shipment", mine, (*fulfilment.MOVE, *STAMPS), outward)
        lines = self._sale_lines(moves)
        of = _grouped(moves, "shipment")
        return [fulfilment.shipment(row, of[f"stock.shipment.out,{row['id']}"], lines, held) for row in rows]

    def invoice(self, domain: list[Any], ids: Sequence[int]) -> list[WireRecord]:
        rows = self._those("account.invoice", "id", ids, (*fulfilment.INVOICE, *STAMPS), domain)
        lines = self._those(
            "account.invoice.line",
            "invoice",
            [one["id"] for one in rows],
            (*fulfilment.INVOICE_LINE, *STAMPS),
            [["type", "=", "line"]],
        )
        taken_back = [one for line in lines for one in named(line["origin"], "account.invoice.line")]
        reversed_lines = {
            one["id"]: one["invoice"] for one in self._those("account.invoice.line", "id", taken_back, ("invoice",))
        }
        to_pay = [one for row in rows for one in row["lines_to_pay"] or []]
        fields = (*fulfilment.TO_PAY, *STAMPS)
        due = {one["id"]: one for one in self._those("account.move.line", "id", to_pay, fields)}
        of, sold, rates = _grouped(lines, "invoice"), self._sale_lines(lines), self._rates(lines)
        return [
            fulfilment.invoice(
                row,
                of[row["id"]],
                sold,
                reversed_lines,
                [due[one] for one in row["lines_to_pay"] or [] if one in due],
                rates,
            )
            for row in rows
        ]

    def payment(self, domain: list[Any], ids: Sequence[int]) -> list[WireRecord]:
        """`ids` are those of moves; one of them may hold the receipts of several customers."""
        fields = ("number", "company", "journal", "state", "date", "description", *STAMPS)
        moves = self._those("account.move", "id", ids, fields, domain)
        owed = [["party", "!=", None], ["account.type.receivable", "=", True]]
        lines = self._those(
            "account.move.line", "move", [one["id"] for one in moves], (*fulfilment.MOVE_LINE, *STAMPS), owed
        )
        settled, invoices, undone = self._settled(lines)
        methods = self._methods()
        currencies = {one["id"]: one["currency"] for one in self._db.all("company.company", [], ["currency"])}
        of = _grouped(lines, "move")
        found = []
        for move in moves:
            for party, mine in sorted(_grouped(of[move["id"]], "party").items()):
                found.append(
                    fulfilment.payment(
                        move,
                        party,
                        mine,
                        currencies[move["company"]],
                        settled,
                        invoices,
                        methods,
                        undone.get(move["id"]),
                    )
                )
        return found

    def _settled(self, lines: Sequence[Row]) -> tuple[dict[int, list[Row]], dict[int, int], dict[int, Any]]:
        """By reconciliation: the lines that it holds; whose invoice a move is; the moves that others undo, with the day
        of that."""
        groups = [one["reconciliation"] for one in lines if one["reconciliation"]]
        held = self._those(
            "account.move.line",
            "reconciliation",
            groups,
            (*fulfilment.MOVE_LINE[:-1], "move.origin", "move.date", *STAMPS),
        )
        invoices: dict[int, int] = {}
        undone: dict[int, Any] = {}
        for one in self._those("account.invoice", "move", [row["move"] for row in held], ("move",)):
            invoices[one["move"]] = one["id"]
        for one in held:
            other = one["move."] or {}
            undone |= dict.fromkeys(named(other.get("origin"), "account.move"), other.get("date"))
        return _grouped(held, "reconciliation"), invoices, undone

    def _methods(self) -> dict[tuple[int, int], list[int]]:
        found: dict[tuple[int, int], list[int]] = defaultdict(list)
        for one in self._db.all("account.invoice.payment.method", [], ["company", "journal"]):
            found[one["company"], one["journal"]].append(one["id"])
        return found

    def _sale_lines(self, rows: Iterable[Mapping[str, Any]]) -> dict[int, Row]:
        """By id. The line of a return sale stands for that of the sale which was complained of."""
        ids = {one for row in rows for one in named(row["origin"], "sale.line")}
        lines = self._those("sale.line", "id", sorted(ids), ("sale", "sequence"))
        returned = self._complained_of({one["sale"] for one in lines})
        return {one["id"]: {**one, "sale": returned.get(one["sale"], one["sale"])} for one in lines}

    def _complained_of(self, sales: set[int]) -> dict[int, int]:
        """Return sale -> the sale that its complaint is about."""
        rows = self._those("sale.sale", "id", sorted(sales), ("origin",))
        complaints = {n: row["id"] for row in rows for n in named(row["origin"], "sale.complaint")}
        found: dict[int, int] = {}
        for one in self._those("sale.complaint", "id", sorted(complaints), ("origin",)):
            lines = named(one["origin"], "sale.line")
            of_line = [row["sale"] for row in self._those("sale.line", "id", lines, ("sale",))]
            for sale in (*named(one["origin"], "sale.sale"), *of_line):
                found[complaints[one["id"]]] = sale
        return found

    def _rates(self, lines: Iterable[Mapping[str, Any]]) -> dict[int, Decimal | None]:
        """The share that a tax takes; None where it is no percentage."""
        ids = sorted({one for line in lines for one in line["taxes"] or []})
        rows = self._those("account.tax", "id", ids, ("type", "rate"))
        return {one["id"]: one["rate"] if one["type"] == "percentage" else None for one in rows}

    def _factors(self, rows: Sequence[Mapping[str, Any]]) -> dict[int, Decimal]:
        units = sorted({one["unit"] for one in rows if one["unit"]})
        if len(units) < 2:
            return {}
        return {one["id"]: decimal(one["factor"]) for one in self._those("product.uom", "id", units, ("factor",))}

    def _held(self, model: str, optional: Sequence[str]) -> list[str]:
        known = self._db.fields_of(model)
        return [name for name in optional if name.partition(".")[0] in known]

    def _those(
        self, model: str, by: str, values: Sequence[Any], fields: Sequence[str], domain: Sequence[Any] = ()
    ) -> list[Row]:
        """Rows whose `by` is one of `values`."""
        wanted = sorted(set(values))
        rows: list[Row] = []
        for first in range(0, len(wanted), AT_ONCE):
            some = wanted[first : first + AT_ONCE]
            rows += self._db.all(model, [*domain, [by, "in", some]], sorted({*fields, by} - {"id"}))
        return sorted(rows, key=lambda one: one["id"])


def _grouped(rows: Iterable[Row], by: str, through: Mapping[Any, Any] | None = None) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for one in rows:
        groups[one[by] if through is None else through[one[by]]].append(one)
    return groups
