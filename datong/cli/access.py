"""`people`, `token`, `console`: who may come in over the network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from datong.base.errors import UsageError
from datong.cli.context import Session
from datong.cli.output import document, listing, note, show
from datong.cli.parts import command, group

if TYPE_CHECKING:
    from datong.operations.access import Access

Who = Annotated[str, typer.Argument(metavar="PERSON", help="a name under people: in datong.yaml")]
For = Annotated[str | None, typer.Option("--for", metavar="PERSON", help="whose it is; yours by default")]
What = Annotated[str, typer.Argument(metavar="NAME", help="what it is for, such as warehouse-export")]
Role = Annotated[
    Literal["viewer", "operator", "approver", "admin"],
    typer.Option("--role", help="the most that it may do; never more than the person may"),
]
Days = Annotated[int, typer.Option("--days", metavar="N", min=1, max=366, help="how long it is good")]
Number = Annotated[int, typer.Argument(metavar="ID", help="number of the token; `datong token list` shows it")]

PEOPLE = {"name": "name", "roles": "roles", "password": "password"}
TOKENS = {
    "id": "id",
    "person": "person",
    "name": "what for",
    "role": "role",
    "state": "state",
    "until": "until",
    "used_at": "last used",
}


def add_to(app: typer.Typer) -> None:
    people = group(app, "people", "Who may act, and their passwords for the console.")
    command(people, "list")(list_people)
    command(people)(password)
    token = group(app, "token", "Secrets for programs that use the API.")
    command(token, "list")(list_tokens)
    command(token)(create)
    command(token)(revoke)
    command(app)(console)


def access_of(session: Session) -> Access:
    """The door, with the people whom the configuration names; where it names nobody, whoever runs Datong here."""
    from datong.operations.access import Access

    people = {name: person.roles for name, person in session.config.people.items()}
    return Access(session.app.store, people or {session.actor.name: session.actor.roles})


def list_people(session: Session) -> None:
    """Who may act, with which roles, and whether they have a password for the console."""
    rows = access_of(session).known(session.actor)
    listing(session, rows, ndjson=False, limit=len(rows), title="People", columns=PEOPLE, key="name")


def password(session: Session, person: Who) -> None:
    """Set the password with which PERSON logs in to the console; their sessions end. Asks for it, or reads a line."""
    from getpass import getpass

    if sys.stdin.isatty():
        given = getpass(f"new password of {person}: ")
        if getpass("once more: ") != given:
            raise UsageError("the two are not the same", remedy="try again")
    else:
        given = sys.stdin.readline().rstrip("\n")
    access_of(session).set_password(session.actor, person, given)
    if session.json:
        document({"person": person, "password": "set"})
    else:
        show(f"{person} logs in with it from now on")


def list_tokens(session: Session) -> None:
    """The tokens: yours, or everybody's for an administrator."""
    rows = access_of(session).tokens(session.actor)
    listing(session, rows, ndjson=False, limit=len(rows), title="Tokens", columns=TOKENS)


def create(session: Session, name: What, person: For = None, role: Role = "viewer", days: Days = 90) -> None:
    """Make a token for a program. It is shown once; only a digest of it is kept."""
    made = access_of(session).make_token(session.actor, person or session.actor.name, name, role, days)
    if session.json:
        document(made)
        return
    show(made["token"])
    note(f"token {made['id']} of {made['person']}, {role}, {days} days; it is not shown again. Use it as")
    note('  curl -H "Authorization: Bearer $TOKEN" http://HOST:PORT/api/v1/overview')


def revoke(session: Session, token: Number) -> None:
    """End a token at once."""
    access_of(session).revoke(session.actor, token)
    if session.json:
        document({"id": token, "state": "revoked"})
    else:
        show(f"token {token} is good for nothing any more")


def console(session: Session) -> None:
    """A link into the console of the running service: good once, for five minutes, as the person you are here."""
    entry = access_of(session).entry(session.actor)
    told = session.config.service
    host = "127.0.0.1" if told.host in ("0.0.0.0", "::") else told.host
    url = f"http://{host}:{told.port}/login?entry={entry}"
    if session.json:
        document({"url": url})
    else:
        show(url)
