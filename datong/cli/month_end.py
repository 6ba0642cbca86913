"""`match`: ordered, shipped, invoiced and received over both systems, what does not agree, and who accepted it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datong.base.errors import UsageError
from datong.cli.context import Session
from datong.cli.failures import FAILED
from datong.cli.output import document, note, show, table
from datong.cli.parts import command, group

if TYPE_CHECKING:
    from datong.insight.span import Span
    from datong.operations.month_end import Found, Match

Period = Annotated[str, typer.Option("--period", metavar="MONTH", help="such as 2026-11, or 2026-10..2026-12")]
Company = Annotated[str | None, typer.Option("--company", metavar="CODE", help="only this company of ours")]
Read = Annotated[bool, typer.Option("--read", help="read both systems anew before comparing; nothing is written")]
Excel = Annotated[Path | None, typer.Option("--excel", metavar="FILE", help="also write everything to a workbook")]
Rows = Annotated[
    int, typer.Option("--lines", metavar="N", min=0, help="how many order lines to show; the files have all")
]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="of mismatches, as `datong match` shows them")]
Why = Annotated[str, typer.Option("--note", metavar="WHY", help="the reason, kept with the sign-off")]

_TOTALS = ("currency", "ordered 订购", "shipped 发货", "invoiced 开票", "received 收款")
_LINES = ("order", "line", "customer", "product", "CRM", "ERP", "shipped", "invoiced", "amount", "received")
_MISMATCHES = ("id", "what", "document", "customer", "at stake", "figures", "")


def add_to(app: typer.Typer) -> None:
    commands = group(app, "match", "Month end: what was ordered, shipped, invoiced and received, side by side.", "show")
    command(commands, "show")(match)
    command(commands)(sign_off)


def match(
    session: Session,
    period: Period,
    company: Company = None,
    read: Read = False,
    excel: Excel = None,
    lines: Rows = 30,
) -> int:
    """Compare the two systems over a month: order lines side by side, and what does not agree, the most money first.
    Exit status 1 while a mismatch is not signed off, or a system could not be read."""
    found = _looked(session, span_of(period), company, read)
    if excel is not None:
        from datong.operations.month_end_book import book

        excel.write_bytes(book(found))
    if session.json:
        document(found.told)
    else:
        _show(session, found, lines)
        if excel is not None:
            note(f"written to {excel}")
    return FAILED if found.unaccepted or found.problems else 0


def sign_off(
    session: Session, ids: Ids, period: Period, note: Why, company: Company = None, read: Read = False
) -> None:
    """Accept mismatches with a reason. They are shown as accepted, and count again when their figures change."""
    from datong.operations import month_end

    span = span_of(period)
    done = month_end.sign_off(session.engine(), session.actor, ids, note, lambda: _looked(session, span, company, read))
    if session.json:
        document({"items": done})
    else:
        for one in done:
            show(f"{one['id']} {one['title']} {one['number']}, {one['amount']} {one['currency']}: accepted")


def span_of(text: str) -> Span:
    """Raises UsageError."""
    from datong.insight.span import Span

    try:
        return Span.parse(text)
    except ValueError as error:
        raise UsageError(str(error), remedy="--period 2026-11") from error


def _looked(session: Session, span: Span, company: str | None, read: bool) -> Match:
    from datong.operations import month_end

    with session.working() as engine:
        return month_end.match(
            engine, session.actor, span, session.config.month_end.tolerance(), company=company, read=read
        )


def _show(session: Session, found: Match, lines: int) -> None:
    seen = ", ".join(f"{one.connection} as of {one.told['at'] or 'never'}" for one in found.as_of)
    show(f"Period {found.result.span}; {seen}")
    totals = [[c, *(f"{n:f}" for n in _totals(t))] for c, t in sorted(found.result.totals.items())]
    show(table("Within the period, with tax", _TOTALS, totals))
    rows = [_row(found.row_told(one)) for one in found.result.rows[:lines]]
    if rows:
        show(table("Order lines at the end of the period", _LINES, rows))
    if len(found.result.rows) > lines:
        note(f"{len(found.result.rows) - lines} more lines: --lines N or --excel FILE")
    for title, some in (
        ("Mismatches 差异", found.unaccepted),
        ("Accepted 已认可", [f for f in found.found if f.accepted]),
    ):
        if some:
            show(table(title, _MISMATCHES, [_mismatch(one) for one in some]))
    remedies = {one.mismatch.code: one.mismatch.sort for one in found.unaccepted}
    if remedies:
        told = [[f"{one.title}\n{one.title_zh}", f"{one.remedy}\n{one.remedy_zh}"] for one in remedies.values()]
        show(table("What to do 处理办法", ("of", "what"), told))
    for problem in found.problems:
        note(problem)
    if found.unaccepted:
        note(f"{len(found.unaccepted)} to settle; {session.line('match', 'sign-off')} accepts one with its reason")
    else:
        show("Everything agrees, or was accepted.")


def _totals(one: Any) -> tuple[Any, ...]:
    return one.ordered, one.shipped, one.invoiced, one.received


def _row(told: dict[str, Any]) -> list[Any]:
    return [
        told["number"],
        told["line"],
        told["account"],
        told["product"],
        told["ordered"]["crm"],
        told["ordered"]["erp"],
        told["shipped"]["quantity"],
        told["invoiced"]["quantity"],
        f"{told['ordered']['amount']} {told['currency']}",
        told["received"]["amount"],
    ]


def _mismatch(one: Found) -> list[str]:
    told = one.told
    line = f" line {told['line']}" if told["line"] else ""
    figures = f"{told['en']}\n{told['zh']}" + (f"\n{told['why']}" if told["why"] else "")
    return [
        told["id"],
        f"{told['title']}\n{told['title_zh']}",
        f"{told['number']}{line}\n{told['product']}".strip(),
        told["account"],
        f"{told['amount']} {told['currency']}",
        figures,
        _signed(one),
    ]


def _signed(one: Found) -> str:
    """Who accepted it and why; what was accepted with other figures needs to be looked at again."""
    if one.signed is None:
        return ""
    who = f"{one.signed.by}, {one.signed.at:%Y-%m-%d}: {one.signed.note}"
    return who if one.signed.stands else f"accepted with other figures by {who}"
