"""`statement`: what a customer owed, bought and paid, on paper; and what they answered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datong.base.errors import UsageError
from datong.cli.context import Session
from datong.cli.month_end import Company, Period, span_of
from datong.cli.output import document, note, show, table
from datong.cli.parts import command, group

if TYPE_CHECKING:
    from datong.insight.statement_paper import Language
    from datong.operations.statements import Made

_WHO = "the customer: number in the ERP, name, or CONNECTION:ID"
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help=_WHO)]
SomeAccount = Annotated[str | None, typer.Argument(metavar="ACCOUNT", help=f"{_WHO}; not with --all")]
Tongue = Annotated[str, typer.Option("--language", metavar="LANGUAGE", help="zh or en")]
Pdf = Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="write it as PDF")]
Excel = Annotated[Path | None, typer.Option("--excel", metavar="FILE", help="write it as a workbook")]
All = Annotated[
    Path | None, typer.Option("--all", metavar="FOLDER", help="PDF and workbook of every customer into this folder")
]
Currency = Annotated[str | None, typer.Option("--currency", metavar="CODE", help="only what is in this currency")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="who at the customer said so")]
On = Annotated[str | None, typer.Option("--on", metavar="DAY", help="when, such as 2026-12-03; else today")]
Agreed = Annotated[bool, typer.Option("--agreed", help="they have the same balance")]
Amount = Annotated[str | None, typer.Option("--amount", metavar="AMOUNT", help="the balance that they have instead")]
Remark = Annotated[str, typer.Option("--remark", metavar="TEXT", help="what they say of it")]


def add_to(app: typer.Typer) -> None:
    commands = group(app, "statement", "Customer statements: made, printed, confirmed.", "show")
    command(commands, "show")(statement)
    command(commands)(confirm)


def statement(
    session: Session,
    account: SomeAccount = None,
    *,
    period: Period,
    language: Tongue = "zh",
    pdf: Pdf = None,
    excel: Excel = None,
    all_into: All = None,
    company: Company = None,
    currency: Currency = None,
) -> None:
    """What a customer owed before, what came and went, what they owe now and since when; by company and currency."""
    from datong.operations import statements

    span, tongue = span_of(period), _language(language)
    if (account is None) == (all_into is None) or (all_into is not None and (pdf or excel)):
        raise UsageError("which customer?", remedy="give ACCOUNT with --pdf and --excel, or --all FOLDER")
    if all_into is not None:
        _everyone(session, all_into, period, tongue, company)
        return
    issuers = session.config.statements
    engine = session.engine()
    made = statements.statements_of(
        engine, session.actor, account or "", span, tongue, issuers, company=company, currency=currency
    )
    if pdf is not None or excel is not None:
        statements.write(made, tongue, pdf_file=pdf, excel_file=excel)
    if session.json:
        document({"items": [one.told for one in made]})
    else:
        for one in made:
            _show(one, tongue)
        for file in (pdf, excel):
            if file is not None:
                note(f"written to {file}")
        if not made:
            show("no movement and no balance")


def _everyone(session: Session, folder: Path, period: str, language: Language, company: str | None) -> None:
    from datong.cli.progress import shown
    from datong.operations import statements

    made = statements.all_statements(
        session.engine(), session.actor, span_of(period), language, session.config.statements, company
    )
    with shown() as step:
        written = statements.write_all(made, language, folder, step)
    if session.json:
        document({"statements": len(made), "written": [str(file) for file in written]})
    else:
        show(f"{len(made)} statements, {len(written)} files in {folder}")


def confirm(
    session: Session,
    account: Account,
    *,
    period: Period,
    by: By,
    agreed: Agreed = False,
    amount: Amount = None,
    on: On = None,
    remark: Remark = "",
    company: Company = None,
    currency: Currency = None,
) -> None:
    """Record what the customer answered: that the balance agrees, or which other one they have."""
    from datong.operations import statements

    if agreed == (amount is not None):
        raise UsageError("what did they answer?", remedy="--agreed, or --amount with the balance that they have")
    engine = session.engine()
    made = statements.statements_of(
        engine, session.actor, account, span_of(period), "zh", {}, company=company, currency=currency
    )
    told = statements.answer(engine, session.actor, made, by=by, on=_day(on), amount=_amount(amount), remark=remark)
    if session.json:
        document(told)
    else:
        said = "agrees" if told["agreed"] else f"has {told['amount']} {told['currency']}"
        show(f"{told['period']}, closing {told['closing']} {told['currency']}: {told['by']} {said}")


def _language(text: str) -> Language:
    if text == "zh":
        return "zh"
    if text == "en":
        return "en"
    raise UsageError(f"statements are made in zh and en, not in {text}", remedy="--language zh")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(f"{text} is no day", remedy="--on 2026-12-03") from error


def _amount(text: str | None) -> Decimal | None:
    from datong.base.money import decimal

    try:
        return decimal(text) if text is not None else None
    except ValueError as error:
        raise UsageError(str(error), remedy="--amount 1234.50") from error


def _show(made: Made, language: Language) -> None:
    from datong.insight.statement_paper import ages, grouped, words

    one, told = made.paper.statement, words(language)

    def money(number: Decimal) -> str:
        return grouped(number, one.currency) if number else ""

    rows: list[list[Any]] = [[one.span.start, told["opening"], *[""] * 5, grouped(one.opening, one.currency)]]
    for line in one.lines:
        entry = line.entry
        amounts = [money(entry.debit), money(entry.credit), grouped(line.balance, one.currency)]
        rows.append([entry.day, told[entry.kind], entry.number, entry.remark, entry.due or "", *amounts])
    total = [money(one.debit), money(one.credited), grouped(one.closing, one.currency)]
    rows.append([one.span.end, told["closing"], "", "", "", *total])
    columns = [told["date"], told["document"], "", told["remark"], told["due"], told["debit"], told["credit"]]
    title = f"{told['title']} {made.paper.customer} {one.company} {one.currency} {one.span}"
    show(table(title, [*columns, told["balance"]], rows))
    aged = ages(one, told)
    show(table(told["ageing"], [name for name, _ in aged], [[grouped(n, one.currency) for _, n in aged]]))
    for answer in made.answers:
        said = told["agreed"] if answer.agreed else f"{told['differs']} {answer.amount}"
        lapsed = "" if answer.stands else " (the statement has changed since 对账单已变动)"
        show(f"{answer.on} {answer.by}: {said} {answer.remark}{lapsed}")
