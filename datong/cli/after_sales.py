"""`articles` and `complaints`: what the service desk asks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from datong.base.errors import UsageError
from datong.cli.context import Session
from datong.cli.output import document, show, table
from datong.cli.parts import command
from datong.cli.records import known_connection

Of = Annotated[str | None, typer.Argument(metavar="CONNECTION", help="name of the connection that has the case")]
Case = Annotated[str | None, typer.Argument(metavar="CASE", help="the id that the case has there")]
About = Annotated[str, typer.Option("--about", metavar="WORDS", help="product, symptom, in Chinese or English")]
Most = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="at most so many")]
By = Annotated[Literal["product", "lot", "reason"], typer.Option("--by", help="what is counted")]
Period = Annotated[str, typer.Option("--period", metavar="MONTH", help="such as 2026-11, or 2026-10..2026-12")]


def add_to(app: typer.Typer) -> None:
    command(app)(articles)
    command(app)(complaints)


def articles(session: Session, connection: Of = None, case: Case = None, about: About = "", limit: Most = 5) -> None:
    """Articles of the knowledge base that fit a case, or words."""
    from datong.operations import after_sales

    engine = session.engine()
    if not about and (connection is None or case is None):
        raise UsageError("nothing is asked", remedy="give CONNECTION and CASE, or --about WORDS")
    where = None
    if connection is not None:
        known_connection(session, connection)
        if case is None:
            raise UsageError(f"which case of {connection}?", remedy="give its id there, or only --about WORDS")
        where = (connection, case)
    told = after_sales.articles(engine, session.actor, where, about, most=limit)
    if session.json:
        document(told)
        return
    rows = [
        [
            one["number"] or "",
            one["title"] or "",
            one["title_en"] or "",
            "yes" if one["on the product"] else "",
            one["score"],
        ]
        for one in told["articles"]
    ]
    columns = ("number", "title", "title in English", "on the product", "score")
    show(table(f"Articles for {told['of'] or told['about']}", columns, rows) if rows else "No article fits.")


def complaints(session: Session, period: Period, by: By = "product") -> None:
    """Complaints counted by product, lot or reason, against what was shipped."""
    from datong.insight.span import Span
    from datong.operations import after_sales

    try:
        span = Span.parse(period)
    except ValueError as error:
        raise UsageError(str(error), remedy="--period 2026-11") from error
    told = after_sales.complaints(session.engine(), session.actor, by, span)
    if session.json:
        document(told)
    elif told["groups"]:
        show(table(f"Complaints by {by}, {told['period']}", _columns(by), [_row(one, by) for one in told["groups"]]))
    else:
        show("Nobody complained.")


def _columns(by: str) -> tuple[str, ...]:
    head = {"product": ("product",), "lot": ("product", "lot"), "reason": ("reason",)}[by]
    rate = () if by == "reason" else ("shipped", "in a thousand")
    return (*head, "cases", "open", "pieces", *rate, "reasons")


def _row(one: dict[str, Any], by: str) -> list[str]:
    head = {"product": [one["product"]], "lot": [one["product"], one["lot"]], "reason": [one["reason"] or "?"]}[by]
    rate = [] if by == "reason" else [one["shipped"], one["per_mille"] or ""]
    reasons = "" if by == "reason" else ", ".join(f"{reason} {count}" for reason, count in one["reasons"].items())
    return [*head, str(one["cases"]), str(one["open"]), one["quantity"], *rate, reasons]
