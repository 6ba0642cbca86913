"""A quarter of business, day by day: what salespeople do in SimCRM, and the warehouse and the accountants in SimERP.

The same seed and the same rows give the same acts. It knows nothing of what joins the two systems: whoever does that
runs between the days. What must be true in the end is in `Quarter.promises`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from datong.sandbox.fields import Row
from datong.sandbox.refusals import Refusal
from datong.sandbox.serve import Sandbox

_DAY = 86400.0
_MARKETS = (("asia", "CNY"), ("asia", "CNY"), ("asia", "USD"), ("europe", "EUR"))
_PRICES = {"CNY": Decimal(1), "USD": Decimal("0.139"), "EUR": Decimal("0.128")}
_RIPE = 2  # days after which somebody may change or cancel what was agreed


@dataclass(slots=True)
class Promises:
    """Ids of SimCRM, but for `born`, which are ids of SimERP. Each accepted quote and each released order has exactly
    one order in SimERP, cancelled ones too; the others have none."""

    accepted: list[str] = field(default_factory=list)
    part_accepted: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    born: list[int] = field(default_factory=list)


class Quarter:
    """`accounts` are SimCRM's ids of customers that both systems know; `skus` numbers of products that both have.

    Without them: every account that is a customer, and the products that pair. `busy`: new documents a day. `cash`:
    money also comes on account, unclaimed and as acceptance bills 承兑汇票, and credit notes take a part.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        seed: int = 1,
        days: int = 90,
        *,
        accounts: Sequence[str] = (),
        skus: Sequence[str] = (),
        busy: int = 6,
        cash: bool = False,
    ) -> None:
        self.promises = Promises()
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.days = days
        self.today = 0
        self._crm, self._erp, self._clock = sandbox.crm, sandbox.erp, sandbox.clock
        self._rng = random.Random(f"{seed}/quarter")
        self._busy, self._cash = busy, cash
        customers = [row["id"] for row in self._crm.rows("accounts") if row["stage"] == "customer" and row["active"]]
        self._accounts = list(accounts) or customers
        pairs = {key for key, _ in sandbox.expected.products}
        self._skus = list(skus) or [row["sku"] for row in self._crm.rows("products") if row["id"] in pairs]
        self._since: dict[str, int] = {}

    @property
    def over(self) -> bool:
        return self.today >= self.days

    def day(self) -> None:
        """A working day, and the night after it. On the last third of the quarter nothing new is sold."""
        if self.today < self.days * 2 // 3:
            for _ in range(self._busy):
                self._rng.choice((self._quote, self._quote, self._order, self._order, self._telephone))()
        self._answers()
        self._second_thoughts()
        self._planners()
        self._warehouse()
        self._accountants()
        if self._cash:
            self._cashier()
        self.today += 1
        self._clock.advance(_DAY)

    # The salespeople.

    def _quote(self) -> None:
        row = self._document(self._crm.desk.make_quote)
        if row:
            self._try("send_quote", self._crm.desk.send_quote, row["id"])

    def _order(self) -> None:
        row = self._document(self._crm.desk.make_order)
        if row is None:
            return
        if self._rng.random() < 0.1:
            self.promises.never.append(row["id"])
            return
        clicks = self._rng.choice((1, 1, 2, 3))
        if self._try("release_order", self._crm.desk.release_order, row["id"], clicks):
            self._promise(self.promises.released, row["id"])

    def _document(self, make: Callable[..., Row]) -> Row | None:
        company, currency = self._rng.choice(_MARKETS)
        account = self._rng.choice(self._accounts)
        lines = [self._line(sku, currency) for sku in self._chosen_skus()]
        return self._try(make.__name__, make, account, lines, company=company, currency=currency)

    def _chosen_skus(self) -> list[str]:
        return self._rng.sample(self._skus, min(len(self._skus), self._rng.randint(1, 4)))

    def _line(self, sku: str, currency: str) -> Row:
        price = Decimal(self._rng.randint(50, 500000)) / 100 * _PRICES[currency]
        discount = self._rng.choice(("0", "0", "3", "5"))
        return {"sku": sku, "quantity": str(self._rng.randint(1, 60)), "price": f"{price:.2f}", "discount": discount}

    def _answers(self) -> None:
        """Customers answer the quotes that were sent."""
        for row in self._crm.rows("quotes"):
            if row["state"] != "sent" or self._rng.random() < 0.5:
                continue
            id, fate = row["id"], self._rng.random()
            if fate < 0.6:
                clicks = self._rng.choice((1, 2, 3))
                if self._try("accept_quote", self._crm.desk.accept_quote, id, clicks):
                    self._promise(self.promises.accepted, id)
            elif fate < 0.75:
                taken = {row["lines"][0]["id"]: "1"}
                if self._try("part_accept_quote", self._crm.desk.part_accept_quote, id, taken):
                    self._promise(self.promises.part_accepted, id)
            elif self._try("reject_quote", self._crm.desk.reject_quote, id):
                self.promises.never.append(id)

    def _second_thoughts(self) -> None:
        """Some released orders are changed or cancelled, days later."""
        for id in self.promises.released:
            if self.today - self._since[id] != _RIPE or id in self.promises.cancelled:
                continue
            row, fate = self._crm.get("orders", id), self._rng.random()
            if row is None or not row["lines"]:
                continue
            if fate < 0.15:
                change = {row["lines"][0]["id"]: {"quantity": str(self._rng.randint(1, 60))}}
                self._try("change_order", self._crm.desk.change_order, id, lines=change)
            elif fate < 0.25 and self._try("cancel_order", self._crm.desk.cancel_order, id):
                self.promises.cancelled.append(id)

    def _telephone(self) -> None:
        """An order that is born in SimERP."""
        customers = [row for row in self._erp.rows("customers") if row["companies"] and row["status"] == "active"]
        if not customers:
            return
        customer = self._rng.choice(customers)
        items = [row["id"] for row in self._erp.rows("items")]
        lines = [{"itemId": self._rng.choice(items), "qty": str(self._rng.randint(1, 30))}]
        data = {"companyCode": next(iter(customer["companies"])), "custId": customer["id"], "lines": lines}
        row = self._try("telephone", self._erp.create, "salesOrders", data)
        if row and self._act("approve", order=row["id"]):
            self.promises.born.append(row["id"])

    # The people in SimERP.

    def _planners(self) -> None:
        """A customer rings SimERP's own people: a little more of it, please."""
        for row in self._erp.rows("salesOrders"):
            if row["status"] == "approved" and row["shippedState"] == "none" and self._rng.random() < 0.03:
                line = row["lines"][0]
                more = {"lineId": line["lineId"], "qty": str(Decimal(line["qty"]) + 1)}
                self._act("amend", order=row["id"], row={"lineChanges": {"save": [more]}}, reason="客户加单")

    def _warehouse(self) -> None:
        for row in self._erp.rows("salesOrders"):
            if row["status"] != "approved" or row["shippedState"] in ("full", "over") or self._rng.random() < 0.6:
                continue
            tracking = f"SF{self._rng.randint(10**11, 10**12 - 1)}"
            half = {line["lineId"]: _half(line) for line in row["lines"]} if self._rng.random() < 0.4 else None
            self._act("ship", order=row["id"], quantities=half, carrier="顺丰速运", tracking=tracking)
        for row in self._erp.rows("supplyOrders"):
            if row["status"] in ("confirmed", "running") and self._rng.random() < 0.2:
                self._act(*self._rng.choice((("produce", {}), ("delay", {"days": 3}))), supply=row["id"])
        for row in self._erp.rows("shipments"):
            if row["status"] == "shipped" and self._rng.random() < 0.5:
                self._act("deliver", shipment=row["id"])

    def _accountants(self) -> None:
        for row in self._erp.rows("salesOrders"):
            shipped = row["shippedState"] != "none" and row["status"] == "approved"
            if shipped and row["invoicedState"] in ("none", "part") and self._rng.random() < 0.4:
                part = {line["lineId"]: _ready(line) for line in row["lines"]}
                if any(Decimal(one) for one in part.values()):
                    self._act("invoice", order=row["id"], quantities=part)
        for row in self._erp.rows("invoices"):
            if row["docType"] == "INV" and row["status"] == "posted" and self._rng.random() < 0.3:
                self._money_for(row)
        for row in self._erp.rows("receipts"):
            if row["status"] == "posted" and row["allocations"] and self._rng.random() < 0.01:
                self._act("reverse", receipt=row["id"], reason="退票")

    def _money_for(self, invoice: Row) -> None:
        left, fate = Decimal(invoice["openAmount"]), self._rng.random()
        if fate < 0.06:
            self._act("credit", invoice=invoice["id"], reason="退货")
        elif fate < 0.3:
            self._act("pay", invoice=invoice["id"], amount=f"{left / 2:.2f}")
        elif fate < 0.36:
            self._act("pay", invoice=invoice["id"], amount=f"{left + 1:.2f}")
        else:
            self._act("pay", invoice=invoice["id"])

    def _cashier(self) -> None:
        """Money that is not told for an invoice; it finds one later, or a customer."""
        customers = [row for row in self._erp.rows("customers") if row["companies"]]
        if customers and self._rng.random() < 0.4:
            customer = self._rng.choice(customers)
            company, currency = self._rng.choice(_MARKETS)
            unclaimed = self._rng.random() < 0.3
            whose = {} if unclaimed else {"customer": customer["id"]}
            amount = f"{self._rng.randint(100, 90000) / 100:.2f}"
            self._act("receive", amount=amount, company=company, currency=currency, **whose)
        for row in self._erp.rows("receipts"):
            if row["status"] not in ("posted", "cleared"):
                continue
            if row["custId"] is None and self._rng.random() < 0.2:
                self._act("claim", receipt=row["id"], customer=self._rng.choice(customers)["id"])
            elif Decimal(row["unallocated"]) > 0 and self._rng.random() < 0.1:
                self._allocate(row)
            elif row["billState"] == "held" and self._rng.random() < 0.05:
                fate = self._rng.choice(("endorsed", "discounted", "cleared", "refused"))
                self._act("bill", receipt=row["id"], state=fate)
        for row in self._erp.rows("invoices"):
            if row["docType"] == "INV" and row["status"] == "posted" and self._rng.random() < 0.04:
                due = (self._clock.now() + timedelta(days=self._rng.randint(20, 180))).date().isoformat()
                self._act("pay", invoice=row["id"], billNo=f"13081{row['id']:09d}", billDue=due)
            elif row["docType"] == "INV" and row["status"] in ("posted", "paid") and self._rng.random() < 0.01:
                self._act("credit", invoice=row["id"], quantities={row["lines"][0]["lineId"]: "1"}, reason="破损")

    def _allocate(self, receipt: Row) -> None:
        same = ("custId", "companyCode", "currency")
        for row in self._erp.rows("invoices"):
            if row["docType"] == "INV" and row["status"] == "posted" and all(row[n] == receipt[n] for n in same):
                self._act("allocate", receipt=receipt["id"], invoice=row["id"])
                return

    # How it is done.

    def _promise(self, kept: list[str], id: str) -> None:
        kept.append(id)
        self._since[id] = self.today

    def _act(self, name: str, more: Row | None = None, /, **given: Any) -> Row | None:
        return self._try(name, self._erp.act, name, **{**(more or {}), **given})

    def _try(self, what: str, doing: Callable[..., Row], /, *given: Any, **named: Any) -> Row | None:
        """A system may say no, as to anybody; it is counted."""
        try:
            row = doing(*given, **named)
        except Refusal:
            self.refused[what] += 1
            return None
        self.done[what] += 1
        return row


def _half(line: Row) -> str:
    left = Decimal(line["qty"]) - Decimal(line["shippedQty"])
    return str(max(left // 2, Decimal(0)) or max(left, Decimal(0)))


def _ready(line: Row) -> str:
    """What was shipped and is not invoiced yet."""
    return str(max(Decimal(line["shippedQty"]) - Decimal(line["invoicedQty"]), Decimal(0)))
