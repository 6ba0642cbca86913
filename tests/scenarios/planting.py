"""Differences planted in both systems behind Datong's back, each on a record of its own: what, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

from datong.sandbox.system import System
from tests.scenarios.sandbox_pair import SandboxPair

ADDRESS = {"type": "billing", "country": "CN", "city": "深圳市", "street": "科技园路1号"}


@dataclass(frozen=True, order=True)
class Planted:
    """What a reconciliation must say: the class, and the record by its id in the system where it went astray."""

    cls: str
    kind: str
    place: str
    native_id: str
    cause: str


def silently(system: System, what: str, key: Any, changes: Mapping[str, Any]) -> None:
    """As by a statement in the database: no version, no time of change, no webhook."""
    with system.lock:
        table = system.table(what)
        state = table.get(key)
        table.put(replace(state, data={**state.data, **changes}, encoded={}))


def populate(pair: SandboxPair, customers: int, products: int) -> None:
    """Customers with a contact each, and products, on both sides and in agreement."""
    pair.sync()
    crm, erp = pair.sandbox.crm, pair.sandbox.erp
    for number in range(customers):
        name = f"大同第{number}号机电有限公司"
        made = pair.crm.make(
            name=name, email=f"c{number}@datong.example", website=f"www{number}.example", addresses=[ADDRESS]
        )
        crm.create("contacts", {"account_id": made, "name": f"李娜{number}", "email": f"li{number}@datong.example"})
    for number in range(products):
        row = {"itemNo": f"P-{number:05d}", "description": f"水泵{number}", "baseUnit": 1, "salesPrice": "12.50"}
        erp.create("items", {**row, "currency": "CNY", "taxCodeId": 1})
    pair.settle(most=8, full=False)
    for row in erp.rows("customers"):
        erp.edit("customers", row["id"], {"companies": {"asia": {"creditLimit": "50000"}}})
    pair.settle(most=8)


class Planter:
    """Takes record after record, so that no two differences meet in one."""

    def __init__(self, pair: SandboxPair) -> None:
        self.crm, self.erp = pair.sandbox.crm, pair.sandbox.erp
        customers = {row["extRef"] or row["custName"]: row for row in self.erp.rows("customers")}
        by_name = {row["custName"]: row for row in customers.values()}
        self._customers = iter([(a["id"], by_name[a["name"]]["id"]) for a in self.crm.rows("accounts")])
        mails = {row["mail"]: row["contactId"] for row in self.erp.rows("contacts")}
        self._contacts = iter([(c["id"], mails[c["email"]]) for c in reversed(self.crm.rows("contacts"))])
        items = {row["itemNo"]: row["id"] for row in self.erp.rows("items")}
        self._products = iter([(p["id"], items[p["sku"]]) for p in self.crm.rows("products") if p["sku"] in items])
        self._number = 0

    def plant(self, many: int) -> list[Planted]:
        """One way after the other, so that all of them come as often."""
        ways = cycle(
            [
                self.edited_in_the_crm,
                self.edited_silently_in_the_erp,
                self.not_theirs_to_edit,
                self.both_edited,
                self.limit_raised,
                self.price_silently_changed,
                self.deleted_in_the_erp,
                self.deleted_in_the_crm,
                self.made_in_the_crm,
                self.made_in_the_erp,
                self.made_twice,
                self.moved_silently,
            ]
        )
        return [next(ways)() for _ in range(many)]

    def _next(self) -> int:
        self._number += 1
        return self._number

    def edited_in_the_crm(self) -> Planted:
        crm, _ = next(self._customers)
        self.crm.edit("accounts", crm, {"website": f"new{self._next()}.example"})
        return Planted("stale", "account", "crm", crm, "unannounced")

    def edited_silently_in_the_erp(self) -> Planted:
        _, erp = next(self._customers)
        silently(self.erp, "customers", erp, {"web": f"silent{self._next()}.example"})
        return Planted("stale", "account", "erp", str(erp), "silent")

    def not_theirs_to_edit(self) -> Planted:
        _, erp = next(self._contacts)
        self.erp.edit("contacts", erp, {"position": f"采购经理{self._next()}"})
        return Planted("stale", "contact", "erp", str(erp), "unannounced")

    def both_edited(self) -> Planted:
        crm, erp = next(self._customers)
        self.crm.edit("accounts", crm, {"email": f"crm{self._next()}@datong.example"})
        self.erp.edit("customers", erp, {"email": f"erp{self._next()}@datong.example"})
        return Planted("conflict", "account", "crm", crm, "unannounced")

    def limit_raised(self) -> Planted:
        _, erp = next(self._customers)
        self.erp.edit("customers", erp, {"companies": {"asia": {"creditLimit": str(60000 + self._next())}}})
        return Planted("money", "account", "erp", str(erp), "unannounced")

    def price_silently_changed(self) -> Planted:
        crm, _ = next(self._products)
        silently(self.crm, "products", crm, {"list_price": f"{13 + self._next()}.00"})
        return Planted("money", "product", "crm", crm, "silent")

    def deleted_in_the_erp(self) -> Planted:
        _, erp = next(self._contacts)
        self.erp.delete("contacts", erp)
        return Planted("missing", "contact", "erp", str(erp), "deleted")

    def deleted_in_the_crm(self) -> Planted:
        crm, _ = next(self._products)
        self.crm.delete("products", crm)
        return Planted("missing", "product", "crm", crm, "deleted")

    def made_in_the_crm(self) -> Planted:
        row = {"name": f"无名第{self._next()}号商贸有限公司", "stage": "customer", "type": "company"}
        return Planted("orphan", "account", "crm", self.crm.create("accounts", row)["id"], "created")

    def made_in_the_erp(self) -> Planted:
        made = self.erp.create("items", {"itemNo": f"N-{self._next()}", "description": "新件", "baseUnit": 1})
        return Planted("orphan", "product", "erp", str(made["id"]), "created")

    def made_twice(self) -> Planted:
        crm, _ = next(self._contacts)
        row = self.crm.get("contacts", crm)
        assert row is not None
        made = self.crm.create("contacts", {n: row[n] for n in ("account_id", "name", "email")})
        return Planted("duplicate", "contact", "crm", made["id"], "doubled")

    def moved_silently(self) -> Planted:
        """A line of a collection."""
        crm, _ = next(self._customers)
        row = self.crm.get("accounts", crm)
        assert row is not None
        lines = [{**one, "street": f"新区路{self._next()}号"} for one in row["addresses"]]
        silently(self.crm, "accounts", crm, {"addresses": lines})
        return Planted("stale", "account", "crm", crm, "silent")


def found(differences: list[dict[str, Any]]) -> Iterator[Planted]:
    """What a reconciliation says, in the same words."""
    for one in differences:
        native = one["natives"].get(one["place"], "")
        yield Planted(one["class"], one["kind"], one["place"], native, one["cause"] or "")
