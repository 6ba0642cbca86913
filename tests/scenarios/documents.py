"""A sandbox pair with customers and goods on both sides, and the documents of its people.

What happened is read from the two systems. Each test takes customers of its own, so that many share one pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datong.engine.intake import hint
from datong.operations import chain as chains
from datong.operations.records import located
from datong.sandbox import Sandbox
from datong.sandbox.fields import Row
from datong.store.unit import Unit
from tests.scenarios.pair import WANG
from tests.scenarios.sandbox_pair import SandboxPair, sandbox_pair

CUSTOMERS = ("大同科技", "长江机电", "黄河泵业", "泰山轴承", "华山阀门", "衡山电缆", "嵩山仪表", "恒山模具")
PLACE = {"type": "billing", "country": "CN", "city": "深圳市", "street": "科技园路1号"}
SMALL, LARGE = "W-100", "W-200"
PLENTY = 1000
ORDER_TO_CASH = ("quotes", "quote_to_order", "opportunities", "opportunity_to_order", "orders", "stock", "supply")
CONTRACT_TO_CASH = ("contracts", "orders", "invoice_requests")
BOOKS = ("shipments", "invoices", "payments")


class Company:
    """The pair, by what its people do. Products: SMALL at 12.50 and LARGE at 99.00 CNY, with 13 % tax on top."""

    def __init__(self, pair: SandboxPair, flows: Sequence[str] = ()) -> None:
        self.pair = pair
        self.flows = flows
        self.crm, self.erp = pair.sandbox.crm, pair.sandbox.erp
        self._fresh: list[str] = []
        self.items: dict[str, int] = {}

    def open_shop(self, customers: int) -> None:
        self.pair.sync()
        for number in range(customers):
            self._fresh.append(self.make_customer(f"{CUSTOMERS[number % len(CUSTOMERS)]}{number + 1}号有限公司"))
        self.add_product(SMALL, "小部件", "12.50")
        self.add_product(LARGE, "大部件", "99.00")
        self.settle()

    def make_customer(self, name: str) -> str:
        return self.pair.crm.make(name=name, addresses=[PLACE])

    def add_product(self, sku: str, name: str, price: str, stock: int = PLENTY, **more: Any) -> int:
        row = {"itemNo": sku, "description": name, "baseUnit": 1, "salesPrice": price, "currency": "CNY"}
        self.items[sku] = self.erp.create("items", {**row, "taxCodeId": 1, **more})["id"]
        for warehouse in self.erp.rows("warehouses"):
            if warehouse["code"] in ("SH1", "LY1"):
                self.erp.act("set_stock", item=self.items[sku], warehouse=warehouse["id"], quantity=str(stock))
        return self.items[sku]

    # Datong, and what it did

    def settle(self) -> None:
        """Cycles of the flows that are looked at, until nothing moves; a problem is told."""
        for _ in range(8):
            result = self.pair.sync(flows=self.flows)
            assert not result.problems, result.problems
            if not (result.created or result.updated or result.deleted or result.changed):
                return
        raise AssertionError(f"never quiet: {result}")

    @contextmanager
    def with_settings(self, **flows: Any) -> Iterator[None]:
        """Other settings of flows, by name, for a while."""
        path = self.pair.folder / "datong.yaml"
        before = path.read_bytes()
        self.pair.configure(flows={name: {"on": True, "settings": told} for name, told in flows.items()})
        try:
            yield
        finally:
            path.write_bytes(before)
            self.pair.restart()

    def hook(self, connection: str, kind: str, native_id: str, times: int = 1) -> None:
        """The vendor says that a record changed; several times, where it redelivers."""
        for _ in range(times):
            with self.pair.engine.store.write() as tx:
                hint(tx, self.pair.clock.now(), connection, kind, native_id)

    def chain(self, kind: str, native_id: str, connection: str = "crm") -> Row:
        return chains.chain(self.pair.engine, WANG, connection, native_id, kind)

    def waits(self, kind: str, native_id: str, connection: str = "crm") -> list[tuple[str, str]]:
        """Who a chain waits for, and why."""
        return [(wait["for"], wait["why"]) for wait in self.chain(kind, native_id, connection)["waits"]]

    def open_items(self, kind: str, native_id: str, connection: str = "crm") -> list[Row]:
        """What waits for a person about one document."""
        with self.pair.engine.store.read() as tx:
            record, _ = located(Unit(tx, self.pair.engine.store.clock, "test"), connection, native_id, kind)
        return [one for one in self.pair.items() if one["record_id"] == record.id]

    # the salesperson

    def customer(self) -> str:
        """One of whom there are no documents yet."""
        return self._fresh.pop()

    def quote(self, customer: str, lines: list[Row], **values: Any) -> Row:
        """Sent to the customer."""
        made = self.crm.desk.make_quote(customer, lines, **values)
        return self.crm.desk.send_quote(made["id"])

    def accepted(self, customer: str, lines: list[Row], **values: Any) -> Row:
        """A quote that the customer took; not yet looked at by Datong."""
        return self.crm.desk.accept_quote(self.quote(customer, lines, **values)["id"])

    def released(self, customer: str, lines: list[Row], **values: Any) -> Row:
        """An order of the CRM that is to enter the books."""
        return self.crm.desk.release_order(self.crm.desk.make_order(customer, lines, **values)["id"])

    # the two systems, by customer

    def books_of(self, customer: str) -> Row:
        """The ERP's customer."""
        name = self.crm.get("accounts", customer)["name"]
        (found,) = [row for row in self.erp.rows("customers") if row["custName"] == name]
        return found

    def in_erp(self, customer: str, what: str = "salesOrders") -> list[Row]:
        key = self.books_of(customer)["id"]
        return [row for row in self.erp.rows(what) if row["custId"] == key]

    def in_crm(self, customer: str, what: str = "orders") -> list[Row]:
        return [row for row in self.crm.rows(what) if row["account_id"] == customer]

    def erp_order(self, customer: str) -> Row:
        """The only one there is."""
        (found,) = self.in_erp(customer)
        return found

    def crm_order(self, customer: str) -> Row:
        (found,) = self.in_crm(customer)
        return found


def opened(folder: Path, customers: int, flows: Sequence[str], *, all_flows: bool = False) -> Iterator[Company]:
    """A company for a module of tests, with these flows beside the master data. After the first cycle only these, the
    customers and the products are looked at, unless `all_flows`."""
    with Sandbox(seed=1, size=0) as sandbox:
        pair = sandbox_pair(sandbox, folder)
        pair.configure(flows={name: {"on": True} for name in flows})
        company = Company(pair, () if all_flows else (*flows, "customer_master", "product_catalogue"))
        company.open_shop(customers)
        yield company
        pair.close()


def line(sku: str, quantity: Any = 1, **values: Any) -> Row:
    return {"sku": sku, "quantity": str(quantity), **values}
