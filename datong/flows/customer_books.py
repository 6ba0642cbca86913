"""What one customer's documents come to in each company of ours, in the currency of its books: gathered from what is
near, for the summary, the credit gate and the comparison with the ERP's own ageing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date as Day
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from datong.base.money import Money, minor_units
from datong.canon import Account, ExchangeRate, Invoice, Order, Payment, Product
from datong.engine.near import Near
from datong.insight import (
    Aged,
    AgeingRules,
    Charge,
    CreditRules,
    OpenItem,
    Received,
    Sale,
    Sold,
    SummaryRules,
    Used,
    aged,
    charge_of,
    open_items,
    received_of,
    sale_of,
    sold_of,
    used,
    worth_of,
)
from datong.reckoning import CannotReckon, Rates
from datong.reckoning.exact import rounded, summed

ZERO, ONE = Decimal(0), Decimal(1)
FINANCIAL_SUMMARY = "financial_summary"
D = TypeVar("D", Invoice, Order, Payment)


@dataclass(frozen=True)
class MoneyRules:
    """How one company of ours counts what customers buy, owe and may owe."""

    summary: SummaryRules = field(default_factory=SummaryRules)
    ageing: AgeingRules = field(default_factory=AgeingRules)
    credit: CreditRules = field(default_factory=CreditRules)


class CustomerMoney(BaseModel):
    """What a company may set for what its customers buy, owe and may owe."""

    model_config = ConfigDict(extra="forbid")

    companies: dict[str, MoneyRules] = Field(default_factory=dict)
    """company -> its rules; `default` for the others"""
    may_raise: list[str] = Field(default_factory=list)
    """who may approve a temporary raise of a limit: names or e-mails of users; nobody named: whoever is entered"""

    def rules(self, company: str) -> MoneyRules:
        return self.companies.get(company) or self.companies.get("default") or MoneyRules()


def money_settings(near: Near) -> CustomerMoney:
    """The same rules for everybody who asks: those of the financial summary."""
    found = near.settings_of(FINANCIAL_SUMMARY)
    return found if isinstance(found, CustomerMoney) else CustomerMoney()


@dataclass
class Books:
    """A customer in one company. `unpriced` are the numbers of documents in a currency of which no rate is known: they
    are in no amount."""

    currency: str
    today: Day
    charges: list[Charge] = field(default_factory=list)
    receipts: list[Received] = field(default_factory=list)
    invoiced: list[Sale] = field(default_factory=list)
    ordered: list[Sale] = field(default_factory=list)
    sold: list[Sold] = field(default_factory=list)
    waiting: dict[str, Decimal] = field(default_factory=dict)
    """Orders that were released and are not in the ERP yet, by reference: what each is worth."""
    unpriced: list[str] = field(default_factory=list)

    @property
    def places(self) -> int:
        return minor_units(self.currency)

    def money(self, amount: Decimal) -> Money:
        return Money(rounded(amount, self.places), self.currency)

    def items(self, rules: AgeingRules, day: Day | None = None) -> list[OpenItem]:
        return open_items(self.charges, self.receipts, day or self.today, rules)

    def aged(self, rules: AgeingRules) -> Aged:
        return aged(self.items(rules), self.today, self.places, rules)

    def bills(self) -> Decimal:
        """Acceptance bills that the books count as paid and that are not due yet."""
        held = [one for one in self.receipts if one.day <= self.today and one.outstanding(self.today, "maturity")]
        return summed(OpenItem(one.number, "bill", one.day, one.amount, one.rate).booked(self.places) for one in held)

    def used(self, rules: MoneyRules) -> Used:
        """What counts as used. Bills that are aged as owed are not counted a second time."""
        bills = self.bills() if rules.ageing.bills == "receipt" else ZERO
        return used(self.aged(rules.ageing).receivable, self.sold, bills, rules.credit, self.places)


class _Papers:
    """The documents of a customer, each looked at once."""

    def __init__(self, account: str, near: Near) -> None:
        self.near = near
        self.invoices = near.with_reference(Invoice, "account", account)
        self.payments = near.with_reference(Payment, "account", account)
        self.orders = near.with_reference(Order, "account", account)
        self._groups: dict[str, str | None] = {}
        self._countered = {
            one.reverses for one in self.invoices.values() if one.reverses and one.state in ("posted", "paid")
        }

    def companies(self) -> set[str]:
        held = (self.invoices, self.payments, self.orders)
        return {one.company for documents in held for one in documents.values() if one.company}

    def books(self, company: str, currency: str) -> Books:
        books = Books(currency, self.near.today(company))
        for key, invoice, rate in self._priced(self.invoices, company, books):
            countered = key in self._countered
            charge = charge_of(invoice, key, rate, countered=countered)
            books.charges += [charge] if charge is not None else []
            sale = sale_of(invoice, rate, self._group_of, countered=countered)
            books.invoiced += [sale] if sale is not None else []
        for key, payment, rate in self._priced(self.payments, company, books):
            received = received_of(payment, key, rate)
            books.receipts += [received] if received is not None else []
        for key, order, rate in self._priced(self.orders, company, books):
            sale = sale_of(order, rate, self._group_of)
            books.ordered += [sale] if sale is not None else []
            if order.erp_number and order.state != "cancelled":
                books.sold += sold_of(order, rate)
            elif not order.erp_number and order.wish == "released":
                books.waiting[key] = worth(order, rate, books.places)
        return books

    def _priced(self, documents: Mapping[str, D], company: str, books: Books) -> Iterator[tuple[str, D, Decimal]]:
        for key, one in documents.items():
            if one.company == company:
                rate = rate_of(one, books.currency, self.near)
                if rate is None:
                    books.unpriced.append(one.erp_number or key)
                else:
                    yield key, one, rate

    def _group_of(self, product: str) -> str | None:
        if product not in self._groups:
            found = self.near.of(product, Product)
            self._groups[product] = found.category if found is not None else None
        return self._groups[product]


def books_of(account: str, near: Near, companies: Iterable[str] = ()) -> dict[str, Books]:
    """Company -> the customer's books there: those of `companies`, and those in which it has documents."""
    papers = _Papers(account, near)
    found = {}
    for company in sorted({*companies, *papers.companies()}):
        currency = near.currency(company)
        if currency is not None:
            found[company] = papers.books(company, currency)
    return found


def rate_of(document: Invoice | Order | Payment, books: str, near: Near) -> Decimal | None:
    """What one of the document's currency is in the books: as the document says, else by the rate of its day."""
    currency = near.code(document.currency)
    if currency is None or currency == books:
        return ONE
    if document.rate:
        return document.rate
    known = near.with_reference(ExchangeRate, "currency", document.currency).values()
    codes = {
        reference: code
        for one in known
        for reference in (one.currency, one.to)
        if reference and (code := near.code(reference))
    }
    try:
        return Rates.of(known, codes).find(currency, books, document.date or near.today(document.company)).rate
    except CannotReckon:
        return None


def worth(order: Order, rate: Decimal, places: int) -> Decimal:
    """What an order is worth with tax, in the books."""
    whole = order.total if order.total is not None else summed(worth_of(one, order) for one in order.lines.values())
    return OpenItem("", "invoice", Day.min, whole, rate).booked(places)


def group_of(account: Account, reference: str, near: Near) -> tuple[str, Account, list[str]]:
    """The head of the group that a customer belongs to, and the references of all members, the head's first."""
    head, top, seen = reference, account, {reference}
    while top.parent and top.parent not in seen:
        above = near.of(top.parent, Account)
        if above is None:
            break
        head, top = top.parent, above
        seen.add(head)
    members = [head]
    for one in members:
        members += [child for child in near.with_reference(Account, "parent", one) if child not in members]
    return head, top, members
