"""Price lists of campaigns in Tryton: lines with a fixed price and days (module product_price_list_dates).

A price list has no field for a key: a note on it has the code and the key, `MC-2026-0001-3f2a9c1b [dt-4f2a-57]`. Where
a create stopped before the note, the list of the same name and lines is taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from datong.base.clock import to_text
from datong.base.errors import RequestRefused
from datong.base.money import decimal, plain
from datong.connectors.tryton.changes import named
from datong.connectors.tryton.database import Database
from datong.connectors.tryton.documents import company_code, ref, told
from datong.connectors.tryton.party import Company
from datong.connectors.tryton.remarks import NOTE, described, notes_on, told_by_description
from datong.connectors.tryton.sales import plain_value
from datong.kit import Answer, Moved, Refused, Saved, WireRecord, Write
from datong.mapping import Field, FieldMap, Items, boolean, day, moment, number, trimmed

MODEL, LINE = "product.price_list", "product.price_list.line"
_DAYS = {"valid_from": "start_date", "valid_to": "end_date"}


def campaign_list_map(companies: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    """As a list that Tryton made is read, with what is written of one that was made here."""
    once: dict[str, Any] = {"write": "if_new"}
    return FieldMap(
        "price_list",
        MODEL,
        (
            Field("code", "code", trimmed(), **once),
            Field("name", "name", **once),
            Field("company", "company", company_code(companies), **once),
            Field("currency", "currency", ref("currency"), **once),
            Field("tax_included", "tax_included", boolean(), **once),
            told("restricted", "restricted", boolean()),
            Field("valid_from", "valid_from", day()),
            Field("valid_to", "valid_to", day()),
            Field("active", "active", boolean()),
            told("entered", "entered", moment()),
        ),
        (
            Items(
                "lines",
                "lines",
                (
                    Field("product", "product", ref("product")),
                    Field("unit", "unit", ref("unit")),
                    Field("price", "price", number()),
                ),
                **once,
            ),
        ),
        own_key="own_key",
    )


class CampaignLists:
    """Writes price lists of campaigns, and tells which lists are such."""

    def __init__(self, db: Database, companies: Sequence[Company]) -> None:
        self._db, self._companies = db, list(companies)

    def known(self) -> dict[int, dict[str, Any]]:
        """List -> code, key, days, and the prices of its products, for those that were made here."""
        lists = [row["id"] for row in self._db.all(MODEL, [], ["name"])]
        rows = [row for domain in notes_on(MODEL, lists) for row in self._db.all(NOTE, domain, ["resource", "message"])]
        told = {n: told_by_description(row["message"]) for row in rows for n in named(row["resource"], MODEL)}
        mine = {native: found for native, found in told.items() if found[1]}
        found: dict[int, dict[str, Any]] = {
            native: {"code": code, "own_key": key, "valid_from": None, "valid_to": None, "prices": {}}
            for native, (code, key) in mine.items()
        }
        for line in self._lines([["price_list", "in", sorted(mine)]]) if mine else ():
            one = found[line["price_list"]]
            one |= {name: plain_value(line[place]) for name, place in _DAYS.items()}
            if line["product"] is not None and (price := _fixed(line["formula"])) is not None:
                one["prices"][line["product"]] = price
        return found

    def _lines(self, domain: list[Any]) -> list[dict[str, Any]]:
        return self._db.all(LINE, domain, ["price_list", "product", "formula", *_DAYS.values()])

    def all(self) -> list[WireRecord]:
        """Those that were made here."""
        known = self.known()
        names = ["name", "company", "tax_included", "active", "create_date", "_timestamp"]
        rows = self._db.all(MODEL, [["id", "in", sorted(known)]], names) if known else []
        return [self._record(row, known[row["id"]]) for row in rows]

    def _record(self, row: Mapping[str, Any], mine: Mapping[str, Any]) -> WireRecord:
        data = {
            **{name: row[name] for name in ("name", "company")},
            **{name: mine[name] for name in ("code", "own_key", *_DAYS)},
            "currency": self._currency(row["company"]),
            "tax_included": bool(row["tax_included"]),
            "restricted": True,
            "active": bool(row["active"]),
            "entered": to_text(row["create_date"]),
        }
        return WireRecord(str(row["id"]), data, f"{row['_timestamp']}/{mine['valid_from']}/{mine['valid_to']}")

    def _currency(self, company: int) -> int | None:
        rows = self._db.all("company.company", [["id", "=", company]], ["currency"])
        return int(rows[0]["currency"]) if rows else None

    def having(self, by: str, values: Sequence[str]) -> list[WireRecord]:
        """Those that bear one of our keys, or codes."""
        return [one for one in self.all() if one.data.get(by) in values]

    def write(self, one: Write) -> Answer:
        """Raises RemoteError where it cannot be known what was done."""
        try:
            if one.action == "create":
                return self._create(one)
            if one.action == "delete":
                raise RequestRefused("a price list is switched off, not deleted", code="POSTED")
            return self._update(one)
        except RequestRefused as error:
            reason = f"{error.message}; {error.remedy}" if error.remedy else error.message
            return Refused(one.ref, reason, error.field, error.code)

    def _create(self, one: Write) -> Answer:
        if one.key and (twins := self.having("own_key", [one.key])):
            return Saved(one.ref, twins[0].id, twins[0], existed=True)
        values, company = one.values, int(one.values["company"])
        self._must_fit(values, company)
        lines = [
            {"product": item.values["product"], "formula": plain(decimal(item.values["price"])), **self._days(values)}
            for item in one.items.get("lines", ())
        ]
        native = self._half_made(values["name"], company, lines)
        if native is None:
            told = {"name": values["name"], "company": company, "tax_included": bool(values.get("tax_included"))}
            made = {**told, "unit": "product_default", "lines": [["create", lines]]}
            (native,) = self._db.change(f"model.{MODEL}.create", [made], stamps={}, company=company)
        note = {"resource": f"{MODEL},{native}", "message": described(values.get("code"), one.key)}
        self._db.change(f"model.{NOTE}.create", [note], stamps={}, company=company)
        return Saved(one.ref, str(native), self._one(int(native)))

    def _must_fit(self, values: Mapping[str, Any], company: int) -> None:
        if "start_date" not in self._db.fields_of(LINE):
            raise RequestRefused(
                "the prices of this Tryton have no days",
                remedy="activate product_price_list_dates",
                code="no_such_field",
            )
        if values.get("currency") not in (None, self._currency(company)):
            raise RequestRefused(
                "a price list of Tryton is in the currency of its company", field="currency", code="currency"
            )

    def _days(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {place: values[name] for name, place in _DAYS.items() if name in values}

    def _half_made(self, name: str, company: int, lines: Sequence[Mapping[str, Any]]) -> int | None:
        """A list without a note that says just this."""
        rows = self._db.all(MODEL, [["name", "=", name], ["company", "=", company]], ["name"])
        noted = self.known() if rows else {}
        wanted = sorted((line["product"], line["formula"]) for line in lines)
        for row in rows:
            held = self._lines([["price_list", "=", row["id"]]])
            if row["id"] not in noted and sorted((one["product"], one["formula"]) for one in held) == wanted:
                return int(row["id"])
        return None

    def _update(self, one: Write) -> Answer:
        native = int(str(one.id))
        held = self._one(native)
        if held is None:
            return Moved(one.ref)
        company = held.data["company"]
        wake = one.values.get("active") is True and not held.data["active"]
        if wake:
            self._db.change(f"model.{MODEL}.write", [native], {"active": True}, stamps={}, company=company)
        if days := self._days(one.values):
            ids = [line["id"] for line in self._lines([["price_list", "=", native]])]
            self._db.change(f"model.{LINE}.write", ids, days, stamps={}, company=company)
        if one.values.get("active") is False and held.data["active"]:
            self._db.change(f"model.{MODEL}.write", [native], {"active": False}, stamps={}, company=company)
        now = self._one(native)
        return Moved(one.ref) if now is None else Saved(one.ref, now.id, now)

    def _one(self, native: int) -> WireRecord | None:
        return next((one for one in self.all() if one.id == str(native)), None)


def _fixed(formula: str) -> Decimal | None:
    """A formula that is a plain price; a person may have made another of it."""
    try:
        return Decimal(formula)
    except InvalidOperation:
        return None
