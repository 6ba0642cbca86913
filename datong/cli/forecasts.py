"""`forecast`: demand made into documents that a person agrees to and the ERP plans with."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from datong.base.errors import UsageError
from datong.cli.context import Session
from datong.cli.month_end import Company, span_of
from datong.cli.output import document, show, table
from datong.cli.parts import command, group

Period = Annotated[str, typer.Option("--period", metavar="MONTH", help="such as 2026-11, or 2026-10..2026-12")]
AnyPeriod = Annotated[str | None, typer.Option("--period", metavar="MONTH", help="only these months")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DAY", help="as it was in sight at the end of that day: 2026-11-22")
]
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="number of the forecast")]

_COLUMNS = ("number", "month", "company", "version", "state", "number in the ERP", "made by", "lines")


def add_to(app: typer.Typer) -> None:
    made = group(app, "forecast", "What is in sight, made into forecasts (预测单) that the ERP plans with.")
    command(made)(make)
    command(made, "list")(list_forecasts)
    command(made)(withdraw)
    command(made)(compare)


def make(session: Session, period: Period, company: Company = None) -> None:
    """A forecast for each month and company, where what is in sight is not what the last one says."""
    from datong.operations import forecasts

    found = forecasts.make(session.engine(), session.actor, span_of(period), company=company)
    if session.json:
        document({"forecasts": found})
    elif found:
        show(table("Made; `datong approvals list` shows who is to agree", _COLUMNS, [_row(one) for one in found]))
    else:
        show("The last forecasts say the same: nothing is made.")


def list_forecasts(session: Session, period: AnyPeriod = None, company: Company = None) -> None:
    """Every forecast that was made here, by month and version."""
    from datong.operations import forecasts

    span = span_of(period) if period else None
    found = forecasts.listed(session.engine(), session.actor, span, company=company)
    if session.json:
        document({"forecasts": found})
    else:
        show(table("Forecasts", _COLUMNS, [_row(one) for one in found]) if found else "There is no forecast.")


def withdraw(session: Session, number: Number) -> None:
    """Nobody is to plan with it any more: what the ERP has of it is cancelled there."""
    from datong.operations import forecasts

    told = forecasts.withdraw(session.engine(), session.actor, number)
    if session.json:
        document(told)
    else:
        show(f"{number} is withdrawn.")


def compare(session: Session, period: Period, company: Company = None, as_of: AsOf = None) -> None:
    """What was expected of these months, and what was ordered in them."""
    from datong.operations import forecasts

    found = forecasts.compare(
        session.engine(), session.actor, span_of(period), company=company, day=day_of(as_of) if as_of else None
    )
    if session.json:
        document(found.told)
        return
    rows = [_hit(one) for one in found.told["hits"]]
    columns = ("month", "product", "region", "expected", "ordered", "off", "hit")
    show(table(f"Expected and ordered, {period}", columns, rows) if rows else "Nothing was expected or ordered.")


def day_of(text: str) -> date:
    """A day as people type it. Raises UsageError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r:.40} is no day", remedy="write it as 2026-11-22") from error


def _row(one: dict[str, Any]) -> list[str]:
    state = one["state"] or ""
    head = [one["number"], one["month"], one["company"] or "", one["version"], state, one["erp_number"] or ""]
    return [*head, one["made_by"] or "", str(one["lines"])]


def _hit(one: dict[str, Any]) -> list[str]:
    unit = f" {one['unit']}" if one["unit"] else ""
    figures = [f"{one['expected']}{unit}", one["ordered"], one["off"]]
    hit = f"{one['accuracy']} %" if one["accuracy"] is not None else ""
    return [one["month"], one["product"] or "?", one["region"] or "?", *figures, hit]
