"""The commands, put together in the order in which one meets them."""

from __future__ import annotations

import typer

from datong.cli import (
    access,
    after_sales,
    catalogue,
    config_command,
    demand,
    demo_command,
    documents,
    forecasts,
    history,
    links,
    month_end,
    people_work,
    planned,
    reconciling,
    records,
    results,
    service,
    setup,
    statement,
    suggest,
    syncing,
)
from datong.cli.context import Session
from datong.cli.parts import AsJson, ConfigFile, Debug

app = typer.Typer(
    name="datong",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def everywhere(ctx: typer.Context, config: ConfigFile = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Datong 打通 connects a CRM with an ERP and keeps the two in agreement.

    Exit status: 0 done; 1 something failed, or there is new work for a person; 2 usage or configuration.
    """
    ctx.ensure_object(Session).take(config, as_json, debug)


for part in (
    setup,
    syncing,
    planned,
    config_command,
    service,
    records,
    results,
    documents,
    month_end,
    statement,
    after_sales,
    links,
    demand,
    forecasts,
    suggest,
    people_work,
    reconciling,
    history,
    access,
    catalogue,
    demo_command,
):
    part.add_to(app)
