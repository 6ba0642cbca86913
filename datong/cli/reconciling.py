"""`reconcile`: both sides compared in full. `verify`: is a signed report as it was made?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datong.base.errors import UsageError
from datong.cli.context import Session
from datong.cli.failures import FAILED
from datong.cli.output import document, listing, note, short, show, table
from datong.cli.parts import Flows, Limit, command

if TYPE_CHECKING:
    from datong.insight.reconciliation_page import Language

Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="also write the report as a signed page")]
JsonFile = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="also write the signed JSON to a file")]
Tongue = Annotated[str, typer.Option("--language", metavar="LANGUAGE", help="which the page shows first: zh or en")]
Kept = Annotated[bool, typer.Option("--list", help="the reports that are kept, newest first; reads nothing")]
Shown = Annotated[str | None, typer.Option("--show", metavar="REPORT", help="a report that is kept; reads nothing")]
NoPlan = Annotated[bool, typer.Option("--no-plan", help="only compare; propose no repair")]
Most = Annotated[int, typer.Option("--differences", metavar="N", min=0, help="how many to show; the files have all")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="a report, JSON or page")]
Key = Annotated[
    str | None,
    typer.Option("--key", metavar="HEX", help="public key of the Datong that made it; without it, of this one"),
]

_LIST = {"id": "report", "at": "began", "author": "by", "agreement": "agree", "differing": "differ", "plan": "plan"}
_AGREEMENT = ("flow", "kind", "compared", "alike", "differ", "waiting", "agreement %")


def add_to(app: typer.Typer) -> None:
    command(app)(reconcile)
    command(app)(verify)


def reconcile(
    session: Session,
    flow: Flows = None,
    html: Html = None,
    out: JsonFile = None,
    language: Tongue = "zh",
    list_: Kept = False,
    show_: Shown = None,
    no_plan: NoPlan = False,
    differences: Most = 20,
    limit: Limit = 100,
) -> int | None:
    """Read both sides in full, whatever is believed of them, and show what differs, since when and why.

    The repair is saved as a plan; nothing is written to any system. Exit status 1 when something differs."""
    from datong.operations import reconcile as operations

    if list_:
        _list(session, limit)
        return None
    if show_ is not None:
        signed = operations.shown(session.engine(), session.actor, show_)
    else:
        with session.working() as engine:
            keeping = session.config.reconcile.keeping()
            signed = operations.reconcile(engine, session.actor, flow or (), plan=not no_plan, keeping=keeping)
    if html is not None:
        _write_page(session, html, signed, language)
    if out is not None:
        from datong.base import json

        operations.write(out, (json.pretty(signed) + "\n").encode())
    if session.json:
        document(signed)
    else:
        _tell(session, signed, differences)
        for file in (html, out):
            if file is not None:
                note(f"written to {file}")
    return FAILED if signed["differing"] else 0


def verify(session: Session, file: File, key: Key = None) -> int:
    """Is a report as it was made and signed? Exit status 1 if it is not."""
    from datong.operations import reconcile as operations

    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", remedy="name a report") from error
    answer = operations.verify(data, key or operations.own_key(session.engine()))
    if session.json:
        document(answer)
    elif answer["intact"]:
        show(f"intact: {answer['id']}, signed with {answer['key']}")
    else:
        show(f"NOT INTACT: {answer['why']}")
    return 0 if answer["intact"] else FAILED


def _list(session: Session, limit: int) -> None:
    from datong.base.clock import to_text
    from datong.operations import reconcile as operations

    rows = operations.listed(session.engine(), session.actor, limit + 1)
    items = [
        {
            "id": row["id"],
            "at": to_text(row["started_at"]),
            "author": row["author"],
            "flows": row["flows"],
            **row["totals"],
            "plan": (row["totals"]["plan"] or {}).get("id"),
            "agreement": f"{row['totals']['equal']} of {row['totals']['compared']}",
        }
        for row in rows
    ]
    listing(session, items, ndjson=False, limit=limit, title="Reports", columns=_LIST)


def _write_page(session: Session, file: Path, signed: dict[str, Any], language: str) -> None:
    from datong.insight.reconciliation_page import page
    from datong.operations import reconcile as operations

    try:
        text = page(signed, _language(language))
    except ImportError as error:
        raise UsageError(f"the page needs {error.name}", remedy="install `datong[reports]`") from error
    operations.write(file, operations.sign_page(session.engine(), text))


def _language(text: str) -> Language:
    if text == "zh":
        return "zh"
    if text == "en":
        return "en"
    raise UsageError(f"{text!r} is no language here", remedy="--language zh or en")


# told ----------------------------------------------------------------------------------------------------------------


def _tell(session: Session, signed: dict[str, Any], most: int) -> None:
    show(f"{signed['id']}: {signed['compared']} records compared, {signed['equal']} alike on both sides")
    names = ("flow", "kind", "compared", "equal", "differing", "waiting", "agreement")
    show(table("", _AGREEMENT, [[one[name] for name in names] for one in signed["agreement"] if one["compared"]]))
    _sums(signed["money"])
    if signed["waits"]:
        show("on its way or waiting: " + ", ".join(f"{one['records']} {one['en']}" for one in signed["waits"]))
    drift = [one for one in signed["differences"] if one["known"] is None]
    if drift:
        rows = [_row(one) for one in drift[:most]]
        title = "" if len(rows) == signed["differing"] else f"The first {len(rows)} of {signed['differing']}"
        show(table(title, ("what", "record", "where", "values", "since", "caused by"), rows))
    if not signed["differing"]:
        show("no difference that is not on its way" if signed["waiting"] else "both sides agree")
    elif signed["plan"] is not None:
        _next(session, signed["plan"])


def _next(session: Session, plan: dict[str, Any]) -> None:
    parts = [f"{plan[n]} {n}" for n in ("creates", "updates", "deletes", "linked", "reviews", "conflicts", "parked")]
    show(f"repair: plan {plan['id']}: " + (", ".join(p for p in parts if p[0] != "0") or "nothing to write"))
    for problem in plan["problems"]:
        show(f"! {problem}")
    more = ("--accept-mass",) if plan["stopped"] else ()
    if plan["stopped"]:
        show(f"the mass guard stops it: {plan['stopped']}")
    show(f"next: {session.line('apply', plan['id'], *more)}")


def _sums(money: list[dict[str, Any]]) -> None:
    apart = [one for one in money if one["apart"] != "0"]
    if apart:
        rows = [
            [
                one["kind"],
                one["field"],
                one["company"],
                "\n".join(f"{c}: {s['amount']} {one['currency']}" for c, s in one["sums"].items()),
                f"{one['apart']} {one['currency']}",
            ]
            for one in apart
        ]
        show(table("Sums that differ", ("kind", "field", "company", "sums", "apart"), rows))


def _row(one: dict[str, Any]) -> list[Any]:
    values = "\n".join(
        f"{f['field']}: " + "; ".join(f"{c} {short(v, 30)}" for c, v in f["values"].items()) for f in one["fields"][:4]
    )
    where = "\n".join(f"{c} {native}" for c, native in one["natives"].items())
    since = f"{'' if one['since_exact'] else 'after '}{one['since'][:19].replace('T', ' ')}" if one["since"] else ""
    return [f"{one['class']} in {one['place']}", f"{one['kind']} {one['name']}", where, values, since, one["because"]]
