"""What may be ordered: from the opportunities and quotes that the store knows, and what people typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from datong.base.errors import UsageError
from datong.base.money import plain
from datong.canon import Account, DemandSignal, Opportunity, Order, Product, Quote, Record
from datong.engine.cycle import Engine
from datong.flows.demand import DEMAND, DemandSettings
from datong.flows.orders import stands
from datong.insight.demand import Around, By, DemandRules, Group, Signal, grouped, signals_of, spread
from datong.insight.sheets import Cell, Column, Sheet, workbook
from datong.insight.span import Span
from datong.operations.actor import Actor, require
from datong.operations.documents import Shelf, opened

R = TypeVar("R", bound=Record)
_HEADS = {"product": ("product",), "month": (), "region": ("region",), "competitor": ("competitor", "reason")}
_TITLES = {
    "product": "Product 产品",
    "region": "Region 区域",
    "competitor": "Competitor 竞争对手",
    "reason": "Reason 原因",
}
_FIGURES = ("quantity", "likely_quantity", "amount", "likely_amount")


@dataclass(frozen=True)
class Demand:
    """Groups as asked for, the signals that they are made of, and what could not be counted."""

    by: By
    period: Span | None
    groups: list[Group]
    signals: list[Signal]
    names: dict[str, str]
    problems: list[str]

    @property
    def told(self) -> dict[str, Any]:
        return {
            "by": self.by,
            "period": str(self.period) if self.period else None,
            "groups": [self.group_told(one) for one in self.groups],
            "signals": [self.signal_told(one) for one in self.signals],
            "problems": self.problems,
        }

    def group_told(self, one: Group) -> dict[str, Any]:
        head = {name: self.named(value) for name, value in zip(_HEADS[self.by], one.key, strict=True)}
        rest = {"month": one.month, "source": one.source, "unit": self.named(one.unit), "currency": one.currency}
        return {**head, **rest, "signals": one.signals, **{name: plain(getattr(one, name)) for name in _FIGURES}}

    def signal_told(self, one: Signal) -> dict[str, Any]:
        named = {name: self.named(getattr(one, name)) for name in ("product", "region", "account", "unit")}
        same = ("source", "company", "month", "currency", "reason", "competitor", "text")
        figures = {name: plain(getattr(one, name)) for name in (*_FIGURES, "weight")}
        told = {name: getattr(one, name) for name in same}
        return {**told, **named, **figures, "origin": one.origin, "of": self.named(one.origin)}

    def named(self, value: str) -> str:
        return self.names.get(value, value)


def demand(engine: Engine, actor: Actor, by: By, period: Span | None = None, *, company: str | None = None) -> Demand:
    """Of all months, or of those of a period; of one company of ours, or of all. What has no month is in no period.

    Raises UsageError where no flow carries opportunities, quotes or demand signals.
    """
    require(actor, "viewer", "see demand")
    landscape = engine.landscape
    kinds = (Opportunity.kind, Quote.kind, DemandSignal.kind)
    if not any(landscape.flow_of(kind) for kind in kinds):
        raise UsageError("no flow says what may be ordered", remedy="switch on opportunities, quotes or demand")
    settings = landscape.settings_of(DEMAND)
    with opened(engine, read=False) as (shelf, _):
        rules = (settings if isinstance(settings, DemandSettings) else DemandSettings()).rules()
        signals, problems = signals_in_sight(shelf, rules)
        signals = [one for one in signals if company in (None, one.company) and within(one, period)]
        names = names_of(shelf, signals)
    return Demand(by, period, grouped(signals, by), signals, names, problems)


def within(one: Signal, period: Span | None) -> bool:
    """Is it of the period? What has no month is in none."""
    return period is None or (bool(one.month) and Span.parse(one.month).start in period)


def signals_in_sight(shelf: Shelf, rules: DemandRules) -> tuple[list[Signal], list[str]]:
    """Every signal of what the store knows, and what could not be counted."""
    around = around_of(shelf)
    standing = [one for one in every(shelf, Order).values() if stands(one)]
    ordered = {around.same(one) for order in standing for one in (order.quote, order.opportunity) if one}
    found = signals_of(every(shelf, Opportunity), every(shelf, Quote), ordered, rules, around)
    problems = []
    for key, typed in every(shelf, DemandSignal).items():
        try:
            found += spread(key, typed, rules, around)
        except ValueError as error:
            problems.append(f"{typed.number or key}: {error}")
    return found, problems


def around_of(shelf: Shelf) -> Around:
    """What documents say by reference, looked up once."""
    regions = {key: one.region for key, one in every(shelf, Account).items()}
    made_in = {key: one.unit for key, one in every(shelf, Product).items()}
    codes = shelf.currencies()

    def same(reference: str | None) -> str:
        number = shelf.survivor(reference)
        return f"{str(reference).partition(':')[0]}:{number}" if number is not None else reference or ""

    return Around(
        lambda account: same(regions.get(account)),
        lambda product: same(made_in.get(product)),
        lambda currency: codes.get(same(currency), ""),
        same,
    )


def every(shelf: Shelf, kind: type[R]) -> dict[str, R]:
    """Reference -> record of a kind, where a flow carries it."""
    return {f"{kind.kind}:{one.id}": kind.from_fields(one.agreed) for one in shelf.records(kind.kind)}


def names_of(shelf: Shelf, signals: Iterable[Signal]) -> dict[str, str]:
    """What signals name by reference -> how people call it."""
    wanted = {v for one in signals for v in (one.product, one.region, one.account, one.unit, one.origin) if ":" in v}
    return {reference: shelf.name(reference) or reference for reference in sorted(wanted)}


def book(found: Demand) -> bytes:
    """The .xlsx file: groups, and the signals behind them."""
    head = [[f"Demand 需求 {found.period or ''}".strip()], []]
    columns = [Column(_TITLES[name], 28) for name in _HEADS[found.by]]
    columns += [Column("Month 月份", 10), Column("Source 来源", 10), Column("Unit 单位", 10)]
    columns += [Column("Quantity 数量", 14), Column("Weighted 加权数量", 14), Column("Amount 金额", 16, 2)]
    columns += [Column("Weighted 加权金额", 16, 2), Column("Currency 币种", 8), Column("Signals 信号数", 10)]
    rows = [_group_row(found, one) for one in found.groups]
    signals = [_signal_row(found, one) for one in found.signals]
    return workbook(
        [
            Sheet("Demand 需求", columns, rows, head, wide=True),
            Sheet("Signals 信号", _SIGNALS, signals, head, wide=True),
        ]
    )


_SIGNALS = [
    *(Column("Source 来源", 10), Column("Document 单据", 28), Column("Customer 客户", 28), Column("Product 产品", 24)),
    *(Column("Region 区域", 12), Column("Company 公司", 10), Column("Month 月份", 10), Column("Quantity 数量", 12)),
    *(Column("Unit 单位", 10), Column("Weight 权重 %", 10), Column("Weighted 加权数量", 14)),
    *(Column("Amount 金额", 16, 2), Column("Weighted 加权金额", 16, 2), Column("Currency 币种", 8)),
    *(Column("Reason 原因", 20), Column("Competitor 竞争对手", 20), Column("Text 说明", 40)),
]


def _group_row(found: Demand, one: Group) -> Sequence[Cell]:
    key = [found.named(value) for value in one.key]
    figures: list[Decimal] = [one.quantity, one.likely_quantity, one.amount, one.likely_amount]
    return [*key, one.month, one.source, found.named(one.unit), *figures, one.currency, Decimal(one.signals)]


def _signal_row(found: Demand, one: Signal) -> Sequence[Cell]:
    named = [found.named(value) for value in (one.origin, one.account, one.product, one.region)]
    row: list[Cell] = [one.source, *named, one.company, one.month, one.quantity, found.named(one.unit), one.weight]
    row += [one.likely_quantity, one.amount, one.likely_amount, one.currency]
    return [*row, one.reason, one.competitor, one.text]
