"""Month end: the documents of both systems compared, and who accepted which mismatch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from datong.base.clock import local_date, to_text
from datong.base.errors import NotFound, StoreBusy, UsageError
from datong.base.json import digest
from datong.engine.approving import record_answer
from datong.engine.cycle import Engine
from datong.insight.mismatches import Mismatch
from datong.insight.month_end import MonthEnd, Row, Tolerance, compare
from datong.insight.span import Span
from datong.operations.actor import Actor, require
from datong.operations.closed_periods import ClosedPeriods
from datong.operations.documents import AsOf, Shelf, opened
from datong.operations.work import acting
from datong.store import Transaction
from datong.store.schema import approvals
from datong.store.unit import Unit

FLOW = "month end"
"""What sign-offs are kept under, beside the approvals that flows ask for."""


@dataclass(frozen=True)
class SignOff:
    """What a person said to a mismatch. `stands`: its figures are those that were accepted."""

    by: str
    at: datetime
    note: str
    stands: bool


@dataclass(frozen=True)
class Found:
    """A mismatch with the names of what it is about."""

    mismatch: Mismatch
    account: str
    product: str
    signed: SignOff | None

    @property
    def accepted(self) -> bool:
        return self.signed is not None and self.signed.stands

    @property
    def told(self) -> dict[str, Any]:
        one = self.mismatch
        return {
            "id": one.key,
            "code": one.code,
            "title": one.sort.title,
            "title_zh": one.sort.title_zh,
            "document": one.document,
            "number": one.number,
            "line": one.position,
            "company": one.company,
            "account": self.account,
            "product": self.product,
            "amount": f"{one.amount:f}",
            "currency": one.currency,
            "en": one.en,
            "zh": one.zh,
            "figures": dict(one.figures),
            "why": one.why,
            "remedy": one.sort.remedy,
            "remedy_zh": one.sort.remedy_zh,
            "accepted": self.accepted,
            "signed_off": _signed_told(self.signed),
        }


def _signed_told(signed: SignOff | None) -> dict[str, Any] | None:
    if signed is None:
        return None
    return {"by": signed.by, "at": to_text(signed.at), "note": signed.note, "figures_changed": not signed.stands}


@dataclass(frozen=True)
class Match:
    """What was compared, as of when, and what was found."""

    result: MonthEnd
    found: list[Found]
    as_of: list[AsOf]
    problems: list[str]
    names: dict[str, str]
    company: str | None = None

    @property
    def unaccepted(self) -> list[Found]:
        return [one for one in self.found if not one.accepted]

    @property
    def told(self) -> dict[str, Any]:
        return {
            "period": str(self.result.span),
            "company": self.company,
            "as_of": [one.told for one in self.as_of],
            "problems": self.problems,
            "totals": {currency: _amounts(one) for currency, one in sorted(self.result.totals.items())},
            "mismatches": [one.told for one in self.found],
            "unaccepted": len(self.unaccepted),
            "lines": [self.row_told(one) for one in self.result.rows],
        }

    def row_told(self, row: Row) -> dict[str, Any]:
        return {
            "order": row.order,
            "number": row.number,
            "line": row.position,
            "company": row.company,
            "account": self.names.get(row.account or "", ""),
            "product": self.names.get(row.product or "", ""),
            "currency": row.currency,
            "ordered": {"crm": _text(row.crm), "erp": _text(row.erp), "amount": f"{row.ordered_amount:f}"},
            "shipped": {"quantity": _text(row.shipped), "amount": f"{row.shipped_amount:f}"},
            "invoiced": {"quantity": _text(row.invoiced), "amount": f"{row.invoiced_amount:f}"},
            "received": {"amount": f"{row.received:f}"},
        }


def _text(number: Any) -> str | None:
    from datong.base.money import plain

    return None if number is None else plain(number)


def _amounts(one: Any) -> dict[str, str]:
    return {name: f"{getattr(one, name):f}" for name in ("ordered", "shipped", "invoiced", "received")}


def match(
    engine: Engine,
    actor: Actor,
    span: Span,
    tolerance: Tolerance,
    *,
    company: str | None = None,
    read: bool = False,
) -> Match:
    """Compare what the two systems have of a span. With `read` both are read first, of which nothing is kept.

    Raises NotFound for a company that no connection keeps, and UsageError where no flow carries orders.
    """
    require(actor, "operator" if read else "viewer", "compare the documents of both systems")
    _known_company(engine, company)
    with opened(engine, read=read) as (shelf, problems):
        if "order" not in shelf.carried:
            raise UsageError("no flow carries orders", remedy="switch `orders` on under flows: in datong.yaml")
        periods = ClosedPeriods(shelf, span, company)
        found = matched(shelf, periods, tolerance, problems)
    if not read:
        _keep(engine, periods, found.result)
    return found


def matched(shelf: Shelf, periods: ClosedPeriods, tolerance: Tolerance, problems: Sequence[str] = ()) -> Match:
    """The comparison of what is on a shelf."""
    today = _today(shelf.engine, periods.company)
    documents = periods.documents(tolerance)
    result = compare(documents, periods.span, shelf.systems(), shelf.currencies(), tolerance, today)
    names = _names(shelf, result)
    signed = _signed(shelf.unit.tx)
    found = [_found(one, names, signed) for one in result.mismatches]
    return Match(result, found, shelf.as_of(), list(problems), names, periods.company)


def _keep(engine: Engine, periods: ClosedPeriods, result: MonthEnd) -> None:
    """What is at rest is not read the next time. Somebody who writes to the store goes first: it is found again."""
    try:
        with engine.store.write(durable=False) as tx:
            if Unit(tx, engine.store.clock, engine.actor).changes() == periods.changes:
                periods.keep(tx, result.at_rest)
    except StoreBusy:
        return


def _today(engine: Engine, company: str | None) -> Day:
    """Where the company is; of all companies, where the day begins last."""
    zones = engine.landscape.zones
    where = [zones.get(company, "UTC")] if company is not None else [*zones.values()] or ["UTC"]
    return min(local_date(engine.store.clock.now(), zone) for zone in where)


def _known_company(engine: Engine, company: str | None) -> None:
    known = sorted({code for conn in engine.landscape.connections.values() for code in conn.companies})
    if company is not None and company not in known:
        raise NotFound(f"there is no company {company}", remedy=f"companies are: {', '.join(known)}")


def _names(shelf: Shelf, result: MonthEnd) -> dict[str, str]:
    told: Sequence[Row | Mismatch] = [*result.rows, *result.mismatches]
    wanted = {one.account for one in told} | {one.product for one in told}
    return {reference: shelf.name(reference) for reference in sorted(one for one in wanted if one)}


def _found(one: Mismatch, names: dict[str, str], signed: dict[tuple[int, str], list[Any]]) -> Found:
    rows = signed.get((_record_of(one), _rule(one)), [])
    stood = digest([_rule(one), one.stands_for])
    of_it = [SignOff(row.actor, row.at, row.note, row.digest == stood) for row in rows]
    best = max(of_it, key=lambda s: (s.stands, s.at), default=None)
    return Found(one, names.get(one.account or "", ""), names.get(one.product or "", ""), best)


def _record_of(one: Mismatch) -> int:
    return int(one.document.partition(":")[2])


def _rule(one: Mismatch) -> str:
    return f"mismatch {one.key}"


def _signed(tx: Transaction) -> dict[tuple[int, str], list[Any]]:
    found: dict[tuple[int, str], list[Any]] = {}
    for row in tx.execute(sa.select(approvals).where(approvals.c.flow == FLOW).order_by(approvals.c.id)):
        found.setdefault((row.record_id, row.rule), []).append(row)
    return found


def sign_off(
    engine: Engine, actor: Actor, ids: Sequence[str], note: str, look: Callable[[], Match]
) -> list[dict[str, Any]]:
    """Accept mismatches by id, with a reason: it stands for the figures that `look` finds now.

    Raises NotFound for an id that is none of them, and UsageError without a reason.
    """
    require(actor, "approver", "sign off a mismatch")
    if not note.strip():
        raise UsageError("a sign-off needs its reason", remedy="--note WHY")
    found = {one.mismatch.key: one for one in look().found}
    unknown = [one for one in ids if one not in found]
    if unknown:
        raise NotFound(
            f"there is no mismatch {', '.join(unknown)} in this period",
            remedy="`datong match --period MONTH` lists them",
        )
    with acting(engine, actor) as unit:
        for one in dict.fromkeys(ids):
            if not found[one].accepted:
                _accept(unit, actor, found[one].mismatch, note)
    return [{**found[one].told, "accepted": True} for one in dict.fromkeys(ids)]


def _accept(unit: Unit, actor: Actor, one: Mismatch, note: str) -> None:
    record = unit.load([_record_of(one)]).get(_record_of(one))
    if record is None:
        raise UsageError(f"{one.number} is not taken in yet", remedy="`datong sync`, then sign off")
    record_answer(unit.tx, record.id, FLOW, _rule(one), one.stands_for, True, actor.name, unit.now, note)
    unit.note(
        "signed off",
        record_id=record.id,
        kind=record.kind,
        flow=FLOW,
        why=f"{one.stands_for} ({note})",
        body={"mismatch": one.key, "code": one.code, "amount": one.amount, "currency": one.currency, "note": note},
    )
