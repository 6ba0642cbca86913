"""`demand`: what may be ordered, by product, month, region, or to whom it was lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from datong.cli.context import Session
from datong.cli.forecasts import AsOf, day_of
from datong.cli.month_end import Company, span_of
from datong.cli.output import document, note, show, table
from datong.cli.parts import command

if TYPE_CHECKING:
    from datong.operations.demand import Demand

By = Annotated[Literal["product", "month", "region", "competitor"], typer.Option("--by", help="what is added up")]
Period = Annotated[
    str | None, typer.Option("--period", metavar="MONTH", help="such as 2026-11, or 2026-10..2026-12; else all")
]
Excel = Annotated[
    Path | None, typer.Option("--excel", metavar="FILE", help="also write it, and every signal, to a workbook")
]

_COLUMNS = {"product": ("product",), "month": (), "region": ("region",), "competitor": ("competitor", "reason")}


def add_to(app: typer.Typer) -> None:
    command(app)(demand)


def demand(
    session: Session,
    by: By = "product",
    period: Period = None,
    company: Company = None,
    as_of: AsOf = None,
    excel: Excel = None,
) -> None:
    """What may be ordered: open opportunities and quotes by their likelihood, lost deals, wishes and trends."""
    from datong.operations import demand as operation
    from datong.operations import forecasts

    span = span_of(period) if period else None
    if as_of is not None:
        found = forecasts.as_of(session.engine(), session.actor, by, day_of(as_of), span, company=company)
    else:
        found = operation.demand(session.engine(), session.actor, by, span, company=company)
    if excel is not None:
        excel.write_bytes(operation.book(found))
    if session.json:
        document(found.told)
    else:
        _show(found)
        if excel is not None:
            note(f"written to {excel}")
    for problem in found.problems:
        note(f"not counted: {problem}")


def _show(found: Demand) -> None:
    told = [found.group_told(one) for one in found.groups]
    if not told:
        show("Nothing is in sight.")
        return
    names = _COLUMNS[found.by]
    columns = (*names, "month", "source", "quantity", "weighted", "amount", "weighted", "signals")
    show(
        table(
            f"Demand by {found.by}{f', {found.period}' if found.period else ''}",
            columns,
            [_row(one, names) for one in told],
        )
    )


def _row(one: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    money = f" {one['currency']}" if one["currency"] else ""
    unit = f" {one['unit']}" if one["unit"] else ""
    figures = [f"{one['quantity']}{unit}", one["likely_quantity"], f"{one['amount']}{money}", one["likely_amount"]]
    return [*(one[name] or "?" for name in names), one["month"] or "?", one["source"], *figures, str(one["signals"])]
