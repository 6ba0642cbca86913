"""Returns in Tryton: a sale complaint with one action `sale_return`, and what came of it: the return sale, its return
shipments, its credit note.

Tryton itself makes the return sale when the complaint is approved. The description of a complaint, which nobody can
change after the draft, ends in our key, as that of a sale does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from datong.base.errors import RequestRefused
from datong.base.money import decimal
from datong.connectors.tryton.changes import named
from datong.connectors.tryton.database import Database
from datong.connectors.tryton.documents import company_code, ref, told
from datong.connectors.tryton.remarks import key_mark, told_by_description
from datong.connectors.tryton.rpc import Stale
from datong.connectors.tryton.sales import POSTED, STAMPS, as_json, changed_of, plain_value, version_of
from datong.kit import Answer, Moved, Refused, Saved, WireRecord, Write
from datong.mapping import Converter, Field, FieldMap, Items, boolean, choice, day, number, trimmed

Row = Mapping[str, Any]
MODEL, ACTION, LINE = "sale.complaint", "sale.complaint.action", "sale.complaint.action-sale.line"
BACK = "stock.shipment.out.return"
CREDIT_ASKED = "credit_asked"
DECISIONS = {
    "draft": "requested",
    "waiting": "requested",
    "approved": "authorised",
    "done": "authorised",
    "rejected": "refused",
    "cancelled": "cancelled",
}
_COMPLAINT = ("number", "reference", "date", "customer", "company", "origin", "description", "state", "actions")


def return_map(companies: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    """What Tryton keeps no field for (variant, outcome, reason) stands in the description, for people: written once."""
    return FieldMap(
        "return",
        MODEL,
        (
            Field("number", "reference", trimmed(), write="if_new"),
            told("erp_number", "number"),
            Field("company", "company", company_code(companies), write="if_new"),
            Field("account", "customer", ref("account"), write="if_new"),
            Field("date", "date", day(), write="if_new"),
            Field("order", "sale", ref("order"), write="if_new"),
            *(Field(name, name, read=False, write="if_new") for name in ("variant", "reason", "remarks")),
            Field("outcome", "outcome", read=False, write="if_new"),
            Field("wish", "wish", choice({one: one for one in ("draft", "released", "cancelled")}), read=False),
            told("decision", "decision"),
            told("received_on", "received_on", day()),
            told("receipt_number", "receipt_number"),
            told("inspected_on", "inspected_on", day()),
            Field("credit_asked", CREDIT_ASKED, boolean(), read=False),
            told("credit_note", "credit_note", ref("invoice")),
        ),
        (
            Items(
                "lines",
                "lines",
                (
                    Field("product", "product", ref("product")),
                    Field("quantity", "quantity", _quantity()),
                    Field("unit", "unit", ref("unit")),
                    Field("order_line", "order_line"),
                    told("received", "received", _quantity()),
                    told("disposition", "disposition"),
                ),
                write="if_new",
            ),
        ),
        own_key="own_key",
    )


def _quantity() -> Converter:
    return number(as_text=False)


class Returns:
    """Reads and writes complaints about sales; others, about invoices, are no returns of goods."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # reading

    def read(self, domain: list[Any], ids: Sequence[int]) -> list[WireRecord]:
        rows = self._those(MODEL, "id", ids, (*_COMPLAINT, *STAMPS), domain)
        actions = self._those(ACTION, "complaint", [one["id"] for one in rows], ("action", "quantity", "result"))
        asked = self._those(LINE, "action", [one["id"] for one in actions], ("line", "quantity"))
        made = self._made([native for one in actions for native in named(one["result"], "sale.sale")])
        sold = self._sale_lines(rows, asked)
        found = []
        for row in rows:
            mine = [one for one in actions if one["complaint"] == row["id"] and one["action"] == "sale_return"]
            lines = [one for one in asked if one["action"] in {action["id"] for action in mine}]
            result = next((made[n] for one in mine for n in named(one["result"], "sale.sale") if n in made), None)
            found.append(_record(row, mine, lines, sold, result))
        return found

    def _sale_lines(self, rows: Iterable[Row], asked: Iterable[Row]) -> dict[int, Row]:
        """The lines of the sales that are complained of, by id."""
        lines = [native for row in rows for native in named(row["origin"], "sale.line")]
        sales = [native for row in rows for native in named(row["origin"], "sale.sale")]
        fields = ("sale", "sequence", "product", "unit", "quantity")
        by_id = self._those("sale.line", "id", [*lines, *(one["line"] for one in asked)], fields)
        of_sale = self._those("sale.line", "sale", sales, fields, [["type", "=", "line"]])
        return {one["id"]: one for one in (*of_sale, *by_id)}

    def _made(self, sales: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return sales with their lines, done moves, return shipments and invoices."""
        fields = ("state", "shipment_returns", "invoices", *STAMPS)
        rows = self._those("sale.sale", "id", sales, fields)
        lines = self._those("sale.line", "sale", [one["id"] for one in rows], ("sale",), [["type", "=", "line"]])
        origins = [f"sale.line,{one['id']}" for one in lines]
        moves = self._those("stock.move", "origin", origins, ("state", "quantity", *STAMPS))
        back = {n for row in rows for n in row["shipment_returns"] or ()}
        shipments = {
            one["id"]: one
            for one in self._those(BACK, "id", sorted(back), ("number", "state", "effective_date", *STAMPS))
        }
        charged = {n for row in rows for n in row["invoices"] or ()}
        invoices = {one["id"]: one for one in self._those("account.invoice", "id", sorted(charged), ("state", *STAMPS))}
        done: dict[str, Decimal] = defaultdict(Decimal)
        for one in moves:
            if one["state"] == "done":
                done[one["origin"]] += decimal(one["quantity"])
        return {
            row["id"]: {
                "row": row,
                "received": [done[f"sale.line,{one['id']}"] for one in lines if one["sale"] == row["id"]],
                "shipments": [shipments[n] for n in row["shipment_returns"] or () if n in shipments],
                "invoices": [invoices[n] for n in row["invoices"] or () if n in invoices],
                "moves": [
                    m for m in moves if m["origin"] in {f"sale.line,{o['id']}" for o in lines if o["sale"] == row["id"]}
                ],
            }
            for row in rows
        }

    def _those(
        self, model: str, by: str, values: Iterable[Any], fields: Sequence[str], domain: Sequence[Any] = ()
    ) -> list[dict[str, Any]]:
        wanted = sorted(set(values))
        return self._db.all(model, [*domain, [by, "in", wanted]], sorted({*fields, by} - {"id"})) if wanted else []

    # writing

    def find_key(self, keys: Sequence[str]) -> list[int]:
        """Complaints that bear one of our keys."""
        found: set[int] = set()
        for key in keys:
            pattern = "%" + key_mark(key).replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
            found.update(row["id"] for row in self._db.all(MODEL, [["description", "like", pattern]], ["id"]))
        return sorted(found)

    def write(self, one: Write) -> Answer:
        """Raises RemoteError where it cannot be known what was done."""
        try:
            if one.action == "create":
                return self._create(one)
            if one.action == "delete":
                raise RequestRefused("a complaint is cancelled, not deleted", code="POSTED")
            return self._update(one)
        except Stale:
            return Moved(one.ref)
        except RequestRefused as error:
            reason = f"{error.message}; {error.remedy}" if error.remedy else error.message
            return Refused(one.ref, reason, error.field, error.code)

    def _create(self, one: Write) -> Answer:
        twins = self.find_key([one.key]) if one.key else []
        if twins:
            self._fulfil(self._one(twins[0]), one.values.get("wish"))
            return Saved(one.ref, str(twins[0]), self._one(twins[0]), existed=True)
        values = one.values
        if values.get("outcome") not in (None, "refunded"):
            raise RequestRefused(
                f"a complaint in Tryton takes goods back for money, and does not say that they are {values['outcome']}",
                remedy="choose a variant that refunds, or settle it by hand in Tryton",
                field="outcome",
                code="unknown",
            )
        company = values.get("company")
        made = {
            "customer": values.get("customer"),
            "company": company,
            "reference": values.get("reference"),
            "type": self._type(),
            "origin": f"sale.sale,{values.get('sale')}",
            "description": _described(values, one.key),
            "actions": [["create", [{"action": "sale_return", "sale_lines": self._asked(one)}]]],
            **({"date": values["date"]} if values.get("date") else {}),
        }
        (native,) = self._db.change(f"model.{MODEL}.create", [made], stamps={}, company=company)
        self._fulfil(self._one(native), values.get("wish"))
        return Saved(one.ref, str(native), self._one(native))

    def _asked(self, one: Write) -> list[Any]:
        """The lines of the sale that come back, by the number that the order line has here."""
        sale = one.values.get("sale")
        sold = self._those("sale.line", "sale", [sale], ("sequence", "product"), [["type", "=", "line"]])
        told = []
        for item in one.items.get("lines", ()):
            values = item.values
            fit = [
                row
                for row in sold
                if row["product"] == values.get("product") and values.get("order_line") in (None, _place(row))
            ]
            if len(fit) != 1:
                raise RequestRefused(
                    f"the sale has no one line {values.get('order_line') or ''} of that product".replace("  ", " "),
                    field="lines.order_line",
                    code="invalid",
                )
            told.append({"line": fit[0]["id"], "quantity": float(values["quantity"])})
        return [["create", told]] if told else []

    def _type(self) -> int:
        """The first type of complaint about a sale."""
        rows = self._db.all("sale.complaint.type", [["origin.name", "=", "sale.sale"]], ["active"])
        for row in rows:
            if row["active"]:
                return int(row["id"])
        raise RequestRefused(
            "Tryton has no type of complaint about sales", remedy="make one under Sales, Configuration", code="no_type"
        )

    def _update(self, one: Write) -> Answer:
        """Of a complaint that is made the wish is ours, and that its credit note is asked for."""
        now = self.read([], [int(str(one.id))])
        if not now or (one.version is not None and now[0].version != one.version):
            return Moved(one.ref)
        self._fulfil(now[0], one.values.get("wish"))
        if one.values.get(CREDIT_ASKED):
            self._credit(int(str(one.id)), now[0].data["company"])
        return Saved(one.ref, str(one.id), self._one(int(str(one.id))))

    def _fulfil(self, complaint: WireRecord, wish: str | None) -> None:
        state, native, company = complaint.data["state"], int(complaint.id), complaint.data["company"]
        if wish == "released" and state == "draft":
            self._db.change(f"model.{MODEL}.wait", [native], stamps={}, company=company)
        if wish == "cancelled" and state != "cancelled":
            self._db.change(f"model.{MODEL}.cancel", [native], stamps={}, company=company)

    def _credit(self, complaint: int, company: int) -> None:
        """Post the credit note that the return sale holds in draft. One that is posted stays the only one."""
        actions = self._those(ACTION, "complaint", [complaint], ("action", "result"), [["action", "=", "sale_return"]])
        made = self._made([native for one in actions for native in named(one["result"], "sale.sale")])
        invoices = [one for sale in made.values() for one in sale["invoices"]]
        drafts = [one for one in invoices if one["state"] in ("draft", "validated")]
        if drafts:
            stamps = {f"account.invoice,{one['id']}": one["_timestamp"] for one in drafts}
            ids = [one["id"] for one in drafts]
            self._db.change("model.account.invoice.post", ids, stamps=stamps, company=company)
        elif not any(one["state"] in POSTED for one in invoices):
            raise RequestRefused(
                "the return sale has no credit note yet",
                remedy="invoice what came back in Tryton, or let a person make the credit note",
                field=CREDIT_ASKED,
                code="not_invoiced",
            )

    def _one(self, native: int) -> WireRecord:
        found = self.read([], [native])
        if not found:
            raise RequestRefused(f"complaint {native} is gone", code="404")
        return found[0]


def _described(values: Mapping[str, Any], key: str | None) -> str:
    block = [
        f"{label}: {values[name]}"
        for name, label in (("variant", "Variant 退货方案"), ("reason", "Reason 原因"))
        if values.get(name)
    ]
    return "\n".join([*filter(None, [values.get("remarks")]), *block, *([key_mark(key)] if key else [])])


def _record(row: Row, actions: Sequence[Row], asked: Sequence[Row], sold: Mapping[int, Row], made: Any) -> WireRecord:
    names = ("number", "reference", "date", "customer", "company", "state")
    data: dict[str, Any] = {name: plain_value(row[name]) for name in names}
    lines = _lines(row, actions, asked, sold)
    last = (row["description"] or "").strip().rpartition("\n")[2]
    data["own_key"] = told_by_description(last)[1]
    data["sale"] = next(iter(named(row["origin"], "sale.sale")), None) or next(
        (sold[n]["sale"] for n in named(row["origin"], "sale.line") if n in sold), None
    )
    data["decision"] = DECISIONS.get(row["state"])
    data |= dict.fromkeys(("received_on", "receipt_number", "inspected_on", "credit_note"))
    stamps: list[Row] = [row]
    if made is not None:
        back = [one for one in made["shipments"] if one["state"] in ("received", "done")]
        whole = bool(back) and len(back) == len(made["shipments"])
        days = [one["effective_date"] for one in back if one["effective_date"]]
        booked = [one for one in made["invoices"] if one["state"] in POSTED]
        data["received_on"] = plain_value(max(days)) if days else None
        data["receipt_number"] = ", ".join(one["number"] for one in back if one["number"]) or None
        if whole and all(one["state"] == "done" for one in back):
            data["inspected_on"] = data["received_on"]  # goods are put away once they were looked at
        data["credit_note"] = booked[0]["id"] if len(booked) == 1 else None
        if made["row"]["state"] == "done" and booked:
            data["decision"] = "closed"
        for line, received in zip(lines, made["received"], strict=False):
            line["received"] = as_json(received)
            line["disposition"] = "refunded" if booked else None
        stamps += [made["row"], *made["shipments"], *made["invoices"], *made["moves"]]
    data["lines"] = lines
    return WireRecord(str(row["id"]), data, version_of(stamps), changed_of(stamps))


def _lines(row: Row, actions: Sequence[Row], asked: Sequence[Row], sold: Mapping[int, Row]) -> list[dict[str, Any]]:
    """What is to come back: the lines that were chosen, else the line or the sale that is complained of."""
    chosen = [(f"{one['id']}", sold.get(one["line"]), one["quantity"]) for one in sorted(asked, key=lambda o: o["id"])]
    if not chosen and actions:
        natives = named(row["origin"], "sale.line")
        quantity = actions[0]["quantity"] if natives else None
        of_sale = [one["id"] for one in sold.values() if one["sale"] in named(row["origin"], "sale.sale")]
        chosen = [(f"line-{n}", sold.get(n), quantity) for n in sorted(natives or of_sale)]
    return [
        {
            "id": id,
            "product": line["product"],
            "quantity": as_json(decimal(line["quantity"] if quantity is None else quantity)),
            "unit": line["unit"],
            "order_line": _place(line),
            "received": 0,
            "disposition": None,
        }
        for id, line, quantity in chosen
        if line is not None
    ]


def _place(line: Row) -> str:
    """The number by which shipments and invoices name a line of a sale too."""
    return str(line["id"] if line["sequence"] is None else line["sequence"])
