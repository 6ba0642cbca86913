"""When people must agree to a sale: asked of the order, and of its quote already where the company says so."""

from collections.abc import Iterator
from decimal import Decimal

from pydantic import Field

from datong.base.json import digest
from datong.canon import Line, Order, Product, Quote
from datong.engine.flow import Step
from datong.engine.near import Near
from datong.flows.approval import Approver
from datong.flows.availability import availability
from datong.flows.credit import CreditGate, credit_steps
from datong.flows.money import MoneySettings
from datong.flows.prices import listed

ZERO = Decimal(0)
HUNDRED = Decimal(100)


class ApprovalRule(Approver):
    """When a person must agree before an order enters the books."""

    discount_over: Decimal | None = Field(None, ge=0, le=100)
    """a line's discount above this many per cent"""
    margin_under: Decimal | None = Field(None, le=100)
    """a margin of the whole order below this many per cent of its net amount; lines without cost do not count"""
    total_over: Decimal | None = Field(None, ge=0)
    """an order of more than this, in its own currency"""
    under_list: Decimal | None = Field(None, ge=0, le=100)
    """a line's price, after its discount, more than this many per cent below what the price lists say"""
    stock_short: bool = False
    """a line for which less is available than ordered"""


class SaleRules(MoneySettings):
    """Who is asked before a sale goes on."""

    approve: list[ApprovalRule] = Field(default_factory=list)
    """approvals, asked for in this order"""
    credit: CreditGate | None = None
    """the credit and overdue gate; it is asked for last"""


def asked_for(sale: Quote | Order, near: Near, rules: SaleRules) -> tuple[Step, ...]:
    """What is to be agreed to, one after the other. Each answer stands for the lines as they are."""
    content = _content(sale)
    return (
        *(step for rule in rules.approve for step in _asked(rule, sale, near, rules, content)),
        *(credit_steps(sale, near, rules.credit) if rules.credit is not None else ()),
    )


def _content(sale: Quote | Order) -> str:
    """A mark of what is sold to whom at which prices: the same of a quote and of the order that it became."""
    lines = sorted(
        [str(getattr(line, name)) for name in ("product", "quantity", "unit", "price", "discount", "tax_code", "free")]
        for line in sale.lines.values()
    )
    return digest([sale.account, sale.company, sale.currency, bool(sale.tax_included), sale.terms, lines])


def _asked(rule: ApprovalRule, sale: Quote | Order, near: Near, rules: SaleRules, content: str) -> Iterator[Step]:
    """The approvals one rule asks for, with the figures that people are to agree to."""
    if rule.discount_over is not None:
        most = max((line.discount or ZERO for line in sale.lines.values()), default=ZERO)
        if most > rule.discount_over:
            yield rule.step("discount", f"a discount of {most:f} %, above {rule.discount_over:f} %", content)
    if rule.under_list is not None:
        for line in sale.lines.values():
            held = listed(line, sale, near, rules)
            if held is not None and line.free is None and (paid := _paid(line)) is not None:
                below = round((held.price - paid) * HUNDRED / held.price, 1) if held.price else ZERO
                if below > rule.under_list:
                    yield rule.step(
                        f"price {line.position or ''}".strip(),
                        f"{near.name(line.product)} {below:f} % below {held.price:f} ({held.source}), "
                        f"more than {rule.under_list:f} %",
                        content,
                    )
    if rule.margin_under is not None:
        margin = _margin(sale, near)
        if margin is not None and margin < rule.margin_under:
            # the figure is not in the reason, which the salesperson sees
            about = digest([content, str(margin)])
            yield rule.step("margin", f"a margin below {rule.margin_under:f} %", about, {"margin": f"{margin:f} %"})
    if rule.total_over is not None and sale.total is not None and sale.total > rule.total_over:
        reason = f"{sale.total:f} {near.code(sale.currency) or ''}, above {rule.total_over:f}".strip()
        yield rule.step("total", reason, content)
    if rule.stock_short:
        for key, promise in availability(sale.lines, near, sale.company).items():
            if promise.short > 0:
                line = sale.lines[key]
                when = f", there on {promise.earliest}" if promise.earliest else ", nobody can say when it is there"
                yield rule.step(
                    f"stock {line.position or ''}".strip(),
                    f"{promise.short:f} short of {near.name(line.product)}{when}",
                    content,
                )


def _paid(line: Line) -> Decimal | None:
    """For one unit, after the discount of the line."""
    return None if line.price is None else line.price * (HUNDRED - (line.discount or ZERO)) / HUNDRED


def _margin(sale: Quote | Order, near: Near) -> Decimal | None:
    """Per cent of the net amount, over the lines of which the cost is known; rounded to one place."""
    known = [
        (net, cost * (line.quantity or ZERO))
        for line in sale.lines.values()
        if (cost := cost_of(line, sale, near)) is not None and (net := _net(line)) is not None
    ]
    net = sum((one for one, _ in known), ZERO)
    cost = sum((one for _, one in known), ZERO)
    return round((net - cost) * HUNDRED / net, 1) if net else None


def cost_of(line: Line, sale: Quote | Order, near: Near) -> Decimal | None:
    """What a unit costs us: as the line says, else as the ERP says of the product, where it is in the same currency."""
    if line.cost is not None:
        return line.cost
    product = near.of(line.product, Product)
    return product.cost if product is not None and product.currency == sale.currency else None


def _net(line: Line) -> Decimal | None:
    """Before anybody has computed it: quantity times price less discount, for the price list is without tax there."""
    if line.net is not None or line.price is None or line.quantity is None:
        return line.net
    return line.quantity * line.price * (HUNDRED - (line.discount or ZERO)) / HUNDRED
