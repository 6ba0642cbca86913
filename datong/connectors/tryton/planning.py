"""Forecasts in Tryton (module stock_forecast): what a company's warehouse is expected to deliver to customers.

A forecast has no field for a number or a key: a note on it has both, `FC-asia-2026-12-1 [dt-4f2a-57]`. Where a create
stopped before the note, the draft with the same days and lines is taken for it: to go on with it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from datong.base.errors import RequestRefused
from datong.base.json import digest
from datong.base.money import decimal
from datong.connectors.tryton.changes import named
from datong.connectors.tryton.database import Database
from datong.connectors.tryton.documents import company_code, ref, states, told
from datong.connectors.tryton.party import Company
from datong.connectors.tryton.remarks import NOTE, described, notes_on, told_by_description
from datong.connectors.tryton.sales import plain_value
from datong.kit import Answer, Moved, Refused, Saved, WireRecord, Write
from datong.mapping import Converter, Field, FieldMap, Items, choice, day, number, trimmed
from datong.reckoning.exact import rounded, summed

MODEL, LINE = "stock.forecast", "stock.forecast.line"
WANTED = "wanted"
DIFFERENT = "the products of a forecast are counted in one unit each"
_FIELDS = ("company", "warehouse", "destination", "from_date", "to_date", "state")


def forecast_map(companies: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    """Lines are written with the forecast and never read: Tryton has one for each product, of all regions together."""
    wanted = {"proposed": "draft", "current": "done", "replaced": "cancelled", "withdrawn": "cancelled"}
    return FieldMap(
        "forecast",
        MODEL,
        (
            Field("number", "number", trimmed(), write="if_new"),
            told("erp_number", "erp_number"),
            Field("company", "company", company_code(companies), write="if_new"),
            Field("start", "from_date", day(), write="if_new"),
            Field("end", "to_date", day(), write="if_new"),
            Field("state", WANTED, choice(wanted), read=False),
            told("erp_state", "state", states({"draft": "draft", "done": "active", "cancelled": "cancelled"})),
        ),
        (
            Items(
                "lines",
                "lines",
                (
                    Field("product", "product", ref("product")),
                    Field("quantity", "quantity", _quantity()),
                    Field("unit", "unit", ref("unit")),
                ),
                write="if_new",
            ),
        ),
        own_key="own_key",
    )


def _quantity() -> Converter:
    return number()


class Forecasts:
    """Reads and writes forecasts. `warehouses`: company -> code of the warehouse that is planned for."""

    def __init__(self, db: Database, companies: Sequence[Company], warehouses: Mapping[str, str]) -> None:
        self._db, self._companies, self._warehouses = db, list(companies), warehouses

    def all(self) -> list[WireRecord]:
        rows = self._db.all(MODEL, [["company", "in", [one.id for one in self._companies]]], _FIELDS)
        notes = self._notes([row["id"] for row in rows])
        return [_record(row, *notes.get(row["id"], (None, None))) for row in rows]

    def having(self, by: str, values: Sequence[str]) -> list[WireRecord]:
        """Those that bear one of our keys, or numbers."""
        place = {"own_key": "own_key", "number": "number"}[by]
        return [one for one in self.all() if one.data.get(place) in values]

    def _notes(self, ids: Sequence[int]) -> dict[int, tuple[str | None, str | None]]:
        """Forecast -> its number and our key."""
        found: dict[int, tuple[str | None, str | None]] = {}
        for domain in notes_on(MODEL, ids):
            for row in self._db.all(NOTE, domain, ["resource", "message"]):
                told = told_by_description(row["message"])
                if told[1]:
                    found.update(dict.fromkeys(named(row["resource"], MODEL), told))
        return found

    def write(self, one: Write) -> Answer:
        """Raises RemoteError where it cannot be known what was done."""
        try:
            if one.action == "create":
                return self._create(one)
            if one.action == "delete":
                raise RequestRefused("a forecast is cancelled, not deleted", code="POSTED")
            held = self._one(int(str(one.id)))
            if held is None:
                return Moved(one.ref)
            return Saved(one.ref, held.id, self._stepped(held, one.values.get(WANTED)))
        except RequestRefused as error:
            reason = f"{error.message}; {error.remedy}" if error.remedy else error.message
            return Refused(one.ref, reason, error.field, error.code)

    def _create(self, one: Write) -> Answer:
        if one.key and (twins := self.having("own_key", [one.key])):
            return Saved(one.ref, twins[0].id, self._stepped(twins[0], one.values.get(WANTED)), existed=True)
        values, company = one.values, int(one.values["company"])
        made = {
            **{name: values[name] for name in ("company", "from_date", "to_date")},
            "warehouse": self._warehouse(company),
            "destination": self._destination(),
        }
        lines = self._lines(one)
        native = self._half_made(made, lines)
        if native is None:
            (native,) = self._db.change(
                f"model.{MODEL}.create", [{**made, "lines": [["create", lines]]}], stamps={}, company=company
            )
        note = {"resource": f"{MODEL},{native}", "message": described(values.get("number"), one.key)}
        self._db.change(f"model.{NOTE}.create", [note], stamps={}, company=company)
        held = self._one(int(native))
        if held is None:
            raise RequestRefused(f"forecast {native} is gone", code="404")
        return Saved(one.ref, held.id, self._stepped(held, values.get(WANTED)))

    def _lines(self, one: Write) -> list[dict[str, Any]]:
        """One for each product, in as many decimals as its unit has; Tryton spreads it by a smallest quantity."""
        by_product: dict[int, list[Mapping[str, Any]]] = {}
        for item in one.items.get("lines", ()):
            by_product.setdefault(item.values["product"], []).append(item.values)
        units = {line["unit"] for some in by_product.values() for line in some if line.get("unit")}
        digits = {
            row["id"]: row["digits"] for row in self._db.all("product.uom", [["id", "in", sorted(units)]], ["digits"])
        }
        products = self._db.all("product.product", [["id", "in", sorted(by_product)]], ["default_uom", "type"])
        found = []
        for row in products:
            some = by_product[row["id"]]
            used = {line.get("unit") or row["default_uom"] for line in some}
            if len(used) > 1:
                raise RequestRefused(DIFFERENT, field="lines.unit", code="units")
            (unit,) = used
            quantity = rounded(summed(decimal(line["quantity"]) for line in some), digits.get(unit, 0))
            if row["type"] == "goods" and quantity > 0:
                least = min(quantity, Decimal(1))
                told = {"product": row["id"], "unit": unit, "quantity": float(quantity)}
                found.append({**told, "minimal_quantity": float(least)})
        if not found:
            raise RequestRefused("nothing of it is goods in a quantity that its unit can say", code="empty")
        return found

    def _half_made(self, made: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> int | None:
        """A draft without a note that says just this."""
        same = [[name, "=", value] for name, value in made.items()]
        drafts = self._db.all(MODEL, [*same, ["state", "=", "draft"]], ["state"])
        noted = self._notes([row["id"] for row in drafts])
        wanted = sorted((line["product"], line["quantity"]) for line in lines)
        for row in drafts:
            held = self._db.all(LINE, [["forecast", "=", row["id"]]], ["product", "quantity"])
            if row["id"] not in noted and sorted((one["product"], one["quantity"]) for one in held) == wanted:
                return int(row["id"])
        return None

    def _stepped(self, held: WireRecord, wanted: str | None) -> WireRecord:
        """To the state that is wanted, in Tryton's own steps; what is planned with goes through the draft."""
        steps = {
            ("draft", "done"): ("confirm",),
            ("draft", "cancelled"): ("cancel",),
            ("done", "cancelled"): ("draft", "cancel"),
            ("done", "draft"): ("draft",),
            ("cancelled", "done"): ("draft", "confirm"),
        }.get((held.data["state"], wanted or ""), ())
        for button in steps:
            self._db.change(f"model.{MODEL}.{button}", [int(held.id)], stamps={}, company=held.data["company"])
        now = self._one(int(held.id)) if steps else held
        return now or held

    def _one(self, native: int) -> WireRecord | None:
        return next((one for one in self.all() if one.id == str(native)), None)

    def _warehouse(self, company: int) -> int:
        code = next((self._warehouses.get(one.code) for one in self._companies if one.id == company), None)
        asked = [["type", "=", "warehouse"], *([["code", "=", code]] if code else [])]
        rows = self._db.all("stock.location", asked, ["code"])
        if len(rows) == 1:
            return int(rows[0]["id"])
        raise RequestRefused(
            "a forecast needs a warehouse",
            remedy="name the company's under `warehouses`",
            field="company",
            code="warehouse",
        )

    def _destination(self) -> int:
        """Where customers are; of several places the one that was there first."""
        rows = self._db.all("stock.location", [["type", "=", "customer"]], ["code"])
        if rows:
            return int(rows[0]["id"])
        raise RequestRefused(
            "Tryton has no place of customers", remedy="add a location of the type Customer", code="place"
        )


def _record(row: Mapping[str, Any], number: str | None, key: str | None) -> WireRecord:
    data = {name: plain_value(row[name]) for name in ("company", "from_date", "to_date", "state")}
    data |= {"number": number, "own_key": key, "erp_number": str(row["id"])}
    return WireRecord(str(row["id"]), data, digest(data))
