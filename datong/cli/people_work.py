"""`parked`, `review` and `conflict`: what waits for a person, and how they settle it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from datong.cli.context import Session
from datong.cli.output import document, listing, short, show, table
from datong.cli.parts import After, ItemId, Limit, Ndjson, command, group
from datong.operations.naming import Names

Take = Annotated[
    str | None, typer.Option("--take", metavar="CONNECTION", help="the value that this connection holds stands")
]
Value = Annotated[str | None, typer.Option("--value", metavar="TEXT", help="this value stands; empty clears the field")]

COLUMNS = {
    "parked": {"id": "id", "cause": "cause", "reason": "what happened", "remedy": "what to do", "times": "times"},
    "review": {"id": "id", "kind": "kind", "cause": "cause", "reason": "why they may be one", "remedy": "what to do"},
    "conflict": {"id": "id", "kind": "kind", "field": "field", "reason": "what happened", "remedy": "what to do"},
}
TITLES = {"parked": "Parked", "review": "To review", "conflict": "In conflict"}


def add_to(app: typer.Typer) -> None:
    parked = group(app, "parked", "What could not be done and waits for a person.")
    review = group(app, "review", "Records that may be one: link them, or keep them separate.")
    conflict = group(app, "conflict", "Fields that both sides changed.")
    for kind, where in (("parked", parked), ("review", review), ("conflict", conflict)):
        command(where, "list")(_lister(kind))
        command(where, "show")(show_item)
    command(parked)(retry)
    command(parked)(dismiss)
    command(review)(link)
    command(review)(separate)
    command(conflict)(resolve)


def _lister(kind: str) -> Callable[..., None]:
    def list_items(session: Session, limit: Limit = 100, after: After = 0, ndjson: Ndjson = False) -> None:
        from datong.operations import work

        items = work.listed(session.engine(), session.actor, (kind,), after=after, limit=limit + 1)
        listing(session, items, ndjson=ndjson, limit=limit, title=TITLES[kind], columns=COLUMNS[kind])

    list_items.__doc__ = f"What is open, oldest first: {TITLES[kind].lower()}."
    return list_items


def show_item(session: Session, item: ItemId) -> None:
    """One item, open or settled, with all that is known of it."""
    from datong.operations import work

    tell(session, work.shown(session.engine(), session.actor, item))


def retry(session: Session, item: ItemId) -> None:
    """Try again what an item holds up, with the next sync; of a deletion: delete on the other side too."""
    from datong.operations import work

    tell(session, work.retry(session.engine(), session.actor, item))


def dismiss(session: Session, item: ItemId) -> None:
    """Leave it as it is; that holds until one of its values changes."""
    from datong.operations import work

    tell(session, work.dismiss(session.engine(), session.actor, item))


def link(session: Session, item: ItemId) -> None:
    """The two are one."""
    from datong.operations import work

    tell(session, work.link(session.engine(), session.actor, item))


def separate(session: Session, item: ItemId) -> None:
    """The two are not one; asked again only when what speaks for it changes."""
    from datong.operations import work

    tell(session, work.separate(session.engine(), session.actor, item))


def resolve(session: Session, item: ItemId, take: Take = None, value: Value = None) -> None:
    """Settle a conflict: by the value of one connection, or by another value."""
    from datong.operations import work

    tell(session, work.resolve(session.engine(), session.actor, item, take=take, value=value))


def tell(session: Session, item: Mapping[str, Any]) -> None:
    if session.json:
        document(item)
        return
    show(f"{item['type']} {item['id']}, {item['state']}: {item['reason']}")
    if item["state"] == "open":
        show(f"-> {item['remedy']}")
    elif item["closed_by"]:
        show(f"by {item['closed_by']}; goes out with the next {session.line('sync')}")
    _detail(session, item)


def _detail(session: Session, item: Mapping[str, Any]) -> None:
    """The reasons of a review as a table, the rest line by line."""
    detail = dict(item["detail"] or {})
    reasons = detail.pop("reasons", None) or []
    names = Names(session.app.store, [detail])
    rows = [[name, _told(value, names)] for name, value in detail.items()]
    facts = {"kind": item["kind"], "field": item["field"], "connection": item["connection"], "id": item["native_id"]}
    known = [[name, value] for name, value in facts.items() if value]
    show(table("", ("", ""), known + rows))
    if reasons:
        columns = list(reasons[0])
        show(table("Reasons", columns, [[short(one.get(c)) for c in columns] for one in reasons]))


def _told(value: Any, names: Names) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {_told(v, names)}" for k, v in value.items() if v is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(_told(one, names) for one in value)
    return short(names.value(value), 200)
