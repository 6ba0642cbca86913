"""What came of orders: invoices less credit notes less cost, in one currency; a part is never told as a sum."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from datong.canon import Invoice, InvoiceLine, Order, OrderLine
from datong.insight.proceeds import Proceeds, proceeds

ONE = Decimal(1)


def order(cost: str | None = "8", net: str = "50") -> Order:
    line = OrderLine.model_construct(
        position=Decimal(10), product="product:1", quantity=Decimal(4), cost=Decimal(cost) if cost else None
    )
    return Order.model_construct(net=Decimal(net), lines={"a": line})


def invoice(quantity: str, net: str, of: str = "order:1", **more: Any) -> Invoice:
    named = {"order_line": "10", "product": "product:1", **more.pop("line", {})}
    line = InvoiceLine.model_construct(order=of, quantity=Decimal(quantity), net=Decimal(net), **named)
    return Invoice.model_construct(**{"state": "posted", "type": "invoice", **more}, lines={"1": line})


def of(orders: dict[str, Order], invoices: dict[str, Invoice], rate: Decimal = ONE) -> Proceeds:
    return proceeds(orders, invoices, dict.fromkeys([*orders, *invoices], rate), 2)


def test_a_credit_note_takes_back_turnover_and_cost_however_its_numbers_are_signed() -> None:
    for sign in ("", "-"):
        back = invoice(f"{sign}1", f"{sign}12.50", type="credit_note", reverses="invoice:1")
        found = of({"order:1": order()}, {"invoice:1": invoice("4", "50"), "invoice:2": back})
        assert found == Proceeds(Decimal(50), Decimal("37.50"), Decimal("13.50"))


def test_drafts_and_lines_of_other_orders_are_none_of_it() -> None:
    others = {"invoice:1": invoice("4", "50", state="draft"), "invoice:2": invoice("9", "90", of="order:9")}
    assert of({"order:1": order()}, others) == Proceeds(Decimal(50), Decimal(0), None)


def test_a_margin_is_told_only_where_every_cost_is_known() -> None:
    orders = {"order:1": order(), "order:2": order(cost=None)}
    bills = {"invoice:1": invoice("4", "50"), "invoice:2": invoice("4", "50", of="order:2")}
    assert of(orders, bills) == Proceeds(Decimal(100), Decimal(100), None)
    del bills["invoice:2"]
    assert of(orders, bills).margin == 18


def test_a_line_is_known_by_its_product_where_its_number_is_another_there() -> None:
    bills = {"invoice:1": invoice("2", "25", line={"order_line": "77"})}
    assert of({"order:1": order()}, bills).margin == 9


def test_other_currencies_count_by_their_rate_and_without_one_not_at_all() -> None:
    bills = {"invoice:1": invoice("4", "50")}
    assert of({"order:1": order()}, bills, Decimal("7.1")) == Proceeds(Decimal(355), Decimal(355), Decimal("127.80"))
    assert proceeds({"order:1": order()}, bills, {}, 2) == Proceeds(Decimal(0), Decimal(0), None)


def test_where_no_document_knows_the_cost_the_products_counts() -> None:
    orders, invoices = {"order:1": order(cost=None)}, {"invoice:1": invoice("4", "50")}
    rates = dict.fromkeys([*orders, *invoices], ONE)
    assert proceeds(orders, invoices, rates, 2).margin is None
    assert proceeds(orders, invoices, rates, 2, {"product:1": Decimal("8.5")}).margin == Decimal(16)
    known = {"order:1": order(cost="8")}
    assert proceeds(known, invoices, rates, 2, {"product:1": Decimal("8.5")}).margin == Decimal(18)
