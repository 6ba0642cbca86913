"""`suggest`: what there is too much of, who may want it, and a campaign of that."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import typer

from datong.base.errors import UsageError
from datong.cli.context import Session
from datong.cli.forecasts import day_of
from datong.cli.month_end import Company
from datong.cli.output import document, note, show, table
from datong.cli.parts import command

Months = Annotated[
    str | None, typer.Option("--months", metavar="N", help="months of sales that stock may cover; else the settings")
]
Accept = Annotated[str | None, typer.Option("--accept", metavar="NAME", help="make a campaign of this name")]
Rows = Annotated[
    list[str] | None, typer.Option("--row", metavar="ID", help="only of this row; may be given several times")
]
Start = Annotated[str | None, typer.Option("--from", metavar="DAY", help="first day of the campaign; else today")]
End = Annotated[str | None, typer.Option("--to", metavar="DAY", help="last day of the campaign")]


def add_to(app: typer.Typer) -> None:
    command(app)(suggest)


def suggest(
    session: Session,
    company: Company = None,
    months: Months = None,
    accept: Accept = None,
    row: Rows = None,
    start: Start = None,
    end: End = None,
) -> None:
    """Overstock, and customers who may buy it again; with --accept they become a campaign in the CRM."""
    from datong.operations import suggest as operation

    if accept is None and (row or start or end):
        raise UsageError("rows and days are of a campaign", remedy="--accept NAME")
    engine, bound = session.engine(), _months(months)
    if accept is None:
        found = operation.suggest(engine, session.actor, company=company, months=bound)
        _show(found.told) if not session.json else document(found.told)
        return
    days = {"start": day_of(start) if start else None, "end": day_of(end) if end else None}
    told = operation.accept(engine, session.actor, accept, rows=tuple(row or ()), company=company, months=bound, **days)
    if session.json:
        document(told)
    else:
        note(f"{told['name']}: {told['customers']} customers; the CRM has it after the next `datong sync`")


def _months(text: str | None) -> Decimal | None:
    from datong.base.money import decimal

    try:
        found = None if text is None else decimal(text)
    except ValueError as error:
        raise UsageError(str(error), remedy="--months 6") from error
    if found is not None and found <= 0:
        raise UsageError(f"{text} months are no cover", remedy="--months 6")
    return found


def _show(told: dict[str, Any]) -> None:
    if not told["overstock"]:
        show("There is too much of nothing.")
        return
    over = ("product", "warehouse", "stock", "leaves a month", "months", "days idle", "too much", "worth")
    show(table(f"Overstock, {told['day']}", over, [_over(one) for one in told["overstock"]]))
    columns = ("id", "customer", "reason", "quantity", "worth", "due")
    rows = [_customer(one) for one in told["customers"]]
    show(table("Customers", columns, rows) if rows else "Nobody bought any of it.")


def _over(one: dict[str, Any]) -> list[str]:
    idle = "never left" if one["idle_days"] is None else str(one["idle_days"])
    stock = f"{one['stock']} {one['unit']}".strip()
    return [
        one["product"],
        one["warehouse"],
        stock,
        one["monthly"],
        one["months"] or "",
        idle,
        one["excess"],
        _money(one),
    ]


def _customer(one: dict[str, Any]) -> list[str]:
    quantity = f"{one['quantity']} {one['unit']}".strip()
    return [one["id"], one["customer"], one["reason"], quantity, _money(one), "due" if one["is_due"] else ""]


def _money(one: dict[str, Any]) -> str:
    return f"{one['worth']} {one['currency']}".strip() if one["worth"] is not None else ""
