"""Month end 月结核对: ordered, shipped, invoiced and received side by side, per order line and over both systems.

What happened is taken from the ERP's documents, by their days; what was agreed is compared between the two systems.
Goods have `grace_days` to be invoiced, invoices to be shipped, receipts to be allocated: what the first days after the
span make good is no mismatch, and what happened in the last days before `today` is not judged yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date as Day
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Generic, TypeVar

from datong.base.money import plain
from datong.canon import Invoice, Order, OrderLine, Payment, Record, Return, Shipment
from datong.insight import goods_and_money as books
from datong.insight.goods_and_money import UNDATED, ZERO, Came, Place
from datong.insight.mismatches import Mismatch
from datong.insight.span import Span

R = TypeVar("R", bound=Record)
CRM, ERP = "crm", "erp"
WORDS = {
    "order": "订单",
    "shipment": "发货单",
    "invoice": "发票",
    "payment": "收款单",
    "shipped": "发货",
    "invoiced": "开票",
    "total": "价税总额",
    "open": "未收金额",
    "amount": "金额",
    "not allocated": "未核销金额",
}


@dataclass(frozen=True)
class TwoSided(Generic[R]):
    """A document as each side has it (None: it is not there, `why` says what is known of that); one of them has it.
    `expected`: should it stand on both sides?"""

    reference: str
    crm: R | None = None
    erp: R | None = None
    expected: bool = True
    why: str = ""

    @property
    def held(self) -> R:
        """As the ERP has it; as the CRM has it where it is not there."""
        held = self.erp or self.crm
        if held is None:
            raise ValueError(f"{self.reference} stands nowhere")
        return held


@dataclass(frozen=True)
class Tolerance:
    """What is no mismatch. `amount` is in the document's currency; `price` and `quantity` are shares (0.01 is 1 %)."""

    grace_days: int = 5
    amount: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)


@dataclass(frozen=True)
class Systems:
    """What the sides hold: `kinds` that stand on both, and of these the ones whose lines a side has.

    `facts`: kinds that the ERP has, so that what it lacks did not happen.
    """

    both: frozenset[str]
    lines: Mapping[str, frozenset[str]]
    facts: frozenset[str]


@dataclass(frozen=True)
class Row:
    """One order line at the end of the span. Quantities are to date, `received` too; `crm` and `erp` are the ordered
    quantities of the two systems. The amounts are with tax."""

    order: str
    number: str
    line: str
    position: str
    product: str | None
    account: str | None
    company: str | None
    currency: str
    crm: Decimal | None
    erp: Decimal | None
    shipped: Decimal
    invoiced: Decimal
    ordered_amount: Decimal
    shipped_amount: Decimal
    invoiced_amount: Decimal
    received: Decimal


@dataclass(frozen=True)
class Totals:
    """What happened within the span, in one currency, with tax."""

    ordered: Decimal = ZERO
    shipped: Decimal = ZERO
    invoiced: Decimal = ZERO
    received: Decimal = ZERO


@dataclass
class MonthEnd:
    """What was found. Mismatches are ranked by the money at stake. `at_rest`: orders of which later spans, whatever is
    tolerated, have nothing to say as long as no document changes, with the last day on which something came of them."""

    span: Span
    rows: list[Row] = field(default_factory=list)
    mismatches: list[Mismatch] = field(default_factory=list)
    totals: dict[str, Totals] = field(default_factory=dict)
    at_rest: dict[str, Day] = field(default_factory=dict)


@dataclass(frozen=True)
class Documents:
    """Each may be read once only."""

    orders: Iterable[TwoSided[Order]]
    shipments: Iterable[TwoSided[Shipment]]
    invoices: Iterable[TwoSided[Invoice]]
    payments: Iterable[TwoSided[Payment]]
    returns: Iterable[TwoSided[Return]] = ()


def compare(
    documents: Documents,
    span: Span,
    systems: Systems,
    currencies: Mapping[str, str],
    tolerance: Tolerance = Tolerance(),
    today: Day = Day.max,
) -> MonthEnd:
    """`currencies`: reference -> code. `today`: the day on which one looks, where the company is."""
    work = _Work(span, systems, currencies, tolerance, today)
    work.payments(documents.payments)
    work.invoices(documents.invoices)
    work.shipments(documents.shipments)
    work.returns(documents.returns)
    work.orders(documents.orders)
    work.price_goods()
    work.found.mismatches.sort(key=lambda one: (-one.worth, one.code, one.number, one.position, one.key))
    return work.found


class _Work:
    """Goes through the documents once, kind by kind: of each only what is needed later is kept."""

    def __init__(
        self, span: Span, systems: Systems, currencies: Mapping[str, str], tolerance: Tolerance, today: Day
    ) -> None:
        self.span, self.systems, self.currencies, self.tolerance = span, systems, currencies, tolerance
        grace = timedelta(tolerance.grace_days)
        self.horizon = span.end if today <= span.end else min(span.end + grace, today)
        self.judged = min(span.end, self.horizon - grace)
        """Until this day something had time to be made good by the horizon."""
        self.came: dict[Place, Came] = {}
        self.settled: dict[str, Decimal] = {}
        self.found = MonthEnd(span)
        self.goods: list[tuple[int, list[tuple[Place, Decimal]]]] = []
        """Mismatches about goods, whose worth only their orders know."""
        self.worths: dict[Place, tuple[Fraction, str, Decimal]] = {}

    # money

    def payments(self, told: Iterable[TwoSided[Payment]]) -> None:
        kept: list[Payment] = []
        for one in told:
            fact = self._fact("payment", one)
            self._both_sides("payment", one, one.held.amount, ("amount", "amount"), ("unallocated", "not allocated"))
            if fact is None or fact.state not in books.RECEIVED:
                continue
            kept.append(fact)
            if (fact.date or UNDATED) in self.span:
                self._total(fact, received=fact.amount or ZERO)
            left = fact.unallocated or ZERO
            if left > self.tolerance.amount and (fact.date or UNDATED) <= self.judged:
                code = "RECEIPT_UNALLOCATED" if fact.account else "RECEIPT_UNCLAIMED"
                figures = {"left": plain(left), "whole": plain(fact.amount or ZERO), "payer": fact.payer or "?"}
                self._mismatch(code, one, fact, left, figures)
        self.settled = books.settled_by(kept, self.span.end)

    def invoices(self, told: Iterable[TwoSided[Invoice]]) -> None:
        cancelled: list[tuple[TwoSided[Invoice], Invoice]] = []
        reversed_: set[str] = set()
        for one in told:
            fact = self._fact("invoice", one)
            self._both_sides("invoice", one, one.held.total, ("total", "total"), ("open", "open"))
            if fact is None:
                continue
            if fact.type == "credit_note" and fact.reverses and fact.state in books.POSTED:
                reversed_.add(fact.reverses)
            if fact.state == "cancelled":
                cancelled.append((one, fact))
            else:
                self._invoice(one, fact)
        for one, fact in cancelled:
            if one.reference in reversed_:
                self._enter(one, fact)

    def _invoice(self, one: TwoSided[Invoice], fact: Invoice) -> None:
        if fact.state == "draft":
            if (fact.date or UNDATED) <= self.judged:
                self._mismatch("NOT_POSTED", one, fact, abs(fact.total or ZERO), {"date": str(fact.date)})
            return
        if fact.open is not None and fact.open < -self.tolerance.amount and fact.type != "credit_note":
            self._mismatch("OVERPAID", one, fact, -fact.open, {"left": plain(-fact.open)})
        self._enter(one, fact)

    def _enter(self, one: TwoSided[Invoice], fact: Invoice) -> None:
        settled = self.settled.get(one.reference, ZERO)
        lost = books.invoice(self.came, one.reference, fact, settled, self._currency(fact.currency))
        if (fact.date or UNDATED) not in self.span:
            return
        self._total(fact, invoiced=books.signed(fact, fact.total))
        for key, line in lost if "order" in self.systems.facts else ():
            figures = {"quantity": plain(line.quantity or ZERO)}
            self._mismatch("NO_ORDER", one, fact, abs(line.total or ZERO), figures, key, line)

    # goods

    def shipments(self, told: Iterable[TwoSided[Shipment]]) -> None:
        for one in told:
            fact = self._fact("shipment", one)
            before = len(self.found.mismatches)
            self._both_sides("shipment", one, None)
            for place in range(before, len(self.found.mismatches)):
                self._of_goods(place, one.held, self.found.mismatches[place])
            if fact is None or fact.state not in books.SHIPPED:
                continue
            lost = books.ship(self.came, one.reference, fact)
            if lost and (fact.date or UNDATED) in self.span:
                self._mismatch("NO_ORDER", one, fact, ZERO, {"quantity": plain(sum(lost, ZERO))})

    def returns(self, told: Iterable[TwoSided[Return]]) -> None:
        for one in told:
            fact = self._fact("return", one)
            if fact is not None:
                books.give_back(self.came, one.reference, fact)

    def _of_goods(self, place: int, held: Shipment, found: Mismatch) -> None:
        """What is at stake: the whole shipment, a line of it, or what the two sides differ by."""
        parts = []
        for key, line in held.lines.items():
            if found.line in (None, key) and (order := line.order or held.order):
                apart = abs(Decimal(found.figures.get("crm", "0")) - Decimal(found.figures.get("erp", "0")))
                quantity = apart if found.code == "QUANTITY_DIFFERS" else line.quantity or ZERO
                parts.append((books.place_of(order, line.order_line, line.product), quantity))
        self.goods.append((place, parts))
        self.worths.update({one: (Fraction(0), "", Decimal(1)) for one, _ in parts})

    def price_goods(self) -> None:
        """Puts the money at stake into mismatches about goods."""
        for place, parts in self.goods:
            stake = sum((self.worths[one][0] * Fraction(quantity) for one, quantity in parts), Fraction(0))
            currency, rate = next((self.worths[one][1:] for one, _ in parts), ("", Decimal(1)))
            amount = books.payable(abs(stake), currency)
            told = self.found.mismatches[place]
            self.found.mismatches[place] = replace(told, amount=amount, worth=amount * rate, currency=currency)

    # orders

    def orders(self, told: Iterable[TwoSided[Order]]) -> None:
        for one in told:
            came = {key: books.came_of(one.reference, key, one.held, self.came) for key in one.held.lines}
            self._order(one, came)
            last = self._at_rest(one, came)
            if last is not None:
                self.found.at_rest[one.reference] = last

    def _order(self, one: TwoSided[Order], came: Mapping[str, Came]) -> None:
        fact = self._fact("order", one)
        order = one.held
        within = (order.date or self.span.end) in self.span
        if any(m.day in self.span for c in came.values() for m in (*c.shipped, *c.invoiced)) or within:
            self._both_sides("order", one, order.total)
        before = len(self.found.mismatches)
        for key, line in order.lines.items():
            for name in books.names_of(key, order):
                if (one.reference, name) in self.worths:
                    worth = books.worth_of_one(line, order.tax_included)
                    rate = order.rate or Decimal(1)
                    self.worths[one.reference, name] = worth, self._currency(order.currency), rate
        if fact is None:
            return
        for key, line in fact.lines.items():
            self._line(one, fact, key, line, came[key], within, before)

    def _at_rest(self, one: TwoSided[Order], came: Mapping[str, Came]) -> Day | None:
        """The last day on which something came of an order, where that was before the span and the day after it, with
        nothing tolerated, has nothing to say of it."""
        moved = [m.day for c in came.values() for m in (*c.shipped, *c.invoiced, *c.returned)]
        last = max([one.held.date or UNDATED, *moved])
        if last >= self.span.start:
            return None
        after = last + timedelta(1)
        quiet = _Work(Span(after, after), self.systems, self.currencies, Tolerance(grace_days=0), Day.max)
        quiet._order(one, came)
        return last if not (quiet.found.mismatches or quiet.found.rows) else None

    def _line(
        self, one: TwoSided[Order], fact: Order, key: str, line: OrderLine, came: Came, within: bool, before: int
    ) -> None:
        """The table, and what of the line is not as it should be."""
        worth = books.worth_of_one(line, fact.tax_included)
        currency = self._currency(fact.currency)
        self._flow(one, fact, key, line, came, worth)
        self._prices(one, fact, key, line, came)
        self._counts(one, fact, key, line, came, worth)
        moved = [m for m in (*came.shipped, *came.invoiced) if m.day in self.span]
        bought = within and fact.state not in ("draft", "submitted", "cancelled")
        if bought:
            self._total(fact, ordered=books.payable(worth * Fraction(line.quantity or ZERO), currency))
        gone = sum((m.quantity for m in came.shipped if m.day in self.span), ZERO)
        if gone:
            self._total(fact, shipped=books.payable(worth * Fraction(gone), currency))
        told = any(m.line == key and m.document == one.reference for m in self.found.mismatches[before:])
        if moved or bought or told:
            self.found.rows.append(self._row(one, fact, key, line, came, worth))

    def _row(self, one: TwoSided[Order], fact: Order, key: str, line: OrderLine, came: Came, worth: Fraction) -> Row:
        end, currency = self.span.end, self._currency(fact.currency)
        invoiced = [m for m in came.invoiced if m.day <= end]
        shipped = came.until("shipped", end)
        here = one.crm.lines.get(key) if one.crm is not None else None
        return Row(
            one.reference,
            _number(fact),
            key,
            plain(line.position) if line.position is not None else "",
            line.product,
            fact.account,
            fact.company,
            currency,
            here.quantity if here is not None else None,
            line.quantity if one.erp is not None else None,
            shipped,
            came.until("invoiced", end),
            books.payable(worth * Fraction(books.ordered(fact, line)), currency),
            books.payable(worth * Fraction(shipped), currency),
            sum((m.money for m in invoiced), ZERO),
            sum((m.received for m in invoiced), ZERO),
        )

    def _flow(self, one: TwoSided[Order], fact: Order, key: str, line: OrderLine, came: Came, worth: Fraction) -> None:
        """Ordered against shipped against invoiced. What is beyond the order is told once, as that; of what costs
        nothing nothing is invoiced; what came back for good is neither to be invoiced nor to be shipped again."""
        wanted, end = books.ordered(fact, line), self.span.end
        slack = wanted * self.tolerance.quantity
        shipped, invoiced = came.until("shipped", end), came.until("invoiced", end)
        back = came.until("returned", self.horizon)
        why = f"{plain(back)} came back (退回)" if back else ""

        def tell(code: str, left: Decimal, **figures: Decimal) -> None:
            if left > slack:
                told = {name: plain(number) for name, number in {**figures, "left": left}.items()}
                amount = books.payable(abs(worth) * Fraction(left), self._currency(fact.currency))
                self._mismatch(code, one, fact, amount, told, key, line, why)

        if "shipment" in self.systems.facts:
            kept = shipped - came.until("returned", end)
            tell("OVER_SHIPPED", kept - wanted, ordered=wanted, shipped=kept)
        if not worth:
            return
        if "invoice" in self.systems.facts:
            tell("OVER_INVOICED", invoiced - wanted, ordered=wanted, invoiced=invoiced)
        if {"shipment", "invoice"} <= self.systems.facts:
            gone = min(came.until("shipped", self.judged) - back, wanted)
            in_time = came.until("invoiced", self.horizon)
            tell("SHIPPED_NOT_INVOICED", gone - in_time, shipped=gone, invoiced=in_time)
            billed = min(came.until("invoiced", self.judged), wanted)
            in_time = came.until("shipped", self.horizon) - came.until("returned", self.judged)
            tell("INVOICED_NOT_SHIPPED", billed - in_time, invoiced=billed, shipped=in_time)

    def _prices(self, one: TwoSided[Order], fact: Order, key: str, line: OrderLine, came: Came) -> None:
        """What invoices of the span charge for one, against what the order says."""
        agreed = books.price_of(line)
        for moved in came.invoiced:
            if moved.day not in self.span or moved.price is None or agreed is None:
                continue
            rate = 1 + Fraction(line.tax_rate or ZERO) / 100
            charged = moved.price
            if bool(moved.tax_included) != bool(fact.tax_included):
                charged = charged / rate if moved.tax_included else charged * rate
            if abs(charged - agreed) > max(agreed * Fraction(self.tolerance.price), Fraction(1, 10**4)):
                stake = books.with_tax(abs(charged - agreed), line, fact.tax_included) * Fraction(moved.quantity)
                figures = {"ordered": _short(agreed), "invoiced": _short(charged), "invoice": moved.number}
                amount = books.payable(stake, self._currency(fact.currency))
                told = {**figures, "where": moved.document}
                self._mismatch("INVOICED_PRICE_DIFFERS", one, fact, amount, told, key, line)

    def _counts(
        self, one: TwoSided[Order], fact: Order, key: str, line: OrderLine, came: Came, worth: Fraction
    ) -> None:
        """What each side's order says of shipped and invoiced, against all documents."""
        for what, kind in (("shipped", "shipment"), ("invoiced", "invoice")):
            if kind not in self.systems.facts:
                continue
            documents = came.until(what, UNDATED)
            for where, side in (("CRM", one.crm), ("ERP", one.erp)):
                held = side.lines.get(key) if side is not None else None
                said: Decimal | None = getattr(held, what, None)
                if said is None or said == documents:
                    continue
                figures = {"said": plain(said), "documents": plain(documents), "where": where}
                amount = books.payable(abs(worth * Fraction(said - documents)), self._currency(fact.currency))
                self._mismatch("COUNT_DIFFERS", one, fact, amount, {**figures, **_what(what)}, key, line)

    # between the systems

    def _fact(self, kind: str, one: TwoSided[R]) -> R | None:
        """What the ERP has; what the CRM has where the ERP has no such documents."""
        return one.erp if kind in self.systems.facts else one.crm

    def _both_sides(self, kind: str, one: TwoSided[Any], worth: Decimal | None, *amounts: tuple[str, str]) -> None:
        """What the two systems say of one document that belongs to the span."""
        held = one.held
        day = held.date
        if kind not in self.systems.both or (day is not None and day not in self.span and kind != "order"):
            return
        if one.crm is None or one.erp is None:
            if one.expected:
                where = {"where": "CRM" if one.erp is None else "ERP", **_what(kind)}
                self._mismatch("ONE_SYSTEM_ONLY", one, held, abs(worth or ZERO), where, why=one.why)
            return
        for name, called in amounts:
            here, there = getattr(one.crm, name), getattr(one.erp, name)
            if None not in (here, there) and abs(here - there) > self.tolerance.amount:
                figures = {"crm": plain(here), "erp": plain(there), **_what(called)}
                self._mismatch("AMOUNT_DIFFERS", one, held, abs(here - there), figures)
        for name, code in (("account", "CUSTOMER_DIFFERS"), ("currency", "CURRENCY_DIFFERS")):
            here, there = getattr(one.crm, name, None), getattr(one.erp, name, None)
            if here and there and here != there:
                figures = {"crm": self._currency(here), "erp": self._currency(there)} if name == "currency" else {}
                self._mismatch(code, one, held, abs(worth or ZERO), figures)
        if {CRM, ERP} <= self.systems.lines.get(kind, frozenset()):
            for key in {**one.erp.lines, **one.crm.lines}:
                self._lines(one, held, key, one.crm.lines.get(key), one.erp.lines.get(key))

    def _lines(self, one: TwoSided[Any], held: Any, key: str, here: Any, there: Any) -> None:
        """One line as the two sides have it."""
        currency = self._currency(getattr(held, "currency", None))
        line = there or here
        worth = books.worth_of_one(line, held.tax_included) if hasattr(line, "price") else Fraction(0)

        def tell(code: str, stake: Fraction, **figures: str) -> None:
            self._mismatch(code, one, held, books.payable(abs(stake), currency), figures, key, line)

        whole = worth * Fraction(line.quantity or ZERO)
        if here is None or there is None:
            tell("LINE_IN_ONE_SYSTEM", whole, where="CRM" if there is None else "ERP")
            return
        if here.product and there.product and here.product != there.product:
            tell("PRODUCT_DIFFERS", whole)
        if None not in (here.quantity, there.quantity):
            apart = abs(here.quantity - there.quantity)
            if apart > abs(there.quantity) * self.tolerance.quantity:
                stake = worth * Fraction(apart)
                tell("QUANTITY_DIFFERS", stake, crm=plain(here.quantity), erp=plain(there.quantity))
        first, second = (books.price_of(side) if hasattr(side, "price") else None for side in (here, there))
        if first is None or second is None or abs(first - second) <= second * Fraction(self.tolerance.price):
            return
        stake = books.with_tax(first - second, line, held.tax_included) * Fraction(line.quantity or ZERO)
        tell("PRICE_DIFFERS", stake, crm=_short(first), erp=_short(second))

    # how it is told

    def _mismatch(
        self,
        code: str,
        one: TwoSided[Any],
        held: Any,
        amount: Decimal,
        figures: Mapping[str, str],
        key: str | None = None,
        line: Any = None,
        why: str = "",
    ) -> None:
        """Noted, unless the money at stake is within the tolerance."""
        if ZERO < amount <= self.tolerance.amount:
            return
        amount = books.payable(amount, self._currency(getattr(held, "currency", None)))
        position = getattr(line, "position", None)
        found = Mismatch(
            code,
            one.reference,
            _number(held) or one.reference,
            amount,
            amount * (getattr(held, "rate", None) or 1),
            self._currency(getattr(held, "currency", None)),
            held.company,
            held.account,
            key,
            plain(position) if position is not None else getattr(line, "order_line", None) or "",
            getattr(line, "product", None),
            figures,
            why,
        )
        self.found.mismatches.append(found)

    def _total(self, held: Any, **more: Decimal) -> None:
        currency = self._currency(held.currency)
        now = self.found.totals.get(currency, Totals())
        self.found.totals[currency] = replace(now, **{name: getattr(now, name) + one for name, one in more.items()})

    def _currency(self, reference: str | None) -> str:
        return self.currencies.get(reference or "", "")


def _number(held: Any) -> str:
    return str(held.erp_number or getattr(held, "number", None) or "")


def _what(word: str) -> dict[str, str]:
    return {"what": word, "what_zh": WORDS[word]}


def _short(price: Fraction) -> str:
    """A price to six decimals, for people."""
    return plain(Decimal(round(price * 10**6)).scaleb(-6))
