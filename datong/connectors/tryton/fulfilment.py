"""Wire records of shipments, invoices and receipts out of Tryton's rows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from datong.base.money import plain, round_to
from datong.connectors.tryton.changes import named
from datong.connectors.tryton.sales import changed_of, plain_value, version_of
from datong.kit import WireRecord

Row = Mapping[str, Any]

SHIPMENT = (
    "number", "company", "customer", "state", "effective_date", "planned_date", "warehouse", "shipped_by",
)  # fmt: skip
SHIPMENT_OPTIONAL = ("carrier.party.rec_name", "shipping_reference")
"""Of the modules stock_shipment_cost and stock_package_shipping."""
MOVE = ("shipment", "origin", "product", "quantity", "unit", "state")
INVOICE = (
    "number", "company", "party", "state", "invoice_date", "currency", "untaxed_amount", "tax_amount", "total_amount",
    "amount_to_pay", "lines_to_pay", "party.name", "party_tax_identifier.code", "company.party.name",
    "tax_identifier.code",
)  # fmt: skip
INVOICE_LINE = (
    "invoice", "origin", "product", "description", "quantity", "unit", "unit_price", "amount", "taxes", "sequence",
)  # fmt: skip
TO_PAY = ("maturity_date", "reconciliation", "debit", "credit", "second_currency", "amount_second_currency")
MOVE_LINE = (
    "move", "party", "account", "debit", "credit", "second_currency", "amount_second_currency", "reconciliation",
    "invoice_payments",
)  # fmt: skip


def shipment(row: Row, moves: Sequence[Row], sale_lines: Mapping[int, Row], held: Iterable[str]) -> WireRecord:
    """`moves` lead to the customer; `sale_lines` are those they came from; `held` the optional fields there are."""
    data: dict[str, Any] = {name: plain_value(row[name]) for name in SHIPMENT if name not in ("shipped_by",)}
    if row["state"] == "done":
        data["state"] = "delivered" if row["shipped_by"] else "shipped"
    if "shipping_reference" in held:
        data["shipping_reference"] = row["shipping_reference"]
    if "carrier.party.rec_name" in held:
        data["carrier"] = (((row.get("carrier.") or {}).get("party.")) or {}).get("rec_name")
    live = [one for one in moves if one["state"] != "cancelled" or row["state"] == "cancelled"]
    data["lines"] = [
        {
            "id": str(one["id"]),
            **{name: plain_value(one[name]) for name in ("product", "quantity", "unit")},
            **_order_of(one, sale_lines),
        }
        for one in live
    ]
    data["sale"] = only({one.get("sale") for one in data["lines"]})
    return WireRecord(str(row["id"]), data, version_of([row, *moves]), changed_of([row, *moves]))


def invoice(
    row: Row,
    lines: Sequence[Row],
    sale_lines: Mapping[int, Row],
    reversed_lines: Mapping[int, int],
    due: Sequence[Row],
    rates: Mapping[int, Decimal | None],
) -> WireRecord:
    """`reversed_lines`: which invoice each line that a credit note takes back is of; `due`: what is to be paid."""
    data: dict[str, Any] = {
        name: plain_value(row[name])
        for name in INVOICE
        if "." not in name and name not in ("lines_to_pay", "amount_to_pay")
    }
    data["type"] = "credit_note" if row["total_amount"] < 0 else "invoice"
    data["tax_included"] = False
    data["buyer_name"] = (row["party."] or {}).get("name")
    data["buyer_tax_id"] = (row.get("party_tax_identifier.") or {}).get("code")
    data["seller_name"] = ((row["company."] or {}).get("party.") or {}).get("name")
    data["seller_tax_id"] = (row.get("tax_identifier.") or {}).get("code")
    if row["state"] in ("posted", "paid", "cancelled"):
        data["open"] = plain(row["amount_to_pay"] or Decimal(0)) if row["state"] == "posted" else "0"
    data["due"] = _due(due)
    data["rate"] = _rate(due)
    data["instalments"] = [
        {"id": str(one["id"]), "due": plain_value(one["maturity_date"]), "amount": plain(_owed(one))} for one in due
    ]
    data["lines"] = [_invoice_line(one, sale_lines, rates) for one in lines]
    data["sale"] = only({one.get("sale") for one in data["lines"]})
    taken_back = {reversed_lines.get(one) for line in lines for one in named(line["origin"], "account.invoice.line")}
    data["reverses"] = only(taken_back)
    return WireRecord(str(row["id"]), data, version_of([row, *lines, *due]), changed_of([row, *lines, *due]))


def _invoice_line(one: Row, sale_lines: Mapping[int, Row], rates: Mapping[int, Decimal | None]) -> dict[str, Any]:
    taxes = one["taxes"] or []
    told: dict[str, Any] = {
        "id": str(one["id"]),
        **{
            name: plain_value(one[name])
            for name in ("product", "description", "quantity", "unit", "unit_price", "amount", "sequence")
        },
        **_order_of(one, sale_lines),
    }
    if len(taxes) <= 1:
        told["tax"] = taxes[0] if taxes else None
    if all(rates.get(tax) is not None for tax in taxes):
        told["tax_rate"] = plain(sum((rates[tax] or Decimal(0) for tax in taxes), Decimal(0)))
    return told


def _due(lines: Sequence[Row]) -> str | None:
    """The first date on which something is still to be paid; of what is paid the last."""
    still = [one["maturity_date"] for one in lines if one["maturity_date"] and not one["reconciliation"]]
    past = [one["maturity_date"] for one in lines if one["maturity_date"]]
    told: date | None = min(still) if still else max(past, default=None)
    return None if told is None else told.isoformat()


def _owed(line: Row) -> Decimal:
    """What a line of an account receivable is, in its document's currency."""
    owed: Decimal = line["amount_second_currency"] if line["second_currency"] else line["debit"] - line["credit"]
    return owed


def _rate(lines: Sequence[Row]) -> str | None:
    """What one of the document's currency was in the books, to twelve places; None where it is in theirs."""
    foreign = sum((one["amount_second_currency"] for one in lines if one["second_currency"]), Decimal(0))
    booked = sum((one["debit"] - one["credit"] for one in lines if one["second_currency"]), Decimal(0))
    return plain(round_to(booked / foreign, 12)) if foreign else None


def _order_of(one: Row, sale_lines: Mapping[int, Row]) -> dict[str, Any]:
    """The sale and its line that a move or an invoice line came from. A line is told by its sequence, which is the
    position that we gave it, else by its id."""
    for native in named(one["origin"], "sale.line"):
        line = sale_lines.get(native)
        if line is not None:
            return {
                "sale": line["sale"],
                "order_line": str(line["id"] if line["sequence"] is None else line["sequence"]),
            }
    return {"sale": None, "order_line": None}


def only(values: set[Any]) -> Any:
    """The one there is; None where there are several."""
    told = values - {None}
    return next(iter(told)) if len(told) == 1 else None


def sum_of(lines: Iterable[Row], second: bool) -> Decimal:
    """What the customer's account was credited with."""
    if second:
        return -sum((one["amount_second_currency"] for one in lines), Decimal(0))
    return sum((one["credit"] - one["debit"] for one in lines), Decimal(0))


def payment(
    move: Row,
    party: int,
    lines: Sequence[Row],
    books_currency: int,
    settled: Mapping[int, Sequence[Row]],
    invoice_of_move: Mapping[int, int],
    methods: Mapping[tuple[int, int], Sequence[int]],
    undone: Any,
) -> WireRecord:
    """`lines`: those of `party` on accounts receivable. `settled`: the lines that each reconciliation holds;
    `invoice_of_move`: the invoice whose move it is; `methods`: payment methods by company and journal; `undone`: the
    day of the move that undoes it, if any."""
    currencies = {one["second_currency"] for one in lines}
    second = len(currencies) == 1 and currencies != {None}
    amount = sum_of(lines, second)
    shares = _shares(lines, second, settled, invoice_of_move)
    data: dict[str, Any] = {
        "number": move["number"],
        "company": move["company"],
        "party": party,
        "state": "reversed" if undone else move["state"],
        "reversed_on": plain_value(undone),
        "date": plain_value(move["date"]),
        "currency": currencies.pop() if second else books_currency,
        "rate": _rate(lines) if second else None,
        "amount": plain(amount),
        "unallocated": plain(amount - sum(shares.values(), Decimal(0))),
        "method": only(set(methods.get((move["company"], move["journal"]), ()))),
        "description": move["description"],
        "allocations": [{"invoice": str(one), "amount": plain(share)} for one, share in sorted(shares.items())],
    }
    return WireRecord(f"{move['id']}-{party}", data, version_of([move, *lines]), changed_of([move, *lines]))


def _shares(
    lines: Sequence[Row], second: bool, settled: Mapping[int, Sequence[Row]], invoice_of_move: Mapping[int, int]
) -> dict[int, Decimal]:
    """What of a receipt settles which invoice: as entered with the receipt, else as reconciled afterwards."""
    shares: dict[int, Decimal] = {}
    for line in lines:
        amount = sum_of([line], second)
        told = list(line["invoice_payments"] or [])
        if len(told) == 1:
            shares[told[0]] = shares.get(told[0], Decimal(0)) + amount
            continue
        for other in settled.get(line["reconciliation"] or 0, ()):
            invoice = invoice_of_move.get(other["move"])
            if invoice is None or not amount:
                continue
            share = min(amount, -sum_of([other], second), key=abs)
            if share * amount > 0:
                shares[invoice] = shares.get(invoice, Decimal(0)) + share
                amount -= share
    return {one: share for one, share in shares.items() if share}
