"""Prices, stock, supply and exchange rates. Tryton counts stock and computes prices itself; it is asked for figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from datong.base.clock import to_text
from datong.base.json import digest
from datong.base.money import decimal, plain
from datong.connectors.tryton.campaign_prices import CampaignLists
from datong.connectors.tryton.changes import named
from datong.connectors.tryton.database import Database
from datong.connectors.tryton.documents import company_code, quantity, ref, states, told
from datong.connectors.tryton.party import Company
from datong.connectors.tryton.sales import as_json, plain_value
from datong.kit import WireRecord
from datong.mapping import FieldMap, Items, boolean, day, moment, number

Pair = tuple[int, int]
"""A product and a warehouse."""
OUTSIDE = ("customer", "production", "supplier")
PLANNED = ("draft", "assigned")
PRODUCTION_STATES = {
    "request": "draft",
    "draft": "draft",
    "waiting": "confirmed",
    "assigned": "confirmed",
    "running": "running",
    "done": "done",
    "cancelled": "cancelled",
}
REQUEST_STATES = {
    "draft": "draft",
    "purchased": "confirmed",
    "done": "done",
    "cancelled": "cancelled",
    "exception": "cancelled",
}

STOCK_LEVEL = FieldMap(
    "stock_level",
    "product.product",
    (
        told("product", "product", ref("product")),
        told("warehouse", "warehouse", ref("warehouse")),
        told("unit", "unit", ref("unit")),
        told("on_hand", "on_hand", number()),
        told("reserved", "reserved", number()),
        told("available", "available", number()),
        told("incoming", "incoming", number()),
        told("as_of", "as_of", moment()),
    ),
)
SUPPLY_ORDER = FieldMap(
    "supply_order",
    "production",
    (
        told("number", "number"),
        told("type", "type"),
        told("state", "state", states({one: one for one in ("draft", "confirmed", "running", "done", "cancelled")})),
        told("order", "sale", ref("order")),
        told("order_line", "order_line"),
        told("product", "product", ref("product")),
        told("unit", "unit", ref("unit")),
        told("quantity", "quantity", quantity()),
        told("done", "done", number()),
        told("planned_finish", "planned", day()),
        told("expected_finish", "expected", day()),
    ),
)
EXCHANGE_RATE = FieldMap(
    "exchange_rate",
    "currency.currency.rate",
    (
        told("currency", "base", ref("currency")),
        told("to", "currency", ref("currency")),
        told("date", "date", day()),
        told("rate", "rate", number()),
    ),
)


def accounting_period(companies: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    return FieldMap(
        "accounting_period",
        "account.period",
        (
            told("name", "name"),
            told("company", "company", company_code(companies)),
            told("start", "start", day()),
            told("end", "end", day()),
            told("state", "state", states({"open": "open", "closed": "closed", "locked": "closed"})),
        ),
    )


def price_list(companies: Mapping[str, Mapping[str, Any]]) -> FieldMap:
    return FieldMap(
        "price_list",
        "product.price_list",
        (
            told("name", "name"),
            told("company", "company", company_code(companies)),
            told("currency", "currency", ref("currency")),
            told("tax_included", "tax_included", boolean()),
            told("restricted", "restricted", boolean()),
            told("active", "active", boolean()),
        ),
    )


PRICE = FieldMap(
    "price",
    "product.price_list.line",
    (
        told("price_list", "price_list", ref("price_list")),
        told("product", "product", ref("product")),
        told("unit", "unit", ref("unit")),
        told("currency", "currency", ref("currency")),
        told("tax_included", "tax_included", boolean()),
        told("price", "price", number()),
        told("valid_from", "valid_from", day()),
        told("valid_to", "valid_to", day()),
        told("active", "active", boolean()),
    ),
    (
        Items(
            "tiers",
            "tiers",
            (told("quantity", "quantity", number()), told("price", "price", number())),
            id="quantity",
            write="never",
        ),
    ),
)


class Goods:
    """Each method reads what it tells as a whole; stock also product by product."""

    def __init__(self, db: Database, companies: Sequence[Company], campaigns: CampaignLists | None = None) -> None:
        """`campaigns`: price lists that were made here are told apart, where Tryton is told of any."""
        self._db, self._companies, self._campaigns = db, list(companies), campaigns

    def exchange_rates(self) -> list[WireRecord]:
        """Rates count units of a currency for one of the base currency: the one whose rate is always 1."""
        rows = self._db.all("currency.currency.rate", [], ["currency", "date", "rate", *_STAMPS])
        of: dict[int, set[Decimal]] = defaultdict(set)
        for row in rows:
            of[row["currency"]].add(row["rate"])
        bases = [one for one, rates in of.items() if rates == {Decimal(1)}]
        base = bases[0] if len(bases) == 1 else None
        return [
            _record(
                str(row["id"]),
                {
                    **({} if base is None else {"base": base}),
                    "currency": row["currency"],
                    "date": row["date"].isoformat(),
                    "rate": plain(row["rate"]),
                },
                [row],
            )
            for row in rows
            if row["currency"] != base
        ]

    def accounting_periods(self) -> list[WireRecord]:
        """Periods of the year; those for adjustments lie over them and do not count."""
        names = ["name", "company", "start_date", "end_date", "state", *_STAMPS]
        rows = self._db.all("account.period", [*self._ours(), ["type", "=", "standard"]], names)
        return [
            _record(
                str(row["id"]),
                {
                    "name": row["name"],
                    "company": row["company"],
                    "start": row["start_date"].isoformat(),
                    "end": row["end_date"].isoformat(),
                    "state": row["state"],
                },
                [row],
            )
            for row in rows
        ]

    def price_lists(self) -> list[WireRecord]:
        """Each is for the customers whose list it is: to whom the default of a company applies it is told as theirs."""
        rows = self._db.all("product.price_list", self._ours(), ["name", "company", "tax_included", "active", *_STAMPS])
        currencies = self._currencies()
        ours = self._campaigns.all() if self._campaigns is not None else []
        mine = {one.id for one in ours}
        return [
            *ours,
            *(
                _record(
                    str(row["id"]),
                    {
                        "name": row["name"],
                        "company": row["company"],
                        "currency": currencies.get(row["company"]),
                        "tax_included": bool(row["tax_included"]),
                        "restricted": True,
                        "active": bool(row["active"]),
                    },
                    [row],
                    bool(row["active"]),
                )
                for row in rows
                if str(row["id"]) not in mine
            ),
        ]

    def prices(self) -> list[WireRecord]:
        """What Tryton itself asks for one unit and from each quantity that its formulas name. It computes only the
        lists of the company that the user works in."""
        home = self._db.call("model.res.user.get_preferences", True).get("company")
        lists = self._db.all(
            "product.price_list", [["company", "=", home], ["active", "=", True]], ["company", "tax_included"]
        )
        ours = self._campaigns.known() if self._campaigns is not None else {}
        tiers: dict[int, set[Decimal]] = defaultdict(set)
        lines = self._db.all("product.price_list.line", [], ["price_list", "quantity", "product", "category"])
        for line in lines:
            tiers[line["price_list"]].add(decimal(line["quantity"] or 0))
        products = self._db.all("product.product", [["salable", "=", True], ["active", "=", True]], ["sale_uom"])
        ids, units = [one["id"] for one in products], {one["id"]: one["sale_uom"] for one in products}
        currencies = self._currencies()
        dated = [self._of_campaign(one, ours[one["id"]], currencies) for one in lists if one["id"] in ours]
        found = [price for some in dated for price in some]
        for one in (other for other in lists if other["id"] not in ours):
            steps = sorted({Decimal(1), *(step for step in tiers[one["id"]] if step > 1)})
            asked = {step: self._asked(ids, one, step) for step in steps}
            for product in ids:
                base = asked[Decimal(1)].get(product)
                if base is None:
                    continue
                data = {
                    "price_list": one["id"],
                    "product": product,
                    "unit": units[product],
                    "currency": currencies.get(one["company"]),
                    "tax_included": bool(one["tax_included"]),
                    "price": plain(base),
                    "active": True,
                    "tiers": [
                        {"quantity": plain(step), "price": plain(price)}
                        for step in steps[1:]
                        if (price := asked[step].get(product)) is not None and price != base
                    ],
                }
                found.append(WireRecord(f"{one['id']}-{product}", data, digest(data)))
        return found

    def _of_campaign(
        self, one: Mapping[str, Any], mine: Mapping[str, Any], currencies: Mapping[int, Any]
    ) -> list[WireRecord]:
        """The prices of a campaign, with its days: on others Tryton asks another price."""
        products = self._db.all("product.product", [["id", "in", sorted(mine["prices"])]], ["default_uom"])
        found = []
        for row in products:
            data = {
                "price_list": one["id"],
                "product": row["id"],
                "unit": row["default_uom"],
                "active": True,
                "currency": currencies.get(one["company"]),
                "tax_included": bool(one["tax_included"]),
                "price": plain(mine["prices"][row["id"]]),
                "tiers": [],
                **{name: mine[name] for name in ("valid_from", "valid_to")},
            }
            found.append(WireRecord(f"{one['id']}-{row['id']}", data, digest(data)))
        return found

    def _asked(self, ids: Sequence[int], one: Mapping[str, Any], step: Decimal) -> dict[int, Decimal]:
        context = {"price_list": one["id"], "company": one["company"], "quantity": as_json(step)}
        return {
            row["id"]: row["sale_price_uom"]
            for first in range(0, len(ids), _AT_ONCE)
            for row in self._db.call(
                "model.product.product.read", ids[first : first + _AT_ONCE], ["sale_price_uom"], context=context
            )
        }

    def supply_orders(self) -> list[WireRecord]:
        """Productions and requests for purchase that were made for the line of a sale."""
        made = self._held("sale.line", "productions") and self._db.all(
            "production",
            [*self._ours(), ["origin", "like", "sale.line,%"]],
            ["number", "state", "origin", "product", "unit", "quantity", "planned_date", "effective_date", *_STAMPS],
        )
        asked: list[dict[str, Any]] = []
        lines_of: dict[int, dict[str, Any]] = {}
        if self._held("sale.line", "purchase_request"):
            waiting = self._db.all(
                "sale.line", [["purchase_request", "!=", None]], ["purchase_request", "sale", "sequence"]
            )
            lines_of = {row["purchase_request"]: row for row in waiting}
            fields = ["state", "product", "unit", "quantity", "supply_date", "purchase.number", "purchase_line"]
            asked = self._db.all(
                "purchase.request", [*self._ours(), ["id", "in", sorted(lines_of)]], [*fields, *_STAMPS]
            )
        received, due = self._received([row["purchase_line"] for row in asked if row["purchase_line"]])
        origins = [one for row in made or () for one in named(row["origin"], "sale.line")]
        sold = {row["id"]: row for row in self._db.all("sale.line", [["id", "in", origins]], ["sale", "sequence"])}
        return [
            *(_production(row, sold[one]) for row in made or () for one in named(row["origin"], "sale.line")),
            *(_purchase(row, lines_of[row["id"]], received, due) for row in asked),
        ]

    def _received(self, lines: Sequence[int]) -> tuple[dict[int, Decimal], dict[int, Any]]:
        """What has come of purchase lines, and when the rest is expected."""
        if not lines:
            return {}, {}
        came: dict[int, Decimal] = defaultdict(Decimal)
        origins = [f"purchase.line,{one}" for one in lines]
        done = [["origin", "in", origins], ["state", "=", "done"]]
        for row in self._db.all("stock.move", done, ["origin", "quantity"]):
            for one in named(row["origin"], "purchase.line"):
                came[one] += decimal(row["quantity"])
        rows = self._db.all("purchase.line", [["id", "in", list(lines)]], ["delivery_date"])
        return came, {row["id"]: row["delivery_date"] for row in rows}

    def pairs(self) -> list[Pair]:
        """Every stocked product in every warehouse."""
        goods = self._db.all("product.product", [["type", "=", "goods"]], ["id"])
        houses = self._db.all("stock.location", [["type", "=", "warehouse"]], ["id"])
        return [(one["id"], house["id"]) for one in goods for house in houses]

    def moved(self, since: datetime) -> list[tuple[datetime, Pair]]:
        """Which stock moved or was planned to, oldest first."""
        house = self._houses()
        fields = ["product", "from_location", "to_location", "last_modified_at"]
        newest: dict[Pair, datetime] = {}
        for row in self._db.all("stock.move", [["last_modified_at", ">=", since]], fields):
            for place in (house.get(row["from_location"]), house.get(row["to_location"])):
                if place is not None:
                    pair = (row["product"], place)
                    newest[pair] = max(row["last_modified_at"], newest.get(pair, row["last_modified_at"]))
        return sorted((changed, pair) for pair, changed in newest.items())

    def _houses(self) -> dict[int, int | None]:
        """The warehouse that each place belongs to."""
        places = {one["id"]: one for one in self._db.all("stock.location", [], ["parent", "type"])}

        def above(one: int | None) -> int | None:
            while one is not None and places[one]["type"] != "warehouse":
                one = places[one]["parent"]
            return one

        return {one: above(one) for one in places}

    def stock(self, pairs: Iterable[Pair], as_of: datetime | None) -> list[WireRecord]:
        """Reserved is what is to leave (for customers, productions), incoming what is to come; both as planned."""
        wanted = set(pairs)
        products = sorted({product for product, _ in wanted})
        rows = {
            row["id"]: row
            for first in range(0, len(products), _AT_ONCE)
            for row in self._db.all(
                "product.product", [["id", "in", products[first : first + _AT_ONCE]]], ["default_uom", "type", "active"]
            )
        }
        goods = [one for one in products if one in rows and rows[one]["type"] == "goods"]
        found = []
        for house in sorted({house for _, house in wanted}):
            mine = [one for one in goods if (one, house) in wanted]
            held, out = self._counted(mine, house), self._planned(mine, house, True)
            coming = self._planned(mine, house, False)
            for product in mine:
                data = {
                    "product": product,
                    "warehouse": house,
                    "unit": rows[product]["default_uom"],
                    "on_hand": plain(held[product]),
                    "reserved": plain(out[product]),
                    "available": plain(held[product] - out[product]),
                    "incoming": plain(coming[product]),
                }
                version = digest(data)
                if as_of is not None:
                    data["as_of"] = to_text(as_of)
                found.append(WireRecord(f"{product}-{house}", data, version, as_of))
        return found

    def _counted(self, products: Sequence[int], house: int) -> dict[int, Decimal]:
        """On hand today, of all companies of the connection: Tryton counts each company's goods by themselves."""
        held: dict[int, Decimal] = defaultdict(Decimal)
        today = self._db.call("model.ir.date.today")
        whose: list[dict[str, Any]] = [{"company": one.id} for one in self._companies] or [{}]
        for company in whose:
            context = {"locations": [house], "stock_date_end": today, **company}
            for first in range(0, len(products), _AT_ONCE):
                some = products[first : first + _AT_ONCE]
                for row in self._db.call("model.product.product.read", some, ["quantity"], context=context):
                    held[row["id"]] += decimal(row["quantity"] or 0)
        return held

    def _planned(self, products: Sequence[int], house: int, out: bool) -> dict[int, Decimal]:
        here, there = ("from_location", "to_location") if out else ("to_location", "from_location")
        counted: dict[int, Decimal] = defaultdict(Decimal)
        for first in range(0, len(products), _AT_ONCE):
            domain = [
                *self._ours(),
                ["product", "in", products[first : first + _AT_ONCE]],
                ["state", "in", list(PLANNED)],
                [here, "child_of", [house], "parent"],
                [f"{there}.type", "in", list(OUTSIDE)],
            ]
            for row in self._db.all("stock.move", domain, ["product", "internal_quantity"]):
                counted[row["product"]] += decimal(row["internal_quantity"] or 0)
        return counted

    def _ours(self) -> list[Any]:
        return [["company", "in", [one.id for one in self._companies]]] if self._companies else []

    def _currencies(self) -> dict[int, int]:
        return {row["id"]: row["currency"] for row in self._db.all("company.company", [], ["currency"])}

    def _held(self, model: str, name: str) -> bool:
        return name in self._db.fields_of(model)


_AT_ONCE = 500
_STAMPS = ("last_modified_at", "_timestamp")


def _record(native: str, data: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], active: bool = True) -> WireRecord:
    changed = max(one["last_modified_at"] for one in rows)
    return WireRecord(native, data, digest([str(one["_timestamp"]) for one in rows]), changed, active)


def _of_line(line: Mapping[str, Any]) -> dict[str, Any]:
    position = line["id"] if line["sequence"] is None else line["sequence"]
    return {"sale": line["sale"], "order_line": str(position)}


def _production(row: Mapping[str, Any], line: Mapping[str, Any]) -> WireRecord:
    state = PRODUCTION_STATES[row["state"]]
    data = {
        "number": row["number"],
        "type": "production",
        "state": state,
        **{name: row[name] for name in ("product", "unit", "quantity")},
        "done": plain(decimal(row["quantity"])) if state == "done" else "0",
        "planned": plain_value(row["planned_date"]),
        "expected": plain_value(row["effective_date"] or row["planned_date"]),
        **_of_line(line),
    }
    return WireRecord(f"production-{row['id']}", data, digest(data), row["last_modified_at"])


def _purchase(
    row: Mapping[str, Any], line: Mapping[str, Any], received: Mapping[int, Decimal], due: Mapping[int, Any]
) -> WireRecord:
    bought = row["purchase_line"]
    data = {
        "number": (row.get("purchase.") or {}).get("number"),
        "type": "purchase",
        "state": REQUEST_STATES[row["state"]],
        **{name: row[name] for name in ("product", "unit", "quantity")},
        "done": plain(received.get(bought, Decimal(0))),
        "planned": plain_value(row["supply_date"]),
        "expected": plain_value(due.get(bought) or row["supply_date"]),
        **_of_line(line),
    }
    return WireRecord(f"purchase-{row['id']}", data, digest(data), row["last_modified_at"])
