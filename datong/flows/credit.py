"""The credit and overdue gate: an order over the free credit, or of a customer who is overdue for too long, waits for
who may release it.

Orders that were released and are not in the ERP yet count in the order in which they came, so that two that fit one by
one do not slip through together.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from pydantic import Field

from datong.base.money import plain
from datong.canon import Account, AccountCompany, Order, Quote, User
from datong.engine.flow import Step
from datong.engine.near import Near
from datong.flows.approval import Approver
from datong.flows.customer_books import (
    Books,
    CustomerMoney,
    MoneyRules,
    books_of,
    group_of,
    money_settings,
    rate_of,
    worth,
)
from datong.insight import Credit, Standing, Used

ZERO = Decimal(0)


class CreditGate(Approver):
    """When an order waits for a person before it enters the books. What counts as used, and how debts age, is said
    once, in the settings of `financial_summary`."""

    limit: bool = True
    """an order over the free credit waits"""
    overdue_days: int | None = Field(None, ge=0)
    """an order of a customer who is overdue for more than so many days waits"""
    overdue_over: Decimal = Field(Decimal(0), ge=0)
    """what is overdue in all may be this much, in the currency of the books, before it counts"""


def credit_steps(sale: Order | Quote, near: Near, gate: CreditGate) -> Iterator[Step]:
    """What is to be agreed to before the order may go, or the quote be sent."""
    order = sale if isinstance(sale, Order) else _as_order(sale)
    before = near.reference("order") if order is sale else None
    for rule, reason in _reasons(order, near, gate, before):
        yield gate.step(rule, reason)


def credit_of_quote(quote: Quote, near: Near, gate: CreditGate) -> str | None:
    """What would hold the order that this quote asks for."""
    return "; ".join(reason for _, reason in _reasons(_as_order(quote), near, gate)) or None


def _as_order(quote: Quote) -> Order:
    return Order.model_construct(**{name: getattr(quote, name) for name in _ASKED})


_NEEDED = ("invoices", "payments")
_ASKED = ("account", "company", "date", "currency", "tax_included", "total", "lines", "rate")


def _reasons(order: Order, near: Near, gate: CreditGate, before: str | None = None) -> Iterator[tuple[str, str]]:
    account = near.of(order.account, Account)
    company = order.company or ""
    currency = near.currency(company)
    if account is None or order.account is None or currency is None:
        return
    if any(near.settings_of(flow) is None for flow in _NEEDED):
        yield "credit", f"what {account.name} owes is not known: the flows {' and '.join(_NEEDED)} are not both on"
        return
    settings = money_settings(near)
    rules = settings.rules(company)
    books = books_of(order.account, near, (company,))[company]
    if gate.overdue_days is not None:
        yield from _overdue(books, rules, gate)
    if not gate.limit:
        return
    rate = rate_of(order, currency, near)
    if rate is None:
        yield (
            "credit",
            f"no rate of {near.code(order.currency)} in {currency}: what it takes of the credit is not known",
        )
        return
    stands = standing(account, order.account, company, near, settings, books)
    wanted = worth(order, rate, books.places)
    stands = _with_earlier(stands, books, before)
    lacks = stands.lacks(wanted)
    if lacks:
        yield (
            "credit",
            f"{books.money(lacks)} over the free credit: limit {plain(stands.limit or ZERO)}, "
            f"used {plain(stands.used.total)}, this order {plain(wanted)}",
        )


def _overdue(books: Books, rules: MoneyRules, gate: CreditGate) -> Iterator[tuple[str, str]]:
    found = books.aged(rules.ageing)
    if gate.overdue_days is not None and found.late > gate.overdue_days and found.overdue > gate.overdue_over:
        since = books.today - timedelta(days=found.late)
        yield "overdue", f"{books.money(found.overdue)} overdue, the oldest since {since}"


def _with_earlier(stands: Standing, books: Books, before: str | None) -> Standing:
    """With the orders that wait to enter the books and came before this one, as far as each of them fits."""
    earlier = sorted(
        (_number(reference), amount)
        for reference, amount in books.waiting.items()
        if before is not None and _number(reference) < _number(before)
    )
    for _, amount in earlier:
        if not stands.lacks(amount):
            stands = Standing(stands.limit, stands.used + Used(orders=amount))
    return stands


def _number(reference: str) -> int:
    return int(reference.partition(":")[2])


def standing(
    account: Account, reference: str, company: str, near: Near, settings: CustomerMoney, books: Books
) -> Standing:
    """The limit and what is used of it: a group's where the company gives credit to groups and the head has a limit
    (集团授信), else the customer's own."""
    rules = settings.rules(company)
    if rules.credit.group:
        _, top, members = group_of(account, reference, near)
        limit = _limit(top, company, near, settings, books)
        if limit is not None and len(members) > 1:
            others = [books_of(one, near, (company,))[company] for one in members if one != reference]
            return Standing(limit, sum((one.used(rules) for one in others), books.used(rules)))
    return Standing(_limit(account, company, near, settings, books), books.used(rules))


def _limit(account: Account, company: str, near: Near, settings: CustomerMoney, books: Books) -> Decimal | None:
    """The limit with its temporary raise; None where there is none."""
    agreed = account.company.get(company)
    limit = agreed.credit_limit if agreed is not None else None
    if agreed is None or limit is None or limit.currency != books.currency:
        return None
    if not limit.amount and settings.rules(company).credit.zero == "unlimited":
        return None
    raised = agreed.credit_raise
    more = raised.amount if raised is not None and raised.currency == books.currency else ZERO
    return Credit(limit.amount, more, agreed.raise_until, _approved(agreed, near, settings)).on(books.today)


def _approved(agreed: AccountCompany, near: Near, settings: CustomerMoney) -> bool:
    user = near.of(agreed.raise_by, User)
    named = {user.name, user.email, user.code} - {None} if user is not None else set()
    return bool(named) and (not settings.may_raise or bool(named & set(settings.may_raise)))
