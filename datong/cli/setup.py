"""`init` and `check`: from nothing to a configuration that holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datong.base.errors import ConfigurationError, UsageError
from datong.cli.context import Session
from datong.cli.failures import FAILED, USAGE, problems_of
from datong.cli.output import document, note, show, table
from datong.cli.parts import command

if TYPE_CHECKING:
    from datong.bootstrap.init import Answers, SandboxAnswers

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="where to write datong.yaml; here by default")]
Example = Annotated[str | None, typer.Option("--example", metavar="sandbox", help="an example that works: sandbox")]
CrmUrl = Annotated[str | None, typer.Option("--crm-url", metavar="URL", help="address of the CRM")]
ErpUrl = Annotated[str | None, typer.Option("--erp-url", metavar="URL", help="address of the ERP")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="seed of the sandbox: its tokens depend on it")]
Crm = Annotated[
    str | None, typer.Option("--crm", metavar="SYSTEM", help="connector of the CRM; see `datong connectors`")
]
Erp = Annotated[str | None, typer.Option("--erp", metavar="SYSTEM", help="connector of the ERP")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="ROLE.NAME=VALUE", help="a setting, such as erp.database=prod; several times"),
]
Companies = Annotated[
    list[str] | None,
    typer.Option("--company", metavar="CODE:CURRENCY[:ID]", help="a legal entity of ours, such as asia:CNY:1"),
]
Force = Annotated[bool, typer.Option("--force", help="overwrite what is there")]


def add_to(app: typer.Typer) -> None:
    command(app)(init)
    command(app)(check)


def init(
    session: Session,
    directory: Folder = Path(),
    example: Example = None,
    crm_url: CrmUrl = None,
    erp_url: ErpUrl = None,
    seed: Seed = 1,
    crm: Crm = None,
    erp: Erp = None,
    settings: Settings = None,
    companies: Companies = None,
    force: Force = False,
) -> None:
    """Write a commented datong.yaml: asks, or takes options."""
    from datong.bootstrap.init import write_config

    if example is None:
        from datong.cli.questions import answered

        urls = {"crm": crm_url, "erp": erp_url}
        answers: Answers | SandboxAnswers = answered(
            {"crm": crm, "erp": erp}, urls, settings or [], companies or [], ask=not session.json
        )
    else:
        answers = _sandbox(example, crm_url, erp_url, seed)
    path = write_config(directory, answers, force=force)
    if session.json:
        document({"path": str(path)})
        return
    show(f"wrote {path}")
    note(f"next: datong --config {path} check")


def _sandbox(example: str, crm_url: str | None, erp_url: str | None, seed: int) -> SandboxAnswers:
    from datong.bootstrap.init import SandboxAnswers

    if example != "sandbox":
        raise UsageError(f"there is no example {example}", remedy="the example is called sandbox")
    usual = SandboxAnswers()
    return SandboxAnswers(crm_url or usual.crm_url, erp_url or usual.erp_url, seed)


def check(session: Session) -> int:
    """Try the whole configuration at once: systems, rights, loops, codes and fields without a counterpart, cost."""
    from datong.operations import checking

    try:
        actor = session.actor
        engine = session.app.engine(actor.name)
    except ConfigurationError as error:
        if not session.json:
            raise
        document({"ok": False, "connections": [], "problems": problems_of(error), "cost": []})
        return USAGE
    answer = checking.check(engine, actor)
    answer["you"] = {"name": actor.name, "roles": list(actor.roles)}
    if session.json:
        document(answer)
    else:
        _show_check(answer)
    return 0 if answer["ok"] else FAILED


def _show_check(answer: dict[str, Any]) -> None:
    connections = [[c["name"], c["role"], c["ok"], c["detail"]] for c in answer["connections"]]
    show(table("Systems", ("connection", "role", "ok", "detail"), connections))
    problems = [[p["severity"], p["where"], p["cause"], p["remedy"]] for p in answer["problems"]]
    if problems:
        show(table("Problems", ("", "where", "cause", "what to do"), problems))
    names = ("flow", "kind", "connection", "reads", "requests_per_idle_run", "requests_per_day")
    cost = [[row[name] for name in names] for row in answer["cost"]]
    total = sum(row["requests_per_day"] for row in answer["cost"])
    show(
        table("Cost when nothing changes", ("flow", "kind", "connection", "reads", "calls a run", "calls a day"), cost)
    )
    show(f"{total} calls a day in all, webhooks not counted")
    errors = sum(p["severity"] == "error" for p in answer["problems"])
    show("ok" if answer["ok"] else f"not ok: {errors} to correct before `datong plan`")
