"""The reference is up to date, and every command says what it does."""

from __future__ import annotations

from typing import Any

import typer.main

from datong.cli import app
from datong.cli.reference import TARGET, reference
from tests.cli.conftest import datong

COMMANDS = (
    "init check plan apply sync undo runs run sandbox explain results chain articles complaints demand suggest "
    "reconcile verify journal console connectors flows demo plans hold config record approvals match statement "
    "signed-link forecast parked review conflict people token"
)


def test_every_command_is_there() -> None:
    root: Any = typer.main.get_command(app)
    assert sorted(root.commands) == sorted(COMMANDS.split())
    groups = {name: sorted(one.commands) for name, one in root.commands.items() if hasattr(one, "commands")}
    assert groups == {
        "approvals": ["give", "list", "refuse"],
        "config": ["apply", "diff", "history", "plan", "restore", "show"],
        "hold": ["field", "list", "release"],
        "plans": ["approve", "list", "reject", "show"],
        "signed-link": ["make", "revoke"],
        "forecast": ["compare", "list", "make", "withdraw"],
        "match": ["show", "sign-off"],
        "people": ["list", "password"],
        "statement": ["confirm", "show"],
        "token": ["create", "list", "revoke"],
        "record": ["lock", "pause", "release", "unlink"],
        "parked": ["dismiss", "list", "retry", "show"],
        "review": ["link", "list", "separate", "show"],
        "conflict": ["list", "resolve", "show"],
    }


def test_help_of_every_command() -> None:
    for name in COMMANDS.split():
        answer = datong(name, "--help")
        assert (answer.status, answer.err) == (0, ""), name


def test_the_reference_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf8") == reference(), "run `python -m datong.cli.reference`"


def test_unknown_words_are_usage_errors() -> None:
    for words in (
        ["nonsense"],
        ["sync", "--nonsense"],
        ["explain", "crm"],
        ["parked", "show", "x"],
        ["plan", "--flow"],
    ):
        answer = datong(*words)
        assert (answer.status, answer.out) == (2, ""), words
        assert answer.err, words
