"""One wire record of a sale out of its row, its lines, their moves and its invoices. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from datong.base.json import digest
from datong.base.money import decimal, plain, round_to
from datong.connectors.tryton.remarks import taken_apart, told_by_description
from datong.kit import WireRecord

SALE = (
    "number", "reference", "description", "comment", "company", "party", "contact", "shipment_party", "sale_date",
    "currency", "payment_term", "shipping_date", "shipment_method", "state", "untaxed_amount", "tax_amount",
    "total_amount", "invoices",
)  # fmt: skip
LINE = (
    "sale", "sequence", "product", "description", "quantity", "unit", "unit_price", "amount", "taxes", "warehouse",
    "shipping_date", "movable",
)  # fmt: skip
LINE_OPTIONAL = ("base_price", "supply_state")
"""Of the modules sale_discount and sale_supply."""
MOVE = ("origin", "state", "quantity", "unit", "planned_date", "origin_planned_date", "effective_date", "shipment")
BILLED = ("origin", "quantity", "unit", "invoice")
INVOICE = ("state", "total_amount", "amount_to_pay", "number")
STAMPS = ("last_modified_at", "_timestamp")
PRICE_PLACES = 4
"""Decimals of a unit price in Tryton, unless its administrator set another number."""
POSTED = ("posted", "paid")
MANUAL = "manual"
"""The way of shipping in which nothing is shipped until somebody asks for it."""


def extent(done: Decimal, of: Decimal) -> str:
    """How much of `of` is done."""
    done, of = abs(done), abs(of)
    if not done:
        return "none"
    return "over" if done > of else "full" if done == of else "part"


def discounted(price: Decimal, discount: Decimal) -> Decimal:
    """The unit price that Tryton charges; `discount` is a share of one. Rounded as its own client does."""
    return round_to(price * (1 - discount), PRICE_PLACES)


def price_of(line: Mapping[str, Any]) -> tuple[str, str | None]:
    """Price and discount (a share of one) where the two give what is charged to the last place, else that alone."""
    charged, base = line["unit_price"], line.get("base_price")
    if base:
        rate = round_to(1 - charged / base, PRICE_PLACES)
        if 0 < rate <= 1 and discounted(base, rate) == charged:
            return plain(base), plain(rate)
    return plain(charged), None


class Sale:
    """The rows of one sale. `factors` tell how many of its own unit's base units a unit is, to count in one unit."""

    def __init__(
        self,
        row: Mapping[str, Any],
        lines: Sequence[Mapping[str, Any]],
        moves: Iterable[Mapping[str, Any]],
        billed: Iterable[Mapping[str, Any]],
        invoices: Mapping[int, Mapping[str, Any]],
        rates: Mapping[int, Decimal | None],
        factors: Mapping[int, Decimal],
    ) -> None:
        self.row = row
        self.lines = sorted(lines, key=lambda one: (one["sequence"] is None, one["sequence"] or 0, one["id"]))
        self.moves = [one for one in moves if one["state"] != "cancelled"]
        self.billed = list(billed)
        self.invoices = [invoices[one] for one in row["invoices"] or [] if one in invoices]
        self._by_id = invoices
        self._rates, self._factors = rates, factors

    @property
    def shipped_something(self) -> bool:
        return any(self._shipped(one) for one in self.lines)

    @property
    def held(self) -> bool:
        """Its shipment is not made, by a hold of ours."""
        return self.row["shipment_method"] == MANUAL and bool(taken_apart(self.row["comment"])["shipment_hold"])

    @property
    def posted(self) -> list[str]:
        """Numbers of the invoices that are in the books."""
        return [str(one["number"] or one["id"]) for one in self.invoices if one["state"] in POSTED]

    @property
    def emptied(self) -> bool:
        """Amended down to nothing: this is how a sale that is in process is cancelled in Tryton."""
        return self.row["state"] in ("processing", "done") and all(not one["quantity"] for one in self.lines)

    def record(self) -> WireRecord:
        number, key = told_by_description(self.row["description"])
        texts = taken_apart(self.row["comment"])
        data: dict[str, Any] = {
            name: plain_value(self.row[name]) for name in SALE if name not in ("description", "comment", "invoices")
        }
        data.update(texts, own_key=key, crm_number=texts["crm_number"] or number, tax_included=False)
        if self.emptied:
            data["state"] = "cancelled"  # and nothing is said of its lines: their quantities are none
        else:
            data["lines"] = [self._line(one) for one in self.lines if one["quantity"] or self.row["state"] == "draft"]
        data.update(self._progress())
        stamps = [self.row, *self.lines, *self.moves, *self.invoices]
        return WireRecord(str(self.row["id"]), data, version_of(stamps), changed_of(stamps))

    def _line(self, one: Mapping[str, Any]) -> dict[str, Any]:
        price, discount = price_of(one)
        told: dict[str, Any] = {
            name: plain_value(one[name])
            for name in ("sequence", "product", "description", "quantity", "unit", "amount", "warehouse")
        }
        told.update(id=str(one["id"]), price=price, discount=discount)
        taxes = one["taxes"] or []
        if len(taxes) <= 1:
            told["tax"] = taxes[0] if taxes else None
        if all(self._rates.get(tax) is not None for tax in taxes):
            told["tax_rate"] = plain(sum((self._rates[tax] or Decimal(0) for tax in taxes), Decimal(0)))
        told["shipped"] = as_json(self._shipped(one)) if one["movable"] else None
        told["invoiced"] = as_json(self._invoiced(one))
        told["promised"] = _day(max((m["origin_planned_date"] for m in self._moves(one)), key=_known, default=None))
        told["expected"] = _day(
            max((m["effective_date"] or m["planned_date"] for m in self._moves(one)), key=_known, default=None)
            or one["shipping_date"]
        )
        if "supply_state" in one:
            told["supply_state"] = one["supply_state"] or None
        return told

    def _progress(self) -> dict[str, Any]:
        goods = [one for one in self.lines if one["movable"] and one["quantity"]]
        sold = [one for one in self.lines if one["quantity"]]
        told: dict[str, Any] = {
            "shipping": whole([extent(self._shipped(one), decimal(one["quantity"])) for one in goods]),
            "billing": whole([extent(self._invoiced(one), decimal(one["quantity"])) for one in sold]),
            "paying": self._paying(),
        }
        lines = [self._line(one) for one in sold]
        for name in ("promised", "expected"):
            told[name] = max((one[name] for one in lines if one[name]), default=None)
        return told

    def _paying(self) -> str:
        posted = [one for one in self.invoices if one["state"] in POSTED]
        paid = sum((one["total_amount"] - (one["amount_to_pay"] or 0) for one in posted), Decimal(0))
        return extent(paid, self.row["total_amount"])

    def _moves(self, line: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [one for one in self.moves if one["origin"] == f"sale.line,{line['id']}"]

    def _shipped(self, line: Mapping[str, Any]) -> Decimal:
        done = [one for one in self._moves(line) if one["state"] == "done"]
        return self._counted(line, done)

    def _invoiced(self, line: Mapping[str, Any]) -> Decimal:
        mine = [one for one in self.billed if one["origin"] == f"sale.line,{line['id']}"]
        booked = [one for one in mine if (self._by_id.get(one["invoice"]) or {}).get("state") in POSTED]
        return self._counted(line, booked)

    def _counted(self, line: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Decimal:
        """Quantities in the unit of the line."""
        total = Decimal(0)
        for one in rows:
            count = decimal(one["quantity"])
            if one["unit"] != line["unit"] and one["unit"] in self._factors and line["unit"] in self._factors:
                count = round_to(count * self._factors[one["unit"]] / self._factors[line["unit"]], 6)
            total += count
        return total


def whole(parts: Sequence[str]) -> str | None:
    """How much of a document, from its lines; None where no line can be shipped or invoiced."""
    if not parts:
        return None
    if "over" in parts and "part" not in parts and "none" not in parts:
        return "over"
    if all(one == "full" for one in parts):
        return "full"
    return "none" if all(one == "none" for one in parts) else "part"


def plain_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def version_of(rows: Iterable[Mapping[str, Any]]) -> str:
    return digest(sorted([str(one["id"]), str(one["_timestamp"])] for one in rows))


def changed_of(rows: Iterable[Mapping[str, Any]]) -> datetime:
    newest: datetime = max(one["last_modified_at"] for one in rows)
    return newest


def as_json(value: Decimal) -> Any:
    """A quantity as Tryton writes it in JSON."""
    return int(value) if value == value.to_integral_value() else float(value)


def _known(value: Any) -> Any:
    return date.min if value is None else value


def _day(value: Any) -> str | None:
    return None if value is None else str(value.isoformat())
