"""A month end that does not read what is at rest says the same as one that reads everything, whatever happened and
changed before, between and after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from datong.base.clock import ManualClock
from datong.bootstrap.build import build
from datong.bootstrap.config import load
from datong.bootstrap.init import SandboxAnswers, write_config
from datong.engine.cycle import Engine
from datong.insight.month_end import Tolerance
from datong.insight.span import Span
from datong.operations.closed_periods import ClosedPeriods
from datong.operations.documents import Shelf
from datong.operations.month_end import matched
from datong.store.unit import Rec, Unit
from tests.scenarios.documents import BOOKS

MONTHS = [Span.parse(f"2024-0{month}") for month in range(1, 7)]
SIDES = ("crm", "erp")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Documents that are simply there, in the store: no system is asked for anything."""
    nowhere = "http://127.0.0.1:9"
    path = write_config(tmp_path_factory.mktemp("office"), SandboxAnswers(nowhere, nowhere, 1))
    yaml = YAML()
    told = yaml.load(path.read_text(encoding="utf8"))
    told["flows"] = dict.fromkeys(("customer_master", "product_catalogue", "orders", *BOOKS, "returns"), True)
    with path.open("w", encoding="utf8") as file:
        yaml.dump(told, file)
    app = build(load(path), ManualClock())
    yield app.engine("datong")
    app.close()


class Clerk:
    """Writes documents, and changes them."""

    def __init__(self, unit: Unit, chance: Random) -> None:
        self.unit, self.chance = unit, chance
        self.made: dict[str, list[Rec]] = {}
        self.today = 0

    def act(self) -> None:
        acts = (
            self.sale,
            self.sale,
            self.order,
            self.shipment,
            self.shipment,
            self.invoice,
            self.invoice,
            self.payment,
            self.comes_back,
        )
        self.chance.choice(
            (*acts, self.change, self.change, self.change, self.vanish) if self.made.get("invoice") else acts
        )()

    def day(self) -> str | None:
        return (
            None if self.chance.random() < 0.03 else str(MONTHS[0].start + timedelta(self.chance.randrange(self.today)))
        )

    def sale(self) -> None:
        """Ordered, shipped and invoiced, mostly as it should be."""
        self.order()
        order = self.made["order"][-1]
        for key in "ab":
            if f"lines.{key}" in order.agreed:
                line = {"lines.x.order": f"order:{order.id}", "lines.x.order_line": "10" if key == "a" else "20"}
                done = {**line, "lines.x.quantity": "5", "lines.x.product": f"product:{ord(key)}"}
                company = {"company": order.agreed["company"]}
                if self.chance.random() < 0.9:
                    self.keep("shipment", {"state": "shipped", **done, **company})
                billed = {"state": "posted", "type": "invoice", "tax_included": True, "lines.x.price": "10"}
                self.keep("invoice", {**done, **billed, **company, "lines.x.total": "50", "total": "50"})

    def order(self) -> None:
        fields = {"state": "confirmed", "wish": "released", "number": "SO", "tax_included": True}
        for key in "ab"[: self.chance.choice((1, 1, 2))]:
            fields |= self.line(key, "5") | {f"lines.{key}.product": f"product:{ord(key)}", f"lines.{key}.price": "10"}
        self.keep("order", fields)

    def line(self, key: str, quantity: str) -> dict[str, Any]:
        return {f"lines.{key}.quantity": quantity, f"lines.{key}.position": "10" if key == "a" else "20"}

    def shipment(self) -> None:
        self.keep("shipment", {"state": self.chance.choice(("shipped", "delivered", "ready")), **self.of_order()})

    def invoice(self) -> None:
        state = self.chance.choice(("posted", "posted", "paid", "draft", "cancelled"))
        fields = {"state": state, "type": "invoice", "total": "50", "tax_included": True, **self.of_order()}
        if self.chance.random() < 0.2 and self.made.get("invoice"):
            fields |= {"type": "credit_note", "reverses": self.some("invoice")}
        if self.chance.random() < 0.1:
            fields["open"] = self.chance.choice(("-3", "0", "7"))
        self.keep("invoice", {**fields, "lines.x.price": self.chance.choice(("10", "10", "11")), "lines.x.total": "50"})

    def payment(self) -> None:
        fields = {"state": "posted", "amount": "50", "unallocated": self.chance.choice(("0", "0", "0", "5"))}
        self.keep("payment", {**fields, "allocations.x.invoice": self.some("invoice"), "allocations.x.amount": "50"})

    def comes_back(self) -> None:
        fields = {"outcome": "refunded", "received_on": self.day(), "lines.x.received": self.chance.choice("12")}
        self.keep("return", {"order": self.some("order"), "lines.x.product": "product:97", **fields})

    def of_order(self) -> dict[str, Any]:
        key = self.chance.choice("aab")
        told = {"lines.x.product": f"product:{ord(key)}", "lines.x.order_line": "10" if key == "a" else "20"}
        return {"lines.x.order": self.some("order"), "lines.x.quantity": self.chance.choice("5552"), **told}

    def some(self, kind: str) -> str | None:
        known = self.made.get(kind)
        return f"{kind}:{self.chance.choice(known).id}" if known else None

    def keep(self, kind: str, fields: dict[str, Any]) -> None:
        record = self.unit.new_record(kind)
        company = self.chance.choice(("asia", "asia", "asia", "europe"))
        record.agreed = {"company": company, "currency": "currency:1", "erp_number": "N", "date": self.day(), **fields}
        record.agreed |= {name.rpartition(".")[0]: True for name in fields if "." in name}
        for side in SIDES if self.chance.random() < 0.9 else SIDES[1:]:
            link = self.unit.new_link(record, side, f"{kind}-{record.id}")
            link.sent = dict(record.agreed)
            self.unit.touch_link(link)
        self.made.setdefault(kind, []).append(record)

    def change(self) -> None:
        """On both sides, or on one only."""
        record = self.chance.choice([one for some in self.made.values() for one in some])
        others = {
            "date": self.day(),
            "state": self.chance.choice(("posted", "cancelled", "shipped", "confirmed")),
            "company": self.chance.choice(("asia", "europe")),
            "lines.x.order": self.some("order"),
            "lines.x.quantity": self.chance.choice("1256"),
            "lines.a.shipped": self.chance.choice("0257"),
            "unallocated": self.chance.choice("05"),
            "open": self.chance.choice(("-2", "0")),
        }
        known = [name for name in others if name in record.agreed or name.startswith("lines.a.")]
        name = self.chance.choice((*known, *(["lines.x.order"] * 4 if "lines.x.order" in known else ())))
        if record.kind != "order" and name.startswith("lines.a."):
            name = "date"
        for link in self.unit.links_of(record.id):
            if link.connection == "erp" or self.chance.random() < 0.7:
                link.sent[name] = others[name]
                self.unit.touch_link(link)
        if self.chance.random() < 0.8:
            record.agreed[name] = others[name]
            self.unit.touch(record)

    def vanish(self) -> None:
        """It stands on one side only from now on."""
        record = self.chance.choice([one for some in self.made.values() for one in some])
        links = self.unit.links_of(record.id)
        if len(links) > 1:
            self.unit.drop_link(links[0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_at_rest_is_not_missed(office: Engine, seed: int) -> None:
    chance = Random(seed)
    with office.store.trial() as tx:
        unit = Unit(tx, office.store.clock, "test")
        clerk = Clerk(unit, chance)
        company = chance.choice((None, None, "asia"))
        for month in MONTHS:
            clerk.today += 31
            for _ in range(chance.randrange(15)):
                clerk.act()
            unit.flush()
            span = chance.choice((month, month, month, MONTHS[0]))
            tolerance = Tolerance(chance.choice((0, 5, 40)), Decimal(chance.choice((0, 0, 60))))
            shelf = Shelf(office, Unit(tx, office.store.clock, "test"))
            periods, everything = (ClosedPeriods(shelf, span, company) for _ in range(2))
            everything.usable = False
            seen = matched(shelf, periods, tolerance)
            assert seen.told == matched(shelf, everything, tolerance).told
            periods.keep(tx, seen.result.at_rest)
