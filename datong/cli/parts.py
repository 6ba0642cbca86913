"""How a command is declared: it is given the session first, and takes the global options after its name as well."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer
from typer.core import TyperGroup

from datong.cli.context import Session

F = TypeVar("F", bound=Callable[..., Any])

EVERYWHERE = "Everywhere"
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="the configuration; datong.yaml, or what DATONG_CONFIG names",
        rich_help_panel=EVERYWHERE,
        show_default=False,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="one JSON document on standard output", rich_help_panel=EVERYWHERE)
]
Debug = Annotated[bool, typer.Option("--debug", help="show where an error came from", rich_help_panel=EVERYWHERE)]

Flows = Annotated[
    list[str] | None, typer.Option("--flow", metavar="FLOW", help="only this flow; may be given several times")
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="at most so many")]
After = Annotated[
    int, typer.Option("--after", metavar="N", min=0, help="only those after this id: `next` of the page before")
]
AfterName = Annotated[
    str, typer.Option("--after", metavar="NAME", help="only those after this name: `next` of the page before")
]
Ndjson = Annotated[bool, typer.Option("--ndjson", help="one JSON document a line, an item each")]
Kind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="account, contact, product ...; needed where ids repeat")
]
ConnectionName = Annotated[str, typer.Argument(metavar="CONNECTION", help="name of the connection, as in datong.yaml")]
NativeId = Annotated[str, typer.Argument(metavar="NATIVE_ID", help="the id that the record has there")]
ItemId = Annotated[int, typer.Argument(metavar="ID", help="number of the item")]

_GLOBAL = {"_config": (ConfigFile, None), "_json": (AsJson, False), "_debug": (Debug, False)}


class _Standing(TyperGroup):
    """A group whose `default` command runs where none is named."""

    default = ""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else [self.default, *args])


def group(parent: typer.Typer, name: str, text: str, default: str = "") -> typer.Typer:
    """A group of commands, such as `parked`. Where none of them is named the `default` one runs."""
    cls = type(f"_{name}", (_Standing,), {"default": default}) if default else None
    made = typer.Typer(no_args_is_help=not default, rich_markup_mode="rich", cls=cls)
    parent.add_typer(made, name=name, help=text)
    return made


def command(parent: typer.Typer, name: str | None = None) -> Callable[[F], F]:
    """Registers a function `(session, ...)`. What it returns is the exit status; None is 0."""

    def register(act: F) -> F:
        hints = get_type_hints(act, include_extras=True)
        own = list(inspect.signature(act).parameters.values())[1:]
        parameters = [p.replace(annotation=hints[p.name], kind=p.KEYWORD_ONLY) for p in own]
        extra = [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for n, (annotation, default) in _GLOBAL.items()
        ]
        ctx = inspect.Parameter("_ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)

        @functools.wraps(act)
        def run(*, _ctx: typer.Context, _config: Path | None, _json: bool, _debug: bool, **given: Any) -> None:
            session = _ctx.find_root().ensure_object(Session)
            session.take(_config, _json, _debug)
            status = act(session, **given)
            if status:
                raise typer.Exit(status)

        every = [ctx, *parameters, *extra]
        del run.__wrapped__
        run.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in every}
        parent.command(name or act.__name__.strip("_").replace("_", "-"))(run)
        return act

    return register
