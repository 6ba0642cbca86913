"""A payment plan (回款计划) and what was received: which instalment is paid, what is overdue, whether goods may go.

Money goes first to the instalments it is told for, the rest to the open ones in their order, and what is left when all
are paid is an advance (预收). A payment back takes from the advance, then from the last paid instalments. Reversed,
refused and future receipts count for nothing; unclaimed ones (待认领) wait and are counted apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Day
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from datong.base.money import minor_units, plain
from datong.canon import Contract, Payment
from datong.reckoning.exact import exact, rounded, summed
from datong.reckoning.problem import Problem

BillsCount = Literal["receipt", "maturity", "clearing"]
"""When an acceptance bill (承兑汇票) is money: once it is received, on the day it falls due, or once the bank has paid
(cleared or discounted; one that was endorsed away, and will not come back to be cleared, when it falls due). A refused
bill never is."""


@dataclass(frozen=True)
class Due:
    """One instalment of a plan."""

    key: str
    amount: Decimal
    due: Day | None = None
    before_shipment: bool = False
    retention: bool = False


@dataclass(frozen=True)
class Bill:
    """An acceptance bill that a receipt came as."""

    due: Day | None = None
    state: Literal["held", "endorsed", "discounted", "cleared", "refused"] = "held"


@dataclass(frozen=True)
class Receipt:
    """Money for a plan; negative is paid back. `told` says what of it is for which instalment."""

    key: str
    amount: Decimal
    day: Day
    told: Mapping[str, Decimal] = field(default_factory=dict)
    bill: Bill | None = None
    claimed: bool = True
    reversed: bool = False

    def counts(self, today: Day, bills: BillsCount) -> bool:
        """Whether it is money on `today`."""
        if self.reversed or self.day > today:
            return False
        if self.bill is None:
            return True
        if self.bill.state == "refused":
            return False
        if bills == "receipt" or self.bill.state in ("cleared", "discounted"):
            return True
        ripens = bills == "maturity" or self.bill.state == "endorsed"
        return ripens and self.bill.due is not None and self.bill.due <= today


@dataclass(frozen=True)
class Standing:
    """How an instalment stands. `by` tells how much of which receipt it got."""

    key: str
    amount: Decimal
    paid: Decimal
    open: Decimal
    due: Day | None
    state: Literal["open", "part", "paid", "overdue"]
    by: Mapping[str, Decimal]


@dataclass(frozen=True)
class State:
    """The plan as of a day. Every counted receipt is in `paid` or in `advance`; `retained` is what of `open` the
    customer keeps back (质保金), `waiting` are bills that are not money yet, `unclaimed` is money that nobody has
    claimed. `unknown` names instalments that receipts tell and the plan lacks: their money went on in order."""

    instalments: tuple[Standing, ...]
    paid: Decimal
    open: Decimal
    retained: Decimal
    advance: Decimal
    waiting: Decimal
    unclaimed: Decimal
    unknown: tuple[str, ...]

    def of(self, key: str) -> Standing:
        return next(one for one in self.instalments if one.key == key)


class _Till:
    """What lies in each instalment while receipts are put there."""

    def __init__(self, plan: Sequence[Due]) -> None:
        self.wanted = {one.key: Fraction(one.amount) for one in plan}
        self.by: dict[str, dict[str, Fraction]] = {one.key: {} for one in plan}
        self.advance: dict[str, Fraction] = {}

    def open(self, key: str) -> Fraction:
        return self.wanted[key] - sum(self.by[key].values(), Fraction(0))

    def put(self, receipt: Receipt) -> None:
        rest = Fraction(receipt.amount)
        for key, part in receipt.told.items():
            if key in self.wanted:
                rest -= self._into(key, receipt.key, min(Fraction(part), rest))
        for key in self.wanted:
            rest -= self._into(key, receipt.key, rest)
        if rest > 0:
            self.advance[receipt.key] = rest

    def _into(self, key: str, receipt: str, part: Fraction) -> Fraction:
        part = max(Fraction(0), min(part, self.open(key)))
        if part:
            self.by[key][receipt] = self.by[key].get(receipt, Fraction(0)) + part
        return part

    def take(self, receipt: Receipt) -> None:
        """Money back: from where it is told, from the advance, from the last instalments. More than was received
        leaves nothing, and a negative advance."""
        rest = -Fraction(receipt.amount)
        for key, part in receipt.told.items():
            if key in self.wanted:
                rest -= self._out_of(self.by[key], min(abs(Fraction(part)), rest))
        rest -= self._out_of(self.advance, rest)
        for key in reversed(self.wanted):
            rest -= self._out_of(self.by[key], rest)
        if rest:
            self.advance[receipt.key] = -rest

    @staticmethod
    def _out_of(parts: dict[str, Fraction], wanted: Fraction) -> Fraction:
        taken = Fraction(0)
        for key in reversed(list(parts)):
            part = max(Fraction(0), min(parts[key], wanted - taken))
            parts[key] -= part
            taken += part
            if not parts[key]:
                del parts[key]
        return taken


def settle(plan: Sequence[Due], receipts: Iterable[Receipt], today: Day, *, bills: BillsCount = "maturity") -> State:
    """How `plan` stands on `today` (the company's local date). Receipts are taken by day, then by key."""
    till = _Till(plan)
    waiting, unclaimed = Fraction(0), Fraction(0)
    unknown: dict[str, None] = {}
    for one in sorted(receipts, key=lambda receipt: (receipt.day, receipt.key)):
        if not one.counts(today, bills):
            alive = not one.reversed and one.day <= today and one.bill is not None and one.bill.state != "refused"
            waiting += Fraction(one.amount) if alive and one.claimed else 0
        elif not one.claimed:
            unclaimed += Fraction(one.amount)
        else:
            unknown |= dict.fromkeys(key for key in one.told if key not in till.wanted)
            (till.put if one.amount >= 0 else till.take)(one)
    standings = tuple(_standing(one, till, today) for one in plan)
    return State(
        standings,
        paid=summed(one.paid for one in standings),
        open=summed(one.open for one in standings),
        retained=exact(sum((till.open(one.key) for one in plan if one.retention), Fraction(0))),
        advance=exact(sum(till.advance.values(), Fraction(0))),
        waiting=exact(waiting),
        unclaimed=exact(unclaimed),
        unknown=tuple(unknown),
    )


def _standing(one: Due, till: _Till, today: Day) -> Standing:
    left = till.open(one.key)
    paid = Fraction(one.amount) - left
    late = one.due is not None and one.due < today
    state: Literal["open", "part", "paid", "overdue"] = (
        "paid" if left <= 0 else "overdue" if late else "part" if paid else "open"
    )
    by = {key: exact(part) for key, part in till.by[one.key].items()}
    return Standing(one.key, one.amount, exact(paid), exact(left), one.due, state, by)


@dataclass(frozen=True)
class Gate:
    """Whether goods may go, and if not, why."""

    ok: bool
    missing: Decimal
    en: str
    zh: str


def may_ship(plan: Sequence[Due], receipts: Iterable[Receipt], today: Day, *, bills: BillsCount = "maturity") -> Gate:
    """Payment before shipment (款到发货): every instalment that must be in first is paid in full."""
    state = settle(plan, receipts, today, bills=bills)
    first = {one.key for one in plan if one.before_shipment}
    lacking = [one for one in state.instalments if one.key in first and one.open > 0]
    if not lacking:
        en, zh = ("what has to be paid first is paid", "发货前应收款项已收齐") if first else _NOTHING_FIRST
        return Gate(True, Decimal(0), en, zh)
    missing = summed(one.open for one in lacking)
    names, wait, wait_zh = ", ".join(one.key for one in lacking), "", ""
    if state.waiting:
        wait = f"; bills of {plain(state.waiting)} do not count yet"
        wait_zh = f"；另有 {plain(state.waiting)} 的承兑汇票尚未计为收款"
    return Gate(
        False,
        missing,
        f"{plain(missing)} is still to be paid before shipment ({names}){wait}",
        f"发货前还应收 {plain(missing)}（{names}）{wait_zh}",
    )


_NOTHING_FIRST = ("nothing has to be paid first", "无需先付款")


def plan_problems(contract: Decimal, plan: Sequence[Due], currency: str) -> list[Problem]:
    """What is wrong with a plan: PLAN_EXCEEDS_CONTRACT, NEGATIVE_INSTALMENT, UNPAYABLE_AMOUNT, DOUBLE_INSTALMENT. A
    plan for less than the contract is none of them: the rest may be agreed later."""
    remedy = "correct the instalment", "请更正该期次"
    found = []
    keys = [one.key for one in plan]
    for one in plan:
        told = f"instalment {one.key}", f"期次 {one.key}"
        if one.amount < 0:
            found.append(
                Problem("NEGATIVE_INSTALMENT", f"{told[0]} is negative", f"{told[1]}金额为负", *remedy, line=one.key)
            )
        if rounded(one.amount, minor_units(currency)) != one.amount:
            en, zh = f"{plain(one.amount)} cannot be paid in {currency}", f"{plain(one.amount)} 无法以 {currency} 支付"
            found.append(Problem("UNPAYABLE_AMOUNT", f"{told[0]}: {en}", f"{told[1]}：{zh}", *remedy, line=one.key))
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        found.append(
            Problem("DOUBLE_INSTALMENT", f"instalment {key} stands twice", f"期次 {key} 重复", *remedy, line=key)
        )
    whole = summed(one.amount for one in plan)
    if whole > contract:
        more = plain(summed([whole, -contract]))
        found.append(
            Problem(
                "PLAN_EXCEEDS_CONTRACT",
                f"the payment plan is {plain(whole)} {currency}, {more} more than the contract",
                f"回款计划合计 {plain(whole)} {currency}，超出合同金额 {more}",
                "lower an instalment, or raise the contract first",
                "请调低某一期金额，或先变更合同金额",
            )
        )
    return found


@dataclass(frozen=True)
class Rest:
    """What is left of a frame contract (框架合同)."""

    ordered: Decimal
    rest: Decimal

    @property
    def exceeded(self) -> bool:
        return self.rest < 0


def frame_rest(contract: Decimal, orders: Iterable[Decimal]) -> Rest:
    """`orders` are the totals of the orders placed under the contract, cancelled ones left out."""
    ordered = summed(orders)
    return Rest(ordered, summed([contract, -ordered]))


def to_tell(state: State, today: Day, *, ahead: int) -> list[tuple[str, int]]:
    """The open instalments that their owner is to hear of: key, and in how many days each is due (negative: so many
    days late), the most urgent first."""
    days = [(one.key, (one.due - today).days) for one in state.instalments if one.due is not None and one.open > 0]
    return sorted((one for one in days if one[1] <= ahead), key=lambda told: told[1])


def plan_of(contract: Contract) -> list[Due]:
    """The instalments of a contract, by due date, those without one last. Incomplete ones are left out."""
    plan = [
        Due(key, one.amount, one.due, bool(one.before_shipment), bool(one.retention))
        for key, one in contract.instalments.items()
        if isinstance(one.amount, Decimal)
    ]
    return sorted(plan, key=lambda one: one.due or Day.max)


def receipt_of(
    payment: Payment, key: str, contract: str, invoices: Collection[str] = (), called: Mapping[str, str] | None = None
) -> Receipt | None:
    """What of a payment is for `contract` (a reference) or one of its `invoices`; a payment that settles nothing yet
    waits to be claimed, one that settles other things is None. `key` is the payment's own reference; `called`: what a
    payment may call an instalment -> its key in the plan."""
    if not isinstance(payment.amount, Decimal) or not isinstance(payment.date, Day) or payment.state == "draft":
        return None
    bill = Bill(payment.bill_due, payment.bill_state or "held") if payment.bill_number or payment.bill_state else None
    undone = payment.state == "reversed"
    parts = [one for one in payment.allocations.values() if isinstance(one.amount, Decimal) and one.amount]
    if not parts:
        return Receipt(key, payment.amount, payment.date, bill=bill, claimed=False, reversed=undone)
    ours = [one for one in parts if one.contract == contract or (one.contract is None and one.invoice in invoices)]
    if not ours:
        return None
    told: dict[str, Decimal] = {}
    for one in ours:
        if one.instalment and one.amount is not None:
            name = (called or {}).get(one.instalment, one.instalment)
            told[name] = summed([told.get(name, Decimal(0)), one.amount])
    amount = summed(one.amount for one in ours if one.amount is not None)
    return Receipt(key, amount, payment.date, told, bill, True, undone)
