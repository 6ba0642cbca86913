"""Writes sales: makes them, takes them through quotation and confirmation, amends what is confirmed, cancels.

Tryton has no call that does several of its steps at once. Each step is a transaction of its own, may be repeated, and
leaves what was reached: a sale whose confirmation is refused stays as it was written; the answer is Tryton's reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from datong.base.errors import RequestRefused
from datong.base.money import decimal
from datong.connectors.tryton.database import Database
from datong.connectors.tryton.party import Company
from datong.connectors.tryton.reading import Documents
from datong.connectors.tryton.remarks import TEXTS, comment, described, key_mark, taken_apart
from datong.connectors.tryton.rpc import Stale
from datong.connectors.tryton.sales import MANUAL, Sale, discounted
from datong.kit import Answer, ItemWrite, Moved, Refused, Saved, Write

HEADER = {
    "party": "party",
    "contact": "contact",
    "shipment_party": "shipment_party",
    "reference": "reference",
    "sale_date": "sale_date",
    "currency": "currency",
    "payment_term": "payment_term",
    "shipping_date": "shipping_date",
}
DATES = ("sale_date", "shipping_date")
ALWAYS = {"reference", "contact"}
"""What Tryton lets change in any state; the comment too."""
AMENDMENT = "Datong "
"""Begins the description of an amendment of ours, so that one that was left half made is known."""


class Orders:
    """`warehouses`: the warehouse that a company's sale leaves from when its lines name none, by company."""

    def __init__(
        self, db: Database, documents: Documents, companies: Sequence[Company], warehouses: Mapping[str, str]
    ) -> None:
        self._db, self._documents = db, documents
        self._companies = {one.id: one for one in companies}
        self._warehouses = warehouses

    def write(self, one: Write) -> Answer:
        """Raises RemoteError where it cannot be known what was done."""
        try:
            if one.action == "create":
                return self._create(one)
            if one.action == "delete":
                return self._delete(one)
            return self._update(one)
        except Stale:
            return Moved(one.ref)
        except RequestRefused as error:
            reason = f"{error.message}; {error.remedy}" if error.remedy else error.message
            return Refused(one.ref, reason, error.field, error.code)

    def find_key(self, keys: Sequence[str]) -> list[int]:
        """Sales that bear one of our keys."""
        found: list[int] = []
        for key in keys:
            pattern = "%" + key_mark(key).replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
            found += [row["id"] for row in self._db.all("sale.sale", [["description", "like", pattern]], ["id"])]
        return sorted(set(found))

    def _create(self, one: Write) -> Answer:
        twins = self.find_key([one.key]) if one.key else []
        if twins:
            sale = self._read(twins[0])
            self._fulfil(sale, one.values.get("wish"))
            return Saved(one.ref, str(twins[0]), self._read(twins[0]).record(), existed=True)
        values = self._values(one.values, None)
        company = self._company_of(values.get("company"))
        values["company"] = company
        values["description"] = described(one.values.get("crm_number"), one.key)
        values = {**self._defaults(values, company), **values}
        if one.values.get("shipment_hold"):
            values["shipment_method"] = MANUAL
        items = [item for item in one.items.get("lines", ()) if item.action != "delete"]
        values["warehouse"] = self._warehouse(items, company) or values.get("warehouse")
        lines = [self._line(item.values, values, company) for item in items]
        values["lines"] = [["create", lines]] if lines else []
        (native,) = self._db.change("model.sale.sale.create", [values], stamps={}, company=company)
        sale = self._read(int(native))
        self._fulfil(sale, one.values.get("wish"))
        return Saved(one.ref, str(native), self._read(int(native)).record())

    def _update(self, one: Write) -> Answer:
        found = self._documents.sales([], [int(str(one.id))])
        if not found or (one.version is not None and found[0].record().version != one.version):
            return Moved(one.ref)
        sale, wish = found[0], one.values.get("wish")
        if wish == "cancelled":
            self._cancel(sale)
        else:
            self._hold(sale, one.values)
            self._change(sale, one)
            self._fulfil(self._read(sale.row["id"]), wish)
        return Saved(one.ref, str(one.id), self._read(sale.row["id"]).record())

    def _delete(self, one: Write) -> Answer:
        """Tryton deletes drafts and cancelled sales only, and says so itself."""
        if not self._documents.sales([], [int(str(one.id))]):
            return Saved(one.ref, str(one.id), None)
        self._db.change("model.sale.sale.delete", [int(str(one.id))], stamps={})
        return Saved(one.ref, str(one.id), None)

    def _fulfil(self, sale: Sale, wish: str | None) -> None:
        """Take the sale to where it is wanted."""
        if wish == "cancelled":
            self._cancel(sale)
            return
        if wish == "draft":
            self._withdraw(sale)
            return
        if wish != "released":
            return
        state = sale.row["state"]
        if state == "cancelled":
            self._step(sale, "draft")
            state = "draft"
        if state == "draft":
            self._step(sale, "quote")
            state = "quotation"
        if state == "quotation":
            self._step(sale, "confirm")

    def _withdraw(self, sale: Sale) -> None:
        state = sale.row["state"]
        if state in ("quotation", "confirmed", "cancelled"):
            self._step(sale, "draft")
        elif state != "draft":
            raise RequestRefused(
                f"{_name(sale)} is in process, and Tryton knows no way back to a draft",
                remedy="change it as it is, or cancel it",
                field="wish",
                code="WRONG_STATE",
            )

    def _hold(self, sale: Sale, wanted: Mapping[str, Any]) -> None:
        """A sale in process is held by not making its shipment; free of its hold, it is made."""
        if "shipment_hold" not in wanted or sale.row["state"] not in ("processing", "done"):
            return
        if not wanted["shipment_hold"]:
            if sale.held:
                self._step(sale, "manual_shipment")
        elif not sale.held and (sale.row["shipment_method"] != MANUAL or any(one["shipment"] for one in sale.moves)):
            raise RequestRefused(
                f"the shipment of {_name(sale)} is made already, and Tryton cannot hold it",
                remedy="keep the goods back in the warehouse",
                field="shipment_hold",
                code="SHIPMENT_MADE",
            )

    def _step(self, sale: Sale, button: str) -> None:
        self._db.change(f"model.sale.sale.{button}", [sale.row["id"]], stamps={}, company=sale.row["company"])

    def _cancel(self, sale: Sale) -> None:
        state = sale.row["state"]
        if state == "cancelled" or sale.emptied:
            return
        if state in ("draft", "quotation"):
            self._step(sale, "cancel")
        elif state == "confirmed":
            self._step(sale, "draft")
            self._step(sale, "cancel")
        else:
            self._may_amend(sale, "cancelled")
            self._amend(sale, [self._amended(sale, one, {"quantity": 0}) for one in sale.lines if one["quantity"]])

    def _change(self, sale: Sale, one: Write) -> None:
        """Fields and lines, by the way that the state of the sale leaves open."""
        values, items = self._values(one.values, sale), list(one.items.get("lines", ()))
        values |= self._way_of_shipping(sale, one.values)
        free = {name: value for name, value in values.items() if name in ALWAYS or name == "comment"}
        bound = {name: value for name, value in values.items() if name not in free}
        state = sale.row["state"]
        if not bound and not items:
            if free:
                self._written(sale, free)
        elif state in ("processing", "done"):
            self._may_amend(sale, "changed")
            lines = [*self._header_changes(sale, bound, items), *self._line_changes(sale, items)]
            if free:
                self._written(sale, free)
            if lines:
                self._amend(sale, lines)
        elif state == "cancelled" and one.values.get("wish") is None:
            raise RequestRefused(
                f"{_name(sale)} is cancelled in Tryton",
                remedy="release the order again, or make a new one",
                code="cancelled",
            )
        else:
            self._rewritten(sale, values, items)

    def _way_of_shipping(self, sale: Sale, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Of a sale that is not in process yet."""
        if "shipment_hold" not in wanted or sale.row["state"] in ("processing", "done", "cancelled"):
            return {}
        usual = self._defaults(sale.row, sale.row["company"]).get("shipment_method", "order")
        method = MANUAL if wanted["shipment_hold"] else usual
        return {} if method == sale.row["shipment_method"] else {"shipment_method": method}

    def _rewritten(self, sale: Sale, values: dict[str, Any], items: Sequence[ItemWrite]) -> None:
        """A sale that is not in process is set back to draft, written and taken to where it was."""
        state, company = sale.row["state"], sale.row["company"]
        if "company" in values and values["company"] != company:
            raise RequestRefused(
                f"{_name(sale)} is a sale of another company",
                remedy="make a new order",
                field="company",
                code="company",
            )
        values.pop("company", None)
        header = {**sale.row, **values}
        if "party" in values or "shipment_party" in values:
            defaults = self._defaults(header, company)
            values.update({k: v for k, v in defaults.items() if k in ("invoice_address", "shipment_address")})
        warehouse = self._warehouse([one for one in items if one.action != "delete"], company, default=False)
        if warehouse is not None:
            values["warehouse"] = warehouse
        commands: list[Any] = []
        for one in items:
            if one.action == "create":
                commands.append(["create", [self._line(one.values, header, company)]])
            elif one.action == "delete":
                commands.append(["delete", [int(str(one.id))]])
            else:
                held = next((line for line in sale.lines if str(line["id"]) == one.id), {})
                commands.append(["write", [int(str(one.id))], self._line_values(one.values, held)])
        if commands:
            values["lines"] = commands
        if state != "draft":
            self._step(sale, "draft")
        try:
            if values:
                self._written(sale, values)
        except RequestRefused:
            self._taken_back(sale, state)
            raise
        self._taken_back(sale, state)

    def _taken_back(self, sale: Sale, state: str) -> None:
        if state in ("quotation", "confirmed"):
            self._step(sale, "quote")
        if state == "confirmed":
            self._step(sale, "confirm")

    def _written(self, sale: Sale, values: Mapping[str, Any]) -> None:
        stamps = {f"sale.sale,{sale.row['id']}": sale.row["_timestamp"]} if sale.row["state"] == "draft" else {}
        self._db.change(
            "model.sale.sale.write", [sale.row["id"]], dict(values), stamps=stamps, company=sale.row["company"]
        )

    def _may_amend(self, sale: Sale, what: str) -> None:
        """What is shipped or in the books is not changed behind its back."""
        if sale.posted:
            raise RequestRefused(
                f"{_name(sale)} cannot be {what}: it is invoiced ({', '.join(sale.posted)})",
                remedy="make a credit note or a new order in Tryton",
                code="POSTED",
            )
        if sale.shipped_something or sale.row["state"] == "done":
            raise RequestRefused(
                f"{_name(sale)} cannot be {what}: goods have been shipped",
                remedy="take the goods back in Tryton, or make a new order for the difference",
                code="POSTED",
            )
        if "amendments" not in self._db.fields_of("sale.sale"):
            raise RequestRefused(
                f"{_name(sale)} is in process, and this Tryton has no amendments",
                remedy="activate the module sale_amendment, or change the sale in Tryton",
                code="no_amendment",
            )

    def _amend(self, sale: Sale, lines: Sequence[Mapping[str, Any]]) -> None:
        native, company = sale.row["id"], sale.row["company"]
        half_made = [["sale", "=", native], ["state", "=", "draft"], ["description", "like", AMENDMENT + "%"]]
        left = [row["id"] for row in self._db.all("sale.amendment", half_made, ["id"])]
        if left:
            self._db.change("model.sale.amendment.delete", left, stamps={}, company=company)
        made = {"sale": native, "description": f"{AMENDMENT}{sale.row['number']}", "lines": [["create", list(lines)]]}
        (amendment,) = self._db.change("model.sale.amendment.create", [made], stamps={}, company=company)
        try:
            self._db.change("model.sale.amendment.validate_amendment", [amendment], stamps={}, company=company)
        except RequestRefused:
            self._db.change("model.sale.amendment.delete", [amendment], stamps={}, company=company)
            raise

    def _header_changes(
        self, sale: Sale, values: Mapping[str, Any], items: Sequence[ItemWrite]
    ) -> list[dict[str, Any]]:
        changed = {name: value for name, value in values.items() if value != sale.row[name]}
        lines: list[dict[str, Any]] = []
        if "payment_term" in changed:
            lines.append({"action": "payment_term", "payment_term": changed.pop("payment_term")})
        if {"party", "shipment_party"} & set(changed):
            after = {**sale.row, **changed}
            addresses = self._defaults(after, sale.row["company"])
            lines.append(
                {
                    "action": "party",
                    "party": after["party"],
                    "shipment_party": after["shipment_party"],
                    "invoice_address": addresses.get("invoice_address"),
                    "shipment_address": addresses.get("shipment_address"),
                }
            )
            changed.pop("party", None)
            changed.pop("shipment_party", None)
        warehouse = self._warehouse(items, sale.row["company"], default=False)
        if warehouse is not None and any(one["warehouse"] != warehouse for one in sale.lines):
            lines.append({"action": "warehouse", "warehouse": warehouse})
        if changed:
            raise _not_amendable(sale, next(iter(changed)))
        return lines

    def _line_changes(self, sale: Sale, items: Sequence[ItemWrite]) -> list[dict[str, Any]]:
        by_id = {str(one["id"]): one for one in sale.lines}
        lines = []
        for one in items:
            if one.action == "create":
                raise RequestRefused(
                    f"{_name(sale)} is in process: Tryton's amendments cannot add a line",
                    remedy="make a new order for the additional line",
                    field="lines",
                    code="no_new_lines",
                )
            held = by_id.get(str(one.id))
            if held is None:
                raise RequestRefused(f"{_name(sale)} has no line {one.id}", field="lines", code="no_such_line")
            wanted = {"quantity": 0} if one.action == "delete" else dict(one.values)
            wanted.pop("warehouse", None)
            if wanted:
                lines.append(self._amended(sale, held, wanted))
        return lines

    def _amended(self, sale: Sale, held: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
        """An amendment says all of a line, also what stays."""
        values = self._line_values(wanted, held)
        kept = {name: held[name] for name in ("product", "quantity", "unit", "unit_price", "description")}
        for name, told in (("sequence", "lines.sequence"), ("taxes", "lines.tax"), ("base_price", "lines.price")):
            if name in values and values[name] != held.get(name):
                raise _not_amendable(sale, told)
            values.pop(name, None)
        return {"action": "line", "line": held["id"], **kept, **values}

    def _values(self, wanted: Mapping[str, Any], sale: Sale | None) -> dict[str, Any]:
        """Tryton's values of the header. What it has no field for becomes part of the comment."""
        if wanted.get("tax_included"):
            raise RequestRefused(
                "Tryton's prices are without tax", remedy="send prices without tax", field="tax_included", code="tax"
            )
        values: dict[str, Any] = {HEADER[name]: value for name, value in wanted.items() if name in HEADER}
        values.update({name: _date(values[name]) for name in DATES if name in values})
        if "company" in wanted:
            values["company"] = wanted["company"]
        texts = {name: wanted[name] for name in TEXTS if name in wanted}
        if sale is None:
            texts.pop("crm_number", None)  # it is told by the description
        if texts:
            held = taken_apart(sale.row["comment"]) if sale else {}
            values["comment"] = comment({**held, **texts})
        return values

    def _defaults(self, values: Mapping[str, Any], company: int | None) -> dict[str, Any]:
        """What Tryton's client fills in for a customer: addresses, terms, currency, ways of shipping and invoicing."""
        given = {
            name: values.get(name)
            for name in ("party", "shipment_party", "invoice_party", "warehouse", "currency", "payment_term")
        }
        given |= {"company": company, "lines": []}
        names = ["party", *(["shipment_party"] if given["shipment_party"] else [])]
        filled = self._db.call("model.sale.sale.on_change", given, names, context=self._in(company))
        useful = (
            "invoice_address", "shipment_address", "payment_term", "currency", "invoice_method", "shipment_method",
            "price_list",
        )  # fmt: skip
        return {name: filled[name] for name in useful if filled.get(name) is not None}

    def _line(self, wanted: Mapping[str, Any], header: Mapping[str, Any], company: int | None) -> dict[str, Any]:
        """A new line. What is not said (unit, price, taxes) is as Tryton's client would propose it."""
        values = {"type": "line", **self._line_values(wanted, {})}
        if not {"unit", "unit_price", "taxes"} <= set(values) and values.get("product"):
            sale = {
                name: header.get(name) for name in ("party", "currency", "sale_date", "warehouse", "shipment_party")
            }
            start = {
                **{k: v for k, v in values.items() if k != "taxes"},
                "sale": {**sale, "company": company, "lines": []},
            }
            context = self._in(company)
            filled = self._db.call("model.sale.line.on_change", start, ["product", "quantity"], context=context)
            for name in ("unit", "unit_price"):
                if values.get(name) is None and filled.get(name) is not None:
                    values[name] = filled[name]
            if "taxes" not in values:
                proposed = (filled.get("taxes") or {}).get("add", [])
                values["taxes"] = [["add", [tax["id"] for _, tax in proposed]]]
        return values

    def _line_values(self, wanted: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
        values = {
            name: wanted[name] for name in ("product", "description", "quantity", "unit", "sequence") if name in wanted
        }
        if "tax" in wanted:
            same = wanted["tax"] is not None and held.get("taxes") == [wanted["tax"]]
            if not same:
                values["taxes"] = [
                    *([["remove", list(held["taxes"])]] if held.get("taxes") else []),
                    *([["add", [wanted["tax"]]]] if wanted["tax"] is not None else []),
                ]
        if "price" in wanted or "discount" in wanted:
            values.update(self._price(wanted, held))
        return values

    def _price(self, wanted: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
        base = wanted.get("price", held.get("base_price") or held.get("unit_price"))
        share = wanted["discount"] if "discount" in wanted else _discount_of(held)
        if base is None:
            return {}
        base, share = decimal(base), decimal(share or 0)
        keeps = "base_price" in self._db.fields_of("sale.line")
        if share and not keeps:
            raise RequestRefused(
                "this Tryton keeps no discount of a line",
                remedy="activate the module sale_discount, or send the price less discount",
                field="lines.discount",
                code="no_such_field",
            )
        told: dict[str, Any] = {"unit_price": discounted(base, share) if share else base}
        if keeps and (share or held.get("base_price")):
            told["base_price"] = base
        return told

    def _warehouse(self, items: Iterable[ItemWrite], company: int | None, *, default: bool = True) -> int | None:
        """Tryton ships a whole sale from one warehouse."""
        named = {one.values["warehouse"] for one in items if one.values.get("warehouse") is not None}
        if len(named) > 1:
            raise RequestRefused(
                "Tryton ships a sale from one warehouse, and its lines name several",
                remedy="make an order for each warehouse",
                field="lines.warehouse",
                code="one_warehouse",
            )
        if named:
            return int(named.pop())
        known = self._companies.get(company) if company is not None else None
        code = self._warehouses.get(known.code) if known and default else None
        if code is None:
            return None
        rows = self._db.all("stock.location", [["type", "=", "warehouse"], ["code", "=", code]], ["id"])
        if not rows:
            raise RequestRefused(
                f"Tryton has no warehouse with the code {code}", remedy="correct `warehouses` of the connection"
            )
        return int(rows[0]["id"])

    def _company_of(self, company: Any) -> int | None:
        if company is not None:
            return int(company)
        if len(self._companies) > 1:
            raise RequestRefused(
                "which company sells is not said",
                remedy="set the company of the order",
                field="company",
                code="company",
            )
        return next(iter(self._companies), None)

    def _in(self, company: int | None) -> dict[str, Any]:
        return {} if company is None else {"company": company}

    def _read(self, native: int) -> Sale:
        (sale,) = self._documents.sales([], [native])
        return sale


def _discount_of(held: Mapping[str, Any]) -> Decimal | None:
    base, charged = held.get("base_price"), held.get("unit_price")
    return 1 - charged / base if base and charged is not None else None


def _date(text: Any) -> date | None:
    return None if text is None else date.fromisoformat(str(text))


def _name(sale: Sale) -> str:
    return f"sale {sale.row['number'] or sale.row['id']}"


def _not_amendable(sale: Sale, field: str) -> RequestRefused:
    return RequestRefused(
        f"{_name(sale)} is in process: Tryton's amendments cannot change {field.rpartition('.')[2]}",
        remedy="change it in Tryton, or make a new order",
        field=field,
        code="not_amendable",
    )
