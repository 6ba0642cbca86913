"""`config`: which configuration is live, which were, and how another one becomes so."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datong.base.errors import NotFound
from datong.cli.context import Session
from datong.cli.output import document, listing, note, show
from datong.cli.parts import Flows, Limit, Ndjson, command, group
from datong.cli.syncing import Full, Out, tell_plan

if TYPE_CHECKING:
    from datong.bootstrap.build import App
    from datong.bootstrap.config import Config

Other = Annotated[
    str, typer.Argument(metavar="FILE", help="another datong.yaml, or a version that was live: see `config history`")
]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="a version; the live one by default")]


def add_to(app: typer.Typer) -> None:
    config = group(app, "config", "The configuration: what another one would change, and putting it live.")
    command(config, "plan")(plan)
    command(config, "diff")(diff)
    command(config, "apply")(apply)
    command(config, "history")(history)
    command(config, "show")(show_version)
    command(config, "restore")(restore)


def plan(session: Session, other: Other, flow: Flows = None, out: Out = None, full: Full = False) -> int:
    """What another configuration would change on real records; writes nothing to any system."""
    from datong.cli.progress import shown
    from datong.operations import sync as operations

    actor = session.actor
    with _built(session, other) as app, shown() as progress:
        engine = app.engine(actor.name, progress=progress)
        told = operations.plan(engine, actor, flow or (), full=full)
        return tell_plan(session, engine, told, out, changes=False)


def diff(session: Session, other: Other) -> None:
    """What differs between the live configuration and another one, in words."""
    from datong.operations import configuration

    with _built(session, other) as app:
        assert app.landscape.configured is not None
        lines = configuration.compared(app.engine(session.actor.name), session.actor, app.landscape.configured)
    if session.json:
        document({"differences": lines})
    else:
        show("\n".join(lines) or "no difference")


def apply(session: Session, other: Other) -> None:
    """Put another configuration live: its files take the place of the present ones, which are kept as a version."""
    from datong.operations import configuration

    actor = session.trusted
    with _built(session, other) as app:
        assert app.landscape.configured is not None
        answer = configuration.apply(app.engine(actor.name), actor, app.landscape.configured, session.config.path)
    if session.json:
        document(answer)
        return
    show(f"version {answer['version']} is live", "\n".join(answer["differences"]))
    note(f"a service that runs must be started again; what it changes in records: {session.line('plan')}")


def history(session: Session, limit: Limit = 100, ndjson: Ndjson = False) -> None:
    """Every version that was live, the last first: when, by whom, and what it changed."""
    from datong.operations import configuration

    items = configuration.history(session.engine(), session.actor, limit=limit + 1)
    columns = {"version": "version", "at": "since", "actor": "who", "why": "what changed"}
    listing(session, items, ndjson=ndjson, limit=limit, title="Versions", columns=columns)


def show_version(session: Session, version: Version = "") -> None:
    """The files of a version."""
    from datong.operations import configuration

    told = configuration.kept(session.engine(), session.actor, version)
    if session.json:
        document(told)
        return
    for name, text in told["files"].items():
        show(f"# {name}, version {told['version']}, live since {told['at'][:16]}, by {told['actor']}")
        print(text, end="")


def restore(session: Session) -> None:
    """Write the live version into its files again, in the place of what was changed there."""
    from datong.operations import configuration

    written = configuration.restore(session.engine(), session.actor, session.config.path)
    if session.json:
        document({"written": [str(path) for path in written]})
    else:
        show(f"wrote {', '.join(map(str, written))}")


@contextmanager
def _built(session: Session, other: str) -> Iterator[App]:
    """Everything as it would be under another configuration, with the store of the present one."""
    from datong.bootstrap.build import build

    with _loaded(session, other) as config:
        app = build(config.model_copy(update={"path": session.config.path, "store": session.config.store}))
    try:
        yield app
    finally:
        app.close()


@contextmanager
def _loaded(session: Session, other: str) -> Iterator[Config]:
    from datong.bootstrap.config import load

    if Path(other).is_file():
        yield load(Path(other))
        return
    files = _version_files(session, other)
    with tempfile.TemporaryDirectory() as folder:
        from datong.operations.configuration import write_files

        main = Path(folder) / "datong.yaml"
        write_files(main, files)
        yield load(main)


def _version_files(session: Session, name: str) -> dict[str, Any]:
    from datong.operations import configuration

    try:
        files: dict[str, Any] = configuration.kept(session.engine(), session.actor, name)["files"]
    except NotFound as error:
        raise NotFound(f"{name} is neither a file nor a version", remedy=error.remedy) from error
    session.close()
    return files
