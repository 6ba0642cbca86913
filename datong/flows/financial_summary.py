"""Financial summary: what a customer buys, owes and may still buy, told to the CRM account, company by company.

Computed from the ERP's documents, to the cent; asked again when one of them changes and when a day passes.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from datong.canon import Account, Invoice, Order, Payment
from datong.engine.flow import Figures
from datong.engine.near import Near
from datong.flows.credit import standing
from datong.flows.customer_books import FINANCIAL_SUMMARY, Books, CustomerMoney, MoneyRules, books_of
from datong.insight import BUCKETS, Standing, habits_of, said, turnover

_TOLD = (
    *("receivable", *BUCKETS, "overdue", "overdue_days", "bills", "credit_used", "credit_free"),
    *("ytd", "mtd", "last_year", "counted", "last_order", "last_payment", "days_to_pay"),
    *("order_every", "average_order", "favourites", "as_of"),
)


def summary(account: Account, near: Near) -> Mapping[str, Any]:
    """Of each company that keeps an account for the customer, or in which it has documents."""
    settings: CustomerMoney = near.settings
    reference = near.reference("account")
    kept = [code for code, part in account.company.items() if part.open or part.number]
    as_of = near.read_at(Invoice.kind, Payment.kind, Order.kind)
    found: dict[str, Any] = {}
    for company, books in books_of(reference, near, kept).items():
        rules = settings.rules(company)
        stands = standing(account, reference, company, near, settings, books)
        figures = _figures(books, rules, stands, near.zone(company), as_of)
        found |= {f"company.{company}.{name}": value for name, value in figures.items()}
    return found


def _figures(books: Books, rules: MoneyRules, stands: Standing, zone: str, as_of: datetime | None) -> Mapping[str, Any]:
    ages = books.aged(rules.ageing)
    counted = books.invoiced if rules.summary.count == "invoices" else books.ordered
    sold = turnover(counted, books.today, rules.summary, books.places)
    habits = habits_of(books.ordered, counted, books.charges, books.receipts, books.today, rules.summary, books.places)
    without = f"; without 未计入 {', '.join(sorted(books.unpriced))}" if books.unpriced else ""
    return {
        "receivable": books.money(ages.receivable),
        **{name: books.money(amount) for name, amount in ages.buckets.items()},
        "overdue": books.money(ages.overdue),
        "overdue_days": ages.late,
        "bills": books.money(books.bills()),
        "credit_used": books.money(stands.used.total),
        "credit_free": None if stands.free is None else books.money(stands.free),
        "ytd": books.money(sold.ytd),
        "mtd": books.money(sold.mtd),
        "last_year": books.money(sold.last_year),
        "counted": said(rules.summary, zone, books.currency) + without,
        "last_order": habits.last_order,
        "last_payment": habits.last_payment,
        "days_to_pay": habits.days_to_pay,
        "order_every": habits.order_every,
        "average_order": None if habits.average_order is None else books.money(habits.average_order),
        "favourites": ", ".join(habits.favourites) or None,
        "as_of": as_of,
    }


financial_summary = Figures(
    name=FINANCIAL_SUMMARY,
    en="Financial summary",
    zh="客户财务摘要",
    requires=("customer_master", "orders", "invoices", "payments"),
    settings=CustomerMoney,
    of=Account,
    fields=tuple(f"company.*.{name}" for name in _TOLD),
    as_of=("company.*.as_of",),
    compute=summary,
)
